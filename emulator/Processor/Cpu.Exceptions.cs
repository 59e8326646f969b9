using ArmVdso.Emulator.Memory;

namespace ArmVdso.Emulator.Processor;

/// <summary>ESR_ELx.EC values (DDI0487, ESR_EL1) that an EL0/EL1 machine raises.</summary>
public enum ExceptionClass : byte
{
    /// <summary>Unknown reason: UNDEFINED instructions.</summary>
    Unknown = 0x00,

    /// <summary>Trapped WFI, WFE, WFIT or WFET.</summary>
    TrappedWfx = 0x01,

    /// <summary>Trapped access to SIMD and floating-point.</summary>
    TrappedFp = 0x07,

    /// <summary>Trapped pointer authentication.</summary>
    TrappedPAuth = 0x09,

    /// <summary>Branch target exception.</summary>
    BranchTarget = 0x0D,

    /// <summary>Illegal execution state.</summary>
    IllegalState = 0x0E,

    /// <summary>SVC in AArch64 state.</summary>
    Svc64 = 0x15,

    /// <summary>HVC in AArch64 state.</summary>
    Hvc64 = 0x16,

    /// <summary>Trapped MSR, MRS or system instruction.</summary>
    TrappedSystem = 0x18,

    /// <summary>Pointer authentication failure (FEAT_FPAC).</summary>
    PacFail = 0x1C,

    /// <summary>Instruction Abort from a lower EL.</summary>
    InstructionAbortLower = 0x20,

    /// <summary>Instruction Abort from the same EL.</summary>
    InstructionAbortSame = 0x21,

    /// <summary>PC alignment fault.</summary>
    PCAlignment = 0x22,

    /// <summary>Data Abort from a lower EL.</summary>
    DataAbortLower = 0x24,

    /// <summary>Data Abort from the same EL.</summary>
    DataAbortSame = 0x25,

    /// <summary>SP alignment fault.</summary>
    SPAlignment = 0x26,

    /// <summary>Memory copy and memory set (FEAT_MOPS).</summary>
    MemCpyMemSet = 0x27,

    /// <summary>Trapped floating-point exception.</summary>
    FpException = 0x2C,

    /// <summary>Software step from a lower EL.</summary>
    SoftwareStepLower = 0x32,

    /// <summary>Software step from the same EL.</summary>
    SoftwareStepSame = 0x33,

    /// <summary>Watchpoint from a lower EL.</summary>
    WatchpointLower = 0x34,

    /// <summary>Watchpoint from the same EL.</summary>
    WatchpointSame = 0x35,

    /// <summary>BRK instruction.</summary>
    Brk = 0x3C,
}

/// <summary>Synchronous and asynchronous exceptions of a PE, as architected for EL0 and EL1 (DDI0487, D1).</summary>
public sealed partial class Cpu
{
    private bool _pending;
    private ExceptionClass _pendingClass;
    private uint _pendingIss;
    private ulong _pendingFar;
    private bool _pendingHasFar;
    private bool _pendingAfter;

    /// <summary>True when the current instruction raised a synchronous exception.</summary>
    public bool ExceptionPending => _pending;

    /// <summary>The class of the pending (or last taken) exception.</summary>
    public ExceptionClass PendingClass => _pendingClass;

    /// <summary>Whether the instruction that raised the pending exception counts as executed (SVC).</summary>
    internal bool PendingCompletes => _pendingAfter;

    /// <summary>Forgets the pending exception: the instruction will be executed again.</summary>
    internal void DropPendingException() => _pending = false;

    /// <summary>Encoding of the instruction that last raised an exception.</summary>
    public uint UndefinedInstruction;

    /// <summary>Row of the instruction that was last found UNDEFINED.</summary>
    public Row UndefinedRow;

    /// <summary>Whether CPACR_EL1.FPEN traps SIMD and floating-point here.</summary>
    internal bool FpTrapped
    {
        get
        {
            ulong fpen = (CPACR_EL1 >> 20) & 3;
            return fpen != 3 && (fpen != 1 || EL == 0);
        }
    }

    /// <summary>Makes a synchronous exception pending; the engine takes it when the instruction body returns.</summary>
    /// <param name="ec">Exception class.</param>
    /// <param name="iss">Instruction specific syndrome, 25 bits.</param>
    public void RaiseException(ExceptionClass ec, uint iss)
    {
        _pending = true;
        _pendingClass = ec;
        _pendingIss = iss;
        _pendingHasFar = false;
        _pendingAfter = false;
        _held = false;
    }

    /// <summary>The instruction is UNDEFINED here.</summary>
    public void Undefined() => RaiseException(ExceptionClass.Unknown, 0);

    /// <summary>SVC: the preferred return address is the next instruction.</summary>
    public void CallSupervisor(int imm16)
    {
        RaiseException(ExceptionClass.Svc64, (uint)imm16);
        _pendingAfter = true;
    }

    /// <summary>HVC at EL1 leaves for the system software model outside; UNDEFINED at EL0.</summary>
    public void CallHypervisor(int imm16)
    {
        if (EL == 0)
        {
            Undefined();
            return;
        }
        Machine.Hypercall(this, imm16);
    }

    /// <summary>Any exception that carries a fault address.</summary>
    public void RaiseFault(ExceptionClass ec, uint iss, ulong far)
    {
        RaiseException(ec, iss);
        _pendingFar = far;
        _pendingHasFar = true;
    }

    private void DataAbort(ulong va, bool write, FaultStatus status) => RaiseFault(
        EL == 0 ? ExceptionClass.DataAbortLower : ExceptionClass.DataAbortSame,
        (write ? 1u << 6 : 0) | (uint)status,
        va);

    private void InstructionAbort(ulong va, FaultStatus status) => RaiseFault(
        EL == 0 ? ExceptionClass.InstructionAbortLower : ExceptionClass.InstructionAbortSame,
        (uint)status,
        va);

    /// <summary>PSTATE packed as SPSR_EL1 holds it.</summary>
    public ulong PackPstate() =>
        ((ulong)NZCV << 28) | (TCO ? 1UL << 25 : 0) | (DIT ? 1UL << 24 : 0) | (UAO ? 1UL << 23 : 0) | (PAN ? 1UL << 22 : 0)
        | (SS ? 1UL << 21 : 0) | (IL ? 1UL << 20 : 0) | (SSBS ? 1UL << 12 : 0) | ((ulong)BType << 10) | ((ulong)Daif << 6)
        | (EL == 0 ? 0UL : SPSel ? 5UL : 4UL);

    /// <summary>Takes the pending synchronous exception to EL1.</summary>
    public void TakePendingException()
    {
        _pending = false;
        ulong returnAddress = _pendingAfter ? NextPC : PC;
        ESR_EL1 = ((ulong)_pendingClass << 26) | (1UL << 25) | _pendingIss;
        if (_pendingHasFar)
            FAR_EL1 = _pendingFar;
        if (_pendingAfter)
            BType = 0;
        EnterEL1(0x000, returnAddress);
    }

    /// <summary>Whether software step is active: MDSCR_EL1.SS, at EL1 with KDE and PSTATE.D clear (DDI0487, D2.12). An instruction executes
    /// while PSTATE.SS is 1.</summary>
    internal bool StepActive => (MDSCR_EL1 & 1) != 0 && StepEnabled(EL, Daif);

    /// <summary>OSLSR_EL1.OSLK, set at reset: no debug exceptions but those of BRK.</summary>
    internal bool OsLocked { get; set; } = true;

    private bool StepEnabled(int el, int daif) => !OsLocked && (el == 0 || ((MDSCR_EL1 & (1 << 13)) != 0 && (daif & 8) == 0));

    /// <summary>EL0 takes a Software Step exception after each instruction, or not: MDSCR_EL1.SS, with the OS lock off. What
    /// SPSR_EL1.SS says at the next return counts besides.</summary>
    public void StepUser(bool on)
    {
        OsLocked &= !on;
        MDSCR_EL1 = on ? MDSCR_EL1 | 1 : MDSCR_EL1 & ~1UL;
    }

    /// <summary>Takes a Software Step exception before the instruction at PC. Its syndrome is that of a step whose instruction was no
    /// Load-Exclusive.</summary>
    internal void TakeStep()
    {
        const uint valid = 1 << 24, debug = 0x22;
        RaiseException(EL == 0 ? ExceptionClass.SoftwareStepLower : ExceptionClass.SoftwareStepSame, valid | debug);
        TakePendingException();
    }

    /// <summary>Takes an IRQ before the instruction at PC.</summary>
    public void TakeIrq() => EnterEL1(0x080, PC);

    private void EnterEL1(ulong offset, ulong returnAddress)
    {
        int from = EL;
        ulong vector = from == 0 ? 0x400UL : SPSel ? 0x200UL : 0x000UL;
        SPSR_EL1 = PackPstate();
        ELR_EL1 = returnAddress;
        EL = 1;
        SPSel = true;
        Daif = 0xF;
        IL = false;
        SS = false;
        BType = 0;
        BTypeNext = 0;
        UAO = false;
        TCO = HasMte;
        if (HasPan && (SCTLR_EL1 & (1UL << 23)) == 0)
            PAN = true;
        SSBS = HasSsbs && (SCTLR_EL1 & (1UL << 44)) != 0;
        Monitors.ClearLocal(Index);
        PC = VBAR_EL1 + vector + offset;
        NextPC = PC;
        ExceptionEntries++;
        // An exception of the vector's own first instruction executes nothing, for ever: time passes all the same, so that limits end it.
        if (from == 1 && returnAddress == PC)
            Timing.AdvanceTo(Timing.Cycles + 1);
        Timing.ExceptionEntry();
        Machine.Observer?.OnExceptionEntry(this, from, offset);
        Machine.Debug?.Entered(this, from);
    }

    /// <summary>Exceptions taken to EL1.</summary>
    public ulong ExceptionEntries;

    /// <summary>ERET of the Arm pseudocode (AArch64.ExceptionReturn).</summary>
    public void ExceptionReturn(ulong target, ulong spsr)
    {
        Monitors.ClearLocal(Index);
        int mode = (int)(spsr & 0x1f);
        int daif = Daif;
        bool illegal = (mode is not (0 or 4 or 5)) || EL == 0;
        NZCV = (int)(spsr >> 28);
        TCO = (spsr & (1UL << 25)) != 0;
        DIT = (spsr & (1UL << 24)) != 0;
        UAO = (spsr & (1UL << 23)) != 0;
        PAN = (spsr & (1UL << 22)) != 0;
        IL = (spsr & (1UL << 20)) != 0 || illegal;
        SSBS = (spsr & (1UL << 12)) != 0;
        Daif = (int)(spsr >> 6) & 0xF;
        if (!illegal)
        {
            // DebugExceptionReturnSS: only from where steps are off to where they are on.
            bool stepping = (MDSCR_EL1 & 1) != 0 && !StepEnabled(EL, daif) && StepEnabled(mode == 0 ? 0 : 1, Daif);
            EL = mode == 0 ? 0 : 1;
            SPSel = mode == 5;
            SS = stepping && (spsr & (1UL << 21)) != 0;
            BTypeNext = (int)(spsr >> 10) & 3;
        }
        BranchTo(target, BranchType.ExceptionReturn);
        Timing.ExceptionReturn(EL);
        Machine.Observer?.OnExceptionReturn(this);
    }
}
