using ArmVdso.Emulator.FloatingPoint;
using ArmVdso.Emulator.Processor;

namespace ArmVdso.Emulator.Semantics;

/// <summary>Advanced SIMD floating point by element, complex, half-to-single and BFloat16 products (DDI0487, C7.2).</summary>
public static partial class A64
{
    public static void FMLA_elt(Cpu cpu, int rd, int rn, int rm, int q, int sz, int l, int h) =>
        VectorByMulAdd(cpu, q, FpSize(sz), rd, rn, rm, sz == 0 ? (h * 2) + l : h, false);

    public static void FMLA_elth(Cpu cpu, int rd, int rn, int rm, int q, int l, int m, int h) =>
        VectorByMulAdd(cpu, q, 16, rd, rn, rm, (h * 4) + (l * 2) + m, false);

    public static void FMLA_selt(Cpu cpu, int rd, int rn, int rm, int sz, int l, int h) =>
        ScalarByMulAdd(cpu, FpSize(sz), rd, rn, rm, sz == 0 ? (h * 2) + l : h, false);

    public static void FMLA_selth(Cpu cpu, int rd, int rn, int rm, int l, int m, int h) =>
        ScalarByMulAdd(cpu, 16, rd, rn, rm, (h * 4) + (l * 2) + m, false);

    public static void FMLS_elt(Cpu cpu, int rd, int rn, int rm, int q, int sz, int l, int h) =>
        VectorByMulAdd(cpu, q, FpSize(sz), rd, rn, rm, sz == 0 ? (h * 2) + l : h, true);

    public static void FMLS_elth(Cpu cpu, int rd, int rn, int rm, int q, int l, int m, int h) =>
        VectorByMulAdd(cpu, q, 16, rd, rn, rm, (h * 4) + (l * 2) + m, true);

    public static void FMLS_selt(Cpu cpu, int rd, int rn, int rm, int sz, int l, int h) =>
        ScalarByMulAdd(cpu, FpSize(sz), rd, rn, rm, sz == 0 ? (h * 2) + l : h, true);

    public static void FMLS_selth(Cpu cpu, int rd, int rn, int rm, int l, int m, int h) =>
        ScalarByMulAdd(cpu, 16, rd, rn, rm, (h * 4) + (l * 2) + m, true);

    public static void FMUL_elt(Cpu cpu, int rd, int rn, int rm, int q, int sz, int l, int h) =>
        VectorByBinary(cpu, q, FpSize(sz), rd, rn, rm, sz == 0 ? (h * 2) + l : h, Fp.Mul);

    public static void FMUL_elth(Cpu cpu, int rd, int rn, int rm, int q, int l, int m, int h) =>
        VectorByBinary(cpu, q, 16, rd, rn, rm, (h * 4) + (l * 2) + m, Fp.Mul);

    public static void FMUL_selt(Cpu cpu, int rd, int rn, int rm, int sz, int l, int h) =>
        ScalarByBinary(cpu, FpSize(sz), rd, rn, rm, sz == 0 ? (h * 2) + l : h, Fp.Mul);

    public static void FMUL_selth(Cpu cpu, int rd, int rn, int rm, int l, int m, int h) =>
        ScalarByBinary(cpu, 16, rd, rn, rm, (h * 4) + (l * 2) + m, Fp.Mul);

    public static void FMULX_elt(Cpu cpu, int rd, int rn, int rm, int q, int sz, int l, int h) =>
        VectorByBinary(cpu, q, FpSize(sz), rd, rn, rm, sz == 0 ? (h * 2) + l : h, Fp.MulX);

    public static void FMULX_elth(Cpu cpu, int rd, int rn, int rm, int q, int l, int m, int h) =>
        VectorByBinary(cpu, q, 16, rd, rn, rm, (h * 4) + (l * 2) + m, Fp.MulX);

    public static void FMULX_selt(Cpu cpu, int rd, int rn, int rm, int sz, int l, int h) =>
        ScalarByBinary(cpu, FpSize(sz), rd, rn, rm, sz == 0 ? (h * 2) + l : h, Fp.MulX);

    public static void FMULX_selth(Cpu cpu, int rd, int rn, int rm, int l, int m, int h) =>
        ScalarByBinary(cpu, 16, rd, rn, rm, (h * 4) + (l * 2) + m, Fp.MulX);

    public static void FCMLA_v(Cpu cpu, int rd, int rn, int rm, int q, int sz, int rot) =>
        ComplexMulAdd(cpu, q, FpSize(sz), rd, rn, rm, -1, rot);

    public static void FCMLA_vh(Cpu cpu, int rd, int rn, int rm, int q, int rot) =>
        ComplexMulAdd(cpu, q, 16, rd, rn, rm, -1, rot);

    public static void FCADD_v(Cpu cpu, int rd, int rn, int rm, int q, int sz, int rot) =>
        ComplexAdd(cpu, q, FpSize(sz), rd, rn, rm, rot);

    public static void FCADD_vh(Cpu cpu, int rd, int rn, int rm, int q, int rot) =>
        ComplexAdd(cpu, q, 16, rd, rn, rm, rot);

    public static void FCMLA_elt(Cpu cpu, int rd, int rn, int rm, int rot, int h) =>
        ComplexMulAdd(cpu, 1, 32, rd, rn, rm, h, rot);

    public static void FCMLA_elth(Cpu cpu, int rd, int rn, int rm, int q, int l, int rot, int h) =>
        ComplexMulAdd(cpu, q, 16, rd, rn, rm, (h * 2) + l, rot);

    public static void FMLAL_v(Cpu cpu, int rd, int rn, int rm, int q) =>
        WidenMulAdd(cpu, q, rd, rn, rm, -1, 0, false);

    public static void FMLAL_elt(Cpu cpu, int rd, int rn, int rm, int q, int l, int m, int h) =>
        WidenMulAdd(cpu, q, rd, rn, rm, (h * 4) + (l * 2) + m, 0, false);

    public static void FMLSL_v(Cpu cpu, int rd, int rn, int rm, int q) =>
        WidenMulAdd(cpu, q, rd, rn, rm, -1, 0, true);

    public static void FMLSL_elt(Cpu cpu, int rd, int rn, int rm, int q, int l, int m, int h) =>
        WidenMulAdd(cpu, q, rd, rn, rm, (h * 4) + (l * 2) + m, 0, true);

    public static void FMLAL2_v(Cpu cpu, int rd, int rn, int rm, int q) =>
        WidenMulAdd(cpu, q, rd, rn, rm, -1, 1, false);

    public static void FMLAL2_elt(Cpu cpu, int rd, int rn, int rm, int q, int l, int m, int h) =>
        WidenMulAdd(cpu, q, rd, rn, rm, (h * 4) + (l * 2) + m, 1, false);

    public static void FMLSL2_v(Cpu cpu, int rd, int rn, int rm, int q) =>
        WidenMulAdd(cpu, q, rd, rn, rm, -1, 1, true);

    public static void FMLSL2_elt(Cpu cpu, int rd, int rn, int rm, int q, int l, int m, int h) =>
        WidenMulAdd(cpu, q, rd, rn, rm, (h * 4) + (l * 2) + m, 1, true);

    public static void BFDOT_v(Cpu cpu, int rd, int rn, int rm, int q) =>
        BFDot(cpu, q, rd, rn, rm, -1);

    public static void BFDOT_elt(Cpu cpu, int rd, int rn, int rm, int q, int l, int h) =>
        BFDot(cpu, q, rd, rn, rm, (h * 2) + l);

    public static void BFMMLA(Cpu cpu, int rd, int rn, int rm) =>
        BFMatMulAdd(cpu, rd, rn, rm);

    public static void BFMLAL_v(Cpu cpu, int rd, int rn, int rm, int q) =>
        BFWidenMulAdd(cpu, q, rd, rn, rm, -1);

    public static void BFMLAL_elt(Cpu cpu, int rd, int rn, int rm, int q, int l, int m, int h) =>
        BFWidenMulAdd(cpu, q, rd, rn, rm, (h * 4) + (l * 2) + m);
}
