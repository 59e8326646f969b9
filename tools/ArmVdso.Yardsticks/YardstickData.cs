using System.Reflection;

namespace ArmVdso.Yardsticks;

/// <summary>A table or its folder is missing or not well formed; the message is one line.</summary>
public sealed class YardstickException(string message) : Exception(message);

/// <summary>The tables: those built in, or a folder of the same format.</summary>
public sealed class YardstickData
{
    private const string Prefix = "data/";
    private readonly string? _directory;

    private YardstickData(string? directory) => _directory = directory;

    /// <summary>Folder of programs that were built from their sources; null: there is none, and sets that need it have no rows.</summary>
    public string? Programs { get; init; }

    /// <summary>The tables built in (their sources: Data/SOURCES.md).</summary>
    public static YardstickData BuiltIn { get; } = new(null);

    /// <summary>A folder.</summary>
    /// <exception cref="YardstickException">There is no such folder.</exception>
    public static YardstickData From(string directory) =>
        Directory.Exists(directory) ? new YardstickData(directory) : throw new YardstickException($"no folder {directory}");

    /// <summary>The same tables with a folder of programs.</summary>
    /// <exception cref="YardstickException">There is no such folder.</exception>
    public YardstickData With(string programs) => Directory.Exists(programs)
        ? new YardstickData(_directory) { Programs = Path.GetFullPath(programs) }
        : throw new YardstickException($"no folder {programs}");

    /// <summary>Whether there is such a file.</summary>
    public bool Has(string file) => _directory is null
        ? Assembly.GetExecutingAssembly().GetManifestResourceInfo(Prefix + file) is not null
        : File.Exists(Path.Combine(_directory, file));

    /// <summary>A file's text.</summary>
    /// <exception cref="YardstickException">It cannot be read.</exception>
    public string Text(string file)
    {
        if (_directory is not null)
        {
            try
            {
                return File.ReadAllText(Path.Combine(_directory, file));
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                throw new YardstickException($"table {file}: {e.Message}");
            }
        }
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream(Prefix + file)
            ?? throw new YardstickException($"table {file}: not built in");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    /// <summary>The rows of a table of tab-separated columns under a header, as a function from column name to text. Columns that the
    /// header does not have are errors; lines that begin with # are remarks.</summary>
    /// <exception cref="YardstickException">It cannot be read, or a row has too few columns.</exception>
    public IReadOnlyList<TableRow> Table(string file, params string[] columns)
    {
        string[] lines = [.. Text(file).Split('\n').Select(l => l.TrimEnd('\r')).Where(l => l.Length > 0 && l[0] != '#')];
        if (lines.Length == 0)
            throw new YardstickException($"table {file}: empty");
        string[] header = lines[0].Split('\t');
        int[] at = [.. columns.Select(c => Array.IndexOf(header, c))];
        int missing = Array.IndexOf(at, -1);
        if (missing >= 0)
            throw new YardstickException($"table {file}: no column {columns[missing]}");
        var rows = new List<TableRow>();
        for (int i = 1; i < lines.Length; i++)
        {
            string[] cells = lines[i].Split('\t');
            if (cells.Length <= at.Max())
                throw new YardstickException($"table {file}: row {i} has {cells.Length} columns of {header.Length}");
            rows.Add(new TableRow(file, i, [.. at.Select(a => cells[a])]));
        }
        return rows;
    }
}

/// <summary>The wanted columns of one row of a table.</summary>
/// <param name="File">The table.</param>
/// <param name="Number">Its number, from 1.</param>
/// <param name="Cells">The columns in the order asked for.</param>
public sealed record TableRow(string File, int Number, string[] Cells)
{
    /// <summary>A column's text.</summary>
    public string this[int column] => Cells[column];

    /// <summary>A column's number.</summary>
    /// <exception cref="YardstickException">It is none.</exception>
    public double Value(int column) => double.TryParse(Cells[column], System.Globalization.CultureInfo.InvariantCulture, out double value)
        ? value : throw new YardstickException($"table {File}: row {Number}: not a number: {Cells[column]}");
}
