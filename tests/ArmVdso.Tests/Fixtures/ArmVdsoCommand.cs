using System.Diagnostics;
using System.Text;

namespace ArmVdso.Tests.Fixtures;

/// <summary>Runs the armvdso command as a process of its own, as a user does.</summary>
internal static class ArmVdsoCommand
{
    /// <summary>The command as it is published: one program, compiled ahead.</summary>
    internal static string Program { get; } = Path.Combine(AppContext.BaseDirectory, "command", "armvdso");

    /// <summary>What a run gave.</summary>
    internal sealed record Result(int Status, string Output, string Errors);

    /// <summary>Seconds of the host after which a run counts as hanging: an hour, which no load makes of the minute that the longest
    /// takes. A hang fails one test and not the whole run.</summary>
    internal const int Limit = 3600;

    /// <summary>Runs it without input.</summary>
    internal static Result Run(params string[] arguments) => RunWithInput("", arguments);

    /// <summary>Runs it with standard input.</summary>
    internal static Result RunWithInput(string input, params string[] arguments)
    {
        var start = new ProcessStartInfo(Program, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardOutputEncoding = Encoding.Latin1,
            StandardErrorEncoding = Encoding.UTF8,
            WorkingDirectory = GuestPrograms.RepositoryRoot,
        };
        using Process process = Process.Start(start) ?? throw new InvalidOperationException($"{Program} did not start");
        Task<string> output = process.StandardOutput.ReadToEndAsync();
        Task<string> errors = process.StandardError.ReadToEndAsync();
        try
        {
            process.StandardInput.Write(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The command ended without reading its input; its result tells.
        }
        if (!process.WaitForExit(TimeSpan.FromSeconds(Limit)))
        {
            process.Kill(true);
            throw new TimeoutException($"armvdso {string.Join(' ', arguments)}: still running after {Limit} s");
        }
        process.WaitForExit();
        return new Result(process.ExitCode, output.GetAwaiter().GetResult(), errors.GetAwaiter().GetResult());
    }
}
