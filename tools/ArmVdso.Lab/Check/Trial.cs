using ArmVdso.Emulator.Timing.Events;

namespace ArmVdso.Lab.Check;

/// <summary>What one interleaving gave.</summary>
/// <param name="Instructions">Instructions of the call at EL0, retries included.</param>
/// <param name="Failure">What was wrong, or null.</param>
/// <param name="FellBack">Whether the call made the system call.</param>
/// <param name="Applied">Whether the call was long enough for every event of the schedule.</param>
/// <param name="Stores">Stores of the update that was explored store by store, once it is complete; 0 without one.</param>
internal sealed record Outcome(int Instructions, string? Failure, bool FellBack, bool Applied, int Stores)
{
    /// <summary>Whether an event came between the first and the last instruction of the call.</summary>
    internal bool Inside { get; init; }

    /// <summary>Whether a wrong answer could have been told from the right ones.</summary>
    internal bool Telling { get; init; }

    /// <summary>Whether each event found something to happen to.</summary>
    internal bool Happened { get; init; } = true;

    /// <summary>Calls that the events led to, and those of them that made the system call.</summary>
    internal int Further { get; init; }

    /// <inheritdoc cref="Further"/>
    internal int FurtherFellBack { get; init; }
}

/// <summary>One call of one function by the victim, with events at instruction boundaries. Events are in Trial.Events.cs.</summary>
internal sealed partial class Trial
{
    /// <summary>Time that passes before a call of a clock function since the last update, in ns: more than a second, so that
    /// seconds and nanoseconds both differ between two updates.</summary>
    private const ulong TimeBetweenUpdates = 1_300_000_000;

    private readonly CheckRig _rig;
    private readonly CheckedFunction _function;
    private readonly ClockHistory _clocks;
    private readonly List<TruthWindow> _windows = [];
    private readonly List<string> _failures = [];
    private TruthWindow? _window;
    private IStoreByStore? _writer;
    private string? _writerOf;
    private int _writerSince;
    private uint _lateInterrupts;
    private bool _exhausted;
    private bool _stepped;
    private ulong[]? _atFork;
    private Action? _atEnd;
    private bool _singleStep;
    private ulong _copiedBy;
    private bool _gone;
    private bool _inside;
    private bool _telling;
    private bool _happened = true;
    private int _further;
    private int _furtherFellBack;
    private readonly HashSet<long> _before = [];
    private int _stores;

    /// <summary>Whether it is asked if a wrong answer could be told from the right ones.</summary>
    internal bool AsksTelling { get; init; }

    /// <summary>Bytes of RAM that the undisturbed call loads, when asked for.</summary>
    internal HashSet<ulong>? Loads { get; init; }

    /// <summary>Boundaries before instructions that access memory or the system, when asked for.</summary>
    internal HashSet<int>? Touching { get; init; }

    /// <summary>Instructions of the undisturbed call; bounds retries.</summary>
    internal int Usual { get; init; } = 200;

    internal Trial(CheckRig rig, CheckedFunction function, ClockHistory clocks)
    {
        _rig = rig;
        _function = function;
        _clocks = clocks;
    }

    private KernelTask Victim => _rig.Victim;

    private Cpu VictimCpu => _rig.CpuOf(_rig.Victim);

    private ulong Buffer(int n) => _rig.Symbol("buffers") + (ulong)n * 64;

    /// <summary>Instructions after which a call counts as livelocked.</summary>
    private int Bound => Usual * 20 + 200;

    private void Sample()
    {
        foreach (TruthWindow window in _windows)
            window.Sample(_rig, _clocks);
    }

    /// <summary>Makes the call. The rig is in its first state before and afterwards.</summary>
    internal Outcome Run(Schedule schedule)
    {
        Prepare(schedule);
        _rig.TruthMayHaveChanged = Sample;
        RememberBefore();
        PassTime();
        Enter();
        int boundary = 0, next = 0, steps = 0;
        bool fellBack = false, livelock = false;
        while (true)
        {
            while (next < schedule.Events.Count && schedule.Events[next].Boundary == boundary && !_gone)
            {
                ScheduledEvent e = schedule.Events[next++];
                _rig.Observer?.Event($"event {e}: {CheckEvent.Find(e.Event)!.Meaning}");
                if (_writerOf is not null && _writerOf != e.Event)
                    FinishWriter();
                Sample();
                CheckEvent.Find(e.Event)!.Apply(this, e.Part);
                _inside |= boundary > 0;
                Sample();
                _writerOf = _writer is null ? null : e.Event;
                _writerSince = boundary;
            }
            if (_gone || _ended)
                break;
            if (_singleStep)
                StepOn();
            if (_window is null)
                OpenWindow();
            fellBack |= StepVictim(boundary);
            // An interrupt or a page fault came instead of the instruction: the boundary is still to come.
            if (_stepped)
                boundary++;
            steps++;
            if (_rig.Parked(VictimCpu, Victim))
                break;
            if (_writer is not null && boundary - _writerSince > Usual * 3 + 30)
            {
                _rig.Observer?.Event("the reader waits: the update goes on to its end");
                FinishWriter();
            }
            if (steps > Bound)
            {
                livelock = true;
                break;
            }
        }
        Sample();
        fellBack |= _fellBackInHook;
        if (livelock)
            _failures.Insert(0, $"livelock: not finished after {boundary} instructions (undisturbed: {Usual})");
        else if (!_gone)
            Judge("the call", _window!, Victim, VictimCpu.X(0), Buffer(0), fellBack);
        else if (AsksTelling && _window is not null)
            _telling |= Tells(_window);
        FinishWriter();
        _rig.TruthMayHaveChanged = null;
        bool applied = next == schedule.Events.Count && !_exhausted;
        var outcome = new Outcome(boundary, _failures.Count == 0 ? null : string.Join("; ", _failures), fellBack, applied, _stores)
        {
            Inside = _inside,
            Telling = _telling,
            Happened = _happened,
            Further = _further,
            FurtherFellBack = _furtherFellBack,
        };
        // What follows puts the rig back: no part of the interleaving.
        _rig.Observer = null;
        VictimCpu.PendingSgi |= _lateInterrupts;
        if (livelock)
            CheckRig.JumpTo(VictimCpu, _rig.Symbol("park"));
        _atEnd?.Invoke();
        _rig.Restore();
        return outcome;
    }

    /// <summary>Lets time pass and updates the clocks once, all stores at once.</summary>
    private void PassTime()
    {
        if (!_function.IsTime)
            return;
        Advance();
        _clocks.Begin(_rig, Victim, () => _rig.Control.Tick());
        _clocks.End();
        Advance();
    }

    private void Advance()
    {
        ulong cycles = _rig.Machine.Cpus.Max(c => c.Cycles) + _rig.Kernel.Clock.CyclesOfNs(TimeBetweenUpdates);
        foreach (Cpu cpu in _rig.Machine.Cpus)
            cpu.Timing.AdvanceTo(cycles);
    }

    private void Enter()
    {
        CheckRig.Write(Victim, Buffer(0), [0xdead_dead_dead_dead, 0xdead_dead_dead_dead, 0xdead_dead_dead_dead, 0xdead_dead_dead_dead]);
        PrepareRandomState();
        PrepareMemory();
        Cpu cpu = VictimCpu;
        for (int i = 0; i < 31; i++)
            cpu.SetX(i, 0xbad0_0000 + (ulong)i);
        // Z: the last comparison of a caller, which says nothing of the call.
        cpu.NZCV = 4;
        ulong[] arguments = _function.Arguments(_rig, Victim, Buffer(0));
        for (int i = 0; i < arguments.Length; i++)
            cpu.SetX(i, arguments[i]);
        cpu.SetX(30, _rig.Symbol("park"));
        cpu.SP_EL0 = _rig.Symbol("victim_stack");
        CheckRig.JumpTo(cpu, _function.Address(_rig, Victim) + _copiedBy);
        _rig.Observer?.Event($"{Victim} of process {Victim.Group.Pid} calls {_function.Name} on cpu{Victim.Cpu}");
    }

    /// <summary>getrandom's state: without a key, or with one of the present generation and a batch that nobody has seen.</summary>
    private void PrepareRandomState() => PrepareRandomState(Victim);

    private void PrepareRandomState(KernelTask task)
    {
        if (_function.Kind != AnswerKind.Random)
            return;
        var state = new ulong[CheckedFunction.RandomState / 8];
        if (!_function.FreshState)
        {
            for (int i = 0; i < 16; i++)
                state[i] = _clocks.NextRandom();
            state[CheckedFunction.RandomGeneration / 8] = _rig.Control.RandomGeneration;
        }
        CheckRig.Write(task, _rig.RandomState, state);
    }

    private void OpenWindow()
    {
        _window = new TruthWindow(_function, Victim);
        _windows.Add(_window);
        _window.Sample(_rig, _clocks);
    }

    /// <summary>One instruction of the victim; an exception that it takes is followed until EL0 again. True: it was SVC.</summary>
    private bool StepVictim(int boundary = 0)
    {
        Cpu cpu = VictimCpu;
        ulong executed = cpu.Instructions;
        uint word = Touching is null ? 0 : Word(cpu);
        _rig.Step(cpu);
        _stepped = cpu.Instructions != executed;
        // System instructions (barriers, MRS, SVC) and accesses are where the rest of the machine comes in.
        if (Touching is not null
            && (boundary == 0 || cpu.EL != 0 || cpu.AccessCount > 0 || (word & 0xff000000) is 0xd5000000 or 0xd4000000))
            Touching.Add(boundary);
        if (cpu.EL == 0)
        {
            if (Loads is not null)
            {
                for (int i = 0; i < cpu.AccessCount; i++)
                {
                    if (!cpu.Accesses[i].Write)
                        AddLoads(cpu.Accesses[i]);
                }
            }
            return false;
        }
        // getrandom also takes a key for itself: only what is asked for the caller's bytes is a fallback.
        // An interrupt leaves ESR_EL1 as it was.
        bool call = _stepped && cpu.ESR_EL1 >> 26 == (ulong)ExceptionClass.Svc64
            && (_function.Kind != AnswerKind.Random || cpu.X(0) == Buffer(0));
        BackToUser(cpu, "the return to EL0");
        return call;
    }

    private uint Word(Cpu cpu)
    {
        Span<byte> bytes = stackalloc byte[4];
        return Victim.Mm!.Read(cpu.PC, bytes) ? BitConverter.ToUInt32(bytes) : 0;
    }

    private void AddLoads(in MemoryAccess access)
    {
        for (ulong pa = access.Pa; pa < access.Pa + access.Size; pa++)
            Loads!.Add(pa);
    }

    private void BackToUser(Cpu cpu, string what)
    {
        // A system call under single-stepping ends in a stop.
        if (_singleStep)
            _rig.Control.Prepare(cpu.Index, FreeStranger());
        if (!_rig.RunUntil(cpu, () => cpu.EL == 0
            && ((_rig.Runs(Victim) && Victim.Cpu == cpu.Index) || (_singleStep && Victim.State == TaskState.Stopped))))
            throw new LabException($"{what} did not happen ({cpu})", LabFault.Failed);
    }

    private void Prepare(Schedule schedule)
    {
        foreach (string name in schedule.Events.Select(e => e.Event).Distinct())
            CheckEvent.Find(name)!.Prepare?.Invoke(this);
    }

    /// <summary>What was true before the call: after a change, an answer of before is a wrong one.</summary>
    private void RememberBefore()
    {
        if (_function.Kind is not (AnswerKind.Random or AnswerKind.Invariant))
            _before.Add(_function.Truth(_rig, Victim));
    }

    /// <summary>Whether some answer that was true before, or is another task's, is not among those allowed.</summary>
    private bool Tells(TruthWindow window)
    {
        IEnumerable<long> others = _function.Kind switch
        {
            AnswerKind.Id or AnswerKind.Bytes => _rig.Everybody.Select(t => _function.Truth(_rig, t)),
            AnswerKind.Cpu => Enumerable.Range(0, _rig.Machine.Cpus.Count).SelectMany(_rig.Pairs),
            _ => [],
        };
        return (_function.Kind is AnswerKind.Random or AnswerKind.Invariant && !_function.ChangesMemory)
            || _before.Concat(others).Any(v => !window.Allows(v));
    }

    /// <summary>A call that an event led to: the answer, and whether it came from the system call.</summary>
    private void JudgeFurther(string who, TruthWindow window, KernelTask task, ulong x0, ulong buffer, bool fellBack)
    {
        _further++;
        _furtherFellBack += fellBack ? 1 : 0;
        Judge(who, window, task, x0, buffer, fellBack);
    }

    private void Judge(string who, TruthWindow window, KernelTask task, ulong x0, ulong buffer, bool fellBack)
    {
        if (_function.Own is { Answer: OwnAnswer.Invariant } own)
        {
            JudgeInvariant(who, own, task, x0, buffer);
            return;
        }
        if (AsksTelling && !_telling)
            _telling = Tells(window);
        long? answer = _function.Result(task, x0, buffer);
        bool allowed = _function.Kind == AnswerKind.Random
            ? answer is not null && Fresh(CheckedFunction.Words(task, buffer)) && (fellBack || OfCurrentKey(window, task))
            : window.Allows(answer);
        _rig.Observer?.Event($"{who} returned {_function.Show(answer)}; kernel: {window.Show()}: {(allowed ? "right" : "WRONG")}");
        if (!allowed)
            _failures.Add($"{who} returned {_function.Show(answer)}{KeyOf(task)}, the system call {window.Show()}");
    }

    private ulong Generation(KernelTask task) => CheckRig.Read(task, _rig.RandomState + CheckedFunction.RandomGeneration);

    /// <summary>Whether the key that made the bytes was one to be used during the call; a fork behind the last look has wiped the
    /// child's.</summary>
    private bool OfCurrentKey(TruthWindow window, KernelTask task) => Generation(task) is var key && (key == 0 || window.WasCurrent(key));

    private string KeyOf(KernelTask task) => _function.Kind == AnswerKind.Random ? $" of a key of generation {Generation(task)}" : "";

    /// <summary>An answer that no system call knows: the design's own function is asked. It tells something when it refuses another
    /// answer.</summary>
    private void JudgeInvariant(string who, OwnFunction own, KernelTask task, ulong x0, ulong buffer)
    {
        ulong given = own.ChangesMemory || own.Arguments.Any(a => a.IsBuffer) ? buffer : 0;
        ulong page = own.ChangesMemory ? _rig.PageOf(task) : 0;
        ulong says = _rig.Ask(own.Invariant, task, x0, given, page);
        _rig.Observer?.Event($"{who} returned 0x{x0:x}; {own.Invariant} says {(long)says}: {(says == 0 ? "right" : "WRONG")}");
        if (says != 0)
            _failures.Add($"{who} returned 0x{x0:x}, of which {own.Invariant} says {(long)says}");
        else if (AsksTelling && !_telling)
            _telling = _rig.Ask(own.Invariant, task, ~x0, given == 0 ? 0 : _rig.Spoilt(task), page) != 0;
    }

    /// <summary>Whether no word of the bytes was given out before. A fork copies what a call has written by then: parent and
    /// child may both return that, as after a system call that had ended, but nothing that was made later.</summary>
    private bool Fresh(ulong[] words)
    {
        if (_atFork is { } copied && words.AsSpan().SequenceEqual(copied))
            return true;
        return words.Count(_clocks.Given.Add) == words.Length;
    }

    private void FinishWriter()
    {
        if (_writer is null)
            return;
        Sample();
        _stores = _writer.Finish();
        _writer = null;
        _writerOf = null;
        Sample();
    }
}
