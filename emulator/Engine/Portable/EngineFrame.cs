namespace ArmVdso.Emulator.Engine.Portable;

/// <summary>What code outside the runtime needs of one PE's engine, at an address that does not change: a few words, the fast TLBs, and
/// for the native engine tables of where indirect branches go.</summary>
internal sealed class EngineFrame
{
    /// <summary>Bytes before the TLBs.</summary>
    internal const int TlbOffset = 16384;

    /// <summary>Bytes of one TLB.</summary>
    internal const int TlbSize = FastEntry.Count * 32;

    /// <summary>Bytes before the tables of branches.</summary>
    internal const int JumpOffset = TlbOffset + 2 * TlbSize;

    private readonly byte[] _memory;

    /// <param name="jumps">Bytes of the tables of branches.</param>
    internal EngineFrame(int jumps)
    {
        _memory = GC.AllocateArray<byte>(JumpOffset + jumps, pinned: true);
        // Zeros are entries of page 0: no access that ends there may find them, one that begins in the last page neither.
        for (int el = 0; el < 2; el++)
        {
            foreach (int index in (ReadOnlySpan<int>)[0, FastEntry.Count - 1])
            {
                Tlb(el)[index] = new FastEntry { ReadTag = FastEntry.None, WriteTag = FastEntry.None };
                Tlb(el)[index ^ FastEntry.Other] = Tlb(el)[index];
            }
        }
    }

    /// <summary>The TLB of an exception level.</summary>
    internal Span<FastEntry> Tlb(int el) => MemoryMarshal.Cast<byte, FastEntry>(_memory.AsSpan(TlbOffset + el * TlbSize, TlbSize));

    /// <summary>Where it lies.</summary>
    internal ref byte First => ref MemoryMarshal.GetArrayDataReference(_memory);
}
