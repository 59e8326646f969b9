namespace ArmVdso.Emulator.Isa;

/// <summary>Instructions with an address relative to their own (DDI0487, C6.2: ADR, ADRP, LDR (literal)), for code that reads code or
/// writes it.</summary>
public static class PcRelative
{
    private const int HighShift = 5;
    private const uint HighMask = 0x7ffff;

    /// <summary>ADR.</summary>
    public static bool IsAdr(uint word) => (word & 0x9f000000) == 0x10000000;

    /// <summary>ADRP.</summary>
    public static bool IsAdrp(uint word) => (word & 0x9f000000) == 0x90000000;

    /// <summary>A load from a literal, to a general or a SIMD&amp;FP register, or PRFM.</summary>
    public static bool IsLiteralLoad(uint word) => (word & 0x3b000000) == 0x18000000;

    /// <summary>The immediate of ADR in bytes, of ADRP in pages of 4 KiB.</summary>
    public static long AdrImmediate(uint word) => LiteralOffset(word) | (word >> 29 & 3);

    /// <summary>ADR or ADRP with another immediate.</summary>
    public static uint WithAdrImmediate(uint word, long immediate) =>
        (WithLiteralOffset(word, immediate) & 0x9fffffff) | ((uint)immediate & 3) << 29;

    /// <summary>The offset of a literal in bytes.</summary>
    public static long LiteralOffset(uint word) => (long)((ulong)(word >> HighShift & HighMask) << 45) >> 43;

    /// <summary>A load from a literal with another offset, a multiple of 4.</summary>
    public static uint WithLiteralOffset(uint word, long offset) =>
        (word & ~(HighMask << HighShift)) | ((uint)(offset >> 2) & HighMask) << HighShift;
}
