namespace ArmVdso.Tests.Documents;

/// <summary>Figures of the documents are what the commands beside them print (tools/docs-figures). The usual run takes those that take no
/// time; ARMVDSO_LONG=1 takes all.</summary>
public sealed class DocumentFiguresCommandTests
{
    private static (int Status, string Said) Figures(params string[] arguments)
    {
        (int status, string output, string errors) = GuestPrograms.Run(
            Path.Join(GuestPrograms.RepositoryRoot, "tools", "docs-figures"), ["--command", ArmVdsoCommand.Program, .. arguments]);
        return (status, output + errors);
    }

    [Fact]
    public void FiguresAreWhatTheCommandsPrint()
    {
        bool all = Environment.GetEnvironmentVariable("ARMVDSO_LONG") == "1";
        (int status, string said) = all ? Figures("--check") : Figures("--check", "--fast");
        Assert.True(status == 0, said);
        Assert.DoesNotMatch("(?m)^0 commands", said);
    }

    /// <summary>In prose, in a table, and in a block; over the end of a line.</summary>
    [Fact]
    public void AnOldFigureIsToldAndRenewed()
    {
        const string block = "<!-- figures fast: echo 8 cycles -->\n```\n9 cycles\n```\n",
            prose = "\n<!-- figures:\necho 'takes 1,012 cycles'\necho 0.23 calls\n-->\nOf 7 it takes\n900 cycles, from 0.2 calls on.\n",
            table = "\n<!-- figures: echo '5 4 3' | row 'x, % more' -->\n\n| a |\n| x, % more | 1 | 2 | 33 |\n\n3 more\n";
        string file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, block + prose + table);
            (int status, string said) = Figures("--check", file);
            Assert.Equal(1, status);
            Assert.Contains("-9 cycles\n", said, StringComparison.Ordinal);
            Assert.Contains("+1,012 cycles, from 0.23 calls on.\n", said, StringComparison.Ordinal);
            Assert.Equal(block + prose + table, File.ReadAllText(file));
            Assert.Equal(0, Figures("--fast", file).Status);
            Assert.Equal(block.Replace("9 cycles", "8 cycles", StringComparison.Ordinal) + prose + table, File.ReadAllText(file));
            Assert.Equal(0, Figures(file).Status);
            Assert.EndsWith("| x, % more | 5 | 4 | 3 |\n\n3 more\n", File.ReadAllText(file), StringComparison.Ordinal);
            Assert.Equal(0, Figures("--check", file).Status);
            File.WriteAllText(file, "<!-- figures: echo 8 cycles -->\n9 rounds\n");
            Assert.Contains("'8 cycles' is there 0 times", Figures("--check", file).Said, StringComparison.Ordinal);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
