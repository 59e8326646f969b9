using ArmVdso.Kernel.Waiting;

namespace ArmVdso.Kernel.Files;

/// <summary>Advisory locks on one file: record locks (fcntl) owned by a file table or an open file description, and whole-file
/// locks (flock) owned by an open file description (fs/locks.c).</summary>
internal sealed class FileLocks
{
    /// <summary>One lock on the bytes [Start, End] (inclusive; long.MaxValue is to the end).</summary>
    internal sealed record RecordLock(object Owner, long Start, long End, bool Exclusive, int Pid);

    private readonly List<RecordLock> _records = [];
    private readonly Dictionary<object, bool> _flocks = [];

    /// <summary>All record locks.</summary>
    public IReadOnlyList<RecordLock> Records => _records;

    /// <summary>Whether each whole-file lock is exclusive.</summary>
    public IEnumerable<bool> Flocks => _flocks.Values;

    /// <summary>Who has a whole-file lock: open files.</summary>
    internal IEnumerable<object> FlockHolders => _flocks.Keys;

    /// <summary>Wakes those who wait for a lock.</summary>
    public WaitQueue Changed { get; } = new();

    /// <summary>The lowest lock of somebody else that forbids this one.</summary>
    public RecordLock? Conflict(object owner, long start, long end, bool exclusive)
    {
        RecordLock? lowest = null;
        foreach (RecordLock l in _records)
        {
            if (l.Owner != owner && l.Start <= end && start <= l.End && (exclusive || l.Exclusive) && !(lowest?.Start <= l.Start))
                lowest = l;
        }
        return lowest;
    }

    /// <summary>Sets (or with null removes) the owner's lock on a range; what it held there before is replaced.</summary>
    public void Set(object owner, long start, long end, bool? exclusive, int pid)
    {
        foreach (RecordLock old in _records.FindAll(l => l.Owner == owner && l.Start <= end && start <= l.End))
        {
            _records.Remove(old);
            if (old.Start < start)
                _records.Add(old with { End = start - 1 });
            if (old.End > end)
                _records.Add(old with { Start = end + 1 });
        }
        if (exclusive is { } kind)
            _records.Add(new RecordLock(owner, start, end, kind, pid));
        Changed.WakeAll();
    }

    /// <summary>Whether a whole-file lock can be had.</summary>
    public bool FlockConflict(object owner, bool exclusive) => _flocks.Any(l => l.Key != owner && (exclusive || l.Value));

    /// <summary>Sets (or with null removes) the whole-file lock of an owner.</summary>
    public void SetFlock(object owner, bool? exclusive)
    {
        if (exclusive is { } kind)
            _flocks[owner] = kind;
        else
            _flocks.Remove(owner);
        Changed.WakeAll();
    }

    /// <summary>Drops everything that an owner holds.</summary>
    public void ReleaseOwner(object owner)
    {
        if (_records.RemoveAll(l => l.Owner == owner) > 0 | _flocks.Remove(owner))
            Changed.WakeAll();
    }
}
