using ArmVdso.Emulator.Processor;
using static ArmVdso.Emulator.Semantics.SimdElements;
using static ArmVdso.Emulator.Semantics.SimdLanes;

namespace ArmVdso.Emulator.Semantics;

/// <summary>Advanced SIMD operations whose operands and results differ in size: long, wide, high narrow and the long
/// multiplications, by vector and by element (Arm ARM, C7.2). q selects the half of the narrow operands.</summary>
public static partial class A64
{
    // Long and wide add, subtract, absolute difference
    private static V128 WidenHalf(Cpu cpu, int q, int size, bool unsigned, int n) =>
        Widen(size, unsigned, Half(cpu.V(n), q).Lo);

    private static void AddLong<TOp>(Cpu cpu, int q, int size, bool unsigned, int rm, int rn, int rd)
        where TOp : struct, ILanes2 =>
        cpu.SetV(rd, Apply<TOp>(size + 1, Signed, WidenHalf(cpu, q, size, unsigned, rn), WidenHalf(cpu, q, size, unsigned, rm)));

    private static void AddWide<TOp>(Cpu cpu, int q, int size, bool unsigned, int rm, int rn, int rd)
        where TOp : struct, ILanes2 =>
        cpu.SetV(rd, Apply<TOp>(size + 1, Signed, cpu.V(rn), WidenHalf(cpu, q, size, unsigned, rm)));

    private static V128 DifferenceLong(Cpu cpu, int q, int size, bool unsigned, int rm, int rn) =>
        Apply<Abd>(size + 1, Signed, WidenHalf(cpu, q, size, unsigned, rn), WidenHalf(cpu, q, size, unsigned, rm));

    private static void DifferenceLongAdd(Cpu cpu, int q, int size, bool unsigned, int rm, int rn, int rd) =>
        cpu.SetV(rd, Apply<Add>(size + 1, Signed, cpu.V(rd), DifferenceLong(cpu, q, size, unsigned, rm, rn)));

    public static void SADDL_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => AddLong<Add>(cpu, q, size, Signed, rm, rn, rd);

    public static void UADDL_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => AddLong<Add>(cpu, q, size, Unsigned, rm, rn, rd);

    public static void SSUBL_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => AddLong<Sub>(cpu, q, size, Signed, rm, rn, rd);

    public static void USUBL_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => AddLong<Sub>(cpu, q, size, Unsigned, rm, rn, rd);

    public static void SADDW_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => AddWide<Add>(cpu, q, size, Signed, rm, rn, rd);

    public static void UADDW_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => AddWide<Add>(cpu, q, size, Unsigned, rm, rn, rd);

    public static void SSUBW_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => AddWide<Sub>(cpu, q, size, Signed, rm, rn, rd);

    public static void USUBW_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => AddWide<Sub>(cpu, q, size, Unsigned, rm, rn, rd);

    public static void SABDL_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        cpu.SetV(rd, DifferenceLong(cpu, q, size, Signed, rm, rn));

    public static void UABDL_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        cpu.SetV(rd, DifferenceLong(cpu, q, size, Unsigned, rm, rn));

    public static void SABAL_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => DifferenceLongAdd(cpu, q, size, Signed, rm, rn, rd);

    public static void UABAL_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => DifferenceLongAdd(cpu, q, size, Unsigned, rm, rn, rd);

    // High narrow: the upper half of each element of the sum or difference, rounded by half of its last bit.
    private static void HighNarrow<TOp>(Cpu cpu, int q, int size, bool rounding, int rm, int rn, int rd)
        where TOp : struct, ILanes2
    {
        int esize = 8 << size;
        V128 r = Apply<TOp>(size + 1, Unsigned, cpu.V(rn), cpu.V(rm));
        if (rounding)
            r = Apply<Add>(size + 1, Unsigned, r, Replicate(1UL << (esize - 1), 2 * esize));
        SetHalf(cpu, rd, q, NarrowPair(size, Down(size, r, esize), default).Lo);
    }

    public static void ADDHN_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => HighNarrow<Add>(cpu, q, size, false, rm, rn, rd);

    public static void RADDHN_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => HighNarrow<Add>(cpu, q, size, true, rm, rn, rd);

    public static void SUBHN_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => HighNarrow<Sub>(cpu, q, size, false, rm, rn, rd);

    public static void RSUBHN_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => HighNarrow<Sub>(cpu, q, size, true, rm, rn, rd);

    // Long multiplication; "operand" holds the elements of the second factor in its low half.
    private static V128 ProductLong(Cpu cpu, int q, int size, bool unsigned, V128 operand, int rn) =>
        Apply<Mul>(size + 1, Unsigned, WidenHalf(cpu, q, size, unsigned, rn), Widen(size, unsigned, operand.Lo));

    private static void MultiplyLong(Cpu cpu, int q, int size, bool unsigned, V128 operand, int rn, int rd) =>
        cpu.SetV(rd, ProductLong(cpu, q, size, unsigned, operand, rn));

    private static void MultiplyLongAdd(Cpu cpu, int q, int size, bool unsigned, V128 operand, int rn, int rd) =>
        cpu.SetV(rd, Apply<Add>(size + 1, Unsigned, cpu.V(rd), ProductLong(cpu, q, size, unsigned, operand, rn)));

    private static void MultiplyLongSubtract(Cpu cpu, int q, int size, bool unsigned, V128 operand, int rn, int rd) =>
        cpu.SetV(rd, Apply<Sub>(size + 1, Unsigned, cpu.V(rd), ProductLong(cpu, q, size, unsigned, operand, rn)));

    public static void SMULL_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        MultiplyLong(cpu, q, size, Signed, Half(cpu.V(rm), q), rn, rd);

    public static void UMULL_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        MultiplyLong(cpu, q, size, Unsigned, Half(cpu.V(rm), q), rn, rd);

    public static void SMLAL_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        MultiplyLongAdd(cpu, q, size, Signed, Half(cpu.V(rm), q), rn, rd);

    public static void UMLAL_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        MultiplyLongAdd(cpu, q, size, Unsigned, Half(cpu.V(rm), q), rn, rd);

    public static void SMLSL_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        MultiplyLongSubtract(cpu, q, size, Signed, Half(cpu.V(rm), q), rn, rd);

    public static void UMLSL_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        MultiplyLongSubtract(cpu, q, size, Unsigned, Half(cpu.V(rm), q), rn, rd);

    public static void SMULL_elt(Cpu cpu, int q, int size, int l, int m, int rm, int h, int rn, int rd) =>
        MultiplyLong(cpu, q, size, Signed, ByElement(cpu, size, l, m, rm, h), rn, rd);

    public static void UMULL_elt(Cpu cpu, int q, int size, int l, int m, int rm, int h, int rn, int rd) =>
        MultiplyLong(cpu, q, size, Unsigned, ByElement(cpu, size, l, m, rm, h), rn, rd);

    public static void SMLAL_elt(Cpu cpu, int q, int size, int l, int m, int rm, int h, int rn, int rd) =>
        MultiplyLongAdd(cpu, q, size, Signed, ByElement(cpu, size, l, m, rm, h), rn, rd);

    public static void UMLAL_elt(Cpu cpu, int q, int size, int l, int m, int rm, int h, int rn, int rd) =>
        MultiplyLongAdd(cpu, q, size, Unsigned, ByElement(cpu, size, l, m, rm, h), rn, rd);

    public static void SMLSL_elt(Cpu cpu, int q, int size, int l, int m, int rm, int h, int rn, int rd) =>
        MultiplyLongSubtract(cpu, q, size, Signed, ByElement(cpu, size, l, m, rm, h), rn, rd);

    public static void UMLSL_elt(Cpu cpu, int q, int size, int l, int m, int rm, int h, int rn, int rd) =>
        MultiplyLongSubtract(cpu, q, size, Unsigned, ByElement(cpu, size, l, m, rm, h), rn, rd);

    // Saturating doubling multiply long: the product saturates first, then the accumulation does.
    private enum Accumulate
    {
        None,
        Add,
        Subtract,
    }

    private static void DoublingLong(Cpu cpu, Shape s, Accumulate how, V128 n, V128 operand, int rd)
    {
        V128 d = cpu.V(rd), r = default;
        int wide = 2 * s.Esize;
        for (int e = 0; e < s.Elements; e++)
        {
            Int128 product = 2 * (Int128)(Int(n, e, s.Esize, Signed) * Int(operand, e, s.Esize, Signed));
            long element = SInt(SatQ(cpu, product, wide, Signed), wide);
            long accumulator = Int(d, e, wide, Signed);
            r.SetElem(e, wide, how switch
            {
                Accumulate.Add => SatQ(cpu, (Int128)accumulator + element, wide, Signed),
                Accumulate.Subtract => SatQ(cpu, (Int128)accumulator - element, wide, Signed),
                _ => (ulong)element,
            });
        }
        cpu.SetV(rd, r);
    }

    public static void SQDMULL_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        DoublingLong(cpu, Shape.Vec(0, size), Accumulate.None, Half(cpu.V(rn), q), Half(cpu.V(rm), q), rd);

    public static void SQDMLAL_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        DoublingLong(cpu, Shape.Vec(0, size), Accumulate.Add, Half(cpu.V(rn), q), Half(cpu.V(rm), q), rd);

    public static void SQDMLSL_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        DoublingLong(cpu, Shape.Vec(0, size), Accumulate.Subtract, Half(cpu.V(rn), q), Half(cpu.V(rm), q), rd);

    public static void SQDMULL_s(Cpu cpu, int size, int rm, int rn, int rd) =>
        DoublingLong(cpu, Shape.Scalar(size), Accumulate.None, cpu.V(rn), cpu.V(rm), rd);

    public static void SQDMLAL_s(Cpu cpu, int size, int rm, int rn, int rd) =>
        DoublingLong(cpu, Shape.Scalar(size), Accumulate.Add, cpu.V(rn), cpu.V(rm), rd);

    public static void SQDMLSL_s(Cpu cpu, int size, int rm, int rn, int rd) =>
        DoublingLong(cpu, Shape.Scalar(size), Accumulate.Subtract, cpu.V(rn), cpu.V(rm), rd);

    public static void SQDMULL_elt(Cpu cpu, int q, int size, int l, int m, int rm, int h, int rn, int rd) =>
        DoublingLong(cpu, Shape.Vec(0, size), Accumulate.None, Half(cpu.V(rn), q), ByElement(cpu, size, l, m, rm, h), rd);

    public static void SQDMLAL_elt(Cpu cpu, int q, int size, int l, int m, int rm, int h, int rn, int rd) =>
        DoublingLong(cpu, Shape.Vec(0, size), Accumulate.Add, Half(cpu.V(rn), q), ByElement(cpu, size, l, m, rm, h), rd);

    public static void SQDMLSL_elt(Cpu cpu, int q, int size, int l, int m, int rm, int h, int rn, int rd) =>
        DoublingLong(cpu, Shape.Vec(0, size), Accumulate.Subtract, Half(cpu.V(rn), q), ByElement(cpu, size, l, m, rm, h), rd);

    public static void SQDMULL_selt(Cpu cpu, int size, int l, int m, int rm, int h, int rn, int rd) =>
        DoublingLong(cpu, Shape.Scalar(size), Accumulate.None, cpu.V(rn), ByElement(cpu, size, l, m, rm, h), rd);

    public static void SQDMLAL_selt(Cpu cpu, int size, int l, int m, int rm, int h, int rn, int rd) =>
        DoublingLong(cpu, Shape.Scalar(size), Accumulate.Add, cpu.V(rn), ByElement(cpu, size, l, m, rm, h), rd);

    public static void SQDMLSL_selt(Cpu cpu, int size, int l, int m, int rm, int h, int rn, int rd) =>
        DoublingLong(cpu, Shape.Scalar(size), Accumulate.Subtract, cpu.V(rn), ByElement(cpu, size, l, m, rm, h), rd);

    // Polynomial multiply long
    public static void PMULL_v(Cpu cpu, int q, int rm, int rn, int rd) =>
        cpu.SetV(rd, Apply<PolynomialMul>(1, Unsigned, WidenHalf(cpu, q, 0, Unsigned, rn), WidenHalf(cpu, q, 0, Unsigned, rm)));

    public static void PMULL_1q(Cpu cpu, int q, int rm, int rn, int rd) =>
        cpu.SetV(rd, CryptoPolynomial.Multiply64(Half(cpu.V(rn), q).Lo, Half(cpu.V(rm), q).Lo));
}
