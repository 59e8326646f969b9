using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.Events;

namespace ArmVdso.Emulator.Timing.InOrder;

/// <summary>The data side: fills, the store buffer, lines that are written. What is kept here names cycles and not differences, and a plain
/// hit with nothing in flight neither reads nor changes it: so it is no part of the state that is remembered.</summary>
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
        if (line.Miss)
        {
            filled = !line.Streamed ? Fill(line.Line, line.Penalty, line.Cause, at, 0, _demandFills) : line.Opens ? Opened(line, at) : at;
            cause = line.Cause;
        }
        else
        {
            if (_fillsUntil > at)
                filled = InFlight(line.Line, at, ref cause);
            filled += line.Upgrade;
        }
        for (int i = 0; i < line.PrefetchCount; i++)
        {
            ulong ahead = line.PrefetchLine + (ulong)(line.PrefetchStep * i);
            Fill(ahead, line.PrefetchPenalty, line.PrefetchCause, at, _demandFills, _fillReady.Length);
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
            wait = _fillsUntil >= oldest ? CycleCause.L2 : CycleCause.Unit;
            at = oldest;
        }
        long drain = Math.Max(Math.Max(_s.LastDrain, at) + 1, filled);
        _s.LastDrain = drain;
        _s.Drains[_s.DrainAt] = drain;
        _s.DrainAt = _s.DrainAt + 1 == _model.StoreBuffer ? 0 : _s.DrainAt + 1;
        return at;
    }

    /// <summary>Starts a fill in the buffer of a range that is free first; lines arrive one after another.</summary>
    /// <returns>The cycle in which the line is there.</returns>
    private long Fill(ulong line, int penalty, CycleCause cause, long at, int first, int end)
    {
        int buffer = first;
        for (int i = first + 1; i < end; i++)
        {
            if (_fillFree[i] < _fillFree[buffer])
                buffer = i;
        }
        long asked = Math.Max(at, _fillFree[buffer]);
        if (cause == CycleCause.Dram)
            asked = _memory.Read(line, asked);
        long filled = Math.Max(asked + penalty, _lastFill + _model.FillInterval);
        _lastFill = filled;
        _fillReady[buffer] = filled;
        _fillFree[buffer] = filled + _model.FillHold;
        _fillLine[buffer] = line;
        _fillCause[buffer] = cause;
        if (filled > _fillsUntil)
            _fillsUntil = filled;
        return filled;
    }

    /// <summary>A line is written past L1: when the store buffer is rid of it.</summary>
    private long Opened(in LineEvent line, long at)
    {
        _lastWrite = Math.Max(at, _lastWrite + _model.WriteInterval);
        return line.Cause == CycleCause.Dram ? _memory.Stream(line.Line, _lastWrite) : _lastWrite;
    }

    /// <summary>Written lines that leave: those of L1 pass where fills come from, the others occupy memory. Nobody waits for them but who
    /// comes next.</summary>
    private void PushOut(in LineEvent line, long at)
    {
        _lastFill = Math.Max(_lastFill, at) + (line.Victims * _model.WriteInterval);
        for (int i = 0; i < line.MemoryWrites; i++)
            _memory.Write(line.Line + (ulong)i, at);
    }

    /// <summary>The cycle in which a line is there whose fill may be on its way.</summary>
    private long InFlight(ulong line, long at, ref CycleCause cause)
    {
        long filled = at;
        for (int i = 0; i < _fillLine.Length; i++)
        {
            if (_fillLine[i] == line && _fillReady[i] > filled)
            {
                filled = _fillReady[i];
                cause = _fillCause[i];
            }
        }
        return filled;
    }
}
