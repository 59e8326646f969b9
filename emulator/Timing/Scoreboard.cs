using System.Runtime.CompilerServices;

namespace ArmVdso.Emulator.Timing;

/// <summary>One cycle number for each register (numbers of <see cref="InstructionTiming"/>).</summary>
[InlineArray(InstructionTiming.RegisterCount)]
public struct RegisterCycles
{
    private long _first;
}

/// <summary>One small number for each register.</summary>
[InlineArray(InstructionTiming.RegisterCount)]
public struct RegisterBytes
{
    private byte _first;
}

/// <summary>Cycles in which the stores of the store buffer leave it, oldest first.</summary>
[InlineArray(Capacity)]
public struct StoreDrains
{
    /// <summary>Most entries that a store buffer may have.</summary>
    public const int Capacity = 16;

    private long _first;
}

/// <summary>The whole state of the in-order pipeline between two instructions, but for fills in flight. Only differences to
/// <see cref="Cycle"/> matter, and what lies in the past counts as ready.</summary>
public struct Scoreboard
{
    /// <summary>The last cycle in which something issued (or that an instruction occupied).</summary>
    public long Cycle;

    /// <summary>Instructions in that cycle; 2 also when nothing more may issue in it.</summary>
    public int Slots;

    /// <summary>Units of the first of them.</summary>
    public Units PairUnits;

    /// <summary>SIMD halves of the first of them.</summary>
    public byte PairSimd;

    /// <summary>Fetch was redirected: the next instruction begins another fetch group.</summary>
    public bool Redirected;

    /// <summary>Cycle of the current fetch group.</summary>
    public long Group;

    /// <summary>Cycle from which the current instruction can issue, as far as fetch goes.</summary>
    public long FetchReady;

    /// <summary>Cause of a wait for <see cref="FetchReady"/>.</summary>
    public int FetchCause;

    /// <summary>Cycle from which the multiplier is free.</summary>
    public long MultiplyFree;

    /// <summary>Cycle from which the divider is free.</summary>
    public long DivideFree;

    /// <summary>Cycle from which the floating-point divider is free.</summary>
    public long FpDivideFree;

    /// <summary>Cycle from which the single SIMD unit is free.</summary>
    public long SimdFree;

    /// <summary>Cycle from which the load/store pipe is free.</summary>
    public long LoadStoreFree;

    /// <summary>Cycle in which the youngest store leaves the store buffer.</summary>
    public long LastDrain;

    /// <summary>Cycle in which the last store handed its data over.</summary>
    public long StoredAt;

    /// <summary>Cycle from which each register can be used by a computation.</summary>
    public RegisterCycles Ready;

    /// <summary>Cycle from which each register can be used in an address.</summary>
    public RegisterCycles AddressReady;

    /// <summary>What produced each register, as a <see cref="CycleCause"/>.</summary>
    public RegisterBytes Cause;

    /// <summary>The store buffer as a ring.</summary>
    public StoreDrains Drains;

    /// <summary>Oldest entry of <see cref="Drains"/>.</summary>
    public int DrainAt;
}
