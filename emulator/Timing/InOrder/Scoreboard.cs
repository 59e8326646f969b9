using System.Numerics;
using System.Runtime.Intrinsics;
using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.Instructions;
using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Emulator.Timing.InOrder;

/// <summary>Cycles in which the stores of the store buffer leave it, oldest first.</summary>
[InlineArray(CoreModel.StoreBufferLimit)]
public struct StoreDrains
{
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

    /// <summary>The SIMD&amp;FP register that the first of them writes; 0 for none.</summary>
    public byte PairVector;

    /// <summary>The first of them writes the flags.</summary>
    public bool PairFlags;

    /// <summary>The current fetch group had a branch.</summary>
    public bool GroupBranch;

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

    /// <summary>Last issue cycle of the last store.</summary>
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

    /// <summary>The same state at cycle 0, with everything that can make no difference any more set to one value. A field that is not
    /// treated here keeps its value: then equal behaviour may not be recognised, but unequal behaviour is never taken for equal.</summary>
    internal readonly Scoreboard Normalised(CoreModel model)
    {
        Scoreboard s = this;
        s.Cycle = 0;
        if (Slots == 2)
        {
            s.PairUnits = default;
            s.PairSimd = 0;
            s.PairVector = 0;
            s.PairFlags = false;
        }
        // The next group comes in the cycle after this one's and the bubble, but not earlier than the lead allows.
        int bubble = model.SecondBranch + Math.Max(model.TakenBubble, Math.Max(model.IndirectBubble, model.ReturnBubble));
        s.Group = Math.Max(Group - Cycle, -model.FetchLead - bubble - 2);
        // No instruction issues before its group is there; after a redirection the group is yet to come, its cause may be known already.
        s.FetchReady = 0;
        if (!Redirected)
            s.FetchCause = 0;
        s.MultiplyFree = Left(MultiplyFree);
        s.DivideFree = Left(DivideFree);
        s.FpDivideFree = Left(FpDivideFree);
        s.SimdFree = Left(SimdFree);
        s.LoadStoreFree = Left(LoadStoreFree);
        s.LastDrain = Left(LastDrain);
        s.StoredAt = Math.Max(StoredAt - Cycle, -model.StoreToLoad);
        s.Cause = default;
        for (int i = 0; i < InstructionTiming.RegisterCount; i += Lanes)
        {
            // The last part may be one that was dealt with.
            int at = Math.Min(i, InstructionTiming.RegisterCount - Lanes);
            Vector256<long> ready = Left(Ready, at), address = Left(AddressReady, at);
            ready.CopyTo(((Span<long>)s.Ready)[at..]);
            address.CopyTo(((Span<long>)s.AddressReady)[at..]);
            uint busy = Vector256.GreaterThan(ready | address, Vector256<long>.Zero).ExtractMostSignificantBits();
            for (; busy != 0; busy &= busy - 1)
            {
                int register = at + BitOperations.TrailingZeroCount(busy);
                s.Cause[register] = Cause[register];
            }
        }
        int from = DrainAt;
        s.Drains = default;
        for (int i = 0; i < model.StoreBuffer; i++)
        {
            s.Drains[i] = Left(Drains[from]);
            from = from + 1 == model.StoreBuffer ? 0 : from + 1;
        }
        s.DrainAt = 0;
        return s;
    }

    private readonly long Left(long cycle) => Math.Max(cycle - Cycle, 0);

    private static int Lanes => Vector256<long>.Count;

    private readonly Vector256<long> Left(in RegisterCycles cycles, int at) =>
        Vector256.Max(Vector256.Create(((ReadOnlySpan<long>)cycles)[at..]) - Vector256.Create(Cycle), Vector256<long>.Zero);

    /// <summary>Cycles from now until everything is ready that <see cref="Normalised"/> keeps; at least 1.</summary>
    internal readonly long Horizon(CoreModel model)
    {
        long last = Math.Max(Cycle + 1, Math.Max(Group, StoredAt + model.StoreToLoad));
        last = Math.Max(last, Math.Max(Redirected ? 0 : FetchReady, Math.Max(LastDrain, LoadStoreFree)));
        last = Math.Max(Math.Max(last, Math.Max(MultiplyFree, DivideFree)), Math.Max(FpDivideFree, SimdFree));
        // Drains leave in order: none is later than the last.
        last = Math.Max(last, Math.Max(Latest(Ready), Latest(AddressReady)));
        return last - Cycle;
    }

    private static long Latest(in RegisterCycles cycles)
    {
        ReadOnlySpan<long> all = cycles;
        long last = all[^1];
        ReadOnlySpan<Vector256<long>> parts = MemoryMarshal.Cast<long, Vector256<long>>(all);
        Vector256<long> most = parts[0];
        for (int i = 1; i < parts.Length; i++)
            most = Vector256.Max(most, parts[i]);
        for (int i = 0; i < Vector256<long>.Count; i++)
            last = Math.Max(last, most[i]);
        for (int i = parts.Length * Vector256<long>.Count; i < all.Length; i++)
            last = Math.Max(last, all[i]);
        return last;
    }

    /// <summary>Moves a state that <see cref="Normalised"/> made to a cycle.</summary>
    internal void MoveTo(long cycle)
    {
        Cycle = cycle;
        Group += cycle;
        FetchReady += cycle;
        MultiplyFree += cycle;
        DivideFree += cycle;
        FpDivideFree += cycle;
        SimdFree += cycle;
        LoadStoreFree += cycle;
        LastDrain += cycle;
        StoredAt += cycle;
        foreach (ref long ready in (Span<long>)Ready)
            ready += cycle;
        foreach (ref long ready in (Span<long>)AddressReady)
            ready += cycle;
        foreach (ref long drain in (Span<long>)Drains)
            drain += cycle;
    }
}
