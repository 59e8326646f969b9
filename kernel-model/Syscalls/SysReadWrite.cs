using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Input and output on descriptors (fs/read_write.c).</summary>
internal static class SysReadWrite
{
    private const int SEEK_SET = 0, SEEK_CUR = 1, SEEK_END = 2, SEEK_DATA = 3, SEEK_HOLE = 4;

    /// <summary>Flag of preadv2 and pwritev2: do not sleep.</summary>
    internal const uint RWF_NOWAIT = 8;

    /// <summary>RWF_HIPRI to RWF_APPEND.</summary>
    private const uint KnownFlags = 0x1F;

    /// <summary>Progress of a transfer that sleeps.</summary>
    private sealed class Progress
    {
        public long Done;
        public ulong Deadline = ulong.MaxValue;

        /// <summary>Bytes that a terminal had at the last look.</summary>
        public int Typed;
    }

    public static long Read(SyscallContext c) => CountRead(c, ReadVector(c, Buffer(c), null, 0));

    public static long Write(SyscallContext c) => CountWrite(c, WriteVector(c, Buffer(c), null, 0));

    public static long Readv(SyscallContext c) => CountRead(c, Vector(c, out var iov) is < 0 and long e ? e : ReadVector(c, iov, null, 0));

    public static long Writev(SyscallContext c) =>
        CountWrite(c, Vector(c, out var iov) is < 0 and long e ? e : WriteVector(c, iov, null, 0));

    public static long Pread64(SyscallContext c) =>
        c.Long(3) < 0 ? -Errno.EINVAL : CountRead(c, ReadVector(c, Buffer(c), c.Long(3), 0));

    public static long Pwrite64(SyscallContext c) =>
        c.Long(3) < 0 ? -Errno.EINVAL : CountWrite(c, WriteVector(c, Buffer(c), c.Long(3), 0));

    public static long Preadv(SyscallContext c) => c.Long(3) < 0 ? -Errno.EINVAL
        : CountRead(c, Vector(c, out var iov) is < 0 and long e ? e : ReadVector(c, iov, c.Long(3), 0));

    public static long Pwritev(SyscallContext c) => c.Long(3) < 0 ? -Errno.EINVAL
        : CountWrite(c, Vector(c, out var iov) is < 0 and long e ? e : WriteVector(c, iov, c.Long(3), 0));

    public static long Preadv2(SyscallContext c) => (c.UInt(5) & ~KnownFlags) != 0 ? -Errno.EOPNOTSUPP : c.Long(3) < -1 ? -Errno.EINVAL
        : CountRead(c, Vector(c, out var iov) is < 0 and long e ? e : ReadVector(c, iov, c.Long(3) == -1 ? null : c.Long(3), c.UInt(5)));

    public static long Pwritev2(SyscallContext c) => (c.UInt(5) & ~KnownFlags) != 0 ? -Errno.EOPNOTSUPP : c.Long(3) < -1 ? -Errno.EINVAL
        : CountWrite(c, Vector(c, out var iov) is < 0 and long e ? e : WriteVector(c, iov, c.Long(3) == -1 ? null : c.Long(3), c.UInt(5)));

    /// <summary>Counts a read that has come to an end (add_rchar, inc_syscr): not one that no file was asked for.</summary>
    internal static long CountRead(SyscallContext c, long result)
    {
        if (IsTransfer(result))
            c.Task.Transfers += new TransferCounts(Math.Max(result, 0), 0, 1, 0);
        return result;
    }

    /// <summary>Counts a write that has come to an end (add_wchar, inc_syscw).</summary>
    internal static long CountWrite(SyscallContext c, long result)
    {
        if (IsTransfer(result))
            c.Task.Transfers += new TransferCounts(0, Math.Max(result, 0), 0, 1);
        return result;
    }

    private static bool IsTransfer(long result) =>
        result >= 0 || (result != SystemCall.Blocked && -result is not (Errno.EBADF or Errno.EFAULT or Errno.EINVAL or Errno.ESPIPE));

    /// <summary>The one part of a transfer (vfs_read, vfs_write): all that was asked for must lie where user memory may be, not only what
    /// one call transfers.</summary>
    private static (ulong Address, long Length)[] Buffer(SyscallContext c) => [(c.Arg(1),
        c.Memory.IsUserRange(c.Arg(1), c.Arg(2)) ? (long)Math.Min(c.Arg(2), IoVector.MaxCount) : IoVector.NoUserRange)];

    private static long Vector(SyscallContext c, out (ulong Address, long Length)[] iov) => IoVector.Read(c, c.Arg(1), c.Arg(2), out iov);

    /// <summary>What reads and writes refuse alike: places that no user has, positions in what has none.</summary>
    private static long Check(OpenFile file, (ulong Address, long Length)[] iov, long? position, out long total)
    {
        total = IoVector.Total(iov);
        return total < 0 ? total : position != null && !file.Seekable ? -Errno.ESPIPE : 0;
    }

    /// <summary>Reads into the guest, at a position or the file's own; sleeps for what may come.</summary>
    internal static long ReadVector(SyscallContext c, (ulong Address, long Length)[] iov, long? position, uint flags)
    {
        if (position != null && FileArguments.File(c, 0) is { Seekable: false })
            return -Errno.ESPIPE;
        if (FileArguments.File(c, 0) is not { CanRead: true } file)
            return -Errno.EBADF;
        if (Check(file, iov, position, out long total) is < 0 and long error)
            return error;
        FileArguments.CallerOf(c);
        if (!file.IsSilent && SysFanotify.Ask(c, Fan.ACCESS_PERM, file.Place ?? file.Inode) is not 0 and long waits)
            return waits;
        long at = position ?? file.Position;
        long done = 0;
        byte[] chunk = file is SocketFile { Kind: not SocketTable.SOCK_STREAM } && total > IoVector.ChunkSize
            ? new byte[SysSocketMessages.MostOfMessage] : c.Chunk;
        do
        {
            int wanted = (int)Math.Min(total - done, chunk.Length);
            if (c.TimedOut && done == 0 && file is PseudoTerminalSlave terminal)
                terminal.TimeIsUp = true;
            long n = file.Read(chunk.AsSpan(0, wanted), at + done);
            if (n == -Errno.EAGAIN && done == 0)
                return WaitToRead(c, file, (flags & RWF_NOWAIT) != 0);
            if (n < 0)
                return done > 0 ? done : n;
            int copied = IoVector.Scatter(c, iov, done, chunk.AsSpan(0, (int)n));
            done += copied;
            if (position == null)
                file.Position = at + done;
            if (copied < n)
                return done > 0 ? done : -Errno.EFAULT;
            if (n < wanted)
                break;
        }
        while (done < total && file.IsStreamOfBytes);
        if (done > 0)
            Notify(c, file, InotifyBits.IN_ACCESS);
        return done;
    }

    /// <summary>Tells who watches a file of a directory that it was read or changed (fsnotify_access, fsnotify_modify).</summary>
    internal static void Notify(SyscallContext c, OpenFile file, uint mask)
    {
        if (!file.IsSilent && file.Inode.IsWatched)
            c.Vfs.NotifyWatches(file.Inode, mask, false, file.Place ?? file.Inode);
    }

    /// <summary>What a read or receive returns when there is nothing: -EAGAIN, or sleep.</summary>
    public static long WaitToRead(SyscallContext c, OpenFile file, bool dontWait)
    {
        if (file.NonBlocking || dontWait || (c.TimedOut && file is not PseudoTerminalSlave))
            return -Errno.EAGAIN;
        var progress = c.State as Progress ?? new Progress();
        if (file is PseudoTerminalSlave terminal)
        {
            // The time begins with the read, or anew with each byte.
            if (c.State == null || progress.Typed != terminal.Typed)
                progress.Deadline = terminal.ReadTime is not 0 and var time ? c.Timekeeper.NowNs + time : ulong.MaxValue;
            progress.Typed = terminal.Typed;
            c.State = progress;
            return FileArguments.WaitFor(c, file, progress.Deadline);
        }
        ulong timeout = (file as SocketFile)?.ReceiveTimeout ?? 0;
        if (c.State == null && timeout != 0)
            progress.Deadline = c.Timekeeper.NowNs + timeout;
        c.State = progress;
        return FileArguments.WaitFor(c, file, progress.Deadline, timeout != 0 ? Errno.EINTR : Errno.ERESTARTSYS);
    }

    /// <summary>A write to what looks at no byte (write_null, write_full): it does not matter whether they are there.</summary>
    private static long WriteNothing(SyscallContext c, OpenFile file, long total)
    {
        if (file.Write([], 0) is < 0 and long error)
            return error;
        if (total > 0)
            Notify(c, file, InotifyBits.IN_MODIFY);
        return total;
    }

    /// <summary>Writes from the guest, at a position or the file's own; sleeps for room.</summary>
    internal static long WriteVector(SyscallContext c, (ulong Address, long Length)[] iov, long? position, uint flags)
    {
        if (position != null && FileArguments.File(c, 0) is { Seekable: false })
            return -Errno.ESPIPE;
        if (FileArguments.File(c, 0) is not { CanWrite: true } file)
            return -Errno.EBADF;
        if (Check(file, iov, position, out long total) is < 0 and long error)
            return error;
        if (file.LeavesBytes)
            return WriteNothing(c, file, total);
        // A message goes as a whole (sock_write_iter).
        if (file is SocketFile { Kind: not SocketTable.SOCK_STREAM } socket)
            return SysSocketMessages.SendTo(c, socket, iov, [], null, (flags & RWF_NOWAIT) != 0 ? SysSocketMessages.DontWait : 0);
        var progress = c.State as Progress ?? new Progress();
        c.State = progress;
        long at = position ?? file.Position - progress.Done;
        if ((file.Flags & OpenFlags.O_APPEND) != 0 && file.Inode.IsRegular)
            at = file.Inode.Size;
        if (file.Inode.IsRegular && total > 0)
        {
            // generic_write_check_limits: up to the limit; at the limit SIGXFSZ.
            ulong limit = c.Task.Group.Rlimits[Rlimits.Fsize].Soft;
            if ((ulong)at >= limit && progress.Done == 0)
                return SysFileSize.TooLarge(c);
            if ((ulong)at + (ulong)total > limit)
                total = (long)(limit - (ulong)at);
        }
        do
        {
            int wanted = (int)Math.Min(total - progress.Done, IoVector.ChunkSize);
            int gathered = IoVector.Gather(c, iov, progress.Done, c.Chunk.AsSpan(0, wanted));
            if (gathered < wanted && gathered == 0)
                return progress.Done > 0 ? progress.Done : -Errno.EFAULT;
            long n = file.Write(c.Chunk.AsSpan(0, gathered), at + progress.Done);
            if (n == -Errno.EAGAIN)
            {
                if (file.NonBlocking || (flags & RWF_NOWAIT) != 0)
                    return progress.Done > 0 ? progress.Done : -Errno.EAGAIN;
                if (progress.Done > 0 && c.SignalPending)
                    return progress.Done;
                return FileArguments.WaitFor(c, file);
            }
            if (n < 0)
            {
                if (n == -Errno.EPIPE)
                    c.Signals.SendOwn(c.Task, Signal.SIGPIPE);
                return progress.Done > 0 ? progress.Done : n;
            }
            progress.Done += n;
            if (position == null && file.Seekable)
                file.Position = at + progress.Done;
            if (gathered < wanted || (n < gathered && !file.WritesRest))
                break;
        }
        while (progress.Done < total);
        Notify(c, file, InotifyBits.IN_MODIFY);
        return progress.Done;
    }

    public static long Lseek(SyscallContext c)
    {
        if (FileArguments.File(c, 0) is not { } file)
            return -Errno.EBADF;
        if (!file.Seekable)
            return -Errno.ESPIPE;
        long offset = c.Long(1);
        long target;
        switch (c.Int(2))
        {
            case SEEK_SET:
                target = offset;
                break;
            case SEEK_CUR:
                target = file.Position + offset;
                break;
            case SEEK_END:
                target = file.EndPosition + offset;
                break;
            case SEEK_DATA or SEEK_HOLE:
                bool data = c.Int(2) == SEEK_DATA;
                target = file.Inode.IsRegular ? file.Inode.Seek(offset, data)
                    : offset < 0 || offset >= file.EndPosition ? -Errno.ENXIO
                    : data ? offset : file.EndPosition;
                if (target < 0)
                    return target;
                break;
            default:
                return -Errno.EINVAL;
        }
        if (target < 0)
            return -Errno.EINVAL;
        if (file.Inode.Type == Modes.S_IFCHR)
            target = 0;
        return file.Position = target;
    }
}
