namespace ArmVdso.Tests.Kernel;

/// <summary>Time slice extensions of rseq (Linux 7.0): what a program sees of them (tests/guests/src/slice.c), with the kernel word that
/// brings them and without.</summary>
public sealed class SliceExtensionProgramTests
{
    private static ArmVdsoCommand.Result Run(string kernel, int cpus, string core = "none", string scheduler = "arrival") =>
        ArmVdsoCommand.Run(
            "run", "--core", core, "--cpus", $"{cpus}", "--slice", "20", "--scheduler", scheduler, "--kernel", kernel,
            GuestPrograms.Path("slice"));

    [Theory]
    [InlineData(1, "none", "arrival")]
    [InlineData(2, "none", "arrival")]
    [InlineData(1, "cortex-a53", "arrival")]
    [InlineData(1, "none", "eevdf")]
    public void Slices_are_extended(int cpus, string core, string scheduler)
    {
        ArmVdsoCommand.Result result = Run("rseq-slice", cpus, core, scheduler);
        Assert.DoesNotContain("FAILED", result.Output);
        Assert.EndsWith("slice: 0 failed\n", result.Output);
        Assert.Equal(0, result.Status);
    }

    /// <summary>As in Linux 6.12: the option is unknown, and so is the call.</summary>
    [Theory]
    [InlineData("plain")]
    [InlineData("rseq")]
    public void Without_the_word_there_are_none(string kernel)
    {
        string output = Run(kernel, 1).Output;
        foreach (string what in (string[])["the area says that there are longer slices", "nothing to give back", "may ask"])
            Assert.Contains($"FAILED {what}\n", output);
        foreach (string what in (string[])["no such question", "alone it is never given", "then it is not given"])
            Assert.Contains($"ok {what}\n", output);
    }
}
