using ArmVdso.Kernel.Tasks;
using static ArmVdso.Kernel.Tasks.SchedulingPolicy;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Scheduling parameters (kernel/sched/syscalls.c). The order of arrival does not depend on them, EEVDF does
/// (<see cref="CpuQueues"/>).</summary>
internal static class SysScheduler
{
    private const int ResetOnFork = 0x40000000;
    private const int AttributeSize = 56;

    /// <summary>Bounds of sched_runtime of a fair task, in ns (__setparam_fair).</summary>
    private const ulong ShortestRequest = 100_000, LongestRequest = 100_000_000;

    private static KernelTask? Target(SyscallContext c, int pid) => pid == 0 ? c.Task : c.FindTask(pid);

    /// <summary>sched_yield().</summary>
    public static long Yield(SyscallContext c)
    {
        c.Scheduler.Yield(c.Task);
        return 0;
    }

    private static ulong AllCpus(SyscallContext c) =>
        c.Machine.Cpus.Count >= 64 ? ulong.MaxValue : (1UL << c.Machine.Cpus.Count) - 1;

    /// <summary>sched_setaffinity(pid, size, mask).</summary>
    public static long SetAffinity(SyscallContext c)
    {
        Span<byte> bytes = stackalloc byte[8];
        bytes.Clear();
        if (!c.Memory.Read(c.Arg(2), bytes[..(int)Math.Min(8, c.UInt(1))]))
            return -Errno.EFAULT;
        if (Target(c, c.Int(0)) is not { } task)
            return -Errno.ESRCH;
        if (!Permissions.SameOwner(c.Task, task))
            return -Errno.EPERM;
        ulong mask = BitConverter.ToUInt64(bytes) & AllCpus(c);
        if (mask == 0)
            return -Errno.EINVAL;
        task.Affinity = mask;
        c.Scheduler.AffinityChanged(task);
        return 0;
    }

    /// <summary>sched_getaffinity(pid, size, mask): bytes written.</summary>
    public static long GetAffinity(SyscallContext c)
    {
        uint size = c.UInt(1);
        if (size * 8 < (uint)c.Machine.Cpus.Count || (size & 7) != 0)
            return -Errno.EINVAL;
        if (Target(c, c.Int(0)) is not { } task)
            return -Errno.ESRCH;
        return c.Memory.Write(c.Arg(2), task.Affinity & AllCpus(c)) ? 8 : -Errno.EFAULT;
    }

    private static long Set(SyscallContext c, int pid, int policy, int priority, bool resetOnFork)
    {
        if (pid < 0)
            return -Errno.EINVAL;
        if (Target(c, pid) is not { } task)
            return -Errno.ESRCH;
        if (policy is not (Normal or Fifo or RoundRobin or Batch or Idle))
            return -Errno.EINVAL;
        if (priority is < 0 or > 99 || IsRealtime(policy) != (priority != 0))
            return -Errno.EINVAL;
        if (!c.Task.Credentials.Has(Capability.SysNice))
        {
            ulong limit = task.Group.Rlimits[Rlimits.Rtprio].Soft;
            if (IsRealtime(policy)
                && ((policy != task.Policy && limit == 0) || (priority > task.RealtimePriority && (ulong)priority > limit)))
                return -Errno.EPERM;
            if (!Permissions.SameOwner(c.Task, task) || (task.ResetOnFork && !resetOnFork))
                return -Errno.EPERM;
        }
        c.Scheduler.Change(
            task, () => (task.Policy, task.RealtimePriority, task.ResetOnFork) = (policy, priority, resetOnFork));
        return 0;
    }

    /// <summary>sched_setscheduler(pid, policy, param).</summary>
    public static long SetScheduler(SyscallContext c)
    {
        int policy = c.Int(1);
        if (policy < 0 || c.Arg(2) == 0 || c.Int(0) < 0)
            return -Errno.EINVAL;
        if (!c.Memory.Read(c.Arg(2), out int priority))
            return -Errno.EFAULT;
        return Set(c, c.Int(0), policy & ~ResetOnFork, priority, (policy & ResetOnFork) != 0);
    }

    /// <summary>sched_setparam(pid, param).</summary>
    public static long SetParam(SyscallContext c)
    {
        if (c.Arg(1) == 0 || c.Int(0) < 0)
            return -Errno.EINVAL;
        if (!c.Memory.Read(c.Arg(1), out int priority))
            return -Errno.EFAULT;
        return Target(c, c.Int(0)) is { } task ? Set(c, c.Int(0), task.Policy, priority, task.ResetOnFork) : -Errno.ESRCH;
    }

    /// <summary>sched_getscheduler(pid).</summary>
    public static long GetScheduler(SyscallContext c)
    {
        if (c.Int(0) < 0)
            return -Errno.EINVAL;
        return Target(c, c.Int(0)) is { } task ? task.Policy | (task.ResetOnFork ? ResetOnFork : 0) : -Errno.ESRCH;
    }

    /// <summary>sched_getparam(pid, param).</summary>
    public static long GetParam(SyscallContext c)
    {
        if (c.Arg(1) == 0 || c.Int(0) < 0)
            return -Errno.EINVAL;
        if (Target(c, c.Int(0)) is not { } task)
            return -Errno.ESRCH;
        return c.Memory.Write(c.Arg(1), task.RealtimePriority) ? 0 : -Errno.EFAULT;
    }

    /// <summary>sched_get_priority_max(policy).</summary>
    public static long PriorityMax(SyscallContext c) => VdsoTruths.SchedGetPriorityMax(c.Int(0));

    /// <summary>sched_get_priority_min(policy).</summary>
    public static long PriorityMin(SyscallContext c) => c.Int(0) switch
    {
        Fifo or RoundRobin => 1,
        Normal or Batch or Idle or Deadline => 0,
        _ => -Errno.EINVAL,
    };

    /// <summary>sched_rr_get_interval(pid, interval).</summary>
    public static long RrInterval(SyscallContext c)
    {
        if (c.Int(0) < 0)
            return -Errno.EINVAL;
        if (Target(c, c.Int(0)) is not { } task)
            return -Errno.ESRCH;
        ulong slice = task.Policy switch { RoundRobin => SchedulingEntity.RoundNs, Fifo => 0, _ => c.Scheduler.IntervalOf(task) };
        return UserTime.WriteTimespec(c.Memory, c.Arg(1), slice) ? 0 : -Errno.EFAULT;
    }

    /// <summary>sched_setattr(pid, attr, flags).</summary>
    public static long SetAttr(SyscallContext c)
    {
        if (c.Arg(1) == 0 || c.Int(0) < 0 || c.UInt(2) != 0)
            return -Errno.EINVAL;
        if (!c.Memory.Read(c.Arg(1), out uint size))
            return -Errno.EFAULT;
        if (size == 0)
            size = 48;
        if (size is < 48 or > 4096)
            return c.Memory.Write(c.Arg(1), AttributeSize) ? -Errno.E2BIG : -Errno.EFAULT;
        if (!c.Memory.Read(c.Arg(1) + 4, out int policy) || !c.Memory.Read(c.Arg(1) + 8, out ulong flags)
            || !c.Memory.Read(c.Arg(1) + 16, out int nice) || !c.Memory.Read(c.Arg(1) + 20, out int priority)
            || !c.Memory.Read(c.Arg(1) + 24, out ulong runtime))
        {
            return -Errno.EFAULT;
        }
        if (policy < 0 || (flags & ~0x7fUL) != 0)
            return -Errno.EINVAL;
        if (Target(c, c.Int(0)) is not { } task)
            return -Errno.ESRCH;
        if ((flags & 8) != 0)
            policy = task.Policy;
        if ((flags & 16) != 0)
            (nice, priority) = (task.Nice, task.RealtimePriority);
        if (policy == Deadline)
            return SetDeadline(c, task, size, (flags & 1) != 0);
        nice = Math.Clamp(nice, -20, 19);
        if (!IsRealtime(policy) && nice < task.Nice && !MayLowerNice(c, task, nice))
            return -Errno.EPERM;
        long result = Set(c, c.Int(0), policy, priority, (flags & 1) != 0);
        if (result == 0 && !IsRealtime(policy))
        {
            long request = runtime == 0 ? 0 : (long)Math.Clamp(runtime, ShortestRequest, LongestRequest);
            c.Scheduler.Change(task, () => (task.Nice, task.Entity.OwnSlice) = (nice, request));
        }
        return result;
    }

    /// <summary>SCHED_DEADLINE (__checkparam_dl, sched_dl_overflow): parameters that make sense and fit beside those of other tasks into
    /// 95% of the CPUs.</summary>
    private static long SetDeadline(SyscallContext c, KernelTask task, uint size, bool resetOnFork)
    {
        if (!c.Memory.Read(c.Arg(1) + 24, out ulong runtime) || !c.Memory.Read(c.Arg(1) + 32, out ulong deadline)
            || !c.Memory.Read(c.Arg(1) + 40, out ulong period))
            return -Errno.EFAULT;
        ulong effective = period == 0 ? deadline : period;
        if (size < 48 || deadline == 0 || runtime < 1024 || (deadline | effective) > long.MaxValue || effective < deadline
            || deadline < runtime || effective > (1UL << 22) * 1000 || effective < 100_000)
            return -Errno.EINVAL;
        if (!c.Task.Credentials.Has(Capability.SysNice))
            return -Errno.EPERM;
        if (task.Affinity != 0 && (task.Affinity & AllCpus(c)) != AllCpus(c))
            return -Errno.EPERM;
        double others = c.Tasks.Groups.SelectMany(g => g.Threads).Where(t => t != task && t.Policy == Deadline)
            .Sum(t => (double)t.DeadlineParameters.Runtime / t.DeadlineParameters.Period);
        if (others + (double)runtime / effective > 0.95 * c.Machine.Cpus.Count)
            return -Errno.EBUSY;
        c.Scheduler.Change(task, () => (task.Policy, task.RealtimePriority, task.ResetOnFork) = (Deadline, 0, resetOnFork));
        task.DeadlineParameters = (runtime, deadline, effective);
        return 0;
    }

    /// <summary>sched_getattr(pid, attr, size, flags).</summary>
    public static long GetAttr(SyscallContext c)
    {
        uint size = c.UInt(2);
        if (c.Arg(1) == 0 || c.Int(0) < 0 || size is < 48 or > 4096 || c.UInt(3) != 0)
            return -Errno.EINVAL;
        if (Target(c, c.Int(0)) is not { } task)
            return -Errno.ESRCH;
        var attr = new byte[size];
        BitConverter.TryWriteBytes(attr, Math.Min(size, AttributeSize));
        BitConverter.TryWriteBytes(attr.AsSpan(4), task.Policy);
        BitConverter.TryWriteBytes(attr.AsSpan(8), task.ResetOnFork ? 1UL : 0);
        BitConverter.TryWriteBytes(attr.AsSpan(16), IsRealtime(task.Policy) ? 0 : task.Nice);
        BitConverter.TryWriteBytes(attr.AsSpan(20), task.RealtimePriority);
        if (RankOf(task) == 0)
            BitConverter.TryWriteBytes(attr.AsSpan(24), c.Scheduler.RequestOf(task));
        if (task.Policy == Deadline)
        {
            BitConverter.TryWriteBytes(attr.AsSpan(24), task.DeadlineParameters.Runtime);
            BitConverter.TryWriteBytes(attr.AsSpan(32), task.DeadlineParameters.Deadline);
            BitConverter.TryWriteBytes(attr.AsSpan(40), task.DeadlineParameters.Period);
        }
        return c.Memory.Write(c.Arg(1), attr) ? 0 : -Errno.EFAULT;
    }

    private static bool MayLowerNice(SyscallContext c, KernelTask task, int nice) =>
        c.Task.Credentials.Has(Capability.SysNice) || (ulong)(20 - nice) <= task.Group.Rlimits[Rlimits.Nice].Soft;

    private static long Targets(SyscallContext c, int which, int who, out List<KernelTask> tasks)
    {
        tasks = [];
        switch (which)
        {
            case 0:
                if (Target(c, who) is { } task)
                    tasks.Add(task);
                break;
            case 1:
                int pgid = who == 0 ? c.Task.Group.Pgid : c.FirstOf(who);
                tasks.AddRange(c.Tasks.Groups.Where(g => g.Pgid == pgid).SelectMany(g => g.Threads));
                break;
            case 2:
                uint uid = who == 0 ? c.Task.Credentials.Uid : (uint)who;
                tasks.AddRange(c.Tasks.Groups.SelectMany(g => g.Threads).Where(t => t.Credentials.Uid == uid));
                break;
            default:
                return -Errno.EINVAL;
        }
        return tasks.Count == 0 ? -Errno.ESRCH : 0;
    }

    /// <summary>getpriority(which, who): 20 - nice.</summary>
    public static long GetPriority(SyscallContext c)
    {
        long result = Targets(c, c.Int(0), c.Int(1), out List<KernelTask> tasks);
        return result < 0 ? result : tasks.Max(t => 20 - t.Nice);
    }

    /// <summary>setpriority(which, who, nice).</summary>
    public static long SetPriority(SyscallContext c)
    {
        long result = Targets(c, c.Int(0), c.Int(1), out List<KernelTask> tasks);
        if (result < 0)
            return result;
        int nice = Math.Clamp(c.Int(2), -20, 19);
        foreach (KernelTask task in tasks)
        {
            if (!Permissions.SameOwner(c.Task, task))
                result = -Errno.EPERM;
            else if (nice < task.Nice && !MayLowerNice(c, task, nice))
                result = -Errno.EACCES;
            else
                c.Scheduler.Change(task, () => task.Nice = nice);
        }
        return result;
    }

    /// <summary>ioprio_set(which, who, ioprio).</summary>
    public static long IoPrioSet(SyscallContext c)
    {
        int priority = c.Int(2), kind = priority >> 13 & 7;
        int level = priority & 0x1fff;
        if (kind > 3 || (kind == 0 && level != 0) || (kind is 1 or 2 && level > 7) || c.Int(0) is < 1 or > 3)
            return -Errno.EINVAL;
        if (kind == 1 && !c.Task.Credentials.Has(Capability.SysAdmin))
            return -Errno.EPERM;
        long result = Targets(c, c.Int(0) - 1, c.Int(1), out List<KernelTask> tasks);
        if (result < 0)
            return result;
        foreach (KernelTask task in tasks)
        {
            if (!Permissions.SameOwner(c.Task, task))
                return -Errno.EPERM;
            task.IoPriority = priority;
        }
        return 0;
    }

    /// <summary>ioprio_get(which, who).</summary>
    public static long IoPrioGet(SyscallContext c)
    {
        if (c.Int(0) is < 1 or > 3)
            return -Errno.EINVAL;
        long result = Targets(c, c.Int(0) - 1, c.Int(1), out List<KernelTask> tasks);
        return result < 0 ? result : tasks.Max(t => t.IoPriority);
    }

    /// <summary>getcpu(cpu, node, unused).</summary>
    public static long GetCpu(SyscallContext c) =>
        (c.Arg(0) == 0 || c.Memory.Write(c.Arg(0), c.Cpu.Index))
        && (c.Arg(1) == 0 || c.Memory.Write(c.Arg(1), c.Scheduler.NodeOf(c.Cpu.Index))) ? 0 : -Errno.EFAULT;
}
