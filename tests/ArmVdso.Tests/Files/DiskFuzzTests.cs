using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Files;

namespace ArmVdso.Tests.Files;

/// <summary>Disks that an enemy made: images of mke2fs with bytes changed, mounted, read and written. Nothing may end but with an error
/// number. ARMVDSO_DISK_MUTANTS makes it more than a slice.</summary>
public sealed class DiskFuzzTests
{
    private const byte Contents = 0xEE;

    private static readonly int s_mutants =
        int.TryParse(Environment.GetEnvironmentVariable("ARMVDSO_DISK_MUTANTS"), out int n) ? n : 400;

    [Theory]
    [InlineData("ext2", 1024, "-t ext2 -b 1024 -N 64")]
    [InlineData("ext2", 2048, "-t ext2 -b 4096 -I 256 -N 64")]
    [InlineData("ext4", 1024, "-t ext4 -b 1024 -N 64 -O ^has_journal,^metadata_csum,^uninit_bg")]
    [InlineData("ext4", 1024, "-t ext4 -b 1024 -N 64 -O ^has_journal")]
    public void No_image_does_more_than_fail(string type, int kibibytes, string arguments)
    {
        string folder = System.IO.Directory.CreateTempSubdirectory("armvdso-disk-").FullName;
        byte[] good;
        try
        {
            System.IO.Directory.CreateDirectory(Path.Combine(folder, "directory", "below"));
            File.WriteAllBytes(Path.Combine(folder, "large"), [.. Enumerable.Repeat(Contents, 300_000)]);
            File.WriteAllText(Path.Combine(folder, "directory", "small"), "small");
            File.CreateSymbolicLink(Path.Combine(folder, "link"), "directory/small");
            File.CreateSymbolicLink(Path.Combine(folder, "long"), new string('l', 300));
            good = DiskImage.Make(kibibytes, [.. arguments.Split(' '), "-d", folder]);
        }
        finally
        {
            System.IO.Directory.Delete(folder, true);
        }
        // What describes the files is changed, not what is in them.
        int[] used = [.. Enumerable.Range(0, good.Length).Where(i => good[i] is not (0 or Contents))];
        int mounted = 0, damaged = 0;
        for (int seed = 0; seed < s_mutants; seed++)
        {
            var random = new Random(seed);
            byte[] image = [.. good];
            // The first one is as it was.
            for (int n = seed == 0 ? 0 : random.Next(1, 6); n > 0; n--)
                Change(image, used[random.Next(used.Length)], random);
            using var disk = new DiskImage(image);
            if (disk.Mount(type) < 0)
                continue;
            mounted++;
            damaged += Use(disk, random) ? 1 : 0;
            disk.Unmount();
            if (seed == 0)
            {
                Assert.Equal(0, damaged);
                Assert.True(disk.Check() is (0, _), disk.Check().Text);
            }
        }
        Assert.True(mounted > s_mutants / 4 && damaged > s_mutants / 40, $"{mounted} mounted, {damaged} damaged");
    }

    private static void Change(byte[] image, int at, Random random)
    {
        Span<byte> word = image.AsSpan(Math.Min(at & ~3, image.Length - 4), 4);
        switch (random.Next(6))
        {
            case 0:
                image[at] = (byte)random.Next(256);
                break;
            case 1:
                image[at] ^= (byte)(1 << random.Next(8));
                break;
            case 2:
                BitConverter.TryWriteBytes(word, random.Next(2) == 0 ? -1 : int.MaxValue);
                break;
            case 3:
                BitConverter.TryWriteBytes(word, BitConverter.ToInt32(word) + random.Next(-16, 17));
                break;
            case 4:
                BitConverter.TryWriteBytes(word, random.Next(2048));
                break;
            default:
                image.AsSpan(random.Next(image.Length / 16) * 16, 16).CopyTo(image.AsSpan(at & ~15, 16));
                break;
        }
    }

    /// <summary>Reads all and changes some of it; whether something was refused as damaged.</summary>
    private static bool Use(DiskImage disk, Random random)
    {
        bool damaged = false;
        var buffer = new byte[20000];
        void Seen(long result) => damaged |= result is -Errno.EUCLEAN or -Errno.EBADMSG;
        void Walk(Inode directory, int depth)
        {
            foreach (DirectoryEntry entry in directory.List())
            {
                long error = directory.Lookup(entry.Name, out Inode? node);
                Seen(error);
                if (error < 0)
                    continue;
                _ = (node!.Size, node.Blocks, node.Xattrs, disk.Vfs.PathOf(node, null));
                if (node.IsSymlink)
                    Seen(node.ReadLink(out _));
                if (node.IsDirectory && depth < 8)
                    Walk(node, depth + 1);
                if (!node.IsRegular || node.Open(OpenFlags.O_RDWR, null, out OpenFile? file) < 0)
                    continue;
                foreach (long at in (ReadOnlySpan<long>)[0, 12_000, 270_000, 1L << 32, node.Size - 100])
                    Seen(file!.Read(buffer, Math.Max(at, 0)));
                Seen(node.Seek(random.Next(300_000), random.Next(2) == 0));
                if (random.Next(3) == 0)
                    Seen(file!.Write(buffer.AsSpan(0, random.Next(1, 9000)), random.Next(400_000)));
                if (random.Next(3) == 0)
                    Seen(node.Zero(random.Next(300_000), random.Next(1, 100_000)));
                if (random.Next(3) == 0)
                    Seen(node.Truncate(random.Next(300_000)));
                file!.Release();
            }
        }

        Walk(disk.Folder.Get("/mnt"), 0);
        Caller who = disk.Folder.As();
        Seen(disk.Folder.Make("/mnt/made", Modes.S_IFDIR | 0x1ED));
        Seen(disk.Folder.Make("/mnt/made/link", Modes.S_IFLNK, new string('x', 100)));
        Seen(disk.Vfs.Rename(who, disk.Vfs.Root, "/mnt/directory", disk.Vfs.Root, "/mnt/made/directory", 0));
        foreach (string name in (ReadOnlySpan<string>)["large", "long", "link", "made/directory/small"])
            Seen(disk.Vfs.Unlink(who, disk.Vfs.Root, "/mnt/" + name));
        Seen(disk.Vfs.RemoveDirectory(who, disk.Vfs.Root, "/mnt/lost+found"));
        if (disk.Folder.Find("/mnt/made", out Inode? made) == 0)
            Seen(made!.SetXattrs(new() { ["user.name"] = new byte[random.Next(200)] }));
        return damaged;
    }
}
