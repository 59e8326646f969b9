using ArmVdso.Emulator.Processor;

namespace ArmVdso.Emulator.Semantics;

#pragma warning disable CS1591 // Each method is the instruction of that name in DDI0487, C6.2.

/// <summary>Loads and stores of one general register. When the base register is also loaded and written back, the
/// written-back address stays, as on common implementations (CONSTRAINED UNPREDICTABLE).</summary>
public static partial class A64
{
    private const int ZeroExtended = 0, SignedTo64 = 1, SignedTo32 = 2;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Extended(ulong value, int scale, int sign) => sign switch
    {
        ZeroExtended => value,
        SignedTo64 => SignExtend(value, 8 << scale),
        _ => (uint)SignExtend(value, 8 << scale),
    };

    /// <summary>Loads 1 &lt;&lt; scale bytes at base + offset into Xt.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void LoadRegister(Cpu cpu, int rn, ulong offset, int scale, int rt, int sign, Access access = Access.Normal)
    {
        if (!cpu.CheckSPAlignment(rn))
            return;
        if (cpu.Load(cpu.XSP(rn) + offset, 1 << scale, out ulong value, access))
            cpu.SetX(rt, Extended(value, scale, sign));
    }

    /// <summary>Stores the low 1 &lt;&lt; scale bytes of Xt at base + offset.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreRegister(Cpu cpu, int rn, ulong offset, int scale, int rt, Access access = Access.Normal)
    {
        if (cpu.CheckSPAlignment(rn))
            cpu.Store(cpu.XSP(rn) + offset, 1 << scale, cpu.X(rt), access);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void LoadWriteBack(Cpu cpu, int rn, int imm9, bool post, int scale, int rt, int sign)
    {
        if (!cpu.CheckSPAlignment(rn))
            return;
        ulong address = cpu.XSP(rn);
        ulong moved = address + (ulong)SignExtend(imm9, 9);
        if (!cpu.Load(post ? address : moved, 1 << scale, out ulong value))
            return;
        cpu.SetX(rt, Extended(value, scale, sign));
        cpu.SetXSP(rn, moved);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void StoreWriteBack(Cpu cpu, int rn, int imm9, bool post, int scale, int rt)
    {
        if (!cpu.CheckSPAlignment(rn))
            return;
        ulong address = cpu.XSP(rn);
        ulong moved = address + (ulong)SignExtend(imm9, 9);
        if (cpu.Store(post ? address : moved, 1 << scale, cpu.X(rt)))
            cpu.SetXSP(rn, moved);
    }

    public static void LDR_lit(Cpu cpu, int sf, int imm19, int rt)
    {
        if (cpu.Load(cpu.PC + (ulong)(SignExtend(imm19, 19) << 2), 4 << sf, out ulong value))
            cpu.SetX(rt, value);
    }

    public static void LDRSW_lit(Cpu cpu, int imm19, int rt)
    {
        if (cpu.Load(cpu.PC + (ulong)(SignExtend(imm19, 19) << 2), out int value))
            cpu.SetX(rt, (ulong)value);
    }

    /// <summary>Prefetches change no state; the timing model is told.</summary>
    public static void PRFM_lit(Cpu cpu, int imm19, int rt) => cpu.Prefetch(cpu.PC + (ulong)(SignExtend(imm19, 19) << 2), rt);

    /// <inheritdoc cref="PRFM_lit"/>
    public static void PRFM_imm(Cpu cpu, int imm12, int rn, int rt) => cpu.Prefetch(cpu.XSP(rn) + ((ulong)imm12 << 3), rt);

    /// <inheritdoc cref="PRFM_lit"/>
    public static void PRFM_reg(Cpu cpu, int rm, int option, int s, int rn, int rt) =>
        cpu.Prefetch(cpu.XSP(rn) + ExtendReg(cpu, rm, option, s != 0 ? 3 : 0), rt);

    /// <inheritdoc cref="PRFM_lit"/>
    public static void PRFUM(Cpu cpu, int imm9, int rn, int rt) => cpu.Prefetch(cpu.XSP(rn) + (ulong)SignExtend(imm9, 9), rt);

    /// <summary>A hint that no core here follows.</summary>
    public static void RPRFM(Cpu cpu) => _ = cpu;

    public static void STRB_imm(Cpu cpu, int imm12, int rn, int rt) => StoreRegister(cpu, rn, (ulong)imm12 << 0, 0, rt);

    public static void STRB_post(Cpu cpu, int imm9, int rn, int rt) => StoreWriteBack(cpu, rn, imm9, true, 0, rt);

    public static void STRB_pre(Cpu cpu, int imm9, int rn, int rt) => StoreWriteBack(cpu, rn, imm9, false, 0, rt);

    public static void STRB_reg(Cpu cpu, int rm, int option, int s, int rn, int rt) =>
        StoreRegister(cpu, rn, ExtendReg(cpu, rm, option, s != 0 ? 0 : 0), 0, rt);

    public static void STURB(Cpu cpu, int imm9, int rn, int rt) =>
        StoreRegister(cpu, rn, (ulong)SignExtend(imm9, 9), 0, rt);

    public static void STTRB(Cpu cpu, int imm9, int rn, int rt) =>
        StoreRegister(cpu, rn, (ulong)SignExtend(imm9, 9), 0, rt, Access.Unprivileged);

    public static void LDRB_imm(Cpu cpu, int imm12, int rn, int rt) => LoadRegister(cpu, rn, (ulong)imm12 << 0, 0, rt, ZeroExtended);

    public static void LDRB_post(Cpu cpu, int imm9, int rn, int rt) => LoadWriteBack(cpu, rn, imm9, true, 0, rt, ZeroExtended);

    public static void LDRB_pre(Cpu cpu, int imm9, int rn, int rt) => LoadWriteBack(cpu, rn, imm9, false, 0, rt, ZeroExtended);

    public static void LDRB_reg(Cpu cpu, int rm, int option, int s, int rn, int rt) =>
        LoadRegister(cpu, rn, ExtendReg(cpu, rm, option, s != 0 ? 0 : 0), 0, rt, ZeroExtended);

    public static void LDURB(Cpu cpu, int imm9, int rn, int rt) =>
        LoadRegister(cpu, rn, (ulong)SignExtend(imm9, 9), 0, rt, ZeroExtended);

    public static void LDTRB(Cpu cpu, int imm9, int rn, int rt) =>
        LoadRegister(cpu, rn, (ulong)SignExtend(imm9, 9), 0, rt, ZeroExtended, Access.Unprivileged);

    public static void LDRSB_imm(Cpu cpu, int opc, int imm12, int rn, int rt) =>
        LoadRegister(cpu, rn, (ulong)imm12 << 0, 0, rt, opc != 0 ? SignedTo32 : SignedTo64);

    public static void LDRSB_post(Cpu cpu, int opc, int imm9, int rn, int rt) =>
        LoadWriteBack(cpu, rn, imm9, true, 0, rt, opc != 0 ? SignedTo32 : SignedTo64);

    public static void LDRSB_pre(Cpu cpu, int opc, int imm9, int rn, int rt) =>
        LoadWriteBack(cpu, rn, imm9, false, 0, rt, opc != 0 ? SignedTo32 : SignedTo64);

    public static void LDRSB_reg(Cpu cpu, int opc, int rm, int option, int s, int rn, int rt) =>
        LoadRegister(cpu, rn, ExtendReg(cpu, rm, option, s != 0 ? 0 : 0), 0, rt, opc != 0 ? SignedTo32 : SignedTo64);

    public static void LDURSB(Cpu cpu, int opc, int imm9, int rn, int rt) =>
        LoadRegister(cpu, rn, (ulong)SignExtend(imm9, 9), 0, rt, opc != 0 ? SignedTo32 : SignedTo64);

    public static void LDTRSB(Cpu cpu, int opc, int imm9, int rn, int rt) =>
        LoadRegister(cpu, rn, (ulong)SignExtend(imm9, 9), 0, rt, opc != 0 ? SignedTo32 : SignedTo64, Access.Unprivileged);

    public static void STRH_imm(Cpu cpu, int imm12, int rn, int rt) => StoreRegister(cpu, rn, (ulong)imm12 << 1, 1, rt);

    public static void STRH_post(Cpu cpu, int imm9, int rn, int rt) => StoreWriteBack(cpu, rn, imm9, true, 1, rt);

    public static void STRH_pre(Cpu cpu, int imm9, int rn, int rt) => StoreWriteBack(cpu, rn, imm9, false, 1, rt);

    public static void STRH_reg(Cpu cpu, int rm, int option, int s, int rn, int rt) =>
        StoreRegister(cpu, rn, ExtendReg(cpu, rm, option, s != 0 ? 1 : 0), 1, rt);

    public static void STURH(Cpu cpu, int imm9, int rn, int rt) =>
        StoreRegister(cpu, rn, (ulong)SignExtend(imm9, 9), 1, rt);

    public static void STTRH(Cpu cpu, int imm9, int rn, int rt) =>
        StoreRegister(cpu, rn, (ulong)SignExtend(imm9, 9), 1, rt, Access.Unprivileged);

    public static void LDRH_imm(Cpu cpu, int imm12, int rn, int rt) => LoadRegister(cpu, rn, (ulong)imm12 << 1, 1, rt, ZeroExtended);

    public static void LDRH_post(Cpu cpu, int imm9, int rn, int rt) => LoadWriteBack(cpu, rn, imm9, true, 1, rt, ZeroExtended);

    public static void LDRH_pre(Cpu cpu, int imm9, int rn, int rt) => LoadWriteBack(cpu, rn, imm9, false, 1, rt, ZeroExtended);

    public static void LDRH_reg(Cpu cpu, int rm, int option, int s, int rn, int rt) =>
        LoadRegister(cpu, rn, ExtendReg(cpu, rm, option, s != 0 ? 1 : 0), 1, rt, ZeroExtended);

    public static void LDURH(Cpu cpu, int imm9, int rn, int rt) =>
        LoadRegister(cpu, rn, (ulong)SignExtend(imm9, 9), 1, rt, ZeroExtended);

    public static void LDTRH(Cpu cpu, int imm9, int rn, int rt) =>
        LoadRegister(cpu, rn, (ulong)SignExtend(imm9, 9), 1, rt, ZeroExtended, Access.Unprivileged);

    public static void LDRSH_imm(Cpu cpu, int opc, int imm12, int rn, int rt) =>
        LoadRegister(cpu, rn, (ulong)imm12 << 1, 1, rt, opc != 0 ? SignedTo32 : SignedTo64);

    public static void LDRSH_post(Cpu cpu, int opc, int imm9, int rn, int rt) =>
        LoadWriteBack(cpu, rn, imm9, true, 1, rt, opc != 0 ? SignedTo32 : SignedTo64);

    public static void LDRSH_pre(Cpu cpu, int opc, int imm9, int rn, int rt) =>
        LoadWriteBack(cpu, rn, imm9, false, 1, rt, opc != 0 ? SignedTo32 : SignedTo64);

    public static void LDRSH_reg(Cpu cpu, int opc, int rm, int option, int s, int rn, int rt) =>
        LoadRegister(cpu, rn, ExtendReg(cpu, rm, option, s != 0 ? 1 : 0), 1, rt, opc != 0 ? SignedTo32 : SignedTo64);

    public static void LDURSH(Cpu cpu, int opc, int imm9, int rn, int rt) =>
        LoadRegister(cpu, rn, (ulong)SignExtend(imm9, 9), 1, rt, opc != 0 ? SignedTo32 : SignedTo64);

    public static void LDTRSH(Cpu cpu, int opc, int imm9, int rn, int rt) =>
        LoadRegister(cpu, rn, (ulong)SignExtend(imm9, 9), 1, rt, opc != 0 ? SignedTo32 : SignedTo64, Access.Unprivileged);

    public static void STR_imm(Cpu cpu, int sf, int imm12, int rn, int rt) => StoreRegister(cpu, rn, (ulong)imm12 << (2 + sf), 2 + sf, rt);

    public static void STR_post(Cpu cpu, int sf, int imm9, int rn, int rt) => StoreWriteBack(cpu, rn, imm9, true, 2 + sf, rt);

    public static void STR_pre(Cpu cpu, int sf, int imm9, int rn, int rt) => StoreWriteBack(cpu, rn, imm9, false, 2 + sf, rt);

    public static void STR_reg(Cpu cpu, int sf, int rm, int option, int s, int rn, int rt) =>
        StoreRegister(cpu, rn, ExtendReg(cpu, rm, option, s != 0 ? 2 + sf : 0), 2 + sf, rt);

    public static void STUR(Cpu cpu, int sf, int imm9, int rn, int rt) =>
        StoreRegister(cpu, rn, (ulong)SignExtend(imm9, 9), 2 + sf, rt);

    public static void STTR(Cpu cpu, int sf, int imm9, int rn, int rt) =>
        StoreRegister(cpu, rn, (ulong)SignExtend(imm9, 9), 2 + sf, rt, Access.Unprivileged);

    public static void LDR_imm(Cpu cpu, int sf, int imm12, int rn, int rt) =>
        LoadRegister(cpu, rn, (ulong)imm12 << (2 + sf), 2 + sf, rt, ZeroExtended);

    public static void LDR_post(Cpu cpu, int sf, int imm9, int rn, int rt) => LoadWriteBack(cpu, rn, imm9, true, 2 + sf, rt, ZeroExtended);

    public static void LDR_pre(Cpu cpu, int sf, int imm9, int rn, int rt) => LoadWriteBack(cpu, rn, imm9, false, 2 + sf, rt, ZeroExtended);

    public static void LDR_reg(Cpu cpu, int sf, int rm, int option, int s, int rn, int rt) =>
        LoadRegister(cpu, rn, ExtendReg(cpu, rm, option, s != 0 ? 2 + sf : 0), 2 + sf, rt, ZeroExtended);

    public static void LDUR(Cpu cpu, int sf, int imm9, int rn, int rt) =>
        LoadRegister(cpu, rn, (ulong)SignExtend(imm9, 9), 2 + sf, rt, ZeroExtended);

    public static void LDTR(Cpu cpu, int sf, int imm9, int rn, int rt) =>
        LoadRegister(cpu, rn, (ulong)SignExtend(imm9, 9), 2 + sf, rt, ZeroExtended, Access.Unprivileged);

    public static void LDRSW_imm(Cpu cpu, int imm12, int rn, int rt) => LoadRegister(cpu, rn, (ulong)imm12 << 2, 2, rt, SignedTo64);

    public static void LDRSW_post(Cpu cpu, int imm9, int rn, int rt) => LoadWriteBack(cpu, rn, imm9, true, 2, rt, SignedTo64);

    public static void LDRSW_pre(Cpu cpu, int imm9, int rn, int rt) => LoadWriteBack(cpu, rn, imm9, false, 2, rt, SignedTo64);

    public static void LDRSW_reg(Cpu cpu, int rm, int option, int s, int rn, int rt) =>
        LoadRegister(cpu, rn, ExtendReg(cpu, rm, option, s != 0 ? 2 : 0), 2, rt, SignedTo64);

    public static void LDURSW(Cpu cpu, int imm9, int rn, int rt) =>
        LoadRegister(cpu, rn, (ulong)SignExtend(imm9, 9), 2, rt, SignedTo64);

    public static void LDTRSW(Cpu cpu, int imm9, int rn, int rt) =>
        LoadRegister(cpu, rn, (ulong)SignExtend(imm9, 9), 2, rt, SignedTo64, Access.Unprivileged);
}
