using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Emulator.Timing.InOrder;
using ArmVdso.Emulator.Timing.Instructions;
using ArmVdso.Kernel.Configuration;

namespace ArmVdso.Tests.Timing;

/// <summary>Core model files and the parts of the timing model that no single-core measurement covers.</summary>
public sealed class TimingModelTests
{
    [Theory]
    [InlineData("\"mispredict\": { \"value\": 7", "\"mispredicted\": { \"value\": 7", "parameters.mispredicted: unknown key")]
    [InlineData("\"mispredict\": { \"value\": 7", "\"mispredict\": { \"value\": \"7\"", "parameters.mispredict.value: expected an integer")]
    [InlineData("\"mispredict\": { \"value\": 7", "\"mispredict\": { \"value\": 7000", "parameters.mispredict: 7000 is not in 0..100")]
    [InlineData("\"evidence\": \"documented\"", "\"evidence\": \"guessed\"",
        "evidence: guessed is none of measured, documented, model, calibrated")]
    [InlineData("\"alu\": { \"latency\": 1", "\"alu\": { \"latencies\": 1", "classes.alu.latencies: unknown key")]
    [InlineData("\"name\": \"cortex-a53\",", "", "name: missing")]
    [InlineData("\"range\": [6, 25], ", "", "range: missing: a calibrated value states its range")]
    public void BadModelFilesAreNamedWithTheKey(string old, string replacement, string message)
    {
        string text = CoreFiles.Text("cortex-a53");
        Assert.Contains(old, text);
        int at = text.IndexOf(old, StringComparison.Ordinal);
        string bad = text[..at] + replacement + text[(at + old.Length)..];
        var error = Assert.Throws<CoreModelException>(() => CoreModel.Parse(bad, "x.json"));
        Assert.StartsWith("core model x.json: ", error.Message);
        Assert.EndsWith(message, error.Message);
        Assert.DoesNotContain('\n', error.Message);
    }

    /// <summary>Whatever a user does to a number in a copy, the file is taken or one line names the key; each entry keeps its
    /// evidence.</summary>
    [Fact]
    public void EditedCopiesAreTakenOrNamed()
    {
        foreach (string core in CoreModel.Names)
        {
            string text = CoreFiles.Text(core);
            Assert.All(CoreModel.Load(core).Timings, t =>
                Assert.True(t.Source.Length > 0 && t.Values.Length > 0 && (t.Evidence != "calibrated" || t.Range is not null)));
            int at = text.IndexOf("\"parameters\"", StringComparison.Ordinal);
            for (int i = 0; (at = text.IndexOf("\"value\": ", at, StringComparison.Ordinal)) >= 0; i++)
            {
                at += "\"value\": ".Length;
                int end = text.IndexOf(',', at);
                string edited = text[..at] + (i % 3) switch { 0 => "-1", 1 => "1000000000", _ => "1.5" } + text[end..];
                var error = Assert.Throws<CoreModelException>(() => CoreModel.Parse(edited, "mine.json"));
                Assert.StartsWith("core model mine.json: parameters.", error.Message);
                Assert.DoesNotContain('\n', error.Message);
            }
        }
    }

    [Fact]
    public void UnknownModelsAreNamed() =>
        Assert.Contains("cortex-a53", Assert.Throws<CoreModelException>(() => CoreModel.Load("cortex-z9")).Message);

    [Theory]
    [InlineData("random+ssbd", "random+ssbx",
        "software.kernel.value: there is no 'ssbx'; known: plain kpti bhb kstack-random reload ssbd ssbs preempt rseq rseq-slice "
            + "aux-clocks")]
    [InlineData("\"kernel\": {", "\"kernels\": {", "software.kernels: unknown key; known: kernel charges")]
    public void WhatIsWrongWithACoresSoftwareIsNamed(string old, string replacement, string message)
    {
        CoreModel model = CoreModel.Parse(CoreFiles.Text("cortex-a53").Replace(old, replacement, StringComparison.Ordinal), "x.json");
        Assert.Equal("core model x.json: " + message, Assert.Throws<CoreModelException>(() => KernelConfiguration.ForCore(model)).Message);
    }

    [Fact]
    public void ACoreThatSaysNothingHasTheDocumentedDefaults()
    {
        string text = CoreFiles.Text("neoverse-n1");
        int from = text.IndexOf("  \"profile\"", StringComparison.Ordinal), to = text.IndexOf("  \"parameters\"", StringComparison.Ordinal);
        CoreModel model = CoreModel.Parse(text[..from] + text[to..], "neoverse-n1.json");
        Assert.Equal("max", model.Profile);
        Assert.Equal("kstack-random+ssbd", KernelConfiguration.ForCore(model).ToString());
        // Its charges are those of the measured core of its kind.
        Assert.Equal(KernelConfiguration.ForCore(CoreModel.None) with { Charges = "neoverse-n1" }, KernelConfiguration.ForCore(model));
    }

    /// <summary>The kernel of a core reads the same ID registers as a program: where the profile lacks FEAT_SSBS, so does the
    /// configuration.</summary>
    [Fact]
    public void TheProfileOfACoreExistsAndAgreesWithItsKernel()
    {
        foreach (CoreModel model in CoreModel.Names.Select(CoreModel.Load))
        {
            var profile = CpuProfile.Load(model.Profile);
            Assert.Equal(!profile.Has("SSBS_PSTATE"), KernelConfiguration.ForCore(model).SsbdFirmware);
        }
    }

    [Fact]
    public void EveryModelTimesEveryClassAndNamesOnlyMnemonicsThatExist()
    {
        var mnemonics = new HashSet<string>();
        var classes = new HashSet<string>();
        for (int row = 1; row < RowInfo.Count; row++)
        {
            mnemonics.Add(RowInfo.Name((Row)row));
            mnemonics.Add(RowInfo.Name((Row)row).Split('_')[0]);
            classes.Add(InstructionRoles.ClassName(RowInfo.Class((Row)row)));
        }
        foreach (string name in CoreModel.Names)
        {
            CoreModel model = CoreModel.Load(name);
            Assert.Equal(name, model.Name);
            Assert.Empty(classes.Except(model.Classes));
            Assert.Empty(model.Mnemonics.Except(mnemonics));
        }
    }

    /// <summary>Mispredicted branches of a hundred, once a predictor has seen a thousand.</summary>
    private static double Mispredicted(string core, Func<int, bool> taken)
    {
        var predictor = new BranchPredictor(CoreModel.Load(core));
        int wrong = 0;
        const int Warm = 4000, Counted = 20000;
        for (int i = 0; i < Warm + Counted; i++)
        {
            const ulong Pc = 0x1000;
            bool direction = taken(i);
            Prediction made = predictor.Execute(TimingKind.Conditional, Pc, direction, direction ? Pc + 64 : Pc + 4);
            wrong += i >= Warm && made == Prediction.Mispredicted ? 1 : 0;
        }
        return 100.0 * wrong / Counted;
    }

    /// <summary>The predictor of the out-of-order core sees patterns that the two-bit counters of the others are too short for.</summary>
    [Fact]
    public void LongPatternsArePredicted()
    {
        static bool Loop(int i) => i % 37 != 36;
        Assert.True(Mispredicted("neoverse-n1", Loop) < 0.1);
        Assert.True(Mispredicted("cortex-a53", Loop) > 2);
    }

    [Fact]
    public void CausesSumToTheCycles() => TimingAccount.Check<InOrderTiming>("cortex-a53");

    [Fact]
    public void TheSameRunTakesTheSameCycles()
    {
        double Run()
        {
            using var timer = new SnippetTimer("cortex-a55");
            return timer.PerCopy([0xF8400441, 0x8B030021, 0xF9000441, 0x54000021], cpu => cpu.SetX(2, SnippetTimer.Data));
        }
        Assert.Equal(Run(), Run());
    }

    /// <summary>A chain of loads that covers 16 KB stays at the L1 latency, one over 128 KB at the L2's, one over 8 MB at the
    /// memory's.</summary>
    [Theory]
    [InlineData(16 << 10, 2.9, 3.2)]
    [InlineData(128 << 10, 22, 31)]
    [InlineData(8 << 20, 205, 306)]
    public void PointerChasesShowTheCacheLevels(int size, double low, double high)
    {
        // Quartiles of 38 Cortex-A53 boards: sbc-bench ramlat (ThomasKaiser/sbc-bench@53f795f), 64-byte lines in random order.
        double cycles = PointerChase.CyclesOfALoad("cortex-a53", size);
        Assert.InRange(cycles, low, high);
    }

    [Fact]
    public void PseudoRandomReplacementFillsASetFirstAndIsTheSameEachTime()
    {
        const int Ways = 4, Lines = 8, Rounds = 200;
        static (List<int> Misses, int Hits) Run(Replacement replacement)
        {
            var cache = new Cache(Ways * 64, Ways, 64, replacement);
            var misses = new List<int>();
            int hits = 0;
            for (int i = 0; i < Rounds * Lines; i++)
            {
                if (cache.Find((ulong)(i % Lines)) >= 0)
                {
                    hits++;
                    continue;
                }
                misses.Add(i);
                cache.Insert((ulong)(i % Lines), LineState.Shared);
                if (i < Ways)
                    Assert.All(Enumerable.Range(0, i + 1), n => Assert.True(cache.Contains((ulong)n)));
            }
            return (misses, hits);
        }
        // Going round twice as many lines as there are ways, LRU never hits.
        Assert.Equal(0, Run(Replacement.LeastRecent).Hits);
        Assert.InRange(Run(Replacement.Random).Hits, Rounds * Lines / 10, Rounds * Lines / 2);
        Assert.Equal(Run(Replacement.Random).Misses, Run(Replacement.Random).Misses);
    }

    /// <summary>Four ways: the bits lead to the half that was not used last, and there to the way that was not. A line that is prefetched
    /// leaves the one that was used last where it is.</summary>
    [Fact]
    public void ATreeOfBitsForgetsTheOrderOfTheOtherHalf()
    {
        static string Lines(Replacement replacement, bool prefetched)
        {
            var cache = new Cache(4 * 64, 4, 64, replacement);
            string Held() => string.Join(' ', Enumerable.Range(0, 6).Where(line => cache.Contains((ulong)line)));
            for (ulong line = 0; line < 4; line++)
                cache.Insert(line, LineState.Shared);
            cache.Find(0);
            // The least recently used line is 1, but it is beside 0; in the other half it is 2.
            if (prefetched)
                cache.InsertSecond(4, LineState.Shared);
            else
                cache.Insert(4, LineState.Shared);
            string first = Held();
            cache.Insert(5, LineState.Shared);
            return $"{first}, {Held()}";
        }
        Assert.Equal("0 2 3 4, 0 3 4 5", Lines(Replacement.LeastRecent, false));
        Assert.Equal("0 1 3 4, 0 3 4 5", Lines(Replacement.Tree, false));
        Assert.Equal("0 1 3 4, 0 1 4 5", Lines(Replacement.Tree, true));
    }

    [Fact]
    public void LinesMoveBetweenCores()
    {
        CoreModel model = CoreModel.Load("cortex-a53");
        var shared = new SharedCaches(model);
        var a = new Cache(32768, 4, 64);
        var b = new Cache(32768, 4, 64);
        shared.Join(a);
        shared.Join(b);
        Assert.Equal(LineSource.Memory, shared.Fetch(5, a, true, out LineState state));
        Assert.Equal(LineState.Modified, state);
        a.Insert(5, state);
        Assert.Equal(LineSource.OtherCache, shared.Fetch(5, b, false, out state));
        Assert.Equal(LineState.Shared, state);
        b.Insert(5, state);
        Assert.Equal(LineState.Shared, a.State(a.Find(5)));
        Assert.True(shared.Upgrade(5, b));
        Assert.Equal(-1, a.Find(5));
        Assert.False(shared.Upgrade(5, b));
    }
}
