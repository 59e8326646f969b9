using System.Numerics;

namespace ArmVdso.Emulator.Isa;

/// <summary>Functions that expressions of the instruction table call.</summary>
internal static class TableFunctions
{
    /// <summary>Sign-extends the low bits of a value.</summary>
    public static long SignExtend(long value, long bits) => value << (int)(64 - bits) >> (int)(64 - bits);

    /// <summary>Number of the highest set bit, -1 for zero.</summary>
    public static long HighestSetBit(long value) => 63 - BitOperations.LeadingZeroCount((ulong)value);

    /// <summary>Number of the lowest set bit, 64 for zero.</summary>
    public static long LowestSetBit(long value) => BitOperations.TrailingZeroCount((ulong)value);

    /// <summary>Number of set bits.</summary>
    public static long BitCount(long value) => BitOperations.PopCount((ulong)value);

    /// <summary>1 if a logical immediate is allocated (DDI0487, DecodeBitMasks with immediate = TRUE).</summary>
    public static long BitMaskAllocated(long sf, long n, long immr, long imms)
    {
        if (sf == 0 && n != 0)
            return 0;
        long length = HighestSetBit((n << 6) | (~imms & 63));
        if (length < 1)
            return 0;
        long levels = (1L << (int)length) - 1;
        return (imms & levels) != levels ? 1 : 0;
    }

    /// <summary>1 if a logical immediate is better written as a move wide (DDI0487, MoveWidePreferred).</summary>
    public static long MoveWidePreferred(long sf, long n, long imms, long immr)
    {
        long width = sf == 1 ? 64 : 32;
        if (sf == 1 ? n != 1 : n != 0 || (imms & 32) != 0)
            return 0;
        if (imms < 16)
            return (-immr & 15) <= 15 - imms ? 1 : 0;
        if (imms >= width - 15)
            return (immr & 15) <= imms - (width - 15) ? 1 : 0;
        return 0;
    }
}
