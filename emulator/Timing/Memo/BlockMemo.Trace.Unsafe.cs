using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Emulator.Timing.Instructions;

namespace ArmVdso.Emulator.Timing.Memo;

/// <summary>Blocks that were executed by code that leaves a trace, and are timed behind it: for each block its number, then two words for
/// each <see cref="TraceSlot"/>. Caches, TLBs and predictors name no cycle, so all that matters is that what happened is told in order.
/// </summary>
internal sealed unsafe partial class BlockMemo
{
    /// <summary>Words of the trace of a block before its slots.</summary>
    internal const int TraceHeader = 1;

    /// <summary>Words of a slot.</summary>
    internal const int TraceSlotWords = 2;

    // The block that was begun last, while it is not ended: its slots, how many of them were told, and shapes so far.
    private BlockSchedule? _open;
    private ulong* _openSlots;
    private int _told;
    private ulong _shapes;

    // The first of its instructions that is not timed, while it is timed by instruction; else negative.
    private int _single;

    /// <summary>Instructions of blocks that were told.</summary>
    internal long Told { get; private set; }

    /// <summary>The schedule of a block, made when there is none.</summary>
    internal BlockSchedule ScheduleOf(TimedBlock block) => block.Schedule ??= new BlockSchedule(block, _pipeline, _events);

    /// <summary>Cycles that blocks may take now, as <see cref="BlockSchedule.Worst"/> counts them; at a block boundary.</summary>
    internal long Left => (long)(_stop - Cycles) - _horizon - _pipeline.Backlog(Cycles) - 1;

    /// <summary>Begins to take traces, after <see cref="Enter"/>.</summary>
    internal void BeginTrace()
    {
        _open = null;
        Told = 0;
    }

    /// <summary>Blocks were executed whole.</summary>
    /// <param name="at">What they left in the trace; a block that was begun is the first one. There is room for a word more.</param>
    /// <param name="end">End of it.</param>
    /// <param name="blocks">The blocks by number.</param>
    /// <param name="hostBase">Host's address of physical address 0.</param>
    /// <param name="target">Where the last one went.</param>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal void TellBlocks(ulong* at, ulong* end, TracedBlocks blocks, ulong hostBase, ulong target)
    {
        // Behind them, a block that was executed in part may have begun.
        ulong behind = *end;
        *end = 0;
        blocks.Records[0].Pc = target;
        while (at < end)
        {
            if (_open is null && blocks.Entry != 0 && _state >= 0)
            {
                at = ReadTrace(at, blocks, hostBase);
                if (at == end)
                    break;
            }
            BlockSchedule s = blocks[*at];
            ulong* slots = at + TraceHeader;
            at = slots + TraceSlotWords * s.Slots!.Length;
            ulong next = blocks.Records[*at].Pc;
            if (_open is null && s.Usable && FetchHits(s))
                TellSimple(s, slots, hostBase, next);
            else
                TellBlock(s, slots, hostBase, next);
        }
        *end = behind;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void TellBlock(BlockSchedule s, ulong* slots, ulong hostBase, ulong next)
    {
        if (_open is null)
            Open(s, slots);
        TellSlots(s, s.Timings.Length, hostBase);
        Close(s, next, hostBase);
    }

    /// <summary>A whole block, whose fetches hit: as <see cref="TellBlock"/>.</summary>
    private void TellSimple(BlockSchedule s, ulong* slots, ulong hostBase, ulong next)
    {
        (_digits, _extra) = (0, 0);
        _shapeBits = s.ShapeBits;
        TellRest(s, slots, 0, hostBase, 0, next);
    }

    /// <summary>Slots of such a block from one on, and its end.</summary>
    private void TellRest(BlockSchedule s, ulong* slots, int from, ulong hostBase, ulong shapes, ulong next)
    {
        for (int i = from; i < s.Slots!.Length; i++)
        {
            if (IsPlain(s.Slots[i], slots + TraceSlotWords * i, hostBase, ref shapes) || TellUnplain(s, i, slots, hostBase, ref shapes))
                continue;
            Close(s, next, hostBase);
            return;
        }
        Told += s.Timings.Length;
        if (!End(s, shapes, IsTaken(s, next), next))
            TookTooLong(s);
    }

    /// <summary>An access is a plain hit; then its shape joins the signature. Methods that are called seldom keep registers free here.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool IsPlain(in TraceSlot slot, ulong* words, ulong hostBase, ref ulong shapes)
    {
        ulong va = words[0], pa = va + words[1] - hostBase;
        return slot.Kind switch
        {
            TraceKind.Load => PlainLoad(va, pa, slot.Size, ref shapes) || MisalignedLoad(va, pa, slot.Size, ref shapes),
            TraceKind.Store => PlainStore(va, pa, slot.Size, ref shapes),
            TraceKind.WideLoad => PlainWideLoad(va, pa, slot.Size, ref shapes) || MisalignedLoad(va, pa, slot.Size, ref shapes),
            _ => false,
        };
    }

    /// <summary>A load inside a line that is over a boundary of 8 bytes, reads nothing that was stored last, and is a plain hit otherwise:
    /// then its shape joins the signature.</summary>
    private bool MisalignedLoad(ulong va, ulong pa, uint size, ref ulong signature)
    {
        if ((va & 7) + Math.Min(size, 8) <= 8 || (va & _inLine) + size > _inLine + 1 || _events.LoadGap(pa, (int)size) != 0)
            return false;
        ulong line = pa >> _lineShift;
        if (!IsLatest(va, line) && !Touch(va, line, false))
            return false;
        signature = signature << _shapeBits | BlockSchedule.MisalignedShape;
        return true;
    }

    /// <summary>A slot that is no plain hit.</summary>
    /// <returns>False: the rest of the block is timed by instruction.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool TellUnplain(BlockSchedule s, int i, ulong* slots, ulong hostBase, ref ulong shapes)
    {
        TraceSlot slot = s.Slots![i];
        ulong* words = slots + TraceSlotWords * i;
        if (slot.Kind == TraceKind.Quotient)
        {
            Divided(s.Timings[slot.Instruction].Encoding, words[0]);
            return true;
        }
        Note(slot, words[0], words[0] + words[1] - hostBase);
        if (Executed(_pe, s, slot.Instruction, ref shapes))
            return true;
        (_open, _told, _single) = (s, i + 1, slot.Instruction + 1);
        _openSlots = slots;
        return false;
    }

    /// <summary>The last block of a trace was executed up to an instruction.</summary>
    /// <param name="at">Where its trace begins.</param>
    /// <param name="s">The block.</param>
    /// <param name="count">Instructions executed.</param>
    /// <param name="hostBase">Host's address of physical address 0.</param>
    internal void TellPart(ulong* at, BlockSchedule s, int count, ulong hostBase)
    {
        if (_open is null)
            Open(s, at + TraceHeader);
        TellSlots(s, count, hostBase);
        if (_single >= 0)
            TimeSingly(s, count, hostBase);
    }

    /// <summary>The instruction behind those of <see cref="TellPart"/> was executed by its reference body; its accesses are in
    /// <see cref="ProcessingElement.Accesses"/>. It fills in no slot.</summary>
    internal void TellExecuted(BlockSchedule s, int index, ulong hostBase)
    {
        if (_told < s.Slots!.Length && s.Slots[_told].Instruction == index)
            _told++;
        Executed(s, index, hostBase);
    }

    /// <summary>The block that was begun ends behind so many instructions, which were told: then the pipeline is up to date.</summary>
    internal void EndPart(BlockSchedule s, int count, ulong hostBase)
    {
        if (_single >= 0)
        {
            TimeSingly(s, count, hostBase);
        }
        else
        {
            Load();
            Replay(s, _from, count, _shapes << EndBits | _digits << 4, true, ref Rest(s));
        }
        Cycles = _pipeline.Cycles;
        EndFetch();
        BeginAccesses();
        Told += count;
        _open = null;
    }

    private void Open(BlockSchedule s, ulong* slots)
    {
        _open = s;
        _openSlots = slots;
        _told = 0;
        _shapes = 0;
        _shapeBits = s.ShapeBits;
        _single = -1;
        _digits = 0;
        BeginAccesses();
        if (!s.Usable || (!FetchHits(s) && !FindFetch(s)))
        {
            Load();
            _single = 0;
        }
    }

    /// <summary>Tells what the slots of instructions before <paramref name="end"/> hold.</summary>
    private void TellSlots(BlockSchedule s, int end, ulong hostBase)
    {
        TraceSlot[] slots = s.Slots!;
        while (_single < 0 && _told < slots.Length && slots[_told].Instruction < end)
        {
            int i = _told++;
            if (!IsPlain(slots[i], _openSlots + TraceSlotWords * i, hostBase, ref _shapes))
                TellUnplain(s, i, _openSlots, hostBase, ref _shapes);
        }
    }

    private void Executed(BlockSchedule s, int index, ulong hostBase)
    {
        if (_single >= 0)
            TimeSingly(s, index + 1, hostBase, held: index);
        else if (!Executed(_pe, s, index, ref _shapes))
            _single = index + 1;
    }

    /// <summary>The accesses of an instruction, as its reference body notes them.</summary>
    private void Note(TraceSlot slot, ulong va, ulong pa)
    {
        const int Widest = 16;
        ProcessingElement pe = _pe;
        int size = Math.Min((int)slot.Size, Widest);
        pe.AccessCount = slot.Size / size;
        for (int i = 0; i < pe.AccessCount; i++)
        {
            ref MemoryAccess access = ref pe.Accesses[i];
            ulong offset = (ulong)(i * size);
            (access.Va, access.Pa, access.Size) = (va + offset, pa + offset, (ushort)size);
            access.Write = slot.Kind == TraceKind.Store;
        }
    }

    private void Close(BlockSchedule s, ulong target, ulong hostBase)
    {
        bool taken = IsTaken(s, target);
        Told += s.Timings.Length;
        _open = null;
        bool goesOn;
        if (_single >= 0)
        {
            TimeSingly(s, s.Timings.Length, hostBase, -1, taken, target);
            _lastPc = s.LastPc;
            GoOn();
            goesOn = Cycles < _stop;
        }
        else
        {
            goesOn = End(s, _shapes, taken, target);
        }
        if (!goesOn)
            TookTooLong(s);
    }

    private static bool IsTaken(BlockSchedule s, ulong target) =>
        s.Branch == TimingKind.Conditional ? target != s.LastPc + 4 : s.Branch != TimingKind.Plain;

    private static void TookTooLong(BlockSchedule s) =>
        throw new InvalidOperationException($"the block at 0x{s.Pc:x} took longer than the most that it was to take");

    /// <summary>Times instructions of the block from <see cref="_single"/> on, as the naive timing does.</summary>
    /// <param name="s">The block.</param>
    /// <param name="end">The instruction behind the last one.</param>
    /// <param name="hostBase">Host's address of physical address 0.</param>
    /// <param name="held">The instruction whose accesses the PE holds.</param>
    /// <param name="taken">Whether the branch at the end was taken.</param>
    /// <param name="target">Where it went.</param>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void TimeSingly(BlockSchedule s, int end, ulong hostBase, int held = -1, bool taken = false, ulong target = 0)
    {
        TraceSlot[] slots = s.Slots!;
        ref TimingCounters counters = ref Rest(s);
        for (int i = _single; i < end; i++)
        {
            InstructionTiming t = s.Timings[i];
            InstructionEvents e = default;
            Fetch(s, i, ref e, ref counters);
            ReadOnlySpan<LineEvent> lines = default;
            int slot = i == held || _told == slots.Length || slots[_told].Instruction != i ? -1 : _told++;
            ulong* words = _openSlots + TraceSlotWords * slot;
            if (slot >= 0 && slots[slot].Kind == TraceKind.Quotient)
            {
                e.Extra = _events.DivideExtra(t.Encoding, words[0]);
            }
            else
            {
                if (slot >= 0)
                    Note(slots[slot], words[0], words[0] + words[1] - hostBase);
                else if (i != held)
                    _pe.AccessCount = 0;
                _events.Data(_pe, t, ref e, ref counters);
                lines = _events.Lines;
                _pe.AccessCount = 0;
            }
            if (t.Kind is >= TimingKind.Branch and < TimingKind.ExceptionReturn)
            {
                e.Prediction = _predictor.Execute(t.Kind, s.LastPc, taken, target);
                CoreEvents.CountBranch(t.Kind, taken, e.Prediction, ref counters);
            }
            _pipeline.Step(t, e, lines, s.Pc + 4 * (ulong)i, ref counters);
        }
        _single = end;
    }
}
