using ArmVdso.Kernel.Configuration;

namespace ArmVdso.Cli;

/// <summary>The program's files, environment and identity.</summary>
internal sealed class GuestOptions : OptionGroup
{
    internal override string Title => "The guest";

    private readonly Option<string> _root = Text(
        "--root", "", "host folder that is the guest's root (only read; writes stay in memory)", "DIR");

    /// <summary>The options; -L is what qemu-user calls --root.</summary>
    internal GuestOptions() => _root.Aliases.Add("-L");

    private readonly Option<string[]> _bind = Repeated(
        "--bind", "host file or folder shown at a guest path; rw reaches the host unless :ro", "HOST:GUEST[:ro]");

    private readonly Option<string[]> _env = Repeated("-E", "environment variable of the guest (repeatable)", "NAME=VALUE");

    private readonly Option<string[]> _unset = Repeated("-U", "removes a variable of the guest's environment (repeatable)", "NAME");

    private readonly Option<string> _argv0 = Text("-0", "", "argv[0] of the program", "ARGV0");

    private readonly Option<string> _cwd = Text(
        "--cwd", "", "working directory in the guest (the caller's, only read, for a program of the host; / for others)", "DIR");

    private readonly Option<string> _user = Text("--user", "0", "user (and group) ID of the program", "UID[:GID]");

    private readonly Option<string> _pid = Text("--pid", "100", "PID of the program; 1 makes it the reaper of orphans", "PID");

    private readonly Option<bool> _monitors = Flag(
        "--pmu-user", "lets the program read and set the performance monitors (PMCCNTR_EL0 and events); otherwise that is SIGILL");

    internal override IReadOnlyList<Option> Options => [_root, _bind, _env, _unset, _argv0, _cwd, _user, _pid, _monitors];

    internal override SessionSettings Apply(CommandInput input, SessionSettings settings)
    {
        string[] user = input.Text(_user).Split(':');
        uint uid = Id(_user.Name, user[0]);
        string root = input.Text(_root);
        if (root.Length > 0 && !Directory.Exists(root))
            throw new UserError($"--root: {root}: {(File.Exists(root) ? "not a folder" : "not found on the host")}", ExitStatus.NotFound);
        return settings with
        {
            Root = root.Length == 0 ? null : Path.GetFullPath(root),
            FallbackRoot = FetchedRoot(),
            Binds = [.. input.Words(_bind).Select(ReadBind)],
            Environment = Variables(input.Words(_unset), input.Words(_env)),
            Argv0 = input.Text(_argv0),
            Cwd = input.Text(_cwd) is { Length: > 0 } cwd ? cwd : "/",
            CallerFolder = input.Text(_cwd).Length > 0 ? null : Caller(),
            Uid = uid,
            Gid = user.Length > 1 ? Id(_user.Name, user[1]) : uid,
            FirstPid = (int)input.Number(_pid, 1, 30000),
            UserMonitors = input.Value(_monitors),
        };
    }

    /// <summary>The caller's working directory; null: it is gone.</summary>
    private static string? Caller()
    {
        try
        {
            return Directory.GetCurrentDirectory();
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static uint Id(string option, string text) => (uint)CommandInput.Number(option, text, 0, uint.MaxValue - 1);

    private static Bind ReadBind(string text)
    {
        string[] parts = text.Split(':');
        if (parts.Length is not (2 or 3) || parts[0].Length == 0 || !parts[1].StartsWith('/')
            || (parts.Length == 3 && parts[2] is not ("ro" or "rw")))
            throw CommandInput.Error($"--bind: '{text}' is not HOST:GUEST[:ro] with an absolute guest path");
        if (!File.Exists(parts[0]) && !Directory.Exists(parts[0]))
            throw new UserError($"--bind: {parts[0]}: not found on the host", ExitStatus.NotFound);
        return new Bind(Path.GetFullPath(parts[0]), parts[1], parts.Length == 3 && parts[2] == "ro");
    }

    /// <summary>A small fixed environment, changed by -E and -U: the host's is not passed.</summary>
    private static List<string> Variables(string[] unset, string[] set)
    {
        List<string> variables = [.. SessionSettings.DefaultEnvironment];
        foreach (string name in unset)
            variables.RemoveAll(v => v.StartsWith(name + "=", StringComparison.Ordinal));
        foreach (string text in set)
        {
            int equals = text.IndexOf('=');
            if (equals <= 0)
                throw CommandInput.Error($"-E: '{text}' is not NAME=VALUE");
            variables.RemoveAll(v => v.StartsWith(text[..(equals + 1)], StringComparison.Ordinal));
            variables.Add(text);
        }
        return variables;
    }

    /// <summary>The root that tests/guests/fetch-guests.sh has made in this checkout, or null.</summary>
    private static string? FetchedRoot()
    {
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (!File.Exists(Path.Join(at.FullName, "ArmVdso.sln")))
                continue;
            string root = Path.Join(at.FullName, "tests", "guests", "root");
            return Directory.Exists(root) ? root : null;
        }
        return null;
    }
}
