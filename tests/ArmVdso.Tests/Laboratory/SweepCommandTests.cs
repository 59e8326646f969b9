using System.Diagnostics;
using System.Globalization;
using System.Text.Json;

namespace ArmVdso.Tests.Laboratory;

/// <summary>armvdso sweep: the figures are those of the commands that measure one point, a second run measures nothing again, and its
/// forms are read by their own readers.</summary>
public sealed class SweepCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("armvdso-sweep").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    private string Results => Path.Join(_folder, "results.jsonl");

    private static string Hello => GuestPrograms.Path("hello");

    private string[] Line(params string[] words) => ["sweep", "--results", Results, .. words, Hello];

    private static string Run(params string[] words)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(words);
        Assert.True(result.Status == 0, result.Errors);
        return result.Output;
    }

    private static Dictionary<string, string>[] Csv(string text)
    {
        string[][] rows = [.. text.Split("\r\n", StringSplitOptions.RemoveEmptyEntries).Select(l => l.Split(','))];
        return [.. rows.Skip(1).Select(r => rows[0].Zip(r).ToDictionary(p => p.First, p => p.Second))];
    }

    [Fact]
    public void Points_are_what_the_commands_for_one_say_and_are_measured_once()
    {
        string[] line = Line("--core", "cortex-a53 cortex-a55", "--vdso", "none per-cpu", "--set", "exception_entry=12,60", "--csv");
        Dictionary<string, string>[] rows = Csv(Run(line));
        Assert.Equal(8, rows.Length);
        foreach (Dictionary<string, string> row in rows)
            Assert.True(long.Parse(row["cycles"], CultureInfo.InvariantCulture) > 1000, string.Join(' ', row));
        // More cycles for each entry are more cycles, and no other instructions.
        foreach (IGrouping<string, Dictionary<string, string>> pair in rows.GroupBy(r => $"{r["core"]} {r["design"]}"))
        {
            Dictionary<string, string> low = pair.Single(r => r["exception_entry"] == "12");
            Dictionary<string, string> high = pair.Single(r => r["exception_entry"] == "60");
            Assert.Equal(low["instructions"], high["instructions"]);
            Assert.InRange(Cycles(high), Cycles(low) + 48, long.MaxValue);
        }
        string[] before = File.ReadAllLines(Results);
        Assert.Equal(9, before.Length);
        // A line that a killed process left is no result.
        File.WriteAllText(Results, string.Join('\n', before[..^1]) + "\n" + before[^1][..40]);
        Assert.Equal(rows.Length, Csv(Run(line)).Length);
        Assert.Equal(before.Order(), File.ReadAllLines(Results).Where(l => l.EndsWith('}')).Order());
    }

    private static long Cycles(Dictionary<string, string> row) => long.Parse(row["cycles"], CultureInfo.InvariantCulture);

    [Fact]
    public void A_point_has_the_figures_of_a_run_and_placements_make_a_spread()
    {
        using JsonDocument swept = JsonDocument.Parse(Run(Line("--placements", "2", "--json")));
        JsonElement group = swept.RootElement.GetProperty("groups").EnumerateArray().Single();
        int at = swept.RootElement.GetProperty("figures").EnumerateArray().Select(f => f.GetString()).ToList().IndexOf("cycles");
        JsonElement cycles = group.GetProperty("figures")[at];
        double[] single = [.. new[] { "0", "1" }.Select(placement =>
        {
            string[] fields = Run("stat", "-x,", "--placement", placement, "-o", "/dev/stdout", Hello).Split('\n');
            return double.Parse(fields.First(l => l.Contains(",cycles,")).Split(',')[0], CultureInfo.InvariantCulture);
        })];
        Assert.Equal(single.Min(), cycles.GetProperty("least").GetDouble());
        Assert.Equal(single.Max(), cycles.GetProperty("most").GetDouble());
        Assert.Equal(single.Average(), cycles.GetProperty("mean").GetDouble());
        Assert.Equal(Math.Abs(single[0] - single[1]) / 2, cycles.GetProperty("error").GetDouble(), 0.001);
    }

    [Fact]
    public void Job_files_measure_what_the_command_would()
    {
        string jobs = Path.Join(_folder, "jobs");
        Run(Line("--vdso", "none per-cpu", "--print-jobs", "parallel", "-o", jobs));
        string[] lines = [.. File.ReadLines(jobs).Where(l => l[0] != '#')];
        Assert.Equal(2, lines.Length);
        string slurm = Run(Line("--vdso", "none per-cpu", "--print-jobs", "slurm"));
        Assert.Contains("#SBATCH --array=1-2\n", slurm);
        // Each line by itself, as a scheduler starts it; the second as a task of the array.
        Assert.Equal((0, "", ""), Shell(lines[0], ""));
        Assert.Equal((0, "", ""), Shell(slurm, "2"));
        Assert.Equal(3, File.ReadAllLines(Results).Length);
        Assert.Equal(2, Csv(Run(Line("--vdso", "none per-cpu", "--csv"))).Length);
        Assert.Equal(3, File.ReadAllLines(Results).Length);
    }

    private static (int, string, string) Shell(string script, string task)
    {
        var start = new ProcessStartInfo("sh", ["-c", script]) { RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["SLURM_ARRAY_TASK_ID"] = task;
        start.WorkingDirectory = GuestPrograms.RepositoryRoot;
        using Process process = Process.Start(start)!;
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.Result);
    }

    [Fact]
    public void Sqlite_reads_the_statements()
    {
        string statements = Path.Join(_folder, "sweep.sql");
        Run(Line("--vdso", "none per-cpu", "--sql", "-o", statements));
        (int status, string output, string errors) = GuestPrograms.Run(
            "sqlite3", ":memory:", $".read {statements}", $".read {statements}",
            "select design, count(*), cast(sum(value) as integer) from sweep where figure = 'cycles' group by design order by design;");
        Assert.Equal((0, ""), (status, errors));
        string[] rows = output.TrimEnd().Split('\n');
        Dictionary<string, string>[] csv = Csv(Run(Line("--vdso", "none per-cpu", "--csv")));
        Assert.Equal(csv.OrderBy(r => r["design"]).Select(r => $"{r["design"]}|1|{r["cycles"]}"), rows);
    }

    [Theory]
    [InlineData("exception_entry=5000", "exception_entry")]
    [InlineData("exception_entry=5000", "0..1000")]
    [InlineData("nonsense=1", "there is no parameter 'nonsense'")]
    [InlineData("exception_entry", "is not KEY=N")]
    [InlineData("exception_entry=x", "'x' is not a number")]
    public void What_cannot_be_set_is_said_before_anything_runs(string set, string said)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(Line("--set", set));
        Assert.Equal(2, result.Status);
        Assert.Contains(said, result.Errors);
        Assert.Single(result.Errors.TrimEnd().Split('\n'));
        Assert.False(File.Exists(Results));
    }

    [Fact]
    public void What_fails_is_named_and_tried_again()
    {
        string[] line = ["sweep", "--results", Results, "--vdso", "none per-cpu", "--csv", "--max-cycles", "1000", Hello];
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(line);
        Assert.Equal(125, result.Status);
        Assert.Contains("point 1 (cortex-a53 none", result.Errors);
        Assert.Contains("cycles have passed", result.Errors);
        Assert.False(File.Exists(Results));
    }
}
