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
    private int _top;
    private uint _history;
    private ulong _path;
    private ulong _targetCacheBranch = ulong.MaxValue;
    private ulong _targetCacheTarget;

    /// <summary>Makes a predictor that has seen nothing: weakly not taken.</summary>
    public BranchPredictor(CoreModel model)
    {
        _counters = new byte[model.PatternHistoryEntries];
        Array.Fill(_counters, (byte)1);
        _countersReciprocal = ulong.MaxValue / (ulong)_counters.Length + 1;
        _historyMask = (1u << model.HistoryBits) - 1;
        _indirectTags = new ulong[model.IndirectEntries];
        _indirectTargets = new ulong[model.IndirectEntries];
        _returns = new ulong[model.ReturnStackEntries];
        _hasTargetCache = model.BranchTargetCache != 0;
        _tagged = model.TaggedTables > 0 ? new TaggedPredictor(model) : null;
        _indirectHistory = (1UL << model.IndirectHistory) - 1;
    }

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
                ref byte counter = ref _counters[Index((uint)(pc >> 2) ^ ((_history & _historyMask) << 2))];
                bool predicted = counter >= 2;
                if (taken && counter < 3)
                    counter++;
                else if (!taken && counter > 0)
                    counter--;
                _history = (_history << 1) | (taken ? 1u : 0);
                if (predicted != taken)
                    return Prediction.Mispredicted;
                return taken ? Direct(pc, target) : Prediction.FallThrough;
            case TimingKind.Branch:
                return Direct(pc, target);
            case TimingKind.Call:
                Push(pc + 4);
                return Direct(pc, target);
            case TimingKind.Return:
                _top = _top == 0 ? _returns.Length - 1 : _top - 1;
                return _returns[_top] == target ? Prediction.TakenReturn : Prediction.Mispredicted;
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
        ulong path = pc ^ ((_path & _indirectHistory) * 0x9E3779B97F4A7C15);
        int known = (int)((path >> 32 ^ path) % (uint)_indirectTags.Length);
        bool seen = _indirectTags[known] == path;
        bool right = Target(path, (uint)known, target);
        _path = (_path << 3) ^ (target >> 2);
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
        if (_hasTargetCache && _targetCacheBranch == pc && _targetCacheTarget == target)
            return Prediction.TakenNoBubble;
        _targetCacheBranch = pc;
        _targetCacheTarget = target;
        return Prediction.Taken;
    }

    private void Push(ulong address)
    {
        _returns[_top] = address;
        _top = _top + 1 == _returns.Length ? 0 : _top + 1;
    }
}
