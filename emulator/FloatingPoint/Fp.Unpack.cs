using System.Numerics;

namespace ArmVdso.Emulator.FloatingPoint;

/// <summary>
/// Floating-point arithmetic of the Arm architecture on raw bits, in integers only, in the words of the Arm pseudocode
/// (DDI0487, Shared Pseudocode, shared/functions/float). Values are 16, 32 or 64 bits (<c>bits</c>) in the low end of a
/// ulong with zeros above. <c>fpcr</c> controls, exception bits are ORed into <c>fpsr</c>. Trapped exceptions are not
/// implemented (as in all Arm Ltd. cores), so FPProcessException only sets bits.
/// </summary>
public static partial class Fp
{
    private const int InfinityExponent = 1 << 20;
    private const int ZeroExponent = -InfinityExponent;
    private const ulong TopBit = 1UL << 63;

    /// <summary>Fraction bits F of a format: 10, 23 or 52.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int FractionBits(int bits) => bits == 64 ? 52 : bits == 32 ? 23 : 10;

    /// <summary>Exponent bits E of a format: 5, 8 or 11.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int ExponentBits(int bits) => bits == 64 ? 11 : bits == 32 ? 8 : 5;

    /// <summary>Exponent of the smallest normal number: -14, -126 or -1022.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int MinimumExponent(int bits) => bits == 64 ? -1022 : bits == 32 ? -126 : -14;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong SignBit(bool sign, int bits) => sign ? 1UL << (bits - 1) : 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Mask(int bits) => ulong.MaxValue >> (64 - bits);

    /// <summary>FPRoundingMode: the rounding that FPCR.RMode selects.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static FpRounding RoundingMode(uint fpcr) => (FpRounding)((fpcr >> FpcrBits.RModeShift) & 3);

    /// <summary>With FPCR.AH the estimates, their steps and the BFloat16 conversions and multiply-adds raise nothing...</summary>
    private static bool IsSilent(uint fpcr) => (fpcr & FpcrBits.AH) != 0;

    /// <summary>... and flush denormals and round to nearest even whatever FPCR says.</summary>
    private static uint SilentControls(uint fpcr) =>
        IsSilent(fpcr) ? (fpcr | FpcrBits.FIZ | FpcrBits.FZ) & ~FpcrBits.RMode : fpcr;

    /// <summary>Both: changes <paramref name="fpcr"/>, and says where flags go.</summary>
    private static ref uint Silently(ref uint fpcr, ref uint fpsr, ref uint ignored)
    {
        bool silent = IsSilent(fpcr);
        fpcr = SilentControls(fpcr);
        return ref silent ? ref ignored : ref fpsr;
    }

    /// <summary>FPZero.</summary>
    public static ulong Zero(bool sign, int bits) => SignBit(sign, bits);

    /// <summary>FPInfinity.</summary>
    public static ulong Infinity(bool sign, int bits) => SignBit(sign, bits) | (Mask(ExponentBits(bits)) << FractionBits(bits));

    /// <summary>FPMaxNormal: the largest finite number.</summary>
    public static ulong MaxNormal(bool sign, int bits) => Infinity(sign, bits) - 1;

    /// <summary>FPTwo.</summary>
    public static ulong Two(bool sign, int bits) => SignBit(sign, bits) | (1UL << (bits - 2));

    /// <summary>FPOnePointFive.</summary>
    public static ulong OnePointFive(bool sign, int bits) =>
        SignBit(sign, bits) | (((1UL << (bits - 2)) - (1UL << FractionBits(bits))) | (1UL << (FractionBits(bits) - 1)));

    /// <summary>FPDefaultNaN: quiet, no payload; negative when FPCR.AH is set.</summary>
    public static ulong DefaultNaN(uint fpcr, int bits) =>
        Infinity((fpcr & FpcrBits.AH) != 0, bits) | (1UL << (FractionBits(bits) - 1));

    /// <summary>FPNeg: flips the sign, of a NaN only when FPCR.AH is clear.</summary>
    public static ulong Neg(ulong op, int bits, uint fpcr) =>
        (fpcr & FpcrBits.AH) != 0 && IsNaN(op, bits) ? op : op ^ (1UL << (bits - 1));

    /// <summary>FPAbs: clears the sign, of a NaN only when FPCR.AH is clear.</summary>
    public static ulong Abs(ulong op, int bits, uint fpcr) =>
        (fpcr & FpcrBits.AH) != 0 && IsNaN(op, bits) ? op : op & ~(1UL << (bits - 1));

    private static bool IsNaN(ulong op, int bits) => (op & Mask(bits - 1)) > Infinity(false, bits);

    /// <summary>FPUnpack: the value of <paramref name="op"/>, denormals flushed as FPCR says, half precision as IEEE.</summary>
    private static FpValue Unpack(ulong op, int bits, uint fpcr, ref uint fpsr) => UnpackBase(op, bits, fpcr & ~FpcrBits.AHP, ref fpsr);

    /// <summary>FPUnpackCV: as FPUnpack for conversions between formats: half denormals are never flushed, FPCR.AHP counts.</summary>
    private static FpValue UnpackCV(ulong op, int bits, uint fpcr, ref uint fpsr) => UnpackBase(op, bits, fpcr & ~FpcrBits.FZ16, ref fpsr);

    private static FpValue UnpackBase(ulong op, int bits, uint fpcr, ref uint fpsr)
    {
        int f = FractionBits(bits);
        bool sign = ((op >> (bits - 1)) & 1) != 0;
        int exponent = (int)(op >> f) & (int)Mask(ExponentBits(bits));
        ulong fraction = op & Mask(f);
        if (exponent == 0)
        {
            if (fraction == 0)
                return new FpValue(FpType.Zero, sign, ZeroExponent, 0);
            bool altfp = (fpcr & FpcrBits.AH) != 0;
            bool fz = (fpcr & FpcrBits.FZ) != 0 && !altfp;
            if (bits == 16)
            {
                // Half precision has its own control, and flushing an input raises nothing.
                if ((fpcr & FpcrBits.FZ16) != 0)
                    return new FpValue(FpType.Zero, sign, ZeroExponent, 0);
            }
            else if (fz || (fpcr & FpcrBits.FIZ) != 0)
            {
                if (fz)
                    fpsr |= FpsrBits.IDC;
                return new FpValue(FpType.Zero, sign, ZeroExponent, 0);
            }
            int zeros = BitOperations.LeadingZeroCount(fraction);
            return new FpValue(FpType.Denormal, sign, MinimumExponent(bits) + 63 - f - zeros, fraction << zeros);
        }
        if (exponent == (int)Mask(ExponentBits(bits)) && (bits != 16 || (fpcr & FpcrBits.AHP) == 0))
        {
            if (fraction == 0)
                return new FpValue(FpType.Infinity, sign, InfinityExponent, TopBit);
            bool quiet = (fraction >> (f - 1)) != 0;
            return new FpValue(quiet ? FpType.QNaN : FpType.SNaN, sign, ZeroExponent, 0);
        }
        return new FpValue(FpType.Nonzero, sign, MinimumExponent(bits) - 1 + exponent, TopBit | (fraction << (63 - f)));
    }

    /// <summary>FPProcessNaN: quiets a NaN operand, or replaces it by the default NaN.</summary>
    private static ulong ProcessNaN(FpType type, ulong op, int bits, uint fpcr, ref uint fpsr)
    {
        if (type == FpType.SNaN)
        {
            op |= 1UL << (FractionBits(bits) - 1);
            fpsr |= FpsrBits.IOC;
        }
        return (fpcr & FpcrBits.DN) != 0 ? DefaultNaN(fpcr, bits) : op;
    }

    /// <summary>FPProcessNaNs: the NaN that a two-operand operation returns; false when no operand is a NaN.</summary>
    private static bool ProcessNaNs(FpType type1, FpType type2, ulong op1, ulong op2, int bits, uint fpcr, ref uint fpsr, out ulong result)
    {
        result = 0;
        if (type1 < FpType.QNaN && type2 < FpType.QNaN)
            return false;
        FpType any = type1 == FpType.SNaN || type2 == FpType.SNaN ? FpType.SNaN : FpType.QNaN;
        if ((fpcr & FpcrBits.AH) != 0 && type1 >= FpType.QNaN && type2 >= FpType.QNaN)
            result = ProcessNaN(any, op1, bits, fpcr, ref fpsr);
        else
            result = type1 == any ? ProcessNaN(any, op1, bits, fpcr, ref fpsr) : ProcessNaN(any, op2, bits, fpcr, ref fpsr);
        return true;
    }

    /// <summary>FPProcessNaNs3 and FPProcessNaNs3H: the same for an addend of <paramref name="bits"/> and two factors of
    /// <paramref name="factorBits"/>.</summary>
    private static bool ProcessNaNs3(
        FpType typeA, FpType type1, FpType type2, ulong addend, ulong op1, ulong op2, int bits, int factorBits, uint fpcr,
        ref uint fpsr, out ulong result)
    {
        result = 0;
        bool nanA = typeA >= FpType.QNaN, nan1 = type1 >= FpType.QNaN, nan2 = type2 >= FpType.QNaN;
        if (!nanA && !nan1 && !nan2)
            return false;
        FpType any = typeA == FpType.SNaN || type1 == FpType.SNaN || type2 == FpType.SNaN ? FpType.SNaN : FpType.QNaN;
        int which;
        if ((fpcr & FpcrBits.AH) != 0 && (nanA ? 1 : 0) + (nan1 ? 1 : 0) + (nan2 ? 1 : 0) > 1)
            which = nan1 ? 1 : 2;
        else
            which = typeA == any ? 0 : type1 == any ? 1 : 2;
        if (which == 0)
            result = ProcessNaN(any, addend, bits, fpcr, ref fpsr);
        else
        {
            ulong nan = ProcessNaN(any, which == 1 ? op1 : op2, factorBits, fpcr, ref fpsr);
            result = factorBits == bits ? nan : ConvertNaN(nan, factorBits, bits);
        }
        return true;
    }

    /// <summary>FPProcessDenorm(s): with FPCR.AH a denormal that was used raises Input Denormal, except in half precision.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void ProcessDenorms(FpType type1, FpType type2, int bits, uint fpcr, ref uint fpsr)
    {
        if ((fpcr & FpcrBits.AH) != 0 && bits != 16 && (type1 == FpType.Denormal || type2 == FpType.Denormal))
            fpsr |= FpsrBits.IDC;
    }
}
