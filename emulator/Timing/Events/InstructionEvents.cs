using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.Instructions;

namespace ArmVdso.Emulator.Timing.Events;

/// <summary>What the memory system made of one access to one line by one instruction. It names no cycle: the caches, TLBs and
/// the coherence of lines depend on the order of accesses alone, never on when they happen.</summary>
public struct LineEvent
{
    /// <summary>Line number (physical address divided by the line size).</summary>
    public ulong Line;

    /// <summary>Cycles that a fill takes when the line missed L1, from the moment a fill buffer is free; 0 on a hit.</summary>
    public int Penalty;

    /// <summary>Cycles that the instruction waits before issue for the translation of the address; 0 on a micro-TLB hit.</summary>
    public int Walk;

    /// <summary>Further cycles until a store may write a line that it hit: other copies had to go.</summary>
    public int Upgrade;

    /// <summary>Where a missing line came from.</summary>
    public CycleCause Cause;

    /// <summary>The line missed L1.</summary>
    public bool Miss;

    /// <summary>A store.</summary>
    public bool Write;

    /// <summary>A store that goes past L1 because it belongs to a stream of them; <see cref="Cause"/> says how far down.</summary>
    public bool Streamed;

    /// <summary>The first such store to its line: it stands for the writing of the line.</summary>
    public bool Opens;

    /// <summary>A PRFM, which is over when its fill has begun; what it brings into an outer cache is in <see cref="PrefetchCount"/>.
    /// </summary>
    public bool Hint;

    /// <summary>Written lines that this access and its prefetches pushed out of L1.</summary>
    public int Victims;

    /// <summary>Lines that go to memory because of it.</summary>
    public int MemoryWrites;

    /// <summary>Lines that the hardware prefetcher asks for because of this access; 0 for none.</summary>
    public int PrefetchCount;

    /// <summary>The first of them.</summary>
    public ulong PrefetchLine;

    /// <summary>From one of them to the next.</summary>
    public long PrefetchStep;

    /// <summary>Cycles that each takes, as <see cref="Penalty"/>.</summary>
    public int PrefetchPenalty;

    /// <summary>Where they come from.</summary>
    public CycleCause PrefetchCause;

    /// <summary>Whether another access is like this one, but for the line.</summary>
    internal readonly bool IsLike(in LineEvent other) =>
        Miss == other.Miss && Write == other.Write && Hint == other.Hint && Streamed == other.Streamed && Opens == other.Opens
        && PrefetchCount == other.PrefetchCount && PrefetchPenalty == other.PrefetchPenalty && PrefetchCause == other.PrefetchCause
        && Victims == other.Victims && MemoryWrites == other.MemoryWrites
        && Penalty == other.Penalty && Walk == other.Walk && Upgrade == other.Upgrade && Cause == other.Cause;
}

/// <summary>What happened while one instruction was executed, beyond what its encoding says: the dynamic input of a
/// pipeline. The line accesses come beside it, in order.</summary>
public struct InstructionEvents
{
    /// <summary>Another fetch group begins here.</summary>
    public bool NewGroup;

    /// <summary>Cycles by which the group comes late.</summary>
    public int FetchExtra;

    /// <summary>Why it comes late; zero when it does not.</summary>
    public CycleCause FetchCause;

    /// <summary>It accessed data.</summary>
    public bool HasAccess;

    /// <summary>Issue cycles that its accesses take beyond <see cref="InstructionTiming.Beats"/>.</summary>
    public int Beats;

    /// <summary>Cycles by which its results come later: misaligned loads, digits of a quotient.</summary>
    public int Extra;

    /// <summary>For a load of bytes that the last store wrote: how many cycles after that store's last issue cycle it can issue; 0 when it
    /// need not wait.</summary>
    public int StoreGap;

    /// <summary>Cycles by which it holds the pipeline, beyond <see cref="EncodingTiming.Hold"/>.</summary>
    public int Hold;

    /// <summary>What fetch made of a branch.</summary>
    public Prediction Prediction;
}
