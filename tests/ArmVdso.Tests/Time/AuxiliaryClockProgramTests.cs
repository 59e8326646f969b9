namespace ArmVdso.Tests.Time;

/// <summary>Auxiliary clocks (CLOCK_AUX, Linux 6.17): what tests/guests/src/aux_clock.c sees of them by system call and by the vDSO of
/// Debian's newest Linux, built with them.</summary>
public sealed class AuxiliaryClockProgramTests
{
    private static ArmVdsoCommand.Result Run(string kernel, string vdso, params string[] more)
    {
        string[] image = vdso == Image ? ["image"] : [];
        return ArmVdsoCommand.Run(["run", "--kernel", kernel, "--vdso", vdso, .. more, GuestPrograms.Path("aux_clock"), .. image]);
    }

    private static string Image => "stock:" + StockImages.Auxiliary;

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Image_and_system_call_agree(int cpus)
    {
        ArmVdsoCommand.Result result = Run("aux-clocks", Image, "--core", "none", "--cpus", $"{cpus}");
        Assert.DoesNotContain("FAILED", result.Output);
        Assert.EndsWith("aux_clock: 0 failed\n", result.Output);
        Assert.Contains("ok the image asks nobody\n", result.Output);
        Assert.Equal(0, result.Status);
    }

    /// <summary>An image that knows none asks the kernel; Debian's newest was built without them, in pages that have them.</summary>
    [Theory]
    [InlineData("per-cpu-gen")]
    [InlineData(StockImages.Newest)]
    public void Without_an_image_that_knows_them_the_kernel_answers(string vdso)
    {
        vdso = vdso == StockImages.Newest ? StockImages.Path(vdso) : vdso;
        ArmVdsoCommand.Result result = Run("aux-clocks", vdso, "--core", "none");
        Assert.DoesNotContain("FAILED", result.Output);
        Assert.EndsWith("aux_clock: 0 failed\n", result.Output);
    }

    /// <summary>As in Linux 6.12: no such clock, and nothing in sysfs.</summary>
    [Fact]
    public void Without_the_word_there_are_none()
    {
        string output = Run("plain", Image, "--core", "none").Output;
        foreach (string what in (string[])["all are off", "the resolution of one that is off", "on", "set", "no timer on it"])
            Assert.Contains($"FAILED {what}\n", output);
        foreach (string what in (string[])["no ninth", "none between"])
            Assert.Contains($"ok {what}\n", output);
    }
}
