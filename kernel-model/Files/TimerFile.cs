using System.Buffers.Binary;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Files;

/// <summary>timerfd: expirations of a timer (fs/timerfd.c). Times in ns of the timer's hrtimer base.</summary>
public sealed class TimerFile(Vfs vfs, Timekeeper timekeeper, KernelTimers timers, int clock, int flags)
    : OpenFile(new AnonymousInode(vfs.Anonymous, 0x180), OpenFlags.O_RDWR | flags)
{
    private KernelTimer? _timer;
    private TimerBase _base;
    private ulong _deadline;
    private ulong _interval;
    private ulong _expirations;

    /// <summary>It has expired and goes on when somebody looks: a tiny interval costs no more than the reads.</summary>
    private bool _expired;

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
    public (ulong Left, ulong Interval) Setting
    {
        get
        {
            GoOn();
            return (_timer == null ? 0 : Math.Max(1, _deadline - Math.Min(_deadline, timekeeper.TimeOf(_base))), _interval);
        }
    }

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
        _clockSets = timekeeper.ClockSets;
        if (cancelsOnSet && !_listens)
        {
            _listens = true;
            timekeeper.ClockSet += ClockSet;
        }
        _expirations = 0;
        _expired = false;
        _interval = interval;
        if (deadline is { } time)
            Arm(time);
    }

    private void Arm(ulong deadline)
    {
        _deadline = deadline;
        _timer = timers.Add(_base, deadline, Expired, clock is Clocks.RealtimeAlarm or Clocks.BoottimeAlarm);
    }

    private bool Canceled => _cancelsOnSet && _clockSets != timekeeper.ClockSets;

    private void ClockSet()
    {
        if (_cancelsOnSet)
            Source.Notify(PollBits.Readable);
    }

    private void Expired(ulong _)
    {
        _timer = null;
        _expired = true;
        _expirations++;
        Source.Notify(PollBits.Readable);
    }

    /// <summary>Counts the intervals that have passed since it expired, and arms it for the next (timerfd_read_iter).</summary>
    private void GoOn()
    {
        if (!_expired || _interval == 0)
            return;
        _expired = false;
        ulong now = timekeeper.TimeOf(_base);
        ulong missed = now > _deadline ? (now - _deadline) / _interval : 0;
        _expirations += missed;
        Arm(_deadline + (missed + 1) * _interval);
    }

    /// <inheritdoc/>
    public override long Read(Span<byte> buffer, long position)
    {
        if (buffer.Length < 8)
            return -Errno.EINVAL;
        if (Canceled)
        {
            _clockSets = timekeeper.ClockSets;
            _expirations = 0;
            _expired = false;
            return -Errno.ECANCELED;
        }
        if (_expirations == 0)
            return -Errno.EAGAIN;
        GoOn();
        BinaryPrimitives.WriteUInt64LittleEndian(buffer, _expirations);
        _expirations = 0;
        return 8;
    }

    /// <inheritdoc/>
    public override uint Poll() => _expirations > 0 || Canceled ? PollBits.In : 0;

    /// <inheritdoc/>
    protected override void Released()
    {
        _timer?.Cancel();
        if (_listens)
            timekeeper.ClockSet -= ClockSet;
    }
}
