using System.Text.Json.Nodes;

namespace ArmVdso.Tests.Board;

/// <summary>check and compare on a booted kernel with its own vDSO. What is not about the command line boots a stock kernel, so it is for
/// ARMVDSO_LONG=1, but for one call of one function.</summary>
public sealed class BootedCheckCommandTests
{
    private static bool Long => Environment.GetEnvironmentVariable("ARMVDSO_LONG") == "1";

    private static string Image(string series) => Path.Join(StockKernelProgramTests.Folder, series, "vmlinuz");

    private static ArmVdsoCommand.Result Check(string series, params string[] options) =>
        ArmVdsoCommand.Run(["check", "--kernel-image", Image(series), .. options]);

    [Theory]
    [InlineData("--initrd", "--initrd", "x")]
    [InlineData("--append", "--append", "x")]
    [InlineData("--pairs", "--kernel-image", "x", "--pairs")]
    [InlineData("--faults", "--kernel-image", "x", "--faults")]
    [InlineData("--kernel", "--kernel-image", "x", "--kernel", "kpti")]
    [InlineData("DESIGN", "--kernel-image", "x", "per-cpu")]
    [InlineData("--event", "--kernel-image", "x", "--event", "setresuid")]
    [InlineData("--function", "--kernel-image", "x", "--function", "nothing")]
    [InlineData("--mutant", "--kernel-image", "x", "--mutant", "writer-no-barriers")]
    [InlineData("--brief", "--kernel-image", "x", "--brief")]
    [InlineData("--json", "--kernel-image", "x", "--replay", "a/b/tick@1", "--json")]
    public void WhatMeansNothingIsRefused(string named, params string[] options)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(["check", .. options]);
        Assert.Equal((2, ""), (result.Status, result.Output));
        Assert.Contains(named, result.Errors);
    }

    [Theory]
    [InlineData("--initrd", "--initrd", "x")]
    [InlineData("--threads", "--kernel-image", "x", "--threads", "2")]
    [InlineData("--vdso", "--kernel-image", "x", "--vdso", "none")]
    [InlineData("--placement", "--kernel-image", "x", "--placement", "1")]
    [InlineData("--slice", "--kernel-image", "x", "--slice", "5")]
    [InlineData("nothing", "--kernel-image", "x", "nothing")]
    public void CompareRefusesWhatMeansNothing(string named, params string[] options)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(["compare", .. options]);
        Assert.Equal((2, ""), (result.Status, result.Output));
        Assert.Contains(named, result.Errors);
    }

    [Fact]
    public void NoSuchKernelIsNotFound()
    {
        Assert.Equal(127, ArmVdsoCommand.Run("check", "--kernel-image", "/nowhere").Status);
        Assert.Equal(127, ArmVdsoCommand.Run("compare", "--kernel-image", "/nowhere").Status);
        Assert.Equal(126, ArmVdsoCommand.Run("check", "--kernel-image", "/etc/passwd").Status);
    }

    /// <summary>The clock's second look at the sequence goes: an update in the middle of a call gives a wrong time, at one
    /// boundary.</summary>
    [Fact]
    public void BrokenSequenceIsFoundAndReplayed()
    {
        string[] options = ["--cpu", "cortex-a53", "--cpus", "1", "--mutant", "no-recheck"];
        ArmVdsoCommand.Result result =
            Check("6.1", [.. options, "--function", "clock_gettime_monotonic", "--event", "tick", "--json"]);
        Assert.Equal((1, ""), (result.Status, result.Errors));
        JsonNode kernel = JsonNode.Parse(result.Output)!["kernels"]![0]!;
        Assert.StartsWith("6.1.", kernel["booted"]!.GetValue<string>());
        JsonNode cell = kernel["cells"]!.AsArray().Single(c => c!["event"]!.GetValue<string>() == "tick")!;
        Assert.Equal("failed", cell["verdict"]!.GetValue<string>());
        Assert.InRange(cell["wrong"]!.GetValue<int>(), 1, cell["interleavings"]!.GetValue<int>() - 1);
        if (!Long)
            return;
        string id = cell["id"]!.GetValue<string>();
        ArmVdsoCommand.Result replay = Check("6.1", [.. options, "--replay", id, "--brief"]);
        Assert.Equal((1, ""), (replay.Status, replay.Errors));
        Assert.EndsWith($"FAILED: {cell["what"]}\n", replay.Output);
        Assert.Contains("interrupt before __kernel_clock_gettime+0x", replay.Output);
        Assert.Contains("kworker", replay.Output);
        // Without the fault the same schedule holds.
        ArmVdsoCommand.Result held = Check("6.1", "--cpu", "cortex-a53", "--cpus", "1", "--replay", id, "--brief");
        Assert.Equal((0, ""), (held.Status, held.Errors));
        Assert.EndsWith("\nheld\n", held.Output);
    }

    [Theory]
    [InlineData("6.1", 1)]
    [InlineData("6.1", 2)]
    [InlineData("6.12", 1)]
    [InlineData("6.12", 2)]
    public void StockKernelsHold(string series, int cpus)
    {
        if (!Long)
            return;
        ArmVdsoCommand.Result result = Check(series, "--cpus", $"{cpus}", "--json");
        Assert.Equal((0, ""), (result.Status, result.Errors));
        JsonArray cells = JsonNode.Parse(result.Output)!["kernels"]![0]!["cells"]!.AsArray();
        Assert.Equal(series == "6.1" ? 9 : 10, cells.Select(c => c!["function"]!.GetValue<string>()).Distinct().Count());
        Assert.DoesNotContain(cells, c => c!["verdict"]!.GetValue<string>() is "failed" or "vacuous");
        foreach (JsonNode? migration in cells.Where(c => c!["event"]!.GetValue<string>() == "migrate"))
            Assert.Equal(cpus > 1 ? "proved" : "n/a", migration!["verdict"]!.GetValue<string>());
    }

    [Theory]
    [InlineData("6.1", 9)]
    [InlineData("6.12", 9)]
    public void ComparedOnABootedKernel(string series, int functions)
    {
        if (!Long)
            return;
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("compare", "--kernel-image", Image(series), "--core", "none", "--json");
        Assert.Equal((0, ""), (result.Status, result.Errors));
        JsonArray compared = JsonNode.Parse(result.Output)!["functions"]!.AsArray();
        Assert.Equal(functions, compared.Count);
        foreach (JsonNode? function in compared)
        {
            int system = function!["syscall"]!["instructions"]!.GetValue<int>(), vdso = function["vdso"]!["instructions"]!.GetValue<int>();
            Assert.Equal(0, function["vdso"]!["fallbacks"]!.GetValue<int>());
            Assert.InRange(vdso, 5, system / 3);
        }
    }
}
