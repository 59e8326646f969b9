using System.Text.Json;

namespace ArmVdso.Tests.Vdso;

/// <summary>Every vDSO design on the guest that asks it after each change of what it answers; the oracle is the system call.</summary>
public sealed class VdsoDesignProgramTests
{
    private static ArmVdsoCommand.Result Identity(string design) =>
        ArmVdsoCommand.Run("run", "--vdso", design, "--slice", "20", GuestPrograms.Path("vdso_identity"), "-u");

    /// <summary>Short slices, migration, credentials, fork, vfork, execve, threads, handlers, reparenting, namespaces.</summary>
    [Theory]
    [InlineData("none")]
    [InlineData("per-cpu,fix=all")]
    [InlineData("per-cpu-seq")]
    [InlineData("per-cpu-gen")]
    [InlineData("per-cpu-fixup")]
    [InlineData("per-thread")]
    [InlineData("rseq")]
    public void AnswersAsTheSystemCallsDo(string design)
    {
        ArmVdsoCommand.Result result = Identity(design);
        Assert.True(result.Status == 0 && result.Output.EndsWith("vdso_identity: 0 failed\n", StringComparison.Ordinal),
            $"status {result.Status}\n{result.Output}{result.Errors}");
    }

    /// <summary>A trampoline leaves zero in TPIDRRO_EL0: until the next switch every call of the talk's design falls back. The others
    /// have the exit write it again. Cycles play no part.</summary>
    [Theory]
    [InlineData("per-cpu", true)]
    [InlineData("per-cpu,fix=trampoline", false)]
    [InlineData("per-cpu-gen", false)]
    [InlineData("per-thread", false)]
    public void UnderKptiTheRegisterHasToBeWrittenAgain(string design, bool fallsBack)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
            "compare", "--json", "--core", "none", "--kernel", "kpti", "--vdso", design, "--slice", "4000", "getpid");
        Assert.True(result.Status == 0, result.Errors);
        using JsonDocument json = JsonDocument.Parse(result.Output);
        long fallbacks = json.RootElement.GetProperty("functions")[0].GetProperty("vdso").GetProperty("fallbacks").GetInt64();
        Assert.True(fallsBack == fallbacks > 0, $"{fallbacks} fallbacks");
    }

    /// <summary>The talk's code has these defects; a design is no model of it without them.</summary>
    [Theory]
    [InlineData("per-cpu", "after setresuid: getuid is 31, the vDSO says 0")]
    [InlineData("per-cpu", "in a PID namespace: getpid is 1, the vDSO says")]
    [InlineData("per-cpu,fix=cred+ns", "getegid is 22, the vDSO says 21")]
    public void TheTalksDefectsShow(string design, string line)
    {
        ArmVdsoCommand.Result result = Identity(design);
        Assert.Equal(1, result.Status);
        Assert.Contains(line, result.Output);
    }
}
