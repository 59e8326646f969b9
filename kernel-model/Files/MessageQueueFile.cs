using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Files;

/// <summary>Who asked to be told of a message (mq_notify).</summary>
/// <param name="Owner">The descriptors of the process: it is forgotten when it closes the queue, whichever descriptor it asked by.</param>
/// <param name="Notify">sigev_notify.</param>
/// <param name="Signal">sigev_signo; 0: no signal.</param>
/// <param name="Pid">The process.</param>
/// <param name="Tell">Tells it.</param>
/// <param name="Removed">Tells it that it will not be told any more.</param>
internal sealed record QueueNotification(FileTable Owner, int Notify, int Signal, int Pid, Action Tell, Action Removed);

/// <summary>A POSIX message queue by its name (ipc/mqueue.c).</summary>
internal sealed class PosixQueueInode : Inode
{
    private const int MessageCost = 96;
    private readonly SortedDictionary<uint, Queue<byte[]>> _byPriority = new(Comparer<uint>.Create((a, b) => b.CompareTo(a)));

    internal PosixQueueInode(FileSystem fs, uint permissions, long most, long size) : base(fs, Modes.S_IFREG | permissions) =>
        (Most, MessageSize) = (most, size);

    /// <summary>mq_maxmsg and mq_msgsize.</summary>
    internal long Most { get; }

    /// <inheritdoc cref="Most"/>
    internal long MessageSize { get; }

    /// <summary>mq_curmsgs.</summary>
    internal int Count { get; private set; }

    /// <summary>Bytes of the messages.</summary>
    internal int Bytes { get; private set; }

    /// <summary>Wakes senders, receivers and poll.</summary>
    internal PollSource Source { get; } = new();

    /// <summary>Tasks that wait for a message: with one of them nobody is notified.</summary>
    internal int Receivers { get; set; }

    /// <summary>mq_notify: who is told when a message comes to an empty queue, and how; null: nobody.</summary>
    internal QueueNotification? Notified { get; set; }

    /// <summary>A process is not told any more (remove_notification).</summary>
    internal void Forget(FileTable owner)
    {
        if (Notified is not { } wanted || !ReferenceEquals(wanted.Owner, owner))
            return;
        Notified = null;
        wanted.Removed();
    }

    public override long Size => 80;

    /// <summary>Adds a message. False: there is no memory for it.</summary>
    internal bool Add(byte[] data, uint priority)
    {
        if (!Fs.Vfs.TryCharge(data.Length + MessageCost))
            return false;
        if (!_byPriority.TryGetValue(priority, out Queue<byte[]>? queue))
            _byPriority.Add(priority, queue = new Queue<byte[]>());
        queue.Enqueue(data);
        Count++;
        Bytes += data.Length;
        if (Count == 1 && Receivers == 0 && Notified is { } wanted)
        {
            Notified = null;
            wanted.Tell();
        }
        Source.Notify(PollBits.Readable);
        return true;
    }

    /// <summary>Takes the oldest message of the highest priority; null: none.</summary>
    internal byte[]? Take(out uint priority)
    {
        priority = 0;
        if (Count == 0)
            return null;
        (priority, Queue<byte[]> queue) = _byPriority.First();
        byte[] data = queue.Dequeue();
        if (queue.Count == 0)
            _byPriority.Remove(priority);
        Count--;
        Bytes -= data.Length;
        Fs.Vfs.Charge(-data.Length - MessageCost);
        Source.Notify(PollBits.Writable);
        return data;
    }

    public override long Open(int flags, IFileUser? task, out OpenFile? file)
    {
        file = new PosixQueueFile(this, flags);
        return 0;
    }

    protected override void Freed()
    {
        while (Take(out _) is not null)
        {
        }
    }
}

/// <summary>An open POSIX message queue.</summary>
internal sealed class PosixQueueFile(PosixQueueInode inode, int flags) : OpenFile(inode, flags)
{
    internal PosixQueueInode Queue => inode;

    public override PollSource Source => inode.Source;

    public override string Description => "/" + inode.Name + (inode.Nlink == 0 ? " (deleted)" : "");

    public override long Read(Span<byte> buffer, long position)
    {
        (int notify, int signal, int pid) = inode.Notified is { } wanted ? (wanted.Notify, wanted.Signal, wanted.Pid) : default;
        byte[] text = System.Text.Encoding.ASCII.GetBytes(
            $"QSIZE:{inode.Bytes,-10} NOTIFY:{notify,-5} SIGNO:{signal,-5} NOTIFY_PID:{pid,-6}\n");
        if (position >= text.Length)
            return 0;
        int n = Math.Min(buffer.Length, text.Length - (int)position);
        text.AsSpan((int)position, n).CopyTo(buffer);
        return n;
    }

    public override bool Seekable => true;

    internal override bool GivesToPipes => false;

    public override uint Poll() =>
        (inode.Count > 0 ? PollBits.Readable : 0) | (inode.Count < inode.Most ? PollBits.Writable : 0);

    internal override void Flush(FileTable table) => inode.Forget(table);
}

/// <summary>All POSIX message queues by name.</summary>
internal sealed class PosixQueues(Vfs vfs)
{
    // fs.mqueue.msg_default and msgsize_default; what nobody gets more than (HARD_MSGMAX, HARD_MSGSIZEMAX).
    private const int UsualMessages = 10, UsualSize = 8192, HardMessages = 65536, HardSize = 16 << 20;
    private readonly Dictionary<string, PosixQueueInode> _queues = new(StringComparer.Ordinal);
    private readonly FileSystem _fs = new(vfs, "mqueue", 0x13, 0x19800202, 1);

    /// <summary>fs.mqueue.queues_max, msg_max and msgsize_max: for those without CAP_SYS_RESOURCE.</summary>
    internal int Most { get; set; } = 256;

    /// <inheritdoc cref="Most"/>
    internal int MostMessages { get; set; } = UsualMessages;

    /// <inheritdoc cref="Most"/>
    internal int MostSize { get; set; } = UsualSize;

    internal PosixQueueInode? Find(string name) => _queues.GetValueOrDefault(name);

    /// <summary>Makes a queue: 0, -EINVAL for sizes that nobody may ask for, -ENOSPC.</summary>
    internal long Make(string name, uint mode, (long Most, long Size)? asked, Credentials owner, out PosixQueueInode? queue)
    {
        queue = null;
        bool privileged = owner.Has(Capability.SysResource);
        (long most, long size) = asked ?? (UsualMessages, UsualSize);
        if (most <= 0 || size <= 0 || most > (privileged ? HardMessages : MostMessages) || size > (privileged ? HardSize : MostSize))
            return -Errno.EINVAL;
        if (_queues.Count >= Most && !privileged)
            return -Errno.ENOSPC;
        queue = new PosixQueueInode(_fs, mode, most, size) { Name = name, Uid = owner.Fsuid, Gid = owner.Fsgid };
        if (!queue.TryCharge(512))
            return -Errno.ENOSPC;
        _queues.Add(name, queue);
        return 0;
    }

    internal void Remove(PosixQueueInode queue)
    {
        _queues.Remove(queue.Name);
        queue.Nlink = 0;
        queue.Uncharge();
    }
}
