using ArmVdso.Emulator.FloatingPoint;
using ArmVdso.Emulator.Processor;

namespace ArmVdso.Emulator.Semantics;

/// <summary>Advanced SIMD floating point with two operands or one, vector and scalar, pairwise and across lanes (DDI0487, C4.1.95,
/// C7.2).</summary>
public static partial class A64
{
    public static void FABS_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorUnary(cpu, q, FpSize(sz), rd, rn, FpAbs);

    public static void FABS_vh(Cpu cpu, int rd, int rn, int q) =>
        VectorUnary(cpu, q, 16, rd, rn, FpAbs);

    public static void FNEG_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorUnary(cpu, q, FpSize(sz), rd, rn, FpNeg);

    public static void FNEG_vh(Cpu cpu, int rd, int rn, int q) =>
        VectorUnary(cpu, q, 16, rd, rn, FpNeg);

    public static void FSQRT_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorUnary(cpu, q, FpSize(sz), rd, rn, Fp.Sqrt);

    public static void FSQRT_vh(Cpu cpu, int rd, int rn, int q) =>
        VectorUnary(cpu, q, 16, rd, rn, Fp.Sqrt);

    public static void FRECPE_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorUnary(cpu, q, FpSize(sz), rd, rn, Fp.RecipEstimate);

    public static void FRECPE_vh(Cpu cpu, int rd, int rn, int q) =>
        VectorUnary(cpu, q, 16, rd, rn, Fp.RecipEstimate);

    public static void FRECPE_ss(Cpu cpu, int rd, int rn, int sz) =>
        ScalarUnary(cpu, FpSize(sz), rd, rn, Fp.RecipEstimate);

    public static void FRECPE_sh(Cpu cpu, int rd, int rn) =>
        ScalarUnary(cpu, 16, rd, rn, Fp.RecipEstimate);

    public static void FRSQRTE_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorUnary(cpu, q, FpSize(sz), rd, rn, Fp.RSqrtEstimate);

    public static void FRSQRTE_vh(Cpu cpu, int rd, int rn, int q) =>
        VectorUnary(cpu, q, 16, rd, rn, Fp.RSqrtEstimate);

    public static void FRSQRTE_ss(Cpu cpu, int rd, int rn, int sz) =>
        ScalarUnary(cpu, FpSize(sz), rd, rn, Fp.RSqrtEstimate);

    public static void FRSQRTE_sh(Cpu cpu, int rd, int rn) =>
        ScalarUnary(cpu, 16, rd, rn, Fp.RSqrtEstimate);

    public static void FRECPX_ss(Cpu cpu, int rd, int rn, int sz) =>
        ScalarUnary(cpu, FpSize(sz), rd, rn, Fp.RecpX);

    public static void FRECPX_sh(Cpu cpu, int rd, int rn) =>
        ScalarUnary(cpu, 16, rd, rn, Fp.RecpX);

    public static void FRINTN_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorRoundInt(cpu, q, FpSize(sz), rd, rn, FpRounding.TieEven, false);

    public static void FRINTN_vh(Cpu cpu, int rd, int rn, int q) =>
        VectorRoundInt(cpu, q, 16, rd, rn, FpRounding.TieEven, false);

    public static void FRINTM_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorRoundInt(cpu, q, FpSize(sz), rd, rn, FpRounding.NegInf, false);

    public static void FRINTM_vh(Cpu cpu, int rd, int rn, int q) =>
        VectorRoundInt(cpu, q, 16, rd, rn, FpRounding.NegInf, false);

    public static void FRINTP_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorRoundInt(cpu, q, FpSize(sz), rd, rn, FpRounding.PosInf, false);

    public static void FRINTP_vh(Cpu cpu, int rd, int rn, int q) =>
        VectorRoundInt(cpu, q, 16, rd, rn, FpRounding.PosInf, false);

    public static void FRINTZ_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorRoundInt(cpu, q, FpSize(sz), rd, rn, FpRounding.Zero, false);

    public static void FRINTZ_vh(Cpu cpu, int rd, int rn, int q) =>
        VectorRoundInt(cpu, q, 16, rd, rn, FpRounding.Zero, false);

    public static void FRINTA_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorRoundInt(cpu, q, FpSize(sz), rd, rn, FpRounding.TieAway, false);

    public static void FRINTA_vh(Cpu cpu, int rd, int rn, int q) =>
        VectorRoundInt(cpu, q, 16, rd, rn, FpRounding.TieAway, false);

    public static void FRINTX_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorRoundInt(cpu, q, FpSize(sz), rd, rn, Fp.RoundingMode(cpu.FPCR), true);

    public static void FRINTX_vh(Cpu cpu, int rd, int rn, int q) =>
        VectorRoundInt(cpu, q, 16, rd, rn, Fp.RoundingMode(cpu.FPCR), true);

    public static void FRINTI_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorRoundInt(cpu, q, FpSize(sz), rd, rn, Fp.RoundingMode(cpu.FPCR), false);

    public static void FRINTI_vh(Cpu cpu, int rd, int rn, int q) =>
        VectorRoundInt(cpu, q, 16, rd, rn, Fp.RoundingMode(cpu.FPCR), false);

    public static void FRINT32Z_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorRoundInt(cpu, q, FpSize(sz), rd, rn, FpRounding.Zero, false, 32);

    public static void FRINT32X_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorRoundInt(cpu, q, FpSize(sz), rd, rn, Fp.RoundingMode(cpu.FPCR), false, 32);

    public static void FRINT64Z_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorRoundInt(cpu, q, FpSize(sz), rd, rn, FpRounding.Zero, false, 64);

    public static void FRINT64X_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorRoundInt(cpu, q, FpSize(sz), rd, rn, Fp.RoundingMode(cpu.FPCR), false, 64);

    public static void URECPE_v(Cpu cpu, int rd, int rn, int q) =>
        VectorWords(cpu, q, rd, rn, Fp.UnsignedRecipEstimate);

    public static void URSQRTE_v(Cpu cpu, int rd, int rn, int q) =>
        VectorWords(cpu, q, rd, rn, Fp.UnsignedRSqrtEstimate);

    public static void FCMGT_zero_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorCompareZero(cpu, q, FpSize(sz), rd, rn, FpMaskGT);

    public static void FCMGT_zero_vh(Cpu cpu, int rd, int rn, int q) =>
        VectorCompareZero(cpu, q, 16, rd, rn, FpMaskGT);

    public static void FCMGT_zero_ss(Cpu cpu, int rd, int rn, int sz) =>
        ScalarCompareZero(cpu, FpSize(sz), rd, rn, FpMaskGT);

    public static void FCMGT_zero_sh(Cpu cpu, int rd, int rn) =>
        ScalarCompareZero(cpu, 16, rd, rn, FpMaskGT);

    public static void FCMEQ_zero_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorCompareZero(cpu, q, FpSize(sz), rd, rn, FpMaskEQ);

    public static void FCMEQ_zero_vh(Cpu cpu, int rd, int rn, int q) =>
        VectorCompareZero(cpu, q, 16, rd, rn, FpMaskEQ);

    public static void FCMEQ_zero_ss(Cpu cpu, int rd, int rn, int sz) =>
        ScalarCompareZero(cpu, FpSize(sz), rd, rn, FpMaskEQ);

    public static void FCMEQ_zero_sh(Cpu cpu, int rd, int rn) =>
        ScalarCompareZero(cpu, 16, rd, rn, FpMaskEQ);

    public static void FCMLT_zero_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorCompareZero(cpu, q, FpSize(sz), rd, rn, FpMaskLT);

    public static void FCMLT_zero_vh(Cpu cpu, int rd, int rn, int q) =>
        VectorCompareZero(cpu, q, 16, rd, rn, FpMaskLT);

    public static void FCMLT_zero_ss(Cpu cpu, int rd, int rn, int sz) =>
        ScalarCompareZero(cpu, FpSize(sz), rd, rn, FpMaskLT);

    public static void FCMLT_zero_sh(Cpu cpu, int rd, int rn) =>
        ScalarCompareZero(cpu, 16, rd, rn, FpMaskLT);

    public static void FCMGE_zero_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorCompareZero(cpu, q, FpSize(sz), rd, rn, FpMaskGE);

    public static void FCMGE_zero_vh(Cpu cpu, int rd, int rn, int q) =>
        VectorCompareZero(cpu, q, 16, rd, rn, FpMaskGE);

    public static void FCMGE_zero_ss(Cpu cpu, int rd, int rn, int sz) =>
        ScalarCompareZero(cpu, FpSize(sz), rd, rn, FpMaskGE);

    public static void FCMGE_zero_sh(Cpu cpu, int rd, int rn) =>
        ScalarCompareZero(cpu, 16, rd, rn, FpMaskGE);

    public static void FCMLE_zero_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorCompareZero(cpu, q, FpSize(sz), rd, rn, FpMaskLE);

    public static void FCMLE_zero_vh(Cpu cpu, int rd, int rn, int q) =>
        VectorCompareZero(cpu, q, 16, rd, rn, FpMaskLE);

    public static void FCMLE_zero_ss(Cpu cpu, int rd, int rn, int sz) =>
        ScalarCompareZero(cpu, FpSize(sz), rd, rn, FpMaskLE);

    public static void FCMLE_zero_sh(Cpu cpu, int rd, int rn) =>
        ScalarCompareZero(cpu, 16, rd, rn, FpMaskLE);

    public static void FMAXNM_v(Cpu cpu, int rd, int rn, int rm, int q, int sz) =>
        VectorBinary(cpu, q, FpSize(sz), rd, rn, rm, Fp.MaxNum);

    public static void FMAXNM_vh(Cpu cpu, int rd, int rn, int rm, int q) =>
        VectorBinary(cpu, q, 16, rd, rn, rm, Fp.MaxNum);

    public static void FMINNM_v(Cpu cpu, int rd, int rn, int rm, int q, int sz) =>
        VectorBinary(cpu, q, FpSize(sz), rd, rn, rm, Fp.MinNum);

    public static void FMINNM_vh(Cpu cpu, int rd, int rn, int rm, int q) =>
        VectorBinary(cpu, q, 16, rd, rn, rm, Fp.MinNum);

    public static void FMLA_v(Cpu cpu, int rd, int rn, int rm, int q, int sz) =>
        VectorMulAdd(cpu, q, FpSize(sz), rd, rn, rm, false);

    public static void FMLA_vh(Cpu cpu, int rd, int rn, int rm, int q) =>
        VectorMulAdd(cpu, q, 16, rd, rn, rm, false);

    public static void FMLS_v(Cpu cpu, int rd, int rn, int rm, int q, int sz) =>
        VectorMulAdd(cpu, q, FpSize(sz), rd, rn, rm, true);

    public static void FMLS_vh(Cpu cpu, int rd, int rn, int rm, int q) =>
        VectorMulAdd(cpu, q, 16, rd, rn, rm, true);

    public static void FADD_v(Cpu cpu, int rd, int rn, int rm, int q, int sz) =>
        VectorBinary(cpu, q, FpSize(sz), rd, rn, rm, Fp.Add);

    public static void FADD_vh(Cpu cpu, int rd, int rn, int rm, int q) =>
        VectorBinary(cpu, q, 16, rd, rn, rm, Fp.Add);

    public static void FSUB_v(Cpu cpu, int rd, int rn, int rm, int q, int sz) =>
        VectorBinary(cpu, q, FpSize(sz), rd, rn, rm, Fp.Sub);

    public static void FSUB_vh(Cpu cpu, int rd, int rn, int rm, int q) =>
        VectorBinary(cpu, q, 16, rd, rn, rm, Fp.Sub);

    public static void FMULX_v(Cpu cpu, int rd, int rn, int rm, int q, int sz) =>
        VectorBinary(cpu, q, FpSize(sz), rd, rn, rm, Fp.MulX);

    public static void FMULX_vh(Cpu cpu, int rd, int rn, int rm, int q) =>
        VectorBinary(cpu, q, 16, rd, rn, rm, Fp.MulX);

    public static void FMULX_ss(Cpu cpu, int rd, int rn, int rm, int sz) =>
        ScalarBinary(cpu, FpSize(sz), rd, rn, rm, Fp.MulX);

    public static void FMULX_sh(Cpu cpu, int rd, int rn, int rm) =>
        ScalarBinary(cpu, 16, rd, rn, rm, Fp.MulX);

    public static void FMUL_v(Cpu cpu, int rd, int rn, int rm, int q, int sz) =>
        VectorBinary(cpu, q, FpSize(sz), rd, rn, rm, Fp.Mul);

    public static void FMUL_vh(Cpu cpu, int rd, int rn, int rm, int q) =>
        VectorBinary(cpu, q, 16, rd, rn, rm, Fp.Mul);

    public static void FMAX_v(Cpu cpu, int rd, int rn, int rm, int q, int sz) =>
        VectorBinary(cpu, q, FpSize(sz), rd, rn, rm, Fp.Max);

    public static void FMAX_vh(Cpu cpu, int rd, int rn, int rm, int q) =>
        VectorBinary(cpu, q, 16, rd, rn, rm, Fp.Max);

    public static void FMIN_v(Cpu cpu, int rd, int rn, int rm, int q, int sz) =>
        VectorBinary(cpu, q, FpSize(sz), rd, rn, rm, Fp.Min);

    public static void FMIN_vh(Cpu cpu, int rd, int rn, int rm, int q) =>
        VectorBinary(cpu, q, 16, rd, rn, rm, Fp.Min);

    public static void FDIV_v(Cpu cpu, int rd, int rn, int rm, int q, int sz) =>
        VectorBinary(cpu, q, FpSize(sz), rd, rn, rm, Fp.Div);

    public static void FDIV_vh(Cpu cpu, int rd, int rn, int rm, int q) =>
        VectorBinary(cpu, q, 16, rd, rn, rm, Fp.Div);

    public static void FRECPS_v(Cpu cpu, int rd, int rn, int rm, int q, int sz) =>
        VectorBinary(cpu, q, FpSize(sz), rd, rn, rm, Fp.RecipStepFused);

    public static void FRECPS_vh(Cpu cpu, int rd, int rn, int rm, int q) =>
        VectorBinary(cpu, q, 16, rd, rn, rm, Fp.RecipStepFused);

    public static void FRECPS_ss(Cpu cpu, int rd, int rn, int rm, int sz) =>
        ScalarBinary(cpu, FpSize(sz), rd, rn, rm, Fp.RecipStepFused);

    public static void FRECPS_sh(Cpu cpu, int rd, int rn, int rm) =>
        ScalarBinary(cpu, 16, rd, rn, rm, Fp.RecipStepFused);

    public static void FRSQRTS_v(Cpu cpu, int rd, int rn, int rm, int q, int sz) =>
        VectorBinary(cpu, q, FpSize(sz), rd, rn, rm, Fp.RSqrtStepFused);

    public static void FRSQRTS_vh(Cpu cpu, int rd, int rn, int rm, int q) =>
        VectorBinary(cpu, q, 16, rd, rn, rm, Fp.RSqrtStepFused);

    public static void FRSQRTS_ss(Cpu cpu, int rd, int rn, int rm, int sz) =>
        ScalarBinary(cpu, FpSize(sz), rd, rn, rm, Fp.RSqrtStepFused);

    public static void FRSQRTS_sh(Cpu cpu, int rd, int rn, int rm) =>
        ScalarBinary(cpu, 16, rd, rn, rm, Fp.RSqrtStepFused);

    public static void FABD_v(Cpu cpu, int rd, int rn, int rm, int q, int sz) =>
        VectorBinary(cpu, q, FpSize(sz), rd, rn, rm, FpAbsDiff);

    public static void FABD_vh(Cpu cpu, int rd, int rn, int rm, int q) =>
        VectorBinary(cpu, q, 16, rd, rn, rm, FpAbsDiff);

    public static void FABD_ss(Cpu cpu, int rd, int rn, int rm, int sz) =>
        ScalarBinary(cpu, FpSize(sz), rd, rn, rm, FpAbsDiff);

    public static void FABD_sh(Cpu cpu, int rd, int rn, int rm) =>
        ScalarBinary(cpu, 16, rd, rn, rm, FpAbsDiff);

    public static void FCMEQ_v(Cpu cpu, int rd, int rn, int rm, int q, int sz) =>
        VectorBinary(cpu, q, FpSize(sz), rd, rn, rm, FpMaskEQ);

    public static void FCMEQ_vh(Cpu cpu, int rd, int rn, int rm, int q) =>
        VectorBinary(cpu, q, 16, rd, rn, rm, FpMaskEQ);

    public static void FCMEQ_ss(Cpu cpu, int rd, int rn, int rm, int sz) =>
        ScalarCompare(cpu, FpSize(sz), rd, rn, rm, FpMaskEQ);

    public static void FCMEQ_sh(Cpu cpu, int rd, int rn, int rm) =>
        ScalarCompare(cpu, 16, rd, rn, rm, FpMaskEQ);

    public static void FCMGE_v(Cpu cpu, int rd, int rn, int rm, int q, int sz) =>
        VectorBinary(cpu, q, FpSize(sz), rd, rn, rm, FpMaskGE);

    public static void FCMGE_vh(Cpu cpu, int rd, int rn, int rm, int q) =>
        VectorBinary(cpu, q, 16, rd, rn, rm, FpMaskGE);

    public static void FCMGE_ss(Cpu cpu, int rd, int rn, int rm, int sz) =>
        ScalarCompare(cpu, FpSize(sz), rd, rn, rm, FpMaskGE);

    public static void FCMGE_sh(Cpu cpu, int rd, int rn, int rm) =>
        ScalarCompare(cpu, 16, rd, rn, rm, FpMaskGE);

    public static void FCMGT_v(Cpu cpu, int rd, int rn, int rm, int q, int sz) =>
        VectorBinary(cpu, q, FpSize(sz), rd, rn, rm, FpMaskGT);

    public static void FCMGT_vh(Cpu cpu, int rd, int rn, int rm, int q) =>
        VectorBinary(cpu, q, 16, rd, rn, rm, FpMaskGT);

    public static void FCMGT_ss(Cpu cpu, int rd, int rn, int rm, int sz) =>
        ScalarCompare(cpu, FpSize(sz), rd, rn, rm, FpMaskGT);

    public static void FCMGT_sh(Cpu cpu, int rd, int rn, int rm) =>
        ScalarCompare(cpu, 16, rd, rn, rm, FpMaskGT);

    public static void FACGE_v(Cpu cpu, int rd, int rn, int rm, int q, int sz) =>
        VectorBinary(cpu, q, FpSize(sz), rd, rn, rm, FpMaskAbsGE);

    public static void FACGE_vh(Cpu cpu, int rd, int rn, int rm, int q) =>
        VectorBinary(cpu, q, 16, rd, rn, rm, FpMaskAbsGE);

    public static void FACGE_ss(Cpu cpu, int rd, int rn, int rm, int sz) =>
        ScalarCompare(cpu, FpSize(sz), rd, rn, rm, FpMaskAbsGE);

    public static void FACGE_sh(Cpu cpu, int rd, int rn, int rm) =>
        ScalarCompare(cpu, 16, rd, rn, rm, FpMaskAbsGE);

    public static void FACGT_v(Cpu cpu, int rd, int rn, int rm, int q, int sz) =>
        VectorBinary(cpu, q, FpSize(sz), rd, rn, rm, FpMaskAbsGT);

    public static void FACGT_vh(Cpu cpu, int rd, int rn, int rm, int q) =>
        VectorBinary(cpu, q, 16, rd, rn, rm, FpMaskAbsGT);

    public static void FACGT_ss(Cpu cpu, int rd, int rn, int rm, int sz) =>
        ScalarCompare(cpu, FpSize(sz), rd, rn, rm, FpMaskAbsGT);

    public static void FACGT_sh(Cpu cpu, int rd, int rn, int rm) =>
        ScalarCompare(cpu, 16, rd, rn, rm, FpMaskAbsGT);

    public static void FMAXNMP_v(Cpu cpu, int rd, int rn, int rm, int q, int sz) =>
        VectorPairwise(cpu, q, FpSize(sz), rd, rn, rm, Fp.MaxNum);

    public static void FMAXNMP_vh(Cpu cpu, int rd, int rn, int rm, int q) =>
        VectorPairwise(cpu, q, 16, rd, rn, rm, Fp.MaxNum);

    public static void FMINNMP_v(Cpu cpu, int rd, int rn, int rm, int q, int sz) =>
        VectorPairwise(cpu, q, FpSize(sz), rd, rn, rm, Fp.MinNum);

    public static void FMINNMP_vh(Cpu cpu, int rd, int rn, int rm, int q) =>
        VectorPairwise(cpu, q, 16, rd, rn, rm, Fp.MinNum);

    public static void FADDP_v(Cpu cpu, int rd, int rn, int rm, int q, int sz) =>
        VectorPairwise(cpu, q, FpSize(sz), rd, rn, rm, Fp.Add);

    public static void FADDP_vh(Cpu cpu, int rd, int rn, int rm, int q) =>
        VectorPairwise(cpu, q, 16, rd, rn, rm, Fp.Add);

    public static void FMAXP_v(Cpu cpu, int rd, int rn, int rm, int q, int sz) =>
        VectorPairwise(cpu, q, FpSize(sz), rd, rn, rm, Fp.Max);

    public static void FMAXP_vh(Cpu cpu, int rd, int rn, int rm, int q) =>
        VectorPairwise(cpu, q, 16, rd, rn, rm, Fp.Max);

    public static void FMINP_v(Cpu cpu, int rd, int rn, int rm, int q, int sz) =>
        VectorPairwise(cpu, q, FpSize(sz), rd, rn, rm, Fp.Min);

    public static void FMINP_vh(Cpu cpu, int rd, int rn, int rm, int q) =>
        VectorPairwise(cpu, q, 16, rd, rn, rm, Fp.Min);

    public static void FMAXNMP_ss(Cpu cpu, int rd, int rn, int sz) =>
        ReduceVector(cpu, FpSize(sz), 2, rd, rn, Fp.MaxNum);

    public static void FMAXNMP_sh(Cpu cpu, int rd, int rn) =>
        ReduceVector(cpu, 16, 2, rd, rn, Fp.MaxNum);

    public static void FMINNMP_ss(Cpu cpu, int rd, int rn, int sz) =>
        ReduceVector(cpu, FpSize(sz), 2, rd, rn, Fp.MinNum);

    public static void FMINNMP_sh(Cpu cpu, int rd, int rn) =>
        ReduceVector(cpu, 16, 2, rd, rn, Fp.MinNum);

    public static void FADDP_ss(Cpu cpu, int rd, int rn, int sz) =>
        ReduceVector(cpu, FpSize(sz), 2, rd, rn, Fp.Add);

    public static void FADDP_sh(Cpu cpu, int rd, int rn) =>
        ReduceVector(cpu, 16, 2, rd, rn, Fp.Add);

    public static void FMAXP_ss(Cpu cpu, int rd, int rn, int sz) =>
        ReduceVector(cpu, FpSize(sz), 2, rd, rn, Fp.Max);

    public static void FMAXP_sh(Cpu cpu, int rd, int rn) =>
        ReduceVector(cpu, 16, 2, rd, rn, Fp.Max);

    public static void FMINP_ss(Cpu cpu, int rd, int rn, int sz) =>
        ReduceVector(cpu, FpSize(sz), 2, rd, rn, Fp.Min);

    public static void FMINP_sh(Cpu cpu, int rd, int rn) =>
        ReduceVector(cpu, 16, 2, rd, rn, Fp.Min);

    public static void FMAXNMV_s(Cpu cpu, int rd, int rn) =>
        ReduceVector(cpu, 32, 4, rd, rn, Fp.MaxNum);

    public static void FMAXNMV_h(Cpu cpu, int rd, int rn, int q) =>
        ReduceVector(cpu, 16, 4 << q, rd, rn, Fp.MaxNum);

    public static void FMINNMV_s(Cpu cpu, int rd, int rn) =>
        ReduceVector(cpu, 32, 4, rd, rn, Fp.MinNum);

    public static void FMINNMV_h(Cpu cpu, int rd, int rn, int q) =>
        ReduceVector(cpu, 16, 4 << q, rd, rn, Fp.MinNum);

    public static void FMAXV_s(Cpu cpu, int rd, int rn) =>
        ReduceVector(cpu, 32, 4, rd, rn, Fp.Max);

    public static void FMAXV_h(Cpu cpu, int rd, int rn, int q) =>
        ReduceVector(cpu, 16, 4 << q, rd, rn, Fp.Max);

    public static void FMINV_s(Cpu cpu, int rd, int rn) =>
        ReduceVector(cpu, 32, 4, rd, rn, Fp.Min);

    public static void FMINV_h(Cpu cpu, int rd, int rn, int q) =>
        ReduceVector(cpu, 16, 4 << q, rd, rn, Fp.Min);
}
