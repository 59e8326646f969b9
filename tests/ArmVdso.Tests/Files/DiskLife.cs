using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Files;

namespace ArmVdso.Tests.Files;

/// <summary>Random calls, each done to a disk at /mnt and to memory at /ref: both must answer the same and have the same in the end.
/// </summary>
internal sealed class DiskLife(DiskImage disk, int seed)
{
    private static readonly string[] s_names =
        ["a", "b", "c", "directory", "x/a", "x/b", "x/y/a", "x", "x/y", "directory/" + new string('n', 200), "directory/m", "z"];

    private readonly Random _random = new(seed);

    /// <summary>Calls that succeeded.</summary>
    public int Done { get; private set; }

    private string Name() => s_names[_random.Next(s_names.Length)];

    private void Both(string what, Func<string, long> call)
    {
        long there = call("/mnt/"), here = call("/ref/");
        if (there == -Errno.EOPNOTSUPP)
            return;
        Assert.True(there == here, $"{what}: {there} on the disk, {here} in memory");
        Done += there >= 0 ? 1 : 0;
    }

    private static long With(VfsFolder folder, string path, int flags, Func<OpenFile, long> call)
    {
        if (folder.Open(path, flags, out OpenFile? file) is < 0 and long error)
            return error;
        error = call(file!);
        file!.Release();
        return error;
    }

    /// <summary>One call.</summary>
    public void Step()
    {
        VfsFolder folder = disk.Folder;
        Vfs vfs = disk.Vfs;
        Caller who = folder.As();
        string name = Name(), other = Name();
        int at = _random.Next(4) == 0 ? _random.Next(400_000) : _random.Next(20_000), length = _random.Next(1, 9_000);
        switch (_random.Next(12))
        {
            case 0:
                Both($"mkdir {name}", p => vfs.Make(who, vfs.Root, p + name, Modes.S_IFDIR | 0x1ED, 0, null));
                break;
            case 1:
                Both($"symlink {name}", p => vfs.Make(who, vfs.Root, p + name, Modes.S_IFLNK | 0x1FF, 0, new string('t', 1 + at % 90)));
                break;
            case 2 or 3 or 4:
                var data = new byte[length];
                _random.NextBytes(data);
                Both($"write {name}", p => With(folder, p + name, OpenFlags.O_RDWR | OpenFlags.O_CREAT, f => f.Write(data, at)));
                break;
            case 5:
                Both($"truncate {name}", p => With(folder, p + name, OpenFlags.O_RDWR, f => f.Inode.Truncate(at)));
                break;
            case 6:
                Both($"unlink {name}", p => vfs.Unlink(who, vfs.Root, p + name));
                break;
            case 7:
                Both($"rmdir {name}", p => vfs.RemoveDirectory(who, vfs.Root, p + name));
                break;
            case 8:
                uint flags = (uint)_random.Next(3);
                Both($"rename {name} {other} {flags}", p => vfs.Rename(who, vfs.Root, p + name, vfs.Root, p + other, flags));
                break;
            case 9:
                Both($"link {name} {other}", p => vfs.Find(who, vfs.Root, p + name, false, out Inode? node) is < 0 and long e ? e
                    : vfs.Link(who, node!, vfs.Root, p + other));
                break;
            case 10:
                Both($"punch {name}", p => With(folder, p + name, OpenFlags.O_RDWR, f => f.Inode.Zero(at, length)));
                break;
            default:
                Both($"reserve {name}", p => With(folder, p + name, OpenFlags.O_RDWR, f => f.Inode.Allocate(at, length)));
                break;
        }
    }

    /// <summary>The same files, with the same contents.</summary>
    public void Compare() => Compare(disk.Folder.Get("/mnt"), disk.Folder.Get("/ref"), "");

    private static void Compare(Inode there, Inode here, string path)
    {
        Assert.True(there.Type == here.Type && there.Nlink == here.Nlink + (path.Length == 0 ? 1u : 0),
            $"{path}: type {there.Type:x} {here.Type:x}, links {there.Nlink} {here.Nlink}");
        if (here.IsSymlink)
        {
            there.ReadLink(out string left);
            here.ReadLink(out string right);
            Assert.Equal(right, left);
        }
        else if (here.IsRegular)
        {
            Assert.Equal(here.Size, there.Size);
            Assert.Equal(Contents(here), Contents(there));
        }
        if (!here.IsDirectory)
            return;
        DirectoryEntry[] names = [.. there.List().Where(e => e.Name != "lost+found").OrderBy(e => e.Name, StringComparer.Ordinal)];
        Assert.Equal(here.List().Select(e => e.Name), names.Select(e => e.Name));
        // Revision 0 has no types beside its names.
        Assert.All(here.List().Zip(names), pair => Assert.True(pair.Second.Type == 0 || pair.Second.Type == pair.First.Type));
        foreach (DirectoryEntry entry in here.List())
        {
            Assert.Equal(0, here.Lookup(entry.Name, out Inode? one));
            Assert.Equal(0, there.Lookup(entry.Name, out Inode? two));
            Compare(two!, one!, $"{path}/{entry.Name}");
        }
    }

    private static byte[] Contents(Inode inode)
    {
        Assert.Equal(0, inode.Open(OpenFlags.O_RDONLY, null, out OpenFile? file));
        var bytes = new byte[inode.Size];
        Assert.Equal(bytes.Length, file!.Read(bytes, 0));
        file.Release();
        return bytes;
    }
}
