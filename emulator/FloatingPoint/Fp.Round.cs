using System.Numerics;

namespace ArmVdso.Emulator.FloatingPoint;

public static partial class Fp
{
    /// <summary>Shifts right; a lost one bit is kept in bit 0, so that rounding still sees an inexact value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong ShiftRightJam(ulong value, int shift)
    {
        if (shift == 0)
            return value;
        if (shift >= 64)
            return value != 0 ? 1UL : 0;
        return (value >> shift) | ((value << (64 - shift)) != 0 ? 1UL : 0);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static UInt128 ShiftRightJam(UInt128 value, int shift)
    {
        if (shift == 0)
            return value;
        if (shift >= 128)
            return value != UInt128.Zero ? UInt128.One : UInt128.Zero;
        return (value >> shift) | ((value << (128 - shift)) != UInt128.Zero ? UInt128.One : UInt128.Zero);
    }

    /// <summary>FPRound of (-1)^sign * mantissa * 2^(exponent - 63); bit 63 of the mantissa is set, bit 0 may be a sticky bit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Round(bool sign, int exponent, ulong mantissa, int bits, uint fpcr, FpRounding rounding, ref uint fpsr) =>
        RoundBase(sign, exponent, mantissa, bits, FractionBits(bits), fpcr & ~FpcrBits.AHP, rounding, ref fpsr);

    /// <summary>FPRoundCV: conversions between formats do not flush half precision and honour FPCR.AHP.</summary>
    private static ulong RoundCV(bool sign, int exponent, ulong mantissa, int bits, uint fpcr, FpRounding rounding, ref uint fpsr) =>
        RoundBase(sign, exponent, mantissa, bits, FractionBits(bits), fpcr & ~FpcrBits.FZ16, rounding, ref fpsr);

    /// <summary>FPRound of a nonzero magnitude of up to 128 bits: (-1)^sign * magnitude * 2^(exponent - 127).</summary>
    private static ulong RoundWide(bool sign, int exponent, UInt128 magnitude, int bits, uint fpcr, FpRounding rounding, ref uint fpsr)
    {
        int zeros = (int)UInt128.LeadingZeroCount(magnitude);
        magnitude <<= zeros;
        ulong mantissa = (ulong)(magnitude >> 64) | ((ulong)magnitude != 0 ? 1UL : 0);
        return Round(sign, exponent - zeros, mantissa, bits, fpcr, rounding, ref fpsr);
    }

    /// <summary>FPRoundBase. <paramref name="f"/> is the number of fraction bits kept: 7 of the 23 for BFloat16 in the top
    /// half of 32 bits.</summary>
    private static ulong RoundBase(bool sign, int exponent, ulong mantissa, int bits, int f, uint fpcr, FpRounding rounding, ref uint fpsr)
    {
        int minimumExp = MinimumExponent(bits);
        bool altfp = (fpcr & FpcrBits.AH) != 0;
        bool flush = (fpcr & (bits == 16 ? FpcrBits.FZ16 : FpcrBits.FZ)) != 0;
        if (exponent < minimumExp && flush && !altfp)
        {
            fpsr |= FpsrBits.UFC;
            return Zero(sign, bits);
        }
        int biasedExp = Math.Max(exponent - minimumExp + 1, 0);
        ulong shifted = biasedExp == 0 ? ShiftRightJam(mantissa, minimumExp - exponent) : mantissa;
        ulong intMant = shifted >> (63 - f);
        ulong error = shifted << (f + 1); // a fraction of one unit in the last place, times 2^64
        if (biasedExp == 0)
        {
            if (!altfp)
            {
                // Tininess is detected before rounding.
                if (error != 0)
                    fpsr |= FpsrBits.UFC;
            }
            else if (IsTinyAfterRounding(sign, exponent, mantissa, minimumExp, f, rounding))
            {
                if (flush)
                {
                    fpsr |= FpsrBits.UFC | FpsrBits.IXC;
                    return Zero(sign, bits);
                }
                if (error != 0)
                    fpsr |= FpsrBits.UFC;
            }
        }
        if (RoundUp(sign, intMant, error, rounding))
        {
            intMant++;
            if (intMant == 1UL << f)
                biasedExp = 1;
            if (intMant == 1UL << (f + 1))
            {
                biasedExp++;
                intMant >>= 1;
            }
        }
        if (error != 0 && rounding == FpRounding.Odd)
            intMant |= 1;

        int e = ExponentBits(bits);
        if (bits == 16 && (fpcr & FpcrBits.AHP) != 0)
        {
            if (biasedExp >= 1 << e)
            {
                fpsr |= FpsrBits.IOC;
                return Mask(15) | SignBit(sign, 16); // no Inexact
            }
        }
        else if (biasedExp >= (1 << e) - 1)
        {
            fpsr |= FpsrBits.OFC | FpsrBits.IXC;
            return OverflowToInfinity(sign, rounding) ? Infinity(sign, bits) : MaxNormal(sign, bits);
        }
        if (error != 0)
            fpsr |= FpsrBits.IXC;
        return SignBit(sign, bits) | ((ulong)biasedExp << (bits - 1 - e)) | ((intMant & Mask(f)) << (bits - 1 - e - f));
    }

    /// <summary>FPCR.AH: whether the value rounded as if the exponent had no lower bound is below the smallest normal number.</summary>
    private static bool IsTinyAfterRounding(bool sign, int exponent, ulong mantissa, int minimumExp, int f, FpRounding rounding)
    {
        ulong intMant = mantissa >> (63 - f);
        if (RoundUp(sign, intMant, mantissa << (f + 1), rounding) && intMant + 1 == 1UL << (f + 1))
            exponent++;
        return exponent < minimumExp;
    }

    /// <summary>Whether rounding increases the magnitude; <paramref name="error"/> is the lost fraction times 2^64.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool RoundUp(bool sign, ulong magnitude, ulong error, FpRounding rounding) => rounding switch
    {
        FpRounding.TieEven => error > TopBit || (error == TopBit && (magnitude & 1) != 0),
        FpRounding.PosInf => error != 0 && !sign,
        FpRounding.NegInf => error != 0 && sign,
        FpRounding.TieAway => error >= TopBit,
        _ => false,
    };

    private static bool OverflowToInfinity(bool sign, FpRounding rounding) => rounding switch
    {
        FpRounding.TieEven or FpRounding.TieAway => true,
        FpRounding.PosInf => !sign,
        FpRounding.NegInf => sign,
        _ => false,
    };

    /// <summary>Rounds an unpacked finite number times 2^scale to an integer magnitude; the result saturates at 2^64 - 1 with
    /// <paramref name="huge"/> set. <paramref name="error"/> tells whether a fraction was lost.</summary>
    private static ulong RoundToMagnitude(in FpValue value, int scale, FpRounding rounding, out bool error, out bool huge)
    {
        error = huge = false;
        if (value.Mantissa == 0)
            return 0;
        int exponent = value.Exponent + scale;
        if (exponent > 63)
        {
            huge = true;
            return ulong.MaxValue;
        }
        ulong magnitude, fraction;
        if (exponent == 63)
            return value.Mantissa;
        if (exponent >= 0)
        {
            magnitude = value.Mantissa >> (63 - exponent);
            fraction = value.Mantissa << (exponent + 1);
        }
        else
        {
            magnitude = 0;
            fraction = ShiftRightJam(value.Mantissa, -1 - exponent);
        }
        error = fraction != 0;
        return RoundUp(value.Sign, magnitude, fraction, rounding) ? magnitude + 1 : magnitude;
    }

    /// <summary>FPRound of a nonzero 64-bit integer magnitude times 2^-fbits.</summary>
    private static ulong RoundInteger(bool sign, ulong magnitude, int fbits, int bits, uint fpcr, FpRounding rounding, ref uint fpsr)
    {
        int zeros = BitOperations.LeadingZeroCount(magnitude);
        return Round(sign, 63 - zeros - fbits, magnitude << zeros, bits, fpcr, rounding, ref fpsr);
    }
}
