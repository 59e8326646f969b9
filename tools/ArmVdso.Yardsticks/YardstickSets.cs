using System.Globalization;
using ArmVdso.Emulator.Timing.Models;
using ArmVdso.Yardsticks.Instructions;
using ArmVdso.Yardsticks.Memory;
using ArmVdso.Yardsticks.Programs;
using ArmVdso.Yardsticks.Sequences;

namespace ArmVdso.Yardsticks;

/// <summary>All sets of yardsticks. Who adds a model or a table adds its set to <see cref="All"/>.</summary>
public static class YardstickSets
{
    private const string A53 = "cortex-a53";
    private const string A55 = "cortex-a55";
    private const string N1 = "neoverse-n1";
    private const string A72 = "cortex-a72";
    private const string A76 = "cortex-a76";
    private const string V1 = "neoverse-v1";

    /// <summary>Cores whose memory is held against boards, and the boards' name of each.</summary>
    private static readonly Dictionary<string, string> s_chased = new()
    {
        [A53] = "Cortex-A53",
        [A55] = "Cortex-A55",
        [N1] = "Neoverse-N1",
        [A72] = "Cortex-A72",
        [A76] = "Cortex-A76",
    };

    /// <summary>Cores whose programs are held against anchors, and the anchors' name of each.</summary>
    private static readonly Dictionary<string, string> s_anchored = new() { [A53] = "A53", [A55] = "A55", [N1] = "A76", [A76] = "A76" };

    /// <summary>The sets, in the order in which they are printed.</summary>
    public static IReadOnlyList<YardstickSet> All { get; } =
    [
        new("a53-sequences", "instruction sequences timed on a Cortex-A53, single shot", A53Sequences)
        {
            Source = "github.com/daniestevez/qsdr, PMCCNTR of a Cortex-A53 (KV260)",
            Cores = [A53],
        },
        new("a53-instructions", "latency and throughput of single instructions on a Cortex-A53",
            data => Instructions(data, "a53-instructions", "a53_insn_measured.tsv", A53, 0.02))
        {
            Source = "github.com/ocxtal/insn_bench_aarch64, Cortex-A53 (Raspberry Pi 3)",
            Cores = [A53],
        },
        new("n1-instructions", "latency and throughput of single instructions on a Neoverse N1",
            data => Instructions(data, "n1-instructions", "n1_insn_measured.tsv", N1, 0.03))
        {
            Source = "github.com/ocxtal/insn_bench_aarch64, Neoverse N1 (Ampere Altra)",
            Cores = [N1],
        },
        new("a72-instructions", "latency and throughput of single instructions on a Cortex-A72: every second row was fitted to",
            A72Instructions)
        {
            Source = "github.com/ocxtal/insn_bench_aarch64, Cortex-A72 (NXP LX2160A)",
            Cores = [A72],
        },
        new("v1-instructions", "latency and throughput of single instructions on a Neoverse V1",
            data => Instructions(data, "v1-instructions", "v1_insn_measured.tsv", V1, 0.05))
        {
            Source = "github.com/ocxtal/insn_bench_aarch64, Neoverse V1 (AWS Graviton3)",
            Cores = [V1],
        },
        new("a55-loops", "loops measured on a Cortex-A55", A55Loops)
        {
            Source = "LLVM review D98174, a Cortex-A55",
            Cores = [A55],
        },
        new("mca-blocks", "inner loops of compiled code against llvm-mca 19 (a tripwire, not a reference)",
            data => [Blocks(data, A53), Blocks(data, A55), Blocks(data, N1)])
        {
            Source = "own, llvm-mca 19",
        },
        new("ramlat", "latency of a chain of pointers through L1, L2, further caches and DRAM",
            data => s_chased.Keys.SelectMany(core => Chase(data, core)))
        {
            Source = "github.com/ThomasKaiser/sbc-bench, medians over boards",
            Cores = [.. s_chased.Keys],
            OfCore = Chase,
        },
        new("memory", "bandwidth and latency of memory on boards, by the loops of STREAM, lmbench, tinymembench and ramlat",
            data => CoreModel.BoardNames.SelectMany(board => Boards(data, board)))
        {
            Source = "named in each row of memory_measured.tsv",
        },
        new("programs", "CoreMark-like and Dhrystone-like programs of our own, per MHz",
            data => s_anchored.Keys.SelectMany(core => Programs(data, core)))
        {
            Cores = [.. s_anchored.Keys],
            OfCore = Programs,
        },
        new("predictions", "branches of programs of our own that are mispredicted, beside published rates",
            data => s_anchored.Keys.Select(core => Predictions(data, core)))
        {
            Source = "named in each row of predictions_published.tsv",
        },
    ];

    /// <summary>Percent with two decimals, as figures are printed.</summary>
    public static string Percent(double share) => (share * 100).ToString("F2", CultureInfo.InvariantCulture) + "%";

    /// <summary>The result of a set whose metric is the mean relative error of its rows.</summary>
    public static YardstickResult MeanError(
        string set, string core, string metric, double reach, IReadOnlyList<YardstickRow> rows, IReadOnlyList<UnmappedRow> unmapped,
        string note = "")
    {
        string within = "<= " + (reach * 100).ToString("0.##", CultureInfo.InvariantCulture) + "%";
        if (rows.Count == 0)
            return new YardstickResult(set, core, metric, within, "-", null, null, rows, unmapped, note);
        double error = rows.Average(r => r.Error);
        return new YardstickResult(set, core, metric, within, Percent(error), error, error <= reach, rows, unmapped, note);
    }

    /// <summary>What stands for a set that cannot be compared at all.</summary>
    public static YardstickResult Missing(string set, string core, string metric, string reach, string reason) =>
        new(set, core, metric, reach, "-", null, null, [], [new UnmappedRow("all rows", reason)]);

    private static string? Lacking(YardstickData data, string file, string core) =>
        !data.Has(file) ? $"no table {file}" : !CoreModel.Names.Contains(core) ? $"no core model {core}" : null;

    private static IEnumerable<YardstickResult> A53Sequences(YardstickData data)
    {
        const string File = "a53_measured.tsv";
        if (Lacking(data, File, A53) is { } lacking)
            return [Missing("a53-sequences", A53, "exact cycles", ">= 90%", lacking)];
        (List<YardstickRow> rows, List<UnmappedRow> unmapped) = SequenceSet.Compare(data, File, "a53_cycles_measured", A53);
        double exact = rows.Count == 0 ? 0 : (double)rows.Count(r => r.Model == r.Reference) / rows.Count;
        return
        [
            new YardstickResult("a53-sequences", A53, "exact cycles", ">= 90%", Percent(exact), exact, exact >= 0.9, rows, unmapped),
            MeanError("a53-sequences", A53, "mean error", 0.04, rows, unmapped),
        ];
    }

    private static YardstickResult[] Instructions(YardstickData data, string set, string file, string core, double reach, string which = "")
    {
        if (Lacking(data, file, core) is { } lacking)
            return [Missing(set, core, "mean error", "<= " + (reach * 100).ToString("0.##", CultureInfo.InvariantCulture) + "%", lacking)];
        (List<YardstickRow> rows, List<UnmappedRow> unmapped) = InstructionSet.Compare(data, file, core);
        return [MeanError(set, core, "mean error", reach, rows, unmapped, which + "latency and throughput are a row each")];
    }

    private static IEnumerable<YardstickResult> A72Instructions(YardstickData data)
    {
        const string Set = "a72-instructions";
        yield return Instructions(data, Set, "a72_insn_held.tsv", A72, 0.05, "every second row, which the fit did not see; ")[0];
        yield return Instructions(data, Set, "a72_insn_fitted.tsv", A72, 0.03, "the rows that the model was fitted to; ")[0];
    }

    private static IEnumerable<YardstickResult> A55Loops(YardstickData data)
    {
        const string File = "a55_measured.tsv";
        if (Lacking(data, File, A55) is { } lacking)
            return [Missing("a55-loops", A55, "mean error", "<= 3%", lacking)];
        (List<YardstickRow> rows, List<UnmappedRow> unmapped) = LoopSets.Measured(data, File, A55);
        return [MeanError(
            "a55-loops", A55, "mean error", 0.03, rows, unmapped,
            $"the loops are taken to run for {LoopSets.Rounds} rounds (assumed: the source does not say how long; it matters where a "
            + $"quotient depends on the counter)")];
    }

    private static YardstickResult Blocks(YardstickData data, string core)
    {
        const string Metric = "rank correlation";
        const string Reach = ">= 0.8";
        if (Lacking(data, "mca-blocks/results.tsv", core) is { } lacking)
            return Missing("mca-blocks", core, Metric, Reach, lacking);
        (List<YardstickRow> rows, List<UnmappedRow> unmapped) = LoopSets.Blocks(data, "mca-blocks", core);
        if (rows.Count < 3)
            return new YardstickResult("mca-blocks", core, Metric, Reach, "-", null, null, rows, unmapped);
        double rank = RankCorrelation([.. rows.Select(r => r.Reference)], [.. rows.Select(r => r.Model)]);
        return new YardstickResult(
            "mca-blocks", core, Metric, Reach, rank.ToString("F3", CultureInfo.InvariantCulture), rank, rank >= 0.8, rows, unmapped,
            "llvm-mca is another model, not hardware");
    }

    private static IEnumerable<YardstickResult> Chase(YardstickData data, string core)
    {
        const string File = "ramlat_cycles.tsv";
        if (Lacking(data, File, core) is { } lacking)
        {
            yield return Missing("ramlat", core, "mean error", "2 / 10 / 15%", lacking);
            yield break;
        }
        List<(string Level, YardstickRow Row)> rows = ChaseSet.Compare(data, File, s_chased[core], core, Levels(core));
        foreach (IGrouping<string, YardstickRow> level in rows.GroupBy(r => r.Level, r => r.Row))
        {
            double reach = level.Key switch { "L1" => 0.02, "L2" => 0.1, "DRAM" => 0.15, _ => double.PositiveInfinity };
            YardstickResult result = MeanError(
                "ramlat", core, "mean error at " + level.Key, reach, [.. level], [], level.Key.EndsWith("x8", StringComparison.Ordinal)
                ? "x8 is eight chains side by side, in cycles for all eight"
                : "");
            yield return double.IsInfinity(reach) ? result with { Reach = "-", Reached = null } : result;
        }
    }

    private static IEnumerable<YardstickResult> Boards(YardstickData data, string board)
    {
        const string File = "memory_measured.tsv";
        const double Reach = 0.15;
        string core = $"{CoreModel.LoadBoard(board).Core}@{board}";
        if (Lacking(data, File, CoreModel.LoadBoard(board).Core) is { } lacking)
            return [Missing("memory", core, "mean error", "<= 15%", lacking)];
        (List<YardstickRow> bandwidth, List<YardstickRow> latency, List<UnmappedRow> unmapped) = MemorySet.Compare(data, File, board);
        return
        [
            .. bandwidth.Count == 0 ? [] : new[] { MeanError("memory", core, "mean error of bandwidth", Reach, bandwidth, unmapped) },
            .. latency.Count == 0 ? [] : new[] { MeanError("memory", core, "mean error of latency", Reach, latency, unmapped) },
        ];
    }

    private static IEnumerable<YardstickResult> Programs(YardstickData data, string core)
    {
        const string Metric = "mean error (other programs)";
        if (Lacking(data, "anchors.tsv", core) is { } lacking)
            return [Missing("programs", core, Metric, "-", lacking)];
        (List<YardstickRow> rows, List<UnmappedRow> unmapped) = ProgramSet.Compare(data, "anchors.tsv", s_anchored[core], core);
        YardstickResult result = MeanError("programs", core, Metric, double.PositiveInfinity, rows, unmapped,
            "the programs are ours and not CoreMark or Dhrystone; a N1 is beside figures of a Cortex-A76; 10% would be the reach for the "
            + "same programs");
        return [result with { Reach = "-", Reached = null }];
    }

    private static YardstickResult Predictions(YardstickData data, string core)
    {
        const string Metric = "mispredicted branches";
        if (Lacking(data, "predictions_published.tsv", core) is { } lacking)
            return Missing("predictions", core, Metric, "-", lacking);
        IReadOnlyList<PredictionRow> predictions = PredictionSet.Rows(data, core);
        YardstickRow[] rows =
        [
            .. from row in predictions
               where row.Figures is not null && row.Published is not null
               select new YardstickRow(row.Program, row.Published!.Value * 100, row.Figures!.Value.Rate * 100, "% of branches"),
        ];
        UnmappedRow[] unmapped =
        [
            .. from row in predictions
               where row.Figures is null || row.Published is null
               select new UnmappedRow(row.Program, row.Figures is null ? "published, and not a program of the set" : "no public figure"),
        ];
        YardstickResult result = MeanError("predictions", core, Metric, double.PositiveInfinity, rows, unmapped,
            "the programs are ours and not CoreMark or Dhrystone, whose rates board-programs prints; nothing is judged");
        return result with { Reach = "-", Reached = null, Predictions = predictions };
    }

    /// <summary>Sizes in KB that lie on a plateau of each level of the usual boards.</summary>
    private static Dictionary<int, string> Levels(string core)
    {
        var levels = new Dictionary<int, string>();
        void Add(string level, params int[] sizes)
        {
            foreach (int size in sizes)
                levels.Add(size, level);
        }
        switch (core)
        {
            case A53:
                Add("L1", 4, 8, 16, 32);
                Add("L2", 64, 128, 256);
                break;
            case A55:
                Add("L1", 4, 8, 16, 32);
                Add("L2", 64, 128);
                Add("L3", 512, 1024);
                break;
            case A72:
                Add("L1", 4, 8, 16);
                Add("L2", 64, 128, 256, 512);
                Add("DRAM", 8192, 16384);
                return levels;
            case A76:
                Add("L1", 4, 8, 16, 32, 64);
                Add("L2", 128, 256);
                Add("L3", 1024);
                Add("DRAM", 65536);
                return levels;
            default:
                Add("L1", 4, 8, 16, 32, 64);
                Add("L2", 128, 256, 512);
                Add("SLC", 2048, 4096);
                Add("DRAM", 65536);
                return levels;
        }
        Add("DRAM", 16384, 32768, 65536);
        return levels;
    }

    /// <summary>Spearman's rank correlation; equal values share their mean rank.</summary>
    public static double RankCorrelation(double[] a, double[] b)
    {
        double[] x = Ranks(a);
        double[] y = Ranks(b);
        double mean = (a.Length + 1) / 2.0;
        double xy = 0, xx = 0, yy = 0;
        for (int i = 0; i < a.Length; i++)
        {
            xy += (x[i] - mean) * (y[i] - mean);
            xx += (x[i] - mean) * (x[i] - mean);
            yy += (y[i] - mean) * (y[i] - mean);
        }
        return xx == 0 || yy == 0 ? 0 : xy / Math.Sqrt(xx * yy);
    }

    private static double[] Ranks(double[] values) =>
        [.. values.Select(v => values.Count(o => o < v) + ((values.Count(o => o == v) + 1) / 2.0))];
}
