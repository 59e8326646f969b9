using System.Buffers.Binary;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Waiting;

namespace ArmVdso.Kernel.Tasks;

/// <summary>How far a call that a listener decides has come.</summary>
internal enum NotificationState
{
    /// <summary>Nobody has taken it yet.</summary>
    New,

    /// <summary>A listener has it.</summary>
    Sent,

    /// <summary>It is decided.</summary>
    Replied,
}

/// <summary>A call that waits for a listener (struct seccomp_knotif).</summary>
internal sealed class SeccompNotification(ulong id, KernelTask task, byte[] data)
{
    /// <summary>Its number.</summary>
    internal ulong Id => id;

    /// <summary>Who calls.</summary>
    internal KernelTask Task => task;

    /// <summary>struct seccomp_data.</summary>
    internal ReadOnlySpan<byte> Data => data;

    /// <summary>How far it has come.</summary>
    internal NotificationState State { get; set; }

    /// <summary>The decision: an error (negative), else a value; or the call is made after all.</summary>
    internal long Error { get; set; }

    /// <inheritdoc cref="Error"/>
    internal long Value { get; set; }

    /// <inheritdoc cref="Error"/>
    internal bool Continues { get; set; }

    /// <summary>Where the caller sleeps.</summary>
    internal WaitQueue Decided { get; } = new();

    internal void Reply(long value, long error, bool continues)
    {
        (Value, Error, Continues, State) = (value, error, continues, NotificationState.Replied);
        Decided.WakeAll();
    }
}

/// <summary>The descriptor that decides calls of others (SECCOMP_FILTER_FLAG_NEW_LISTENER, seccomp_unotify(2)).</summary>
internal sealed class SeccompListener(Vfs vfs, SeccompFilter filter, ulong firstId)
    : OpenFile(new AnonymousInode(vfs.Anonymous, 0x180), OpenFlags.O_RDWR)
{
    /// <summary>SECCOMP_IOCTL_NOTIF_*.</summary>
    internal const uint Receive = 0xC0502100, Send = 0xC0182101, IdValid = 0x40082102, IdValidOld = 0x80082102, AddFd = 0x40182103,
        SetFlags = 0x40082104;

    /// <summary>Sizes of struct seccomp_notif and seccomp_notif_resp.</summary>
    internal const int NotificationSize = 80, ResponseSize = 24;

    private const uint Continue = 1, AddSetFd = 1, AddSend = 2, SyncWakeUp = 1;

    private readonly List<SeccompNotification> _waiting = [];
    private ulong _nextId = firstId;

    /// <inheritdoc/>
    public override PollSource Source { get; } = new();

    /// <inheritdoc/>
    public override string Description => "anon_inode:seccomp notify";

    /// <inheritdoc/>
    public override uint Poll() => (_waiting.Exists(n => n.State == NotificationState.New) ? PollBits.Readable : 0)
        | (_waiting.Exists(n => n.State == NotificationState.Sent) ? PollBits.Writable : 0) | (filter.IsUsed ? 0 : PollBits.Hup);

    /// <summary>A call waits for a decision.</summary>
    internal SeccompNotification Ask(KernelTask task, byte[] data)
    {
        var notification = new SeccompNotification(_nextId++, task, data);
        _waiting.Add(notification);
        Source.Notify(PollBits.Readable);
        return notification;
    }

    /// <summary>A call is decided, or waits no more.</summary>
    internal void Forget(SeccompNotification notification) => _waiting.Remove(notification);

    /// <inheritdoc/>
    protected override void Released()
    {
        filter.Listener = null;
        foreach (SeccompNotification notification in _waiting.Where(n => n.State != NotificationState.Replied).ToList())
            notification.Reply(0, -Errno.ENOSYS, false);
    }

    /// <inheritdoc/>
    public override long Ioctl(IFileUser user, uint command, ulong argument) => command switch
    {
        Receive => DoReceive(user, argument),
        Send => DoSend(user, argument),
        IdValid or IdValidOld => !user.Memory.Read(argument, out ulong id) ? -Errno.EFAULT
            : Find(id) is { State: NotificationState.Sent } ? 0 : -Errno.ENOENT,
        AddFd => DoAdd(user, argument),
        SetFlags => (argument & ~(ulong)SyncWakeUp) != 0 ? -Errno.EINVAL : 0,
        _ => -Errno.EINVAL,
    };

    private SeccompNotification? Find(ulong id) => _waiting.Find(n => n.Id == id);

    private long DoReceive(IFileUser user, ulong argument)
    {
        Span<byte> b = stackalloc byte[NotificationSize];
        if (!user.Memory.Read(argument, b))
            return -Errno.EFAULT;
        if (b.IndexOfAnyExcept((byte)0) >= 0)
            return -Errno.EINVAL;
        if (_waiting.Find(n => n.State == NotificationState.New) is not { } first)
            return filter.IsUsed ? -Errno.EAGAIN : -Errno.ENOENT;
        BinaryPrimitives.WriteUInt64LittleEndian(b, first.Id);
        BinaryPrimitives.WriteInt32LittleEndian(b[8..], user.PidNamespace.NumberOf(first.Task.Tid));
        first.Data.CopyTo(b[16..]);
        if (!user.Memory.Write(argument, b))
            return -Errno.EFAULT;
        first.State = NotificationState.Sent;
        Source.Notify(PollBits.Writable);
        return 0;
    }

    private long DoSend(IFileUser user, ulong argument)
    {
        Span<byte> b = stackalloc byte[ResponseSize];
        if (!user.Memory.Read(argument, b))
            return -Errno.EFAULT;
        long value = BinaryPrimitives.ReadInt64LittleEndian(b[8..]);
        int error = BinaryPrimitives.ReadInt32LittleEndian(b[16..]);
        uint flags = BinaryPrimitives.ReadUInt32LittleEndian(b[20..]);
        if ((flags & ~Continue) != 0 || (flags != 0 && (error != 0 || value != 0)))
            return -Errno.EINVAL;
        if (Find(BinaryPrimitives.ReadUInt64LittleEndian(b)) is not { } notification)
            return -Errno.ENOENT;
        if (notification.State != NotificationState.Sent)
            return -Errno.EINPROGRESS;
        notification.Reply(value, error, flags != 0);
        return 0;
    }

    /// <summary>A file of the listener becomes one of the caller's (struct seccomp_notif_addfd): its number there.</summary>
    private long DoAdd(IFileUser user, ulong argument)
    {
        Span<byte> b = stackalloc byte[24];
        if (!user.Memory.Read(argument, b))
            return -Errno.EFAULT;
        uint flags = BinaryPrimitives.ReadUInt32LittleEndian(b[8..]), fdFlags = BinaryPrimitives.ReadUInt32LittleEndian(b[20..]);
        int source = BinaryPrimitives.ReadInt32LittleEndian(b[12..]), wanted = BinaryPrimitives.ReadInt32LittleEndian(b[16..]);
        if ((fdFlags & ~(uint)OpenFlags.O_CLOEXEC) != 0 || (flags & ~(AddSetFd | AddSend)) != 0 || (wanted != 0 && (flags & AddSetFd) == 0))
            return -Errno.EINVAL;
        if (user.Files[source] is not { } file)
            return -Errno.EBADF;
        if (Find(BinaryPrimitives.ReadUInt64LittleEndian(b)) is not { } notification)
            return -Errno.ENOENT;
        if (notification.State != NotificationState.Sent)
            return -Errno.EINPROGRESS;
        KernelTask caller = notification.Task;
        ulong most = caller.Group.Rlimits[Rlimits.Nofile].Soft;
        bool chosen = (flags & AddSetFd) != 0;
        if (chosen && (wanted < 0 || (ulong)wanted >= most))
            return -Errno.EBADF;
        long fd = wanted;
        if (chosen)
            caller.Files.Replace(wanted, file.AddReference(), fdFlags != 0);
        else if ((fd = caller.Files.Add(file.AddReference(), fdFlags != 0, most)) < 0)
            file.Release();
        if (fd < 0)
            return fd;
        if ((flags & AddSend) != 0)
            notification.Reply(fd, 0, false);
        return fd;
    }
}
