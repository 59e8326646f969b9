namespace ArmVdso.Kernel.Files;

/// <summary>A pipe: bytes, numbers of open ends (fs/pipe.c).</summary>
public sealed class Pipe(Vfs vfs)
{
    private const int Page = 4096;

    /// <summary>F_GETPIPE_SZ: bytes that fit when every buffer is filled.</summary>
    public int Size => Data.Slots * Page;

    /// <summary>The bytes under way.</summary>
    internal PipeBuffers Data { get; } = new(vfs);

    /// <summary>Wakes both ends.</summary>
    public PollSource Source { get; } = new();

    /// <summary>Open ends for reading.</summary>
    public int Readers { get; internal set; }

    /// <summary>Open ends for writing.</summary>
    public int Writers { get; internal set; }

    /// <summary>How many ends have ever been opened.</summary>
    internal int ReaderCount { get; set; }

    /// <inheritdoc cref="ReaderCount"/>
    internal int WriterCount { get; set; }
}

/// <summary>A FIFO's name in a directory.</summary>
public sealed class FifoInode(FileSystem fs, uint permissions) : Inode(fs, Modes.S_IFIFO | permissions)
{
    private Pipe? _pipe;

    /// <inheritdoc/>
    public override long Open(int flags, IFileUser? task, out OpenFile? file)
    {
        file = null;
        if (OpenCount == 0)
            _pipe = new Pipe(Fs.Vfs);
        if ((flags & OpenFlags.O_ACCMODE) == OpenFlags.O_WRONLY && (flags & OpenFlags.O_NONBLOCK) != 0 && _pipe!.Readers == 0)
            return -Errno.ENXIO;
        file = new PipeFile(this, flags, _pipe!);
        return 0;
    }
}

/// <summary>One end of a pipe, or both ends of a FIFO opened for both.</summary>
public sealed class PipeFile : OpenFile
{
    private const int Page = 4096;
    private readonly Pipe _pipe;
    private readonly int _writersBefore;
    private readonly int _readersBefore;

    /// <summary>A FIFO that was opened without waiting for a writer reports no hang-up before one came.</summary>
    private readonly int _quietUntil;

    /// <summary>Opens an end.</summary>
    public PipeFile(Inode inode, int flags, Pipe pipe) : base(inode, flags)
    {
        _pipe = pipe;
        _writersBefore = pipe.WriterCount;
        _readersBefore = pipe.ReaderCount;
        _quietUntil = inode is FifoInode && NonBlocking && pipe.Writers == 0 ? pipe.WriterCount : 0;
        if (CanRead)
        {
            pipe.Readers++;
            pipe.ReaderCount++;
        }
        if (CanWrite)
        {
            pipe.Writers++;
            pipe.WriterCount++;
        }
        pipe.Source.Notify(0);
    }

    /// <summary>Makes both ends of a new pipe.</summary>
    public static (OpenFile Read, OpenFile Write) Create(Vfs vfs, int flags)
    {
        var pipe = new Pipe(vfs);
        AnonymousInode? inode = null;
        inode = new AnonymousInode(vfs.PipeFs, Modes.S_IFIFO | 0x180) { Reopen = f => new PipeFile(inode!, f, pipe) };
        return (new PipeFile(inode, flags & ~OpenFlags.O_DIRECT, pipe), new PipeFile(inode, flags | OpenFlags.O_WRONLY, pipe));
    }

    /// <summary>The pipe.</summary>
    public Pipe Contents => _pipe;

    /// <summary>An open of a FIFO still waits for its other side.</summary>
    public bool OpenPending => !NonBlocking && Inode is FifoInode
        && (CanRead ? !CanWrite && _pipe.Writers == 0 && _pipe.WriterCount == _writersBefore
            : _pipe.Readers == 0 && _pipe.ReaderCount == _readersBefore);

    /// <inheritdoc/>
    public override PollSource Source => _pipe.Source;

    /// <inheritdoc/>
    public override string Description => Inode is FifoInode ? base.Description : $"pipe:[{Inode.Ino}]";

    /// <inheritdoc/>
    public override long Read(Span<byte> buffer, long position)
    {
        if (buffer.Length == 0)
            return 0;
        int n = _pipe.Data.Read(buffer);
        if (n == 0)
            return _pipe.Writers == 0 ? 0 : -Errno.EAGAIN;
        _pipe.Source.Notify(PollBits.Writable);
        return n;
    }

    /// <inheritdoc/>
    public override long Write(ReadOnlySpan<byte> data, long position)
    {
        if (_pipe.Readers == 0)
            return -Errno.EPIPE;
        if (data.Length == 0)
            return 0;
        int n = _pipe.Data.Write(data, (Flags & OpenFlags.O_DIRECT) != 0);
        if (n == 0)
            return _pipe.Data.Free == 0 ? -Errno.EAGAIN : -Errno.ENOMEM;
        _pipe.Source.Notify(PollBits.Readable);
        return n;
    }

    /// <summary>Adds bytes of a file's or a program's pages; the count, -EPIPE, or -EAGAIN when there is no room.</summary>
    /// <param name="data">The bytes.</param>
    /// <param name="offset">Where they begin in their pages.</param>
    public long Splice(ReadOnlySpan<byte> data, long offset)
    {
        if (_pipe.Readers == 0)
            return -Errno.EPIPE;
        int n = _pipe.Data.Splice(data, offset);
        if (n == 0)
            return _pipe.Data.Free == 0 ? -Errno.EAGAIN : -Errno.ENOMEM;
        _pipe.Source.Notify(PollBits.Readable);
        return n;
    }

    /// <summary>Hands bytes on to another pipe, or copies them.</summary>
    public int PassTo(PipeFile to, int most, bool keep)
    {
        int n = _pipe.Data.MoveTo(to._pipe.Data, most, keep);
        if (n != 0)
            to._pipe.Source.Notify(PollBits.Readable);
        if (n != 0 && !keep)
            _pipe.Source.Notify(PollBits.Writable);
        return n;
    }

    /// <inheritdoc/>
    public override uint Poll()
    {
        uint events = 0;
        if (CanRead)
        {
            if (_pipe.Data.Count > 0)
                events |= PollBits.Readable;
            if (_pipe.Writers == 0 && _pipe.WriterCount != _quietUntil)
                events |= PollBits.Hup;
        }
        if (CanWrite)
        {
            if (_pipe.Data.Free != 0)
                events |= PollBits.Writable;
            if (_pipe.Readers == 0)
                events |= PollBits.Err;
        }
        return events;
    }

    /// <inheritdoc/>
    public override long Ioctl(IFileUser user, uint command, ulong argument) => command == IoctlNumbers.FIONREAD
        ? user.Memory.Write(argument, _pipe.Data.Count) ? 0 : -Errno.EFAULT
        : -Errno.ENOTTY;

    /// <summary>F_SETPIPE_SZ: the new size in bytes or an error.</summary>
    public long SetSize(long size, bool privileged)
    {
        if (size is > 1L << 31 or < 0)
            return -Errno.EINVAL;
        long rounded = (long)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)Math.Max(4096, size));
        if (rounded > _pipe.Size && rounded > Inode.Fs.Vfs.PipeMaxSize && !privileged)
            return -Errno.EPERM;
        if (rounded / Page < _pipe.Data.Used)
            return -Errno.EBUSY;
        bool grew = rounded > _pipe.Size;
        _pipe.Data.Resize((int)(rounded / Page));
        if (grew)
            _pipe.Source.Notify(PollBits.Writable);
        return rounded;
    }

    /// <inheritdoc/>
    protected override void Released()
    {
        if (CanRead)
            _pipe.Readers--;
        if (CanWrite)
            _pipe.Writers--;
        if (_pipe.Readers == 0 && _pipe.Writers == 0)
            _pipe.Data.Clear();
        _pipe.Source.Notify(PollBits.Hup | PollBits.Err);
    }
}
