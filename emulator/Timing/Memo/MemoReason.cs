namespace ArmVdso.Emulator.Timing.Memo;

/// <summary>Why the timing of a block was not looked up. Before <see cref="Unplain"/> the block is not begun, and the engine times its
/// instructions one by one; for the others the pipeline steps inside it.</summary>
public enum MemoReason : byte
{
    /// <summary>Somebody looks at single instructions, or execution comes from where the last fetch does not tell.</summary>
    Entry,

    /// <summary>The block could reach the cycle at which this PE has to stop.</summary>
    Stop,

    /// <summary>It holds instructions that act on the system, or two divisions.</summary>
    Instructions,

    /// <summary>A line behind its first is not in the instruction cache.</summary>
    LaterLine,

    /// <summary>An instruction with accesses that no shape holds.</summary>
    Unplain,

    /// <summary>An access of which a line comes from memory, goes there, or is written past L1.</summary>
    Memory,

    /// <summary>A miss in a block that is stepped already, or one too many.</summary>
    Busy,

    /// <summary>An access to a line that is on its way since a block before, in a block that is stepped already, or one too many.</summary>
    LateLine,

    /// <summary>A block that could reach the stop with what its accesses cost.</summary>
    Margin,

    /// <summary>The first line of a block was not in the instruction cache, or its page not in the micro-TLB, where the block was stepped
    /// anyway or it came later than any number says.</summary>
    FirstLine,

    /// <summary>Something of the block before was still long from ready.</summary>
    Horizon,

    /// <summary>A full store buffer while lines are on their way.</summary>
    StoreBuffer,
}
