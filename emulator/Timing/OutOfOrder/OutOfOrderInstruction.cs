using ArmVdso.Emulator.Timing.Instructions;
using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Emulator.Timing.OutOfOrder;

/// <summary>The static timing of one encoding on an out-of-order core. Registers are numbered as in
/// <see cref="InstructionTiming"/>.</summary>
public sealed class OutOfOrderInstruction
{
    /// <summary>Class, with the forms that were found in the model file, as <c>simd_mul.q</c>.</summary>
    public required string Class { get; init; }

    /// <summary>Registers read.</summary>
    public required byte[] Sources { get; init; }

    /// <summary>Which micro-ops need each source.</summary>
    public required MicroOpGroup[] SourceGroups { get; init; }

    /// <summary>For each source: cycles by which it may be later than the first micro-op (what is merged behind a load or a
    /// transfer).</summary>
    public required byte[] Needs { get; init; }

    /// <summary>Bit i is set when the writeback micro-op needs source i too.</summary>
    public uint WritebackSources { get; init; }

    /// <summary>Bit i is set when source i is an accumulator.</summary>
    public uint AccumulatorSources { get; init; }

    /// <summary>Cycles by which an accumulator may be late when an instruction of the same class produced it.</summary>
    public byte Forward { get; init; }

    /// <summary>Class of instructions that forward accumulators to each other; 0 is none.</summary>
    public byte ForwardGroup { get; init; }

    /// <summary>Registers written.</summary>
    public required byte[] Destinations { get; init; }

    /// <summary>Bit i is set when destination i comes from the writeback micro-op.</summary>
    public uint WritebackDestinations { get; init; }

    /// <summary>Cycles from the issue of the first micro-op to the result.</summary>
    public short Latency { get; init; }

    /// <summary>Micro-ops; none for what is done at rename.</summary>
    public required MicroOp[] Ops { get; init; }

    /// <summary>What else it does.</summary>
    public TimingKind Kind { get; init; }

    /// <summary>Cycles by which it delays what follows (system instructions).</summary>
    public short Hold { get; init; }

    /// <summary>0: no order; 1: issues when everything older is complete; 2: and nothing younger is fetched before it is done.</summary>
    public byte Serialize { get; init; }

    /// <summary>Rename slots that it takes.</summary>
    public byte Slots { get; init; } = 1;

    /// <summary>What the dynamic side needs to know of it.</summary>
    public required InstructionTiming View { get; init; }

    /// <summary>Whether it transfers SIMD&amp;FP registers.</summary>
    public bool Vector { get; init; }

    /// <summary>The encoding.</summary>
    public uint Encoding { get; init; }
}
