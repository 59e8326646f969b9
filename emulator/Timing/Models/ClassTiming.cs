namespace ArmVdso.Emulator.Timing.Models;

/// <summary>The timing of one class of instructions (or of some mnemonics of it), as the model file states it. Null: as the class
/// says.</summary>
public sealed record ClassTiming
{
    /// <summary>Cycles until the result can be used.</summary>
    public int? Latency { get; init; }

    /// <summary>Issue cycles of its own.</summary>
    public int? Beats { get; init; }

    /// <summary>Cycles during which the unit takes no other operation.</summary>
    public int? Busy { get; init; }

    /// <summary>Unit.</summary>
    public Units? Unit { get; init; }

    /// <summary>Executes late when operands are late.</summary>
    public bool? Skewed { get; init; }

    /// <summary>SIMD datapath use: "none", "half", "full", "q" (full when the Q bit is set) or "long" (full unless scalar).</summary>
    public string? Width { get; init; }

    /// <summary>Cycles after issue at which the accumulator (a destination that is also a source, or Ra) is needed.</summary>
    public int? Accumulate { get; init; }

    /// <summary>Cycles after issue at which the flags are needed.</summary>
    public int? FlagsSource { get; init; }

    /// <summary>Cycles after issue at which the first source is needed (the unshifted operand of a shifted ALU operation).</summary>
    public int? FirstSource { get; init; }

    /// <summary>Cycles that it holds the pipeline.</summary>
    public int? Hold { get; init; }

    /// <summary>Latency when the operation is on W registers (bit 31 clear) or on single precision.</summary>
    public int? Latency32 { get; init; }

    /// <summary>Busy cycles for that.</summary>
    public int? Busy32 { get; init; }

    /// <summary>This record with the fields that <paramref name="more"/> sets replaced.</summary>
    public ClassTiming With(ClassTiming more) => TimingRecord.Combine(this, more);
}
