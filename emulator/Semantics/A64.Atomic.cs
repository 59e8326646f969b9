using ArmVdso.Emulator.Processor;

namespace ArmVdso.Emulator.Semantics;

#pragma warning disable CS1591 // Each method is the instruction of that name in DDI0487, C6.2.

/// <summary>Exclusive, ordered and atomic accesses.</summary>
public static partial class A64
{
    private static void LoadExclusive(Cpu cpu, int size, int rn, int rt)
    {
        if (!cpu.CheckSPAlignment(rn))
            return;
        ulong address = cpu.XSP(rn);
        if (!cpu.Load(address, 1 << size, out ulong value, Access.Exclusive))
            return;
        cpu.SetExclusiveMonitors(address, 1 << size);
        cpu.SetX(rt, value);
    }

    private static void StoreExclusive(Cpu cpu, int size, int rs, int rn, int rt)
    {
        if (!cpu.CheckSPAlignment(rn))
            return;
        ulong address = cpu.XSP(rn);
        if (!cpu.ExclusiveMonitorsPass(address, 1 << size, out bool passed))
            return;
        if (!passed || cpu.Store(address, 1 << size, cpu.X(rt), Access.Exclusive))
            cpu.SetX(rs, passed ? 0UL : 1);
    }

    /// <summary>Two words, or two doublewords, in one access.</summary>
    private static bool LoadBoth(Cpu cpu, int sf, ulong address, Access access, out V128 both)
    {
        if (sf != 0)
            return cpu.Load(address, out both, access);
        bool ok = cpu.Load(address, out ulong words, access);
        both = new V128((uint)words, words >> 32);
        return ok;
    }

    private static void LoadExclusivePair(Cpu cpu, int sf, int rn, int rt, int rt2)
    {
        if (!cpu.CheckSPAlignment(rn))
            return;
        ulong address = cpu.XSP(rn);
        if (!LoadBoth(cpu, sf, address, Access.Exclusive, out V128 pair))
            return;
        cpu.SetExclusiveMonitors(address, 8 << sf);
        cpu.SetX(rt, pair.Lo);
        cpu.SetX(rt2, pair.Hi);
    }

    private static void StoreExclusivePair(Cpu cpu, int sf, int rs, int rn, int rt, int rt2)
    {
        if (!cpu.CheckSPAlignment(rn))
            return;
        ulong address = cpu.XSP(rn);
        if (!cpu.ExclusiveMonitorsPass(address, 8 << sf, out bool passed))
            return;
        if (!passed || StorePair(cpu, sf, address, rt, rt2))
            cpu.SetX(rs, passed ? 0UL : 1);
    }

    public static void LDXR(Cpu cpu, int size, int rn, int rt) => LoadExclusive(cpu, size, rn, rt);

    public static void LDAXR(Cpu cpu, int size, int rn, int rt) => LoadExclusive(cpu, size, rn, rt);

    public static void STXR(Cpu cpu, int size, int rs, int rn, int rt) => StoreExclusive(cpu, size, rs, rn, rt);

    public static void STLXR(Cpu cpu, int size, int rs, int rn, int rt) => StoreExclusive(cpu, size, rs, rn, rt);

    public static void LDXP(Cpu cpu, int sf, int rt2, int rn, int rt) => LoadExclusivePair(cpu, sf, rn, rt, rt2);

    public static void LDAXP(Cpu cpu, int sf, int rt2, int rn, int rt) => LoadExclusivePair(cpu, sf, rn, rt, rt2);

    public static void STXP(Cpu cpu, int sf, int rs, int rt2, int rn, int rt) => StoreExclusivePair(cpu, sf, rs, rn, rt, rt2);

    public static void STLXP(Cpu cpu, int sf, int rs, int rt2, int rn, int rt) => StoreExclusivePair(cpu, sf, rs, rn, rt, rt2);

    public static void LDAR(Cpu cpu, int size, int rn, int rt) => LoadRegister(cpu, rn, 0, size, rt, ZeroExtended, Access.Ordered);

    public static void LDLAR(Cpu cpu, int size, int rn, int rt) => LoadRegister(cpu, rn, 0, size, rt, ZeroExtended, Access.Ordered);

    public static void LDAPR(Cpu cpu, int size, int rn, int rt) => LoadRegister(cpu, rn, 0, size, rt, ZeroExtended, Access.Ordered);

    public static void STLR(Cpu cpu, int size, int rn, int rt) => StoreRegister(cpu, rn, 0, size, rt, Access.Ordered);

    public static void STLLR(Cpu cpu, int size, int rn, int rt) => StoreRegister(cpu, rn, 0, size, rt, Access.Ordered);

    public static void LDAPUR(Cpu cpu, int size, int imm9, int rn, int rt) =>
        LoadRegister(cpu, rn, (ulong)SignExtend(imm9, 9), size, rt, ZeroExtended, Access.Ordered);

    public static void LDAPURSB(Cpu cpu, int opc, int imm9, int rn, int rt) =>
        LoadRegister(cpu, rn, (ulong)SignExtend(imm9, 9), 0, rt, opc != 0 ? SignedTo32 : SignedTo64, Access.Ordered);

    public static void LDAPURSH(Cpu cpu, int opc, int imm9, int rn, int rt) =>
        LoadRegister(cpu, rn, (ulong)SignExtend(imm9, 9), 1, rt, opc != 0 ? SignedTo32 : SignedTo64, Access.Ordered);

    public static void LDAPURSW(Cpu cpu, int imm9, int rn, int rt) =>
        LoadRegister(cpu, rn, (ulong)SignExtend(imm9, 9), 2, rt, SignedTo64, Access.Ordered);

    public static void STLUR(Cpu cpu, int size, int imm9, int rn, int rt) =>
        StoreRegister(cpu, rn, (ulong)SignExtend(imm9, 9), size, rt, Access.Ordered);

    /// <summary>Checks everything that an atomic may fault on before it changes anything: alignment, then that it may
    /// read (such a fault reports a read), then that it may write, even if it will not.</summary>
    private static bool CheckAtomic(Cpu cpu, int rn, int bytes, out ulong address)
    {
        address = cpu.XSP(rn);
        return cpu.CheckSPAlignment(rn) && cpu.Check(address, bytes, false, Access.Atomic)
            && cpu.Check(address, bytes, true, Access.Atomic);
    }

    public static void CAS(Cpu cpu, int size, int rs, int rn, int rt)
    {
        if (!CheckAtomic(cpu, rn, 1 << size, out ulong address) || !cpu.Load(address, 1 << size, out ulong data, Access.Atomic))
            return;
        ulong mask = ulong.MaxValue >> (64 - (8 << size));
        if (data == (cpu.X(rs) & mask) && !cpu.Store(address, 1 << size, cpu.X(rt), Access.Atomic))
            return;
        cpu.SetX(rs, data);
    }

    public static void CASP(Cpu cpu, int sf, int rs, int rn, int rt)
    {
        if (!CheckAtomic(cpu, rn, 8 << sf, out ulong address))
            return;
        if (!LoadBoth(cpu, sf, address, Access.Atomic, out V128 data))
            return;
        if (data.Lo == cpu.R(sf, rs) && data.Hi == cpu.R(sf, rs + 1) && !StorePair(cpu, sf, address, rt, rt + 1))
            return;
        cpu.SetX(rs, data.Lo);
        cpu.SetX(rs + 1, data.Hi);
    }

    private enum MemAtomicOp
    {
        Add, Bic, Eor, Orr, Smax, Smin, Umax, Umin, Swp,
    }

    /// <summary>MemAtomic: reads, combines, writes; Xt gets the old value.</summary>
    private static void MemAtomic(Cpu cpu, MemAtomicOp op, int size, int rs, int rn, int rt)
    {
        if (!CheckAtomic(cpu, rn, 1 << size, out ulong address) || !cpu.Load(address, 1 << size, out ulong old, Access.Atomic))
            return;
        int bits = 8 << size;
        ulong operand = cpu.X(rs) & (ulong.MaxValue >> (64 - bits));
        ulong result = op switch
        {
            MemAtomicOp.Add => old + operand,
            MemAtomicOp.Bic => old & ~operand,
            MemAtomicOp.Eor => old ^ operand,
            MemAtomicOp.Orr => old | operand,
            MemAtomicOp.Smax => (long)SignExtend(old, bits) > (long)SignExtend(operand, bits) ? old : operand,
            MemAtomicOp.Smin => (long)SignExtend(old, bits) > (long)SignExtend(operand, bits) ? operand : old,
            MemAtomicOp.Umax => Math.Max(old, operand),
            MemAtomicOp.Umin => Math.Min(old, operand),
            _ => operand,
        };
        if (cpu.Store(address, 1 << size, result, Access.Atomic))
            cpu.SetX(rt, old);
    }

    public static void LDADD(Cpu cpu, int size, int rs, int rn, int rt) => MemAtomic(cpu, MemAtomicOp.Add, size, rs, rn, rt);

    public static void LDCLR(Cpu cpu, int size, int rs, int rn, int rt) => MemAtomic(cpu, MemAtomicOp.Bic, size, rs, rn, rt);

    public static void LDEOR(Cpu cpu, int size, int rs, int rn, int rt) => MemAtomic(cpu, MemAtomicOp.Eor, size, rs, rn, rt);

    public static void LDSET(Cpu cpu, int size, int rs, int rn, int rt) => MemAtomic(cpu, MemAtomicOp.Orr, size, rs, rn, rt);

    public static void LDSMAX(Cpu cpu, int size, int rs, int rn, int rt) => MemAtomic(cpu, MemAtomicOp.Smax, size, rs, rn, rt);

    public static void LDSMIN(Cpu cpu, int size, int rs, int rn, int rt) => MemAtomic(cpu, MemAtomicOp.Smin, size, rs, rn, rt);

    public static void LDUMAX(Cpu cpu, int size, int rs, int rn, int rt) => MemAtomic(cpu, MemAtomicOp.Umax, size, rs, rn, rt);

    public static void LDUMIN(Cpu cpu, int size, int rs, int rn, int rt) => MemAtomic(cpu, MemAtomicOp.Umin, size, rs, rn, rt);

    public static void SWP(Cpu cpu, int size, int rs, int rn, int rt) => MemAtomic(cpu, MemAtomicOp.Swp, size, rs, rn, rt);
}
