using System.Text;
using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Tests.Files;

/// <summary>A throw-away host folder with a file tree over it.</summary>
internal sealed class VfsFolder : IDisposable
{
    /// <summary>Time of all that happens, in seconds since 1970: what a disk takes for a time, and not for a number of an inode.</summary>
    private const long Now = 1_750_000_000;

    private Vfs? _vfs;

    public VfsFolder()
    {
        Base = Directory.CreateTempSubdirectory("armvdso-vfs-").FullName;
        Root = Directory.CreateDirectory(Path.Combine(Base, "root")).FullName;
        Directory.CreateDirectory(Path.Combine(Base, "outside"));
        File.WriteAllText(Path.Combine(Base, "outside", "secret"), "secret");
    }

    public string Base { get; }

    public string Root { get; }

    public IReadOnlyList<Bind> Binds { get; init; } = [];

    public Vfs Vfs => _vfs ??= new Vfs(
        new VfsOptions { RootDirectory = Root, Binds = Binds, EpochSeconds = Now }, [], ArmVdso.Kernel.Disk.Ext4Formats.All);

    public Caller As(uint uid = 0, uint gid = 0, Inode? root = null) =>
        new(Credentials.For(uid, gid), new FsContext(root ?? Vfs.Root, root ?? Vfs.Root));

    public void HostFile(string path, string text)
    {
        string full = Path.Combine(Root, path);
        Directory.CreateDirectory(Path.GetDirectoryName(full)!);
        File.WriteAllText(full, text);
    }

    public void HostLink(string path, string target) => File.CreateSymbolicLink(Path.Combine(Root, path), target);

    public long Find(string path, out Inode? inode, bool follow = true, uint uid = 0) =>
        Vfs.Find(As(uid, uid), Vfs.Root, path, follow, out inode);

    public Inode Get(string path, bool follow = true)
    {
        Assert.Equal(0, Find(path, out Inode? inode, follow));
        return inode!;
    }

    public long Open(string path, int flags, out OpenFile? file, uint uid = 0, uint mode = 0x1A4) =>
        Vfs.Open(As(uid, uid), Vfs.Root, path, flags, mode, null, out file);

    public string? Read(string path)
    {
        if (Open(path, OpenFlags.O_RDONLY, out OpenFile? file) < 0)
            return null;
        byte[] buffer = new byte[65536];
        long n = file!.Read(buffer, 0);
        file.Release();
        return n < 0 ? null : Encoding.UTF8.GetString(buffer, 0, (int)n);
    }

    public void Write(string path, string text, int flags = OpenFlags.O_WRONLY | OpenFlags.O_CREAT | OpenFlags.O_TRUNC, long position = 0)
    {
        Assert.Equal(0, Open(path, flags, out OpenFile? file));
        Assert.Equal(text.Length, file!.Write(Encoding.UTF8.GetBytes(text), position));
        file.Release();
    }

    public string[] Names(string path) => [.. Get(path).List().Select(e => e.Name)];

    public long Make(string path, uint mode, string? target = null, uint uid = 0) =>
        Vfs.Make(As(uid, uid), Vfs.Root, path, mode, 0, target);

    public void Dispose()
    {
        _vfs?.Dispose();
        Directory.Delete(Base, true);
    }
}
