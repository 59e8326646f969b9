namespace ArmVdso.Tests.Programs;

/// <summary>The guests themselves, on an emulator that is not ours: what they call wrong elsewhere is not their own mistake.
/// Needs gcc-aarch64-linux-gnu and qemu-user.</summary>
public sealed class GuestsUnderQemuOracleTests
{
    private static string Guests => Path.Combine(GuestPrograms.RepositoryRoot, "tests", "guests");

    /// <summary>A program says line by line what it found; here the lines are those that it printed under qemu, recorded by
    /// record-qemu.sh. What fails under qemu-user 7.2 and not on Linux is listed: it emulates clone without shared memory as fork, does
    /// not refuse MAP_FIXED_NOREPLACE over a mapping, does not know SIOCOUTQNSD, forgets flags that pipe2 does not know and the
    /// pipe of a bad pointer; clock_getres and nanosleep do not tell a tag, mprotect and munmap mind it, and what is started keeps
    /// what was said of tags.</summary>
    [Theory]
    [InlineData("signals", "")]
    [InlineData("futex", "")]
    [InlineData("time", "")]
    [InlineData("memory", "fixed, replacing nothing")]
    [InlineData("fork_exec noexec", "clone that shares memory")]
    [InlineData("pi_futex", "")]
    [InlineData("restarts", "")]
    [InlineData("owners", "")]
    [InlineData("lines", "")]
    [InlineData("buffers", "told;one process at a time;who is told;any of its descriptors ends it;"
        + "no signal is one, too")]
    [InlineData("corks", "and is counted")]
    [InlineData("tags", "in these calls, too;but not where addresses of mappings are told;not by another program")]
    [InlineData("pipes", "flags that pipes do not have;leaves no descriptor behind")]
    public void Checks_hold_as_recorded(string command, string failsUnderQemu)
    {
        string[] words = command.Split(' ');
        string[] lines = File.ReadAllLines(Path.Combine(Guests, "src", "qemu", words[0] + ".out"));
        string[] failed = [.. failsUnderQemu.Split(';', StringSplitOptions.RemoveEmptyEntries).Select(what => "FAILED " + what)];
        Assert.Equal(failed, lines.Where(line => line.StartsWith("FAILED", StringComparison.Ordinal)));
        Assert.Equal($"{words[0]}: {failed.Length} failed", lines[^1]);
        Assert.InRange(lines.Length, 10, 100);

        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(["run", "--core", "none", GuestPrograms.Path(words[0]), .. words[1..]]);
        string[] expected = [.. lines[..^1].Select(l => failed.Contains(l) ? "ok" + l["FAILED".Length..] : l), $"{words[0]}: 0 failed"];
        Assert.Equal(expected, result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.Equal(0, result.Status);
    }

    /// <summary>Long runs record again: threads, signals and sleeps are the host's there.</summary>
    [Fact]
    public void What_is_recorded_is_what_qemu_gives()
    {
        if (Environment.GetEnvironmentVariable("ARMVDSO_LONG") != "1")
            return;
        string folder = Directory.CreateTempSubdirectory("armvdso-qemu-").FullName;
        try
        {
            (int status, string output, string errors) = GuestPrograms.Run(Path.Combine(Guests, "record-qemu.sh"), folder);
            Assert.True(status == 0, output + errors);
            foreach (string file in Directory.EnumerateFiles(Path.Combine(Guests, "src", "qemu")))
                Assert.Equal(File.ReadAllText(file), File.ReadAllText(Path.Combine(folder, Path.GetFileName(file))));
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    [Fact]
    public void Hello_answers_with_the_number_of_its_arguments()
    {
        (int status, string output, string errors) =
            GuestPrograms.Run("qemu-aarch64", "-E", "GUEST=yes", GuestPrograms.Path("hello"), "a", "b c");

        Assert.Equal(2, status);
        Assert.Equal("hello, arm64 world\nargv[1] = a\nargv[2] = b c\nGUEST = yes\npage 4096, clock ticks 100, floating point 1\n"
            + "0.333 0x1.999999999999ap-4 end\n", output);
        Assert.Equal("on standard error\n", errors);
    }

    [Fact]
    public void Threads_says_which_functions_are_absent()
    {
        (int status, string output, _) = GuestPrograms.Run("qemu-aarch64", GuestPrograms.Path("threads"), "-p", "2", "-n", "10");

        Assert.Equal(0, status);
        Assert.Contains("getpid absent\n", output, StringComparison.Ordinal);
        Assert.EndsWith("\ncalls 0 wrong 0\n", output, StringComparison.Ordinal);
    }

    /// <summary>The image's code is executed here, against data that the guest lays out by layout.tsv.</summary>
    [Fact]
    public void The_vdso_image_computes_what_its_data_say()
    {
        string bin = Path.Combine(GuestPrograms.RepositoryRoot, "vdso-image", "bin");
        (int status, string output, string errors) = GuestPrograms.Run("qemu-aarch64", GuestPrograms.Path("vdso_image"),
            Path.Combine(bin, "vdso-per-cpu.so"), Path.Combine(bin, "layout.tsv"));

        Assert.True(status == 0, output + errors);
        Assert.EndsWith("vdso_image: 0 failed\n", output, StringComparison.Ordinal);
    }
}
