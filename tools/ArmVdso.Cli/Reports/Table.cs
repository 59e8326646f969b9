using System.Text;

namespace ArmVdso.Cli;

/// <summary>A table for people: aligned columns, one header line with units, numbers to the right.</summary>
internal sealed class Table(params string[] header)
{
    private readonly List<string[]> _rows = [];

    /// <summary>Adds a row; one cell a column.</summary>
    internal void Add(params string[] cells) => _rows.Add(cells);

    /// <summary>Writes the table. A column whose cells all look like numbers is aligned to the right.</summary>
    internal void Write(TextWriter output)
    {
        int n = header.Length;
        var width = new int[n];
        var numeric = new bool[n];
        for (int c = 0; c < n; c++)
        {
            width[c] = _rows.Select(r => r[c].Length).Append(header[c].Length).Max();
            numeric[c] = _rows.Count > 0 && _rows.All(r => r[c].Length == 0 || r[c][0] is '-' or '+' or (>= '0' and <= '9'));
        }
        WriteRow(output, header, width, numeric);
        foreach (string[] row in _rows)
            WriteRow(output, row, width, numeric);
    }

    private static void WriteRow(TextWriter output, string[] cells, int[] width, bool[] numeric)
    {
        var line = new StringBuilder();
        for (int c = 0; c < cells.Length; c++)
        {
            if (c > 0)
                line.Append("  ");
            line.Append(numeric[c] ? cells[c].PadLeft(width[c]) : cells[c].PadRight(width[c]));
        }
        output.WriteLine(line.ToString().TrimEnd());
    }
}
