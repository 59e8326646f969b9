using System.Text.Json;

namespace ArmVdso.Tests.Laboratory;

/// <summary>armvdso check: nothing is found where nothing is.</summary>
public sealed class CheckedDesignCommandTests
{
    /// <summary>Nothing is wrong in a design with retry and hooks, whatever happens and wherever; but a kernel that knows ranges of code
    /// does not know them in a copy.</summary>
    [Theory]
    [MemberData(nameof(KnownDesigns.Mended), MemberType = typeof(KnownDesigns))]
    public void AMendedDesignHolds(string design)
    {
        string[] served = [.. CheckCells.Ids, "getcpu", "sched_get_priority_max"];
        int functions = design == "rseq" ? 2 : served.Length;
        // The clocks and getrandom are the same code in all images: once is enough.
        string[] wanted = design == "per-cpu-seq" ? [] : [.. served.SelectMany(f => new[] { "--function", f })];
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(["check", design, "--json", .. wanted]);
        bool ranges = design == "per-cpu-fixup";
        Assert.True(result.Status == (ranges ? 1 : 0), result.Output + result.Errors);
        Dictionary<(string Function, string Event), JsonElement> cells = CheckCells.Of(result.Output, design);
        Assert.All(cells, c => Assert.Contains(CheckCells.Verdict(c.Value),
            ranges && c.Key.Event == "copied-migrate" && CheckCells.Ids.Contains(c.Key.Function)
                ? (string[])["failed"] : ["proved", "n/a", "kernel"]));
        Assert.All(cells.Values.Where(c => CheckCells.Verdict(c) == "proved"),
            c => Assert.Contains("2 CPUs", c.GetProperty("within").GetString()));
        Assert.Equal(functions, cells.Keys.Select(k => k.Function).Distinct().Count(served.Contains));
        Assert.True(cells.Values.Sum(c => c.GetProperty("interleavings").GetInt64()) > 1000 * functions / 10);
        // Undisturbed calls are answered without the kernel; otherwise the proof would be of the system call.
        Assert.All(cells.Where(c => c.Key.Event == "none" && c.Key.Function != "getrandom_new_key"),
            c => Assert.Equal(0, c.Value.GetProperty("fell_back").GetInt64()));
    }

    /// <summary>Unmodified images of Linux hold too: their clocks, with updates seen store by store and reordered.</summary>
    [Theory]
    [InlineData("6.1")]
    [InlineData("6.12")]
    public void StockImagesHold(string version)
    {
        string image = StockImages.Path(version);
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("check", image, "--json", "--function", "clock_gettime_realtime", "--function",
            "clock_gettime_monotonic_raw", "--function", "clock_gettime_monotonic_coarse");
        Assert.True(result.Status == 0, result.Output + result.Errors);
        Dictionary<(string Function, string Event), JsonElement> cells = CheckCells.Of(result.Output, image);
        Assert.Equal("proved", CheckCells.Verdict(cells[("clock_gettime_realtime", "tick")]));
        Assert.True(cells[("clock_gettime_realtime", "tick")].GetProperty("interleavings").GetInt64() > 400);
        Assert.Equal("proved", CheckCells.Verdict(cells[("clock_gettime_monotonic_coarse", "weak-tick")]));
    }
}
