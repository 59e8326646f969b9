using ArmVdso.Kernel.Delivery;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Processes;

/// <summary>The end of processes (exit_notify, release_task in kernel/exit.c).</summary>
/// <param name="machine">It stops after the first process.</param>
/// <param name="vfs">The terminal of its session.</param>
/// <param name="tasks">Where it is forgotten.</param>
/// <param name="signals">SIGCHLD.</param>
/// <param name="jobs">Groups that lose their last tie to a session.</param>
/// <param name="namespaces">A PID namespace ends with its process 1.</param>
/// <param name="reparenting">What becomes of its children.</param>
/// <param name="ended">Told of the end and its status.</param>
internal sealed class ProcessEnd(
    Machine machine, Vfs vfs, TaskTable tasks, SignalDelivery signals, JobControl jobs, TaskNamespaces namespaces,
    Reparenting reparenting, Action<KernelTask, int>? ended)
{
    /// <summary>The last thread of a process has ended (exit_notify): its children get another parent, its own one hears of it.</summary>
    internal void End(ThreadGroup group)
    {
        group.RealTimer?.Cancel();
        group.RealTimer = null;
        group.RealInterval = 0;
        group.ClearPosixTimers();
        group.EndAio();
        group.Leader.Ipc.ProcessExited(group.Pid);
        group.IsZombie = true;
        ended?.Invoke(group.Leader, group.ExitStatus);
        List<ThreadGroup> children = [.. group.Children];
        if (group.Leader.PidNamespace.Reaper == group.Pid)
            namespaces.EndPid(group.Leader.PidNamespace);
        reparenting.Reparent(group);
        foreach (ThreadGroup zombie in children.Where(c => c.IsZombie && c.Parent is { } heir && ReferenceEquals(heir, tasks.Reaper)))
            Forget(zombie);
        if (ReferenceEquals(group, tasks.Init))
        {
            machine.StopRequested = true;
            return;
        }
        if (group.Pid == group.Sid)
            HangUp(group.Sid);
        if (group.Parent is { } above && above.Pgid != group.Pgid && above.Sid == group.Sid)
            jobs.HangUpOrphans(group.Pgid);
        foreach (ThreadGroup child in children.Where(c => c.Pgid != group.Pgid && c.Sid == group.Sid))
            jobs.HangUpOrphans(child.Pgid);
        if (group.UntoldThreads == 0)
            Tell(group);
    }

    /// <summary>A tracer hears of the end of a task.</summary>
    internal void TellTracer(KernelTask task, ThreadGroup tracer)
    {
        signals.Send(tracer, reparenting.ChildInfo(task.Group, Signal.SIGCHLD) with { Pid = task.Tid });
        tracer.ChildChange.WakeAll();
        tasks.ProcessEnded.WakeAll();
    }

    /// <summary>Who waits for a process hears of its end: a tracer that is not its parent first.</summary>
    internal void Tell(ThreadGroup group)
    {
        ThreadGroup? parent = group.Parent, tracer = group.Leader.Tracing?.Tracer.Group;
        if (tracer is not null && !ReferenceEquals(tracer, parent))
        {
            TellTracer(group.Leader, tracer);
            return;
        }
        if (parent is null || parent.IsZombie || ReferenceEquals(parent, tasks.Reaper))
        {
            Forget(group);
            tasks.ProcessEnded.WakeAll();
            return;
        }
        SignalAction action = parent.Leader.Handlers[Signal.SIGCHLD];
        bool autoReap = tracer is null && group.Leader.ExitSignal == Signal.SIGCHLD
            && (action.Handler == 1 || (action.Flags & Signal.SA_NOCLDWAIT) != 0);
        // clone takes any low byte; do_notify_parent drops what is no signal.
        if (group.Leader.ExitSignal is > 0 and <= Signal.Count)
            signals.Send(parent, reparenting.ChildInfo(group, group.Leader.ExitSignal));
        if (autoReap)
            Forget(group);
        parent.ChildChange.WakeAll();
        tasks.ProcessEnded.WakeAll();
    }

    /// <summary>A session leader has ended: the foreground group of its terminal hears of it, and the session has none any more
    /// (disassociate_ctty).</summary>
    private void HangUp(int session)
    {
        if (vfs.Devices.ControllingOf(session) is not { } terminal)
            return;
        if (terminal.ForegroundGroup != 0)
        {
            jobs.Signal(terminal.ForegroundGroup, Signal.SIGHUP);
            jobs.Signal(terminal.ForegroundGroup, Signal.SIGCONT);
        }
        vfs.Devices.DropControlling(session);
    }

    /// <summary>A zombie was waited for: its times go to the parent (wait_task_zombie).</summary>
    internal void Reap(ThreadGroup group)
    {
        group.Parent?.AddReaped(group);
        Forget(group);
    }

    /// <summary>Nobody waits for a zombie (release_task): who ignores SIGCHLD does not have its times either.</summary>
    private void Forget(ThreadGroup group)
    {
        TraceStops.Unlink(group.Leader);
        group.Parent?.Children.Remove(group);
        Forget(group.Leader);
    }

    /// <summary>Nobody finds a task that has ended any more.</summary>
    internal void Forget(KernelTask task)
    {
        task.State = TaskState.Dead;
        tasks.Unregister(task);
        vfs.Charge(-KernelTask.HostBytes);
    }
}
