using ArmVdso.Lab;
using ArmVdso.Lab.Check;
using ArmVdso.Lab.Designs;

namespace ArmVdso.Tests.Vdso;

/// <summary>Designs built for 4,096 CPUs: the pages that compare computes are those that the built one maps, it answers, and who cannot
/// have so many says so. And as many threads as a process can have slots for.</summary>
public sealed class ManyCpusProgramTests : IDisposable
{
    private const int Cpus = 4096;

    private readonly string _folder = Directory.CreateTempSubdirectory("armvdso-4096-").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    private string Build(string design)
    {
        string at = Path.Join(_folder, design), layout = Path.Join(at, "include", "vdso", "layout.h");
        ArmVdsoLab.InitDesign(at, design);
        string text = File.ReadAllText(layout), many = text.Replace("#define NR_CPUS\t\t64\n", $"#define NR_CPUS\t\t{Cpus}\n");
        Assert.NotEqual(text, many);
        File.WriteAllText(layout, many);
        ArmVdsoLab.BuildDesign(at);
        return at;
    }

    private static DesignFigures Figures(string design) =>
        new ArmVdsoLab(new SessionSettings { Core = "none" }).CompareDesigns([design], ["getcpu"], 2).Designs.Single();

    [Theory]
    [InlineData("per-cpu")]
    [InlineData("per-cpu-seq")]
    [InlineData("per-cpu-fixup")]
    [InlineData("per-thread")]
    public void AreThePagesThatAreComputed(string design)
    {
        int? computed = Figures(design).SharedPagesComputed.Single(p => p.Cpus == Cpus).Pages;
        string built = Build(design);
        Assert.Equal(computed, Figures(built).SharedPages);
        CheckResult result = new ArmVdsoLab(new SessionSettings()).Check(built, ["getcpu"], ["migrate", "irq"]);
        Assert.All(result.Cells.Where(c => c.Event == "irq"), c => Assert.Equal((0L, 0L), (c.Failed, c.FellBack)));
    }

    /// <summary>127 pages of 64 slots: threads beyond have no place of their own, and ask the kernel; the pages are there with the
    /// threads.</summary>
    [Theory]
    [InlineData("per-thread", 1, 8200, "8128 with a place, 130 pages")]
    [InlineData("per-thread", 8, 1025, "8200 with a place, 20 pages")]
    [InlineData("per-thread", 200, 1, "200 with a place, 4 pages")]
    [InlineData("per-cpu-gen", 1, 8200, "8200 with a place, 4 pages")]
    public void ThreadsHavePlacesWhereThePagesReach(string design, int processes, int threads, string said)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
            "run", "--core", "none", "--vdso", design, GuestPrograms.Path("slots"), $"{processes}", $"{threads}");
        Assert.Contains($"{processes} processes, {processes * threads} threads alive, {said}", result.Output);
    }

    /// <summary>16 bits of offset: the design has no slot for the last CPUs, whatever the image was built for.</summary>
    [Fact]
    public void AnOffsetOfSixteenBitsLeadsToNoMore()
    {
        IReadOnlyList<SharedPages> pages = Figures(Build("per-cpu-gen")).SharedPagesComputed;
        Assert.Null(pages.Single(p => p.Cpus == Cpus).Pages);
        Assert.NotNull(pages.Single(p => p.Cpus == 64).Pages);
    }
}
