using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Futexes that are locks with an owner (kernel/futex/pi.c, requeue.c). The word names the owner; the kernel hands the lock to
/// the waiter with the highest real-time priority, else to the oldest. The owner's own priority is not raised: the scheduler treats
/// all tasks alike.</summary>
internal static class SysFutexPi
{
    /// <summary>FUTEX_LOCK_PI, FUTEX_LOCK_PI2 and FUTEX_TRYLOCK_PI.</summary>
    public static long Lock(SyscallContext c, bool isPrivate, bool tries, int clock)
    {
        if (c.State is FutexWaiter known)
            return SysFutex.Woken(c, known) ?? Sleep(c, known);
        ulong deadline = ulong.MaxValue;
        if (!tries)
        {
            long bad = SysFutex.ReadTimeout(c, c.Arg(3), out deadline);
            if (bad < 0)
                return bad;
            if (deadline != ulong.MaxValue)
                deadline = SysFutex.Absolute(c, clock, deadline);
        }
        long result = Futexes.GetKey(c.Memory, c.Arg(0), isPrivate, out FutexKey key);
        if (result < 0 || (result = Acquire(c, c.Task, c.Arg(0), key, false, out KernelTask? owner)) != 0)
            return Math.Min(result, 0);
        if (tries)
            return -Errno.EAGAIN;
        var waiter = new FutexWaiter(c.Task, key, uint.MaxValue) { Inherits = true, Owner = owner };
        c.State = waiter;
        c.Deadline = deadline;
        c.Futexes.Add(waiter);
        return Sleep(c, waiter);
    }

    private static long Sleep(SyscallContext c, FutexWaiter waiter)
    {
        long slept = c.Wait(waiter.Queue, c.Deadline, Errno.ERESTARTNOINTR);
        if (slept != SyscallContext.Blocked)
            c.Futexes.Remove(waiter);
        return slept;
    }

    /// <summary>Takes a free lock for a task, or marks the word that somebody waits (futex_lock_pi_atomic): 1, 0 with the owner, or
    /// -errno.</summary>
    private static long Acquire(
        SyscallContext c, KernelTask task, ulong address, FutexKey key, bool othersWait, out KernelTask? owner)
    {
        owner = null;
        if (!c.Memory.Read(address, out uint value))
            return -Errno.EFAULT;
        uint holder = value & Futexes.TidMask, self = (uint)task.OwnTid;
        if (holder == self)
            return -Errno.EDEADLK;
        if (c.Futexes.WaitersOf(key) is [var top, ..])
        {
            // attach_to_pi_state: the word must agree with what the waiters know.
            if (!top.Inherits || holder != (uint)(top.Owner?.OwnTid ?? 0))
                return -Errno.EINVAL;
            owner = top.Owner;
            return c.Memory.Write(address, value | Futexes.Waiters) ? 0 : -Errno.EFAULT;
        }
        if (holder == 0)
        {
            uint taken = self | (value & Futexes.OwnerDied) | (othersWait ? Futexes.Waiters : 0);
            return c.Memory.Write(address, taken) ? 1 : -Errno.EFAULT;
        }
        if (!c.Memory.Write(address, value | Futexes.Waiters))
            return -Errno.EFAULT;
        owner = c.FindTask((int)holder);
        return owner is null ? -Errno.ESRCH : 0;
    }

    /// <summary>FUTEX_UNLOCK_PI.</summary>
    public static long Unlock(SyscallContext c, bool isPrivate)
    {
        if (!c.Memory.Read(c.Arg(0), out uint value))
            return -Errno.EFAULT;
        if ((value & Futexes.TidMask) != (uint)c.Task.OwnTid)
            return -Errno.EPERM;
        long result = Futexes.GetKey(c.Memory, c.Arg(0), isPrivate, out FutexKey key);
        if (result < 0)
            return result;
        if (c.Futexes.WaitersOf(key) is not [var top, ..])
            return c.Memory.Write(c.Arg(0), 0u) ? 0 : -Errno.EFAULT;
        if (!top.Inherits || !ReferenceEquals(top.Owner, c.Task))
            return -Errno.EINVAL;
        return c.Memory.Write(c.Arg(0), c.Futexes.HandOver(top)) ? 0 : -Errno.EFAULT;
    }

    /// <summary>FUTEX_WAIT_REQUEUE_PI: waits on an ordinary word to be moved to a lock.</summary>
    public static long WaitRequeue(SyscallContext c, bool isPrivate, int clock)
    {
        if (c.State is FutexWaiter known)
            return SysFutex.Woken(c, known) ?? SleepForMove(c, known);
        if (c.Arg(0) == c.Arg(4))
            return -Errno.EINVAL;
        long result = SysFutex.ReadTimeout(c, c.Arg(3), out ulong deadline);
        if (result < 0)
            return result;
        if (deadline != ulong.MaxValue)
            deadline = SysFutex.Absolute(c, clock, deadline);
        if ((result = Futexes.GetKey(c.Memory, c.Arg(4), isPrivate, out FutexKey to)) < 0
            || (result = Futexes.GetKey(c.Memory, c.Arg(0), isPrivate, out FutexKey key)) < 0)
        {
            return result;
        }
        if (!c.Memory.Read(c.Arg(0), out uint value))
            return -Errno.EFAULT;
        if (value != c.UInt(2))
            return -Errno.EAGAIN;
        if (key == to)
            return -Errno.EINVAL;
        var waiter = new FutexWaiter(c.Task, key, uint.MaxValue) { Destination = to };
        c.State = waiter;
        c.Deadline = deadline;
        c.Futexes.Add(waiter);
        return SleepForMove(c, waiter);
    }

    private static long SleepForMove(SyscallContext c, FutexWaiter waiter)
    {
        // Once it waits for the lock a signal does not start the wait for the word anew: EAGAIN, and the caller looks again.
        long slept = c.Wait(waiter.Queue, c.Deadline, waiter.Inherits ? Errno.EAGAIN : Errno.ERESTARTNOINTR);
        if (slept != SyscallContext.Blocked)
            c.Futexes.Remove(waiter);
        return slept;
    }

    /// <summary>FUTEX_CMP_REQUEUE_PI: the first waiter gets the lock or waits for it, others are moved behind it.</summary>
    public static long Requeue(SyscallContext c, bool isPrivate)
    {
        int wake = c.Int(2), move = c.Int(3);
        if (wake != 1 || move < 0 || c.Arg(0) == c.Arg(4))
            return -Errno.EINVAL;
        long result = Futexes.GetKey(c.Memory, c.Arg(0), isPrivate, out FutexKey from);
        if (result < 0 || (result = Futexes.GetKey(c.Memory, c.Arg(4), isPrivate, out FutexKey to)) < 0)
            return result;
        if (from == to)
            return -Errno.EINVAL;
        if (!c.Memory.Read(c.Arg(0), out uint value))
            return -Errno.EFAULT;
        if (value != c.UInt(5))
            return -Errno.EAGAIN;
        int done = 0;
        foreach (FutexWaiter waiter in c.Futexes.WaitersOf(from).ToArray())
        {
            if (done - wake >= move)
                break;
            if (waiter.Inherits || waiter.Destination != to)
                return -Errno.EINVAL;
            result = Acquire(c, waiter.Task, c.Arg(4), to, move > 0, out KernelTask? owner);
            if (result < 0)
                return done > 0 ? done : result;
            done++;
            if (result == 1)
            {
                c.Futexes.WakeOne(waiter);
                continue;
            }
            waiter.Inherits = true;
            waiter.Owner = owner;
            c.Futexes.MoveTo(waiter, to);
        }
        return done;
    }
}
