using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Emulator.Timing.Events;

/// <summary>A direction predictor with tagged tables of geometric history lengths over a table of two-bit counters (TAGE: Seznec and
/// Michaud, A case for (partially) tagged geometric history length branch prediction, JILP 8, 2006), and a table of loops whose number of
/// rounds is constant. How the branch ends is known at once: histories are those of executed branches.</summary>
internal sealed class TaggedPredictor
{
    private const int TagBits = 9;
    private const int Useful = 3;
    private const int Aging = 1 << 18;
    private const int Sure = 3;
    private const int ShortestLoop = 8;
    private readonly byte[] _base;
    private readonly Entry[][] _tables;
    private readonly int[] _lengths;
    private readonly int[] _slots;
    private readonly ushort[] _tags;
    private readonly Loop[] _loops;
    private readonly int _indexBits;
    private ulong _history;
    private uint _random = 1;
    private int _age;

    /// <summary>A predictor that has seen nothing.</summary>
    internal TaggedPredictor(CoreModel model)
    {
        _base = new byte[model.PatternHistoryEntries];
        Array.Fill(_base, (byte)1);
        _indexBits = model.TaggedIndexBits;
        _tables = [.. Enumerable.Range(0, model.TaggedTables).Select(_ => new Entry[1 << _indexBits])];
        _slots = new int[_tables.Length];
        _tags = new ushort[_tables.Length];
        // From four branches to the longest.
        const double Shortest = 4;
        double ratio = _tables.Length == 1 ? 1 : Math.Pow(model.HistoryBits / Shortest, 1.0 / (_tables.Length - 1));
        _lengths = [.. Enumerable.Range(0, _tables.Length).Select(i => Math.Min(64, (int)Math.Round(Shortest * Math.Pow(ratio, i))))];
        _loops = new Loop[model.LoopEntries];
    }

    /// <summary>Branches that were executed, the youngest in bit 0.</summary>
    internal ulong History => _history;

    /// <summary>Predicts one executed conditional branch and learns from it.</summary>
    /// <returns>Whether the prediction was right.</returns>
    internal bool Execute(ulong pc, bool taken)
    {
        pc >>= 2;
        int provider = -1, other = -1;
        for (int i = _tables.Length - 1; i >= 0; i--)
        {
            ulong history = _lengths[i] == 64 ? _history : _history & ((1UL << _lengths[i]) - 1);
            _slots[i] = Fold(history ^ (pc * 0x9E3779B97F4A7C15 >> (i + 1)), _indexBits);
            _tags[i] = (ushort)Fold((history * 0xD6E8FEB86659FD93) ^ pc, TagBits);
            if (_tables[i][_slots[i]].Tag != _tags[i] || !_tables[i][_slots[i]].Valid)
                continue;
            if (provider < 0)
                provider = i;
            else if (other < 0)
                other = i;
        }
        ref byte counter = ref _base[(int)(pc % (uint)_base.Length)];
        bool plain = other >= 0 ? _tables[other][_slots[other]].Counter >= 0 : counter >= 2;
        bool predicted = plain;
        if (provider >= 0)
        {
            // What is new says less than what lies below it.
            ref Entry entry = ref _tables[provider][_slots[provider]];
            bool isNew = entry.Useful == 0 && entry.Counter is 0 or -1;
            predicted = isNew ? plain : entry.Counter >= 0;
            bool own = entry.Counter >= 0;
            if (own != plain)
                entry.Useful = (byte)(own == taken ? Math.Min(entry.Useful + 1, Useful) : Math.Max(entry.Useful - 1, 0));
            entry.Counter = (sbyte)(taken ? Math.Min(entry.Counter + 1, 3) : Math.Max(entry.Counter - 1, -4));
            if (isNew && other < 0)
                Count(ref counter, taken);
            if (own != taken)
                Allocate(provider, taken);
        }
        else
        {
            Count(ref counter, taken);
            if (plain != taken)
                Allocate(-1, taken);
        }
        if (_loops.Length > 0)
            predicted = Looped(pc, predicted, taken);
        _history = (_history << 1) | (taken ? 1u : 0);
        return predicted == taken;
    }

    private static void Count(ref byte counter, bool taken)
    {
        if (taken && counter < 3)
            counter++;
        else if (!taken && counter > 0)
            counter--;
    }

    /// <summary>A wrong prediction takes an entry with a longer history that is of no use to others.</summary>
    private void Allocate(int provider, bool taken)
    {
        int first = provider + 1;
        _random = (_random * 1664525) + 1013904223;
        if (first < _tables.Length - 1 && (_random >> 30) == 0)
            first++;
        for (int i = first; i < _tables.Length; i++)
        {
            ref Entry entry = ref _tables[i][_slots[i]];
            if (entry.Useful > 0)
                continue;
            entry = new Entry { Tag = _tags[i], Counter = (sbyte)(taken ? 0 : -1), Valid = true };
            return;
        }
        for (int i = provider + 1; i < _tables.Length; i++)
        {
            ref Entry entry = ref _tables[i][_slots[i]];
            if (entry.Useful > 0)
                entry.Useful--;
        }
        if (++_age < Aging)
            return;
        _age = 0;
        foreach (Entry[] table in _tables)
        {
            foreach (ref Entry entry in table.AsSpan())
                entry.Useful >>= 1;
        }
    }

    /// <summary>What a loop's counter makes of a prediction: a branch that went the other way after the same number of rounds each time
    /// does so again.</summary>
    private bool Looped(ulong pc, bool predicted, bool taken)
    {
        ref Loop loop = ref _loops[(int)(pc % (uint)_loops.Length)];
        bool wrong = predicted != taken;
        if (loop.Branch != pc || (wrong && loop.Confidence < Sure && taken == loop.Direction))
        {
            // Only what is mispredicted is worth a counter: at the end of a loop, so that the rounds before went the other way.
            if (wrong)
                loop = new Loop { Branch = pc, Direction = !taken };
            return predicted;
        }
        bool counted = loop.Confidence >= Sure && loop.Rounds >= ShortestLoop;
        if (counted)
            predicted = loop.Count + 1 == loop.Rounds ? !loop.Direction : loop.Direction;
        if (counted && predicted != taken)
        {
            loop = default;
            return predicted;
        }
        loop.Count++;
        if (taken == loop.Direction)
            return predicted;
        loop.Confidence = loop.Count == loop.Rounds ? Math.Min(loop.Confidence + 1, Sure) : 0;
        loop.Rounds = loop.Count;
        loop.Count = 0;
        return predicted;
    }

    private static int Fold(ulong value, int bits)
    {
        ulong folded = 0;
        for (; value != 0; value >>= bits)
            folded ^= value;
        return (int)(folded & ((1UL << bits) - 1));
    }

    private struct Entry
    {
        public ushort Tag;
        public sbyte Counter;
        public byte Useful;
        public bool Valid;
    }

    private struct Loop
    {
        public ulong Branch;
        public int Rounds;
        public int Count;
        public int Confidence;
        public bool Direction;
    }
}
