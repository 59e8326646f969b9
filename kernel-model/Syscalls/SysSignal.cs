using System.Buffers.Binary;
using ArmVdso.Kernel.Entry;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Handlers, masks and waits of signals (kernel/signal.c).</summary>
internal static class SysSignal
{
    private const int SigsetSize = 8;
    private const ulong MinSigStackSize = 5120;

    // Flags that Linux knows (UAPI_SA_FLAGS and arm64's SA_EXPOSE_TAGBITS); others are cleared so that user space can tell.
    private const ulong KnownFlags = Signal.SA_NOCLDSTOP | Signal.SA_NOCLDWAIT | Signal.SA_SIGINFO | Signal.SA_RESTORER | Signal.SA_ONSTACK
        | Signal.SA_RESTART | Signal.SA_NODEFER | Signal.SA_RESETHAND | Signal.SA_EXPOSE_TAGBITS;

    /// <summary>rt_sigaction(sig, act, oact, sigsetsize).</summary>
    public static long Action(SyscallContext c)
    {
        int signal = c.Int(0);
        if (c.Arg(3) != SigsetSize)
            return -Errno.EINVAL;
        var next = default(SignalAction);
        Span<ulong> raw = stackalloc ulong[4];
        if (c.Arg(1) != 0)
        {
            if (!c.Memory.Read(c.Arg(1), System.Runtime.InteropServices.MemoryMarshal.AsBytes(raw)))
                return -Errno.EFAULT;
            next = new SignalAction(raw[0], raw[1] & KnownFlags, raw[2], raw[3] & ~Signal.Unblockable);
        }
        if (signal is < 1 or > Signal.Count || (c.Arg(1) != 0 && signal is Signal.SIGKILL or Signal.SIGSTOP))
            return -Errno.EINVAL;
        SignalAction old = c.Task.Handlers[signal];
        if (c.Arg(1) != 0)
        {
            c.Task.Handlers[signal] = next;
            // A signal that is ignored from now on is not pending any more (POSIX 3.3.1.3).
            if (next.Handler == 1 || (next.Handler == 0 && Signal.IgnoredByDefault(signal)))
            {
                c.Task.Group.SharedPending.Discard(Signal.Bit(signal));
                foreach (KernelTask thread in c.Task.Group.Threads)
                    thread.Signals.Pending.Discard(Signal.Bit(signal));
            }
        }
        if (c.Arg(2) == 0)
            return 0;
        raw[0] = old.Handler;
        raw[1] = old.Flags;
        raw[2] = old.Restorer;
        raw[3] = old.Mask;
        return c.Memory.Write(c.Arg(2), System.Runtime.InteropServices.MemoryMarshal.AsBytes(raw)) ? 0 : -Errno.EFAULT;
    }

    /// <summary>rt_sigprocmask(how, set, oset, sigsetsize).</summary>
    public static long ProcMask(SyscallContext c)
    {
        if (c.Arg(3) != SigsetSize)
            return -Errno.EINVAL;
        ulong old = c.Task.Signals.Blocked;
        if (c.Arg(1) != 0)
        {
            if (!c.Memory.Read(c.Arg(1), out ulong set))
                return -Errno.EFAULT;
            set &= ~Signal.Unblockable;
            switch (c.Int(0))
            {
                case 0:
                    SetBlocked(c, old | set);
                    break;
                case 1:
                    SetBlocked(c, old & ~set);
                    break;
                case 2:
                    SetBlocked(c, set);
                    break;
                default:
                    return -Errno.EINVAL;
            }
        }
        return c.Arg(2) == 0 || c.Memory.Write(c.Arg(2), old) ? 0 : -Errno.EFAULT;
    }

    private static void SetBlocked(SyscallContext c, ulong blocked)
    {
        KernelTask task = c.Task;
        ulong newly = blocked & ~task.Signals.Blocked & task.Group.SharedPending.Set;
        task.Signals.Blocked = blocked;
        c.Signals.Recalculate(task);
        if (newly == 0)
            return;
        // retarget_shared_pending: another thread takes what this one now blocks.
        foreach (KernelTask thread in task.Group.Threads)
        {
            if (!ReferenceEquals(thread, task) && (newly & ~thread.Signals.Blocked) != 0)
                c.Signals.Notify(
                    thread, System.Numerics.BitOperations.TrailingZeroCount(newly & ~thread.Signals.Blocked) + 1);
        }
    }

    /// <summary>rt_sigpending(set, sigsetsize).</summary>
    public static long Pending(SyscallContext c)
    {
        if (c.Arg(1) > SigsetSize)
            return -Errno.EINVAL;
        ulong set = (c.Task.Signals.Pending.Set | c.Task.Group.SharedPending.Set) & c.Task.Signals.Blocked;
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, set);
        return c.Memory.Write(c.Arg(0), bytes[..(int)c.Arg(1)]) ? 0 : -Errno.EFAULT;
    }

    /// <summary>rt_sigsuspend(mask, sigsetsize).</summary>
    public static long Suspend(SyscallContext c)
    {
        if (c.Attempt == 0)
        {
            if (c.Arg(1) != SigsetSize)
                return -Errno.EINVAL;
            if (!c.Memory.Read(c.Arg(0), out ulong mask))
                return -Errno.EFAULT;
            c.Task.Signals.SavedMask = c.Task.Signals.Blocked;
            c.Task.Signals.Blocked = mask & ~Signal.Unblockable;
            c.Signals.Recalculate(c.Task);
        }
        return c.Wait([], ulong.MaxValue, Errno.ERESTARTNOHAND);
    }

    /// <summary>rt_sigreturn().</summary>
    public static long Return(SyscallContext c)
    {
        UserRegisters regs = c.Records.Registers(c.Task);
        c.Task.RestartBlock = null;
        if (!c.Frames.Restore(c.Cpu, c.Task, regs))
        {
            // arm64_notify_segfault: the code tells whether anything is mapped there or above.
            ulong sp = regs.SP & (ulong.MaxValue >> 8);
            c.Signals.Force(c.Task, new SignalInfo
            {
                Number = Signal.SIGSEGV,
                Code = c.Task.Mm!.Vmas.Any(v => v.End > sp) ? Signal.SEGV_ACCERR : Signal.SEGV_MAPERR,
                Address = regs.SP,
                Synchronous = true,
            });
        }
        regs.SyscallNumber = -1;
        return SyscallContext.NoReturn;
    }

    /// <summary>restart_syscall(): goes on with a sleep that a stop or an ignored signal interrupted.</summary>
    public static long RestartCall(SyscallContext c) => c.Task.RestartBlock?.Invoke(c) ?? -Errno.EINTR;

    /// <summary>rt_sigtimedwait(set, info, timeout, sigsetsize).</summary>
    public static long TimedWait(SyscallContext c)
    {
        if (c.Arg(3) != SigsetSize)
            return -Errno.EINVAL;
        if (!c.Memory.Read(c.Arg(0), out ulong set))
            return -Errno.EFAULT;
        set &= ~Signal.Unblockable;
        if (c.Attempt == 0)
        {
            c.Deadline = ulong.MaxValue;
            if (c.Arg(2) != 0)
            {
                long result = UserTime.ReadTimespec(c.Memory, c.Arg(2), out ulong timeout);
                if (result < 0)
                    return result;
                c.Deadline = UserTime.Add(c.Timekeeper.NowNs, timeout);
            }
        }
        SignalInfo? info = c.Task.Signals.Pending.Take(set) ?? c.Task.Group.SharedPending.Take(set);
        if (info is not null)
        {
            c.Signals.Recalculate(c.Task);
            if (c.Arg(1) != 0 && !c.Memory.Write(c.Arg(1), info.ToBytes()))
                return -Errno.EFAULT;
            return info.Number;
        }
        if (c.TimedOut || c.Deadline <= c.Timekeeper.NowNs)
            return -Errno.EAGAIN;
        return c.Wait(c.Task.Group.SignalArrival, c.Deadline, Errno.EINTR);
    }

    /// <summary>sigaltstack(ss, oss).</summary>
    public static long AltStack(SyscallContext c)
    {
        KernelTask task = c.Task;
        (ulong address, ulong size, int flags) = task.Signals.AltStack;
        ulong sp = c.Records.Registers(task).SP;
        bool on = task.Signals.IsOnAltStack(sp);
        if (c.Arg(0) != 0)
        {
            if (!c.Memory.Read(c.Arg(0), out ulong newAddress) || !c.Memory.Read(c.Arg(0) + 8, out int newFlags)
                || !c.Memory.Read(c.Arg(0) + 16, out ulong newSize))
            {
                return -Errno.EFAULT;
            }
            if (on)
                return -Errno.EPERM;
            int mode = newFlags & ~Signal.SS_AUTODISARM;
            if (mode is not (Signal.SS_DISABLE or Signal.SS_ONSTACK or 0))
                return -Errno.EINVAL;
            if (mode == Signal.SS_DISABLE)
            {
                task.Signals.AltStack = (0, 0, newFlags & ~Signal.SS_ONSTACK);
            }
            else
            {
                if (newSize < MinSigStackSize)
                    return -Errno.ENOMEM;
                task.Signals.AltStack = (newAddress, newSize, newFlags & ~Signal.SS_ONSTACK);
            }
        }
        if (c.Arg(1) == 0)
            return 0;
        int reported = on ? flags | Signal.SS_ONSTACK : flags;
        return c.Memory.Write(c.Arg(1), address) && c.Memory.Write(c.Arg(1) + 8, reported) && c.Memory.Write(c.Arg(1) + 16, size)
            ? 0 : -Errno.EFAULT;
    }
}
