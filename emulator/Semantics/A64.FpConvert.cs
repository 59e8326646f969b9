using ArmVdso.Emulator.FloatingPoint;
using ArmVdso.Emulator.Processor;

namespace ArmVdso.Emulator.Semantics;

/// <summary>Conversions between floating point and integers or fixed point (DDI0487, C7.2), scalar with general registers and
/// SIMD.</summary>
public static partial class A64
{
    public static void FCVTNS_gen_s(Cpu cpu, int rd, int rn, int sf, int sz) =>
        FpToGeneral(cpu, FpSize(sz), sf, rd, rn, 0, false, FpRounding.TieEven);

    public static void FCVTNS_gen_h(Cpu cpu, int rd, int rn, int sf) =>
        FpToGeneral(cpu, 16, sf, rd, rn, 0, false, FpRounding.TieEven);

    public static void FCVTNU_gen_s(Cpu cpu, int rd, int rn, int sf, int sz) =>
        FpToGeneral(cpu, FpSize(sz), sf, rd, rn, 0, true, FpRounding.TieEven);

    public static void FCVTNU_gen_h(Cpu cpu, int rd, int rn, int sf) =>
        FpToGeneral(cpu, 16, sf, rd, rn, 0, true, FpRounding.TieEven);

    public static void FCVTPS_gen_s(Cpu cpu, int rd, int rn, int sf, int sz) =>
        FpToGeneral(cpu, FpSize(sz), sf, rd, rn, 0, false, FpRounding.PosInf);

    public static void FCVTPS_gen_h(Cpu cpu, int rd, int rn, int sf) =>
        FpToGeneral(cpu, 16, sf, rd, rn, 0, false, FpRounding.PosInf);

    public static void FCVTPU_gen_s(Cpu cpu, int rd, int rn, int sf, int sz) =>
        FpToGeneral(cpu, FpSize(sz), sf, rd, rn, 0, true, FpRounding.PosInf);

    public static void FCVTPU_gen_h(Cpu cpu, int rd, int rn, int sf) =>
        FpToGeneral(cpu, 16, sf, rd, rn, 0, true, FpRounding.PosInf);

    public static void FCVTMS_gen_s(Cpu cpu, int rd, int rn, int sf, int sz) =>
        FpToGeneral(cpu, FpSize(sz), sf, rd, rn, 0, false, FpRounding.NegInf);

    public static void FCVTMS_gen_h(Cpu cpu, int rd, int rn, int sf) =>
        FpToGeneral(cpu, 16, sf, rd, rn, 0, false, FpRounding.NegInf);

    public static void FCVTMU_gen_s(Cpu cpu, int rd, int rn, int sf, int sz) =>
        FpToGeneral(cpu, FpSize(sz), sf, rd, rn, 0, true, FpRounding.NegInf);

    public static void FCVTMU_gen_h(Cpu cpu, int rd, int rn, int sf) =>
        FpToGeneral(cpu, 16, sf, rd, rn, 0, true, FpRounding.NegInf);

    public static void FCVTZS_gen_s(Cpu cpu, int rd, int rn, int sf, int sz) =>
        FpToGeneral(cpu, FpSize(sz), sf, rd, rn, 0, false, FpRounding.Zero);

    public static void FCVTZS_gen_h(Cpu cpu, int rd, int rn, int sf) =>
        FpToGeneral(cpu, 16, sf, rd, rn, 0, false, FpRounding.Zero);

    public static void FCVTZU_gen_s(Cpu cpu, int rd, int rn, int sf, int sz) =>
        FpToGeneral(cpu, FpSize(sz), sf, rd, rn, 0, true, FpRounding.Zero);

    public static void FCVTZU_gen_h(Cpu cpu, int rd, int rn, int sf) =>
        FpToGeneral(cpu, 16, sf, rd, rn, 0, true, FpRounding.Zero);

    public static void FCVTAS_gen_s(Cpu cpu, int rd, int rn, int sf, int sz) =>
        FpToGeneral(cpu, FpSize(sz), sf, rd, rn, 0, false, FpRounding.TieAway);

    public static void FCVTAS_gen_h(Cpu cpu, int rd, int rn, int sf) =>
        FpToGeneral(cpu, 16, sf, rd, rn, 0, false, FpRounding.TieAway);

    public static void FCVTAU_gen_s(Cpu cpu, int rd, int rn, int sf, int sz) =>
        FpToGeneral(cpu, FpSize(sz), sf, rd, rn, 0, true, FpRounding.TieAway);

    public static void FCVTAU_gen_h(Cpu cpu, int rd, int rn, int sf) =>
        FpToGeneral(cpu, 16, sf, rd, rn, 0, true, FpRounding.TieAway);

    public static void SCVTF_gen_s(Cpu cpu, int rd, int rn, int sf, int sz) =>
        FpFromGeneral(cpu, FpSize(sz), sf, rd, rn, 0, false);

    public static void SCVTF_gen_h(Cpu cpu, int rd, int rn, int sf) =>
        FpFromGeneral(cpu, 16, sf, rd, rn, 0, false);

    public static void UCVTF_gen_s(Cpu cpu, int rd, int rn, int sf, int sz) =>
        FpFromGeneral(cpu, FpSize(sz), sf, rd, rn, 0, true);

    public static void UCVTF_gen_h(Cpu cpu, int rd, int rn, int sf) =>
        FpFromGeneral(cpu, 16, sf, rd, rn, 0, true);

    public static void FCVTZS_genfix_s(Cpu cpu, int rd, int rn, int sf, int sz, int scale) =>
        FpToGeneral(cpu, FpSize(sz), sf, rd, rn, 64 - scale, false, FpRounding.Zero);

    public static void FCVTZS_genfix_h(Cpu cpu, int rd, int rn, int sf, int scale) =>
        FpToGeneral(cpu, 16, sf, rd, rn, 64 - scale, false, FpRounding.Zero);

    public static void SCVTF_genfix_s(Cpu cpu, int rd, int rn, int sf, int sz, int scale) =>
        FpFromGeneral(cpu, FpSize(sz), sf, rd, rn, 64 - scale, false);

    public static void SCVTF_genfix_h(Cpu cpu, int rd, int rn, int sf, int scale) =>
        FpFromGeneral(cpu, 16, sf, rd, rn, 64 - scale, false);

    public static void FCVTZU_genfix_s(Cpu cpu, int rd, int rn, int sf, int sz, int scale) =>
        FpToGeneral(cpu, FpSize(sz), sf, rd, rn, 64 - scale, true, FpRounding.Zero);

    public static void FCVTZU_genfix_h(Cpu cpu, int rd, int rn, int sf, int scale) =>
        FpToGeneral(cpu, 16, sf, rd, rn, 64 - scale, true, FpRounding.Zero);

    public static void UCVTF_genfix_s(Cpu cpu, int rd, int rn, int sf, int sz, int scale) =>
        FpFromGeneral(cpu, FpSize(sz), sf, rd, rn, 64 - scale, true);

    public static void UCVTF_genfix_h(Cpu cpu, int rd, int rn, int sf, int scale) =>
        FpFromGeneral(cpu, 16, sf, rd, rn, 64 - scale, true);

    public static void FJCVTZS(Cpu cpu, int rd, int rn) =>
        FpToGeneralJS(cpu, rd, rn);

    public static void FMOV_ws(Cpu cpu, int rd, int rn) =>
        cpu.SetW(rd, (uint)cpu.V(rn).Lo);

    public static void FMOV_sw(Cpu cpu, int rd, int rn) =>
        cpu.SetVLow(rd, cpu.W(rn));

    public static void FMOV_xd(Cpu cpu, int rd, int rn) =>
        cpu.SetX(rd, cpu.V(rn).Lo);

    public static void FMOV_dx(Cpu cpu, int rd, int rn) =>
        cpu.SetVLow(rd, cpu.X(rn));

    public static void FMOV_xtop(Cpu cpu, int rd, int rn) =>
        cpu.SetX(rd, cpu.V(rn).Hi);

    public static void FMOV_topx(Cpu cpu, int rd, int rn) =>
        cpu.SetV(rd, new V128(cpu.V(rd).Lo, cpu.X(rn)));

    public static void FMOV_rh(Cpu cpu, int rd, int rn) =>
        cpu.SetX(rd, (ushort)cpu.V(rn).Lo);

    public static void FMOV_hr(Cpu cpu, int rd, int rn) =>
        cpu.SetVLow(rd, (ushort)cpu.X(rn));

    public static void FCVTNS_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorToFixed(cpu, q, FpSize(sz), rd, rn, 0, false, FpRounding.TieEven);

    public static void FCVTNS_vh(Cpu cpu, int rd, int rn, int q) =>
        VectorToFixed(cpu, q, 16, rd, rn, 0, false, FpRounding.TieEven);

    public static void FCVTNS_ss(Cpu cpu, int rd, int rn, int sz) =>
        ScalarToFixed(cpu, FpSize(sz), rd, rn, 0, false, FpRounding.TieEven);

    public static void FCVTNS_sh(Cpu cpu, int rd, int rn) =>
        ScalarToFixed(cpu, 16, rd, rn, 0, false, FpRounding.TieEven);

    public static void FCVTNU_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorToFixed(cpu, q, FpSize(sz), rd, rn, 0, true, FpRounding.TieEven);

    public static void FCVTNU_vh(Cpu cpu, int rd, int rn, int q) =>
        VectorToFixed(cpu, q, 16, rd, rn, 0, true, FpRounding.TieEven);

    public static void FCVTNU_ss(Cpu cpu, int rd, int rn, int sz) =>
        ScalarToFixed(cpu, FpSize(sz), rd, rn, 0, true, FpRounding.TieEven);

    public static void FCVTNU_sh(Cpu cpu, int rd, int rn) =>
        ScalarToFixed(cpu, 16, rd, rn, 0, true, FpRounding.TieEven);

    public static void FCVTMS_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorToFixed(cpu, q, FpSize(sz), rd, rn, 0, false, FpRounding.NegInf);

    public static void FCVTMS_vh(Cpu cpu, int rd, int rn, int q) =>
        VectorToFixed(cpu, q, 16, rd, rn, 0, false, FpRounding.NegInf);

    public static void FCVTMS_ss(Cpu cpu, int rd, int rn, int sz) =>
        ScalarToFixed(cpu, FpSize(sz), rd, rn, 0, false, FpRounding.NegInf);

    public static void FCVTMS_sh(Cpu cpu, int rd, int rn) =>
        ScalarToFixed(cpu, 16, rd, rn, 0, false, FpRounding.NegInf);

    public static void FCVTMU_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorToFixed(cpu, q, FpSize(sz), rd, rn, 0, true, FpRounding.NegInf);

    public static void FCVTMU_vh(Cpu cpu, int rd, int rn, int q) =>
        VectorToFixed(cpu, q, 16, rd, rn, 0, true, FpRounding.NegInf);

    public static void FCVTMU_ss(Cpu cpu, int rd, int rn, int sz) =>
        ScalarToFixed(cpu, FpSize(sz), rd, rn, 0, true, FpRounding.NegInf);

    public static void FCVTMU_sh(Cpu cpu, int rd, int rn) =>
        ScalarToFixed(cpu, 16, rd, rn, 0, true, FpRounding.NegInf);

    public static void FCVTAS_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorToFixed(cpu, q, FpSize(sz), rd, rn, 0, false, FpRounding.TieAway);

    public static void FCVTAS_vh(Cpu cpu, int rd, int rn, int q) =>
        VectorToFixed(cpu, q, 16, rd, rn, 0, false, FpRounding.TieAway);

    public static void FCVTAS_ss(Cpu cpu, int rd, int rn, int sz) =>
        ScalarToFixed(cpu, FpSize(sz), rd, rn, 0, false, FpRounding.TieAway);

    public static void FCVTAS_sh(Cpu cpu, int rd, int rn) =>
        ScalarToFixed(cpu, 16, rd, rn, 0, false, FpRounding.TieAway);

    public static void FCVTAU_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorToFixed(cpu, q, FpSize(sz), rd, rn, 0, true, FpRounding.TieAway);

    public static void FCVTAU_vh(Cpu cpu, int rd, int rn, int q) =>
        VectorToFixed(cpu, q, 16, rd, rn, 0, true, FpRounding.TieAway);

    public static void FCVTAU_ss(Cpu cpu, int rd, int rn, int sz) =>
        ScalarToFixed(cpu, FpSize(sz), rd, rn, 0, true, FpRounding.TieAway);

    public static void FCVTAU_sh(Cpu cpu, int rd, int rn) =>
        ScalarToFixed(cpu, 16, rd, rn, 0, true, FpRounding.TieAway);

    public static void FCVTPS_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorToFixed(cpu, q, FpSize(sz), rd, rn, 0, false, FpRounding.PosInf);

    public static void FCVTPS_vh(Cpu cpu, int rd, int rn, int q) =>
        VectorToFixed(cpu, q, 16, rd, rn, 0, false, FpRounding.PosInf);

    public static void FCVTPS_ss(Cpu cpu, int rd, int rn, int sz) =>
        ScalarToFixed(cpu, FpSize(sz), rd, rn, 0, false, FpRounding.PosInf);

    public static void FCVTPS_sh(Cpu cpu, int rd, int rn) =>
        ScalarToFixed(cpu, 16, rd, rn, 0, false, FpRounding.PosInf);

    public static void FCVTPU_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorToFixed(cpu, q, FpSize(sz), rd, rn, 0, true, FpRounding.PosInf);

    public static void FCVTPU_vh(Cpu cpu, int rd, int rn, int q) =>
        VectorToFixed(cpu, q, 16, rd, rn, 0, true, FpRounding.PosInf);

    public static void FCVTPU_ss(Cpu cpu, int rd, int rn, int sz) =>
        ScalarToFixed(cpu, FpSize(sz), rd, rn, 0, true, FpRounding.PosInf);

    public static void FCVTPU_sh(Cpu cpu, int rd, int rn) =>
        ScalarToFixed(cpu, 16, rd, rn, 0, true, FpRounding.PosInf);

    public static void FCVTZS_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorToFixed(cpu, q, FpSize(sz), rd, rn, 0, false, FpRounding.Zero);

    public static void FCVTZS_vh(Cpu cpu, int rd, int rn, int q) =>
        VectorToFixed(cpu, q, 16, rd, rn, 0, false, FpRounding.Zero);

    public static void FCVTZS_ss(Cpu cpu, int rd, int rn, int sz) =>
        ScalarToFixed(cpu, FpSize(sz), rd, rn, 0, false, FpRounding.Zero);

    public static void FCVTZS_sh(Cpu cpu, int rd, int rn) =>
        ScalarToFixed(cpu, 16, rd, rn, 0, false, FpRounding.Zero);

    public static void FCVTZU_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorToFixed(cpu, q, FpSize(sz), rd, rn, 0, true, FpRounding.Zero);

    public static void FCVTZU_vh(Cpu cpu, int rd, int rn, int q) =>
        VectorToFixed(cpu, q, 16, rd, rn, 0, true, FpRounding.Zero);

    public static void FCVTZU_ss(Cpu cpu, int rd, int rn, int sz) =>
        ScalarToFixed(cpu, FpSize(sz), rd, rn, 0, true, FpRounding.Zero);

    public static void FCVTZU_sh(Cpu cpu, int rd, int rn) =>
        ScalarToFixed(cpu, 16, rd, rn, 0, true, FpRounding.Zero);

    public static void SCVTF_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorFromFixed(cpu, q, FpSize(sz), rd, rn, 0, false);

    public static void SCVTF_vh(Cpu cpu, int rd, int rn, int q) =>
        VectorFromFixed(cpu, q, 16, rd, rn, 0, false);

    public static void SCVTF_ss(Cpu cpu, int rd, int rn, int sz) =>
        ScalarFromFixed(cpu, FpSize(sz), rd, rn, 0, false);

    public static void SCVTF_sh(Cpu cpu, int rd, int rn) =>
        ScalarFromFixed(cpu, 16, rd, rn, 0, false);

    public static void UCVTF_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorFromFixed(cpu, q, FpSize(sz), rd, rn, 0, true);

    public static void UCVTF_vh(Cpu cpu, int rd, int rn, int q) =>
        VectorFromFixed(cpu, q, 16, rd, rn, 0, true);

    public static void UCVTF_ss(Cpu cpu, int rd, int rn, int sz) =>
        ScalarFromFixed(cpu, FpSize(sz), rd, rn, 0, true);

    public static void UCVTF_sh(Cpu cpu, int rd, int rn) =>
        ScalarFromFixed(cpu, 16, rd, rn, 0, true);

    public static void SCVTF_vfix_h(Cpu cpu, int rd, int rn, int q, int imm) =>
        VectorFromFixed(cpu, q, 16, rd, rn, 16 - imm, false);

    public static void SCVTF_sfix_h(Cpu cpu, int rd, int rn, int imm) =>
        ScalarFromFixed(cpu, 16, rd, rn, 16 - imm, false);

    public static void SCVTF_vfix_s(Cpu cpu, int rd, int rn, int q, int imm) =>
        VectorFromFixed(cpu, q, 32, rd, rn, 32 - imm, false);

    public static void SCVTF_sfix_s(Cpu cpu, int rd, int rn, int imm) =>
        ScalarFromFixed(cpu, 32, rd, rn, 32 - imm, false);

    public static void SCVTF_vfix_d(Cpu cpu, int rd, int rn, int imm) =>
        VectorFromFixed(cpu, 1, 64, rd, rn, 64 - imm, false);

    public static void SCVTF_sfix_d(Cpu cpu, int rd, int rn, int imm) =>
        ScalarFromFixed(cpu, 64, rd, rn, 64 - imm, false);

    public static void UCVTF_vfix_h(Cpu cpu, int rd, int rn, int q, int imm) =>
        VectorFromFixed(cpu, q, 16, rd, rn, 16 - imm, true);

    public static void UCVTF_sfix_h(Cpu cpu, int rd, int rn, int imm) =>
        ScalarFromFixed(cpu, 16, rd, rn, 16 - imm, true);

    public static void UCVTF_vfix_s(Cpu cpu, int rd, int rn, int q, int imm) =>
        VectorFromFixed(cpu, q, 32, rd, rn, 32 - imm, true);

    public static void UCVTF_sfix_s(Cpu cpu, int rd, int rn, int imm) =>
        ScalarFromFixed(cpu, 32, rd, rn, 32 - imm, true);

    public static void UCVTF_vfix_d(Cpu cpu, int rd, int rn, int imm) =>
        VectorFromFixed(cpu, 1, 64, rd, rn, 64 - imm, true);

    public static void UCVTF_sfix_d(Cpu cpu, int rd, int rn, int imm) =>
        ScalarFromFixed(cpu, 64, rd, rn, 64 - imm, true);

    public static void FCVTZS_vfix_h(Cpu cpu, int rd, int rn, int q, int imm) =>
        VectorToFixed(cpu, q, 16, rd, rn, 16 - imm, false, FpRounding.Zero);

    public static void FCVTZS_sfix_h(Cpu cpu, int rd, int rn, int imm) =>
        ScalarToFixed(cpu, 16, rd, rn, 16 - imm, false, FpRounding.Zero);

    public static void FCVTZS_vfix_s(Cpu cpu, int rd, int rn, int q, int imm) =>
        VectorToFixed(cpu, q, 32, rd, rn, 32 - imm, false, FpRounding.Zero);

    public static void FCVTZS_sfix_s(Cpu cpu, int rd, int rn, int imm) =>
        ScalarToFixed(cpu, 32, rd, rn, 32 - imm, false, FpRounding.Zero);

    public static void FCVTZS_vfix_d(Cpu cpu, int rd, int rn, int imm) =>
        VectorToFixed(cpu, 1, 64, rd, rn, 64 - imm, false, FpRounding.Zero);

    public static void FCVTZS_sfix_d(Cpu cpu, int rd, int rn, int imm) =>
        ScalarToFixed(cpu, 64, rd, rn, 64 - imm, false, FpRounding.Zero);

    public static void FCVTZU_vfix_h(Cpu cpu, int rd, int rn, int q, int imm) =>
        VectorToFixed(cpu, q, 16, rd, rn, 16 - imm, true, FpRounding.Zero);

    public static void FCVTZU_sfix_h(Cpu cpu, int rd, int rn, int imm) =>
        ScalarToFixed(cpu, 16, rd, rn, 16 - imm, true, FpRounding.Zero);

    public static void FCVTZU_vfix_s(Cpu cpu, int rd, int rn, int q, int imm) =>
        VectorToFixed(cpu, q, 32, rd, rn, 32 - imm, true, FpRounding.Zero);

    public static void FCVTZU_sfix_s(Cpu cpu, int rd, int rn, int imm) =>
        ScalarToFixed(cpu, 32, rd, rn, 32 - imm, true, FpRounding.Zero);

    public static void FCVTZU_vfix_d(Cpu cpu, int rd, int rn, int imm) =>
        VectorToFixed(cpu, 1, 64, rd, rn, 64 - imm, true, FpRounding.Zero);

    public static void FCVTZU_sfix_d(Cpu cpu, int rd, int rn, int imm) =>
        ScalarToFixed(cpu, 64, rd, rn, 64 - imm, true, FpRounding.Zero);

    public static void FCVTN_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorNarrow(cpu, q, FpSize(sz), rd, rn, Fp.RoundingMode(cpu.FPCR));

    public static void FCVTXN_v(Cpu cpu, int rd, int rn, int q) =>
        VectorNarrow(cpu, q, 64, rd, rn, FpRounding.Odd);

    public static void FCVTXN_ss(Cpu cpu, int rd, int rn) =>
        SetScalar(cpu, rd, rd, 32, Fp.Convert(cpu.V(rn).Lo, 64, 32, cpu.FPCR, FpRounding.Odd, ref cpu.FPSR));

    public static void FCVTL_v(Cpu cpu, int rd, int rn, int q, int sz) =>
        VectorLengthen(cpu, q, FpSize(sz), rd, rn);

    public static void BFCVTN_v(Cpu cpu, int rd, int rn, int q) =>
        VectorNarrowBF(cpu, q, rd, rn);
}
