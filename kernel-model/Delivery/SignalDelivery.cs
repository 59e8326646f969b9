using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Delivery;

/// <summary>Sends signals: who gets one, who wakes for it (kernel/signal.c). What becomes of it on the task's way to EL0 is in
/// Entry.</summary>
public sealed class SignalDelivery
{
    private readonly TaskTable _tasks;
    private readonly TaskRecords _records;
    private readonly Scheduler _scheduler;

    internal SignalDelivery(TaskTable tasks, TaskRecords records, Scheduler scheduler)
    {
        _tasks = tasks;
        _records = records;
        _scheduler = scheduler;
    }

    /// <summary>Told of signals to processes that are dropped.</summary>
    internal Action<KernelTask, SignalInfo>? Ignored { get; init; }

    /// <summary>Tells readers of signalfds that a signal became pending for somebody; each looks for itself.</summary>
    internal PollSource Arrivals { get; } = new();

    /// <summary>Whether a task has a pending signal that it does not block.</summary>
    public bool HasDeliverable(KernelTask task) => task.Signals.Killed || task.Tracing is { WillTrap: true }
        || ((task.Signals.Pending.Set | task.Group.SharedPending.Set) & task.Signals.Allowed) != 0;

    /// <summary>Whether a signal that ends the process waits for a task (fatal_signal_pending, with sig_fatal at sending).</summary>
    public bool HasFatal(KernelTask task)
    {
        if (task.Signals.Killed)
            return true;
        ulong ready = (task.Signals.Pending.Set | task.Group.SharedPending.Set) & task.Signals.Allowed;
        for (int signal = 1; ready != 0 && signal <= Signal.Count; signal++)
        {
            if ((ready & Signal.Bit(signal)) != 0 && task.Handlers[signal].Handler == 0 && !Signal.IgnoredByDefault(signal)
                && !Signal.Stops(signal))
                return true;
        }
        return false;
    }

    /// <summary>A call ended: a restart code needs the work before EL0, and a temporary mask (ppoll, sigsuspend) goes unless
    /// the call was interrupted (restore_saved_sigmask_unless).</summary>
    internal void AfterSyscall(KernelTask task, long result)
    {
        if (result is >= -Errno.ERESTART_RESTARTBLOCK and <= -Errno.ERESTARTSYS)
        {
            _records.RequestWork(task);
        }
        else if (task.Signals.SavedMask is { } mask)
        {
            if (result == -Errno.EINTR)
            {
                _records.RequestWork(task);
                return;
            }
            task.Signals.SavedMask = null;
            task.Signals.Blocked = mask;
            Recalculate(task);
        }
    }

    /// <summary>Sends a signal to a process. False: it is ignored, or the process is gone.</summary>
    public bool Send(ThreadGroup group, SignalInfo info)
    {
        if (group.IsZombie || group.Threads.Count == 0)
            return false;
        if (!Prepare(group, info))
        {
            Ignored?.Invoke(group.Leader, AsSeenBy(group.Leader, info));
            return false;
        }
        group.SharedPending.Add(AsSeenBy(group.Leader, info));
        Arrived(group);
        KernelTask? target = group.Threads.Find(t => Wants(t, info.Number) && t.State == TaskState.Sleeping)
            ?? group.Threads.Find(t => Wants(t, info.Number));
        if (target is not null)
            Notify(target, info.Number);
        if (info.Number == Signal.SIGKILL)
        {
            foreach (KernelTask thread in group.Threads)
                Notify(thread, info.Number);
        }
        return true;
    }

    /// <summary>Sends a signal of the kernel to a process.</summary>
    public void Send(ThreadGroup group, int signal) => Send(group, new SignalInfo { Number = signal, Code = Signal.SI_KERNEL });

    /// <summary>Sends a signal to one thread. False: it is ignored, or the thread is gone.</summary>
    public bool Send(KernelTask task, SignalInfo info)
    {
        if (task.State is TaskState.Zombie or TaskState.Dead)
            return false;
        if (!Prepare(task.Group, info, task))
        {
            Ignored?.Invoke(task, AsSeenBy(task, info));
            return false;
        }
        task.Signals.Pending.Add(AsSeenBy(task, info));
        Arrived(task.Group);
        Notify(task, info.Number);
        if (info.Number == Signal.SIGKILL)
        {
            foreach (KernelTask thread in task.Group.Threads)
                Notify(thread, info.Number);
        }
        return true;
    }

    /// <summary>Sends a thread a signal that its own call raised (send_sig with priv 0): it seems to be its own.</summary>
    internal void SendOwn(KernelTask task, int signal) => Send(
        task, new SignalInfo { Number = signal, Code = Signal.SI_USER, Pid = task.Group.Pid, Uid = task.Credentials.Uid });

    /// <summary>Sends a signal of the kernel to a thread.</summary>
    public void Send(KernelTask task, int signal) => Send(task, new SignalInfo { Number = signal, Code = Signal.SI_KERNEL });

    /// <summary>The sender's PID and user in the receiver's namespaces. What a process wrote itself (rt_sigqueueinfo) stays.</summary>
    private static SignalInfo AsSeenBy(KernelTask receiver, SignalInfo info) =>
        !receiver.IsInForeignNamespace || info.Raw is not null || info.Pid == 0
            ? info
            : info with { Pid = receiver.PidNamespace.NumberOf(info.Pid), Uid = receiver.Credentials.UserNamespace.ShowUser(info.Uid) };

    /// <summary>Wakes rt_sigtimedwait of the process and readers of signalfds.</summary>
    private void Arrived(ThreadGroup group)
    {
        group.SignalArrival.WakeAll();
        Arrivals.Notify(PollBits.Readable);
    }

    private static bool Wants(KernelTask task, int signal) =>
        (task.Signals.Allowed & Signal.Bit(signal)) != 0 && task.State is not (TaskState.Zombie or TaskState.Dead);

    /// <summary>prepare_signal: stop and continue cancel each other; ignored signals are not queued. False: drop it.</summary>
    private bool Prepare(ThreadGroup group, SignalInfo info, KernelTask? target = null)
    {
        if (Signal.Stops(info.Number))
        {
            Discard(group, Signal.Bit(Signal.SIGCONT));
        }
        else if (info.Number == Signal.SIGCONT)
        {
            Discard(
                group, Signal.Bit(Signal.SIGSTOP) | Signal.Bit(Signal.SIGTSTP) | Signal.Bit(Signal.SIGTTIN) | Signal.Bit(Signal.SIGTTOU));
            Continue(group);
        }
        if (info.Synchronous)
            return true;
        KernelTask any = target ?? group.Threads[0];
        SignalAction action = any.Handlers[info.Number];
        bool blocked = (any.Signals.Blocked & Signal.Bit(info.Number)) != 0;
        // A tracer hears of what its tracee ignores.
        if (any.Tracing is not null)
            return true;
        bool ignored = action.Handler == 1 || (action.Handler == 0 && Signal.IgnoredByDefault(info.Number));
        // SIGNAL_UNKILLABLE: PID 1 gets only what it handles.
        if (action.Handler == 0 && (group.Pid == 1 || IsProtectedFrom(group, info)))
            return blocked && info.Number is not (Signal.SIGKILL or Signal.SIGSTOP);
        return blocked || !ignored || info.Number == Signal.SIGKILL;
    }

    /// <summary>Process 1 of a PID namespace and a sender inside of it (or below).</summary>
    private bool IsProtectedFrom(ThreadGroup group, SignalInfo info) =>
        group.Leader.PidNamespace is { Parent: not null } space && space.Reaper == group.Pid && info.Code != Signal.SI_KERNEL
        && _tasks.Find(info.Pid) is { } sender && space.IsAncestorOf(sender.PidNamespace);

    private static void Discard(ThreadGroup group, ulong set)
    {
        group.SharedPending.Discard(set);
        foreach (KernelTask thread in group.Threads)
            thread.Signals.Pending.Discard(set);
    }

    private void Continue(ThreadGroup group)
    {
        bool stopped = group.StopSignal != 0;
        group.StopSignal = 0;
        foreach (KernelTask thread in group.Threads)
        {
            if (thread.Tracing is { Seized: true } tracing)
            {
                tracing.TrapNotify = true;
                WakeForTrap(thread, tracing);
            }
            if (thread.State != TaskState.Stopped || thread.Tracing?.Stop is not null)
                continue;
            thread.State = TaskState.Runnable;
            _scheduler.Enqueue(thread);
        }
        if (!stopped)
            return;
        group.StopReport = 0xffff;
        NotifyParentOfStop(group, Signal.CLD_CONTINUED, Signal.SIGCONT);
    }

    /// <summary>A traced task stops at its next chance (ptrace_signal_wake_up): one that sleeps wakes, one that waits for the end of its
    /// process' stop comes out of it and stops anew.</summary>
    internal void WakeForTrap(KernelTask task, Tracing tracing)
    {
        _records.RequestWork(task);
        if (tracing.Listens)
            LeaveTraceStop(task, tracing);
        else if (tracing.Stop is null)
            task.Wake();
        _scheduler.KickTask(task);
    }

    /// <summary>Out of a stop, not by the tracer's will.</summary>
    private void LeaveTraceStop(KernelTask task, Tracing tracing)
    {
        tracing.Stop = null;
        tracing.Report = null;
        tracing.Listens = false;
        task.State = TaskState.Runnable;
        _scheduler.Enqueue(task);
    }

    /// <summary>SIGCHLD of a process' stop or continue, for its parent.</summary>
    internal void NotifyParentOfStop(ThreadGroup group, int code, int signal)
    {
        if (group.Parent is { } parent)
            NotifyOfStop(parent, group.Leader, code, signal);
    }

    /// <summary>SIGCHLD of a stop or continue, and the wake-up of who waits (do_notify_parent_cldstop).</summary>
    internal void NotifyOfStop(ThreadGroup receiver, KernelTask child, int code, int status)
    {
        SignalAction action = receiver.Leader.Handlers[Signal.SIGCHLD];
        if (action.Handler != 1 && (action.Flags & Signal.SA_NOCLDSTOP) == 0)
        {
            Send(receiver, new SignalInfo
            {
                Number = Signal.SIGCHLD,
                Code = code,
                Pid = child.Tid,
                Uid = child.Credentials.Uid,
                Status = status,
            });
        }
        receiver.ChildChange.WakeAll();
    }

    /// <summary>signal_wake_up: the task looks at its signals before it returns to EL0.</summary>
    internal void Notify(KernelTask task, int signal)
    {
        if (!HasDeliverable(task) && signal != Signal.SIGKILL)
            return;
        _records.RequestWork(task);
        if (task.State == TaskState.Stopped && (signal == Signal.SIGKILL || task.Signals.Killed))
        {
            if (task.Tracing is { } tracing)
                (tracing.Stop, tracing.Report, tracing.Listens) = (null, null, false);
            task.State = TaskState.Runnable;
            _scheduler.Enqueue(task);
        }
        task.Wake();
        _scheduler.KickTask(task);
    }

    /// <summary>Sets the work flag when the blocked set changed.</summary>
    public void Recalculate(KernelTask task)
    {
        if (HasDeliverable(task))
            _records.RequestWork(task);
    }

    /// <summary>force_sig: cannot be blocked or ignored.</summary>
    internal void Force(KernelTask task, SignalInfo info)
    {
        SignalAction action = task.Handlers[info.Number];
        if (action.Handler == 1 || (task.Signals.Blocked & Signal.Bit(info.Number)) != 0)
        {
            task.Handlers[info.Number] = default;
            task.Signals.Blocked &= ~Signal.Bit(info.Number);
        }
        task.Signals.Pending.Add(info);
        _records.RequestWork(task);
    }

    /// <summary>SIGSEGV by force (force_sigsegv).</summary>
    /// <param name="task">Who.</param>
    /// <param name="delivered">The signal that was about to be delivered, if any: SIGSEGV's own handler is not tried again.</param>
    internal void ForceSegv(KernelTask task, int delivered = 0)
    {
        if (delivered == Signal.SIGSEGV)
            task.Handlers[Signal.SIGSEGV] = default;
        Force(task, new SignalInfo { Number = Signal.SIGSEGV, Code = Signal.SI_KERNEL, Synchronous = true });
    }
}
