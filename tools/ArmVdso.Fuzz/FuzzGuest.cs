using System.Diagnostics;
using System.Security.Cryptography;

namespace ArmVdso.Fuzz;

/// <summary>The program that runs in the guest, made of <c>Guest/</c> by the cross compiler when it is first wanted.</summary>
internal static class FuzzGuest
{
    private const string Compiler = "aarch64-linux-gnu-gcc";
    private static readonly Lazy<string> s_path = new(Build);

    private static readonly Lazy<string> s_disk = new(MakeDisk);

    /// <summary>Its path.</summary>
    /// <exception cref="InvalidOperationException">There is no compiler, or it refuses.</exception>
    internal static string Path => s_path.Value;

    /// <summary>An image with an ext4 file system, which its cases have on a loop device.</summary>
    /// <exception cref="InvalidOperationException">There is no mkfs.ext4, or it refuses.</exception>
    internal static string Disk => s_disk.Value;

    private static string MakeDisk()
    {
        string folder = System.IO.Path.Combine(System.IO.Path.GetTempPath(), "armvdso-fuzz");
        Directory.CreateDirectory(folder);
        string made = System.IO.Path.Combine(folder, $"disk-{Environment.ProcessId}");
        const int size = 256 << 10;
        using (FileStream file = File.Create(made))
            file.SetLength(size);
        Start("/sbin/mkfs.ext4", "e2fsprogs", ["-q", "-F", "-b", "1024", "-N", "64", "-O", "^has_journal,^resize_inode",
            "-E", "hash_seed=6d1ad0bd-6d1a-4d1a-8d1a-6d1ad0bd6d1a,lazy_itable_init=0", "-U", "6d1ad0bd-6d1a-4d1a-8d1a-6d1ad0bd6d1a",
            made]);
        // The time of making is the one thing that differs from run to run.
        string image = System.IO.Path.Combine(folder, "disk.ext4");
        File.Move(made, image, overwrite: true);
        return image;
    }

    private static string Build()
    {
        string[] names = [.. Resources.Names("guest/")];
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (string name in names)
            hash.AppendData(Resources.Bytes(name));
        string folder = System.IO.Path.Combine(System.IO.Path.GetTempPath(), "armvdso-fuzz");
        string program = System.IO.Path.Combine(folder, $"fuzz-{Convert.ToHexString(hash.GetHashAndReset())[..16]}");
        if (File.Exists(program))
            return program;
        string sources = Directory.CreateTempSubdirectory("armvdso-fuzz-").FullName;
        try
        {
            foreach (string name in names)
                File.WriteAllBytes(System.IO.Path.Combine(sources, name["guest/".Length..]), Resources.Bytes(name));
            string made = System.IO.Path.Combine(sources, "fuzz");
            Compile(["-O2", "-static", "-pthread", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-o", made,
                .. Directory.GetFiles(sources, "*.c").Order(StringComparer.Ordinal)]);
            Directory.CreateDirectory(folder);
            File.Move(made, program, overwrite: true);
        }
        finally
        {
            Directory.Delete(sources, recursive: true);
        }
        return program;
    }

    private static void Compile(string[] arguments) => Start(Compiler, "gcc-aarch64-linux-gnu", arguments);

    private static void Start(string program, string package, string[] arguments)
    {
        Process process;
        try
        {
            process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new InvalidOperationException($"{program} does not start (Debian package {package}): {e.Message}", e);
        }
        using (process)
        {
            string errors = process.StandardError.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode != 0)
                throw new InvalidOperationException($"{program}: {errors.Trim()}");
        }
    }
}
