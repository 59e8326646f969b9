namespace ArmVdso.Tests.Programs;

/// <summary>seccomp: filters, actions, listeners, strict mode, and the call of the vDSO that no filter sees. data/seccomp.txt is what the
/// program prints on Debian's Linux 6.12 for arm64, booted as in <see cref="PtraceProgramTests"/>.</summary>
public sealed class SeccompProgramTests
{
    private static readonly string s_expected =
        File.ReadAllText(Path.Combine(GuestPrograms.RepositoryRoot, "tests/ArmVdso.Tests/Programs/data/seccomp.txt"));

    [Theory]
    [InlineData("--core", "none", "--cpus", "1")]
    [InlineData("--core", "cortex-a53", "--cpus", "4")]
    public void SaysWhatAStockKernelSays(params string[] options)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(["run", .. options, GuestPrograms.Path("seccomp")]);
        Assert.Equal(s_expected, result.Output);
        Assert.Equal(0, result.Status);
    }
}
