using ArmVdso.Kernel;

namespace ArmVdso.Cli;

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
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Bind = new Bind(path, "/" + name, true);
    }

    /// <summary>Where the guest finds the guest of compare; the same in every run, so that runs are equal to the byte.</summary>
    internal const string GuestPath = "/compare";

    /// <summary>Shows the file at <see cref="GuestPath"/>.</summary>
    internal Bind Bind { get; }

    /// <summary>Addresses of the symbols of the guest.</summary>
    internal Dictionary<string, ulong> Symbols() => ElfSymbols.Read(File.ReadAllBytes(Bind.HostPath));

    public void Dispose() => Directory.Delete(_folder, true);
}
