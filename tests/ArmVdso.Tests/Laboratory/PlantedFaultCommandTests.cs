using System.Text.Json;

namespace ArmVdso.Tests.Laboratory;

/// <summary>armvdso check --mutants: the checker can fail.</summary>
public sealed class PlantedFaultCommandTests
{
    // Clocks and the getters of a slot have one code each: one function of a kind shows a fault of it. Long runs take all.
    private static readonly string[] s_usual = ["getpid", "clock_gettime_realtime_coarse", "clock_gettime_monotonic"];

    /// <summary>Each planted fault is found: barriers removed, checks removed, writers broken.</summary>
    [Fact]
    public void PlantedFaultsAreFound()
    {
        string[] functions = Environment.GetEnvironmentVariable("ARMVDSO_LONG") == "1" ? [] : s_usual;
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
            ["check", "--mutants", "per-cpu-seq", "--json", .. functions.SelectMany(f => new[] { "--function", f })]);
        Assert.True(result.Status == 0, result.Output + result.Errors);
        var found = new Dictionary<string, string[]>();
        foreach (JsonElement mutant in JsonDocument.Parse(result.Output).RootElement.GetProperty("mutants").EnumerateArray())
            found[mutant.GetProperty("mutant").GetString()!] =
                [.. mutant.GetProperty("found_by").EnumerateArray().Select(e => e.GetString()!)];
        // A missing barrier shows only when loads are reordered; a missing check shows in program order too.
        foreach (string barrier in (string[])["no-first-barrier", "no-second-barrier", "writer-no-barriers"])
            Assert.Equal(["weak-tick", "weak-settime"], found[barrier]);
        foreach (string check in (string[])["no-odd-check", "no-recheck", "sequence-after-data", "writer-no-first-increment",
            "writer-early-second-increment"])
            Assert.Contains("tick", found[check]);
        Assert.Contains("migrate", found["no-register-recheck"]);
    }

    private static readonly string[] s_ofReaders =
        ["no-first-barrier", "no-second-barrier", "no-odd-check", "no-recheck", "sequence-after-data"];

    /// <summary>So too in images that other compilers have made of other sources, with another order of the pages, other uses of barriers
    /// and retries that are not where they were: places are found by what instructions do.</summary>
    [Theory]
    [InlineData("6.1")]
    [InlineData("6.12")]
    [InlineData(StockImages.Newest)]
    public void PlantedFaultsOfStockImagesAreFound(string version)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
            ["check", "--mutants", "stock:" + StockImages.Path(version), "--json", .. s_usual.SelectMany(f => new[] { "--function", f })]);
        Assert.True(result.Status == 0, result.Output + result.Errors);
        JsonElement[] mutants = [.. JsonDocument.Parse(result.Output).RootElement.GetProperty("mutants").EnumerateArray()];
        Assert.All(mutants, m => Assert.NotEmpty(m.GetProperty("found_by").EnumerateArray()));
        // Two clocks and their forms in time namespaces, gettimeofday and its: each has all five places.
        Assert.Equal(
            s_ofReaders.Select(name => (name, 6)),
            mutants.Take(s_ofReaders.Length).Select(m => (m.GetProperty("mutant").GetString()!, m.GetProperty("places").GetInt32())));
        Assert.Equal(3, mutants.Count(m => m.GetProperty("mutant").GetString()!.StartsWith("writer-", StringComparison.Ordinal)));
    }
}
