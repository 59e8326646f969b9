using System.Numerics;
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

/// <summary>Tags of a set-associative cache. The first entry of a set is the most recently used one, whatever the replacement; a tree
/// of bits remembers besides which way of the set each entry is. Addresses are line numbers (physical address divided by the line
/// size).</summary>
public sealed class Cache
{
    // A maximal-length register of 16 bits: x^16 + x^14 + x^13 + x^11 + 1.
    private const uint Taps = 0xB400;

    // The bits of a tree are one word.
    private const int MostTreeWays = 16;

    /// <summary>No line has this number.</summary>
    internal const ulong NoLine = ulong.MaxValue;

    private readonly ulong[] _tags;
    private readonly LineState[] _states;
    private readonly int _ways;
    private readonly ulong _setMask;
    private readonly Replacement _replacement;
    private uint _register = 1;

    // By entry its way, and by set the bits of the tree: bit 1 is the root's, bits 2n and 2n+1 those below bit n.
    private readonly byte[] _places = [];
    private readonly uint[] _trees = [];
    private readonly int _levels;

    /// <summary>Makes an empty cache.</summary>
    /// <param name="size">Bytes.</param>
    /// <param name="ways">Associativity.</param>
    /// <param name="line">Bytes of a line.</param>
    /// <param name="replacement">Which line goes. A tree needs a power of two of ways, up to 16; with others the least recently used line
    /// goes.</param>
    public Cache(int size, int ways, int line, Replacement replacement = Replacement.LeastRecent)
    {
        if (replacement == Replacement.Tree && (!BitOperations.IsPow2(ways) || ways > MostTreeWays))
            replacement = Replacement.LeastRecent;
        _replacement = replacement;
        int sets = size / (ways * line);
        _ways = ways;
        _setMask = (ulong)sets - 1;
        _tags = GC.AllocateArray<ulong>(sets * ways, pinned: true);
        _states = GC.AllocateArray<LineState>(sets * ways, pinned: true);
        if (replacement == Replacement.Tree)
        {
            _levels = BitOperations.Log2((uint)ways);
            _places = new byte[_tags.Length];
            _trees = new uint[sets];
        }
        Clear();
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
        if (_replacement == Replacement.Tree)
        {
            MovePlace(set, found);
            PointAway(set);
        }
        return set;
    }

    /// <summary>Whether a line is there; changes nothing.</summary>
    internal bool Contains(ulong line) => Search(line) >= 0;

    /// <summary>Whether a line is the most recently used of its set.</summary>
    internal bool IsLatest(ulong line) => _tags[(int)(line & _setMask) * _ways] == line;

    /// <summary>The entry that goes when a line comes that is not there. Changes nothing.</summary>
    /// <param name="line">The line.</param>
    /// <param name="register">For <see cref="Replace"/>.</param>
    /// <param name="written">The line that goes, when it was written and has to go down; else <see cref="NoLine"/>.</param>
    internal int FindVictim(ulong line, out uint register, out ulong written)
    {
        int set = (int)(line & _setMask) * _ways;
        int last = Victim(set, set, out register);
        written = _states[last] == LineState.Modified ? _tags[last] : NoLine;
        return last;
    }

    /// <summary>Inserts a line in place of what <see cref="FindVictim"/> said.</summary>
    internal void Replace(ulong line, LineState state, int last, uint register)
    {
        _register = register;
        Put(line, state, (int)(line & _setMask) * _ways, 0, last);
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
        int last = Victim(set, first, out _register);
        ulong written = _states[last] == LineState.Modified ? _tags[last] : NoLine;
        Put(line, state, set, place, last);
        return written;
    }

    private void Put(ulong line, LineState state, int set, int place, int last)
    {
        int first = set + place;
        for (int i = last; i > first; i--)
        {
            _tags[i] = _tags[i - 1];
            _states[i] = _states[i - 1];
        }
        _tags[first] = line;
        _states[first] = state;
        if (_replacement == Replacement.Tree)
        {
            MovePlace(first, last);
            PointAway(first);
            // The first entry stays the one that was used last.
            if (place != 0)
                PointAway(set);
        }
    }

    private void MovePlace(int first, int last)
    {
        byte place = _places[last];
        Array.Copy(_places, first, _places, first + 1, last - first);
        _places[first] = place;
    }

    /// <summary>The bits on the way to an entry's way point to the other halves.</summary>
    private void PointAway(int entry)
    {
        ref uint tree = ref _trees[entry / _ways];
        int node = 1;
        for (int level = _levels - 1; level >= 0; level--)
        {
            int half = (_places[entry] >> level) & 1;
            tree = half == 0 ? tree | 1u << node : tree & ~(1u << node);
            node = 2 * node + half;
        }
    }

    /// <summary>The entry of the way to which the bits lead: away from what was used last, which is the first entry.</summary>
    private int Follow(int set)
    {
        uint tree = _trees[set / _ways];
        int node = 1;
        for (int level = 0; level < _levels; level++)
            node = 2 * node + (int)(tree >> node & 1);
        return set + _places.AsSpan(set, _ways).IndexOf((byte)(node - _ways));
    }

    /// <summary>The entry that goes, from one on: an empty one before others, unless the order alone says it.</summary>
    private int Victim(int set, int first, out uint register)
    {
        register = _register;
        if (_replacement == Replacement.LeastRecent)
            return set + _ways - 1;
        int count = set + _ways - first;
        int empty = Empty(first, count);
        if (empty >= 0)
            return empty;
        if (_replacement == Replacement.Tree)
            return Follow(set);
        register = (_register >> 1) ^ ((_register & 1) * Taps);
        return first + (int)(register % (uint)count);
    }

    private int Empty(int first, int count)
    {
        if (_ways >= ManyWays)
        {
            int found = _tags.AsSpan(first, count).IndexOf(NoLine);
            return found < 0 ? -1 : first + found;
        }
        for (int i = first; i < first + count; i++)
        {
            if (_tags[i] == NoLine)
                return i;
        }
        return -1;
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

    /// <summary>Whether code that knows no more than <see cref="Tags"/> and <see cref="States"/> may move entries.</summary>
    internal bool IsOrderAlone => _replacement != Replacement.Tree;

    /// <summary>Empties the cache.</summary>
    public void Clear()
    {
        Array.Fill(_tags, NoLine);
        Array.Clear(_states);
        Array.Clear(_trees);
        for (int i = 0; i < _places.Length; i++)
            _places[i] = (byte)(i % _ways);
    }
}
