using System.Globalization;
using System.Text.RegularExpressions;

namespace ArmVdso.Tests.Programs;

/// <summary>Debian's static busybox and bash: the output and status that qemu-aarch64 gives.</summary>
public sealed partial class StaticProgramTests
{
    private static string Busybox => Path.Combine(DebianPrograms.Root, "opt/static/bin/busybox");

    private static ArmVdsoCommand.Result Run(params string[] words) => ArmVdsoCommand.Run(["run", "--root", DebianPrograms.Root, .. words]);

    [Fact]
    public void BusyboxShellWithPipes()
    {
        const string script = "for i in 1 2 3; do echo $i | sed s/2/two/ | sort -r; done; sha256sum /opt/static/bin/busybox";
        ArmVdsoCommand.Result result = Run("/opt/static/bin/busybox", "sh", "-c", script);
        (int status, string sum, _) = GuestPrograms.Run("sha256sum", Busybox);
        Assert.Equal(0, status);
        Assert.Equal($"1\ntwo\n3\n{sum[..64]}  /opt/static/bin/busybox\n", result.Output);
        Assert.Equal(0, result.Status);
    }

    /// <summary>In a root, with a bound file and a timing model; <see cref="DebianStaticProgramTests"/> has it on each shell and
    /// engine without.</summary>
    [Fact]
    public void LongScript()
    {
        const string program = "/opt/static/bin/busybox", argument = "sh";
        string script = Path.Combine(GuestPrograms.RepositoryRoot, "tests/guests/src/script.sh");
        ArmVdsoCommand.Result ours = ArmVdsoCommand.Run("run", "--root", DebianPrograms.Root, "--bind", $"{script}:/script.sh:ro", program,
            argument, "/script.sh");
        // The script uses no file of the root and no program outside the shell, so qemu needs no chroot.
        (int status, string output, string errors) = GuestPrograms.Run("qemu-aarch64", DebianPrograms.Root + program, argument, script);
        Assert.Equal(output, ours.Output);
        Assert.Equal(status, ours.Status);
        Assert.Equal("", errors);
    }

    /// <summary>fallocate(2) in a writable bind takes the host's space: it had said 0 and taken none.</summary>
    [Fact]
    public void SpaceInABoundFolderIsTheHosts()
    {
        string folder = Directory.CreateTempSubdirectory("armvdso").FullName;
        try
        {
            File.WriteAllText(Path.Join(folder, "file"), "");
            ArmVdsoCommand.Result Fallocate(params string[] words) => ArmVdsoCommand.Run(
                ["run", "--core", "none", "--root", DebianPrograms.Root, "--bind", $"{folder}:/host", "/usr/bin/fallocate", .. words,
                    "/host/file"]);
            ArmVdsoCommand.Result taken = Fallocate("-l", "1048576");
            Assert.Equal(("", 0), (taken.Errors, taken.Status));
            Assert.Equal(1048576, new FileInfo(Path.Join(folder, "file")).Length);
            ArmVdsoCommand.Result tooMuch = Fallocate("-n", "-l", $"{1L << 60}");
            Assert.Equal(1, tooMuch.Status);
            Assert.Contains("fallocate failed: ", tooMuch.Errors, StringComparison.Ordinal);
            Assert.Equal(1048576, new FileInfo(Path.Join(folder, "file")).Length);
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    [Fact]
    public void TheSameRunTwiceGivesTheSameCycles()
    {
        string[] words = ["run", "--stats", "--root", DebianPrograms.Root, "/opt/static/bin/busybox", "sh", "-c",
            "echo a | cat; echo $((6*7))"];
        static string Cycles(ArmVdsoCommand.Result r) =>
            string.Join('\n', r.Errors.Split('\n').Where(l => !l.Contains("seconds of the host")));
        string first = Cycles(ArmVdsoCommand.Run(words));
        Assert.Contains("cycles executed", first);
        Assert.Equal(first, Cycles(ArmVdsoCommand.Run(words)));
    }

    [Theory]
    [InlineData("hello", 0)]
    [InlineData("signals", 0)]
    [InlineData("fork_exec", 0)]
    [InlineData("futex", 0)]
    [InlineData("memory", 0)]
    [InlineData("time", 0)]
    [InlineData("namespaces", 0)]
    [InlineData("isolation", 0)]
    [InlineData("packets", 0)]
    public void OurOwnPrograms(string name, int expected)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", GuestPrograms.Path(name));
        Assert.True(result.Status == expected && !result.Output.Contains("FAILED"),
            $"status {result.Status}\n{result.Output}{result.Errors}");
    }

    [Fact]
    public void ProgramInABoundFolder()
    {
        string folder = Path.GetDirectoryName(GuestPrograms.Path("hello"))!;
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--bind", $"{folder}:/here:ro", "/here/hello");
        Assert.Equal(0, result.Status);
        Assert.Equal(127, ArmVdsoCommand.Run("run", "--bind", $"{folder}:/here:ro", "/here/nothing").Status);
    }

    /// <summary>Four threads under preemption with migration: the program checks each vDSO answer against the system call's, and some
    /// are wrong. In which slices a preemption falls into a call is a matter of cycles, so that several are tried; at one place of the
    /// guest's tree, wherever the file is, as the length of a program's path moves its stack.</summary>
    [Fact]
    public void WrongAnswersOfTheTalksDesignAreCounted()
    {
        int wrong = 0;
        for (int slice = 2; slice <= 8; slice++)
        {
            ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--cpus", "2", "--slice", $"{slice}", "--bind",
                $"{GuestPrograms.Path("threads")}:/threads:ro", "/threads", "-t", "4", "-n", "2000");
            Assert.Equal(0, result.Status);
            Match counted = Calls().Match(result.Output);
            Assert.True(counted.Success, result.Output);
            wrong += int.Parse(counted.Groups[1].ValueSpan, CultureInfo.InvariantCulture);
        }
        Assert.True(wrong > 0, "no wrong answer in slices of 2 to 8 us");
    }

    [GeneratedRegex(@"\ncalls 64000 wrong (\d+)\n$")]
    private static partial Regex Calls();
}
