namespace ArmVdso.Emulator.Timing.Memo;

/// <summary>What a traced instruction leaves in the trace of its block.</summary>
internal enum TraceKind : byte
{
    /// <summary>A load of up to 8 bytes: its virtual address, and the host's address less that.</summary>
    Load,

    /// <summary>A load of 16 or 32 bytes, the same.</summary>
    WideLoad,

    /// <summary>A store, the same.</summary>
    Store,

    /// <summary>An integer division: its quotient.</summary>
    Quotient,
}

/// <summary>A place in the trace of a block: two words, which one instruction of the block fills in.</summary>
/// <param name="Instruction">Which one.</param>
/// <param name="Size">Bytes of the access.</param>
/// <param name="Kind">What the words are.</param>
internal readonly record struct TraceSlot(byte Instruction, byte Size, TraceKind Kind);
