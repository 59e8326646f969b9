namespace ArmVdso.Emulator.Timing.Instructions;

/// <summary>What the static timing of an encoding says on any core. Registers are numbered as <see cref="InstructionTiming"/> names them.
/// </summary>
public abstract class EncodingTiming
{
    /// <summary>Class name in the instruction table; on an out-of-order core with the forms that were found in the model file, as
    /// <c>simd_mul.q</c>.</summary>
    public required string Class { get; init; }

    /// <summary>Registers read.</summary>
    public required byte[] Sources { get; init; }

    /// <summary>For each source: how many cycles after issue (of the first micro-op) it is needed (late operands, accumulators, store
    /// data, what is merged behind a load or a transfer).</summary>
    public required byte[] Needs { get; init; }

    /// <summary>Registers written.</summary>
    public required byte[] Destinations { get; init; }

    /// <summary>What else it does.</summary>
    public TimingKind Kind { get; init; }

    /// <summary>Cycles by which it delays what follows (system instructions).</summary>
    public short Hold { get; init; }

    /// <summary>The encoding, for the few kinds that look at it.</summary>
    public uint Encoding { get; init; }
}
