using System.Numerics;

namespace ArmVdso.Emulator.FloatingPoint;

public static partial class Fp
{
    /// <summary>FPAdd.</summary>
    public static ulong Add(ulong op1, ulong op2, int bits, uint fpcr, ref uint fpsr) =>
        HostAdd(op1, op2, bits, fpcr, fpsr, out ulong fast) ? fast : AddExact(op1, op2, false, bits, fpcr, ref fpsr);

    /// <summary>FPSub.</summary>
    public static ulong Sub(ulong op1, ulong op2, int bits, uint fpcr, ref uint fpsr) =>
        HostSub(op1, op2, bits, fpcr, fpsr, out ulong fast) ? fast : AddExact(op1, op2, true, bits, fpcr, ref fpsr);

    private static ulong AddExact(ulong op1, ulong op2, bool subtract, int bits, uint fpcr, ref uint fpsr)
    {
        FpRounding rounding = RoundingMode(fpcr);
        FpValue value1 = Unpack(op1, bits, fpcr, ref fpsr);
        FpValue value2 = Unpack(op2, bits, fpcr, ref fpsr);
        if (ProcessNaNs(value1.Type, value2.Type, op1, op2, bits, fpcr, ref fpsr, out ulong result))
            return result;
        bool sign1 = value1.Sign, sign2 = value2.Sign ^ subtract;
        if (value1.IsInfinity && value2.IsInfinity && sign1 != sign2)
        {
            fpsr |= FpsrBits.IOC;
            result = DefaultNaN(fpcr, bits);
        }
        else if (value1.IsInfinity)
            result = Infinity(sign1, bits);
        else if (value2.IsInfinity)
            result = Infinity(sign2, bits);
        else if (value1.IsZero && value2.IsZero)
            result = Zero(sign1 == sign2 ? sign1 : rounding == FpRounding.NegInf, bits);
        else
        {
            result = RoundSum(
                sign1, value1.Exponent, value1.Mantissa, sign2, value2.Exponent, value2.Mantissa, bits, fpcr, rounding, ref fpsr);
        }
        ProcessDenorms(value1.Type, value2.Type, bits, fpcr, ref fpsr);
        return result;
    }

    /// <summary>Rounds the exact sum of two numbers that are not both zero. A mantissa has at most 53 significant bits at its
    /// top, so that after one shift ten guard bits are left: enough for a sticky bit to round right after any cancellation.</summary>
    private static ulong RoundSum(
        bool sign1, int exponent1, ulong mantissa1, bool sign2, int exponent2, ulong mantissa2, int bits, uint fpcr,
        FpRounding rounding, ref uint fpsr)
    {
        ulong m1 = mantissa1 >> 1, m2 = mantissa2 >> 1;
        int exponent = Math.Max(exponent1, exponent2) + 1;
        if (exponent1 > exponent2)
            m2 = ShiftRightJam(m2, exponent1 - exponent2);
        else
            m1 = ShiftRightJam(m1, exponent2 - exponent1);
        bool sign = sign1;
        ulong sum;
        if (sign1 == sign2)
            sum = m1 + m2;
        else if (m1 >= m2)
            sum = m1 - m2;
        else
        {
            sum = m2 - m1;
            sign = sign2;
        }
        if (sum == 0)
            return Zero(rounding == FpRounding.NegInf, bits);
        int zeros = BitOperations.LeadingZeroCount(sum);
        return Round(sign, exponent - zeros, sum << zeros, bits, fpcr, rounding, ref fpsr);
    }

    /// <summary>FPMul.</summary>
    public static ulong Mul(ulong op1, ulong op2, int bits, uint fpcr, ref uint fpsr) =>
        HostMul(op1, op2, bits, fpcr, fpsr, out ulong fast) ? fast : MulExact(op1, op2, false, bits, fpcr, ref fpsr);

    /// <summary>FPMulX: as FPMul, but zero times infinity is two.</summary>
    public static ulong MulX(ulong op1, ulong op2, int bits, uint fpcr, ref uint fpsr) =>
        HostMul(op1, op2, bits, fpcr, fpsr, out ulong fast) ? fast : MulExact(op1, op2, true, bits, fpcr, ref fpsr);

    private static ulong MulExact(ulong op1, ulong op2, bool extended, int bits, uint fpcr, ref uint fpsr)
    {
        FpValue value1 = Unpack(op1, bits, fpcr, ref fpsr);
        FpValue value2 = Unpack(op2, bits, fpcr, ref fpsr);
        if (ProcessNaNs(value1.Type, value2.Type, op1, op2, bits, fpcr, ref fpsr, out ulong result))
            return result;
        bool sign = value1.Sign ^ value2.Sign;
        if ((value1.IsInfinity && value2.IsZero) || (value1.IsZero && value2.IsInfinity))
        {
            if (extended)
                result = Two(sign, bits);
            else
            {
                fpsr |= FpsrBits.IOC;
                result = DefaultNaN(fpcr, bits);
            }
        }
        else if (value1.IsInfinity || value2.IsInfinity)
            result = Infinity(sign, bits);
        else if (value1.IsZero || value2.IsZero)
            result = Zero(sign, bits);
        else
        {
            ulong high = Math.BigMul(value1.Mantissa, value2.Mantissa, out ulong low);
            int exponent = value1.Exponent + value2.Exponent + 1;
            if ((high & TopBit) == 0)
            {
                high = (high << 1) | (low >> 63);
                low <<= 1;
                exponent--;
            }
            result = Round(sign, exponent, high | (low != 0 ? 1UL : 0), bits, fpcr, RoundingMode(fpcr), ref fpsr);
        }
        ProcessDenorms(value1.Type, value2.Type, bits, fpcr, ref fpsr);
        return result;
    }

    /// <summary>FPDiv.</summary>
    public static ulong Div(ulong op1, ulong op2, int bits, uint fpcr, ref uint fpsr)
    {
        if (HostDiv(op1, op2, bits, fpcr, fpsr, out ulong result))
            return result;
        FpValue value1 = Unpack(op1, bits, fpcr, ref fpsr);
        FpValue value2 = Unpack(op2, bits, fpcr, ref fpsr);
        if (ProcessNaNs(value1.Type, value2.Type, op1, op2, bits, fpcr, ref fpsr, out result))
            return result;
        bool sign = value1.Sign ^ value2.Sign;
        if ((value1.IsInfinity && value2.IsInfinity) || (value1.IsZero && value2.IsZero))
        {
            fpsr |= FpsrBits.IOC;
            result = DefaultNaN(fpcr, bits);
        }
        else if (value1.IsInfinity || value2.IsZero)
        {
            if (!value1.IsInfinity)
                fpsr |= FpsrBits.DZC;
            result = Infinity(sign, bits);
        }
        else if (value1.IsZero || value2.IsInfinity)
            result = Zero(sign, bits);
        else
        {
            (UInt128 quotient, UInt128 remainder) = UInt128.DivRem((UInt128)value1.Mantissa << 63, value2.Mantissa);
            // The quotient of two numbers in [1, 2) is in (1/2, 2): 2^62 < quotient < 2^64.
            ulong mantissa = (ulong)quotient;
            int zeros = BitOperations.LeadingZeroCount(mantissa);
            mantissa = (mantissa << zeros) | (remainder != UInt128.Zero ? 1UL : 0);
            result = Round(sign, value1.Exponent - value2.Exponent - zeros, mantissa, bits, fpcr, RoundingMode(fpcr), ref fpsr);
        }
        if (!value2.IsZero)
            ProcessDenorms(value1.Type, value2.Type, bits, fpcr, ref fpsr);
        return result;
    }

    /// <summary>FPSqrt.</summary>
    public static ulong Sqrt(ulong op, int bits, uint fpcr, ref uint fpsr)
    {
        if (HostSqrt(op, bits, fpcr, fpsr, out ulong fast))
            return fast;
        FpValue value = Unpack(op, bits, fpcr, ref fpsr);
        if (value.IsNaN)
            return ProcessNaN(value.Type, op, bits, fpcr, ref fpsr);
        if (value.IsZero)
            return Zero(value.Sign, bits);
        if (value.Sign)
        {
            fpsr |= FpsrBits.IOC;
            return DefaultNaN(fpcr, bits);
        }
        if (value.IsInfinity)
            return Infinity(false, bits);
        // Make the exponent even: value = radicand * 2^(exponent - 62) with radicand in [2^62, 2^64).
        int exponent = value.Exponent;
        ulong radicand = value.Mantissa;
        if ((exponent & 1) == 0)
            radicand >>= 1; // at most 53 significant bits, nothing is lost
        else
            exponent--;
        // Two digits beyond the fraction and the integer digit are enough to round; the radicand has no bits beyond them.
        ulong root = SquareRoot(radicand, FractionBits(bits) + 3, out bool inexact); // 2^63 <= root < 2^64
        ProcessDenorms(value.Type, value.Type, bits, fpcr, ref fpsr);
        return Round(false, exponent >> 1, root | (inexact ? 1UL : 0), bits, fpcr, RoundingMode(fpcr), ref fpsr);
    }

    /// <summary>The first binary digits of sqrt(radicand * 2^64), digit by digit, at their place in 64 bits.</summary>
    private static ulong SquareRoot(ulong radicand, int digits, out bool inexact)
    {
        // With at most 55 digits root and remainder stay below 2^58.
        ulong root = 0, remainder = 0;
        for (int digit = 0; digit < digits; digit++)
        {
            remainder = (remainder << 2) | (radicand >> 62);
            radicand <<= 2;
            ulong trial = (root << 2) | 1;
            root <<= 1;
            if (remainder >= trial)
            {
                remainder -= trial;
                root |= 1;
            }
        }
        inexact = remainder != 0;
        return root << (64 - digits);
    }

    /// <summary>FPMulAdd: addend + op1 * op2 with one rounding.</summary>
    public static ulong MulAdd(ulong addend, ulong op1, ulong op2, int bits, uint fpcr, ref uint fpsr) =>
        HostMulAdd(addend, op1, op2, bits, fpcr, fpsr, out ulong fast) ? fast : MulAddExact(addend, op1, op2, bits, bits, fpcr, ref fpsr);

    /// <summary>FPMulAddH: single-precision addend + product of two half-precision numbers, with one rounding.</summary>
    public static ulong MulAddH(ulong addend, ulong op1, ulong op2, uint fpcr, ref uint fpsr) =>
        MulAddExact(addend, op1, op2, 32, 16, fpcr, ref fpsr);

    /// <summary>BFMLALB and BFMLALT: single-precision addend + product of two BFloat16 numbers, with one rounding.</summary>
    public static ulong BFMulAdd(ulong addend, ulong op1, ulong op2, uint fpcr, ref uint fpsr)
    {
        uint ignored = 0;
        ref uint flags = ref IsSilent(fpcr) ? ref ignored : ref fpsr;
        return MulAdd(addend, op1 << 16, op2 << 16, 32, SilentControls(fpcr), ref flags);
    }

    private static ulong MulAddExact(ulong addend, ulong op1, ulong op2, int bits, int factorBits, uint fpcr, ref uint fpsr)
    {
        FpValue valueA = Unpack(addend, bits, fpcr, ref fpsr);
        FpValue value1 = Unpack(op1, factorBits, fpcr, ref fpsr);
        FpValue value2 = Unpack(op2, factorBits, fpcr, ref fpsr);
        bool zeroByInfinity = (value1.IsInfinity && value2.IsZero) || (value1.IsZero && value2.IsInfinity);
        if (ProcessNaNs3(valueA.Type, value1.Type, value2.Type, addend, op1, op2, bits, factorBits, fpcr, ref fpsr, out ulong result))
        {
            // An invalid product wins over a quiet NaN addend.
            if (valueA.Type == FpType.QNaN && zeroByInfinity && (fpcr & FpcrBits.AH) == 0)
            {
                fpsr |= FpsrBits.IOC;
                result = DefaultNaN(fpcr, bits);
            }
            return result;
        }
        bool signP = value1.Sign ^ value2.Sign;
        bool infP = value1.IsInfinity || value2.IsInfinity;
        bool zeroP = value1.IsZero || value2.IsZero;
        if (zeroByInfinity || (valueA.IsInfinity && infP && valueA.Sign != signP))
        {
            fpsr |= FpsrBits.IOC;
            return DefaultNaN(fpcr, bits);
        }
        if (valueA.IsInfinity)
            result = Infinity(valueA.Sign, bits);
        else if (infP)
            result = Infinity(signP, bits);
        else if (valueA.IsZero && zeroP && valueA.Sign == signP)
            result = Zero(valueA.Sign, bits);
        else
            result = FusedSum(valueA, value1, value2, 0, bits, fpcr, RoundingMode(fpcr), ref fpsr);
        ProcessDenorms(valueA.Type, valueA.Type, bits, fpcr, ref fpsr);
        if (factorBits == bits)
            ProcessDenorms(value1.Type, value2.Type, bits, fpcr, ref fpsr);
        return result;
    }

    /// <summary>Rounds (addend + factor1 * factor2) * 2^scale once; all are finite, zeros allowed. A sum of exactly zero has the
    /// sign that the rounding mode gives.</summary>
    private static ulong FusedSum(
        in FpValue addend, in FpValue factor1, in FpValue factor2, int scale, int bits, uint fpcr, FpRounding rounding, ref uint fpsr)
    {
        bool signP = factor1.Sign ^ factor2.Sign;
        if (factor1.IsZero || factor2.IsZero)
        {
            return addend.IsZero
                ? Zero(rounding == FpRounding.NegInf, bits)
                : Round(addend.Sign, addend.Exponent + scale, addend.Mantissa, bits, fpcr, rounding, ref fpsr);
        }
        // Numbers are x * 2^(exponent - 127). A product has at most 106 significant bits at the top of its 128, so one
        // shift makes room for the carry and twenty guard bits are left for a sticky bit.
        ulong high = Math.BigMul(factor1.Mantissa, factor2.Mantissa, out ulong low);
        UInt128 product = new UInt128(high, low) >> 1;
        int exponentP = factor1.Exponent + factor2.Exponent + 2;
        if (addend.IsZero)
            return RoundWide(signP, exponentP + scale, product, bits, fpcr, rounding, ref fpsr);
        UInt128 sum = new UInt128(addend.Mantissa, 0) >> 1;
        int exponent = addend.Exponent + 1;
        if (exponentP > exponent)
        {
            sum = ShiftRightJam(sum, exponentP - exponent);
            exponent = exponentP;
        }
        else
            product = ShiftRightJam(product, exponent - exponentP);
        bool sign = addend.Sign;
        if (sign == signP)
            sum += product;
        else if (sum >= product)
            sum -= product;
        else
        {
            sum = product - sum;
            sign = signP;
        }
        return sum == UInt128.Zero
            ? Zero(rounding == FpRounding.NegInf, bits)
            : RoundWide(sign, exponent + scale, sum, bits, fpcr, rounding, ref fpsr);
    }

    /// <summary>FPRecipStepFused: 2.0 - op1 * op2, fused.</summary>
    public static ulong RecipStepFused(ulong op1, ulong op2, int bits, uint fpcr, ref uint fpsr) =>
        StepFused(op1, op2, Two(false, bits), 0, Two(false, bits), bits, fpcr, ref fpsr);

    /// <summary>FPRSqrtStepFused: (3.0 - op1 * op2) / 2.0, fused.</summary>
    public static ulong RSqrtStepFused(ulong op1, ulong op2, int bits, uint fpcr, ref uint fpsr) =>
        StepFused(op1, op2, Two(false, bits) | (1UL << (FractionBits(bits) - 1)), -1, OnePointFive(false, bits), bits, fpcr, ref fpsr);

    private static ulong StepFused(ulong op1, ulong op2, ulong addend, int scale, ulong invalid, int bits, uint fpcr, ref uint fpsr)
    {
        uint ignored = 0;
        ref uint flags = ref Silently(ref fpcr, ref fpsr, ref ignored);
        op1 = Neg(op1, bits, fpcr);
        FpValue value1 = Unpack(op1, bits, fpcr, ref flags);
        FpValue value2 = Unpack(op2, bits, fpcr, ref flags);
        if (ProcessNaNs(value1.Type, value2.Type, op1, op2, bits, fpcr, ref flags, out ulong result))
            return result;
        if ((value1.IsInfinity && value2.IsZero) || (value1.IsZero && value2.IsInfinity))
            return invalid;
        if (value1.IsInfinity || value2.IsInfinity)
            return Infinity(value1.Sign ^ value2.Sign, bits);
        return FusedSum(Unpack(addend, bits, fpcr, ref flags), value1, value2, scale, bits, fpcr, RoundingMode(fpcr), ref flags);
    }
}
