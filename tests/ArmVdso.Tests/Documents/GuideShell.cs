using System.Diagnostics;
using System.Text.RegularExpressions;

namespace ArmVdso.Tests.Documents;

/// <summary>Runs what guides tell readers to type.</summary>
internal static partial class GuideShell
{
    /// <summary>The blocks of a guide in docs that are marked so: their kind and text, in order.</summary>
    internal static (string Kind, string Text)[] Blocks(string guide) =>
    [
        .. Block().Matches(File.ReadAllText(Path.Join(GuestPrograms.RepositoryRoot, "docs", guide)))
            .Select(m => (m.Groups["kind"].Value, m.Groups["text"].Value)),
    ];

    /// <summary>Runs commands in a folder, <c>armvdso</c> among them; the exit status and both streams.</summary>
    internal static (int Status, string Said) Run(string folder, string commands)
    {
        string command = $"set -eu\narmvdso() {{ '{ArmVdsoCommand.Program}' \"$@\"; }}\n{commands}";
        var start = new ProcessStartInfo("bash", ["-c", command])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using Process process = Process.Start(start) ?? throw new InvalidOperationException("bash did not start");
        Task<string> errors = process.StandardError.ReadToEndAsync();
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, output + errors.Result);
    }

    [GeneratedRegex(@"^```(?<kind>(?:sh|diff) guide(?: fails)?)\n(?<text>.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();
}
