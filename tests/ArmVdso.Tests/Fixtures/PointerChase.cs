namespace ArmVdso.Tests.Fixtures;

/// <summary>A chain of loads, as sbc-bench's ramlat measures it.</summary>
internal static class PointerChase
{
    /// <summary>Cycles of one load in a chain of loads through so many bytes, a line each, in random order, with everything warm.</summary>
    /// <param name="core">The core.</param>
    /// <param name="size">Bytes.</param>
    internal static double CyclesOfALoad(string core, int size)
    {
        using var timer = new SnippetTimer(core);
        int lines = size / 64;
        var order = new int[lines];
        for (int i = 0; i < lines; i++)
            order[i] = i;
        uint random = 1;
        for (int i = lines - 1; i > 0; i--)
        {
            random = random * 1664525 + 1013904223;
            int other = (int)(random >> 8) % (i + 1);
            (order[i], order[other]) = (order[other], order[i]);
        }
        for (int i = 0; i < lines; i++)
            timer.Ram.Write(SnippetTimer.Data + (ulong)order[i] * 64, SnippetTimer.Data + (ulong)order[(i + 1) % lines] * 64);
        // Registers are prepared once, so that the chain goes on over the whole set.
        bool prepared = false;
        double cycles = 0;
        for (int pass = 0; pass < 2 + lines * 2 / 1728; pass++)
        {
            cycles = timer.PerCopy([0xF9400021], cpu =>
            {
                if (!prepared)
                    cpu.SetX(1, SnippetTimer.Data);
                prepared = true;
            });
        }
        return cycles;
    }
}
