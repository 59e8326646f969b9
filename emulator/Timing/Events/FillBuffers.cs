using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Emulator.Timing.Events;

/// <summary>Lines of one PE that are on their way, in its fill buffers, and those that it writes past L1. All times are cycles. When a line
/// arrives behind others is the pipeline's to say: one keeps the order of time, the other takes the cycles that are left.</summary>
internal sealed class FillBuffers
{
    private readonly CoreModel _model;
    private readonly MemoryPort _memory;
    private readonly long[] _ready;
    private readonly long[] _free;
    private readonly ulong[] _lines;
    private readonly CycleCause[] _causes;
    private long _lastWrite;

    /// <summary>Empty buffers.</summary>
    /// <param name="model">The core.</param>
    /// <param name="memory">Its way to memory.</param>
    internal FillBuffers(CoreModel model, MemoryPort memory)
    {
        _model = model;
        _memory = memory;
        // Behind the buffers of demanded lines are those of prefetched ones.
        int count = model.FillBuffers + (model.PrefetchLines * Math.Min(model.PrefetchStreams, 2));
        _ready = GC.AllocateArray<long>(count, pinned: true);
        _free = new long[count];
        _lines = GC.AllocateArray<ulong>(count, pinned: true);
        _causes = new CycleCause[count];
    }

    /// <summary>Cycle in which the last line that was asked for is there.</summary>
    internal long Until { get; private set; }

    /// <summary>Asks for a line through the buffer that is free first.</summary>
    /// <param name="line">Line number.</param>
    /// <param name="cause">Where it comes from.</param>
    /// <param name="at">Cycle in which it is wanted; then the one from which the latency counts.</param>
    /// <param name="prefetched">Whether nobody waits for it.</param>
    /// <returns>The buffer, for <see cref="Arrives"/>.</returns>
    internal int Ask(ulong line, CycleCause cause, ref long at, bool prefetched)
    {
        int buffer = prefetched ? _model.FillBuffers : 0;
        int end = prefetched ? _free.Length : _model.FillBuffers;
        for (int i = buffer + 1; i < end; i++)
        {
            if (_free[i] < _free[buffer])
                buffer = i;
        }
        at = Math.Max(at, _free[buffer]);
        if (cause == CycleCause.Dram)
            at = _memory.Read(line, at);
        return buffer;
    }

    /// <summary>Cycle from which a buffer is free for a demanded line.</summary>
    internal long Room
    {
        get
        {
            long room = _free[0];
            for (int i = 1; i < _model.FillBuffers; i++)
                room = Math.Min(room, _free[i]);
            return room;
        }
    }

    /// <summary>A line that was asked for comes in a cycle.</summary>
    internal void Arrives(int buffer, ulong line, CycleCause cause, long cycle)
    {
        _ready[buffer] = cycle;
        _free[buffer] = cycle + _model.FillHold;
        _lines[buffer] = line;
        _causes[buffer] = cause;
        Until = Math.Max(Until, cycle);
    }

    /// <summary>The cycle in which a line is there whose fill may be on its way.</summary>
    internal long InFlight(ulong line, long at, ref CycleCause cause)
    {
        long filled = at;
        for (int i = 0; i < _lines.Length; i++)
        {
            if (_lines[i] == line && _ready[i] > filled)
            {
                filled = _ready[i];
                cause = _causes[i];
            }
        }
        return filled;
    }

    /// <summary>Whether a line is on its way that is there in a cycle at the earliest.</summary>
    internal bool IsInFlight(ulong line, long cycle)
    {
        for (int i = 0; i < _lines.Length; i++)
        {
            if (_lines[i] == line && _ready[i] >= cycle)
                return true;
        }
        return false;
    }

    /// <summary>When a line is there that is on its way, as cycles from one on, and where it comes from.</summary>
    /// <returns>False when it is not one buffer that says so.</returns>
    internal bool Find(ulong line, long cycle, out long left, out CycleCause cause)
    {
        int found = -1;
        (left, cause) = (0, default);
        for (int i = 0; i < _lines.Length; i++)
        {
            if (_lines[i] != line || _ready[i] < cycle)
                continue;
            if (found >= 0)
                return false;
            found = i;
            (left, cause) = (_ready[i] - cycle, _causes[i]);
        }
        return found >= 0;
    }

    /// <summary>Buffers.</summary>
    internal int Count => _free.Length;

    /// <summary>Where native code finds which lines they hold and when each is there.</summary>
    internal FillPlaces Places => new(CoreEvents.AddressOf(_lines), CoreEvents.AddressOf(_ready));

    /// <summary>Cycle from which all buffers are free.</summary>
    internal long AllFree => Until + _model.FillHold;

    /// <summary>How many cycles after one another cycle is; 0 when it is not.</summary>
    internal static ushort Left(long cycle, long now) => (ushort)Math.Clamp(cycle - now, 0, ushort.MaxValue);

    /// <summary>Saves when the buffers are free, as cycles from one on. Which buffer it is makes no difference.</summary>
    /// <returns>Whether one is not free.</returns>
    internal bool Save(Span<ushort> words, long now, bool prefetched)
    {
        int any = 0;
        for (int i = 0; i < (prefetched ? _free.Length : _model.FillBuffers); i++)
            any |= words[i] = Left(_free[i], now);
        Sort(words[.._model.FillBuffers]);
        if (prefetched)
            Sort(words[_model.FillBuffers.._free.Length]);
        return any != 0;
    }

    // There are a few of them.
    private static void Sort(Span<ushort> words)
    {
        for (int i = 1; i < words.Length; i++)
        {
            ushort word = words[i];
            int at = i;
            for (; at > 0 && words[at - 1] > word; at--)
                words[at] = words[at - 1];
            words[at] = word;
        }
    }

    /// <summary>A line is written past L1: when the store buffer is rid of it.</summary>
    internal long Opened(in LineEvent line, long at)
    {
        _lastWrite = Math.Max(at, _lastWrite + _model.WriteInterval);
        return line.Cause == CycleCause.Dram ? _memory.Stream(line.Line, _lastWrite) : _lastWrite;
    }
}
