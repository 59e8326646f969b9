using System.Diagnostics;
using System.Text.RegularExpressions;

namespace ArmVdso.Tests.Documents;

/// <summary>The walk through docs/own-design.md, as a reader does it: the commands, the patches, and the check that fails.</summary>
public sealed partial class OwnDesignGuideCommandTests
{
    [Fact]
    public void GuideEndsWithADesignThatHolds()
    {
        string text = File.ReadAllText(Path.Join(GuestPrograms.RepositoryRoot, "docs", "own-design.md"));
        (string Kind, string Text)[] blocks = [.. Block().Matches(text).Select(m => (m.Groups["kind"].Value, m.Groups["text"].Value))];
        Assert.Equal(["sh guide", "diff guide", "sh guide", "sh guide fails", "diff guide", "sh guide"], blocks.Select(b => b.Kind));
        DirectoryInfo folder = Directory.CreateTempSubdirectory("armvdso-guide-");
        try
        {
            foreach ((string kind, string block) in blocks)
            {
                (int status, string said) = Bash(folder.FullName, kind == "diff guide" ? $"patch -p1 <<'END'\n{block}END\n" : block);
                Assert.True(status == (kind == "sh guide fails" ? 1 : 0), $"status {status} of\n{block}\n{said}");
                if (kind == "sh guide fails")
                    Assert.Contains("own/getsid/setsid@0", said, StringComparison.Ordinal);
            }
        }
        finally
        {
            folder.Delete(true);
        }
    }

    private static (int Status, string Said) Bash(string folder, string commands)
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
