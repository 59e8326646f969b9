using System.Text;
using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Files;

namespace ArmVdso.Tests.Files;

/// <summary>The driver of ext2, ext3 and ext4: what it does to a disk is held against the same done in memory, and the disk against
/// e2fsck of e2fsprogs, which shares nothing with it.</summary>
public sealed class DiskTests
{
    /// <summary>Kinds of disks: type, size in KiB, arguments of mke2fs.</summary>
    public static TheoryData<string, int, string> Kinds => new()
    {
        { "ext2", 4096, "-t ext2 -b 1024" },
        { "ext2", 8192, "-t ext2 -b 4096 -I 256" },
        { "ext2", 4096, "-t ext2 -r 0" },
        { "ext3", 8192, "-t ext3 -b 1024 -J size=1" },
        { "ext4", 8192, "-t ext4 -b 1024 -g 1024 -J size=1" },
        { "ext4", 16384, "-t ext4 -b 4096" },
        { "ext4", 8192, "-t ext4 -b 2048 -O ^metadata_csum,uninit_bg,^has_journal" },
        { "ext4", 8192, "-t ext4 -O ^64bit,^extents,^has_journal -I 128" },
        { "ext4", 8192, "-t ext4 -b 1024 -O metadata_csum_seed,orphan_file,^resize_inode" },
    };

    private static DiskImage Made(string type, int kibibytes, string arguments)
    {
        var disk = new DiskImage(DiskImage.Make(kibibytes, arguments.Split(' ')));
        Assert.Equal(0, disk.Mount(type));
        return disk;
    }

    private static void IsSound(DiskImage disk)
    {
        Assert.Equal(0, disk.Unmount());
        (int status, string text) = disk.Check();
        Assert.True(status == 0, text);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_random_life_leaves_what_it_leaves_in_memory_and_a_sound_disk(string type, int kibibytes, string arguments)
    {
        for (int seed = 1; seed <= 3; seed++)
        {
            using DiskImage disk = Made(type, kibibytes, arguments);
            var life = new DiskLife(disk, seed);
            for (int n = 0; n < 400; n++)
                life.Step();
            life.Compare();
            Assert.True(life.Done > 100, $"{life.Done} calls succeeded");
            Assert.Equal(0, disk.Unmount());
            (int status, string text) = disk.Check();
            Assert.True(status == 0, $"seed {seed}: {text}");
            // Mounted again, the disk has what it had.
            Assert.Equal(0, disk.Mount(type, readOnly: true));
            life.Compare();
        }
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void A_disk_that_is_full_says_so_and_is_sound(string type, int kibibytes, string arguments)
    {
        using DiskImage disk = Made(type, kibibytes, arguments);
        Assert.Equal(0, disk.Folder.Open("/mnt/a", OpenFlags.O_RDWR | OpenFlags.O_CREAT, out OpenFile? file));
        var block = new byte[3000];
        long position = 0, n;
        while ((n = file!.Write(block, position)) > 0)
            position += n;
        Assert.Equal(-Errno.ENOSPC, n);
        Assert.True(position > kibibytes * 512L, $"{position} bytes");
        long made = 0;
        for (int i = 0; made == 0; i++)
            made = disk.Folder.Make($"/mnt/directory{i}", Modes.S_IFDIR | 0x1ED);
        Assert.Equal(-Errno.ENOSPC, made);
        Assert.Equal(0, file.Inode.Truncate(0));
        file.Release();
        Assert.Equal(0, disk.Folder.Make("/mnt/again", Modes.S_IFDIR | 0x1ED));
        IsSound(disk);
    }

    [Fact]
    public void What_mke2fs_put_there_is_read_with_its_index()
    {
        string folder = System.IO.Directory.CreateTempSubdirectory("armvdso-disk-").FullName;
        try
        {
            for (int n = 0; n < 600; n++)
                File.WriteAllText(Path.Combine(folder, $"a file with a rather long name {n}"), $"contents of {n}");
            using var disk = new DiskImage(DiskImage.WithIndex(DiskImage.Make(16384, "-t", "ext4", "-b", "1024", "-d", folder)));
            Assert.Equal(0, disk.Mount("ext4"));
            Assert.Equal(601, disk.Folder.Names("/mnt").Length);
            Assert.Equal("contents of 577", disk.Folder.Read("/mnt/a file with a rather long name 577"));
            for (int n = 0; n < 600; n += 2)
                Assert.Equal(0, disk.Vfs.Unlink(disk.Folder.As(), disk.Vfs.Root, $"/mnt/a file with a rather long name {n}"));
            disk.Folder.Write("/mnt/new", "new");
            Assert.Equal("contents of 577", disk.Folder.Read("/mnt/a file with a rather long name 577"));
            IsSound(disk);
        }
        finally
        {
            System.IO.Directory.Delete(folder, true);
        }
    }

    [Theory]
    [InlineData("ext2", "-t ext2", "ext4", 0)]
    [InlineData("ext4", "-t ext4", "ext2", -Errno.EINVAL)]
    [InlineData("ext4", "-t ext4", "ext3", -Errno.EINVAL)]
    [InlineData("ext2", "-t ext2", "ext3", -Errno.EINVAL)]
    [InlineData("bigalloc", "-t ext4 -O bigalloc", "ext4", -Errno.EINVAL)]
    [InlineData("inline", "-t ext4 -O inline_data", "ext4", -Errno.EINVAL)]
    [InlineData("quota", "-t ext4 -O quota", "ext4", -Errno.EROFS)]
    public void A_disk_is_mounted_by_what_it_has(string name, string arguments, string type, long expected)
    {
        using var disk = new DiskImage(DiskImage.Make(16384, arguments.Split(' ')));
        Assert.True(expected == disk.Mount(type), name);
    }

    [Fact]
    public void Mounting_names_what_is_no_disk()
    {
        using var disk = new DiskImage(new byte[65536]);
        Inode point = disk.Folder.Get("/mnt");
        Assert.Equal(-Errno.EINVAL, disk.Mount("ext2"));
        Assert.Equal(-Errno.ENOENT, disk.Vfs.MountNew(disk.Folder.As(), point, "/dev/nothing", "ext2", 0, ""));
        Assert.Equal(-Errno.ENOTBLK, disk.Vfs.MountNew(disk.Folder.As(), point, "/disk", "ext2", 0, ""));
        Assert.Equal(-Errno.EINVAL, disk.Vfs.MountNew(disk.Folder.As(), point, "/dev/loop1", "ext2", 0, ""));
        Assert.Equal(-Errno.ENODEV, disk.Vfs.MountNew(disk.Folder.As(), point, "/dev/loop0", "xfs", 0, ""));
    }

    [Fact]
    public void One_disk_twice_is_one_disk_and_the_last_one_lets_it_go()
    {
        using DiskImage disk = Made("ext2", 4096, "-t ext2");
        Assert.Equal(0, disk.Folder.Make("/second", Modes.S_IFDIR | 0x1ED));
        Inode second = disk.Folder.Get("/second");
        Assert.Equal(-Errno.EBUSY, disk.Vfs.MountNew(disk.Folder.As(), second, "/dev/loop0", "ext2", MountFlags.MS_RDONLY, ""));
        Assert.Equal(0, disk.Vfs.MountNew(disk.Folder.As(), second, "/dev/loop0", "ext2", 0, ""));
        disk.Folder.Write("/mnt/one", "both");
        Assert.Equal("both", disk.Folder.Read("/second/one"));
        Assert.Equal(0, disk.Unmount());
        Assert.Equal("both", disk.Folder.Read("/second/one"));
        Assert.Equal(0, disk.Vfs.Unmount(disk.Folder.Get("/second"), 0, _ => false));
        Assert.Equal(0, disk.Check().Status);
        Assert.Equal(0, disk.Mount("ext2", readOnly: true));
        Assert.Equal(-Errno.EROFS, disk.Folder.Make("/mnt/two", Modes.S_IFDIR | 0x1ED));
    }

    [Fact]
    public void Attributes_of_all_kinds_are_kept()
    {
        using DiskImage disk = Made("ext4", 4096, "-t ext4 -b 1024 -O ^has_journal");
        disk.Folder.Write("/mnt/file", "text");
        Inode file = disk.Folder.Get("/mnt/file");
        file.Mode = Modes.S_IFREG | 0x9C0;
        (file.Uid, file.Gid) = (70000, 80000);
        (file.Atime, file.Mtime) = (-1_500_000_000, 5_000_000_000_123_456_789);
        Assert.Equal(0, file.SetXattrs(new() { ["user.name"] = Encoding.UTF8.GetBytes("value"), ["trusted.empty"] = [] }));
        Assert.Equal(-Errno.ENOSPC, file.SetXattrs(new() { ["user.large"] = new byte[1024] }));
        Assert.Equal(0, disk.Vfs.Make(disk.Folder.As(), disk.Vfs.Root, "/mnt/device", Modes.S_IFBLK | 0x180, 0x12345678, null));
        Assert.Equal(0, disk.Folder.Make("/mnt/long", Modes.S_IFLNK, new string('x', 500)));
        Assert.Equal(0, disk.Folder.Make("/mnt/short", Modes.S_IFLNK, "file"));
        Assert.Equal(0, disk.Folder.Make("/mnt/pipe", Modes.S_IFIFO | 0x1A4));
        Assert.Equal(0, disk.Unmount());
        Assert.True(disk.Check() is (0, _), disk.Check().Text);
        Assert.Equal(0, disk.Mount("ext4"));
        file = disk.Folder.Get("/mnt/short");
        Assert.Equal((Modes.S_IFREG | 0x9C0u, 70000u, 80000u), (file.Mode, file.Uid, file.Gid));
        Assert.Equal((-1_500_000_000, 5_000_000_000_123_456_789), (file.Atime, file.Mtime));
        Assert.Equal(["trusted.empty", "user.name"], file.Xattrs!.Keys);
        Assert.Equal("value", Encoding.UTF8.GetString(file.Xattrs["user.name"]));
        Assert.Equal(0x12345678u, disk.Folder.Get("/mnt/device").Rdev);
        Assert.Equal(0, disk.Folder.Get("/mnt/long", false).ReadLink(out string target));
        Assert.Equal(new string('x', 500), target);
        Assert.Equal(0, file.SetXattrs(null));
        IsSound(disk);
    }

    [Fact]
    public void A_file_that_is_open_outlives_its_name()
    {
        using DiskImage disk = Made("ext2", 4096, "-t ext2");
        long free = disk.Vfs.MountAt(disk.Folder.Get("/mnt"))!.Fs.Disk!.Space.Free;
        disk.Folder.Write("/mnt/file", new string('x', 50000));
        Assert.Equal(0, disk.Folder.Open("/mnt/file", OpenFlags.O_RDONLY, out OpenFile? file));
        Assert.Equal(0, disk.Vfs.Unlink(disk.Folder.As(), disk.Vfs.Root, "/mnt/file"));
        var text = new byte[50000];
        Assert.Equal(50000, file!.Read(text, 0));
        Assert.Equal((byte)'x', text[49999]);
        Assert.Equal(-Errno.EBUSY, disk.Unmount());
        file.Release();
        Assert.Equal(free, disk.Vfs.MountAt(disk.Folder.Get("/mnt"))!.Fs.Disk!.Space.Free);
        IsSound(disk);
    }
}
