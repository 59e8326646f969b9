namespace ArmVdso.Emulator.Engine.Native;

/// <summary>What the native engine of a machine did.</summary>
/// <param name="Blocks">Blocks made native code.</param>
/// <param name="Entries">Times that native code was entered from the engine.</param>
/// <param name="SlowAccesses">Loads and stores that the TLB did not have.</param>
/// <param name="Evictions">Times that all code was dropped because its memory was full.</param>
/// <param name="Interpreted">Instructions of native blocks that the reference body of their row executed; the most frequent row
/// first.</param>
public sealed record NativeCounts(
    ulong Blocks, ulong Entries, ulong SlowAccesses, ulong Evictions, IReadOnlyList<(Row Row, ulong Count)> Interpreted);
