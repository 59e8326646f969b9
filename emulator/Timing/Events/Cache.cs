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

/// <summary>Tags of a set-associative cache. Way 0 of a set is the most recently used; what goes is the least recently used line, or one
/// that a shift register picks. Addresses are line numbers (physical address divided by the line size).</summary>
public sealed class Cache
{
    // A maximal-length register of 16 bits: x^16 + x^14 + x^13 + x^11 + 1.
    private const uint Taps = 0xB400;

    /// <summary>No line has this number.</summary>
    internal const ulong NoLine = ulong.MaxValue;

    private readonly ulong[] _tags;
    private readonly LineState[] _states;
    private readonly int _ways;
    private readonly ulong _setMask;
    private readonly bool _random;
    private uint _register = 1;

    /// <summary>Makes an empty cache.</summary>
    /// <param name="size">Bytes.</param>
    /// <param name="ways">Associativity.</param>
    /// <param name="line">Bytes of a line.</param>
    /// <param name="random">Replacement is pseudo-random, always in the same way; else the least recently used line goes.</param>
    public Cache(int size, int ways, int line, bool random = false)
    {
        _random = random;
        int sets = size / (ways * line);
        _ways = ways;
        _setMask = (ulong)sets - 1;
        _tags = GC.AllocateArray<ulong>(sets * ways, pinned: true);
        _states = GC.AllocateArray<LineState>(sets * ways, pinned: true);
        Array.Fill(_tags, NoLine);
    }

    /// <summary>Looks a line up and makes it the most recently used of its set.</summary>
    /// <returns>Index for <see cref="State"/>, or -1 on a miss.</returns>
    public int Find(ulong line)
    {
        int found = Search(line);
        return found < 0 ? -1 : Use(line, found);
    }

    // From so many ways on, several are compared at a time.
    private const int ManyWays = 8;

    /// <summary>Looks a line up; changes nothing.</summary>
    /// <returns>Index for <see cref="State"/> and <see cref="Use"/>, or -1 on a miss.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int Search(ulong line)
    {
        int set = (int)(line & _setMask) * _ways;
        ref ulong tags = ref MemoryMarshal.GetArrayDataReference(_tags);
        if (_ways >= ManyWays)
            return Unsafe.Add(ref tags, set) == line ? set : SearchMany(set, line);
        for (int i = set; i < set + _ways; i++)
        {
            if (Unsafe.Add(ref tags, i) == line)
                return i;
        }
        return -1;
    }

    private int SearchMany(int set, ulong line)
    {
        int way = _tags.AsSpan(set, _ways).IndexOf(line);
        return way < 0 ? -1 : set + way;
    }

    /// <summary>Makes a line at an index the most recently used of its set.</summary>
    /// <returns>Its index then.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int Use(ulong line, int found)
    {
        int set = (int)(line & _setMask) * _ways;
        return set == found ? set : Move(set, found);
    }

    private int Move(int set, int found)
    {
        (ulong line, LineState state) = (_tags[found], _states[found]);
        if (_ways >= ManyWays)
        {
            _tags.AsSpan(set, found - set).CopyTo(_tags.AsSpan(set + 1));
            _states.AsSpan(set, found - set).CopyTo(_states.AsSpan(set + 1));
        }
        else
        {
            for (int i = found; i > set; i--)
            {
                _tags[i] = _tags[i - 1];
                _states[i] = _states[i - 1];
            }
        }
        (_tags[set], _states[set]) = (line, state);
        return set;
    }

    /// <summary>Whether a line is there; changes nothing.</summary>
    internal bool Contains(ulong line) => Search(line) >= 0;

    /// <summary>Whether a line is the most recently used of its set.</summary>
    internal bool IsLatest(ulong line) => _tags[(int)(line & _setMask) * _ways] == line;

    /// <summary>The written line that goes when another one comes to its set; <see cref="NoLine"/> when none has to go down.</summary>
    /// <returns>False when that is not known before it comes.</returns>
    internal bool FindWritten(ulong line, out ulong written)
    {
        int last = (int)(line & _setMask) * _ways + _ways - 1;
        written = _states[last] == LineState.Modified ? _tags[last] : NoLine;
        return !_random;
    }

    /// <summary>The tags, set by set, most recently used first; for checks that must be fast. They do not move.</summary>
    internal ulong[] Tags => _tags;

    /// <summary>The states beside <see cref="Tags"/>.</summary>
    internal LineState[] States => _states;

    /// <summary>Number of sets less one.</summary>
    internal ulong SetMask => _setMask;

    /// <summary>Associativity.</summary>
    internal int Ways => _ways;

    /// <summary>The state at an index that <see cref="Find"/> returned; valid until the next call.</summary>
    public ref LineState State(int index) => ref _states[index];

    /// <summary>Inserts a line that <see cref="Find"/> missed; another one of the set goes.</summary>
    /// <returns>The line that went when it was written and has to go down, else <see cref="NoLine"/>.</returns>
    public ulong Insert(ulong line, LineState state) => Insert(line, state, 0);

    /// <summary>Inserts a line that nobody has asked for yet, behind the most recently used one of its set.</summary>
    /// <returns>As <see cref="Insert(ulong, LineState)"/>.</returns>
    public ulong InsertSecond(ulong line, LineState state) => Insert(line, state, _ways == 1 ? 0 : 1);

    private ulong Insert(ulong line, LineState state, int place)
    {
        int set = (int)(line & _setMask) * _ways;
        int first = set + place;
        int last = _random ? Pick(first, _ways - place) : set + _ways - 1;
        ulong written = _states[last] == LineState.Modified ? _tags[last] : NoLine;
        for (int i = last; i > first; i--)
        {
            _tags[i] = _tags[i - 1];
            _states[i] = _states[i - 1];
        }
        _tags[first] = line;
        _states[first] = state;
        return written;
    }

    /// <summary>One of some ways: an empty one, or the one that the register names.</summary>
    private int Pick(int first, int count)
    {
        int empty = _tags.AsSpan(first, count).IndexOf(NoLine);
        if (empty >= 0)
            return first + empty;
        _register = (_register >> 1) ^ ((_register & 1) * Taps);
        return first + (int)(_register % (uint)count);
    }

    /// <summary>A line that is there is written from above; the order of use stays.</summary>
    /// <returns>False when it is not there.</returns>
    internal bool Write(ulong line)
    {
        int set = (int)(line & _setMask) * _ways;
        int way = _tags.AsSpan(set, _ways).IndexOf(line);
        if (way < 0)
            return false;
        _states[set + way] = LineState.Modified;
        return true;
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
