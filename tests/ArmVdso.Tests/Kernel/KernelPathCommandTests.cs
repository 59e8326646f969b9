using System.Text.Json;

namespace ArmVdso.Tests.Kernel;

/// <summary>The EL1 path against instruction counts of a stock Debian 6.1 kernel (kernel-model/Costs): within 10% in every class,
/// in every traced configuration.</summary>
public sealed class KernelPathCommandTests
{
    private static readonly string[] Short = ["bad", "getpid", "getppid", "gettid", "getuid", "getcpu", "clock_gettime",
        "clock_gettime_coarse", "gettimeofday", "clock_getres"];

    private static Dictionary<string, JsonElement> Calls(string kernel)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("kernel-path", "--json", "--kernel", kernel);
        Assert.True(result.Status == 0, result.Errors);
        using JsonDocument json = JsonDocument.Parse(result.Output);
        return json.RootElement.GetProperty("calls").EnumerateArray().ToDictionary(c => c.GetProperty("name").GetString()!, c => c.Clone());
    }

    [Theory]
    [InlineData("plain+ssbd")]
    [InlineData("plain+ssbs")]
    [InlineData("kstack-random+ssbd")]
    [InlineData("kstack-random+ssbs")]
    [InlineData("kpti+kstack-random+ssbd")]
    [InlineData("bhb,kstack-random,ssbs")]
    public void ExecutesWhatAStockKernelExecutes(string kernel)
    {
        Dictionary<string, JsonElement> calls = Calls(kernel);
        var wrong = new List<string>();
        foreach (string name in Short)
        {
            JsonElement stock = calls[name].GetProperty("stock");
            Assert.NotEqual(JsonValueKind.Null, stock.ValueKind);
            foreach (JsonProperty expected in stock.EnumerateObject())
            {
                int executed = calls[name].GetProperty("executed").GetProperty(expected.Name).GetInt32();
                if (Math.Abs(executed - expected.Value.GetInt32()) > 0.1 * expected.Value.GetInt32())
                    wrong.Add($"{name} {expected.Name}: {executed}, stock {expected.Value.GetInt32()}");
            }
        }
        Assert.True(wrong.Count == 0, string.Join('\n', wrong));
    }

    [Fact]
    public void ConfigurationsDifferAsInAStockKernel()
    {
        int Instructions(string kernel) => Calls(kernel)["getpid"].GetProperty("executed").GetProperty("n").GetInt32();
        int plain = Instructions("plain");
        Assert.Equal(39, Instructions("kpti") - plain);
        Assert.Equal(74, Instructions("kstack-random") - plain);
        Assert.Equal(81, Instructions("bhb") - plain);
    }

    /// <summary>Vectors that need a scratch register before the stack use TPIDRRO_EL0: a vDSO that reads it there is lost until the
    /// next switch, unless the exit writes it again. Cycles play no part.</summary>
    [Theory]
    [InlineData("kpti", true)]
    [InlineData("bhb", true)]
    [InlineData("kpti+bhb", true)]
    [InlineData("plain", false)]
    [InlineData("kpti+reload", false)]
    [InlineData("kpti+bhb+reload", false)]
    public void VectorsThatUseTpidrroMakeTheVdsoFallBack(string kernel, bool falls)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("compare", "--json", "--core", "none", "--kernel", kernel, "gettid");
        Assert.True(result.Status == 0, result.Errors);
        using JsonDocument json = JsonDocument.Parse(result.Output);
        long fallbacks = json.RootElement.GetProperty("functions")[0].GetProperty("vdso").GetProperty("fallbacks").GetInt64();
        Assert.Equal(falls, fallbacks > 0);
    }

    [Fact]
    public void AnUnknownWordIsNamed()
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--kernel", "kpti+bananas", "true");
        Assert.Equal(2, result.Status);
        Assert.Contains("bananas", result.Errors);
    }

    /// <summary>The published figures that the system instructions are calibrated on, and the others of the same boards.</summary>
    [Fact]
    public void SystemCallLoopsComeNearPublishedFigures()
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("yardsticks", "--json", "syscall-loop", "pipe-loop", "null-syscall",
            "clock-ratio");
        Assert.True(result.Status == 0, result.Errors);
        string[] lines = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(8, lines.Length);
        Assert.All(lines, line => Assert.Contains("\"within\":true", line.Replace(" ", "")));
    }
}
