using System.Globalization;
using System.Text.RegularExpressions;
using ArmVdso.Kernel.Syscalls;
using ArmVdso.Lab.Tracing;

namespace ArmVdso.Tests.CommandLine;

/// <summary>--strace beside Debian's strace under a Linux kernel: ten programs whose system calls are alike on every architecture.
/// tests/guests/strace/record.sh recorded what strace 6.1 prints of each; addresses, PIDs and times are taken out of both.</summary>
public sealed partial class StraceCommandTests : IDisposable
{
    private static readonly string s_programs = Path.Join(GuestPrograms.RepositoryRoot, "tests", "guests", "strace");

    private readonly string _folder = Directory.CreateTempSubdirectory("armvdso-test-").FullName;

    [GeneratedRegex(@"^\[pid (\d+)\] ", RegexOptions.Multiline)]
    private static partial Regex PidPrefix { get; }

    [GeneratedRegex(@"0x[0-9a-f]{4,}")]
    private static partial Regex Address { get; }

    [GeneratedRegex(@", si_utime=[^}]*|, sa_restorer=ADDRESS|SA_RESTORER\||\|SA_RESTORER|/\* \d+ vars \*/|left \{[^}]*\}")]
    private static partial Regex Varying { get; }

    [GeneratedRegex(" +=")]
    private static partial Regex BeforeResult { get; }

    [GeneratedRegex(@"^<\.\.\. \w+ resumed>")]
    private static partial Regex Resumed { get; }

    private static bool IsPrefixed(string line) => line.StartsWith("[pid ", StringComparison.Ordinal);

    /// <summary>Lines of each process, in the order of their first lines, with calls that were left and resumed made whole.</summary>
    private static List<string> Lines(string text, string first)
    {
        if (!IsPrefixed(text))
            text = string.Join('\n', text.TrimEnd('\n').Split('\n').Select(l => IsPrefixed(l) ? l : $"[pid {first}] {l}"));
        string[] pids = [.. PidPrefix.Matches(text).Select(m => m.Groups[1].Value).Distinct()];
        for (int i = 0; i < pids.Length; i++)
            text = Regex.Replace(text, $@"\b{pids[i]}\b", $"PID{i}");
        text = Varying.Replace(Address.Replace(text, "ADDRESS"), "");
        text = text.Replace("sa_flags=SA_RESTORER", "sa_flags=0", StringComparison.Ordinal);
        var open = new Dictionary<string, string>();
        var lines = new List<(string Pid, string Text)>();
        foreach (string line in text.Split('\n').Where(IsPrefixed))
        {
            int end = line.IndexOf(']', StringComparison.Ordinal);
            string pid = line[5..end], rest = line[(end + 2)..];
            if (Resumed.Match(rest) is { Success: true } resumed && open.Remove(pid, out string? begun))
                rest = begun + rest[resumed.Length..];
            if (rest.EndsWith(" <unfinished ...>", StringComparison.Ordinal))
                open[pid] = rest[..^" <unfinished ...>".Length];
            else
                lines.Add((pid, BeforeResult.Replace(rest, " =")));
        }
        return [.. lines.OrderBy(l => l.Pid, StringComparer.Ordinal).Select(l => $"{l.Pid} {l.Text}")];
    }

    private string Build(string name)
    {
        string program = Path.Join(_folder, name);
        (int status, string output, string errors) = GuestPrograms.Run(
            "aarch64-linux-gnu-gcc", "-O1", "-static", "-w", "-o", program, Path.Join(s_programs, name + ".c"));
        Assert.True(status == 0, output + errors);
        return program;
    }

    [Theory]
    [InlineData("children")]
    [InlineData("fault")]
    [InlineData("files")]
    [InlineData("folders")]
    [InlineData("identity")]
    [InlineData("memory")]
    [InlineData("pipes")]
    [InlineData("signals")]
    [InlineData("sockets")]
    [InlineData("times")]
    public void LineByLineAsStrace(string name)
    {
        const string pid = "29000";
        string file = Path.Join(_folder, "out"), root = Directory.CreateDirectory(Path.Join(_folder, "root")).FullName;
        ArmVdsoCommand.Run("run", "--core", "none", "--pid", pid, "--root", root, $"--strace={file}", Build(name));
        string seen = File.ReadAllText(file), recorded = File.ReadAllText(Path.Join(s_programs, name + ".strace"));
        int begin = seen.IndexOf('\n', seen.IndexOf("close(-1) ", StringComparison.Ordinal)) + 1;
        Assert.Equal(Lines(recorded, ""), Lines(seen[begin..], pid));
    }

    /// <summary>Results stand in strace's column, and another thread's line leaves a call unfinished.</summary>
    [Fact]
    public void LayoutOfLines()
    {
        string errors = ArmVdsoCommand.Run("run", "--core", "none", "--cpus", "1", "--strace", GuestPrograms.Path("crash"), "child").Errors;
        Assert.Contains("\nwait4(-1,  <unfinished ...>\n[pid 101] set_robust_list(", errors);
        Assert.Contains("\n<... wait4 resumed>[{WIFSIGNALED(s) && WTERMSIG(s) == SIGSEGV}], 0, NULL) = 101\n", errors);
        Assert.Contains("\n[pid 101] --- SIGSEGV {si_signo=SIGSEGV, si_code=SEGV_MAPERR, si_addr=0x10} ---\n", errors);
        Assert.Contains("\nexit_group(0)                           = ?\n+++ exited with 0 +++\n", errors);
    }

    [Fact]
    public void SummaryTable()
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--core", "none", "--strace-opts", "-c", "busybox", "ls", "/");
        string[] lines = result.Errors.Split('\n');
        Assert.Equal("% time     seconds  usecs/call     calls    errors syscall", lines[0]);
        Assert.Equal("------ ----------- ----------- --------- --------- ----------------", lines[1]);
        Assert.Matches(@"^100\.00 +\d+\.\d{6} +\d+ +\d+ +2 total$", lines[^2]);
        Assert.Contains(lines, l => Regex.IsMatch(l, @"^ *\d+\.\d\d +0\.\d{6} +\d+ +2 +2 ioctl$"));
    }

    [Theory]
    [InlineData("-e trace=%file -e signal=none -qq", @"^(readlinkat|newfstatat|openat|execve|faccessat|getxattr)\(")]
    [InlineData("-Z", @"= -1 E[A-Z]+ \(.*\)$|^\+\+\+")]
    [InlineData("-T -e trace=getdents64", @"^getdents64\(.*<0\.\d{6}>$|^\+\+\+")]
    [InlineData("-y -e trace=/^getdents", @"^getdents64\(3</>, 0x[0-9a-f]+ /\* \d+ entries \*/, 32768\) = \d+$|^\+\+\+")]
    [InlineData("-ttt -e trace=write -s 4", @"^1598313600\.\d{6} (write\(1, ""bin\\n""\.\.\., \d+\) +=|\+\+\+)")]
    public void LettersOfStrace(string letters, string expected)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--core", "none", "--strace-opts", letters, "busybox", "ls", "/");
        string[] lines = result.Errors.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.NotEmpty(lines);
        Assert.All(lines, line => Assert.Matches(expected, line));
    }

    /// <summary>What no strace has: calls of the vDSO, and why one made a system call.</summary>
    [Fact]
    public void CallsOfTheVdso()
    {
        string source = Path.Join(_folder, "v.c"), program = Path.Join(_folder, "v");
        File.WriteAllText(
            source, "#include <time.h>\nint main(void) { struct timespec t; for (int i = 0; i < 3; i++)"
            + " clock_gettime(CLOCK_MONOTONIC, &t); clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); return 0; }\n");
        (int status, string output, string errors) = GuestPrograms.Run("aarch64-linux-gnu-gcc", "-static", "-o", program, source);
        Assert.True(status == 0, output + errors);
        string shown = ArmVdsoCommand.Run("run", "--strace-opts", "-e vdso -e trace=none -qq", program).Errors;
        string[] lines = shown.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(4, lines.Length);
        Assert.All(lines[..3], l => Assert.Matches(@"^vdso: clock_gettime\(CLOCK_MONOTONIC, \{tv_sec=0, .*\}\) = 0 <\d+ cycles>$", l));
        Assert.Matches(@"CPUTIME_ID.* = 0 <\d+ cycles, fell back: no clock of the vDSO>$", lines[3]);
        Assert.Contains("counter cannot be used", ArmVdsoCommand.Run(
            "run", "--counter-fault", "trapped", "--strace-opts", "-e vdso -e trace=none", program).Errors);
    }

    [Theory]
    [InlineData("--strace-opts: -e: there is no system call 'opnat'; did you mean 'openat'?", "--strace-opts", "-e trace=opnat")]
    [InlineData("--strace-opts: there is no letter -x", "--strace-opts", "-x")]
    [InlineData("--strace: '-f' is no file name", "--strace", "-f")]
    [InlineData("--strace-opts: -o: '-f' is no file name", "--strace-opts", "-o -f")]
    public void StrictValues(string message, params string[] words)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(["run", .. words, "busybox", "true"]);
        Assert.Equal(2, result.Status);
        Assert.Contains(message, result.Errors);
        Assert.False(File.Exists(Path.Join(GuestPrograms.RepositoryRoot, "-f")));
    }

    /// <summary>The table of formats has the calls that there are, with as many arguments.</summary>
    [Fact]
    public void EachFormatBelongsToACall()
    {
        HashSet<string> known = [.. SyscallTable.All.Select(r => r.Name)];
        Assert.DoesNotContain(Strace.DescribedCalls, n => !known.Contains(n));
    }

    public void Dispose() => Directory.Delete(_folder, true);
}
