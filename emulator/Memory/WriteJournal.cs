namespace ArmVdso.Emulator.Memory;

/// <summary>Physical memory writes with the bytes that were there before, so that they can be undone.</summary>
internal sealed class WriteJournal
{
    private static readonly SortedDictionary<ulong, byte> s_none = [];
    private readonly PhysicalMemory _memory;
    private readonly List<(ulong Pa, int Size, int At)> _writes = [];
    private readonly List<byte> _old = [];

    internal WriteJournal(PhysicalMemory memory) => _memory = memory;

    /// <summary>Keeps what is at a place that is about to be written.</summary>
    internal void Save(ulong pa, int size)
    {
        _writes.Add((pa, size, _old.Count));
        _old.AddRange(_memory.Span(pa, size));
    }

    /// <summary>Keeps what was at a place that has been written.</summary>
    internal void Save(ulong pa, ReadOnlySpan<byte> old)
    {
        _writes.Add((pa, old.Length, _old.Count));
        _old.AddRange(old);
    }

    /// <summary>What each written byte holds now.</summary>
    internal SortedDictionary<ulong, byte> Written()
    {
        if (_writes.Count == 0)
            return s_none;
        var bytes = new SortedDictionary<ulong, byte>();
        foreach ((ulong pa, int size, _) in _writes)
        {
            ReadOnlySpan<byte> now = _memory.Span(pa, size);
            for (int i = 0; i < size; i++)
                bytes[pa + (ulong)i] = now[i];
        }
        return bytes;
    }

    /// <summary>Puts the old bytes back, newest write first, and forgets all.</summary>
    internal void Undo()
    {
        Span<byte> old = System.Runtime.InteropServices.CollectionsMarshal.AsSpan(_old);
        for (int i = _writes.Count - 1; i >= 0; i--)
        {
            (ulong pa, int size, int at) = _writes[i];
            old.Slice(at, size).CopyTo(_memory.Span(pa, size));
        }
        Clear();
    }

    /// <summary>Writes kept.</summary>
    internal int Count => _writes.Count;

    /// <summary>Forgets the writes behind the first <paramref name="count"/>: they stay.</summary>
    internal void Truncate(int count) => _writes.RemoveRange(count, _writes.Count - count);

    /// <summary>Forgets all.</summary>
    internal void Clear()
    {
        _writes.Clear();
        _old.Clear();
    }
}
