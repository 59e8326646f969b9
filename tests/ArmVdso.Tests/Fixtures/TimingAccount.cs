using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.Events;

namespace ArmVdso.Tests.Fixtures;

/// <summary>Cycles by cause and level always add up to the clock.</summary>
internal static class TimingAccount
{
    /// <summary>Runs instructions of all kinds, charged work and a wait, and adds up.</summary>
    /// <returns>The clock.</returns>
    internal static ulong Check<T>(string core)
        where T : PipelineTiming
    {
        using var timer = new SnippetTimer(core);
        // ldr x1, [x2], #4096 ; add x1, x1, x3 ; mul x1, x1, x1 ; str x1, [x2, #8] ; ldp x4, x5, [x2] ; udiv x6, x1, x3 ;
        // dsb sy ; isb ; mrs x7, cntvct_el0
        uint[] words = [0xF8400441, 0x8B030021, 0x9B017C21, 0xF9000441, 0xA9401444, 0x9AC30826, 0xD5033F9F, 0xD5033FDF, 0xD53BE047];
        timer.PerCopy(words, cpu =>
        {
            cpu.SetX(2, SnippetTimer.Data);
            cpu.SetX(3, 3);
        });
        T timing = Assert.IsType<T>(timer.Cpu.Timing);
        timing.ChargeWork(new OutsideWork(100, 0, 0, 100, 0, 0, 0, 0, 0));
        timing.AdvanceTo(timing.Cycles + 50);
        TimingStatistics statistics = timing.Statistics;
        Assert.Equal(timing.Cycles, statistics.Cycles);
        Assert.Equal(timer.Cpu.Instructions, statistics.EL0.Instructions + statistics.EL1.Instructions);
        Assert.Equal(100UL, statistics.EL1.Causes[(int)CycleCause.Charged]);
        Assert.Equal(50UL, statistics.EL1.Causes[(int)CycleCause.Waiting]);
        Assert.NotEqual(0UL, statistics.EL1.Causes[(int)CycleCause.System]);
        Assert.NotEqual(0UL, statistics.EL1.Causes[(int)CycleCause.Dram]);
        return timing.Cycles;
    }
}
