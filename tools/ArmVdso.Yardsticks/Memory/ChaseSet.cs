using System.Globalization;
using ArmVdso.Emulator;
using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Yardsticks.Memory;

/// <summary>The latency plateaus of ramlat: a chain of pointers in random order through memory of a given size, by guest code.</summary>
public static class ChaseSet
{
    private const int Line = 64;
    private const int MostSteps = 600_000;

    /// <summary>Cycles of one load of the chain, or of eight chains side by side (the eight loads together).</summary>
    /// <param name="core">Core model.</param>
    /// <param name="kilobytes">Size of the memory.</param>
    /// <param name="chains">1 or 8.</param>
    public static double Cycles(string core, int kilobytes, int chains)
    {
        ulong size = (ulong)kilobytes << 10;
        using var timer = new SnippetTimer(core, Math.Max(16UL << 20, (size * 2) + (8UL << 20)));
        int lines = (int)(size / Line);
        ulong[] starts = Build(timer, lines, chains);
        // ldr xN, [xN] for each chain.
        const int Copies = 32;
        for (int i = 0; i < Copies * chains; i++)
            timer.Ram.Write(SnippetTimer.Code + (4 * (ulong)i), 0xF9400000u | ((uint)(i % chains) << 5) | (uint)(i % chains));
        ulong end = SnippetTimer.Code + (4UL * Copies * (ulong)chains);
        for (int i = 0; i < chains; i++)
            timer.Cpu.SetX(i, starts[i]);
        int perChain = lines / chains;
        int rounds = Math.Max(8, Math.Min(MostSteps, perChain * 2) / Copies);
        // Once around, and on until the last of those misses is over.
        int warm = Math.Max(4, Math.Min(MostSteps, perChain) / Copies) + 8;
        ulong start = 0;
        for (int round = 0; round < warm + rounds; round++)
        {
            if (round == warm)
                start = timer.Cpu.Cycles;
            timer.Restart();
            timer.RunTo(end);
        }
        return (double)(timer.Cpu.Cycles - start) / (rounds * Copies);
    }

    /// <summary>Links the lines in random order, in as many rings as there are chains.</summary>
    private static ulong[] Build(SnippetTimer timer, int lines, int chains)
    {
        var order = new int[lines];
        for (int i = 0; i < lines; i++)
            order[i] = i;
        uint random = 1;
        for (int i = lines - 1; i > 0; i--)
        {
            random = (random * 1664525) + 1013904223;
            int other = (int)(random >> 4) % (i + 1);
            (order[i], order[other]) = (order[other], order[i]);
        }
        int each = lines / chains;
        var starts = new ulong[chains];
        for (int chain = 0; chain < chains; chain++)
        {
            int first = chain * each;
            starts[chain] = SnippetTimer.Data + ((ulong)order[first] * Line);
            for (int i = 0; i < each; i++)
                timer.Ram.Write(
                    SnippetTimer.Data + ((ulong)order[first + i] * Line),
                    SnippetTimer.Data + ((ulong)order[first + ((i + 1) % each)] * Line));
        }
        return starts;
    }

    /// <summary>Compares the plateaus of one core. L1 and L2 in cycles; DRAM in ns, since boards differ in clock.</summary>
    /// <param name="data">Tables.</param>
    /// <param name="file">Table.</param>
    /// <param name="boardCore">Name of the core in the table.</param>
    /// <param name="core">Core model.</param>
    /// <param name="levels">Sizes in KB with the level that they stand for.</param>
    public static List<(string Level, YardstickRow Row)> Compare(
        YardstickData data, string file, string boardCore, string core, IReadOnlyDictionary<int, string> levels)
    {
        var rows = new List<(string, YardstickRow)>();
        double clock = CoreModel.Load(core).ClockFrequency / 1e9;
        foreach (TableRow row in data.Table(file, "core", "sizeK", "ptr_cyc_med", "8xptr_cyc_med", "ptr_ns_med"))
        {
            if (row[0] != boardCore || !levels.TryGetValue((int)row.Value(1), out string? level))
                continue;
            double cycles = Cycles(core, (int)row.Value(1), 1);
            string name = row[1] + " KB";
            rows.Add(
                (level, level == "DRAM"
                ? new YardstickRow(name, row.Value(4), cycles / clock, "ns")
                : new YardstickRow(name, row.Value(2), cycles, "cycles")));
            if (double.TryParse(row[3], CultureInfo.InvariantCulture, out double eight) && level != "DRAM")
                rows.Add((level + " x8", new YardstickRow(name + " eight chains", eight, Cycles(core, (int)row.Value(1), 8), "cycles")));
        }
        return rows;
    }
}
