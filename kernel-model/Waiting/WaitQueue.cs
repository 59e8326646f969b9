namespace ArmVdso.Kernel.Waiting;

/// <summary>Tasks that sleep until something happens. Wakers call <see cref="WakeAll"/>; each woken task's system call body
/// runs again from its start and looks for itself.</summary>
public sealed class WaitQueue
{
    private readonly List<ISleeper> _waiters = [];

    /// <summary>Whether anybody waits.</summary>
    public bool IsEmpty => _waiters.Count == 0;

    internal void Add(ISleeper sleeper) => _waiters.Add(sleeper);

    internal void Remove(ISleeper sleeper) => _waiters.Remove(sleeper);

    /// <summary>Makes every waiter runnable, in the order of arrival.</summary>
    public void WakeAll()
    {
        while (_waiters.Count > 0)
            _waiters[0].Wake();
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
