using ArmVdso.Kernel.Delivery;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>timer_create and its relatives (kernel/time/posix-timers.c).</summary>
internal static class SysTimer
{
    private const int SigevSignal = 0, SigevNone = 1, SigevThread = 2, SigevThreadId = 4;
    private const int TimerAbstime = 1;

    /// <summary>timer_create(clock, event, id).</summary>
    public static long Create(SyscallContext c)
    {
        int clock = c.Int(0);
        if (clock is Clocks.MonotonicRaw or Clocks.RealtimeCoarse or Clocks.MonotonicCoarse || SysTime.Auxiliary(c, clock) is not null)
            return -Errno.EOPNOTSUPP;
        Func<ulong>? cpu = CpuClock.Find(c, clock);
        if (cpu is null && SysTime.Now(c, clock) is null)
            return -Errno.EINVAL;
        if (clock is Clocks.RealtimeAlarm or Clocks.BoottimeAlarm && !c.Task.Credentials.Has(Capability.WakeAlarm))
            return -Errno.EPERM;
        ThreadGroup group = c.Task.Group;
        // A timer owns the signal that it sends.
        if ((ulong)group.PosixTimers.Count >= group.Rlimits[Rlimits.Sigpending].Soft)
            return -Errno.EAGAIN;
        int id = 0;
        while (group.PosixTimers.ContainsKey(id))
            id++;
        int signal = Signal.SIGALRM, notify = SigevSignal, tid = 0;
        ulong value = (ulong)id;
        if (c.Arg(1) != 0 && !(c.Memory.Read(c.Arg(1), out value) && c.Memory.Read(c.Arg(1) + 8, out signal)
            && c.Memory.Read(c.Arg(1) + 12, out notify) && c.Memory.Read(c.Arg(1) + 16, out tid)))
        {
            return -Errno.EFAULT;
        }
        KernelTask? thread = null;
        switch (notify)
        {
            case SigevThreadId | SigevSignal:
                thread = c.FindTask(tid);
                if (thread is null || !ReferenceEquals(thread.Group, group) || signal is < 1 or > Signal.Count)
                    return -Errno.EINVAL;
                break;
            // The C library makes the thread; for the kernel it is a signal.
            case SigevSignal or SigevThread:
                if (signal is < 1 or > Signal.Count)
                    return -Errno.EINVAL;
                break;
            case SigevNone:
                signal = 0;
                break;
            default:
                return -Errno.EINVAL;
        }
        if (!c.Memory.Write(c.Arg(2), id))
            return -Errno.EFAULT;
        group.PosixTimers.Add(id, new PosixTimer(c.Timekeeper, c.Timers, id, clock)
        {
            Queue = thread?.Signals.Pending ?? group.SharedPending,
            Send = info => Expire(c.Signals, group, thread, info),
            Signal = signal,
            Notify = space => (notify & SigevNone) != 0 ? $"none/pid.{space.NumberOf(group.Pid)}"
                : thread is null ? $"signal/pid.{space.NumberOf(group.Pid)}" : $"signal/tid.{space.NumberOf(thread.Tid)}",
            Value = value,
            CpuNow = cpu,
        });
        return 0;
    }

    private static bool Expire(SignalDelivery signals, ThreadGroup group, KernelTask? thread, SignalInfo info) =>
        thread is null ? signals.Send(group, info) : signals.Send(thread, info);

    private static PosixTimer? Find(SyscallContext c) => c.Task.Group.PosixTimers.GetValueOrDefault(c.Int(0));

    private static bool WriteSetting(SyscallContext c, ulong address, ulong interval, ulong left) =>
        UserTime.WriteTimespec(c.Memory, address, interval) && UserTime.WriteTimespec(c.Memory, address + 16, left);

    /// <summary>timer_settime(id, flags, new, old).</summary>
    public static long SetTime(SyscallContext c)
    {
        if (c.Arg(2) == 0)
            return -Errno.EINVAL;
        long result = UserTime.ReadTimespec(c.Memory, c.Arg(2), out ulong interval);
        if (result < 0 || (result = UserTime.ReadTimespec(c.Memory, c.Arg(2) + 16, out ulong value)) < 0)
            return result;
        if (Find(c) is not { } timer)
            return -Errno.EINVAL;
        (ulong oldInterval, ulong oldLeft) = (timer.Interval, timer.Left);
        if (value == 0)
        {
            timer.Disarm();
        }
        else
        {
            bool absolute = (c.Int(1) & TimerAbstime) != 0;
            // A relative timer on CLOCK_REALTIME does not follow when that clock is set.
            TimerBase of = !absolute && timer.Clock == Clocks.Realtime ? TimerBase.Monotonic : TimerBases.Of(timer.Clock);
            ulong deadline = absolute
                ? timer.CpuNow is null ? c.Task.TimeNamespace.ToHost(timer.Clock, value) : value
                : UserTime.Add(timer.CpuNow?.Invoke() ?? c.Timekeeper.TimeOf(of), value);
            timer.Arm(of, deadline, interval);
        }
        return c.Arg(3) == 0 || WriteSetting(c, c.Arg(3), oldInterval, oldLeft) ? 0 : -Errno.EFAULT;
    }

    /// <summary>timer_gettime(id, value).</summary>
    public static long GetTime(SyscallContext c)
    {
        if (Find(c) is not { } timer)
            return -Errno.EINVAL;
        return WriteSetting(c, c.Arg(1), timer.Interval, timer.Left) ? 0 : -Errno.EFAULT;
    }

    /// <summary>timer_getoverrun(id).</summary>
    public static long GetOverrun(SyscallContext c) => Find(c)?.Overrun ?? -Errno.EINVAL;

    /// <summary>timer_delete(id).</summary>
    public static long Delete(SyscallContext c)
    {
        if (Find(c) is not { } timer)
            return -Errno.EINVAL;
        timer.Disarm();
        c.Task.Group.PosixTimers.Remove(c.Int(0));
        return 0;
    }
}
