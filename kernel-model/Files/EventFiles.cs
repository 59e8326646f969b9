using System.Buffers.Binary;
using ArmVdso.Kernel.Abi;

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
    public override uint Poll() => (_count > 0 ? PollBits.Readable : 0) | (_count < ulong.MaxValue - 1 ? PollBits.Writable : 0);
}

/// <summary>timerfd: expirations of a timer (fs/timerfd.c). Times in ns of the timer's hrtimer base.</summary>
public sealed class TimerFile(LinuxKernel kernel, int clock, int flags)
    : OpenFile(new AnonymousInode(kernel.Vfs.Anonymous, 0x180), OpenFlags.O_RDWR | flags)
{
    private KernelTimer? _timer;
    private TimerBase _base;
    private ulong _deadline;
    private ulong _interval;
    private ulong _expirations;
    private bool _cancelsOnSet;
    private bool _listens;
    private long _clockSets;

    /// <summary>Clock number of timerfd_create.</summary>
    public int Clock => clock;

    /// <inheritdoc/>
    public override PollSource Source { get; } = new();

    /// <inheritdoc/>
    public override string Description => "anon_inode:[timerfd]";

    /// <summary>Time left and interval in ns.</summary>
    public (ulong Left, ulong Interval) Setting =>
        (_timer == null ? 0 : Math.Max(1, _deadline - Math.Min(_deadline, kernel.TimeOf(_base))), _interval);

    /// <summary>Arms the timer for a time of a clock in ns, or disarms it with null.</summary>
    /// <param name="of">The clock.</param>
    /// <param name="deadline">Its time.</param>
    /// <param name="interval">Interval in ns; 0: one shot.</param>
    /// <param name="cancelsOnSet">TFD_TIMER_CANCEL_ON_SET: reads fail with ECANCELED when CLOCK_REALTIME is set.</param>
    public void Set(TimerBase of, ulong? deadline, ulong interval, bool cancelsOnSet)
    {
        _timer?.Cancel();
        _timer = null;
        _base = of;
        _cancelsOnSet = cancelsOnSet;
        _clockSets = kernel.Timekeeper.ClockSets;
        if (cancelsOnSet && !_listens)
        {
            _listens = true;
            kernel.Timekeeper.ClockSet += ClockSet;
        }
        _expirations = 0;
        _interval = interval;
        if (deadline is { } time)
            Arm(time);
    }

    private void Arm(ulong deadline)
    {
        _deadline = deadline;
        _timer = kernel.Timers.Add(_base, deadline, Expired, clock is Clocks.RealtimeAlarm or Clocks.BoottimeAlarm);
    }

    private bool Canceled => _cancelsOnSet && _clockSets != kernel.Timekeeper.ClockSets;

    private void ClockSet()
    {
        if (_cancelsOnSet)
            Source.Notify(PollBits.Readable);
    }

    private void Expired(ulong monotonic)
    {
        _timer = null;
        ulong now = (ulong)Math.Max(0, (long)monotonic + kernel.Timekeeper.OffsetOf(_base));
        _expirations++;
        if (_interval != 0)
        {
            ulong missed = now > _deadline ? (now - _deadline) / _interval : 0;
            _expirations += missed;
            Arm(_deadline + (missed + 1) * _interval);
        }
        Source.Notify(PollBits.Readable);
    }

    /// <inheritdoc/>
    public override long Read(Span<byte> buffer, long position)
    {
        if (buffer.Length < 8)
            return -Errno.EINVAL;
        if (Canceled)
        {
            _clockSets = kernel.Timekeeper.ClockSets;
            _expirations = 0;
            return -Errno.ECANCELED;
        }
        if (_expirations == 0)
            return -Errno.EAGAIN;
        BinaryPrimitives.WriteUInt64LittleEndian(buffer, _expirations);
        _expirations = 0;
        return 8;
    }

    /// <inheritdoc/>
    public override uint Poll() => _expirations > 0 || Canceled ? PollBits.Readable : 0;

    /// <inheritdoc/>
    protected override void Released()
    {
        _timer?.Cancel();
        if (_listens)
            kernel.Timekeeper.ClockSet -= ClockSet;
    }
}

/// <summary>pidfd: a process; readable when it has ended (kernel/fork.c).</summary>
public sealed class PidFile(Vfs vfs, ThreadGroup group) : OpenFile(new AnonymousInode(vfs.Anonymous, 0x180), OpenFlags.O_RDWR)
{
    /// <summary>The process.</summary>
    public ThreadGroup Group => group;

    /// <inheritdoc/>
    public override string Description => "anon_inode:[pidfd]";

    /// <inheritdoc/>
    public override string FdInfo => $"Pid:\t{group.Pid}\nNSpid:\t{group.Pid}\n";

    /// <inheritdoc/>
    public override uint Poll() => group.IsZombie || group.Threads.Count == 0 ? PollBits.Readable : 0;

    /// <inheritdoc/>
    public override void CollectQueues(List<WaitQueue> queues)
    {
        if (vfs.Kernel is { } kernel)
            queues.Add(kernel.ExitWaiters);
    }
}

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

    private readonly List<Item> _items = [];
    private int _first;

    /// <inheritdoc/>
    public override PollSource Source { get; } = new();

    /// <inheritdoc/>
    public override string Description => "anon_inode:[eventpoll]";

    /// <summary>epoll_ctl: 1 ADD, 2 DEL, 3 MOD.</summary>
    public long Control(int operation, int fd, OpenFile file, uint events, ulong data)
    {
        Forget();
        int index = _items.FindIndex(i => i.Fd == fd && i.File == file);
        switch (operation)
        {
            case 1:
                if (index >= 0)
                    return -Errno.EEXIST;
                if (file.Inode.IsRegular || file.Inode.IsDirectory)
                    return -Errno.EPERM;
                if (file is EpollFile inner && inner.Contains(this, 0))
                    return -Errno.ELOOP;
                _items.Add(new Item { Fd = fd, File = file, Events = events | PollBits.Err | PollBits.Hup, Data = data });
                break;
            case 2:
                if (index < 0)
                    return -Errno.ENOENT;
                _items.RemoveAt(index);
                break;
            case 3:
                if (index < 0)
                    return -Errno.ENOENT;
                if (((_items[index].Events | events) & Exclusive) != 0)
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

    /// <summary>Files whose last reference is gone leave the set by themselves.</summary>
    private void Forget() => _items.RemoveAll(i => i.File.References == 0);

    private static uint Ready(Item item)
    {
        uint wanted = item.Events & ~(EdgeTriggered | OneShot | Exclusive | WakeUp);
        if ((item.Events & ~(EdgeTriggered | OneShot | Exclusive | WakeUp | PollBits.Err | PollBits.Hup)) == 0 && (item.Events & OneShot) != 0)
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

    /// <inheritdoc/>
    public override string FdInfo => string.Concat(_items.Select(i => $"tfd: {i.Fd,8} events: {i.Events,8:x} data: {i.Data,16:x}\n"));
}
