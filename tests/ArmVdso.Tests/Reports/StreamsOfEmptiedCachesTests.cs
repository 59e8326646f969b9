namespace ArmVdso.Tests.Reports;

/// <summary>Was wrong until ca10ce9: emptied caches kept the streams of stores and loads that they had followed, so that a cold
/// measurement depended on what had run before it.</summary>
public sealed class StreamsOfEmptiedCachesTests
{
    /// <summary>Loads or stores of lines in a row, cold: the same after a stream that leads to them and after none.</summary>
    [Theory]
    [InlineData("cortex-a53", 0xF8440420)] // ldr x0, [x1], #64
    [InlineData("cortex-a53", 0xF8040420)] // str x0, [x1], #64
    [InlineData("cortex-a55", 0xF8440420)]
    [InlineData("cortex-a55", 0xF8040420)]
    public void AreForgotten(string core, uint access) => Assert.Equal(Cold(core, access, 0), Cold(core, access, 512));

    /// <summary>Cycles of 16 accesses, each of a line, cold, when the same instructions accessed so many lines directly before them.
    /// </summary>
    private static ulong Cold(string core, uint access, int before)
    {
        const int Accesses = 16;
        using var timer = new SnippetTimer(core);
        for (ulong i = 0; i < Accesses; i++)
            timer.Ram.Write(SnippetTimer.Code + 4 * i, access);
        ulong Run(ulong address)
        {
            timer.Restart();
            timer.Cpu.SetX(1, address);
            ulong start = timer.Cpu.Cycles;
            timer.RunTo(SnippetTimer.Code + 4 * Accesses);
            return timer.Cpu.Cycles - start;
        }
        const ulong First = SnippetTimer.Data + (64 << 10);
        for (int lines = before; lines > 0; lines -= Accesses)
            Run(First - 64 * (ulong)lines);
        // Memory keeps rows open: another row of the same bank.
        Run(First + (32 << 10));
        timer.Cpu.Timing.EmptyCaches();
        // Whatever was under way has arrived.
        timer.Cpu.Timing.AdvanceTo(timer.Cpu.Cycles + 1_000_000);
        return Run(First);
    }
}
