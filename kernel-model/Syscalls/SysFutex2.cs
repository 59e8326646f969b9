using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>futex_wait, futex_wake, futex_waitv: futexes with flags of their own (kernel/futex/syscalls.c).</summary>
internal static class SysFutex2
{
    private const uint Size32 = 2, SizeMask = 3, Private = 128;

    /// <summary>Whether there are words of this size and sharing.</summary>
    private static bool AreKnown(uint flags) => (flags & ~(Private | SizeMask)) == 0 && (flags & SizeMask) == Size32;

    /// <summary>Whether a value or mask has no bits beyond the word (futex_validate_input).</summary>
    private static bool Fits(ulong value) => value <= uint.MaxValue;

    /// <summary>futex_waitv(waiters, n, flags, timeout, clockid).</summary>
    public static long WaitV(SyscallContext c)
    {
        if (c.State is FutexWaiter first)
        {
            List<FutexWaiter> all = first.Siblings!;
            if (all.Find(w => w.Woken) is { } woken)
                return woken.Index;
            if (!c.TimedOut)
                return SleepV(c, first);
            RemoveAll(c, first);
            return -Errno.ETIMEDOUT;
        }
        int count = c.Int(1), clock = c.Int(4);
        if (c.UInt(2) != 0 || count is <= 0 or > 128 || c.Arg(0) == 0)
            return -Errno.EINVAL;
        c.Deadline = ulong.MaxValue;
        if (c.Arg(3) != 0)
        {
            if (clock is not (Clocks.Monotonic or Clocks.Realtime))
                return -Errno.EINVAL;
            long result = SysFutex.ReadTimeout(c, c.Arg(3), out ulong deadline);
            if (result < 0)
                return result;
            c.Deadline = SysFutex.Absolute(c, clock, deadline);
        }
        var keys = new FutexKey[count];
        for (int i = 0; i < count; i++)
        {
            ulong at = c.Arg(0) + (ulong)i * 24;
            if (!c.Memory.Read(at, out ulong expected) || !c.Memory.Read(at + 8, out ulong address)
                || !c.Memory.Read(at + 16, out uint flags) || !c.Memory.Read(at + 20, out uint reserved))
            {
                return -Errno.EFAULT;
            }
            if (reserved != 0 || !AreKnown(flags) || !Fits(expected))
                return -Errno.EINVAL;
            long result = Futexes.GetKey(c.Memory, address, (flags & Private) != 0, out keys[i]);
            if (result < 0)
                return result;
            if (!c.Memory.Read(address, out uint value))
                return -Errno.EFAULT;
            if (value != (uint)expected)
                return -Errno.EAGAIN;
        }
        var waiters = new List<FutexWaiter>();
        for (int i = 0; i < count; i++)
        {
            waiters.Add(new FutexWaiter(c.Task, keys[i], uint.MaxValue) { Index = i, Siblings = waiters });
            c.Futexes.Add(waiters[i]);
        }
        c.State = waiters[0];
        return SleepV(c, waiters[0]);
    }

    private static long SleepV(SyscallContext c, FutexWaiter first)
    {
        long result = c.Wait(first.Queue, c.Deadline);
        if (result != SyscallContext.Blocked)
            RemoveAll(c, first);
        return result;
    }

    private static void RemoveAll(SyscallContext c, FutexWaiter first)
    {
        foreach (FutexWaiter waiter in first.Siblings!)
            c.Futexes.Remove(waiter);
    }

    /// <summary>futex_wake(uaddr, mask, nr, flags).</summary>
    public static long Wake(SyscallContext c)
    {
        uint flags = c.UInt(3);
        if (!AreKnown(flags) || !Fits(c.Arg(1)) || c.UInt(1) == 0)
            return -Errno.EINVAL;
        long result = Futexes.GetKey(c.Memory, c.Arg(0), (flags & Private) != 0, out FutexKey key);
        if (result < 0)
            return result;
        return c.Int(2) <= 0 ? 0 : c.Futexes.Wake(key, c.Int(2), c.UInt(1));
    }

    /// <summary>futex_wait(uaddr, val, mask, flags, timeout, clockid).</summary>
    public static long Wait(SyscallContext c)
    {
        uint flags = c.UInt(3);
        bool isPrivate = (flags & Private) != 0;
        if (c.State is FutexWaiter waiter)
            return SysFutex.Woken(c, waiter) ?? SysFutex.Sleep(c, waiter, c.Arg(0), c.UInt(1), isPrivate, c.UInt(2));
        if (!AreKnown(flags) || !Fits(c.Arg(1)) || !Fits(c.Arg(2)) || c.UInt(2) == 0)
            return -Errno.EINVAL;
        if (c.Arg(4) != 0 && c.Int(5) is not (Clocks.Monotonic or Clocks.Realtime))
            return -Errno.EINVAL;
        long result = SysFutex.ReadTimeout(c, c.Arg(4), out ulong deadline);
        if (result < 0)
            return result;
        if (deadline != ulong.MaxValue)
            deadline = SysFutex.Absolute(c, c.Int(5), deadline);
        return SysFutex.Start(c, c.Arg(0), c.UInt(1), isPrivate, c.UInt(2), deadline);
    }
}
