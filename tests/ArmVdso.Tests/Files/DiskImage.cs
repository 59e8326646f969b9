using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Files;

namespace ArmVdso.Tests.Files;

/// <summary>An image that the host's mke2fs made, mounted at /mnt in a tree of files, and judged by the host's e2fsck.</summary>
internal sealed class DiskImage : IDisposable
{
    private readonly VfsFolder _folder = new();
    private readonly OpenFile _file;

    /// <summary>Takes an image.</summary>
    public DiskImage(byte[] image)
    {
        File.WriteAllBytes(Path.Combine(_folder.Root, "disk"), image);
        _folder.Make("/mnt", Modes.S_IFDIR | 0x1ED);
        _folder.Make("/ref", Modes.S_IFDIR | 0x1ED);
        Assert.Equal(0, _folder.Open("/disk", OpenFlags.O_RDWR, out OpenFile? file));
        _file = file!;
        Assert.Equal(0, Device.Bind(_file));
    }

    public VfsFolder Folder => _folder;

    public Vfs Vfs => _folder.Vfs;

    public LoopDevice Device => Vfs.Devices.Loops.Find(0)!;

    /// <summary>Makes an image.</summary>
    /// <param name="kibibytes">Size.</param>
    /// <param name="arguments">Arguments of mke2fs before the file and the size.</param>
    public static byte[] Make(int kibibytes, params string[] arguments)
    {
        string path = Path.GetTempFileName();
        try
        {
            // The same bytes each time.
            (int status, string output, string errors) = GuestPrograms.Run("env", ["E2FSPROGS_FAKE_TIME=1700000000", "mke2fs", "-q", "-F",
                "-U", "01234567-89ab-cdef-0123-456789abcdef", "-E", "hash_seed=01234567-89ab-cdef-0123-456789abcdef,root_owner=0:0",
                .. arguments, path, $"{kibibytes}k"]);
            Assert.True(status == 0, output + errors);
            return File.ReadAllBytes(path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>Gives the directories of an image their indices of hashes.</summary>
    public static byte[] WithIndex(byte[] image)
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, image);
            Assert.True(GuestPrograms.Run("e2fsck", ["-f", "-y", "-D", path]).Status <= 1);
            return File.ReadAllBytes(path);
        }
        finally
        {
            File.Delete(path);
        }
    }

    public long Mount(string type, bool readOnly = false)
    {
        Inode point = _folder.Get("/mnt");
        return Vfs.MountNew(_folder.As(), point, "/dev/loop0", type, readOnly ? MountFlags.MS_RDONLY : 0, "");
    }

    public long Unmount() => Vfs.Unmount(_folder.Get("/mnt"), 0, _ => false);

    /// <summary>What is on the device now.</summary>
    public byte[] Bytes()
    {
        var bytes = new byte[_file.EndPosition];
        Assert.Equal(bytes.Length, _file.Read(bytes, 0));
        return bytes;
    }

    /// <summary>The verdict of e2fsck, which changes nothing: (0, ...) where it finds nothing wrong.</summary>
    public (int Status, string Text) Check()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, Bytes());
            (int status, string output, string errors) = GuestPrograms.Run("e2fsck", ["-f", "-n", path]);
            return (status, output + errors);
        }
        finally
        {
            File.Delete(path);
        }
    }

    public void Dispose()
    {
        _file.Release();
        _folder.Dispose();
    }
}
