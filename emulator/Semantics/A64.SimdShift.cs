using System.Numerics;
using ArmVdso.Emulator.Processor;
using static ArmVdso.Emulator.Semantics.SimdElements;
using static ArmVdso.Emulator.Semantics.SimdLanes;

namespace ArmVdso.Emulator.Semantics;

/// <summary>Advanced SIMD shifts by register and by immediate, with rounding, saturation, insertion, narrowing and
/// widening (Arm ARM, C7.2 "shift").</summary>
public static partial class A64
{
    // Shift by register: the signed low byte of each element of Vm, left when positive.
    private static void ShiftByRegister(Cpu cpu, Shape s, bool unsigned, bool rounding, bool saturating, int rm, int rn, int rd)
    {
        V128 n = cpu.V(rn), m = cpu.V(rm), r = default;
        for (int e = 0; e < s.Elements; e++)
        {
            int shift = (sbyte)m.Elem(e, s.Esize);
            r.SetElem(e, s.Esize, ShiftElement(cpu, n.Elem(e, s.Esize), shift, s.Esize, unsigned, rounding, saturating));
        }
        cpu.SetV(rd, r);
    }

    /// <summary>One element shifted; rounding adds half of the last bit kept before a right shift.</summary>
    private static ulong ShiftElement(Cpu cpu, ulong element, int shift, int esize, bool unsigned, bool rounding, bool saturating)
    {
        if (shift < 0)
        {
            int right = -shift;
            if (!rounding)
                return unsigned ? (right < esize ? element >> right : 0) : (ulong)(SInt(element, esize) >> Math.Min(right, 63));
            return right > esize ? 0 : RoundedRight(element, right, esize, unsigned);
        }
        if (!saturating)
            return shift < esize ? element << shift : 0;
        // Everything but zero leaves the element when shifted by its width; one bit more says so without overflow.
        if (esize == 64)
        {
            Int128 wide = Wide(element, esize, unsigned);
            return SatQ(cpu, shift >= esize ? Int128.Sign(wide) * (Int128.One << 64) : wide << shift, esize, unsigned);
        }
        long value = unsigned ? (long)element : SInt(element, esize);
        return SatQ(cpu, shift >= esize ? Math.Sign(value) * (1L << 32) : value << shift, esize, unsigned);
    }

    /// <summary>(element + 2^(shift-1)) &gt;&gt; shift for shifts of 1 to esize: the last bit shifted out is added.</summary>
    private static ulong RoundedRight(ulong element, int shift, int esize, bool unsigned)
    {
        if (unsigned)
            return (element >> (shift - 1) >> 1) + ((element >> (shift - 1)) & 1);
        long value = SInt(element, esize) >> (shift - 1);
        return (ulong)((value >> 1) + (value & 1));
    }

    public static void SSHL_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        ShiftByRegister(cpu, Shape.Vec(q, size), Signed, false, false, rm, rn, rd);

    public static void USHL_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        ShiftByRegister(cpu, Shape.Vec(q, size), Unsigned, false, false, rm, rn, rd);

    public static void SQSHL_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        ShiftByRegister(cpu, Shape.Vec(q, size), Signed, false, true, rm, rn, rd);

    public static void UQSHL_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        ShiftByRegister(cpu, Shape.Vec(q, size), Unsigned, false, true, rm, rn, rd);

    public static void SRSHL_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        ShiftByRegister(cpu, Shape.Vec(q, size), Signed, true, false, rm, rn, rd);

    public static void URSHL_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        ShiftByRegister(cpu, Shape.Vec(q, size), Unsigned, true, false, rm, rn, rd);

    public static void SQRSHL_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        ShiftByRegister(cpu, Shape.Vec(q, size), Signed, true, true, rm, rn, rd);

    public static void UQRSHL_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        ShiftByRegister(cpu, Shape.Vec(q, size), Unsigned, true, true, rm, rn, rd);

    public static void SSHL_s(Cpu cpu, int rm, int rn, int rd) =>
        ShiftByRegister(cpu, Shape.Scalar(3), Signed, false, false, rm, rn, rd);

    public static void USHL_s(Cpu cpu, int rm, int rn, int rd) =>
        ShiftByRegister(cpu, Shape.Scalar(3), Unsigned, false, false, rm, rn, rd);

    public static void SQSHL_s(Cpu cpu, int size, int rm, int rn, int rd) =>
        ShiftByRegister(cpu, Shape.Scalar(size), Signed, false, true, rm, rn, rd);

    public static void UQSHL_s(Cpu cpu, int size, int rm, int rn, int rd) =>
        ShiftByRegister(cpu, Shape.Scalar(size), Unsigned, false, true, rm, rn, rd);

    public static void SRSHL_s(Cpu cpu, int rm, int rn, int rd) =>
        ShiftByRegister(cpu, Shape.Scalar(3), Signed, true, false, rm, rn, rd);

    public static void URSHL_s(Cpu cpu, int rm, int rn, int rd) =>
        ShiftByRegister(cpu, Shape.Scalar(3), Unsigned, true, false, rm, rn, rd);

    public static void SQRSHL_s(Cpu cpu, int size, int rm, int rn, int rd) =>
        ShiftByRegister(cpu, Shape.Scalar(size), Signed, true, true, rm, rn, rd);

    public static void UQRSHL_s(Cpu cpu, int size, int rm, int rn, int rd) =>
        ShiftByRegister(cpu, Shape.Scalar(size), Unsigned, true, true, rm, rn, rd);

    // Shift by immediate: immh:immb holds 2 * esize - shift (right) or esize + shift (left).
    private static int ImmhSize(int immh) => BitOperations.Log2((uint)immh);

    private static int RightAmount(int immh, int immb) => (16 << ImmhSize(immh)) - (immh << 3 | immb);

    private static int LeftAmount(int immh, int immb) => (immh << 3 | immb) - (8 << ImmhSize(immh));

    public static void SSHR_v(Cpu cpu, int q, int immh, int immb, int rn, int rd) =>
        Shift<Right>(cpu, q, ImmhSize(immh), Signed, rn, rd, RightAmount(immh, immb));

    public static void USHR_v(Cpu cpu, int q, int immh, int immb, int rn, int rd) =>
        Shift<Right>(cpu, q, ImmhSize(immh), Unsigned, rn, rd, RightAmount(immh, immb));

    public static void SSRA_v(Cpu cpu, int q, int immh, int immb, int rn, int rd) =>
        Shift<RightAdd>(cpu, q, ImmhSize(immh), Signed, rn, rd, RightAmount(immh, immb));

    public static void USRA_v(Cpu cpu, int q, int immh, int immb, int rn, int rd) =>
        Shift<RightAdd>(cpu, q, ImmhSize(immh), Unsigned, rn, rd, RightAmount(immh, immb));

    public static void SRSHR_v(Cpu cpu, int q, int immh, int immb, int rn, int rd) =>
        Shift<RightRound>(cpu, q, ImmhSize(immh), Signed, rn, rd, RightAmount(immh, immb));

    public static void URSHR_v(Cpu cpu, int q, int immh, int immb, int rn, int rd) =>
        Shift<RightRound>(cpu, q, ImmhSize(immh), Unsigned, rn, rd, RightAmount(immh, immb));

    public static void SRSRA_v(Cpu cpu, int q, int immh, int immb, int rn, int rd) =>
        Shift<RightRoundAdd>(cpu, q, ImmhSize(immh), Signed, rn, rd, RightAmount(immh, immb));

    public static void URSRA_v(Cpu cpu, int q, int immh, int immb, int rn, int rd) =>
        Shift<RightRoundAdd>(cpu, q, ImmhSize(immh), Unsigned, rn, rd, RightAmount(immh, immb));

    public static void SRI_v(Cpu cpu, int q, int immh, int immb, int rn, int rd) =>
        Shift<RightInsert>(cpu, q, ImmhSize(immh), Unsigned, rn, rd, RightAmount(immh, immb));

    public static void SHL_v(Cpu cpu, int q, int immh, int immb, int rn, int rd) =>
        Shift<Left>(cpu, q, ImmhSize(immh), Unsigned, rn, rd, LeftAmount(immh, immb));

    public static void SLI_v(Cpu cpu, int q, int immh, int immb, int rn, int rd) =>
        Shift<LeftInsert>(cpu, q, ImmhSize(immh), Unsigned, rn, rd, LeftAmount(immh, immb));

    // The scalar forms are the low half of the 64-bit vector forms.
    public static void SSHR_s(Cpu cpu, int immh, int immb, int rn, int rd) =>
        Shift<Right>(cpu, 0, 3, Signed, rn, rd, RightAmount(immh, immb));

    public static void USHR_s(Cpu cpu, int immh, int immb, int rn, int rd) =>
        Shift<Right>(cpu, 0, 3, Unsigned, rn, rd, RightAmount(immh, immb));

    public static void SSRA_s(Cpu cpu, int immh, int immb, int rn, int rd) =>
        Shift<RightAdd>(cpu, 0, 3, Signed, rn, rd, RightAmount(immh, immb));

    public static void USRA_s(Cpu cpu, int immh, int immb, int rn, int rd) =>
        Shift<RightAdd>(cpu, 0, 3, Unsigned, rn, rd, RightAmount(immh, immb));

    public static void SRSHR_s(Cpu cpu, int immh, int immb, int rn, int rd) =>
        Shift<RightRound>(cpu, 0, 3, Signed, rn, rd, RightAmount(immh, immb));

    public static void URSHR_s(Cpu cpu, int immh, int immb, int rn, int rd) =>
        Shift<RightRound>(cpu, 0, 3, Unsigned, rn, rd, RightAmount(immh, immb));

    public static void SRSRA_s(Cpu cpu, int immh, int immb, int rn, int rd) =>
        Shift<RightRoundAdd>(cpu, 0, 3, Signed, rn, rd, RightAmount(immh, immb));

    public static void URSRA_s(Cpu cpu, int immh, int immb, int rn, int rd) =>
        Shift<RightRoundAdd>(cpu, 0, 3, Unsigned, rn, rd, RightAmount(immh, immb));

    public static void SRI_s(Cpu cpu, int immh, int immb, int rn, int rd) =>
        Shift<RightInsert>(cpu, 0, 3, Unsigned, rn, rd, RightAmount(immh, immb));

    public static void SHL_s(Cpu cpu, int immh, int immb, int rn, int rd) =>
        Shift<Left>(cpu, 0, 3, Unsigned, rn, rd, LeftAmount(immh, immb));

    public static void SLI_s(Cpu cpu, int immh, int immb, int rn, int rd) =>
        Shift<LeftInsert>(cpu, 0, 3, Unsigned, rn, rd, LeftAmount(immh, immb));

    /// <summary>Saturating left shift by immediate; source and destination may differ in sign (SQSHLU).</summary>
    private static void SaturatingLeft(Cpu cpu, Shape s, bool unsignedSource, bool unsignedResult, int shift, int rn, int rd)
    {
        V128 n = cpu.V(rn), r = default;
        for (int e = 0; e < s.Elements; e++)
        {
            r.SetElem(e, s.Esize, s.Esize == 64
                ? SatQ(cpu, Wide(n.Elem(e, 64), 64, unsignedSource) << shift, 64, unsignedResult)
                : SatQ(cpu, Int(n, e, s.Esize, unsignedSource) << shift, s.Esize, unsignedResult));
        }
        cpu.SetV(rd, r);
    }

    public static void SQSHL_i_v(Cpu cpu, int q, int immh, int immb, int rn, int rd) =>
        SaturatingLeft(cpu, Shape.Vec(q, ImmhSize(immh)), Signed, Signed, LeftAmount(immh, immb), rn, rd);

    public static void UQSHL_i_v(Cpu cpu, int q, int immh, int immb, int rn, int rd) =>
        SaturatingLeft(cpu, Shape.Vec(q, ImmhSize(immh)), Unsigned, Unsigned, LeftAmount(immh, immb), rn, rd);

    public static void SQSHLU_v(Cpu cpu, int q, int immh, int immb, int rn, int rd) =>
        SaturatingLeft(cpu, Shape.Vec(q, ImmhSize(immh)), Signed, Unsigned, LeftAmount(immh, immb), rn, rd);

    public static void SQSHL_i_s(Cpu cpu, int immh, int immb, int rn, int rd) =>
        SaturatingLeft(cpu, Shape.Scalar(ImmhSize(immh)), Signed, Signed, LeftAmount(immh, immb), rn, rd);

    public static void UQSHL_i_s(Cpu cpu, int immh, int immb, int rn, int rd) =>
        SaturatingLeft(cpu, Shape.Scalar(ImmhSize(immh)), Unsigned, Unsigned, LeftAmount(immh, immb), rn, rd);

    public static void SQSHLU_s(Cpu cpu, int immh, int immb, int rn, int rd) =>
        SaturatingLeft(cpu, Shape.Scalar(ImmhSize(immh)), Signed, Unsigned, LeftAmount(immh, immb), rn, rd);

    // Widening
    private static void ShiftLeftLong(Cpu cpu, int q, int size, bool unsigned, int shift, int rn, int rd) =>
        cpu.SetV(rd, Up(size, Widen(size, unsigned, Half(cpu.V(rn), q).Lo), shift));

    public static void SSHLL_v(Cpu cpu, int q, int immh, int immb, int rn, int rd) =>
        ShiftLeftLong(cpu, q, ImmhSize(immh), Signed, LeftAmount(immh, immb), rn, rd);

    public static void USHLL_v(Cpu cpu, int q, int immh, int immb, int rn, int rd) =>
        ShiftLeftLong(cpu, q, ImmhSize(immh), Unsigned, LeftAmount(immh, immb), rn, rd);

    public static void SHLL_v(Cpu cpu, int q, int size, int rn, int rd) =>
        ShiftLeftLong(cpu, q, size, Unsigned, 8 << size, rn, rd);

    // Narrowing
    public static void SHRN_v(Cpu cpu, int q, int immh, int immb, int rn, int rd)
    {
        int size = ImmhSize(immh);
        V128 n = Down(size, cpu.V(rn), RightAmount(immh, immb));
        SetHalf(cpu, rd, q, NarrowPair(size, n, n).Lo);
    }

    public static void RSHRN_v(Cpu cpu, int q, int immh, int immb, int rn, int rd)
    {
        int size = ImmhSize(immh);
        int shift = RightAmount(immh, immb);
        V128 n = Apply<Add>(size + 1, Unsigned, cpu.V(rn), Replicate(1UL << (shift - 1), 16 << size));
        n = Down(size, n, shift);
        SetHalf(cpu, rd, q, NarrowPair(size, n, n).Lo);
    }

    /// <summary>The low elements of n, twice the width of s, shifted right, rounded and saturated to esize.</summary>
    private static ulong SaturatingNarrow(Cpu cpu, Shape s, bool unsignedSource, bool unsignedResult, bool rounding, int shift, int rn)
    {
        V128 n = cpu.V(rn), r = default;
        for (int e = 0; e < s.Elements; e++)
        {
            ulong element = n.Elem(e, 2 * s.Esize);
            if (!unsignedSource)
                element = (ulong)SInt(element, 2 * s.Esize);
            if (rounding)
                element = RoundedRight(element, shift, 64, unsignedSource);
            else
                element = unsignedSource ? element >> shift : (ulong)((long)element >> shift);
            // An unsigned number of 64 bits is clamped to 63: it saturates all the same.
            long value = unsignedSource ? (long)Math.Min(element, long.MaxValue) : (long)element;
            r.SetElem(e, s.Esize, SatQ(cpu, value, s.Esize, unsignedResult));
        }
        return r.Lo;
    }

    private static void SaturatingNarrowVector(
        Cpu cpu, int q, int immh, int immb, bool unsignedSource, bool unsignedResult, bool rounding, int rn, int rd)
    {
        Shape shape = Shape.Vec(0, ImmhSize(immh));
        SetHalf(cpu, rd, q, SaturatingNarrow(cpu, shape, unsignedSource, unsignedResult, rounding, RightAmount(immh, immb), rn));
    }

    private static void SaturatingNarrowScalar(
        Cpu cpu, int immh, int immb, bool unsignedSource, bool unsignedResult, bool rounding, int rn, int rd)
    {
        Shape shape = Shape.Scalar(ImmhSize(immh));
        cpu.SetVLow(rd, SaturatingNarrow(cpu, shape, unsignedSource, unsignedResult, rounding, RightAmount(immh, immb), rn));
    }

    public static void SQSHRN_v(Cpu cpu, int q, int immh, int immb, int rn, int rd) =>
        SaturatingNarrowVector(cpu, q, immh, immb, Signed, Signed, false, rn, rd);

    public static void SQRSHRN_v(Cpu cpu, int q, int immh, int immb, int rn, int rd) =>
        SaturatingNarrowVector(cpu, q, immh, immb, Signed, Signed, true, rn, rd);

    public static void UQSHRN_v(Cpu cpu, int q, int immh, int immb, int rn, int rd) =>
        SaturatingNarrowVector(cpu, q, immh, immb, Unsigned, Unsigned, false, rn, rd);

    public static void UQRSHRN_v(Cpu cpu, int q, int immh, int immb, int rn, int rd) =>
        SaturatingNarrowVector(cpu, q, immh, immb, Unsigned, Unsigned, true, rn, rd);

    public static void SQSHRUN_v(Cpu cpu, int q, int immh, int immb, int rn, int rd) =>
        SaturatingNarrowVector(cpu, q, immh, immb, Signed, Unsigned, false, rn, rd);

    public static void SQRSHRUN_v(Cpu cpu, int q, int immh, int immb, int rn, int rd) =>
        SaturatingNarrowVector(cpu, q, immh, immb, Signed, Unsigned, true, rn, rd);

    public static void SQSHRN_s(Cpu cpu, int immh, int immb, int rn, int rd) =>
        SaturatingNarrowScalar(cpu, immh, immb, Signed, Signed, false, rn, rd);

    public static void SQRSHRN_s(Cpu cpu, int immh, int immb, int rn, int rd) =>
        SaturatingNarrowScalar(cpu, immh, immb, Signed, Signed, true, rn, rd);

    public static void UQSHRN_s(Cpu cpu, int immh, int immb, int rn, int rd) =>
        SaturatingNarrowScalar(cpu, immh, immb, Unsigned, Unsigned, false, rn, rd);

    public static void UQRSHRN_s(Cpu cpu, int immh, int immb, int rn, int rd) =>
        SaturatingNarrowScalar(cpu, immh, immb, Unsigned, Unsigned, true, rn, rd);

    public static void SQSHRUN_s(Cpu cpu, int immh, int immb, int rn, int rd) =>
        SaturatingNarrowScalar(cpu, immh, immb, Signed, Unsigned, false, rn, rd);

    public static void SQRSHRUN_s(Cpu cpu, int immh, int immb, int rn, int rd) =>
        SaturatingNarrowScalar(cpu, immh, immb, Signed, Unsigned, true, rn, rd);

    // Extract narrow: the same without a shift.
    public static void XTN_v(Cpu cpu, int q, int size, int rn, int rd) =>
        SetHalf(cpu, rd, q, NarrowPair(size, cpu.V(rn), default).Lo);

    public static void SQXTN_v(Cpu cpu, int q, int size, int rn, int rd) =>
        SetHalf(cpu, rd, q, SaturatingNarrow(cpu, Shape.Vec(0, size), Signed, Signed, false, 0, rn));

    public static void SQXTUN_v(Cpu cpu, int q, int size, int rn, int rd) =>
        SetHalf(cpu, rd, q, SaturatingNarrow(cpu, Shape.Vec(0, size), Signed, Unsigned, false, 0, rn));

    public static void UQXTN_v(Cpu cpu, int q, int size, int rn, int rd) =>
        SetHalf(cpu, rd, q, SaturatingNarrow(cpu, Shape.Vec(0, size), Unsigned, Unsigned, false, 0, rn));

    public static void SQXTN_s(Cpu cpu, int size, int rn, int rd) =>
        cpu.SetVLow(rd, SaturatingNarrow(cpu, Shape.Scalar(size), Signed, Signed, false, 0, rn));

    public static void SQXTUN_s(Cpu cpu, int size, int rn, int rd) =>
        cpu.SetVLow(rd, SaturatingNarrow(cpu, Shape.Scalar(size), Signed, Unsigned, false, 0, rn));

    public static void UQXTN_s(Cpu cpu, int size, int rn, int rd) =>
        cpu.SetVLow(rd, SaturatingNarrow(cpu, Shape.Scalar(size), Unsigned, Unsigned, false, 0, rn));
}
