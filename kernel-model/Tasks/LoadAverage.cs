using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Tasks;

/// <summary>How many tasks ran, or slept so that no signal wakes them, as averages of 1, 5 and 15 minutes
/// (kernel/sched/loadavg.c).</summary>
internal sealed class LoadAverage
{
    /// <summary>Bits of a load's fraction (FSHIFT).</summary>
    internal const int Shift = 11;

    private const ulong One = 1 << Shift;

    /// <summary>Ticks from one look to the next (LOAD_FREQ: five seconds and a tick), in ns.</summary>
    private const ulong Period = (5 * MachineClock.Hz + 1) * MachineClock.TickNs;

    // 1/exp of 5 s in 1, 5 and 15 minutes, with that many bits of fraction (EXP_1, EXP_5, EXP_15).
    private static readonly ulong[] s_decays = [1884, 2014, 2037];

    private readonly ulong[] _loads = new ulong[3];
    private ulong _next = Period;

    /// <summary>The load of the last 1, 5 or 15 minutes, with <see cref="Shift"/> bits of fraction.</summary>
    internal ulong this[int index] => _loads[index];

    /// <summary>Looks at who is active for the times that have come since (calc_global_load).</summary>
    /// <param name="now">CLOCK_MONOTONIC, in ns.</param>
    /// <param name="active">Counts who was active at all of them.</param>
    internal void Update(ulong now, Func<int> active)
    {
        if (now < _next)
            return;
        ulong times = (now - _next) / Period + 1, count = (ulong)active() << Shift;
        _next += times * Period;
        for (int i = 0; i < _loads.Length; i++)
        {
            ulong decay = Power(s_decays[i], times);
            ulong load = _loads[i] * decay + count * (One - decay);
            _loads[i] = (count >= _loads[i] ? load + One - 1 : load) / One;
        }
    }

    /// <summary>A fraction to a power, rounded at each step (fixed_power_int).</summary>
    private static ulong Power(ulong fraction, ulong times)
    {
        ulong result = One;
        for (; times != 0; times >>= 1)
        {
            if ((times & 1) != 0)
                result = (result * fraction + One / 2) >> Shift;
            fraction = (fraction * fraction + One / 2) >> Shift;
        }
        return result;
    }

    /// <summary>As /proc/loadavg has it: two digits, rounded.</summary>
    internal string Text(int index)
    {
        ulong load = _loads[index] + One / 200;
        return $"{load >> Shift}.{(load & (One - 1)) * 100 >> Shift:00}";
    }
}
