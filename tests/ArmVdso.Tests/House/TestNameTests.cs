using System.Reflection;
using System.Text.RegularExpressions;

namespace ArmVdso.Tests.House;

/// <summary>Where a test lies and what its class is called. Folders are subjects and namespaces. Names end with the kind: Tests (a unit,
/// in this process), OracleTests (what another implementation or a publication gave), DifferentialTests (many cases beside another
/// implementation), LockstepTests (two implementations of ours), ProgramTests (whole programs of the guest), CommandTests (what armvdso
/// prints). Reports/ has a class for each mistake of the past.</summary>
public sealed partial class TestNameTests
{
    private static readonly string s_tests = Path.Combine(GuestPrograms.RepositoryRoot, "tests", "ArmVdso.Tests");

    /// <summary>The kinds of tests that start the armvdso command.</summary>
    private static readonly string[] s_outside = ["CommandTests", "ProgramTests", "LockstepTests", "DifferentialTests", "OracleTests"];

    private static IEnumerable<(string File, string Text)> Sources =>
        Directory.EnumerateFiles(s_tests, "*.cs", SearchOption.AllDirectories)
            .Select(f => Path.GetRelativePath(s_tests, f))
            .Where(f => !f.StartsWith("obj/", StringComparison.Ordinal) && !f.StartsWith("bin/", StringComparison.Ordinal))
            .Select(f => (f, File.ReadAllText(Path.Combine(s_tests, f))));

    private static IEnumerable<MethodInfo> Tests =>
        typeof(TestNameTests).Assembly.GetTypes()
            .SelectMany(t => t.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly))
            .Where(m => m.GetCustomAttribute<FactAttribute>() is not null);

    [Fact]
    public void NamespacesAreFolders()
    {
        foreach ((string file, string text) in Sources)
        {
            string expected = "ArmVdso.Tests." + Path.GetDirectoryName(file)!.Replace('/', '.');
            Assert.True(text.Contains($"namespace {expected};", StringComparison.Ordinal), $"{file} is not in namespace {expected}");
        }
    }

    [Fact]
    public void ClassesWithTestsLieInFilesOfTheirName()
    {
        foreach (Type type in Tests.Select(m => m.DeclaringType!).Distinct())
        {
            string file = Path.Combine(s_tests, type.Namespace!["ArmVdso.Tests.".Length..].Replace('.', '/'), type.Name + ".cs");
            Assert.True(type.Name.EndsWith("Tests", StringComparison.Ordinal) && File.Exists(file), $"{type} has tests and no file {file}");
        }
    }

    /// <summary>A test of a unit starts no program: neither the command, nor an oracle. A report is of the kind that the bug
    /// needs.</summary>
    [Fact]
    public void TestsThatStartAnotherProgramAreNamedSo()
    {
        foreach ((string file, string text) in Sources.Where(s => s.File.EndsWith("Tests.cs", StringComparison.Ordinal)))
        {
            if (file.StartsWith("Reports/", StringComparison.Ordinal) || file.StartsWith("House/", StringComparison.Ordinal))
                continue;
            Match started = Started().Match(text);
            Assert.True(!started.Success || s_outside.Any(k => file.EndsWith(k + ".cs", StringComparison.Ordinal)),
                $"{file} says {started.Value} and is named like the test of a unit; kinds that start it: {string.Join(", ", s_outside)}");
        }
    }

    /// <summary>Every <c>dotnet test --filter X</c> of README, CONTRIBUTING and docs selects at least one test: one that selects
    /// none is a success for dotnet test. The short forms of docs/proofs.md are DocumentTests' business.</summary>
    [Fact]
    public void FiltersInTheDocumentsSelectTests()
    {
        string[] names = [.. Tests.Select(m => $"{m.DeclaringType!.FullName}.{m.Name}")];
        string root = GuestPrograms.RepositoryRoot;
        int filters = 0;
        foreach (string file in Directory.EnumerateFiles(root, "*.md").Concat(Directory.EnumerateFiles(Path.Combine(root, "docs"), "*.md")))
        {
            foreach (string filter in Filter().Matches(File.ReadAllText(file)).SelectMany(m => m.Groups["filter"].Value.Split('|', '&')))
            {
                string part = filter.Trim('"', '\'', ' ').Replace("FullyQualifiedName~", "", StringComparison.Ordinal);
                Assert.True(names.Any(n => n.Contains(part, StringComparison.Ordinal)), $"{file}: no test's name contains '{part}'");
                filters++;
            }
        }
        Assert.NotEqual(0, filters);
    }

    [GeneratedRegex("ArmVdsoCommand\\.Run|\"qemu-aarch64\"")]
    private static partial Regex Started();

    [GeneratedRegex("""dotnet test[^`\n]*--filter\s+(?<filter>"[^"\n]+"|'[^'\n]+'|[^\s`"']+)""")]
    private static partial Regex Filter();
}
