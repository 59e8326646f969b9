namespace ArmVdso.Tests.Programs;

/// <summary>A disk as people use one: Debian's losetup, mke2fs, mount and e2fsck as guests; the image is then judged by the host's
/// e2fsck.</summary>
public sealed class DiskProgramTests
{
    private const string Script = """
        set -e
        mkdir -p /mnt
        truncate -s 24M /host/image
        device=$(losetup -f --show /host/image)
        mkfs.$0 -q $device
        mount $1 -t $0 $device /mnt
        grep " /mnt $0 rw" /proc/mounts | cut -d' ' -f2
        cp -a /etc /mnt/etc
        mkdir -p /mnt/a/b/c
        seq 100000 > /mnt/a/numbers
        ln /mnt/a/numbers /mnt/a/b/again
        ln -s ../a/numbers /mnt/a/link
        dd if=/dev/urandom of=/mnt/a/hole bs=1000 count=3 seek=2000 2>/dev/null
        mkfifo /mnt/a/pipe
        mknod /mnt/a/zero c 1 5
        chmod 4711 /mnt/a/hole
        chown 12:34 /mnt/a/b
        for n in $(seq 300); do echo $n > "/mnt/a/b/c/file with a name $n"; done
        rm /mnt/a/b/c/*7
        mv /mnt/a/b/c /mnt/c
        truncate -s 12345 /mnt/a/numbers
        (cd /mnt; find . -type f -print0 | sort -z | xargs -0 md5sum > /tmp/sums; ls -lR --time-style=full-iso etc a c > /tmp/list)
        df --output=fstype,target /mnt | tail -1
        umount /mnt
        fsck.$0 -fn $device > /tmp/fsck 2>&1 || { cat /tmp/fsck; exit 1; }
        debugfs -R "cat /a/b/again" $device 2>/dev/null | tail -c 20 | head -1
        mount -o ro -t $0 $device /mnt
        (cd /mnt; md5sum --quiet -c /tmp/sums; ls -lR --time-style=full-iso etc a c | cmp - /tmp/list)
        touch /mnt/no 2>&1 | sed 's/.*: //'
        umount /mnt
        losetup -d $device
        wc -l < /tmp/sums
        """;

    [Theory]
    [InlineData("ext2", "-v")]
    [InlineData("ext3", "-o data=ordered")]
    [InlineData("ext4", "-o noatime,errors=remount-ro")]
    public void A_disk_is_made_used_and_found_sound(string type, string options)
    {
        string folder = Directory.CreateTempSubdirectory("armvdso-disk-").FullName;
        try
        {
            ArmVdsoCommand.Result result = ArmVdsoCommand.Run(["run", "--core", "none", "--root", DebianPrograms.DiskRoot, "--bind",
                $"{folder}:/host", "-E", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "/bin/sh", "-c", Script, type, options]);
            Assert.True(result.Status == 0, $"status {result.Status}\n{result.Output}{result.Errors}");
            Assert.Contains("/mnt\n", result.Output);
            Assert.Contains($"{type} ", result.Output);
            Assert.Contains("Read-only file system\n", result.Output);
            (int status, string output, string errors) = GuestPrograms.Run("e2fsck", ["-f", "-n", Path.Combine(folder, "image")]);
            Assert.True(status == 0, output + errors);
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    private const string Dirty = """
        set -e
        mkdir -p /mnt
        truncate -s 12M /host/image
        device=$(losetup -f --show /host/image)
        mkfs.$0 -q -b 1024 $device
        mount -t $0 $device /mnt
        $1 /mnt
        umount /mnt
        mount -t $0 $device /mnt
        (cd /mnt; od -An -c -N 1 part; od -An -c -j 1024 -N 1 part; od -An -c -j 4096 -N 1 part; od -An -c -j 5 -N 1 holes)
        umount /mnt
        losetup -d $device
        """;

    /// <summary>Pages of mapped files: dirty and clean, without room, beyond the end. The guest says the same on Linux 6.18.</summary>
    [Theory]
    [InlineData("ext2")]
    [InlineData("ext3")]
    [InlineData("ext4")]
    public void Mapped_pages_are_written_back_when_they_are_dirty(string type)
    {
        string folder = Directory.CreateTempSubdirectory("armvdso-dirty-").FullName;
        try
        {
            string guest = GuestPrograms.Path("dirty");
            ArmVdsoCommand.Result result = ArmVdsoCommand.Run(["run", "--core", "none", "--root", DebianPrograms.DiskRoot,
                "--bind", $"{folder}:/host", "--bind", $"{Path.GetDirectoryName(guest)}:/guests:ro",
                "-E", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "/bin/sh", "-c", Dirty, type, "/guests/dirty"]);
            Assert.True(result.Status == 0 && !result.Output.Contains("FAILED"), $"status {result.Status}\n{result.Output}{result.Errors}");
            Assert.EndsWith("dirty: 0 failed\n   a\n   b\n   c\n   i\n", result.Output);
            (int status, string output, string errors) = GuestPrograms.Run("e2fsck", ["-f", "-n", Path.Combine(folder, "image")]);
            Assert.True(status == 0, output + errors);
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    private const string Places = """
        set -e
        mkdir -p /mnt
        truncate -s 8M /tmp/image
        d=$(losetup -f --show /tmp/image)
        mkfs.$0 -q -b 1024 $d
        unshare -m sh -c "mount -t $0 $d /mnt; echo kept > /mnt/kept"
        losetup -d $d
        losetup -a
        d=$(losetup -f --show /tmp/image)
        mount -t $0 $d /mnt
        cat /mnt/kept
        dd if=/dev/urandom of=/mnt/f bs=1024 count=40 2>/dev/null
        dd if=/dev/urandom of=/mnt/f bs=1024 count=3 seek=60 conv=notrunc 2>/dev/null
        filefrag -v /mnt/f | sed -n 's/^ *[0-9]*: *\([0-9]*\)\.\. *\([0-9]*\): *\([0-9]*\)\.\..*/\1 \2 \3/p' > /tmp/rows
        while read a b p; do while [ $a -le $b ]; do echo $a $p; a=$((a + 1)); p=$((p + 1)); done; done < /tmp/rows > /tmp/have
        wc -l < /tmp/have
        cut -d' ' -f1 /tmp/have | sed 's,^,bmap /f ,' > /tmp/ask
        sync
        debugfs -f /tmp/ask $d 2>/dev/null | grep -v debugfs > /tmp/want
        cut -d' ' -f2 /tmp/have | cmp - /tmp/want
        /guests/handles /mnt | grep -v ^ok
        umount /mnt
        losetup -d $d
        """;

    /// <summary>Files lie where FIEMAP says: debugfs says the same. A mount namespace that ends lets its disk go, and files of a disk have
    /// handles.</summary>
    [Theory]
    [InlineData("ext2")]
    [InlineData("ext4")]
    public void Files_lie_where_they_are_said_to(string type)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(["run", "--core", "none", "--root", DebianPrograms.DiskRoot, "--bind",
            $"{Path.GetDirectoryName(GuestPrograms.Path("handles"))}:/guests:ro", "-E", "PATH=/usr/sbin:/usr/bin:/sbin:/bin",
            "/bin/sh", "-c", Places, type]);
        Assert.Equal("kept\n43\nhandles: 0 failed\n", result.Output);
        Assert.Equal(0, result.Status);
    }

    /// <summary>A journal that debugfs has written (blocks, one that looks like the journal's own, one that is revoked) is replayed when
    /// the disk is mounted: all but the superblock is then what e2fsck makes of it.</summary>
    [Theory]
    [InlineData("ext3")]
    [InlineData("ext4")]
    public void A_journal_is_replayed(string type)
    {
        const int superblock = 1024;
        string folder = Directory.CreateTempSubdirectory("armvdso-journal-").FullName;
        try
        {
            string In(string name) => Path.Combine(folder, name);
            string Host(string program, params string[] arguments) => GuestPrograms.Run(program, arguments).Output;
            File.WriteAllBytes(In("old"), [.. Enumerable.Repeat((byte)'o', 5000)]);
            File.WriteAllBytes(In("new"), [.. Enumerable.Repeat((byte)'n', 3072)]);
            File.WriteAllBytes(In("odd"), [0xC0, 0x3B, 0x39, 0x98, .. Enumerable.Repeat((byte)'e', 1020)]);
            Host($"mkfs.{type}", "-q", "-b", "1024", In("image"), "8192");
            Host("debugfs", "-w", "-R", $"write {In("old")} f", In("image"));
            int first = int.Parse(Host("debugfs", "-R", "bmap /f 0", In("image")));
            File.WriteAllText(In("commands"), $"jo\njw -b {first}-{first + 2} {In("new")}\njw -b {first + 3} {In("odd")}\n"
                + $"jw -b {first + 4} {In("new")}\njw -r {first + 4}\njc\n");
            Host("debugfs", "-w", "-f", In("commands"), In("image"));
            File.Copy(In("image"), In("judged"));
            Assert.Contains("recovering journal", Host("e2fsck", "-y", "-E", "journal_only", In("judged")));

            ArmVdsoCommand.Result result = ArmVdsoCommand.Run(["run", "--core", "none", "--root", DebianPrograms.DiskRoot, "--bind",
                $"{folder}:/host", "-E", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "/bin/sh", "-c",
                "mkdir -p /mnt; d=$(losetup -f --show /host/image); mount -o ro -t $0 $d /mnt; head -c 3 /mnt/f; tail -c 3 /mnt/f; "
                + "umount /mnt; losetup -d $d", type]);
            Assert.Equal("nnnooo", result.Output);
            byte[] ours = File.ReadAllBytes(In("image")), judged = File.ReadAllBytes(In("judged"));
            Assert.Equal(judged[(2 * superblock)..], ours[(2 * superblock)..]);
            (int status, string output, string errors) = GuestPrograms.Run("e2fsck", ["-f", "-n", In("image")]);
            Assert.True(status == 0, output + errors);
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }
}
