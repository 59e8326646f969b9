namespace ArmVdso.Emulator.Timing.Counters;

/// <summary>Where a cycle went (top-down analysis of an in-order pipeline). Every cycle has exactly one cause.</summary>
public enum CycleCause : byte
{
    /// <summary>At least one instruction issued.</summary>
    Issuing,

    /// <summary>No instruction was there: taken-branch bubbles.</summary>
    FrontEnd,

    /// <summary>L1 instruction cache miss.</summary>
    InstructionCache,

    /// <summary>Instruction TLB miss.</summary>
    InstructionTlb,

    /// <summary>Mispredicted branch.</summary>
    Mispredict,

    /// <summary>An operand of a computation was not ready.</summary>
    Dependency,

    /// <summary>An operand comes from a load that hit L1.</summary>
    LoadUse,

    /// <summary>A unit was busy, or an instruction took several issue cycles.</summary>
    Unit,

    /// <summary>A load that hit L2, or the store buffer behind it.</summary>
    L2,

    /// <summary>A load that hit the last-level cache behind private L2 caches.</summary>
    L3,

    /// <summary>A load from memory, or the store buffer behind it.</summary>
    Dram,

    /// <summary>A line came from another PE's cache.</summary>
    Coherence,

    /// <summary>Data TLB miss.</summary>
    DataTlb,

    /// <summary>System instructions and barriers.</summary>
    System,

    /// <summary>Exception entry and return.</summary>
    Exception,

    /// <summary>Charged for work outside the machine.</summary>
    Charged,

    /// <summary>Waiting (WFI).</summary>
    Waiting,
}

/// <summary>Cycles by cause; they sum to the cycles of the PE.</summary>
[InlineArray(Count)]
public struct CauseCounters
{
    /// <summary>How many causes there are.</summary>
    public const int Count = (int)CycleCause.Waiting + 1;

    private ulong _first;

    /// <summary>Sum over all causes.</summary>
    public readonly ulong Total()
    {
        ulong sum = 0;
        foreach (ulong n in this)
            sum += n;
        return sum;
    }
}

/// <summary>Event counts of one PE at one exception level.</summary>
public struct TimingCounters
{
    /// <summary>Cycles by <see cref="CycleCause"/>.</summary>
    public CauseCounters Causes;

    /// <summary>Instructions timed.</summary>
    public ulong Instructions;

    /// <summary>Instructions that issued in the second slot.</summary>
    public ulong DualIssued;

    /// <summary>Branches executed, exception returns among them.</summary>
    public ulong Branches;

    /// <summary>Of them, taken.</summary>
    public ulong TakenBranches;

    /// <summary>Exception returns.</summary>
    public ulong ExceptionReturns;

    /// <summary>Instructions that read memory.</summary>
    public ulong Loads;

    /// <summary>Instructions that wrote memory.</summary>
    public ulong Stores;

    /// <summary>Branches whose direction or target was predicted wrongly.</summary>
    public ulong Mispredicts;

    /// <summary>Fetches of another L1 instruction cache line.</summary>
    public ulong L1IAccesses;

    /// <summary>Of them, misses.</summary>
    public ulong L1IMisses;

    /// <summary>Data accesses (a line each).</summary>
    public ulong L1DAccesses;

    /// <summary>Of them, misses.</summary>
    public ulong L1DMisses;

    /// <summary>L2 accesses.</summary>
    public ulong L2Accesses;

    /// <summary>L2 misses.</summary>
    public ulong L2Misses;

    /// <summary>Lines fetched from another PE's cache, and stores that had to invalidate other copies.</summary>
    public ulong Transfers;

    /// <summary>Micro-TLB misses, instruction side.</summary>
    public ulong ItlbMisses;

    /// <summary>Micro-TLB misses, data side.</summary>
    public ulong DtlbMisses;

    /// <summary>Translation table walks.</summary>
    public ulong Walks;

    /// <summary>Exceptions taken to EL1 from this level.</summary>
    public ulong Exceptions;

    /// <summary>Cycles at this level.</summary>
    public readonly ulong Cycles => Causes.Total();
}

/// <summary>Statistics of one PE, split by exception level. The sum of both levels' cycles is the PE's cycle count.</summary>
public struct TimingStatistics
{
    /// <summary>At EL0.</summary>
    public TimingCounters EL0;

    /// <summary>At EL1.</summary>
    public TimingCounters EL1;

    /// <summary>Cycles at both levels.</summary>
    public readonly ulong Cycles => EL0.Cycles + EL1.Cycles;
}
