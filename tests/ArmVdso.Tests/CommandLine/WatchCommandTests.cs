using System.Diagnostics;

namespace ArmVdso.Tests.CommandLine;

/// <summary>run --watch on a real terminal: tmux has the screen. Nothing here measures time.</summary>
public sealed class WatchCommandTests : IDisposable
{
    private const int Limit = 300;
    private readonly string _folder = Directory.CreateTempSubdirectory("armvdso-watch-").FullName;

    private string Tmux(params string[] words)
    {
        string[] server = ["-S", Path.Join(_folder, "tmux"), "-f", "/dev/null"];
        (int status, string output, string errors) = GuestPrograms.Run("tmux", [.. server, .. words]);
        Assert.True(status == 0, $"tmux {string.Join(' ', words)}: {output}{errors}");
        return output;
    }

    private string WaitFor(Func<string, bool> shown)
    {
        var clock = Stopwatch.StartNew();
        string screen;
        while (!shown(screen = Tmux("capture-pane", "-p")))
        {
            Assert.True(clock.Elapsed.TotalSeconds < Limit, $"never shown:\n{screen}");
            Thread.Sleep(50);
        }
        return screen;
    }

    [Fact]
    public void TheScreenShowsCpusAndThreadsAndComesBack()
    {
        string script = Path.Join(_folder, "run"), name = Path.Join(_folder, "a\u001b[7mb");
        File.Copy(GuestPrograms.Path("threads"), name);
        string command = $"'{ArmVdsoCommand.Program}' run --watch --slice 20 '{name}' </dev/null >{_folder}/out";
        File.WriteAllText(script, $"before\n{command}; echo status $?\n");
        Tmux("new-session", "-d", "-x", "100", "-y", "24", "env", "PS1=host$ ", "TERM=screen", "bash", "--norc", "--noprofile");
        WaitFor(s => s.Contains("host$", StringComparison.Ordinal));
        Tmux("send-keys", $"before() {{ echo before; }}; . {script}", "Enter");
        string screen = WaitFor(s => s.Contains("CALLS/S", StringComparison.Ordinal) && s.Contains(" 101 ", StringComparison.Ordinal));
        Assert.Contains("MIPS", screen);
        Assert.Matches(@"(?m)^  0 \S+ +(0x[0-9a-f]+|off) +\d+% ", screen);
        Assert.Matches(@"(?m)^  1 \S+ +(0x[0-9a-f]+|off) +\d+% ", screen);
        Assert.Matches(@"(?m)^ +100 +100 [RrS] ", screen);
        // The name is no order for the terminal.
        Assert.Contains("a\\x1b[7mb", screen);
        screen = WaitFor(s => s.Contains("status 0", StringComparison.Ordinal));
        Assert.Contains("\nbefore\n", screen);
        Assert.DoesNotContain("CALLS/S", screen);
        Assert.Contains("calls", File.ReadAllText(Path.Join(_folder, "out")));
    }

    [Fact]
    public void WithoutATerminalItIsRefused()
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--watch", GuestPrograms.Path("hello"));
        Assert.Equal((2, ""), (result.Status, result.Output));
        Assert.Contains("--watch needs a terminal", result.Errors);
    }

    public void Dispose()
    {
        GuestPrograms.Run("tmux", "-S", Path.Join(_folder, "tmux"), "kill-server");
        Directory.Delete(_folder, true);
    }
}
