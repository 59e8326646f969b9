using ArmVdso.Yardsticks;

namespace ArmVdso.Tests.Timing;

/// <summary>The yardsticks themselves: tables of other folders.</summary>
public sealed class YardstickTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("armvdso-yardsticks-").FullName;

    private IEnumerable<YardstickResult> Run(string set) => YardstickSets.All.Single(s => s.Name == set)
        .Run(YardstickData.From(_directory));

    /// <summary>Other rows, other registers, other instructions than in the tables built in.</summary>
    [Fact]
    public void TablesOfAnotherFolderAreRead()
    {
        File.WriteAllText(Path.Combine(_directory, "a53_measured.tsv"),
            "file\tname\ta53_cycles_measured\tasm_template\n" +
            "x.rs\tsub3\t2\tsub x7, x7, x6;sub x5, x5, x6;sub x4, x4, x6\n" +
            "x.rs\ttbnz_not_taken\t3\ttbnz x3, 4, 1f;fmul.2d v9, v9, v9;1:;fmul.2d v8, v8, v8\n" +
            "x.rs\tstp_two\t2\tstp {a}, {b}, [{where}];str {a}, [{where}, #16]\n" +
            "x.rs\tnonsense\t2\tfrobnicate x0\n");
        YardstickResult result = Run("a53-sequences").First();
        Assert.Equal(["sub3", "tbnz_not_taken", "stp_two"], result.Rows.Select(r => r.Name));
        Assert.Equal(3, result.Rows.Count(r => r.Model > 0));
        Assert.Contains("frobnicate x0", Assert.Single(result.Unmapped).Reason);
        Assert.Contains("no table", Assert.Single(Run("a55-loops").Single().Unmapped).Reason);
    }

    [Theory]
    [InlineData("name\tcycles\n", "no column a53_cycles_measured")]
    [InlineData("file\tname\ta53_cycles_measured\tasm_template\nx\ty\n", "row 1 has 2 columns of 4")]
    [InlineData("file\tname\ta53_cycles_measured\tasm_template\nx\ty\tmany\tnop\n", "not a number: many")]
    [InlineData("", "empty")]
    public void BadTablesAreNamed(string text, string message)
    {
        File.WriteAllText(Path.Combine(_directory, "a53_measured.tsv"), text);
        Assert.EndsWith(message, Assert.Throws<YardstickException>(() => Run("a53-sequences").ToList()).Message);
    }

    [Fact]
    public void MissingFoldersAreNamed() =>
        Assert.Equal("no folder /no/such", Assert.Throws<YardstickException>(() => YardstickData.From("/no/such")).Message);

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_directory, true);
}
