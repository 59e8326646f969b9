using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.El1;
using ArmVdso.Lab;
using ArmVdso.Lab.Check;

namespace ArmVdso.Tests.Laboratory;

/// <summary>--preempt full: EL1 code gives way to interrupts.</summary>
public sealed class PreemptionCommandTests
{
    private static SessionSettings Settings(bool preempt) =>
        new() { Core = "none", Kernel = KernelConfiguration.Default with { Preempt = preempt } };

    /// <summary>An update of a CPU's slot that is moved to another CPU in the middle of execve goes on in the slot of the first one. Only
    /// a preemptible kernel does that, and only where preemption is on.</summary>
    [Theory]
    [InlineData("per-cpu", false, null, CheckVerdict.Proved)]
    [InlineData("per-cpu", true, null, CheckVerdict.Failed)]
    [InlineData("per-cpu,fix=preempt", true, null, CheckVerdict.Proved)]
    [InlineData("per-cpu-gen", true, null, CheckVerdict.Proved)]
    [InlineData("per-cpu-gen", true, "start-preempted", CheckVerdict.Failed)]
    [InlineData("per-thread", true, "start-preempted", CheckVerdict.Proved)]
    public void AnUpdateMustNotBePreempted(string design, bool preempt, string? mutant, CheckVerdict verdict)
    {
        CheckResult result = new ArmVdsoLab(Settings(preempt)).Check(design, ["getpid"], ["mid-exec"], mutant: mutant);
        Assert.Equal(verdict, result.Cells.Single(c => c.Event == "mid-exec").Verdict);
        Assert.Equal(preempt, result.Bounds.Preempted);
    }

    /// <summary>A run switches from within the kernel, or never does.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ARunSwitchesInsideOfTheKernel(bool preempt)
    {
        int inside = 0;
        Session session = null!;
        using (session = new Session(
            Settings(preempt) with { Cpus = 1, SliceNs = 1000 }, GuestPrograms.Path("stale"), [], new SessionHooks
            {
                Switching = (_, previous, _) =>
                {
                    ulong count = previous.RecordPa + TaskRecord.PreemptCount;
                    inside += previous.Tid != 0 && session.Machine.Memory.Read<int>(count) != 0 ? 1 : 0;
                },
            }))
            Assert.Contains(session.Run(), new[] { 0, 4 }); // whether it has met a stale answer
        Assert.Equal(preempt, inside > 0);
    }

    /// <summary>The area is written by EL1 code as it was by the model: nothing that check looks at can tell.</summary>
    [Fact]
    public void WhatEl1CodeWritesToAnAreaIsRight()
    {
        CheckResult result = new ArmVdsoLab(new SessionSettings
        {
            Core = "none",
            Kernel = KernelConfiguration.Default with { Rseq = true },
        }).Check("rseq", ["getcpu"], ["preempt", "migrate", "handler-moves", "fork"]);
        Assert.All(result.Cells.Where(c => c.Event is "migrate" or "preempt"), c => Assert.Equal(CheckVerdict.Proved, c.Verdict));
        Assert.True(result.Held);
    }

    /// <summary>What is asked for is what is told.</summary>
    [Fact]
    public void TheOptionIsAWordOfTheConfiguration()
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
            "check", "per-thread", "--kernel", "kpti", "--preempt", "full", "--function", "getpid", "--event", "irq");
        Assert.Contains("kernel kpti+ssbd+preempt with preemption", result.Output);
        Assert.Contains("there is no kind of preemption 'half'", ArmVdsoCommand.Run("run", "--preempt", "half", "hello").Errors);
    }
}
