using ArmVdso.Kernel.Configuration;

namespace ArmVdso.Lab;

/// <summary>A guest that is part of the command (Guests/compare.c, Guests/check.S), as a file while it is used.</summary>
internal sealed class EmbeddedGuest : IDisposable
{
    private readonly string _folder;

    internal EmbeddedGuest(string name = "compare")
    {
        _folder = Directory.CreateTempSubdirectory("armvdso-").FullName;
        string path = Path.Join(_folder, name);
        using Stream source = typeof(EmbeddedGuest).Assembly.GetManifestResourceStream($"guests/{name}.elf")
            ?? throw new FileNotFoundException($"embedded resource guests/{name}.elf is missing");
        using FileStream file = File.Create(path);
        source.CopyTo(file);
        if (!OperatingSystem.IsWindows())
            // Also for guests that have given up the first user: execve looks at the mode.
            File.SetUnixFileMode(
                path,
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupRead
                | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);
        Bind = new Bind(path, "/" + name, true);
    }

    /// <summary>Where the guest finds the guest of compare; the same in every run, so that runs are equal to the byte.</summary>
    internal const string GuestPath = "/compare";

    /// <summary>Shows the file at <see cref="GuestPath"/>.</summary>
    internal Bind Bind { get; }

    /// <summary>Addresses of the symbols of the guest.</summary>
    internal Dictionary<string, ulong> Symbols() => new ElfFile(File.ReadAllBytes(Bind.HostPath)).Values();

    /// <summary>Runs the guest to its end.</summary>
    /// <param name="settings">Settings; the guest's file is added to them.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <param name="prepare">Adds observers before the first instruction.</param>
    /// <exception cref="LabException">It ended with another status than 0; what it wrote to its standard error is in the
    /// message.</exception>
    internal void Run(SessionSettings settings, IReadOnlyList<string> arguments, Action<Session> prepare)
    {
        using var errors = new MemoryStream();
        void Log(string line) => errors.Write(System.Text.Encoding.UTF8.GetBytes(line + "; "));
        using var session = new Session(
            settings with { Binds = [.. settings.Binds, Bind] }, Bind.GuestPath, arguments, new SessionHooks { Error = errors, Log = Log });
        prepare(session);
        int status = session.Run();
        if (status == 0)
            return;
        string said = System.Text.Encoding.UTF8.GetString(errors.ToArray()).Replace('\n', ' ').TrimEnd(' ', ';');
        throw new LabException($"the embedded guest ended with status {status}{(said.Length > 0 ? $": {said}" : "")}", LabFault.Failed);
    }

    public void Dispose() => Directory.Delete(_folder, true);
}
