using System.Reflection;
using System.Text.RegularExpressions;

namespace ArmVdso.Tests.Documents;

/// <summary>What the documents promise about themselves: their width, where their links lead, and that the files and tests they
/// name exist.</summary>
public sealed partial class DocumentTests
{
    private const int Width = 120, TableWidth = 140, ReadmeLines = 90;
    private static readonly string Root = GuestPrograms.RepositoryRoot;

    /// <summary>The Markdown files of the tree, relative to its root.</summary>
    public static TheoryData<string> Documents { get; } =
    [
        .. Directory.EnumerateFiles(Root, "*.md").Concat(Directory.EnumerateFiles(Path.Join(Root, "docs"), "*.md"))
            .Select(f => Path.GetRelativePath(Root, f)).Order(StringComparer.Ordinal),
        "vdso-image/README.md", "kernel-model/Costs/README.md", "tests/guests/README.md", "tools/ArmVdso.Yardsticks/Data/SOURCES.md",
    ];

    private static string[] Lines(string document) => File.ReadAllLines(Path.Join(Root, document));

    /// <summary>The lines outside of fenced blocks, with their numbers; a fenced block is program output or code.</summary>
    private static IEnumerable<(int Number, string Text)> Prose(string document)
    {
        bool fenced = false;
        int number = 0;
        foreach (string line in Lines(document))
        {
            number++;
            if (line.StartsWith("```", StringComparison.Ordinal))
                fenced = !fenced;
            else if (!fenced)
                yield return (number, line);
        }
        Assert.False(fenced, $"{document}: a fenced block is not closed");
    }

    [Fact]
    public void README_is_short()
    {
        string[] lines = Lines("README.md");
        Assert.InRange(lines.Length, 1, ReadmeLines);
        foreach (string line in lines)
            Assert.True(line.Length <= Width, $"README.md: {line.Length} columns: {line}");
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void Lines_fit(string document)
    {
        foreach ((int number, string line) in Prose(document))
        {
            int most = line.StartsWith('|') ? TableWidth : Width;
            Assert.True(line.Length <= most, $"{document}:{number}: {line.Length} columns");
        }
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void Links_lead_somewhere(string document)
    {
        string folder = Path.GetDirectoryName(Path.Join(Root, document))!;
        foreach ((int number, string line) in Prose(document))
        {
            foreach (string target in Link().Matches(line).Select(m => m.Groups[1].Value))
            {
                if (target.Contains("://", StringComparison.Ordinal))
                    continue;
                string[] parts = target.Split('#', 2);
                string file = parts[0].Length == 0 ? document : Path.GetRelativePath(Root, Path.GetFullPath(parts[0], folder));
                Assert.True(Path.Exists(Path.Join(Root, file)), $"{document}:{number}: there is no {target}");
                if (parts.Length == 2)
                    Assert.True(Anchors(file).Contains(parts[1]), $"{document}:{number}: {file} has no heading {parts[1]}");
            }
        }
    }

    [Fact]
    public void The_site_leads_to_every_page()
    {
        string contents = File.ReadAllText(Path.Join(Root, "packaging", "site", "toc.yml"));
        IEnumerable<string> pages = ((IEnumerable<object[]>)Documents).Select(d => (string)d[0])
            .Where(d => !d.Contains('/') || d.StartsWith("docs/", StringComparison.Ordinal));
        Assert.All(pages, p => Assert.Contains($"href: ../../{p} }}", contents));
    }

    /// <summary>Names of headings as GitHub makes them: small letters, blanks as hyphens, other signs left out.</summary>
    private static HashSet<string> Anchors(string document) =>
    [
        .. Prose(document).Where(l => l.Text.StartsWith('#'))
            .Select(l => NoAnchorSign().Replace(l.Text.TrimStart('#').Trim().ToLowerInvariant(), "").Replace(' ', '-')),
    ];

    [Theory]
    [MemberData(nameof(Documents))]
    public void Files_that_are_named_exist(string document)
    {
        string folder = Path.GetDirectoryName(Path.Join(Root, document))!;
        foreach ((int number, string line) in Prose(document))
        {
            foreach (string name in Code().Matches(line).Select(m => m.Groups[1].Value.Split(' ')[0].Split(':')[0]))
            {
                if (IsFileName(name))
                    Assert.True(Exists(Root, name) || Exists(folder, name), $"{document}:{number}: there is no {name}");
            }
        }
    }

    /// <summary>A relative name with a slash whose first part is something in the root, or that ends like a source file.</summary>
    private static bool IsFileName(string name) =>
        FileName().IsMatch(name) && (Path.Exists(Path.Join(Root, name.Split('/')[0])) || SourceFile().IsMatch(name));

    /// <summary>Stars and words in capitals (NAME, DESIGN) stand for anything.</summary>
    private static bool Exists(string folder, string name)
    {
        string pattern = Placeholder().Replace(name.TrimEnd('/'), "*");
        string at = Path.Join(folder, Path.GetDirectoryName(pattern));
        return Directory.Exists(at) && Directory.EnumerateFileSystemEntries(at, Path.GetFileName(pattern)).Any();
    }

    [Theory]
    [MemberData(nameof(Documents))]
    public void Tests_that_are_named_exist(string document)
    {
        foreach ((int number, string line) in Prose(document))
        {
            foreach (string code in Code().Matches(line).Select(m => m.Groups[1].Value))
            {
                // "T NAME" in docs/proofs.md is dotnet test --filter NAME.
                string? name = TestName().Match(code) is { Success: true } test ? test.Value
                    : Filter().Match(code) is { Success: true } filter ? filter.Groups[1].Value : null;
                if (name is not null)
                    Assert.True(TestMembers.Any(m => m.Contains(name, StringComparison.Ordinal)),
                        $"{document}:{number}: no test has '{name}' in its name");
            }
        }
    }

    private const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static;

    private static readonly string[] TestMembers =
    [
        .. typeof(DocumentTests).Assembly.GetTypes()
            .Where(t => t.Namespace?.StartsWith("ArmVdso.Tests", StringComparison.Ordinal) is true)
            .SelectMany(t => t.GetMembers(All).Select(m => $"{t.FullName}.{m.Name}").Append(t.FullName!)),
    ];

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex NoAnchorSign();

    [GeneratedRegex(@"^\.?\w[\w.*-]*(/[\w.*-]+)+/?$|^\.?\w[\w.-]*/$")]
    private static partial Regex FileName();

    [GeneratedRegex(@"\.(cs|csproj|c|h|S|lds|sh|py|tsv|json|md|isa|txt|cpp|elf|so)$")]
    private static partial Regex SourceFile();

    [GeneratedRegex(@"\b[A-Z]{4,}\b")]
    private static partial Regex Placeholder();

    [GeneratedRegex(@"^\w+Tests(\.\w+)?$")]
    private static partial Regex TestName();

    [GeneratedRegex(@"^(?:ARMVDSO_LONG=1 )?T (\w+)$")]
    private static partial Regex Filter();
}
