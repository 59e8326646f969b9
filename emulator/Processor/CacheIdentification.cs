namespace ArmVdso.Emulator.Processor;

/// <summary>The caches as CLIDR_EL1 and CCSIDR_EL1 tell them (DDI0487, D19.2): two levels of 64-byte lines, the first split. Software
/// takes sizes from the firmware's tables; sets and ways here only have to be walkable.</summary>
internal static class CacheIdentification
{
    // LoC 2, LoUIS 1, LoUU 1, Ctype2 unified, Ctype1 separate.
    internal const ulong Levels = 2UL << 24 | 1UL << 21 | 1UL << 27 | 4UL << 3 | 3;

    /// <summary>CCSIDR_EL1 for a value of CSSELR_EL1: 32 KiB in 4 ways (2 for instructions), 512 KiB in 16 ways.</summary>
    internal static ulong Of(int select) => select switch
    {
        0 => Geometry(128, 4),
        1 => Geometry(256, 2),
        2 => Geometry(512, 16),
        _ => 0,
    };

    private static ulong Geometry(uint sets, uint ways) => (ulong)(sets - 1) << 13 | (ways - 1) << 3 | 2;
}
