using System.Numerics;
using ArmVdso.Emulator.State;

namespace ArmVdso.Emulator.Timing.Events;

/// <summary>A translation look-aside buffer, as far as timing cares: tags of pages with the translation context
/// (<see cref="ProcessingElement.TranslationTag"/>), true LRU inside a set. An entry stands for a page of 4 KiB or for a power of two of
/// them, as large as the block or the contiguous pages of the tables.</summary>
public sealed class Tlb
{
    // A tag is a page's number; of a larger entry with this bit, the size, and the number in units of it.
    private const ulong Large = 1UL << 62;
    private const int SizeShift = 56, SizeMask = 63;

    private const int FewestHints = 512, HintsOfEntry = 4;

    /// <summary>How far up the bits of a page are that join the lowest ones to say which hint is its own.</summary>
    internal const int HintFold = 9;


    private readonly ulong[] _pages;
    private readonly ulong[] _contexts;

    // When each entry was used, by a clock that ticks when that changes an order.
    private readonly ulong[] _used;

    // That clock, and the entry that was used last.
    private readonly ulong[] _order = GC.AllocateArray<ulong>(2, pinned: true);
    private readonly int _ways;
    private readonly ulong _setMask;

    // Where a page of 4 KiB was found last.
    [NotState("a hint, which is checked")]
    private readonly int[] _hints;

    /// <summary>Bit n: there may be entries of 2 to the n pages.</summary>
    private ulong _sizes;

    /// <summary>Makes an empty TLB of <paramref name="entries"/> entries in sets of <paramref name="ways"/>; the number of sets is a
    /// power of two.</summary>
    public Tlb(int entries, int ways)
    {
        _ways = ways;
        _setMask = (ulong)(entries / ways) - 1;
        int hints = Math.Max(FewestHints, HintsOfEntry * entries);
        _hints = GC.AllocateArray<int>((int)BitOperations.RoundUpToPowerOf2((uint)hints), pinned: true);
        _pages = GC.AllocateArray<ulong>(entries, pinned: true);
        _contexts = GC.AllocateArray<ulong>(entries, pinned: true);
        _used = GC.AllocateArray<ulong>(entries, pinned: true);
        Clear();
    }

    /// <summary>Entries of all sets.</summary>
    internal int Entries => _pages.Length;

    /// <summary>Where native code finds the tables.</summary>
    internal TlbPlaces Places => new()
    {
        Hints = CoreEvents.AddressOf(_hints),
        Pages = CoreEvents.AddressOf(_pages),
        Contexts = CoreEvents.AddressOf(_contexts),
        Used = CoreEvents.AddressOf(_used),
        Order = CoreEvents.AddressOf(_order),
    };

    private int LastUsed
    {
        get => (int)_order[1];
        set => _order[1] = (ulong)value;
    }

    /// <summary>Which of the hints is a page's.</summary>
    private int Hint(ulong page) => (int)(page ^ page >> HintFold) & (_hints.Length - 1);

    /// <summary>Pages of which it is known where they were found last; a power of two.</summary>
    internal int Hints => _hints.Length;

    private static ulong Tag(ulong page, int size) => size == 0 ? page : Large | (ulong)size << SizeShift | page >> size;

    private static int SizeOf(ulong tag) => (tag & Large) == 0 ? 0 : (int)(tag >> SizeShift) & SizeMask;

    private int Find(ulong page, ulong context)
    {
        ref int hint = ref _hints[Hint(page)];
        if (_pages[hint] == page && _contexts[hint] == context)
            return hint;
        int at = Find(page, page, context);
        if (at >= 0)
        {
            hint = at;
            return at;
        }
        for (ulong sizes = _sizes; at < 0 && sizes != 0; sizes &= sizes - 1)
        {
            int size = BitOperations.TrailingZeroCount(sizes);
            at = Find(Tag(page, size), page >> size, context);
        }
        return at;
    }

    private int Find(ulong tag, ulong number, ulong context)
    {
        int set = (int)(number & _setMask) * _ways;
        for (int i = set; i < set + _ways; i++)
        {
            if (_pages[i] == tag && _contexts[i] == context)
                return i;
        }
        return -1;
    }

    private void Use(int at)
    {
        if (at == LastUsed)
            return;
        _used[at] = ++_order[0];
        LastUsed = at;
    }

    /// <summary>Uses the entry of a page, if there is one; changes nothing else.</summary>
    /// <param name="page">Number of a page of 4 KiB.</param>
    /// <param name="context">Its context.</param>
    /// <param name="size">Base 2 logarithm of the pages that the entry stands for.</param>
    internal bool Touch(ulong page, ulong context, out int size)
    {
        int at = Find(page, context);
        size = 0;
        if (at < 0)
            return false;
        size = SizeOf(_pages[at]);
        Use(at);
        return true;
    }

    /// <inheritdoc cref="Touch(ulong, ulong, out int)"/>
    internal bool Touch(ulong page, ulong context) => Touch(page, context, out _);

    /// <summary>As <see cref="Touch(ulong, ulong)"/>, for an entry that is where the page was found last; another one is not
    /// found.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool TouchFound(ulong page, ulong context)
    {
        if (!IsFound(page, context))
            return false;
        Use(_hints[Hint(page)]);
        return true;
    }

    /// <summary>Whether a page is where it was found last; changes nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool IsFound(ulong page, ulong context)
    {
        nint at = Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_hints), Hint(page));
        return Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_pages), at) == page
            && Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_contexts), at) == context;
    }

    /// <summary>Inserts the entry of a page that is not there; the least recently used one of its set goes.</summary>
    internal void Insert(ulong page, ulong context, int size)
    {
        if (size != 0)
            _sizes |= 1UL << size;
        int set = (int)((page >> size) & _setMask) * _ways, oldest = set;
        for (int i = set + 1; i < set + _ways; i++)
        {
            if (_used[i] < _used[oldest])
                oldest = i;
        }
        _pages[oldest] = Tag(page, size);
        _contexts[oldest] = context;
        _used[oldest] = ++_order[0];
        LastUsed = oldest;
        if (size == 0)
            _hints[Hint(page)] = oldest;
    }

    /// <summary>The entry of a page, or -1; changes nothing.</summary>
    internal int Search(ulong page, ulong context) => Find(page, context);

    /// <summary>Uses an entry that <see cref="Search"/> found.</summary>
    /// <returns>Base 2 logarithm of the pages that it stands for.</returns>
    internal int UseEntry(int at)
    {
        Use(at);
        return SizeOf(_pages[at]);
    }

    /// <summary>Whether a page is there; changes nothing.</summary>
    internal bool Contains(ulong page, ulong context) => Find(page, context) >= 0;

    /// <summary>The page used last, when there is but one set: another access to it changes nothing. MaxValue when that is not
    /// known.</summary>
    internal (ulong Page, ulong Context) Latest =>
        _setMask == 0 && SizeOf(_pages[LastUsed]) == 0 ? (_pages[LastUsed], _contexts[LastUsed]) : (ulong.MaxValue, 0);

    /// <summary>Drops the entries of pages of an address space.</summary>
    /// <param name="first">First page.</param>
    /// <param name="count">Pages.</param>
    /// <param name="asid">ASID in the tags, bits 63 to 48; null: any.</param>
    internal void Remove(ulong first, ulong count, ulong? asid)
    {
        for (int i = 0; i < _pages.Length; i++)
        {
            ulong tag = _pages[i];
            int size = SizeOf(tag);
            ulong page = size == 0 ? tag : (tag & ((1UL << SizeShift) - 1)) << size;
            bool meant = page - first < count || first - page < 1UL << size;
            if (tag != ulong.MaxValue && meant && (asid is null || (_contexts[i] != 0 && _contexts[i] >> 48 == asid)))
                _pages[i] = ulong.MaxValue;
        }
    }

    /// <summary>Empties the TLB.</summary>
    public void Clear()
    {
        Array.Fill(_pages, ulong.MaxValue);
        _sizes = 0;
    }
}
