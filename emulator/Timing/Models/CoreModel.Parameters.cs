using System.Numerics;

namespace ArmVdso.Emulator.Timing.Models;

/// <summary>The parameters of a core by name, each with its bounds and with the kinds of pipeline that have it. A core's file holds all
/// that its kind has; what its kind does not have is 0.</summary>
public sealed partial class CoreModel
{
    /// <summary>Most stores that <see cref="StoreBuffer"/> may hold: the state of an in-order pipeline has room for so many.</summary>
    internal const int StoreBufferLimit = 16;

    [Flags]
    private enum Pipelines
    {
        InOrder = 1,
        OutOfOrder = 2,
        Both = InOrder | OutOfOrder,
    }

    /// <summary>One parameter: its key in the file, its bounds, who has it, where its value goes.</summary>
    private sealed record Rule(string Key, int Low, int High, Pipelines Has, Action<CoreModel, int> Set);

    private static readonly Rule[] Rules =
    [
        new("clock", 1, 10000, Pipelines.Both, static (m, v) => m.ClockMegahertz = v),
        new("fetch_bytes", 4, 32, Pipelines.Both, static (m, v) => m.FetchBytes = v),
        new("fetch_lead", 0, 100, Pipelines.Both, static (m, v) => m.FetchLead = v),
        new("fetch_prefetch", 0, 1000, Pipelines.Both, static (m, v) => m.FetchPrefetch = v),
        new("fetch_ahead", 0, 8, Pipelines.OutOfOrder, static (m, v) => m.FetchAhead = v),
        new("fetch_hints", 0, 1, Pipelines.Both, static (m, v) => m.FetchHints = v),
        new("taken_bubble", 0, 20, Pipelines.Both, static (m, v) => m.TakenBubble = v),
        new("return_bubble", 0, 20, Pipelines.Both, static (m, v) => m.ReturnBubble = v),
        new("indirect_bubble", 0, 20, Pipelines.Both, static (m, v) => m.IndirectBubble = v),
        new("second_branch", 0, 10, Pipelines.InOrder, static (m, v) => m.SecondBranch = v),
        new("branch_target_cache", 0, 1, Pipelines.Both, static (m, v) => m.BranchTargetCache = v),
        new("mispredict", 0, 100, Pipelines.Both, static (m, v) => m.Mispredict = v),
        new("pattern_history", 1, 1 << 20, Pipelines.Both, static (m, v) => m.PatternHistoryEntries = v),
        new("history_bits", 0, 20, Pipelines.InOrder, static (m, v) => m.HistoryBits = v),
        new("history_bits", 4, 64, Pipelines.OutOfOrder, static (m, v) => m.HistoryBits = v),
        new("tagged_tables", 1, 12, Pipelines.OutOfOrder, static (m, v) => m.TaggedTables = v),
        new("tagged_index_bits", 4, 16, Pipelines.OutOfOrder, static (m, v) => m.TaggedIndexBits = v),
        new("loop_entries", 0, 1024, Pipelines.OutOfOrder, static (m, v) => m.LoopEntries = v),
        new("indirect_history", 0, 32, Pipelines.OutOfOrder, static (m, v) => m.IndirectHistory = v),
        new("indirect_entries", 1, 1 << 16, Pipelines.Both, static (m, v) => m.IndirectEntries = v),
        new("return_stack", 1, 1024, Pipelines.Both, static (m, v) => m.ReturnStackEntries = v),
        new("near_targets", 1, 256, Pipelines.OutOfOrder, static (m, v) => m.NearTargets = v),
        new("micro_targets", 0, 1024, Pipelines.OutOfOrder, static (m, v) => m.MicroTargets = v),
        new("micro_bubble", 0, 20, Pipelines.OutOfOrder, static (m, v) => m.MicroBubble = v),
        new("predict_bytes", 4, 128, Pipelines.OutOfOrder, static (m, v) => m.PredictBytes = v),
        new("predict_lead", 0, 100, Pipelines.OutOfOrder, static (m, v) => m.PredictLead = v),
        new("main_targets", 16, 1 << 16, Pipelines.OutOfOrder, static (m, v) => m.MainTargets = v),
        new("targets_per_block", 1, 8, Pipelines.OutOfOrder, static (m, v) => m.TargetsPerBlock = v),
        new("decode_redirect", 0, 50, Pipelines.OutOfOrder, static (m, v) => m.DecodeRedirect = v),
        new("decode_redirect_conditional", 0, 50, Pipelines.OutOfOrder, static (m, v) => m.DecodeRedirectConditional = v),
        new("issue_width", 1, 2, Pipelines.InOrder, static (m, v) => m.IssueWidth = v),
        new("skewed_alu", 0, 1, Pipelines.InOrder, static (m, v) => m.SkewedAlu = v),
        new("branch_pairs", 0, 1, Pipelines.InOrder, static (m, v) => m.BranchPairs = v),
        new("flag_branch_pairs", 0, 1, Pipelines.InOrder, static (m, v) => m.FlagBranchPairs = v),
        new("branch_resolve", 0, 20, Pipelines.InOrder, static (m, v) => m.BranchResolve = v),
        new("late_to_address", 1, 20, Pipelines.InOrder, static (m, v) => m.LateToAddress = v),
        new("general_operand", 0, 10, Pipelines.InOrder, static (m, v) => m.GeneralOperand = v),
        new("branch_ports", 1, 2, Pipelines.OutOfOrder, static (m, v) => m.Has(IssuePorts.B1, v > 1)),
        new("multicycle_ports", 1, 2, Pipelines.OutOfOrder, static (m, v) => m.Has(IssuePorts.M1, v > 1)),
        new("load_ports", 2, 3, Pipelines.OutOfOrder, static (m, v) => m.Has(IssuePorts.L2, v > 2)),
        new("vector_ports", 2, 4, Pipelines.OutOfOrder, static (m, v) => m.Has(IssuePorts.V2 | IssuePorts.V3, v > 2)),
        new("rename_width", 1, 16, Pipelines.OutOfOrder, static (m, v) => m.RenameWidth = v),
        new("retire_width", 1, 16, Pipelines.OutOfOrder, static (m, v) => m.RetireWidth = v),
        new("reorder_buffer", 8, 1024, Pipelines.OutOfOrder, static (m, v) => m.ReorderBuffer = v),
        new("divide_bits", 1, 16, Pipelines.InOrder, static (m, v) => m.DivideBits = v),
        new("divide_first", 0, 16, Pipelines.InOrder, static (m, v) => m.DivideFirst = v),
        new("divide_bits", 1, 64, Pipelines.OutOfOrder, static (m, v) => m.DivideBits = v),
        new("exception_entry", 0, 1000, Pipelines.Both, static (m, v) => m.ExceptionEntry = v),
        new("exception_return", 0, 1000, Pipelines.Both, static (m, v) => m.ExceptionReturn = v),
        new("counter_read", 0, 1000, Pipelines.Both, static (m, v) => m.CounterRead = v),
        new("barrier_drain", 0, 1, Pipelines.Both, static (m, v) => m.BarrierDrain = v),
        new("load_bits", 32, 256, Pipelines.InOrder, static (m, v) => m.LoadBits = v),
        new("store_bits", 32, 256, Pipelines.InOrder, static (m, v) => m.StoreBits = v),
        new("load_to_address", 0, 10, Pipelines.InOrder, static (m, v) => m.LoadToAddress = v),
        new("load_sub_word", 0, 10, Pipelines.InOrder, static (m, v) => m.LoadSubWord = v),
        new("unaligned_load", 0, 20, Pipelines.Both, static (m, v) => m.UnalignedLoad = v),
        new("unaligned_load_wide", 0, 20, Pipelines.Both, static (m, v) => m.UnalignedLoadWide = v),
        new("writeback", 0, 20, Pipelines.InOrder, static (m, v) => m.Writeback = v),
        new("writeback_address", 0, 20, Pipelines.InOrder, static (m, v) => m.WritebackAddress = v),
        new("store_data", 0, 20, Pipelines.InOrder, static (m, v) => m.StoreData = v),
        new("store_data_fp", 0, 20, Pipelines.InOrder, static (m, v) => m.StoreDataFp = v),
        new("store_buffer", 1, StoreBufferLimit, Pipelines.InOrder, static (m, v) => m.StoreBuffer = v),
        new("store_to_load", 1, 20, Pipelines.InOrder, static (m, v) => m.StoreToLoad = v),
        new("load_banks", 0, MostLoadBanks, Pipelines.OutOfOrder, static (m, v) => m.LoadBanks = v),
        new("store_queue", 1, 256, Pipelines.OutOfOrder, static (m, v) => m.StoreQueueEntries = v),
        new("store_forward", 1, 50, Pipelines.OutOfOrder, static (m, v) => m.StoreForward = v),
        new("store_forward_vector", 1, 50, Pipelines.OutOfOrder, static (m, v) => m.StoreForwardVector = v),
        new("store_block", 1, 50, Pipelines.OutOfOrder, static (m, v) => m.StoreBlock = v),
        new("wide_store_passes", 0, 50, Pipelines.OutOfOrder, static (m, v) => m.WideStorePasses = v),
        new("store_writeback_slots", 0, 3, Pipelines.OutOfOrder, static (m, v) => m.StoreWritebackSlots = v),
        new("store_page_cross", 0, 100, Pipelines.OutOfOrder, static (m, v) => m.StorePageCross = v),
        new("line_size", 16, 256, Pipelines.Both, static (m, v) => m.LineSize = v),
        new("l1i_size", 1024, 1 << 24, Pipelines.Both, static (m, v) => m.L1ISize = v),
        new("l1i_ways", 1, 64, Pipelines.Both, static (m, v) => m.L1IWays = v),
        new("l1d_size", 1024, 1 << 24, Pipelines.Both, static (m, v) => m.L1DSize = v),
        new("l1d_ways", 1, 64, Pipelines.Both, static (m, v) => m.L1DWays = v),
        new("l1i_replacement", 0, 2, Pipelines.Both, static (m, v) => m.L1IReplacement = (Replacement)v),
        new("l1d_replacement", 0, 2, Pipelines.Both, static (m, v) => m.L1DReplacement = (Replacement)v),
        new("outer_replacement", 0, 2, Pipelines.Both, static (m, v) => m.OuterReplacement = (Replacement)v),
        new("l2_size", 1024, 1 << 28, Pipelines.Both, static (m, v) => m.L2Size = v),
        new("l2_ways", 1, 64, Pipelines.Both, static (m, v) => m.L2Ways = v),
        new("l2_latency", 1, 1000, Pipelines.Both, static (m, v) => m.L2Latency = v),
        new("l3_size", 0, 1 << 28, Pipelines.Both, static (m, v) => m.L3Size = v),
        new("l3_ways", 1, 64, Pipelines.Both, static (m, v) => m.L3Ways = v),
        new("l3_latency", 0, 1000, Pipelines.Both, static (m, v) => m.L3Latency = v),
        new("dram_latency", 1, 10000, Pipelines.Both, static (m, v) => m.DramNanoseconds = v),
        new("fill_buffers", 1, 64, Pipelines.Both, static (m, v) => m.FillBuffers = v),
        new("fill_interval", 0, 100, Pipelines.InOrder, static (m, v) => m.FillInterval = v),
        new("fill_interval", 1, 60, Pipelines.OutOfOrder, static (m, v) => m.FillInterval = v),
        new("transfer", 0, 1000, Pipelines.Both, static (m, v) => m.Transfer = v),
        new("upgrade", 0, 1000, Pipelines.Both, static (m, v) => m.Upgrade = v),
        new("micro_tlb", 1, 1024, Pipelines.Both, static (m, v) => m.MicroTlb = v),
        new("main_tlb", 1, 1 << 16, Pipelines.Both, static (m, v) => m.MainTlb = v),
        new("main_tlb_ways", 1, 64, Pipelines.Both, static (m, v) => m.MainTlbWays = v),
        new("micro_tlb_miss", 0, 1000, Pipelines.Both, static (m, v) => m.MicroTlbMiss = v),
        new("walk", 0, 1000, Pipelines.Both, static (m, v) => m.Walk = v),
        new("prefetch_after", 0, 16, Pipelines.Both, static (m, v) => m.PrefetchAfter = v),
        new("prefetch_lines", 0, 32, Pipelines.Both, static (m, v) => m.PrefetchLines = v),
        new("prefetch_streams", 1, 16, Pipelines.Both, static (m, v) => m.PrefetchStreams = v),
        new("prefetch_regions", 1, 64, Pipelines.Both, static (m, v) => m.PrefetchRegions = v),
        new("prefetch_pages", 0, 1, Pipelines.Both, static (m, v) => m.PrefetchPages = v),
        new("fill_hold", 0, 100, Pipelines.InOrder, static (m, v) => m.FillHold = v),
        new("write_interval", 0, 100, Pipelines.Both, static (m, v) => m.WriteInterval = v),
        new("write_stream", 0, 1024, Pipelines.Both, static (m, v) => m.WriteStream = v),
        new("write_stream_outer", 0, 4096, Pipelines.Both, static (m, v) => m.WriteStreamOuter = v),
        new("dram_channels", 1, 16, Pipelines.Both, static (m, v) => m.DramChannels = v),
        new("dram_banks", 1, 64, Pipelines.Both, static (m, v) => m.DramBanks = v),
        new("dram_row", 256, 1 << 16, Pipelines.Both, static (m, v) => m.DramRow = v),
        new("dram_row_hit", 0, 200, Pipelines.Both, static (m, v) => m.DramRowHit = v),
        new("dram_read_line", 0, 1_000_000, Pipelines.Both, static (m, v) => m.DramReadLine = v),
        new("dram_write_line", 0, 1_000_000, Pipelines.Both, static (m, v) => m.DramWriteLine = v),
        new("dram_stream", 0, 1_000_000, Pipelines.Both, static (m, v) => m.DramStream = v),
        new("dram_turn", 0, 1_000_000, Pipelines.Both, static (m, v) => m.DramTurn = v),
        new("dram_queue", 0, 256, Pipelines.Both, static (m, v) => m.DramQueue = v),
    ];

    // Clock and front end.
    /// <summary>Clock that the figures assume, in MHz. It turns nanoseconds of DRAM into cycles, and nothing else.</summary>
    internal int ClockMegahertz { get; private set; }

    /// <summary>Bytes of an aligned fetch group; one group a cycle.</summary>
    internal int FetchBytes { get; private set; }

    /// <summary>Cycles that fetch may run ahead of issue (of rename, out of order).</summary>
    internal int FetchLead { get; private set; }

    /// <summary>Cycles of an instruction cache miss that the next-line prefetch hides.</summary>
    internal int FetchPrefetch { get; private set; }

    /// <summary>Lines behind a fetched one that L2 did not have for which L2 asks.</summary>
    internal int FetchAhead { get; private set; }

    /// <summary>PRFM PLI brings a line into L2; else it is a NOP.</summary>
    internal int FetchHints { get; private set; }

    /// <summary>Cycles without fetch after a direct branch taken as predicted (out of order: one that the main buffer has).</summary>
    internal int TakenBubble { get; private set; }

    /// <summary>The same after a return; out of order, besides what its target buffer costs.</summary>
    internal int ReturnBubble { get; private set; }

    /// <summary>The same after another indirect branch.</summary>
    internal int IndirectBubble { get; private set; }

    /// <summary>Further cycles for a taken branch that is not the first branch of its fetch group.</summary>
    internal int SecondBranch { get; private set; }

    /// <summary>Entries of the branch target instruction cache, which hides the bubble of a loop.</summary>
    internal int BranchTargetCache { get; private set; }

    /// <summary>Cycles from the issue of a mispredicted branch to the fetch of what follows.</summary>
    internal int Mispredict { get; private set; }

    /// <summary>Tagged tables of the direction predictor; 0: it has counters alone.</summary>
    internal int TaggedTables { get; private set; }

    /// <summary>Log2 of the entries of each.</summary>
    internal int TaggedIndexBits { get; private set; }

    /// <summary>Loops whose rounds are counted.</summary>
    internal int LoopEntries { get; private set; }

    /// <summary>Bits of the targets before it that choose the target of an indirect branch.</summary>
    internal int IndirectHistory { get; private set; }

    /// <summary>Two-bit counters of the direction predictor.</summary>
    internal int PatternHistoryEntries { get; private set; }

    /// <summary>Branches of global history that choose among them (of the longest of tagged tables).</summary>
    internal int HistoryBits { get; private set; }

    /// <summary>Targets of indirect branches that are remembered, by address.</summary>
    internal int IndirectEntries { get; private set; }

    /// <summary>Entries of the return stack.</summary>
    internal int ReturnStackEntries { get; private set; }

    /// <summary>Branches of the first-level target buffer, which costs no bubble.</summary>
    internal int NearTargets { get; private set; }

    /// <summary>Branches that the second target buffer holds; 0: there is none.</summary>
    internal int MicroTargets { get; private set; }

    /// <summary>Cycles lost by prediction on a taken branch that is in the second target buffer and not in the first.</summary>
    internal int MicroBubble { get; private set; }

    /// <summary>Bytes of an aligned block that is predicted in a cycle.</summary>
    internal int PredictBytes { get; private set; }

    /// <summary>Base 2 logarithm of <see cref="PredictBytes"/>.</summary>
    internal int PredictShift => BitOperations.Log2((uint)PredictBytes);

    /// <summary>Cycles that prediction may run ahead of fetch.</summary>
    internal int PredictLead { get; private set; }

    /// <summary>Branches of the main target buffer.</summary>
    internal int MainTargets { get; private set; }

    /// <summary>Branches of one 32-byte block of code that the main buffer holds.</summary>
    internal int TargetsPerBlock { get; private set; }

    /// <summary>Cycles lost when a taken branch is in no buffer and its target is found at decode.</summary>
    internal int DecodeRedirect { get; private set; }

    /// <summary>The same for a conditional branch.</summary>
    internal int DecodeRedirectConditional { get; private set; }

    // Issue and execution.
    /// <summary>Instructions issued in a cycle.</summary>
    internal int IssueWidth { get; private set; }

    /// <summary>1: simple operations execute one stage later when an operand is one cycle away.</summary>
    internal int SkewedAlu { get; private set; }

    /// <summary>1: an instruction may issue with the branch before it.</summary>
    internal int BranchPairs { get; private set; }

    /// <summary>1: a conditional branch may issue with the instruction that sets its flags.</summary>
    internal int FlagBranchPairs { get; private set; }

    /// <summary>Cycles after issue at which a branch needs its operands.</summary>
    internal int BranchResolve { get; private set; }

    /// <summary>Cycles from issue until the result of a late operation can go into an address.</summary>
    internal int LateToAddress { get; private set; }

    /// <summary>Cycles after issue at which the SIMD pipe reads general registers.</summary>
    internal int GeneralOperand { get; private set; }

    /// <summary>Instructions renamed in a cycle.</summary>
    internal int RenameWidth { get; private set; }

    /// <summary>Instructions retired in a cycle.</summary>
    internal int RetireWidth { get; private set; }

    /// <summary>Instructions between rename and retirement.</summary>
    internal int ReorderBuffer { get; private set; }

    /// <summary>Bits of a quotient that the divider finds in a cycle.</summary>
    internal int DivideBits { get; private set; }

    /// <summary>Bits of a quotient that the latency of the class includes.</summary>
    internal int DivideFirst { get; private set; }

    /// <summary>Cycles that the taking of an exception costs.</summary>
    internal int ExceptionEntry { get; private set; }

    /// <summary>Cycles that ERET costs.</summary>
    internal int ExceptionReturn { get; private set; }

    /// <summary>Cycles that a read of the counter (CNTVCT_EL0 and its like) holds the pipeline.</summary>
    internal int CounterRead { get; private set; }

    /// <summary>1: DMB and DSB wait until the stores before them are written.</summary>
    internal int BarrierDrain { get; private set; }

    // Loads and stores.
    /// <summary>Bits that a load moves in a cycle.</summary>
    internal int LoadBits { get; private set; }

    /// <summary>Bits that a store moves in a cycle.</summary>
    internal int StoreBits { get; private set; }

    /// <summary>Cycles from a load until its result can go into an address.</summary>
    internal int LoadToAddress { get; private set; }

    /// <summary>Further cycles for that when the load is narrower than a register.</summary>
    internal int LoadSubWord { get; private set; }

    /// <summary>Further cycles of a load over an 8-byte boundary (out of order: over a line).</summary>
    internal int UnalignedLoad { get; private set; }

    /// <summary>The same for a 128-bit load, and on an in-order core for pairs of words.</summary>
    internal int UnalignedLoadWide { get; private set; }

    /// <summary>Cycles until a base register that was written back can be used by a computation.</summary>
    internal int Writeback { get; private set; }

    /// <summary>The same in an address.</summary>
    internal int WritebackAddress { get; private set; }

    /// <summary>Cycles after issue at which a store needs its data.</summary>
    internal int StoreData { get; private set; }

    /// <summary>The same for data from a SIMD&amp;FP register.</summary>
    internal int StoreDataFp { get; private set; }

    /// <summary>Stores that wait for the data cache.</summary>
    internal int StoreBuffer { get; private set; }

    /// <summary>Cycles after a store hands bytes over until a load of them can issue.</summary>
    internal int StoreToLoad { get; private set; }

    /// <summary>Stores between rename and the data cache.</summary>
    internal int StoreQueueEntries { get; private set; }

    /// <summary>Cycles from a store's data to a load that the store queue forwards it to.</summary>
    internal int StoreForward { get; private set; }

    /// <summary>The same when the store is of SIMD&amp;FP registers.</summary>
    internal int StoreForwardVector { get; private set; }

    /// <summary>Cycles, after the store is written, until a load gets data that the queue could not forward.</summary>
    internal int StoreBlock { get; private set; }

    /// <summary>Cycles to write each 16 bytes beyond those that the last wide store wrote.</summary>
    internal int WideStorePasses { get; private set; }

    /// <summary>Further rename slots of a store that writes its base register back.</summary>
    internal int StoreWritebackSlots { get; private set; }

    /// <summary>Cycles after the store before it at which a store over a page boundary is written.</summary>
    internal int StorePageCross { get; private set; }

    // Memory.
    /// <summary>Bytes of a cache line.</summary>
    internal int LineSize { get; private set; }

    /// <summary>Bytes of the instruction cache.</summary>
    internal int L1ISize { get; private set; }

    /// <summary>Its associativity.</summary>
    internal int L1IWays { get; private set; }

    /// <summary>Bytes of the data cache.</summary>
    internal int L1DSize { get; private set; }

    /// <summary>Its associativity.</summary>
    internal int L1DWays { get; private set; }

    /// <summary>Which line of the instruction cache goes when another one comes.</summary>
    internal Replacement L1IReplacement { get; private set; }

    /// <summary>The same of the data cache.</summary>
    internal Replacement L1DReplacement { get; private set; }

    /// <summary>The same of the second and third level.</summary>
    internal Replacement OuterReplacement { get; private set; }

    /// <summary>Bytes of the second level: shared when there is no third, else private.</summary>
    internal int L2Size { get; private set; }

    /// <summary>Its associativity.</summary>
    internal int L2Ways { get; private set; }

    /// <summary>Cycles of a hit in the second level, after those of an L1 hit.</summary>
    internal int L2Latency { get; private set; }

    /// <summary>Bytes of the third level; 0: there is none.</summary>
    internal int L3Size { get; private set; }

    /// <summary>Its associativity.</summary>
    internal int L3Ways { get; private set; }

    /// <summary>Cycles of a hit in the third level, after those of the second.</summary>
    internal int L3Latency { get; private set; }

    /// <summary>Nanoseconds of an access to memory, after the last cache.</summary>
    internal int DramNanoseconds { get; private set; }

    /// <summary>Misses of L1 that may be under way at once.</summary>
    internal int FillBuffers { get; private set; }

    /// <summary>Cycles from one line's arrival to the next one's.</summary>
    internal int FillInterval { get; private set; }

    /// <summary>Cycles of a line from another PE's cache, after those of an L1 hit.</summary>
    internal int Transfer { get; private set; }

    /// <summary>Cycles until a store may write a line that other PEs hold.</summary>
    internal int Upgrade { get; private set; }

    /// <summary>Entries of each first-level TLB, fully associative.</summary>
    internal int MicroTlb { get; private set; }

    /// <summary>Entries of the second-level TLB.</summary>
    internal int MainTlb { get; private set; }

    /// <summary>Its associativity.</summary>
    internal int MainTlbWays { get; private set; }

    /// <summary>Cycles of a hit in the second-level TLB.</summary>
    internal int MicroTlbMiss { get; private set; }

    /// <summary>Cycles of a translation table walk, after that.</summary>
    internal int Walk { get; private set; }

    /// <summary>Misses at a constant step that begin a stream of the data prefetcher.</summary>
    internal int PrefetchAfter { get; private set; }

    /// <summary>Lines that a stream stays ahead; 0: there is no prefetcher.</summary>
    internal int PrefetchLines { get; private set; }

    /// <summary>Streams at a time.</summary>
    internal int PrefetchStreams { get; private set; }

    /// <summary>Pages in which misses are watched for streams at a time.</summary>
    internal int PrefetchRegions { get; private set; }

    /// <summary>1: a stream of prefetches goes on into the next page.</summary>
    internal int PrefetchPages { get; private set; }

    /// <summary>Cycles for which a fill buffer stays taken when its line has arrived.</summary>
    internal int FillHold { get; private set; }

    /// <summary>Cycles from one line that L1 gives down to the next.</summary>
    internal int WriteInterval { get; private set; }

    /// <summary>Lines that stores filled one after another, after which missing stores go past L1; 0: never.</summary>
    internal int WriteStream { get; private set; }

    /// <summary>The same, after which they go past all caches.</summary>
    internal int WriteStreamOuter { get; private set; }

    /// <summary>Channels of memory; lines go to them in turn.</summary>
    internal int DramChannels { get; private set; }

    /// <summary>Banks of a channel, each with a row that is open.</summary>
    internal int DramBanks { get; private set; }

    /// <summary>Bytes of a row, over all channels.</summary>
    internal int DramRow { get; private set; }

    /// <summary>Nanoseconds less for a line of an open row.</summary>
    internal int DramRowHit { get; private set; }

    /// <summary>Picoseconds of a channel for a line that is read.</summary>
    internal int DramReadLine { get; private set; }

    /// <summary>The same for a line that is written.</summary>
    internal int DramWriteLine { get; private set; }

    /// <summary>Picoseconds from one line that a PE writes past its caches to the next.</summary>
    internal int DramStream { get; private set; }

    /// <summary>Picoseconds between a read and a write.</summary>
    internal int DramTurn { get; private set; }

    /// <summary>Lines that wait to be written before their writer has to.</summary>
    internal int DramQueue { get; private set; }

    /// <summary>Clock that the model's figures assume, in Hz; the default for a machine built of such cores.</summary>
    public ulong ClockFrequency => (ulong)ClockMegahertz * 1_000_000;

    /// <summary>The keys that a core's file has to have.</summary>
    internal static string[] Keys(bool outOfOrder) => [.. RulesOf(outOfOrder).Select(r => r.Key)];

    private static IEnumerable<Rule> RulesOf(bool outOfOrder) =>
        Rules.Where(r => (r.Has & (outOfOrder ? Pipelines.OutOfOrder : Pipelines.InOrder)) != 0);

    /// <summary>Takes the values over from <see cref="Parameters"/>.</summary>
    /// <exception cref="CoreModelException">One is out of its bounds, or some do not fit each other.</exception>
    internal void Bind()
    {
        foreach (Rule rule in RulesOf(OutOfOrder))
        {
            int value = _values[rule.Key];
            if (value < rule.Low || value > rule.High)
                throw Error("parameters." + rule.Key, $"{value} is not in {rule.Low}..{rule.High}");
            rule.Set(this, value);
        }
        foreach (string key in (string[])["l1d_size", "l2_size", "line_size", "fetch_bytes"])
        {
            if (!BitOperations.IsPow2(_values[key]))
                throw Error("parameters." + key, "must be a power of two");
        }
        Sets(L1ISize, L1IWays * LineSize, "l1i_ways");
        Sets(L1DSize, L1DWays * LineSize, "l1d_ways");
        Sets(L2Size, L2Ways * LineSize, "l2_ways");
        if (L3Size > 0)
            Sets(L3Size, L3Ways * LineSize, "l3_ways");
        Sets(MainTlb, MainTlbWays, "main_tlb_ways");
        if (!OutOfOrder)
            return;
        Sets(MainTargets, TargetsPerBlock, "targets_per_block");
        if (!BitOperations.IsPow2(PredictBytes))
            throw Error("parameters.predict_bytes", "must be a power of two");
        if (LoadBanks > 0 && !BitOperations.IsPow2(LoadBanks))
            throw Error("parameters.load_banks", "must be a power of two");
    }

    private void Sets(int entries, int each, string key)
    {
        if (entries % each != 0 || !BitOperations.IsPow2(entries / each))
            throw Error("parameters." + key, "the number of sets must be a power of two");
    }
}
