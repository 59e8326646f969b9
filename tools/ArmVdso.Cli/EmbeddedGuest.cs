using ArmVdso.Kernel;

namespace ArmVdso.Cli;

/// <summary>The guest that is part of the command (Guests/compare.c), as a file while it is used.</summary>
internal sealed class EmbeddedGuest : IDisposable
{
    private readonly string _folder;

    internal EmbeddedGuest()
    {
        _folder = Directory.CreateTempSubdirectory("armvdso-").FullName;
        string path = Path.Join(_folder, "compare");
        using Stream source = typeof(EmbeddedGuest).Assembly.GetManifestResourceStream("guests/compare.elf")
            ?? throw new FileNotFoundException("embedded resource guests/compare.elf is missing");
        using FileStream file = File.Create(path);
        source.CopyTo(file);
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Bind = new Bind(path, GuestPath, true);
    }

    /// <summary>Where the guest finds it; the same in every run, so that runs are equal to the byte.</summary>
    internal const string GuestPath = "/compare";

    /// <summary>Shows the file at <see cref="GuestPath"/>.</summary>
    internal Bind Bind { get; }

    /// <summary>Addresses of the symbols of the guest.</summary>
    internal Dictionary<string, ulong> Symbols() => ElfSymbols.Read(File.ReadAllBytes(Bind.HostPath));

    public void Dispose() => Directory.Delete(_folder, true);
}
