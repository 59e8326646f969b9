namespace ArmVdso.Emulator.Timing.Events;

/// <summary>One data access of the instruction being executed, for the timing model and traces.</summary>
public struct MemoryAccess
{
    /// <summary>Virtual address (tag removed).</summary>
    public ulong Va;

    /// <summary>Physical address.</summary>
    public ulong Pa;

    /// <summary>Bytes.</summary>
    public ushort Size;

    /// <summary>True for a store.</summary>
    public bool Write;
}

/// <summary>A PE as far as timing sees it: where it executes, what its last instruction accessed, where it went on, and how its
/// addresses are translated. Who executes instructions keeps these fields; they are fields because both sides use them at every
/// instruction.</summary>
public abstract class ProcessingElement
{
    /// <summary>Most accesses of one instruction.</summary>
    internal const int MostAccesses = 40;

    /// <summary>Address of the instruction being executed.</summary>
    public ulong PC;

    /// <summary>Address of the next instruction; PC+4 unless the instruction branches.</summary>
    public ulong NextPC;

    /// <summary>PSTATE.EL: 0 or 1.</summary>
    public int EL;

    /// <summary>True when the instruction just executed took a branch.</summary>
    public bool BranchTaken;

    /// <summary>How many entries of <see cref="Accesses"/> are valid.</summary>
    public int AccessCount;

    /// <summary>Data accesses of the current instruction, oldest first.</summary>
    public readonly MemoryAccess[] Accesses = new MemoryAccess[MostAccesses];

    /// <summary>Virtual address (tag removed) of the PRFM that was executed last.</summary>
    public ulong PrefetchAddress;

    /// <summary>Its operation, the field Rt, until the timing has seen it; then -1.</summary>
    public int PrefetchOperation = -1;

    /// <summary>Translation table base register of the low half of the address space.</summary>
    public ulong TTBR0_EL1;

    /// <summary>Translation table base register of the high half; its ASID is the current one.</summary>
    public ulong TTBR1_EL1;

    /// <summary>What a TLB entry for an address is tagged with: entries of another tag do not hit.</summary>
    internal abstract ulong TranslationTag(ulong va);

    /// <summary>Where the last descriptor of an address's translation lies in RAM; changes nothing.</summary>
    /// <param name="va">Virtual address.</param>
    /// <param name="pa">Physical address of the descriptor.</param>
    /// <param name="bits">Base 2 logarithm of the bytes that one TLB entry may stand for: the block or page, or contiguous ones.</param>
    /// <returns>False: the tables are not in RAM, or have none for the address.</returns>
    internal abstract bool TryFindDescriptor(ulong va, out ulong pa, out int bits);

    /// <summary>Where a prefetch of an address would go; changes nothing.</summary>
    /// <returns>False when it may not be read.</returns>
    internal abstract bool TryRead(ulong va, out ulong pa);

    /// <summary>The destination of the division that was just executed, general register <paramref name="register"/>.</summary>
    internal abstract ulong Quotient(int register);
}

/// <summary>The clock of the PEs, which turns the nanoseconds of memory into cycles.</summary>
public interface IClock
{
    /// <summary>In Hz.</summary>
    ulong ClockFrequency { get; }
}
