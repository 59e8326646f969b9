using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.Events;

namespace ArmVdso.Emulator.Timing.Memo;

/// <summary>Native code that reads a trace: for each block it asks what the methods here ask, in the same order, as far as everything is
/// usual. Where something is not, it stops and says where, and these methods go on.</summary>
internal sealed unsafe partial class BlockMemo
{
    private readonly ReaderFrame[] _frame = GC.AllocateArray<ReaderFrame>(1, pinned: true);

    private ref ReaderFrame Frame => ref MemoryMarshal.GetArrayDataReference(_frame);

    /// <summary>What such code is made from.</summary>
    internal CoreEvents Events => _events;

    /// <summary>Blocks whose timing native code looked up.</summary>
    internal ulong Read { get; private set; }

    /// <summary>Buffers of lines on their way that such code looks at.</summary>
    internal int FillCount => _pipeline.FillCount;

    /// <summary>Has code read the trace, from a block boundary on, as long as blocks are looked up.</summary>
    /// <returns>The block that it did not begin, or the end.</returns>
    private ulong* ReadTrace(ulong* at, TracedBlocks blocks, ulong hostBase)
    {
        ref ReaderFrame frame = ref Frame;
        if (frame.Entries == 0)
        {
            frame.Entries = CoreEvents.AddressOf(_entries);
            frame.Due = CoreEvents.AddressOf(_due);
            frame.Events = _events.Places;
            frame.Fills = _pipeline.FillPlaces;
            frame.MissedLines = CoreEvents.AddressOf(_missedLines);
        }
        frame.Records = CoreEvents.AddressOf(blocks.Records);
        frame.HostBase = hostBase;
        frame.Context = _events.LowContext;
        var enter = (delegate* unmanaged[SuppressGCTransition]<ReaderFrame*, ulong, int>)blocks.Entry;
        ReaderFrame* place = (ReaderFrame*)Unsafe.AsPointer(ref frame);
        // No exception is taken in between: the level is that of the first block.
        ref TimingCounters counters = ref Rest(blocks[*at]);
        // The block whose slot was looked at last.
        ulong* looked = null;
        ulong code = blocks.Records[*at].Code;
        frame.At = (ulong)at;
        while (true)
        {
            GiveOut(ref frame);
            int exit = enter(place, code);
            at = (ulong*)frame.At;
            TakeBack(ref frame, blocks, ref counters);
            if (exit is ReaderFrame.AllTold or ReaderFrame.NothingTold)
                return at;
            BlockSchedule s = blocks[*at];
            ulong* slots = at + TraceHeader;
            ulong* behind = slots + TraceSlotWords * s.Slots!.Length;
            if ((frame.FetchShape & RefilledFetch) != 0)
                TakeRefilledFetch(s);
            if (exit == ReaderFrame.NotFound)
            {
                ulong filling = _until >= Cycles && s.Stores ? (ulong)Filling : 0;
                Take(s, (frame.Shapes & ~(ulong)Filling) | filling);
                Told += s.Timings.Length;
                if (Cycles >= _stop)
                    TookTooLong(s);
            }
            else
            {
                if (at != looked)
                    _extra = _fetchShapes[_fetchShape].Extra;
                _digits = s.Division < 0 ? 0 : frame.Digits >> DigitsShift;
                looked = at;
                _shapeBits = s.ShapeBits;
                ulong next = blocks.Records[*behind].Pc;
                ulong* words = slots + TraceSlotWords * exit;
                ulong va = words[0], pa = va + words[1] - hostBase;
                ref readonly TraceSlot slot = ref s.Slots[exit];
                if (!IsNearMiss(s, slot, va, pa, ref frame.Shapes) && !IsPlain(slot, words, hostBase, ref frame.Shapes)
                    && !IsLateHit(s, slot, va, pa, ref frame.Shapes)
                    && !TellUnplain(s, exit, slots, hostBase, ref frame.Shapes))
                {
                    Close(s, next, hostBase);
                }
                else if (_state >= 0)
                {
                    EndFetch();
                    code = frame.Resume;
                    continue;
                }
                else
                {
                    TellRest(s, slots, exit + 1, hostBase, frame.Shapes, next);
                }
                if (_state < 0)
                {
                    frame.FetchShape = 0;
                    return behind;
                }
            }
            frame.FetchShape = 0;
            frame.At = (ulong)behind;
            code = blocks.Records[*behind].Code;
        }
    }

    private void GiveOut(ref ReaderFrame frame)
    {
        if (_entry == 0)
            (_entries[0].Exit, _entries[0].Redirected) = (_state, _states.Redirected(_state));
        frame.Entry = frame.Entries + (ulong)(_entry * sizeof(MemoEntry));
        frame.Cycles = Cycles;
        frame.DataPage = _dataPage;
        frame.Missed = (ulong)_missed;
        frame.Until = _missed > 0 ? ulong.MaxValue : _until;
        if ((_missed | _late) != 0)
            frame.FetchShape |= ReaderFrame.Special;
    }

    private void TakeBack(ref ReaderFrame frame, TracedBlocks blocks, ref TimingCounters counters)
    {
        _dataPage = frame.DataPage;
        counters.L1IAccesses += frame.Fetched;
        ulong refilled = frame.RefilledLoads + frame.RefilledStores;
        counters.ItlbMisses += frame.RefilledFetches;
        counters.L1DAccesses += refilled;
        counters.DtlbMisses += refilled;
        counters.Loads += frame.RefilledLoads;
        counters.Stores += frame.RefilledStores;
        frame.Fetched = frame.RefilledFetches = frame.RefilledLoads = frame.RefilledStores = 0;
        if (frame.Last == 0)
            return;
        Cycles = frame.Cycles;
        _entry = (int)((frame.Entry - frame.Entries) / (ulong)sizeof(MemoEntry));
        _state = _entries[_entry].Exit;
        _horizon = _states.Horizon(_state);
        _lastPc = blocks[frame.Last].LastPc;
        if (Cycles >= _stop)
            TookTooLong(blocks[frame.Last]);
        Told += (long)frame.Told;
        Blocks += frame.Blocks;
        Read += frame.Blocks;
        frame.Last = frame.Told = frame.Blocks = 0;
    }
}
