using System.Text.Json.Nodes;

namespace ArmVdso.Tests.Timing;

/// <summary>Cores that are others but for some parts.</summary>
public sealed class CoreBaseTests
{
    private const string Clock = """{ "value": 2290, "unit": "MHz", "evidence": "documented", "source": "a board" }""";

    private static string File(string more) =>
        $$"""{ "name": "mine", "description": "mine", "base": "cortex-a53", "parameters": { "clock": {{Clock}} }{{more}} }""";

    [Fact]
    public void WhatAFileDoesNotStateIsItsBasesAndMarkedSo()
    {
        CoreModel first = CoreModel.Load("cortex-a53");
        CoreModel mine = CoreModel.Parse(
            File(""", "classes": { "mul": { "latency": 9, "evidence": "measured", "source": "a table" } }"""), "mine.json");
        Assert.Equal(("mine", first.Profile, 2_290_000_000ul), (mine.Name, mine.Profile, mine.ClockFrequency));
        CoreParameter clock = mine.Parameters.Single(p => p.Key == "clock");
        Assert.Equal(("documented", "a board"), (clock.Evidence, clock.Source));
        foreach ((CoreParameter own, CoreParameter of) in mine.Parameters.Zip(first.Parameters).Where(p => p.First.Key != "clock"))
        {
            Assert.Equal((of.Key, of.Value, of.Range), (own.Key, own.Value, own.Range));
            Assert.Equal(of.Evidence == "calibrated" ? "calibrated" : "model", own.Evidence);
            Assert.Equal("as cortex-a53: " + of.Source, own.Source);
        }
        Assert.Equal("latency 9", mine.Timings.Single(t => t.Names == "mul").Values);
        Assert.Equal(first.Timings.Count, mine.Timings.Count);
    }

    /// <summary>What reads a core's text (fits, ranges) sees the whole of it.</summary>
    [Fact]
    public void TheTextOfACoreIsWhole()
    {
        JsonNode root = JsonNode.Parse(CoreModel.TextOf("cortex-a76"))!;
        Assert.Null(root["base"]);
        Assert.Equal(CoreModel.Load("neoverse-n1").Parameters.Count, root["parameters"]!.AsObject().Count);
        Assert.NotEqual(CoreRange.AtEnd("cortex-a76", false), CoreRange.AtEnd("cortex-a76", true));
    }

    [Theory]
    [InlineData("\"cortex-a53\"", "\"cortex-z9\"", "base: no built-in core: cortex-z9")]
    [InlineData("\"cortex-a53\"", "\"cortex-a76\"", "base: cortex-a76 has a base itself")]
    [InlineData("\"cortex-a53\"", "7", "base: no built-in core: 7")]
    [InlineData("\"parameters\": {", "\"classes\": 7, \"parameters\": {", "classes: expected an object")]
    [InlineData("\"parameters\": {", "\"mnemonics\": {}, \"parameters\": {", "mnemonics: expected a list")]
    [InlineData("\"parameters\": {", "\"parameters\": { \"nonsense\": 7,", "parameters.nonsense: unknown key")]
    [InlineData("\"unit\": \"MHz\"", "\"units\": \"MHz\"", "parameters.clock.units: unknown key")]
    public void WhatIsWrongIsNamed(string old, string replacement, string message)
    {
        string text = File("").Replace(old, replacement, StringComparison.Ordinal);
        CoreModelException error = Assert.Throws<CoreModelException>(() => CoreModel.Parse(text, "mine.json"));
        Assert.Equal("core model mine.json: " + message, error.Message);
    }

    [Fact]
    public void AKeyThatIsThereTwiceIsAnError()
    {
        string text = File("").Replace("\"parameters\": {", $"\"parameters\": {{ \"clock\": {Clock},", StringComparison.Ordinal);
        Assert.StartsWith("core model mine.json: ", Assert.Throws<CoreModelException>(() => CoreModel.Parse(text, "mine.json")).Message);
    }
}
