using System.Reflection;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using ArmVdso.Emulator.Engine.Lockstep;
using ArmVdso.Emulator.Engine.Native;
using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.InOrder;
using ArmVdso.Emulator.Timing.Memo;

namespace ArmVdso.Tests.Timing;

/// <summary>The memoised timing of blocks gives the cycles and counters of the pipeline stepped instruction by instruction.</summary>
public sealed partial class MemoisedTimingLockstepTests
{
    /// <summary>All core models; and each with caches and TLBs so small that everything misses all the time.</summary>
    public static TheoryData<string, bool> Cores()
    {
        var data = new TheoryData<string, bool>();
        foreach (string name in CoreModel.Names)
        {
            data.Add(name, false);
            data.Add(name, true);
        }
        return data;
    }

    private static string CoreFile(string name, bool small, Replacement replacement = Replacement.LeastRecent) => !small ? name : CoreFile(
        name, $"small-{replacement}", ("l1i_size", 1024), ("l1i_ways", 2), ("l1d_size", 1024),
        ("l1d_ways", replacement == Replacement.LeastRecent ? 2 : 4), ("micro_tlb", 2), ("l1i_replacement", (int)replacement),
        ("l1d_replacement", (int)replacement), ("outer_replacement", (int)replacement));

    /// <summary>A core on which misses are not rare.</summary>
    private static string SmallerCore(string name, int data) =>
        CoreFile(name, $"smaller-{data}", ("l1i_size", 1024), ("l1d_size", data), ("micro_tlb", 1));

    private static string CoreFile(string name, string label, params (string Key, int Value)[] values)
    {
        string text = CoreFiles.Text(name);
        foreach ((string key, int value) in values)
            text = Regex.Replace(text, $"(\"{key}\": *{{[^}}]*\"value\": *)[0-9]+", $"${{1}}{value}");
        string path = Path.Combine(Path.GetTempPath(), $"armvdso-{name}-{label}-{Environment.ProcessId}.json");
        File.WriteAllText(path, text);
        return path;
    }

    private static void Prepare(EngineMachine machine, uint[] program, int seed)
    {
        var random = new Random(seed);
        machine.Load(program);
        for (int i = 0; i < 20; i++)
            machine.Cpu.SetX(i, (ulong)random.NextInt64() >> random.Next(64));
        machine.Cpu.SetX(20, EngineMachine.Data + 0x400 + (ulong)random.Next(16));
        for (int i = 0; i < 32; i++)
            machine.Cpu.SetV(i, new V128((ulong)random.NextInt64(), (ulong)random.NextInt64()));
        random.NextBytes(machine.DataBytes);
        machine.Start();
    }

    private static string Counters(EngineMachine machine)
    {
        var text = new System.Text.StringBuilder();
        foreach (TimingCounters level in new[] { machine.Cpu.Timing.Counters(0), machine.Cpu.Timing.Counters(1) })
        {
            for (int i = 0; i < CauseCounters.Count; i++)
                text.Append($" {(CycleCause)i} {level.Causes[i]}");
            foreach (FieldInfo field in typeof(TimingCounters).GetFields().Where(f => f.FieldType == typeof(ulong)))
                text.Append($" {field.Name} {field.GetValue(level)}");
        }
        return text.ToString();
    }

    [Theory]
    [MemberData(nameof(Cores))]
    public void RandomProgramsTakeTheSameCyclesToEveryLimit(string core, bool small) => TakesTheSameCycles(core, CoreFile(core, small));

    [Theory]
    [InlineData("cortex-a53", Replacement.Random)]
    [InlineData("cortex-a55", Replacement.Random)]
    [InlineData("cortex-a53", Replacement.Tree)]
    [InlineData("cortex-a55", Replacement.Tree)]
    public void RandomProgramsTakeTheSameCyclesWithEachReplacement(string core, Replacement replacement) =>
        TakesTheSameCycles(core, CoreFile(core, true, replacement));

    /// <summary>PRFM: by instruction, memoised, and where native code leaves a trace.</summary>
    [Theory]
    [InlineData("cortex-a53", Replacement.LeastRecent)]
    [InlineData("cortex-a55", Replacement.LeastRecent)]
    [InlineData("cortex-a53", Replacement.Tree)]
    public void ProgramsThatPrefetchTakeTheSameCyclesToEveryLimit(string core, Replacement replacement)
    {
        string file = CoreFile(core, true, replacement);
        for (int seed = 1; seed <= 6; seed++)
        {
            uint[] program = RandomProgram.Hints(new Random(seed), 40 * seed, 300);
            using var naive = new EngineMachine(EngineKind.Portable, file, false);
            using var memo = new EngineMachine(EngineKind.Portable, file);
            using var traced = new EngineMachine(Machine.HasNativeEngine ? EngineKind.Native : EngineKind.Portable, file);
            EngineMachine[] machines = [naive, memo, traced];
            foreach (EngineMachine machine in machines)
                Prepare(machine, program, seed);
            var limits = new Random(seed);
            for (int part = 0; part < 40; part++)
            {
                ulong cycles = (ulong)(part % 3 == 0 ? limits.Next(1, 40) : limits.Next(1, 20_000));
                foreach (EngineMachine machine in machines)
                    machine.Run(cycles);
                string expected = $"seed {seed} part {part}: {naive.State()}{Counters(naive)}";
                Assert.Equal(expected, $"seed {seed} part {part}: {memo.State()}{Counters(memo)}");
                Assert.Equal(expected, $"seed {seed} part {part}: {traced.State()}{Counters(traced)}");
            }
            Assert.True(naive.Cpu.ExceptionEntries == 0, naive.State());
            Assert.True(memo.Cpu.Timing.Memo!.Blocks > 100, $"{memo.Cpu.Timing.Memo!.Blocks} blocks were memoised");
        }
    }

    private static void TakesTheSameCycles(string core, string file)
    {
        ulong memoised = 0;
        for (int seed = 1; seed <= 12; seed++)
        {
            uint[] program = RandomProgram.Make(new Random(seed), 30 + 40 * seed, 60);
            using var naive = new EngineMachine(EngineKind.Portable, file, false);
            using var memo = new EngineMachine(EngineKind.Portable, file);
            Prepare(naive, program, seed);
            Prepare(memo, program, seed);
            var limits = new Random(seed);
            for (int part = 0; part < 60; part++)
            {
                // Odd and even limits, short ones too, so that many fall inside blocks.
                ulong cycles = (ulong)(part % 3 == 0 ? limits.Next(1, 40) : limits.Next(1, 4000));
                naive.Run(cycles);
                memo.Run(cycles);
                Assert.Equal($"seed {seed} part {part}: {naive.State()}{Counters(naive)}",
                    $"seed {seed} part {part}: {memo.State()}{Counters(memo)}");
            }
            Assert.True(naive.Cpu.ExceptionEntries == 0, naive.State());
            memoised += memo.Cpu.Timing.Memo?.Blocks ?? 0;
        }
        if (CoreModel.Load(core).IsMemoised)
            Assert.True(memoised > 1000, $"{memoised} blocks were memoised");
    }

    [Theory]
    [MemberData(nameof(Cores))]
    public void RandomProgramsAreCleanInLockstep(string core, bool small)
    {
        string file = CoreFile(core, small);
        for (int seed = 101; seed <= 103; seed++)
        {
            using var machine = new EngineMachine(EngineKind.PortableChecked, file);
            Prepare(machine, RandomProgram.Make(new Random(seed), 150, 20), seed);
            machine.Run(6000);
            Assert.True(machine.Machine.Check!.Compared > 500, $"{machine.Machine.Check.Compared} instructions compared");
            if (CoreModel.Load(core).IsMemoised)
                Assert.True(machine.Machine.Check.MemoisedBlocks > (small ? 0UL : 20),
                    $"{machine.Machine.Check.MemoisedBlocks} blocks were memoised");
        }
    }

    /// <summary>Native code runs ahead of its timing, by as many blocks as the stop allows: limits are far away.</summary>
    [Theory]
    [InlineData("cortex-a53", false)]
    [InlineData("cortex-a53", true)]
    [InlineData("cortex-a55", false)]
    public void TracedProgramsTakeTheSameCyclesToEveryLimit(string core, bool small)
    {
        if (!Machine.HasNativeEngine)
            return;
        string file = CoreFile(core, small);
        for (int seed = 301; seed <= 306; seed++)
        {
            uint[] program = RandomProgram.Make(new Random(seed), 30 + 40 * (seed % 10), 2000);
            using var naive = new EngineMachine(EngineKind.Portable, file, false);
            using var traced = new EngineMachine(EngineKind.Native, file);
            Prepare(naive, program, seed);
            Prepare(traced, program, seed);
            var limits = new Random(seed);
            for (int part = 0; part < 6; part++)
            {
                ulong cycles = (ulong)limits.Next(1, 60_000);
                naive.Run(cycles);
                traced.Run(cycles);
                Assert.Equal($"seed {seed} part {part}: {naive.State()}{Counters(naive)}",
                    $"seed {seed} part {part}: {traced.State()}{Counters(traced)}");
            }
            Assert.True(traced.Machine.NativeCounts!.Entries > 0, "native code was entered");
        }
    }

    /// <summary>Native code reads the traces, too, where limits are far enough away.</summary>
    [Theory]
    [InlineData("cortex-a53", false)]
    [InlineData("cortex-a53", true)]
    [InlineData("cortex-a55", false)]
    [InlineData("cortex-a55", true)]
    public void TracesAreReadToTheSameCycles(string core, bool small)
    {
        if (!Machine.HasNativeEngine)
            return;
        for (int seed = 1; seed <= 6; seed++)
        {
            uint[] program = (seed % 3) switch
            {
                0 => RandomProgram.Accesses(new Random(seed), 60 * seed, 60_000),
                1 => RandomProgram.Misses(new Random(seed), 60_000),
                _ => RandomProgram.Make(new Random(seed), 50 * seed, 60_000),
            };
            (EngineMachine naive, EngineMachine traced) = Read(small ? SmallerCore(core, 8192) : core, program, seed, ReaderCheck.None);
            Assert.Equal($"seed {seed}: {naive.State()}{Counters(naive)}", $"seed {seed}: {traced.State()}{Counters(traced)}");
            BlockMemo memo = traced.Cpu.Timing.Memo!;
            Assert.True(memo.Read > 1000, $"of {memo.Blocks} blocks, {memo.Read} were timed by native code");
            naive.Dispose();
            traced.Dispose();
        }
    }

    /// <summary>A program after its start, timed naively and from a trace, by code that leaves out a check.</summary>
    private static (EngineMachine Naive, EngineMachine Traced) Read(
        string core, uint[] program, int seed, ReaderCheck leftOut, MemoReason ignored = MemoReason.Entry)
    {
        var naive = new EngineMachine(EngineKind.Portable, core, false);
        var traced = new EngineMachine(EngineKind.Native, core);
        Prepare(naive, program, seed);
        Prepare(traced, program, seed);
        traced.Machine.PrepareEngine();
        traced.Machine.Native!.Reader!.LeftOut = leftOut;
        traced.Cpu.Timing.Memo!.LeftOut = ignored;
        foreach (ulong cycles in new ulong[] { 1_000_000, 123_456 })
        {
            naive.Run(cycles);
            traced.Run(cycles);
        }
        return (naive, traced);
    }

    /// <summary>Code that reads a trace and takes something for usual without a look gives other cycles or counters, or notices it
    /// itself.</summary>
    [Theory]
    [MemberData(nameof(ReaderChecks))]
    public void AReaderWithoutACheckIsNoticed(string check) => ReaderNotices(Enum.Parse<ReaderCheck>(check), MemoReason.Entry);

    /// <summary>A miss that is read from a trace as if no written line had left L1 for it.</summary>
    [Fact]
    public void AReaderThatTakesMissesForLessIsNoticed() => ReaderNotices(ReaderCheck.None, MemoReason.Memory);

    private static void ReaderNotices(ReaderCheck check, MemoReason ignored)
    {
        if (!Machine.HasNativeEngine)
            return;
        for (int seed = 1; seed <= 12; seed++)
        {
            try
            {
                string core = SmallerCore("cortex-a53", seed % 2 == 0 ? 4096 : 8192);
                uint[] program = seed % 4 < 2
                    ? RandomProgram.Accesses(new Random(seed), 60 * seed, 60_000)
                    : RandomProgram.Misses(new Random(seed), 60_000);
                (EngineMachine naive, EngineMachine traced) = Read(core, program, seed, check, ignored);
                bool same = $"{naive.State()}{Counters(naive)}" == $"{traced.State()}{Counters(traced)}";
                naive.Dispose();
                traced.Dispose();
                if (!same)
                    return;
            }
            catch (InvalidOperationException)
            {
                return;
            }
        }
        Assert.Fail("nobody noticed");
    }

    public static TheoryData<string> ReaderChecks() => [.. Enum.GetNames<ReaderCheck>().Where(n => n != nameof(ReaderCheck.None))];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void TracedProgramsAreCleanInLockstep(bool small)
    {
        if (!Machine.HasNativeEngine)
            return;
        using var machine = new EngineMachine(EngineKind.NativeChecked, CoreFile("cortex-a53", small));
        Prepare(machine, RandomProgram.Make(new Random(401), 150, 2000), 401);
        machine.Run(60_000);
        Assert.True(machine.Machine.NativeCounts!.Entries > 500, $"{machine.Machine.NativeCounts.Entries} entries");
    }

    /// <summary>A trace that takes loads for stores, or all accesses for those of a byte, gives other cycles.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ABugInTheTraceIsNoticed(bool kind)
    {
        if (!Machine.HasNativeEngine)
            return;
        using var machine = new EngineMachine(EngineKind.NativeChecked, "cortex-a53");
        Prepare(machine, RandomProgram.Make(new Random(401), 150, 2000), 401);
        machine.Machine.PrepareEngine();
        machine.Machine.Native!.Emitter.SlotAlteration = slot =>
            kind && slot.Kind == TraceKind.Load ? slot with { Kind = TraceKind.Store } : slot with { Size = 1 };
        string message = Assert.Throws<EngineMismatchException>(() => machine.Run(60_000)).Message;
        Assert.Contains("naive", message, StringComparison.Ordinal);
    }

    [Fact]
    public void APlantedBugIsNoticed()
    {
        string message = Mismatch(false, memo => memo.Alteration = cycles => cycles + (cycles > 20 ? 1UL : 0));
        Assert.Contains("cycles: naive", message, StringComparison.Ordinal);
    }

    /// <summary>What the check of random programs says about a planted bug.</summary>
    private static string Mismatch(bool small, Action<BlockMemo> plant)
    {
        for (int program = 1; program <= 24; program++)
        {
            int seed = program <= 12 ? program : program - 12;
            string message = Mismatch(
                CoreFile("cortex-a53", small), RandomProgram.Make(new Random(seed), 400, 50, seed != program), seed, plant);
            if (message.Length > 0)
                return message;
        }
        return "";
    }

    /// <summary>What the check of a program says about a planted bug; nothing when it notices none.</summary>
    private static string Mismatch(string core, uint[] program, int seed, Action<BlockMemo> plant)
    {
        using var machine = new EngineMachine(EngineKind.PortableChecked, core);
        Prepare(machine, program, seed);
        machine.Machine.PrepareEngine();
        plant(machine.Cpu.Timing.Twin!.Memo!);
        try
        {
            machine.Run(60_000);
        }
        catch (EngineMismatchException e)
        {
            return e.Message;
        }
        return "";
    }

    /// <summary>A key without one of these fields takes different states for the same.</summary>
    [Theory]
    [InlineData(nameof(Scoreboard.Group))]
    [InlineData(nameof(Scoreboard.StoredAt))]
    [InlineData(nameof(Scoreboard.Ready))]
    [InlineData(nameof(Scoreboard.Cause))]
    [InlineData(nameof(Scoreboard.Slots))]
    [InlineData(nameof(Scoreboard.PairUnits))]
    [InlineData(nameof(Scoreboard.Redirected))]
    [InlineData(nameof(Scoreboard.FetchCause))]
    [InlineData(nameof(Scoreboard.MultiplyFree))]
    [InlineData(nameof(Scoreboard.FpDivideFree))]
    [InlineData(nameof(Scoreboard.AddressReady))]
    public void AStateWithoutAFieldIsNoticed(string field)
    {
        string message = Mismatch(false, Without(field));
        Assert.Contains("naive", message, StringComparison.Ordinal);
    }

    private static Action<BlockMemo> Without(string field)
    {
        FieldInfo left = typeof(Scoreboard).GetField(field)!;
        return memo => memo.StateAlteration = saved =>
        {
            object state = MemoryMarshal.Read<Scoreboard>(saved);
            left.SetValue(state, Activator.CreateInstance(left.FieldType));
            MemoryMarshal.Write(saved, (Scoreboard)state);
        };
    }

    /// <summary>What the last instructions of a block leave, and the first one of the next block that it is of matter for. Without the
    /// field the check says so; with it nothing.</summary>
    /// <param name="field">The field.</param>
    /// <param name="core">The core.</param>
    /// <param name="slow">A class of instructions that keeps its unit busy for longer than on that core; none when empty.</param>
    /// <param name="last">The last instruction.</param>
    /// <param name="next">The next one.</param>
    [Theory]
    [InlineData(nameof(Scoreboard.PairFlags), "cortex-a55", "", 0xEB03005Fu, 0x54000040u)] // cmp x2, x3; b.eq .+8
    [InlineData(nameof(Scoreboard.GroupBranch), "cortex-a53", "", 0xB7F8005Bu, 0x14000001u)] // tbnz x27, #63, .+8; b .+4
    [InlineData(nameof(Scoreboard.DivideFree), "cortex-a53", "", 0x9AC20841u, 0x9AC20844u)] // udiv x1, x2, x2; udiv x4, x2, x2
    [InlineData(nameof(Scoreboard.SimdFree), "cortex-a53", "fp_cmp", 0x1E612000u, 0x1E612000u)] // fcmp d0, d1
    [InlineData(nameof(Scoreboard.LoadStoreFree), "cortex-a53", "load", 0xF9400281u, 0xF9400684u)] // ldr x1, [x20]; ldr x4, [x20, #8]
    public void AStateWithoutAFieldIsNoticedBehindABlock(string field, string core, string slow, uint last, uint next)
    {
        string file = slow.Length == 0 ? core : Slowed(core, slow);
        uint[] program = RandomProgram.Edges(new Random(1), last, next);
        Assert.Equal("", Mismatch(file, program, 1, _ => { }));
        Assert.Contains("naive", Mismatch(file, program, 1, Without(field)), StringComparison.Ordinal);
    }

    /// <summary>A core on which a class of instructions keeps its unit busy for four cycles.</summary>
    private static string Slowed(string core, string name)
    {
        string text = CoreFiles.Text(core);
        string slow = text.Replace($"\"{name}\": {{ ", $"\"{name}\": {{ \"busy\": 4, ", StringComparison.Ordinal);
        Assert.NotEqual(text, slow);
        string path = Path.Combine(Path.GetTempPath(), $"armvdso-{core}-{name}-{Environment.ProcessId}.json");
        File.WriteAllText(path, slow);
        return path;
    }

    [Theory]
    [InlineData(MemoReason.Busy)]
    [InlineData(MemoReason.LateLine)]
    [InlineData(MemoReason.FirstLine)]
    public void FillsThatAreLeftOutAreNoticed(MemoReason reason) =>
        Assert.Contains("naive", Mismatch(true, memo => memo.LeftOut = reason), StringComparison.Ordinal);

    [GeneratedRegex("\"host_seconds\":[^,}]*")]
    private static partial Regex HostSeconds();

    private static string Result(string timing, params string[] words)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run([.. words[..1], "--timing", timing, .. words[1..]]);
        return $"{result.Status}\n{HostSeconds().Replace(result.Output, "")}\n{HostSeconds().Replace(result.Errors, "")}";
    }

    [Theory]
    [InlineData("hello", "2", "1000")]
    [InlineData("fork_exec", "2", "100")]
    [InlineData("futex", "3", "1000")]
    [InlineData("memory", "1", "1000")]
    [InlineData("signals", "2", "1000")]
    [InlineData("threads", "4", "1000")]
    [InlineData("threads", "4", "37")]
    [InlineData("time", "2", "1000")]
    [InlineData("namespaces", "2", "1000")]
    [InlineData("perf", "1", "1000")]
    [InlineData("pmu", "1", "1000")]
    [InlineData("vdso_identity", "2", "1000")]
    public void GuestsTakeTheSameCycles(string name, string cpus, string quantum)
    {
        string[] words = ["run", "--cpus", cpus, "--quantum", quantum, "--stats", "--json", GuestPrograms.Path(name)];
        string naive = Result("naive", words);
        Assert.Contains("\"cycles\":", naive, StringComparison.Ordinal);
        Assert.Equal(naive, Result("memoised", words));
    }

    public static TheoryData<string> IsaNames() => [.. IsaPrograms.Names];

    /// <summary>Compression, hashes, text, floating point, cryptography, vectors, atomics, under the model with the skewed
    /// pipeline.</summary>
    [Theory]
    [MemberData(nameof(IsaNames))]
    public void IsaProgramsTakeTheSameCycles(string name)
    {
        string[] words = ["run", "--core", "cortex-a55", "--cpus", "4", "--slice", "50", "--max-cycles", "30000000", "--stats", "--json",
            IsaPrograms.Path("gcc-O2-llsc", name)];
        Assert.Equal(Result("naive", words), Result("memoised", words));
    }

    [Fact]
    public void ShellWithPipesTakesTheSameCycles()
    {
        string[] words =
        [
            "run", "--stats", "--json", "--root", DebianPrograms.Root, "/opt/static/bin/busybox", "sh", "-c",
            "for i in 1 2 3; do echo $i | sed s/2/two/ | sort -r; done; head -c 20000 /opt/static/bin/busybox | sha256sum; "
                + "head -c 12000 /opt/static/bin/busybox | gzip -9 | md5sum",
        ];
        foreach (string core in new[] { "cortex-a53", "cortex-a55" })
            Assert.Equal(Result("naive", [words[0], "--core", core, .. words[1..]]),
                Result("memoised", [words[0], "--core", core, .. words[1..]]));
    }

    [Theory]
    [InlineData("trace")]
    [InlineData("compare", "--slice", "2", "--threads", "5", "gettid", "clock_gettime_monotonic")]
    public void TracesAndComparisonsAreEqual(params string[] words) => Assert.Equal(Result("naive", words), Result("memoised", words));

    [Fact]
    public void UnknownTimingIsNamed()
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--timing", "steam", "/bin/true");
        Assert.Equal(2, result.Status);
        Assert.Contains("there is no timing 'steam'", result.Errors, StringComparison.Ordinal);
    }
}
