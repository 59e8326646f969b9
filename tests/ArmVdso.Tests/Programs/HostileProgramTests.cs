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
    [InlineData("memory", 137)]
    [InlineData("largest", 0)]
    [InlineData("spared", 137)]
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
    [InlineData("marks", 12)]
    [InlineData("rules", 0)]
    public void EndsAsOnLinux(string what, int status)
    {
        ArmVdsoCommand.Result result = Run("--mem", "64M", "--timeout", s_limit, GuestPrograms.Path("hostile"), what);
        Assert.True(result.Status == status, $"status {result.Status}\n{result.Output}{result.Errors}");
    }

    /// <summary>Processes that fork and never look at the answer find that there are no more, and go on asking for ever, as on Linux: the
    /// user is told, and a limit of the run ends them.</summary>
    [Fact]
    public void ForkWithoutEndIsToldAndEndedByALimit()
    {
        ArmVdsoCommand.Result result = Run("--mem", "64M", "--max-cycles", "300000000", GuestPrograms.Path("hostile"), "fork");
        Assert.Equal(124, result.Status);
        Assert.Contains("guest memory is full", result.Errors, StringComparison.Ordinal);
        Assert.Contains("cycles have passed (--max-cycles)", result.Errors, StringComparison.Ordinal);
    }

    /// <summary>Bombs of all kinds end with an error of Linux's, and the host is left with what docs/security.md says: the guest's memory
    /// and a constant.</summary>
    [Theory]
    [InlineData("forks", 12)]
    [InlineData("zombies", 12)]
    [InlineData("threads", 11)]
    [InlineData("paths", 12)]
    [InlineData("timers", 11)]
    [InlineData("signals", 11)]
    [InlineData("changes", 24)]
    [InlineData("messages", 12)]
    [InlineData("spaces", 0)]
    [InlineData("typed", 0)]
    [InlineData("sleep", 0)]
    [InlineData("pipes", 12)]
    [InlineData("sockets", 105)]
    [InlineData("files", 12)]
    [InlineData("terminals", 12)]
    [InlineData("watches", 24)]
    [InlineData("clocks", 12)]
    [InlineData("sets", 12)]
    [InlineData("events", 12)]
    public void BombsAreBounded(string what, int status)
    {
        const string measure = "import resource, subprocess, sys\n"
            + "status = subprocess.run(sys.argv[1:]).returncode\n"
            + "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)\nsys.exit(status)";
        (int ended, string output, string errors) = GuestPrograms.Run(
            "python3", "-c", measure, ArmVdsoCommand.Program, "run", "--core", "none", "--mem", "64M", GuestPrograms.Path("bombs"), what);
        Assert.True(ended == status, $"status {ended}\n{output}{errors}");
        Assert.DoesNotContain("internal error", errors);
        int mebibytes = int.Parse(output.TrimEnd().Split('\n')[^1], System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(mebibytes, 1, 64 + 192);
    }

    [Theory]
    [InlineData("--timeout", "2")]
    [InlineData("--max-cycles", "1000000")]
    public void EndlessLoopEndsAtTheLimit(string option, string value) =>
        Assert.Equal(124, Run(option, value, GuestPrograms.Path("hostile"), "loop").Status);
}
