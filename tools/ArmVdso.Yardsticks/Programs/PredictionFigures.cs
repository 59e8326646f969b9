using ArmVdso.Emulator.Timing;
using ArmVdso.Emulator.Timing.Counters;

namespace ArmVdso.Yardsticks.Programs;

/// <summary>What the branches of a run came to.</summary>
/// <param name="Instructions">Instructions.</param>
/// <param name="Cycles">Cycles.</param>
/// <param name="Branches">Branches among the instructions.</param>
/// <param name="Mispredicts">Of them, those whose direction or target was predicted wrongly.</param>
/// <param name="Lost">Cycles that <see cref="CycleCause.Mispredict"/> has; each cycle has one cause.</param>
public readonly record struct PredictionFigures(ulong Instructions, ulong Cycles, ulong Branches, ulong Mispredicts, ulong Lost)
{
    /// <summary>Mispredictions as a share of branches; 0 without branches.</summary>
    public double Rate => (double)Mispredicts / Math.Max(Branches, 1);

    /// <summary>Mispredictions in 1,000 instructions; 0 without instructions.</summary>
    public double PerThousand => 1000.0 * Mispredicts / Math.Max(Instructions, 1);

    /// <summary>Share of the cycles that mispredictions took; 0 without cycles.</summary>
    public double LostShare => (double)Lost / Math.Max(Cycles, 1);

    /// <summary>Those of a PE until now, at EL0 and EL1.</summary>
    public static PredictionFigures Of(TimingModel timing) => Of(timing.Counters(0)) + Of(timing.Counters(1));

    /// <summary>Those of one exception level.</summary>
    public static PredictionFigures Of(in TimingCounters counters) => new(
        counters.Instructions, counters.Cycles, counters.Branches, counters.Mispredicts, counters.Causes[(int)CycleCause.Mispredict]);

    /// <summary>Two stretches together.</summary>
    public static PredictionFigures operator +(PredictionFigures a, PredictionFigures b) => new(
        a.Instructions + b.Instructions, a.Cycles + b.Cycles, a.Branches + b.Branches, a.Mispredicts + b.Mispredicts, a.Lost + b.Lost);

    /// <summary>The later part of a stretch.</summary>
    public static PredictionFigures operator -(PredictionFigures a, PredictionFigures b) => new(
        a.Instructions - b.Instructions, a.Cycles - b.Cycles, a.Branches - b.Branches, a.Mispredicts - b.Mispredicts, a.Lost - b.Lost);
}

/// <summary>A program's branches on a core, beside a published rate.</summary>
/// <param name="Program">The program.</param>
/// <param name="Figures">The model's; null: the program is not run, and the row shows what is published.</param>
/// <param name="Published">Mispredictions as a share of branches on such a core; null: no public figure was found.</param>
/// <param name="Source">Of the published rate; empty without one.</param>
public sealed record PredictionRow(string Program, PredictionFigures? Figures, double? Published, string Source);
