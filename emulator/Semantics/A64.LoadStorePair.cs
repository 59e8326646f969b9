using ArmVdso.Emulator.Processor;

namespace ArmVdso.Emulator.Semantics;

#pragma warning disable CS1591 // Each method is the instruction of that name in DDI0487, C6.2.

/// <summary>Load and store pair. A pair of general registers is one access of twice the size, so a fault leaves nothing
/// half done. When both destinations are the same register the first value stays (CONSTRAINED UNPREDICTABLE).</summary>
public static partial class A64
{
    /// <summary>How the address of a pair is made.</summary>
    private enum Indexing { Offset, Post, Pre }

    /// <summary>Accesses two registers at once. Width: 0 words, 1 doublewords, 2 quadwords.</summary>
    /// <returns>False when it faulted.</returns>
    private delegate bool PairAccess(Cpu cpu, int width, ulong address, int rt, int rt2);

    private static void Pair(Cpu cpu, PairAccess access, int width, Indexing indexing, int imm7, int rt2, int rn, int rt)
    {
        ulong start = cpu.XSP(rn);
        ulong moved = start + (ulong)(SignExtend(imm7, 7) << (2 + width));
        if (!cpu.CheckSPAlignment(rn) || !access(cpu, width, indexing == Indexing.Post ? start : moved, rt, rt2))
            return;
        if (indexing != Indexing.Offset)
            cpu.SetXSP(rn, moved);
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

    private static bool LoadPairSigned(Cpu cpu, int _, ulong address, int rt, int rt2)
    {
        if (!cpu.Load(address, out ulong words))
            return false;
        cpu.SetX(rt2, (ulong)(long)(int)(words >> 32));
        cpu.SetX(rt, (ulong)(long)(int)words);
        return true;
    }

    public static void STNP(Cpu cpu, int sf, int imm7, int rt2, int rn, int rt) =>
        Pair(cpu, StorePair, sf, Indexing.Offset, imm7, rt2, rn, rt);

    public static void STP_off(Cpu cpu, int sf, int imm7, int rt2, int rn, int rt) =>
        Pair(cpu, StorePair, sf, Indexing.Offset, imm7, rt2, rn, rt);

    public static void STP_post(Cpu cpu, int sf, int imm7, int rt2, int rn, int rt) =>
        Pair(cpu, StorePair, sf, Indexing.Post, imm7, rt2, rn, rt);

    public static void STP_pre(Cpu cpu, int sf, int imm7, int rt2, int rn, int rt) =>
        Pair(cpu, StorePair, sf, Indexing.Pre, imm7, rt2, rn, rt);

    public static void LDNP(Cpu cpu, int sf, int imm7, int rt2, int rn, int rt) =>
        Pair(cpu, LoadPair, sf, Indexing.Offset, imm7, rt2, rn, rt);

    public static void LDP_off(Cpu cpu, int sf, int imm7, int rt2, int rn, int rt) =>
        Pair(cpu, LoadPair, sf, Indexing.Offset, imm7, rt2, rn, rt);

    public static void LDP_post(Cpu cpu, int sf, int imm7, int rt2, int rn, int rt) =>
        Pair(cpu, LoadPair, sf, Indexing.Post, imm7, rt2, rn, rt);

    public static void LDP_pre(Cpu cpu, int sf, int imm7, int rt2, int rn, int rt) =>
        Pair(cpu, LoadPair, sf, Indexing.Pre, imm7, rt2, rn, rt);

    public static void LDPSW_off(Cpu cpu, int imm7, int rt2, int rn, int rt) =>
        Pair(cpu, LoadPairSigned, 0, Indexing.Offset, imm7, rt2, rn, rt);

    public static void LDPSW_post(Cpu cpu, int imm7, int rt2, int rn, int rt) =>
        Pair(cpu, LoadPairSigned, 0, Indexing.Post, imm7, rt2, rn, rt);

    public static void LDPSW_pre(Cpu cpu, int imm7, int rt2, int rn, int rt) =>
        Pair(cpu, LoadPairSigned, 0, Indexing.Pre, imm7, rt2, rn, rt);
}
