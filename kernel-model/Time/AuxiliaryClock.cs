namespace ArmVdso.Kernel.Time;

/// <summary>One of CLOCK_AUX to CLOCK_AUX + 7 (CONFIG_POSIX_AUX_CLOCKS of Linux 6.17; kernel/time/timekeeping.c): a time that is counted
/// beside the system's, with a rate and a setting of its own. There is one where somebody has enabled it.</summary>
public sealed class AuxiliaryClock
{
    private readonly int _index;
    private readonly MachineClock _clock;
    private readonly CountedTime _time;
    private readonly Action<AuxiliaryClock> _changed;
    private long _offset;

    /// <summary>One that is off.</summary>
    /// <param name="index">0 to 7.</param>
    /// <param name="clock">The machine's counter.</param>
    /// <param name="frequency">Of the counter, in Hz.</param>
    /// <param name="changed">Called after each change, to show it to readers.</param>
    internal AuxiliaryClock(int index, MachineClock clock, ulong frequency, Action<AuxiliaryClock> changed)
    {
        (_index, _clock, _changed) = (index, clock, changed);
        _time = new CountedTime(frequency, 0, 0);
    }

    /// <summary>How many there are (MAX_AUX_CLOCKS).</summary>
    public const int Count = 8;

    /// <summary>Its place among them.</summary>
    internal int Index => _index;

    /// <summary>Whether it runs.</summary>
    public bool Enabled { get; private set; }

    /// <summary>The discipline that clock_adjtime sets.</summary>
    internal NtpDiscipline Ntp => _time.Ntp;

    /// <summary>Turns it on, with 0 at this moment and the counter's own rate, or off (aux_clock_enable of sysfs). One that is as wanted
    /// stays as it is.</summary>
    public void SetEnabled(bool enabled)
    {
        if (enabled == Enabled)
            return;
        Enabled = enabled;
        if (enabled)
        {
            _offset = 0;
            _time.Restart(_clock.Now);
        }
        _changed(this);
    }

    /// <summary>The time now, in ns; null: it is off.</summary>
    public long? NowNs => Reading.At(_clock.Now);

    /// <summary>How it counts at present.</summary>
    public AuxiliaryReading Reading => new(Enabled, _time.Last, _time.Shifted, _time.Mult, _offset);

    /// <summary>Sets it, in ns; it is on.</summary>
    public void Set(long ns)
    {
        ulong counter = _clock.Now;
        _time.Forward(counter);
        _offset = ns - (long)_time.At(counter);
        _time.Ntp.ClockWasSet();
        _changed(this);
    }

    /// <summary>Changes its rate, in 2^-16 ppm (ADJ_FREQUENCY); it is on.</summary>
    public void SetFrequency(long scaledPpm)
    {
        Ntp.SetFrequency(scaledPpm);
        RateChanged();
    }

    /// <summary>The rate changed: a new base at once.</summary>
    internal void RateChanged() => Tick(_clock.Now, false);

    /// <summary>The timer tick (tk_aux_advance).</summary>
    internal void Tick(ulong counter, bool afterIdle)
    {
        if (!Enabled)
            return;
        _time.Advance(counter, afterIdle);
        _changed(this);
    }
}

/// <summary>How an auxiliary clock counts until the next change.</summary>
/// <param name="Enabled">Whether it is on.</param>
/// <param name="CycleLast">Counter value of the base.</param>
/// <param name="Shifted">The base, in 2^-24 ns.</param>
/// <param name="Mult">ns a counter increment, in 2^-24 ns.</param>
/// <param name="OffsetNs">What was added by setting it, in ns.</param>
public readonly record struct AuxiliaryReading(bool Enabled, ulong CycleLast, Int128 Shifted, uint Mult, long OffsetNs)
{
    /// <summary>The clock at a counter value, in ns; null: it is off.</summary>
    public long? At(ulong counter) =>
        Enabled ? (long)((Shifted + (Int128)(long)(counter - CycleLast) * Mult) >> Timekeeper.Shift) + OffsetNs : null;
}
