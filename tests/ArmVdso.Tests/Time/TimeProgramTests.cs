namespace ArmVdso.Tests.Time;

/// <summary>Clocks that change: a guest program (tests/guests/src/timecheck.c) states what holds on Linux, and that the vDSO's
/// answer always lies between two of the kernel's.</summary>
public sealed class TimeProgramTests
{
    private static string Program => GuestPrograms.Path("timecheck");

    [Theory]
    [InlineData("per-cpu")]
    [InlineData("per-cpu-seq")]
    [InlineData("none")]
    [InlineData("6.1")]
    [InlineData("6.12")]
    public void Vdso_and_kernel_agree_while_clocks_change(string vdso)
    {
        string design = char.IsAsciiDigit(vdso[0]) ? "stock:" + StockImages.Path(vdso) : vdso;
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--core", "none", "--vdso", design, Program, "suspend");
        Assert.True(result.Status == 0, result.Output + result.Errors);
        Assert.EndsWith("timecheck: 0 failed\n", result.Output);
        Assert.Equal(22, result.Output.Split('\n').Count(line => line.StartsWith("ok ", StringComparison.Ordinal)));
    }

    /// <summary>What Linux does about a timer erratum keeps every answer right.</summary>
    [Theory]
    [InlineData("per-cpu")]
    [InlineData("6.12")]
    public void A_trapped_counter_changes_no_answer(string vdso)
    {
        string design = char.IsAsciiDigit(vdso[0]) ? "stock:" + StockImages.Path(vdso) : vdso;
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--core", "none", "--vdso", design, "--counter-fault", "trapped", Program);
        Assert.True(result.Status == 0, result.Output + result.Errors);
        Assert.EndsWith("timecheck: 0 failed\n", result.Output);
    }

    /// <summary>Without the cure the guest's own comparison finds the faults: it can fail.</summary>
    [Theory]
    [InlineData("backwards")]
    [InlineData("stopped")]
    public void A_wrong_counter_shows(string fault)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--core", "none", "--counter-fault", fault, Program);
        Assert.Contains("FAILED clocks agree", result.Output);
    }

    [Fact]
    public void A_suspended_machine_sleeps_on_the_uptime()
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--core", "none", "--suspend", "0:5000", Program, "suspend");
        Assert.EndsWith("timecheck: 0 failed\n", result.Output);
        Assert.Equal(2, ArmVdsoCommand.Run("run", "--suspend", "soon", Program).Status);
    }
}
