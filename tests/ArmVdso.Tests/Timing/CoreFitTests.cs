using ArmVdso.Emulator.Timing.Models;
using ArmVdso.Yardsticks;
using ArmVdso.Yardsticks.Fitting;
using ArmVdso.Yardsticks.Instructions;

namespace ArmVdso.Tests.Timing;

/// <summary>A fit finds what was planted: the table is measured on a core that differs from the first one in known entries.</summary>
public sealed class CoreFitTests : IDisposable
{
    private static readonly (string Section, string Name)[] Rows =
    [
        ("Scalar integer multiply and multiply-accumulate", "mul"), ("Scalar integer multiply and multiply-accumulate", "mneg"),
        ("Scalar integer multiply and multiply-accumulate", "umaddl"), ("Scalar integer multiply and multiply-accumulate", "smaddl"),
        ("Vector integer add, sub, abs, and neg", "add.b"), ("Vector integer add, sub, abs, and neg", "sub.h"),
        ("Vector integer add, sub, abs, and neg", "add.s"), ("Vector integer add, sub, abs, and neg", "abs.s"),
        ("Vector integer add, sub, abs, and neg", "abs.b"),
        ("Vector integer multiply-accumulate", "mla.h (vec; acc. fwd.)"), ("Vector integer multiply-accumulate", "mla.b (vec; acc. fwd.)"),
        ("Floating point add, sub, abs, and neg", "fadd.s (scl)"), ("Floating point add, sub, abs, and neg", "fadd.d (scl)"),
        ("Floating point multiply", "fmul.s (vec)"), ("Floating point multiply", "fmul.d (vec)"),
    ];

    private readonly string _planted = Path.Join(Path.GetTempPath(), $"armvdso-planted-{Guid.NewGuid():N}.json");

    public void Dispose() => File.Delete(_planted);

    private List<MeasuredRow> Measure(string start, params (string Old, string New)[] changes)
    {
        string text = CoreFiles.Text(start);
        foreach ((string old, string changed) in changes)
        {
            Assert.Contains(old, text, StringComparison.Ordinal);
            text = text.Replace(old, changed, StringComparison.Ordinal);
        }
        File.WriteAllText(_planted, text);
        var runner = new BenchRunner(_planted);
        return [.. Rows.Select(r =>
        {
            Bench bench = InstructionSet.Find(r.Section, r.Name, start, out _)!;
            bool forward = r.Name.Contains("fwd", StringComparison.Ordinal);
            return new MeasuredRow(r.Section, r.Name, runner.Latency(bench), forward ? null : runner.Throughput(bench));
        })];
    }

    [Fact]
    public void PlantedClassesAndMnemonicsOfAnOutOfOrderCoreAreFound()
    {
        List<MeasuredRow> table = Measure(
            "neoverse-n1",
            ("\"madd.x\": { \"latency\": 4, \"uops\": \"M:3\"", "\"madd.x\": { \"latency\": 6, \"uops\": \"M:5\""),
            ("\"fp_alu\": { \"latency\": 2, \"uops\": \"V\"", "\"fp_alu\": { \"latency\": 5, \"uops\": \"V0\""),
            ("\"mnemonics\": [",
                "\"mnemonics\": [ { \"names\": \"ABS\", \"latency\": 7, \"evidence\": \"model\", \"source\": \"planted\" },"));
        FitResult fit = new CoreFit("neoverse-n1", "mine", "a table").Fit(table, false);
        Assert.Empty(fit.Unmapped);
        Assert.All(fit.Values, v => Assert.True(v.Error(v.After) < 0.02, $"{v.Row.Name} {v.Kind}: {v.Measured} {v.After}"));
        CoreModel core = CoreModel.Parse(fit.Text, "mine.json");
        string Timing(string name) => core.Timings.Single(t => t.Names == name).Values;
        Assert.StartsWith("latency 6, uops m:5", Timing("madd.x"), StringComparison.Ordinal);
        Assert.StartsWith("latency 5, uops v0", Timing("fp_alu"), StringComparison.Ordinal);
        Assert.StartsWith("latency 7", Timing("ABS"), StringComparison.Ordinal);
        // What the table does not contradict stays.
        Assert.StartsWith("latency 2, uops v", Timing("simd_alu"), StringComparison.Ordinal);
        Assert.Equal(["ABS", "fp_alu", "madd.x"], fit.Entries.Select(e => e.Name).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void PlantedClassesOfAnInOrderCoreAreFound()
    {
        List<MeasuredRow> table = Measure(
            "cortex-a53", ("\"simd_fp_mul\": { \"latency\": 4", "\"simd_fp_mul\": { \"latency\": 6"),
            ("\"fp_alu\": { \"latency\": 4", "\"fp_alu\": { \"latency\": 3"));
        FitResult fit = new CoreFit("cortex-a53", "mine", "a table").Fit(table, false);
        Assert.All(fit.Values, v => Assert.True(v.Error(v.After) < 0.02, $"{v.Row.Name} {v.Kind}: {v.Measured} {v.After}"));
        Assert.Equal(["fp_alu", "simd_fp_mul"], fit.Entries.Select(e => e.Name).Order(StringComparer.Ordinal));
    }

    /// <summary>Both forms in which the benchmark prints, and that of the tables built in.</summary>
    [Theory]
    [InlineData("## Scalar load\n\n| instruction | latency | throughput |\n| ldr (reg) | 5.00 | - |\n| ldr | - | n/a |\n")]
    [InlineData("# Scalar load\ninstruction\tlatency\tthroughput\nldr (reg)\t5.00\t-\n")]
    [InlineData("section\tinstruction\tlatency_cycles\tthroughput_per_cycle\nScalar load\tldr (reg)\t5.00\tn/a\n")]
    public void TablesAreRead(string text) =>
        Assert.Equal(new MeasuredRow("Scalar load", "ldr (reg)", 5, null), Assert.Single(MeasuredTable.Parse(text)));

    [Fact]
    public void AFolderWithoutRowsIsAnError()
    {
        DirectoryInfo folder = Directory.CreateTempSubdirectory("armvdso-fit-");
        try
        {
            Assert.StartsWith("no rows of latency", Assert.Throws<YardstickException>(() => MeasuredTable.Read(folder.FullName)).Message);
        }
        finally
        {
            folder.Delete();
        }
    }
}
