using ArmVdso.Emulator.Processor;

namespace ArmVdso.Emulator.Semantics;

#pragma warning disable CS1591 // Each method is the instruction of that name in DDI0487, C6.2.

/// <summary>Exceptions, hints, barriers and system instructions.</summary>
public static partial class A64
{
    private const ulong SctlrUma = 1UL << 9, SctlrEnRctx = 1UL << 10, SctlrDze = 1UL << 14, SctlrNtwi = 1UL << 16,
        SctlrNtwe = 1UL << 18, SctlrUci = 1UL << 26;

    public static void UDF(Cpu cpu) => cpu.Undefined();

    public static void SVC(Cpu cpu, int imm16) => cpu.CallSupervisor(imm16);

    public static void HVC(Cpu cpu, int imm16) => cpu.CallHypervisor(imm16);

    /// <summary>There is no EL3 here.</summary>
    public static void SMC(Cpu cpu) => cpu.Undefined();

    public static void BRK(Cpu cpu, int imm16) => cpu.RaiseException(ExceptionClass.Brk, (uint)imm16);

    /// <summary>Halting debug is not enabled.</summary>
    public static void HLT(Cpu cpu) => cpu.Undefined();

    /// <summary>UNDEFINED outside Debug state.</summary>
    public static void DCPS1(Cpu cpu) => cpu.Undefined();

    /// <inheritdoc cref="DCPS1"/>
    public static void DCPS2(Cpu cpu) => cpu.Undefined();

    /// <inheritdoc cref="DCPS1"/>
    public static void DCPS3(Cpu cpu) => cpu.Undefined();

    /// <inheritdoc cref="DCPS1"/>
    public static void DRPS(Cpu cpu) => cpu.Undefined();

    public static void ERET(Cpu cpu)
    {
        if (cpu.EL == 0)
            cpu.Undefined();
        else
            cpu.ExceptionReturn(cpu.ELR_EL1, cpu.SPSR_EL1);
    }

    public static void ERETAA(Cpu cpu)
    {
        if (cpu.EL == 0)
            cpu.Undefined();
        else if (cpu.AuthIA(cpu.ELR_EL1, cpu.SP, out ulong target))
            cpu.ExceptionReturn(target, cpu.SPSR_EL1);
    }

    public static void ERETAB(Cpu cpu)
    {
        if (cpu.EL == 0)
            cpu.Undefined();
        else if (cpu.AuthIB(cpu.ELR_EL1, cpu.SP, out ulong target))
            cpu.ExceptionReturn(target, cpu.SPSR_EL1);
    }

    public static void NOP(Cpu cpu) => _ = cpu;

    public static void YIELD(Cpu cpu) => _ = cpu;

    public static void SEV(Cpu cpu) => _ = cpu;

    public static void SEVL(Cpu cpu) => _ = cpu;

    public static void DGH(Cpu cpu) => _ = cpu;

    public static void ESB(Cpu cpu) => _ = cpu;

    public static void PSB(Cpu cpu) => _ = cpu;

    public static void TSB(Cpu cpu) => _ = cpu;

    public static void GCSB(Cpu cpu) => _ = cpu;

    public static void CSDB(Cpu cpu) => _ = cpu;

    public static void CLRBHB(Cpu cpu) => _ = cpu;

    /// <summary>No checkable feature is on: each bit of X16 that asks stays set.</summary>
    public static void CHKFEAT(Cpu cpu) => _ = cpu;

    /// <summary>The landing check is made before execution (see Cpu.Reference.cs).</summary>
    public static void BTI(Cpu cpu) => _ = cpu;

    public static void HINT(Cpu cpu) => _ = cpu;

    /// <summary>The event register counts as set: WFE may always complete at once.</summary>
    public static void WFE(Cpu cpu) => TrapWait(cpu, SctlrNtwe, 1);

    public static void WFI(Cpu cpu)
    {
        if (TrapWait(cpu, SctlrNtwi, 0) && cpu.EL == 1 && !cpu.IrqLine)
            cpu.Waiting = true;
    }

    /// <inheritdoc cref="WFE"/>
    public static void WFET(Cpu cpu) => TrapWait(cpu, SctlrNtwe, 3);

    /// <summary>May complete before the time; it does so at once.</summary>
    public static void WFIT(Cpu cpu) => TrapWait(cpu, SctlrNtwi, 2);

    /// <summary>AArch64.CheckForWFxTrap at EL0. Returns true when there is no trap.</summary>
    private static bool TrapWait(Cpu cpu, ulong enable, uint ti)
    {
        if (cpu.EL != 0 || (cpu.SCTLR_EL1 & enable) != 0)
            return true;
        cpu.RaiseException(ExceptionClass.TrappedWfx, (1u << 24) | (0xEu << 20) | ti);
        return false;
    }

    public static void CLREX(Cpu cpu) => cpu.Monitors.ClearLocal(cpu.Index);

    /// <summary>Memory is sequentially consistent here; barriers only cost time.</summary>
    public static void DSB(Cpu cpu) => _ = cpu;

    /// <inheritdoc cref="DSB"/>
    public static void DSB_nxs(Cpu cpu) => _ = cpu;

    /// <inheritdoc cref="DSB"/>
    public static void DMB(Cpu cpu) => _ = cpu;

    /// <inheritdoc cref="DSB"/>
    public static void ISB(Cpu cpu) => _ = cpu;

    /// <inheritdoc cref="DSB"/>
    public static void SB(Cpu cpu) => _ = cpu;

    public static void MSR_UAO(Cpu cpu, int crm)
    {
        if (PrivilegedOnly(cpu))
            cpu.UAO = (crm & 1) != 0;
    }

    public static void MSR_PAN(Cpu cpu, int crm)
    {
        if (PrivilegedOnly(cpu))
            cpu.PAN = (crm & 1) != 0;
    }

    public static void MSR_SPSel(Cpu cpu, int crm)
    {
        if (PrivilegedOnly(cpu))
            cpu.SPSel = (crm & 1) != 0;
    }

    public static void MSR_SSBS(Cpu cpu, int crm) => cpu.SSBS = (crm & 1) != 0;

    public static void MSR_DIT(Cpu cpu, int crm) => cpu.DIT = (crm & 1) != 0;

    public static void MSR_TCO(Cpu cpu, int crm) => cpu.TCO = (crm & 1) != 0;

    public static void MSR_DAIFSet(Cpu cpu, int crm)
    {
        if (MaskAccess(cpu, crm, 6))
            cpu.Daif |= crm;
    }

    public static void MSR_DAIFClr(Cpu cpu, int crm)
    {
        if (MaskAccess(cpu, crm, 7))
            cpu.Daif &= ~crm;
    }

    private static bool PrivilegedOnly(Cpu cpu)
    {
        if (cpu.EL != 0)
            return true;
        cpu.Undefined();
        return false;
    }

    private static bool MaskAccess(Cpu cpu, int crm, int op2)
    {
        if (cpu.EL != 0 || (cpu.SCTLR_EL1 & SctlrUma) != 0)
            return true;
        cpu.TrapSystem(false, 0, 3, 4, crm, op2, 31);
        return false;
    }

    public static void MSR_reg(Cpu cpu, int o0, int op1, int crn, int crm, int op2, int rt) =>
        cpu.WriteSystemRegister(2 + o0, op1, crn, crm, op2, rt);

    public static void MRS(Cpu cpu, int o0, int op1, int crn, int crm, int op2, int rt) =>
        cpu.ReadSystemRegister(2 + o0, op1, crn, crm, op2, rt);

    /// <summary>No SYSL operation exists here.</summary>
    public static void SYSL(Cpu cpu) => cpu.Undefined();

    public static void SYS(Cpu cpu, int op1, int crn, int crm, int op2, int rt)
    {
        switch (SystemRegisters.Key(1, op1, crn, crm, op2) & 0x3fff)
        {
            case (3 << 11) | (7 << 7) | (4 << 3) | 1: // DC ZVA
                if (SystemAccess(cpu, SctlrDze, op1, crn, crm, op2, rt))
                    ZeroBlock(cpu, cpu.X(rt));
                break;
            case (3 << 11) | (7 << 7) | (5 << 3) | 1: // IC IVAU
                if (SystemAccess(cpu, SctlrUci, op1, crn, crm, op2, rt) && cpu.TranslateForMaintenance(cpu.X(rt), out ulong pa))
                    cpu.Machine.InvalidateCode(pa & ~63UL, 64);
                break;
            case (3 << 11) | (7 << 7) | (10 << 3) | 1: // DC CVAC
            case (3 << 11) | (7 << 7) | (11 << 3) | 1: // DC CVAU
            case (3 << 11) | (7 << 7) | (12 << 3) | 1: // DC CVAP
            case (3 << 11) | (7 << 7) | (13 << 3) | 1: // DC CVADP
            case (3 << 11) | (7 << 7) | (14 << 3) | 1: // DC CIVAC
                if ((crm == 12 && !cpu.Machine.HasFeature("DPB")) || (crm == 13 && !cpu.Machine.HasFeature("DPB2")))
                    cpu.Undefined();
                else if (SystemAccess(cpu, SctlrUci, op1, crn, crm, op2, rt))
                    cpu.TranslateForMaintenance(cpu.X(rt), out _);
                break;
            case (3 << 11) | (7 << 7) | (3 << 3) | 4: // CFP RCTX
            case (3 << 11) | (7 << 7) | (3 << 3) | 5: // DVP RCTX
            case (3 << 11) | (7 << 7) | (3 << 3) | 6: // COSP RCTX
            case (3 << 11) | (7 << 7) | (3 << 3) | 7: // CPP RCTX
                if (!cpu.Machine.HasFeature("SPECRES"))
                    cpu.Undefined();
                else
                    SystemAccess(cpu, SctlrEnRctx, op1, crn, crm, op2, rt);
                break;
            default:
                if (PrivilegedOnly(cpu))
                    PrivilegedSystemInstruction(cpu, op1, crn, crm, op2, rt);
                break;
        }
    }

    private static void PrivilegedSystemInstruction(Cpu cpu, int op1, int crn, int crm, int op2, int rt)
    {
        if (op1 == 0 && crn == 7 && crm is 1 or 5 && op2 == 0) // IC IALLUIS, IC IALLU
            cpu.Machine.InvalidateCode(0, ulong.MaxValue);
        else if (op1 == 0 && crn == 7 && crm == 6 && op2 == 1) // DC IVAC: needs write permission
            cpu.Check(cpu.X(rt), 1, true);
        else if (op1 == 0 && crn == 7 && crm is 6 or 10 or 14 && op2 == 2) // DC ISW, CSW, CISW: caches are not modelled by value
            return;
        else if (op1 == 0 && crn == 7 && crm == 8 && op2 < 4) // AT S1E1R, S1E1W, S1E0R, S1E0W
            cpu.AddressTranslate(cpu.X(rt), (op2 & 1) != 0, (op2 & 2) != 0, false);
        else if (op1 == 0 && crn == 7 && crm == 9 && op2 < 2 && cpu.Machine.HasFeature("PAN2")) // AT S1E1RP, S1E1WP
            cpu.AddressTranslate(cpu.X(rt), (op2 & 1) != 0, false, true);
        else if (op1 == 0 && crn is 8 or 9 && cpu.InvalidateTlb(crn, crm, op2, cpu.X(rt))) // TLBI
            return;
        else
            cpu.Undefined();
    }

    /// <summary>A system instruction that SCTLR_EL1 allows at EL0 or traps to EL1.</summary>
    private static bool SystemAccess(Cpu cpu, ulong enable, int op1, int crn, int crm, int op2, int rt)
    {
        if (cpu.EL != 0 || (cpu.SCTLR_EL1 & enable) != 0)
            return true;
        cpu.TrapSystem(false, 1, op1, crn, crm, op2, rt);
        return false;
    }

    private static void ZeroBlock(Cpu cpu, ulong address)
    {
        ulong block = address & ~63UL;
        if (!cpu.Check(block, 64, true))
            return;
        for (ulong i = 0; i < 64; i += 16)
            cpu.Store(block + i, default(V128));
    }
}
