using System.Text.Json;

namespace ArmVdso.Tests.Laboratory;

/// <summary>The attack on a kernel that trusts a writable data page: it succeeds where the word is loaded twice, and only there.</summary>
public sealed class WritablePageCommandTests
{
    [Fact]
    public void TheAttackNeedsTwoLoads()
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("vdso", "writable", "--json");
        Assert.True(result.Status == 0, result.Errors);
        Dictionary<string, JsonElement> kernels = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(line => JsonDocument.Parse(line).RootElement).ToDictionary(k => k.GetProperty("page").GetString()!);
        Assert.All(kernels.Values, k => Assert.True(k.GetProperty("forged_words").GetInt64() > 1000));
        Assert.Equal(0, kernels["ignored"].GetProperty("opened").GetInt64());
        Assert.True(kernels["trusted"].GetProperty("opened").GetInt64() > 0);
        Assert.Equal(0, kernels["copied"].GetProperty("opened").GetInt64());
        Assert.All(kernels.Values, k => Assert.Equal(
            ("cortex-a53", "cortex-a53", "kstack-random+ssbd"),
            (k.GetProperty("core").GetString(), k.GetProperty("cpu_profile").GetString(), k.GetProperty("kernel").GetString())));
        Assert.Equal(result.Output, ArmVdsoCommand.Run("vdso", "writable", "--json").Output);
    }
}
