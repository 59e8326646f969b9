using ArmVdso.Emulator.Processor;

namespace ArmVdso.Emulator.Semantics;

#pragma warning disable CS1591 // Each method is the instruction of that name in DDI0487, C6.2.

/// <summary>Branches.</summary>
public static partial class A64
{
    public static void B(Cpu cpu, int imm26) => cpu.BranchTo(cpu.PC + (ulong)(SignExtend(imm26, 26) << 2), BranchType.Direct);

    public static void BL(Cpu cpu, int imm26)
    {
        cpu.SetX(30, cpu.PC + 4);
        cpu.BranchTo(cpu.PC + (ulong)(SignExtend(imm26, 26) << 2), BranchType.DirectCall);
    }

    public static void B_cond(Cpu cpu, int imm19, int cond)
    {
        if (cpu.ConditionHolds(cond))
            cpu.BranchTo(cpu.PC + (ulong)(SignExtend(imm19, 19) << 2), BranchType.Direct);
    }

    public static void BC_cond(Cpu cpu, int imm19, int cond) => B_cond(cpu, imm19, cond);

    public static void CBZ(Cpu cpu, int sf, int imm19, int rt)
    {
        if (cpu.R(sf, rt) == 0)
            cpu.BranchTo(cpu.PC + (ulong)(SignExtend(imm19, 19) << 2), BranchType.Direct);
    }

    public static void CBNZ(Cpu cpu, int sf, int imm19, int rt)
    {
        if (cpu.R(sf, rt) != 0)
            cpu.BranchTo(cpu.PC + (ulong)(SignExtend(imm19, 19) << 2), BranchType.Direct);
    }

    public static void TBZ(Cpu cpu, int b5, int b40, int imm14, int rt)
    {
        if (((cpu.X(rt) >> ((b5 << 5) | b40)) & 1) == 0)
            cpu.BranchTo(cpu.PC + (ulong)(SignExtend(imm14, 14) << 2), BranchType.Direct);
    }

    public static void TBNZ(Cpu cpu, int b5, int b40, int imm14, int rt)
    {
        if (((cpu.X(rt) >> ((b5 << 5) | b40)) & 1) != 0)
            cpu.BranchTo(cpu.PC + (ulong)(SignExtend(imm14, 14) << 2), BranchType.Direct);
    }

    public static void BR(Cpu cpu, int rn) => BranchRegister(cpu, cpu.X(rn), rn);

    public static void BLR(Cpu cpu, int rn) => CallRegister(cpu, cpu.X(rn));

    public static void RET(Cpu cpu, int rn) => cpu.BranchTo(cpu.X(rn), BranchType.Return);

    public static void BRAA(Cpu cpu, int rn, int rm)
    {
        if (cpu.AuthIA(cpu.X(rn), cpu.XSP(rm), out ulong target))
            BranchRegister(cpu, target, rn);
    }

    public static void BRAB(Cpu cpu, int rn, int rm)
    {
        if (cpu.AuthIB(cpu.X(rn), cpu.XSP(rm), out ulong target))
            BranchRegister(cpu, target, rn);
    }

    public static void BRAAZ(Cpu cpu, int rn)
    {
        if (cpu.AuthIA(cpu.X(rn), 0, out ulong target))
            BranchRegister(cpu, target, rn);
    }

    public static void BRABZ(Cpu cpu, int rn)
    {
        if (cpu.AuthIB(cpu.X(rn), 0, out ulong target))
            BranchRegister(cpu, target, rn);
    }

    public static void BLRAA(Cpu cpu, int rn, int rm)
    {
        if (cpu.AuthIA(cpu.X(rn), cpu.XSP(rm), out ulong target))
            CallRegister(cpu, target);
    }

    public static void BLRAB(Cpu cpu, int rn, int rm)
    {
        if (cpu.AuthIB(cpu.X(rn), cpu.XSP(rm), out ulong target))
            CallRegister(cpu, target);
    }

    public static void BLRAAZ(Cpu cpu, int rn)
    {
        if (cpu.AuthIA(cpu.X(rn), 0, out ulong target))
            CallRegister(cpu, target);
    }

    public static void BLRABZ(Cpu cpu, int rn)
    {
        if (cpu.AuthIB(cpu.X(rn), 0, out ulong target))
            CallRegister(cpu, target);
    }

    public static void RETAA(Cpu cpu)
    {
        if (cpu.AuthIA(cpu.X(30), cpu.SP, out ulong target))
            cpu.BranchTo(target, BranchType.Return);
    }

    public static void RETAB(Cpu cpu)
    {
        if (cpu.AuthIB(cpu.X(30), cpu.SP, out ulong target))
            cpu.BranchTo(target, BranchType.Return);
    }

    private static void BranchRegister(Cpu cpu, ulong target, int rn)
    {
        // In a guarded page only X16 and X17 may reach "BTI c" landing pads without a link.
        if (cpu.HasBti)
            cpu.BTypeNext = cpu.InGuardedPage && rn is not (16 or 17) ? 3 : 1;
        cpu.BranchTo(target, BranchType.Indirect);
    }

    private static void CallRegister(Cpu cpu, ulong target)
    {
        cpu.SetX(30, cpu.PC + 4);
        if (cpu.HasBti)
            cpu.BTypeNext = 2;
        cpu.BranchTo(target, BranchType.IndirectCall);
    }
}
