using System.Runtime.Versioning;
using ArmVdso.Kernel;
using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Tests.Files;

/// <summary>The writable layer over a host folder that must not change, and binds that do change.</summary>
public sealed class VfsOverlayTests
{
    private static string Snapshot(string folder) => string.Join('\n',
        Directory.GetFileSystemEntries(folder, "*", SearchOption.AllDirectories)
        .Order(StringComparer.Ordinal).Select(p => $"{p} {(File.Exists(p) ? File.ReadAllText(p) : "")}"));

    [Fact]
    public void NothingReachesTheHost()
    {
        using var folder = new VfsFolder();
        folder.HostFile("a/one", "1111");
        folder.HostFile("a/two", "2222");
        folder.HostFile("b/three", "3333");
        string before = Snapshot(folder.Base);
        folder.Write("/a/one", "XX", OpenFlags.O_WRONLY, 1);
        folder.Write("/a/new", "new");
        folder.Write("/a/two", "");
        Caller root = folder.As();
        Inode top = folder.Vfs.Root;
        Assert.Equal(0, folder.Vfs.Unlink(root, top, "/b/three"));
        Assert.Equal(0, folder.Vfs.RemoveDirectory(root, top, "/b"));
        Assert.Equal(0, folder.Vfs.Rename(root, top, "/a", top, "/c", 0));
        Assert.Equal("1XX1", folder.Read("/c/one"));
        Assert.Equal("", folder.Read("/c/two"));
        Assert.Equal("new", folder.Read("/c/new"));
        Assert.Equal(["new", "one", "two"], folder.Names("/c"));
        Assert.Equal(-Errno.ENOENT, folder.Find("/a/one", out _));
        Assert.Equal(-Errno.ENOENT, folder.Find("/b", out _));
        Assert.Equal(before, Snapshot(folder.Base));
    }

    [Fact]
    public void DeletedNameCanBeMadeAgainAndIsEmpty()
    {
        using var folder = new VfsFolder();
        folder.HostFile("d/x", "old");
        Caller root = folder.As();
        Inode top = folder.Vfs.Root;
        Assert.Equal(-Errno.ENOTEMPTY, folder.Vfs.RemoveDirectory(root, top, "/d"));
        Assert.Equal(0, folder.Vfs.Unlink(root, top, "/d/x"));
        Assert.Equal(-Errno.ENOENT, folder.Vfs.Unlink(root, top, "/d/x"));
        Assert.Equal(0, folder.Vfs.RemoveDirectory(root, top, "/d"));
        Assert.Equal(0, folder.Make("/d", Modes.S_IFDIR | 0x1ED));
        Assert.Empty(folder.Names("/d"));
        folder.Write("/d/x", "n");
        Assert.Equal("n", folder.Read("/d/x"));
    }

    [Fact]
    public void TruncatedPartOfTheLowerFileDoesNotComeBack()
    {
        using var folder = new VfsFolder();
        folder.HostFile("big", new string('a', 10000));
        Inode file = folder.Get("/big");
        Assert.Equal(0, file.Truncate(5000));
        Assert.Equal(0, file.Truncate(9000));
        string text = folder.Read("/big")!;
        Assert.Equal(new string('a', 5000) + new string('\0', 4000), text);
    }

    [Fact]
    public void WriteIntoLowerFileKeepsTheRest()
    {
        using var folder = new VfsFolder();
        folder.HostFile("big", new string('a', 20000));
        folder.Write("/big", "XYZ", OpenFlags.O_WRONLY, 8190);
        string expected = new string('a', 8190) + "XYZ" + new string('a', 20000 - 8193);
        Assert.Equal(expected, folder.Read("/big"));
        folder.Write("/big", "end", OpenFlags.O_WRONLY, 25000);
        Assert.Equal(expected + new string('\0', 5000) + "end", folder.Read("/big"));
    }

    [Fact]
    public void LargeLowerFileIsReadWhereAskedOnly()
    {
        using var folder = new VfsFolder();
        using (FileStream stream = File.Create(Path.Combine(folder.Root, "sparse")))
        {
            stream.SetLength(200L << 20);
            stream.Position = 150L << 20;
            stream.Write("mark"u8);
        }
        long before = GC.GetAllocatedBytesForCurrentThread();
        Assert.Equal(0, folder.Open("/sparse", OpenFlags.O_RDWR, out OpenFile? file));
        byte[] buffer = new byte[4];
        Assert.Equal(4, file!.Read(buffer, 150L << 20));
        Assert.Equal("mark"u8.ToArray(), buffer);
        Assert.Equal(1, file.Write("M"u8, 150L << 20));
        Assert.True(GC.GetAllocatedBytesForCurrentThread() - before < 4 << 20);
        file.Release();
    }

    [Fact]
    public void HardLinksShareContents()
    {
        using var folder = new VfsFolder();
        folder.Write("/one", "text");
        Assert.Equal(0, folder.Vfs.Link(folder.As(), folder.Get("/one"), folder.Vfs.Root, "/two"));
        folder.Write("/two", "T", OpenFlags.O_WRONLY);
        Assert.Equal("Text", folder.Read("/one"));
        Assert.Equal(2u, folder.Get("/one").Nlink);
        Assert.Equal(0, folder.Vfs.Unlink(folder.As(), folder.Vfs.Root, "/one"));
        Assert.Equal("Text", folder.Read("/two"));
        Assert.Equal(1u, folder.Get("/two").Nlink);
    }

    [Fact]
    public void DeletedFileLivesWhileItIsOpen()
    {
        using var folder = new VfsFolder();
        folder.HostFile("f", "content");
        Assert.Equal(0, folder.Open("/f", OpenFlags.O_RDWR, out OpenFile? file));
        Assert.Equal(0, folder.Vfs.Unlink(folder.As(), folder.Vfs.Root, "/f"));
        byte[] buffer = new byte[7];
        Assert.Equal(7, file!.Read(buffer, 0));
        Assert.Equal("/f (deleted)", file.Description);
        Assert.Equal(0u, file.Inode.Nlink);
    }

    [Fact]
    public void RenameRules()
    {
        using var folder = new VfsFolder();
        folder.HostFile("d/sub/file", "f");
        folder.HostFile("e/x", "");
        folder.HostFile("plain", "p");
        Directory.CreateDirectory(Path.Combine(folder.Root, "empty"));
        long Rename(string from, string to, uint flags = 0) =>
            folder.Vfs.Rename(folder.As(), folder.Vfs.Root, from, folder.Vfs.Root, to, flags);
        Assert.Equal(-Errno.EINVAL, Rename("/d", "/d/sub/d"));
        Assert.Equal(-Errno.ENOTEMPTY, Rename("/d", "/e"));
        Assert.Equal(-Errno.ENOTEMPTY, Rename("/d/sub", "/d"));
        Assert.Equal(-Errno.ENOTDIR, Rename("/d", "/plain"));
        Assert.Equal(-Errno.EISDIR, Rename("/plain", "/empty"));
        Assert.Equal(-Errno.EEXIST, Rename("/plain", "/e/x", 1));
        Assert.Equal(-Errno.ENOENT, Rename("/none", "/x"));
        Assert.Equal(-Errno.EXDEV, Rename("/plain", "/dev/shm/plain"));
        Assert.Equal(-Errno.EBUSY, Rename("/dev", "/device"));
        Assert.Equal(0, Rename("/d", "/empty"));
        Assert.Equal("f", folder.Read("/empty/sub/file"));
        Assert.Equal(0, Rename("/plain", "/e", 2));
        Assert.Equal("p", folder.Read("/e"));
        Assert.Equal(["x"], folder.Names("/plain"));
        Assert.Equal("/empty/sub", folder.Vfs.PathOf(folder.Get("/empty/sub"), null));
    }

    [Fact]
    public void ListingIsSortedByBytesAndMerged()
    {
        using var folder = new VfsFolder();
        foreach (string name in new[] { "b", "a", "B", "_" })
            folder.HostFile("d/" + name, "");
        folder.Write("/d/aa", "");
        Assert.Equal(0, folder.Vfs.Unlink(folder.As(), folder.Vfs.Root, "/d/b"));
        Assert.Equal(["B", "_", "a", "aa"], folder.Names("/d"));
    }

    [Fact]
    public void ReadOnlyBindRefusesChanges()
    {
        using var outer = new VfsFolder();
        using var folder = new VfsFolder { Binds = [new Bind(Path.Combine(outer.Base, "outside"), "/mnt/ro", true)] };
        Assert.Equal("secret", folder.Read("/mnt/ro/secret"));
        Assert.Equal(-Errno.EROFS, folder.Open("/mnt/ro/secret", OpenFlags.O_RDWR, out _));
        Assert.Equal(-Errno.EROFS, folder.Open("/mnt/ro/new", OpenFlags.O_WRONLY | OpenFlags.O_CREAT, out _));
        Assert.Equal(-Errno.EROFS, folder.Vfs.Unlink(folder.As(), folder.Vfs.Root, "/mnt/ro/secret"));
        Assert.Equal("secret", File.ReadAllText(Path.Combine(outer.Base, "outside", "secret")));
    }

    [Fact]
    [UnsupportedOSPlatform("windows")]
    public void WritableBindChangesTheHost()
    {
        using var outer = new VfsFolder();
        string host = Path.Combine(outer.Base, "outside");
        using var folder = new VfsFolder { Binds = [new Bind(host, "/rw", false)] };
        folder.Write("/rw/new", "text");
        Assert.Equal(0, folder.Make("/rw/dir", Modes.S_IFDIR | 0x1ED));
        Assert.Equal(0, folder.Vfs.Rename(folder.As(), folder.Vfs.Root, "/rw/new", folder.Vfs.Root, "/rw/dir/moved", 0));
        Assert.Equal(0, folder.Vfs.Unlink(folder.As(), folder.Vfs.Root, "/rw/secret"));
        Assert.Equal("text", File.ReadAllText(Path.Combine(host, "dir", "moved")));
        Assert.Equal(["dir"], Directory.GetFileSystemEntries(host).Select(Path.GetFileName));
        Assert.Equal(0, Vfs.ChangeMode(folder.As(), folder.Get("/rw/dir/moved"), 0x180));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(Path.Combine(host, "dir", "moved")));
    }

    [Fact]
    public void WithoutRootThereIsASmallTree()
    {
        var machine = new Machine(1, 64 << 20, (_, _) => new TimingModel());
        using Vfs vfs = new LinuxKernel(machine, new KernelOptions { ProgramHostPath = typeof(VfsOverlayTests).Assembly.Location }).Vfs;
        var caller = new Caller(Credentials.For(0, 0), vfs.MakeContext());
        foreach (string path in new[] { "/etc/passwd", "/tmp", "/dev/null", "/dev/pts", "/dev/shm", "/proc/filesystems",
            "/sys/devices/system/cpu/online", typeof(VfsOverlayTests).Assembly.Location })
            Assert.Equal(0, vfs.Find(caller, vfs.Root, path, true, out _));
        Assert.Equal(-Errno.EROFS, vfs.Open(caller, vfs.Root, typeof(VfsOverlayTests).Assembly.Location, OpenFlags.O_RDWR, 0, null, out _));
    }

    [Fact]
    public void OpenFlagsDecide()
    {
        using var folder = new VfsFolder();
        folder.HostFile("file", "text");
        folder.HostLink("link", "file");
        folder.HostLink("dangling", "made");
        Assert.Equal(-Errno.EEXIST, folder.Open("/file", OpenFlags.O_CREAT | OpenFlags.O_EXCL, out _));
        Assert.Equal(-Errno.EEXIST, folder.Open("/dangling", OpenFlags.O_CREAT | OpenFlags.O_EXCL, out _));
        Assert.Equal(-Errno.ELOOP, folder.Open("/link", OpenFlags.O_NOFOLLOW, out _));
        Assert.Equal(0, folder.Open("/link", OpenFlags.O_NOFOLLOW | OpenFlags.O_PATH, out _));
        Assert.Equal(-Errno.ENOTDIR, folder.Open("/file", OpenFlags.O_DIRECTORY, out _));
        Assert.Equal(-Errno.EISDIR, folder.Open("/", OpenFlags.O_RDWR, out _));
        Assert.Equal(-Errno.EISDIR, folder.Open("/new/", OpenFlags.O_CREAT | OpenFlags.O_WRONLY, out _));
        Assert.Equal(0, folder.Open("/dangling", OpenFlags.O_CREAT | OpenFlags.O_WRONLY, out _));
        Assert.Equal(0, folder.Find("/made", out _));
        Assert.Equal(0, folder.Open("/tmp", OpenFlags.O_TMPFILE | OpenFlags.O_RDWR, out OpenFile? temporary));
        Assert.Equal(0u, temporary!.Inode.Nlink);
    }
}
