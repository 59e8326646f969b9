using ArmVdso.Yardsticks.Programs;

namespace ArmVdso.Yardsticks;

/// <summary>One row of a table with what the model makes of it.</summary>
/// <param name="Name">What was measured.</param>
/// <param name="Reference">The table's figure.</param>
/// <param name="Model">Ours.</param>
/// <param name="Unit">Unit of both.</param>
public sealed record YardstickRow(string Name, double Reference, double Model, string Unit)
{
    /// <summary>Relative error, not negative; 0 when both are 0.</summary>
    public double Error => Reference == Model ? 0 : Math.Abs(Model - Reference) / Math.Abs(Reference);
}

/// <summary>A row of a table that could not be compared, and why.</summary>
/// <param name="Name">The row.</param>
/// <param name="Reason">One line.</param>
public sealed record UnmappedRow(string Name, string Reason);

/// <summary>What a set came to.</summary>
/// <param name="Set">Name of the set.</param>
/// <param name="Core">Core model that it judges.</param>
/// <param name="Metric">What is compared, as "mean error".</param>
/// <param name="Reach">What is aimed at, as "&lt;= 4%".</param>
/// <param name="Result">The figure, for people.</param>
/// <param name="Value">The figure as a number: a share, an error or a correlation; null when there was nothing to compare.</param>
/// <param name="Reached">Whether the figure is within reach; null when there is none.</param>
/// <param name="Rows">The rows compared.</param>
/// <param name="Unmapped">The rows that were not.</param>
/// <param name="Note">What the reader has to know about it; empty if nothing.</param>
public sealed record YardstickResult(string Set, string Core, string Metric, string Reach, string Result, double? Value, bool? Reached,
    IReadOnlyList<YardstickRow> Rows, IReadOnlyList<UnmappedRow> Unmapped, string Note = "")
{
    /// <summary>The CPU profile of the runs; null: the bare core, which has every instruction.</summary>
    public string? Profile { get; init; }

    /// <summary>The kernel configuration of the runs; null: they were without a kernel.</summary>
    public string? Kernel { get; init; }

    /// <summary>What the branches of programs came to; empty for sets that do not ask.</summary>
    public IReadOnlyList<PredictionRow> Predictions { get; init; } = [];
}

/// <summary>A set of yardsticks: a table of reference figures and how the model is held against it.</summary>
/// <param name="Name">Name, as the command line takes it.</param>
/// <param name="What">One line about it.</param>
/// <param name="Run">Compares; one result for each metric.</param>
public sealed record YardstickSet(string Name, string What, Func<YardstickData, IEnumerable<YardstickResult>> Run)
{
    /// <summary>Where the reference figures come from, as Data/SOURCES.md has it.</summary>
    public string Source { get; init; } = "named in each row of anchors.tsv";

    /// <summary>The cores that it judges in seconds; empty: it takes minutes, or judges no core by itself.</summary>
    public IReadOnlyList<string> Cores { get; init; } = [];

    /// <summary>Compares one of the cores without the time that the others take; null: all are judged.</summary>
    public Func<YardstickData, string, IEnumerable<YardstickResult>>? OfCore { get; init; }
}
