using System.Text.RegularExpressions;

namespace ArmVdso.Tests.Timing;

/// <summary>Whole runs on the out-of-order core: both engines give the same cycles and counts, run after run.</summary>
public sealed class NeoverseN1ProgramTests : IDisposable
{
    private readonly string _report = Path.GetTempFileName();

    public void Dispose() => File.Delete(_report);

    private string Counts(string engine)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("run", "--core", "neoverse-n1", "--cpus", "4", "--engine", engine,
            $"--stats={_report}", "--json", GuestPrograms.Path("threads"), "-n", "1000");
        Assert.Equal(0, result.Status);
        string counts = Regex.Replace(File.ReadAllText(_report), "\"host_seconds\":[^,}]*", "");
        Assert.Contains("CPU_CYCLES", counts);
        return counts;
    }

    [Fact]
    public void EnginesAgreeAndRunsRepeat()
    {
        string portable = Counts("portable");
        Assert.Equal(portable, Counts("portable"));
        Assert.Equal(portable, Counts("reference"));
    }
}
