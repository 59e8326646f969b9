using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Files;

/// <summary>A pipe: bytes, numbers of open ends (fs/pipe.c).</summary>
public sealed class Pipe
{
    private const int Page = 4096;
    private readonly PipePages _pages;
    private readonly uint _owner;

    private Pipe(Vfs vfs, uint owner, int slots)
    {
        Data = new PipeBuffers(vfs, slots);
        _pages = vfs.PipePages;
        _owner = owner;
    }

    /// <summary>A pipe of the caller's: 0, or -ENFILE when the user has too many.</summary>
    internal static long Make(Vfs vfs, out Pipe? pipe)
    {
        pipe = null;
        Credentials who = vfs.Current?.Credentials ?? vfs.RootCaller.Credentials;
        int slots = vfs.PipePages.Take(who);
        if (slots == 0)
            return -Errno.ENFILE;
        pipe = new Pipe(vfs, who.Uid, slots);
        return 0;
    }

    /// <summary>F_SETPIPE_SZ: 0 or -EPERM.</summary>
    internal long Resize(Credentials who, int slots)
    {
        long error = _pages.Change(who, _owner, Data.Slots, slots);
        if (error == 0)
            Data.Resize(slots);
        return error;
    }

    /// <summary>Nobody has it open: what is in it goes, and its owner has its pages back.</summary>
    internal void Clear()
    {
        Data.Clear();
        _pages.Add(_owner, -Data.Slots);
    }

    /// <summary>F_GETPIPE_SZ: bytes that fit when every buffer is filled.</summary>
    public int Size => Data.Slots * Page;

    /// <summary>The bytes under way.</summary>
    internal PipeBuffers Data { get; }

    /// <summary>Wakes both ends.</summary>
    public PollSource Source { get; } = new();

    /// <summary>Who hears by signal of bytes that come, and of room.</summary>
    internal AsyncFiles AsyncReaders { get; } = new();

    /// <inheritdoc cref="AsyncReaders"/>
    internal AsyncFiles AsyncWriters { get; } = new();

    /// <summary>Bytes have come.</summary>
    internal void Filled()
    {
        Source.Notify(PollBits.Readable);
        AsyncReaders.Tell(IoEvent.In);
    }

    /// <summary>Bytes were taken.</summary>
    internal void Drained()
    {
        Source.Notify(PollBits.Writable);
        AsyncWriters.Tell(IoEvent.Out);
    }

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
        // A FIFO whose last end was closed is a new pipe to whoever opens it next.
        if (_pipe is null or { Readers: 0, Writers: 0 } && Pipe.Make(Fs.Vfs, out _pipe) is < 0 and long error)
            return error;
        if ((flags & OpenFlags.O_ACCMODE) == OpenFlags.O_WRONLY && (flags & OpenFlags.O_NONBLOCK) != 0 && _pipe!.Readers == 0)
        {
            if (_pipe.Writers == 0)
                _pipe.Clear();
            return -Errno.ENXIO;
        }
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

    /// <summary>Makes both ends of a new pipe: 0, or -ENFILE.</summary>
    public static long Create(Vfs vfs, int flags, out OpenFile? read, out OpenFile? write)
    {
        (read, write) = (null, null);
        long error = Pipe.Make(vfs, out Pipe? pipe);
        if (error < 0)
            return error;
        AnonymousInode? inode = null;
        inode = new AnonymousInode(vfs.PipeFs, Modes.S_IFIFO | 0x180) { Reopen = f => new PipeFile(inode!, f, pipe!) };
        read = new PipeFile(inode, flags & ~OpenFlags.O_DIRECT, pipe!);
        write = new PipeFile(inode, flags | OpenFlags.O_WRONLY, pipe!);
        return 0;
    }

    /// <summary>The pipe.</summary>
    public Pipe Contents => _pipe;

    /// <inheritdoc/>
    internal override AsyncFiles? ReadAsync => CanRead ? _pipe.AsyncReaders : null;

    /// <inheritdoc/>
    internal override AsyncFiles? WriteAsync => CanWrite ? _pipe.AsyncWriters : null;

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
        {
            // pipe_read tells writers at its end in any case, pipe_write readers.
            if (NonBlocking)
                _pipe.AsyncWriters.Tell(IoEvent.Out);
            return _pipe.Writers == 0 ? 0 : -Errno.EAGAIN;
        }
        _pipe.Drained();
        return n;
    }

    /// <summary>Copies what a read would take, as a read answers.</summary>
    internal long Peek(Span<byte> buffer) =>
        _pipe.Data.Peek(buffer) is > 0 and var n ? n : _pipe.Writers == 0 ? 0 : -Errno.EAGAIN;

    /// <summary>Takes bytes that <see cref="Peek"/> has shown.</summary>
    internal void Skip(int count)
    {
        _pipe.Data.Skip(count);
        _pipe.Drained();
    }

    /// <inheritdoc/>
    public override long Write(ReadOnlySpan<byte> data, long position)
    {
        if (_pipe.Readers == 0)
            return -Errno.EPIPE;
        if (data.Length == 0)
            return 0;
        int n = _pipe.Data.Write(data, (Flags & OpenFlags.O_DIRECT) != 0);
        if (n == 0 && NonBlocking)
            _pipe.AsyncReaders.Tell(IoEvent.In);
        if (n == 0)
            return _pipe.Data.Free == 0 ? -Errno.EAGAIN : -Errno.ENOMEM;
        _pipe.Filled();
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
        _pipe.Filled();
        return n;
    }

    /// <summary>Hands bytes on to another pipe, or copies them.</summary>
    public int PassTo(PipeFile to, int most, bool keep)
    {
        int n = _pipe.Data.MoveTo(to._pipe.Data, most, keep);
        if (n != 0)
            to._pipe.Filled();
        if (n != 0 && !keep)
            _pipe.Drained();
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
    public long SetSize(long size, Credentials who)
    {
        if (size is > 1L << 31 or < 0)
            return -Errno.EINVAL;
        long rounded = (long)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)Math.Max(4096, size));
        if (rounded / Page < _pipe.Data.Used)
            return -Errno.EBUSY;
        bool grew = rounded > _pipe.Size;
        if (_pipe.Resize(who, (int)(rounded / Page)) is < 0 and long error)
            return error;
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
            _pipe.Clear();
        _pipe.Source.Notify(PollBits.Hup | PollBits.Err);
        if (_pipe.Readers == 0 == (_pipe.Writers == 0))
            return;
        _pipe.AsyncReaders.Tell(IoEvent.In);
        _pipe.AsyncWriters.Tell(IoEvent.Out);
    }
}
