namespace ArmVdso.Emulator.Timing.Events;

/// <summary>A translation look-aside buffer, as far as timing cares: tags of 4 KiB pages with the translation context
/// (<see cref="ProcessingElement.TranslationTag"/>), true LRU inside a set.</summary>
public sealed class Tlb
{
    private readonly ulong[] _pages;
    private readonly ulong[] _contexts;
    private readonly int _ways;
    private readonly ulong _setMask;

    /// <summary>Makes an empty TLB of <paramref name="entries"/> entries in sets of <paramref name="ways"/>; the number of sets is a
    /// power of two.</summary>
    public Tlb(int entries, int ways)
    {
        _ways = ways;
        _setMask = (ulong)(entries / ways) - 1;
        _pages = new ulong[entries];
        _contexts = new ulong[entries];
        Clear();
    }

    /// <summary>Looks a page up, inserting it on a miss.</summary>
    public bool Access(ulong page, ulong context)
    {
        int set = (int)(page & _setMask) * _ways;
        if (_pages[set] == page && _contexts[set] == context)
            return true;
        int last = set + _ways - 1;
        int at = set + 1;
        while (at <= last && (_pages[at] != page || _contexts[at] != context))
            at++;
        bool hit = at <= last;
        for (int i = hit ? at : last; i > set; i--)
        {
            _pages[i] = _pages[i - 1];
            _contexts[i] = _contexts[i - 1];
        }
        _pages[set] = page;
        _contexts[set] = context;
        return hit;
    }

    /// <summary>Whether a page is there; changes nothing.</summary>
    internal bool Contains(ulong page, ulong context)
    {
        int set = (int)(page & _setMask) * _ways;
        for (int i = set; i < set + _ways; i++)
        {
            if (_pages[i] == page && _contexts[i] == context)
                return true;
        }
        return false;
    }

    /// <summary>As <see cref="Access"/> when the page is there; changes nothing when it is not.</summary>
    internal bool Touch(ulong page, ulong context)
    {
        int set = (int)(page & _setMask) * _ways;
        for (int i = set; i < set + _ways; i++)
        {
            if (_pages[i] != page || _contexts[i] != context)
                continue;
            for (; i > set; i--)
            {
                _pages[i] = _pages[i - 1];
                _contexts[i] = _contexts[i - 1];
            }
            _pages[set] = page;
            _contexts[set] = context;
            return true;
        }
        return false;
    }

    /// <summary>The page used last, when there is but one set: another access to it changes nothing.</summary>
    internal (ulong Page, ulong Context) Latest => _setMask == 0 ? (_pages[0], _contexts[0]) : (ulong.MaxValue, 0);

    /// <summary>Empties the TLB.</summary>
    public void Clear() => Array.Fill(_pages, ulong.MaxValue);
}
