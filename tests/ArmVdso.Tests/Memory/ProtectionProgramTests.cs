namespace ArmVdso.Tests.Memory;

/// <summary>A program built with -mbranch-protection=standard: what pointer authentication and branch target identification
/// stop on a CPU that has them, and do not on one that has not. Linux: traps.c do_el0_bti (ILL_ILLOPC), do_el0_fpac (ILL_ILLOPN).</summary>
public sealed class ProtectionProgramTests
{
    [Theory]
    [InlineData("max", "run", "ran\n", 0)]
    [InlineData("max", "pac", "signal  4 code 2\n", 3)]
    [InlineData("max", "bti", "ran\nsignal  4 code 1\n", 3)]
    [InlineData("cortex-a53", "run", "ran\n", 0)]
    [InlineData("cortex-a53", "pac", "returned to another place\n", 0)]
    [InlineData("cortex-a53", "bti", "ran\nentered behind the landing pad\n", 0)]
    public void WrongBranchesAreCaughtWhereTheCpuCan(string cpu, string mode, string output, int status)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--core", "none", "--cpu", cpu, GuestPrograms.Path("protection"), mode);
        Assert.Equal((output, status), (result.Output, result.Status));
    }

    [Theory]
    [InlineData("cortex-a53", "fp asimd aes pmull sha1 sha2 crc32 cpuid")]
    [InlineData("cortex-a55", "fp asimd aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp")]
    [InlineData("neoverse-n1", "fp asimd aes pmull sha1 sha2 crc32 atomics fphp asimdhp cpuid asimdrdm lrcpc dcpop asimddp ssbs")]
    public void FeaturesLineIsThatOfLinuxOnThatCpu(string cpu, string features)
    {
        // As Linux prints it on such boards, without evtstrm: there is no event stream here.
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
            "run", "--core", "none", "--cpu", cpu, "--root", DebianPrograms.Root, "/opt/static/bin/busybox", "grep", "-m1", "Features",
                "/proc/cpuinfo");
        Assert.Equal($"Features\t: {features}\n", result.Output);
    }

    [Fact]
    public void UnknownProfileIsAnErrorOfOneLine()
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--cpu", "cortex-x99", "true");
        Assert.Equal(2, result.Status);
        Assert.Equal("armvdso: --cpu: there is no CPU profile 'cortex-x99'; known: armv8.0, cortex-a53, cortex-a55, cortex-a72, "
            + "cortex-a76, max, neoverse-n1, neoverse-v1, or a file\n", result.Errors);
    }
}
