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

    private readonly Dictionary<KernelTask, Stepping> _steps = [];
    private readonly HashSet<KernelTask> _returning = [];
    private readonly Dictionary<KernelTask, SignalInfo> _asked = [];
    private readonly Dictionary<KernelTask, int> _answers = [];
    private readonly Dictionary<int, ThreadId> _vforks = [];

    // Breakpoints as they were before a debugger took them away to step one thread over one: the others do not run past them meanwhile.
    private HashSet<(int Pid, ulong Address)> _standing = [];
    private IReadOnlyList<ResumeAction> _actions = [];

    /// <summary>Settings for the hooks of a session that is to be debugged: those given, and the target's besides.</summary>
    public SessionHooks Hooks(SessionHooks hooks) => hooks with
    {
        SignalStop = OnSignal,
        Forked = OnForked,
        Exec = task =>
        {
            hooks.Exec?.Invoke(task);
            OnExec(task);
        },
        Exit = (task, status) =>
        {
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
        KernelTask first = Kernel.Tasks.Init!.Leader;
        _attached.Add(first.Group.Pid);
        _steps[first] = new Stepping();
        _ = Run(() => false);
    }

#pragma warning disable CS8618 // The session follows its hooks.
    /// <summary>A target without a session yet: <see cref="Hooks"/>, then <see cref="Attach"/>.</summary>
    public ProgramTarget()
    {
    }
#pragma warning restore CS8618

    private bool IsAttached(KernelTask task) => _attached.Contains(task.Group.Pid);

    private void Report(DebugStop stop)
    {
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
            if (_asked.Remove(task))
                _answers[task] = action.Signal;
            else if (action.Signal != 0)
                Kernel.SignalDelivery.Send(task, action.Signal);
        }
        // A signal that nobody said anything about goes its way.
        foreach (KernelTask task in _asked.Keys)
            _answers[task] = -1;
        _asked.Clear();
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
            int? status = _session.Ended ?? _session.RunUntil(() => _stops.Count > 0 || (stop = wanted()));
            if (_stops.TryDequeue(out DebugStop? there))
                return there;
            if (status is { } ended)
                return new DebugStop(StopKind.Exited, new ThreadId(Kernel.Tasks.Init!.Pid, 0), (ulong)ended);
        }
        catch (LabException) when (Kernel.Deadlock)
        {
            return new DebugStop(StopKind.Stuck, Threads is [var any, ..] ? any : default);
        }
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
        if (!IsAttached(task) || PassedSignals.Contains(info.Number))
            return info;
        if (_answers.Remove(task, out int answer))
        {
            return answer == -1 || answer == info.Number ? info
                : answer == 0 ? info with { Number = 0 } : new SignalInfo { Number = answer, Code = Signal.SI_USER };
        }
        _asked[task] = info;
        Report(new DebugStop(StopKind.Signal, IdOf(task), (ulong)info.Number));
        return null;
    }

    /// <inheritdoc/>
    public override ReadOnlySpan<byte> SignalOf(ThreadId thread) =>
        Find(thread) is { } task && _asked.TryGetValue(task, out SignalInfo? info) ? info.ToBytes() : [];

    private void OnForked(KernelTask parent, KernelTask child, ulong flags)
    {
        bool vfork = (flags & CLONE_VFORK) != 0;
        if ((flags & CLONE_THREAD) != 0 || !IsAttached(parent) || !(vfork ? ReportsVforks : ReportsForks))
            return;
        _attached.Add(child.Group.Pid);
        foreach ((int pid, ulong address) in Breakpoints.Code.Where(b => b.Pid == parent.Group.Pid).ToList())
            Breakpoints.Put(child.Group.Pid, address, true);
        if (vfork)
            _vforks[child.Group.Pid] = IdOf(parent);
        Report(new DebugStop(vfork ? StopKind.Vfork : StopKind.Fork, IdOf(parent), (ulong)child.Tid));
    }

    private void VforkEnded(int child)
    {
        if (_vforks.Remove(child, out ThreadId parent) && _attached.Contains(parent.Pid))
            Report(new DebugStop(StopKind.VforkDone, parent));
    }

    private void OnExec(KernelTask task)
    {
        VforkEnded(task.Group.Pid);
        if (!IsAttached(task))
            return;
        Breakpoints.Clear(task.Group.Pid);
        if (ReportsExecs)
            Report(new DebugStop(StopKind.Exec, IdOf(task), 0, task.Mm?.Executable?.Path ?? ""));
    }

    private void OnExit(KernelTask task, int status)
    {
        VforkEnded(task.Group.Pid);
        if (!_attached.Remove(task.Group.Pid))
            return;
        Breakpoints.Clear(task.Group.Pid);
        int signal = status & 0x7f;
        Report(new DebugStop(
            signal == 0 ? StopKind.Exited : StopKind.Killed, IdOf(task), (ulong)(signal == 0 ? status >> 8 & 0xff : signal)));
    }

    /// <summary>Decides on behalf of the machine.</summary>
    private sealed class Unit(ProgramTarget target) : DebugUnit(target.Machine)
    {
        // By CPU: registers as they were when it last left EL0, and the vector it went to.
        private readonly ulong[][] _entries = [.. target.Machine.Cpus.Select(_ => new ulong[Cpsr + 1])];
        private readonly ulong[] _vectors = new ulong[target.Machine.Cpus.Count];

        internal ulong[] Entry(Cpu cpu) => _entries[cpu.Index];

        /// <summary>Changes a register of a thread that has just entered the kernel. False: it is too late.</summary>
        internal bool WriteEntry(Cpu cpu, int register, ulong value)
        {
            if (cpu.PC != _vectors[cpu.Index])
                return false;
            switch (register)
            {
                case Sp:
                    cpu.SP_EL0 = value;
                    break;
                case Pc:
                    cpu.ELR_EL1 = value;
                    break;
                case Cpsr:
                    cpu.SPSR_EL1 = (cpu.SPSR_EL1 & 0xfffffff) | (value & 0xf0000000);
                    break;
                default:
                    cpu.SetX(register, value);
                    break;
            }
            _entries[cpu.Index][register] = value;
            return true;
        }

        private KernelTask? Task(Cpu cpu) =>
            cpu.EL == 0 && target.Kernel.Scheduler.Current(cpu.Index) is var task && target.IsAttached(task) ? task : null;

        public override bool Singly(Cpu cpu) => (target._steps.Count > 0 || target._returning.Count > 0)
            && Task(cpu) is { } task && (target._steps.ContainsKey(task) || target._returning.Contains(task));

        public override bool Stops(Cpu cpu)
        {
            if (Task(cpu) is not { } task)
                return false;
            ThreadId id = IdOf(task);
            if (target._returning.Remove(task) && target.CaughtCalls is not null)
            {
                target.Report(new DebugStop(StopKind.SyscallReturn, id, _entries[cpu.Index][8]));
                return true;
            }
            if (IsBreakpoint(cpu.PC)
                && (target.ActionFor(id) is null ? target._standing : target.Breakpoints.Code).Contains((id.Pid, cpu.PC)))
            {
                target.Report(new DebugStop(StopKind.Breakpoint, id, cpu.PC));
                return true;
            }
            if (!target._steps.TryGetValue(task, out Stepping? step))
                return false;
            bool inside = cpu.PC >= step.Range.From && cpu.PC < step.Range.To;
            if ((step.Fresh && step.Pc == cpu.PC) || inside)
            {
                step.Fresh = false;
                return false;
            }
            target.Report(new DebugStop(StopKind.Step, id));
            return true;
        }

        public override bool Accesses(Cpu cpu, in Watchpoint watchpoint, ulong va)
        {
            if (Task(cpu) is not { } task || !target.Breakpoints.Data.Contains((task.Group.Pid, watchpoint)))
                return false;
            // As hardware reports it: an address of the access, inside of what is watched.
            ulong at = Math.Clamp(va, watchpoint.Address, watchpoint.Address + watchpoint.Length - 1);
            target.Report(new DebugStop(StopKind.Watchpoint, IdOf(task), at, "", watchpoint.Kind));
            return true;
        }

        public override void Entered(Cpu cpu, int fromEL)
        {
            if (fromEL != 0)
                return;
            ulong[] entry = _entries[cpu.Index];
            for (int i = 0; i < 31; i++)
                entry[i] = cpu.X(i);
            (entry[Sp], entry[Pc], entry[Cpsr]) = (cpu.SP_EL0, cpu.ELR_EL1, cpu.SPSR_EL1);
            _vectors[cpu.Index] = cpu.PC;
            KernelTask task = target.Kernel.Scheduler.Current(cpu.Index);
            bool interrupt = (cpu.PC & 0x80) != 0, calls = !interrupt && cpu.ESR_EL1 >> 26 == (ulong)ExceptionClass.Svc64;
            if (target._steps.TryGetValue(task, out Stepping? step) && !calls && !interrupt)
            {
                // What faulted is executed again, unless a signal comes of it.
                (step.Fresh, step.Pc) = (true, cpu.ELR_EL1);
            }
            if (!calls || !target.IsAttached(task) || target.CaughtCalls is not { } caught)
                return;
            if (caught.Count > 0 && !caught.Contains((int)entry[8]))
                return;
            target._returning.Add(task);
            target.Report(new DebugStop(StopKind.SyscallEntry, IdOf(task), entry[8]));
        }
    }
}
