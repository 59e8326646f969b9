using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Input and output on descriptors (fs/read_write.c, fs/splice.c).</summary>
internal static class SysReadWrite
{
    private const int ChunkSize = 256 << 10;
    private const long MaxCount = 0x7FFFF000;

    /// <summary>One chunk on its way between a file and the guest; everything is single threaded.</summary>
    private static readonly byte[] Chunk = new byte[ChunkSize];

    /// <summary>Progress of a transfer that sleeps.</summary>
    private sealed class Progress
    {
        public long Done;
        public ulong Deadline = ulong.MaxValue;
    }

    public static long Read(SyscallContext c) => ReadVector(c, [(c.Arg(1), Limit(c.Arg(2)))], null, 0);

    public static long Write(SyscallContext c) => WriteVector(c, [(c.Arg(1), Limit(c.Arg(2)))], null, 0);

    public static long Readv(SyscallContext c) => Vector(c, out var iov) is < 0 and long e ? e : ReadVector(c, iov, null, 0);

    public static long Writev(SyscallContext c) => Vector(c, out var iov) is < 0 and long e ? e : WriteVector(c, iov, null, 0);

    public static long Pread64(SyscallContext c) =>
        c.Long(3) < 0 ? -Errno.EINVAL : ReadVector(c, [(c.Arg(1), Limit(c.Arg(2)))], c.Long(3), 0);

    public static long Pwrite64(SyscallContext c) =>
        c.Long(3) < 0 ? -Errno.EINVAL : WriteVector(c, [(c.Arg(1), Limit(c.Arg(2)))], c.Long(3), 0);

    public static long Preadv(SyscallContext c) =>
        c.Long(3) < 0 ? -Errno.EINVAL : Vector(c, out var iov) is < 0 and long e ? e : ReadVector(c, iov, c.Long(3), 0);

    public static long Pwritev(SyscallContext c) =>
        c.Long(3) < 0 ? -Errno.EINVAL : Vector(c, out var iov) is < 0 and long e ? e : WriteVector(c, iov, c.Long(3), 0);

    public static long Preadv2(SyscallContext c) => (c.UInt(5) & ~0x1Fu) != 0 ? -Errno.EOPNOTSUPP : c.Long(3) < -1 ? -Errno.EINVAL
        : Vector(c, out var iov) is < 0 and long e ? e : ReadVector(c, iov, c.Long(3) == -1 ? null : c.Long(3), c.UInt(5));

    public static long Pwritev2(SyscallContext c) => (c.UInt(5) & ~0x1Fu) != 0 ? -Errno.EOPNOTSUPP : c.Long(3) < -1 ? -Errno.EINVAL
        : Vector(c, out var iov) is < 0 and long e ? e : WriteVector(c, iov, c.Long(3) == -1 ? null : c.Long(3), c.UInt(5));

    private static long Limit(ulong count) => count > long.MaxValue ? -1 : (long)Math.Min(count, MaxCount);

    private static long Vector(SyscallContext c, out (ulong Address, long Length)[] iov) => Vector(c, c.Arg(1), c.Arg(2), out iov);

    /// <summary>Reads an array of struct iovec: 0, -EINVAL, -EFAULT. The total is cut to what one call transfers.</summary>
    public static long Vector(SyscallContext c, ulong address, ulong count, out (ulong Address, long Length)[] iov)
    {
        iov = [];
        if (count > 1024)
            return -Errno.EINVAL;
        iov = new (ulong, long)[count];
        long total = 0;
        for (ulong n = 0; n < count; n++)
        {
            if (!c.Memory.Read(address + n * 16, out ulong start) || !c.Memory.Read(address + n * 16 + 8, out ulong length))
                return -Errno.EFAULT;
            if (length > long.MaxValue)
                return -Errno.EINVAL;
            long part = (long)Math.Min(length, (ulong)(MaxCount - total));
            total += part;
            iov[n] = (start, part);
        }
        return 0;
    }

    /// <summary>Copies bytes into the guest from <paramref name="skip"/> bytes into the vector; the count that could be written.</summary>
    public static int Scatter(SyscallContext c, (ulong Address, long Length)[] iov, long skip, ReadOnlySpan<byte> data)
    {
        int done = 0;
        foreach ((ulong address, long length) in iov)
        {
            if (skip >= length)
            {
                skip -= length;
                continue;
            }
            int n = (int)Math.Min(length - skip, data.Length - done);
            if (n > 0 && !c.Memory.Write(address + (ulong)skip, data.Slice(done, n)))
                return done;
            done += n;
            skip = 0;
            if (done == data.Length)
                break;
        }
        return done;
    }

    /// <summary>Copies bytes out of the guest; the count that could be read.</summary>
    public static int Gather(SyscallContext c, (ulong Address, long Length)[] iov, long skip, Span<byte> data)
    {
        int done = 0;
        foreach ((ulong address, long length) in iov)
        {
            if (skip >= length)
            {
                skip -= length;
                continue;
            }
            int n = (int)Math.Min(length - skip, data.Length - done);
            if (n > 0 && !c.Memory.Read(address + (ulong)skip, data.Slice(done, n)))
                return done;
            done += n;
            skip = 0;
            if (done == data.Length)
                break;
        }
        return done;
    }

    private static long ReadVector(SyscallContext c, (ulong Address, long Length)[] iov, long? position, uint flags)
    {
        if (FileArguments.File(c, 0) is not { CanRead: true } file)
            return -Errno.EBADF;
        long total = 0;
        foreach ((_, long length) in iov)
        {
            if (length < 0)
                return -Errno.EINVAL;
            total += length;
        }
        if (position != null && !file.Seekable)
            return -Errno.ESPIPE;
        FileArguments.CallerOf(c);
        long at = position ?? file.Position;
        long done = 0;
        do
        {
            int wanted = (int)Math.Min(total - done, ChunkSize);
            long n = file.Read(Chunk.AsSpan(0, wanted), at + done);
            if (n == -Errno.EAGAIN && done == 0)
                return WaitToRead(c, file, (flags & 8) != 0);
            if (n < 0)
                return done > 0 ? done : n;
            int copied = Scatter(c, iov, done, Chunk.AsSpan(0, (int)n));
            done += copied;
            if (position == null)
                file.Position = at + done;
            if (copied < n)
                return done > 0 ? done : -Errno.EFAULT;
            if (n < wanted)
                break;
        }
        while (done < total && file.IsStreamOfBytes);
        return done;
    }

    /// <summary>What a read or receive returns when there is nothing: -EAGAIN, or sleep.</summary>
    public static long WaitToRead(SyscallContext c, OpenFile file, bool dontWait)
    {
        if (file.NonBlocking || dontWait || c.TimedOut)
            return -Errno.EAGAIN;
        var progress = c.State as Progress ?? new Progress();
        ulong timeout = (file as SocketFile)?.ReceiveTimeout ?? 0;
        if (c.State == null && timeout != 0)
            progress.Deadline = c.Kernel.Timekeeper.NowNs + timeout;
        c.State = progress;
        return FileArguments.WaitFor(c, file, progress.Deadline, timeout != 0 ? Errno.EINTR : Errno.ERESTARTSYS);
    }

    private static long WriteVector(SyscallContext c, (ulong Address, long Length)[] iov, long? position, uint flags)
    {
        if (FileArguments.File(c, 0) is not { CanWrite: true } file)
            return -Errno.EBADF;
        long total = 0;
        foreach ((_, long length) in iov)
        {
            if (length < 0)
                return -Errno.EINVAL;
            total += length;
        }
        if (position != null && !file.Seekable)
            return -Errno.ESPIPE;
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
                return TooLarge(c);
            if ((ulong)at + (ulong)total > limit)
                total = (long)(limit - (ulong)at);
        }
        do
        {
            int wanted = (int)Math.Min(total - progress.Done, ChunkSize);
            int gathered = Gather(c, iov, progress.Done, Chunk.AsSpan(0, wanted));
            if (gathered < wanted && gathered == 0)
                return progress.Done > 0 ? progress.Done : -Errno.EFAULT;
            long n = file.Write(Chunk.AsSpan(0, gathered), at + progress.Done);
            if (n == -Errno.EAGAIN)
            {
                if (file.NonBlocking || (flags & 8) != 0)
                    return progress.Done > 0 ? progress.Done : -Errno.EAGAIN;
                if (progress.Done > 0 && c.SignalPending)
                    return progress.Done;
                return FileArguments.WaitFor(c, file);
            }
            if (n < 0)
            {
                if (n == -Errno.EPIPE)
                    c.Kernel.SendSignal(c.Task, 13);
                return progress.Done > 0 ? progress.Done : n;
            }
            progress.Done += n;
            if (position == null && file.Seekable)
                file.Position = at + progress.Done;
            if (gathered < wanted)
                break;
        }
        while (progress.Done < total);
        if (file.Inode.Watches != null || file.Inode.Parent?.Watches != null)
            c.Kernel.Vfs.NotifyWatches(file.Inode, InotifyBits.IN_MODIFY);
        return progress.Done;
    }

    private static long TooLarge(SyscallContext c)
    {
        c.Kernel.SendSignal(c.Task, Signal.SIGXFSZ);
        return -Errno.EFBIG;
    }

    /// <summary>inode_newsize_ok: RLIMIT_FSIZE of a file that grows.</summary>
    private static long Resize(SyscallContext c, Inode inode, long size) =>
        size > inode.Size && (ulong)size > c.Task.Group.Rlimits[Rlimits.Fsize].Soft ? TooLarge(c) : inode.Truncate(size);

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
            case 0:
                target = offset;
                break;
            case 1:
                target = file.Position + offset;
                break;
            case 2:
                target = file.Inode.Size + offset;
                break;
            case 3 or 4:
                bool data = c.Int(2) == 3;
                target = file.Inode is RegularFile regular ? regular.Seek(offset, data)
                    : offset < 0 || offset >= file.Inode.Size ? -Errno.ENXIO
                    : data ? offset : file.Inode.Size;
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

    public static long Sendfile(SyscallContext c)
    {
        if (FileArguments.File(c, 0) is not { CanWrite: true } output || FileArguments.File(c, 1) is not { CanRead: true } input)
            return -Errno.EBADF;
        if (!input.Seekable || (output.Flags & OpenFlags.O_APPEND) != 0)
            return -Errno.EINVAL;
        long offset = input.Position;
        if (c.Arg(2) != 0 && !c.Memory.Read(c.Arg(2), out offset))
            return -Errno.EFAULT;
        if (offset < 0)
            return -Errno.EINVAL;
        long result = Transfer(c, input, output, ref offset, null, c.Arg(3), true);
        if (c.Arg(2) != 0)
        {
            if (!c.Memory.Write(c.Arg(2), offset))
                return -Errno.EFAULT;
        }
        else
        {
            input.Position = offset;
        }
        return result;
    }

    /// <summary>Copies between two files until the count is reached, the input ends, or one would sleep.</summary>
    private static long Transfer(SyscallContext c, OpenFile input, OpenFile output, ref long from, long? to, ulong count, bool wait)
    {
        long done = 0;
        long limit = (long)Math.Min(count, (ulong)MaxCount);
        while (done < limit)
        {
            int wanted = (int)Math.Min(limit - done, ChunkSize);
            if (output is PipeFile pipe)
            {
                wanted = Math.Min(wanted, pipe.Contents.Data.Free);
                if (wanted == 0 && pipe.Contents.Readers > 0)
                    return done > 0 ? done : !wait || output.NonBlocking ? -Errno.EAGAIN : FileArguments.WaitFor(c, output);
                wanted = Math.Max(wanted, 1);
            }
            long n = input.Read(Chunk.AsSpan(0, wanted), from);
            if (n == -Errno.EAGAIN)
                return done > 0 ? done : !wait || input.NonBlocking ? n : FileArguments.WaitFor(c, input);
            if (n <= 0)
                return done > 0 ? done : n;
            long written = output.Write(Chunk.AsSpan(0, (int)n), to.HasValue ? to.Value + done : output.Position);
            if (written < 0)
            {
                if (written == -Errno.EAGAIN && input.Seekable && done == 0 && wait && !output.NonBlocking)
                    return FileArguments.WaitFor(c, output);
                if (written == -Errno.EPIPE)
                    c.Kernel.SendSignal(c.Task, 13);
                return done > 0 ? done : written;
            }
            from += written;
            done += written;
            if (!to.HasValue && output.Seekable)
                output.Position += written;
            if (written < n || !input.Seekable)
                break;
        }
        return done;
    }

    public static long CopyFileRange(SyscallContext c)
    {
        if (FileArguments.File(c, 0) is not { CanRead: true } input || FileArguments.File(c, 2) is not { CanWrite: true } output
            || (output.Flags & OpenFlags.O_APPEND) != 0)
            return -Errno.EBADF;
        if (input.Inode.IsDirectory || output.Inode.IsDirectory)
            return -Errno.EISDIR;
        if (!input.Inode.IsRegular || !output.Inode.IsRegular || c.UInt(5) != 0)
            return -Errno.EINVAL;
        long from = input.Position, to = output.Position;
        if ((c.Arg(1) != 0 && !c.Memory.Read(c.Arg(1), out from)) || (c.Arg(3) != 0 && !c.Memory.Read(c.Arg(3), out to)))
            return -Errno.EFAULT;
        long count = (long)Math.Min(c.Arg(4), (ulong)MaxCount);
        if (from < 0 || to < 0 || (input.Inode == output.Inode && from < to + count && to < from + count))
            return -Errno.EINVAL;
        long start = from;
        long n = Transfer(c, input, output, ref from, to, (ulong)count, false);
        if (n < 0)
            return n;
        if (c.Arg(1) == 0)
            input.Position = start + n;
        else if (!c.Memory.Write(c.Arg(1), start + n))
            return -Errno.EFAULT;
        if (c.Arg(3) == 0)
            output.Position = to + n;
        else if (!c.Memory.Write(c.Arg(3), to + n))
            return -Errno.EFAULT;
        return n;
    }

    public static long Splice(SyscallContext c)
    {
        if (FileArguments.File(c, 0) is not { CanRead: true } input || FileArguments.File(c, 2) is not { CanWrite: true } output)
            return -Errno.EBADF;
        if (input is not PipeFile && output is not PipeFile)
            return -Errno.EINVAL;
        if ((input is PipeFile && c.Arg(1) != 0) || (output is PipeFile && c.Arg(3) != 0))
            return -Errno.ESPIPE;
        long from = input.Position;
        long? to = null;
        if (c.Arg(1) != 0 && !c.Memory.Read(c.Arg(1), out from))
            return -Errno.EFAULT;
        if (c.Arg(3) != 0)
        {
            if (!c.Memory.Read(c.Arg(3), out long offset))
                return -Errno.EFAULT;
            to = offset;
        }
        long n = Transfer(c, input, output, ref from, to, c.Arg(4), (c.UInt(5) & 2) == 0);
        if (n <= 0)
            return n;
        if (c.Arg(1) == 0)
            input.Position = from;
        else if (!c.Memory.Write(c.Arg(1), from))
            return -Errno.EFAULT;
        return to.HasValue && !c.Memory.Write(c.Arg(3), to.Value + n) ? -Errno.EFAULT : n;
    }

    public static long Tee(SyscallContext c)
    {
        if (FileArguments.File(c, 0) is not PipeFile { CanRead: true } input
            || FileArguments.File(c, 1) is not PipeFile { CanWrite: true } output || input.Contents == output.Contents)
            return -Errno.EINVAL;
        bool wait = (c.UInt(3) & 2) == 0;
        if (input.Contents.Data.Count == 0)
            return input.Contents.Writers == 0 ? 0 : wait ? FileArguments.WaitFor(c, input) : -Errno.EAGAIN;
        if (output.Contents.Readers > 0 && output.Contents.Data.Free == 0)
            return wait ? FileArguments.WaitFor(c, output) : -Errno.EAGAIN;
        int n = input.Contents.Data.Peek(Chunk.AsSpan(0, (int)Math.Min((ulong)Math.Min(ChunkSize, output.Contents.Data.Free), c.Arg(2))));
        return output.Contents.Readers == 0 ? -Errno.EPIPE : output.Write(Chunk.AsSpan(0, n), 0);
    }

    public static long Vmsplice(SyscallContext c)
    {
        if (FileArguments.File(c, 0) is not PipeFile pipe)
            return -Errno.EBADF;
        if (Vector(c, out var iov) is < 0 and long error)
            return error;
        return pipe.CanWrite ? WriteVector(c, iov, null, (c.UInt(3) & 2) != 0 ? 8u : 0)
            : ReadVector(c, iov, null, (c.UInt(3) & 2) != 0 ? 8u : 0);
    }

    public static long Ftruncate(SyscallContext c)
    {
        if (FileArguments.File(c, 0) is not { } file)
            return -Errno.EBADF;
        if (c.Long(1) < 0 || !file.CanWrite || !file.Inode.IsRegular)
            return -Errno.EINVAL;
        return Resize(c, file.Inode, c.Long(1));
    }

    public static long Truncate(SyscallContext c)
    {
        if (c.Long(1) < 0)
            return -Errno.EINVAL;
        long error = FileArguments.Find(c, OpenFlags.AT_FDCWD, 0, true, false, out Inode? inode);
        if (error < 0)
            return error;
        if (inode!.IsDirectory)
            return -Errno.EISDIR;
        error = Vfs.Permission(inode, c.Task.Credentials, Modes.MAY_WRITE);
        return error < 0 ? error : Resize(c, inode, c.Long(1));
    }

    public static long Fallocate(SyscallContext c)
    {
        const int KEEP_SIZE = 1, PUNCH_HOLE = 2, ZERO_RANGE = 0x10;
        if (FileArguments.File(c, 0) is not { CanWrite: true } file)
            return -Errno.EBADF;
        int mode = c.Int(1);
        long offset = c.Long(2), length = c.Long(3);
        if (offset < 0 || length <= 0)
            return -Errno.EINVAL;
        if (file is PipeFile)
            return -Errno.ESPIPE;
        if (!file.Inode.IsRegular)
            return file.Inode.IsDirectory ? -Errno.EISDIR : -Errno.ENODEV;
        if ((mode & ~(KEEP_SIZE | PUNCH_HOLE | ZERO_RANGE)) != 0 || (mode & (PUNCH_HOLE | KEEP_SIZE)) == PUNCH_HOLE)
            return -Errno.EOPNOTSUPP;
        if ((mode & (PUNCH_HOLE | ZERO_RANGE)) != 0)
        {
            if (file.Inode is not RegularFile regular)
                return -Errno.EOPNOTSUPP;
            if ((regular.Seals & 0x18) != 0)
                return -Errno.EPERM;
            if (regular.Zero(offset, length) is < 0 and long error)
                return error;
        }
        return (mode & KEEP_SIZE) == 0 && offset + length > file.Inode.Size ? Resize(c, file.Inode, offset + length) : 0;
    }

    public static long Fsync(SyscallContext c)
    {
        if (FileArguments.File(c, 0) is not { } file)
            return -Errno.EBADF;
        (file.Inode as HostFile)?.SyncMapped();
        return file.Inode.IsRegular || file.Inode.IsDirectory || file.Inode.Type == Modes.S_IFBLK ? 0 : -Errno.EINVAL;
    }

    public static long SyncFileRange(SyscallContext c) => FileArguments.File(c, 0) is not { } file ? -Errno.EBADF
        : file is PipeFile ? -Errno.ESPIPE : 0;

    public static long Sync(SyscallContext c) => 0;

    public static long Syncfs(SyscallContext c) => c.Files[c.Int(0)] == null ? -Errno.EBADF : 0;

    public static long Fadvise64(SyscallContext c) => FileArguments.File(c, 0) is not { } file ? -Errno.EBADF
        : file is PipeFile ? -Errno.ESPIPE : c.Long(2) < 0 || c.UInt(3) > 5 ? -Errno.EINVAL : 0;

    public static long Readahead(SyscallContext c) => FileArguments.File(c, 0) is not { CanRead: true } file ? -Errno.EBADF
        : file.Inode.IsRegular ? 0 : -Errno.EINVAL;
}
