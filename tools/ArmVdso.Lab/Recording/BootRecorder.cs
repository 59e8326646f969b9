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
    private const uint TaskIdle = 0x402;
    private const int ExitZombie = 0x20;
    private readonly BootSession _session;
    private readonly BootedTask[] _tasks;
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
        _tasks = [.. session.Machine.Cpus.Select(_ => new BootedTask(0, RecordedTask.None))];
        if (!Wants(RecordedSet.Vdso) || session.Kernel.FindVdso() is not { } vdso)
            return;
        _vdso = vdso;
        _calls = new CallsInVdso(vdso.Symbols, vdso.Size)
        {
            Entered = (on, call) => VdsoEntered(on, _tasks[on.Index].Name, call),
            Returned = (on, call, result, cycles) => VdsoReturned(on, _tasks[on.Index].Name, call, result, cycles),
        };
    }

    private protected override (object Key, RecordedTask Name) Current(Cpu cpu)
    {
        BootedTask task = _session.Kernel.Current(cpu), before = _tasks[cpu.Index];
        if (task != before)
        {
            _tasks[cpu.Index] = task;
            // The same task under another name is no switch.
            if (before.Name.Tid != task.Name.Tid || task.Name.Tid <= 0)
                Switch(cpu, before, task.Name);
        }
        // Idle tasks have one number and a name each.
        return (task.Name.Tid > 0 ? task.Name.Tid : task.Name.Name, task.Name);
    }

    private void Switch(Cpu cpu, BootedTask before, RecordedTask next)
    {
        RecordedTask previous = before.Name;
        TaskDeparture? departure = previous.Tid > 0 ? _session.Kernel.DepartureOf(cpu, before.Address) : null;
        long state = departure is { } left ? StateOf(left) : previous.Tid == 0 ? (long)TaskState.Runnable : -1;
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
            _ when (left.State & TaskIdle) == TaskIdle => 'I',
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
        _calls?.At(cpu, _tasks[cpu.Index].Name.Tid, _vdso!.StartOf(cpu, cpu.PC));
    }

    private protected override void SystemCall(Cpu cpu, ulong back)
    {
        if (_vdso is not null && _calls!.MakingSystemCall(_tasks[cpu.Index].Name.Tid, back, _vdso.StartOf(cpu, back)) is { } call)
            call.Reason = "made a system call";
    }

    /// <inheritdoc/>
    public override void OnTpidrroWrite(Cpu cpu, ulong oldValue, ulong newValue)
    {
        RecordedTask task = Current(cpu).Name;
        Add(RecordedKind.Offset, cpu, task, _session.Kernel.FunctionAt(cpu.PC).Name, [(long)oldValue, (long)newValue], task);
    }
}
