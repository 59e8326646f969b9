using ArmVdso.Kernel.Delivery;
using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Processes;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Entry;

/// <summary>What a task does before it returns to EL0 (do_notify_resume): takes its signals (get_signal in kernel/signal.c), restarts an
/// interrupted call (arch/arm64/kernel/signal.c), fills its rseq area in. Frames are built in <see cref="SignalFrame"/>.</summary>
internal sealed class ReturnToUser(
    TaskRecords records, Scheduler scheduler, SignalDelivery signals, JobControl jobs, TraceStops traces, TaskExit exit,
    RestartableSequences rseq, SignalFrame frames, CoreDump cores, KernelHooks hooks)
{
    private const ulong RestartSyscall = 128;

    /// <summary>Bit of a wait status (WCOREFLAG).</summary>
    private const int CoreDumped = 0x80;

    /// <summary>HVC_WORK: everything that must happen before EL0 continues. False: the task stopped or died; schedule. Null: the call is to
    /// be repeated.</summary>
    internal bool? BeforeUser(Cpu cpu, KernelTask task)
    {
        if (task.State is TaskState.Zombie or TaskState.Dead)
            return false;
        records.SetFlag(task, TaskFlag.Work, false);
        UserRegisters regs = records.Registers(task);
        while (true)
        {
            if (task.Signals.Killed)
            {
                exit.ExitTask(task, task.Group.ExitStatus);
                return false;
            }
            SignalInfo? info = Take(task, out bool injected);
            if (info is null)
            {
                Restart(task, regs, null);
                if (!RestoreMask(task) && rseq.BeforeUser(task, regs))
                    return true;
                continue;
            }
            if (task.Tracing is { } tracing && !injected && info.Number != Signal.SIGKILL)
            {
                tracing.Signal = info;
                traces.Stop(task, tracing, info.Number);
                return false;
            }
            if (!injected && hooks.SignalStop is { } ask && info.Number != Signal.SIGKILL)
            {
                if (ask(task, info) is not { } answer)
                {
                    task.HeldSignal = info;
                    return null;
                }
                if (answer.Number == 0)
                    continue;
                info = answer;
            }
            if (!Deliver(cpu, task, regs, info))
                return false;
        }
    }

    /// <summary>The next signal of a task: what its tracer lets through, else the most urgent one (dequeue_signal).</summary>
    private static SignalInfo? Take(KernelTask task, out bool injected)
    {
        SignalInfo? through = task.Tracing?.Injected;
        if (task.Tracing is { } traced)
            traced.Injected = null;
        injected = through is not null;
        ulong allowed = task.Signals.Allowed;
        SignalInfo? held = task.HeldSignal;
        task.HeldSignal = null;
        through ??= held;
        return through ?? task.Signals.Pending.Take(allowed) ?? task.Group.SharedPending.Take(allowed);
    }

    /// <summary>A mask that a call had put aside comes back (restore_saved_sigmask). True: a signal may reach the task now.</summary>
    private bool RestoreMask(KernelTask task)
    {
        if (task.Signals.SavedMask is not { } mask)
            return false;
        task.Signals.SavedMask = null;
        task.Signals.Blocked = mask;
        return signals.HasDeliverable(task);
    }

    /// <summary>Does what the task wants with a signal. False: it stopped or died.</summary>
    private bool Deliver(Cpu cpu, KernelTask task, UserRegisters regs, SignalInfo info)
    {
        SignalAction action = task.Handlers[info.Number];
        if (info.Synchronous && (action.Handler == 1 || (task.Signals.Blocked & Signal.Bit(info.Number)) != 0))
            action = default;
        hooks.Signal?.Invoke(task, info);
        if (action.Handler == 1)
            return true;
        if (action.Handler == 0)
            return DefaultAction(task, info);
        Restart(task, regs, action);
        if (frames.Build(cpu, task, regs, info, action))
            return true;
        // No stack for the handler: SIGSEGV by force (force_sigsegv).
        if (info.Number == Signal.SIGSEGV)
            task.Handlers[Signal.SIGSEGV] = default;
        signals.Force(task, new SignalInfo { Number = Signal.SIGSEGV, Code = Signal.SI_KERNEL, Synchronous = true });
        return true;
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
            if (info.Number != Signal.SIGSTOP && jobs.IsOrphaned(task.Group))
                return true;
            foreach (KernelTask thread in task.Group.Threads)
            {
                thread.Wake();
                scheduler.Dequeue(thread);
                thread.State = TaskState.Stopped;
                if (!ReferenceEquals(thread, task) && thread.OnCpu)
                    scheduler.Kick(thread.Cpu);
            }
            task.Group.StopReport = (info.Number << 8) | 0x7f;
            records.RequestWork(task);
            signals.NotifyParentOfStop(task.Group, Signal.CLD_STOPPED, info.Number);
            return false;
        }
        int status = info.Number;
        if (Signal.DumpsCore(info.Number) && !task.Group.Exiting)
        {
            string? core = cores.Write(task, info);
            status |= core is null ? 0 : CoreDumped;
            hooks.Crash?.Invoke(task, info, core);
        }
        exit.ExitGroup(task, status);
        return false;
    }
}
