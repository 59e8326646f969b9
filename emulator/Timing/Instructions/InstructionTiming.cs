using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Emulator.Timing.Instructions;

/// <summary>What an instruction does besides computing, as far as timing cares.</summary>
public enum TimingKind : byte
{
    /// <summary>Computes.</summary>
    Plain,

    /// <summary>Loads or stores, as the accesses of the PE tell.</summary>
    Memory,

    /// <summary>Direct, unconditional.</summary>
    Branch,

    /// <summary>Direct with link.</summary>
    Call,

    /// <summary>Direct, conditional.</summary>
    Conditional,

    /// <summary>Indirect.</summary>
    Indirect,

    /// <summary>Indirect with link.</summary>
    IndirectCall,

    /// <summary>Function return.</summary>
    Return,

    /// <summary>ERET.</summary>
    ExceptionReturn,

    /// <summary>Waits until earlier memory accesses are done (DSB, DMB).</summary>
    Barrier,

    /// <summary>Flushes the pipeline behind it (ISB).</summary>
    Synchronize,

    /// <summary>Reads or writes a system register, or maintains caches and TLBs.</summary>
    System,

    /// <summary>Integer division; latency depends on the quotient.</summary>
    Divide,

    /// <summary>Zeroes a block of a cache line or moves memory in bulk (DC ZVA, MOPS).</summary>
    Bulk,
}

/// <summary>The static timing of one encoding: what it needs when, what it occupies, when its results are ready.
/// Registers are numbered 0..30 X, 31 SP, 32..63 V, 64 NZCV. All times are in cycles after issue.</summary>
public sealed class InstructionTiming : EncodingTiming
{
    /// <summary>Register number of SP.</summary>
    public const int Sp = 31;

    /// <summary>Register number of V0.</summary>
    public const int V0 = 32;

    /// <summary>Register number of NZCV.</summary>
    public const int Flags = 64;

    /// <summary>How many registers there are.</summary>
    public const int RegisterCount = 65;

    /// <summary>For each destination: cycles after issue until a consumer can use it.</summary>
    public required short[] Latencies { get; init; }

    /// <summary>The same for a consumer that computes an address with it.</summary>
    public required short[] AddressLatencies { get; init; }

    /// <summary>Bit i is set when source i goes into an address.</summary>
    public uint AddressSources { get; init; }

    /// <summary>Units used.</summary>
    public Units Units { get; init; }

    /// <summary>64-bit SIMD datapaths used: 0, 1 or 2.</summary>
    public byte SimdHalves { get; init; }

    /// <summary>The first SIMD&amp;FP register that it writes; 0 when it writes none.</summary>
    public byte VectorDestination { get; init; }

    /// <summary>Issue cycles that it occupies alone before another instruction can issue, at least 1.</summary>
    public byte Beats { get; init; } = 1;

    /// <summary>Cycles during which its unit cannot start another operation, at least 1.</summary>
    public byte Busy { get; init; } = 1;

    /// <summary>A simple ALU operation: it executes in the late stage, one cycle later, when its operands are not there for the early
    /// one.</summary>
    public bool Skewed { get; init; }

    /// <summary>A misaligned load of it costs less than another's.</summary>
    public bool SmallMisalignment { get; init; }

    /// <summary>It writes the flags.</summary>
    public bool WritesFlags { get; init; }

    /// <summary>It reads the flags.</summary>
    public bool ReadsFlags { get; init; }

    /// <summary>Row in the instruction table.</summary>
    public Row Row { get; init; }
}
