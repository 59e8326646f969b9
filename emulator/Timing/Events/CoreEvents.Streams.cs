using ArmVdso.Emulator.Timing.Counters;

namespace ArmVdso.Emulator.Timing.Events;

/// <summary>What the memory system remembers of the order of accesses beyond its caches: the last store, streams of stores, and streams of
/// loads that the hardware prefetcher follows.</summary>
public sealed partial class CoreEvents
{
    private readonly LoadStream[] _streams;
    private readonly Filling[] _fillings = GC.AllocateArray<Filling>(2, pinned: true);
    private readonly Region[] _regions;
    private int _nextStream;

    private void ForgetStreams()
    {
        Array.Clear(_streams);
        Latest.StoredAddress = ulong.MaxValue >> 1;
        Latest.StoredBytes = Latest.StoredBeats = 1;
        Array.Fill(_fillings, Filling.None);
        Array.Clear(_regions);
        Latest.MissedLine = Cache.NoLine;
        Latest.MissedStreams = false;
        Latest.FullLines = 0;
    }

    /// <summary>A store was executed: so many bytes from a physical address, in so many issue cycles.</summary>
    internal void Stored(ulong address, int bytes, int beats)
    {
        Latest.StoredAddress = address;
        Latest.StoredBytes = bytes;
        Latest.StoredBeats = beats;
        FillLine(address, bytes);
    }

    /// <summary>Pieces of 16 bytes, the width of the store path, that an access touches.</summary>
    internal static int Granules(ulong address, int bytes) => (int)(((address + (ulong)bytes - 1) >> 4) - (address >> 4)) + 1;

    /// <summary>How long a load of these bytes waits for the last store: <see cref="InstructionEvents.StoreGap"/>. Store and load handle
    /// their bytes evenly over their issue cycles, the load 8 bytes in each.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal int LoadGap(ulong address, int bytes)
    {
        ulong stored = Latest.StoredAddress + (ulong)Latest.StoredBytes;
        return address >= stored || address + (ulong)bytes <= Latest.StoredAddress ? 0 : Gap(address, bytes, stored);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private int Gap(ulong address, int bytes, ulong stored)
    {
        int gap = 0;
        int beat = 0;
        ulong end = address + (ulong)bytes;
        for (ulong at = address; at < end; at = (at & ~7UL) + 8, beat++)
        {
            ulong last = Math.Min(Math.Min((at & ~7UL) + 8, end), stored);
            if (last <= Math.Max(at, Latest.StoredAddress))
                continue;
            int written = (int)(last - 1 - Latest.StoredAddress) * Latest.StoredBeats / Latest.StoredBytes;
            gap = Math.Max(gap, written - (Latest.StoredBeats - 1) + _model.StoreToLoad - beat);
        }
        return gap;
    }

    /// <summary>Whether a store that missed belongs to a stream that fills line after line: then it does not bring its line into L1.
    /// </summary>
    /// <param name="line">The line.</param>
    /// <param name="opens">It is the first store to the line.</param>
    private bool Streams(ulong line, out bool opens)
    {
        opens = false;
        foreach (ref readonly Filling filling in (ReadOnlySpan<Filling>)_fillings)
        {
            if (filling.Line == line)
                return filling.Streamed;
        }
        Latest.MissedLine = line;
        opens = Latest.MissedStreams = _model.WriteStream != 0 && Latest.FullLines >= _model.WriteStream;
        return opens;
    }

    /// <summary>Whether a store that misses would go past L1. Changes nothing.</summary>
    private bool GoesPast(ulong line)
    {
        foreach (ref readonly Filling filling in (ReadOnlySpan<Filling>)_fillings)
        {
            if (filling.Line == line)
                return filling.Streamed;
        }
        return _model.WriteStream != 0 && Latest.FullLines >= _model.WriteStream;
    }

    /// <summary>Takes note of the bytes of lines that stores write. Two lines are kept at a time, so that a stream goes on beside stores to
    /// one other line.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void FillLine(ulong address, int bytes)
    {
        ulong line = address >> _lineShift;
        int offset = (int)(address & _inLine);
        if (line != _fillings[0].Line || offset + bytes > _lineBytes)
            FillOther(line, offset, bytes);
        else
            _fillings[0].Bytes |= Mask(offset, bytes);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private void FillOther(ulong line, int offset, int bytes)
    {
        while (bytes > 0)
        {
            int part = Math.Min(bytes, _lineBytes - offset);
            if (line != _fillings[0].Line)
            {
                Filling older = _fillings[1];
                _fillings[1] = _fillings[0];
                if (line == older.Line)
                {
                    _fillings[0] = older;
                }
                else
                {
                    // Only lines that were not in L1 are part of a stream, and one that was not filled ends it.
                    if (older.Missed)
                        Latest.FullLines = older.Bytes == Mask(0, _lineBytes) ? Math.Min(Latest.FullLines + 1, int.MaxValue - 1) : 0;
                    bool missed = line == Latest.MissedLine;
                    _fillings[0] = new Filling { Line = line, Missed = missed, Streamed = missed && Latest.MissedStreams };
                }
            }
            _fillings[0].Bytes |= Mask(offset, part);
            bytes -= part;
            offset = 0;
            line++;
        }
    }

    // One bit for a byte, or for several when a line has more than 64.
    private ulong Mask(int offset, int bytes)
    {
        int first = offset >> _maskShift;
        int last = (offset + bytes - 1) >> _maskShift;
        return (ulong.MaxValue >> (63 - (last - first))) << first;
    }

    /// <summary>Follows the streams of loads, by accesses that are not to the most recently used line of their set: misses at a constant
    /// step inside one page begin one, whatever other pages are read meanwhile; its prefetches run ahead of it inside the page, on some
    /// cores into the next one.</summary>
    private void Prefetch(ProcessingElement pe, ulong va, ulong line, ref LineEvent e, ref TimingCounters counters)
    {
        for (int i = 0; i < _streams.Length; i++)
        {
            ref LoadStream stream = ref _streams[i];
            if (stream.Step == 0 || line != stream.Trigger)
                continue;
            long step = stream.Step;
            if (!Ahead(pe, va, line, step, out stream.Trigger))
                stream.Step = 0;
            else if (Ahead(pe, va, line, step * _model.PrefetchLines, out ulong next))
                GoOn(ref stream, Ask(next, step, 1, ref e, ref counters));
            else if (_model.PrefetchPages == 0)
                stream.Step = 0;
            return;
        }
        if (!e.Miss)
            return;
        Region region = Trained(line, out int at);
        Keep(region, at);
        if (!Begins(region))
            return;
        long stride = region.Step;
        _streams[_nextStream] = new LoadStream { Trigger = (ulong)((long)line + stride), Step = stride };
        _nextStream = _nextStream + 1 == _streams.Length ? 0 : _nextStream + 1;
        int count = 0;
        while (count < _model.PrefetchLines && SamePage(line, (ulong)((long)line + (stride * (count + 1)))))
            count++;
        Ask((ulong)((long)line + stride), stride, count, ref e, ref counters);
    }

    /// <summary>A stream that finds so many lines already there is none any more.</summary>
    private void GoOn(ref LoadStream stream, bool asked)
    {
        stream.Idle = asked ? 0 : stream.Idle + 1;
        if (stream.Idle > _model.PrefetchLines)
            stream.Step = 0;
    }

    /// <summary>The line so many lines from one that is accessed.</summary>
    /// <returns>False when it is in another page and the prefetcher does not go there.</returns>
    private bool Ahead(ProcessingElement pe, ulong va, ulong line, long lines, out ulong ahead)
    {
        ahead = (ulong)((long)line + lines);
        if (SamePage(line, ahead))
            return true;
        if (_model.PrefetchPages == 0 || !pe.TryRead((ulong)((long)(va & ~_inLine) + (lines << _lineShift)), out ulong pa))
            return false;
        ahead = pa >> _lineShift;
        return true;
    }

    /// <summary>The region of a line that is missed, as it is then; a new one replaces the oldest. Changes nothing.</summary>
    private Region Trained(ulong line, out int at)
    {
        at = 0;
        while (at < _regions.Length - 1 && (_regions[at].Misses == 0 || !SamePage(_regions[at].Line, line)))
            at++;
        Region found = _regions[at];
        if (found.Misses == 0 || !SamePage(found.Line, line))
            found = new Region { Line = line };
        long stride = (long)(line - found.Line);
        return new Region { Line = line, Step = stride, Misses = stride == found.Step && stride != 0 ? found.Misses + 1 : 1 };
    }

    /// <summary>Whether a stream begins with the last miss in a region.</summary>
    private bool Begins(in Region region) =>
        region.Misses >= _model.PrefetchAfter && Math.Abs(region.Step) <= 16
        && SamePage(region.Line, (ulong)((long)region.Line + region.Step));

    /// <summary>The region that was at a place becomes the most recently used one.</summary>
    private void Keep(in Region region, int at)
    {
        Array.Copy(_regions, 0, _regions, 1, at);
        _regions[0] = region;
    }

    /// <summary>Whether a load of this line moves a stream on.</summary>
    private bool Follows(ulong line)
    {
        foreach (ref readonly LoadStream stream in _streams.AsSpan())
        {
            if (stream.Step != 0 && stream.Trigger == line)
                return true;
        }
        return false;
    }

    private bool SamePage(ulong line, ulong other) => line >> (12 - _lineShift) == other >> (12 - _lineShift);

    /// <summary>Brings lines that are not there into L1, behind the most recently used one of their set: the first access to a prefetched
    /// line is never to the most recently used one.</summary>
    /// <returns>Whether one was not there.</returns>
    private bool Ask(ulong line, long step, int count, ref LineEvent e, ref TimingCounters counters)
    {
        bool any = false;
        for (int i = 0; i < count; i++)
        {
            ulong wanted = (ulong)((long)line + (step * i));
            if (_l1d.Contains(wanted))
                continue;
            any = true;
            _shared.Evicted = 0;
            LineSource source = _shared.Fetch(wanted, _l1d, false, out LineState state, _l2);
            PushOut(_l1d.InsertSecond(wanted, state), ref e);
            e.MemoryWrites += _shared.Evicted;
            int penalty = Penalty(source, ref counters, out CycleCause cause);
            if (e.PrefetchCount == 0)
                (e.PrefetchLine, e.PrefetchStep) = (wanted, step);
            e.PrefetchCount = (int)(((long)wanted - (long)e.PrefetchLine) / step) + 1;
            if (penalty > e.PrefetchPenalty)
                (e.PrefetchPenalty, e.PrefetchCause) = (penalty, cause);
        }
        return any;
    }

    /// <summary>A page of which loads missed: the last line of them, the step to it, and how many misses had that step.</summary>
    internal struct Region
    {
        public ulong Line;
        public long Step;
        public int Misses;
    }
}
