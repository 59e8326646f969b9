using ArmVdso.Kernel.Vdso;

namespace ArmVdso.Kernel;

/// <summary>Clocks as tasks see them: time namespaces, alarms that wake a suspended machine.</summary>
public sealed partial class LinuxKernel
{
    /// <summary>The first time namespace, without offsets.</summary>
    public TimeNamespace InitialTimeNamespace { get; } = new() { Number = TimeNamespace.InitialNumber, Frozen = true };

    /// <summary>Time of an hrtimer base now, in ns.</summary>
    public ulong TimeOf(TimerBase clock) => (ulong)Math.Max(0, (long)NowNs + Timekeeper.OffsetOf(clock));

    /// <summary>The hrtimer base of a clock.</summary>
    internal static TimerBase BaseOf(int clock) => clock switch
    {
        Clocks.Realtime or Clocks.RealtimeAlarm => TimerBase.Realtime,
        Clocks.Boottime or Clocks.BoottimeAlarm => TimerBase.Boottime,
        Clocks.Tai => TimerBase.Tai,
        _ => TimerBase.Monotonic,
    };

    /// <summary>A time namespace with the offsets of another (clone_time_ns).</summary>
    internal TimeNamespace CloneTimeNamespace(TimeNamespace from) =>
        new() { Number = NewNamespaceNumber(), MonotonicNs = from.MonotonicNs, BoottimeNs = from.BoottimeNs };

    /// <summary>copy_namespaces: a child of clone is in the namespace for children, unless it shares the memory (vfork), whose
    /// vDSO pages are the parent's: it enters at its execve.</summary>
    private void InheritTimeNamespace(KernelTask parent, KernelTask child, ulong flags)
    {
        child.TimeNamespaceForChildren = (flags & CLONE_NEWTIME) != 0
            ? CloneTimeNamespace(parent.TimeNamespaceForChildren)
            : parent.TimeNamespaceForChildren;
        child.TimeNamespace = (flags & CLONE_VM) == 0 ? child.TimeNamespaceForChildren : parent.TimeNamespace;
    }

    /// <summary>A task enters a time namespace (timens_commit): the offsets are fixed, and its vDSO reads the namespace's page.
    /// System calls of a task with offsets are answered by the model: EL1 code knows the first namespace's clocks only.</summary>
    internal void JoinTimeNamespace(KernelTask task, TimeNamespace space)
    {
        task.TimeNamespace = space;
        space.Frozen = true;
        Records.SetFlag(task, TraceBit, Options.TraceSyscalls || !space.IsInitial);
        if (task.Mm is { } mm)
            Vdso.JoinTimeNamespace(mm, space);
    }

    /// <summary>Suspends the machine until its earliest alarm (CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM). False: there is none,
    /// nothing would ever wake it.</summary>
    internal bool SuspendToAlarm()
    {
        if (Timers.EarliestAlarm is not { } deadline)
            return false;
        ulong now = NowNs;
        if (deadline > now)
            Timekeeper.Suspend(deadline - now);
        return true;
    }
}
