using System.Buffers.Binary;
using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Entry;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Signals (kernel/signal.c).</summary>
internal static class SysSignal
{
    private const int SigsetSize = 8;
    private const ulong MinSigStackSize = 5120;

    // Flags that Linux knows (UAPI_SA_FLAGS and arm64's SA_EXPOSE_TAGBITS); others are cleared so that user space can tell.
    private const ulong KnownFlags = Signal.SA_NOCLDSTOP | Signal.SA_NOCLDWAIT | Signal.SA_SIGINFO | Signal.SA_RESTORER | Signal.SA_ONSTACK
        | Signal.SA_RESTART | Signal.SA_NODEFER | Signal.SA_RESETHAND | 0x800;

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

    private static SignalInfo FromUser(SyscallContext c, int signal, int code) => new()
    {
        Number = signal,
        Code = code,
        Pid = c.Task.Group.Pid,
        Uid = c.Task.Credentials.Uid,
    };

    /// <summary>kill(pid, sig).</summary>
    public static long Kill(SyscallContext c)
    {
        int pid = c.Int(0), signal = c.Int(1);
        if (signal is < 0 or > Signal.Count)
            return -Errno.EINVAL;
        SignalInfo? info = signal == 0 ? null : FromUser(c, signal, Signal.SI_USER);
        if (pid > 0)
        {
            ThreadGroup? group = c.FindTask(pid)?.Group;
            return group is null ? -Errno.ESRCH : SendTo(c, group, signal, info);
        }
        if (pid == int.MinValue)
            return -Errno.ESRCH;
        IEnumerable<ThreadGroup> targets = pid switch
        {
            -1 => c.Tasks.Groups.Where(g => c.NumberOf(g.Pid) > 1 && !ReferenceEquals(g, c.Task.Group)),
            0 => c.Tasks.Groups.Where(g => g.Pgid == c.Task.Group.Pgid),
            _ => c.Tasks.Groups.Where(g => g.Pgid == c.FirstOf(-pid)),
        };
        return SendToMany(c, targets.ToList(), signal, info, pid == -1);
    }

    private static long SendToMany(SyscallContext c, List<ThreadGroup> targets, int signal, SignalInfo? info, bool everybody)
    {
        long error = -Errno.ESRCH;
        bool sent = false;
        foreach (ThreadGroup group in targets)
        {
            long result = SendTo(c, group, signal, info);
            if (result == 0 || (everybody && result != -Errno.EPERM))
                sent = true;
            else
                error = result;
        }
        return sent ? 0 : error;
    }

    private static long SendTo(SyscallContext c, ThreadGroup group, int signal, SignalInfo? info)
    {
        if (!Permissions.MaySignal(c.Task, group, signal))
            return -Errno.EPERM;
        if (info is not null)
            c.Signals.Send(group, info);
        return 0;
    }

    /// <summary>tkill(tid, sig).</summary>
    public static long Tkill(SyscallContext c) => c.Int(0) <= 0 ? -Errno.EINVAL : ToThread(c, null, c.Int(0), c.Int(1), null);

    /// <summary>tgkill(tgid, tid, sig).</summary>
    public static long Tgkill(SyscallContext c) =>
        c.Int(0) <= 0 || c.Int(1) <= 0 ? -Errno.EINVAL : ToThread(c, c.Int(0), c.Int(1), c.Int(2), null);

    private static long ToThread(SyscallContext c, int? tgid, int tid, int signal, SignalInfo? info)
    {
        KernelTask? task = c.FindTask(tid);
        if (task is null || (tgid is { } group && c.NumberOf(task.Group.Pid) != group))
            return -Errno.ESRCH;
        if (signal is < 0 or > Signal.Count)
            return -Errno.EINVAL;
        if (!Permissions.MaySignal(c.Task, task.Group, signal))
            return -Errno.EPERM;
        if (signal != 0)
            c.Signals.Send(task, info ?? FromUser(c, signal, Signal.SI_TKILL));
        return 0;
    }

    /// <summary>Reads a siginfo_t of another process: 0, -EFAULT.</summary>
    private static long ReadInfo(SyscallContext c, ulong address, int signal, out SignalInfo? info)
    {
        info = null;
        var raw = new byte[128];
        if (!c.Memory.Read(address, raw))
            return -Errno.EFAULT;
        BinaryPrimitives.WriteInt32LittleEndian(raw, signal);
        info = new SignalInfo
        {
            Number = signal,
            Errno = BinaryPrimitives.ReadInt32LittleEndian(raw.AsSpan(4)),
            Code = BinaryPrimitives.ReadInt32LittleEndian(raw.AsSpan(8)),
            Pid = BinaryPrimitives.ReadInt32LittleEndian(raw.AsSpan(16)),
            Uid = BinaryPrimitives.ReadUInt32LittleEndian(raw.AsSpan(20)),
            Value = BinaryPrimitives.ReadUInt64LittleEndian(raw.AsSpan(24)),
            Raw = raw,
        };
        return 0;
    }

    /// <summary>rt_sigqueueinfo(pid, sig, info).</summary>
    public static long QueueInfo(SyscallContext c)
    {
        long result = ReadInfo(c, c.Arg(2), c.Int(1), out SignalInfo? info);
        if (result < 0)
            return result;
        ThreadGroup? group = c.FindTask(c.Int(0))?.Group;
        // Nobody may pretend to be kill() or the kernel to another process.
        if (info!.Code is >= 0 or Signal.SI_TKILL && !ReferenceEquals(group, c.Task.Group))
            return -Errno.EPERM;
        if (group is null)
            return -Errno.ESRCH;
        if (c.Int(1) is < 0 or > Signal.Count)
            return -Errno.EINVAL;
        return SendTo(c, group, c.Int(1), c.Int(1) == 0 ? null : info);
    }

    /// <summary>rt_tgsigqueueinfo(tgid, tid, sig, info).</summary>
    public static long TgQueueInfo(SyscallContext c)
    {
        if (c.Int(0) <= 0 || c.Int(1) <= 0)
            return -Errno.EINVAL;
        long result = ReadInfo(c, c.Arg(3), c.Int(2), out SignalInfo? info);
        if (result < 0)
            return result;
        if (info!.Code is >= 0 or Signal.SI_TKILL && c.Int(1) != c.Task.OwnTid)
            return -Errno.EPERM;
        return ToThread(c, c.Int(0), c.Int(1), c.Int(2), info);
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

    /// <summary>pidfd_send_signal(pidfd, sig, info, flags).</summary>
    public static long PidfdSend(SyscallContext c)
    {
        if (c.UInt(3) != 0)
            return -Errno.EINVAL;
        if (c.Files[c.Int(0)] is not { } file)
            return -Errno.EBADF;
        if (file is not PidFile pidFile)
            return -Errno.EBADF;
        ThreadGroup group = pidFile.Group;
        if (group.Leader.State == TaskState.Dead)
            return -Errno.ESRCH;
        int signal = c.Int(1);
        SignalInfo? info = null;
        if (c.Arg(2) != 0)
        {
            long result = ReadInfo(c, c.Arg(2), signal, out info);
            if (result < 0)
                return result;
            if (info!.Code is >= 0 or Signal.SI_TKILL && !ReferenceEquals(group, c.Task.Group))
                return -Errno.EPERM;
        }
        if (signal is < 0 or > Signal.Count)
            return -Errno.EINVAL;
        return SendTo(c, group, signal, signal == 0 ? null : info ?? FromUser(c, signal, Signal.SI_USER));
    }
}
