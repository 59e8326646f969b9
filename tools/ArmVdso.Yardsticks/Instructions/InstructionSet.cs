using System.Collections.Concurrent;
using ArmVdso.Assembler;
using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Yardsticks.Instructions;

/// <summary>A table of single instructions with latency and throughput, as insn_bench_aarch64 prints them.</summary>
public static class InstructionSet
{
    private static readonly ConcurrentDictionary<string, Transfers> TransfersOf = [];

    /// <summary>What the author subtracts from ways that lead from one register file to the other: half of the way there and back, which
    /// was measured on the machine and so belongs to the core.</summary>
    /// <param name="OutOfOrder">Issues out of order.</param>
    /// <param name="Move">Of conversions.</param>
    /// <param name="Forward">Of loads, with the addition behind them.</param>
    private sealed record Transfers(bool OutOfOrder, double Move, double Forward)
    {
        internal static Transfers Of(string core)
        {
            if (!CoreModel.Load(core).OutOfOrder)
                return new Transfers(false, 3, 3);
            double back = new BenchRunner(core).Latency(new Bench("fmov d{d}, x{s};mov x{d}, v{d}.d[0]"));
            double half = Math.Floor(back / 2);
            return new Transfers(true, half, half + 1);
        }
    }

    /// <summary>What a row stands for.</summary>
    /// <param name="section">Section of the table.</param>
    /// <param name="name">Row.</param>
    /// <param name="core">Core of the kind that was measured, in order or out of order: the author's correction for moves between
    /// register files depends on it.</param>
    /// <param name="reason">Why there is none.</param>
    /// <returns>The bench; null with the reason when the row's notation is not understood.</returns>
    public static Bench? Find(string section, string name, string core, out string reason)
    {
        Transfers transfers = TransfersOf.GetOrAdd(core, Transfers.Of);
        bool outOfOrder = transfers.OutOfOrder;
        reason = "the notation of this row is not understood";
        Bench? bench = section switch
        {
            "Scalar load" => MemoryBenches.Load(name),
            "Scalar store (throughput)" => MemoryBenches.Store(name),
            "Scalar store-to-load" => MemoryBenches.StoreToLoad(name),
            "Branch" => BranchBenches.Find(name, outOfOrder),
            _ when section.StartsWith("Vector load", StringComparison.Ordinal) => VectorMemoryBenches.Load(name, transfers.Forward),
            "Vector store (throughput)" => VectorMemoryBenches.Store(name),
            "Vector store-to-load" => VectorMemoryBenches.StoreToLoad(name),
            _ when section.StartsWith("Scalar", StringComparison.Ordinal) || section.StartsWith("Atomic", StringComparison.Ordinal)
                || name.StartsWith("crc32", StringComparison.Ordinal) => ScalarBenches.Find(section, name),
            _ => VectorBenches.Find(section, name, transfers.Move),
        };
        if (bench is null && name.Contains("full random"))
            reason = "the table has two values under this name, for sequences of which one is not known";
        return bench;
    }

    /// <summary>Compares every row of a table with a core model.</summary>
    /// <exception cref="YardstickException">The table is missing or not well formed.</exception>
    public static (List<YardstickRow> Rows, List<UnmappedRow> Unmapped) Compare(YardstickData data, string file, string core)
    {
        var rows = new List<YardstickRow>();
        var unmapped = new List<UnmappedRow>();
        var runner = new BenchRunner(core);
        foreach (TableRow row in data.Table(file, "section", "instruction", "latency_cycles", "throughput_per_cycle"))
        {
            string name = row[1];
            if (row[2] is "n/a" or "-" && row[3] is "n/a" or "-")
            {
                unmapped.Add(new UnmappedRow(name, row[2] == "n/a" ? "the measured core does not have it" : "no figure"));
                continue;
            }
            if (Find(row[0], name, core, out string reason) is not { } bench)
            {
                unmapped.Add(new UnmappedRow(name, reason));
                continue;
            }
            try
            {
                if (row[2] is not ("n/a" or "-"))
                    rows.Add(new YardstickRow($"{name}: latency", row.Value(2), runner.Latency(bench), "cycles"));
                if (row[3] is not ("n/a" or "-"))
                    rows.Add(new YardstickRow($"{name}: throughput", row.Value(3), runner.Throughput(bench), "per cycle"));
            }
            catch (AssemblerException e)
            {
                unmapped.Add(new UnmappedRow(name, e.Message));
            }
            catch (InvalidOperationException e)
            {
                unmapped.Add(new UnmappedRow(name, $"does not run: {e.Message}"));
            }
            catch (CoreModelException e)
            {
                throw new YardstickException(e.Message);
            }
        }
        return (rows, unmapped);
    }
}
