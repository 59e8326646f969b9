using System.Text.RegularExpressions;

namespace ArmVdso.Tests.Engines;

/// <summary>Programs on all engines: output, status, instructions and cycles must be equal.</summary>
public sealed partial class EngineProgramTests
{
    [GeneratedRegex("\"host_seconds\":[^,}]*")]
    private static partial Regex HostSeconds();

    private static string Result(string engine, string core, params string[] words)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(["run", "--engine", engine, "--core", core, "--stats", "--json", .. words]);
        return $"{result.Status}\n{result.Output}\n{HostSeconds().Replace(result.Errors, "")}";
    }

    [Theory]
    [InlineData("hello")]
    [InlineData("fork_exec")]
    [InlineData("futex")]
    [InlineData("memory")]
    [InlineData("signals")]
    [InlineData("threads")]
    [InlineData("time")]
    public void GuestIsEqualOnAllEngines(string name)
    {
        foreach (string core in new[] { "none", "cortex-a53" })
        {
            string reference = Result("reference", core, GuestPrograms.Path(name));
            Assert.Contains("\"instructions\":", reference, StringComparison.Ordinal);
            Assert.Equal(reference, Result("portable", core, GuestPrograms.Path(name)));
            if (Machine.HasNativeEngine)
                Assert.Equal(reference, Result("native", core, GuestPrograms.Path(name)));
        }
    }

    [Fact]
    public void ShellWithPipesIsEqualOnAllEngines()
    {
        string[] words =
        [
            "--root", DebianPrograms.Root, "/opt/static/bin/busybox", "sh", "-c",
            "for i in 1 2 3; do echo $i | sed s/2/two/ | sort -r; done; head -c 20000 /opt/static/bin/busybox | sha256sum",
        ];
        foreach (string core in new[] { "none", "cortex-a53" })
        {
            string reference = Result("reference", core, words);
            Assert.Equal(reference, Result("portable", core, words));
            if (core == "none" && Machine.HasNativeEngine)
                Assert.Equal(reference, Result("native", core, words));
        }
    }

    [Theory]
    [InlineData("hello")]
    [InlineData("signals")]
    public void GuestIsCleanInLockstep(string name)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--check-engine", "--stats", GuestPrograms.Path(name));
        Assert.True(result.Status == 0, result.Errors);
        Assert.Contains("instructions compared", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void NativeCodeIsCleanInLockstep()
    {
        if (!Machine.HasNativeEngine)
            return;
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
            "run", "--check-engine", "--engine", "native", "--core", "none", "--engine-stats", GuestPrograms.Path("signals"));
        Assert.True(result.Status == 0, result.Errors);
        Assert.Contains("blocks made native code", result.Errors, StringComparison.Ordinal);
    }

    [Fact]
    public void UnknownEngineIsNamed()
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--engine", "steam", "/bin/true");
        Assert.Equal(2, result.Status);
        Assert.Contains("there is no engine 'steam'", result.Errors, StringComparison.Ordinal);
    }
}
