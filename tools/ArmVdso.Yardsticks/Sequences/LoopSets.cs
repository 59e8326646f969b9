using ArmVdso.Assembler;

namespace ArmVdso.Yardsticks.Sequences;

/// <summary>Loops with the cycles a round that hardware or llvm-mca gives.</summary>
public static class LoopSets
{
    /// <summary>Rounds that a measured loop is taken to have run; how long the hardware loops ran is not known, and quotients of the
    /// counter depend on it.</summary>
    public const int Rounds = 2_000_000;

    private const int Samples = 50;
    private const int RoundsEach = 100;

    /// <summary>Loops measured on a Cortex-A55: W8 counts from 0 to W9, X10 points to memory. Pieces of the run are timed, evenly
    /// spread.</summary>
    /// <exception cref="YardstickException">The table is missing or not well formed.</exception>
    public static (List<YardstickRow> Rows, List<UnmappedRow> Unmapped) Measured(YardstickData data, string file, string core)
    {
        var rows = new List<YardstickRow>();
        var unmapped = new List<UnmappedRow>();
        foreach (TableRow row in data.Table(file, "id", "hw_cyc", "asm"))
        {
            Add(row[0], row.Value(1), rows, unmapped,
                () => Enumerable.Range(0, Samples).Average(sample => LoopRunner.Cycles(core, row[2], RoundsEach, cpu =>
            {
                cpu.SetX(8, (ulong)(Rounds / Samples * sample));
                cpu.SetX(9, int.MaxValue);
            })));
        }
        return (rows, unmapped);
    }

    /// <summary>Blocks with the cycles that llvm-mca gives on one of its cores.</summary>
    /// <exception cref="YardstickException">The table or a block is missing or not well formed.</exception>
    public static (List<YardstickRow> Rows, List<UnmappedRow> Unmapped) Blocks(YardstickData data, string folder, string core)
    {
        var rows = new List<YardstickRow>();
        var unmapped = new List<UnmappedRow>();
        foreach (TableRow row in data.Table($"{folder}/results.tsv", "id", core + "_cpi_iter"))
        {
            string file = $"{folder}/{row[0]}.s";
            if (!double.TryParse(row[1], System.Globalization.CultureInfo.InvariantCulture, out double reference))
                unmapped.Add(new UnmappedRow(row[0], "no figure"));
            else if (!data.Has(file))
                unmapped.Add(new UnmappedRow(row[0], $"no file {file}"));
            else
                Add(row[0], reference, rows, unmapped, () => LoopRunner.Cycles(core, data.Text(file), 200, _ => { }));
        }
        return (rows, unmapped);
    }

    private static void Add(string name, double reference, List<YardstickRow> rows, List<UnmappedRow> unmapped, Func<double> model)
    {
        try
        {
            rows.Add(new YardstickRow(name, reference, model(), "cycles"));
        }
        catch (Exception e) when (e is AssemblerException or InvalidOperationException)
        {
            unmapped.Add(new UnmappedRow(name, e.Message));
        }
    }
}
