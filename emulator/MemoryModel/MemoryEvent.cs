namespace ArmVdso.Emulator.MemoryModel;

/// <summary>A single-copy atomic access, or a barrier, of one thread. Sets of events are bits: bit n is the thread's event n.</summary>
public sealed class MemoryEvent
{
    /// <summary>Most events of one thread, and of all threads of an execution.</summary>
    public const int Most = 128;

    /// <summary>Its number in its thread, in program order.</summary>
    public required int Index { get; init; }

    /// <summary>Number of its instruction in the thread, from 0.</summary>
    public required int Instruction { get; init; }

    /// <summary>It loads.</summary>
    public bool IsRead { get; init; }

    /// <summary>It stores.</summary>
    public bool IsWrite { get; init; }

    /// <summary>It loads or stores.</summary>
    public bool IsAccess => IsRead || IsWrite;

    /// <summary>First byte, as a physical address.</summary>
    public ulong Address { get; init; }

    /// <summary>What is loaded or stored, in the order of memory.</summary>
    public byte[] Value { get; init; } = [];

    /// <summary>LDAR and its like.</summary>
    public bool Acquire { get; init; }

    /// <summary>LDAPR and its like.</summary>
    public bool AcquirePC { get; init; }

    /// <summary>STLR and its like.</summary>
    public bool Release { get; init; }

    /// <summary>The load of an atomic without a destination.</summary>
    public bool NoReturn { get; init; }

    /// <summary>The store of an atomic of FEAT_LSE that is acquire and release.</summary>
    public bool AcquireRelease { get; init; }

    /// <summary>It belongs to an atomic of FEAT_LSE.</summary>
    public bool Atomic { get; init; }

    /// <summary>For the store of an atomic or of a pair of exclusives: the load that it belongs to; -1: none.</summary>
    public int ReadOf { get; init; } = -1;

    /// <summary>What it orders, for a barrier.</summary>
    public BarrierOrder Barrier { get; init; }

    /// <summary>DSB: what is behind it waits, whatever it is.</summary>
    public bool IsSynchronization { get; init; }

    /// <summary>ISB, or another context synchronization event.</summary>
    public bool IsContextSynchronization { get; init; }

    /// <summary>Loads that its address depends on.</summary>
    public Dependencies AddressDependsOn { get; init; }

    /// <summary>Loads that what it stores depends on.</summary>
    public Dependencies DataDependsOn { get; init; }

    /// <summary>Loads that a branch before it depends on.</summary>
    public Dependencies ControlDependsOn { get; init; }

    /// <summary>Whether both access a byte in common.</summary>
    public bool Overlaps(MemoryEvent other) =>
        IsAccess && other.IsAccess && Address < other.Address + (ulong)other.Value.Length && other.Address < Address + (ulong)Value.Length;

    /// <summary>Whether it accesses a byte.</summary>
    public bool Covers(ulong address) => address - Address < (ulong)Value.Length;
}

/// <summary>The loads of a thread that a value depends on.</summary>
/// <param name="Basic">Through registers and memory: data flows.</param>
/// <param name="Pick">These, and those that pick what flows: flags of a conditional select, the comparison of CAS.</param>
public readonly record struct Dependencies(UInt128 Basic, UInt128 Pick)
{
    /// <summary>Both.</summary>
    public static Dependencies operator |(Dependencies a, Dependencies b) => new(a.Basic | b.Basic, a.Pick | b.Pick);

    /// <summary>The same as what picks a value and does not flow into it.</summary>
    public Dependencies AsPick => new(0, Basic | Pick);

    /// <summary>On one load.</summary>
    public static Dependencies On(int read) => new(UInt128.One << read, UInt128.One << read);
}
