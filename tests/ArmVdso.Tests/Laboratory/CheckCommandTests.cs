using System.Text.Json;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Tests.Laboratory;

/// <summary>armvdso check: the defects of the talk are found where they are, and nothing is found where nothing is.</summary>
public sealed class CheckCommandTests
{
    private static readonly string[] Ids = [.. VdsoCalls.All.Where(c => c.Answer == VdsoAnswer.Id).Select(c => c.Name)];

    private static Dictionary<(string Function, string Event), JsonElement> Cells(string output, string design)
    {
        var cells = new Dictionary<(string, string), JsonElement>();
        foreach (JsonElement entry in JsonDocument.Parse(output).RootElement.GetProperty("designs").EnumerateArray())
        {
            if (entry.GetProperty("design").GetString() != design)
                continue;
            foreach (JsonElement cell in entry.GetProperty("cells").EnumerateArray())
                cells[(cell.GetProperty("function").GetString()!, cell.GetProperty("event").GetString()!)] = cell;
        }
        return cells;
    }

    private static string Verdict(JsonElement cell) => cell.GetProperty("verdict").GetString()!;

    /// <summary>Defects 1 to 5 of the talk, each in the functions that it concerns, and in no clock.</summary>
    [Fact]
    public void TheTalksDefectsAreFoundAndNoOthers()
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("check", "per-cpu", "--json");
        Assert.True(result.Status == 1, result.Errors);
        Dictionary<(string Function, string Event), JsonElement> cells = Cells(result.Output, "per-cpu");
        Assert.Equal("failed", Verdict(cells[("getegid", "none")]));
        var failed = cells.Where(c => Verdict(c.Value) == "failed" && c.Key.Function != "getegid").Select(c => c.Key).ToHashSet();
        var expected = new HashSet<(string, string)>();
        void Fails(string[] functions, params string[] events)
        {
            foreach (string function in functions)
                expected.UnionWith(events.Select(e => (function, e)));
        }

        // No hook when another process, or a thread elsewhere, changes group and session.
        Fails(["getpgid"], "setpgid", "setsid", "mid-pgid");
        Fails(["getsid"], "setsid");
        // 3: no retry. 2: numbers of the previous task's PID namespace. 4: stale credentials. 5: stale parent.
        Fails([.. Ids.Where(f => f != "getegid")], "migrate", "handler-moves", "offline", "aba", "race", "weak-race");
        Fails(["getpid", "gettid", "getppid"], "pidns", "newns");
        Fails(["getuid", "geteuid"], "setresuid", "setxid", "userns", "mid-ids");
        Fails(["getgid"], "setresgid", "userns");
        Fails(["getppid"], "reparent", "reparent-late", "mid-own", "mid-ids");
        Assert.Equal(expected.Order(), failed.Order());
        Assert.All(cells.Values.Where(c => Verdict(c) == "proved"), c => Assert.True(c.GetProperty("interleavings").GetInt64() > 0));
    }

    /// <summary>The ID of a failing schedule fails again, alone on a fresh machine, and its trace shows why.</summary>
    [Fact]
    public void AFailingScheduleReplays()
    {
        string[] again = ["check", "per-cpu", "--function", "getppid", "--json"];
        Assert.Equal(ArmVdsoCommand.Run(again).Output, ArmVdsoCommand.Run(again).Output);
        ArmVdsoCommand.Result replay = ArmVdsoCommand.Run("check", "--replay", "per-cpu/getpid/migrate@1");
        Assert.True(replay.Status == 1, replay.Errors);
        Assert.Contains("__kernel_getpid+0x0", replay.Output);
        Assert.Contains("mrs", replay.Output);
        Assert.Contains("tpidrro_el0=0x", replay.Output);
        Assert.Contains("FAILED: the call returned", replay.Output);
        ArmVdsoCommand.Result before = ArmVdsoCommand.Run("check", "--replay", "per-cpu/getpid/migrate@0", "--brief");
        Assert.True(before.Status == 0, before.Errors);
        Assert.Contains("held", before.Output);
    }

    /// <summary>Nothing is wrong in a design with retry and hooks, whatever happens and wherever.</summary>
    [Theory]
    [InlineData("per-cpu-seq")]
    [InlineData("per-cpu-gen")]
    [InlineData("per-cpu-fixup")]
    [InlineData("per-thread")]
    [InlineData("rseq")]
    public void AMendedDesignHolds(string design)
    {
        string[] served = [.. Ids, "getcpu", "sched_get_priority_max"];
        int functions = design == "rseq" ? 2 : served.Length;
        // The clocks and getrandom are the same code in all images: once is enough.
        string[] wanted = design == "per-cpu-seq" ? [] : [.. served.SelectMany(f => new[] { "--function", f })];
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(["check", design, "--json", .. wanted]);
        Assert.True(result.Status == 0, result.Output + result.Errors);
        Dictionary<(string Function, string Event), JsonElement> cells = Cells(result.Output, design);
        Assert.All(cells.Values, c => Assert.Contains(Verdict(c), (string[])["proved", "n/a"]));
        Assert.Equal(functions, cells.Keys.Select(k => k.Function).Distinct().Count(served.Contains));
        Assert.True(cells.Values.Sum(c => c.GetProperty("interleavings").GetInt64()) > 1000 * functions / 10);
        // Undisturbed calls are answered without the kernel; otherwise the proof would be of the system call.
        Assert.All(cells.Where(c => c.Key.Event == "none" && c.Key.Function != "getrandom_new_key"),
            c => Assert.Equal(0, c.Value.GetProperty("fell_back").GetInt64()));
    }

    /// <summary>Unmodified images of Linux hold too: their clocks, with updates seen store by store and reordered.</summary>
    [Theory]
    [InlineData("6.1")]
    [InlineData("6.12")]
    public void StockImagesHold(string version)
    {
        string image = StockImages.Path(version);
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("check", image, "--json", "--function", "clock_gettime_realtime", "--function",
            "clock_gettime_monotonic_raw", "--function", "clock_gettime_monotonic_coarse");
        Assert.True(result.Status == 0, result.Output + result.Errors);
        Dictionary<(string Function, string Event), JsonElement> cells = Cells(result.Output, image);
        Assert.Equal("proved", Verdict(cells[("clock_gettime_realtime", "tick")]));
        Assert.True(cells[("clock_gettime_realtime", "tick")].GetProperty("interleavings").GetInt64() > 400);
        Assert.Equal("proved", Verdict(cells[("clock_gettime_monotonic_coarse", "weak-tick")]));
    }

    /// <summary>Defect 9: with a trampoline that uses the register as scratch, an interrupt is enough to lose the vDSO silently.</summary>
    [Fact]
    public void SilentFallbackIsReported()
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("check", "per-cpu", "--kernel", "kpti", "--event", "irq", "--function", "getpid");
        Assert.True(result.Status == 0, result.Errors);
        Assert.Contains("Silent fallback: after an interrupt that changes nothing, these make the system call until the next switch: "
            + "getpid", result.Output);
        Assert.DoesNotContain("Silent fallback", ArmVdsoCommand.Run("check", "per-cpu,fix=trampoline", "--kernel", "kpti", "--event", "irq",
            "--function", "getpid").Output);
    }

    /// <summary>Each planted fault is found: barriers removed, checks removed, writers broken.</summary>
    [Fact]
    public void PlantedFaultsAreFound()
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("check", "--mutants", "per-cpu-seq", "--json");
        Assert.True(result.Status == 0, result.Output + result.Errors);
        var found = new Dictionary<string, string[]>();
        foreach (JsonElement mutant in JsonDocument.Parse(result.Output).RootElement.GetProperty("mutants").EnumerateArray())
            found[mutant.GetProperty("mutant").GetString()!] =
                [.. mutant.GetProperty("found_by").EnumerateArray().Select(e => e.GetString()!)];
        // A missing barrier shows only when loads are reordered; a missing check shows in program order too.
        foreach (string barrier in (string[])["no-first-barrier", "no-second-barrier", "writer-no-barriers"])
            Assert.Equal(["weak-tick", "weak-settime"], found[barrier]);
        foreach (string check in (string[])["no-odd-check", "no-recheck", "sequence-after-data", "writer-no-first-increment",
            "writer-early-second-increment"])
            Assert.Contains("tick", found[check]);
        Assert.Contains("migrate", found["no-register-recheck"]);
    }

    /// <summary>A reordering replays from its ID, with the fault and without.</summary>
    [Fact]
    public void AReorderingReplays()
    {
        const string id = "per-cpu/clock_gettime_realtime_coarse/weak-tick@0/reorder:2.0.1.2";
        ArmVdsoCommand.Result broken = ArmVdsoCommand.Run("check", "--mutant", "no-first-barrier", "--replay", id);
        Assert.True(broken.Status == 1, broken.Errors);
        Assert.Contains("sees version 0 of 2", broken.Output);
        Assert.Equal(0, ArmVdsoCommand.Run("check", "--replay", id).Status);
    }

    /// <summary>The data pages of the per-CPU design show other users' processes to all; nobody can write them.</summary>
    [Fact]
    public void ExposureOfGlobalPages()
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("check", "--exposure", "per-cpu", "--json");
        Assert.True(result.Status == 0, result.Errors);
        Assert.Equal("", result.Errors);
        JsonElement design = JsonDocument.Parse(result.Output).RootElement.GetProperty("designs")[0];
        Assert.Equal(["pid", "uid", "euid", "gid"], design.GetProperty("other_process").EnumerateArray().Select(e => e.GetString()!));
        Assert.Equal(design.GetProperty("pages").GetInt32(), design.GetProperty("writes_faulted").GetInt32());
        Assert.Equal(4, design.GetProperty("register_write_signal").GetInt32());
        Assert.Contains("answers 0 instead of", design.GetProperty("forged").GetString());
    }

    [Theory]
    [InlineData("check", "none")]
    [InlineData("check", "--cpus", "1")]
    [InlineData("check", "--event", "rain")]
    [InlineData("check", "--function", "getfoo")]
    [InlineData("check", "--replay", "per-cpu/getpid")]
    [InlineData("check", "--replay", "per-cpu/getpid/rain@1")]
    [InlineData("check", "--replay", "per-cpu/getpid/weak-race@1")]
    [InlineData("check", "--mutant", "rust")]
    [InlineData("check", "rain")]
    public void WrongUseIsSaidInOneLine(params string[] arguments)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(arguments);
        Assert.Equal(2, result.Status);
        Assert.Single(result.Errors.Trim().Split('\n'));
    }
}
