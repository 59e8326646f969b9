namespace ArmVdso.Tests.Programs;

/// <summary>Programs that check what Linux promises where a model is tempted to invent an answer: faults, restarts, stepped clocks, links
/// of /proc, options that do not exist. What they expect is Linux 6.12's; those that qemu-user can run as well are in
/// <see cref="GuestsUnderQemuOracleTests"/>.</summary>
public sealed class KernelTruthProgramTests
{
    [Theory]
    [InlineData("faults")]
    [InlineData("steps")]
    [InlineData("objects")]
    [InlineData("mounts")]
    [InlineData("mountns")]
    [InlineData("propagation")]
    [InlineData("network")]
    [InlineData("farewells")]
    [InlineData("limits", "--uptime", "2000")]
    [InlineData("userfault")]
    [InlineData("corners")]
    [InlineData("messages")]
    [InlineData("promises")]
    [InlineData("procns")]
    [InlineData("devpts")]
    [InlineData("sealed")]
    [InlineData("keys")]
    [InlineData("fanotify")]
    [InlineData("landlock")]
    [InlineData("aio")]
    [InlineData("terminals")]
    [InlineData("rows")]
    [InlineData("loads")]
    [InlineData("policies")]
    [InlineData("wake", "--cpus", "2")]
    [InlineData("rseq_events", "-E", "GLIBC_TUNABLES=glibc.pthread.rseq=0")]
    [InlineData("rseq_events", "-E", "GLIBC_TUNABLES=glibc.pthread.rseq=0", "--kernel", "kstack-random+rseq")]
    [InlineData("rseq_events", "-E", "GLIBC_TUNABLES=glibc.pthread.rseq=0", "--kernel", "kpti+rseq", "--preempt", "full")]
    [InlineData("rseq_sections")]
    [InlineData("rseq_sections", "--kernel", "kstack-random+rseq")]
    [InlineData("rseq_sections", "--kernel", "kpti+rseq", "--preempt", "full", "--va-bits", "48")]
    [InlineData("mm_cids", "--cpus", "2")]
    [InlineData("mm_cids", "--cpus", "64", "--kernel", "kstack-random+rseq")]
    [InlineData("mm_cids", "--cpus", "2", "--kernel", "kpti+rseq", "--preempt", "full")]
    public void Holds(string name, params string[] options)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(["run", "--core", "none", .. options, GuestPrograms.Path(name)]);
        Assert.True(result.Status == 0 && !result.Output.Contains("FAILED"), $"status {result.Status}\n{result.Output}{result.Errors}");
        Assert.EndsWith($"{name}: 0 failed\n", result.Output);
    }

    /// <summary>What /proc and /proc/sys say and do, also as root changes it; the same program is compared inside booted kernels.</summary>
    [Fact]
    public void AccountsAreTrue()
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--core", "none", GuestPrograms.Path("accounts"), "all");
        Assert.True(result.Status == 0 && !result.Output.Contains("FAILED"), $"status {result.Status}\n{result.Output}{result.Errors}");
        Assert.EndsWith("accounts: 0 failed\n", result.Output);
    }

    /// <summary>What splice, sendfile and tee say of 38 kinds of descriptors with each other: recorded on Linux 6.18.</summary>
    [Fact]
    public void SplicesWhatLinuxSplices()
    {
        string recorded = Path.Combine(GuestPrograms.RepositoryRoot, "tests", "guests", "src", "native", "splices.out");
        string[] expected = File.ReadAllLines(recorded);
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--core", "none", GuestPrograms.Path("splices"));
        Assert.Equal(expected, result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(38, expected.Length);
    }

    /// <summary>The kernel's configuration names what the options chose.</summary>
    [Theory]
    [InlineData("none", 1, "CONFIG_PREEMPT_VOLUNTARY=y", "# CONFIG_PREEMPT is not set", "CONFIG_NUMA=y")]
    [InlineData("full", 2, "# CONFIG_PREEMPT_VOLUNTARY is not set", "CONFIG_PREEMPT=y", "CONFIG_NUMA=y")]
    public void ConfigurationIsThatOfTheKernel(string preempt, int nodes, params string[] expected)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
            "run", "--core", "none", "--preempt", preempt, "--cpus", "2", "--nodes", $"{nodes}", GuestPrograms.Path("corners"),
            "/boot/config-6.12.0");
        Assert.Equal(0, result.Status);
        Assert.All(expected, line => Assert.Contains(line, result.Output.Split('\n')));
    }

    /// <summary>Nor does the name of a task that it gave itself, in a trace of switches.</summary>
    [Fact]
    public void TracesHoldNoControlCharacters()
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("trace", "--core", "none", GuestPrograms.Path("hostile"), "name");
        Assert.Contains("a\\x1b[2Jb[", result.Output);
        Assert.DoesNotContain('\u001b', result.Output);
    }

    /// <summary>A guest's own words reach no terminal as they are: names of interpreters, of tasks.</summary>
    [Theory]
    [InlineData("a\u001b[2Jb", "a\\x1b[2Jb")]
    [InlineData("bell\u0007,\u009b1m", "\\x9b1m")]
    public void MessagesHoldNoControlCharacters(string text, string printed)
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllText(path, $"#!/no{text}\n");
            if (!OperatingSystem.IsWindows())
                File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserExecute);
            ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", path);
            Assert.Equal(126, result.Status);
            Assert.Contains(printed, result.Errors);
            Assert.DoesNotContain('\u001b', result.Errors);
        }
        finally
        {
            File.Delete(path);
        }
    }
}
