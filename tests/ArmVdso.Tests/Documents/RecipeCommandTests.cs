using System.Diagnostics;
using System.Text.RegularExpressions;

namespace ArmVdso.Tests.Documents;

/// <summary>The recipes of CONTRIBUTING.md on a copy of the tree: each patch applies, what is generated is made, all of it builds, and
/// each recipe's commands end with the result that the text promises.</summary>
public sealed partial class RecipeCommandTests
{
    private static readonly string[] Recipes = ["instruction", "system-call", "core", "core-parameter", "vdso-function", "design"];

    // What builds and tests have left in the tree; committed products are in folders of that name too.
    private const string LeftOut = "--exclude-vcs --exclude=obj --exclude=./emulator/bin --exclude=./kernel-model/bin "
        + "--exclude='./tools/*/bin' --exclude='./tests/*/bin' --exclude='./tests/guests/root*' --exclude=./tests/guests/build "
        + "--exclude=./tests/cache --exclude=./TestResults";

    // The command is built once, after the patches; a reader's `dotnet run` finds that out by itself, in several seconds.
    private const string Built = "dotnet() { command dotnet \"$1\" --no-build \"${@:2}\"; }\n";

    [Fact]
    public void Recipes_apply_build_and_show_their_result()
    {
        string root = GuestPrograms.RepositoryRoot;
        (string Kind, string Name, string Text)[] blocks = [.. Block().Matches(File.ReadAllText(Path.Join(root, "CONTRIBUTING.md")))
            .Select(m => (m.Groups["kind"].Value, m.Groups["name"].Value, m.Groups["text"].Value))];
        Assert.Equal(Recipes, blocks.Select(b => b.Name).Distinct());
        Assert.Equal(Recipes, blocks.Where(b => b.Kind == "sh result").Select(b => b.Name));
        DirectoryInfo copy = Directory.CreateTempSubdirectory("armvdso-recipes-");
        try
        {
            // Status 1: other tests changed a folder meanwhile.
            Bash(root, $"{{ tar {LeftOut} -c . || [ $? = 1 ]; }} | tar -x -C '{copy.FullName}'", "the copy");
            foreach ((string kind, string name, string text) in blocks)
            {
                if (kind == "diff recipe")
                    Bash(copy.FullName, $"git apply - <<'END_OF_PATCH'\n{text}END_OF_PATCH\n", $"the patch of '{name}'");
                else if (kind == "sh recipe")
                    Bash(copy.FullName, text, $"'{name}'");
            }
            Bash(copy.FullName, "dotnet build -c Release tools/ArmVdso.Cli", "the build");
            foreach ((_, string name, string text) in blocks.Where(b => b.Kind == "sh result"))
                Bash(copy.FullName, Built + text, $"the result of '{name}'");
        }
        finally
        {
            copy.Delete(true);
        }
    }

    /// <summary>Runs commands that must succeed. Their output goes through a file: a compiler that stays behind would hold a pipe
    /// open.</summary>
    private static void Bash(string folder, string commands, string what)
    {
        string script = Path.GetTempFileName(), log = Path.GetTempFileName();
        try
        {
            File.WriteAllText(script, $"set -euo pipefail\nexec > '{log}' 2>&1\n{commands}");
            ProcessStartInfo start = new("bash", [script]) { WorkingDirectory = folder };
            // Style is the business of the build of the tree; without it a build takes half the time.
            start.Environment["RunAnalyzers"] = start.Environment["EnforceCodeStyleInBuild"] = "false";
            start.Environment["MSBUILDDISABLENODEREUSE"] = "1";
            using Process bash = Process.Start(start) ?? throw new InvalidOperationException("bash did not start");
            bash.WaitForExit();
            string output = File.ReadAllText(log);
            Assert.True(bash.ExitCode == 0, $"CONTRIBUTING.md: {what} ended with status {bash.ExitCode}:\n{Last(output, 4000)}");
        }
        finally
        {
            File.Delete(script);
            File.Delete(log);
        }
    }

    private static string Last(string text, int length) => text.Length <= length ? text : text[^length..];

    [GeneratedRegex(@"^```(?<kind>(diff|sh) (recipe|result))=(?<name>[\w-]+)\n(?<text>.*?)^```$",
        RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Block();
}
