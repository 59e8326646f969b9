using ArmVdso.Emulator.State;
using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Emulator.Timing.Memo;

namespace ArmVdso.Emulator.Timing.InOrder;

/// <summary>The data side: fills, the store buffer, lines that are written. What is kept here names cycles and not differences, and a plain
/// hit of a line that is not on its way neither reads nor changes it: so it is no part of the state that is remembered. Only the reason
/// of a wait for the store buffer reads it.</summary>
public sealed partial class InOrderPipeline
{
    /// <summary>One line access. Returns the cycle in which the instruction can issue.</summary>
    private long Line(in LineEvent line, long at, ref int extra, ref CycleCause cause, ref CycleCause wait)
    {
        if (line.Walk > 0)
        {
            wait = CycleCause.DataTlb;
            at += line.Walk;
        }
        long filled = at;
        if (line.Hint)
        {
            // It waits for a buffer and not for the line.
            if (line.Miss)
            {
                if (_fills.Room > at)
                    (at, wait) = (_fills.Room, line.Cause);
                Fill(line.Line, line.Penalty, line.Cause, at, false);
            }
            filled = at;
        }
        else if (line.Miss)
        {
            filled = !line.Streamed ? Fill(line.Line, line.Penalty, line.Cause, at, false) : line.Opens ? _fills.Opened(line, at) : at;
            cause = line.Cause;
        }
        else
        {
            if (_fills.Until > at)
                filled = _fills.InFlight(line.Line, at, ref cause);
            filled += line.Upgrade;
        }
        for (int i = 0; i < line.PrefetchCount; i++)
        {
            ulong ahead = line.PrefetchLine + (ulong)(line.PrefetchStep * i);
            Fill(ahead, line.PrefetchPenalty, line.PrefetchCause, at, true);
        }
        if ((line.Victims | line.MemoryWrites) != 0)
            PushOut(line, at);
        if (!line.Write)
        {
            if (filled > at)
                extra = Math.Max(extra, (int)(filled - at));
            return at;
        }
        // Stores drain in order, one a cycle, each when its line is there; a full buffer stalls issue.
        long oldest = _s.Drains[_s.DrainAt];
        if (oldest > at)
        {
            AskedForFills = true;
            wait = _fills.Until >= oldest ? CycleCause.L2 : CycleCause.Unit;
            at = oldest;
        }
        long drain = Math.Max(Math.Max(_s.LastDrain, at) + 1, filled);
        _s.LastDrain = drain;
        _s.Drains[_s.DrainAt] = drain;
        _s.DrainAt = _s.DrainAt + 1 == _model.StoreBuffer ? 0 : _s.DrainAt + 1;
        return at;
    }

    /// <summary>Starts a fill; lines arrive one after another.</summary>
    /// <returns>The cycle in which the line is there.</returns>
    private long Fill(ulong line, int penalty, CycleCause cause, long at, bool prefetched)
    {
        int buffer = _fills.Ask(line, cause, ref at, prefetched);
        _lastFill = Math.Max(at + penalty, _lastFill + _model.FillInterval);
        _fills.Arrives(buffer, line, cause, _lastFill);
        _record?.Add(new FillRecord(_lastFill - _recordedFrom, cause, prefetched));
        return _lastFill;
    }

    /// <summary>Written lines that leave: those of L1 pass where fills come from, the others occupy memory. Nobody waits for them but who
    /// comes next.</summary>
    private void PushOut(in LineEvent line, long at)
    {
        _lastFill = Math.Max(_lastFill, at) + (line.Victims * _model.WriteInterval);
        for (int i = 0; i < line.MemoryWrites; i++)
            _memory.Write(line.Line + (ulong)i, at);
    }

    [NotState(OfABlock)]
    private List<FillRecord>? _record;

    [NotState(OfABlock)]
    private long _recordedFrom;

    private const string OfABlock = "only while a block is worked out";

    /// <inheritdoc/>
    public ulong FillsUntil => (ulong)_fills.Until;

    /// <inheritdoc/>
    public bool IsInFlight(ulong line, ulong cycle) => _fills.IsInFlight(line, (long)cycle);

    /// <inheritdoc/>
    public int FillCount => _fills.Count;

    /// <inheritdoc/>
    public FillPlaces FillPlaces => _fills.Places;

    /// <inheritdoc/>
    public bool FindInFlight(ulong line, ulong cycle, out long left, out CycleCause cause) =>
        _fills.Find(line, (long)cycle, out left, out cause);

    /// <inheritdoc/>
    [field: NotState(OfABlock)]
    public bool AskedForFills { get; set; }

    /// <inheritdoc/>
    public int FillStateSize => sizeof(ushort) * (1 + FillCount);

    /// <inheritdoc/>
    public bool SaveFills(Span<byte> state, ulong cycles, bool prefetches)
    {
        state.Clear();
        Span<ushort> words = MemoryMarshal.Cast<byte, ushort>(state);
        words[0] = FillBuffers.Left(_lastFill + _model.FillInterval, (long)cycles - 1);
        return _fills.Save(words[1..], (long)cycles - 1, prefetches) || words[0] != 0;
    }

    /// <inheritdoc/>
    public long FillHorizon(ulong cycles) =>
        Math.Max(0, Math.Max(_lastFill + _model.FillInterval, _fills.AllFree) - (long)cycles + 1);

    /// <inheritdoc/>
    public long Backlog(ulong cycles) => Math.Max(FillHorizon(cycles), _memory.AllFree - (long)cycles + 1);

    /// <inheritdoc/>
    public int MostFill => _model.FillInterval + _model.FillHold + _model.WriteInterval + 2;

    /// <inheritdoc/>
    public void RecordFills(List<FillRecord> record)
    {
        record.Clear();
        _record = record;
        _recordedFrom = (long)Cycles;
    }

    /// <inheritdoc/>
    public void EndRecord()
    {
        _record!.Add(new FillRecord(_lastFill - _recordedFrom, default, false));
        _record = null;
    }

    /// <inheritdoc/>
    public void Fill(ReadOnlySpan<FillRecord> record, ReadOnlySpan<ulong> lines, ulong cycles)
    {
        for (int i = 0; i < lines.Length; i++)
        {
            long at = 0;
            int buffer = _fills.Ask(lines[i], record[i].Cause, ref at, record[i].Prefetched);
            _fills.Arrives(buffer, lines[i], record[i].Cause, (long)cycles + record[i].Ready);
        }
        _lastFill = (long)cycles + record[^1].Ready;
    }
}
