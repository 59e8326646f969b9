namespace ArmVdso.Emulator.Processor;

/// <summary>The CPU interface of an interrupt controller, as one PE has it: the ICC registers (GICv3, IHI 0069, 12.2) and the PE's private
/// interrupts.</summary>
public interface IInterruptInterface
{
    /// <summary>Reads an ICC register.</summary>
    /// <param name="name">Its name in the Arm ARM.</param>
    ulong Read(string name);

    /// <summary>Writes an ICC register.</summary>
    /// <param name="name">Its name in the Arm ARM.</param>
    /// <param name="value">Value.</param>
    void Write(string name, ulong value);

    /// <summary>The level of a private peripheral interrupt (INTID 16 to 31) is now this.</summary>
    void SetLevel(int interrupt, bool asserted);
}

/// <summary>The generic timer (DDI0487, D12) and the interrupt inputs of a PE.</summary>
public sealed partial class Cpu
{
    /// <summary>Interrupt number of the virtual timer (PPI), as the Arm base system architecture assigns it.</summary>
    public const int VirtualTimerInterrupt = 27;

    /// <summary>Interrupt number of the non-secure EL1 physical timer (PPI), as the Arm base system architecture assigns it.</summary>
    public const int PhysicalTimerInterrupt = 30;

    private const uint SpuriousInterrupt = 1023;

    /// <summary>Software generated interrupts pending on this PE, bit n for SGI n; only without an interrupt controller.</summary>
    public uint PendingSgi;

    /// <summary>True while the PE waits in WFI.</summary>
    public bool Waiting;

    /// <summary>True while the PE is off: only another PE can start it.</summary>
    public bool Off;

    /// <summary>The interrupt controller signals an IRQ.</summary>
    public bool IrqAsserted;

    /// <summary>The interrupt controller; null: timers and <see cref="PendingSgi"/> are the IRQ, and few ICC registers say which.</summary>
    public IInterruptInterface? Interrupts { get; set; }

    internal void WriteTimer(uint control, ulong compare)
    {
        CNTV_CTL = control & 3;
        CNTV_CVAL = compare;
        UpdateTimers();
    }

    internal void WritePhysicalTimer(uint control, ulong compare)
    {
        CNTP_CTL = control & 3;
        CNTP_CVAL = compare;
        UpdateTimers();
    }

    /// <summary>Cycle at which a timer will raise its interrupt; ulong.MaxValue when none will. Without an interrupt controller it stays
    /// when it is reached, until the timer is written.</summary>
    public ulong TimerDeadline { get; private set; } = ulong.MaxValue;

    private static bool Enabled(uint control) => (control & 3) == 1;

    private ulong Deadline(uint control, ulong compare) => Enabled(control) ? Machine.CycleOfCounter(compare) : ulong.MaxValue;

    private void UpdateTimers()
    {
        ulong virtualAt = Deadline(CNTV_CTL, CNTV_CVAL), physicalAt = Deadline(CNTP_CTL, CNTP_CVAL);
        if (Interrupts is null)
        {
            TimerDeadline = Math.Min(virtualAt, physicalAt);
            return;
        }
        bool virtualOn = Enabled(CNTV_CTL) && Cycles >= virtualAt, physicalOn = Enabled(CNTP_CTL) && Cycles >= physicalAt;
        TimerDeadline = Math.Min(virtualOn ? ulong.MaxValue : virtualAt, physicalOn ? ulong.MaxValue : physicalAt);
        Interrupts.SetLevel(VirtualTimerInterrupt, virtualOn);
        Interrupts.SetLevel(PhysicalTimerInterrupt, physicalOn);
    }

    private bool TimerReached()
    {
        if (Interrupts is null)
            return true;
        UpdateTimers();
        return IrqAsserted;
    }

    /// <summary>CNTV_CTL_EL0.ISTATUS.</summary>
    public bool TimerCondition => (CNTV_CTL & 1) != 0 && Cycles >= Machine.CycleOfCounter(CNTV_CVAL);

    /// <summary>CNTP_CTL_EL0.ISTATUS.</summary>
    public bool PhysicalTimerCondition => (CNTP_CTL & 1) != 0 && Cycles >= Machine.CycleOfCounter(CNTP_CVAL);

    /// <summary>True when an interrupt is asserted to this PE, masked or not.</summary>
    public bool IrqLine => PendingSgi != 0 || (Cycles >= TimerDeadline ? TimerReached() : IrqAsserted);

    /// <summary>Whether an interrupt is taken before the instruction at PC.</summary>
    internal bool InterruptTaken => (Daif & 2) == 0 && IrqLine;

    /// <summary>Tells the interrupt controller of timers that were reached: nobody looks at them while interrupts are masked.</summary>
    internal void CatchUpTimers()
    {
        if (Cycles >= TimerDeadline)
            TimerReached();
    }

    internal ulong ReadInterface(string name)
    {
        CatchUpTimers();
        return Interrupts!.Read(name);
    }

    internal ulong AcknowledgeInterrupt()
    {
        if (Interrupts is not null)
            return ReadInterface("ICC_IAR1_EL1");
        if (PendingSgi != 0)
        {
            int n = System.Numerics.BitOperations.TrailingZeroCount(PendingSgi);
            PendingSgi &= PendingSgi - 1;
            return (ulong)n;
        }
        if (Cycles < TimerDeadline)
            return SpuriousInterrupt;
        return (ulong)(Enabled(CNTV_CTL) && TimerCondition ? VirtualTimerInterrupt : PhysicalTimerInterrupt);
    }

    /// <summary>Puts the PE into its state at a warm reset, off: EL1, interrupts masked, MMU and timers off.</summary>
    internal void Reset()
    {
        (EL, SPSel, Daif, PAN, UAO, IL, SS) = (1, true, 0xF, false, false, false, false);
        (BType, BTypeNext, NZCV, FPCR, FPSR) = (0, 0, 0, 0, 0);
        (CNTV_CTL, CNTP_CTL, CNTKCTL_EL1, CPACR_EL1, MDSCR_EL1, PMUSERENR_EL0) = (0, 0, 0, 0, 0, 0);
        Pmu.Control = 0;
        UpdateTimers();
        TCR_EL1 = 0;
        WriteSctlr(ResetSctlr);
        Monitors.ClearLocal(Index);
        Off = Waiting = true;
    }

    /// <summary>SCTLR_EL1 out of reset: bits that are RES1 in Armv8.0, MMU and caches off.</summary>
    internal const ulong ResetSctlr = 0x30D0_0800;
}
