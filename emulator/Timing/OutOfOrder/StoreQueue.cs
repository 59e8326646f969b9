namespace ArmVdso.Emulator.Timing.OutOfOrder;

/// <summary>What a load finds in the store queue.</summary>
public enum Forwarding : byte
{
    /// <summary>No older store is in its way.</summary>
    None,

    /// <summary>An older store has all of some 8-byte part that it reads.</summary>
    Forwarded,

    /// <summary>An older store has a piece only: the load waits until it is written.</summary>
    Blocked,
}

/// <summary>Stores that are not yet written to the data cache: for forwarding to younger loads, and for the room that they take.
/// Bounded.</summary>
public sealed class StoreQueue
{
    private struct Entry
    {
        public ulong Pa;
        public int Size;
        public bool Vector;
        public long Data;
        public long Drain;
    }

    private readonly Entry[] _entries;
    private int _next;
    private long _lastDrain = -1;
    private ulong _lastGranule = ulong.MaxValue;
    private bool _lastWide;

    /// <summary>A queue of <paramref name="entries"/> stores.</summary>
    public StoreQueue(int entries)
    {
        _entries = new Entry[entries];
        for (int i = 0; i < entries; i++)
            _entries[i].Drain = -1;
    }

    /// <summary>Cycle from which there is room for another store.</summary>
    public long Room => _entries[_next].Drain;

    /// <summary>Cycle in which the youngest store is written.</summary>
    public long LastDrain => _lastDrain;

    /// <summary>Adds a store.</summary>
    /// <param name="pa">Physical address.</param>
    /// <param name="size">Bytes.</param>
    /// <param name="vector">From SIMD&amp;FP registers.</param>
    /// <param name="data">Cycle from which its data can be forwarded.</param>
    /// <param name="earliest">First cycle in which it may be written: it has retired and its line is there.</param>
    /// <param name="widePasses">Cycles for each 16 bytes that are stored over those that the last wide store wrote; 0: as other
    /// stores.</param>
    public void Add(ulong pa, int size, bool vector, long data, long earliest, int widePasses)
    {
        ulong granule = pa >> 4;
        ulong end = (pa + (ulong)size - 1) >> 4;
        int granules = (int)(end - granule) + 1;
        bool same = granule == _lastGranule;
        bool wide = size > 8;
        int passes = widePasses > 0 && wide && same && _lastWide ? widePasses * Math.Min((size + 15) / 16, 2)
            : same ? granules - 1
            : granules;
        _lastGranule = granule;
        _lastWide = wide;
        _lastDrain = Math.Max(_lastDrain + passes, earliest);
        ref Entry entry = ref _entries[_next];
        entry.Pa = pa;
        entry.Size = size;
        entry.Vector = vector;
        entry.Data = data;
        entry.Drain = _lastDrain;
        _next = _next + 1 == _entries.Length ? 0 : _next + 1;
    }

    /// <summary>The youngest older store that a load meets.</summary>
    /// <param name="pa">Physical address of the load.</param>
    /// <param name="size">Bytes.</param>
    /// <param name="issue">Cycle in which the load issues; stores that are written by then do not matter.</param>
    /// <param name="cycle">Cycle from which the store's data can be forwarded, or in which it is written.</param>
    /// <param name="vector">Whether the store was from SIMD&amp;FP registers.</param>
    public Forwarding Find(ulong pa, int size, long issue, out long cycle, out bool vector)
    {
        cycle = 0;
        vector = false;
        if (_lastDrain <= issue)
            return Forwarding.None;
        ulong end = pa + (ulong)size;
        int at = _next;
        for (int i = 0; i < _entries.Length; i++)
        {
            at = at == 0 ? _entries.Length - 1 : at - 1;
            ref Entry entry = ref _entries[at];
            if (entry.Drain <= issue)
                return Forwarding.None;
            ulong storeEnd = entry.Pa + (ulong)entry.Size;
            if (entry.Pa >= end || pa >= storeEnd)
                continue;
            vector = entry.Vector;
            // Forwarding works on 8-byte parts of the load: the store has a part whole, or nothing of it.
            bool whole = Part(entry.Pa, storeEnd, pa, Math.Min(pa + 8, end)) && (size <= 8 || Part(entry.Pa, storeEnd, pa + 8, end));
            cycle = whole ? entry.Data : entry.Drain;
            return whole ? Forwarding.Forwarded : Forwarding.Blocked;
        }
        return Forwarding.None;
    }

    private static bool Part(ulong store, ulong storeEnd, ulong from, ulong to) =>
        (store <= from && storeEnd >= to) || storeEnd <= from || store >= to;
}
