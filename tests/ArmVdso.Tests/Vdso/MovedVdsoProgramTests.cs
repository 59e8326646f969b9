namespace ArmVdso.Tests.Vdso;

/// <summary>What a process may do to the mappings of the vDSO (tests/guests/src/vdso_moves.c): the oracle is the system call, and the
/// errors are those of Linux's special mappings.</summary>
public sealed class MovedVdsoProgramTests
{
    /// <summary>Moved, unmapped, mapped over, written; and what is refused.</summary>
    [Theory]
    [MemberData(nameof(KnownDesigns.Mended), MemberType = typeof(KnownDesigns))]
    [InlineData("per-cpu,fix=all")]
    [InlineData("per-thread,writable=ignored")]
    [InlineData("stock")]
    public void AnswersAreRightWhereverTheMappingsAre(string design)
    {
        string vdso = design == "stock" ? StockImages.Path("6.12") : design;
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
            "run", "--core", "none", "--slice", "20", "--vdso", vdso, GuestPrograms.Path("vdso_moves"));
        Assert.True(result.Status == 0 && result.Output.EndsWith("vdso_moves: 0 failed\n", StringComparison.Ordinal),
            $"status {result.Status}\n{result.Output}{result.Errors}");
    }

    /// <summary>Preempted and moved between CPUs in the moved image: the kernel knows where its ranges are.</summary>
    [Theory]
    [InlineData("per-cpu-fixup")]
    [InlineData("per-thread")]
    public void NoAnswerIsWrongAfterAMove(string design)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
            "run", "--core", "none", "--slice", "1", "--quantum", "10", "--vdso", design, GuestPrograms.Path("vdso_moves"), "race", "3000");
        Assert.True(result.Status == 0, result.Output + result.Errors);
    }
}
