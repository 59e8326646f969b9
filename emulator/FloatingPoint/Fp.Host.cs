using System.Runtime.Intrinsics.X86;
using ArmSimd = System.Runtime.Intrinsics.Arm.AdvSimd;

namespace ArmVdso.Emulator.FloatingPoint;

/// <summary>
/// Short cuts by the host's IEEE 754 arithmetic, taken only where result and exception bits are provably the same:
/// <list type="bullet">
/// <item>FPCR rounds to nearest even, as the host does, and FEAT_AFP's controls are off;</item>
/// <item>FPSR.IXC is already set, so that Inexact adds nothing;</item>
/// <item>every operand is a zero or a normal number: no NaN rules, no Invalid Operation, no flushed input;</item>
/// <item>the result is finite and above the smallest normal number in magnitude, hence no overflow, no underflow (which is
/// detected before rounding), no flushed output and no division by zero.</item>
/// </list>
/// The multiply-add needs a fused instruction of the host. Anything else, half precision too, is computed in integers.
/// </summary>
public static partial class Fp
{
    private const uint HostControls = FpcrBits.RMode | FpcrBits.AH | FpcrBits.FIZ;
    private const ulong Magnitude64 = ulong.MaxValue >> 1;
    private const ulong Infinity64 = 0x7FF0_0000_0000_0000;
    private const ulong Smallest64 = 0x0010_0000_0000_0000;
    private const uint Magnitude32 = uint.MaxValue >> 1;
    private const uint Infinity32 = 0x7F80_0000;
    private const uint Smallest32 = 0x0080_0000;

    private static readonly bool HostHasFma = Fma.IsSupported || ArmSimd.Arm64.IsSupported;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool HostApplies(int bits, uint fpcr, uint fpsr) =>
        bits != 16 && (fpcr & HostControls) == 0 && (fpsr & FpsrBits.IXC) != 0;

    /// <summary>Zero or normal; the addition wraps zero's predecessor to a huge number.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Plain64(ulong op)
    {
        ulong magnitude = op & Magnitude64;
        return magnitude - Smallest64 < Infinity64 - Smallest64 || magnitude == 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Plain32(uint op)
    {
        uint magnitude = op & Magnitude32;
        return magnitude - Smallest32 < Infinity32 - Smallest32 || magnitude == 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Accept(double value, out ulong result)
    {
        result = BitConverter.DoubleToUInt64Bits(value);
        return (result & Magnitude64) - (Smallest64 + 1) < Infinity64 - (Smallest64 + 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Accept(float value, out ulong result)
    {
        uint word = BitConverter.SingleToUInt32Bits(value);
        result = word;
        return (word & Magnitude32) - (Smallest32 + 1) < Infinity32 - (Smallest32 + 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double F64(ulong op) => BitConverter.UInt64BitsToDouble(op);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static float F32(ulong op) => BitConverter.UInt32BitsToSingle((uint)op);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool PlainOperands(ulong op1, ulong op2, int bits, uint fpcr, uint fpsr) =>
        HostApplies(bits, fpcr, fpsr) && (bits == 64 ? Plain64(op1) && Plain64(op2) : Plain32((uint)op1) && Plain32((uint)op2));

    private static bool HostAdd(ulong op1, ulong op2, int bits, uint fpcr, uint fpsr, out ulong result)
    {
        result = 0;
        if (!PlainOperands(op1, op2, bits, fpcr, fpsr))
            return false;
        return bits == 64 ? Accept(F64(op1) + F64(op2), out result) : Accept(F32(op1) + F32(op2), out result);
    }

    private static bool HostSub(ulong op1, ulong op2, int bits, uint fpcr, uint fpsr, out ulong result)
    {
        result = 0;
        if (!PlainOperands(op1, op2, bits, fpcr, fpsr))
            return false;
        return bits == 64 ? Accept(F64(op1) - F64(op2), out result) : Accept(F32(op1) - F32(op2), out result);
    }

    private static bool HostMul(ulong op1, ulong op2, int bits, uint fpcr, uint fpsr, out ulong result)
    {
        result = 0;
        if (!PlainOperands(op1, op2, bits, fpcr, fpsr))
            return false;
        return bits == 64 ? Accept(F64(op1) * F64(op2), out result) : Accept(F32(op1) * F32(op2), out result);
    }

    private static bool HostDiv(ulong op1, ulong op2, int bits, uint fpcr, uint fpsr, out ulong result)
    {
        result = 0;
        if (!PlainOperands(op1, op2, bits, fpcr, fpsr))
            return false;
        return bits == 64 ? Accept(F64(op1) / F64(op2), out result) : Accept(F32(op1) / F32(op2), out result);
    }

    private static bool HostSqrt(ulong op, int bits, uint fpcr, uint fpsr, out ulong result)
    {
        result = 0;
        if (!PlainOperands(op, op, bits, fpcr, fpsr))
            return false;
        return bits == 64 ? Accept(Math.Sqrt(F64(op)), out result) : Accept(MathF.Sqrt(F32(op)), out result);
    }

    private static bool HostMulAdd(ulong addend, ulong op1, ulong op2, int bits, uint fpcr, uint fpsr, out ulong result)
    {
        result = 0;
        if (!HostHasFma || !PlainOperands(op1, op2, bits, fpcr, fpsr) || !(bits == 64 ? Plain64(addend) : Plain32((uint)addend)))
            return false;
        return bits == 64
            ? Accept(Math.FusedMultiplyAdd(F64(op1), F64(op2), F64(addend)), out result)
            : Accept(MathF.FusedMultiplyAdd(F32(op1), F32(op2), F32(addend)), out result);
    }
}
