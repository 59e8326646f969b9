using System.Globalization;

namespace ArmVdso.Lab.Tracing;

/// <summary>The table of strace -c: calls by the time that the kernel took for them, in the guest's time.</summary>
internal sealed class StraceSummary
{
    private sealed class Row
    {
        internal ulong Nanoseconds;
        internal long Calls;
        internal long Errors;
    }

    private readonly Dictionary<string, Row> _rows = [];

    /// <summary>A call has ended.</summary>
    internal void Add(string name, ulong nanoseconds, bool failed)
    {
        if (!_rows.TryGetValue(name, out Row? row))
            _rows[name] = row = new Row();
        row.Nanoseconds += nanoseconds;
        row.Calls++;
        row.Errors += failed ? 1 : 0;
    }

    /// <summary>Writes the table.</summary>
    internal void Write(TextWriter output)
    {
        const string line = "------ ----------- ----------- --------- --------- ----------------";
        ulong all = 0;
        foreach (Row row in _rows.Values)
            all += row.Nanoseconds;
        output.WriteLine("% time     seconds  usecs/call     calls    errors syscall");
        output.WriteLine(line);
        foreach ((string name, Row row) in _rows.OrderByDescending(r => r.Value.Nanoseconds).ThenBy(r => r.Key, StringComparer.Ordinal))
            output.WriteLine(Text(name, row, all));
        output.WriteLine(line);
        var total = new Row { Nanoseconds = all, Calls = _rows.Values.Sum(r => r.Calls), Errors = _rows.Values.Sum(r => r.Errors) };
        output.WriteLine(Text("total", total, all));
    }

    private static string Text(string name, Row row, ulong all) => string.Create(
        CultureInfo.InvariantCulture,
        $"{(all == 0 ? 0 : 100.0 * row.Nanoseconds / all),6:F2} {row.Nanoseconds / 1e9,11:F6} "
        + $"{row.Nanoseconds / 1000 / (ulong)Math.Max(1, row.Calls),11} {row.Calls,9} {(row.Errors == 0 ? "" : row.Errors),9} {name}");
}
