using System.Reflection;

namespace ArmVdso.Emulator.Isa;

/// <summary>What checks each row of the instruction table, and a real program that executes it. The committed data is
/// emulator/Isa/Table/coverage.tsv: ROW, oracle, program, separated by tabs, "-" for none.</summary>
public sealed class RowCoverage
{
    private const string Header = "# row\ttested by\texample program (armvdso isa record writes this column)";
    private const string None = "-";
    private readonly string[] _oracles = new string[RowInfo.Count];
    private readonly string[] _programs = new string[RowInfo.Count];

    /// <summary>An empty table.</summary>
    public RowCoverage()
    {
        Array.Fill(_oracles, None);
        Array.Fill(_programs, None);
    }

    /// <summary>The oracle that checks the row: qemu (differential against qemu-aarch64), vectors (directed tests), or null.</summary>
    public string? Oracle(Row row) => _oracles[(int)row] == None ? null : _oracles[(int)row];

    /// <summary>A program that executes the row, or null.</summary>
    public string? Program(Row row) => _programs[(int)row] == None ? null : _programs[(int)row];

    /// <summary>Notes the oracle of a row; null removes it.</summary>
    public void SetOracle(Row row, string? oracle) => _oracles[(int)row] = oracle ?? None;

    /// <summary>Notes a program for a row that has none.</summary>
    public void AddProgram(Row row, string program)
    {
        if (_programs[(int)row] == None)
            _programs[(int)row] = program;
    }

    /// <summary>The committed table.</summary>
    public static RowCoverage Load()
    {
        using Stream stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("isa/coverage.tsv")!;
        return Read(new StreamReader(stream));
    }

    /// <summary>Reads a table. Rows that no longer exist are left out.</summary>
    /// <exception cref="FormatException">A line does not have three columns.</exception>
    public static RowCoverage Read(TextReader reader)
    {
        var coverage = new RowCoverage();
        int number = 0;
        while (reader.ReadLine() is { } line)
        {
            number++;
            if (line.Length == 0 || line[0] == '#')
                continue;
            string[] cells = line.Split('\t');
            if (cells.Length != 3)
                throw new FormatException($"line {number}: not three columns");
            if (!Enum.TryParse(cells[0], out Row row))
                continue;
            coverage._oracles[(int)row] = cells[1];
            coverage._programs[(int)row] = cells[2];
        }
        return coverage;
    }

    /// <summary>Writes the whole table, rows in order.</summary>
    public void Write(TextWriter writer)
    {
        writer.WriteLine(Header);
        for (int i = 1; i < RowInfo.Count; i++)
            writer.WriteLine($"{RowInfo.Name((Row)i)}\t{_oracles[i]}\t{_programs[i]}");
    }
}
