using ArmVdso.Fuzz;
using ArmVdso.Lab;

namespace ArmVdso.Tests.Programs;

/// <summary>A slice of what tools/ArmVdso.Fuzz does, and what it would notice. ARMVDSO_LONG=1: a hundred times as much.</summary>
public sealed class FuzzTests
{
    private static readonly ulong s_times = Environment.GetEnvironmentVariable("ARMVDSO_LONG") is "1" ? 100u : 1;

    /// <summary>Findings and what was said.</summary>
    private static (int Findings, string Text) Run(Fuzzer fuzzer, ulong budget, double hang = 60)
    {
        var lines = new List<string>();
        var run = new FuzzRun { Seed = 20260101, Budget = budget, HangSeconds = hang, Say = lines.Add };
        return (run.Run(fuzzer), string.Join('\n', lines));
    }

    /// <summary>Nothing is found, and the cases got through the door.</summary>
    [Theory]
    [InlineData("elf", 2000, "ended", 500)]
    [InlineData("elf", 2000, "refused", 500)]
    [InlineData("calls", 2000, "calls", 15_000)]
    [InlineData("terminal", 200, "calls", 5_000)]
    [InlineData("program", 60, "ended", 15)]
    [InlineData("vdso", 60, "ended", 10)]
    [InlineData("core", 60, "refused", 20)]
    [InlineData("words", 100_000, "programs", 3)]
    public void NothingIsFound(string kind, ulong budget, string outcome, ulong atLeast)
    {
        Fuzzer fuzzer = FuzzRun.All().Single(f => f.Name == kind);
        (int findings, string text) = Run(fuzzer, budget * s_times);
        Assert.True(findings == 0, text);
        Assert.True(fuzzer.Outcomes[outcome] >= atLeast * s_times, text);
    }

    /// <summary>The guest waits for ever, or computes for ever: both are found.</summary>
    [Theory]
    [InlineData("sleep", "every task of the guest waits")]
    [InlineData("loop", "a hang")]
    public void AHangIsFound(string what, string message)
    {
        (int findings, string text) = Run(new GuestFuzzer(what, "cases", 1, 1, 1), 1, hang: 0.3);
        Assert.Equal(1, findings);
        Assert.Contains($"{what}: found with --seed 20260101 --budget 1: {message}", text);
    }

    /// <summary>Found by the kind "core": what the program needs and the file does not have was an exception.</summary>
    [Fact]
    public void ACoreWithoutATimingThatIsNeededIsRefused()
    {
        string[] lines = CoreModel.TextOf("cortex-a53").Split('\n');
        string path = Path.Combine(Directory.CreateTempSubdirectory("armvdso-core-").FullName, "core.json");
        File.WriteAllLines(path, lines.Where(l => !l.TrimStart().StartsWith("\"load\":", StringComparison.Ordinal)));
        var lab = new ArmVdsoLab(new SessionSettings { Core = path });
        LabException refused = Assert.Throws<LabException>(() => lab.Run(GuestPrograms.Path("hello")));
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        Assert.Equal(LabFault.Input, refused.Fault);
        Assert.Contains("classes: no timing for class load", refused.Message);
    }

    /// <summary>A guest that does not live to its last line is found.</summary>
    [Fact]
    public void AGuestThatEndsEarlyIsFound()
    {
        (int findings, string text) = Run(new GuestFuzzer("nothing", "cases", 1, 1, 1), 1);
        Assert.Equal(1, findings);
        Assert.Contains("the guest failed, status 5", text);
    }

    /// <summary>An exception out of a case is found, and the others go on.</summary>
    [Fact]
    public void AnExceptionIsFoundAndTheFileIsKept()
    {
        (int findings, string text) = Run(new Breaking(), 200);
        string[] kept = Directory.GetFiles(Path.GetTempPath(), "armvdso-fuzz-breaking-*");
        Array.ForEach(kept, File.Delete);
        Assert.Equal(2, findings);
        Assert.Equal(2, kept.Length);
        Assert.Contains("kept as ", text);
        Assert.Contains("200 mutants, seeds 20260101 to 20260102, 2 findings", text);
    }

    private sealed class Breaking : FileFuzzer
    {
        public override string Name => "breaking";

        public override ulong UsualBudget => 1;

        protected override IReadOnlyList<(string Name, byte[] Bytes)> Seeds { get; } = [("seed", new byte[64])];

        protected override byte[] Mutate(byte[] bytes, Random random) => [.. bytes, 1];

        protected override string Use(string name, string path, HangWatch watch)
        {
            byte[] bytes = File.ReadAllBytes(path);
            return bytes.Length == 64 && Array.TrueForAll(bytes, b => b == 0) ? "ended" : throw new FindingException("it broke");
        }
    }
}
