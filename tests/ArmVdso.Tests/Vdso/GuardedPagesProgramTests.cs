using System.Text.RegularExpressions;
using ArmVdso.Lab;

namespace ArmVdso.Tests.Vdso;

/// <summary>Field bti of a design in a folder.</summary>
public sealed partial class GuardedPagesProgramTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("armvdso-guarded-").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    private string Own => Path.Join(_folder, "own");

    /// <summary>Guarded pages: with landing pads a design is what it is without; an image that has none is SIGILL at its first call, where
    /// the CPU has FEAT_BTI.</summary>
    [Fact]
    public void GuardedPagesNeedLandingPads()
    {
        ArmVdsoLab.InitDesign(Own, "per-cpu-gen");
        ArmVdsoLab.BuildDesign(Own);
        const string plain = "plain.so";
        File.Copy(Path.Join(Own, "built", "vdso.so"), Path.Join(Own, plain));
        string ini = Path.Join(Own, "design.ini");
        File.WriteAllText(ini, File.ReadAllText(ini).Replace("image-sources", "bti = yes\nimage-sources", StringComparison.Ordinal));
        ArmVdsoLab.BuildDesign(Own);
        Assert.True(new ArmVdsoLab().Check(Own, ["getpid"], ["migrate"]).Held);
        Assert.Equal(0, Calls("max"));
        File.WriteAllText(ini, Sources().Replace(File.ReadAllText(ini), $"image = {plain}"));
        ArmVdsoLab.BuildDesign(Own);
        Assert.Equal(0, Calls("cortex-a53"));
        Assert.Equal(132, Calls("max"));

        int Calls(string cpu) => ArmVdsoCommand.Run(
            "run", "--core", "none", "--cpu", cpu, "--vdso", Own, GuestPrograms.Path("vdso_identity")).Status;
    }

    [GeneratedRegex("^image-sources.*(\n[ \t]+.*)*", RegexOptions.Multiline)]
    private static partial Regex Sources();
}
