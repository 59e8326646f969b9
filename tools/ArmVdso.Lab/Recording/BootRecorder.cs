using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Lab.Boot;
using ArmVdso.Lab.Tracing;

namespace ArmVdso.Lab.Recording;

/// <summary>The recorder of a booted kernel. Its own symbols and types say which task a CPU executes and how one has left; a switch is seen
/// at the next exception, ERET or write of TPIDRRO_EL0. Handlers of signals are known by the frames that the kernel builds for them, its
/// vDSO by the pages of its Image.</summary>
public sealed class BootRecorder : Recorder
{
    private const uint TaskNoLoad = 0x402;
    private const int ExitZombie = 0x20;
    private readonly BootSession _session;
    private readonly BootedTask[] _tasks;
    private readonly RecordedTask[] _names;
    private readonly BootedVdso? _vdso;
    private readonly CallsInVdso? _calls;

    /// <summary>A recorder of a session that has not run yet.</summary>
    /// <param name="session">The session.</param>
    /// <param name="writer">Where to.</param>
    /// <param name="set">What is recorded.</param>
    public BootRecorder(BootSession session, RecordingWriter writer, RecordedSet set = RecordedSet.All)
        : base(session.Machine, writer, set)
    {
        _session = session;
        _tasks = [.. session.Machine.Cpus.Select(_ => new BootedTask(0, "", -1, -1))];
        _names = [.. session.Machine.Cpus.Select(_ => RecordedTask.None)];
        if (!Wants(RecordedSet.Vdso) || session.Kernel.FindVdso() is not { } vdso)
            return;
        _vdso = vdso;
        _calls = new CallsInVdso(vdso.Symbols, vdso.Size)
        {
            Entered = (on, call) => Add(RecordedKind.VdsoEnter, on, _names[on.Index], call.Name, [.. call.Arguments.Select(a => (long)a)]),
            Returned = (on, call, result, cycles) => Add(
                RecordedKind.VdsoExit, on, _names[on.Index], call.Name, [result, (long)cycles], detail: call.Reason ?? ""),
        };
    }

    private protected override (object Key, RecordedTask Name) Current(Cpu cpu)
    {
        int i = cpu.Index;
        BootedTask task = _session.Kernel.Current(cpu);
        if (task != _tasks[i])
        {
            BootedTask before = _tasks[i];
            RecordedTask previous = _names[i], next = _names[i] = new RecordedTask(task.Tid, task.Pid, task.Name);
            _tasks[i] = task;
            // The same task under another name is no switch.
            if (previous.Tid != next.Tid || next.Tid <= 0)
                Switch(cpu, before, previous, next);
        }
        // Idle tasks have one number and a name each.
        return (_names[i].Tid > 0 ? _names[i].Tid : _names[i].Name, _names[i]);
    }

    private void Switch(Cpu cpu, BootedTask before, RecordedTask previous, RecordedTask next)
    {
        TaskDeparture? departure = before.Tid > 0 ? _session.Kernel.DepartureOf(cpu, before.Address) : null;
        long state = departure is { } left ? StateOf(left) : before.Tid == 0 ? (long)TaskState.Runnable : -1;
        bool ended = state is (long)TaskState.Zombie or (long)TaskState.Dead;
        // A process ends with its first thread here.
        if (ended && previous.Tid == previous.Pid)
            Add(RecordedKind.Exit, cpu, previous, "", [departure!.Value.ExitCode]);
        Switched(cpu, previous, next, state, ended);
        if (ended)
            Forget(previous.Tid);
    }

    /// <summary>A recording's number for a state (Linux, include/linux/sched.h, TASK_*).</summary>
    private static long StateOf(TaskDeparture left) => RecordedKinds.StateLetters.IndexOf(
        (left.State & 0xFF) switch
        {
            _ when left.State == TaskNoLoad => 'I',
            0 => 'R',
            0x80 => (left.ExitState & ExitZombie) != 0 ? 'Z' : 'X',
            var bits when (bits & 1) != 0 => 'S',
            var bits when (bits & 2) != 0 => 'D',
            var bits when (bits & 4) != 0 => 'T',
            var bits when (bits & 8) != 0 => 't',
            var bits when (bits & 0x40) != 0 => 'P',
            _ => '?',
        });

    private protected override void WentOn(Cpu cpu, RecordedTask task, Open? taken)
    {
        // One that begins without a call of its own was started by the kernel, or is a child: that has its parent's program.
        bool started = taken is { } open ? HasStarted(cpu, open) : cpu.X(29) == 0 && cpu.X(30) == 0;
        if (started)
        {
            _vdso?.Forget();
            Add(RecordedKind.Exec, cpu, task, task.Name, []);
        }
        else if (taken is { } interrupted && cpu.NextPC != interrupted.Return && Wants(RecordedSet.Signals))
        {
            foreach (FramedSignal signal in SignalFrames.Read(_session.Machine, cpu, interrupted.Stack))
            {
                Add(RecordedKind.Signal, cpu, task, Signal.NameOf(signal.Number), [signal.Number, signal.Code, (long)signal.Address],
                    detail: signal.HasInformation ? "" : "its code is not known: the handler has no SA_SIGINFO");
            }
        }
    }

    /// <inheritdoc/>
    public override bool WantsInstructions => _calls is not null;

    /// <inheritdoc/>
    public override void OnInstruction(Cpu cpu, uint instruction)
    {
        if (cpu.EL != 0)
            return;
        // What a CPU executes at EL0 was seen when it came there.
        _calls?.At(cpu, _tasks[cpu.Index].Tid, _vdso!.StartOf(cpu, cpu.PC));
    }

    private protected override void SystemCall(Cpu cpu, ulong back)
    {
        if (_vdso is not null && _calls!.MakingSystemCall(_tasks[cpu.Index].Tid, back, _vdso.StartOf(cpu, back)) is { } call)
            call.Reason = "made a system call";
    }

    /// <inheritdoc/>
    public override void OnTpidrroWrite(Cpu cpu, ulong oldValue, ulong newValue)
    {
        RecordedTask task = Current(cpu).Name;
        Add(RecordedKind.Offset, cpu, task, _session.Kernel.FunctionAt(cpu.PC).Name, [(long)oldValue, (long)newValue], task);
    }
}
