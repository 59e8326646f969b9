using ArmVdso.Emulator.Timing.Counters;

namespace ArmVdso.Emulator.Timing.Events;

/// <summary>What the memory system remembers of the order of accesses beyond its caches: the last store, streams of stores, and streams of
/// loads that the hardware prefetcher follows.</summary>
public sealed partial class CoreEvents
{
    private readonly Stream[] _streams;
    private ulong _storedAddress = ulong.MaxValue >> 1;
    private int _storedBytes = 1;
    private int _storedBeats = 1;
    private ulong _storeMiss = ulong.MaxValue - 1;
    private int _storeMisses;
    private ulong _loadMiss = ulong.MaxValue - 1;
    private long _loadStep;
    private int _loadMisses;
    private int _nextStream;

    private void ForgetStreams()
    {
        Array.Clear(_streams);
        _storedAddress = ulong.MaxValue >> 1;
        _storedBytes = _storedBeats = 1;
        _storeMiss = _loadMiss = ulong.MaxValue - 1;
        _storeMisses = _loadMisses = 0;
        _loadStep = 0;
    }

    /// <summary>A store was executed: so many bytes from a physical address, in so many issue cycles.</summary>
    internal void Stored(ulong address, int bytes, int beats)
    {
        _storedAddress = address;
        _storedBytes = bytes;
        _storedBeats = beats;
    }

    /// <summary>Pieces of 16 bytes, the width of the store path, that an access touches.</summary>
    internal static int Granules(ulong address, int bytes) => (int)(((address + (ulong)bytes - 1) >> 4) - (address >> 4)) + 1;

    /// <summary>How long a load of these bytes waits for the last store: <see cref="InstructionEvents.StoreGap"/>. Store and load handle
    /// their bytes evenly over their issue cycles, the load 8 bytes in each.</summary>
    internal int LoadGap(ulong address, int bytes)
    {
        ulong stored = _storedAddress + (ulong)_storedBytes;
        if (address >= stored || address + (ulong)bytes <= _storedAddress)
            return 0;
        int gap = 0;
        int beat = 0;
        ulong end = address + (ulong)bytes;
        for (ulong at = address; at < end; at = (at & ~7UL) + 8, beat++)
        {
            ulong last = Math.Min(Math.Min((at & ~7UL) + 8, end), stored);
            if (last <= Math.Max(at, _storedAddress))
                continue;
            int written = (int)(last - 1 - _storedAddress) * _storedBeats / _storedBytes;
            gap = Math.Max(gap, written - (_storedBeats - 1) + _model.StoreToLoad - beat);
        }
        return gap;
    }

    /// <summary>Whether a store that missed belongs to a stream over consecutive lines: then it does not bring its line into L1.</summary>
    private bool Streams(ulong line)
    {
        if (_model.WriteStream == 0)
            return false;
        if (line != _storeMiss)
        {
            _storeMisses = line == _storeMiss + 1 ? _storeMisses + 1 : 1;
            _storeMiss = line;
        }
        return _storeMisses > _model.WriteStream;
    }

    /// <summary>Follows the streams of loads, by accesses that are not to the most recently used line of their set: misses at a constant
    /// step begin one; its prefetches run ahead of it inside a page.</summary>
    private void Prefetch(ulong line, ref LineEvent e, ref TimingCounters counters)
    {
        for (int i = 0; i < _streams.Length; i++)
        {
            ref Stream stream = ref _streams[i];
            if (stream.Step == 0 || line != stream.Trigger)
                continue;
            stream.Trigger = (ulong)((long)line + stream.Step);
            ulong next = (ulong)((long)line + (stream.Step * _model.PrefetchLines));
            if (SamePage(line, next))
                Ask(next, stream.Step, 1, ref e, ref counters);
            else
                stream.Step = 0;
            return;
        }
        if (!e.Miss)
            return;
        long step = (long)(line - _loadMiss);
        _loadMisses = step == _loadStep && step != 0 ? _loadMisses + 1 : 1;
        _loadStep = step;
        _loadMiss = line;
        if (_loadMisses < _model.PrefetchAfter || Math.Abs(step) > 16 || !SamePage(line, (ulong)((long)line + step)))
            return;
        _streams[_nextStream] = new Stream { Trigger = (ulong)((long)line + step), Step = step };
        _nextStream = _nextStream + 1 == _streams.Length ? 0 : _nextStream + 1;
        int count = 0;
        while (count < _model.PrefetchLines && SamePage(line, (ulong)((long)line + (step * (count + 1)))))
            count++;
        Ask((ulong)((long)line + step), step, count, ref e, ref counters);
    }

    /// <summary>Whether a load of this line moves a stream on.</summary>
    private bool Follows(ulong line)
    {
        foreach (ref readonly Stream stream in _streams.AsSpan())
        {
            if (stream.Step != 0 && stream.Trigger == line)
                return true;
        }
        return false;
    }

    private bool SamePage(ulong line, ulong other) => line >> (12 - _lineShift) == other >> (12 - _lineShift);

    /// <summary>Brings lines that are not there into L1, behind the most recently used one of their set: the first access to a prefetched
    /// line is never to the most recently used one.</summary>
    private void Ask(ulong line, long step, int count, ref LineEvent e, ref TimingCounters counters)
    {
        for (int i = 0; i < count; i++)
        {
            ulong wanted = (ulong)((long)line + (step * i));
            if (_l1d.Contains(wanted))
                continue;
            LineSource source = _shared.Fetch(wanted, _l1d, false, out LineState state, _l2);
            _l1d.InsertSecond(wanted, state);
            int penalty = Penalty(source, ref counters, out CycleCause cause);
            if (e.PrefetchCount == 0)
                (e.PrefetchLine, e.PrefetchStep) = (wanted, step);
            e.PrefetchCount = (int)(((long)wanted - (long)e.PrefetchLine) / step) + 1;
            if (penalty > e.PrefetchPenalty)
                (e.PrefetchPenalty, e.PrefetchCause) = (penalty, cause);
        }
    }

    private struct Stream
    {
        public ulong Trigger;
        public long Step;
    }
}
