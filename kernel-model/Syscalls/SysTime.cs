using ArmVdso.Kernel.Delivery;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Clocks and sleeps (kernel/time/posix-timers.c, time.c, hrtimer.c).</summary>
internal static class SysTime
{
    private const int TimerAbstime = 1;

    internal static bool IsKnown(int clock) => clock is (>= 0 and <= 9) or Clocks.Tai;

    /// <summary>The auxiliary clock of an ID; null: it names none, or this kernel has none.</summary>
    internal static AuxiliaryClock? Auxiliary(SyscallContext c, int clock) =>
        clock >= Clocks.Auxiliary && clock - Clocks.Auxiliary < c.Timekeeper.Auxiliary.Count
            ? c.Timekeeper.Auxiliary[clock - Clocks.Auxiliary] : null;

    /// <summary>Time of a clock in ns, as the caller's time namespace has it; null when the clock does not exist.</summary>
    internal static ulong? Now(SyscallContext c, int clock)
    {
        Timekeeper time = c.Timekeeper;
        ulong? host = clock switch
        {
            Clocks.MonotonicRaw => time.RawNs(c.Clock.Now),
            Clocks.RealtimeCoarse => (ulong)((long)time.CoarseNs + time.RealtimeOffsetNs),
            Clocks.MonotonicCoarse => time.CoarseNs,
            Clocks.Realtime or Clocks.RealtimeAlarm or Clocks.Monotonic or Clocks.Boottime or Clocks.BoottimeAlarm or Clocks.Tai =>
                time.TimeOf(TimerBases.Of(clock)),
            _ => CpuClock.Find(c, clock)?.Invoke(),
        };
        return host is { } ns ? c.Task.TimeNamespace.FromHost(clock, ns) : null;
    }

    /// <summary>clock_gettime(clock, tp).</summary>
    public static long ClockGetTime(SyscallContext c)
    {
        AuxiliaryClock? auxiliary = Auxiliary(c, c.Int(0));
        if (auxiliary is { Enabled: false })
            return -Errno.ENODEV;
        if ((auxiliary is null ? Now(c, c.Int(0)) : (ulong?)auxiliary.NowNs) is not { } now)
            return -Errno.EINVAL;
        return UserTime.WriteTimespec(c.Memory, c.Arg(1), now) ? 0 : -Errno.EFAULT;
    }

    /// <summary>clock_getres(clock, res).</summary>
    public static long ClockGetRes(SyscallContext c)
    {
        int clock = c.Int(0);
        if (!IsKnown(clock) && CpuClock.Find(c, clock) is null && Auxiliary(c, clock) is null)
            return -Errno.EINVAL;
        ulong resolution = clock is Clocks.RealtimeCoarse or Clocks.MonotonicCoarse ? MachineClock.TickNs : 1;
        return c.Arg(1) == 0 || UserTime.WriteTimespec(c.Memory, c.Arg(1), resolution) ? 0 : -Errno.EFAULT;
    }

    /// <summary>clock_settime(clock, tp).</summary>
    public static long ClockSetTime(SyscallContext c)
    {
        AuxiliaryClock? auxiliary = Auxiliary(c, c.Int(0));
        if (c.Int(0) != Clocks.Realtime && auxiliary is null)
            return -Errno.EINVAL;
        long result = UserTime.ReadTimespec(c.Memory, c.Arg(1), out ulong ns);
        if (result < 0)
            return result;
        if (!c.Task.Credentials.Has(Capability.SysTime))
            return -Errno.EPERM;
        if (auxiliary is { Enabled: false })
            return -Errno.ENODEV;
        if (auxiliary is null)
            c.Timekeeper.SetRealtime((long)ns);
        else
            auxiliary.Set((long)ns);
        return 0;
    }

    /// <summary>gettimeofday(tv, tz).</summary>
    public static long GetTimeOfDay(SyscallContext c)
    {
        if (c.Arg(0) != 0 && !UserTime.WriteTimeval(c.Memory, c.Arg(0), c.Timekeeper.RealtimeNs))
            return -Errno.EFAULT;
        (int west, int dst) = c.Timekeeper.TimeZone;
        return c.Arg(1) == 0 || (c.Memory.Write(c.Arg(1), west) && c.Memory.Write(c.Arg(1) + 4, dst)) ? 0 : -Errno.EFAULT;
    }

    /// <summary>settimeofday(tv, tz).</summary>
    public static long SetTimeOfDay(SyscallContext c)
    {
        ulong ns = 0;
        int west = 0, dst = 0;
        if (c.Arg(0) != 0)
        {
            long result = UserTime.ReadTimeval(c.Memory, c.Arg(0), out ns);
            if (result < 0)
                return result;
        }
        if (c.Arg(1) != 0 && !(c.Memory.Read(c.Arg(1), out west) && c.Memory.Read(c.Arg(1) + 4, out dst)))
            return -Errno.EFAULT;
        if (!c.Task.Credentials.Has(Capability.SysTime))
            return -Errno.EPERM;
        if (c.Arg(1) != 0)
        {
            if (west is > 15 * 60 or < -15 * 60)
                return -Errno.EINVAL;
            c.Timekeeper.SetTimeZone(west, dst);
        }
        if (c.Arg(0) != 0)
            c.Timekeeper.SetRealtime((long)ns);
        return 0;
    }

    /// <summary>nanosleep(req, rem).</summary>
    public static long NanoSleep(SyscallContext c)
    {
        if (c.Attempt == 0)
        {
            long result = UserTime.ReadTimespec(c.Memory, c.Arg(0), out ulong ns);
            if (result < 0)
                return result;
            c.Deadline = UserTime.Add(c.Timekeeper.NowNs, ns);
        }
        return SleepRelative(c, TimerBase.Monotonic, c.Arg(1), false);
    }

    /// <summary>Goes on with a relative sleep until c.Deadline, a time of the clock.</summary>
    private static long SleepRelative(SyscallContext c, TimerBase clock, ulong remainder, bool wakes)
    {
        ulong now = c.Timekeeper.TimeOf(clock);
        if (c.TimedOut || c.Deadline <= now)
            return 0;
        ulong deadline = c.Deadline;
        long result = c.WaitUntil(clock, deadline, Errno.ERESTART_RESTARTBLOCK, wakes);
        if (result == SyscallContext.Blocked)
            return result;
        if (remainder != 0 && !UserTime.WriteTimespec(c.Memory, remainder, deadline - now))
            return -Errno.EFAULT;
        c.RestartWith(r =>
        {
            r.Deadline = deadline;
            return SleepRelative(r, clock, remainder, wakes);
        });
        return result;
    }

    /// <summary>clock_nanosleep(clock, flags, req, rem).</summary>
    public static long ClockNanoSleep(SyscallContext c)
    {
        int clock = c.Int(0);
        if (clock is Clocks.ThreadCputime or Clocks.MonotonicRaw or Clocks.RealtimeCoarse or Clocks.MonotonicCoarse
            || Auxiliary(c, clock) is not null)
            return -Errno.EOPNOTSUPP;
        Func<ulong>? cpu = CpuClock.Find(c, clock);
        if (!IsKnown(clock) && cpu is null)
            return -Errno.EINVAL;
        bool absolute = (c.Int(1) & TimerAbstime) != 0;
        if (cpu is not null)
            return SleepCpu(c, cpu, absolute);
        bool wakes = clock is Clocks.RealtimeAlarm or Clocks.BoottimeAlarm;
        if (wakes && !c.Task.Credentials.Has(Capability.WakeAlarm))
            return -Errno.EPERM;
        // A relative sleep on CLOCK_REALTIME does not follow when that clock is set.
        TimerBase sleepsOn = !absolute && clock == Clocks.Realtime ? TimerBase.Monotonic : TimerBases.Of(clock);
        if (c.Attempt == 0)
        {
            long result = UserTime.ReadTimespec(c.Memory, c.Arg(2), out ulong ns);
            if (result < 0)
                return result;
            c.Deadline = absolute ? c.Task.TimeNamespace.ToHost(clock, ns) : UserTime.Add(c.Timekeeper.TimeOf(sleepsOn), ns);
        }
        if (!absolute)
            return SleepRelative(c, sleepsOn, c.Arg(3), wakes);
        if (c.TimedOut || c.Deadline <= c.Timekeeper.TimeOf(sleepsOn))
            return 0;
        return c.WaitUntil(sleepsOn, c.Deadline, Errno.ERESTARTNOHAND, wakes);
    }

    /// <summary>Sleeps for CPU time of the process, looking again at every tick.</summary>
    private static long SleepCpu(SyscallContext c, Func<ulong> cpu, bool absolute)
    {
        ulong now = cpu();
        if (c.Attempt == 0)
        {
            long result = UserTime.ReadTimespec(c.Memory, c.Arg(2), out ulong ns);
            if (result < 0)
                return result;
            c.Deadline = absolute ? ns : UserTime.Add(now, ns);
        }
        if (now >= c.Deadline)
            return 0;
        return c.Wait([], c.Timekeeper.NowNs + Math.Max(MachineClock.TickNs, c.Deadline - now), Errno.EINTR);
    }

    /// <summary>getitimer(which, value).</summary>
    public static long GetITimer(SyscallContext c)
    {
        if (c.Int(0) is < 0 or > 2)
            return -Errno.EINVAL;
        return WriteITimer(c, c.Int(0), c.Arg(1)) ? 0 : -Errno.EFAULT;
    }

    private static bool WriteITimer(SyscallContext c, int which, ulong address)
    {
        (ulong interval, ulong left) = ReadITimer(c, which);
        return UserTime.WriteTimeval(c.Memory, address, interval) && UserTime.WriteTimeval(c.Memory, address + 16, left);
    }

    private static (ulong Interval, ulong Left) ReadITimer(SyscallContext c, int which)
    {
        ThreadGroup group = c.Task.Group;
        if (which == 0)
        {
            ulong now = c.Timekeeper.NowNs;
            // A timer that is about to expire shows 1 us, not "off".
            return (group.RealInterval, group.RealTimer is { } timer ? Math.Max(1000, timer.Deadline - Math.Min(now, timer.Deadline)) : 0);
        }
        (ulong expires, ulong interval) = group.CpuTimers[which - 1];
        ulong used = CpuCycles(c, group, which);
        return (c.Clock.NsOfCycles(interval),
            expires == 0 ? 0 : Math.Max(1000, c.Clock.NsOfCycles(expires - Math.Min(used, expires))));
    }

    private static ulong CpuCycles(SyscallContext c, ThreadGroup group, int which)
    {
        (ulong user, ulong system) = c.Accounting.TimeOf(group);
        return which == 1 ? user : user + system;
    }

    /// <summary>setitimer(which, value, ovalue).</summary>
    public static long SetITimer(SyscallContext c)
    {
        int which = c.Int(0);
        ulong interval = 0, value = 0;
        if (c.Arg(1) != 0)
        {
            long result = UserTime.ReadTimeval(c.Memory, c.Arg(1), out interval);
            if (result < 0 || (result = UserTime.ReadTimeval(c.Memory, c.Arg(1) + 16, out value)) < 0)
                return result;
        }
        if (which is < 0 or > 2)
            return -Errno.EINVAL;
        (ulong oldInterval, ulong oldLeft) = ReadITimer(c, which);
        ThreadGroup group = c.Task.Group;
        if (which == 0)
        {
            group.RealTimer?.Cancel();
            group.RealTimer = null;
            group.RealInterval = value == 0 ? 0 : interval;
            if (value != 0)
                ArmReal(c, group, UserTime.Add(c.Timekeeper.NowNs, value));
        }
        else
        {
            group.CpuTimers[which - 1] = value == 0
                ? (0, 0)
                : (CpuCycles(c, group, which) + Math.Max(1, c.Clock.CyclesOfNs(value)), c.Clock.CyclesOfNs(interval));
        }
        if (c.Arg(2) == 0)
            return 0;
        return UserTime.WriteTimeval(c.Memory, c.Arg(2), oldInterval) && UserTime.WriteTimeval(c.Memory, c.Arg(2) + 16, oldLeft)
            ? 0 : -Errno.EFAULT;
    }

    /// <summary>Arms ITIMER_REAL. With an interval it goes on when SIGALRM is taken (dequeue_signal), not when it expires.</summary>
    private static void ArmReal(SyscallContext c, ThreadGroup group, ulong deadline)
    {
        (KernelTimers timers, SignalDelivery signals, Timekeeper time) = (c.Timers, c.Signals, c.Timekeeper);
        group.RealDeadline = deadline;
        void Start() => group.RealTimer = timers.Add(group.RealDeadline, _ =>
        {
            group.RealTimer = null;
            if (!group.IsZombie)
                signals.Send(group, Signal.SIGALRM);
        });
        group.SharedPending.TakenHere = signal =>
        {
            if (signal != Signal.SIGALRM || group.RealTimer is not null || group.RealInterval == 0)
                return;
            ulong now = time.NowNs;
            if (now >= group.RealDeadline)
                group.RealDeadline += ((now - group.RealDeadline) / group.RealInterval + 1) * group.RealInterval;
            Start();
        };
        Start();
    }
}
