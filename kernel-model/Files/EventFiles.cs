using System.Buffers.Binary;

namespace ArmVdso.Kernel.Files;

/// <summary>eventfd: a counter (fs/eventfd.c).</summary>
public sealed class EventFile(Vfs vfs, ulong count, bool semaphore, int flags)
    : OpenFile(new AnonymousInode(vfs.Anonymous, 0x180), OpenFlags.O_RDWR | flags)
{
    private ulong _count = count;

    /// <inheritdoc/>
    public override PollSource Source { get; } = new();

    /// <inheritdoc/>
    public override string Description => "anon_inode:[eventfd]";

    /// <inheritdoc/>
    public override string FdInfo => $"eventfd-count: {_count,16:x}\n";

    /// <inheritdoc/>
    public override long Read(Span<byte> buffer, long position)
    {
        if (buffer.Length < 8)
            return -Errno.EINVAL;
        if (_count == 0)
            return -Errno.EAGAIN;
        ulong value = semaphore ? 1 : _count;
        _count -= value;
        BinaryPrimitives.WriteUInt64LittleEndian(buffer, value);
        Source.Notify(PollBits.Writable);
        return 8;
    }

    /// <inheritdoc/>
    public override bool WritesRest => false;

    /// <inheritdoc/>
    public override long Write(ReadOnlySpan<byte> data, long position)
    {
        if (data.Length < 8)
            return -Errno.EINVAL;
        ulong value = BinaryPrimitives.ReadUInt64LittleEndian(data);
        if (value == ulong.MaxValue)
            return -Errno.EINVAL;
        if (_count > ulong.MaxValue - 1 - value)
            return -Errno.EAGAIN;
        _count += value;
        Source.Notify(PollBits.Readable);
        return 8;
    }

    /// <inheritdoc/>
    public override uint Poll() => (_count > 0 ? PollBits.In : 0) | (_count < ulong.MaxValue - 1 ? PollBits.Out : 0);
}
