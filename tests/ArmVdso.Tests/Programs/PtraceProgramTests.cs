namespace ArmVdso.Tests.Programs;

/// <summary>ptrace. The oracle of the program is a stock kernel: data/ptrace.txt is what it prints on Debian's Linux 6.12 for arm64, booted
/// by qemu-system-aarch64 10 (-M virt -cpu cortex-a76 -smp 2) with the program in its initial file system. Debian's strace runs as a
/// guest, gdb with ARMVDSO_LONG=1.</summary>
public sealed class PtraceProgramTests
{
    private static readonly string s_expected =
        File.ReadAllText(Path.Combine(GuestPrograms.RepositoryRoot, "tests/ArmVdso.Tests/Programs/data/ptrace.txt"));

    [Theory]
    [InlineData("--core", "none", "--cpus", "1")]
    [InlineData("--core", "cortex-a53", "--cpus", "4")]
    public void SaysWhatAStockKernelSays(params string[] options)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(["run", .. options, GuestPrograms.Path("ptrace")]);
        Assert.Equal(s_expected, result.Output);
        Assert.Equal(0, result.Status);
    }

    private static ArmVdsoCommand.Result Debug(string root, params string[] words)
    {
        string bind = $"{GuestPrograms.Path("two_threads")}:/two_threads";
        return ArmVdsoCommand.Run(["run", "--core", "none", "--root", root, "--bind", bind, .. words]);
    }

    [Fact]
    public void StraceFollowsThreads()
    {
        string log = Debug(DebianPrograms.PeopleRoot, "strace", "-f", "-e", "trace=write,exit,exit_group", "/two_threads").Errors;
        Assert.Contains("write(1, \"counter 16\\n\", 11", log);
        Assert.Equal(2, log.Split("strace: Process ").Length - 1);
        Assert.Equal(2, log.Split("] exit(0").Length - 1);
        Assert.EndsWith("exit_group(0)                           = ?\n+++ exited with 0 +++\n", log);
    }

    [Fact]
    public void GdbBreaksStepsAndSeesThreads()
    {
        if (Environment.GetEnvironmentVariable("ARMVDSO_LONG") != "1")
            return;
        string[] commands = ["break add", "run", "backtrace", "stepi", "info registers x0", "finish", "continue", "info threads", "delete",
            "continue"];
        string[] words = ["gdb", "-batch", .. commands.SelectMany(c => new[] { "-ex", c }), "/two_threads"];
        string output = Debug(DebianPrograms.DebugRoot, words).Output;
        Assert.Contains("Breakpoint 1, add (a=a@entry=1, b=b@entry=1) at", output);
        Assert.Matches(@"#1  0x[0-9a-f]+ in main \(\)", output);
        Assert.Matches(@"x0 +0x1 +1\n", output);
        Assert.Contains("Value returned is $1 = 1", output);
        Assert.Matches("Thread [23] .*hit Breakpoint 1, add", output);
        Assert.Contains("counter 16", output);
        Assert.Contains("exited normally]", output);
    }
}
