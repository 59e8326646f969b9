namespace ArmVdso.Tests.CommandLine;

/// <summary>A program of the host finds itself in its caller's folder, as under qemu-user; where that lies changes no cycle.</summary>
public sealed class CallerFolderCommandTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("armvdso-caller-").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    /// <summary>Runs the command from a folder.</summary>
    private static (int Status, string Output, string Errors) RunFrom(string folder, params string[] words) =>
        GuestPrograms.Run("sh", ["-c", "cd \"$0\" && exec \"$@\"", folder, ArmVdsoCommand.Program, "run", .. words]);

    private string Make(string name)
    {
        string folder = Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;
        File.Copy(GuestPrograms.Path("caller"), Path.Combine(folder, "prog"));
        File.WriteAllText(Path.Combine(folder, "input.txt"), "its line\n");
        return folder;
    }

    [Fact]
    public void FilesBesideAProgramAreReadAndWrittenInMemory()
    {
        string folder = Make("a");
        (int status, string output, string errors) = RunFrom(folder, "--core", "none", "./prog");
        Assert.Equal((0, "./prog read its line\n", ""), (status, output, errors));

        (status, output, errors) = RunFrom(folder, "--core", "none", "./prog", "out.txt");
        Assert.Equal((0, "./prog read its line\ncwd known\n"), (status, output));
        Assert.Equal($"armvdso: 1 file in {folder} was written to memory only; --bind {folder}:{folder} keeps such files\n", errors);
        Assert.False(File.Exists(Path.Combine(folder, "out.txt")));

        (status, output, errors) = RunFrom(folder, "--core", "none", "--bind", $"{folder}:{folder}", "./prog", "out.txt");
        Assert.Equal((0, ""), (status, errors));
        Assert.Equal("kept?\n", File.ReadAllText(Path.Combine(folder, "out.txt")));

        // A guest may call itself root: a file of the host gets no bit that would make its program run as its owner.
        (status, _, errors) = RunFrom(folder, "--core", "none", "--bind", $"{folder}:{folder}", "./prog", "set.id", "chmod");
        Assert.Equal((0, ""), (status, errors));
        Assert.Equal("755\n", GuestPrograms.Run("stat", "-c", "%a", Path.Combine(folder, "set.id")).Output);

        (status, _, errors) = RunFrom(folder, "--core", "none", "./prog", "input.txt");
        Assert.Equal("its line\n", File.ReadAllText(Path.Combine(folder, "input.txt")));
        Assert.Contains("1 file in", errors, StringComparison.Ordinal);

        (status, _, errors) = RunFrom(folder, "--core", "none", "--cwd", "/", "./prog");
        Assert.Equal((1, ""), (status, errors));
    }

    /// <summary>The same arguments give the same cycles from any folder: the program's place is told neither by AT_EXECFN nor by
    /// /proc/self/exe, whose length a C library works on.</summary>
    [Fact]
    public void ThePlaceOfAProgramChangesNoCycle()
    {
        string near = Make("n"), far = Make("a-folder-with-a-long-name/in/which/there/is/another");
        string[] counts = [.. new[] { near, far }.Select(folder => Counts(RunFrom(folder, "--stats", "./prog").Errors))];
        Assert.Contains("CPU_CYCLES", counts[0], StringComparison.Ordinal);
        Assert.Equal(counts[0], counts[1]);

        string[] named = [.. new[] { near, far }.Select(folder =>
            Counts(RunFrom(folder, "--stats", "-0", "./prog", Path.Combine(folder, "prog")).Errors))];
        Assert.Equal(counts[0], named[0]);
        Assert.Equal(counts[0], named[1]);
    }

    private static string Counts(string report) =>
        string.Join('\n', report.Split('\n').Where(line => !line.Contains("seconds of the host")));
}
