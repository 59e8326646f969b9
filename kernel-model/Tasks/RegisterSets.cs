using System.Buffers.Binary;
using ArmVdso.Kernel.El1;

namespace ArmVdso.Kernel.Tasks;

/// <summary>The registers of a stopped task as debuggers read and write them (aarch64_regsets in arch/arm64/kernel/ptrace.c). Breakpoints
/// and watchpoints are not in the machine: their sets have no slots. SVE, SME, MTE and what depends on them are not there.</summary>
internal sealed class RegisterSets(Machine machine, TaskRecords records)
{
    internal const uint NtPrstatus = 1, NtFpregset = 2, NtTls = 0x401, NtHwBreak = 0x402, NtHwWatch = 0x403, NtSystemCall = 0x404,
        NtPacMask = 0x406;

    /// <summary>struct user_hwdebug_state; its header.</summary>
    private const int DebugSize = 264, DebugHeader = 8, DebugSlot = 16;

    /// <summary>PSTATE bits without a meaning at EL0 (SPSR_EL1_AARCH64_RES0_BITS).</summary>
    private const ulong ReservedPstate = ~0xFFFF_FFFFUL | 3UL << 26 | 3UL << 22 | 0xFFUL << 13 | 1UL << 5;

    /// <summary>Whether pointers carry codes: generic or address authentication.</summary>
    private bool Authenticates => (machine.Identification["ID_AA64ISAR1_EL1"] & 0xff0) != 0;

    /// <summary>Bits 54 to VaBits hold the code of a pointer (pac_mask_get).</summary>
    internal static ulong PacMask(KernelTask task) => (1UL << 55) - task.Mm!.TaskSize;

    /// <summary>Bytes of an element and of a set; null: there is no such set.</summary>
    internal (int Unit, int Size)? Shape(uint type) => type switch
    {
        NtPrstatus => (8, ThreadContext.GeneralSize),
        NtFpregset => (4, ThreadContext.FpsimdSize),
        NtTls => (8, 16),
        NtHwBreak or NtHwWatch => (4, DebugSize),
        NtSystemCall => (4, 4),
        NtPacMask when Authenticates => (8, 16),
        _ => null,
    };

    /// <summary>A whole set.</summary>
    internal byte[] Read(KernelTask task, uint type)
    {
        var set = new byte[Shape(type)!.Value.Size];
        ThreadContext context = records.Context(machine, task);
        switch (type)
        {
            case NtPrstatus:
                context.WriteGeneral(set);
                break;
            case NtFpregset:
                context.WriteFpsimd(set);
                break;
            case NtTls:
                BinaryPrimitives.WriteUInt64LittleEndian(set, context.ThreadPointer);
                break;
            case NtHwBreak or NtHwWatch:
                // The debug architecture; no slots.
                set[1] = (byte)(machine.Identification["ID_AA64DFR0_EL1"] & 15);
                break;
            case NtSystemCall:
                BinaryPrimitives.WriteInt32LittleEndian(set, context.SyscallNumber);
                break;
            case NtPacMask:
                BinaryPrimitives.WriteUInt64LittleEndian(set, PacMask(task));
                BinaryPrimitives.WriteUInt64LittleEndian(set.AsSpan(8), PacMask(task));
                break;
        }
        return set;
    }

    /// <summary>Writes a set whose first bytes are new: 0 or -errno.</summary>
    /// <param name="task">A task on no CPU.</param>
    /// <param name="type">The set.</param>
    /// <param name="valid">Whether PSTATE may be so at EL0.</param>
    /// <param name="bytes">The new bytes.</param>
    internal long Write(KernelTask task, uint type, Func<ulong, bool> valid, ReadOnlySpan<byte> bytes)
    {
        byte[] set = Read(task, type);
        bytes.CopyTo(set);
        switch (type)
        {
            case NtPrstatus:
                return WriteGeneral(task, valid, set);
            case NtFpregset:
                PhysicalMemory memory = machine.Memory;
                set.AsSpan(0, 512).CopyTo(memory.Span(task.RecordPa + TaskRecord.Fpsimd, 512));
                memory.Write(task.RecordPa + TaskRecord.Fpsr, BinaryPrimitives.ReadUInt32LittleEndian(set.AsSpan(512)));
                memory.Write(task.RecordPa + TaskRecord.Fpcr, BinaryPrimitives.ReadUInt32LittleEndian(set.AsSpan(516)));
                return 0;
            case NtTls:
                records.SetTp(task, BinaryPrimitives.ReadUInt64LittleEndian(set));
                return 0;
            case NtSystemCall:
                UserRegisters regs = records.Registers(task);
                regs.SyscallNumber = BinaryPrimitives.ReadInt32LittleEndian(set);
                return 0;
            case NtHwBreak or NtHwWatch:
                // An enabled slot needs a register: there is none.
                for (int at = DebugHeader + 8; at + 4 <= bytes.Length; at += DebugSlot)
                {
                    if ((BinaryPrimitives.ReadUInt32LittleEndian(set.AsSpan(at)) & 1) != 0)
                        return -Errno.ENOSPC;
                }
                return 0;
            default:
                return -Errno.EIO;
        }
    }

    private long WriteGeneral(KernelTask task, Func<ulong, bool> valid, ReadOnlySpan<byte> set)
    {
        ulong pstate = BinaryPrimitives.ReadUInt64LittleEndian(set[264..]) & ~ReservedPstate;
        if (!valid(pstate))
            return -Errno.EINVAL;
        UserRegisters regs = records.Registers(task);
        for (int i = 0; i < 31; i++)
            regs[i] = BinaryPrimitives.ReadUInt64LittleEndian(set[(8 * i)..]);
        regs.SP = BinaryPrimitives.ReadUInt64LittleEndian(set[248..]);
        regs.PC = BinaryPrimitives.ReadUInt64LittleEndian(set[256..]);
        regs.Pstate = Tracing.WithStep(task, pstate);
        return 0;
    }
}
