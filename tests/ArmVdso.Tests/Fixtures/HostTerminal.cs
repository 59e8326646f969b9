using System.Diagnostics;

namespace ArmVdso.Tests.Fixtures;

/// <summary>A terminal of the host: tmux has the screen, keys are sent to it and the screen is read. Nothing here measures time; each step
/// waits until the screen shows what it must.</summary>
internal sealed class HostTerminal : IDisposable
{
    /// <summary>Seconds of the host after which a step counts as hanging.</summary>
    private const int Limit = 300;

    private readonly string _folder = Directory.CreateTempSubdirectory("armvdso-test-").FullName;

    private string Socket => Path.Join(_folder, "tmux");

    /// <summary>A command of tmux: what it prints.</summary>
    internal string Tmux(params string[] words)
    {
        (int status, string output, string errors) = GuestPrograms.Run("tmux", ["-S", Socket, "-f", "/dev/null", .. words]);
        Assert.True(status == 0, $"tmux {string.Join(' ', words)}: {output}{errors}");
        return output;
    }

    /// <summary>Sends keys, by tmux's names or as text.</summary>
    internal void Keys(params string[] keys) => Tmux(["send-keys", .. keys]);

    private string Screen() => Tmux("capture-pane", "-p");

    /// <summary>Waits until the screen is as it must be, and returns it.</summary>
    internal string WaitFor(Func<string, bool> shown, string what)
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

    /// <summary>Waits until the screen shows a text.</summary>
    internal string WaitFor(string text) => WaitFor(screen => screen.Contains(text, StringComparison.Ordinal), text);

    /// <summary>A shell of the host, in which a guest is run with a root.</summary>
    internal void Start(string root, params string[] words)
    {
        Tmux("new-session", "-d", "-x", "80", "-y", "24", "env", "PS1=host$ ", "bash", "--norc", "--noprofile");
        WaitFor("host$");
        string script = Path.Join(_folder, "guest");
        string command = string.Join(' ', words.Select(w => $"'{w}'"));
        File.WriteAllText(script, $"exec '{ArmVdsoCommand.Program}' run --core none --root '{root}' -E TERM=screen {command}\n");
        Keys($"stty -g >{_folder}/before; clear; bash {script}; echo status $?", "Enter");
    }

    /// <summary>The guest has ended, and the terminal is as it was.</summary>
    internal void Ended(int status)
    {
        WaitFor($"status {status}");
        Keys($"stty -g >{_folder}/after; cmp {_folder}/before {_folder}/after && echo same mode", "Enter");
        WaitFor("same mode\n");
    }

    public void Dispose()
    {
        GuestPrograms.Run("tmux", "-S", Socket, "kill-server");
        Directory.Delete(_folder, true);
    }
}
