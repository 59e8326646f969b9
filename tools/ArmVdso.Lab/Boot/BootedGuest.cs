namespace ArmVdso.Lab.Boot;

/// <summary>A guest of the laboratory as the first process of a booted kernel.</summary>
internal sealed class BootedGuest : IDisposable
{
    private const string ReleaseStart = "Linux version ";
    private readonly EmbeddedGuest _guest;
    private readonly BootFiles _files;

    /// <summary>The machine with the kernel, before its first instruction.</summary>
    internal BootSession Session { get; }

    /// <summary>The console.</summary>
    internal KeptLine Line { get; } = new();

    /// <summary>Addresses of the guest's symbols.</summary>
    internal IReadOnlyDictionary<string, ulong> Symbols { get; }

    /// <summary>Loads it.</summary>
    /// <param name="settings">Machine, core and limits.</param>
    /// <param name="files">The kernel. Initial files of one's own come behind those with the guest.</param>
    /// <param name="name">The guest, of Guests/.</param>
    /// <param name="path">Its path in the guest's files; "init" is what a kernel starts by itself.</param>
    /// <param name="settles">As <see cref="InitialArchive.Of"/> takes it.</param>
    /// <exception cref="LabException">It cannot be booted.</exception>
    internal BootedGuest(SessionSettings settings, BootFiles files, string name, string path, bool settles = false)
    {
        _files = files;
        _guest = new EmbeddedGuest(name);
        try
        {
            Symbols = _guest.Symbols();
            byte[] more = files.InitialFiles is null ? [] : BootSession.ReadFile(files.InitialFiles);
            // Their own name is in the message, and not that of the file below.
            if (files.InitialFiles is not null)
                InitialFileSystem.Check(files.InitialFiles, more);
            string archive = _guest.Bind.HostPath + ".cpio", start = path == "init" ? "" : $" rdinit=/{path}";
            File.WriteAllBytes(archive, [.. InitialArchive.Of(path, File.ReadAllBytes(_guest.Bind.HostPath), settles), .. more]);
            string arguments = $"{files.Arguments} console=ttyAMA0{start}".Trim();
            Session = BootSession.Load(settings, files with { InitialFiles = archive, Arguments = arguments }, Line);
        }
        catch
        {
            _guest.Dispose();
            throw;
        }
    }

    /// <summary>What the kernel calls itself; the name of its file where it does not say.</summary>
    internal string Release
    {
        get
        {
            int at = Line.Text.IndexOf(ReleaseStart, StringComparison.Ordinal);
            return at < 0 ? _files.Kernel : Line.Text[(at + ReleaseStart.Length)..].Split(' ')[0];
        }
    }

    /// <summary>The guest did not do its work.</summary>
    /// <param name="command">The command whose guest it is.</param>
    internal LabException Failed(string command) => new(
        $"{_files.Kernel}: the guest of {command} did not come to its end; the console's last line: {Line.LastLine}", LabFault.Failed);

    /// <summary>Frees the machine.</summary>
    public void Dispose()
    {
        Session.Dispose();
        _guest.Dispose();
    }
}
