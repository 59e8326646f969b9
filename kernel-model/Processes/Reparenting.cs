using ArmVdso.Kernel.Delivery;
using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Time;
using ArmVdso.Kernel.Vdso;

namespace ArmVdso.Kernel.Processes;

/// <summary>The children of a dead process get another parent (forget_original_parent in kernel/exit.c).</summary>
internal sealed class Reparenting(TaskTable tasks, TaskRecords records, MachineClock clock, VdsoDesign design, SignalDelivery signals)
{
    /// <summary>Gives all children of a process another parent, and sends the signals that they asked for.</summary>
    internal void Reparent(ThreadGroup dead)
    {
        if (dead.Children.Count == 0)
            return;
        ThreadGroup? heir = NewReaper(dead);
        foreach (ThreadGroup child in dead.Children.ToList())
        {
            child.Parent = ReferenceEquals(heir, dead) ? null : heir;
            child.Parent?.Children.Add(child);
            // reparent_leader: whatever clone asked for, the heir expects SIGCHLD.
            child.Leader.ExitSignal = Signal.SIGCHLD;
            foreach (KernelTask thread in child.Threads)
            {
                records.SyncParent(thread);
                design.FieldChanged(thread, VdsoField.Ppid);
                if (thread.ParentDeathSignal != 0)
                    signals.Send(thread, new SignalInfo { Number = thread.ParentDeathSignal, Pid = dead.Pid });
            }
            if (child.IsZombie && child.Parent is { IsZombie: false } p && p != tasks.Reaper)
            {
                signals.Send(p, ChildInfo(child, Signal.SIGCHLD));
                p.ChildChange.WakeAll();
            }
        }
        dead.Children.Clear();
    }

    /// <summary>find_new_reaper: who becomes the parent of a dead process' children.</summary>
    private ThreadGroup? NewReaper(ThreadGroup dead)
    {
        PidNamespace space = dead.Leader.PidNamespace;
        ThreadGroup? reaper = space.Reaper == 0 ? null : tasks.FindGroup(space.Reaper);
        bool first = space.Parent is null || ReferenceEquals(reaper, dead) || reaper is null or { IsZombie: true };
        ThreadGroup? last = first ? tasks.Reaper ?? tasks.Init : reaper;
        ThreadGroup? heir = dead.Parent;
        while (heir is not null && !ReferenceEquals(heir, last)
            && !(heir.ChildSubreaper && ReferenceEquals(heir.Leader.PidNamespace, space)))
            heir = heir.Parent;
        return heir ?? last;
    }

    /// <summary>What a parent is told of a child that has ended (do_notify_parent).</summary>
    internal SignalInfo ChildInfo(ThreadGroup group, int signal)
    {
        int status = group.ExitStatus;
        bool killed = (status & 0x7f) != 0;
        return new SignalInfo
        {
            Number = signal,
            Code = killed ? ((status & 0x80) != 0 ? Signal.CLD_DUMPED : Signal.CLD_KILLED) : Signal.CLD_EXITED,
            Pid = group.Pid,
            Uid = group.Leader.Credentials.Uid,
            Status = killed ? status & 0x7f : status >> 8,
            UserTime = (long)clock.ClockTicks(group.ExitedUserCycles),
            SystemTime = (long)clock.ClockTicks(group.ExitedSystemCycles),
        };
    }
}
