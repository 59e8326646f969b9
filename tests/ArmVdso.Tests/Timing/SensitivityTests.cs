using ArmVdso.Yardsticks.Programs;

namespace ArmVdso.Tests.Timing;

/// <summary>Parameters at the ends of their ranges.</summary>
public sealed class SensitivityTests
{
    private static CoreParameter Parameter(string core, string key) => ProgramSensitivity.Uncertain(core).Single(p => p.Key == key);

    /// <summary>Each end is a core of its own, with everything else as it was, on a board too.</summary>
    [Theory]
    [InlineData("cortex-a55@rk3566")]
    [InlineData("cortex-a76")]
    public void AnEndIsTheCoreButForTheParameter(string core)
    {
        CoreModel first = CoreModel.Load(core);
        var seen = new List<CoreModel>();
        var figure = new ProgramFigure("clock", "Hz", path =>
        {
            seen.Add(CoreModel.Load(path));
            return seen[^1].Parameters.Single(p => p.Key == "l2_latency").Value;
        });
        CoreParameter latency = Parameter(core, "l2_latency");
        ParameterEffect effect = ProgramSensitivity.Of(core, figure, [latency]).Single();
        Assert.Equal((latency.Range!.Value.Low, latency.Range.Value.High), ((int)effect.Low!.Value, (int)effect.High!.Value));
        foreach (CoreModel end in seen)
        {
            Assert.Equal(
                first.Parameters.Where(p => p.Key != "l2_latency").Select(p => (p.Key, p.Value)),
                end.Parameters.Where(p => p.Key != "l2_latency").Select(p => (p.Key, p.Value)));
            Assert.Equal((first.Profile, first.Timings.Count), (end.Profile, end.Timings.Count));
        }
    }

    /// <summary>A program's figure moves with what it uses, and not with what it does not.</summary>
    [Fact]
    public void FiguresMoveWithWhatTheProgramUses()
    {
        const string Core = "cortex-a53";
        ProgramFigure figure = ProgramFigure.BuiltIn.Single(f => f.Name == "dhrystone_like -O2");
        double now = figure.On(Core);
        CoreParameter[] parameters = [Parameter(Core, "dram_latency"), Parameter(Core, "fetch_bytes")];
        ParameterEffect[] effects = [.. ProgramSensitivity.Of(Core, figure, parameters)];
        Assert.Equal(0, effects[0].Share(now), 3);
        Assert.True(effects[1].Share(now) > 0.001, $"{effects[1].Low} {now} {effects[1].High}");
    }

    [Fact]
    public void AnEndThatTheCoreCannotHaveIsNamed()
    {
        const string Core = "neoverse-n1";
        ParameterEffect effect = ProgramSensitivity.Of(
            Core, new ProgramFigure("none", "", _ => 1), [Parameter(Core, "targets_per_block")]).Single();
        Assert.Null(effect.High);
        Assert.Equal("parameters.targets_per_block: the number of sets must be a power of two", effect.Reason);
    }
}
