using System.Buffers.Binary;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Waiting;

namespace ArmVdso.Kernel.Files;

/// <summary>A change of mappings that a userfaultfd hears of; who has made it waits until it was read
/// (userfaultfd_event_wait_completion).</summary>
/// <param name="message">struct uffd_msg.</param>
/// <param name="child">Of a fork: the userfaultfd of the child's memory.</param>
internal sealed class MappingChange(byte[] message, UserfaultFile? child)
{
    internal ReadOnlySpan<byte> Message => message;

    internal UserfaultFile? Child => child;

    /// <summary>Somebody has read it, or nobody will.</summary>
    internal bool IsRead { get; private set; }

    /// <summary>Where who made it waits.</summary>
    internal WaitQueue Queue { get; } = new();

    internal void WasRead()
    {
        IsRead = true;
        Queue.WakeAll();
    }
}

/// <summary>What a userfaultfd hears of beside faults.</summary>
internal sealed partial class UserfaultFile
{
    private readonly Queue<MappingChange> _changes = new();

    /// <inheritdoc/>
    public bool Hears(UserfaultChange change) => (_features & change switch
    {
        UserfaultChange.Fork => EventFork,
        UserfaultChange.Remap => EventRemap,
        UserfaultChange.Remove => EventRemove,
        _ => EventUnmap,
    }) is not (0 or null);

    /// <inheritdoc/>
    public void Changed(UserfaultChange change, ulong first, ulong second, ulong length = 0)
    {
        byte[] message = NewMessage(change);
        BinaryPrimitives.WriteUInt64LittleEndian(message.AsSpan(8), first);
        BinaryPrimitives.WriteUInt64LittleEndian(message.AsSpan(16), second);
        BinaryPrimitives.WriteUInt64LittleEndian(message.AsSpan(24), length);
        Add(new MappingChange(message, null));
    }

    /// <inheritdoc/>
    public IUserfault Forked(MemoryMap child)
    {
        var made = new UserfaultFile(vfs, child, flags) { _features = _features };
        Add(new MappingChange(NewMessage(UserfaultChange.Fork), made));
        return made;
    }

    private static byte[] NewMessage(UserfaultChange change)
    {
        byte[] message = new byte[MessageSize];
        message[0] = (byte)change;
        return message;
    }

    private void Add(MappingChange change)
    {
        _changes.Enqueue(change);
        vfs.MappingChanges.Add(change);
        Source.Notify(PollBits.Readable);
    }

    /// <summary>Messages of changes, behind those of faults. A fork's gives its reader a descriptor for the child's memory.</summary>
    private long ReadChanges(Span<byte> buffer, int done)
    {
        while (done + MessageSize <= buffer.Length && _changes.TryPeek(out MappingChange? change))
        {
            Span<byte> message = buffer.Slice(done, MessageSize);
            change.Message.CopyTo(message);
            if (change.Child is { } child)
            {
                IFileUser reader = vfs.Current!;
                long descriptor = reader.Files.Add(child, (flags & OpenFlags.O_CLOEXEC) != 0, reader.MaxFiles);
                if (descriptor < 0)
                    return done > 0 ? done : descriptor;
                BinaryPrimitives.WriteInt32LittleEndian(message[8..], (int)descriptor);
            }
            _changes.Dequeue();
            change.WasRead();
            done += MessageSize;
        }
        return done == 0 ? -Errno.EAGAIN : done;
    }
}

/// <summary>/dev/userfaultfd: whoever may open it gets what userfaultfd(2) gives the privileged (userfaultfd_dev_ioctl).</summary>
internal sealed class UserfaultDevice(DeviceInode inode, int flags) : OpenFile(inode, flags)
{
    /// <summary>10:126.</summary>
    internal const uint Rdev = 0xA7E;

    private const uint New = 0xAA00;

    public override bool CanPoll => false;

    internal override bool GivesToPipes => false;

    public override long Ioctl(IFileUser user, uint command, ulong argument)
    {
        const int known = OpenFlags.O_CLOEXEC | OpenFlags.O_NONBLOCK | UserfaultFile.UserModeOnly;
        if (command != New)
            return -Errno.EINVAL;
        if (((long)argument & ~known) != 0)
            return -Errno.EINVAL;
        var file = new UserfaultFile(inode.Fs.Vfs, user.Memory, (int)argument);
        long descriptor = user.Files.Add(file, ((int)argument & OpenFlags.O_CLOEXEC) != 0, user.MaxFiles);
        if (descriptor < 0)
            file.Release();
        return descriptor;
    }
}

public sealed partial class Vfs
{
    /// <summary>Changes of mappings that the running call has made and that others hear of.</summary>
    internal List<MappingChange> MappingChanges { get; } = [];

    /// <summary>Takes <see cref="MappingChanges"/>; null: there are none.</summary>
    internal List<MappingChange>? TakeMappingChanges()
    {
        if (MappingChanges.Count == 0)
            return null;
        List<MappingChange> taken = [.. MappingChanges];
        MappingChanges.Clear();
        return taken;
    }
}
