using System.Text.RegularExpressions;
using ArmVdso.Differential;

namespace ArmVdso.Tests.Instructions;

/// <summary>The committed table of what checks each row (coverage.tsv) says what the tests do.</summary>
public sealed class RowCoverageTests
{
    /// <summary>Rows that every guest run executes at EL1, where neither qemu-user nor a single instruction can.</summary>
    private static readonly string[] ByKernel = ["SVC", "HVC", "ERET", "WFI", "SYS", "MSR_DAIFClr", "MSR_DAIFSet"];

    /// <summary>The oracle of a row: the random comparison with qemu-aarch64, unless qemu-exceptions.txt takes the whole row
    /// out; else the directed tests that name it; else the guests, for what only system software executes.</summary>
    private static string? Expected(TableRow row, string tests)
    {
        if (!Enum.TryParse(row.Name, out Row known) || !RowInfo.HasSemantics(known))
            return null;
        if (!QemuExceptions.Committed.SkipsRow(row))
            return "qemu";
        if (ByKernel.Contains(row.Name))
            return "guests";
        return Regex.IsMatch(tests, $@"\b(A64|Row)\.{row.Name}\b") ? "vectors" : null;
    }

    [Fact]
    public void OracleColumnIsUpToDate()
    {
        string folder = Path.Combine(GuestPrograms.RepositoryRoot, "tests/ArmVdso.Tests");
        string tests = string.Concat(Directory.EnumerateFiles(folder, "*Tests.cs", SearchOption.AllDirectories)
            .Where(f => !f.EndsWith("RowCoverageTests.cs", StringComparison.Ordinal)).Select(File.ReadAllText));
        string file = Path.Combine(GuestPrograms.RepositoryRoot, "emulator/Isa/Table/coverage.tsv");
        RowCoverage coverage;
        using (var reader = new StreamReader(file))
            coverage = RowCoverage.Read(reader);
        var different = new List<string>();
        foreach (TableRow row in IsaTable.Rows)
        {
            if (!Enum.TryParse(row.Name, out Row known))
                continue;
            string? expected = Expected(row, tests);
            if (coverage.Oracle(known) != expected)
                different.Add($"{row.Name}: {coverage.Oracle(known) ?? "-"} should be {expected ?? "-"}");
            coverage.SetOracle(known, expected);
        }
        if (Environment.GetEnvironmentVariable("ARMVDSO_UPDATE") == "1")
        {
            using var writer = new StreamWriter(file) { NewLine = "\n" };
            coverage.Write(writer);
            return;
        }
        Assert.True(different.Count == 0, $"{string.Join('\n', different)}\nARMVDSO_UPDATE=1 writes the column anew");
    }

    [Fact]
    public void EveryImplementedRowHasAnOracle()
    {
        RowCoverage coverage = RowCoverage.Load();
        string[] none = [.. Enumerable.Range(1, RowInfo.Count - 1).Select(i => (Row)i)
            .Where(r => RowInfo.HasSemantics(r) && coverage.Oracle(r) is null).Select(RowInfo.Name)];
        Assert.True(none.Length == 0, string.Join(' ', none));
    }

    [Fact]
    public void TableSurvivesWritingAndReading()
    {
        var coverage = new RowCoverage();
        coverage.SetOracle(Row.ADD_imm, "qemu");
        coverage.AddProgram(Row.ADD_imm, "first");
        coverage.AddProgram(Row.ADD_imm, "second");
        var text = new StringWriter();
        coverage.Write(text);
        RowCoverage again = RowCoverage.Read(new StringReader(text.ToString()));
        Assert.Equal(("qemu", "first", null), (again.Oracle(Row.ADD_imm), again.Program(Row.ADD_imm), again.Program(Row.ADDS_imm)));
        Assert.Throws<FormatException>(() => RowCoverage.Read(new StringReader("ADD_imm qemu\n")));
    }
}
