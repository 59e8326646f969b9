using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Signals;

namespace ArmVdso.Lab.Debug;

/// <summary>How it runs, and what stops it.</summary>
public sealed partial class ProgramTarget
{
    private const ulong CLONE_VFORK = 0x4000, CLONE_THREAD = 0x10000;

    /// <summary>A step of a thread.</summary>
    private sealed class Stepping
    {
        /// <summary>Addresses that it goes on in.</summary>
        internal (ulong From, ulong To) Range;

        /// <summary>Whether the instruction at <see cref="Pc"/> is still to be executed.</summary>
        internal bool Fresh;

        internal ulong Pc;
    }

    /// <summary>What is known of the run so far. It goes back with it.</summary>
    private sealed class Known
    {
        /// <summary>Processes that are debugged.</summary>
        internal readonly HashSet<int> Attached = [];

        /// <summary>Tasks that are in a system call whose end is reported.</summary>
        internal readonly HashSet<KernelTask> Returning = [];

        /// <summary>Tasks that wait for a decision about a signal, and decisions.</summary>
        internal readonly Dictionary<KernelTask, SignalInfo> Asked = [];

        /// <inheritdoc cref="Asked"/>
        internal readonly Dictionary<KernelTask, int> Answers = [];

        /// <summary>Children that have borrowed their parent's memory.</summary>
        internal readonly Dictionary<int, ThreadId> Vforks = [];

        /// <summary>How tasks last left EL0.</summary>
        internal readonly Dictionary<KernelTask, Departure> Departures = [];

        /// <summary>The last writes of TPIDRRO_EL0.</summary>
        internal readonly Queue<OffsetWrite> Offsets = [];

        /// <summary>Decisions about signals so far.</summary>
        internal int Decisions;

        /// <summary>Bytes written to the standard streams, and reads of standard input.</summary>
        internal readonly long[] Written = new long[3];

        /// <inheritdoc cref="Written"/>
        internal int Reads;
    }

    /// <summary>How a task left EL0.</summary>
    /// <param name="Place">Before the instruction at which it did.</param>
    /// <param name="Pc">That instruction.</param>
    private readonly record struct Departure(Place Place, ulong Pc);

    /// <summary>A place in the run: a CPU, and how many instructions it has executed.</summary>
    private readonly record struct Place(int Cpu, ulong Instructions);

    private readonly Dictionary<KernelTask, Stepping> _steps = [];
    private readonly Known _known = new();
    private int _stoppedCpu;

    // Breakpoints as they were before a debugger took them away to step one thread over one: the others do not run past them meanwhile.
    private HashSet<(int Pid, ulong Address)> _standing = [];
    private IReadOnlyList<ResumeAction> _actions = [];

    /// <summary>Settings for the hooks of a session that is to be debugged: those given, and the target's besides.</summary>
    public SessionHooks Hooks(SessionHooks hooks) => hooks with
    {
        Input = new ReadOnce(this, hooks.Input),
        Output = new WrittenOnce(this, 1, hooks.Output),
        Error = new WrittenOnce(this, 2, hooks.Error),
        SignalStop = OnSignal,
        Forked = OnForked,
        Exec = task =>
        {
            if (!_replays)
                hooks.Exec?.Invoke(task);
            OnExec(task);
        },
        Exit = (task, status) =>
        {
            if (!_replays)
                hooks.Exit?.Invoke(task, status);
            OnExit(task, status);
        },
    };

    /// <summary>Takes a session over that was made with <see cref="Hooks"/>: it stands before its program's first instruction.</summary>
    /// <exception cref="LabException">It has ended before that.</exception>
    public void Attach(Session session)
    {
        _session = session;
        _unit = new Unit(this);
        Machine.Debug = _unit;
        Machine.Observer ??= _offsets = new OffsetTrace(Kernel, NoteOffset);
        KernelTask first = Kernel.Tasks.Init!.Leader;
        _known.Attached.Add(first.Group.Pid);
        _steps[first] = new Stepping();
        _ = Run(() => false);
        if (CanReverse)
            Remember();
    }

#pragma warning disable CS8618 // The session follows its hooks.
    /// <summary>A target without a session yet: <see cref="Hooks"/>, then <see cref="Attach"/>.</summary>
    public ProgramTarget()
    {
    }
#pragma warning restore CS8618

    /// <summary>A target that shows the processes of a session to somebody else, who runs it.</summary>
    internal static ProgramTarget Looking(Session session)
    {
        var target = new ProgramTarget { _session = session, _everybody = true, _replays = true };
        target._unit = new Unit(target);
        session.Machine.Debug = target._unit;
        session.Machine.Observer ??= new OffsetTrace(session.Kernel, target.NoteOffset);
        return target;
    }

    private bool _everybody;
    private OffsetTrace? _offsets;

    private bool IsAttached(int pid) => _everybody || _known.Attached.Contains(pid) && !_detached.Contains(pid);

    private bool IsAttached(KernelTask task) => IsAttached(task.Group.Pid);

    private void Report(DebugStop stop, int cpu)
    {
        if (_replays)
            return;
        _stoppedCpu = cpu;
        _stops.Enqueue(stop);
        Machine.StopRequested = true;
    }

    private ResumeAction? ActionFor(ThreadId thread)
    {
        foreach (ResumeAction action in _actions)
        {
            if (action.IsFor(thread))
                return action;
        }
        return null;
    }

    /// <inheritdoc/>
    public override DebugStop Resume(IReadOnlyList<ResumeAction> actions, Func<bool> wanted)
    {
        _actions = actions;
        _steps.Clear();
        foreach (KernelTask task in Threads.Select(Find).OfType<KernelTask>())
        {
            if (ActionFor(IdOf(task)) is not { } action)
                continue;
            if (action.Steps)
                _steps[task] = StepOf(task, action);
            if (_known.Asked.Remove(task))
                _known.Answers[task] = action.Signal;
            else if (action.Signal != 0)
                _changed |= Kernel.SignalDelivery.Send(task, SignalOfDebugger(action.Signal));
        }
        // A signal that nobody said anything about goes its way.
        foreach (KernelTask task in _known.Asked.Keys)
            _known.Answers[task] = -1;
        _known.Asked.Clear();
        ForgetFuture();
        return Run(wanted);
    }

    /// <summary>A thread in a system call has moved when it comes back from it; another one when it has executed an instruction.</summary>
    private Stepping StepOf(KernelTask task, in ResumeAction action)
    {
        bool calls = CpuOf(task) is not { EL: 0 } && Kernel.Records.Registers(task).SyscallNumber >= 0;
        return new Stepping { Range = action.Range, Fresh = !calls, Pc = General(task, CpuOf(task), Pc) };
    }

    private DebugStop Run(Func<bool> wanted)
    {
        if (_stops.TryDequeue(out DebugStop? waiting))
            return waiting;
        Apply();
        bool stop = false;
        try
        {
            if (_moments.Count > 0)
                PauseNext();
            int? status = _session.Ended ?? _session.RunUntil(() =>
            {
                if (Machine.Paused)
                {
                    Remember();
                    PauseNext();
                }
                return _stops.Count > 0 || (stop = wanted());
            });
            if (_stops.TryDequeue(out DebugStop? there))
                return there;
            if (status is { } ended)
                return new DebugStop(StopKind.Exited, new ThreadId(Kernel.Tasks.Init!.Pid, 0), (ulong)ended);
        }
        catch (LabException) when (Kernel.Deadlock)
        {
            return new DebugStop(StopKind.Stuck, Threads is [var any, ..] ? any : default);
        }
        _stoppedCpu = Machine.Interrupted?.Index ?? 0;
        return new DebugStop(StopKind.Interrupt, Running());
    }

    /// <summary>A thread that runs, or else any.</summary>
    private ThreadId Running()
    {
        IReadOnlyList<ThreadId> all = Threads;
        return all.FirstOrDefault(t => Find(t) is { } task && CpuOf(task) is not null, all.Count > 0 ? all[0] : default);
    }

    /// <summary>What the debugger set is looked for from now on.</summary>
    private void Apply()
    {
        bool all = Threads.All(t => ActionFor(t) is not null);
        if (!all)
            _standing.UnionWith(Breakpoints.Code);
        else if (Breakpoints.Changed || !_standing.SetEquals(Breakpoints.Code))
            _standing = [.. Breakpoints.Code];
        else
            return;
        Breakpoints.Changed = false;
        _unit.Set(_standing.Select(b => b.Address), Breakpoints.Data.Select(w => w.Watchpoint));
    }

    private SignalInfo? OnSignal(KernelTask task, SignalInfo info)
    {
        if (!IsAttached(task))
            return info;
        int answer = -1;
        if (_known.Decisions < _decisions.Count)
        {
            answer = _decisions[_known.Decisions];
        }
        else if (_replays)
        {
            return info;
        }
        else if (!PassedSignals.Contains(info.Number) && !_known.Answers.Remove(task, out answer))
        {
            _known.Asked[task] = info;
            Report(new DebugStop(StopKind.Signal, IdOf(task), (ulong)info.Number), task.Cpu);
            return null;
        }
        if (_known.Decisions++ == _decisions.Count)
            _decisions.Add(answer);
        return answer == -1 || answer == info.Number ? info
            : answer == 0 ? info with { Number = 0 } : SignalOfDebugger(answer);
    }

    private static SignalInfo SignalOfDebugger(int signal) => new() { Number = signal, Code = Signal.SI_USER };

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> SignalOf(ThreadId thread) =>
        Find(thread) is { } task && _known.Asked.TryGetValue(task, out SignalInfo? info) ? info.ToBytes() : [];

    private void OnForked(KernelTask parent, KernelTask child, ulong flags)
    {
        bool vfork = (flags & CLONE_VFORK) != 0;
        if ((flags & CLONE_THREAD) != 0 || !IsAttached(parent) || !(vfork ? ReportsVforks : ReportsForks))
            return;
        _known.Attached.Add(child.Group.Pid);
        if (vfork)
            _known.Vforks[child.Group.Pid] = IdOf(parent);
        if (_replays)
            return;
        // A child of this number may have been let go before the run went back.
        _detached.Remove(child.Group.Pid);
        foreach ((int pid, ulong address) in Breakpoints.Code.Where(b => b.Pid == parent.Group.Pid).ToList())
            Breakpoints.Put(child.Group.Pid, address, true);
        Report(new DebugStop(vfork ? StopKind.Vfork : StopKind.Fork, IdOf(parent), (ulong)child.Tid), parent.Cpu);
    }

    private void VforkEnded(KernelTask child)
    {
        if (_known.Vforks.Remove(child.Group.Pid, out ThreadId parent) && IsAttached(parent.Pid))
            Report(new DebugStop(StopKind.VforkDone, parent), child.Cpu);
    }

    private void OnExec(KernelTask task)
    {
        VforkEnded(task);
        if (!IsAttached(task) || _replays)
            return;
        Breakpoints.Clear(task.Group.Pid);
        if (ReportsExecs)
            Report(new DebugStop(StopKind.Exec, IdOf(task), 0, task.Mm?.Executable?.Path ?? ""), task.Cpu);
    }

    private void OnExit(KernelTask task, int status)
    {
        VforkEnded(task);
        bool attached = IsAttached(task);
        _known.Attached.Remove(task.Group.Pid);
        if (!attached || _replays)
            return;
        Breakpoints.Clear(task.Group.Pid);
        int signal = status & 0x7f;
        Report(new DebugStop(
            signal == 0 ? StopKind.Exited : StopKind.Killed, IdOf(task), (ulong)(signal == 0 ? status >> 8 & 0xff : signal)), task.Cpu);
    }
}
