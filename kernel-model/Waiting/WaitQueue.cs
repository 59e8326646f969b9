namespace ArmVdso.Kernel.Waiting;

/// <summary>Tasks that sleep until something happens. Wakers call <see cref="WakeAll"/>; each woken task's system call body
/// runs again from its start and looks for itself.</summary>
public sealed class WaitQueue
{
    private readonly List<ISleeper> _waiters = [];

    /// <summary>Those of whom an event wakes one, and the events that they want (WQ_FLAG_EXCLUSIVE); null: there never was one.</summary>
    private List<(ISleeper Sleeper, uint Events)>? _exclusive;

    /// <summary>Whether anybody waits.</summary>
    public bool IsEmpty => _waiters.Count == 0 && _exclusive is not { Count: > 0 };

    internal void Add(ISleeper sleeper) => _waiters.Add(sleeper);

    internal void AddExclusive(ISleeper sleeper, uint events) => (_exclusive ??= []).Add((sleeper, events));

    internal void Remove(ISleeper sleeper)
    {
        if (!_waiters.Remove(sleeper) && _exclusive is not null && _exclusive.FindIndex(e => e.Sleeper == sleeper) is >= 0 and var at)
            _exclusive.RemoveAt(at);
    }

    /// <summary>Makes every waiter runnable, in the order of arrival, and of those that an event wakes one of the first that wants it.
    /// </summary>
    /// <param name="events">Poll bits of what has happened; all unless it is known.</param>
    public void WakeAll(uint events = uint.MaxValue)
    {
        while (_waiters.Count > 0)
            _waiters[0].Wake();
        if (_exclusive is not null && _exclusive.FindIndex(e => (e.Events & events) != 0) is >= 0 and var first)
            _exclusive[first].Sleeper.Wake();
    }

    /// <summary>Makes up to <paramref name="count"/> waiters runnable, in the order of arrival; returns how many.</summary>
    public int Wake(int count)
    {
        int woken = 0;
        while (woken < count && _waiters.Count > 0)
        {
            _waiters[0].Wake();
            woken++;
        }
        return woken;
    }
}
