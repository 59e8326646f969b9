using ArmVdso.Yardsticks;
using Xunit.Abstractions;

namespace ArmVdso.Tests.Timing;

/// <summary>The core models against cycles measured on hardware, as <c>armvdso yardsticks</c> compares them.</summary>
public sealed class TimingTests(ITestOutputHelper output)
{
    // Ratchets: what the models reach; they may only get better.
    [Theory]
    [InlineData("a53-sequences", 0, 1.0, true)]
    [InlineData("a53-sequences", 1, 0.0, false)]
    [InlineData("a53-instructions", 0, 0.009, false)]
    [InlineData("n1-instructions", 0, 0.01, false)]
    [InlineData("a55-loops", 0, 0.003, false)]
    [InlineData("mca-blocks", 0, 0.8, true)]
    [InlineData("mca-blocks", 1, 0.85, true)]
    public void ModelsReachTheirYardsticks(string set, int metric, double reached, bool atLeast)
    {
        YardstickResult result = YardstickSets.All.Single(s => s.Name == set).Run(YardstickData.BuiltIn).ElementAt(metric);
        foreach (YardstickRow row in result.Rows.Where(r => r.Error > 0.05))
            output.WriteLine($"{row.Name}: {row.Reference} measured, {row.Model:f2} modelled");
        output.WriteLine($"{result.Metric} {result.Result}");
        Assert.True(atLeast ? result.Value >= reached : result.Value <= reached, $"{result.Metric} {result.Result}");
    }

    /// <summary>Nearly all rows are understood; the others have a reason.</summary>
    [Fact]
    public void RowsAreMapped()
    {
        YardstickResult result = YardstickSets.All.Single(s => s.Name == "a53-instructions").Run(YardstickData.BuiltIn).Single();
        Assert.All(result.Unmapped, u => Assert.NotEmpty(u.Reason));
        Assert.True(result.Unmapped.Count(u => !u.Reason.Contains("does not have it")) <= 8);
    }

    [Fact]
    public void RanksOfEqualValuesAreShared()
    {
        Assert.Equal(1.0, YardstickSets.RankCorrelation([1, 2, 2, 5], [10, 20, 20, 21]), 9);
        Assert.Equal(-1.0, YardstickSets.RankCorrelation([1, 2, 3], [3, 2, 1]), 9);
    }
}
