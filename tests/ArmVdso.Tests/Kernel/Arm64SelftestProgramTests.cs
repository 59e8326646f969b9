namespace ArmVdso.Tests.Kernel;

/// <summary>The Linux kernel's own arm64 selftests (Debian's linux-source package): HWCAP against what executes, branch targets,
/// pointer authentication keys, what a system call keeps, signal frames and forged ones, tagged addresses.</summary>
public sealed class Arm64SelftestProgramTests
{
    private static ArmVdsoCommand.Result Run(string cpu, string name) => ArmVdsoCommand.Run(
        "run", "--core", "none", "--cpu", cpu, "--bind", $"{KernelSelftests.Arm64}:/tests:ro", "--cwd", "/tests",
        Path.Combine(KernelSelftests.Arm64, name));

    /// <summary>Programs that print one line a check. What a CPU lacks they skip; what they do check must pass.</summary>
    [Theory]
    [InlineData("hwcap", "max", 16)]
    [InlineData("hwcap", "cortex-a53", 16)]
    [InlineData("hwcap", "neoverse-n1", 16)]
    [InlineData("btitest", "max", 18)]
    [InlineData("nobtitest", "max", 18)]
    [InlineData("pac", "max", 7)]
    [InlineData("syscall-abi", "max", 1)]
    [InlineData("tags_test", "max", 0)]
    public void Passes(string name, string cpu, int least)
    {
        ArmVdsoCommand.Result result = Run(cpu, name);
        Assert.True(result.Status == 0, $"status {result.Status}\n{result.Output}{result.Errors}");
        string[] lines = result.Output.Split('\n');
        Assert.DoesNotContain(lines, line => line.StartsWith("not ok", StringComparison.Ordinal));
        int passed = lines.Count(line => line.StartsWith("ok ", StringComparison.Ordinal)
            && !line.Contains("# SKIP", StringComparison.Ordinal));
        Assert.True(passed >= least, $"{passed} checks passed, {least} expected\n{result.Output}");
    }

    /// <summary>A forged signal frame ends in SIGSEGV, as the test wants it.</summary>
    [Theory]
    [InlineData("fake_sigreturn_bad_magic")]
    [InlineData("fake_sigreturn_bad_size")]
    [InlineData("fake_sigreturn_bad_size_for_magic0")]
    [InlineData("fake_sigreturn_duplicated_fpsimd")]
    [InlineData("fake_sigreturn_misaligned_sp")]
    [InlineData("fake_sigreturn_missing_fpsimd")]
    [InlineData("mangle_pstate_invalid_compat_toggle")]
    [InlineData("mangle_pstate_invalid_daif_bits")]
    [InlineData("mangle_pstate_invalid_mode_el1h")]
    [InlineData("mangle_pstate_invalid_mode_el1t")]
    [InlineData("mangle_pstate_invalid_mode_el2h")]
    [InlineData("mangle_pstate_invalid_mode_el2t")]
    [InlineData("mangle_pstate_invalid_mode_el3h")]
    [InlineData("mangle_pstate_invalid_mode_el3t")]
    public void SignalFrame(string name)
    {
        ArmVdsoCommand.Result result = Run("max", "signal-" + name);
        Assert.True(result.Status == 0 && (result.Output + result.Errors).Contains("PASS(1)", StringComparison.Ordinal),
            $"status {result.Status}\n{result.Output}{result.Errors}");
    }
}
