using System.Buffers.Binary;
using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Disk;
using ArmVdso.Kernel.Files;

namespace ArmVdso.Tests.Files;

/// <summary>Journals that the host's debugfs has written: what a mount puts back is what e2fsck puts back.</summary>
public sealed class JournalTests
{
    private const int BlockSize = 1024, JournalInode = 8;

    /// <summary>Features of the file system, version of checksums (0: none), what is damaged, error of the mount.</summary>
    public static TheoryData<string, int, string, long> Journals
    {
        get
        {
            var data = new TheoryData<string, int, string, long>();
            foreach (string wide in (string[])["64bit", "^64bit"])
            {
                data.Add("^metadata_csum," + wide, 0, "", 0);
                data.Add("metadata_csum," + wide, 0, "", 0);
                foreach (int version in (int[])[2, 3])
                {
                    data.Add("metadata_csum," + wide, version, "", 0);
                    data.Add("metadata_csum," + wide, version, "descriptor", Errno.EBADMSG);
                    data.Add("metadata_csum," + wide, version, "data", Errno.EBADMSG);
                    data.Add("metadata_csum," + wide, version, "commit", Errno.EUCLEAN);
                    data.Add("metadata_csum," + wide, version, "revoke", Errno.EBADMSG);
                    data.Add("metadata_csum," + wide, version, "async commit", 0);
                    data.Add("metadata_csum," + wide, version, "torn commit", 0);
                }
                data.Add("^metadata_csum," + wide, 1, "", 0);
                data.Add("^metadata_csum," + wide, 1, "data", Errno.EUCLEAN);
                // debugfs counts blocks that revoke to the sums of version 1, which they are not part of.
                data.Add("^metadata_csum," + wide, 1, "sum", Errno.EUCLEAN);
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Journals))]
    public void Is_replayed_as_e2fsck_replays_it(string features, int version, string damage, long error)
    {
        string folder = Directory.CreateTempSubdirectory("armvdso-journal-").FullName;
        try
        {
            string image = Path.Combine(folder, "image");
            File.WriteAllBytes(image, DiskImage.Make(8192, "-t", "ext4", "-b", "1024", "-O", features, "-J", "size=1"));
            int[] blocks = Write(folder, image, version, version != 1 || damage == "sum");
            byte[] before = Damage(File.ReadAllBytes(image), blocks, damage);
            File.WriteAllBytes(image, before);
            (_, string said, string errors) = GuestPrograms.Run("e2fsck", ["-y", "-E", "journal_only", image]);
            byte[] expected = File.ReadAllBytes(image);
            Assert.Equal(error != 0, (said + errors).Contains("corrupt", StringComparison.Ordinal)
                || (said + errors).Contains("checksum", StringComparison.OrdinalIgnoreCase));

            using var disk = new DiskImage(before);
            Assert.Equal(-error, disk.Mount("ext4", readOnly: true));
            byte[] actual = disk.Bytes();
            // The superblocks of file system and journal are each one's own affair.
            foreach (byte[] bytes in (byte[][])[expected, actual])
            {
                bytes.AsSpan(1024, 1024).Clear();
                bytes.AsSpan(blocks[0] * BlockSize, BlockSize).Clear();
            }
            for (int at = 0; at < actual.Length; at += BlockSize)
            {
                Assert.True(actual.AsSpan(at, BlockSize).SequenceEqual(expected.AsSpan(at, BlockSize)),
                    $"block {at / BlockSize}; the journal has {string.Join(' ', blocks.Take(12))}; {said}{errors}");
            }
            if (damage.Length == 0 && error == 0)
                Assert.False(actual.AsSpan(2048).SequenceEqual(before.AsSpan(2048)));
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    /// <summary>Three transactions: two blocks of a file; one of them revoked; that one not, another twice, with what has to be escaped.
    /// The numbers of the journal's blocks.</summary>
    private static int[] Write(string folder, string image, int version, bool revokes)
    {
        string Put(string name, Func<int, byte> bytes, int count)
        {
            string path = Path.Combine(folder, name);
            File.WriteAllBytes(path, [.. Enumerable.Range(0, count * BlockSize).Select(bytes)]);
            return path;
        }
        byte[] magic = [0xC0, 0x3B, 0x39, 0x98];
        Debug(image, $"write {Put("file", n => (byte)(n * 7), 40)} file");
        int[] file = Blocks(image, "file");
        string open = version == 0 ? "jo" : version == 1 ? "jo -c" : $"jo -c -v {version}";
        string first = Put("first", _ => (byte)'A', 2), third = Put("third", n => n % BlockSize < 4 ? magic[n % BlockSize] : (byte)'B', 3);
        Debug(image, $"{open}\njw -b {file[0]},{file[1]} {first}\njc\n" + (revokes ? $"{open}\njw -r {file[1]}\njc\n" : "")
            + $"{open}\njw -b {file[2]},{file[1]},{file[3]} {third}\njc");
        return Blocks(image, $"<{JournalInode}>");
    }

    private static string Debug(string image, string commands)
    {
        string path = image + ".commands";
        File.WriteAllText(path, commands + "\n");
        (int status, string output, string errors) = GuestPrograms.Run("debugfs", ["-w", "-f", path, image]);
        Assert.True(status == 0, output + errors);
        return output;
    }

    private static int[] Blocks(string image, string file) => [.. GuestPrograms.Run("debugfs", ["-R", $"blocks {file}", image]).Output
        .Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries).Where(w => w.All(char.IsAsciiDigit)).Select(int.Parse)];

    /// <summary>Changes a byte of a block of the journal, or says that its commits need not wait.</summary>
    private static byte[] Damage(byte[] image, int[] journal, string what)
    {
        const int descriptor = 1, commit = 2, revoke = 5;
        int Find(int kind, int nth) => journal.Skip(1).Where(b => image.AsSpan(b * BlockSize, 4).SequenceEqual(
            (ReadOnlySpan<byte>)[0xC0, 0x3B, 0x39, 0x98]) && image[b * BlockSize + 7] == kind).ElementAt(nth) * BlockSize;
        if (what.EndsWith("commit", StringComparison.Ordinal) && what != "commit")
        {
            // Its superblock says that it may have such, and has its sum again.
            Span<byte> super = image.AsSpan(journal[0] * BlockSize, BlockSize);
            super[43] |= 4;
            super.Slice(0xFC, 4).Clear();
            uint sum = Checksums.Crc32C(uint.MaxValue, super);
            BinaryPrimitives.WriteUInt32BigEndian(super[0xFC..], sum);
        }
        switch (what)
        {
            case "descriptor":
                image[Find(descriptor, 1) + 500] ^= 1;
                break;
            case "data":
                image[Find(descriptor, 1) + BlockSize + 500] ^= 1;
                break;
            case "commit" or "torn commit":
                image[Find(commit, 2) + 500] ^= 1;
                break;
            case "revoke":
                image[Find(revoke, 0) + 500] ^= 1;
                break;
        }
        return image;
    }
}
