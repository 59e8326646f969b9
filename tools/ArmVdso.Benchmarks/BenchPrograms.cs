using System.Diagnostics;

namespace ArmVdso.Benchmarks;

/// <summary>The programs of tests/guests/src/bench, built static by aarch64-linux-gnu-gcc when first asked for.</summary>
internal static class BenchPrograms
{
    private static readonly Lazy<string> s_root = new(FindRoot);

    private static string Sources => System.IO.Path.Combine(s_root.Value, "tests", "guests", "src", "bench");

    /// <summary>Their names.</summary>
    internal static IEnumerable<string> Names =>
        Directory.GetFiles(Sources, "*.c").Select(f => System.IO.Path.GetFileNameWithoutExtension(f)!).Order(StringComparer.Ordinal);

    /// <summary>Host path of a program, built if it is older than its source.</summary>
    /// <exception cref="InvalidOperationException">There is no such program, or it does not compile.</exception>
    internal static string Path(string name)
    {
        string source = System.IO.Path.Combine(Sources, name + ".c");
        string folder = System.IO.Path.Combine(s_root.Value, "tests", "guests", "build", "bench");
        string program = System.IO.Path.Combine(folder, name);
        if (!File.Exists(source))
            throw new InvalidOperationException($"there is no program '{name}'; known: {string.Join(", ", Names)}");
        if (File.Exists(program) && File.GetLastWriteTimeUtc(program) > File.GetLastWriteTimeUtc(source))
            return program;
        Directory.CreateDirectory(folder);
        (int status, string output) = Run(
            "aarch64-linux-gnu-gcc", "-O2", "-march=armv8-a", "-static", "-Wall", "-Wextra", "-Werror", "-o", program, source, "-lm");
        return status == 0 ? program : throw new InvalidOperationException($"{source} does not compile: {output}");
    }

    /// <summary>Runs a host program: status, and standard output and error together.</summary>
    /// <exception cref="InvalidOperationException">It is not installed.</exception>
    internal static (int Status, string Output) Run(string program, params string[] arguments)
    {
        try
        {
            using Process process = Process.Start(
                new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
            Task<string> errors = process.StandardError.ReadToEndAsync();
            string output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return (process.ExitCode, output + errors.GetAwaiter().GetResult());
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            throw new InvalidOperationException($"{program}: {e.Message}", e);
        }
    }

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(System.IO.Path.Combine(folder, "ArmVdso.sln")))
            folder = System.IO.Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException($"no ArmVdso.sln above {AppContext.BaseDirectory}");
    }
}
