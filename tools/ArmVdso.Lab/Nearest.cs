namespace ArmVdso.Lab;

/// <summary>Finds what somebody may have meant.</summary>
public static class Nearest
{
    /// <summary>", did you mean 'X'?" when one of the known names is close; empty when none is.</summary>
    public static string Hint(string word, IEnumerable<string> known) => Find(word, known) is { } name ? $"; did you mean '{name}'?" : "";

    /// <summary>The known name with the fewest changes of letters, if they are fewer than half of it; null: none.</summary>
    public static string? Find(string word, IEnumerable<string> known)
    {
        string? best = null;
        int least = int.MaxValue;
        foreach (string name in known)
        {
            int distance = Distance(word, name);
            if (distance < least && distance <= Math.Max(1, Math.Min(word.Length, name.Length) / 3))
                (best, least) = (name, distance);
        }
        return best;
    }

    /// <summary>Letters to insert, delete, change or swap with their neighbours (Damerau).</summary>
    private static int Distance(string a, string b)
    {
        var d = new int[a.Length + 1, b.Length + 1];
        for (int i = 0; i <= a.Length; i++)
        {
            for (int j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    d[i, j] = i + j;
                    continue;
                }
                int change = d[i - 1, j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                d[i, j] = Math.Min(change, Math.Min(d[i - 1, j], d[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }
        return d[a.Length, b.Length];
    }
}
