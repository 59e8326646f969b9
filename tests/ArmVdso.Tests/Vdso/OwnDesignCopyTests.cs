using ArmVdso.Kernel.Vdso;
using ArmVdso.Lab;
using ArmVdso.Lab.Check;
using ArmVdso.Lab.Designs;

namespace ArmVdso.Tests.Vdso;

/// <summary>A copy of one of our own designs in a folder is that design, to the byte and to the digit: image and hooks, what calls,
/// switches and changes of credentials take, what check says. The usual run compares the bytes of all, and figures and verdicts of some;
/// ARMVDSO_LONG=1 takes all functions and events of all.</summary>
public sealed class OwnDesignCopyTests : IDisposable
{
    private static readonly string[] s_variants = ["per-cpu,fix=all", "per-cpu,fix=cred+ns", "per-cpu,fix=reparent"];

    private readonly string _folder = Directory.CreateTempSubdirectory("armvdso-copy-").FullName;

    public static TheoryData<string> Copied => [.. VdsoDesigns.WithImage, .. s_variants];

    private static bool Long => Environment.GetEnvironmentVariable("ARMVDSO_LONG") == "1";

    public void Dispose() => Directory.Delete(_folder, true);

    private string Copy(string design)
    {
        string copy = Path.Join(_folder, "copy");
        ArmVdsoLab.InitDesign(copy, design);
        ArmVdsoLab.BuildDesign(copy);
        return copy;
    }

    [Theory]
    [MemberData(nameof(Copied))]
    public void CopyIsTheDesign(string design)
    {
        string copy = Copy(design), name = design.Split(',')[0];
        FolderDesign ours = (FolderDesign)VdsoDesigns.Create(design), theirs = FolderDesign.Open(copy);
        Assert.Equal(ours.LoadImage()!.Bytes, theirs.LoadImage()!.Bytes);
        Assert.Equal(
            File.ReadAllBytes(Path.Join(GuestPrograms.RepositoryRoot, $"kernel-model/El1/bin/hooks-{name}.elf")),
            File.ReadAllBytes(Path.Join(copy, "built", "hooks.elf")));
        Assert.Equal(
            (ours.Name, ours.Description, ours.RegisterMeaning, ours.Leaves, ours.RestoresRegister),
            (theirs.Name, theirs.Description, theirs.RegisterMeaning, theirs.Leaves, theirs.RestoresRegister));
        VdsoImage image = ours.LoadImage()!;
        Assert.All(theirs.LoadImage()!.LayoutNames.Where(n => n is not ("data.size" or "thread_pages")),
            n => Assert.Equal((n, image.Layout(n)), (n, theirs.LoadImage()!.Layout(n))));
        if (Long)
        {
            Assert.Equal(Figures(design, null), Figures(copy, null));
            Assert.Equal(Verdicts(design, null, null), Verdicts(copy, null, null));
        }
        else if (design is "per-cpu-gen" or "per-thread" or "per-cpu,fix=cred+ns")
        {
            string[] functions = ["getuid", "getcpu"];
            var settings = new SessionSettings { Cpus = 2 };
            Assert.Equal(
                new ArmVdsoLab(settings with { Vdso = design }).CallCycles(functions),
                new ArmVdsoLab(settings with { Vdso = copy }).CallCycles(functions));
            string[] events = ["setresuid", "idmap-late", "reparent-late"];
            Assert.Equal(Verdicts(design, ["getuid"], events), Verdicts(copy, ["getuid"], events));
        }
    }

    /// <summary>What compare says of a design.</summary>
    private static List<string> Figures(string design, string[]? functions)
    {
        var settings = new SessionSettings { Cpus = 2 };
        DesignFigures d = new ArmVdsoLab(settings).CompareDesigns([design], functions).Designs[0];
        IEnumerable<(string, IReadOnlyDictionary<string, CallFigures>)> tables =
            [("warm", d.Warm), ("cold", d.Cold), ("svc", d.SyscallsWarm), ("cold svc", d.SyscallsCold)];
        return [
            .. tables.SelectMany(t => t.Item2.OrderBy(f => f.Key, StringComparer.Ordinal).Select(f => $"{t.Item1} {f.Key}: {f.Value}")),
            $"switch {d.SwitchCycles} of {d.Switches}, pages {d.SharedPages} {string.Join(' ', d.SharedPagesComputed)}",
            string.Join(' ', d.ProcessPages)];
    }

    private static List<string> Verdicts(string design, string[]? functions, string[]? events) =>
    [
        .. new ArmVdsoLab().Check(design, functions, events).Cells.Select(c =>
            $"{c.Function} {c.Event}: {c.Verdict}, {c.Explored} explored, {c.Failed} failed, {c.FellBack} fell back, {c.Inside} inside, "
            + $"{c.Further} further, {c.FurtherFellBack} of them fell back; {c.What} {c.NotApplicable}"),
    ];

    /// <summary>The same faults are found, and of the same it is known that they change no answer.</summary>
    [Fact]
    public void MutantsOfACopyAreThoseOfTheDesign()
    {
        string copy = Copy("per-cpu-seq");
        string[] functions = ["getpid"];
        List<MutantResult> ours = [.. new ArmVdsoLab().HuntMutants("per-cpu-seq", functions)];
        Assert.Equal(2, ours.Count(m => m.Harmless is not null));
        // None of the clock update: no function is a clock.
        Assert.DoesNotContain(ours, m => m.Mutant.StartsWith("writer-", StringComparison.Ordinal));
        Assert.Equal(
            ours.Select(m => (m.Mutant, m.Places, m.Harmless, string.Join(' ', m.FoundBy))),
            new ArmVdsoLab().HuntMutants(copy, functions).Select(m => (m.Mutant, m.Places, m.Harmless, string.Join(' ', m.FoundBy))));
    }

    /// <summary>A folder's defects are mended by its own file or by who names it.</summary>
    [Fact]
    public void FixesOfAFolderAreItsOwn()
    {
        string copy = Copy("per-cpu");
        Assert.Equal(new[] { "egid", "ns" }, ((FolderDesign)VdsoDesigns.Create($"{copy},fix=egid+ns")).File.Fixed);
        Assert.False(FolderDesign.Open(copy).RestoresRegister);
        Assert.True(FolderDesign.Open(copy, "trampoline").RestoresRegister);
        Assert.Contains("known: egid, ns", Assert.Throws<ArgumentException>(() => FolderDesign.Open(copy, "egit")).Message,
            StringComparison.Ordinal);
        LabException e = Assert.Throws<LabException>(() => ArmVdsoLab.InitDesign(Path.Join(_folder, "other"), "per-thread,fix=egid"));
        Assert.Contains("has no defects", e.Message, StringComparison.Ordinal);
    }
}
