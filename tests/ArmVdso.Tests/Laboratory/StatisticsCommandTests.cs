using System.Globalization;
using System.Text.Json;
using System.Text.RegularExpressions;

namespace ArmVdso.Tests.Laboratory;

/// <summary>Performance counters: as the guest sees them, against code whose counts are known, and as the command reports them, against
/// each other.</summary>
public sealed partial class StatisticsCommandTests
{
    [Theory]
    [InlineData("cortex-a53", "portable")]
    [InlineData("cortex-a53", "reference")]
    [InlineData("neoverse-n1", "portable")]
    public void PerfEventsCountExactly(string core, string engine)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--core", core, "--engine", engine, GuestPrograms.Path("perf"));
        Assert.True(result.Status == 0 && result.Output.EndsWith("perf: 0 failed\n", StringComparison.Ordinal),
            result.Output + result.Errors);
    }

    [Theory]
    [InlineData("portable")]
    [InlineData("reference")]
    public void MonitorsAtEL0(string engine)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--pmu-user", "--engine", engine, GuestPrograms.Path("pmu"));
        Assert.True(result.Status == 0 && result.Output.EndsWith("pmu: 0 failed\n", StringComparison.Ordinal),
            result.Output + result.Errors);
        Assert.Equal(128 + 4, ArmVdsoCommand.Run("run", GuestPrograms.Path("pmu")).Status);
    }

    [GeneratedRegex(@"^([\d,]+) +100\.0% +([\d,]+) +all \d+ functions", RegexOptions.Multiline)]
    private static partial Regex ProfileSum();

    [Theory]
    [InlineData("cortex-a53")]
    [InlineData("neoverse-n1")]
    public void CausesEventsAndFunctionsSumToTheCycles(string core)
    {
        string stats = Path.GetTempFileName(), profile = Path.GetTempFileName();
        try
        {
            ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--core", core, "--stats=" + stats, "--stats-format", "json",
                "--profile=" + profile, GuestPrograms.Path("server"), "-n", "5");
            Assert.True(result.Status == 0, result.Errors);
            JsonElement json = JsonDocument.Parse(File.ReadAllText(stats)).RootElement;
            long cycles = json.GetProperty("cycles").GetInt64(), instructions = json.GetProperty("instructions").GetInt64();
            JsonElement[] levels = [json.GetProperty("el0"), json.GetProperty("el1")];
            Assert.Equal(cycles, levels.Sum(l => l.GetProperty("cycles").EnumerateObject().Where(p => p.Name != "Waiting")
                .Sum(p => p.Value.GetInt64())));
            Assert.Equal(cycles, levels.Sum(l => l.GetProperty("events").GetProperty("CPU_CYCLES").GetInt64()));
            Assert.Equal(instructions, levels.Sum(l => l.GetProperty("events").GetProperty("INST_RETIRED").GetInt64()));
            Match sum = ProfileSum().Match(File.ReadAllText(profile));
            Assert.Equal(cycles, long.Parse(sum.Groups[1].Value, NumberStyles.AllowThousands, CultureInfo.InvariantCulture));
            Assert.Equal(instructions, long.Parse(sum.Groups[2].Value, NumberStyles.AllowThousands, CultureInfo.InvariantCulture));
        }
        finally
        {
            File.Delete(stats);
            File.Delete(profile);
        }
    }
}
