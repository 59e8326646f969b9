using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>futex(2) and robust lists (kernel/futex/syscalls.c).</summary>
internal static class SysFutex
{
    private const int Wait = 0, Wake = 1, RequeueOp = 3, CmpRequeue = 4, WakeOp = 5, LockPi = 6, UnlockPi = 7, TrylockPi = 8,
        WaitBitset = 9, WakeBitset = 10, WaitRequeuePi = 11, CmpRequeuePi = 12, LockPi2 = 13;
    private const int PrivateFlag = 128, ClockRealtime = 256;

    /// <summary>futex(2).</summary>
    public static long Futex(SyscallContext c)
    {
        int op = c.Int(1);
        int command = op & ~(PrivateFlag | ClockRealtime);
        bool isPrivate = (op & PrivateFlag) != 0;
        bool realtime = (op & ClockRealtime) != 0;
        if (realtime && command is not (WaitBitset or LockPi2 or WaitRequeuePi))
            return -Errno.ENOSYS;
        switch (command)
        {
            case Wait:
            case WaitBitset:
                return FutexWait(c, isPrivate, command == WaitBitset ? c.UInt(5) : uint.MaxValue, command == WaitBitset, realtime);
            case Wake:
                return FutexWake(c, isPrivate, uint.MaxValue);
            case WakeBitset:
                return c.UInt(5) == 0 ? -Errno.EINVAL : FutexWake(c, isPrivate, c.UInt(5));
            case RequeueOp:
            case CmpRequeue:
                return Requeue(c, isPrivate, command == CmpRequeue);
            case WakeOp:
                return FutexWakeOp(c, isPrivate);
            case LockPi:
            case LockPi2:
                return SysFutexPi.Lock(c, isPrivate, false, command == LockPi || realtime ? Clocks.Realtime : Clocks.Monotonic);
            case TrylockPi:
                return SysFutexPi.Lock(c, isPrivate, true, Clocks.Realtime);
            case UnlockPi:
                return SysFutexPi.Unlock(c, isPrivate);
            case WaitRequeuePi:
                return SysFutexPi.WaitRequeue(c, isPrivate, realtime ? Clocks.Realtime : Clocks.Monotonic);
            case CmpRequeuePi:
                return SysFutexPi.Requeue(c, isPrivate);
            default:
                return -Errno.ENOSYS;
        }
    }

    /// <summary>Reads struct timespec: 0 or -errno.</summary>
    internal static long ReadTimeout(SyscallContext c, ulong address, out ulong ns)
    {
        ns = ulong.MaxValue;
        return address == 0 ? 0 : UserTime.ReadTimespec(c.Memory, address, out ns);
    }

    private static long FutexWait(SyscallContext c, bool isPrivate, uint bitset, bool absolute, bool realtime)
    {
        if (c.State is FutexWaiter)
            return Resume(c);
        if (bitset == 0)
            return -Errno.EINVAL;
        long result = ReadTimeout(c, c.Arg(3), out ulong deadline);
        if (result < 0)
            return result;
        if (deadline != ulong.MaxValue)
        {
            if (!absolute)
                deadline = UserTime.Add(c.Timekeeper.NowNs, deadline);
            else
                deadline = Absolute(c, realtime ? Clocks.Realtime : Clocks.Monotonic, deadline);
        }
        return Start(c, c.Arg(0), c.UInt(2), isPrivate, bitset, deadline);
    }

    /// <summary>An absolute time of a clock, as the caller's time namespace has it, as what the call sleeps for.</summary>
    internal static ulong Absolute(SyscallContext c, int clock, ulong deadline)
    {
        c.WaitClock = TimerBases.Of(clock);
        return c.Task.TimeNamespace.ToHost(clock, deadline);
    }

    internal static long Start(SyscallContext c, ulong address, uint expected, bool isPrivate, uint bitset, ulong deadline)
    {
        long result = Futexes.GetKey(c.Memory, address, isPrivate, out FutexKey key);
        if (result < 0)
            return result;
        if (!c.Memory.Read(address, out uint value))
            return -Errno.EFAULT;
        if (value != expected)
            return -Errno.EAGAIN;
        var waiter = new FutexWaiter(c.Task, key, bitset);
        c.State = waiter;
        if (deadline != ulong.MaxValue && deadline <= c.Timekeeper.TimeOf(c.WaitClock))
            return -Errno.ETIMEDOUT;
        c.Futexes.Add(waiter);
        c.Deadline = deadline;
        return Sleep(c, waiter, address, expected, isPrivate, bitset);
    }

    internal static long Sleep(SyscallContext c, FutexWaiter waiter, ulong address, uint expected, bool isPrivate, uint bitset)
    {
        ulong deadline = c.Deadline;
        long result = c.Wait(waiter.Queue, deadline);
        if (result == SyscallContext.Blocked)
            return result;
        c.Futexes.Remove(waiter);
        if (deadline == ulong.MaxValue)
            return result;
        TimerBase clock = c.WaitClock;
        c.RestartWith(r =>
        {
            r.WaitClock = clock;
            return r.State is FutexWaiter w
                ? Woken(r, w) ?? Sleep(r, w, address, expected, isPrivate, bitset)
                : Start(r, address, expected, isPrivate, bitset, deadline);
        });
        return -Errno.ERESTART_RESTARTBLOCK;
    }

    /// <summary>Result of a wait that a wake-up or the timeout ended; null: go on sleeping.</summary>
    internal static long? Woken(SyscallContext c, FutexWaiter waiter)
    {
        if (waiter.Woken)
            return 0;
        if (!c.TimedOut)
            return null;
        c.Futexes.Remove(waiter);
        return -Errno.ETIMEDOUT;
    }

    private static long Resume(SyscallContext c)
    {
        var waiter = (FutexWaiter)c.State!;
        int op = c.Int(1);
        bool bits = (op & ~(PrivateFlag | ClockRealtime)) == WaitBitset;
        return Woken(c, waiter) ?? Sleep(c, waiter, c.Arg(0), c.UInt(2), (op & PrivateFlag) != 0, bits ? c.UInt(5) : uint.MaxValue);
    }

    private static long FutexWake(SyscallContext c, bool isPrivate, uint bitset)
    {
        long result = Futexes.GetKey(c.Memory, c.Arg(0), isPrivate, out FutexKey key);
        return result < 0 ? result : c.Futexes.Wake(key, Math.Max(1, c.Int(2)), bitset);
    }

    private static long Requeue(SyscallContext c, bool isPrivate, bool compare)
    {
        int wake = c.Int(2), move = c.Int(3);
        if (wake < 0 || move < 0)
            return -Errno.EINVAL;
        long result = Futexes.GetKey(c.Memory, c.Arg(0), isPrivate, out FutexKey from);
        if (result < 0 || (result = Futexes.GetKey(c.Memory, c.Arg(4), isPrivate, out FutexKey to)) < 0)
            return result;
        if (compare)
        {
            if (!c.Memory.Read(c.Arg(0), out uint value))
                return -Errno.EFAULT;
            if (value != c.UInt(5))
                return -Errno.EAGAIN;
        }
        return c.Futexes.Requeue(from, to, wake, move);
    }

    private static long FutexWakeOp(SyscallContext c, bool isPrivate)
    {
        long result = Futexes.GetKey(c.Memory, c.Arg(0), isPrivate, out FutexKey first);
        if (result < 0 || (result = Futexes.GetKey(c.Memory, c.Arg(4), isPrivate, out FutexKey second)) < 0)
            return result;
        uint encoded = c.UInt(5);
        uint operation = encoded >> 28 & 7, comparison = encoded >> 24 & 15;
        int operand = (int)(encoded << 8) >> 20, against = (int)(encoded << 20) >> 20;
        if ((encoded >> 28 & 8) != 0)
            operand = 1 << (operand & 31);
        if (!c.Memory.Read(c.Arg(4), out int old))
            return -Errno.EFAULT;
        int? changed = operation switch
        {
            0 => operand,
            1 => old + operand,
            2 => old | operand,
            3 => old & ~operand,
            4 => old ^ operand,
            _ => null,
        };
        if (changed is not { } value || comparison > 5)
            return -Errno.ENOSYS;
        if (!c.Memory.Write(c.Arg(4), value))
            return -Errno.EFAULT;
        bool holds = comparison switch
        {
            0 => old == against,
            1 => old != against,
            2 => old < against,
            3 => old <= against,
            4 => old > against,
            _ => old >= against,
        };
        int woken = c.Futexes.Wake(first, Math.Max(1, c.Int(2)));
        if (woken < 0 || !holds)
            return woken;
        int more = c.Futexes.Wake(second, Math.Max(1, c.Int(3)));
        return more < 0 ? more : woken + more;
    }

    /// <summary>set_robust_list(head, len).</summary>
    public static long SetRobustList(SyscallContext c)
    {
        if (c.Arg(1) != 24)
            return -Errno.EINVAL;
        c.Task.RobustList = c.Arg(0);
        return 0;
    }

    /// <summary>get_robust_list(pid, head_ptr, len_ptr).</summary>
    public static long GetRobustList(SyscallContext c)
    {
        KernelTask? task = c.Int(0) == 0 ? c.Task : c.FindTask(c.Int(0));
        if (task is null)
            return -Errno.ESRCH;
        if (!ReferenceEquals(task.Group, c.Task.Group) && !Permissions.MayTrace(c.Task, task))
            return -Errno.EPERM;
        return c.Memory.Write(c.Arg(2), 24UL) && c.Memory.Write(c.Arg(1), task.RobustList) ? 0 : -Errno.EFAULT;
    }
}
