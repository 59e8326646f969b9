namespace ArmVdso.Emulator.FloatingPoint;

public static partial class Fp
{
    /// <summary>Orders two numbers that are not NaNs: negative, zero or positive.</summary>
    private static int Order(in FpValue value1, in FpValue value2)
    {
        if (value1.IsZero && value2.IsZero)
            return 0;
        if (value1.IsZero)
            return value2.Sign ? 1 : -1;
        if (value2.IsZero || value1.Sign != value2.Sign)
            return value1.Sign ? -1 : 1;
        int magnitude = value1.Exponent != value2.Exponent
            ? value1.Exponent.CompareTo(value2.Exponent) : value1.Mantissa.CompareTo(value2.Mantissa);
        return value1.Sign ? -magnitude : magnitude;
    }

    /// <summary>FPMax.</summary>
    public static ulong Max(ulong op1, ulong op2, int bits, uint fpcr, ref uint fpsr) => MaxMin(op1, op2, true, bits, fpcr, fpcr, ref fpsr);

    /// <summary>FPMin.</summary>
    public static ulong Min(ulong op1, ulong op2, int bits, uint fpcr, ref uint fpsr) =>
        MaxMin(op1, op2, false, bits, fpcr, fpcr, ref fpsr);

    /// <summary>FPMaxNum: a single quiet NaN counts as minus infinity.</summary>
    public static ulong MaxNum(ulong op1, ulong op2, int bits, uint fpcr, ref uint fpsr) => MaxMinNum(op1, op2, true, bits, fpcr, ref fpsr);

    /// <summary>FPMinNum: a single quiet NaN counts as plus infinity.</summary>
    public static ulong MinNum(ulong op1, ulong op2, int bits, uint fpcr, ref uint fpsr) =>
        MaxMinNum(op1, op2, false, bits, fpcr, ref fpsr);

    private static ulong MaxMinNum(ulong op1, ulong op2, bool max, int bits, uint fpcr, ref uint fpsr)
    {
        FpType type1 = Unpack(op1, bits, fpcr, ref fpsr).Type;
        FpType type2 = Unpack(op2, bits, fpcr, ref fpsr).Type;
        if (type1 == FpType.QNaN && type2 != FpType.QNaN)
        {
            if ((fpcr & FpcrBits.AH) == 0 || type2 != FpType.SNaN)
                op1 = Infinity(max, bits);
        }
        else if (type1 != FpType.QNaN && type2 == FpType.QNaN)
        {
            if ((fpcr & FpcrBits.AH) == 0 || type1 != FpType.SNaN)
                op2 = Infinity(max, bits);
        }
        return MaxMin(op1, op2, max, bits, fpcr, fpcr & ~FpcrBits.AH, ref fpsr);
    }

    /// <param name="op1">First operand.</param>
    /// <param name="op2">Second operand.</param>
    /// <param name="max">Maximum, else minimum.</param>
    /// <param name="bits">Width.</param>
    /// <param name="fpcr">Controls.</param>
    /// <param name="selectFpcr">The controls whose AH bit selects "the second operand unless the first wins" behaviour.</param>
    /// <param name="fpsr">Exception bits.</param>
    private static ulong MaxMin(ulong op1, ulong op2, bool max, int bits, uint fpcr, uint selectFpcr, ref uint fpsr)
    {
        FpValue value1 = Unpack(op1, bits, fpcr, ref fpsr);
        FpValue value2 = Unpack(op2, bits, fpcr, ref fpsr);
        if ((selectFpcr & FpcrBits.AH) != 0)
        {
            if (value1.IsZero && value2.IsZero && value1.Sign != value2.Sign)
                return Zero(value2.Sign, bits);
            if (value1.IsNaN || value2.IsNaN)
            {
                fpsr |= FpsrBits.IOC;
                return value2.IsZero ? Zero(value2.Sign, bits) : op2;
            }
        }
        if (ProcessNaNs(value1.Type, value2.Type, op1, op2, bits, fpcr, ref fpsr, out ulong result))
            return result;
        int order = Order(value1, value2);
        FpValue chosen = (max ? order > 0 : order < 0) ? value1 : value2;
        if (chosen.IsInfinity)
            return Infinity(chosen.Sign, bits);
        if (chosen.IsZero)
        {
            // Of two zeros: +0 is greater. A zero chosen against a nonzero number keeps the sign it has in the pseudocode,
            // where the signs of both operands are combined.
            return Zero(max ? value1.Sign && value2.Sign : value1.Sign || value2.Sign, bits);
        }
        result = Round(chosen.Sign, chosen.Exponent, chosen.Mantissa, bits, fpcr, RoundingMode(fpcr), ref fpsr);
        ProcessDenorms(value1.Type, value2.Type, bits, fpcr, ref fpsr);
        return result;
    }

    /// <summary>FPCompare: the NZCV that FCMP gives, N in bit 3. <paramref name="signalNaNs"/> is FCMPE.</summary>
    public static int Compare(ulong op1, ulong op2, bool signalNaNs, int bits, uint fpcr, ref uint fpsr)
    {
        FpValue value1 = Unpack(op1, bits, fpcr, ref fpsr);
        FpValue value2 = Unpack(op2, bits, fpcr, ref fpsr);
        if (Unordered(value1, value2, signalNaNs, ref fpsr))
            return 0b0011;
        ProcessDenorms(value1.Type, value2.Type, bits, fpcr, ref fpsr);
        int order = Order(value1, value2);
        return order == 0 ? 0b0110 : order < 0 ? 0b1000 : 0b0010;
    }

    /// <summary>FPCompareEQ.</summary>
    public static bool CompareEQ(ulong op1, ulong op2, int bits, uint fpcr, ref uint fpsr) =>
        (Compare(op1, op2, false, bits, fpcr, ref fpsr) & 0b0100) != 0;

    /// <summary>FPCompareGE.</summary>
    public static bool CompareGE(ulong op1, ulong op2, int bits, uint fpcr, ref uint fpsr) =>
        Compare(op1, op2, true, bits, fpcr, ref fpsr) is 0b0110 or 0b0010;

    /// <summary>FPCompareGT.</summary>
    public static bool CompareGT(ulong op1, ulong op2, int bits, uint fpcr, ref uint fpsr) =>
        Compare(op1, op2, true, bits, fpcr, ref fpsr) == 0b0010;

    private static bool Unordered(in FpValue value1, in FpValue value2, bool signalNaNs, ref uint fpsr)
    {
        if (!value1.IsNaN && !value2.IsNaN)
            return false;
        if (signalNaNs || value1.Type == FpType.SNaN || value2.Type == FpType.SNaN)
            fpsr |= FpsrBits.IOC;
        return true;
    }
}
