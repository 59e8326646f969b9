namespace ArmVdso.Emulator.Engine.Portable;

/// <summary>One page of the portable engine's TLB: addresses that may be accessed with no further question in one
/// <see cref="Processor.Cpu.AccessMode"/>.</summary>
internal struct FastEntry
{
    /// <summary>Virtual page that may be read, or <see cref="None"/>.</summary>
    internal ulong ReadTag;

    /// <summary>Virtual page that may be written and holds no decoded code, or <see cref="None"/>.</summary>
    internal ulong WriteTag;

    /// <summary>Host address less virtual address.</summary>
    internal ulong Host;

    /// <summary>Physical address less virtual address.</summary>
    internal ulong Pa;

    /// <summary>Matches no page.</summary>
    internal const ulong None = 1;

    /// <summary>Entries of a TLB.</summary>
    internal const int Count = 16384;

    private const int PartSize = Count / 64;

    /// <summary>A 64th of a TLB.</summary>
    internal static Span<FastEntry> Part(Span<FastEntry> tlb, int part) => tlb.Slice(part * PartSize, PartSize);

    /// <summary>A bit for each part that a place and its other one are in.</summary>
    internal static ulong PartsOf(int index) => 1UL << (index / PartSize) | 1UL << ((index ^ Other) / PartSize);

    /// <summary>What leads from the place of an entry to its other place, and back: there it goes when another page needs the first. Only
    /// native code looks there.</summary>
    internal const int Other = Count / 2;

    /// <summary>Whether it is that of no page.</summary>
    internal readonly bool IsEmpty => ReadTag == None && WriteTag == None;

    /// <summary>Whether it is that of a page.</summary>
    internal readonly bool Is(ulong page) => ReadTag == page || WriteTag == page;

    /// <summary>Where the entry of an address is. Neighbouring pages are in neighbouring places, never in the two of one page: what an
    /// access beyond its page finds at its first byte is not taken for the entry of its last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Index(ulong address) => (int)(address >> 12) & (Count - 1);
}

/// <summary>Where a block starts, for the PE that executed it last.</summary>
internal struct JumpEntry
{
    /// <summary>PC with the mode in its low bits.</summary>
    internal ulong Key;

    /// <summary>Fetch epoch in which the translation was made.</summary>
    internal ulong Epoch;

    /// <summary>The block.</summary>
    internal Block? Block;

    /// <summary>Entries of a PE.</summary>
    internal const int Count = 4096;

    /// <summary>Where the entry of an address is: functions at the same place in their pages are not in each other's way.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static int Index(ulong pc) => (int)((pc ^ pc >> 12) >> 2) & (Count - 1);
}
