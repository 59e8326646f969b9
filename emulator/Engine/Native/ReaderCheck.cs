namespace ArmVdso.Emulator.Engine.Native;

/// <summary>What code that reads a trace asks before it takes something for usual. A test leaves each out.</summary>
internal enum ReaderCheck
{
    None,

    /// <summary>The lines of the block are in the instruction cache.</summary>
    FetchedLine,

    /// <summary>A line of data is the most recently used one of its set.</summary>
    LatestLine,

    /// <summary>A line that is stored to is modified already.</summary>
    Modified,

    /// <summary>A line is not on its way.</summary>
    LateLine,

    /// <summary>A load does not read what was stored last.</summary>
    Stored,

    /// <summary>An access inside a line is over a boundary of the load or store path.</summary>
    Misaligned,

    /// <summary>The page of a fetch came from the second TLB.</summary>
    FetchShape,

    /// <summary>The timing behind the block before is that of the same signature.</summary>
    Signature,

    /// <summary>And of the same state.</summary>
    State,

    /// <summary>And of the same block.</summary>
    Block,
}
