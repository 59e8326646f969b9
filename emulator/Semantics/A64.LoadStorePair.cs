using ArmVdso.Emulator.Processor;

namespace ArmVdso.Emulator.Semantics;

#pragma warning disable CS1591 // Each method is the instruction of that name in DDI0487, C6.2.

/// <summary>Load and store pair. A pair of general registers is one access of twice the size, so a fault leaves nothing
/// half done. When both destinations are the same register the first value stays (CONSTRAINED UNPREDICTABLE).</summary>
public static partial class A64
{
    /// <summary>Address of a pair access and the base after it.</summary>
    private static bool PairAddress(Cpu cpu, int rn, int imm7, int scale, bool post, out ulong address, out ulong moved)
    {
        ulong start = cpu.XSP(rn);
        moved = start + (ulong)(SignExtend(imm7, 7) << scale);
        address = post ? start : moved;
        return cpu.CheckSPAlignment(rn);
    }

    private static bool LoadPair(Cpu cpu, int sf, ulong address, int rt, int rt2)
    {
        if (sf != 0)
        {
            if (!cpu.Load(address, out V128 pair))
                return false;
            cpu.SetX(rt2, pair.Hi);
            cpu.SetX(rt, pair.Lo);
            return true;
        }
        if (!cpu.Load(address, out ulong words))
            return false;
        cpu.SetX(rt2, words >> 32);
        cpu.SetX(rt, (uint)words);
        return true;
    }

    private static bool StorePair(Cpu cpu, int sf, ulong address, int rt, int rt2) => sf != 0
        ? cpu.Store(address, new V128(cpu.X(rt), cpu.X(rt2)))
        : cpu.Store(address, cpu.W(rt) | ((ulong)cpu.W(rt2) << 32));

    private static bool LoadPairSigned(Cpu cpu, ulong address, int rt, int rt2)
    {
        if (!cpu.Load(address, out ulong words))
            return false;
        cpu.SetX(rt2, (ulong)(long)(int)(words >> 32));
        cpu.SetX(rt, (ulong)(long)(int)words);
        return true;
    }

    public static void STNP(Cpu cpu, int sf, int imm7, int rt2, int rn, int rt)
    {
        if (PairAddress(cpu, rn, imm7, 2 + sf, false, out ulong address, out _))
            StorePair(cpu, sf, address, rt, rt2);
    }

    public static void STP_off(Cpu cpu, int sf, int imm7, int rt2, int rn, int rt)
    {
        if (PairAddress(cpu, rn, imm7, 2 + sf, false, out ulong address, out _))
            StorePair(cpu, sf, address, rt, rt2);
    }

    public static void STP_post(Cpu cpu, int sf, int imm7, int rt2, int rn, int rt)
    {
        if (PairAddress(cpu, rn, imm7, 2 + sf, true, out ulong address, out ulong moved) && StorePair(cpu, sf, address, rt, rt2))
            cpu.SetXSP(rn, moved);
    }

    public static void STP_pre(Cpu cpu, int sf, int imm7, int rt2, int rn, int rt)
    {
        if (PairAddress(cpu, rn, imm7, 2 + sf, false, out ulong address, out ulong moved) && StorePair(cpu, sf, address, rt, rt2))
            cpu.SetXSP(rn, moved);
    }

    public static void LDNP(Cpu cpu, int sf, int imm7, int rt2, int rn, int rt)
    {
        if (PairAddress(cpu, rn, imm7, 2 + sf, false, out ulong address, out _))
            LoadPair(cpu, sf, address, rt, rt2);
    }

    public static void LDP_off(Cpu cpu, int sf, int imm7, int rt2, int rn, int rt)
    {
        if (PairAddress(cpu, rn, imm7, 2 + sf, false, out ulong address, out _))
            LoadPair(cpu, sf, address, rt, rt2);
    }

    public static void LDP_post(Cpu cpu, int sf, int imm7, int rt2, int rn, int rt)
    {
        if (PairAddress(cpu, rn, imm7, 2 + sf, true, out ulong address, out ulong moved) && LoadPair(cpu, sf, address, rt, rt2))
            cpu.SetXSP(rn, moved);
    }

    public static void LDP_pre(Cpu cpu, int sf, int imm7, int rt2, int rn, int rt)
    {
        if (PairAddress(cpu, rn, imm7, 2 + sf, false, out ulong address, out ulong moved) && LoadPair(cpu, sf, address, rt, rt2))
            cpu.SetXSP(rn, moved);
    }

    public static void LDPSW_off(Cpu cpu, int imm7, int rt2, int rn, int rt)
    {
        if (PairAddress(cpu, rn, imm7, 2, false, out ulong address, out _))
            LoadPairSigned(cpu, address, rt, rt2);
    }

    public static void LDPSW_post(Cpu cpu, int imm7, int rt2, int rn, int rt)
    {
        if (PairAddress(cpu, rn, imm7, 2, true, out ulong address, out ulong moved) && LoadPairSigned(cpu, address, rt, rt2))
            cpu.SetXSP(rn, moved);
    }

    public static void LDPSW_pre(Cpu cpu, int imm7, int rt2, int rn, int rt)
    {
        if (PairAddress(cpu, rn, imm7, 2, false, out ulong address, out ulong moved) && LoadPairSigned(cpu, address, rt, rt2))
            cpu.SetXSP(rn, moved);
    }
}
