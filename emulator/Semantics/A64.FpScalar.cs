using ArmVdso.Emulator.FloatingPoint;
using ArmVdso.Emulator.Processor;

namespace ArmVdso.Emulator.Semantics;

/// <summary>Scalar floating point: arithmetic, comparison, selection, moves and rounding (DDI0487, C4.1.97, C7.2).</summary>
public static partial class A64
{
    public static void FMUL_s(Cpu cpu, int rd, int rn, int rm, int sz) =>
        ScalarBinary(cpu, FpSize(sz), rd, rn, rm, Fp.Mul);

    public static void FMUL_h(Cpu cpu, int rd, int rn, int rm) =>
        ScalarBinary(cpu, 16, rd, rn, rm, Fp.Mul);

    public static void FDIV_s(Cpu cpu, int rd, int rn, int rm, int sz) =>
        ScalarBinary(cpu, FpSize(sz), rd, rn, rm, Fp.Div);

    public static void FDIV_h(Cpu cpu, int rd, int rn, int rm) =>
        ScalarBinary(cpu, 16, rd, rn, rm, Fp.Div);

    public static void FADD_s(Cpu cpu, int rd, int rn, int rm, int sz) =>
        ScalarBinary(cpu, FpSize(sz), rd, rn, rm, Fp.Add);

    public static void FADD_h(Cpu cpu, int rd, int rn, int rm) =>
        ScalarBinary(cpu, 16, rd, rn, rm, Fp.Add);

    public static void FSUB_s(Cpu cpu, int rd, int rn, int rm, int sz) =>
        ScalarBinary(cpu, FpSize(sz), rd, rn, rm, Fp.Sub);

    public static void FSUB_h(Cpu cpu, int rd, int rn, int rm) =>
        ScalarBinary(cpu, 16, rd, rn, rm, Fp.Sub);

    public static void FMAX_s(Cpu cpu, int rd, int rn, int rm, int sz) =>
        ScalarBinary(cpu, FpSize(sz), rd, rn, rm, Fp.Max);

    public static void FMAX_h(Cpu cpu, int rd, int rn, int rm) =>
        ScalarBinary(cpu, 16, rd, rn, rm, Fp.Max);

    public static void FMIN_s(Cpu cpu, int rd, int rn, int rm, int sz) =>
        ScalarBinary(cpu, FpSize(sz), rd, rn, rm, Fp.Min);

    public static void FMIN_h(Cpu cpu, int rd, int rn, int rm) =>
        ScalarBinary(cpu, 16, rd, rn, rm, Fp.Min);

    public static void FMAXNM_s(Cpu cpu, int rd, int rn, int rm, int sz) =>
        ScalarBinary(cpu, FpSize(sz), rd, rn, rm, Fp.MaxNum);

    public static void FMAXNM_h(Cpu cpu, int rd, int rn, int rm) =>
        ScalarBinary(cpu, 16, rd, rn, rm, Fp.MaxNum);

    public static void FMINNM_s(Cpu cpu, int rd, int rn, int rm, int sz) =>
        ScalarBinary(cpu, FpSize(sz), rd, rn, rm, Fp.MinNum);

    public static void FMINNM_h(Cpu cpu, int rd, int rn, int rm) =>
        ScalarBinary(cpu, 16, rd, rn, rm, Fp.MinNum);

    public static void FNMUL_s(Cpu cpu, int rd, int rn, int rm, int sz) =>
        ScalarBinary(cpu, FpSize(sz), rd, rn, rm, FpNegMul);

    public static void FNMUL_h(Cpu cpu, int rd, int rn, int rm) =>
        ScalarBinary(cpu, 16, rd, rn, rm, FpNegMul);

    public static void FMADD_s(Cpu cpu, int rd, int rn, int rm, int ra, int sz) =>
        ScalarMulAdd(cpu, FpSize(sz), rd, rn, rm, ra, false, false);

    public static void FMADD_h(Cpu cpu, int rd, int rn, int rm, int ra) =>
        ScalarMulAdd(cpu, 16, rd, rn, rm, ra, false, false);

    public static void FMSUB_s(Cpu cpu, int rd, int rn, int rm, int ra, int sz) =>
        ScalarMulAdd(cpu, FpSize(sz), rd, rn, rm, ra, false, true);

    public static void FMSUB_h(Cpu cpu, int rd, int rn, int rm, int ra) =>
        ScalarMulAdd(cpu, 16, rd, rn, rm, ra, false, true);

    public static void FNMADD_s(Cpu cpu, int rd, int rn, int rm, int ra, int sz) =>
        ScalarMulAdd(cpu, FpSize(sz), rd, rn, rm, ra, true, true);

    public static void FNMADD_h(Cpu cpu, int rd, int rn, int rm, int ra) =>
        ScalarMulAdd(cpu, 16, rd, rn, rm, ra, true, true);

    public static void FNMSUB_s(Cpu cpu, int rd, int rn, int rm, int ra, int sz) =>
        ScalarMulAdd(cpu, FpSize(sz), rd, rn, rm, ra, true, false);

    public static void FNMSUB_h(Cpu cpu, int rd, int rn, int rm, int ra) =>
        ScalarMulAdd(cpu, 16, rd, rn, rm, ra, true, false);

    public static void FMOV_s(Cpu cpu, int rd, int rn, int sz) =>
        cpu.SetVLow(rd, cpu.V(rn).Elem(0, FpSize(sz)));

    public static void FMOV_h(Cpu cpu, int rd, int rn) =>
        cpu.SetVLow(rd, cpu.V(rn).Elem(0, 16));

    public static void FABS_s(Cpu cpu, int rd, int rn, int sz) =>
        ScalarUnary(cpu, FpSize(sz), rd, rn, FpAbs);

    public static void FABS_h(Cpu cpu, int rd, int rn) =>
        ScalarUnary(cpu, 16, rd, rn, FpAbs);

    public static void FNEG_s(Cpu cpu, int rd, int rn, int sz) =>
        ScalarUnary(cpu, FpSize(sz), rd, rn, FpNeg);

    public static void FNEG_h(Cpu cpu, int rd, int rn) =>
        ScalarUnary(cpu, 16, rd, rn, FpNeg);

    public static void FSQRT_s(Cpu cpu, int rd, int rn, int sz) =>
        ScalarUnary(cpu, FpSize(sz), rd, rn, Fp.Sqrt);

    public static void FSQRT_h(Cpu cpu, int rd, int rn) =>
        ScalarUnary(cpu, 16, rd, rn, Fp.Sqrt);

    public static void FRINTN_s(Cpu cpu, int rd, int rn, int sz) =>
        ScalarRoundInt(cpu, FpSize(sz), rd, rn, FpRounding.TieEven, false);

    public static void FRINTN_h(Cpu cpu, int rd, int rn) =>
        ScalarRoundInt(cpu, 16, rd, rn, FpRounding.TieEven, false);

    public static void FRINTP_s(Cpu cpu, int rd, int rn, int sz) =>
        ScalarRoundInt(cpu, FpSize(sz), rd, rn, FpRounding.PosInf, false);

    public static void FRINTP_h(Cpu cpu, int rd, int rn) =>
        ScalarRoundInt(cpu, 16, rd, rn, FpRounding.PosInf, false);

    public static void FRINTM_s(Cpu cpu, int rd, int rn, int sz) =>
        ScalarRoundInt(cpu, FpSize(sz), rd, rn, FpRounding.NegInf, false);

    public static void FRINTM_h(Cpu cpu, int rd, int rn) =>
        ScalarRoundInt(cpu, 16, rd, rn, FpRounding.NegInf, false);

    public static void FRINTZ_s(Cpu cpu, int rd, int rn, int sz) =>
        ScalarRoundInt(cpu, FpSize(sz), rd, rn, FpRounding.Zero, false);

    public static void FRINTZ_h(Cpu cpu, int rd, int rn) =>
        ScalarRoundInt(cpu, 16, rd, rn, FpRounding.Zero, false);

    public static void FRINTA_s(Cpu cpu, int rd, int rn, int sz) =>
        ScalarRoundInt(cpu, FpSize(sz), rd, rn, FpRounding.TieAway, false);

    public static void FRINTA_h(Cpu cpu, int rd, int rn) =>
        ScalarRoundInt(cpu, 16, rd, rn, FpRounding.TieAway, false);

    public static void FRINTX_s(Cpu cpu, int rd, int rn, int sz) =>
        ScalarRoundInt(cpu, FpSize(sz), rd, rn, Fp.RoundingMode(cpu.FPCR), true);

    public static void FRINTX_h(Cpu cpu, int rd, int rn) =>
        ScalarRoundInt(cpu, 16, rd, rn, Fp.RoundingMode(cpu.FPCR), true);

    public static void FRINTI_s(Cpu cpu, int rd, int rn, int sz) =>
        ScalarRoundInt(cpu, FpSize(sz), rd, rn, Fp.RoundingMode(cpu.FPCR), false);

    public static void FRINTI_h(Cpu cpu, int rd, int rn) =>
        ScalarRoundInt(cpu, 16, rd, rn, Fp.RoundingMode(cpu.FPCR), false);

    public static void FRINT32Z_s(Cpu cpu, int rd, int rn, int sz) =>
        ScalarRoundInt(cpu, FpSize(sz), rd, rn, FpRounding.Zero, false, 32);

    public static void FRINT32X_s(Cpu cpu, int rd, int rn, int sz) =>
        ScalarRoundInt(cpu, FpSize(sz), rd, rn, Fp.RoundingMode(cpu.FPCR), false, 32);

    public static void FRINT64Z_s(Cpu cpu, int rd, int rn, int sz) =>
        ScalarRoundInt(cpu, FpSize(sz), rd, rn, FpRounding.Zero, false, 64);

    public static void FRINT64X_s(Cpu cpu, int rd, int rn, int sz) =>
        ScalarRoundInt(cpu, FpSize(sz), rd, rn, Fp.RoundingMode(cpu.FPCR), false, 64);

    public static void FCVT_ds(Cpu cpu, int rd, int rn) =>
        ScalarConvert(cpu, 32, 64, rd, rn);

    public static void FCVT_hs(Cpu cpu, int rd, int rn) =>
        ScalarConvert(cpu, 32, 16, rd, rn);

    public static void FCVT_sd(Cpu cpu, int rd, int rn) =>
        ScalarConvert(cpu, 64, 32, rd, rn);

    public static void FCVT_hd(Cpu cpu, int rd, int rn) =>
        ScalarConvert(cpu, 64, 16, rd, rn);

    public static void FCVT_sh(Cpu cpu, int rd, int rn) =>
        ScalarConvert(cpu, 16, 32, rd, rn);

    public static void FCVT_dh(Cpu cpu, int rd, int rn) =>
        ScalarConvert(cpu, 16, 64, rd, rn);

    public static void BFCVT(Cpu cpu, int rd, int rn) =>
        SetScalar(cpu, rd, rd, 16, Fp.ConvertBF(cpu.V(rn).Elem(0, 32), cpu.FPCR, ref cpu.FPSR));

    public static void FCMP_s(Cpu cpu, int rn, int rm, int sz) =>
        cpu.NZCV = FpCompare(cpu, FpSize(sz), rn, rm, false);

    public static void FCMP_h(Cpu cpu, int rn, int rm) =>
        cpu.NZCV = FpCompare(cpu, 16, rn, rm, false);

    public static void FCMP_zero_s(Cpu cpu, int rn, int sz) =>
        cpu.NZCV = Fp.Compare(cpu.V(rn).Elem(0, FpSize(sz)), 0, false, FpSize(sz), cpu.FPCR, ref cpu.FPSR);

    public static void FCMP_zero_h(Cpu cpu, int rn) =>
        cpu.NZCV = Fp.Compare(cpu.V(rn).Elem(0, 16), 0, false, 16, cpu.FPCR, ref cpu.FPSR);

    public static void FCMPE_s(Cpu cpu, int rn, int rm, int sz) =>
        cpu.NZCV = FpCompare(cpu, FpSize(sz), rn, rm, true);

    public static void FCMPE_h(Cpu cpu, int rn, int rm) =>
        cpu.NZCV = FpCompare(cpu, 16, rn, rm, true);

    public static void FCMPE_zero_s(Cpu cpu, int rn, int sz) =>
        cpu.NZCV = Fp.Compare(cpu.V(rn).Elem(0, FpSize(sz)), 0, true, FpSize(sz), cpu.FPCR, ref cpu.FPSR);

    public static void FCMPE_zero_h(Cpu cpu, int rn) =>
        cpu.NZCV = Fp.Compare(cpu.V(rn).Elem(0, 16), 0, true, 16, cpu.FPCR, ref cpu.FPSR);

    public static void FCCMP_s(Cpu cpu, int rn, int rm, int sz, int cond, int nzcv) =>
        cpu.NZCV = cpu.ConditionHolds(cond) ? FpCompare(cpu, FpSize(sz), rn, rm, false) : nzcv;

    public static void FCCMP_h(Cpu cpu, int rn, int rm, int cond, int nzcv) =>
        cpu.NZCV = cpu.ConditionHolds(cond) ? FpCompare(cpu, 16, rn, rm, false) : nzcv;

    public static void FCCMPE_s(Cpu cpu, int rn, int rm, int sz, int cond, int nzcv) =>
        cpu.NZCV = cpu.ConditionHolds(cond) ? FpCompare(cpu, FpSize(sz), rn, rm, true) : nzcv;

    public static void FCCMPE_h(Cpu cpu, int rn, int rm, int cond, int nzcv) =>
        cpu.NZCV = cpu.ConditionHolds(cond) ? FpCompare(cpu, 16, rn, rm, true) : nzcv;

    public static void FCSEL_s(Cpu cpu, int rd, int rn, int rm, int sz, int cond) =>
        cpu.SetVLow(rd, cpu.V(cpu.ConditionHolds(cond) ? rn : rm).Elem(0, FpSize(sz)));

    public static void FCSEL_h(Cpu cpu, int rd, int rn, int rm, int cond) =>
        cpu.SetVLow(rd, cpu.V(cpu.ConditionHolds(cond) ? rn : rm).Elem(0, 16));

    public static void FMOV_imm_s(Cpu cpu, int rd, int sz, int imm8) =>
        cpu.SetVLow(rd, VFPExpandImm(imm8, FpSize(sz)));

    public static void FMOV_imm_h(Cpu cpu, int rd, int imm8) =>
        cpu.SetVLow(rd, VFPExpandImm(imm8, 16));
}
