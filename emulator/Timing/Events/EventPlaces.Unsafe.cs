namespace ArmVdso.Emulator.Timing.Events;

/// <summary>Addresses of what the events of a PE remember, for native code. None of it moves.</summary>
internal struct EventPlaces
{
    /// <summary>Tags and states of the private data cache, and tags of that of fetches.</summary>
    public ulong DataTags, DataStates, FetchTags;

    /// <summary>The <see cref="LatestEvents"/>, the two <see cref="Filling"/>, and each <see cref="LoadStream"/>.</summary>
    public ulong Latest, Fillings, Streams;

    /// <summary>By the bits of a quotient, the steps of its division beyond the first.</summary>
    public ulong DivideSteps;

    /// <summary>The first TLBs, and the second one.</summary>
    public TlbPlaces DataTlb, FetchTlb, MainTlb;

    /// <summary>The branch predictor.</summary>
    public BranchPlaces Branches;
}

/// <summary>Addresses of the tables of a TLB.</summary>
internal struct TlbPlaces
{
    public ulong Hints, Pages, Contexts, Used, Order;
}

/// <summary>Addresses of the lines of fill buffers and of the cycle in which each is there, beside each other.</summary>
public readonly record struct FillPlaces(ulong Lines, ulong Ready);

/// <summary>Addresses of the tables of a branch predictor, and of its <see cref="LatestBranches"/>.</summary>
internal struct BranchPlaces
{
    public ulong Latest, Counters, Returns, IndirectTags, IndirectTargets;
}

public sealed unsafe partial class CoreEvents
{
    /// <summary>Where native code finds all this.</summary>
    internal EventPlaces Places => new()
    {
        DataTags = AddressOf(_l1d.Tags),
        DataStates = AddressOf(_l1d.States),
        FetchTags = AddressOf(_l1i.Tags),
        Latest = AddressOf(_latest),
        Fillings = AddressOf(_fillings),
        Streams = AddressOf(_streams),
        DivideSteps = AddressOf(_divideSteps),
        DataTlb = _microD.Places,
        FetchTlb = _microI.Places,
        MainTlb = _main.Places,
        Branches = _predictor.Places,
    };

    /// <summary>The address of an array that is pinned.</summary>
    internal static ulong AddressOf<T>(T[] pinned) where T : unmanaged =>
        (ulong)Unsafe.AsPointer(ref MemoryMarshal.GetArrayDataReference(pinned));
}
