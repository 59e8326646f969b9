namespace ArmVdso.Emulator.FloatingPoint;

public static partial class Fp
{
    /// <summary>FPConvertNaN: keeps sign and the top of the payload; the result is quiet.</summary>
    private static ulong ConvertNaN(ulong op, int from, int to)
    {
        // The payload below the quiet bit, left-aligned to 51 bits.
        ulong payload = (op & Mask(FractionBits(from) - 1)) << (52 - FractionBits(from));
        bool sign = ((op >> (from - 1)) & 1) != 0;
        return Infinity(sign, to) | (1UL << (FractionBits(to) - 1)) | (payload >> (52 - FractionBits(to)));
    }

    /// <summary>FPConvert between 16, 32 and 64 bits, rounding as <paramref name="rounding"/> says; half precision is the
    /// alternative format when FPCR.AHP is set.</summary>
    public static ulong Convert(ulong op, int from, int to, uint fpcr, FpRounding rounding, ref uint fpsr)
    {
        FpValue value = UnpackCV(op, from, fpcr, ref fpsr);
        bool alternative = to == 16 && (fpcr & FpcrBits.AHP) != 0;
        if (value.IsNaN)
        {
            if (value.Type == FpType.SNaN || alternative)
                fpsr |= FpsrBits.IOC;
            if (alternative)
                return Zero(value.Sign, 16);
            return (fpcr & FpcrBits.DN) != 0 ? DefaultNaN(fpcr, to) : ConvertNaN(op, from, to);
        }
        if (value.IsInfinity)
        {
            if (!alternative)
                return Infinity(value.Sign, to);
            fpsr |= FpsrBits.IOC;
            return SignBit(value.Sign, 16) | Mask(15);
        }
        if (value.IsZero)
            return Zero(value.Sign, to);
        ulong result = RoundCV(value.Sign, value.Exponent, value.Mantissa, to, fpcr, rounding, ref fpsr);
        ProcessDenorms(value.Type, value.Type, from, fpcr, ref fpsr);
        return result;
    }

    /// <summary>FPConvertBF: single precision to BFloat16, in the low 16 bits.</summary>
    public static ulong ConvertBF(ulong op, uint fpcr, ref uint fpsr)
    {
        uint ignored = 0;
        ref uint flags = ref Silently(ref fpcr, ref fpsr, ref ignored);
        FpValue value = Unpack(op, 32, fpcr, ref flags);
        ulong result;
        if (value.IsNaN)
        {
            if (value.Type == FpType.SNaN)
                flags |= FpsrBits.IOC;
            result = (fpcr & FpcrBits.DN) != 0 ? DefaultNaN(fpcr, 32) : ConvertNaN(op, 32, 32);
        }
        else if (value.IsInfinity)
            result = Infinity(value.Sign, 32);
        else if (value.IsZero)
            result = Zero(value.Sign, 32);
        else
        {
            result = RoundBase(value.Sign, value.Exponent, value.Mantissa, 32, 7, fpcr & ~FpcrBits.AHP, RoundingMode(fpcr), ref flags);
            ProcessDenorms(value.Type, value.Type, 32, fpcr, ref flags);
        }
        return result >> 16;
    }

    /// <summary>FPToFixed: to an integer of <paramref name="intBits"/> bits (16, 32 or 64, zero-extended) with
    /// <paramref name="fbits"/> fraction bits; saturates with Invalid Operation.</summary>
    public static ulong ToFixed(ulong op, int bits, int fbits, bool unsigned, int intBits, uint fpcr, FpRounding rounding, ref uint fpsr)
    {
        FpValue value = Unpack(op, bits, fpcr, ref fpsr);
        if (value.IsNaN)
        {
            fpsr |= FpsrBits.IOC;
            return 0;
        }
        ulong magnitude = RoundToMagnitude(value, fbits, rounding, out bool error, out bool huge);
        ulong limit = unsigned ? (value.Sign ? 0 : Mask(intBits)) : Mask(intBits - 1) + (value.Sign ? 1UL : 0);
        if (huge || magnitude > limit)
        {
            fpsr |= FpsrBits.IOC;
            magnitude = limit;
        }
        else if (error)
            fpsr |= FpsrBits.IXC;
        return (value.Sign ? 0 - magnitude : magnitude) & Mask(intBits);
    }

    /// <summary>FPToFixedJS: truncation modulo 2^32 as ECMAScript does; <paramref name="exact"/> is the Z flag.</summary>
    public static ulong ToFixedJS(ulong op, uint fpcr, ref uint fpsr, out bool exact)
    {
        FpValue value = Unpack(op, 64, fpcr, ref fpsr);
        exact = false;
        if (value.IsNaN || value.IsInfinity)
        {
            fpsr |= FpsrBits.IOC;
            return 0;
        }
        ulong magnitude;
        bool error = false, huge = false;
        if (value.Exponent > 63)
        {
            // Bits 31:0 of the integer: the mantissa's low end moved up; beyond 2^(63+32) nothing is left.
            huge = true;
            int shift = value.Exponent - 63;
            magnitude = shift < 32 ? value.Mantissa << shift : 0;
        }
        else
            magnitude = RoundToMagnitude(value, 0, FpRounding.Zero, out error, out huge);
        if (huge || magnitude > 0x7FFF_FFFFUL + (value.Sign ? 1UL : 0))
            fpsr |= FpsrBits.IOC;
        else if (error)
            fpsr |= FpsrBits.IXC;
        else
        {
            // Minus zero is no int32 that compares equal, and a denormal that was flushed is not exact.
            exact = !value.IsZero || (!value.Sign && (op & Mask(52)) == 0);
        }
        return (uint)(value.Sign ? 0 - magnitude : magnitude);
    }

    /// <summary>FixedToFP: an integer of <paramref name="intBits"/> bits with <paramref name="fbits"/> fraction bits.</summary>
    public static ulong FromFixed(ulong op, int intBits, int fbits, bool unsigned, int bits, uint fpcr, FpRounding rounding, ref uint fpsr)
    {
        op &= Mask(intBits);
        if (op == 0)
            return 0;
        bool sign = !unsigned && (op >> (intBits - 1)) != 0;
        return RoundInteger(sign, sign ? (0 - op) & Mask(intBits) : op, fbits, bits, fpcr, rounding, ref fpsr);
    }

    /// <summary>FPRoundInt: to an integral value; <paramref name="exact"/> raises Inexact when it is another value.</summary>
    public static ulong RoundInt(ulong op, int bits, uint fpcr, FpRounding rounding, bool exact, ref uint fpsr)
    {
        FpValue value = Unpack(op, bits, fpcr, ref fpsr);
        if (value.IsNaN)
            return ProcessNaN(value.Type, op, bits, fpcr, ref fpsr);
        if (value.IsInfinity)
            return Infinity(value.Sign, bits);
        if (value.IsZero)
            return Zero(value.Sign, bits);
        if (value.Exponent >= FractionBits(bits))
            return op;
        ulong magnitude = RoundToMagnitude(value, 0, rounding, out bool error, out _);
        if (error && exact)
            fpsr |= FpsrBits.IXC;
        return magnitude == 0 ? Zero(value.Sign, bits) : RoundInteger(value.Sign, magnitude, 0, bits, fpcr, FpRounding.Zero, ref fpsr);
    }

    /// <summary>FPRoundIntN: to an integral value that fits a signed integer of 32 or 64 bits, else to the most negative one.</summary>
    public static ulong RoundIntN(ulong op, int bits, uint fpcr, FpRounding rounding, int intSize, ref uint fpsr)
    {
        FpValue value = Unpack(op, bits, fpcr, ref fpsr);
        if (value.IsZero)
            return Zero(value.Sign, bits);
        if (!value.IsNaN && !value.IsInfinity)
        {
            ulong magnitude = RoundToMagnitude(value, 0, rounding, out bool error, out bool huge);
            if (!huge && magnitude <= Mask(intSize - 1) + (value.Sign ? 1UL : 0))
            {
                if (error)
                    fpsr |= FpsrBits.IXC;
                return magnitude == 0
                    ? Zero(value.Sign, bits) : RoundInteger(value.Sign, magnitude, 0, bits, fpcr, FpRounding.Zero, ref fpsr);
            }
        }
        fpsr |= FpsrBits.IOC;
        int bias = bits == 64 ? 1022 : 126;
        return SignBit(true, bits) | ((ulong)(bias + intSize) << FractionBits(bits));
    }
}
