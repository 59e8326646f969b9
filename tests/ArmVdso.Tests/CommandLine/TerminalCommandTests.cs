using System.Diagnostics;

namespace ArmVdso.Tests.CommandLine;

/// <summary>Guests at a real terminal: tmux has the screen, keys are sent to it and the screen is read. Nothing here measures time; each
/// step waits until the screen shows what it must.</summary>
public sealed class TerminalCommandTests : IDisposable
{
    /// <summary>Seconds of the host after which a step counts as hanging.</summary>
    private const int Limit = 300;

    private readonly string _folder = Directory.CreateTempSubdirectory("armvdso-test-").FullName;

    private string Socket => Path.Join(_folder, "tmux");

    private string Tmux(params string[] words)
    {
        (int status, string output, string errors) = GuestPrograms.Run("tmux", ["-S", Socket, "-f", "/dev/null", .. words]);
        Assert.True(status == 0, $"tmux {string.Join(' ', words)}: {output}{errors}");
        return output;
    }

    private void Keys(params string[] keys) => Tmux(["send-keys", .. keys]);

    private string Screen() => Tmux("capture-pane", "-p");

    private string WaitFor(Func<string, bool> shown, string what)
    {
        var clock = Stopwatch.StartNew();
        string screen;
        while (!shown(screen = Screen()))
        {
            Assert.True(clock.Elapsed.TotalSeconds < Limit, $"never shown: {what}\n{screen}");
            Thread.Sleep(50);
        }
        return screen;
    }

    private string WaitFor(string text) => WaitFor(screen => screen.Contains(text, StringComparison.Ordinal), text);

    /// <summary>A shell of the host, in which a guest is run.</summary>
    private void Start(params string[] words)
    {
        Tmux("new-session", "-d", "-x", "80", "-y", "24", "env", "PS1=host$ ", "bash", "--norc", "--noprofile");
        WaitFor("host$");
        string script = Path.Join(_folder, "guest");
        string root = DebianPrograms.StaticRoot;
        string command = string.Join(' ', words.Select(w => $"'{w}'"));
        File.WriteAllText(script, $"exec '{ArmVdsoCommand.Program}' run --core none --root '{root}' -E TERM=screen {command}\n");
        Keys($"stty -g >{_folder}/before; clear; bash {script}; echo status $?", "Enter");
    }

    /// <summary>The guest has ended, and the terminal is as it was.</summary>
    private void Ended(int status)
    {
        WaitFor($"status {status}");
        Keys($"stty -g >{_folder}/after; cmp {_folder}/before {_folder}/after && echo same mode", "Enter");
        WaitFor("same mode\n");
    }

    /// <summary>Line editing, completion, one echo, job control, Ctrl-C each time, window size.</summary>
    [Fact]
    public void Shell()
    {
        Start("bash-static", "--norc", "-i");
        WaitFor("-5.2#");
        Keys("echo wold", "C-b", "C-b", "r", "Enter");
        WaitFor("echo world\nworld\n");
        Keys("cd /u", "Tab", "Enter");
        WaitFor("cd /usr/");
        Keys("echo go; busybox cat", "Enter");
        WaitFor("\ngo\n");
        Keys("onx", "BSpace", "e", "Enter");
        WaitFor("go\none\none\n");
        Keys("C-z");
        WaitFor("Stopped");
        Keys("fg", "Enter");
        WaitFor("fg\nbusybox cat\n");
        Keys("C-c");
        WaitFor("^C\nbash-static-5.2#");
        Keys("echo $?", "Enter");
        WaitFor("\n130\n");
        Keys("read -t 1 x; echo waited $?", "Enter");
        WaitFor("waited 142\n");
        Tmux("resize-window", "-x", "70", "-y", "20");
        Keys("busybox stty size", "Enter");
        WaitFor("\n20 70\n");
        Keys("exit 7", "Enter");
        Ended(7);
    }

    [Fact]
    public void Editor()
    {
        Start("busybox", "vi", "/tmp/text");
        WaitFor("- /tmp/text");
        Keys("ihello world", "Enter", "second line");
        WaitFor("second line");
        Keys("Escape");
        WaitFor("- /tmp/text");
        Keys("k0x");
        WaitFor("\nello world\n".TrimStart('\n'));
        Keys(":q!", "Enter");
        Ended(0);
    }

    [Fact]
    public void PagerAndTop()
    {
        Start("busybox", "sh");
        WaitFor("/ #");
        Keys("seq 100 >/tmp/n; busybox less /tmp/n", "Enter");
        WaitFor("\n23\n");
        Keys(" ");
        WaitFor("\n46\n");
        Keys("q");
        WaitFor("/ #");
        Keys("clear; busybox top", "Enter");
        WaitFor("PID  PPID USER");
        Keys("q");
        Keys("exit", "Enter");
        Ended(0);
    }

    /// <summary>A guest that ignores everything ends by Ctrl-A x, one that a fault ends leaves the terminal as it was, and so does
    /// SIGTERM.</summary>
    [Theory]
    [InlineData("escape", 130)]
    [InlineData("fault", 139)]
    [InlineData("term", 143)]
    public void EveryWayOut(string how, int status)
    {
        Start("busybox", "sh", "-c", how == "fault" ? "kill -SEGV $$" : "trap \"\" INT QUIT TSTP; echo begun; sleep 100000");
        if (how != "fault")
        {
            WaitFor("begun\n");
            Keys("C-c", "C-z", "C-\\");
        }
        if (how == "escape")
            Keys("C-a", "x");
        else if (how == "term")
            GuestPrograms.Run("pkill", "-TERM", "-P", Tmux("display-message", "-p", "#{pane_pid}").Trim());
        Ended(status);
    }

    public void Dispose()
    {
        GuestPrograms.Run("tmux", "-S", Socket, "kill-server");
        Directory.Delete(_folder, true);
    }
}
