namespace ArmVdso.Kernel.Files;

/// <summary>A queue of bytes with a fixed capacity.</summary>
public sealed class ByteQueue(int capacity)
{
    private byte[] _ring = [];
    private int _head;

    /// <summary>Bytes in the queue.</summary>
    public int Count { get; private set; }

    /// <summary>Most bytes that fit.</summary>
    public int Capacity { get; set; } = capacity;

    /// <summary>Bytes that still fit.</summary>
    public int Free => Math.Max(0, Capacity - Count);

    /// <summary>Adds what fits and returns how much that was.</summary>
    public int Enqueue(ReadOnlySpan<byte> data)
    {
        int length = Math.Min(data.Length, Free);
        if (Count + length > _ring.Length)
        {
            byte[] larger = new byte[Math.Max(Count + length, Math.Min(Capacity, Math.Max(4096, _ring.Length * 2)))];
            int count = Peek(larger);
            _ring = larger;
            (_head, Count) = (0, count);
        }
        if (length == 0)
            return 0;
        int tail = (_head + Count) % _ring.Length;
        int first = Math.Min(length, _ring.Length - tail);
        data[..first].CopyTo(_ring.AsSpan(tail));
        data[first..length].CopyTo(_ring);
        Count += length;
        return length;
    }

    /// <summary>Copies bytes from the front without taking them.</summary>
    public int Peek(Span<byte> target)
    {
        int length = Math.Min(target.Length, Count);
        int first = Math.Min(length, _ring.Length - _head);
        _ring.AsSpan(_head, first).CopyTo(target);
        _ring.AsSpan(0, length - first).CopyTo(target[first..]);
        return length;
    }

    /// <summary>Drops bytes from the front.</summary>
    public void Skip(int count)
    {
        Count -= count;
        _head = Count == 0 ? 0 : (_head + count) % _ring.Length;
    }

    /// <summary>Takes bytes from the front.</summary>
    public int Dequeue(Span<byte> target)
    {
        int length = Peek(target);
        if (length > 0)
            Skip(length);
        return length;
    }
}

/// <summary>A pipe: bytes, numbers of open ends (fs/pipe.c).</summary>
public sealed class Pipe
{
    /// <summary>Writes of at most so many bytes are atomic.</summary>
    public const int PipeBuf = 4096;

    /// <summary>The bytes under way.</summary>
    public ByteQueue Data { get; } = new(65536);

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
            _pipe = new Pipe();
        if ((flags & OpenFlags.O_ACCMODE) == OpenFlags.O_WRONLY && (flags & OpenFlags.O_NONBLOCK) != 0 && _pipe!.Readers == 0)
            return -Errno.ENXIO;
        file = new PipeFile(this, flags, _pipe!);
        return 0;
    }
}

/// <summary>One end of a pipe, or both ends of a FIFO opened for both.</summary>
public sealed class PipeFile : OpenFile
{
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
        var pipe = new Pipe();
        AnonymousInode? inode = null;
        inode = new AnonymousInode(vfs.PipeFs, Modes.S_IFIFO | 0x180) { Reopen = f => new PipeFile(inode!, f, pipe) };
        return (new PipeFile(inode, flags, pipe), new PipeFile(inode, flags | OpenFlags.O_WRONLY, pipe));
    }

    /// <summary>The pipe.</summary>
    public Pipe Contents => _pipe;

    /// <summary>An open of a FIFO still waits for its other side.</summary>
    public bool OpenPending => !NonBlocking
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
        int n = _pipe.Data.Dequeue(buffer);
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
        if (_pipe.Data.Free == 0 || (data.Length <= Pipe.PipeBuf && _pipe.Data.Free < data.Length))
            return -Errno.EAGAIN;
        int n = _pipe.Data.Enqueue(data);
        _pipe.Source.Notify(PollBits.Readable);
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
            if (_pipe.Data.Free >= Math.Min(Pipe.PipeBuf, _pipe.Data.Capacity))
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
        if (size > int.MaxValue || size < 0)
            return -Errno.EINVAL;
        long rounded = (long)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)Math.Max(4096, size));
        if (rounded > 1 << 20 && !privileged)
            return -Errno.EPERM;
        if (rounded < _pipe.Data.Count)
            return -Errno.EBUSY;
        _pipe.Data.Capacity = (int)rounded;
        return rounded;
    }

    /// <inheritdoc/>
    protected override void Released()
    {
        if (CanRead)
            _pipe.Readers--;
        if (CanWrite)
            _pipe.Writers--;
        _pipe.Source.Notify(PollBits.Hup | PollBits.Err);
    }
}
