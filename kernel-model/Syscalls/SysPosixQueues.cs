using System.Buffers.Binary;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>POSIX message queues (ipc/mqueue.c).</summary>
internal static class SysPosixQueues
{
    private const int MaxPriority = 32768, SIGEV_SIGNAL = 0, SIGEV_NONE = 1, SIGEV_THREAD = 2, SI_MESGQ = -3;

    private static long Name(SyscallContext c, out string name)
    {
        long error = c.Memory.ReadString(c.Arg(0), 4096, out name);
        if (error < 0)
            return error;
        if (name.Length == 0)
            return -Errno.ENOENT;
        if (name.Length > 255)
            return -Errno.ENAMETOOLONG;
        return name is "." or ".." || name.Contains('/', StringComparison.Ordinal) ? -Errno.EACCES : 0;
    }

    /// <summary>mq_open(name, flags, mode, attr). The C library takes the leading slash off.</summary>
    public static long Open(SyscallContext c)
    {
        (long Most, long Size)? asked = null;
        if (c.Arg(3) != 0)
        {
            if (!c.Memory.Read(c.Arg(3) + 8, out long most) || !c.Memory.Read(c.Arg(3) + 16, out long size))
                return -Errno.EFAULT;
            asked = (most, size);
        }
        if (Name(c, out string name) is < 0 and long error)
            return error;
        if (FileArguments.MayInstall(c) is < 0 and long full)
            return full;
        int flags = c.Int(1);
        Caller caller = FileArguments.CallerOf(c);
        PosixQueueInode? queue = c.Vfs.PosixQueues.Find(name);
        bool created = false;
        if (queue is null)
        {
            if ((flags & OpenFlags.O_CREAT) == 0)
                return -Errno.ENOENT;
            error = c.Vfs.PosixQueues.Make(name, c.UInt(2) & 0x1FF & ~caller.Fs.Umask, asked, caller.Credentials, out queue);
            if (error < 0)
                return error;
            created = true;
        }
        else if ((flags & (OpenFlags.O_CREAT | OpenFlags.O_EXCL)) == (OpenFlags.O_CREAT | OpenFlags.O_EXCL))
        {
            return -Errno.EEXIST;
        }
        if ((flags & OpenFlags.O_ACCMODE) == OpenFlags.O_ACCMODE)
            return -Errno.EINVAL;
        flags &= OpenFlags.O_ACCMODE | OpenFlags.O_NONBLOCK | OpenFlags.O_CLOEXEC;
        error = c.Vfs.OpenInode(caller, queue!, flags, created, c.Task, out OpenFile? file);
        return error < 0 ? error : FileArguments.Install(c, file!, flags | OpenFlags.O_CLOEXEC);
    }

    /// <summary>mq_unlink(name).</summary>
    public static long Unlink(SyscallContext c)
    {
        if (Name(c, out string name) is < 0 and long error)
            return error;
        if (c.Vfs.PosixQueues.Find(name) is not { } queue)
            return -Errno.ENOENT;
        if (!Vfs.IsOwner(queue, c.Task.Credentials))
            return -Errno.EACCES;
        c.Vfs.PosixQueues.Remove(queue);
        return 0;
    }

    /// <summary>First attempt: the absolute time of CLOCK_REALTIME that ends the wait.</summary>
    private static long Deadline(SyscallContext c)
    {
        if (c.Attempt != 0)
            return 0;
        long error = SysFutex.ReadTimeout(c, c.Arg(4), out ulong deadline);
        if (error < 0)
            return error;
        c.Deadline = deadline == ulong.MaxValue ? deadline : SysFutex.Absolute(c, Clocks.Realtime, deadline);
        return 0;
    }

    private static bool IsOver(SyscallContext c) =>
        c.TimedOut || (c.Deadline != ulong.MaxValue && c.Deadline <= c.Timekeeper.TimeOf(c.WaitClock));

    /// <summary>mq_timedsend(mqd, msg, length, priority, deadline).</summary>
    public static long Send(SyscallContext c)
    {
        if (c.Arg(3) >= MaxPriority)
            return -Errno.EINVAL;
        if (Deadline(c) is < 0 and long error)
            return error;
        if (c.Files[c.Int(0)] is not PosixQueueFile { CanWrite: true } file)
            return -Errno.EBADF;
        PosixQueueInode queue = file.Queue;
        if (c.Arg(2) > (ulong)queue.MessageSize)
            return -Errno.EMSGSIZE;
        byte[] data = new byte[c.Arg(2)];
        if (!c.Memory.Read(c.Arg(1), data))
            return -Errno.EFAULT;
        if (queue.Count >= queue.Most)
        {
            if (file.NonBlocking)
                return -Errno.EAGAIN;
            return IsOver(c) ? -Errno.ETIMEDOUT : c.Wait(queue.Source.Queue, c.Deadline);
        }
        FileArguments.CallerOf(c);
        return queue.Add(data, c.UInt(3)) ? 0 : -Errno.ENOMEM;
    }

    /// <summary>mq_timedreceive(mqd, msg, length, priority, deadline).</summary>
    public static long Receive(SyscallContext c)
    {
        if (Deadline(c) is < 0 and long error)
            return error;
        if (c.Files[c.Int(0)] is not PosixQueueFile { CanRead: true } file)
            return -Errno.EBADF;
        PosixQueueInode queue = file.Queue;
        if (c.State is PosixQueueInode waited)
            waited.Receivers--;
        c.State = null;
        if (c.Arg(2) < (ulong)queue.MessageSize)
            return -Errno.EMSGSIZE;
        byte[]? data = queue.Take(out uint priority);
        if (data is null)
        {
            if (file.NonBlocking)
                return -Errno.EAGAIN;
            if (IsOver(c))
                return -Errno.ETIMEDOUT;
            long result = c.Wait(queue.Source.Queue, c.Deadline);
            if (result == SyscallContext.Blocked)
            {
                queue.Receivers++;
                c.State = queue;
            }
            return result;
        }
        return c.Memory.Write(c.Arg(1), data) && (c.Arg(3) == 0 || c.Memory.Write(c.Arg(3), priority)) ? data.Length : -Errno.EFAULT;
    }

    /// <summary>mq_notify(mqd, event): struct sigevent: value 0, signo 8, notify 12.</summary>
    public static long Notify(SyscallContext c)
    {
        ulong value = 0;
        int signal = 0, notify = SIGEV_NONE;
        if (c.Arg(1) != 0)
        {
            if (!c.Memory.Read(c.Arg(1), out value) || !c.Memory.Read(c.Arg(1) + 8, out signal)
                || !c.Memory.Read(c.Arg(1) + 12, out notify))
                return -Errno.EFAULT;
            if (notify is not (SIGEV_SIGNAL or SIGEV_NONE or SIGEV_THREAD) || (notify == SIGEV_SIGNAL && signal is < 0 or > Signal.Count))
                return -Errno.EINVAL;
        }
        // Threads are told over a netlink socket, whose number is in the place of the signal's: 32 bytes of the caller's, the last of which
        // says what has happened (NOTIFY_WOKENUP, NOTIFY_REMOVED). That is how a library makes a thread of it.
        const int cookieSize = 32;
        byte[] cookie = new byte[cookieSize];
        SocketFile? socket = null;
        if (c.Arg(1) != 0 && notify == SIGEV_THREAD)
        {
            if (!c.Memory.Read(value, cookie))
                return -Errno.EFAULT;
            if (c.Files[signal] is not { IsPath: false } told)
                return -Errno.EBADF;
            socket = told as SocketFile;
            if (socket is not { Domain: SocketTable.AF_NETLINK })
                return socket is null ? -Errno.ENOTSOCK : -Errno.EINVAL;
        }
        if (c.Files[c.Int(0)] is not PosixQueueFile file)
            return -Errno.EBADF;
        if (c.Arg(1) == 0)
        {
            file.Queue.Forget(c.Files);
            return 0;
        }
        if (file.Queue.Notified is not null)
            return -Errno.EBUSY;
        socket?.AddReference();
        (ThreadGroup group, var signals, Vfs vfs) = (c.Task.Group, c.Signals, c.Vfs);
        file.Queue.Notified = new(c.Files, notify, notify == SIGEV_SIGNAL ? signal : 0, group.Pid, () =>
        {
            Say(1);
            if (notify != SIGEV_SIGNAL || signal == 0)
                return;
            signals.Send(group, new SignalInfo
            {
                Number = signal,
                Code = SI_MESGQ,
                Value = value,
                Pid = vfs.Current?.Pid ?? 0,
                Uid = vfs.Current?.Credentials.Uid ?? 0,
            });
        }, () => Say(2));
        return 0;

        void Say(byte what)
        {
            cookie[^1] = what;
            socket?.FromKernel([.. cookie]);
            socket?.Release();
        }
    }

    /// <summary>mq_getsetattr(mqd, new, old): struct mq_attr: flags, maxmsg, msgsize, curmsgs.</summary>
    public static long GetSetAttributes(SyscallContext c)
    {
        long flags = 0;
        if (c.Arg(1) != 0)
        {
            if (!c.Memory.Read(c.Arg(1), out flags))
                return -Errno.EFAULT;
            if ((flags & ~(long)OpenFlags.O_NONBLOCK) != 0)
                return -Errno.EINVAL;
        }
        if (c.Files[c.Int(0)] is not PosixQueueFile file)
            return -Errno.EBADF;
        Span<byte> old = stackalloc byte[64];
        old.Clear();
        BinaryPrimitives.WriteInt64LittleEndian(old, file.Flags & OpenFlags.O_NONBLOCK);
        BinaryPrimitives.WriteInt64LittleEndian(old[8..], file.Queue.Most);
        BinaryPrimitives.WriteInt64LittleEndian(old[16..], file.Queue.MessageSize);
        BinaryPrimitives.WriteInt64LittleEndian(old[24..], file.Queue.Count);
        if (c.Arg(1) != 0)
            file.Flags = (file.Flags & ~OpenFlags.O_NONBLOCK) | (int)flags;
        return c.Arg(2) == 0 || c.Memory.Write(c.Arg(2), old) ? 0 : -Errno.EFAULT;
    }
}
