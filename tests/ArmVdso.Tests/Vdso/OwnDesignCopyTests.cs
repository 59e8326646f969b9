using ArmVdso.Kernel.Vdso;
using ArmVdso.Lab;
using ArmVdso.Lab.Check;

namespace ArmVdso.Tests.Vdso;

/// <summary>A copy of a built-in design in a folder is that design: the image to the byte, what a call takes, what check says.</summary>
public sealed class OwnDesignCopyTests
{
    public static TheoryData<string> Copied => ["per-cpu-gen", "per-cpu-seq", "per-cpu-fixup", "per-thread", "rseq"];

    [Theory]
    [MemberData(nameof(Copied))]
    public void CopyIsTheDesign(string design)
    {
        string folder = Directory.CreateTempSubdirectory("armvdso-copy-").FullName, copy = Path.Join(folder, design);
        try
        {
            ArmVdsoLab.InitDesign(copy, design);
            ArmVdsoLab.BuildDesign(copy);
            Assert.Equal(VdsoImage.Load(design).Bytes, FolderDesign.Open(copy).LoadImage()!.Bytes);
            string[] functions = design == "rseq" ? ["getcpu"] : ["getuid", "getcpu"];
            var settings = new SessionSettings { Cpus = 2 };
            Assert.Equal(
                new ArmVdsoLab(settings with { Vdso = design }).CallCycles(functions),
                new ArmVdsoLab(settings with { Vdso = copy }).CallCycles(functions));
            string[] events = ["migrate", "setresuid", "idmap-late", "newns", "threads", "mid-ids", "race"];
            Assert.Equal(Verdicts(design, functions, events), Verdicts(copy, functions, events));
        }
        finally
        {
            Directory.Delete(folder, true);
        }
    }

    private static IEnumerable<(string, string, long, long, string?)> Verdicts(string design, string[] functions, string[] events) =>
        new ArmVdsoLab().Check(design, functions, events).Cells
            .Select(c => (c.Function, c.Event, (long)c.Explored, (long)c.Failed, c.NotApplicable)).ToList();
}
