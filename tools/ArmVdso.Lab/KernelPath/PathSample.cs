using ArmVdso.Kernel.Costs;

namespace ArmVdso.Lab.KernelPath;

/// <summary>The parts of a system call.</summary>
public enum PathPart
{
    /// <summary>KPTI's trampoline and the branch-history loop.</summary>
    Trampoline,

    /// <summary>SVC, vector, registers saved.</summary>
    Entry,

    /// <summary>From the handler to the table, with the random stack offset, and back.</summary>
    Dispatch,

    /// <summary>The call itself.</summary>
    Body,

    /// <summary>ret_to_user: registers restored, ERET.</summary>
    Exit,
}

/// <summary>What one call executed at EL1, from the SVC to the next instruction of EL0.</summary>
public sealed class PathSample
{
    internal PathSample()
    {
    }

    internal int[] Classes { get; } = new int[Enum.GetValues<PathClass>().Length];

    internal ulong[] CyclesByPart { get; } = new ulong[5];

    internal int[] InstructionsByPart { get; } = new int[5];

    internal Dictionary<string, int> InstructionsByFunction { get; } = [];

    /// <summary>Modelled cycles of each <see cref="PathPart"/>.</summary>
    public IReadOnlyList<ulong> PartCycles => CyclesByPart;

    /// <summary>Executed instructions of each <see cref="PathPart"/>.</summary>
    public IReadOnlyList<int> PartInstructions => InstructionsByPart;

    /// <summary>Executed instructions by EL1 function, in the order of their first execution.</summary>
    public IReadOnlyDictionary<string, int> Functions => InstructionsByFunction;

    /// <summary>Modelled cycles.</summary>
    public ulong Cycles { get; internal set; }

    /// <summary>Of them, charged for bodies in C#.</summary>
    public ulong ChargedCycles { get; internal set; }

    /// <summary>Executed instructions by class, as the stock kernel's tables have them.</summary>
    public InstructionMix Mix => new(
        Classes.Sum(), Classes[(int)PathClass.Nop], Classes[(int)PathClass.Load], Classes[(int)PathClass.Store],
        Classes[(int)PathClass.Branch], Classes[(int)PathClass.Read],
        Classes[(int)PathClass.Write], Classes[(int)PathClass.Barrier], Classes[(int)PathClass.Atomic]);
}

/// <summary>Classes of the stock kernel's tables.</summary>
internal enum PathClass
{
    /// <summary>Everything else: moves, arithmetic, hints other than NOP, ERET.</summary>
    Other,

    /// <summary>NOP.</summary>
    Nop,

    /// <summary>Loads.</summary>
    Load,

    /// <summary>Stores.</summary>
    Store,

    /// <summary>Branches.</summary>
    Branch,

    /// <summary>MRS.</summary>
    Read,

    /// <summary>MSR.</summary>
    Write,

    /// <summary>ISB, DSB, DMB, CSDB.</summary>
    Barrier,

    /// <summary>Atomics and exclusives.</summary>
    Atomic,
}
