using System.Text.Json;
using System.Text.RegularExpressions;

namespace ArmVdso.Tests.Laboratory;

/// <summary>armvdso syscalls PROGRAM: its counts against qemu-aarch64's -strace, and calls that are really redirected to the
/// vDSO.</summary>
public sealed partial class WorkloadCommandTests : IDisposable
{
    private readonly string _report = Path.GetTempFileName();

    private JsonElement Run(params string[] arguments)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(["syscalls", "--json", "-o", _report, .. arguments]);
        Assert.True(result.Status == 0, result.Errors);
        return JsonDocument.Parse(File.ReadAllText(_report)).RootElement;
    }

    private static Dictionary<string, long> Counts(JsonElement calls) =>
        calls.EnumerateArray().Where(c => c.GetProperty("calls").GetInt64() > 0)
            .ToDictionary(c => c.GetProperty("name").GetString()!, c => c.GetProperty("calls").GetInt64());

    [GeneratedRegex(@"^\d+ (\w+)\(", RegexOptions.Multiline)]
    private static partial Regex StraceLine();

    [Fact]
    public void CountsAreThoseOfQemu()
    {
        string program = GuestPrograms.Path("redirect");
        (int status, _, string errors) = GuestPrograms.Run("qemu-aarch64", "-strace", program);
        Assert.Equal(0, status);
        var expected = StraceLine().Matches(errors).GroupBy(m => m.Groups[1].Value).ToDictionary(g => g.Key, g => (long)g.Count());
        Dictionary<string, long> counts = Counts(Run("--vdso", "none", program).GetProperty("calls"));
        foreach (string name in (string[])["getpid", "getuid", "getppid", "umask", "write", "clock_getres", "clock_gettime", "exit_group"])
            Assert.Equal((name, expected.GetValueOrDefault(name)), (name, counts.GetValueOrDefault(name)));
    }

    [Fact]
    public void ARedirectedCallPreservesWhatASystemCallPreserves()
    {
        JsonElement report = Run("--what-if", "per-cpu", "--placements", "1", GuestPrograms.Path("redirect"));
        Assert.True(report.GetProperty("same_output").GetBoolean());
        // The clock that does not exist is asked for 16 times, and only the system call answers.
        Assert.Equal(16, report.GetProperty("still_system_calls").GetInt64());
        Assert.Equal(
            report.GetProperty("baseline").GetProperty("system_calls").GetInt64(),
            report.GetProperty("redirected").GetProperty("system_calls").GetInt64() + report.GetProperty("redirected")
                .GetProperty("vdso_served").GetInt64());
    }

    /// <summary>A run that a limit ends has a table too, and one that waits for ever.</summary>
    [Fact]
    public void ARunThatDoesNotEndIsCounted()
    {
        void Ends(string why, params string[] run)
        {
            ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
                ["syscalls", "--core", "none", "--no-vdso-count", "-o", _report, .. run]);
            Assert.Equal(124, result.Status);
            string report = File.ReadAllText(_report);
            Assert.Contains("not ended: " + why, report);
            Assert.Contains("SYSCALL_DEFINE", report);
        }

        Ends("400000 cycles have passed", "--max-cycles", "400000", GuestPrograms.Path("server"));
        Ends(
            "every task of the guest waits", "--root", DebianPrograms.StaticRoot, "/usr/bin/busybox", "sh", "-c", "kill -STOP $$");
    }

    [Fact]
    public void AThreadedServerGains()
    {
        JsonElement report = Run("--what-if", "per-cpu", "--placements", "1", GuestPrograms.Path("server"), "-n", "50");
        Assert.True(report.GetProperty("same_output").GetBoolean());
        Assert.Equal(0, report.GetProperty("still_system_calls").GetInt64());
        Assert.InRange(report.GetProperty("redirected").GetProperty("vdso_served").GetInt64(), 600, long.MaxValue);
        Assert.True(report.GetProperty("redirected").GetProperty("busy_cycles").GetInt64() < report.GetProperty("plain")
            .GetProperty("busy_cycles").GetInt64());
    }

    public void Dispose() => File.Delete(_report);
}
