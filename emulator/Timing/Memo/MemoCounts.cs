namespace ArmVdso.Emulator.Timing.Memo;

/// <summary>What the memoised timing of a machine did.</summary>
/// <param name="Blocks">Blocks whose timing was looked up, or worked out to be looked up.</param>
/// <param name="Read">Of them, those that native code looked up, reading its trace.</param>
/// <param name="WorkedOut">Of them, those that were worked out.</param>
/// <param name="Stepped">Blocks that the pipeline stepped through.</param>
/// <param name="Forgotten">Times that the tables were full and forgotten.</param>
/// <param name="Reasons">How often each reason not to look up was one.</param>
public sealed record MemoCounts(
    ulong Blocks, ulong Read, ulong WorkedOut, ulong Stepped, ulong Forgotten, IReadOnlyList<(MemoReason Reason, ulong Count)> Reasons)
{
    /// <summary>The sum over the PEs that have a memoised timing; null when none has.</summary>
    internal static MemoCounts? Of(IEnumerable<BlockMemo?> timings)
    {
        BlockMemo[] memos = [.. timings.OfType<BlockMemo>()];
        if (memos.Length == 0)
            return null;
        return new MemoCounts(
            Sum(memos, m => m.Blocks), Sum(memos, m => m.Read), Sum(memos, m => m.WorkedOut), Sum(memos, m => m.Stepped),
            Sum(memos, m => m.Forgotten),
            [.. Enum.GetValues<MemoReason>().Select(r => (r, Sum(memos, m => m.Counts[(int)r])))]);
    }

    private static ulong Sum(BlockMemo[] memos, Func<BlockMemo, ulong> count)
    {
        ulong sum = 0;
        foreach (BlockMemo memo in memos)
            sum += count(memo);
        return sum;
    }
}
