using ArmVdso.Emulator.Engine.Lockstep;
using ArmVdso.Emulator.Engine.Native;
using ArmVdso.Emulator.Engine.Portable;
using ArmVdso.Emulator.Engine.Reference;
using ArmVdso.Emulator.Memory;
using ArmVdso.Emulator.Processor;
using ArmVdso.Emulator.State;
using ArmVdso.Emulator.Timing;
using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Emulator.Timing.Memo;

namespace ArmVdso.Emulator;

/// <summary>What system software outside the machine does for the code at EL1: HVC arrives here.</summary>
public interface IHypercallHandler
{
    /// <summary>HVC #<paramref name="imm16"/> was executed at EL1 on <paramref name="cpu"/>; arguments and results are in its
    /// registers.</summary>
    void Hypercall(Cpu cpu, int imm16);

    /// <summary>Every PE waits and no timer is armed: nothing in the machine can happen any more. Return true after having
    /// made something happen (an outside input), false to end the run.</summary>
    bool AllWaiting();

    /// <summary>Every PE waits, the first until a timer: time passes. Outside inputs may come in.</summary>
    /// <param name="now">Cycle of that PE.</param>
    /// <param name="until">Cycle at which it goes on.</param>
    void Idle(ulong now, ulong until)
    {
    }
}

/// <summary>What executes instructions.</summary>
public enum EngineKind
{
    /// <summary>One instruction at a time, decoded each time: the definition.</summary>
    Reference,

    /// <summary>Blocks of decoded operations.</summary>
    Portable,

    /// <summary>The portable engine, each block compared with the reference engine.</summary>
    PortableChecked,

    /// <summary>Blocks that repeat are code of the host, without a timing model; the portable engine else.</summary>
    Native,

    /// <summary>The native engine, each block compared with the reference engine.</summary>
    NativeChecked,
}

/// <summary>A machine of N PEs over one RAM. One host thread runs all of them: the PE that is furthest behind in cycles
/// runs next, for a short quantum; so the same input gives the same cycles.</summary>
public sealed class Machine : IMachine, IClock, IDisposable
{
    /// <summary>Most PEs that a machine may have.</summary>
    public const int MaxCpus = 64;

    private readonly HostTranslation _spaces;
    private ulong _lastCounter;
    private IHypercallHandler? _handler;

    /// <summary>The PEs.</summary>
    public IReadOnlyList<Cpu> Cpus => _cpus;

    private readonly Cpu[] _cpus;

    /// <summary>RAM.</summary>
    public PhysicalMemory Memory { get; }

    /// <summary>The exclusive monitors.</summary>
    public ExclusiveMonitors Monitors { get; }

    /// <summary>Trace sink, or null.</summary>
    [field: NotState("who looks")]
    public IMachineObserver? Observer { get; set; }

    /// <summary>A debugger outside of the machine, or null. Nothing in the machine changes by it.</summary>
    [field: NotState("who looks")]
    public DebugUnit? Debug { get; set; }

    // The turn of a PE that a stop for the debugger cut short: it is finished first, or the PEs would take their turns in another order.
    [NotState("only while a debugger looks")]
    private (Cpu Cpu, ulong Limit)? _unfinished;

    /// <summary>The PE whose turn a stop for the debugger cut short; null: none.</summary>
    public Cpu? Interrupted => _unfinished?.Cpu;

    /// <summary>ID registers.</summary>
    public Identification Identification { get; } = new();

    /// <summary>The CPU profile of the PEs; null: everything that is implemented exists, and no ID register says so.</summary>
    public CpuProfile? Profile { get; private set; }

    CpuProfile? IMachine.Profile
    {
        get => Profile;
        set => Profile = value;
    }

    /// <summary>Whether the PEs have a feature, by the name of the instruction table's FEATURE column.</summary>
    public bool HasFeature(string feature) => Profile is null || Profile.Has(feature);

    /// <summary>Rows of the instruction table that exist in this machine's CPU profile.</summary>
    public bool[] RowEnabled { get; }

    /// <inheritdoc/>
    [field: NotState("the profile says it")]
    public Row[] RowExecuted { get; }

    /// <summary>CNTFRQ_EL0, in Hz.</summary>
    public ulong CounterFrequency { get; init; } = 62_500_000;

    /// <summary>Clock of every PE, in Hz.</summary>
    public ulong ClockFrequency { get; init; } = 1_000_000_000;

    /// <summary>Seed of everything random in the machine.</summary>
    public ulong Seed { get; init; }

    /// <summary>Cycles that one PE may run ahead before the others get their turn.</summary>
    public ulong Quantum { get; init; } = 1000;

    /// <summary>Set to end <see cref="Run"/> at the next instruction boundary.</summary>
    [field: NotState("a request from outside")]
    public bool StopRequested { get; set; }

    // Set when the PE whose turn it is made another one ready, which may be further behind than anybody was.
    [NotState("only within a turn")]
    private bool _woke;

    /// <inheritdoc/>
    public bool TurnEnds => StopRequested || _woke;

    /// <summary>Cycle at which <see cref="Run"/> comes back, at the first turn of a PE that begins there; then it can go on as if it had
    /// not come back. <see cref="ulong.MaxValue"/>: it does not. Nothing in the machine changes by it.</summary>
    [field: NotState("a request from outside")]
    public ulong PauseAt { get; set; } = ulong.MaxValue;

    /// <summary>Whether <see cref="PauseAt"/> ended the last run.</summary>
    [field: NotState("a request from outside")]
    public bool Paused { get; private set; }

    /// <summary>Builds a machine at reset: PEs at EL1 with interrupts masked, PC 0, caches empty.</summary>
    /// <param name="cpus">1 to 64.</param>
    /// <param name="memorySize">Bytes of RAM.</param>
    /// <param name="timing">Makes the timing model of each PE (they may share outer caches).</param>
    public Machine(int cpus, ulong memorySize, Func<Machine, int, TimingModel> timing)
    {
        if (cpus is < 1 or > MaxCpus)
            throw new ArgumentOutOfRangeException(nameof(cpus), cpus, $"1 to {MaxCpus}");
        _spaces = new HostTranslation(InvalidateTlb);
        _translation = _spaces;
        Memory = new PhysicalMemory(memorySize);
        Monitors = new ExclusiveMonitors(cpus);
        RowEnabled = new bool[Isa.RowInfo.Count];
        Array.Fill(RowEnabled, true);
        RowExecuted = [.. Enumerable.Range(0, RowEnabled.Length).Select(i => (Row)i)];
        _cpus = new Cpu[cpus];
        for (int i = 0; i < cpus; i++)
        {
            _cpus[i] = new Cpu(this, i, timing(this, i));
            _cpus[i].Attach(new ReferenceEngine(_cpus[i]));
        }
    }

    /// <summary>Connects the system software model.</summary>
    public void Attach(IHypercallHandler handler) => _handler = handler;

    /// <summary>What the translation registers of the PEs select: unless another scheme is chosen before they are written, the spaces of
    /// <see cref="CreateAddressSpace"/>.</summary>
    public ITranslationScheme Translation
    {
        get => _translation;
        init => _translation = value;
    }

    private ITranslationScheme _translation;

    /// <summary>From now on the translation registers mean what the architecture says: tables in RAM, and SCTLR_EL1.M. The PEs are put into
    /// their state at reset.</summary>
    public void TranslateByTables()
    {
        _translation = new StageOneTables(Memory, Monitors, () => Identification.TranslationFeatures);
        foreach (Cpu cpu in _cpus)
        {
            cpu.Reset();
            cpu.Off = cpu.Waiting = false;
        }
    }

    /// <summary>What answers at physical addresses that are not RAM; null: nothing does.</summary>
    public IDeviceBus? Devices { get; set; }

    /// <summary>A new, empty translation half.</summary>
    public AddressSpace CreateAddressSpace(int vaBits) => _spaces.Create(vaBits);

    /// <summary>Forgets a translation half; no PE may still use it.</summary>
    public void DestroyAddressSpace(AddressSpace space) => _spaces.Remove(space);

    private void InvalidateTlb(ulong va)
    {
        foreach (Cpu cpu in _cpus)
            cpu.InvalidateTlbPage(va);
    }

    /// <summary>Code in [<paramref name="pa"/>, +<paramref name="size"/>) may have changed (IC IVAU, unmapping, a new page):
    /// fetch translations and decoded code of those bytes are dropped.</summary>
    public void InvalidateCode(ulong pa, int size) => InvalidateCode(pa, (ulong)size);

    /// <summary>Tells the machine that system software wrote guest RAM directly, so that exclusives and decoded code notice.</summary>
    public void NotifyWrite(ulong pa, int size)
    {
        Monitors.ObserveStore(ExclusiveMonitors.Outside, pa, size);
        if (_code is not null && _code.Invalidate(pa, (ulong)size))
            InvalidateFetches();
    }

    /// <summary>Instructions in [<paramref name="pa"/>, +<paramref name="size"/>) of RAM may have changed (IC IVAU, or system
    /// software wrote code): nothing that a PE remembers of them may be used any more.</summary>
    public void InvalidateCode(ulong pa, ulong size)
    {
        if (pa >= Memory.Size)
            return;
        // What was made of none of these bytes holds: most pages that are new or gone hold data.
        if (_code is null || _code.Invalidate(pa, size))
            InvalidateFetches();
    }

    private void InvalidateFetches()
    {
        foreach (Cpu cpu in _cpus)
            cpu.Engine.CodeChanged();
    }

    /// <summary>Nothing that was made of instructions or translations holds any more: other ones are in memory and registers.</summary>
    internal void ForgetCode()
    {
        _code?.Clear();
        foreach (Cpu cpu in _cpus)
            cpu.Attach(cpu.Engine);
    }

    /// <summary>What executes instructions: the reference engine unless another one is chosen before the first run.</summary>
    [field: NotState("results are the same")]
    public EngineKind Engine { get; init; }

    /// <summary>Whether the portable engine looks the timing of blocks up where it can; the same cycles and counters either way.</summary>
    [field: NotState("cycles are the same")]
    public bool MemoisedTiming { get; init; } = true;

    /// <summary>Executions of a block before the native engine makes it code of the host: that costs as much as some hundred instructions
    /// of the portable engine.</summary>
    [field: NotState("results are the same")]
    public int NativeAfter { get; init; } = 8;

    /// <summary>Bytes of memory for code of the host; when it is full, all is dropped and made anew.</summary>
    [field: NotState("results are the same")]
    public int NativeCodeSize { get; init; } = 64 << 20;

    /// <summary>Blocks that the portable engine decoded (0 with the reference engine).</summary>
    public ulong TranslatedBlocks => _code?.Translated ?? 0;

    /// <summary>The lockstep checker of this machine, when <see cref="Engine"/> asks for it and it has run.</summary>
    [field: NotState("only while engines are compared")]
    public EngineCheck? Check { get; private set; }

    [NotState("decoded code, which is made anew")]
    private CodeCache? _code;

    /// <summary>The decoded blocks, once the engine is prepared; null with the reference engine.</summary>
    internal CodeCache? Code => _code;

    /// <summary>Code of the host, once the engine is prepared; null with the other engines.</summary>
    [field: NotState("code of the host, which is made anew")]
    internal NativeCode? Native { get; private set; }

    /// <summary>What the native engine did; null with the other engines.</summary>
    public NativeCounts? NativeCounts => Native?.Counts();

    /// <summary>What the memoised timing did; null when there was none.</summary>
    public MemoCounts? MemoCounts =>
        MemoisedTiming && _code is not null ? Timing.Memo.MemoCounts.Of(_cpus.Select(c => c.Timing.Memo)) : null;

    /// <summary>Whether this host has the native engine.</summary>
    public static bool HasNativeEngine => NativeCode.IsSupported;

    /// <summary>The fastest engine that this host has.</summary>
    public static EngineKind FastestEngine => HasNativeEngine ? EngineKind.Native : EngineKind.Portable;

    /// <summary>Sets up what <see cref="Engine"/> asks for; the first run does it.</summary>
    /// <exception cref="PlatformNotSupportedException">The native engine on a host that has none.</exception>
    internal void PrepareEngine()
    {
        if (Engine == EngineKind.Reference || _code is not null)
            return;
        bool isChecked = Engine is EngineKind.PortableChecked or EngineKind.NativeChecked;
        _code = new CodeCache(this, MemoisedTiming ? _cpus[0].Timing.Memo : null);
        bool native = Engine is EngineKind.Native or EngineKind.NativeChecked;
        if (native && !HasNativeEngine)
            throw new PlatformNotSupportedException("this host has no native engine: it needs Linux on x64 with AVX2, FMA, BMI2 and LZCNT");
        if (native)
            Native = new NativeCode(_cpus[0], _code, isChecked, IsTraced, NativeCodeSize);
        Check = isChecked ? new EngineCheck(this, _code, Native) : null;
        SharedCaches? twinCaches = null;
        foreach (Cpu cpu in _cpus)
        {
            if (Check is not null)
                cpu.Attach(Check.CreateEngine(cpu, MemoisedTiming ? cpu.Timing.CreateTwin(ref twinCaches) : null));
            else if (Native is not null)
                cpu.Attach(new NativeEngine(cpu, _code, Native, MemoisedTiming, NativeAfter));
            else
                cpu.Attach(new PortableEngine(cpu, _code, MemoisedTiming));
        }
    }

    /// <summary>Whether native code can be timed behind its back: tables in RAM may have changed by then.</summary>
    private bool IsTraced => MemoisedTiming && !Translation.NeedsMaintenance && _cpus[0].Timing.Memo is not null;

    void IMachine.Hypercall(Cpu cpu, int imm16)
    {
        if (_handler is null)
            cpu.Undefined();
        else
            _handler.Hypercall(cpu, imm16);
    }

    /// <summary>What EL0 reads of the virtual counter, from its true value; null: that value. For faults that are injected.</summary>
    public Func<ulong, ulong>? UserCounter { get; set; }

    ulong IMachine.ReadCounter(ulong cycles)
    {
        ulong now = (ulong)((UInt128)cycles * CounterFrequency / ClockFrequency);
        if (now > _lastCounter)
            _lastCounter = now;
        return _lastCounter;
    }

    /// <summary>First cycle at which the counter has reached <paramref name="counter"/>.</summary>
    public ulong CycleOfCounter(ulong counter)
    {
        UInt128 cycle = ((UInt128)counter * ClockFrequency + CounterFrequency - 1) / CounterFrequency;
        return cycle > ulong.MaxValue ? ulong.MaxValue : (ulong)cycle;
    }

    /// <summary>Runs until <see cref="StopRequested"/>, until a PE reaches <paramref name="maxCycles"/>, or until nothing can
    /// happen.</summary>
    /// <returns>False when <paramref name="maxCycles"/> ended the run.</returns>
    public bool Run(ulong maxCycles = ulong.MaxValue)
    {
        StopRequested = Paused = false;
        PrepareEngine();
        if (_unfinished is { } turn)
        {
            _unfinished = null;
            Turn(turn.Cpu, turn.Limit);
        }
        while (!StopRequested)
        {
            Cpu? next = null;
            ulong second = ulong.MaxValue;
            foreach (Cpu cpu in _cpus)
            {
                ulong at = ReadyAt(cpu);
                if (at == ulong.MaxValue)
                    continue;
                if (next is null || at < ReadyAt(next))
                {
                    second = next is null ? second : ReadyAt(next);
                    next = cpu;
                }
                else if (at < second)
                {
                    second = at;
                }
            }
            if (PauseAt != ulong.MaxValue && (next is null || ReadyAt(next) >= PauseAt))
            {
                PauseAt = ulong.MaxValue;
                return Paused = true;
            }
            if (next is null)
            {
                if (_handler is null || !_handler.AllWaiting())
                    return true;
                continue;
            }
            if (next.Cycles >= maxCycles)
                return false;
            if (next.Waiting)
            {
                if (ReadyAt(next) > next.Cycles && _handler is not null && AllWait())
                {
                    _handler.Idle(next.Cycles, ReadyAt(next));
                    if (!AllWait())
                        continue;
                }
                next.Timing.AdvanceTo(ReadyAt(next));
                next.Waiting = false;
            }
            ulong limit = second > ulong.MaxValue - Quantum ? ulong.MaxValue : second + Quantum;
            // Alone, a PE still comes back regularly so that limits are seen.
            limit = Math.Min(Math.Min(limit, next.Cycles + 1_000_000), maxCycles);
            Turn(next, limit);
        }
        return true;
    }

    private void Turn(Cpu cpu, ulong limit)
    {
        _woke = false;
        cpu.Engine.Run(limit);
        if (Debug is not null && StopRequested && !_woke)
            _unfinished = (cpu, limit);
    }

    /// <summary>Cycle at which the next instruction is executed; MaxValue when every PE waits and no timer is armed.</summary>
    public ulong NextCycle => _cpus.Min(ReadyAt);

    private bool AllWait()
    {
        foreach (Cpu cpu in _cpus)
        {
            if (!cpu.Waiting || cpu.IrqAsserted)
                return false;
        }
        return true;
    }

    /// <summary>The cycle at which a PE can next execute something; MaxValue when only another PE can wake it.</summary>
    private static ulong ReadyAt(Cpu cpu)
    {
        if (cpu.Off)
            return ulong.MaxValue;
        if (!cpu.Waiting || cpu.PendingSgi != 0 || cpu.IrqAsserted)
            return cpu.Cycles;
        return cpu.TimerDeadline == ulong.MaxValue ? ulong.MaxValue : Math.Max(cpu.Cycles, cpu.TimerDeadline);
    }

    /// <summary>Programs a PE's virtual timer from outside (system software's clock event device).</summary>
    public void SetTimer(Cpu cpu, bool on, ulong compare)
    {
        cpu.WriteTimer(on ? 1u : 0, compare);
        if (cpu.Waiting)
            _woke = true;
    }

    /// <summary>Puts a PE where its boot code starts: EL1, interrupts masked, translation of the high half on.</summary>
    /// <param name="cpu">The PE.</param>
    /// <param name="pc">First instruction.</param>
    /// <param name="kernelSpace">What TTBR1_EL1 selects.</param>
    /// <param name="tcr">TCR_EL1.</param>
    /// <param name="sctlr">SCTLR_EL1.</param>
    public static void Boot(Cpu cpu, ulong pc, AddressSpace kernelSpace, ulong tcr, ulong sctlr)
    {
        cpu.WriteTcr(tcr);
        cpu.SCTLR_EL1 = sctlr;
        cpu.WriteTtbr1(kernelSpace.Handle);
        cpu.PC = pc;
    }

    /// <summary>Sends SGI <paramref name="interrupt"/> (0 to 15) to a PE; one that waits is woken.</summary>
    public void SendSgi(Cpu target, int interrupt, ulong atCycle)
    {
        if (target.Waiting)
            Wake(target, atCycle);
        target.PendingSgi |= 1u << interrupt;
    }

    /// <summary>A PE that waits or is off goes on at once, by what another one did: its clock moves up to that one's, whose turn
    /// ends.</summary>
    internal void Wake(Cpu target, ulong atCycle)
    {
        target.Timing.AdvanceTo(atCycle);
        _woke = true;
    }

    /// <summary>Gives RAM and native code back.</summary>
    public void Dispose()
    {
        Native?.Dispose();
        Memory.Dispose();
    }
}
