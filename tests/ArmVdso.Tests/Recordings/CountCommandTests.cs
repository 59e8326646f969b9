using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ArmVdso.Tests.Recordings;

/// <summary>Counts in the layouts of perf stat and gem5: they are those of run --stats --json.</summary>
public sealed partial class CountCommandTests
{
    private static JsonNode Counts(params string[] options)
    {
        string file = Path.GetTempFileName();
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(["run", "--stats=" + file, "--json", .. options, GuestPrograms.Path("threads")]);
        Assert.True(result.Status == 0, result.Errors);
        JsonNode counts = JsonNode.Parse(File.ReadAllText(file))!;
        File.Delete(file);
        return counts;
    }

    private static readonly string[] s_program = ["--core", "cortex-a55", "--slice", "20", GuestPrograms.Path("threads")];

    [Fact]
    public void StatHasTheColumnsOfPerf()
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(["stat", "-x,", .. s_program]);
        Assert.Equal(0, result.Status);
        Assert.Contains("wrong 0", result.Output);
        Dictionary<string, string[]> lines = result.Errors.TrimEnd('\n').Split('\n').Select(l => l.Split(','))
            .ToDictionary(f => f[2]);
        Assert.All(lines.Values, f => Assert.Equal(7, f.Length));
        Assert.All(lines.Values, f => Assert.Equal("100.00", f[4]));
        JsonNode counts = Counts("--core", "cortex-a55", "--slice", "20");
        Assert.Equal(counts["cycles"]!.ToString(), lines["cycles"][0]);
        Assert.Equal(counts["instructions"]!.ToString(), lines["instructions"][0]);
        Assert.Equal(("msec", "CPUs utilized"), (lines["task-clock"][1], lines["task-clock"][6]));
        Assert.Equal("insn per cycle", lines["instructions"][6]);
        Assert.True(int.Parse(lines["page-faults"][0], CultureInfo.InvariantCulture) > 10);
        Assert.True(int.Parse(lines["cpu-migrations"][0], CultureInfo.InvariantCulture) > 0);
        Assert.True(int.Parse(lines["context-switches"][0], CultureInfo.InvariantCulture)
            <= counts["context_switches"]!.GetValue<int>());
    }

    [GeneratedRegex(@"^ +([\d,]+) +cycles +# +1\.\d+ GHz +\( \+- +(\d+\.\d\d)% \)$", RegexOptions.Multiline)]
    private static partial Regex CyclesLine();

    [Fact]
    public void RunsDifferByTheirPagesAndTheSpreadSaysHow()
    {
        string file = Path.GetTempFileName(), hello = GuestPrograms.Path("hello");
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("stat", "-r", "3", "-o", file, hello);
        Assert.Equal(0, result.Status);
        string table = File.ReadAllText(file);
        File.Delete(file);
        Assert.Contains($" Performance counter stats for '{hello}' (3 runs):", table);
        double[] cycles =
        [
            .. new[] { "0", "1", "2" }.Select(p =>
            {
                string[] lines = ArmVdsoCommand.Run("stat", "-x;", "--placement", p, hello).Errors.Split('\n');
                string line = lines.Single(l => l.Contains(";cycles;", StringComparison.Ordinal));
                return double.Parse(line.Split(';')[0], CultureInfo.InvariantCulture);
            }),
        ];
        Match line = CyclesLine().Match(table);
        Assert.Equal(Math.Round(cycles.Average()).ToString("N0", CultureInfo.InvariantCulture), line.Groups[1].Value);
        double variance = cycles.Sum(c => Math.Pow(c - cycles.Average(), 2)) / 2;
        string spread = (100 * Math.Sqrt(variance / 3) / cycles.Average()).ToString("F2", CultureInfo.InvariantCulture);
        Assert.Equal(spread, line.Groups[2].Value);
        Assert.Matches(@"\n +0\.\d{9} \+- 0\.\d{9} seconds time elapsed  \( \+-", table);
    }

    [Fact]
    public void StatEndsWithTheProgramsStatus()
    {
        Assert.Equal(127, ArmVdsoCommand.Run("stat", "no-such-program").Status);
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("stat", "-r", "5", "-x,", GuestPrograms.Path("crash"), "abort");
        Assert.True(result.Status > 128);
        Assert.Single(result.Errors.Split('\n'), l => l.Contains(",cycles,", StringComparison.Ordinal));
    }

    [Fact]
    public void TheOutputFolderIsThatOfGem5()
    {
        string folder = Path.Join(Path.GetTempPath(), Path.GetRandomFileName());
        JsonNode counts = Counts("--seed", "3", "--outdir", folder);
        Dictionary<string, string> stats = File.ReadLines(Path.Join(folder, "stats.txt"))
            .Select(l => StatLine().Match(l)).Where(m => m.Success).ToDictionary(m => m.Groups[1].Value, m => m.Groups[2].Value);
        Assert.Equal(counts["instructions"]!.ToString(), stats["simInsts"]);
        Assert.Equal("1000000000000", stats["simFreq"]);
        JsonNode config = JsonNode.Parse(File.ReadAllText(Path.Join(folder, "config.json")))!;
        decimal clock = config["clock_hz"]!.GetValue<decimal>(), cycles = decimal.Parse(stats["simCycles"], CultureInfo.InvariantCulture);
        Assert.Equal(Math.Floor(cycles * 1_000_000_000_000 / clock), decimal.Parse(stats["simTicks"], CultureInfo.InvariantCulture));
        Assert.Equal(Math.Round(cycles / clock, 6), decimal.Parse(stats["simSeconds"], CultureInfo.InvariantCulture));
        Assert.Equal(3, config["seed"]!.GetValue<int>());
        Assert.Contains(config["core_parameters"]!.AsArray(), p => p!["key"]!.ToString() == "issue_width" && p["source"] is not null);
        Directory.Delete(folder, true);
    }

    [GeneratedRegex(@"^(\S+) +(\S+)  # ")]
    private static partial Regex StatLine();
}
