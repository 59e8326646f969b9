using System.Globalization;
using ArmVdso.Yardsticks;
using ArmVdso.Yardsticks.Programs;

namespace ArmVdso.Tests.Timing;

/// <summary>The programs of the yardsticks against qemu-aarch64.</summary>
public sealed class YardstickProgramTests : IDisposable
{
    private readonly string _directory = Directory.CreateTempSubdirectory("armvdso-yardsticks-").FullName;

    private static string Programs => Path.Combine(GuestPrograms.RepositoryRoot, "tools", "ArmVdso.Yardsticks", "Programs");

    /// <summary>The programs compute what the same sources compute under qemu-aarch64.</summary>
    [Theory]
    [InlineData("dhrystone_like", 37)]
    [InlineData("coremark_like", 3)]
    [InlineData("quicksort", 3)]
    [InlineData("interpreter", 10)]
    public void ProgramsGiveQemusChecksums(string name, ulong rounds)
    {
        string main = Path.Combine(_directory, "main.c");
        string guest = Path.Combine(_directory, name);
        File.WriteAllText(main, $"#include <stdio.h>\nunsigned long run(unsigned long);\nint main(void) {{ run({rounds}); "
            + $"printf(\"%lu\\n\", run({rounds})); }}\n");
        Host("aarch64-linux-gnu-gcc", "-O2", "-std=gnu11", "-static", "-o", guest, main, Path.Combine(Programs, name + ".c"));
        ulong expected = ulong.Parse(Host("qemu-aarch64", guest), CultureInfo.InvariantCulture);
        foreach (string level in (string[])["O2", "O3"])
            Assert.Equal(expected, ProgramSet.Execute("none", $"{name}-{level}", rounds).Checksum);
    }

    /// <summary>Branches that repeat are predicted, a comparison of random numbers is not: of quicksort's mispredictions there are as
    /// many as a coin's throws make. An indirect branch of an interpreter needs a history, which the Cortex-A53 has not.</summary>
    [Fact]
    public void RatesAreThoseOfTheProgramsPatterns()
    {
        const string Published = "core\tprogram\tpercent\tsource\ncortex-a53\tquicksort\t25\tnobody\ncortex-a53\tother\t5\tsomebody\n";
        File.WriteAllText(Path.Combine(_directory, "predictions_published.tsv"), Published);
        YardstickData data = YardstickData.From(_directory);
        IReadOnlyList<PredictionRow> small = PredictionSet.Rows(data, "cortex-a53");
        IReadOnlyList<PredictionRow> large = PredictionSet.Rows(data, "neoverse-n1");
        static PredictionFigures Of(IReadOnlyList<PredictionRow> rows, string program) =>
            rows.Single(r => r.Program == program).Figures!.Value;
        foreach (IReadOnlyList<PredictionRow> rows in (IReadOnlyList<PredictionRow>[])[small, large])
        {
            Assert.InRange(Of(rows, "dhrystone_like -O2").Rate, 0, 0.001);
            Assert.InRange(Of(rows, "quicksort -O2").Rate, 0.15, 0.35);
            PredictionFigures sorted = Of(rows, "quicksort -O2");
            Assert.Equal((double)sorted.Mispredicts / sorted.Branches, sorted.Rate);
            Assert.Equal(1000.0 * sorted.Mispredicts / sorted.Instructions, sorted.PerThousand);
            Assert.InRange(sorted.Lost, sorted.Mispredicts, sorted.Cycles);
        }
        Assert.True(Of(small, "interpreter -O2").Rate > 5 * Of(large, "interpreter -O2").Rate);
        Assert.Equal(Of(small, "interpreter -O2").Branches, Of(large, "interpreter -O2").Branches);
        Assert.Equal([0.25, 0.25, 0.05], small.Where(r => r.Published is not null).Select(r => r.Published!.Value));
        Assert.Null(small.Single(r => r.Program == "other").Figures);
        Assert.All(large, r => Assert.Null(r.Published));
    }

    private static string Host(string program, params string[] arguments)
    {
        (int status, string output, string errors) = GuestPrograms.Run(program, arguments);
        Assert.True(status == 0, errors);
        return output.Trim();
    }

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(_directory, true);
}
