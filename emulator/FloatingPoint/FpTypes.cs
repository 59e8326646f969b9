namespace ArmVdso.Emulator.FloatingPoint;

/// <summary>FPType of the Arm pseudocode (DDI0487, Shared Pseudocode, FPUnpack).</summary>
public enum FpType : byte
{
    /// <summary>A zero, or a denormal that was flushed to zero.</summary>
    Zero,

    /// <summary>A denormal that was not flushed.</summary>
    Denormal,

    /// <summary>A normal number.</summary>
    Nonzero,

    /// <summary>An infinity.</summary>
    Infinity,

    /// <summary>A quiet NaN.</summary>
    QNaN,

    /// <summary>A signalling NaN.</summary>
    SNaN,
}

/// <summary>FPRounding of the Arm pseudocode; the first four are the encodings of FPCR.RMode.</summary>
public enum FpRounding : byte
{
    /// <summary>To nearest, ties to even.</summary>
    TieEven,

    /// <summary>Towards plus infinity.</summary>
    PosInf,

    /// <summary>Towards minus infinity.</summary>
    NegInf,

    /// <summary>Towards zero.</summary>
    Zero,

    /// <summary>To nearest, ties away from zero.</summary>
    TieAway,

    /// <summary>Towards zero with the lowest bit set when inexact (von Neumann rounding).</summary>
    Odd,
}

/// <summary>Bits of FPCR that arithmetic looks at (DDI0487, C5.2.7).</summary>
public static class FpcrBits
{
    /// <summary>Flush denormal inputs to zero (FEAT_AFP).</summary>
    public const uint FIZ = 1u << 0;

    /// <summary>Alternate handling of floating-point numbers (FEAT_AFP).</summary>
    public const uint AH = 1u << 1;

    /// <summary>Scalar results keep the other elements of one of their source registers (FEAT_AFP).</summary>
    public const uint NEP = 1u << 2;

    /// <summary>Flush half-precision denormals to zero.</summary>
    public const uint FZ16 = 1u << 19;

    /// <summary>Lowest bit of the two-bit rounding mode.</summary>
    public const int RModeShift = 22;

    /// <summary>The rounding mode.</summary>
    public const uint RMode = 3u << RModeShift;

    /// <summary>Flush single- and double-precision denormals to zero.</summary>
    public const uint FZ = 1u << 24;

    /// <summary>NaN results are the default NaN.</summary>
    public const uint DN = 1u << 25;

    /// <summary>Half precision is the alternative format, without infinities and NaNs.</summary>
    public const uint AHP = 1u << 26;
}

/// <summary>Cumulative exception bits of FPSR (DDI0487, C5.2.8).</summary>
public static class FpsrBits
{
    /// <summary>Invalid operation.</summary>
    public const uint IOC = 1u << 0;

    /// <summary>Division by zero.</summary>
    public const uint DZC = 1u << 1;

    /// <summary>Overflow.</summary>
    public const uint OFC = 1u << 2;

    /// <summary>Underflow.</summary>
    public const uint UFC = 1u << 3;

    /// <summary>Inexact.</summary>
    public const uint IXC = 1u << 4;

    /// <summary>Input denormal.</summary>
    public const uint IDC = 1u << 7;

    /// <summary>Saturation of an integer SIMD operation.</summary>
    public const uint QC = 1u << 27;
}

/// <summary>An unpacked number. A finite nonzero value is Mantissa * 2^(Exponent - 63) with bit 63 of the mantissa set,
/// so 1.0 &lt;= Mantissa * 2^-63 &lt; 2.0. Zero and infinity carry exponents that order them by magnitude.</summary>
internal readonly struct FpValue(FpType type, bool sign, int exponent, ulong mantissa)
{
    public readonly ulong Mantissa = mantissa;
    public readonly int Exponent = exponent;
    public readonly FpType Type = type;
    public readonly bool Sign = sign;

    public bool IsNaN => Type >= FpType.QNaN;

    public bool IsInfinity => Type == FpType.Infinity;

    public bool IsZero => Type == FpType.Zero;
}
