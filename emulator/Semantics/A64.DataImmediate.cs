using ArmVdso.Emulator.Processor;

namespace ArmVdso.Emulator.Semantics;

#pragma warning disable CS1591 // Each method is the instruction of that name in DDI0487, C6.2.

/// <summary>Data processing (immediate).</summary>
public static partial class A64
{
    public static void ADR(Cpu cpu, int immlo, int immhi, int rd) =>
        cpu.SetX(rd, cpu.PC + (ulong)SignExtend((immhi << 2) | immlo, 21));

    public static void ADRP(Cpu cpu, int immlo, int immhi, int rd) =>
        cpu.SetX(rd, (cpu.PC & ~0xfffUL) + (ulong)(SignExtend((immhi << 2) | immlo, 21) << 12));

    public static void ADD_imm(Cpu cpu, int sf, int sh, int imm12, int rn, int rd) =>
        SetRegisterOrSP(cpu, sf, rd, cpu.XSP(rn) + ((ulong)imm12 << (12 * sh)));

    public static void ADDS_imm(Cpu cpu, int sf, int sh, int imm12, int rn, int rd) =>
        cpu.SetR(sf, rd, AddWithCarry(cpu, sf, RegisterOrSP(cpu, sf, rn), (ulong)imm12 << (12 * sh), false));

    public static void SUB_imm(Cpu cpu, int sf, int sh, int imm12, int rn, int rd) =>
        SetRegisterOrSP(cpu, sf, rd, cpu.XSP(rn) - ((ulong)imm12 << (12 * sh)));

    public static void SUBS_imm(Cpu cpu, int sf, int sh, int imm12, int rn, int rd) =>
        cpu.SetR(sf, rd, AddWithCarry(cpu, sf, RegisterOrSP(cpu, sf, rn), ~((ulong)imm12 << (12 * sh)), true));

    public static void SMAX_imm(Cpu cpu, int sf, int imm8, int rn, int rd) =>
        cpu.SetR(sf, rd, (ulong)Math.Max(SignedRegister(cpu, sf, rn), (sbyte)imm8));

    public static void UMAX_imm(Cpu cpu, int sf, int imm8, int rn, int rd) =>
        cpu.SetR(sf, rd, Math.Max(cpu.R(sf, rn), (ulong)imm8));

    public static void SMIN_imm(Cpu cpu, int sf, int imm8, int rn, int rd) =>
        cpu.SetR(sf, rd, (ulong)Math.Min(SignedRegister(cpu, sf, rn), (sbyte)imm8));

    public static void UMIN_imm(Cpu cpu, int sf, int imm8, int rn, int rd) =>
        cpu.SetR(sf, rd, Math.Min(cpu.R(sf, rn), (ulong)imm8));

    private static long SignedRegister(Cpu cpu, int sf, int n) => sf != 0 ? (long)cpu.X(n) : (int)cpu.W(n);

    public static void AND_imm(Cpu cpu, int sf, int n, int immr, int imms, int rn, int rd) =>
        SetRegisterOrSP(cpu, sf, rd, cpu.X(rn) & DecodeBitMasks(n, imms, immr).Wmask);

    public static void ORR_imm(Cpu cpu, int sf, int n, int immr, int imms, int rn, int rd) =>
        SetRegisterOrSP(cpu, sf, rd, cpu.X(rn) | DecodeBitMasks(n, imms, immr).Wmask);

    public static void EOR_imm(Cpu cpu, int sf, int n, int immr, int imms, int rn, int rd) =>
        SetRegisterOrSP(cpu, sf, rd, cpu.X(rn) ^ DecodeBitMasks(n, imms, immr).Wmask);

    public static void ANDS_imm(Cpu cpu, int sf, int n, int immr, int imms, int rn, int rd)
    {
        ulong result = cpu.X(rn) & DecodeBitMasks(n, imms, immr).Wmask;
        SetLogicalFlags(cpu, sf, result);
        cpu.SetR(sf, rd, result);
    }

    public static void MOVN(Cpu cpu, int sf, int hw, int imm16, int rd) => cpu.SetR(sf, rd, ~((ulong)imm16 << (16 * hw)));

    public static void MOVZ(Cpu cpu, int hw, int imm16, int rd) => cpu.SetX(rd, (ulong)imm16 << (16 * hw));

    public static void MOVK(Cpu cpu, int sf, int hw, int imm16, int rd) =>
        cpu.SetR(sf, rd, (cpu.X(rd) & ~(0xffffUL << (16 * hw))) | ((ulong)imm16 << (16 * hw)));

    public static void SBFM(Cpu cpu, int sf, int n, int immr, int imms, int rn, int rd)
    {
        (ulong wmask, ulong tmask) = DecodeBitMasks(n, imms, immr);
        ulong source = cpu.R(sf, rn);
        ulong bottom = ShiftValue(sf, source, 3, immr) & wmask;
        ulong top = ((source >> imms) & 1) != 0 ? ulong.MaxValue : 0;
        cpu.SetR(sf, rd, (top & ~tmask) | (bottom & tmask));
    }

    public static void BFM(Cpu cpu, int sf, int n, int immr, int imms, int rn, int rd)
    {
        (ulong wmask, ulong tmask) = DecodeBitMasks(n, imms, immr);
        ulong destination = cpu.X(rd);
        ulong bottom = (destination & ~wmask) | (ShiftValue(sf, cpu.R(sf, rn), 3, immr) & wmask);
        cpu.SetR(sf, rd, (destination & ~tmask) | (bottom & tmask));
    }

    public static void UBFM(Cpu cpu, int sf, int n, int immr, int imms, int rn, int rd)
    {
        (ulong wmask, ulong tmask) = DecodeBitMasks(n, imms, immr);
        cpu.SetR(sf, rd, ShiftValue(sf, cpu.R(sf, rn), 3, immr) & wmask & tmask);
    }

    public static void EXTR(Cpu cpu, int sf, int rm, int imms, int rn, int rd)
    {
        if (sf != 0)
            cpu.SetX(rd, imms == 0 ? cpu.X(rm) : (cpu.X(rm) >> imms) | (cpu.X(rn) << (64 - imms)));
        else
            cpu.SetW(rd, (uint)((((ulong)cpu.W(rn) << 32) | cpu.W(rm)) >> imms));
    }
}
