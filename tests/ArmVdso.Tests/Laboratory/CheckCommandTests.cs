using System.Text.Json;

namespace ArmVdso.Tests.Laboratory;

/// <summary>armvdso check: the defects of the talk are found where they are.</summary>
public sealed class CheckCommandTests
{
    /// <summary>Defects 1 to 5 of the talk, each in the functions that it concerns, and in no clock.</summary>
    [Fact]
    public void TheTalksDefectsAreFoundAndNoOthers()
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("check", "per-cpu", "--json");
        Assert.True(result.Status == 1, result.Errors);
        Dictionary<(string Function, string Event), JsonElement> cells = CheckCells.Of(result.Output, "per-cpu");
        Assert.Equal("failed", CheckCells.Verdict(cells[("getegid", "none")]));
        var failed = cells.Where(c => CheckCells.Verdict(c.Value) == "failed" && c.Key.Function != "getegid")
            .Select(c => c.Key).ToHashSet();
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
        Fails([.. CheckCells.Ids.Where(f => f != "getegid")], "migrate", "moved-migrate", "handler-moves", "offline", "traced",
            "copied-migrate", "aba", "race", "weak-race");
        Fails(["getpid", "gettid", "getppid"], "pidns", "newns");
        Fails(["getuid", "geteuid"], "setresuid", "setxid", "userns", "mid-ids", "idmap", "idmap-late", "setns");
        Fails(["getgid"], "setresgid", "userns", "idmap", "idmap-late", "setns");
        Fails(["getppid"], "subreaper", "reparent", "reparent-late", "mid-own", "mid-ids");
        Assert.Equal(expected.Order(), failed.Order());
        Assert.All(
            cells.Values.Where(c => CheckCells.Verdict(c) == "proved"), c => Assert.True(c.GetProperty("interleavings").GetInt64() > 0));
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
