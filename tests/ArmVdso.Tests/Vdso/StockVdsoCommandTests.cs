using System.Text.Json;

namespace ArmVdso.Tests.Vdso;

/// <summary>compare on the images of stock kernels: how many instructions a call executes was counted apart from this project.</summary>
public sealed class StockVdsoCommandTests
{
    /// <summary>The loop of the embedded guest adds the call itself, one instruction, to what its empty loop executes.</summary>
    [Theory]
    [InlineData("6.1", "clock_gettime_monotonic", 40)]
    [InlineData("6.1", "clock_gettime_monotonic_raw", 46)]
    [InlineData("6.1", "clock_gettime_monotonic_coarse", 29)]
    [InlineData("6.1", "clock_getres", 22)]
    [InlineData("6.12", "clock_gettime_monotonic", 38)]
    [InlineData("6.12", "clock_gettime_monotonic_coarse", 28)]
    public void Executes_as_many_instructions_as_elsewhere(string version, string function, int instructions)
    {
        foreach (string cpu in (string[])["max", "cortex-a53"])
        {
            ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
                "compare", "--json", "--core", "none", "--cpu", cpu, "--vdso", "stock:" + StockImages.Path(version), function);
            Assert.True(result.Status == 0, result.Errors);
            using JsonDocument document = JsonDocument.Parse(result.Output);
            JsonElement row = document.RootElement.GetProperty("functions").EnumerateArray()
                .Single(f => f.GetProperty("name").GetString() == function).GetProperty("vdso");
            Assert.Equal(instructions + 1, row.GetProperty("instructions").GetInt32());
            Assert.Equal(0, row.GetProperty("wrong").GetInt32());
        }
    }

    /// <summary>Our image reads a clock in no more cycles than Linux's, with FEAT_ECV and without. Cycles are modelled.</summary>
    [Theory]
    [InlineData("max")]
    [InlineData("cortex-a53")]
    public void OurClocksAreNoSlower(string cpu)
    {
        string[] functions = ["clock_gettime_monotonic", "clock_gettime_monotonic_raw", "clock_gettime_monotonic_coarse", "gettimeofday"];
        ulong[] Of(string design)
        {
            var lab = new ArmVdso.Lab.ArmVdsoLab(new ArmVdso.Lab.SessionSettings { Cpu = cpu, Vdso = design });
            return [.. lab.CallCycles(functions)];
        }

        ulong[] stock = Of(StockImages.Path("6.12")), ours = Of("per-cpu");
        for (int i = 0; i < functions.Length; i++)
            Assert.True(ours[i] <= stock[i], $"{functions[i]}: {ours[i]} cycles, Linux 6.12's image {stock[i]}");
    }
}
