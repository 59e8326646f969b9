using ArmVdso.Kernel.Costs;
using ArmVdso.Kernel.Delivery;
using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Processes;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Vdso;

namespace ArmVdso.Kernel.Entry;

/// <summary>What a task does before it returns to EL0 (do_notify_resume): takes its signals (get_signal in kernel/signal.c), restarts an
/// interrupted call (arch/arm64/kernel/signal.c), fills its rseq area in. Frames are built in <see cref="SignalFrame"/>.</summary>
internal sealed class ReturnToUser(
    TaskRecords records, Scheduler scheduler, SignalDelivery signals, JobControl jobs, TraceStops traces, TaskExit exit,
    RestartableSequences rseq, SignalFrame frames, CoreDump cores, CallCosts costs, KernelHooks hooks, VdsoDesign design)
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
        if (task.AskedPage is { } asked && CallAgain(task, regs))
        {
            task.SleepOn([UserfaultFile.Fault(asked, task, task.Tid)]);
            return false;
        }
        SetBack(task, regs);
        // exit_to_user_mode_loop in kernel/entry/common.c: before arch_do_signal_or_restart.
        if (signals.HasDeliverable(task))
            design.BeforeSignals(task);
        while (true)
        {
            if (task.Signals.Killed)
            {
                if (!traces.StopBeforeEnd(task, task.Group.ExitStatus))
                    exit.ExitTask(task, task.Group.ExitStatus);
                return false;
            }
            if (task.Tracing is { WillTrap: true } trapped)
            {
                if (traces.StopForTrap(task, trapped))
                    return false;
                continue;
            }
            SignalInfo? info = Take(task, out bool injected);
            if (info is null)
            {
                Restart(task, regs);
                if (RestoreMask(task) || !rseq.BeforeUser(task, regs))
                    continue;
                Tracing.StepOn(cpu, task);
                return true;
            }
            if (task.Tracing is not null && !injected && info.Number != Signal.SIGKILL && !info.Deadly)
            {
                if (traces.Stop(task, TraceStopKind.Signal, info.Number, info))
                    return false;
                continue;
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

    /// <summary>A call that EL1 code answers came upon a page that somebody is asked for: it is made again, from its start, when the task
    /// has slept for the page. False: a signal is first.</summary>
    private bool CallAgain(KernelTask task, UserRegisters regs)
    {
        task.AskedPage = null;
        if (regs.SyscallNumber < 0 || (long)regs[0] != -Errno.EFAULT)
            return false;
        regs[0] = regs.OrigX0;
        regs.PC -= 4;
        regs.SyscallNumber = -1;
        return !signals.HasDeliverable(task);
    }

    /// <summary>The next signal of a task: what its tracer lets through, else the most urgent one (dequeue_signal).</summary>
    private static SignalInfo? Take(KernelTask task, out bool injected)
    {
        ulong allowed = task.Signals.Allowed;
        if (task.Signals.Injected is { } through)
        {
            task.Signals.Injected = null;
            injected = (allowed & Signal.Bit(through.Number)) != 0;
            if (injected)
                return through;
            task.Signals.Pending.Add(through);
        }
        injected = false;
        if (task.HeldSignal is { } held)
        {
            task.HeldSignal = null;
            return held;
        }
        return task.Signals.Pending.Take(allowed) ?? task.Group.SharedPending.Take(allowed);
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
        if (info.Deadly || (info.Synchronous && (action.Handler == 1 || (task.Signals.Blocked & Signal.Bit(info.Number)) != 0)))
            action = default;
        hooks.Signal?.Invoke(task, info);
        if (action.Handler == 1)
            return true;
        if (action.Handler == 0)
            return DefaultAction(task, info);
        Interrupt(task, regs, action);
        if (frames.Build(cpu, task, regs, info, action))
        {
            CallCosts.Charge(cpu, costs.Deliver);
            return !traces.StopAtHandler(task);
        }
        // No stack for the handler.
        signals.ForceSegv(task, info.Number);
        return true;
    }

    /// <summary>An interrupted system call is to be executed again: a tracer sees the registers so (do_signal in
    /// arch/arm64/kernel/signal.c).</summary>
    private static void SetBack(KernelTask task, UserRegisters regs)
    {
        if (regs.SyscallNumber < 0)
            return;
        long result = (long)regs[0];
        if (result is not (-Errno.ERESTARTNOHAND or -Errno.ERESTARTSYS or -Errno.ERESTARTNOINTR or -Errno.ERESTART_RESTARTBLOCK))
            return;
        task.Interrupted = new InterruptedCall(result, regs.PC);
        regs[0] = regs.OrigX0;
        regs.PC -= 4;
        regs.SyscallNumber = -1;
    }

    /// <summary>A handler runs first: what does not restart then returns EINTR, unless a tracer has moved PC.</summary>
    private static void Interrupt(KernelTask task, UserRegisters regs, SignalAction handler)
    {
        if (task.Interrupted is not { } call)
            return;
        task.Interrupted = null;
        bool restarts = call.Result == -Errno.ERESTARTNOINTR
            || (call.Result == -Errno.ERESTARTSYS && (handler.Flags & Signal.SA_RESTART) != 0);
        if (restarts || regs.PC != call.ContinueAt - 4)
            return;
        regs[0] = unchecked((ulong)-Errno.EINTR);
        regs.PC = call.ContinueAt;
    }

    /// <summary>No handler runs: the call is executed again, one that was given a time as restart_syscall.</summary>
    private static void Restart(KernelTask task, UserRegisters regs)
    {
        if (task.Interrupted is not { } call)
            return;
        task.Interrupted = null;
        if (task.Tracing is { Steps: true })
            regs.Pstate |= Tracing.StepBit;
        if (call.Result != -Errno.ERESTART_RESTARTBLOCK || regs.PC != call.ContinueAt - 4)
            return;
        if (task.RestartBlock is null)
        {
            regs[0] = unchecked((ulong)-Errno.EINTR);
            regs.PC = call.ContinueAt;
            return;
        }
        regs[8] = RestartSyscall;
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
            StopGroup(task, info.Number);
            // A traced task stops where traps are looked at.
            return task.Tracing is not null;
        }
        int status = info.Number;
        if (Signal.DumpsCore(info.Number) && !task.Group.Exiting)
        {
            string? core = cores.Write(task, info);
            status |= core is null ? 0 : CoreDumped;
            hooks.Crash?.Invoke(task, info, core);
        }
        exit.BeginGroupExit(task, status);
        task.Signals.Killed = true;
        return true;
    }

    /// <summary>do_signal_stop: all threads stop, traced ones for their tracers.</summary>
    private void StopGroup(KernelTask task, int signal)
    {
        ThreadGroup group = task.Group;
        group.StopSignal = signal;
        foreach (KernelTask thread in group.Threads)
        {
            if (thread.Tracing is { } tracing)
            {
                tracing.Trap = true;
                if (!ReferenceEquals(thread, task))
                    signals.WakeForTrap(thread, tracing);
                continue;
            }
            thread.Wake();
            scheduler.Dequeue(thread);
            thread.State = TaskState.Stopped;
            if (!ReferenceEquals(thread, task) && thread.OnCpu)
                scheduler.Kick(thread.Cpu);
        }
        group.StopReport = (signal << 8) | 0x7f;
        records.RequestWork(task);
        // One that traces its child hears of each thread's stop.
        if (group.Leader.Tracing is not { } leader || !ReferenceEquals(leader.Tracer.Group, group.Parent))
            signals.NotifyParentOfStop(group, Signal.CLD_STOPPED, signal);
    }
}
