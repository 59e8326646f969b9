using System.Text.RegularExpressions;

namespace ArmVdso.Tests.Timing;

/// <summary>Whole runs on out-of-order cores: both engines give the same cycles and counts, run after run.</summary>
public sealed class OutOfOrderProgramTests : IDisposable
{
    private readonly string _report = Path.GetTempFileName();

    public void Dispose() => File.Delete(_report);

    private string Counts(string core, string engine)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--core", core, "--cpus", "4", "--engine", engine,
            $"--stats={_report}", "--json", GuestPrograms.Path("threads"), "-n", "1000");
        Assert.Equal(0, result.Status);
        string counts = Regex.Replace(File.ReadAllText(_report), "\"host_seconds\":[^,}]*", "");
        Assert.Contains("CPU_CYCLES", counts);
        return counts;
    }

    [Theory]
    [InlineData("neoverse-n1")]
    [InlineData("cortex-a72")]
    public void EnginesAgreeAndRunsRepeat(string core)
    {
        string portable = Counts(core, "portable");
        Assert.Equal(portable, Counts(core, "portable"));
        Assert.Equal(portable, Counts(core, "reference"));
    }
}
