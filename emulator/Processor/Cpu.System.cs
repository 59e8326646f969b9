using ArmVdso.Emulator.Memory;

namespace ArmVdso.Emulator.Processor;

/// <summary>System registers' state and behaviour.</summary>
public sealed partial class Cpu
{
    private Translation? _low;
    private Translation? _high;

#pragma warning disable CS1591 // Names and meanings are those of the Arm ARM; see SystemRegisters.
    public ulong TPIDR_EL0, TPIDRRO_EL0, TPIDR_EL1, CONTEXTIDR_EL1;
    public ulong ELR_EL1, SPSR_EL1, ESR_EL1, FAR_EL1, VBAR_EL1;
    public ulong SCTLR_EL1, CPACR_EL1, TCR_EL1, MAIR_EL1, PAR_EL1, MDSCR_EL1;
    public ulong AMAIR_EL1, CSSELR_EL1, ACTLR_EL1, CNTV_CVAL, CNTP_CVAL, CNTKCTL_EL1, ICC_PMR_EL1, PMUSERENR_EL0, GCR_EL1, RGSR_EL1;
    public uint CNTV_CTL, CNTP_CTL;
#pragma warning restore CS1591

    /// <summary>The five pointer authentication keys: IA, IB, DA, DB, GA, each low half then high half.</summary>
    public readonly ulong[] PauthKey = new ulong[10];

    /// <summary>Whether FEAT_LSE2 is in the CPU profile.</summary>
    public bool HasLse2;

    /// <summary>Whether FEAT_PAuth is in the CPU profile; without it the hints of pointer authentication do nothing.</summary>
    public bool HasPauth = true;

    /// <summary>Whether FEAT_BTI is in the CPU profile; without it PSTATE.BTYPE stays 0 and no page is guarded.</summary>
    public bool HasBti = true;

    /// <summary>Whether PSTATE.PAN, PSTATE.SSBS and PSTATE.TCO are in the CPU profile.</summary>
    public bool HasPan = true, HasSsbs = true, HasMte = true;

    /// <summary>Value and control of two breakpoints and two watchpoints, in the order of their encodings.</summary>
    public readonly ulong[] DebugPoint = new ulong[8];

    internal void WritePriorityMask(ulong value)
    {
        ICC_PMR_EL1 = value & 0xff;
        Interrupts?.Write("ICC_PMR_EL1", ICC_PMR_EL1);
    }

    private ulong _random;

    /// <summary>Cycles of this PE since reset.</summary>
    public ulong Cycles => Timing.Cycles;

    internal void WriteTpidrro(ulong value)
    {
        ulong old = TPIDRRO_EL0;
        TPIDRRO_EL0 = value;
        Machine.Observer?.OnTpidrroWrite(this, old, value);
    }

    internal void WriteFpcr(uint value) => FPCR = value & FpcrMask;

    /// <summary>FPCR bits that exist in the CPU profile: AHP, DN, FZ, RMode, FZ16 (and AH, FIZ, NEP where present).</summary>
    public uint FpcrMask = 0x07C80000;

    internal void WriteTtbr0(ulong value)
    {
        TTBR0_EL1 = value;
        SelectTranslation();
    }

    internal void WriteSctlr(ulong value)
    {
        // What SCTLR_EL1.A allows is remembered with translations.
        if (((SCTLR_EL1 ^ value) & 2) != 0)
            InvalidateTlbAll();
        SCTLR_EL1 = value;
        SelectTranslation();
    }

    internal void WriteMair(ulong value)
    {
        MAIR_EL1 = value;
        SelectTranslation();
    }

    /// <summary>Takes the translation that the registers now select.</summary>
    internal void SelectTranslation()
    {
        var registers = new TranslationRegisters(TTBR0_EL1, TTBR1_EL1, TCR_EL1, MAIR_EL1, SCTLR_EL1);
        Translation? low = Machine.Translation.Select(registers, false), high = Machine.Translation.Select(registers, true);
        if (ReferenceEquals(low, _low) && ReferenceEquals(high, _high))
            return;
        (_low, _high) = (low, high);
        SelectContext();
    }

    /// <summary>TTBR0_EL1 set from outside: the low half of the address space.</summary>
    public void SetTtbr0(AddressSpace space) => WriteTtbr0(space.Handle);

    /// <summary>Writes TTBR1_EL1: the high half of the address space, and the ASID.</summary>
    public void WriteTtbr1(ulong value)
    {
        TTBR1_EL1 = value;
        SelectTranslation();
    }

    /// <summary>The ASID in TTBR1_EL1 (TCR_EL1.A1 = 1) set from outside.</summary>
    public void SetAsid(ushort asid) => TTBR1_EL1 = (TTBR1_EL1 & 0xffff_ffff_ffffUL) | (ulong)asid << 48;

    /// <summary>What a TLB entry for an address is tagged with: zero for global pages, else the ASID of TTBR1_EL1 (TCR_EL1.A1 = 1)
    /// and, for low addresses, TTBR0_EL1.</summary>
    internal override ulong TranslationTag(ulong va)
    {
        ulong asid = TTBR1_EL1 & 0xffff_0000_0000_0000UL;
        if ((va & (1UL << 55)) == 0)
            return TTBR0_EL1 ^ asid;
        return _high is { } space && va < space.GlobalFrom ? asid | 1 : 0;
    }

    internal void WriteTcr(ulong value)
    {
        TCR_EL1 = value;
        SelectTranslation();
    }

    /// <summary>CNTVCT: monotonic over the whole machine in the order of execution.</summary>
    public ulong Counter() => Machine.ReadCounter(Cycles);

    /// <summary>The virtual counter as an MRS at this PE's exception level reads it.</summary>
    internal ulong ReadVirtualCounter() => EL == 0 && Machine.UserCounter is { } seen ? seen(Counter()) : Counter();

    /// <summary>RNDR: a deterministic sequence (SplitMix64) from the machine's seed; always succeeds, so NZCV = 0.</summary>
    internal ulong RandomNumber()
    {
        if (_random == 0)
            _random = Machine.Seed + (ulong)Index * 0x9E3779B97F4A7C15;
        ulong z = _random += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        NZCV = 0;
        return z ^ (z >> 31);
    }

    /// <summary>MRS: reads a system register into Xt, or traps as architected.</summary>
    public void ReadSystemRegister(int op0, int op1, int crn, int crm, int op2, int rt)
    {
        SystemRegister? register = SystemRegisters.Find(SystemRegisters.Key(op0, op1, crn, crm, op2));
        if (register is null || !Exists(register))
        {
            // Unallocated ID space (op0=3, op1=0, CRn=0) reads as zero for EL1; at EL0 it is UNDEFINED and system software may emulate it.
            if (EL == 1 && op0 == 3 && op1 == 0 && crn == 0 && crm is > 0 and < 8)
                SetX(rt, 0);
            else
                Undefined();
            return;
        }
        if (!SystemAccessAllowed(register, register.ReadEL, true, op0, op1, crn, crm, op2, rt))
            return;
        SetX(rt, register.Read(this));
    }

    /// <summary>MSR (register): writes Xt to a system register, or traps as architected.</summary>
    public void WriteSystemRegister(int op0, int op1, int crn, int crm, int op2, int rt)
    {
        SystemRegister? register = SystemRegisters.Find(SystemRegisters.Key(op0, op1, crn, crm, op2));
        if (register is null || !Exists(register))
        {
            Undefined();
            return;
        }
        if (!SystemAccessAllowed(register, register.WriteEL, false, op0, op1, crn, crm, op2, rt))
            return;
        register.Write(this, X(rt));
    }

    /// <summary>Whether the CPU profile has the register.</summary>
    private bool Exists(SystemRegister register) =>
        (register.Feature is null || Machine.HasFeature(register.Feature)) && (!register.NeedsController || Interrupts is not null);

    private bool SystemAccessAllowed(SystemRegister register, int lowest, bool read, int op0, int op1, int crn, int crm, int op2, int rt)
    {
        if (EL < lowest)
        {
            // Linux relies on FEAT_IDST: reads of ID registers at EL0 are reported with EC 0x18.
            if (read && EL == 0 && op0 == 3 && op1 == 0 && crn == 0)
                TrapSystem(read, op0, op1, crn, crm, op2, rt);
            else
                Undefined();
            return false;
        }
        if (EL != 0)
            return true;
        bool trapped = register.Name switch
        {
            "CNTVCT_EL0" or "CNTVCTSS_EL0" => (CNTKCTL_EL1 & 2) == 0,
            "CNTPCT_EL0" or "CNTPCTSS_EL0" => (CNTKCTL_EL1 & 1) == 0,
            "CNTFRQ_EL0" => (CNTKCTL_EL1 & 3) == 0,
            "CNTV_TVAL_EL0" or "CNTV_CTL_EL0" or "CNTV_CVAL_EL0" => (CNTKCTL_EL1 & (1 << 8)) == 0,
            "CNTP_TVAL_EL0" or "CNTP_CTL_EL0" or "CNTP_CVAL_EL0" => (CNTKCTL_EL1 & (1 << 9)) == 0,
            "CTR_EL0" => (SCTLR_EL1 & (1UL << 15)) == 0,
            "DAIF" => (SCTLR_EL1 & (1UL << 9)) == 0,
            _ => register.IsMonitor && !MonitorAccessAllowed(register.Name, read),
        };
        if (trapped)
            TrapSystem(read, op0, op1, crn, crm, op2, rt);
        return !trapped;
    }

    /// <summary>PMUSERENR_EL0: EN (0) allows all, SW (1) writes of PMSWINC_EL0, CR (2) reads of the cycle counter, ER (3) reads of event
    /// counters and any access to PMSELR_EL0. Itself it may always be read.</summary>
    private bool MonitorAccessAllowed(string name, bool read)
    {
        if ((PMUSERENR_EL0 & 1) != 0)
            return true;
        return name switch
        {
            "PMUSERENR_EL0" => true,
            "PMSWINC_EL0" => (PMUSERENR_EL0 & 2) != 0,
            "PMCCNTR_EL0" => read && (PMUSERENR_EL0 & 4) != 0,
            "PMSELR_EL0" => (PMUSERENR_EL0 & 8) != 0,
            _ => read && (PMUSERENR_EL0 & 8) != 0 && (name == "PMXEVCNTR_EL0" || name.StartsWith("PMEVCNTR", StringComparison.Ordinal)),
        };
    }

    /// <summary>Raises EC 0x18 with the ISS of a trapped MSR, MRS or system instruction.</summary>
    public void TrapSystem(bool read, int op0, int op1, int crn, int crm, int op2, int rt) => RaiseException(
        ExceptionClass.TrappedSystem,
        (uint)((op0 << 20) | (op2 << 17) | (op1 << 14) | (crn << 10) | (rt << 5) | (crm << 1) | (read ? 1 : 0)));
}
