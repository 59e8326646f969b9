namespace ArmVdso.Emulator.FloatingPoint;

public static partial class Fp
{
    private const ulong Fraction52 = (1UL << 52) - 1;

    /// <summary>RecipEstimate: 256 &lt;= a &lt; 512 stands for 0.5..1.0 in steps of 1/512; the result for 1.0..2.0 in
    /// steps of 1/256.</summary>
    private static uint RecipEstimate(uint a)
    {
        a = (a * 2) + 1;
        uint b = (1u << 19) / a;
        return (b + 1) / 2;
    }

    /// <summary>RecipSqrtEstimate: 128 &lt;= a &lt; 512 stands for 0.25..1.0 in steps of 1/512; the result for 1.0..2.0 in
    /// steps of 1/256.</summary>
    private static uint RecipSqrtEstimate(uint a) => s_recipSqrtEstimates[a - 128];

    private static readonly ushort[] s_recipSqrtEstimates = [.. Enumerable.Range(128, 384).Select(a => (ushort)SearchRecipSqrt((uint)a))];

    private static uint SearchRecipSqrt(uint a)
    {
        a = a < 256 ? (a * 2) + 1 : (((a >> 1) << 1) + 1) * 2;
        uint b = 512;
        while (a * (b + 1) * (b + 1) < 1u << 28)
            b++;
        return (b + 1) / 2;
    }

    /// <summary>FPRecipEstimate: 8 bits of 1/op.</summary>
    public static ulong RecipEstimate(ulong op, int bits, uint fpcr, ref uint fpsr)
    {
        uint ignored = 0;
        ref uint flags = ref Silently(ref fpcr, ref fpsr, ref ignored);
        FpValue value = Unpack(op, bits, fpcr, ref flags);
        if (value.IsNaN)
            return ProcessNaN(value.Type, op, bits, fpcr, ref flags);
        if (value.IsInfinity)
            return Zero(value.Sign, bits);
        if (value.IsZero)
        {
            flags |= FpsrBits.DZC;
            return Infinity(value.Sign, bits);
        }
        int minimumExp = MinimumExponent(bits);
        if (value.Exponent < minimumExp - 2)
        {
            flags |= FpsrBits.OFC | FpsrBits.IXC;
            return OverflowToInfinity(value.Sign, RoundingMode(fpcr)) ? Infinity(value.Sign, bits) : MaxNormal(value.Sign, bits);
        }
        if ((fpcr & (bits == 16 ? FpcrBits.FZ16 : FpcrBits.FZ)) != 0 && value.Exponent >= -minimumExp)
        {
            flags |= FpsrBits.UFC;
            return Zero(value.Sign, bits);
        }
        // The mantissa's fraction and exponent are already normalised, as the pseudocode does for denormals by hand.
        uint estimate = RecipEstimate((uint)(value.Mantissa >> 55));
        ulong fraction = (ulong)(estimate & 0xFF) << 44;
        // Biased, 2 * bias - 1 - exp: from -1 (largest numbers, a denormal result) up.
        int resultExp = -minimumExp - value.Exponent;
        if (resultExp == 0)
            fraction = (1UL << 51) | (fraction >> 1);
        else if (resultExp == -1)
        {
            fraction = (1UL << 50) | (fraction >> 2);
            resultExp = 0;
        }
        return Assemble(value.Sign, resultExp, fraction, bits);
    }

    private static ulong Assemble(bool sign, int biasedExp, ulong fraction, int bits) =>
        SignBit(sign, bits) | ((ulong)biasedExp << FractionBits(bits)) | ((fraction & Fraction52) >> (52 - FractionBits(bits)));

    /// <summary>FPRSqrtEstimate: 8 bits of 1/sqrt(op).</summary>
    public static ulong RSqrtEstimate(ulong op, int bits, uint fpcr, ref uint fpsr)
    {
        uint ignored = 0;
        ref uint flags = ref Silently(ref fpcr, ref fpsr, ref ignored);
        FpValue value = Unpack(op, bits, fpcr, ref flags);
        if (value.IsNaN)
            return ProcessNaN(value.Type, op, bits, fpcr, ref flags);
        if (value.IsZero)
        {
            flags |= FpsrBits.DZC;
            return Infinity(value.Sign, bits);
        }
        if (value.Sign)
        {
            flags |= FpsrBits.IOC;
            return DefaultNaN(fpcr, bits);
        }
        if (value.IsInfinity)
            return 0;
        int bias = 1 - MinimumExponent(bits);
        int exp = value.Exponent + bias;
        // Scale to 0.25 <= x < 1.0, in steps of 1/512, so that the exponent left over is even.
        uint scaled = (uint)(value.Mantissa >> ((exp & 1) == 0 ? 55 : 56));
        int resultExp = ((3 * bias) - 1 - exp) >> 1;
        return Assemble(false, resultExp, (ulong)(RecipSqrtEstimate(scaled) & 0xFF) << 44, bits);
    }

    /// <summary>FPRecpX: a number whose exponent is the reciprocal's, for scaling.</summary>
    public static ulong RecpX(ulong op, int bits, uint fpcr, ref uint fpsr)
    {
        uint ignored = 0;
        ref uint flags = ref Silently(ref fpcr, ref fpsr, ref ignored);
        FpValue value = Unpack(op, bits, fpcr, ref flags);
        if (value.IsNaN)
            return ProcessNaN(value.Type, op, bits, fpcr, ref flags);
        ulong ones = Mask(ExponentBits(bits));
        ulong exp = (op >> FractionBits(bits)) & ones;
        exp = exp == 0 ? ones - 1 : ~exp & ones;
        return SignBit(value.Sign, bits) | (exp << FractionBits(bits));
    }

    /// <summary>UnsignedRecipEstimate: URECPE of one word.</summary>
    public static uint UnsignedRecipEstimate(uint op) => (op >> 31) == 0 ? uint.MaxValue : RecipEstimate(op >> 23) << 23;

    /// <summary>UnsignedRSqrtEstimate: URSQRTE of one word.</summary>
    public static uint UnsignedRSqrtEstimate(uint op) => (op >> 30) == 0 ? uint.MaxValue : RecipSqrtEstimate(op >> 23) << 23;
}
