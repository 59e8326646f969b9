namespace ArmVdso.Kernel.Time;

/// <summary>A time that counts the system counter at a rate which NTP adjusts, and beside it at the counter's own (struct timekeeper of
/// kernel/time/timekeeping.c): the system's, and that of each auxiliary clock. Times in ns, "shifted" ones in 2^-24 ns.</summary>
internal sealed class CountedTime
{
    /// <summary>Ticks of a longer idle time than this (some eleven days) are taken at once.</summary>
    private const ulong MostSteps = 1_000_000UL * MachineClock.Hz;

    /// <summary>Seconds that are taken one by one when many have passed: more than two days, after which nothing is left of a leap second
    /// or a phase.</summary>
    private const int MostSeconds = 200_000;

    private readonly ulong _frequency;
    private readonly ulong _interval;
    private Int128 _error;

    /// <summary>A time that begins at a counter of 0.</summary>
    /// <param name="frequency">Of the counter, in Hz.</param>
    /// <param name="start">What it begins with, in ns.</param>
    /// <param name="ahead">By how much the seconds that NTP counts are ahead of it, in ns.</param>
    internal CountedTime(ulong frequency, ulong start, long ahead)
    {
        _frequency = frequency;
        _interval = Math.Max(1, frequency / MachineClock.Hz);
        Shifted = Raw = (Int128)start << Timekeeper.Shift;
        AheadNs = ahead;
        RawMult = (uint)(((UInt128)Timekeeper.NsPerSecond << Timekeeper.Shift) / frequency);
        Ntp = new NtpDiscipline(() => Second);
        Mult = IdealMult();
        Ntp.Second = Second;
    }

    /// <summary>The clock discipline that adjtimex sets.</summary>
    internal NtpDiscipline Ntp { get; }

    /// <summary>Counter value of the base.</summary>
    internal ulong Last { get; private set; }

    /// <summary>The base: the adjusted time at <see cref="Last"/>, shifted.</summary>
    internal Int128 Shifted { get; private set; }

    /// <summary>The same at the counter's own rate.</summary>
    internal Int128 Raw { get; private set; }

    /// <summary>ns a counter increment, shifted; NTP changes it.</summary>
    internal uint Mult { get; private set; }

    /// <summary>The same as the counter's frequency says it.</summary>
    internal uint RawMult { get; }

    /// <summary>By how much the clock whose seconds NTP counts is ahead of this time: CLOCK_REALTIME less CLOCK_MONOTONIC.</summary>
    internal long AheadNs { get; set; }

    /// <summary>A leap second: what the clock was set by.</summary>
    internal Action<int>? Leaped { get; init; }

    /// <summary>Seconds of the clock whose seconds NTP counts, at the base.</summary>
    internal long Second => (long)(((Shifted >> Timekeeper.Shift) + AheadNs) / (long)Timekeeper.NsPerSecond);

    /// <summary>Whether a whole tick has passed since the base.</summary>
    internal bool IsLate(ulong counter) => counter >= Last + _interval;

    /// <summary>The time at a counter value.</summary>
    internal ulong At(ulong counter) => At(counter, Shifted, Mult);

    /// <summary>The unadjusted time at a counter value.</summary>
    internal ulong RawAt(ulong counter) => At(counter, Raw, RawMult);

    private ulong At(ulong counter, Int128 time, uint mult) =>
        (ulong)Int128.Max(0, (time + (Int128)(long)(counter - Last) * mult) >> Timekeeper.Shift);

    /// <summary>First counter value at which a time is reached, at today's rate.</summary>
    internal ulong CounterOf(ulong ns)
    {
        Int128 away = ((Int128)ns << Timekeeper.Shift) - Shifted;
        Int128 counter = Last + (away <= 0 ? -(-away / Mult) : (away + Mult - 1) / Mult);
        return counter <= 0 ? 0 : counter > ulong.MaxValue ? ulong.MaxValue : (ulong)counter;
    }

    /// <summary>Begins again with 0 at a counter value and the counter's own rate; what NTP has learnt of the rate stays, and comes with
    /// the next tick (aux_clock_enable).</summary>
    internal void Restart(ulong counter)
    {
        (Last, Shifted, Raw, Mult, _error) = (counter, 0, 0, RawMult, 0);
        Ntp.ClockWasSet();
    }

    /// <summary>Brings the base up to the last whole tick at or before <paramref name="counter"/>, and gives the rate for what
    /// follows. Continuous at <paramref name="counter"/>: what a reader would have seen there with the old rate is what it sees
    /// with the new one, so the time never goes back.</summary>
    /// <param name="counter">The counter now.</param>
    /// <param name="afterIdle">Whether all CPUs were idle since the last tick, so that nobody has read a clock.</param>
    internal void Advance(ulong counter, bool afterIdle = false)
    {
        ulong ticks = counter < Last ? 0 : (counter - Last) / _interval;
        while (ticks != 0)
        {
            // After an idle time that had no ticks, second by second: NTP has another rate for each. Otherwise readers have
            // gone on with the old rate, and it is what counts up to now.
            ulong step = !afterIdle || ticks > MostSteps ? ticks : Math.Min(ticks, TicksToNextSecond());
            ticks -= step;
            Accumulate(step * _interval);
            if (ticks != 0)
                Mult = IdealMult() + (_error > 0 ? 1u : 0);
        }
        uint mult = IdealMult() + (_error > 0 ? 1u : 0);
        if (mult != Mult)
        {
            Shifted -= (Int128)(long)(counter - Last) * ((long)mult - Mult);
            Mult = mult;
        }
    }

    /// <summary>Brings the base up to <paramref name="counter"/> itself: before a clock is stepped (timekeeping_forward_now). The next
    /// whole tick is counted from there.</summary>
    internal void Forward(ulong counter)
    {
        Advance(counter);
        if (counter > Last)
            Accumulate(counter - Last);
    }

    private void Accumulate(ulong delta)
    {
        Last += delta;
        Shifted += (Int128)delta * Mult;
        Raw += (Int128)delta * RawMult;
        // What the ideal rate would have added, less what mult did, in (ns / 2^32) * Hz.
        _error += (Int128)delta * (Ntp.NsPerSecond32 - ((Int128)Mult * _frequency << (32 - Timekeeper.Shift)));
        Seconds();
    }

    private ulong TicksToNextSecond()
    {
        long part = (long)(((Shifted >> Timekeeper.Shift) + AheadNs) % (long)Timekeeper.NsPerSecond);
        return ((ulong)((long)Timekeeper.NsPerSecond - part) + MachineClock.TickNs - 1) / MachineClock.TickNs;
    }

    private uint IdealMult() => (uint)((Ntp.NsPerSecond32 >> (32 - Timekeeper.Shift)) / _frequency);

    /// <summary>Whole seconds that have passed since the last look: NTP's second_overflow, and leap seconds.</summary>
    private void Seconds()
    {
        int taken = 0;
        for (long now = Second; Ntp.Second < now; now = Second)
        {
            if (taken++ == MostSeconds)
            {
                Ntp.Skip(now);
                return;
            }
            int leap = Ntp.SecondOverflow(Ntp.Second + 1);
            if (leap == 0)
                continue;
            AheadNs += leap * (long)Timekeeper.NsPerSecond;
            Ntp.Second += leap;
            Leaped?.Invoke(leap);
        }
    }
}
