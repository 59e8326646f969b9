namespace ArmVdso.Tests.House;

/// <summary>Lines of what is written by hand end at 140 columns; documents are narrower, see DocumentTests. Generated files are as wide
/// as their generator makes them, so are rows of the instruction table, each of which is one line, and inputs of the pool's programs,
/// on whose bytes recorded outputs rest.</summary>
public sealed class LineLengthTests
{
    private const int Columns = 140, Tab = 4;

    private static readonly string[] s_kinds = [".cs", ".S", ".c", ".h", ".cpp", ".sh", ".py", ".awk", ".lds", ".csproj", ".props"];

    private static readonly string[] s_elsewhere = ["/Generated/", "tests/guests/inputs/"];

    [Fact]
    public void LinesEndAt140Columns()
    {
        string root = GuestPrograms.RepositoryRoot;
        (int status, string files, string errors) =
            GuestPrograms.Run("git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard");
        Assert.True(status == 0, errors);
        var found = new List<string>();
        int count = 0;
        foreach (string file in files.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(f => s_kinds.Contains(Path.GetExtension(f))))
        {
            if (s_elsewhere.Any(e => file.Contains(e, StringComparison.Ordinal)) || !File.Exists(Path.Join(root, file)))
                continue;
            count++;
            int number = 0;
            foreach (string line in File.ReadLines(Path.Join(root, file)))
            {
                number++;
                int width = line.Length + (Tab - 1) * line.Count(c => c == '\t');
                if (width > Columns)
                    found.Add($"{file}:{number}: {width} columns");
            }
        }
        Assert.True(found.Count == 0, string.Join('\n', found));
        Assert.InRange(count, 100, int.MaxValue);
    }
}
