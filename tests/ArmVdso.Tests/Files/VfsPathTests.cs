using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Tests.Files;

/// <summary>Path resolution: nothing outside of the root can be reached, and errors are those of Linux.</summary>
public sealed class VfsPathTests
{
    [Theory]
    [InlineData("../../outside/secret")]
    [InlineData("../../../../../../../../../../outside/secret")]
    [InlineData("ABSOLUTE")]
    [InlineData("/../outside/secret")]
    public void LinkOfTheHostStaysInside(string target)
    {
        using var folder = new VfsFolder();
        if (target == "ABSOLUTE")
            target = Path.Combine(folder.Base, "outside", "secret");
        Directory.CreateDirectory(Path.Combine(folder.Root, "a"));
        folder.HostLink("a/link", target);
        Assert.True(File.Exists(Path.Combine(folder.Base, "outside", "secret")));
        Assert.Equal(-Errno.ENOENT, folder.Find("/a/link", out _));
        Assert.Equal(-Errno.ENOENT, folder.Open("/a/link", OpenFlags.O_RDONLY, out _));
    }

    [Fact]
    public void LinkToFolderOutsideStaysInside()
    {
        using var folder = new VfsFolder();
        folder.HostLink("out", "../outside");
        folder.HostLink("up", "..");
        Assert.Equal(-Errno.ENOENT, folder.Find("/out/secret", out _));
        Assert.Equal(-Errno.ENOENT, folder.Find("/up/outside/secret", out _));
        Assert.Same(folder.Vfs.Root, folder.Get("/up"));
    }

    [Fact]
    public void LinksMeanGuestPaths()
    {
        using var folder = new VfsFolder();
        folder.HostFile("etc/passwd", "guest");
        folder.HostLink("abs", "/etc/passwd");
        folder.HostLink("escape", "../../../etc/passwd");
        Assert.Equal("guest", folder.Read("/abs"));
        Assert.Equal("guest", folder.Read("/escape"));
        Assert.Equal("guest", folder.Read("/../../../../../etc/passwd"));
        Assert.Equal("guest", folder.Read("etc/../etc/./passwd"));
    }

    [Fact]
    public void ComponentReplacedByLinkIsNotFollowed()
    {
        using var folder = new VfsFolder();
        folder.HostFile("dir/secret", "inside");
        Inode file = folder.Get("/dir/secret");
        // The host swaps the folder for a link outwards after the lookup and before the first read.
        Directory.Delete(Path.Combine(folder.Root, "dir"), true);
        folder.HostLink("dir", Path.Combine(folder.Base, "outside"));
        Assert.Equal(0, folder.Vfs.OpenInode(folder.As(), file, OpenFlags.O_RDONLY, false, null, out OpenFile? open));
        Assert.True(open!.Read(new byte[6], 0) < 0);
    }

    [Fact]
    public void FileReplacedByLinkIsNotFollowed()
    {
        using var folder = new VfsFolder();
        folder.HostFile("file", "inside");
        Inode file = folder.Get("/file");
        File.Delete(Path.Combine(folder.Root, "file"));
        folder.HostLink("file", Path.Combine(folder.Base, "outside", "secret"));
        Assert.Equal(0, folder.Vfs.OpenInode(folder.As(), file, OpenFlags.O_RDONLY, false, null, out OpenFile? open));
        Assert.True(open!.Read(new byte[6], 0) < 0);
    }

    [Fact]
    public void WritableBindNeverLeavesItsFolder()
    {
        using var outer = new VfsFolder();
        string shared = Directory.CreateDirectory(Path.Combine(outer.Base, "shared")).FullName;
        File.CreateSymbolicLink(Path.Combine(shared, "out"), Path.Combine(outer.Base, "outside"));
        using var folder = new VfsFolder { Binds = [new Bind(shared, "/common", false)] };
        Assert.Equal(-Errno.ENOENT, folder.Open("/common/out/new", OpenFlags.O_WRONLY | OpenFlags.O_CREAT, out _));
        folder.Write("/common/../common/../../common/ok", "text");
        Assert.Equal("text", File.ReadAllText(Path.Combine(shared, "ok")));
        Assert.Equal(["secret"], Directory.GetFileSystemEntries(Path.Combine(outer.Base, "outside")).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("/file/", -Errno.ENOTDIR)]
    [InlineData("/file/x", -Errno.ENOTDIR)]
    [InlineData("/file/..", -Errno.ENOTDIR)]
    [InlineData("/none", -Errno.ENOENT)]
    [InlineData("/none/x", -Errno.ENOENT)]
    [InlineData("", -Errno.ENOENT)]
    [InlineData("/loop", -Errno.ELOOP)]
    [InlineData("/dir/", 0)]
    [InlineData("//dir///.", 0)]
    [InlineData("/dirlink/", 0)]
    [InlineData("/filelink/", -Errno.ENOTDIR)]
    public void Errors(string path, long expected)
    {
        using var folder = new VfsFolder();
        folder.HostFile("file", "");
        Directory.CreateDirectory(Path.Combine(folder.Root, "dir"));
        folder.HostLink("loop", "loop");
        folder.HostLink("dirlink", "dir");
        folder.HostLink("filelink", "file");
        Assert.Equal(expected, folder.Find(path, out _));
    }

    [Fact]
    public void FortyLinksAreFollowedAndFortyOneAreNot()
    {
        using var folder = new VfsFolder();
        folder.HostFile("l0", "end");
        for (int n = 1; n <= 41; n++)
            Assert.Equal(0, folder.Make($"/l{n}", Modes.S_IFLNK, $"l{n - 1}"));
        Assert.Equal(0, folder.Find("/l40", out _));
        Assert.Equal(-Errno.ELOOP, folder.Find("/l41", out _));
    }

    [Fact]
    public void NamesOfMoreThan255BytesAreTooLong()
    {
        using var folder = new VfsFolder();
        Assert.Equal(-Errno.ENOENT, folder.Find("/" + new string('a', 255), out _));
        Assert.Equal(-Errno.ENAMETOOLONG, folder.Find("/" + new string('a', 256), out _));
    }

    [Fact]
    public void ChangedRootHoldsDotDotAndAbsoluteLinks()
    {
        using var folder = new VfsFolder();
        folder.HostFile("jail/x", "in");
        folder.HostFile("x", "out");
        folder.HostLink("jail/link", "/x");
        Caller jailed = folder.As(root: folder.Get("/jail"));
        foreach (string path in new[] { "/x", "../../x", "/link" })
        {
            Assert.Equal(0, folder.Vfs.Find(jailed, jailed.Fs.Cwd, path, true, out Inode? inode));
            Assert.Same(folder.Get("/jail/x"), inode);
        }
    }

    [Fact]
    public void ResolveBeneathRefusesWhatLeavesTheStart()
    {
        using var folder = new VfsFolder();
        folder.HostFile("a/b/c", "");
        folder.HostLink("a/up", "../a/b/c");
        Inode start = folder.Get("/a");
        Assert.Equal(0, folder.Vfs.Walk(folder.As(), start, "b/../b/c", true, out _, ResolveFlags.Beneath));
        Assert.Equal(-Errno.EXDEV, folder.Vfs.Walk(folder.As(), start, "up", true, out _, ResolveFlags.Beneath));
        Assert.Equal(-Errno.EXDEV, folder.Vfs.Walk(folder.As(), start, "/b/c", true, out _, ResolveFlags.Beneath));
        Assert.Equal(-Errno.ELOOP, folder.Vfs.Walk(folder.As(), start, "up", true, out _, ResolveFlags.NoSymlinks));
        Assert.Equal(0, folder.Vfs.Walk(folder.As(), start, "/b/c", true, out _, ResolveFlags.InRoot));
    }

    [Fact]
    public void NamesThatAreNotUtf8Survive()
    {
        using var folder = new VfsFolder();
        folder.Write("/caf\u00e9", "latin"); // One byte 0xE9: not UTF-8.
        Assert.Contains("caf\u00e9", folder.Names("/"));
        folder.HostFile("\u00fc", "utf8");
        Assert.Equal("utf8", new VfsReader(folder.Root).Read("/\u00c3\u00bc"));
    }

    private sealed class VfsReader(string root)
    {
        public string? Read(string path)
        {
            using var vfs = new Vfs(new VfsOptions { RootDirectory = root }, [], []);
            var caller = new Caller(Credentials.For(0, 0), vfs.MakeContext());
            if (vfs.Open(caller, vfs.Root, path, OpenFlags.O_RDONLY, 0, null, out OpenFile? file) < 0)
                return null;
            byte[] buffer = new byte[100];
            long n = file!.Read(buffer, 0);
            return System.Text.Encoding.UTF8.GetString(buffer, 0, (int)n);
        }
    }

    [Fact]
    public void PermissionsApplyToOtherUsers()
    {
        using var folder = new VfsFolder();
        Assert.Equal(0, folder.Make("/secret", Modes.S_IFDIR | 0x1C0));
        folder.Write("/secret/file", "x");
        folder.Write("/public", "x");
        Assert.Equal(-Errno.EACCES, folder.Find("/secret/file", out _, uid: 1000));
        Assert.Equal(0, folder.Open("/public", OpenFlags.O_RDONLY, out _, uid: 1000));
        Assert.Equal(-Errno.EACCES, folder.Open("/public", OpenFlags.O_WRONLY, out _, uid: 1000));
        Assert.Equal(-Errno.EACCES, folder.Open("/new", OpenFlags.O_CREAT | OpenFlags.O_WRONLY, out _, uid: 1000));
        folder.Get("/public").Mode = Modes.S_IFREG;
        Assert.Equal(0, folder.Open("/public", OpenFlags.O_RDWR, out _));
        Assert.Equal(-Errno.EACCES, folder.Vfs.OpenExecutable(folder.As(), folder.Get("/public"), null, out _));
    }

    [Fact]
    public void StickyFolderProtectsFilesOfOthers()
    {
        using var folder = new VfsFolder();
        Assert.Equal(0, folder.Make("/tmp/mine", Modes.S_IFREG | 0x1B6, uid: 1000));
        Assert.Equal(-Errno.EPERM, folder.Vfs.Unlink(folder.As(1001, 1001), folder.Vfs.Root, "/tmp/mine"));
        Assert.Equal(-Errno.EPERM, folder.Vfs.Rename(folder.As(1001, 1001), folder.Vfs.Root, "/tmp/mine", folder.Vfs.Root, "/tmp/yours",
            0));
        Assert.Equal(0, folder.Vfs.Unlink(folder.As(1000, 1000), folder.Vfs.Root, "/tmp/mine"));
    }
}
