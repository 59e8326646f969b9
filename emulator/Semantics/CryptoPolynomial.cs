using ArmVdso.Emulator.Processor;

namespace ArmVdso.Emulator.Semantics;

/// <summary>PolynomialMult of the Arm pseudocode: multiplication of polynomials over {0,1}.</summary>
internal static class CryptoPolynomial
{
    /// <summary>64 by 64 bits, 127-bit result; four bits of b at a time, by a table of the multiples of a.</summary>
    public static V128 Multiply64(ulong a, ulong b)
    {
        Span<ulong> lows = stackalloc ulong[16], highs = stackalloc ulong[16];
        lows[0] = highs[0] = 0;
        lows[1] = a;
        highs[1] = 0;
        for (int i = 2; i < 16; i += 2)
        {
            lows[i] = lows[i / 2] << 1;
            highs[i] = (highs[i / 2] << 1) | (lows[i / 2] >> 63);
            lows[i + 1] = lows[i] ^ a;
            highs[i + 1] = highs[i];
        }
        ulong lo = 0, hi = 0;
        for (int shift = 60; shift >= 0; shift -= 4)
        {
            int digit = (int)(b >> shift) & 15;
            hi = ((hi << 4) | (lo >> 60)) ^ highs[digit];
            lo = (lo << 4) ^ lows[digit];
        }
        return new V128(lo, hi);
    }
}
