using ArmVdso.Emulator.Timing.Events;

namespace ArmVdso.Emulator.Timing.Memo;

/// <summary>What native code that reads a trace shares with <see cref="BlockMemo"/>. It does not move.</summary>
internal struct ReaderFrame
{
    /// <summary>What such code returns, when it is not the number of a slot, which <see cref="BlockMemo"/> is to look at: all blocks were
    /// timed; nothing of the block was done; all but looking up its timing was.</summary>
    internal const int AllTold = -1, NothingTold = -2, NotFound = -3;

    /// <summary>Where the block in question begins in the trace.</summary>
    public ulong At;

    /// <summary>The <see cref="MemoEntry"/> of the block before.</summary>
    public ulong Entry;

    /// <summary>Cycles until now.</summary>
    public ulong Cycles;

    /// <summary>Shapes of the block's accesses so far; its whole signature where its timing is looked up.</summary>
    public ulong Shapes;

    /// <summary>Where to go on behind a slot.</summary>
    public ulong Resume;

    /// <summary>Page of data that needs no look at the order of the TLB; none while lines are on their way.</summary>
    public ulong DataPage;

    /// <summary>Cycle in which the last line that was asked for is there; the last of all when the block has asked for lines.</summary>
    public ulong Until;

    /// <summary>How many lines the block has asked for, and where they are.</summary>
    public ulong Missed, MissedLines;

    /// <summary>The lines on their way.</summary>
    public FillPlaces Fills;

    /// <summary>Number of the block that was timed last; 0: none.</summary>
    public ulong Last;

    /// <summary>Instructions that were timed.</summary>
    public ulong Told;

    /// <summary>Blocks that were timed.</summary>
    public ulong Blocks;

    /// <summary>Lines that were fetched.</summary>
    public ulong Fetched;

    /// <summary>Loads of pages that were in the second TLB only.</summary>
    public ulong RefilledLoads;

    /// <summary>Such stores.</summary>
    public ulong RefilledStores;

    /// <summary>Fetches from pages that were in the second TLB only.</summary>
    public ulong RefilledFetches;

    /// <summary>What the fetch of the first line of a block adds to the state in its key: <see cref="BlockMemo.RefilledFetch"/>, or 0 when
    /// it hit; and <see cref="Special"/>.</summary>
    public ulong FetchShape;

    /// <summary>The block asked for lines, or accessed some that were on their way: its timing is not looked up by such code.</summary>
    internal const int Special = 1 << 30;

    /// <summary>What the division of a block adds to its signature, where it has one.</summary>
    public ulong Digits;

    /// <summary>Translation context of the address space.</summary>
    public ulong Context;

    /// <summary>Host's address of physical address 0.</summary>
    public ulong HostBase;

    /// <summary>Addresses of <see cref="TracedBlocks.Records"/>, of the entries, and of <see cref="DeltaTable.Due"/>.</summary>
    public ulong Records, Entries, Due;

    /// <summary>Addresses of what the events remember.</summary>
    public EventPlaces Events;
}
