using ArmVdso.Emulator.Timing.Counters;

namespace ArmVdso.Emulator.Timing.Memo;

/// <summary>What blocks add to the counters, each sum once, by number, with how often it is due. Adding one is one increment;
/// <see cref="Settle"/> does the sums.</summary>
internal sealed class DeltaTable
{
    private readonly Dictionary<TimingCounters, int> _numbers = new(Comparer.Instance);
    private readonly List<TimingCounters> _deltas = [];
    private readonly List<bool> _atEL0 = [];
    private readonly int _most;

    /// <summary>An empty table of at most so many sums.</summary>
    internal DeltaTable(int most)
    {
        _most = most;
        Due = GC.AllocateArray<ulong>(most, pinned: true);
    }

    /// <summary>How often each sum is due; it does not move.</summary>
    internal ulong[] Due { get; }

    /// <summary>Whether no further sum may fit.</summary>
    internal bool Full => _deltas.Count >= _most;

    /// <summary>The number of a sum at an exception level; the table is not <see cref="Full"/>.</summary>
    internal int Intern(in TimingCounters delta, bool atEL0)
    {
        // Exceptions are never counted in blocks: the field tells the levels apart.
        TimingCounters key = delta;
        key.Exceptions = atEL0 ? 1u : 0;
        if (_numbers.TryGetValue(key, out int number))
            return number;
        number = _deltas.Count;
        _numbers.Add(key, number);
        _deltas.Add(delta);
        _atEL0.Add(atEL0);
        return number;
    }

    /// <summary>Adds everything that is due.</summary>
    internal void Settle(ref TimingStatistics statistics)
    {
        for (int i = 0; i < _deltas.Count; i++)
        {
            ulong times = Due[i];
            if (times == 0)
                continue;
            Due[i] = 0;
            Add(ref _atEL0[i] ? ref statistics.EL0 : ref statistics.EL1, _deltas[i], times);
        }
    }

    /// <summary>Forgets all sums; nothing is due.</summary>
    internal void Clear()
    {
        _numbers.Clear();
        _deltas.Clear();
        _atEL0.Clear();
    }

    /// <summary>Adds counters so many times.</summary>
    internal static void Add(ref TimingCounters counters, in TimingCounters delta, ulong times)
    {
        Span<ulong> to = Words(ref counters);
        ReadOnlySpan<ulong> from = Words(ref Unsafe.AsRef(in delta));
        for (int i = 0; i < to.Length; i++)
            to[i] += times * from[i];
    }

    /// <summary>Whether two sums are equal.</summary>
    internal static bool AreEqual(in TimingCounters x, in TimingCounters y) =>
        Words(ref Unsafe.AsRef(in x)).SequenceEqual(Words(ref Unsafe.AsRef(in y)));

    // All fields of the counters are 64 bits wide.
    private static Span<ulong> Words(ref TimingCounters counters) =>
        MemoryMarshal.Cast<TimingCounters, ulong>(new Span<TimingCounters>(ref counters));

    private sealed class Comparer : IEqualityComparer<TimingCounters>
    {
        internal static readonly Comparer Instance = new();

        public bool Equals(TimingCounters x, TimingCounters y) => AreEqual(x, y);

        public int GetHashCode(TimingCounters counters)
        {
            ulong hash = 0;
            foreach (ulong word in Words(ref counters))
                hash = (hash ^ word) * 0x9E3779B97F4A7C15;
            return (int)(hash >> 32);
        }
    }
}
