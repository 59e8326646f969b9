namespace ArmVdso.Tests.CommandLine;

/// <summary>Guests at a real terminal.</summary>
public sealed class TerminalCommandTests : IDisposable
{
    private readonly HostTerminal _terminal = new();

    private void Start(params string[] words) => _terminal.Start(DebianPrograms.StaticRoot, words);

    private void Keys(params string[] keys) => _terminal.Keys(keys);

    private string WaitFor(string text) => _terminal.WaitFor(text);

    private void Ended(int status) => _terminal.Ended(status);

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
        _terminal.Tmux("resize-window", "-x", "70", "-y", "20");
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
            GuestPrograms.Run("pkill", "-TERM", "-P", _terminal.Tmux("display-message", "-p", "#{pane_pid}").Trim());
        Ended(status);
    }

    public void Dispose() => _terminal.Dispose();
}
