namespace ArmVdso.Kernel;

/// <summary>A pending one-shot timer.</summary>
public sealed class KernelTimer
{
    private readonly KernelTimers _owner;

    internal KernelTimer(KernelTimers owner, ulong deadline, ulong order, Action<ulong> action)
    {
        _owner = owner;
        Deadline = deadline;
        Order = order;
        Action = action;
    }

    /// <summary>Monotonic time in ns at which it expires.</summary>
    public ulong Deadline { get; }

    internal ulong Order { get; }

    internal Action<ulong> Action { get; }

    /// <summary>Takes the timer back; nothing happens when it has expired.</summary>
    public void Cancel() => _owner.Remove(this);
}

/// <summary>All pending timers of the kernel by deadline (ns of CLOCK_MONOTONIC), run from CPU 0's timer interrupt.</summary>
public sealed class KernelTimers
{
    private readonly SortedSet<KernelTimer> _timers = new(Comparer<KernelTimer>.Create((a, b) =>
        a.Deadline != b.Deadline ? a.Deadline.CompareTo(b.Deadline) : a.Order.CompareTo(b.Order)));

    private ulong _order;

    /// <summary>Called when the earliest deadline may have changed.</summary>
    internal Action? EarliestChanged { get; set; }

    /// <summary>Earliest deadline in ns, or ulong.MaxValue.</summary>
    public ulong Earliest => _timers.Min?.Deadline ?? ulong.MaxValue;

    /// <summary>Arms a timer; <paramref name="action"/> gets the time at which it runs.</summary>
    public KernelTimer Add(ulong deadline, Action<ulong> action)
    {
        var timer = new KernelTimer(this, deadline, _order++, action);
        _timers.Add(timer);
        if (ReferenceEquals(_timers.Min, timer))
            EarliestChanged?.Invoke();
        return timer;
    }

    internal void Remove(KernelTimer timer) => _timers.Remove(timer);

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
