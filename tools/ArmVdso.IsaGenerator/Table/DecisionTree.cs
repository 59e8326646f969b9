using System.Numerics;

namespace ArmVdso.IsaGenerator.Table;

/// <summary>The decoder as data. Each step looks up a few adjacent bits of the word; the last gives the few rows that can
/// still match, the more specific first.</summary>
/// <remarks>An entry is <c>base &lt;&lt; 9 | shift &lt;&lt; 4 | width</c>: go to the entry at base plus those bits of the word. A leaf has
/// width 0, and the row numbers from its base on in <see cref="Lists"/>, ended by 0.</remarks>
public sealed class DecisionTree
{
    private const int RootWidth = 11;
    private const int MaxWidth = 8;
    private const double WidthCost = 0.08;
    private readonly Dictionary<string, uint> _leaves = new(StringComparer.Ordinal);
    private readonly List<uint> _entries = [];
    private readonly List<ushort> _lists = [];

    /// <summary>Builds the tree; row number n is <c>rows[n - 1]</c>.</summary>
    public DecisionTree(IReadOnlyList<TableRow> rows)
    {
        Rows = rows;
        _lists.Add(0);
        Root = Build([.. Enumerable.Range(0, rows.Count)], 0, 0);
    }

    /// <summary>Steps from the root to the deepest leaf.</summary>
    public int Depth { get; private set; }

    /// <summary>The rows, number 1 first.</summary>
    public IReadOnlyList<TableRow> Rows { get; }

    /// <summary>The entry to start from.</summary>
    public uint Root { get; }

    /// <summary>All entries.</summary>
    public IReadOnlyList<uint> Entries => _entries;

    /// <summary>All candidate lists.</summary>
    public IReadOnlyList<ushort> Lists => _lists;

    /// <summary>The row of a word, or null.</summary>
    public TableRow? Decode(uint instruction)
    {
        uint entry = Root;
        while ((entry & 15) != 0)
            entry = _entries[(int)((entry >> 9) + ((instruction >> (int)((entry >> 4) & 31)) & ((1u << (int)(entry & 15)) - 1)))];
        for (int at = (int)(entry >> 9); _lists[at] != 0; at++)
        {
            TableRow row = Rows[_lists[at] - 1];
            if (row.Matches(instruction))
                return row;
        }
        return null;
    }

    private uint Build(List<int> candidates, uint known, int depth)
    {
        Depth = Math.Max(Depth, depth);
        if (candidates.Count <= 1 || Choose(candidates, known, depth == 0 ? RootWidth : MaxWidth) is not (int shift, int width))
            return Leaf(candidates);
        int first = _entries.Count;
        _entries.AddRange(new uint[1 << width]);
        uint mask = ((1u << width) - 1) << shift;
        var done = new Dictionary<string, uint>(StringComparer.Ordinal);
        for (uint v = 0; v < 1u << width; v++)
        {
            List<int> subset = [.. candidates.Where(c => ((Rows[c].Value ^ (v << shift)) & Rows[c].Mask & mask) == 0)];
            string key = string.Join(",", subset);
            if (!done.TryGetValue(key, out uint entry))
                done[key] = entry = Build(subset, known | mask, depth + 1);
            _entries[first + (int)v] = entry;
        }
        return ((uint)first << 9) | ((uint)shift << 4) | (uint)width;
    }

    // The range of bits that leaves the fewest candidates; wide ranges make big tables.
    private (int Shift, int Width)? Choose(List<int> candidates, uint known, int maxWidth)
    {
        double best = 0;
        (int, int)? choice = null;
        for (int width = 1; width <= maxWidth; width++)
        {
            for (int shift = 0; shift + width <= 32; shift++)
            {
                uint mask = ((1u << width) - 1) << shift;
                if ((mask & known) != 0)
                    continue;
                double score = Score(candidates, shift, width, mask);
                if (score > best)
                    (best, choice) = (score, (shift, width));
            }
        }
        return choice;
    }

    private double Score(List<int> candidates, int shift, int width, uint mask)
    {
        var counts = new int[1 << width];
        foreach (int c in candidates)
        {
            foreach (uint v in ValuesOf(Rows[c], shift, mask))
                counts[v]++;
        }
        // How many candidates a word of a row, taken at random, is left with; averaged over the rows.
        double left = candidates.Average(c => ValuesOf(Rows[c], shift, mask).Average(v => (double)counts[v]));
        return left > candidates.Count * 0.95 ? 0 : Math.Log2(candidates.Count / left) - WidthCost * width + 0.01;
    }

    // The values that the range can have in words of the row.
    private static IEnumerable<uint> ValuesOf(TableRow row, int shift, uint mask)
    {
        uint free = ~row.Mask & mask;
        uint sub = 0;
        do
        {
            yield return ((row.Value & mask) | sub) >> shift;
            sub = (sub - free) & free;
        }
        while (sub != 0);
    }

    private uint Leaf(List<int> candidates)
    {
        List<int> ordered = Order(candidates);
        string key = string.Join(",", ordered);
        if (!_leaves.TryGetValue(key, out uint entry))
        {
            entry = ordered.Count == 0 ? 0 : (uint)_lists.Count << 9;
            if (ordered.Count != 0)
            {
                _lists.AddRange(ordered.Select(c => (ushort)(c + 1)));
                _lists.Add(0);
            }
            _leaves[key] = entry;
        }
        return entry;
    }

    // Order of the table, except that a row with strictly more fixed bits goes first.
    private List<int> Order(List<int> candidates)
    {
        var rest = new List<int>(candidates);
        var ordered = new List<int>();
        while (rest.Count > 0)
        {
            int next = rest.First(a => !rest.Any(b => Rows[b].MoreSpecificThan(Rows[a])));
            ordered.Add(next);
            rest.Remove(next);
        }
        return ordered;
    }
}
