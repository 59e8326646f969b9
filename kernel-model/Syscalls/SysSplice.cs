using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Bytes from one descriptor to another without a stop in the guest (fs/splice.c; sendfile and copy_file_range of
/// fs/read_write.c).</summary>
internal static class SysSplice
{
    private const int Page = 4096;

    /// <summary>Most bytes of one call where a device, a terminal or a socket is on one side.</summary>
    private const ulong Portion = 16 << 20;

    private const uint SPLICE_F_NONBLOCK = 2, SPLICE_F_MORE = 4, SPLICE_F_ALL = 15;

    public static long Sendfile(SyscallContext c)
    {
        if (FileArguments.File(c, 0) is not { CanWrite: true } output || FileArguments.File(c, 1) is not { CanRead: true } input)
            return -Errno.EBADF;
        if (c.Arg(2) != 0 && !input.Seekable)
            return -Errno.ESPIPE;
        // Into a pipe it is splice, with what that takes; elsewhere the input must have places.
        bool gives = output is PipeFile ? input is not PipeFile && Gives(input) : input.Seekable && Gives(input) && Takes(output);
        if (!gives || (output.Flags & OpenFlags.O_APPEND) != 0)
            return -Errno.EINVAL;
        long offset = input.Position;
        if (c.Arg(2) != 0 && !c.Memory.Read(c.Arg(2), out offset))
            return -Errno.EFAULT;
        if (offset < 0)
            return -Errno.EINVAL;
        long result = SysReadWrite.CountRead(c, SysReadWrite.CountWrite(c, Transfer(c, input, output, ref offset, null, c.Arg(3), true)));
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
    private static long Transfer(SyscallContext c, OpenFile input, OpenFile output, ref long from, long? to, ulong count, bool wait,
        bool more = false)
    {
        long done = 0;
        // What has no end on one side is given in portions, so that the caller can be interrupted; a file is copied as a whole.
        bool files = input.Inode.IsRegular && output.Inode.IsRegular;
        long limit = (long)Math.Min(count, files ? (ulong)IoVector.MaxCount : Portion);
        while (done < limit)
        {
            int wanted = (int)Math.Min(limit - done, IoVector.ChunkSize);
            if (output is PipeFile pipe)
            {
                int free = pipe.Contents.Data.Free;
                if (free == 0 && pipe.Contents.Readers > 0)
                    return done > 0 ? done : !wait || output.NonBlocking ? -Errno.EAGAIN : FileArguments.WaitFor(c, output);
                wanted = (int)Math.Min(wanted, Math.Max(1, (long)free * Page - (input.Seekable ? from & (Page - 1) : 0)));
            }
            // What the other side does not take stays in the pipe.
            var source = input as PipeFile;
            Span<byte> chunk = c.Chunk.AsSpan(0, wanted);
            long n = source is not null ? source.Peek(chunk) : input.Read(chunk, from);
            if (n == -Errno.EAGAIN)
                return done > 0 ? done : !wait || input.NonBlocking ? n : FileArguments.WaitFor(c, input);
            if (n <= 0)
                return done > 0 ? done : n;
            Span<byte> bytes = c.Chunk.AsSpan(0, (int)n);
            long written = output is PipeFile into
                ? into.Splice(bytes, input.Seekable ? from : 0)
                : output is SocketFile socket ? socket.Send(bytes, [], FileArguments.CallerOf(c), null, new SendOptions { More = more })
                : output.Write(bytes, to.HasValue ? to.Value + done : output.Position);
            if (written < 0)
            {
                if (written == -Errno.EAGAIN && (input.Seekable || source is not null) && done == 0 && wait && !output.NonBlocking)
                    return FileArguments.WaitFor(c, output);
                if (written == -Errno.EPIPE)
                    c.Signals.SendOwn(c.Task, Signal.SIGPIPE);
                return done > 0 ? done : written;
            }
            source?.Skip((int)written);
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
        if (FileArguments.File(c, 0) is not { } input || FileArguments.File(c, 2) is not { } output)
            return -Errno.EBADF;
        long from = input.Position, to = output.Position;
        if ((c.Arg(1) != 0 && !c.Memory.Read(c.Arg(1), out from)) || (c.Arg(3) != 0 && !c.Memory.Read(c.Arg(3), out to)))
            return -Errno.EFAULT;
        if (CheckCopy(c, input, output, from, to, out long count) is < 0 and long error)
            return error;
        long start = from;
        long n = SysReadWrite.CountRead(c, SysReadWrite.CountWrite(c, Transfer(c, input, output, ref from, to, (ulong)count, false)));
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

    /// <summary>What copy_file_range refuses, in the kernel's order (vfs_copy_file_range, generic_copy_file_checks).</summary>
    private static long CheckCopy(SyscallContext c, OpenFile input, OpenFile output, long from, long to, out long count)
    {
        count = 0;
        if (c.UInt(5) != 0)
            return -Errno.EINVAL;
        if (input.Inode.IsDirectory || output.Inode.IsDirectory)
            return -Errno.EISDIR;
        if (!input.Inode.IsRegular || !output.Inode.IsRegular)
            return -Errno.EINVAL;
        if (!input.CanRead || !output.CanWrite || (output.Flags & OpenFlags.O_APPEND) != 0)
            return -Errno.EBADF;
        if (input.Inode.Fs.Whole != output.Inode.Fs.Whole)
            return -Errno.EXDEV;
        if (output.Inode.IsImmutable)
            return -Errno.EPERM;
        if (from < 0 || to < 0)
            return -Errno.EINVAL;
        ulong wanted = c.Arg(4);
        if ((ulong)from + wanted < (ulong)from || (ulong)to + wanted < (ulong)to || (ulong)from + wanted > long.MaxValue
            || (ulong)to + wanted > long.MaxValue)
            return -Errno.EOVERFLOW;
        count = (long)Math.Min(wanted, (ulong)Math.Max(input.Inode.Size - from, 0));
        if (input.Inode == output.Inode && from < to + count && to < from + count)
            return -Errno.EINVAL;
        count = Math.Min(count, IoVector.MaxCount);
        return 0;
    }

    public static long Splice(SyscallContext c)
    {
        if (c.Arg(4) == 0)
            return 0;
        if ((c.UInt(5) & ~SPLICE_F_ALL) != 0)
            return -Errno.EINVAL;
        if (FileArguments.File(c, 0) is not { } input || FileArguments.File(c, 2) is not { } output)
            return -Errno.EBADF;
        if ((input is PipeFile && c.Arg(1) != 0) || (output is PipeFile && c.Arg(3) != 0))
            return -Errno.ESPIPE;
        long from = input.Position, to = output.Position;
        if ((c.Arg(3) != 0 && !c.Memory.Read(c.Arg(3), out to)) || (c.Arg(1) != 0 && !c.Memory.Read(c.Arg(1), out from)))
            return -Errno.EFAULT;
        if (!input.CanRead || !output.CanWrite)
            return -Errno.EBADF;
        if (CheckEnds(c, input, output, from, to) is < 0 and long error)
            return error;
        bool wait = (c.UInt(5) & SPLICE_F_NONBLOCK) == 0;
        if (input is PipeFile first && output is PipeFile second)
            return Pass(c, first, second, wait && !first.NonBlocking && !second.NonBlocking, false);
        long n = Transfer(c, input, output, ref from, c.Arg(3) != 0 ? to : null, c.Arg(4), wait,
            (c.UInt(5) & SPLICE_F_MORE) != 0);
        if (n <= 0)
            return n;
        if (c.Arg(1) == 0)
            input.Position = from;
        else if (!c.Memory.Write(c.Arg(1), from))
            return -Errno.EFAULT;
        return c.Arg(3) != 0 && !c.Memory.Write(c.Arg(3), to + n) ? -Errno.EFAULT : n;
    }

    /// <summary>What splice refuses: ends of one pipe, no pipe, offsets of what has none, files that are appended to (do_splice).</summary>
    private static long CheckEnds(SyscallContext c, OpenFile input, OpenFile output, long from, long to)
    {
        if (input is PipeFile first && output is PipeFile second)
            return first.Contents == second.Contents ? -Errno.EINVAL : 0;
        if (input is not PipeFile && output is not PipeFile)
            return -Errno.EINVAL;
        if ((input is not PipeFile && !Gives(input)) || (output is not PipeFile && !Takes(output)))
            return -Errno.EINVAL;
        if ((c.Arg(3) != 0 && !output.Seekable) || (c.Arg(1) != 0 && !input.Seekable) || from < 0 || to < 0)
            return -Errno.EINVAL;
        if (output is not PipeFile && (output.Flags & OpenFlags.O_APPEND) != 0)
            return -Errno.EINVAL;
        return 0;
    }

    private static bool Gives(OpenFile file) => file is SocketFile || file.GivesToPipes;

    private static bool Takes(OpenFile file) => file is PipeFile or SocketFile || file.TakesFromPipes;

    /// <summary>From pipe to pipe: buffers are handed on, or doubled (splice_pipe_to_pipe, link_pipe).</summary>
    private static long Pass(SyscallContext c, PipeFile input, PipeFile output, bool wait, bool keep)
    {
        if (output.Contents.Readers == 0)
        {
            c.Signals.SendOwn(c.Task, Signal.SIGPIPE);
            return -Errno.EPIPE;
        }
        if (input.Contents.Data.Used == 0)
            return input.Contents.Writers == 0 ? 0 : wait ? FileArguments.WaitFor(c, input) : -Errno.EAGAIN;
        if (output.Contents.Data.Free == 0)
            return wait ? FileArguments.WaitFor(c, output) : -Errno.EAGAIN;
        return input.PassTo(output, (int)Math.Min(c.Arg(keep ? 2 : 4), IoVector.MaxCount), keep);
    }

    public static long Tee(SyscallContext c)
    {
        if ((c.UInt(3) & ~SPLICE_F_ALL) != 0)
            return -Errno.EINVAL;
        if (c.Arg(2) == 0)
            return 0;
        if (FileArguments.File(c, 0) is not { CanRead: true } from || FileArguments.File(c, 1) is not { CanWrite: true } to)
            return -Errno.EBADF;
        if (from is not PipeFile input || to is not PipeFile output || input.Contents == output.Contents)
            return -Errno.EINVAL;
        bool wait = (c.UInt(3) & SPLICE_F_NONBLOCK) == 0 && !input.NonBlocking && !output.NonBlocking;
        return Pass(c, input, output, wait, true);
    }

    public static long Vmsplice(SyscallContext c)
    {
        if ((c.UInt(3) & ~SPLICE_F_ALL) != 0)
            return -Errno.EINVAL;
        if (FileArguments.File(c, 0) is not { } file || !(file.CanRead || file.CanWrite))
            return -Errno.EBADF;
        if (IoVector.Read(c, c.Arg(1), c.Arg(2), out var iov) is < 0 and long error)
            return error;
        if (IoVector.Total(iov) is var total && total <= 0)
            return total;
        if (file is not PipeFile pipe)
            return -Errno.EBADF;
        bool wait = (c.UInt(3) & SPLICE_F_NONBLOCK) == 0;
        if (!pipe.CanWrite)
            return SysReadWrite.ReadVector(c, iov, null, wait ? 0 : SysReadWrite.RWF_NOWAIT);
        if (pipe.Contents.Readers != 0 && pipe.Contents.Data.Free == 0)
            return wait && !pipe.NonBlocking ? FileArguments.WaitFor(c, pipe) : -Errno.EAGAIN;
        long done = 0;
        foreach ((ulong address, long length) in iov)
        {
            for (long at = 0; at < length;)
            {
                Span<byte> bytes = c.Chunk.AsSpan(0, (int)Math.Min(length - at, IoVector.ChunkSize));
                bytes = bytes[..c.Memory.Accessible(address + (ulong)at, bytes.Length, false)];
                if (bytes.IsEmpty || !c.Memory.Read(address + (ulong)at, bytes))
                    return done > 0 ? done : -Errno.EFAULT;
                long n = pipe.Splice(bytes, (long)(address + (ulong)at));
                if (n == -Errno.EPIPE)
                    c.Signals.SendOwn(c.Task, Signal.SIGPIPE);
                if (n < 0)
                    return done > 0 ? done : n;
                done += n;
                at += n;
                if (n < bytes.Length)
                    return done;
            }
        }
        return done;
    }
}
