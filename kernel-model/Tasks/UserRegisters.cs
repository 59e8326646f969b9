using ArmVdso.Kernel.El1;

namespace ArmVdso.Kernel.Tasks;

/// <summary>The registers of a task at its last entry from EL0 (struct pt_regs), in guest memory.</summary>
public readonly struct UserRegisters
{
    private readonly PhysicalMemory _memory;
    private readonly ulong _pa;

    internal UserRegisters(PhysicalMemory memory, ulong pa)
    {
        _memory = memory;
        _pa = pa;
    }

    /// <summary>General register n (0 to 30).</summary>
    public ulong this[int n]
    {
        get => _memory.Read<ulong>(_pa + (ulong)n * 8);
        set => _memory.Write(_pa + (ulong)n * 8, value);
    }

    /// <summary>SP_EL0.</summary>
    public ulong SP
    {
        get => _memory.Read<ulong>(_pa + PtRegs.Sp);
        set => _memory.Write(_pa + PtRegs.Sp, value);
    }

    /// <summary>Program counter.</summary>
    public ulong PC
    {
        get => _memory.Read<ulong>(_pa + PtRegs.Pc);
        set => _memory.Write(_pa + PtRegs.Pc, value);
    }

    /// <summary>PSTATE as SPSR_EL1 holds it.</summary>
    public ulong Pstate
    {
        get => _memory.Read<ulong>(_pa + PtRegs.Pstate);
        set => _memory.Write(_pa + PtRegs.Pstate, value);
    }

    /// <summary>x0 at the entry of the system call.</summary>
    public ulong OrigX0
    {
        get => _memory.Read<ulong>(_pa + PtRegs.OrigX0);
        set => _memory.Write(_pa + PtRegs.OrigX0, value);
    }

    /// <summary>System call number; -1 when the entry was no system call (or its restart is off).</summary>
    public int SyscallNumber
    {
        get => _memory.Read<int>(_pa + PtRegs.Syscallno);
        set => _memory.Write(_pa + PtRegs.Syscallno, value);
    }

    /// <summary>All zero: the state of a new program.</summary>
    public void Clear() => _memory.Span(_pa, PtRegs.FrameSize).Clear();

    /// <summary>Copies the whole frame from another task's.</summary>
    public void CopyFrom(UserRegisters other) =>
        other._memory.Span(other._pa, PtRegs.FrameSize).CopyTo(_memory.Span(_pa, PtRegs.FrameSize));
}
