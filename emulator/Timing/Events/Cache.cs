using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Emulator.Timing.Events;

/// <summary>State of a line in a private data cache (MESI).</summary>
public enum LineState : byte
{
    /// <summary>Not present.</summary>
    Invalid,

    /// <summary>Other caches may hold it too; clean.</summary>
    Shared,

    /// <summary>Only here; clean.</summary>
    Exclusive,

    /// <summary>Only here; written.</summary>
    Modified,
}

/// <summary>Tags of a set-associative cache with true LRU replacement. Way 0 of a set is the most recently used.
/// Addresses are line numbers (physical address divided by the line size).</summary>
public sealed class Cache
{
    private const ulong NoLine = ulong.MaxValue;
    private readonly ulong[] _tags;
    private readonly LineState[] _states;
    private readonly int _ways;
    private readonly ulong _setMask;

    /// <summary>Makes an empty cache.</summary>
    /// <param name="size">Bytes.</param>
    /// <param name="ways">Associativity.</param>
    /// <param name="line">Bytes of a line.</param>
    public Cache(int size, int ways, int line)
    {
        int sets = size / (ways * line);
        _ways = ways;
        _setMask = (ulong)sets - 1;
        _tags = new ulong[sets * ways];
        _states = new LineState[sets * ways];
        Array.Fill(_tags, NoLine);
    }

    /// <summary>Looks a line up and makes it the most recently used of its set.</summary>
    /// <returns>Index for <see cref="State"/>, or -1 on a miss.</returns>
    public int Find(ulong line)
    {
        int set = (int)(line & _setMask) * _ways;
        if (_tags[set] == line)
            return set;
        for (int way = 1; way < _ways; way++)
        {
            if (_tags[set + way] != line)
                continue;
            LineState state = _states[set + way];
            for (int i = set + way; i > set; i--)
            {
                _tags[i] = _tags[i - 1];
                _states[i] = _states[i - 1];
            }
            _tags[set] = line;
            _states[set] = state;
            return set;
        }
        return -1;
    }

    /// <summary>Whether a line is there; changes nothing.</summary>
    internal bool Contains(ulong line)
    {
        int set = (int)(line & _setMask) * _ways;
        return _tags.AsSpan(set, _ways).Contains(line);
    }

    /// <summary>Whether a line is the most recently used of its set.</summary>
    internal bool IsLatest(ulong line) => _tags[(int)(line & _setMask) * _ways] == line;

    /// <summary>State of a line, or Invalid; changes nothing.</summary>
    internal LineState Peek(ulong line)
    {
        int set = (int)(line & _setMask) * _ways;
        if (_tags[set] == line)
            return _states[set];
        int way = _tags.AsSpan(set, _ways).IndexOf(line);
        return way < 0 ? LineState.Invalid : _states[set + way];
    }

    /// <summary>The tags, set by set, most recently used first; for checks that must be fast.</summary>
    internal ulong[] Tags => _tags;

    /// <summary>The states beside <see cref="Tags"/>.</summary>
    internal LineState[] States => _states;

    /// <summary>Number of sets less one.</summary>
    internal ulong SetMask => _setMask;

    /// <summary>Associativity.</summary>
    internal int Ways => _ways;

    /// <summary>The state at an index that <see cref="Find"/> returned; valid until the next call.</summary>
    public ref LineState State(int index) => ref _states[index];

    /// <summary>Inserts a line that <see cref="Find"/> missed; the least recently used one of the set goes.</summary>
    public void Insert(ulong line, LineState state) => Insert(line, state, 0);

    /// <summary>Inserts a line that nobody has asked for yet, behind the most recently used one of its set.</summary>
    public void InsertSecond(ulong line, LineState state) => Insert(line, state, _ways == 1 ? 0 : 1);

    private void Insert(ulong line, LineState state, int place)
    {
        int set = (int)(line & _setMask) * _ways;
        int first = set + place;
        for (int i = set + _ways - 1; i > first; i--)
        {
            _tags[i] = _tags[i - 1];
            _states[i] = _states[i - 1];
        }
        _tags[first] = line;
        _states[first] = state;
    }

    /// <summary>A snoop from another PE: changes the line's state and leaves the order of use alone.</summary>
    /// <returns>The state before.</returns>
    public LineState Snoop(ulong line, bool invalidate)
    {
        int set = (int)(line & _setMask) * _ways;
        for (int i = set; i < set + _ways; i++)
        {
            if (_tags[i] != line)
                continue;
            LineState before = _states[i];
            if (invalidate)
            {
                _tags[i] = NoLine;
                _states[i] = LineState.Invalid;
            }
            else
            {
                _states[i] = LineState.Shared;
            }
            return before;
        }
        return LineState.Invalid;
    }

    /// <summary>Empties the cache.</summary>
    public void Clear()
    {
        Array.Fill(_tags, NoLine);
        Array.Clear(_states);
    }
}

/// <summary>Where a line was found.</summary>
public enum LineSource : byte
{
    /// <summary>In the private cache.</summary>
    L1,

    /// <summary>In the shared cache.</summary>
    L2,

    /// <summary>In the last-level cache behind private L2 caches.</summary>
    L3,

    /// <summary>In another PE's cache.</summary>
    OtherCache,

    /// <summary>In memory.</summary>
    Memory,
}

/// <summary>The outer memory system that the PEs of a machine share: the last-level cache (L2, or L3 behind private L2 caches) and the
/// snooping of private caches.</summary>
public sealed class SharedCaches(CoreModel model)
{
    private readonly Cache _last = model.L3Size > 0
        ? new(model.L3Size, model.L3Ways, model.LineSize)
        : new(model.L2Size, model.L2Ways, model.LineSize);
    private readonly List<Cache> _dataCaches = [];
    private readonly List<Cache> _privateL2 = [];
    private ulong _contents;

    /// <summary>A number that names the contents of a private instruction cache and TLB from now on, unlike that of any other PE
    /// here.</summary>
    internal ulong NewContents() => ++_contents;

    /// <summary>Makes the private L2 cache of a PE; null on cores that share theirs.</summary>
    public Cache? AddPrivateL2()
    {
        if (model.L3Size == 0)
            return null;
        var cache = new Cache(model.L2Size, model.L2Ways, model.LineSize);
        _privateL2.Add(cache);
        return cache;
    }

    /// <summary>Empties the last-level cache.</summary>
    public void Clear() => _last.Clear();

    /// <summary>Adds a PE's data cache to the coherence domain.</summary>
    public void Join(Cache dataCache) => _dataCaches.Add(dataCache);

    /// <summary>Fetches a line that missed a private cache, and brings the other caches in line.</summary>
    /// <param name="line">Line number.</param>
    /// <param name="own">The data cache that asks, or null for an instruction fetch.</param>
    /// <param name="write">Whether it will be written.</param>
    /// <param name="state">State in which the asking cache may hold it.</param>
    /// <param name="ownL2">The asking PE's private L2 cache, if it has one.</param>
    public LineSource Fetch(ulong line, Cache? own, bool write, out LineState state, Cache? ownL2 = null)
    {
        bool elsewhere = false;
        bool owned = false;
        foreach (Cache other in _dataCaches)
        {
            if (other == own)
                continue;
            LineState before = other.Snoop(line, write);
            elsewhere |= before != LineState.Invalid;
            owned |= before is LineState.Modified or LineState.Exclusive;
        }
        state = write ? LineState.Modified : elsewhere ? LineState.Shared : LineState.Exclusive;
        if (write)
            InvalidateL2(line, ownL2);
        bool inL2 = ownL2 is not null && ownL2.Find(line) >= 0;
        if (ownL2 is not null && !inL2)
            ownL2.Insert(line, LineState.Shared);
        bool inLast = _last.Find(line) >= 0;
        if (!inLast)
            _last.Insert(line, LineState.Shared);
        return owned ? LineSource.OtherCache
            : inL2 || (ownL2 is null && inLast) ? LineSource.L2
            : inLast ? LineSource.L3
            : LineSource.Memory;
    }

    private void InvalidateL2(ulong line, Cache? ownL2)
    {
        foreach (Cache other in _privateL2)
        {
            if (other != ownL2)
                other.Snoop(line, true);
        }
    }

    /// <summary>A store hit a shared line: removes the other copies.</summary>
    /// <returns>Whether there were any.</returns>
    public bool Upgrade(ulong line, Cache own, Cache? ownL2 = null)
    {
        InvalidateL2(line, ownL2);
        bool any = false;
        foreach (Cache other in _dataCaches)
        {
            if (other != own)
                any |= other.Snoop(line, true) != LineState.Invalid;
        }
        return any;
    }
}
