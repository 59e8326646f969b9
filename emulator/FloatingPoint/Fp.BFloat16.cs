using System.Numerics;

namespace ArmVdso.Emulator.FloatingPoint;

/// <summary>The BFloat16 dot-product arithmetic without FEAT_EBF16 (BFAdd, BFMulH, BFRound): denormals are flushed, results
/// are rounded to odd, every NaN is the default NaN, FPCR is not looked at (but for the NaN's sign) and no exception bit is set.</summary>
public static partial class Fp
{
    /// <summary>BFDotAdd: addend + (a1*b1 + a2*b2), each step rounded to odd. The factors are BFloat16.</summary>
    public static uint BFDotAdd(uint addend, uint a1, uint a2, uint b1, uint b2, uint fpcr) =>
        BFAdd(addend, BFAdd(BFMulH(a1, b1, fpcr), BFMulH(a2, b2, fpcr), fpcr), fpcr);

    /// <summary>BFUnpack of 32 bits: a denormal is zero, a NaN is quiet.</summary>
    private static FpValue BFUnpack(uint op)
    {
        bool sign = (op >> 31) != 0;
        int exponent = (int)(op >> 23) & 0xFF;
        ulong fraction = op & 0x7FFFFF;
        return exponent switch
        {
            0 => new FpValue(FpType.Zero, sign, ZeroExponent, 0),
            0xFF when fraction == 0 => new FpValue(FpType.Infinity, sign, InfinityExponent, TopBit),
            0xFF => new FpValue(FpType.QNaN, sign, ZeroExponent, 0),
            _ => new FpValue(FpType.Nonzero, sign, exponent - 127, TopBit | (fraction << 40)),
        };
    }

    /// <summary>BFRound: to odd, denormal results flushed, overflow to infinity.</summary>
    private static uint BFRound(bool sign, int exponent, ulong mantissa)
    {
        uint signBit = sign ? 0x80000000 : 0;
        if (exponent < -126)
            return signBit;
        if (exponent > 127)
            return signBit | 0x7F800000;
        uint fraction = (uint)(mantissa >> 40) & 0x7FFFFF;
        if (mantissa << 24 != 0)
            fraction |= 1;
        return signBit | ((uint)(exponent + 127) << 23) | fraction;
    }

    /// <summary>BFMulH: BFloat16 by BFloat16 to single precision.</summary>
    private static uint BFMulH(uint op1, uint op2, uint fpcr)
    {
        FpValue value1 = BFUnpack(op1 << 16), value2 = BFUnpack(op2 << 16);
        bool sign = value1.Sign ^ value2.Sign;
        if (value1.IsNaN || value2.IsNaN || (value1.IsInfinity && value2.IsZero) || (value1.IsZero && value2.IsInfinity))
            return (uint)DefaultNaN(fpcr, 32);
        if (value1.IsInfinity || value2.IsInfinity)
            return (uint)Infinity(sign, 32);
        if (value1.IsZero || value2.IsZero)
            return (uint)Zero(sign, 32);
        // Two significands of 8 bits: the product is exact.
        ulong product = (value1.Mantissa >> 32) * (value2.Mantissa >> 32);
        int zeros = BitOperations.LeadingZeroCount(product);
        return BFRound(sign, value1.Exponent + value2.Exponent + 1 - zeros, product << zeros);
    }

    /// <summary>BFAdd of two single-precision numbers.</summary>
    private static uint BFAdd(uint op1, uint op2, uint fpcr)
    {
        FpValue value1 = BFUnpack(op1), value2 = BFUnpack(op2);
        if (value1.IsNaN || value2.IsNaN || (value1.IsInfinity && value2.IsInfinity && value1.Sign != value2.Sign))
            return (uint)DefaultNaN(fpcr, 32);
        if (value1.IsInfinity)
            return (uint)Infinity(value1.Sign, 32);
        if (value2.IsInfinity)
            return (uint)Infinity(value2.Sign, 32);
        if (value1.IsZero && value2.IsZero)
            return (uint)Zero(value1.Sign && value2.Sign, 32);
        ulong m1 = value1.Mantissa >> 1, m2 = value2.Mantissa >> 1;
        int exponent = Math.Max(value1.Exponent, value2.Exponent) + 1;
        if (value1.Exponent > value2.Exponent)
            m2 = ShiftRightJam(m2, value1.Exponent - value2.Exponent);
        else
            m1 = ShiftRightJam(m1, value2.Exponent - value1.Exponent);
        bool sign = value1.Sign;
        ulong sum;
        if (value1.Sign == value2.Sign)
            sum = m1 + m2;
        else if (m1 >= m2)
            sum = m1 - m2;
        else
        {
            sum = m2 - m1;
            sign = value2.Sign;
        }
        if (sum == 0)
            return 0;
        int zeros = BitOperations.LeadingZeroCount(sum);
        return BFRound(sign, exponent - zeros, sum << zeros);
    }
}
