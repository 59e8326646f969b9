using ArmVdso.Emulator.Processor;
using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Delivery;

/// <summary>Sends and delivers signals (kernel/signal.c). Frames are built in <see cref="SignalFrame"/>.</summary>
public sealed class SignalDelivery
{
    private const ulong Unblockable = (1UL << (Signal.SIGKILL - 1)) | (1UL << (Signal.SIGSTOP - 1));
    private const ulong RestartSyscall = 128;
    private readonly LinuxKernel _kernel;

    internal SignalDelivery(LinuxKernel kernel) => _kernel = kernel;

    /// <summary>Tells readers of signalfds that a signal became pending for somebody; each looks for itself.</summary>
    internal PollSource Arrivals { get; } = new();

    /// <summary>Whether a task has a pending signal that it does not block.</summary>
    public bool HasDeliverable(KernelTask task) => task.Signals.Killed
        || ((task.Signals.Pending.Set | task.Group.SharedPending.Set) & ~(task.Signals.Blocked & ~Unblockable)) != 0;

    /// <summary>Whether a signal that ends the process waits for a task (fatal_signal_pending, with sig_fatal at sending).</summary>
    public bool HasFatal(KernelTask task)
    {
        if (task.Signals.Killed)
            return true;
        ulong ready = (task.Signals.Pending.Set | task.Group.SharedPending.Set) & ~(task.Signals.Blocked & ~Unblockable);
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
            _kernel.Records.SetFlag(task, TaskFlag.Work, true);
        }
        else if (task.Signals.SavedMask is { } mask)
        {
            if (result == -Errno.EINTR)
            {
                _kernel.Records.SetFlag(task, TaskFlag.Work, true);
                return;
            }
            task.Signals.SavedMask = null;
            task.Signals.Blocked = mask;
            Recalculate(task);
        }
    }

    /// <summary>Asks for <see cref="BeforeUser"/> before the task next returns to EL0.</summary>
    internal void RequestWork(KernelTask task) => _kernel.Records.SetFlag(task, TaskFlag.Work, true);

    /// <summary>Sends a signal to a process.</summary>
    public void Send(ThreadGroup group, SignalInfo info)
    {
        if (group.IsZombie || group.Threads.Count == 0)
            return;
        if (!Prepare(group, info))
            return;
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
    }

    /// <summary>Sends a signal to one thread.</summary>
    public void Send(KernelTask task, SignalInfo info)
    {
        if (task.State is TaskState.Zombie or TaskState.Dead || !Prepare(task.Group, info, task))
            return;
        task.Signals.Pending.Add(AsSeenBy(task, info));
        Arrived(task.Group);
        Notify(task, info.Number);
        if (info.Number == Signal.SIGKILL)
        {
            foreach (KernelTask thread in task.Group.Threads)
                Notify(thread, info.Number);
        }
    }

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
        (task.Signals.Blocked & Signal.Bit(signal) & ~Unblockable) == 0 && task.State is not (TaskState.Zombie or TaskState.Dead);

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
        bool ignored = action.Handler == 1 || (action.Handler == 0 && Signal.IgnoredByDefault(info.Number));
        // SIGNAL_UNKILLABLE: PID 1 gets only what it handles.
        if (action.Handler == 0 && ((group.Pid == 1 && ReferenceEquals(group, _kernel.Tasks.Init)) || IsProtectedFrom(group, info)))
            return blocked && info.Number is not (Signal.SIGKILL or Signal.SIGSTOP);
        return blocked || !ignored || info.Number == Signal.SIGKILL;
    }

    /// <summary>Process 1 of a PID namespace and a sender inside of it (or below).</summary>
    private bool IsProtectedFrom(ThreadGroup group, SignalInfo info) =>
        group.Leader.PidNamespace is { Parent: not null } space && space.Reaper == group.Pid && info.Code != Signal.SI_KERNEL
        && _kernel.Tasks.Find(info.Pid) is { } sender && space.IsAncestorOf(sender.PidNamespace);

    private static void Discard(ThreadGroup group, ulong set)
    {
        group.SharedPending.Discard(set);
        foreach (KernelTask thread in group.Threads)
            thread.Signals.Pending.Discard(set);
    }

    private void Continue(ThreadGroup group)
    {
        bool stopped = false;
        foreach (KernelTask thread in group.Threads)
        {
            if (thread.State != TaskState.Stopped || thread.Tracing is { Stopped: true })
                continue;
            stopped = true;
            thread.State = TaskState.Runnable;
            _kernel.Scheduler.Enqueue(thread);
        }
        if (!stopped)
            return;
        group.StopReport = 0xffff;
        _kernel.NotifyParentOfStop(group, Signal.CLD_CONTINUED, Signal.SIGCONT);
    }

    /// <summary>signal_wake_up: the task looks at its signals before it returns to EL0.</summary>
    internal void Notify(KernelTask task, int signal)
    {
        if (!HasDeliverable(task) && signal != Signal.SIGKILL)
            return;
        _kernel.Records.SetFlag(task, TaskFlag.Work, true);
        if (task.State == TaskState.Stopped && (signal == Signal.SIGKILL || task.Signals.Killed))
        {
            task.State = TaskState.Runnable;
            _kernel.Scheduler.Enqueue(task);
        }
        task.Wake();
        _kernel.Scheduler.KickTask(task);
    }

    /// <summary>Sets the work flag when the blocked set changed.</summary>
    public void Recalculate(KernelTask task)
    {
        if (HasDeliverable(task))
            _kernel.Records.SetFlag(task, TaskFlag.Work, true);
    }

    /// <summary>HVC_WORK: everything that must happen before EL0 continues. False: the task stopped or died; schedule.</summary>
    internal bool BeforeUser(Cpu cpu, KernelTask task)
    {
        if (task.State is TaskState.Zombie or TaskState.Dead)
            return false;
        _kernel.Records.SetFlag(task, TaskFlag.Work, false);
        UserRegisters regs = _kernel.Records.Registers(task);
        while (true)
        {
            if (task.Signals.Killed)
            {
                _kernel.ExitTask(task, task.Group.ExitStatus);
                return false;
            }
            ulong allowed = ~(task.Signals.Blocked & ~Unblockable);
            SignalInfo? injected = task.Tracing?.Injected;
            if (task.Tracing is { } traced)
                traced.Injected = null;
            SignalInfo? info = injected ?? task.Signals.Pending.Take(allowed) ?? task.Group.SharedPending.Take(allowed);
            if (info is null)
            {
                Restart(task, regs, null);
                if (task.Signals.SavedMask is { } mask)
                {
                    task.Signals.SavedMask = null;
                    task.Signals.Blocked = mask;
                    if (HasDeliverable(task))
                        continue;
                }
                if (!_kernel.RseqBeforeUser(task, regs))
                    continue;
                return true;
            }
            if (task.Tracing is { } tracing && injected is null && info.Number != Signal.SIGKILL)
            {
                tracing.Signal = info;
                _kernel.TraceStop(task, tracing, info.Number);
                return false;
            }
            SignalAction action = task.Handlers[info.Number];
            if (info.Synchronous && (action.Handler == 1 || (task.Signals.Blocked & Signal.Bit(info.Number)) != 0))
                action = default;
            _kernel.OnSignal?.Invoke(task, info);
            if (action.Handler == 1)
                continue;
            if (action.Handler == 0)
            {
                if (!DefaultAction(task, info))
                    return false;
                continue;
            }
            Restart(task, regs, action);
            if (!SignalFrame.Build(_kernel, cpu, task, regs, info, action))
            {
                // No stack for the handler: SIGSEGV by force (force_sigsegv).
                if (info.Number == Signal.SIGSEGV)
                    task.Handlers[Signal.SIGSEGV] = default;
                Force(task, new SignalInfo { Number = Signal.SIGSEGV, Code = Signal.SI_KERNEL, Synchronous = true });
                continue;
            }
        }
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
        _kernel.Records.SetFlag(task, TaskFlag.Work, true);
    }

    /// <summary>An interrupted system call restarts or returns EINTR (do_signal in arch/arm64/kernel/signal.c).</summary>
    private static void Restart(KernelTask task, UserRegisters regs, SignalAction? handler)
    {
        Func<SystemCall, long>? block = task.RestartBlock;
        if (regs.SyscallNumber < 0)
            return;
        long result = (long)regs[0];
        switch (-result)
        {
            case Errno.ERESTARTNOHAND when handler is not null:
            case Errno.ERESTART_RESTARTBLOCK when handler is not null:
                regs[0] = unchecked((ulong)-Errno.EINTR);
                break;
            case Errno.ERESTARTSYS when handler is { } action && (action.Flags & Signal.SA_RESTART) == 0:
                regs[0] = unchecked((ulong)-Errno.EINTR);
                break;
            case Errno.ERESTART_RESTARTBLOCK when block is null:
                regs[0] = unchecked((ulong)-Errno.EINTR);
                break;
            case Errno.ERESTART_RESTARTBLOCK:
                // setup_restart_syscall: the SVC is executed again as restart_syscall.
                regs[8] = RestartSyscall;
                regs[0] = regs.OrigX0;
                regs.PC -= 4;
                break;
            case Errno.ERESTARTSYS:
            case Errno.ERESTARTNOINTR:
            case Errno.ERESTARTNOHAND:
                regs[0] = regs.OrigX0;
                regs.PC -= 4;
                break;
            default:
                return;
        }
        regs.SyscallNumber = -1;
    }

    /// <summary>False: the task stopped or died.</summary>
    private bool DefaultAction(KernelTask task, SignalInfo info)
    {
        if (Signal.IgnoredByDefault(info.Number))
            return true;
        if (Signal.Stops(info.Number))
        {
            if (info.Number != Signal.SIGSTOP && _kernel.IsOrphanedGroup(task.Group))
                return true;
            foreach (KernelTask thread in task.Group.Threads)
            {
                thread.Wake();
                _kernel.Scheduler.Dequeue(thread);
                thread.State = TaskState.Stopped;
                if (!ReferenceEquals(thread, task) && thread.OnCpu)
                    _kernel.Scheduler.Kick(thread.Cpu);
            }
            task.Group.StopReport = (info.Number << 8) | 0x7f;
            _kernel.Records.SetFlag(task, TaskFlag.Work, true);
            _kernel.NotifyParentOfStop(task.Group, Signal.CLD_STOPPED, info.Number);
            return false;
        }
        int status = info.Number | (Signal.DumpsCore(info.Number) && task.Group.Rlimits[Rlimits.Core].Soft != 0 ? 0x80 : 0);
        _kernel.ExitGroup(task, status);
        return false;
    }
}
