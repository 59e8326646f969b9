using ArmVdso.Emulator.Processor;
using static ArmVdso.Emulator.Semantics.SimdElements;
using static ArmVdso.Emulator.Semantics.SimdLanes;

namespace ArmVdso.Emulator.Semantics;

/// <summary>Advanced SIMD integer multiplication of one element size, by vector and by element: multiply (accumulate),
/// saturating doubling high half, dot products and matrix multiplication (Arm ARM, C7.2).</summary>
public static partial class A64
{
    /// <summary>The indexed element of Vm in all lanes: halfwords are Vm 0..15 and index h:l:m, words m:rm and index h:l.</summary>
    private static V128 ByElement(Cpu cpu, int size, int l, int m, int rm, int h) => size == 1
        ? Replicate(cpu.V(rm).Elem((h << 2) | (l << 1) | m, 16), 16)
        : Replicate(cpu.V((m << 4) | rm).Elem((h << 1) | l, 32), 32);

    private static void MultiplyAdd(Cpu cpu, int q, int size, V128 operand, int rn, int rd) =>
        Write(cpu, q, rd, Apply<Add>(size, Unsigned, cpu.V(rd), Apply<Mul>(size, Unsigned, cpu.V(rn), operand)));

    private static void MultiplySubtract(Cpu cpu, int q, int size, V128 operand, int rn, int rd) =>
        Write(cpu, q, rd, Apply<Sub>(size, Unsigned, cpu.V(rd), Apply<Mul>(size, Unsigned, cpu.V(rn), operand)));

    public static void MUL_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => Binary<Mul>(cpu, q, size, Unsigned, rn, rm, rd);

    public static void MLA_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => MultiplyAdd(cpu, q, size, cpu.V(rm), rn, rd);

    public static void MLS_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => MultiplySubtract(cpu, q, size, cpu.V(rm), rn, rd);

    public static void MUL_elt(Cpu cpu, int q, int size, int l, int m, int rm, int h, int rn, int rd) =>
        Write(cpu, q, rd, Apply<Mul>(size, Unsigned, cpu.V(rn), ByElement(cpu, size, l, m, rm, h)));

    public static void MLA_elt(Cpu cpu, int q, int size, int l, int m, int rm, int h, int rn, int rd) =>
        MultiplyAdd(cpu, q, size, ByElement(cpu, size, l, m, rm, h), rn, rd);

    public static void MLS_elt(Cpu cpu, int q, int size, int l, int m, int rm, int h, int rn, int rd) =>
        MultiplySubtract(cpu, q, size, ByElement(cpu, size, l, m, rm, h), rn, rd);

    public static void PMUL_v(Cpu cpu, int q, int rm, int rn, int rd) => Binary<PolynomialMul>(cpu, q, 0, Unsigned, rn, rm, rd);

    // Saturating doubling multiply returning the high half: (2 * a * b + round) >> esize, halved so that it fits 64 bits.
    private static void DoublingHigh(Cpu cpu, Shape s, bool rounding, V128 operand, int rn, int rd)
    {
        V128 n = cpu.V(rn), r = default;
        long round = rounding ? 1L << (s.Esize - 2) : 0;
        for (int e = 0; e < s.Elements; e++)
        {
            long product = (Int(n, e, s.Esize, Signed) * Int(operand, e, s.Esize, Signed)) + round;
            r.SetElem(e, s.Esize, SatQ(cpu, product >> (s.Esize - 1), s.Esize, Signed));
        }
        cpu.SetV(rd, r);
    }

    public static void SQDMULH_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        DoublingHigh(cpu, Shape.Vec(q, size), false, cpu.V(rm), rn, rd);

    public static void SQRDMULH_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        DoublingHigh(cpu, Shape.Vec(q, size), true, cpu.V(rm), rn, rd);

    public static void SQDMULH_s(Cpu cpu, int size, int rm, int rn, int rd) =>
        DoublingHigh(cpu, Shape.Scalar(size), false, cpu.V(rm), rn, rd);

    public static void SQRDMULH_s(Cpu cpu, int size, int rm, int rn, int rd) =>
        DoublingHigh(cpu, Shape.Scalar(size), true, cpu.V(rm), rn, rd);

    public static void SQDMULH_elt(Cpu cpu, int q, int size, int l, int m, int rm, int h, int rn, int rd) =>
        DoublingHigh(cpu, Shape.Vec(q, size), false, ByElement(cpu, size, l, m, rm, h), rn, rd);

    public static void SQRDMULH_elt(Cpu cpu, int q, int size, int l, int m, int rm, int h, int rn, int rd) =>
        DoublingHigh(cpu, Shape.Vec(q, size), true, ByElement(cpu, size, l, m, rm, h), rn, rd);

    public static void SQDMULH_selt(Cpu cpu, int size, int l, int m, int rm, int h, int rn, int rd) =>
        DoublingHigh(cpu, Shape.Scalar(size), false, ByElement(cpu, size, l, m, rm, h), rn, rd);

    public static void SQRDMULH_selt(Cpu cpu, int size, int l, int m, int rm, int h, int rn, int rd) =>
        DoublingHigh(cpu, Shape.Scalar(size), true, ByElement(cpu, size, l, m, rm, h), rn, rd);

    // Rounding doubling multiply accumulate, high half: ((d << esize) +- 2 * a * b + round) >> esize, halved likewise.
    private static void RoundingDoublingHighAdd(Cpu cpu, Shape s, bool subtract, V128 operand, int rn, int rd)
    {
        V128 n = cpu.V(rn), d = cpu.V(rd), r = default;
        for (int e = 0; e < s.Elements; e++)
        {
            long product = Int(n, e, s.Esize, Signed) * Int(operand, e, s.Esize, Signed);
            long accumulator = (Int(d, e, s.Esize, Signed) << (s.Esize - 1)) + (1L << (s.Esize - 2));
            long sum = subtract ? accumulator - product : accumulator + product;
            r.SetElem(e, s.Esize, SatQ(cpu, sum >> (s.Esize - 1), s.Esize, Signed));
        }
        cpu.SetV(rd, r);
    }

    public static void SQRDMLAH_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        RoundingDoublingHighAdd(cpu, Shape.Vec(q, size), false, cpu.V(rm), rn, rd);

    public static void SQRDMLSH_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        RoundingDoublingHighAdd(cpu, Shape.Vec(q, size), true, cpu.V(rm), rn, rd);

    public static void SQRDMLAH_s(Cpu cpu, int size, int rm, int rn, int rd) =>
        RoundingDoublingHighAdd(cpu, Shape.Scalar(size), false, cpu.V(rm), rn, rd);

    public static void SQRDMLSH_s(Cpu cpu, int size, int rm, int rn, int rd) =>
        RoundingDoublingHighAdd(cpu, Shape.Scalar(size), true, cpu.V(rm), rn, rd);

    public static void SQRDMLAH_elt(Cpu cpu, int q, int size, int l, int m, int rm, int h, int rn, int rd) =>
        RoundingDoublingHighAdd(cpu, Shape.Vec(q, size), false, ByElement(cpu, size, l, m, rm, h), rn, rd);

    public static void SQRDMLSH_elt(Cpu cpu, int q, int size, int l, int m, int rm, int h, int rn, int rd) =>
        RoundingDoublingHighAdd(cpu, Shape.Vec(q, size), true, ByElement(cpu, size, l, m, rm, h), rn, rd);

    public static void SQRDMLAH_selt(Cpu cpu, int size, int l, int m, int rm, int h, int rn, int rd) =>
        RoundingDoublingHighAdd(cpu, Shape.Scalar(size), false, ByElement(cpu, size, l, m, rm, h), rn, rd);

    public static void SQRDMLSH_selt(Cpu cpu, int size, int l, int m, int rm, int h, int rn, int rd) =>
        RoundingDoublingHighAdd(cpu, Shape.Scalar(size), true, ByElement(cpu, size, l, m, rm, h), rn, rd);

    // Dot products: four byte products added to each word.
    private static void DotProduct(Cpu cpu, int q, bool unsignedN, bool unsignedM, V128 operand, int rn, int rd)
    {
        V128 n = cpu.V(rn), d = cpu.V(rd), r = default;
        for (int e = 0; e < 2 << q; e++)
        {
            long sum = (long)d.Elem(e, 32);
            for (int i = 0; i < 4; i++)
                sum += Int(n, (4 * e) + i, 8, unsignedN) * Int(operand, (4 * e) + i, 8, unsignedM);
            r.SetElem(e, 32, (ulong)sum);
        }
        cpu.SetV(rd, r);
    }

    private static V128 FourBytes(Cpu cpu, int l, int rm, int h) => Replicate(cpu.V(rm).Elem((h << 1) | l, 32), 32);

    public static void SDOT_v(Cpu cpu, int q, int rm, int rn, int rd) => DotProduct(cpu, q, Signed, Signed, cpu.V(rm), rn, rd);

    public static void UDOT_v(Cpu cpu, int q, int rm, int rn, int rd) => DotProduct(cpu, q, Unsigned, Unsigned, cpu.V(rm), rn, rd);

    public static void USDOT_v(Cpu cpu, int q, int rm, int rn, int rd) => DotProduct(cpu, q, Unsigned, Signed, cpu.V(rm), rn, rd);

    public static void SDOT_elt(Cpu cpu, int q, int l, int rm, int h, int rn, int rd) =>
        DotProduct(cpu, q, Signed, Signed, FourBytes(cpu, l, rm, h), rn, rd);

    public static void UDOT_elt(Cpu cpu, int q, int l, int rm, int h, int rn, int rd) =>
        DotProduct(cpu, q, Unsigned, Unsigned, FourBytes(cpu, l, rm, h), rn, rd);

    public static void USDOT_elt(Cpu cpu, int q, int l, int rm, int h, int rn, int rd) =>
        DotProduct(cpu, q, Unsigned, Signed, FourBytes(cpu, l, rm, h), rn, rd);

    public static void SUDOT_elt(Cpu cpu, int q, int l, int rm, int h, int rn, int rd) =>
        DotProduct(cpu, q, Signed, Unsigned, FourBytes(cpu, l, rm, h), rn, rd);

    /// <summary>MatMulAdd: 2x2 words += 2x8 bytes times 8x2 bytes (the second operand is stored by columns).</summary>
    private static void MatrixMultiply(Cpu cpu, bool unsignedN, bool unsignedM, int rm, int rn, int rd)
    {
        V128 n = cpu.V(rn), m = cpu.V(rm), d = cpu.V(rd), r = default;
        for (int i = 0; i < 2; i++)
        {
            for (int j = 0; j < 2; j++)
            {
                long sum = (long)d.Elem((2 * i) + j, 32);
                for (int k = 0; k < 8; k++)
                    sum += Int(n, (8 * i) + k, 8, unsignedN) * Int(m, (8 * j) + k, 8, unsignedM);
                r.SetElem((2 * i) + j, 32, (ulong)sum);
            }
        }
        cpu.SetV(rd, r);
    }

    public static void SMMLA_v(Cpu cpu, int rm, int rn, int rd) => MatrixMultiply(cpu, Signed, Signed, rm, rn, rd);

    public static void UMMLA_v(Cpu cpu, int rm, int rn, int rd) => MatrixMultiply(cpu, Unsigned, Unsigned, rm, rn, rd);

    public static void USMMLA_v(Cpu cpu, int rm, int rn, int rd) => MatrixMultiply(cpu, Unsigned, Signed, rm, rn, rd);
}
