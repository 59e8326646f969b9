using System.Diagnostics;
using System.Security.Cryptography;

namespace ArmVdso.Fuzz;

/// <summary>The program that runs in the guest, made of <c>Guest/</c> by the cross compiler when it is first wanted.</summary>
internal static class FuzzGuest
{
    private const string Compiler = "aarch64-linux-gnu-gcc";
    private static readonly Lazy<string> s_path = new(Build);

    /// <summary>Its path.</summary>
    /// <exception cref="InvalidOperationException">There is no compiler, or it refuses.</exception>
    internal static string Path => s_path.Value;

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

    private static void Compile(string[] arguments)
    {
        Process process;
        try
        {
            process = Process.Start(new ProcessStartInfo(Compiler, arguments) { RedirectStandardError = true })!;
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new InvalidOperationException($"{Compiler} does not start (Debian package gcc-aarch64-linux-gnu): {e.Message}", e);
        }
        using (process)
        {
            string errors = process.StandardError.ReadToEnd();
            process.WaitForExit();
            if (process.ExitCode != 0)
                throw new InvalidOperationException($"{Compiler}: {errors.Trim()}");
        }
    }
}
