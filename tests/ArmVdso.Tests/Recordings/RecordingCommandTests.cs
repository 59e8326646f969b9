using System.Diagnostics;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ArmVdso.Tests.Recordings;

/// <summary>Recordings as run --trace makes them, and what dump prints of them.</summary>
public sealed partial class RecordingCommandTests(RecordedRun run) : IClassFixture<RecordedRun>
{
    private static string Counts(params string[] options)
    {
        string file = Path.GetTempFileName();
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(["run", "--stats=" + file, "--json", .. options, .. RecordedRun.Program]);
        Assert.True(result.Status == 0, result.Errors);
        JsonObject counts = JsonNode.Parse(File.ReadAllText(file))!.AsObject();
        File.Delete(file);
        counts.Remove("host_seconds");
        return counts.ToJsonString();
    }

    [Theory]
    [InlineData("cortex-a53", "all")]
    [InlineData("neoverse-n1", "switches,offsets,syscalls,faults,interrupts,signals,counters,tasks")]
    public void ARecordedRunHasTheCyclesOfOneThatIsNot(string core, string events) =>
        Assert.Equal(
            Counts("--core", core), Counts("--core", core, "--trace", "/dev/null", "--trace-events", events, "--profile=/dev/null"));

    [Fact]
    public void WritesOfTheRegisterAreThoseThatTraceJsonPrints()
    {
        ArmVdsoCommand.Result trace = ArmVdsoCommand.Run(["trace", "--json", .. RecordedRun.Program]);
        string[] expected = [.. trace.Output.TrimEnd('\n').Split('\n').Skip(1)];
        ArmVdsoCommand.Result dump = ArmVdsoCommand.Run("dump", run.File, "--as", "json", "--only", "offsets");
        const string Begin = "{\"event\":\"tpidrro_write\",";
        string[] lines = [.. dump.Output.TrimEnd('\n').Split('\n').Skip(1)];
        Assert.All(lines, l => Assert.StartsWith(Begin, l));
        Assert.True(expected.Length > 50);
        Assert.Equal(expected, lines.Select(l => "{" + l[Begin.Length..]));
    }

    [Fact]
    public void LinesAndTablesHaveEachEventOnce()
    {
        IReadOnlyList<JsonElement> events = run.Events();
        string[] names = [.. events.Select(e => e.GetProperty("event").GetString()!)];
        Assert.Superset(
            new HashSet<string>
            {
                "sched_switch", "sched_migrate_task", "tpidrro_write", "vdso_enter", "vdso_exit", "sys_enter", "sys_exit", "fault_enter",
                "fault_exit", "irq_enter", "irq_exit", "counters", "sched_process_exit",
            }, names.ToHashSet());
        string[] text = [.. File.ReadLines(run.View("text")).Where(l => l[0] != '#')];
        Assert.Equal(names, text.Select(l => TextName().Match(l).Groups[1].Value));
        string[] table = File.ReadAllText(run.View("csv")).Split("\r\n")[..^1];
        Assert.Equal(names, table[1..].Select(l => l.Split(',')[2]));
        Assert.Single(table.Select(l => l.Count(c => c == ',')).Distinct());
        // Each CPU's time goes on.
        Assert.All(events.GroupBy(e => e.GetProperty("cpu").GetInt32()), cpu => Assert.Equal(
            cpu.Select(e => e.GetProperty("cycle").GetUInt64()).Order(), cpu.Select(e => e.GetProperty("cycle").GetUInt64())));
    }

    [GeneratedRegex(@"\]\s+\d+: (\w+):")]
    private static partial Regex TextName();

    /// <summary>What another observer of the same run counts.</summary>
    [Fact]
    public void SystemCallsAreThoseThatStraceSees()
    {
        ArmVdsoCommand.Result strace = ArmVdsoCommand.Run(["run", "--strace", "--strace-opts", "-c", .. RecordedRun.Program]);
        var expected = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (string line in strace.Errors.Split('\n'))
        {
            if (SummaryLine().Match(line) is { Success: true } match && match.Groups[2].Value != "total")
                expected[match.Groups[2].Value] = int.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture);
        }
        var counted = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (JsonElement e in run.Events().Where(e => e.GetProperty("event").GetString() == "sys_exit"))
        {
            string name = e.GetProperty("name").GetString()!;
            counted[name] = counted.GetValueOrDefault(name) + 1;
        }
        // How often a thread waits depends on cycles, which --strace changes.
        foreach (string name in new[] { "futex", "restart_syscall" })
            (expected[name], counted[name]) = (0, 0);
        Assert.Equal(expected, counted);
    }

    [GeneratedRegex(@"^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?(\w+)$")]
    private static partial Regex SummaryLine();

    [Fact]
    public void ACallOfTheVdsoSaysWhyItFellBack()
    {
        JsonElement[] calls = [.. run.Events().Where(e => e.GetProperty("event").GetString() == "vdso_exit")];
        Assert.NotEmpty(calls);
        Assert.All(calls, c => Assert.Equal("the counter cannot be used", c.GetProperty("detail").GetString()));
        ArmVdsoCommand.Result dump = ArmVdsoCommand.Run("dump", run.File, "--only", "vdso,syscalls");
        Assert.Contains("sys_enter: ", dump.Output);
        Assert.DoesNotContain("fault_enter", dump.Output);
    }

    [Fact]
    public void TheWindowOfThePipelineIsInTheRecording()
    {
        string[] lines = File.ReadAllLines(run.View("konata"));
        Assert.Equal("Kanata\t0004", lines[0]);
        Assert.Equal(2000, lines.Count(l => l.StartsWith("I\t", StringComparison.Ordinal)));
    }

    /// <summary>Nobody writes an end; what was written before is whole.</summary>
    [Fact]
    public void ARecordingOfAKilledRunIsReadable()
    {
        string file = Path.GetTempFileName();
        var start = new ProcessStartInfo(ArmVdsoCommand.Program, ["run", "--trace", file, GuestPrograms.Path("threads")])
        {
            RedirectStandardOutput = true,
        };
        using (Process process = Process.Start(start)!)
        {
            while (new FileInfo(file).Length < 200_000)
                Thread.Sleep(10);
            process.Kill();
            process.WaitForExit();
        }
        ArmVdsoCommand.Result dump = ArmVdsoCommand.Run("dump", file);
        Assert.Equal(0, dump.Status);
        Assert.Contains("has no end", dump.Errors);
        Assert.InRange(dump.Output.Count(c => c == '\n'), 2000, int.MaxValue);
        ArmVdsoCommand.Result trace = ArmVdsoCommand.Run("dump", file, "--as", "chrome");
        using var whole = JsonDocument.Parse(trace.Output);
        File.Delete(file);
    }

    [Fact]
    public void TheBoundHolds()
    {
        string file = Path.GetTempFileName();
        ArmVdsoCommand.Run(["run", "--trace", file, "--trace-size", "10K", .. RecordedRun.Program]);
        Assert.InRange(new FileInfo(file).Length, 10 << 10, 11 << 10);
        ArmVdsoCommand.Result dump = ArmVdsoCommand.Run("dump", file);
        Assert.Equal(0, dump.Status);
        Assert.Matches(@"[\d,]+ events more were left out", dump.Errors);
        File.Delete(file);
    }

    [Fact]
    public void ANameThatTheGuestChoseIsNoOrderForATerminal()
    {
        string folder = Directory.CreateTempSubdirectory().FullName;
        string program = Path.Join(folder, "a\u001b[2J,\"b"), file = Path.Join(folder, "rec");
        File.Copy(GuestPrograms.Path("hello"), program);
        Assert.Equal(0, ArmVdsoCommand.Run("run", "--trace", file, program).Status);
        foreach (string form in new[] { "text", "json", "csv", "chrome", "callgrind", "folded", "speedscope" })
        {
            ArmVdsoCommand.Result dump = ArmVdsoCommand.Run("dump", file, "--as", form);
            Assert.Equal(0, dump.Status);
            Assert.DoesNotContain('\u001b', dump.Output);
        }
        Directory.Delete(folder, true);
    }

    [Theory]
    [InlineData("there are no events 'vdsos'; did you mean 'vdso'", "run", "--trace", "/dev/null", "--trace-events", "vdsos", "x")]
    [InlineData("--trace-size means nothing without --trace", "run", "--trace-size", "1M", "x")]
    [InlineData("there is no form 'jason'", "dump", "x", "--as", "jason")]
    [InlineData("not a recording", "dump", "README.md")]
    [InlineData("no-such-file", "dump", "no-such-file")]
    public void MistakesAreNamed(string message, params string[] line)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(line);
        Assert.NotEqual(0, result.Status);
        Assert.Contains(message, result.Errors);
        Assert.Single(result.Errors.TrimEnd('\n').Split('\n'));
    }
}
