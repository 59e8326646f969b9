namespace ArmVdso.Emulator.Timing;

/// <summary>Parameters that only the in-order pipeline and its memory system have.</summary>
public sealed partial class CoreModel
{
    private static readonly string[] MoreInOrderKeys =
    [
        "l3_size", "l3_ways", "l3_latency", "divide_bits", "branch_pairs", "flag_branch_pairs", "general_operand", "second_branch", "fetch_prefetch",
        "fill_interval", "prefetch_after", "prefetch_lines", "prefetch_streams", "write_stream",
    ];

    internal int GeneralOperand, SecondBranch, FetchPrefetch, PrefetchAfter, PrefetchLines, PrefetchStreams, WriteStream;
    internal bool BranchPairs, FlagBranchPairs;

    private void BindInOrder(Reader reader)
    {
        IssueWidth = Get(reader, "issue_width", 1, 2);
        SkewedAlu = Get(reader, "skewed_alu", 0, 1);
        StoreBuffer = Get(reader, "store_buffer", 1, 16);
        LoadBits = Get(reader, "load_bits", 32, 256);
        StoreBits = Get(reader, "store_bits", 32, 256);
        LoadSubWord = Get(reader, "load_sub_word", 0, 10);
        LoadToAddress = Get(reader, "load_to_address", 0, 10);
        Writeback = Get(reader, "writeback", 0, 20);
        WritebackAddress = Get(reader, "writeback_address", 0, 20);
        LateToAddress = Get(reader, "late_to_address", 1, 20);
        BranchResolve = Get(reader, "branch_resolve", 0, 20);
        StoreData = Get(reader, "store_data", 0, 20);
        StoreDataFp = Get(reader, "store_data_fp", 0, 20);
        StoreToLoad = Get(reader, "store_to_load", 1, 20);
        BindLastLevel(reader);
        DivideBits = Get(reader, "divide_bits", 1, 16);
        BranchPairs = Get(reader, "branch_pairs", 0, 1) != 0;
        FlagBranchPairs = Get(reader, "flag_branch_pairs", 0, 1) != 0;
        GeneralOperand = Get(reader, "general_operand", 0, 10);
        SecondBranch = Get(reader, "second_branch", 0, 10);
        FetchPrefetch = Get(reader, "fetch_prefetch", 0, 1000);
        FillInterval = Get(reader, "fill_interval", 0, 100);
        PrefetchAfter = Get(reader, "prefetch_after", 0, 16);
        PrefetchLines = Get(reader, "prefetch_lines", 0, 8);
        PrefetchStreams = Get(reader, "prefetch_streams", 1, 16);
        WriteStream = Get(reader, "write_stream", 0, 1024);
    }
}
