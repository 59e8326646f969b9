namespace ArmVdso.Tests.CommandLine;

/// <summary>Debian's programs for a screen as guests at a real terminal, and what a terminal does for a shell.</summary>
public sealed class TerminalProgramsCommandTests : IDisposable
{
    private readonly HostTerminal _terminal = new();

    private void Start(params string[] words) => _terminal.Start(DebianPrograms.PeopleRoot, words);

    private void Keys(params string[] keys) => _terminal.Keys(keys);

    private void WaitFor(string text) => _terminal.WaitFor(text);

    private void Shell()
    {
        Start("bash", "--norc", "--noprofile", "-i");
        WaitFor("bash-5.2#");
    }

    private void Leave()
    {
        Keys("exit 0", "Enter");
        _terminal.Ended(0);
    }

    /// <summary>Text is put in, changed, written, and read again; a window of another size is filled.</summary>
    [Fact]
    public void Vim()
    {
        Start("vim.tiny", "-u", "NONE", "/tmp/text");
        WaitFor("\"/tmp/text\" [New File]");
        Keys("ihello", "Enter", "wrold", "Escape", "hhhxp");
        WaitFor("hello\nworld\n~");
        _terminal.Tmux("resize-window", "-x", "60", "-y", "12");
        _terminal.WaitFor(screen => screen.Split('\n').Count(line => line == "~") == 9, "nine lines without text");
        Keys(":w", "Enter");
        WaitFor("2 lines, 12 bytes written");
        Keys(":%s/o/0/g", "Enter");
        WaitFor("hell0\nw0rld");
        Keys("u:q!", "Enter");
        _terminal.Ended(0);
    }

    [Fact]
    public void Less()
    {
        Shell();
        Keys("seq 1000 | less", "Enter");
        WaitFor("\n23\n:");
        Keys("G");
        WaitFor("1000\n(END)");
        Keys("?^50$", "Enter");
        WaitFor("50\n51\n");
        Keys("q");
        Leave();
    }

    /// <summary>top and htop show what runs, and answer to keys.</summary>
    [Fact]
    public void Top()
    {
        Shell();
        Keys("sleep 1000 &", "Enter");
        WaitFor("[1] ");
        Keys("clear; top", "Enter");
        _terminal.WaitFor(screen => screen.Contains("Tasks:") && screen.Contains("top\n") && screen.Contains("sleep\n"), "top and sleep");
        Keys("q");
        WaitFor("bash-5.2#");
        Keys("clear; htop", "Enter");
        _terminal.WaitFor(screen => screen.Contains("Load average:") && screen.Contains("sleep 1000"), "htop and sleep");
        Keys("F10");
        WaitFor("bash-5.2#");
        Keys("kill %1; exit 0", "Enter");
        _terminal.Ended(0);
    }

    /// <summary>Windows within the window: two shells, of which one is left, gone and come back to.</summary>
    [Fact]
    public void ScreenWithinTheScreen()
    {
        Shell();
        Keys("screen -S work bash --norc --noprofile", "Enter");
        _terminal.WaitFor(screen => screen.Trim() == "bash-5.2#", "a shell in screen");
        Keys("echo in $((40 + 2))", "Enter");
        WaitFor("in 42\n");
        Keys("C-a", "C-a", "d");
        WaitFor("[detached from ");
        Keys("clear; screen -r work", "Enter");
        WaitFor("in 42\n");
        Keys("exit", "Enter");
        WaitFor("[screen is terminating]");
        Leave();
    }

    [Fact]
    public void TmuxWithinTmux()
    {
        Shell();
        Keys("tmux -f /dev/null new-session 'bash --norc --noprofile'", "Enter");
        WaitFor("[0] 0:bash*");
        Keys("echo left $((40 + 2))", "Enter");
        WaitFor("left 42\n");
        Keys("C-b", "%");
        _terminal.WaitFor(screen => screen.Contains('│'), "two panes");
        Keys("exit", "Enter");
        _terminal.WaitFor(screen => !screen.Contains('│'), "one pane");
        Keys("exit", "Enter");
        WaitFor("[exited]");
        Leave();
    }

    /// <summary>SIGWINCH reaches a trap; a read that waits a time of the terminal's returns without a byte; tostop stops who writes in the
    /// background.</summary>
    [Fact]
    public void WhatATerminalDoesForAShell()
    {
        Shell();
        Keys("trap 'echo now $(stty size)' WINCH; echo set", "Enter");
        WaitFor("\nset\n");
        _terminal.Tmux("resize-window", "-x", "70", "-y", "20");
        WaitFor("now 20 70\n");
        Keys("trap - WINCH; s=$(stty -g); stty -icanon min 0 time 2; dd bs=1 count=1 2>/dev/null | wc -c; stty $s", "Enter");
        WaitFor("\n0\n");
        Keys("stty tostop; echo behind & sleep 1; jobs", "Enter");
        WaitFor("Stopped");
        Keys("clear; fg", "Enter");
        WaitFor("\nbehind\n");
        Leave();
    }

    public void Dispose() => _terminal.Dispose();
}
