using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Emulator.Timing.Instructions;

namespace ArmVdso.Emulator.Timing.Memo;

/// <summary>Misses as outcomes. A line that an outer cache has comes after a time that depends on the block alone when no fill of before
/// is in its way; so it is a shape like others, and the fills that it begins are remembered with the block. Fills of before that are in
/// the way join the state. Lines have no names in shapes: they are the next ones that were asked for, or one that was asked for earlier
/// in the block. One that is on its way since a block before is such a line, too: when it comes joins the state.</summary>
internal sealed partial class BlockMemo
{
    private const int MostMisses = 48;
    private const int MostFillHorizon = 10_000;
    private const int MostFills = 65535;
    private const ulong NextMiss = Cache.NoLine - 1;
    private const ulong FirstMiss = NextMiss - MostMisses;
    private const int MostLate = 4;
    private const ulong FirstLate = FirstMiss - MostLate;

    // Lines that the block missed, since the last one that was stepped.
    private readonly ulong[] _missedLines = GC.AllocateArray<ulong>(MostMisses, pinned: true);
    private readonly LineEvent[] _named = new LineEvent[80];
    private readonly List<FillRecord> _record = [];
    private readonly List<FillRecord[]> _fillRecords = [];
    private readonly Dictionary<int, ushort> _fillNumbers = [];
    private int _missed;
    private bool _prefetched;

    // Lines that the block accessed while they were on their way since before it, and of each when it comes and where from.
    private readonly ulong[] _lateLines = new ulong[MostLate];
    private readonly uint[] _lateKeys = new uint[MostLate];
    private int _late;

    private const int FillHintBits = 14;
    private readonly int[] _fillHints = new int[1 << FillHintBits];

    /// <summary>What keeps an access from being a shape; <see cref="MemoReason.Entry"/> when nothing does.</summary>
    /// <param name="t">The instruction.</param>
    /// <param name="e">Its events.</param>
    /// <param name="s">Its block.</param>
    /// <param name="extra">Most cycles that it takes beyond a plain hit.</param>
    private MemoReason What(InstructionTiming t, in InstructionEvents e, BlockSchedule s, out long extra)
    {
        extra = 0;
        if (t.Kind != TimingKind.Memory || e.Beats > 1 || e.Extra > _mostExtra || e.Hold != 0)
            return MemoReason.Unplain;
        int misses = _missed;
        bool filling = _until >= Cycles;
        foreach (ref readonly LineEvent line in _events.Lines)
        {
            int asked = line.PrefetchCount;
            if (line.Streamed || line.MemoryWrites != 0 || (line.Miss && line.Cause == CycleCause.Dram)
                || (asked > 0 && line.PrefetchCause == CycleCause.Dram))
                return MemoReason.Memory;
            if (line.Miss)
                asked++;
            else if (filling && LeftOut != MemoReason.LateLine && _pipeline.IsInFlight(line.Line, Cycles)
                && !TakeLate(line.Line, ref extra))
                return MemoReason.LateLine;
            if (asked > 0)
            {
                // Of more than two lines, one may come twice.
                if (_state < 0 || misses + asked > MostMisses || _events.Lines.Length > 2)
                    return MemoReason.Busy;
                long filled = misses == 0 ? _pipeline.FillHorizon(Cycles) : 0;
                if (filled > MostFillHorizon)
                    return MemoReason.Busy;
                extra += filled;
                misses += asked;
                extra += line.Penalty + line.PrefetchCount * (long)line.PrefetchPenalty + asked * _mostFill;
            }
            extra += line.Walk + line.Upgrade;
        }
        return extra > 0 && Cycles + (ulong)(s.Bound + _horizon + _extra + extra) >= _stop ? MemoReason.Margin : MemoReason.Entry;
    }

    /// <summary>The access of a slot is inside a line, aligned, waits for no store, and misses L1 but not the cache behind it, and no more
    /// comes with it (<see cref="CoreEvents.IsNear"/>); then its shape joins the signature, as <see cref="Executed(ProcessingElement,
    /// TimedBlock, int, ref ulong)"/> would have it. The pipeline is not up to date.</summary>
    private bool IsNearMiss(BlockSchedule s, in TraceSlot slot, ulong va, ulong pa, ref ulong signature)
    {
        bool write = slot.Kind == TraceKind.Store;
        ulong line = pa >> _lineShift;
        if (_missed == MostMisses || !IsUsual(slot, va, pa) || !_events.IsNear(va, line, write, out CoreEvents.NearMiss near))
            return false;
        long filled = _missed == 0 ? _pipeline.FillHorizon(Cycles) : 0, extra = _extra + filled + _events.NearLatency + _mostFill;
        bool refills = near.Refills;
        if (refills)
            extra += _events.MicroTlbMiss;
        if (filled > MostFillHorizon || Cycles + (ulong)(s.Bound + _horizon + extra) >= _stop)
            return false;
        bool pushes = near.Written != Cache.NoLine && LeftOut != MemoReason.Memory;
        ref byte shape = ref s.Near(slot.Instruction, (refills ? 1 : 0) | (pushes ? 2 : 0));
        if (shape == 0)
        {
            var missed = new LineEvent { Line = NextMiss, Miss = true, Write = write, Penalty = _events.NearLatency };
            (missed.Cause, missed.Walk, missed.Victims) = (CycleCause.L2, refills ? _events.MicroTlbMiss : 0, pushes ? 1 : 0);
            int number = s.Number(slot.Instruction, new InstructionEvents { HasAccess = true }, [missed]);
            if (number < 0)
                return false;
            shape = (byte)number;
        }
        _events.TakeNear(va, line, write, near, ref Rest(s));
        if (write)
            _events.Stored(pa, slot.Size, CoreEvents.Granules(pa, slot.Size));
        signature = signature << s.ShapeBits | shape;
        _extra = extra;
        _missedLines[_missed++] = line;
        _dataPage = ulong.MaxValue;
        return true;
    }

    /// <summary>An access of one beat for each part of its path, inside a line, that waits for no store.</summary>
    private bool IsUsual(in TraceSlot slot, ulong va, ulong pa)
    {
        uint size = slot.Size;
        if ((va & _inLine) + size > _inLine + 1)
            return false;
        return slot.Kind switch
        {
            TraceKind.Load => (va & 7) + size <= 8 && _events.LoadGap(pa, (int)size) == 0,
            TraceKind.WideLoad => (va & 7) == 0 && _events.LoadGap(pa, (int)size) == 0,
            TraceKind.Store => CoreEvents.Granules(pa, (int)size) == (size + 15) / 16,
            _ => false,
        };
    }

    /// <summary>The access of a slot is a plain hit but for its line, which is on its way or was asked for in this block; then its shape
    /// joins the signature, as with <see cref="IsNearMiss"/>.</summary>
    private bool IsLateHit(BlockSchedule s, in TraceSlot slot, ulong va, ulong pa, ref ulong signature)
    {
        bool write = slot.Kind == TraceKind.Store;
        ulong line = pa >> _lineShift;
        int miss = MissOf(line), late = -1;
        long left = 0;
        CycleCause cause = default;
        if (_until >= Cycles && _pipeline.IsInFlight(line, Cycles))
        {
            late = _lateLines.AsSpan(0, _late).IndexOf(line);
            bool known = late >= 0;
            // One that has left since and was asked for again is left to others.
            if (miss >= 0 || LeftOut == MemoReason.LateLine || (!known && !IsTakenLate(line, out left, out cause)))
                return false;
            if (!known)
                late = _late;
        }
        long extra = _extra + left;
        if ((miss < 0 && late < 0) || !IsUsual(slot, va, pa) || (left > 0 && Cycles + (ulong)(s.Bound + _horizon + extra) >= _stop))
            return false;
        var shape = new LineEvent { Line = miss >= 0 ? FirstMiss + (ulong)miss : FirstLate + (ulong)late, Write = write };
        int number = s.Number(slot.Instruction, new InstructionEvents { HasAccess = true }, new ReadOnlySpan<LineEvent>(in shape));
        if (number < 0 || !_events.TouchPlain(_pe, va, line, write))
            return false;
        if (late == _late)
            TakeLate(line, left, cause);
        CoreEvents.CountAccess(write, ref Rest(s));
        if (write)
            _events.Stored(pa, slot.Size, CoreEvents.Granules(pa, slot.Size));
        signature = signature << s.ShapeBits | (uint)number;
        _extra = extra;
        _dataPage = ulong.MaxValue;
        return true;
    }

    /// <summary>Whether a line is on its way, or was asked for in this block.</summary>
    private bool IsLate(ulong line) =>
        MissOf(line) >= 0 || (LeftOut != MemoReason.LateLine && _pipeline.IsInFlight(line, Cycles));

    /// <summary>Takes note of a line that is on its way since before the block.</summary>
    /// <returns>False when the pipeline must step: it does so already, there are too many, or more than one fill of it.</returns>
    private bool TakeLate(ulong line, ref long extra)
    {
        if (_lateLines.AsSpan(0, _late).Contains(line))
            return true;
        if (!IsTakenLate(line, out long left, out CycleCause cause))
            return false;
        TakeLate(line, left, cause);
        extra += left;
        return true;
    }

    private bool IsTakenLate(ulong line, out long left, out CycleCause cause)
    {
        (left, cause) = (0, default);
        return _state >= 0 && _late < MostLate && _pipeline.FindInFlight(line, Cycles, out left, out cause) && left <= ushort.MaxValue;
    }

    private void TakeLate(ulong line, long left, CycleCause cause)
    {
        _lateLines[_late] = line;
        _lateKeys[_late++] = (uint)left | (uint)cause << 16;
    }

    private int MissOf(ulong line)
    {
        ulong[] lines = _missedLines;
        int i = _missed - 1;
        while (i >= 0 && lines[i] != line)
            i--;
        return i;
    }

    /// <summary>Lines as a shape has them.</summary>
    private ReadOnlySpan<LineEvent> Nameless(ReadOnlySpan<LineEvent> lines)
    {
        Span<LineEvent> nameless = _named.AsSpan(0, lines.Length);
        lines.CopyTo(nameless);
        foreach (ref LineEvent line in nameless)
        {
            int miss = MissOf(line.Line);
            int late = _late == 0 ? -1 : _lateLines.AsSpan(0, _late).IndexOf(line.Line);
            line.Line = line.Miss ? NextMiss
                : miss >= 0 ? FirstMiss + (ulong)miss
                : late >= 0 ? FirstLate + (ulong)late
                : Cache.NoLine;
            if (line.PrefetchCount > 0)
                (line.PrefetchLine, line.PrefetchStep) = (NextMiss, 0);
        }
        return nameless;
    }

    /// <summary>Lines of a shape by their names.</summary>
    /// <param name="lines">As <see cref="Nameless"/> made them.</param>
    /// <param name="next">Which miss is the next.</param>
    private ReadOnlySpan<LineEvent> Named(ReadOnlySpan<LineEvent> lines, scoped ref int next)
    {
        Span<LineEvent> named = _named.AsSpan(0, lines.Length);
        lines.CopyTo(named);
        foreach (ref LineEvent line in named)
        {
            if (line.Line == NextMiss)
                line.Line = _missedLines[next++];
            else if (line.Line != Cache.NoLine)
                line.Line = line.Line >= FirstMiss ? _missedLines[line.Line - FirstMiss] : _lateLines[line.Line - FirstLate];
            if (line.PrefetchCount == 0)
                continue;
            line.PrefetchLine = _missedLines[next];
            if (line.PrefetchCount > 1)
                line.PrefetchStep = (long)(_missedLines[next + 1] - line.PrefetchLine);
            next += line.PrefetchCount;
        }
        return named;
    }

    /// <summary>Takes note of the lines that an access missed.</summary>
    private void TakeMisses(ReadOnlySpan<LineEvent> lines)
    {
        foreach (ref readonly LineEvent line in lines)
        {
            if (line.Miss)
                _missedLines[_missed++] = line.Line;
            _prefetched |= line.PrefetchCount > 0;
            for (int i = 0; i < line.PrefetchCount; i++)
                _missedLines[_missed++] = line.PrefetchLine + (ulong)(line.PrefetchStep * i);
        }
        _dataPage = _missed > 0 || _until >= Cycles ? ulong.MaxValue : _events.LatestDataPage(_pe);
    }

    /// <summary>Saves the number of the state together with the fills that may be in the way of this block's, and when late lines come.
    /// </summary>
    /// <returns>False when there is no more to it than the state.</returns>
    private bool SaveFills()
    {
        Span<byte> fills = _savedFills.AsSpan(4 + 4 * MostLate);
        bool filled = false;
        if (_missed == 0 || _pipeline.FillHorizon(Cycles) == 0 || LeftOut == MemoReason.Busy)
            fills.Clear();
        else
            filled = _pipeline.SaveFills(fills, Cycles, _prefetched);
        if (!filled && _late == 0)
            return false;
        _lateKeys.AsSpan(_late).Clear();
        MemoryMarshal.AsBytes(_lateKeys.AsSpan()).CopyTo(_savedFills.AsSpan(4));
        BitConverter.TryWriteBytes(_savedFills, _state);
        return true;
    }

    /// <summary>The number of what <see cref="SaveFills"/> saved.</summary>
    private int StateWithFills()
    {
        if (_fillStates.Full)
        {
            // The state is none then that could be found again.
            _fillStates.Clear();
            ForgetEntries();
        }
        return MostStates + _fillStates.Intern(_savedFills, false, 0);
    }

    /// <summary>Where such a block was found last behind the block before: a hint, whose key is compared.</summary>
    private ref int FillHint(BlockSchedule s, ulong signature)
    {
        ulong key = (signature * SignatureFactor) ^ ((ulong)s.Id << 32 | (uint)_entry);
        return ref _fillHints[(key * KeyFactor) >> (64 - FillHintBits)];
    }

    /// <summary>Whether an entry is that of a block with what <see cref="SaveFills"/> saved.</summary>
    private bool IsAt(int at, BlockSchedule s, ulong signature, bool filled)
    {
        ref MemoEntry entry = ref _entries[at];
        if (entry.Signature != signature || entry.Block != s.Id || entry.State >> FetchShift != _fetchShape)
            return false;
        int state = entry.State & ((1 << FetchShift) - 1);
        return filled ? state >= MostStates && _fillStates.Is(state - MostStates, _savedFills) : state == _state;
    }

    private ushort KeepFills()
    {
        // Many blocks begin the same fills.
        var hash = new HashCode();
        foreach (FillRecord fill in _record)
            hash.Add(fill);
        int key = hash.ToHashCode();
        if (_fillNumbers.TryGetValue(key, out ushort known)
            && _fillRecords[known].AsSpan().SequenceEqual(CollectionsMarshal.AsSpan(_record)))
            return known;
        _fillRecords.Add([.. _record]);
        return _fillNumbers[key] = (ushort)(_fillRecords.Count - 1);
    }

    /// <summary>Begins the fills of a block that was looked up.</summary>
    private void Fill(int record)
    {
        _pipeline.Fill(_fillRecords[record], _missedLines.AsSpan(0, _missed), Cycles);
        _until = _pipeline.FillsUntil;
        _missed = 0;
        _prefetched = false;
    }
}
