using System.IO.Compression;

namespace ArmVdso.Tests.Programs;

/// <summary>Debian's static zsh, sash, bash, busybox and e2fsck on each engine: output and status as under qemu-aarch64.</summary>
public sealed class DebianStaticProgramTests
{
    private static readonly Lazy<string> s_files = new(MakeFiles);

    private static string Guests => Path.Combine(GuestPrograms.RepositoryRoot, "tests", "guests");

    /// <summary>A folder with an ext2 image, the same image with an empty inode bitmap, and scripts.</summary>
    private static string MakeFiles()
    {
        string folder = Path.Combine(Guests, "build", "static-files");
        Directory.CreateDirectory(folder);
        using var unpacked = new MemoryStream();
        using (var packed = new GZipStream(File.OpenRead(Path.Combine(GuestPrograms.RepositoryRoot,
            "tests/ArmVdso.Tests/Programs/data/ext2.img.gz")), CompressionMode.Decompress))
            packed.CopyTo(unpacked);
        byte[] image = unpacked.ToArray();
        File.WriteAllBytes(Path.Combine(folder, "whole.img"), image);
        image.AsSpan(4096, 1024).Clear();
        File.WriteAllBytes(Path.Combine(folder, "broken.img"), image);
        File.Copy(Path.Combine(Guests, "src", "static.zsh"), Path.Combine(folder, "static.zsh"), true);
        File.Copy(Path.Combine(Guests, "src", "script.sh"), Path.Combine(folder, "script.sh"), true);
        File.WriteAllText(Path.Combine(folder, "script.sash"),
            $"-echo begin\n-sum {folder}/whole.img\n-cmp {folder}/whole.img {folder}/broken.img\n-grep -n print {folder}/static.zsh\n"
            + $"exit 4\n");
        return folder;
    }

    /// <summary>Engine, program, arguments ({0} is the folder of files), status.</summary>
    public static TheoryData<string, string, string, int> Commands()
    {
        var data = new TheoryData<string, string, string, int>();
        foreach (string engine in KnownEngines.All)
        {
            data.Add(engine, "usr/bin/zsh-static", "-f {0}/static.zsh", 3);
            data.Add(engine, "usr/bin/sash", "-f {0}/script.sash", 4);
            data.Add(engine, "usr/bin/bash-static", "-p {0}/script.sh", 42);
            data.Add(engine, "usr/bin/busybox", "sh {0}/script.sh", 42);
            data.Add(engine, "usr/bin/busybox", "sha512sum {0}/whole.img {0}/broken.img {0}/script.sh", 0);
            data.Add(engine, "usr/bin/busybox", "awk 'BEGIN{{for(i=0;i<2000;i++)s+=i*i%7/3;printf(\"%.12f\\n\",s)}}'", 0);
            data.Add(engine, "usr/sbin/e2fsck.static", "-n -f {0}/whole.img", 0);
            data.Add(engine, "usr/sbin/e2fsck.static", "-n -f {0}/broken.img", 4);
        }
        return data;
    }

    [Theory]
    [MemberData(nameof(Commands))]
    public void Same_as_under_qemu(string engine, string program, string arguments, int expected)
    {
        string path = Path.Combine(DebianPrograms.StaticRoot, program), folder = s_files.Value;
        // One quoted word is the last; no other word has a space.
        string[] halves = string.Format(System.Globalization.CultureInfo.InvariantCulture, arguments, folder)
            .Split('\'', StringSplitOptions.RemoveEmptyEntries);
        string[] words = [.. halves[0].Split(' ', StringSplitOptions.RemoveEmptyEntries), .. halves[1..]];
        (int status, string output, _) = GuestPrograms.Run("qemu-aarch64",
            ["-cpu", "max", "-E", "PATH=/nowhere", "-E", "LANG=C", "-E", "HOME=/root", path, .. words]);
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
            ["run", "--engine", engine, "--core", "none", "--bind", $"{folder}:{folder}:ro", "-E", "PATH=/nowhere", "-E", "LANG=C", path,
                .. words]);
        Assert.Equal(output, result.Output);
        Assert.Equal((expected, expected), (status, result.Status));
    }
}
