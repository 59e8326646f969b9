using System.Numerics;

namespace ArmVdso.Emulator.MemoryModel;

/// <summary>One way in which threads may have executed: their events, which store each load has read from, and in which order the
/// stores to a location reached memory. <see cref="IsAllowed"/> says whether the architecture allows it (DDI0487, B2.3; aarch64.cat:
/// internal visibility, external visibility, atomicity). Events are numbered thread after thread.</summary>
public sealed class Execution
{
    /// <summary>Source of a byte that was in memory before all threads.</summary>
    public const int Initial = -1;

    /// <summary>Source of a byte of which it is not said where it comes from: nothing follows from it.</summary>
    public const int Unknown = -2;

    private readonly MemoryEvent[] _events;
    private readonly int[] _thread;
    private readonly UInt128[] _local;
    private readonly UInt128[][] _covering;
    private readonly int[][] _sources;
    private readonly int[] _rank;

    /// <summary>An execution of complete threads, with no load reading from anywhere yet.</summary>
    /// <param name="threads">The events of each thread.</param>
    /// <exception cref="InvalidOperationException">There are more than <see cref="MemoryEvent.Most"/> events.</exception>
    public Execution(IReadOnlyList<IReadOnlyList<MemoryEvent>> threads)
        : this(threads, [.. threads.Select(LocalOrder.Of)])
    {
    }

    /// <inheritdoc cref="Execution(IReadOnlyList{IReadOnlyList{MemoryEvent}})"/>
    /// <param name="threads">The events of each thread.</param>
    /// <param name="orders">What each thread orders by itself.</param>
    public Execution(IReadOnlyList<IReadOnlyList<MemoryEvent>> threads, IReadOnlyList<UInt128[]> orders)
    {
        int count = threads.Sum(t => t.Count);
        if (count > MemoryEvent.Most)
            throw new InvalidOperationException($"{count} memory events are too many for one execution: {MemoryEvent.Most} at most");
        (_events, _thread, _local) = (new MemoryEvent[count], new int[count], new UInt128[count]);
        (_covering, _sources, _rank) = (new UInt128[count][], new int[count][], new int[count]);
        for (int t = 0, n = 0; t < threads.Count; t++)
        {
            int first = n;
            foreach (MemoryEvent e in threads[t])
            {
                (_events[n], _thread[n], _local[n], _rank[n]) = (e, t, orders[t][e.Index] << first, n);
                n++;
            }
        }
        for (int r = 0; r < count; r++)
            FindCovering(r);
    }

    private void FindCovering(int read)
    {
        MemoryEvent e = _events[read];
        if (!e.IsRead)
            return;
        _covering[read] = new UInt128[e.Value.Length];
        _sources[read] = new int[e.Value.Length];
        Array.Fill(_sources[read], Unknown);
        for (int b = 0; b < e.Value.Length; b++)
        {
            for (int w = 0; w < _events.Length; w++)
            {
                if (_events[w].IsWrite && _events[w].Covers(e.Address + (ulong)b))
                    _covering[read][b] |= UInt128.One << w;
            }
        }
    }

    /// <summary>The events, thread after thread.</summary>
    public IReadOnlyList<MemoryEvent> Events => _events;

    /// <summary>The thread of an event.</summary>
    public int ThreadOf(int n) => _thread[n];

    /// <summary>The stores that store a byte of a load.</summary>
    /// <param name="read">The load.</param>
    /// <param name="at">Which byte of it.</param>
    public UInt128 Covering(int read, int at) => _covering[read][at];

    /// <summary>Which store a byte of a load comes from; <see cref="Initial"/>, <see cref="Unknown"/>.</summary>
    public int SourceOf(int read, int at) => _sources[read][at];

    /// <summary>Sets where a byte of a load comes from.</summary>
    public void ReadFrom(int read, int at, int write) => _sources[read][at] = write;

    /// <summary>The place of a store in the order in which stores reach memory; at first that of the threads one after another.</summary>
    public int RankOf(int write) => _rank[write];

    /// <summary>Puts a store there.</summary>
    public void SetRank(int write, int rank) => _rank[write] = rank;

    /// <summary>Whether the architecture allows it.</summary>
    public bool IsAllowed
    {
        get
        {
            Span<UInt128> before = stackalloc UInt128[_events.Length];
            _local.CopyTo(before);
            for (int n = 0; n < _events.Length; n++)
            {
                if (_events[n].IsRead && !Read(n, before))
                    return false;
                if (_events[n].IsWrite && !Write(n, before))
                    return false;
            }
            return IsAcyclic(before);
        }
    }

    /// <summary>Observed-by of a load, and what must hold inside its thread.</summary>
    private bool Read(int r, Span<UInt128> before)
    {
        for (int b = 0; b < _sources[r].Length; b++)
        {
            int source = _sources[r][b];
            if (b > 0 && source == _sources[r][b - 1] && _covering[r][b] == _covering[r][b - 1])
                continue;
            if (source == Unknown)
                continue;
            int rank = source < 0 ? -1 : _rank[source];
            if (source >= 0 && _thread[source] != _thread[r])
                before[source] |= UInt128.One << r;
            else if (source > r)
                return false; // coRW1: a load reads from a later store of its thread.
            for (UInt128 left = _covering[r][b]; left != 0; left &= left - 1)
            {
                int w = (int)UInt128.TrailingZeroCount(left);
                if (_rank[w] <= rank || w == source)
                    continue;
                if (_thread[w] != _thread[r])
                    ReadsBefore(r, w, before);
                else if (w < r)
                    return false; // coWR: a store of its thread is behind what it reads, and before it in program order.
            }
        }
        return true;
    }

    /// <summary>A load reads what a store of another thread replaces. So do earlier loads of the location, as loads of one location
    /// do not go backwards (Exp-haz-ob).</summary>
    private void ReadsBefore(int read, int write, Span<UInt128> before)
    {
        before[read] |= UInt128.One << write;
        for (int i = read - 1; i >= 0 && _thread[i] == _thread[read]; i--)
        {
            if (_events[i].IsRead && _events[i].Overlaps(_events[read]))
                before[i] |= UInt128.One << write;
        }
    }

    /// <summary>Coherence of a store with the others, and atomicity.</summary>
    private bool Write(int w, Span<UInt128> before)
    {
        int read = _events[w].ReadOf < 0 ? -1 : w - _events[w].Index + _events[w].ReadOf;
        for (int other = 0; other < _events.Length; other++)
        {
            if (other == w || !_events[other].IsWrite || !_events[other].Overlaps(_events[w]))
                continue;
            bool external = _thread[other] != _thread[w];
            if (_rank[other] > _rank[w])
            {
                if (external)
                    before[w] |= UInt128.One << other;
                else if (other < w)
                    return false; // coWW
            }
            else if (external && read >= 0 && IsBetween(other, read))
            {
                return false; // A store of another thread came between the load and the store of an atomic.
            }
        }
        return true;
    }

    private bool IsBetween(int write, int read)
    {
        for (int b = 0; b < _sources[read].Length; b++)
        {
            int source = _sources[read][b];
            bool covers = source != Unknown && source != write && (_covering[read][b] >> write & 1) != 0;
            if (covers && _rank[write] > (source < 0 ? -1 : _rank[source]))
                return true;
        }
        return false;
    }

    /// <summary>Takes away whatever nothing is ordered before, until nothing is left, or a cycle.</summary>
    private static bool IsAcyclic(ReadOnlySpan<UInt128> before)
    {
        int count = before.Length;
        UInt128 left = count == 128 ? UInt128.MaxValue : (UInt128.One << count) - 1;
        while (left != 0)
        {
            // What is ordered before something of the rest stays.
            UInt128 done = 0;
            for (int n = 0; n < count; n++)
            {
                if ((left >> n & 1) != 0 && (before[n] & left) == 0)
                    done |= UInt128.One << n;
            }
            if (done == 0)
                return false;
            left &= ~done;
        }
        return true;
    }
}
