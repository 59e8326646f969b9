using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Emulator.Timing.Events;

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

/// <summary>Entries of the caches behind L1: of a line in a private L2 cache (or the last one) and in the last one, and of the written line
/// that comes down for it; negative: there is none.</summary>
internal struct NearPlaces
{
    public int Own, Last, Written;
}

/// <summary>The outer memory system that the PEs of a machine share: the last-level cache (L2, or L3 behind private L2 caches), the
/// snooping of private caches, and memory. A written line is Modified in the outermost cache that has it.</summary>
public sealed class SharedCaches(CoreModel model)
{
    private readonly Cache _last = model.L3Size > 0
        ? new(model.L3Size, model.L3Ways, model.LineSize, model.OuterReplacement)
        : new(model.L2Size, model.L2Ways, model.LineSize, model.OuterReplacement);
    private readonly List<Cache> _dataCaches = [];
    private readonly List<Cache> _privateL2 = [];
    private ulong _contents;

    /// <summary>Memory behind these caches.</summary>
    public MemoryChannels Memory { get; } = new(model);

    /// <summary>Written lines that have left the last-level cache for memory since somebody set this to 0.</summary>
    internal int Evicted { get; set; }

    /// <summary>A number that no other PE here has.</summary>
    internal ulong NewContents() => ++_contents;

    /// <summary>Makes the private L2 cache of a PE; null on cores that share theirs.</summary>
    public Cache? AddPrivateL2()
    {
        if (model.L3Size == 0)
            return null;
        var cache = new Cache(model.L2Size, model.L2Ways, model.LineSize, model.OuterReplacement);
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
        bool dirty = false;
        foreach (Cache other in _dataCaches)
        {
            if (other == own)
                continue;
            LineState before = other.Snoop(line, write);
            elsewhere |= before != LineState.Invalid;
            owned |= before is LineState.Modified or LineState.Exclusive;
            dirty |= before == LineState.Modified;
        }
        state = write ? LineState.Modified : elsewhere ? LineState.Shared : LineState.Exclusive;
        if (write)
            InvalidateL2(line, ownL2);
        bool inL2 = ownL2 is not null && ownL2.Find(line) >= 0;
        if (ownL2 is not null && !inL2)
            Below(ownL2.Insert(line, LineState.Shared));
        bool inLast = _last.Find(line) >= 0;
        // Who reads a line that another PE has written leaves the writing back to the last level.
        if (!inLast)
            Evict(_last.Insert(line, dirty && !write ? LineState.Modified : LineState.Shared));
        else if (dirty && !write)
            _last.Write(line);
        return owned ? LineSource.OtherCache
            : inL2 || (ownL2 is null && inLast) ? LineSource.L2
            : inLast ? LineSource.L3
            : LineSource.Memory;
    }

    /// <summary>Whether fetching a line would find it in the cache behind the private data cache, with no other data cache having it and
    /// nothing going to memory, when a written line comes down for it. Changes nothing.</summary>
    /// <param name="line">Line number.</param>
    /// <param name="written">The line that comes down; <see cref="Cache.NoLine"/>: none.</param>
    /// <param name="own">The data cache that asks.</param>
    /// <param name="ownL2">The asking PE's private L2 cache, if it has one.</param>
    /// <param name="places">Where they are there.</param>
    internal bool IsNear(ulong line, ulong written, Cache own, Cache? ownL2, out NearPlaces places)
    {
        Cache behind = ownL2 ?? _last;
        places.Last = _last.Search(line);
        places.Own = ownL2 is null ? places.Last : ownL2.Search(line);
        places.Written = written == Cache.NoLine ? -1 : behind.Search(written);
        if (places.Last < 0 || places.Own < 0 || (written != Cache.NoLine && places.Written < 0))
            return false;
        foreach (Cache other in _dataCaches)
        {
            if (other != own && other.Contains(line))
                return false;
        }
        return true;
    }

    /// <summary>Fetches a line that <see cref="IsNear"/>, as <see cref="Fetch"/> and <see cref="WriteBack"/> do.</summary>
    /// <returns>State in which the asking cache holds it.</returns>
    internal LineState FetchNear(ulong line, bool write, in NearPlaces places, Cache? ownL2)
    {
        if (write)
            InvalidateL2(line, ownL2);
        // As long as nothing has moved there.
        if (places.Written >= 0)
            (ownL2 ?? _last).State(places.Written) = LineState.Modified;
        ownL2?.Use(line, places.Own);
        _last.Use(line, places.Last);
        return write ? LineState.Modified : LineState.Exclusive;
    }

    /// <summary>A written line has left a private data cache.</summary>
    /// <param name="line">Line number; nothing happens for <see cref="Cache.NoLine"/>.</param>
    /// <param name="ownL2">The PE's private L2 cache, if it has one.</param>
    /// <returns>Whether there was one.</returns>
    internal bool WriteBack(ulong line, Cache? ownL2)
    {
        if (line == Cache.NoLine)
            return false;
        if (ownL2 is null)
            Below(line);
        else if (!ownL2.Write(line))
            Below(ownL2.Insert(line, LineState.Modified));
        return true;
    }

    /// <summary>A written line comes to the last-level cache from above.</summary>
    private void Below(ulong line)
    {
        if (line != Cache.NoLine && !_last.Write(line))
            Evict(_last.Insert(line, LineState.Modified));
    }

    private void Evict(ulong line)
    {
        if (line != Cache.NoLine)
            Evicted++;
    }

    /// <summary>A PE writes a whole line that its data cache does not have and takes: nobody needs what it was.</summary>
    internal void Claim(ulong line, Cache own, Cache? ownL2)
    {
        foreach (Cache other in _dataCaches)
        {
            if (other != own)
                other.Snoop(line, true);
        }
        InvalidateL2(line, ownL2);
    }

    /// <summary>A PE writes a whole line past its data cache.</summary>
    /// <param name="line">Line number.</param>
    /// <param name="own">The PE's data cache.</param>
    /// <param name="allocate">Whether it may go into a cache that does not have it.</param>
    /// <param name="ownL2">The PE's private L2 cache, if it has one.</param>
    /// <returns>Where it went: a cache or memory.</returns>
    internal LineSource Stream(ulong line, Cache own, bool allocate, Cache? ownL2)
    {
        Claim(line, own, ownL2);
        if (ownL2 is not null && ownL2.Write(line))
            return LineSource.L2;
        if (_last.Write(line))
            return ownL2 is null ? LineSource.L2 : LineSource.L3;
        if (!allocate)
            return LineSource.Memory;
        if (ownL2 is null)
            Evict(_last.Insert(line, LineState.Modified));
        else
            Below(ownL2.Insert(line, LineState.Modified));
        return LineSource.L2;
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
