using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Emulator.Timing.OutOfOrder;

/// <summary>The data side: fills, forwarding, the store queue, lines that are written.</summary>
public sealed partial class OutOfOrderPipeline
{
    /// <summary>The data side of one instruction.</summary>
    /// <returns>Cycles by which its result comes later.</returns>
    private long Access(
        ProcessingElement pe, OutOfOrderInstruction t, long issue, ReadOnlySpan<LineEvent> lines, ref long stored, ref CycleCause cause)
    {
        long extra = 0;
        _forwarding = Forwarding.None;
        foreach (ref readonly LineEvent line in lines)
        {
            long at = issue + line.Walk;
            if (line.Walk > 0)
                cause = CycleCause.DataTlb;
            long filled = at;
            if (line.Hint)
            {
                if (line.Miss)
                    Fill(line.Line, line.Penalty, line.Cause, at, false);
            }
            else if (line.Miss)
            {
                filled = !line.Streamed ? Fill(line.Line, line.Penalty, line.Cause, at, false)
                    : line.Opens ? _fills.Opened(line, at)
                    : at;
                cause = line.Cause;
            }
            else if (_fills.Until > at)
            {
                filled = _fills.InFlight(line.Line, at, ref cause);
            }
            for (int i = 0; i < line.PrefetchCount; i++)
            {
                ulong ahead = line.PrefetchLine + (ulong)(line.PrefetchStep * i);
                Fill(ahead, line.PrefetchPenalty, line.PrefetchCause, at, true);
            }
            for (int i = 0; i < line.MemoryWrites; i++)
                _memory.Write(line.Line + (ulong)i, at);
            filled += line.Upgrade;
            if (line.Write)
                stored = Math.Max(stored, filled);
            else
                extra = Math.Max(extra, filled - issue);
        }
        for (int i = 0; i < pe.AccessCount; i++)
        {
            ref MemoryAccess access = ref pe.Accesses[i];
            ulong offset = access.Pa & 63;
            bool crosses = offset + access.Size > 64;
            if (access.Write)
            {
                if (crosses)
                    _ports.Take(t.AccessPorts, 1, issue, out _);
                continue;
            }
            long late = 0;
            if (access.Size >= 16 && (access.Pa & 3) != 0)
            {
                late = _model.UnalignedLoadWide;
                if (t.Ops.Length == 1)
                    _ports.Take(t.AccessPorts, 1, issue, out _);
            }
            else if (crosses || i > 0 && offset == 0 && t.Ops.Length == 1)
            {
                late = _model.UnalignedLoad;
                _ports.Take(t.AccessPorts, 1, issue, out _);
            }
            late = Math.Max(late, Bank(access.Pa, issue));
            Forwarding found = _stores.Find(access.Pa, (int)access.Size, issue, out long cycle, out bool vector);
            if (found != Forwarding.None)
                _forwarding = found;
            if (found == Forwarding.Forwarded)
                late = Math.Max(late, cycle + (vector ? _model.StoreForwardVector : _model.StoreForward) - issue - t.Latency);
            else if (found == Forwarding.Blocked)
                late = Math.Max(late, cycle + _model.StoreBlock - issue - t.Latency);
            extra = Math.Max(extra, late);
        }
        return extra;
    }

    /// <summary>One line is read from a bank of the cache in a cycle.</summary>
    /// <returns>Cycles for which a load waits for its bank.</returns>
    private long Bank(ulong pa, long issue)
    {
        if (_model.LoadBanks == 0)
            return 0;
        int bank = (int)(pa >> 4) & (_model.LoadBanks - 1);
        ref (ulong Line, long Cycle) last = ref _lastRead[bank];
        if (last == (pa >> 6, issue))
            return 0;
        last = (pa >> 6, _banks.Take((IssuePorts)(1 << bank), 1, issue, out _));
        return last.Cycle - issue;
    }

    private void Store(ProcessingElement pe, OutOfOrderInstruction t, long data, long earliest)
    {
        int size = 0;
        ulong pa = 0;
        bool page = false;
        for (int i = 0; i < pe.AccessCount; i++)
        {
            ref MemoryAccess access = ref pe.Accesses[i];
            if (!access.Write)
                continue;
            if (size == 0)
                pa = access.Pa;
            else if (access.Pa != pa + (ulong)size)
                page = true;
            page |= (access.Va & 4095) + access.Size > 4096 || (size > 0 && (access.Va & 4095) == 0);
            size += (int)access.Size;
        }
        if (size == 0)
            return;
        if (page)
            earliest = Math.Max(earliest, _stores.LastDrain + _model.StorePageCross);
        _stores.Add(pa, size, t.Vector, Math.Max(data, 0) + Math.Max(0, t.Latency - 1), earliest, _model.WideStorePasses);
    }

    /// <summary>Starts a fill; lines arrive one after another.</summary>
    /// <returns>The cycle in which the line is there.</returns>
    private long Fill(ulong line, int penalty, CycleCause cause, long at, bool prefetched)
    {
        int buffer = _fills.Ask(line, cause, ref at, prefetched);
        long filled = _arrivals.Take(IssuePorts.B, _model.FillInterval, at + penalty, out _);
        _fills.Arrives(buffer, line, cause, filled);
        return filled;
    }
}
