namespace ArmVdso.Emulator.Engine.Native;

/// <summary>What the native engine of a machine did.</summary>
/// <param name="Blocks">Blocks made native code.</param>
/// <param name="Entries">Times that native code was entered from the engine.</param>
/// <param name="SlowAccesses">Loads and stores that the TLB did not have.</param>
/// <param name="Evictions">Times that all code was dropped because its memory was full.</param>
/// <param name="Interpreted">Instructions of native blocks that the reference body of their row executed; the most frequent row
/// first.</param>
/// <param name="Between">Instructions that the reference engine executed between blocks, by row, the same way.</param>
public sealed record NativeCounts(
    ulong Blocks, ulong Entries, ulong SlowAccesses, ulong Evictions, IReadOnlyList<(Row Row, ulong Count)> Interpreted,
    IReadOnlyList<(Row Row, ulong Count)> Between)
{
    /// <summary>Counts by row as a list of those that are not 0, the largest first.</summary>
    internal static IReadOnlyList<(Row Row, ulong Count)> Ordered(ulong[] counts) =>
        [.. counts.Select((count, row) => ((Row)row, count)).Where(r => r.count > 0).OrderByDescending(r => r.count)];
}
