using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Emulator.Timing.Events;

/// <summary>Memory behind the last cache, shared by the PEs of a machine: channels that are occupied for a time by each line, and rows of
/// banks that are open or not. Accesses come in the order in which PEs are executed, so that the same run gives the same cycles; a
/// <see cref="MemoryPort"/> is how one PE comes here.</summary>
/// <param name="model">The core with its board.</param>
public sealed class MemoryChannels(CoreModel model)
{
    // A PE may be ahead of another by what the run loop allows; what channels are used is kept by stretches of time.
    internal const int StretchBits = 9;
    private const int Stretches = 1024;
    private readonly long[] _stretch = new long[Stretches * model.DramChannels];
    private readonly int[] _used = new int[Stretches * model.DramChannels];
    private readonly ulong[] _rows = new ulong[model.DramChannels * model.DramBanks];
    private int _ports;
    private long _last;

    /// <summary>The time from which all of all channels is left, as far as several PEs share them.</summary>
    internal long AllLeft => _ports == 1 && !model.OutOfOrder ? 0 : (_last + 1) << (StretchBits + MemoryPort.Fraction);

    /// <summary>The way of one PE to memory.</summary>
    internal MemoryPort Port(IClock clock)
    {
        _ports++;
        return new MemoryPort(model, this, clock);
    }

    /// <summary>The channel of a line.</summary>
    internal int Channel(ulong line) => (int)(line % (uint)model.DramChannels);

    /// <summary>Opens the row of a line.</summary>
    /// <returns>Whether it was open.</returns>
    internal bool Open(ulong line)
    {
        // 0 is a row that nothing opened.
        ulong row = 1 + (line * (ulong)model.LineSize / (ulong)model.DramRow);
        ref ulong open = ref _rows[(int)(row % (uint)_rows.Length)];
        bool hit = open == row;
        open = row;
        return hit;
    }

    /// <summary>The first time from <paramref name="at"/> on at which a channel is left so much time by all PEs.</summary>
    /// <param name="channel">Number of the channel.</param>
    /// <param name="at">In the units of <see cref="MemoryPort"/>.</param>
    /// <param name="units">Time that is taken.</param>
    internal long Take(int channel, long at, int units)
    {
        // One PE that comes in the order of time is its own queue.
        if (_ports == 1 && !model.OutOfOrder)
            return at;
        const int Whole = 1 << (StretchBits + MemoryPort.Fraction);
        for (long stretch = at >> (StretchBits + MemoryPort.Fraction); ; stretch++)
        {
            int i = (channel * Stretches) + (int)(stretch & (Stretches - 1));
            // Further back than is remembered: nobody is in the way.
            if (_stretch[i] > stretch)
                return at;
            if (_stretch[i] != stretch)
                (_stretch[i], _used[i]) = (stretch, 0);
            if (_used[i] + units > Whole && _used[i] > 0)
                continue;
            _used[i] += units;
            _last = Math.Max(_last, stretch);
            return Math.Max(at, stretch << (StretchBits + MemoryPort.Fraction));
        }
    }
}

/// <summary>One PE's way to <see cref="MemoryChannels"/>: its own accesses occupy a channel one after another. It is on the side of time:
/// pipelines ask it for lines that events say memory gives or takes.</summary>
/// <param name="model">The core with its board.</param>
/// <param name="channels">Memory.</param>
/// <param name="clock">Turns times into cycles.</param>
public sealed class MemoryPort(CoreModel model, MemoryChannels channels, IClock clock)
{
    /// <summary>Log2 of the units of a cycle.</summary>
    internal const int Fraction = 4;

    private readonly long[] _free = new long[model.DramChannels];
    private readonly bool[] _writing = new bool[model.DramChannels];
    private int _read, _write, _turn, _pace;
    private long _rowHit, _queue, _streamed;

    /// <summary>A line is read.</summary>
    /// <param name="line">Line number.</param>
    /// <param name="at">Cycle in which it is asked for.</param>
    /// <returns>Cycle from which the latency of memory counts: earlier when the row is open.</returns>
    internal long Read(ulong line, long at)
    {
        long start = Occupy(line, at, false);
        long saved = channels.Open(line) ? _rowHit : 0;
        return (start >> Fraction) - saved;
    }

    /// <summary>A line is written.</summary>
    /// <param name="line">Line number.</param>
    /// <param name="at">Cycle in which it is there to be written.</param>
    /// <returns>Cycle from which the writer can go on: memory has a queue for so many lines.</returns>
    internal long Write(ulong line, long at)
    {
        long start = Occupy(line, at, true);
        channels.Open(line);
        return Math.Max(at, (start >> Fraction) - _queue);
    }

    /// <summary>A line is written past the caches: as <see cref="Write"/>, but a PE has only so many of them under way.</summary>
    internal long Stream(ulong line, long at)
    {
        Prepare();
        _streamed = Math.Max(_streamed + _pace, at << Fraction);
        return Math.Max(Write(line, at), _streamed >> Fraction);
    }

    /// <summary>Cycle from which nothing of what was asked for occupies memory.</summary>
    internal long AllFree
    {
        get
        {
            long last = channels.AllLeft;
            foreach (long free in _free)
                last = Math.Max(last, free);
            return Math.Max(last, _streamed) >> Fraction;
        }
    }

    private void Prepare()
    {
        if (_read == 0)
        {
            _pace = Units(model.DramStream);
            _read = Units(model.DramReadLine);
            _write = Units(model.DramWriteLine);
            _turn = Units(model.DramTurn);
            _rowHit = Units(model.DramRowHit * 1000) >> Fraction;
            _queue = (long)_write * model.DramQueue >> Fraction;
        }
    }

    private long Occupy(ulong line, long at, bool write)
    {
        Prepare();
        int channel = channels.Channel(line);
        int units = (write ? _write : _read) + (_writing[channel] == write ? 0 : _turn);
        _writing[channel] = write;
        // Out of order, a younger access may come earlier than an older one: then only what the channel has left counts.
        long start = channels.Take(channel, model.OutOfOrder ? at << Fraction : Math.Max(at << Fraction, _free[channel]), units);
        _free[channel] = start + units;
        return start;
    }

    private int Units(int picoseconds) =>
        (int)UInt128.Max(1, (UInt128)(uint)picoseconds * clock.ClockFrequency * (1u << Fraction) / 1_000_000_000_000UL);
}
