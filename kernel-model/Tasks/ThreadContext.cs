using System.Buffers.Binary;
using ArmVdso.Kernel.El1;

namespace ArmVdso.Kernel.Tasks;

/// <summary>The registers of a task as a debugger sees them: those of its CPU while it runs at EL0, else what the kernel saved. A copy that
/// stays as it is.</summary>
public sealed class ThreadContext
{
    /// <summary>Bytes of struct user_pt_regs and of struct user_fpsimd_state (arch/arm64/include/uapi/asm/ptrace.h).</summary>
    internal const int GeneralSize = 272, FpsimdSize = 528;

    private readonly ulong[] _x = new ulong[31];
    private readonly V128[] _v = new V128[32];

    /// <summary>Copies the registers of a task.</summary>
    internal ThreadContext(Machine machine, TaskRecords records, KernelTask task)
    {
        Cpu? cpu = task.OnCpu ? machine.Cpus[task.Cpu] : null;
        if (cpu is { EL: 0 })
        {
            for (int i = 0; i < 31; i++)
                _x[i] = cpu.X(i);
            (SP, PC, Pstate) = (cpu.SP_EL0, cpu.PC, (ulong)cpu.NZCV << 28);
        }
        else
        {
            UserRegisters regs = records.Registers(task);
            for (int i = 0; i < 31; i++)
                _x[i] = regs[i];
            (SP, PC, Pstate) = (regs.SP, regs.PC, regs.Pstate);
            SyscallNumber = regs.SyscallNumber;
        }
        PhysicalMemory memory = machine.Memory;
        for (int i = 0; i < 32; i++)
        {
            ulong at = task.RecordPa + TaskRecord.Fpsimd + (ulong)i * 16;
            _v[i] = cpu?.V(i) ?? new V128(memory.Read<ulong>(at), memory.Read<ulong>(at + 8));
        }
        Fpsr = cpu?.FPSR ?? memory.Read<uint>(task.RecordPa + TaskRecord.Fpsr);
        Fpcr = cpu?.FPCR ?? memory.Read<uint>(task.RecordPa + TaskRecord.Fpcr);
        ThreadPointer = cpu?.TPIDR_EL0 ?? memory.Read<ulong>(task.RecordPa + TaskRecord.TpValue);
    }

    /// <summary>General register n (0 to 30).</summary>
    public ulong X(int n) => _x[n];

    /// <summary>SIMD register n (0 to 31).</summary>
    public V128 V(int n) => _v[n];

    /// <summary>SP_EL0.</summary>
    public ulong SP { get; }

    /// <summary>Program counter.</summary>
    public ulong PC { get; }

    /// <summary>PSTATE as SPSR_EL1 holds it; of a task that runs its NZCV alone.</summary>
    public ulong Pstate { get; }

    /// <summary>FPSR and FPCR.</summary>
    public uint Fpsr { get; }

    /// <inheritdoc cref="Fpsr"/>
    public uint Fpcr { get; }

    /// <summary>TPIDR_EL0.</summary>
    public ulong ThreadPointer { get; }

    /// <summary>The system call that the task is in; -1: none.</summary>
    public int SyscallNumber { get; } = -1;

    /// <summary>struct user_pt_regs.</summary>
    internal void WriteGeneral(Span<byte> set)
    {
        for (int i = 0; i < 31; i++)
            BinaryPrimitives.WriteUInt64LittleEndian(set[(8 * i)..], _x[i]);
        BinaryPrimitives.WriteUInt64LittleEndian(set[248..], SP);
        BinaryPrimitives.WriteUInt64LittleEndian(set[256..], PC);
        BinaryPrimitives.WriteUInt64LittleEndian(set[264..], Pstate);
    }

    /// <summary>struct user_fpsimd_state.</summary>
    internal void WriteFpsimd(Span<byte> set)
    {
        for (int i = 0; i < 32; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(set[(16 * i)..], _v[i].Lo);
            BinaryPrimitives.WriteUInt64LittleEndian(set[(16 * i + 8)..], _v[i].Hi);
        }
        BinaryPrimitives.WriteUInt32LittleEndian(set[512..], Fpsr);
        BinaryPrimitives.WriteUInt32LittleEndian(set[516..], Fpcr);
    }
}
