namespace ArmVdso.Tests.Reports;

/// <summary>Was wrong until this test: the guest "signals" let a child end at once after SIGCONT and then asked whether it had gone on.
/// Whether the parent looked in time was up to the scheduler, and under qemu-aarch64 on a busy host it sometimes did not.</summary>
public sealed class StopAndContinueTests
{
    /// <summary>Many orders of parent and child.</summary>
    [Theory]
    [InlineData("1", "20")]
    [InlineData("2", "20")]
    [InlineData("2", "50")]
    [InlineData("4", "50")]
    [InlineData("4", "1000")]
    public void TheParentSeesTheChildGoOn(string cpus, string slice)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
            "run", "--core", "none", "--cpus", cpus, "--slice", slice, GuestPrograms.Path("signals"));
        Assert.Contains("ok stop and continue\n", result.Output, StringComparison.Ordinal);
        Assert.Equal(0, result.Status);
    }
}
