using ArmVdso.Tests.Cli;

namespace ArmVdso.Tests.Guests;

/// <summary>The Linux kernel's own vDSO selftests (Debian's linux-source package), static, on the emulator.</summary>
public sealed class SelftestTests
{
    private static readonly Lazy<string> s_folder = new(Build);

    /// <summary>Where they were built; built now when they were not.</summary>
    internal static string Folder => s_folder.Value;

    private static string Build()
    {
        string guests = Path.Combine(GuestPrograms.RepositoryRoot, "tests", "guests");
        string folder = Path.Combine(guests, "build", "selftests");
        if (File.Exists(Path.Combine(folder, "vdso_test_abi")))
            return folder;
        (int status, string output, string errors) = GuestPrograms.Run(Path.Combine(guests, "build-selftests.sh"), folder);
        return status == 0 ? folder : throw new InvalidOperationException((output + errors).Trim());
    }

    [Theory]
    [InlineData("vdso_test_gettimeofday", "The time is")]
    [InlineData("vdso_test_abi", "ok 1 ")]
    [InlineData("vdso_test_getcpu-kernel", "Running on CPU")]
    [InlineData("vdso_test_clock_getres", "Pass")]
    [InlineData("rseq_basic_test", "testing current cpu")]
    public void Passes(string name, string expected)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", Path.Combine(s_folder.Value, name));
        Assert.True(result.Status == 0, $"status {result.Status}\n{result.Output}{result.Errors}");
        Assert.Contains(expected, result.Output, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("not ok", result.Output);
        Assert.DoesNotContain("fail:1", result.Output);
    }
}
