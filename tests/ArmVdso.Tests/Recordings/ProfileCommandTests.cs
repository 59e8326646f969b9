using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace ArmVdso.Tests.Recordings;

/// <summary>The call graph of --profile: calls that are known by the program's source, cycles that are those of the run.</summary>
public sealed class ProfileCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("armvdso-profile").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    private string Profile(string format, params string[] options)
    {
        string file = Path.Join(_folder, format);
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
            ["run", "--profile=" + file, "--profile-format", format, .. options, GuestPrograms.Path("calls")]);
        Assert.True(result.Status == 0, result.Errors);
        return file;
    }

    private static Dictionary<string, long> Stacks(string file) => File.ReadLines(file).ToDictionary(
        l => l[..l.LastIndexOf(' ')], l => long.Parse(l[(l.LastIndexOf(' ') + 1)..], CultureInfo.InvariantCulture));

    /// <summary>Calls from one function to another, as callgrind's format says them.</summary>
    private static Dictionary<(string, string), long> Calls(string file)
    {
        var calls = new Dictionary<(string, string), long>();
        string caller = "", callee = "";
        foreach (string line in File.ReadLines(file))
        {
            if (line.StartsWith("fn=", StringComparison.Ordinal))
                caller = line[3..];
            else if (line.StartsWith("cfn=", StringComparison.Ordinal))
                callee = line[4..];
            else if (line.StartsWith("calls=", StringComparison.Ordinal))
                calls[(caller, callee)] = long.Parse(line[6..].Split(' ')[0], CultureInfo.InvariantCulture);
        }
        return calls;
    }

    [Fact]
    public void EachCallIsCounted()
    {
        Dictionary<(string, string), long> calls = Calls(Profile("callgrind"));
        Assert.Equal(10, calls[("main", "middle")]);
        Assert.Equal(1, calls[("threaded", "middle")]);
        Assert.Equal(33, calls[("middle", "tail")]);
        // Three by itself, three for the calls' ends: leaf returns in place of tail.
        Assert.Equal(66, calls[("middle", "leaf")]);
        Assert.DoesNotContain(("tail", "leaf"), calls.Keys);
        Assert.Equal(1, calls[("main", "fib")]);
        Assert.Equal(176, calls[("fib", "fib")]);
        Assert.Equal(4, calls[("main", "jumps")]);
        Assert.Equal(4, calls[("jumps", "deep")]);
        Assert.Equal(12, calls[("deep", "deep")]);
        Assert.Equal(4, calls[("jumps", "leaf")]);
        Assert.Equal(5, calls[("handler", "leaf")]);
        Assert.Equal(1, calls[("signalled", "leaf")]);
        Assert.DoesNotContain(calls.Keys, k => k is ("jumps", "jumps") or ("main", "leaf"));
    }

    /// <summary>From main of EL0 through SVC into the functions of EL1; a handler above what it interrupted.</summary>
    [Fact]
    public void StacksGoFromTheProgramIntoTheKernel()
    {
        Dictionary<string, long> stacks = Stacks(Profile("folded"));
        string kernel = @"el0t_64_sync;el0t_64_sync_handler;el0_svc;do_el0_svc;el0_svc_common;invoke_syscall;__arm64_sys_model$";
        Assert.Contains(stacks.Keys, s => Regex.IsMatch(s, @"^calls\[100\];_start;.*;main;.*sigaction;.*" + kernel));
        Assert.Contains(stacks.Keys, s => Regex.IsMatch(s, @";main;signalled;raise;.*;handler;leaf$"));
        Assert.Contains(stacks.Keys, s => Regex.IsMatch(s, @"^calls\[101\];.*;threaded;middle;leaf$"));
        Assert.DoesNotContain(stacks.Keys, s => Regex.IsMatch(s, @"el0_svc.*;(main|leaf|fib)(;|$)"));
    }

    [Theory]
    [InlineData("cortex-a53")]
    [InlineData("neoverse-n1")]
    public void FormsHaveTheCyclesOfTheRun(string core)
    {
        string stats = Path.Join(_folder, "stats");
        Dictionary<string, long> stacks = Stacks(Profile("folded", "--core", core, "--stats=" + stats, "--json"));
        long cycles = JsonNode.Parse(File.ReadAllText(stats))!["cycles"]!.GetValue<long>();
        Assert.Equal(cycles, stacks.Values.Sum());
        Assert.Equal(cycles, TimelineOracleTests.CheckSpeedscope(Profile("speedscope", "--core", core)));
        string grind = Profile("callgrind", "--core", core);
        (int status, string output, string errors) = GuestPrograms.Run("callgrind_annotate", "--inclusive=yes", grind);
        Assert.True(status == 0, errors);
        Assert.Contains($"{cycles.ToString("N0", CultureInfo.InvariantCulture)} (100.0%)", output);
        Assert.Matches(@"\?\?\?:main \[", output);
        string[] perf = File.ReadAllLines(Profile("perf", "--core", core));
        Assert.Contains($"# Event count (approx.): {cycles}", perf);
        Assert.Contains(perf, l => l.StartsWith("# Children      Self  Command ", StringComparison.Ordinal));
        Assert.Contains(perf, l => Regex.IsMatch(l, @"^ +\d+\.\d\d% +\d+\.\d\d%  calls +\S+/calls +\[\.\] main$"));
        Assert.Contains(perf, l => Regex.IsMatch(l, @"^ +\d+\.\d\d% +\d+\.\d\d%  calls +\[EL1\] +\[k\] el0_svc$"));
    }

    /// <summary>A recording of a run with --profile has the functions.</summary>
    [Fact]
    public void ARecordingHasTheCallGraph()
    {
        string recording = Path.Join(_folder, "rec");
        string expected = File.ReadAllText(Profile("callgrind", "--trace", recording, "--trace-events", "switches"));
        Assert.Equal(expected, ArmVdsoCommand.Run("dump", recording, "--as", "callgrind").Output);
    }
}
