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
    [InlineData("--event", "--kernel-image", "x", "--event", "setxid")]
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

    private static JsonNode Cell(JsonNode kernel, string function, string name) => kernel["cells"]!.AsArray().Single(
        c => c!["function"]!.GetValue<string>() == function && c["event"]!.GetValue<string>() == name)!;

    private static string Verdict(JsonNode cell) => cell["verdict"]!.GetValue<string>();

    /// <summary>The clock's second look at the sequence goes: an update in the middle of a call gives a wrong time, at one boundary.
    /// clock_getres has no such look: a thread that enters a time namespace behind the first one reads the wrong page.</summary>
    [Fact]
    public void BrokenSequenceIsFoundAndReplayed()
    {
        const string clock = "clock_gettime_monotonic", resolution = "clock_getres";
        string[] options = ["--cpu", "cortex-a53", "--cpus", "1", "--mutant", "no-recheck"];
        string[] held = [.. (string[])["fork", "exec"], .. Long ? (string[])["vfork", "threads", "timens"] : []];
        string[] events = ["tick", "setresuid", "setns-time", .. held];
        string[] chosen = ["--function", clock, "--function", resolution, .. events.SelectMany(e => (string[])["--event", e])];
        ArmVdsoCommand.Result result = Check("6.1", [.. options, .. chosen, "--json"]);
        Assert.Equal((1, ""), (result.Status, result.Errors));
        JsonNode kernel = JsonNode.Parse(result.Output)!["kernels"]![0]!;
        Assert.StartsWith("6.1.", kernel["booted"]!.GetValue<string>());
        foreach (string function in (string[])[clock, resolution])
        {
            foreach (string name in held)
                Assert.Equal("proved", Verdict(Cell(kernel, function, name)));
            Assert.Equal("n/a", Verdict(Cell(kernel, function, "setresuid")));
        }
        JsonNode joined = Cell(kernel, resolution, "setns-time");
        Assert.Equal("failed", Verdict(joined));
        Assert.Contains("the call returned 0 and 0 s 0 ns; the system call says 1 ns", joined["what"]!.GetValue<string>());
        JsonNode cell = Cell(kernel, clock, "tick");
        Assert.Equal("failed", Verdict(cell));
        Assert.InRange(cell["wrong"]!.GetValue<int>(), 1, cell["interleavings"]!.GetValue<int>() - 1);
        if (!Long)
            return;
        ArmVdsoCommand.Result entered =
            Check("6.1", "--cpu", "cortex-a53", "--cpus", "1", "--replay", joined["id"]!.GetValue<string>(), "--brief");
        Assert.Equal((1, ""), (entered.Status, entered.Errors));
        Assert.EndsWith($"FAILED: {joined["what"]}\n", entered.Output);
        string id = cell["id"]!.GetValue<string>();
        ArmVdsoCommand.Result replay = Check("6.1", [.. options, "--replay", id, "--brief"]);
        Assert.Equal((1, ""), (replay.Status, replay.Errors));
        Assert.EndsWith($"FAILED: {cell["what"]}\n", replay.Output);
        Assert.Contains("interrupt before __kernel_clock_gettime+0x", replay.Output);
        Assert.Contains("kworker", replay.Output);
        // Without the fault the same schedule holds.
        ArmVdsoCommand.Result whole = Check("6.1", "--cpu", "cortex-a53", "--cpus", "1", "--replay", id, "--brief");
        Assert.Equal((0, ""), (whole.Status, whole.Errors));
        Assert.EndsWith("\nheld\n", whole.Output);
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
        Assert.Equal((1, ""), (result.Status, result.Errors));
        JsonArray cells = JsonNode.Parse(result.Output)!["kernels"]![0]!["cells"]!.AsArray();
        Assert.Equal(series == "6.1" ? 9 : 10, cells.Select(c => c!["function"]!.GetValue<string>()).Distinct().Count());
        // clock_getres reads one page after it has looked at another (docs/kernel-laboratory.md).
        JsonNode? wrong = Assert.Single(cells, c => Verdict(c!) is "failed" or "vacuous");
        Assert.Equal(("clock_getres", "setns-time"), (wrong!["function"]!.GetValue<string>(), wrong["event"]!.GetValue<string>()));
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
