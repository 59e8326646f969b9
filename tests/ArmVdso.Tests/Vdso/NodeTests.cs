using ArmVdso.Lab;
using ArmVdso.Lab.Check;
using ArmVdso.Lab.Designs;

namespace ArmVdso.Tests.Vdso;

/// <summary>NUMA nodes: what getcpu says of a CPU is one answer, whose halves belong together.</summary>
public sealed class NodeTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("armvdso-nodes-").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    private static CheckVerdict Migrated(string design, int nodes)
    {
        CheckResult result = new ArmVdsoLab(new SessionSettings { Core = "none", Nodes = nodes }).Check(design, ["getcpu"], ["migrate"]);
        Assert.Equal(nodes, result.Bounds.Nodes);
        return result.Cells.Single(c => c.Event == "migrate").Verdict;
    }

    [Theory]
    [MemberData(nameof(KnownDesigns.Mended), MemberType = typeof(KnownDesigns))]
    public void CpuAndNodeBelongTogether(string design) => Assert.Equal(CheckVerdict.Proved, Migrated(design, 2));

    /// <summary>The rseq area has both, in words apart: who reads both there sees a pair that never was. With one node nobody can tell.
    /// </summary>
    [Fact]
    public void TwoWordsOfAnAreaAreTwoAnswers()
    {
        string copy = Path.Join(_folder, "apart");
        ArmVdsoLab.InitDesign(copy, "rseq");
        string header = Directory.EnumerateFiles(copy, "rseq.h", SearchOption.AllDirectories).Single();
        string text = File.ReadAllText(header), careless = text.Replace(
            "READ_ONCE(_vdso_data.cpu_data[cpu_value].node)", "READ_ONCE(__rseq->node_id)", StringComparison.Ordinal);
        Assert.NotEqual(text, careless);
        File.WriteAllText(header, careless);
        ArmVdsoLab.BuildDesign(copy);
        Assert.Equal((CheckVerdict.Proved, CheckVerdict.Failed), (Migrated(copy, 1), Migrated(copy, 2)));
    }

    /// <summary>The cold calls of a comparison are on one CPU, which has one node.</summary>
    [Fact]
    public void DesignsAreComparedOnNodes()
    {
        var lab = new ArmVdsoLab(new SessionSettings { Core = "none", Nodes = 2 });
        DesignFigures rseq = Assert.Single(lab.CompareDesigns(["rseq"], ["getcpu"], 2).Designs);
        Assert.NotEmpty(rseq.Name);
    }

    [Fact]
    public void NodesHaveCpus()
    {
        var lab = new ArmVdsoLab(new SessionSettings { Core = "none", Nodes = 3 });
        LabException e = Assert.Throws<LabException>(() => lab.Check("rseq", ["getcpu"], ["irq"]));
        Assert.Contains("nodes: 3 for 2 CPUs", e.Message, StringComparison.Ordinal);
    }
}
