namespace ArmVdso.Emulator.Timing.Memo;

/// <summary>What a block does, looked up by (block, state, signature). It fills a line of the host's cache.</summary>
internal struct MemoEntry
{
    public ulong Signature;
    public uint Block;

    /// <summary>Number of the state that the block begins in.</summary>
    public int State;

    /// <summary>Number of the state that it ends in.</summary>
    public int Exit;

    public int Cycles;

    /// <summary>Number of the sum of what it counts.</summary>
    public ushort Delta;

    /// <summary>Number of the fills that it begins.</summary>
    public ushort Fills;

    /// <summary>Whether fetch is redirected behind it.</summary>
    public bool Redirected;

    /// <summary>Places where blocks behind it were found, by <see cref="Way"/>: hints, whose keys are compared.</summary>
    public Followers Next;

    /// <summary>Which of <see cref="Next"/> is a block's; the low bits of a signature are those of the prediction.</summary>
    internal static int Way(uint block, ulong signature) => (int)((block ^ signature) & (Followers.Count - 1));

    [InlineArray(Count)]
    internal struct Followers
    {
        internal const int Count = 8;
        private int _first;
    }
}
