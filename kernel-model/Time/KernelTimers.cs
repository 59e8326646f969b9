namespace ArmVdso.Kernel.Time;

/// <summary>A pending one-shot timer.</summary>
public sealed class KernelTimer
{
    private readonly KernelTimers _owner;

    internal KernelTimer(KernelTimers owner, TimerBase clock, ulong expires, ulong order, Action<ulong> action)
    {
        _owner = owner;
        Clock = clock;
        Expires = expires;
        Order = order;
        Action = action;
    }

    /// <summary>The clock that it waits for.</summary>
    public TimerBase Clock { get; }

    /// <summary>Time of that clock in ns at which it expires.</summary>
    public ulong Expires { get; }

    /// <summary>Monotonic time in ns at which it expires, as the clocks stand now.</summary>
    public ulong Deadline { get; internal set; }

    internal ulong Order { get; }

    internal Action<ulong> Action { get; }

    /// <summary>Whether it wakes a suspended machine (alarm clocks).</summary>
    public bool Wakes { get; internal init; }

    /// <summary>Takes the timer back; nothing happens when it has expired.</summary>
    public void Cancel() => _owner.Remove(this);
}

/// <summary>All pending timers of the kernel by deadline, run from CPU 0's timer interrupt. A timer of a clock that is set or
/// that a suspend moves keeps its time of that clock.</summary>
public sealed class KernelTimers
{
    private readonly SortedSet<KernelTimer> _timers = new(Comparer<KernelTimer>.Create((a, b) =>
        a.Deadline != b.Deadline ? a.Deadline.CompareTo(b.Deadline) : a.Order.CompareTo(b.Order)));

    private ulong _order;

    /// <summary>Called when the earliest deadline may have changed.</summary>
    internal Action? EarliestChanged { get; set; }

    /// <summary>Distance of a clock from CLOCK_MONOTONIC, in ns.</summary>
    internal Func<TimerBase, long> OffsetOf { get; set; } = _ => 0;

    /// <summary>Earliest deadline in ns of CLOCK_MONOTONIC, or ulong.MaxValue.</summary>
    public ulong Earliest => _timers.Min?.Deadline ?? ulong.MaxValue;

    /// <summary>Earliest deadline, in ns of CLOCK_MONOTONIC, of a timer that wakes a suspended machine; null: none.</summary>
    internal ulong? EarliestAlarm
    {
        get
        {
            foreach (KernelTimer timer in _timers)
            {
                if (timer.Wakes)
                    return timer.Deadline;
            }
            return null;
        }
    }

    /// <summary>Arms a timer for a time of CLOCK_MONOTONIC; <paramref name="action"/> gets the time at which it runs.</summary>
    public KernelTimer Add(ulong deadline, Action<ulong> action) => Add(TimerBase.Monotonic, deadline, action);

    /// <summary>Arms a timer for a time of a clock, in ns; <paramref name="action"/> gets the monotonic time at which it runs.</summary>
    public KernelTimer Add(TimerBase clock, ulong expires, Action<ulong> action, bool wakes = false)
    {
        var timer = new KernelTimer(this, clock, expires, _order++, action) { Wakes = wakes };
        timer.Deadline = DeadlineOf(timer);
        _timers.Add(timer);
        if (ReferenceEquals(_timers.Min, timer))
            EarliestChanged?.Invoke();
        return timer;
    }

    private ulong DeadlineOf(KernelTimer timer)
    {
        // MaxValue: never; anything that large stays beyond all clocks.
        if (timer.Expires >= long.MaxValue)
            return timer.Expires;
        Int128 deadline = (Int128)timer.Expires - OffsetOf(timer.Clock);
        return deadline < 0 ? 0 : (ulong)deadline;
    }

    internal void Remove(KernelTimer timer) => _timers.Remove(timer);

    /// <summary>A clock was set, or the rate of all changed: deadlines are other counter values now.</summary>
    internal void ClocksChanged()
    {
        List<KernelTimer> moved = [.. _timers.Where(t => t.Clock != TimerBase.Monotonic)];
        foreach (KernelTimer timer in moved)
        {
            _timers.Remove(timer);
            timer.Deadline = DeadlineOf(timer);
            _timers.Add(timer);
        }
        EarliestChanged?.Invoke();
    }

    /// <summary>Runs everything that has expired at <paramref name="now"/> (ns).</summary>
    internal void Run(ulong now)
    {
        while (_timers.Min is { } timer && timer.Deadline <= now)
        {
            _timers.Remove(timer);
            timer.Action(now);
        }
    }
}
