using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Bytes from one descriptor to another without a stop in the guest (fs/splice.c; sendfile and copy_file_range of
/// fs/read_write.c).</summary>
internal static class SysSplice
{
    private const uint SPLICE_F_NONBLOCK = 2;

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
        long limit = (long)Math.Min(count, (ulong)IoVector.MaxCount);
        while (done < limit)
        {
            int wanted = (int)Math.Min(limit - done, IoVector.ChunkSize);
            if (output is PipeFile pipe)
            {
                wanted = Math.Min(wanted, pipe.Contents.Data.Free);
                if (wanted == 0 && pipe.Contents.Readers > 0)
                    return done > 0 ? done : !wait || output.NonBlocking ? -Errno.EAGAIN : FileArguments.WaitFor(c, output);
                wanted = Math.Max(wanted, 1);
            }
            long n = input.Read(c.Chunk.AsSpan(0, wanted), from);
            if (n == -Errno.EAGAIN)
                return done > 0 ? done : !wait || input.NonBlocking ? n : FileArguments.WaitFor(c, input);
            if (n <= 0)
                return done > 0 ? done : n;
            long written = output.Write(c.Chunk.AsSpan(0, (int)n), to.HasValue ? to.Value + done : output.Position);
            if (written < 0)
            {
                if (written == -Errno.EAGAIN && input.Seekable && done == 0 && wait && !output.NonBlocking)
                    return FileArguments.WaitFor(c, output);
                if (written == -Errno.EPIPE)
                    c.Signals.Send(c.Task, Signal.SIGPIPE);
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
        long count = (long)Math.Min(c.Arg(4), (ulong)IoVector.MaxCount);
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
        long n = Transfer(c, input, output, ref from, to, c.Arg(4), (c.UInt(5) & SPLICE_F_NONBLOCK) == 0);
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
        bool wait = (c.UInt(3) & SPLICE_F_NONBLOCK) == 0;
        if (input.Contents.Data.Count == 0)
            return input.Contents.Writers == 0 ? 0 : wait ? FileArguments.WaitFor(c, input) : -Errno.EAGAIN;
        if (output.Contents.Readers > 0 && output.Contents.Data.Free == 0)
            return wait ? FileArguments.WaitFor(c, output) : -Errno.EAGAIN;
        int room = Math.Min(IoVector.ChunkSize, output.Contents.Data.Free);
        int n = input.Contents.Data.Peek(c.Chunk.AsSpan(0, (int)Math.Min((ulong)room, c.Arg(2))));
        return output.Contents.Readers == 0 ? -Errno.EPIPE : output.Write(c.Chunk.AsSpan(0, n), 0);
    }

    public static long Vmsplice(SyscallContext c)
    {
        if (FileArguments.File(c, 0) is not PipeFile pipe)
            return -Errno.EBADF;
        if (IoVector.Read(c, c.Arg(1), c.Arg(2), out var iov) is < 0 and long error)
            return error;
        uint flags = (c.UInt(3) & SPLICE_F_NONBLOCK) != 0 ? SysReadWrite.RWF_NOWAIT : 0;
        return pipe.CanWrite ? SysReadWrite.WriteVector(c, iov, null, flags) : SysReadWrite.ReadVector(c, iov, null, flags);
    }
}
