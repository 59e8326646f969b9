using ArmVdso.Differential;

namespace ArmVdso.Tests.Instructions;

/// <summary>A fact that needs qemu-aarch64 and a cross assembler.</summary>
public sealed class QemuFactAttribute : FactAttribute
{
    /// <summary>Skips where a tool is missing, and says which.</summary>
    public QemuFactAttribute() => Skip = QemuOracle.Missing;
}

/// <summary>A theory that needs qemu-aarch64 and a cross assembler.</summary>
public sealed class QemuTheoryAttribute : TheoryAttribute
{
    /// <summary>Skips where a tool is missing, and says which.</summary>
    public QemuTheoryAttribute() => Skip = QemuOracle.Missing;
}

/// <summary>Every row of the instruction table that has semantics, run from random states on qemu-aarch64 7.2 and on the
/// reference engine: registers, flags, FPSR, memory, branch targets and faults agree. <c>ARMVDSO_LONG=1</c> runs twenty times as many
/// cases.</summary>
public sealed class QemuDifferentialTests
{
    private const long Cases = 5_000_000;
    private const long LongCases = 100_000_000;

    // UNDEFINED is what it is for.
    private static readonly string[] AlwaysUndefined = ["UDF"];

    private static List<TableRow> Rows() =>
        [.. IsaTable.Rows.Where(r => r.HasSemantics && !QemuExceptions.Committed.SkipsRow(r))];

    /// <summary>No case differs, and no row was compared in vain.</summary>
    [QemuFact]
    public void Instructions_agree_with_qemu()
    {
        bool longRun = Environment.GetEnvironmentVariable("ARMVDSO_LONG") == "1";
        List<TableRow> rows = Rows();
        Assert.NotEmpty(rows);
        var run = new DifferentialRun(new RunOptions { Rows = rows, Cases = longRun ? LongCases : Cases, Seed = longRun ? 2u : 1u });
        run.Execute();
        string reports = string.Join('\n', run.Counts.Values.SelectMany(c => c.Reports).Take(20));
        Assert.True(run.TotalMismatches == 0, $"{run.TotalMismatches} of {run.TotalCases} cases differ\n{reports}");
        Assert.True(run.TotalCases >= Cases * 9 / 10, $"only {run.TotalCases} cases were run");
        Assert.Equal([], rows.Where(r => run.Counts[r.Row].NoEncoding > 0).Select(r => r.Name));
        Assert.Equal(AlwaysUndefined, rows.Where(r => run.Counts[r.Row] is { } c && c.Illegal == c.Cases).Select(r => r.Name));
    }

    /// <summary>An error put into our results is noticed in every row.</summary>
    /// <param name="kind">The error.</param>
    [QemuTheory]
    [InlineData(Perturbation.General)]
    [InlineData(Perturbation.Vector)]
    [InlineData(Perturbation.Flags)]
    [InlineData(Perturbation.Fpsr)]
    [InlineData(Perturbation.Signal)]
    [InlineData(Perturbation.Memory)]
    public void An_error_is_noticed_in_every_row(Perturbation kind)
    {
        List<TableRow> rows = [.. Rows().Where(r => kind != Perturbation.Memory || r.IsMemory)];
        var run = new DifferentialRun(new RunOptions { Rows = rows, Cases = rows.Count * 16, Perturbation = kind, KeepPerRow = 0 });
        run.Execute();
        Assert.Equal([], rows.Where(r => run.Counts[r.Row] is { Cases: > 0, Mismatches: 0 }).Select(r => r.Name));
        Assert.Equal([], rows.Where(r => run.Counts[r.Row].Cases == 0).Select(r => r.Name));
    }

    /// <summary>The same seed gives the same cases, so that a report can be reproduced.</summary>
    [QemuFact]
    public void A_reported_slot_can_be_run_alone()
    {
        TableRow row = IsaTable.Rows.First(r => r.Name == "ADD_shift");
        var run = new DifferentialRun(new RunOptions { Rows = [row], Only = (0x123456789abcdef, 77), Perturbation = Perturbation.General });
        run.Execute();
        RowCounts counts = run.Counts[row.Row];
        Assert.Equal(8, counts.Cases);
        Assert.Equal(8, counts.Mismatches);
        Assert.Contains("--repro ADD_shift:0x123456789abcdef:77", counts.Reports[0]);
        Assert.Contains("x0 ", counts.Reports[0]);
    }

    /// <summary>Each name in the list of exceptions stands for a row with semantics that exists.</summary>
    [Fact]
    public void Every_exception_is_about_a_row()
    {
        var dead = new List<string>();
        foreach (QemuException exception in QemuExceptions.Committed.Lines)
        {
            Assert.NotEqual(Ignore.None, exception.Ignore);
            Assert.True(exception.Reason.Length > 10, exception.Reason);
            dead.AddRange(exception.Names.Where(name => !IsaTable.Rows.Any(r => QemuExceptions.Glob(name).IsMatch(r.Name))));
            foreach ((string field, _, _) in exception.When)
            {
                if (!field.StartsWith("FPCR.", StringComparison.Ordinal))
                    Assert.All(IsaTable.Rows.Where(r => exception.Pattern.IsMatch(r.Name)), r => Assert.NotNull(r.Field(field)));
            }
        }
        Assert.Equal([], dead);
    }

    /// <summary>A line of the list that lacks its reason is refused.</summary>
    [Theory]
    [InlineData("ADD_shift ; * ; Run")]
    [InlineData("ADD_shift ; * ; Run ; ")]
    public void An_exception_without_a_reason_is_refused(string line) =>
        Assert.Throws<FormatException>(() => new QemuExceptions(line));
}
