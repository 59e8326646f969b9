using ArmVdso.Emulator.Timing.Instructions;
using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Emulator.Timing.Events;

/// <summary>What fetch made of a branch.</summary>
public enum Prediction : byte
{
    /// <summary>Predicted not taken, and so it was.</summary>
    FallThrough,

    /// <summary>Taken as predicted, and the target's first instructions were in the branch target instruction cache.</summary>
    TakenNoBubble,

    /// <summary>Taken as predicted.</summary>
    Taken,

    /// <summary>Indirect, taken as predicted.</summary>
    TakenIndirect,

    /// <summary>Return, taken as predicted.</summary>
    TakenReturn,

    /// <summary>Wrong direction or target.</summary>
    Mispredicted,
}

/// <summary>Branch prediction: a table of 2-bit counters indexed by address and global history, or a <see cref="TaggedPredictor"/>; a
/// table of indirect targets, by address or by the targets before too; a return stack, and a branch target instruction cache of one entry
/// that hides the fetch bubble of the same direct branch taken again.</summary>
public sealed class BranchPredictor
{
    private readonly TaggedPredictor? _tagged;
    private readonly ulong _indirectHistory;
    private readonly byte[] _counters;
    private readonly ulong _countersReciprocal;
    private readonly uint _historyMask;
    private readonly ulong[] _indirectTags;
    private readonly ulong[] _indirectTargets;
    private readonly ulong[] _returns;
    private readonly bool _hasTargetCache;
    private readonly LatestBranches[] _latest = GC.AllocateArray<LatestBranches>(1, pinned: true);

    /// <summary>Makes a predictor that has seen nothing: weakly not taken.</summary>
    public BranchPredictor(CoreModel model)
    {
        _counters = GC.AllocateArray<byte>(model.PatternHistoryEntries, pinned: true);
        Array.Fill(_counters, (byte)1);
        _countersReciprocal = ulong.MaxValue / (ulong)_counters.Length + 1;
        _historyMask = (1u << model.HistoryBits) - 1;
        _indirectTags = GC.AllocateArray<ulong>(model.IndirectEntries, pinned: true);
        _indirectTargets = GC.AllocateArray<ulong>(model.IndirectEntries, pinned: true);
        _returns = GC.AllocateArray<ulong>(model.ReturnStackEntries, pinned: true);
        _hasTargetCache = model.BranchTargetCache != 0;
        _tagged = model.TaggedTables > 0 ? new TaggedPredictor(model) : null;
        _indirectHistory = (1UL << model.IndirectHistory) - 1;
        Latest.CachedBranch = ulong.MaxValue;
    }

    /// <summary>Where native code finds the tables.</summary>
    internal BranchPlaces Places => new()
    {
        Latest = CoreEvents.AddressOf(_latest),
        Counters = CoreEvents.AddressOf(_counters),
        Returns = CoreEvents.AddressOf(_returns),
        IndirectTags = CoreEvents.AddressOf(_indirectTags),
        IndirectTargets = CoreEvents.AddressOf(_indirectTargets),
    };

    /// <summary>Whether branches are predicted by the plain tables alone.</summary>
    internal bool IsPlain => _tagged is null && _indirectHistory == 0;

    /// <summary>Whether there is a branch target instruction cache.</summary>
    internal bool HasTargetCache => _hasTargetCache;

    /// <summary>Entries of the table of counters, and what <see cref="Index"/> multiplies by.</summary>
    internal (uint Entries, ulong Reciprocal) CounterTable => ((uint)_counters.Length, _countersReciprocal);

    /// <summary>The branches that join the address there.</summary>
    internal uint HistoryMask => _historyMask;

    /// <summary>Entries of the return stack.</summary>
    internal int ReturnEntries => _returns.Length;

    /// <summary>Entries of the table of indirect targets.</summary>
    internal int IndirectEntries => _indirectTags.Length;

    private ref LatestBranches Latest => ref MemoryMarshal.GetArrayDataReference(_latest);

    /// <summary>Predicts one executed branch and learns from it.</summary>
    /// <param name="kind">Kind of branch.</param>
    /// <param name="pc">Its address.</param>
    /// <param name="taken">Whether it was taken.</param>
    /// <param name="target">Where execution went on.</param>
    public Prediction Execute(TimingKind kind, ulong pc, bool taken, ulong target)
    {
        switch (kind)
        {
            case TimingKind.Conditional when _tagged is not null:
                if (!_tagged.Execute(pc, taken))
                    return Prediction.Mispredicted;
                return taken ? Direct(pc, target) : Prediction.FallThrough;
            case TimingKind.Conditional:
                ref byte counter = ref _counters[Index((uint)(pc >> 2) ^ ((Latest.History & _historyMask) << 2))];
                bool predicted = counter >= 2;
                if (taken && counter < 3)
                    counter++;
                else if (!taken && counter > 0)
                    counter--;
                Latest.History = (Latest.History << 1) | (taken ? 1u : 0);
                if (predicted != taken)
                    return Prediction.Mispredicted;
                return taken ? Direct(pc, target) : Prediction.FallThrough;
            case TimingKind.Branch:
                return Direct(pc, target);
            case TimingKind.Call:
                Push(pc + 4);
                return Direct(pc, target);
            case TimingKind.Return:
                Latest.Top = Latest.Top == 0 ? _returns.Length - 1 : Latest.Top - 1;
                return _returns[Latest.Top] == target ? Prediction.TakenReturn : Prediction.Mispredicted;
            default:
                if (kind == TimingKind.IndirectCall)
                    Push(pc + 4);
                return Indirect(pc, target) ? Prediction.TakenIndirect : Prediction.Mispredicted;
        }
    }

    private bool Indirect(ulong pc, ulong target)
    {
        bool hit = Target(pc, (uint)(pc >> 2), target);
        if (_indirectHistory == 0)
            return hit;
        // Where the branch went after the same branches before says more, once it is known.
        ulong path = pc ^ ((Latest.Path & _indirectHistory) * 0x9E3779B97F4A7C15);
        int known = (int)((path >> 32 ^ path) % (uint)_indirectTags.Length);
        bool seen = _indirectTags[known] == path;
        bool right = Target(path, (uint)known, target);
        Latest.Path = (Latest.Path << 3) ^ (target >> 2);
        return seen ? right : hit;
    }

    private bool Target(ulong tag, uint hash, ulong target)
    {
        int slot = (int)(hash % (uint)_indirectTags.Length);
        bool hit = _indirectTags[slot] == tag && _indirectTargets[slot] == target;
        _indirectTags[slot] = tag;
        _indirectTargets[slot] = target;
        return hit;
    }

    // Remainder without a division (Lemire, Kaser, Kurz: Faster remainder by direct computation, 2019); exact for 32 bits.
    private uint Index(uint hash) => (uint)Math.BigMul(_countersReciprocal * hash, (ulong)_counters.Length, out _);

    private Prediction Direct(ulong pc, ulong target)
    {
        if (_hasTargetCache && Latest.CachedBranch == pc && Latest.CachedTarget == target)
            return Prediction.TakenNoBubble;
        Latest.CachedBranch = pc;
        Latest.CachedTarget = target;
        return Prediction.Taken;
    }

    private void Push(ulong address)
    {
        _returns[Latest.Top] = address;
        Latest.Top = Latest.Top + 1 == _returns.Length ? 0 : Latest.Top + 1;
    }
}

/// <summary>What the predictor remembers of the latest branches; native code looks at it too, and it does not move.</summary>
internal struct LatestBranches
{
    /// <summary>Directions of conditional branches, the youngest in bit 0.</summary>
    public uint History;

    /// <summary>Place of the return stack that the next call fills.</summary>
    public int Top;

    /// <summary>Targets of indirect branches.</summary>
    public ulong Path;

    /// <summary>Branch in the branch target instruction cache.</summary>
    public ulong CachedBranch;

    /// <summary>Where it went.</summary>
    public ulong CachedTarget;
}
