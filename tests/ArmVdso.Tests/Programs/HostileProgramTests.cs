namespace ArmVdso.Tests.Programs;

/// <summary>Programs that mean harm: the guest ends as Linux would end it, the host process never fails and never hangs.</summary>
public sealed class HostileProgramTests
{
    private static readonly string s_limit = ArmVdsoCommand.Limit.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static ArmVdsoCommand.Result Run(params string[] words)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(["run", .. words]);
        Assert.DoesNotContain("internal error", result.Errors);
        Assert.DoesNotContain("kernel panic", result.Errors);
        Assert.DoesNotContain("Unhandled", result.Errors);
        return result;
    }

    [Theory]
    [InlineData("fork", 137)]
    [InlineData("memory", 137)]
    [InlineData("file", 28)]
    [InlineData("memfd", 28)]
    [InlineData("hole", 0)]
    [InlineData("maps", 0)]
    [InlineData("folders", 0)]
    [InlineData("stack", 139)]
    [InlineData("handlers", 139)]
    [InlineData("kill", 137)]
    [InlineData("clone", 0)]
    [InlineData("read", 0)]
    public void EndsAsOnLinux(string what, int status)
    {
        ArmVdsoCommand.Result result = Run("--mem", "64M", "--timeout", s_limit, GuestPrograms.Path("hostile"), what);
        Assert.True(result.Status == status, $"status {result.Status}\n{result.Output}{result.Errors}");
    }

    [Theory]
    [InlineData("--timeout", "2")]
    [InlineData("--max-cycles", "1000000")]
    public void EndlessLoopEndsAtTheLimit(string option, string value) => Assert.Equal(124, Run(option, value, GuestPrograms.Path("hostile"), "loop").Status);

    /// <summary>The reader of standard output goes away: SIGPIPE, or EPIPE for those that ignore it.</summary>
    [Theory]
    [InlineData("yes", 128 + 13)]
    [InlineData("ignore", 32)]
    public void ReaderGoesAway(string what, int status)
    {
        string command = $"dotnet '{ArmVdsoCommand.Assembly}' run --timeout {s_limit} '{GuestPrograms.Path("hostile")}' {what} | head -c 64; echo ${{PIPESTATUS[0]}}";
        (_, string output, string errors) = GuestPrograms.Run("bash", "-c", command);
        Assert.EndsWith($"\n{status}\n", output);
        Assert.Equal("", errors);
    }

    /// <summary>Descriptors that the caller closed must not lead to files of the runtime.</summary>
    [Theory]
    [InlineData("read", "<&-", 0)]
    [InlineData("hole", ">&-", 0)]
    [InlineData("hole", "<&- >&- 2>&-", 0)]
    [InlineData("yes", ">/dev/full", 28)]
    public void StandardStreamsThatAreNotThere(string what, string redirections, int status)
    {
        string command = $"dotnet '{ArmVdsoCommand.Assembly}' run --timeout {s_limit} '{GuestPrograms.Path("hostile")}' {what} {redirections}";
        (int actual, string output, string errors) = GuestPrograms.Run("bash", "-c", command);
        Assert.True(actual == status, $"status {actual}\n{output}{errors}");
        Assert.Equal("", errors);
    }

    /// <summary>A read of standard input that never comes to an end does not outlast --timeout.</summary>
    [Fact]
    public void WaitingForInputEndsAtTheLimit()
    {
        // Open for writing as well, so that it never ends.
        string command = $"d=$(mktemp -d); mkfifo $d/p; exec 3<>$d/p; rm -r $d; dotnet '{ArmVdsoCommand.Assembly}' run --timeout 2 '{GuestPrograms.Path("hostile")}' read <&3; echo $?";
        (_, string output, _) = GuestPrograms.Run("bash", "-c", command);
        Assert.Equal("124\n", output);
    }

    [Theory]
    [InlineData("1")]
    [InlineData("2")]
    public void Fuzz(string seed)
    {
        ArmVdsoCommand.Result result = Run("--timeout", s_limit, GuestPrograms.Path("fuzz"), seed);
        Assert.True(result.Status == 0, $"status {result.Status}\n{result.Output}{result.Errors}");
        Assert.Contains("fuzz: 0 failed", result.Output);
    }
}
