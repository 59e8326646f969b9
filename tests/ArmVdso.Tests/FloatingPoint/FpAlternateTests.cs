using ArmVdso.Emulator.FloatingPoint;

namespace ArmVdso.Tests.FloatingPoint;

/// <summary>FEAT_AFP (FPCR.AH, FIZ), by the Arm pseudocode (DDI0487, J1.3) and the description of FPCR (C5.2.7): the
/// AArch64 emulator of the differential test does not have it.</summary>
public class FpAlternateTests
{
    private const ulong One = 0x3F800000, Two = 0x40000000, SmallestNormal = 0x00800000, Denormal = 0x00400000;
    private const ulong QNaN1 = 0x7FC00001, QNaN2 = 0x7FC00002, SNaN1 = 0x7F800001, MinusZero = 0x80000000;

    [Fact]
    public void TheDefaultNaNIsNegative()
    {
        uint fpsr = 0;
        Assert.Equal(0xFFC00000u, Fp.Sqrt(0xBF800000, 32, FpcrBits.AH, ref fpsr));
        Assert.Equal(FpsrBits.IOC, fpsr);
    }

    [Fact]
    public void NegationAndAbsoluteValueLeaveNaNsAlone()
    {
        Assert.Equal(QNaN1, Fp.Neg(QNaN1, 32, FpcrBits.AH));
        Assert.Equal(QNaN1 | MinusZero, Fp.Abs(QNaN1 | MinusZero, 32, FpcrBits.AH));
        Assert.Equal(One | MinusZero, Fp.Neg(One, 32, FpcrBits.AH));
        Assert.Equal(QNaN1 | MinusZero, Fp.Neg(QNaN1, 32, 0));
    }

    [Fact]
    public void OfTwoNaNsTheFirstOperandIsReturnedEvenWhenTheOtherSignals()
    {
        uint fpsr = 0;
        Assert.Equal(QNaN2, Fp.Add(QNaN2, SNaN1, 32, FpcrBits.AH, ref fpsr));
        Assert.Equal(FpsrBits.IOC, fpsr);
        Assert.Equal(0x7FC00001u, Fp.Add(QNaN2, SNaN1, 32, 0, ref fpsr));
    }

    [Fact]
    public void OfThreeNaNsTheFirstFactorIsReturned()
    {
        uint fpsr = 0;
        Assert.Equal(QNaN2, Fp.MulAdd(QNaN1, QNaN2, One, 32, FpcrBits.AH, ref fpsr));
        Assert.Equal(QNaN1, Fp.MulAdd(QNaN1, One, One, 32, FpcrBits.AH, ref fpsr));
        Assert.Equal(QNaN1, Fp.MulAdd(QNaN1, QNaN2, One, 32, 0, ref fpsr));
        Assert.Equal(0u, fpsr);
    }

    [Fact]
    public void AnInvalidProductDoesNotReplaceAQuietAddend()
    {
        uint fpsr = 0;
        Assert.Equal(QNaN1, Fp.MulAdd(QNaN1, 0, 0x7F800000, 32, FpcrBits.AH, ref fpsr));
        Assert.Equal(0u, fpsr);
        Assert.Equal(0x7FC00000u, Fp.MulAdd(QNaN1, 0, 0x7F800000, 32, 0, ref fpsr));
        Assert.Equal(FpsrBits.IOC, fpsr);
    }

    [Fact]
    public void MaximumAndMinimumTakeTheSecondOperand()
    {
        uint fpsr = 0;
        Assert.Equal(MinusZero, Fp.Max(0, MinusZero, 32, FpcrBits.AH, ref fpsr));
        Assert.Equal(0u, Fp.Min(MinusZero, 0, 32, FpcrBits.AH, ref fpsr));
        Assert.Equal(0u, fpsr);
        Assert.Equal(One, Fp.Max(QNaN1, One, 32, FpcrBits.AH, ref fpsr));
        Assert.Equal(FpsrBits.IOC, fpsr);
        Assert.Equal(QNaN1, Fp.Max(One, QNaN1, 32, FpcrBits.AH, ref fpsr));
        Assert.Equal(One, Fp.MaxNum(QNaN1, One, 32, FpcrBits.AH, ref fpsr));
    }

    /// <summary>Half of (2 - 2^-23) * 2^-126 rounds up to 2^-126.</summary>
    [Theory]
    [InlineData(0u, FpsrBits.UFC | FpsrBits.IXC, SmallestNormal)]
    [InlineData(FpcrBits.AH, FpsrBits.UFC | FpsrBits.IXC, SmallestNormal)]
    [InlineData(FpcrBits.FZ, FpsrBits.UFC, 0ul)]
    [InlineData(FpcrBits.AH | FpcrBits.FZ, FpsrBits.UFC | FpsrBits.IXC, 0ul)]
    public void TheHalfOfTheLargestBelowTwiceTheSmallest(uint fpcr, uint flags, ulong expected)
    {
        // With unlimited exponent this is exact, so it is tiny before and after rounding.
        uint fpsr = 0;
        Assert.Equal(expected, Fp.Mul(0x00FFFFFF, 0x3F000000, 32, fpcr, ref fpsr));
        Assert.Equal(flags, fpsr);
    }

    /// <summary>2^-126 - 2^-152 is below the smallest normal number by a quarter of a unit of 24 significant bits, so with
    /// unlimited exponent it rounds up to it: tiny before rounding, not after.</summary>
    [Theory]
    [InlineData(0u, FpsrBits.UFC | FpsrBits.IXC)]
    [InlineData(FpcrBits.AH, FpsrBits.IXC)]
    [InlineData(FpcrBits.AH | FpcrBits.FZ, FpsrBits.IXC)]
    public void TininessIsDetectedAfterRounding(uint fpcr, uint flags)
    {
        uint fpsr = 0;
        Assert.Equal(SmallestNormal, Fp.MulAdd(SmallestNormal, 0x99000000 /* -2^-77 */, 0x1A000000 /* 2^-75 */, 32, fpcr, ref fpsr));
        Assert.Equal(flags, fpsr);
    }

    [Fact]
    public void ADenormalThatIsUsedRaisesInputDenormal()
    {
        uint fpsr = 0;
        Assert.Equal(One, Fp.Add(One, 1, 32, FpcrBits.AH, ref fpsr));
        Assert.Equal(FpsrBits.IDC | FpsrBits.IXC, fpsr);
        fpsr = 0;
        Assert.Equal(Denormal, Fp.Add(Denormal, 0, 32, FpcrBits.AH, ref fpsr));
        Assert.Equal(FpsrBits.IDC, fpsr);
    }

    [Fact]
    public void FizFlushesInputsSilently()
    {
        uint fpsr = 0;
        Assert.Equal(Two, Fp.Add(Two, Denormal, 32, FpcrBits.FIZ, ref fpsr));
        Assert.Equal(0u, fpsr);
        Assert.Equal(0u, Fp.ToFixed(Denormal, 32, 0, true, 32, FpcrBits.FIZ, FpRounding.PosInf, ref fpsr));
        Assert.Equal(0u, fpsr);
    }

    [Fact]
    public void EstimatesAndStepsRaiseNothing()
    {
        uint fpsr = 0;
        Assert.Equal(0x7F800000u, Fp.RecipEstimate(0, 32, FpcrBits.AH, ref fpsr));
        Assert.Equal(0x7F800000u, Fp.RSqrtEstimate(Denormal, 32, FpcrBits.AH, ref fpsr));
        Assert.Equal(0xFFC00000u, Fp.RSqrtEstimate(One | MinusZero, 32, FpcrBits.AH, ref fpsr));
        Assert.Equal(Two, Fp.RecipStepFused(Denormal, 0x7F800000, 32, FpcrBits.AH, ref fpsr));
        Assert.Equal(0u, fpsr);
    }

    [Fact]
    public void BFloat16ConversionAndMultiplyAddRoundToNearestAndRaiseNothing()
    {
        uint fpsr = 0;
        const uint alternateUp = FpcrBits.AH | (1u << FpcrBits.RModeShift);
        Assert.Equal(0x3F80u, Fp.ConvertBF(One + 1, alternateUp, ref fpsr));
        Assert.Equal(0u, Fp.ConvertBF(Denormal, alternateUp, ref fpsr));
        Assert.Equal(One, Fp.BFMulAdd(One, 0x3000, 0x3000, alternateUp, ref fpsr));
        Assert.Equal(0u, fpsr);
        Assert.Equal(0x3F81u, Fp.ConvertBF(One + 1, 1u << FpcrBits.RModeShift, ref fpsr));
        Assert.Equal(FpsrBits.IXC, fpsr);
    }
}
