using System.Diagnostics;

namespace ArmVdso.Tests.Fixtures;

/// <summary>The C guests of tests/guests/src, built once per run of the tests.</summary>
internal static class GuestPrograms
{
    private static readonly Lazy<string> s_folder = new(Build);

    /// <summary>The folder that holds ArmVdso.sln.</summary>
    internal static string RepositoryRoot { get; } = FindRoot();

    /// <summary>The host path of a program by its source's name without extension.</summary>
    /// <exception cref="InvalidOperationException">The cross compiler is missing, or a program does not compile.</exception>
    internal static string Path(string name) => System.IO.Path.Combine(s_folder.Value, name);

    /// <summary>Runs a host program to its end: its status, and standard output and error one after the other.</summary>
    internal static (int Status, string Output, string Errors) Run(string program, params string[] arguments)
    {
        ProcessStartInfo start = new(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using Process process = Process.Start(start) ?? throw new InvalidOperationException($"'{program}' did not start");
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output, errors.GetAwaiter().GetResult());
    }

    private static string Build()
    {
        string folder = System.IO.Path.Combine(RepositoryRoot, "tests", "guests", "build");
        (int status, string output, string errors) = Run(System.IO.Path.Combine(RepositoryRoot, "tests", "guests", "build-c.sh"), folder);
        return status == 0 ? folder : throw new InvalidOperationException($"{output}{errors}".Trim());
    }

    private static string FindRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(System.IO.Path.Combine(folder, "ArmVdso.sln")))
            folder = System.IO.Path.GetDirectoryName(folder);

        return folder ?? throw new InvalidOperationException($"no ArmVdso.sln above {AppContext.BaseDirectory}");
    }
}
