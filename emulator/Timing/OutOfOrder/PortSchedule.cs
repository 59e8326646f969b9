using System.Numerics;
using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Emulator.Timing.OutOfOrder;

/// <summary>Which issue ports are taken in which cycle, for a window of cycles ahead of rename. Micro-ops are placed in program order,
/// each in the first free cycle, so older ones win and younger ones fill the gaps that they leave. Of the ports that are free then it takes
/// the one that was used least of late, so that those that one kind of micro-op alone can use are left to it.</summary>
public sealed class PortSchedule
{
    /// <summary>Cycles of the window; what would issue later than that is not checked against others.</summary>
    public const int Window = 4096;

    private const int Words = Window / 64;
    private readonly ulong[] _taken = new ulong[MicroOp.PortCount * Words];
    private readonly int[] _load = new int[MicroOp.PortCount];
    private long _front;

    /// <summary>Everything before <paramref name="cycle"/> is past; it never goes back.</summary>
    public void Advance(long cycle)
    {
        long word = cycle >> 6;
        long old = _front >> 6;
        if (cycle <= _front)
            return;
        _front = cycle;
        if (word == old)
            return;
        long count = Math.Min(word - old, Words);
        for (int port = 0; port < MicroOp.PortCount; port++)
            _load[port] >>= (int)Math.Min(word - old, 31);
        for (long w = word - count; w < word; w++)
        {
            int at = (int)(w & (Words - 1));
            for (int port = 0; port < MicroOp.PortCount; port++)
                _taken[port * Words + at] = 0;
        }
    }

    /// <summary>Takes the first free cycle at or after <paramref name="from"/> on one of the ports.</summary>
    /// <returns>The cycle; <paramref name="port"/> is the number of the port.</returns>
    public long Take(IssuePorts ports, int busy, long from, out int port)
    {
        from = Math.Max(from, _front);
        long end = (_front & ~63L) + Window;
        port = BitOperations.TrailingZeroCount((uint)ports);
        long at = from;
        while (at < end)
        {
            int word = (int)(at >> 6) & (Words - 1);
            ulong all = ulong.MaxValue;
            for (uint set = (uint)ports; set != 0; set &= set - 1)
                all &= _taken[BitOperations.TrailingZeroCount(set) * Words + word];
            ulong free = ~all >> (int)(at & 63);
            if (free == 0)
            {
                at = (at | 63) + 1;
                continue;
            }
            at += BitOperations.TrailingZeroCount(free);
            int best = -1;
            for (uint set = (uint)ports; set != 0; set &= set - 1)
            {
                int candidate = BitOperations.TrailingZeroCount(set);
                if ((best < 0 || _load[candidate] < _load[best]) && IsFree(candidate, at, busy, end))
                    best = candidate;
            }
            if (best >= 0)
            {
                Occupy(best, at, busy, end);
                port = best;
                return at;
            }
            at++;
        }
        return Math.Max(at, from);
    }

    private bool IsFree(int port, long at, int busy, long end)
    {
        int row = port * Words;
        for (int i = 0; i < busy && at + i < end; i++)
        {
            if ((_taken[row + ((int)((at + i) >> 6) & (Words - 1))] >> (int)((at + i) & 63) & 1) != 0)
                return false;
        }
        return true;
    }

    private void Occupy(int port, long at, int busy, long end)
    {
        int row = port * Words;
        _load[port] += busy;
        for (int i = 0; i < busy && at + i < end; i++)
            _taken[row + ((int)((at + i) >> 6) & (Words - 1))] |= 1UL << (int)((at + i) & 63);
    }

    /// <summary>Takes further cycles of a port, for an operation whose length depends on its data.</summary>
    public void Extend(int port, long from, int cycles)
    {
        long end = (_front & ~63L) + Window;
        for (long at = from; at < Math.Min(from + cycles, end); at++)
            _taken[port * Words + ((int)(at >> 6) & (Words - 1))] |= 1UL << (int)(at & 63);
    }
}
