using System.Text.Json;
using ArmVdso.Lab;
using ArmVdso.Lab.Check;

namespace ArmVdso.Tests.Laboratory;

/// <summary>armvdso check: a verdict says what it rests on, and a cell that could not have failed is no proof.</summary>
public sealed class CheckVerdictCommandTests
{
    private static CheckCell Cell(string design, string function, string @event, SessionSettings? settings = null) =>
        new ArmVdsoLab(settings ?? new SessionSettings { Core = "none" }).Check(design, [function], [@event]).Cells
            .Single(c => c.Event == @event);

    /// <summary>With KPTI the register is zero when a handler begins, so that its call always asks the kernel: a proof of the call would be
    /// one of the system call.</summary>
    [Fact]
    public void CallsThatAllFellBackProveNothing()
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
            "check", "per-cpu", "--kernel", "kpti", "--function", "getpid", "--event", "signal");
        Assert.True(result.Status == 1, result.Output + result.Errors);
        Assert.Contains("1 cells vacuous", result.Output);
        Assert.Contains("every call that the event led to made the system call  getpid", result.Output);
    }

    /// <summary>A new program has no rseq area: that the kernel is asked is the design, and said so.</summary>
    [Fact]
    public void WhatIsLeftToTheKernelIsNoProofEither() =>
        Assert.Equal(CheckVerdict.Kernel, Cell("rseq", "getcpu", "exec").Verdict);

    /// <summary>FEAT_ECV's counter read has no ISB in front, which else does the first barrier's work.</summary>
    [Theory]
    [InlineData("max", CheckVerdict.Failed)]
    [InlineData("cortex-a53", CheckVerdict.Proved)]
    public void TheFirstBarrierIsNeededWithoutAnIsb(string cpu, CheckVerdict verdict)
    {
        CheckResult result = new ArmVdsoLab(new SessionSettings { Core = "none", Cpu = cpu }).Check(
            "per-cpu", ["clock_gettime_monotonic"], ["weak-tick"], mutant: "no-first-barrier");
        Assert.Equal(verdict, result.Cells.Single(c => c.Event == "weak-tick").Verdict);
    }

    /// <summary>The same seed chooses the same schedules, and what was sampled is not called proved.</summary>
    [Fact]
    public void ThreeEventsAreSampled()
    {
        string[] command = ["check", "per-cpu-gen", "--function", "getppid", "--event", "migrate", "--event", "signal", "--sample", "40",
            "--seed", "7", "--json"];
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(command);
        Assert.True(result.Status == 0, result.Output + result.Errors);
        JsonElement cell = CheckCells.Of(result.Output, "per-cpu-gen")[("getppid", "three")];
        Assert.Equal("sampled", CheckCells.Verdict(cell));
        Assert.Contains("sampled with seed 7", cell.GetProperty("within").GetString());
        Assert.Equal(result.Output, ArmVdsoCommand.Run(command).Output);
    }

    /// <summary>Offsets of 16 bits lead to so many slots and no more.</summary>
    [Fact]
    public void ADesignSaysHowManyCpusItCanServe()
    {
        using var session = new Session(
            new SessionSettings { Core = "none", Vdso = "per-cpu-gen" }, GuestPrograms.Path("hello"), [], new SessionHooks());
        Assert.Equal(1016, session.Kernel.Vdso.Design.MostCpus);
    }
}
