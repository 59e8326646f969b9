namespace ArmVdso.Tests.CommandLine;

/// <summary>A program that a fault ends: what is said of it, and the core file. tests/guests/src/crash.c has the ways to end; its functions
/// keep no frame pointer, so that only .eh_frame leads from one to the next.</summary>
public sealed class CrashCommandTests : IDisposable
{
    private static readonly string[] s_calls = ["innermost+0x", "middle+0x", "outer+0x"];

    private readonly string _folder = Directory.CreateTempSubdirectory("armvdso-test-").FullName;

    private static ArmVdsoCommand.Result Run(params string[] words) =>
        ArmVdsoCommand.Run(["run", "--core", "none", .. words]);

    [Theory]
    [InlineData(
        "deep", 139, "SIGSEGV (SEGV_MAPERR, nothing is mapped there) at address 0x10", "ldr", "innermost+0x", "middle+0x", "outer+0x",
        "main+0x")]
    [InlineData("write", 139, "SIGSEGV (SEGV_ACCERR, the mapping does not allow it)", "r-xp", "main+0x")]
    [InlineData("jump", 139, "at address 0x0", "which cannot be read", "main+0x")]
    [InlineData("abort", 134, "SIGABRT (SI_TKILL, sent by process 100)", "raise+0x", "abort+0x", "main+0x")]
    [InlineData("handler", 139, "SIGSEGV", "outer+0x", "handler+0x", "<signal handler called>")]
    public void ShortReport(string how, int status, params string[] parts)
    {
        ArmVdsoCommand.Result result = Run(GuestPrograms.Path("crash"), how);
        Assert.Equal(status, result.Status);
        Assert.Equal("", result.Output);
        Texts.ContainsInOrder(result.Errors, parts);
        Assert.InRange(result.Errors.Split('\n').Length, 4, 13);
    }

    /// <summary>A child's death is its parent's affair, unless a report was asked for.</summary>
    [Fact]
    public void CrashOfAChild()
    {
        Assert.Equal(new ArmVdsoCommand.Result(0, "child 0xb\n", ""), Run(GuestPrograms.Path("crash"), "child"));
        string file = Path.Join(_folder, "report");
        Assert.Equal(new ArmVdsoCommand.Result(0, "child 0xb\n", ""), Run("--crash", file, GuestPrograms.Path("crash"), "child"));
        Texts.ContainsInOrder(File.ReadAllText(file), ["process 101, thread 101", "\nthread 101 crash", "main+0x"]);
    }

    [Fact]
    public void WholeReport()
    {
        string file = Path.Join(_folder, "report");
        Assert.Equal(139, Run("--crash", file, GuestPrograms.Path("crash"), "threads").Status);
        string report = File.ReadAllText(file);
        Texts.ContainsInOrder(
            report, ["command: ", "crash threads\n", "\ncode\n", "=> ", "innermost+0x10", "\nregisters\n", "x1     0000000000000010"]);
        Texts.ContainsInOrder(report, ["\nthread 100 crash: took the signal\n", .. s_calls, "main+0x", "__libc_start_main", "_start+0x"]);
        Texts.ContainsInOrder(
            report, ["\nthread 101 crash: in ppoll(", "pause+0x", "other+0x", "\nlast system calls", "clone(", "= 101\n", "[stack]"]);
    }

    /// <summary>The signals and events of a person, not of a fault, end a program without a report.</summary>
    [Fact]
    public void NoReportWithoutAFault()
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "busybox", "sh", "-c", "kill -XCPU $$");
        Assert.Equal((152, ""), (result.Status, result.Errors));
    }

    /// <summary>A dead end says who waits for what.</summary>
    [Theory]
    [InlineData("mutex", "crash[100] waits in futex(", "which holds 0x2", "its owner is crash[100], itself")]
    [InlineData(
        "pipe", "crash[100] waits in wait4(-1, ", "for crash[101]", "crash[101] waits in read(3, ", "on pipe:[",
        "whose writer is crash[100], crash[101]")]
    public void Deadlock(string how, params string[] parts)
    {
        ArmVdsoCommand.Result result = Run(GuestPrograms.Path("crash"), how);
        Assert.Equal(124, result.Status);
        Texts.ContainsInOrder(result.Errors, [.. parts, "every task of the guest waits"]);
    }

    private string Gdb(string core, params string[] commands)
    {
        (int status, string output, string errors) = GuestPrograms.Run(
            "gdb-multiarch", ["-nx", "-batch", .. commands.SelectMany(c => new[] { "-ex", c }), GuestPrograms.Path("crash"), core]);
        Assert.True(status == 0, output + errors);
        return output;
    }

    /// <summary>gdb is the judge of the core file.</summary>
    [Fact]
    public void CoreFileOpensInGdb()
    {
        string[] where = ["--bind", $"{_folder}:/out", "--cwd", "/out"];
        ArmVdsoCommand.Result result = Run([.. where, GuestPrograms.Path("crash"), "threads", "100000000"]);
        Assert.Contains("core     /out/core in the guest", result.Errors);
        string core = Path.Join(_folder, "core");
        string seen = Gdb(
            core, "bt", "p $_siginfo.si_signo", "p $_siginfo._sifields._sigfault.si_addr", "p $x1", "info auxv", "thread 2", "bt");
        Texts.ContainsInOrder(seen, [
            "Program terminated with signal SIGSEGV", "#0  0x", "innermost (n=n@entry=3)", "#1  0x", "middle (n=n@entry=2)", "#2  0x",
            "outer (n=n@entry=1)", "#3  0x", "main (argc=", "$1 = 11", "$2 = (void *) 0x10", "$3 = 16", "AT_EXECFN", "pause ()"]);
    }

    /// <summary>Only as the limit allows, named as the pattern says, and told by the wait status.</summary>
    [Fact]
    public void LimitAndPattern()
    {
        string[] where = ["--bind", $"{_folder}:/out", "--cwd", "/out", "--bind", $"{GuestPrograms.Path("crash")}:/crash"];
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(["run", .. where, "busybox", "sh", "-c",
            "/crash child 0; /crash child 4095; ls; /crash child 8192; wc -c <core; rm core;"
            + "echo '/out/%e.%p.%s.%%' >/proc/sys/kernel/core_pattern; /crash child 1000000; ls"]);
        Assert.Equal(0, result.Status);
        string[] lines = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(["child 0xb", "child 0xb", "child 0x8b"], lines[..3]);
        Assert.InRange(int.Parse(lines[3], System.Globalization.CultureInfo.InvariantCulture), 1, 8192);
        Assert.Equal("child 0x8b", lines[4]);
        Assert.Matches(@"^crash\.\d+\.11\.%$", Assert.Single(lines[5..]));
    }

    public void Dispose() => Directory.Delete(_folder, true);
}
