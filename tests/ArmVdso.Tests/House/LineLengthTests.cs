namespace ArmVdso.Tests.House;

/// <summary>Lines of what is written by hand end at 140 columns; documents are narrower, see DocumentTests. What does not yet is
/// listed in long-lines.txt, which only gets shorter. Generated files are as wide as their generator makes them, and so are rows of
/// the instruction table, each of which is one line.</summary>
public sealed class LineLengthTests
{
    private const int Columns = 140, Tab = 4;

    private static readonly string[] s_kinds = [".cs", ".S", ".c", ".h", ".cpp", ".sh", ".py", ".awk", ".lds", ".csproj", ".props"];

    [Fact]
    public void LinesEndAt140Columns()
    {
        string root = GuestPrograms.RepositoryRoot;
        (int status, string files, string errors) =
            GuestPrograms.Run("git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard");
        Assert.True(status == 0, errors);
        string[] listed = [.. File.ReadLines(Path.Join(root, "tests/ArmVdso.Tests/House/long-lines.txt")).Where(l => !l.StartsWith('#'))];
        var used = new HashSet<string>();
        var found = new List<string>();
        int count = 0;
        foreach (string file in files.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(f => s_kinds.Contains(Path.GetExtension(f))))
        {
            if (file.Contains("/Generated/", StringComparison.Ordinal) || !File.Exists(Path.Join(root, file)))
                continue;
            count++;
            int number = 0;
            foreach (string line in File.ReadLines(Path.Join(root, file)))
            {
                number++;
                int width = line.Length + (Tab - 1) * line.Count(c => c == '\t');
                if (width <= Columns)
                    continue;
                string? entry = listed.FirstOrDefault(l => file.StartsWith(l, StringComparison.Ordinal));
                if (entry is null)
                    found.Add($"{file}:{number}: {width} columns");
                else
                    used.Add(entry);
            }
        }
        Assert.True(found.Count == 0, string.Join('\n', found));
        Assert.True(used.Count == listed.Length, $"long-lines.txt lists what has no long line: {string.Join(", ", listed.Except(used))}");
        Assert.InRange(count, 100, int.MaxValue);
    }
}
