using ArmVdso.Lab;
using ArmVdso.Lab.Litmus;

namespace ArmVdso.Tests.Laboratory;

/// <summary>The memory model against published litmus results: herd7's own for AArch64, Arm's catalogue for aarch64.cat, and the Armv7
/// catalogue of "Herding cats" where the architectures agree (tools/ArmVdso.Lab/Litmus/litmus.tsv has verdicts and sources).</summary>
public sealed class LitmusOracleTests
{
    private static readonly IReadOnlyList<LitmusResult> s_results = ArmVdsoLab.Litmus();

    /// <summary>Every verdict, and where it is published the number of final states.</summary>
    [Fact]
    public void EveryPublishedResultIsOurs() =>
        Assert.Empty(s_results.Where(r => !r.Agrees)
            .Select(r => $"{r.Name}: {r.Allowed} {r.States}, {r.Source}: {r.PublishedAllowed} {r.PublishedStates}"));

    /// <summary>The table has the shapes that matter for a reader and a writer, allowed ones and forbidden ones.</summary>
    [Theory]
    [InlineData("MP")]
    [InlineData("LB")]
    [InlineData("SB")]
    [InlineData("S")]
    [InlineData("R")]
    [InlineData("2+2W")]
    [InlineData("WRC")]
    [InlineData("IRIW")]
    [InlineData("ISA2")]
    public void EveryShapeIsAllowedPlainAndForbiddenWithBarriers(string shape)
    {
        LitmusResult[] of = [.. s_results.Where(r => r.Name == shape || r.Name.StartsWith(shape + "+", StringComparison.Ordinal))];
        Assert.True(of.Length >= 10, $"{shape}: {of.Length} tests");
        Assert.True(of.Single(r => r.Name == shape).Allowed);
        Assert.Contains(of, r => !r.Allowed);
        Assert.Contains(of, r => r.Allowed && r.Name.Contains("dmb", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("CoRR")]
    [InlineData("CoRW1")]
    [InlineData("CoRW2")]
    [InlineData("CoWR")]
    [InlineData("CoWW")]
    public void CoherenceIsKept(string name) => Assert.False(s_results.Single(r => r.Name == name).Allowed);
}
