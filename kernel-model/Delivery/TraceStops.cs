using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Delivery;

/// <summary>Stops of traced tasks, and how they go on (ptrace_stop in kernel/signal.c, kernel/ptrace.c).</summary>
internal sealed class TraceStops(Scheduler scheduler, TaskRecords records, SignalDelivery signals)
{
    private const int X7 = 7;

    /// <summary>The task stops until its tracer lets it go on; the caller must have it schedule. False: it is to be killed and does not
    /// stop any more.</summary>
    internal bool Stop(KernelTask task, TraceStopKind kind, int code, SignalInfo? info, ulong message = 0, bool dying = false)
    {
        Tracing tracing = task.Tracing!;
        if (!dying && task.IsKilled)
            return false;
        tracing.Stop = new TraceStop(kind, code, info);
        tracing.Report = code;
        tracing.EventMessage = message;
        tracing.Trap = tracing.Listens = false;
        if (code >> 8 == Tracing.EventStop)
            tracing.TrapNotify = false;
        scheduler.Dequeue(task);
        task.State = TaskState.Stopped;
        int why = kind == TraceStopKind.Group ? Signal.CLD_STOPPED : Signal.CLD_TRAPPED;
        signals.NotifyOfStop(tracing.Tracer.Group, task, why, code & 0x7f);
        return true;
    }

    /// <summary>ptrace_event: stops where the tracer asked to be told. True: schedule.</summary>
    /// <param name="task">The task.</param>
    /// <param name="number">PTRACE_EVENT_*.</param>
    /// <param name="message">What PTRACE_GETEVENTMSG answers.</param>
    /// <param name="dying">A task that is killed stops too.</param>
    internal bool StopAtEvent(KernelTask task, int number, ulong message, bool dying = false)
    {
        if (task.Tracing is not { } tracing || !tracing.Wants(number))
            return false;
        int code = Signal.SIGTRAP | number << 8;
        return Stop(task, TraceStopKind.Event, code, OwnInfo(task, Signal.SIGTRAP, code), message, dying);
    }

    /// <summary>PTRACE_EVENT_EXIT, once. True: schedule; the task ends when it goes on.</summary>
    internal bool StopBeforeEnd(KernelTask task, int status)
    {
        if (task.Tracing is not { EndTold: false } tracing)
            return false;
        tracing.EndTold = true;
        return StopAtEvent(task, Tracing.EventExit, (ulong)status, true);
    }

    /// <summary>do_jobctl_trap: stops for its process or for PTRACE_INTERRUPT. True: schedule.</summary>
    internal bool StopForTrap(KernelTask task, Tracing tracing)
    {
        tracing.Trap = false;
        int signal = task.Group.StopSignal;
        if (!tracing.Seized)
        {
            tracing.TrapNotify = false;
            return signal != 0 && Stop(task, TraceStopKind.Group, signal, null);
        }
        signal = signal != 0 ? signal : Signal.SIGTRAP;
        int code = signal | Tracing.EventStop << 8;
        return Stop(task, TraceStopKind.Group, code, OwnInfo(task, signal, code));
    }

    /// <summary>Stops at a system call's entry or exit where the tracer asked for it. True: schedule.</summary>
    internal bool StopAtCall(KernelTask task, bool entry)
    {
        if (task.Tracing is not { } tracing || !(tracing.Syscalls || (entry && tracing.Emulates)) || task.IsKilled)
            return false;
        UserRegisters regs = records.Registers(task);
        tracing.SavedX7 = regs[X7];
        regs[X7] = entry ? 0UL : 1;
        int code = Signal.SIGTRAP | ((tracing.Options & Tracing.OptionSysGood) != 0 ? 0x80 : 0);
        ulong message = entry ? (ulong)Tracing.MessageEntry : Tracing.MessageExit;
        return Stop(task, TraceStopKind.Syscall, code, OwnInfo(task, Signal.SIGTRAP, code), message);
    }

    /// <summary>A handler is entered by a step: its first instruction is the next (signal_delivered). True: schedule.</summary>
    internal bool StopAtHandler(KernelTask task) => task.Tracing is { Steps: true }
        && Stop(task, TraceStopKind.Event, Signal.SIGTRAP, OwnInfo(task, Signal.SIGTRAP, Signal.SIGTRAP));

    /// <summary>What a stop that is no signal's says of itself (ptrace_do_notify).</summary>
    private static SignalInfo OwnInfo(KernelTask task, int signal, int code) => new()
    {
        Number = signal,
        Code = code,
        Pid = task.OwnTid,
        Uid = task.Credentials.Uid,
    };

    /// <summary>The tracer lets a task go on, with a signal or 0, by one instruction or on.</summary>
    internal void Resume(KernelTask task, Tracing tracing, int signal, bool steps)
    {
        GiveSignal(task, tracing, signal);
        LeaveStop(task, tracing, steps);
        Run(task);
    }

    /// <summary>What the signal of a request means depends on the stop: it takes the place of the one that stopped the task, is sent after
    /// a system call, and is nothing else.</summary>
    private void GiveSignal(KernelTask task, Tracing tracing, int signal)
    {
        if (signal == 0 || tracing.Stop is not { } stop)
            return;
        if (stop.Kind == TraceStopKind.Signal)
        {
            task.Signals.Injected = stop.Info?.Number == signal ? stop.Info : new SignalInfo
            {
                Number = signal,
                Code = Signal.SI_USER,
                Pid = tracing.Tracer.Tid,
                Uid = tracing.Tracer.Credentials.Uid,
            };
        }
        else if (stop.Kind == TraceStopKind.Syscall)
        {
            signals.Send(task, new SignalInfo { Number = signal, Code = Signal.SI_KERNEL });
        }
    }

    private void LeaveStop(KernelTask task, Tracing tracing, bool steps)
    {
        UserRegisters regs = records.Registers(task);
        if (tracing.Stop?.Kind == TraceStopKind.Syscall)
            regs[X7] = tracing.SavedX7;
        // user_enable_single_step: one that steps already keeps what its last exception left. After a system call that is 0, and the
        // next step executes nothing.
        if (!steps)
            regs.Pstate &= ~Tracing.StepBit;
        else if (!tracing.Steps)
            regs.Pstate |= Tracing.StepBit;
        tracing.Steps = steps;
        tracing.Stop = null;
        tracing.Report = null;
        tracing.Listens = false;
        records.SyncSyscallTrace(task);
        records.RequestWork(task);
    }

    private void Run(KernelTask task)
    {
        if (task.State != TaskState.Stopped)
            return;
        task.State = TaskState.Runnable;
        scheduler.Enqueue(task);
    }

    /// <summary>A task is traced from now on (ptrace_attach).</summary>
    internal void Attach(KernelTask tracer, KernelTask task, bool seized, uint options)
    {
        Tracing tracing = Link(tracer, task, seized, options);
        if (!seized)
            signals.Send(task, new SignalInfo { Number = Signal.SIGSTOP, Code = Signal.SI_KERNEL });
        // A stopped task becomes one that is stopped for its tracer.
        if (task.State == TaskState.Stopped)
            StopForTrap(task, tracing);
    }

    /// <summary>ptrace_link.</summary>
    internal static Tracing Link(KernelTask tracer, KernelTask task, bool seized, uint options)
    {
        var tracing = new Tracing(tracer, seized) { Options = options };
        task.Tracing = tracing;
        tracer.Tracees.Add(task);
        return tracing;
    }

    /// <summary>A new task of a traced one is traced too, and stops first (ptrace_init_task).</summary>
    internal void Inherit(KernelTask parent, KernelTask child)
    {
        if (parent.Tracing is not { } traced)
            return;
        Tracing tracing = Link(traced.Tracer, child, traced.Seized, traced.Options);
        if (traced.Seized)
            tracing.Trap = true;
        else
            child.Signals.Pending.Add(new SignalInfo { Number = Signal.SIGSTOP, Code = Signal.SI_USER });
        records.RequestWork(child);
    }

    /// <summary>A task is traced no more (PTRACE_DETACH, the tracer's end).</summary>
    /// <param name="task">The task.</param>
    /// <param name="signal">As for <see cref="Resume"/>.</param>
    internal void Detach(KernelTask task, int signal)
    {
        if (task.Tracing is not { } tracing)
            return;
        Unlink(task);
        tracing.Syscalls = tracing.Emulates = false;
        if (tracing.Stop is not null)
        {
            GiveSignal(task, tracing, signal);
            LeaveStop(task, tracing, false);
            // Its process is stopped still: so is it.
            if (task.Group.StopSignal == 0)
                Run(task);
        }
        records.SyncSyscallTrace(task);
    }

    /// <summary>Nothing is left of the tracing (__ptrace_unlink).</summary>
    internal static void Unlink(KernelTask task)
    {
        task.Tracing?.Tracer.Tracees.Remove(task);
        task.Tracing = null;
    }
}
