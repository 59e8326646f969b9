using System.Globalization;

namespace ArmVdso.Fuzz;

/// <summary>Counts by name.</summary>
public sealed class Tally
{
    private readonly SortedDictionary<string, ulong> _counts = new(StringComparer.Ordinal);

    /// <summary>How often something happened.</summary>
    public ulong this[string name] => _counts.GetValueOrDefault(name);

    /// <summary>Something happened.</summary>
    public void Add(string name, ulong times = 1) => _counts[name] = this[name] + times;

    /// <inheritdoc/>
    public override string ToString() =>
        string.Join(", ", _counts.Where(c => c.Value > 0).Select(c => $"{c.Value.ToString("N0", CultureInfo.InvariantCulture)} {c.Key}"));
}
