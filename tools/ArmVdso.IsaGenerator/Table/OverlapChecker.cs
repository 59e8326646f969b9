using System.Numerics;

namespace ArmVdso.IsaGenerator.Table;

/// <summary>Finds pairs of rows that claim the same words without the table saying which wins.</summary>
public static class OverlapChecker
{
    private const int Samples = 1 << 14;

    /// <summary>Messages, one for each pair.</summary>
    public static IEnumerable<string> Check(IReadOnlyList<TableRow> rows)
    {
        for (int a = 0; a < rows.Count; a++)
        {
            for (int b = a + 1; b < rows.Count; b++)
            {
                if (!rows[a].Touches(rows[b]) || Allowed(rows[a], rows[b]) || FindCommon(rows[a], rows[b]) is not uint word)
                    continue;
                yield return $"{rows[b].Place}: {rows[b].Name} overlaps {rows[a].Name} ({rows[a].Place}), for example 0x{word:x8}; "
                    + "list the more specific one first with more fixed bits or a `when`";
            }
        }
    }

    private static bool Allowed(TableRow first, TableRow second) =>
        first.MoreSpecificThan(second) || second.MoreSpecificThan(first) || (first.Group == second.Group && first.When is not null);

    // All words if few bits matter to the conditions, else a sample.
    private static uint? FindCommon(TableRow a, TableRow b)
    {
        uint bits = ((a.When?.Bits ?? 0) | (b.When?.Bits ?? 0)) & ~(a.Mask | b.Mask);
        uint fixedValue = a.Value | b.Value;
        int count = BitOperations.PopCount(bits);
        int tries = count <= 14 ? 1 << count : Samples;
        var random = new Random(1);
        for (int t = 0; t < tries; t++)
        {
            uint word = fixedValue | (count <= 14 ? Deposit((uint)t, bits) : (uint)random.NextInt64() & bits);
            if (a.Matches(word) && b.Matches(word))
                return word;
        }
        return null;
    }

    private static uint Deposit(uint value, uint mask)
    {
        uint result = 0;
        for (; mask != 0; mask &= mask - 1, value >>= 1)
            result |= (value & 1) != 0 ? mask & (0 - mask) : 0;
        return result;
    }
}
