using ArmVdso.Emulator.Timing.Instructions;
using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Emulator.Timing.OutOfOrder;

/// <summary>The static timing of one encoding on an out-of-order core. Registers are numbered as in
/// <see cref="InstructionTiming"/>.</summary>
public sealed class OutOfOrderInstruction : EncodingTiming
{
    /// <summary>Which micro-ops need each source.</summary>
    public required MicroOpGroup[] SourceGroups { get; init; }

    /// <summary>Bit i is set when the writeback micro-op needs source i too.</summary>
    public uint WritebackSources { get; init; }

    /// <summary>Bit i is set when source i is an accumulator.</summary>
    public uint AccumulatorSources { get; init; }

    /// <summary>Cycles by which an accumulator may be late when an instruction of the same class produced it.</summary>
    public byte Forward { get; init; }

    /// <summary>Class of instructions that forward accumulators to each other; 0 is none.</summary>
    public byte ForwardGroup { get; init; }

    /// <summary>Bit i is set when destination i comes from the writeback micro-op.</summary>
    public uint WritebackDestinations { get; init; }

    /// <summary>The destination, by its index, that comes later than the result; -1: none does.</summary>
    public int SecondDestination { get; init; } = -1;

    /// <summary>Cycles by which it does.</summary>
    public byte Second { get; init; }

    /// <summary>Cycles from the issue of the first micro-op to the result.</summary>
    public short Latency { get; init; }

    /// <summary>Micro-ops; none for what is done at rename.</summary>
    public required MicroOp[] Ops { get; init; }

    /// <summary>Ports that a second access of the same instruction takes, over a boundary; none for what accesses no memory.</summary>
    public IssuePorts AccessPorts { get; init; }

    /// <summary>0: no order; 1: issues when everything older is complete; 2: and nothing younger is fetched before it is done.</summary>
    public byte Serialize { get; init; }

    /// <summary>Rename slots that it takes.</summary>
    public byte Slots { get; init; } = 1;

    /// <summary>What the dynamic side needs to know of it.</summary>
    public required InstructionTiming View { get; init; }

    /// <summary>Whether it transfers SIMD&amp;FP registers.</summary>
    public bool Vector { get; init; }
}
