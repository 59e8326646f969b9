using ArmVdso.Tests.Cli;

namespace ArmVdso.Tests.Guests;

/// <summary>The Linux kernel's own arm64 selftests (Debian's linux-source package): HWCAP against what executes, branch targets,
/// pointer authentication keys, what a system call keeps, signal frames and forged ones, tagged addresses.</summary>
public sealed class Arm64SelftestTests
{
    private static readonly Lazy<string> s_folder = new(Build);

    private static string Build()
    {
        // The package is fetched once, by whoever comes first.
        string folder = SelftestTests.Folder;
        if (File.Exists(Path.Combine(folder, "tags_test")))
            return folder;
        string script = Path.Combine(GuestPrograms.RepositoryRoot, "tests", "guests", "build-selftests-arm64.sh");
        (int status, string output, string errors) = GuestPrograms.Run(script, folder);
        return status == 0 ? folder : throw new InvalidOperationException((output + errors).Trim());
    }

    private static ArmVdsoCommand.Result Run(string cpu, string name) => ArmVdsoCommand.Run(
        "run", "--core", "none", "--cpu", cpu, "--timeout", "60", "--bind", $"{s_folder.Value}:/tests:ro", "--cwd", "/tests", Path.Combine(s_folder.Value, name));

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
        int passed = lines.Count(line => line.StartsWith("ok ", StringComparison.Ordinal) && !line.Contains("# SKIP", StringComparison.Ordinal));
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
        Assert.True(result.Status == 0 && (result.Output + result.Errors).Contains("PASS(1)", StringComparison.Ordinal), $"status {result.Status}\n{result.Output}{result.Errors}");
    }
}
