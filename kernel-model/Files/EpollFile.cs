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

    /// <summary>What may stand beside EPOLLEXCLUSIVE (EPOLLEXCLUSIVE_OK_BITS).</summary>
    private const uint WithExclusive = PollBits.In | PollBits.Out | PollBits.Err | PollBits.Hup | WakeUp | EdgeTriggered | Exclusive;

    private readonly List<Item> _items = [];

    /// <summary>Sets that this one is in.</summary>
    private readonly HashSet<EpollFile> _holders = [];

    private int _first;

    /// <inheritdoc/>
    public override PollSource Source { get; } = new();

    /// <inheritdoc/>
    public override string Description => "anon_inode:[eventpoll]";

    /// <summary>epoll_ctl: 1 ADD, 2 DEL, 3 MOD.</summary>
    public long Control(int operation, int fd, OpenFile file, uint events, ulong data)
    {
        Forget();
        if ((events & Exclusive) != 0 && (operation == 3 || (operation == 1 && (file is EpollFile || (events & ~WithExclusive) != 0))))
            return -Errno.EINVAL;
        int index = _items.FindIndex(i => i.Fd == fd && i.File == file);
        switch (operation)
        {
            case 1:
                if (index >= 0)
                    return -Errno.EEXIST;
                if (!file.CanPoll)
                    return -Errno.EPERM;
                // A set in a set, and so on, five deep at most (EP_MAX_NESTS).
                if (file is EpollFile inner && (inner.Contains(this, 0) || inner.Depth() + Above() > MaxNests))
                    return -Errno.ELOOP;
                (file as EpollFile)?._holders.Add(this);
                _items.Add(new Item { Fd = fd, File = file, Events = events | PollBits.Err | PollBits.Hup, Data = data });
                break;
            case 2:
                if (index < 0)
                    return -Errno.ENOENT;
                _items.RemoveAt(index);
                (file as EpollFile)?._holders.Remove(this);
                break;
            case 3:
                if (index < 0)
                    return -Errno.ENOENT;
                if ((_items[index].Events & Exclusive) != 0)
                    return -Errno.EINVAL;
                Item item = _items[index];
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
        || _items.Exists(i => i.File is EpollFile inner && inner.Contains(wanted, depth + 1));

    /// <summary>Sets below this one, itself counted; and those above it.</summary>
    private int Depth() => 1 + _items.Select(i => i.File is EpollFile inner ? inner.Depth() : 0).DefaultIfEmpty().Max();

    private int Above() => _holders.Count == 0 ? 0 : 1 + _holders.Max(h => h.Above());

    /// <summary>Files whose last reference is gone leave the set by themselves.</summary>
    private void Forget() => _items.RemoveAll(i => i.File.References == 0);

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
        Forget();
        var found = new List<(uint, ulong)>();
        int count = _items.Count;
        int start = count == 0 ? 0 : _first % count;
        for (int n = 0; n < count && found.Count < max; n++)
        {
            Item item = _items[(start + n) % count];
            uint ready = Ready(item);
            if (ready == 0)
                continue;
            found.Add((ready, item.Data));
            if (item.File.Source is { } source)
                (item.SeenIn, item.SeenOut) = (source.InEvents, source.OutEvents);
            if ((item.Events & OneShot) != 0)
                item.Events = OneShot;
            _first = (start + n + 1) % count;
        }
        return found;
    }

    /// <inheritdoc/>
    public override uint Poll()
    {
        Forget();
        return _items.Exists(i => Ready(i) != 0) ? PollBits.Readable : 0;
    }

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
        foreach (Item item in _items)
            (item.File as EpollFile)?._holders.Remove(this);
        _items.Clear();
    }

    /// <inheritdoc/>
    public override string FdInfo => string.Concat(_items.Select(i => $"tfd: {i.Fd,8} events: {i.Events,8:x} data: {i.Data,16:x}\n"));
}
