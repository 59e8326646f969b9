namespace ArmVdso.Tests.Engines;

/// <summary>Random programs with branches, faults, stores to code, mappings that change, exclusives and timer interrupts: the three
/// engines are in the same state after each slice. ARMVDSO_LONG=1 goes on for an hour of CPU time, or ARMVDSO_LONG_SECONDS.</summary>
public sealed class RandomProgramTests
{
    private const int Slices = 12;

    /// <returns>Blocks that became native code.</returns>
    private static ulong Compare(int seed)
    {
        using var reference = new RandomMachine(EngineKind.Reference, seed);
        using var portable = new RandomMachine(EngineKind.Portable, seed);
        using RandomMachine? native = Machine.HasNativeEngine ? new RandomMachine(EngineKind.Native, seed) : null;
        for (int slice = 0; slice < Slices; slice++)
        {
            reference.RunSlice();
            portable.RunSlice();
            native?.RunSlice();
            string expected = reference.State();
            Assert.True(expected == portable.State(), $"seed {seed}, slice {slice}\n{expected}\n{portable.State()}");
            if (native is not null)
                Assert.True(expected == native.State(), $"seed {seed}, slice {slice}\n{expected}\n{native.State()}");
        }
        return native?.Machine.NativeCounts!.Blocks ?? 0;
    }

    [Fact]
    public void AllEnginesAgree()
    {
        ulong blocks = 0;
        for (int seed = 0; seed < 100; seed++)
            blocks += Compare(seed);
        Assert.True(blocks > 6_000 || !Machine.HasNativeEngine, $"{blocks} native blocks");
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
            Compare(seed);
    }
}
