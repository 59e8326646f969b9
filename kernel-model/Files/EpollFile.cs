using ArmVdso.Kernel.Waiting;

namespace ArmVdso.Kernel.Files;

/// <summary>epoll: a set of files and the events wanted of them (fs/eventpoll.c). Readiness is asked of the files when somebody
/// waits; the counters of <see cref="PollSource"/> tell edges.</summary>
public sealed class EpollFile(Vfs vfs, int flags) : OpenFile(new AnonymousInode(vfs.Anonymous, 0x180), OpenFlags.O_RDWR | flags)
{
    private const uint EdgeTriggered = 1u << 31, OneShot = 1u << 30, Exclusive = 1u << 28, WakeUp = 1u << 29;

    private sealed class Item
    {
        public required int Fd;
        public required OpenFile File;
        public uint Events;
        public ulong Data;
        public ulong SeenIn;
        public ulong SeenOut;
    }

    private const int MaxNests = 4;

    /// <summary>What an item takes of the host (struct epitem and what finds it), in bytes.</summary>
    private const int ItemBytes = 192;

    /// <summary>What may stand beside EPOLLEXCLUSIVE (EPOLLEXCLUSIVE_OK_BITS).</summary>
    private const uint WithExclusive = PollBits.In | PollBits.Out | PollBits.Err | PollBits.Hup | WakeUp | EdgeTriggered | Exclusive;

    private readonly LinkedList<Item> _items = [];
    private readonly Dictionary<(int, OpenFile), LinkedListNode<Item>> _known = [];

    /// <summary>Sets that this one is in.</summary>
    private readonly HashSet<EpollFile> _holders = [];

    /// <summary>Who is asked first the next time; null: the first of all.</summary>
    private LinkedListNode<Item>? _first;

    /// <inheritdoc/>
    public override PollSource Source { get; } = new();

    /// <inheritdoc/>
    public override string Description => "anon_inode:[eventpoll]";

    /// <summary>epoll_ctl: 1 ADD, 2 DEL, 3 MOD.</summary>
    public long Control(int operation, int fd, OpenFile file, uint events, ulong data)
    {
        if ((events & Exclusive) != 0 && (operation == 3 || (operation == 1 && (file is EpollFile || (events & ~WithExclusive) != 0))))
            return -Errno.EINVAL;
        LinkedListNode<Item>? known = _known.GetValueOrDefault((fd, file));
        switch (operation)
        {
            case 1:
                if (known is not null)
                    return -Errno.EEXIST;
                if (!file.CanPoll)
                    return -Errno.EPERM;
                // A set in a set, and so on, five deep at most (EP_MAX_NESTS).
                if (file is EpollFile inner && (inner.Contains(this, 0) || inner.Depth() + Above() > MaxNests))
                    return -Errno.ELOOP;
                if (!vfs.TryCharge(ItemBytes))
                    return -Errno.ENOMEM;
                (file as EpollFile)?._holders.Add(this);
                var made = new Item { Fd = fd, File = file, Events = events | PollBits.Err | PollBits.Hup, Data = data };
                _known.Add((fd, file), _items.AddLast(made));
                file.PolledBy(this, fd);
                break;
            case 2:
                if (known is null)
                    return -Errno.ENOENT;
                file.PolledNoMore(this, fd);
                Remove(known);
                break;
            case 3:
                if (known is null)
                    return -Errno.ENOENT;
                Item item = known.Value;
                if ((item.Events & Exclusive) != 0)
                    return -Errno.EINVAL;
                (item.Events, item.Data, item.SeenIn, item.SeenOut) = (events | PollBits.Err | PollBits.Hup, data, 0, 0);
                break;
            default:
                return -Errno.EINVAL;
        }
        // Sleepers look again at the changed set.
        Source.Notify(PollBits.Readable);
        return 0;
    }

    private bool Contains(EpollFile wanted, int depth) => this == wanted || depth > 4
        || _items.Any(i => i.File is EpollFile inner && inner.Contains(wanted, depth + 1));

    /// <summary>Sets below this one, itself counted; and those above it.</summary>
    private int Depth() => 1 + _items.Select(i => i.File is EpollFile inner ? inner.Depth() : 0).DefaultIfEmpty().Max();

    private int Above() => _holders.Count == 0 ? 0 : 1 + _holders.Max(h => h.Above());

    private void Remove(LinkedListNode<Item> node)
    {
        Item item = node.Value;
        if (_first == node)
            _first = node.Next;
        _items.Remove(node);
        _known.Remove((item.Fd, item.File));
        vfs.Charge(-ItemBytes);
        if (item.File is EpollFile inner && !_items.Any(i => i.File == inner))
            inner._holders.Remove(this);
    }

    /// <summary>A file whose last reference is gone leaves the set by itself (eventpoll_release_file).</summary>
    internal void Forget(int fd, OpenFile file)
    {
        if (_known.TryGetValue((fd, file), out LinkedListNode<Item>? node))
            Remove(node);
    }

    private static uint Ready(Item item)
    {
        uint wanted = item.Events & ~(EdgeTriggered | OneShot | Exclusive | WakeUp);
        if ((item.Events & ~(EdgeTriggered | OneShot | Exclusive | WakeUp | PollBits.Err | PollBits.Hup)) == 0
            && (item.Events & OneShot) != 0)
            return 0;
        uint ready = item.File.Poll() & wanted;
        if (ready == 0 || (item.Events & EdgeTriggered) == 0 || item.File.Source is not { } source)
            return ready;
        bool edge = ((ready & ~PollBits.Writable) != 0 && source.InEvents != item.SeenIn)
            || ((ready & (PollBits.Writable | PollBits.Err | PollBits.Hup)) != 0 && source.OutEvents != item.SeenOut);
        return edge ? ready : 0;
    }

    /// <summary>Takes up to <paramref name="max"/> ready items, in turn so that none starves.</summary>
    public List<(uint Events, ulong Data)> Take(int max)
    {
        var found = new List<(uint, ulong)>();
        LinkedListNode<Item>? node = _first ?? _items.First;
        for (int n = _items.Count; n > 0 && found.Count < max; n--, node = node.Next ?? _items.First)
        {
            Item item = node!.Value;
            uint ready = Ready(item);
            if (ready == 0)
                continue;
            found.Add((ready, item.Data));
            if (item.File.Source is { } source)
                (item.SeenIn, item.SeenOut) = (source.InEvents, source.OutEvents);
            if ((item.Events & OneShot) != 0)
                item.Events = OneShot;
            _first = node.Next;
        }
        return found;
    }

    /// <inheritdoc/>
    public override uint Poll() => _items.Any(i => Ready(i) != 0) ? PollBits.Readable : 0;

    /// <inheritdoc/>
    public override void CollectQueues(List<WaitQueue> queues)
    {
        queues.Add(Source.Queue);
        foreach (Item item in _items)
            item.File.CollectQueues(queues);
    }

    /// <summary>What a wait for the set itself sleeps on: apart those of which an event wakes one sleeper (EPOLLEXCLUSIVE).</summary>
    internal void CollectQueues(List<WaitQueue> queues, List<(WaitQueue Queue, uint Events)> exclusive)
    {
        queues.Add(Source.Queue);
        var apart = new List<WaitQueue>();
        foreach (Item item in _items)
        {
            item.File.CollectQueues((item.Events & Exclusive) != 0 ? apart : queues);
            exclusive.AddRange(apart.Select(queue => (queue, item.Events)));
            apart.Clear();
        }
    }

    /// <inheritdoc/>
    protected override void Released()
    {
        while (_items.First is { } node)
        {
            node.Value.File.PolledNoMore(this, node.Value.Fd);
            Remove(node);
        }
    }

    /// <inheritdoc/>
    public override string FdInfo => string.Concat(_items.Select(i => $"tfd: {i.Fd,8} events: {i.Events,8:x} data: {i.Data,16:x}\n"));
}
