using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Delivery;

/// <summary>Process groups: signals to them, orphaned ones (kernel/exit.c, drivers/tty/tty_jobctrl.c).</summary>
public sealed class JobControl : IJobControl
{
    private readonly TaskTable _tasks;
    private readonly SignalDelivery _signals;

    internal JobControl(TaskTable tasks, SignalDelivery signals)
    {
        _tasks = tasks;
        _signals = signals;
    }

    /// <inheritdoc/>
    public bool HasMember(int group, int? session = null) =>
        _tasks.Groups.Any(g => g.Pgid == group && (session is null || g.Sid == session));

    /// <inheritdoc/>
    public void Signal(int group, int signal)
    {
        foreach (ThreadGroup member in _tasks.Groups.Where(g => g.Pgid == group).ToList())
            _signals.Send(member, signal);
    }

    /// <inheritdoc/>
    public void SignalLeader(int session, int signal)
    {
        if (_tasks.FindGroup(session) is { IsZombie: false } leader && leader.Sid == session)
            _signals.Send(leader, signal);
    }

    /// <inheritdoc/>
    public bool IsOrphaned(int group) => _tasks.Groups.FirstOrDefault(g => g.Pgid == group) is not { } member || IsOrphaned(member);

    /// <summary>Whether no member's parent is in another group of the same session (terminal stops are ignored then).</summary>
    internal bool IsOrphaned(ThreadGroup group)
    {
        foreach (ThreadGroup other in _tasks.Groups)
        {
            if (other.Pgid == group.Pgid && !other.IsZombie && other.Parent is { } p && p.Pgid != group.Pgid && p.Sid == group.Sid)
                return false;
        }
        return true;
    }

    /// <summary>A process group that lost its last tie to its session: stopped members would stop for ever (kill_orphaned_pgrp).</summary>
    internal void HangUpOrphans(int group)
    {
        List<ThreadGroup> members = [.. _tasks.Job(group).Where(g => !g.IsZombie)];
        if (!members.Exists(g => g.Threads.Exists(t => t.State == TaskState.Stopped)) || !IsOrphaned(members[0]))
            return;
        Signal(group, Abi.Signal.SIGHUP);
        Signal(group, Abi.Signal.SIGCONT);
    }
}
