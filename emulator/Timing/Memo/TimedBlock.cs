namespace ArmVdso.Emulator.Timing.Memo;

/// <summary>A block of instructions as its timing sees it. An engine that has its blocks timed by <see cref="BlockMemo"/> derives them
/// from this.</summary>
public abstract class TimedBlock
{
    /// <summary>Number of the block, from 1; no other block of the machine has it.</summary>
    public uint Id;

    /// <summary>Virtual address of the first instruction.</summary>
    public ulong Pc;

    /// <summary>Its physical address.</summary>
    public ulong Pa;

    /// <summary>What its timing needs, once it is memoised.</summary>
    internal BlockSchedule? Schedule;

    /// <summary>Whether it executes at EL0.</summary>
    internal abstract bool AtEL0 { get; }

    /// <summary>Instructions; 0 when they are not for blocks.</summary>
    internal abstract int InstructionCount { get; }

    /// <summary>One of them: its row and encoding.</summary>
    internal abstract (Row Row, uint Encoding) Instruction(int index);
}
