namespace ArmVdso.Emulator.Timing.Models;

/// <summary>The timing of one class of instructions on an out-of-order core, as the model file states it. Null: as the less specific
/// entry says.</summary>
public sealed record MicroOpTiming
{
    /// <summary>Cycles from the issue of the first micro-op to the result.</summary>
    public int? Latency { get; init; }

    /// <summary>Micro-ops.</summary>
    public MicroOp[]? Ops { get; init; }

    /// <summary>Cycles by which an accumulator may be late when the same class produced it.</summary>
    public int? Accumulate { get; init; }

    /// <summary>Cycles by which it delays what follows.</summary>
    public int? Hold { get; init; }

    /// <summary>Cycles by which the second register of a pair of loads comes after the first.</summary>
    public int? Second { get; init; }

    /// <summary>Rename slots that it takes.</summary>
    public int? Slots { get; init; }

    /// <summary>Its order: 0 none; 1 issues when everything older is complete; 2 and nothing younger is fetched before
    /// it is done.</summary>
    public int? Serialize { get; init; }

    /// <summary>This record with the fields that <paramref name="more"/> sets replaced.</summary>
    public MicroOpTiming With(MicroOpTiming more) => TimingRecord.Combine(this, more);
}
