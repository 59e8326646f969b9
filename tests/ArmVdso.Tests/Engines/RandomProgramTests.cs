namespace ArmVdso.Tests.Engines;

/// <summary>Random programs with branches, faults, stores to code, mappings that change, exclusives and timer interrupts: the three
/// engines are in the same state after each slice. ARMVDSO_LONG=1 goes on for an hour of CPU time, or ARMVDSO_LONG_SECONDS.</summary>
public sealed class RandomProgramTests
{
    [Fact]
    public void AllEnginesAgree()
    {
        ulong blocks = 0;
        for (int seed = 0; seed < 100; seed++)
            blocks += WordFuzzer.Compare(seed).NativeBlocks;
        Assert.True(blocks > 2_000 || !Machine.HasNativeEngine, $"{blocks} native blocks");
    }

    [Fact]
    public void AllEnginesAgreeForLong()
    {
        if (Environment.GetEnvironmentVariable("ARMVDSO_LONG") is not "1")
            return;
        string? seconds = Environment.GetEnvironmentVariable("ARMVDSO_LONG_SECONDS");
        double limit = seconds is null ? 3600 : double.Parse(seconds, System.Globalization.CultureInfo.InvariantCulture);
        TimeSpan start = Environment.CpuUsage.TotalTime;
        for (int seed = 1000; (Environment.CpuUsage.TotalTime - start).TotalSeconds < limit; seed++)
            WordFuzzer.Compare(seed);
    }
}
