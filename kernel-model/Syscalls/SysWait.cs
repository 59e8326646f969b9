using System.Runtime.InteropServices;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Waiting for children, and what they used (kernel/exit.c, kernel/sys.c).</summary>
internal static class SysWait
{
    private const uint WNOHANG = 1, WSTOPPED = 2, WEXITED = 4, WCONTINUED = 8, WNOWAIT = 0x01000000, WNOTHREAD = 0x20000000,
        WALL = 0x40000000, WCLONE = 0x80000000;

    /// <summary>What a wait found: the child, its wait status, its usage.</summary>
    private readonly record struct Found(KernelTask Child, int Status, Usage Usage, bool IsTraced = false);

    /// <summary>struct rusage.</summary>
    internal readonly record struct Usage(ulong User, ulong System, long MaxRss, long Faults, long Voluntary, long Involuntary)
    {
        internal bool Write(MachineClock clock, MemoryMap mm, ulong address)
        {
            Span<long> r = stackalloc long[18];
            r.Clear();
            ulong user = clock.NsOfCycles(User) / 1000, system = clock.NsOfCycles(System) / 1000;
            r[0] = (long)(user / 1_000_000);
            r[1] = (long)(user % 1_000_000);
            r[2] = (long)(system / 1_000_000);
            r[3] = (long)(system % 1_000_000);
            r[4] = MaxRss;
            r[8] = Faults;
            r[16] = Voluntary;
            r[17] = Involuntary;
            return mm.Write(address, Bytes(r));
        }
    }

    private static Span<byte> Bytes(Span<long> words) => MemoryMarshal.AsBytes(words);

    /// <summary>Usage of a process itself.</summary>
    private static Usage Own(CpuAccounting accounting, ThreadGroup group)
    {
        (ulong user, ulong system) = accounting.TimeOf(group);
        (long faults, long voluntary, long involuntary) = group.ExitedUsage;
        long peak = group.PeakResidentKiB;
        MemoryMap? mm = null;
        foreach (KernelTask thread in group.Threads)
        {
            voluntary += thread.VoluntarySwitches;
            involuntary += thread.InvoluntarySwitches;
            mm = thread.Mm ?? mm;
        }
        if (mm is not null)
        {
            faults += mm.MinorFaults;
            peak = Math.Max(peak, mm.PeakResidentPages * 4);
        }
        return new Usage(user, system, peak, faults, voluntary, involuntary);
    }

    private static Usage Children(ThreadGroup group) => new(
        group.ChildUserCycles, group.ChildSystemCycles, group.ChildPeakResidentKiB, group.ChildUsage.Faults, group.ChildUsage.Voluntary,
        group.ChildUsage.Involuntary);

    private static Usage Both(CpuAccounting accounting, ThreadGroup group)
    {
        Usage a = Own(accounting, group), b = Children(group);
        return new Usage(
            a.User + b.User, a.System + b.System, Math.Max(a.MaxRss, b.MaxRss), a.Faults + b.Faults, a.Voluntary + b.Voluntary,
            a.Involuntary + b.Involuntary);
    }

    /// <summary>getrusage(who, usage).</summary>
    public static long GetRusage(SyscallContext c)
    {
        Usage usage;
        switch (c.Int(0))
        {
            case 0:
                usage = Own(c.Accounting, c.Task.Group);
                break;
            case -1:
                usage = Children(c.Task.Group);
                break;
            case 1:
                (ulong user, ulong system) = c.Accounting.TimeOf(c.Task);
                usage = new Usage(user, system, c.Memory.PeakResidentPages * 4, c.Memory.MinorFaults, c.Task.VoluntarySwitches,
                    c.Task.InvoluntarySwitches);
                break;
            default:
                return -Errno.EINVAL;
        }
        return usage.Write(c.Clock, c.Memory, c.Arg(1)) ? 0 : -Errno.EFAULT;
    }

    /// <summary>times(buf): clock ticks since boot.</summary>
    public static long Times(SyscallContext c)
    {
        if (c.Arg(0) != 0)
        {
            ThreadGroup group = c.Task.Group;
            (ulong user, ulong system) = c.Accounting.TimeOf(group);
            Span<long> t =
            [
                (long)c.Clock.ClockTicks(user), (long)c.Clock.ClockTicks(system),
                (long)c.Clock.ClockTicks(group.ChildUserCycles), (long)c.Clock.ClockTicks(group.ChildSystemCycles),
            ];
            if (!c.Memory.Write(c.Arg(0), Bytes(t)))
                return -Errno.EFAULT;
        }
        return (long)(c.Timekeeper.NowNs / 10_000_000);
    }

    /// <summary>wait4(pid, status, options, rusage).</summary>
    public static long Wait4(SyscallContext c)
    {
        int pid = c.Int(0);
        uint options = c.UInt(2);
        if ((options & ~(WNOHANG | WSTOPPED | WCONTINUED | WNOTHREAD | WALL | WCLONE)) != 0)
            return -Errno.EINVAL;
        if (pid == int.MinValue)
            return -Errno.ESRCH;
        int pgid = c.Task.Group.Pgid;
        Func<KernelTask, bool> wanted = pid switch
        {
            -1 => _ => true,
            0 => t => t.Group.Pgid == pgid,
            < -1 => t => t.Group.Pgid == c.FirstOf(-pid),
            _ => t => t.Tid == c.FirstOf(pid),
        };
        long result = Look(c, wanted, options | WEXITED, out Found found);
        if (result != 1)
            return result;
        if (c.Arg(1) != 0 && !c.Memory.Write(c.Arg(1), found.Status))
            return -Errno.EFAULT;
        if (c.Arg(3) != 0 && !found.Usage.Write(c.Clock, c.Memory, c.Arg(3)))
            return -Errno.EFAULT;
        return c.NumberOf(found.Child.Tid);
    }

    /// <summary>waitid(which, id, info, options, rusage).</summary>
    public static long WaitId(SyscallContext c)
    {
        int id = c.Int(1);
        uint options = c.UInt(3);
        if ((options & ~(WNOHANG | WNOWAIT | WEXITED | WSTOPPED | WCONTINUED | WNOTHREAD | WALL | WCLONE)) != 0
            || (options & (WEXITED | WSTOPPED | WCONTINUED)) == 0)
        {
            return -Errno.EINVAL;
        }
        Func<KernelTask, bool> wanted;
        switch (c.Int(0))
        {
            case 0:
                wanted = _ => true;
                break;
            case 1:
                if (id <= 0)
                    return -Errno.EINVAL;
                wanted = t => t.Tid == c.FirstOf(id);
                break;
            case 2:
                if (id < 0)
                    return -Errno.EINVAL;
                int pgid = id == 0 ? c.Task.Group.Pgid : c.FirstOf(id);
                wanted = t => t.Group.Pgid == pgid;
                break;
            case 3:
                if (id < 0)
                    return -Errno.EINVAL;
                if (c.Files[id] is not PidFile file)
                    return -Errno.EBADF;
                wanted = t => ReferenceEquals(t, file.Group.Leader);
                if (file.NonBlocking && (options & WNOHANG) == 0)
                {
                    long now = Look(c, wanted, options | WNOHANG, out Found ready);
                    return now == 0 ? -Errno.EAGAIN : Report(c, now, ready);
                }
                break;
            default:
                return -Errno.EINVAL;
        }
        long result = Look(c, wanted, options, out Found found);
        return Report(c, result, found);
    }

    private static long Report(SyscallContext c, long result, Found found)
    {
        if (result is not (0 or 1))
            return result;
        if (c.Arg(2) != 0)
        {
            int status = found.Status;
            (int code, int value) = status switch
            {
                0xffff => (Signal.CLD_CONTINUED, Signal.SIGCONT),
                _ when (status & 0xff) == 0x7f => (found.IsTraced ? Signal.CLD_TRAPPED : Signal.CLD_STOPPED, status >> 8),
                _ when (status & 0x7f) != 0 => ((status & 0x80) != 0 ? Signal.CLD_DUMPED : Signal.CLD_KILLED, status & 0x7f),
                _ => (Signal.CLD_EXITED, status >> 8 & 0xff),
            };
            bool some = result == 1;
            ulong info = c.Arg(2);
            if (!c.Memory.Write(info, some ? Signal.SIGCHLD : 0) || !c.Memory.Write(info + 4, 0)
                || !c.Memory.Write(info + 8, some ? code : 0)
                || !c.Memory.Write(info + 16, some ? c.NumberOf(found.Child.Tid) : 0)
                || !c.Memory.Write(info + 20, some ? c.Task.Credentials.UserNamespace.ShowUser(found.Child.Credentials.Uid) : 0)
                || !c.Memory.Write(info + 24, some ? value : 0))
            {
                return -Errno.EFAULT;
            }
        }
        if (result == 1 && c.Arg(4) != 0 && !found.Usage.Write(c.Clock, c.Memory, c.Arg(4)))
            return -Errno.EFAULT;
        return 0;
    }

    private static bool Eligible(ThreadGroup child, uint options) =>
        (options & WALL) != 0 || (child.Leader.ExitSignal != Signal.SIGCHLD) == ((options & WCLONE) != 0);

    /// <summary>do_wait: 1 with a child, 0 with WNOHANG and none ready, -ECHILD, or what sleeping returns.</summary>
    private static long Look(SyscallContext c, Func<KernelTask, bool> wanted, uint options, out Found found)
    {
        ThreadGroup parent = c.Task.Group;
        bool any = false;
        if (LookAtChildren(c, wanted, options, ref any, out found) || LookAtTracees(c, wanted, options, ref any, out found))
            return 1;
        if (!any)
            return -Errno.ECHILD;
        if ((options & WNOHANG) != 0)
            return 0;
        return c.Wait(parent.ChildChange);
    }

    /// <summary>do_wait_thread: children that none of the caller's threads traces. Of one that somebody else traces that one hears
    /// first.</summary>
    private static bool LookAtChildren(SyscallContext c, Func<KernelTask, bool> wanted, uint options, ref bool any, out Found found)
    {
        found = default;
        ThreadGroup parent = c.Task.Group;
        bool keep = (options & WNOWAIT) != 0;
        foreach (ThreadGroup child in parent.Children)
        {
            if (!wanted(child.Leader) || !Eligible(child, options) || ReferenceEquals(child.Leader.Tracing?.Tracer.Group, parent)
                || ((options & WNOTHREAD) != 0 && child.Maker is { State: not (TaskState.Zombie or TaskState.Dead) } maker
                    && ReferenceEquals(maker.Group, parent) && !ReferenceEquals(maker, c.Task)))
                continue;
            any = true;
            if (child.IsZombie)
            {
                if ((options & WEXITED) == 0 || child.UntoldThreads > 0 || child.Leader.Tracing is not null)
                    continue;
                found = new Found(child.Leader, child.ExitStatus, Both(c.Accounting, child));
                if (!keep)
                    c.ProcessEnd.Reap(child);
                return true;
            }
            if (child.StopReport is not { } report || (options & (report == 0xffff ? WCONTINUED : WSTOPPED)) == 0)
                continue;
            found = new Found(child.Leader, report, Both(c.Accounting, child));
            if (!keep)
                child.StopReport = null;
            return true;
        }
        return false;
    }

    /// <summary>ptrace_do_wait: tasks that the caller's threads trace tell of their stops without WSTOPPED.</summary>
    private static bool LookAtTracees(SyscallContext c, Func<KernelTask, bool> wanted, uint options, ref bool any, out Found found)
    {
        found = default;
        bool keep = (options & WNOWAIT) != 0;
        IEnumerable<KernelTask> tracers = (options & WNOTHREAD) != 0 ? [c.Task] : c.Task.Group.Threads;
        foreach (KernelTask tracee in tracers.SelectMany(t => t.Tracees))
        {
            if (!wanted(tracee))
                continue;
            any = true;
            ThreadGroup group = tracee.Group;
            bool leader = ReferenceEquals(group.Leader, tracee);
            Tracing tracing = tracee.Tracing!;
            if (tracee.State == TaskState.Zombie && (options & WEXITED) != 0 && (!leader || (group.IsZombie && group.UntoldThreads == 0)))
            {
                found = new Found(tracee, leader || group.Exiting ? group.ExitStatus : tracee.ExitStatus, Both(c.Accounting, group));
                if (!keep)
                    ReapTracee(c, tracee, tracing);
                return true;
            }
            if (tracing is { Report: { } code, IsStopped: true })
            {
                found = new Found(tracee, code << 8 | 0x7f, Both(c.Accounting, group), true);
                if (!keep)
                    tracing.Report = null;
                return true;
            }
        }
        return false;
    }

    /// <summary>wait_task_zombie: a traced process whose parent is another becomes that one's to wait for.</summary>
    private static void ReapTracee(SyscallContext c, KernelTask tracee, Tracing tracing)
    {
        if (ReferenceEquals(tracee.Group.Leader, tracee) && ReferenceEquals(tracing.Tracer.Group, tracee.Group.Parent))
            c.ProcessEnd.Reap(tracee.Group);
        else
            c.Exit.Detach(tracee, 0);
    }
}
