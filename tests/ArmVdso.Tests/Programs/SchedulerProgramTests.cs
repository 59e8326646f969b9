namespace ArmVdso.Tests.Programs;

/// <summary>Weights, policies, priorities and requests have the effect that Linux gives them, and none in the order of arrival.</summary>
public sealed class SchedulerProgramTests
{
    private static ArmVdsoCommand.Result Run(string scheduler, string cpus, params string[] arguments) => ArmVdsoCommand.Run(
        ["run", "--core", "none", "--cpus", cpus, "--scheduler", scheduler, "--slice", "500", GuestPrograms.Path("shares"), .. arguments]);

    [Theory]
    [InlineData("1", "")]
    [InlineData("2", "several")]
    public void TasksGetTheirShares(string cpus, string argument)
    {
        ArmVdsoCommand.Result result = Run("eevdf", cpus, argument.Length == 0 ? [] : [argument]);
        Assert.True(result.Status == 0, result.Output + result.Errors);
        Assert.Contains("shares: 0 failed", result.Output);
    }

    [Fact]
    public void TheOrderOfArrivalKnowsNoWeights()
    {
        ArmVdsoCommand.Result result = Run("arrival", "1");
        Assert.Contains("ok equals", result.Output);
        Assert.Contains("FAILED five steps of nice are a third", result.Output);
        Assert.Contains("FAILED then by priority", result.Output);
    }

    [Fact]
    public void AnotherWordIsRefused()
    {
        ArmVdsoCommand.Result result = Run("cfs", "1");
        Assert.Equal(2, result.Status);
        Assert.Contains("--scheduler", result.Errors);
    }
}
