namespace ArmVdso.Yardsticks.Fitting;

/// <summary>One row of a table of measured instructions.</summary>
/// <param name="Section">Section of the table.</param>
/// <param name="Name">What was measured, in the notation of insn_bench_aarch64.</param>
/// <param name="Latency">Cycles; null: not measured.</param>
/// <param name="Throughput">Operations a cycle; null: not measured.</param>
public sealed record MeasuredRow(string Section, string Name, double? Latency, double? Throughput);

/// <summary>Tables as insn_bench_aarch64 prints them: with -m sections of Markdown, without tab-separated columns; or the columns of the
/// tables built in.</summary>
public static class MeasuredTable
{
    /// <summary>The rows of all tables (.md, .tsv, .txt) of a folder, by file name.</summary>
    /// <exception cref="YardstickException">There is none, or one cannot be read.</exception>
    public static IReadOnlyList<MeasuredRow> Read(string directory)
    {
        try
        {
            string[] files = [.. Directory.EnumerateFiles(directory)
                .Where(f => Path.GetExtension(f) is ".md" or ".tsv" or ".txt").Order(StringComparer.Ordinal)];
            List<MeasuredRow> rows = [.. files.SelectMany(f => Parse(File.ReadAllText(f)))];
            return rows.Count > 0
                ? rows
                : throw new YardstickException($"no rows of latency and throughput in the .md, .tsv and .txt of {directory}");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new YardstickException($"tables of {directory}: {e.Message}");
        }
    }

    /// <summary>The rows of one text; lines that are no rows are passed over.</summary>
    public static IEnumerable<MeasuredRow> Parse(string text)
    {
        string section = "";
        foreach (string line in text.Split('\n').Select(l => l.Trim()))
        {
            if (line.StartsWith('#'))
            {
                section = line.TrimStart('#').Trim();
                continue;
            }
            string[] cells = line.StartsWith('|') ? [.. line.Trim('|').Split('|').Select(c => c.Trim())] : line.Split('\t');
            // Four columns begin with the section.
            if (cells.Length == 4)
                (section, cells) = (cells[0], cells[1..]);
            if (cells.Length != 3)
                continue;
            (double? latency, double? throughput) = (Figure(cells[1]), Figure(cells[2]));
            if (latency is not null || throughput is not null)
                yield return new MeasuredRow(section, cells[0], latency, throughput);
        }
    }

    private static double? Figure(string cell) =>
        double.TryParse(cell, System.Globalization.CultureInfo.InvariantCulture, out double value) && value > 0 ? value : null;
}
