using System.Buffers.Binary;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Sending signals (kernel/signal.c).</summary>
internal static class SysKill
{
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
            return c.FindTask(pid) is { } task ? SendTo(c, task, signal, info) : -Errno.ESRCH;
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
            long result = SendTo(c, group.Leader, signal, info);
            if (result == 0 || (everybody && result != -Errno.EPERM))
                sent = true;
            else
                error = result;
        }
        return sent ? 0 : error;
    }

    /// <summary>To the process of a task; whether that may be is asked about the task that was named (group_send_sig_info).</summary>
    private static long SendTo(SyscallContext c, KernelTask to, int signal, SignalInfo? info)
    {
        if (!Permissions.MaySignal(c.Task, to, signal))
            return -Errno.EPERM;
        ThreadGroup group = to.Group;
        if (info is not null && IsOverLimit(info, group.SharedPending, group))
            return -Errno.EAGAIN;
        if (info is not null)
            c.Signals.Send(group, info);
        return 0;
    }

    /// <summary>RLIMIT_SIGPENDING: a real-time signal that cannot be queued is refused (__send_signal_locked).</summary>
    private static bool IsOverLimit(SignalInfo info, PendingSignals queue, ThreadGroup group) => info.Number >= Signal.SIGRTMIN
        && info.Code != Signal.SI_USER && (ulong)queue.Count >= group.Rlimits[Rlimits.Sigpending].Soft;

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
        if (!Permissions.MaySignal(c.Task, task, signal))
            return -Errno.EPERM;
        if (signal == 0)
            return 0;
        info ??= FromUser(c, signal, Signal.SI_TKILL);
        if (IsOverLimit(info, task.Signals.Pending, task.Group))
            return -Errno.EAGAIN;
        c.Signals.Send(task, info);
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
        KernelTask? to = c.FindTask(c.Int(0));
        // Nobody may pretend to be kill() or the kernel to another process.
        if (info!.Code is >= 0 or Signal.SI_TKILL && !ReferenceEquals(to?.Group, c.Task.Group))
            return -Errno.EPERM;
        if (to is null)
            return -Errno.ESRCH;
        if (c.Int(1) is < 0 or > Signal.Count)
            return -Errno.EINVAL;
        return SendTo(c, to, c.Int(1), c.Int(1) == 0 ? null : info);
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

    /// <summary>pidfd_send_signal(pidfd, sig, info, flags).</summary>
    public static long PidfdSend(SyscallContext c)
    {
        if (c.UInt(3) != 0)
            return -Errno.EINVAL;
        if (c.Files[c.Int(0)] is not { } file)
            return -Errno.EBADF;
        // A directory of /proc stands for its process as well (tgid_pidfd_to_pid).
        ThreadGroup? group = file is PidFile pidFile ? pidFile.Group
            : file is DirectoryFile { Inode.Real: DynamicDirectory { Subject: KernelTask leader } } ? leader.Group : null;
        if (group == null)
            return -Errno.EBADF;
        if (group.Leader.State == TaskState.Dead)
            return -Errno.ESRCH;
        int signal = c.Int(1);
        SignalInfo? info = null;
        if (c.Arg(2) != 0)
        {
            long result = ReadInfo(c, c.Arg(2), signal, out info);
            if (result < 0)
                return result;
            if (c.Memory.Read(c.Arg(2), out int told) && told != signal)
                return -Errno.EINVAL;
            if (info!.Code is >= 0 or Signal.SI_TKILL && !ReferenceEquals(group, c.Task.Group))
                return -Errno.EPERM;
        }
        if (signal is < 0 or > Signal.Count)
            return -Errno.EINVAL;
        return SendTo(c, group.Leader, signal, signal == 0 ? null : info ?? FromUser(c, signal, Signal.SI_USER));
    }
}
