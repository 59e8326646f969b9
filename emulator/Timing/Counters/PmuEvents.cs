namespace ArmVdso.Emulator.Timing.Counters;

/// <summary>The events of the performance monitors that a timing model counts: number, name and what they mean here
/// (DDI0487, D13.12: common event numbers).</summary>
/// <param name="Number">Event number.</param>
/// <param name="Name">Name in the Arm ARM.</param>
/// <param name="Count">Its count at one exception level.</param>
/// <param name="Note">What it counts in these models.</param>
public sealed record PmuEvent(int Number, string Name, Func<TimingCounters, ulong> Count, string Note)
{
    private static readonly PmuEvent[] Table =
    [
        new(0x01, "L1I_CACHE_REFILL", c => c.L1IMisses, "lines fetched into the L1 instruction cache"),
        new(0x02, "L1I_TLB_REFILL", c => c.ItlbMisses, "misses of the first instruction TLB"),
        new(0x03, "L1D_CACHE_REFILL", c => c.L1DMisses, "lines fetched into the L1 data cache"),
        new(0x04, "L1D_CACHE", c => c.L1DAccesses, "accesses to the L1 data cache, a line each"),
        new(0x05, "L1D_TLB_REFILL", c => c.DtlbMisses, "misses of the first data TLB"),
        new(0x06, "LD_RETIRED", c => c.Loads, "instructions that read memory"),
        new(0x07, "ST_RETIRED", c => c.Stores, "instructions that wrote memory"),
        new(InstRetired, "INST_RETIRED", c => c.Instructions, "instructions executed"),
        new(0x09, "EXC_TAKEN", c => c.Exceptions, "exceptions taken from this level"),
        new(0x0A, "EXC_RETURN", c => c.ExceptionReturns, "exception returns executed at this level"),
        new(0x0C, "PC_WRITE_RETIRED", c => c.TakenBranches, "branches taken"),
        new(0x10, "BR_MIS_PRED", c => c.Mispredicts, "branches predicted wrongly"),
        new(CpuCycles, "CPU_CYCLES", Busy, "cycles, WFI left out"),
        new(0x12, "BR_PRED", c => c.Branches - c.ExceptionReturns, "branches that the predictor sees"),
        new(0x14, "L1I_CACHE", c => c.L1IAccesses, "fetches of another line"),
        new(0x16, "L2D_CACHE", c => c.L2Accesses, "accesses to the L2 cache"),
        new(0x17, "L2D_CACHE_REFILL", c => c.L2Misses, "lines fetched into the L2 cache"),
        new(0x21, "BR_RETIRED", c => c.Branches, "branches executed, exception returns among them"),
        new(0x22, "BR_MIS_PRED_RETIRED", c => c.Mispredicts, "branches predicted wrongly"),
        new(
            0x23, "STALL_FRONTEND", c => Sum(c, TopDown.FrontEnd) + Sum(c, TopDown.BadSpeculation),
            "cycles without an instruction to issue"),
        new(0x24, "STALL_BACKEND", c => Sum(c, TopDown.BackEnd), "cycles in which an instruction could not issue"),
        new(0x2D, "L2D_TLB_REFILL", c => c.Walks, "translation table walks, instruction side too"),
    ];

    /// <summary>INST_RETIRED.</summary>
    public const int InstRetired = 0x08;

    /// <summary>CPU_CYCLES.</summary>
    public const int CpuCycles = 0x11;

    /// <summary>All events in the order of their numbers.</summary>
    public static IReadOnlyList<PmuEvent> All => Table;

    /// <summary>The event with a number, or null.</summary>
    public static PmuEvent? Find(int number) => Array.Find(Table, e => e.Number == number);

    private static ulong Busy(TimingCounters c) => c.Cycles - c.Causes[(int)CycleCause.Waiting];

    private static ulong Sum(TimingCounters c, TopDown category)
    {
        ulong sum = 0;
        for (int i = 0; i < CauseCounters.Count; i++)
        {
            if (CycleCauses.Category((CycleCause)i) == category)
                sum += c.Causes[i];
        }
        return sum;
    }
}

/// <summary>Where a cycle went, at the first level of a top-down account of an in-order core. The categories sum to the cycles.</summary>
public enum TopDown
{
    /// <summary>An instruction issued.</summary>
    Retiring,

    /// <summary>No instruction was there to issue.</summary>
    FrontEnd,

    /// <summary>Instructions were fetched from where the program did not go.</summary>
    BadSpeculation,

    /// <summary>An instruction was there and could not issue.</summary>
    BackEnd,

    /// <summary>Exception entry and return, system instructions and barriers.</summary>
    System,

    /// <summary>Stands for work outside the machine: modelled, not executed.</summary>
    Charged,

    /// <summary>WFI: no cycle of CPU_CYCLES.</summary>
    Waiting,
}

/// <summary>Groups of <see cref="CycleCause"/>.</summary>
public static class CycleCauses
{
    /// <summary>The category that a cause belongs to.</summary>
    public static TopDown Category(CycleCause cause) => cause switch
    {
        CycleCause.Issuing => TopDown.Retiring,
        CycleCause.FrontEnd or CycleCause.InstructionCache or CycleCause.InstructionTlb => TopDown.FrontEnd,
        CycleCause.Mispredict => TopDown.BadSpeculation,
        CycleCause.System or CycleCause.Exception => TopDown.System,
        CycleCause.Charged => TopDown.Charged,
        CycleCause.Waiting => TopDown.Waiting,
        _ => TopDown.BackEnd,
    };

    /// <summary>A cause in the words of a report.</summary>
    public static string Describe(CycleCause cause) => cause switch
    {
        CycleCause.Issuing => "issuing",
        CycleCause.FrontEnd => "taken branches",
        CycleCause.InstructionCache => "instruction cache",
        CycleCause.InstructionTlb => "instruction TLB",
        CycleCause.Mispredict => "mispredicted branches",
        CycleCause.Dependency => "operand of a computation",
        CycleCause.LoadUse => "load, L1 hit",
        CycleCause.Unit => "unit busy",
        CycleCause.L2 => "load, L2",
        CycleCause.Dram => "load, memory",
        CycleCause.Coherence => "line of another CPU",
        CycleCause.DataTlb => "data TLB",
        CycleCause.System => "system instructions, barriers",
        CycleCause.Exception => "exception entry, return",
        CycleCause.Charged => "kernel bodies in C# (charged)",
        _ => "waiting (WFI)",
    };
}
