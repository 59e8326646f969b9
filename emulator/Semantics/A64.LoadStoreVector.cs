using ArmVdso.Emulator.Processor;

namespace ArmVdso.Emulator.Semantics;

#pragma warning disable CS1591 // Each method is the instruction of that name in DDI0487, C7.2.

/// <summary>Loads and stores of SIMD and floating-point registers (single and pair).</summary>
public static partial class A64
{
    /// <summary>Loads 1 &lt;&lt; scale bytes (1 to 16), zero-extended to a vector register.</summary>
    private static bool LoadVector(Cpu cpu, ulong address, int scale, out V128 value, Access access = Access.Normal)
    {
        if (scale == 4)
            return cpu.Load(address, out value, access);
        bool ok = cpu.Load(address, 1 << scale, out ulong low, access);
        value = new V128(low, 0);
        return ok;
    }

    private static bool StoreVector(Cpu cpu, ulong address, int scale, int rt, Access access = Access.Normal) => scale == 4
        ? cpu.Store(address, cpu.V(rt), access)
        : cpu.Store(address, 1 << scale, cpu.V(rt).Lo, access);

    private static void LoadVectorRegister(Cpu cpu, int rn, ulong offset, int scale, int rt)
    {
        if (cpu.CheckSPAlignment(rn) && LoadVector(cpu, cpu.XSP(rn) + offset, scale, out V128 value))
            cpu.SetV(rt, value);
    }

    private static void StoreVectorRegister(Cpu cpu, int rn, ulong offset, int scale, int rt)
    {
        if (cpu.CheckSPAlignment(rn))
            StoreVector(cpu, cpu.XSP(rn) + offset, scale, rt);
    }

    private static void LoadVectorWriteBack(Cpu cpu, int rn, int imm9, bool post, int scale, int rt)
    {
        ulong address = cpu.XSP(rn);
        ulong moved = address + (ulong)SignExtend(imm9, 9);
        if (!cpu.CheckSPAlignment(rn) || !LoadVector(cpu, post ? address : moved, scale, out V128 value))
            return;
        cpu.SetV(rt, value);
        cpu.SetXSP(rn, moved);
    }

    private static void StoreVectorWriteBack(Cpu cpu, int rn, int imm9, bool post, int scale, int rt)
    {
        ulong address = cpu.XSP(rn);
        ulong moved = address + (ulong)SignExtend(imm9, 9);
        if (cpu.CheckSPAlignment(rn) && StoreVector(cpu, post ? address : moved, scale, rt))
            cpu.SetXSP(rn, moved);
    }

    public static void LDR_fp_lit(Cpu cpu, int opc, int imm19, int rt)
    {
        if (LoadVector(cpu, cpu.PC + (ulong)(SignExtend(imm19, 19) << 2), 2 + opc, out V128 value))
            cpu.SetV(rt, value);
    }

    public static void STR_fp_imm(Cpu cpu, int size, int q, int imm12, int rn, int rt) =>
        StoreVectorRegister(cpu, rn, (ulong)imm12 << ((q << 2) + size), (q << 2) + size, rt);

    public static void STR_fp_post(Cpu cpu, int size, int q, int imm9, int rn, int rt) =>
        StoreVectorWriteBack(cpu, rn, imm9, true, (q << 2) + size, rt);

    public static void STR_fp_pre(Cpu cpu, int size, int q, int imm9, int rn, int rt) =>
        StoreVectorWriteBack(cpu, rn, imm9, false, (q << 2) + size, rt);

    public static void STR_fp_reg(Cpu cpu, int size, int q, int rm, int option, int s, int rn, int rt) =>
        StoreVectorRegister(cpu, rn, ExtendReg(cpu, rm, option, s != 0 ? (q << 2) + size : 0), (q << 2) + size, rt);

    public static void STUR_fp(Cpu cpu, int size, int q, int imm9, int rn, int rt) =>
        StoreVectorRegister(cpu, rn, (ulong)SignExtend(imm9, 9), (q << 2) + size, rt);

    public static void LDR_fp_imm(Cpu cpu, int size, int q, int imm12, int rn, int rt) =>
        LoadVectorRegister(cpu, rn, (ulong)imm12 << ((q << 2) + size), (q << 2) + size, rt);

    public static void LDR_fp_post(Cpu cpu, int size, int q, int imm9, int rn, int rt) =>
        LoadVectorWriteBack(cpu, rn, imm9, true, (q << 2) + size, rt);

    public static void LDR_fp_pre(Cpu cpu, int size, int q, int imm9, int rn, int rt) =>
        LoadVectorWriteBack(cpu, rn, imm9, false, (q << 2) + size, rt);

    public static void LDR_fp_reg(Cpu cpu, int size, int q, int rm, int option, int s, int rn, int rt) =>
        LoadVectorRegister(cpu, rn, ExtendReg(cpu, rm, option, s != 0 ? (q << 2) + size : 0), (q << 2) + size, rt);

    public static void LDUR_fp(Cpu cpu, int size, int q, int imm9, int rn, int rt) =>
        LoadVectorRegister(cpu, rn, (ulong)SignExtend(imm9, 9), (q << 2) + size, rt);

    /// <summary>Pairs of S and D registers are one access, like pairs of general registers.</summary>
    private static bool LoadVectorPair(Cpu cpu, int width, ulong address, int rt, int rt2)
    {
        V128 first, second;
        if (width == 2)
        {
            if (!cpu.Load(address, out first) || !cpu.Load(address + 16, out second))
                return false;
        }
        else if (width == 1)
        {
            if (!cpu.Load(address, out V128 both))
                return false;
            (first, second) = (new V128(both.Lo, 0), new V128(both.Hi, 0));
        }
        else
        {
            if (!cpu.Load(address, out ulong both))
                return false;
            (first, second) = (new V128((uint)both, 0), new V128(both >> 32, 0));
        }
        cpu.SetV(rt, first);
        cpu.SetV(rt2, second);
        return true;
    }

    private static bool StoreVectorPair(Cpu cpu, int width, ulong address, int rt, int rt2) => width switch
    {
        2 => cpu.Check(address, 32, true) && cpu.Store(address, cpu.V(rt)) && cpu.Store(address + 16, cpu.V(rt2)),
        1 => cpu.Store(address, new V128(cpu.V(rt).Lo, cpu.V(rt2).Lo)),
        _ => cpu.Store(address, (uint)cpu.V(rt).Lo | (cpu.V(rt2).Lo << 32)),
    };

    public static void STNP_fp(Cpu cpu, int opc, int imm7, int rt2, int rn, int rt) =>
        Pair(cpu, StoreVectorPair, opc, Indexing.Offset, imm7, rt2, rn, rt);

    public static void STP_fp_off(Cpu cpu, int opc, int imm7, int rt2, int rn, int rt) =>
        Pair(cpu, StoreVectorPair, opc, Indexing.Offset, imm7, rt2, rn, rt);

    public static void STP_fp_post(Cpu cpu, int opc, int imm7, int rt2, int rn, int rt) =>
        Pair(cpu, StoreVectorPair, opc, Indexing.Post, imm7, rt2, rn, rt);

    public static void STP_fp_pre(Cpu cpu, int opc, int imm7, int rt2, int rn, int rt) =>
        Pair(cpu, StoreVectorPair, opc, Indexing.Pre, imm7, rt2, rn, rt);

    public static void LDNP_fp(Cpu cpu, int opc, int imm7, int rt2, int rn, int rt) =>
        Pair(cpu, LoadVectorPair, opc, Indexing.Offset, imm7, rt2, rn, rt);

    public static void LDP_fp_off(Cpu cpu, int opc, int imm7, int rt2, int rn, int rt) =>
        Pair(cpu, LoadVectorPair, opc, Indexing.Offset, imm7, rt2, rn, rt);

    public static void LDP_fp_post(Cpu cpu, int opc, int imm7, int rt2, int rn, int rt) =>
        Pair(cpu, LoadVectorPair, opc, Indexing.Post, imm7, rt2, rn, rt);

    public static void LDP_fp_pre(Cpu cpu, int opc, int imm7, int rt2, int rn, int rt) =>
        Pair(cpu, LoadVectorPair, opc, Indexing.Pre, imm7, rt2, rn, rt);
}
