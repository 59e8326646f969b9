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
    [InlineData("marks", 12)]
    [InlineData("rules", 0)]
    public void EndsAsOnLinux(string what, int status)
    {
        ArmVdsoCommand.Result result = Run("--mem", "64M", "--timeout", s_limit, GuestPrograms.Path("hostile"), what);
        Assert.True(result.Status == status, $"status {result.Status}\n{result.Output}{result.Errors}");
    }

    [Theory]
    [InlineData("--timeout", "2")]
    [InlineData("--max-cycles", "1000000")]
    public void EndlessLoopEndsAtTheLimit(string option, string value) =>
        Assert.Equal(124, Run(option, value, GuestPrograms.Path("hostile"), "loop").Status);
}
