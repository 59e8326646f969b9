using System.Text.RegularExpressions;

namespace ArmVdso.Tests.House;

/// <summary>The rule of the house: who may reference whom, what the emulator must not know, where unsafe code lives.</summary>
public sealed class ArchitectureTests
{
    private static readonly string Root = GuestPrograms.RepositoryRoot;

    private static IEnumerable<string> Sources(string room, string pattern = "*.cs") =>
        Directory.EnumerateFiles(Path.Join(Root, room), pattern, SearchOption.AllDirectories)
            .Where(f => !f.Contains("/obj/", StringComparison.Ordinal) && !f.Contains("/bin/", StringComparison.Ordinal));

    [Fact]
    public void TheEmulatorReferencesNothing() =>
        Assert.DoesNotContain("ProjectReference", File.ReadAllText(Path.Join(Root, "emulator/ArmVdso.Emulator.csproj")));

    [Fact]
    public void TheKernelModelReferencesTheEmulatorAlone()
    {
        MatchCollection references = Regex.Matches(File.ReadAllText(Path.Join(Root, "kernel-model/ArmVdso.Kernel.csproj")),
            "ProjectReference Include=\"([^\"]+)\"");
        Assert.Equal(["../emulator/ArmVdso.Emulator.csproj"], references.Select(m => m.Groups[1].Value));
    }

    [Fact]
    public void TheEmulatorKnowsNothingOfLinux()
    {
        var banned = new Regex(@"\b(pid|fd|syscall|pids|fds|syscalls)\b", RegexOptions.IgnoreCase);
        foreach (string file in Sources("emulator"))
        {
            Match match = banned.Match(File.ReadAllText(file));
            Assert.False(match.Success, $"{file} says '{match.Value}'");
        }
    }

    [Fact]
    public void TheVdsoImageKnowsNoCSharp() => Assert.Empty(Sources("vdso-image"));

    /// <summary>A program that asks the laboratory gets answers, not prints; and what it cannot ask, the command cannot either.</summary>
    [Fact]
    public void TheLaboratoryKnowsNoConsoleAndHidesNothingFromTheCommand()
    {
        var banned = new Regex(@"\bConsole\b|(?<![\w.])Environment\.");
        foreach (string file in Sources("tools/ArmVdso.Lab"))
        {
            Match match = banned.Match(File.ReadAllText(file));
            Assert.False(match.Success, $"{file} says '{match.Value}'");
        }
        Assert.DoesNotContain("InternalsVisibleTo", File.ReadAllText(Path.Join(Root, "tools/ArmVdso.Lab/ArmVdso.Lab.csproj")));
    }

    [Fact]
    public void UnsafeCodeIsInFilesNamedSo()
    {
        foreach (string room in new[] { "emulator", "kernel-model", "tools", "tests" })
        {
            foreach (string file in Sources(room).Where(f => !f.EndsWith(".Unsafe.cs", StringComparison.Ordinal)))
                Assert.False(Regex.IsMatch(File.ReadAllText(file), @"^\s*[^/\s].*\bunsafe\b|^\s*unsafe\b", RegexOptions.Multiline)
                    && !file.EndsWith("ArchitectureTests.cs", StringComparison.Ordinal), $"{file} has unsafe code");
        }
    }
}
