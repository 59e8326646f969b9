namespace ArmVdso.Kernel.Time;

/// <summary>The clock discipline of adjtimex (kernel/time/ntp.c): frequency, phase (PLL and FLL), single-shot adjustment,
/// leap seconds. Rates are in ns a second with 32 bits of fraction.</summary>
/// <param name="seconds">Seconds of the clock that is disciplined.</param>
internal sealed class NtpDiscipline(Func<long> seconds)
{
#pragma warning disable CS1591
    internal const int StaPll = 1, StaPpsFreq = 2, StaPpsTime = 4, StaFll = 8, StaIns = 0x10, StaDel = 0x20, StaUnsync = 0x40,
        StaFreqHold = 0x80, StaClockErr = 0x1000, StaNano = 0x2000, StaMode = 0x4000, StaReadOnly = 0xff00;
    internal const int TimeOk = 0, TimeIns = 1, TimeDel = 2, TimeOop = 3, TimeWait = 4, TimeError = 5;
#pragma warning restore CS1591

    /// <summary>Microseconds a second that a single-shot adjustment moves the clock by at most (MAX_TICKADJ).</summary>
    private const long MaxTickAdjustUs = 500;

    /// <summary>Most frequency, in ns a second (MAXFREQ: 500 ppm), and most phase, in ns (MAXPHASE).</summary>
    private const long MaxFrequencyNs = 500_000, MaxPhaseNs = 500_000_000;

    private const long PhaseLimitUs = 16_000_000;
    private const int ShiftPll = 2, ShiftFll = 2, MaxTimeConstant = 10;
    private const long MinFllSeconds = 256, MaxPllSeconds = 2048, SecondsPerDay = 86400;
    private long _frequency32;
    private long _offsetNs;
    private long _slewNs;
    private long _adjustUs;
    private long _adjustNowUs;
    private long _tickUs = 10_000;
    private long _referenceSecond;
    private bool _hasReference;
    private long _nextLeap = long.MaxValue;

    /// <summary>STA_*.</summary>
    internal int Status { get; private set; } = StaUnsync;

    /// <summary>TIME_*, less what the status makes of it.</summary>
    internal int State { get; private set; }

    /// <summary>PLL time constant.</summary>
    internal long TimeConstant { get; set; } = 2;

    /// <summary>Largest and estimated error, in us.</summary>
    internal long MaxError { get; set; } = PhaseLimitUs;

    /// <inheritdoc cref="MaxError"/>
    internal long EstimatedError { get; set; } = PhaseLimitUs;

    /// <summary>The last second of the clock that <see cref="SecondOverflow"/> has seen.</summary>
    internal long Second { get; set; } = long.MaxValue;

    /// <summary>ns that a second of the counter is to count for, with 32 bits of fraction.</summary>
    internal Int128 NsPerSecond32 =>
        ((Int128)(_tickUs * 100_000 + _slewNs + _adjustNowUs * 1000) << 32) + _frequency32;

    /// <summary>Microseconds of a tick of 1/100 s (ADJ_TICK).</summary>
    internal long TickUs => _tickUs;

    /// <summary>What is left of a single-shot adjustment, in us.</summary>
    internal long AdjustUs => _adjustUs;

    /// <summary>What is left of the phase offset, in ns.</summary>
    internal long OffsetNs => _offsetNs;

    /// <summary>Frequency as struct timex has it: 2^-16 ppm.</summary>
    internal long Frequency => (long)(((Int128)_frequency32 + (_frequency32 < 0 ? -PpmScale / 2 : PpmScale / 2)) / PpmScale);

    /// <summary>2^-16 ppm (1 ppm is 1000 ns a second) in units of 2^-32 ns a second.</summary>
    private const long PpmScale = 1000L << 16;

    /// <summary>Sets the frequency, in 2^-16 ppm; at most 500 ppm.</summary>
    internal void SetFrequency(long scaledPpm) =>
        _frequency32 = (long)Int128.Clamp((Int128)scaledPpm * PpmScale, -((Int128)MaxFrequencyNs << 32), (Int128)MaxFrequencyNs << 32);

    /// <summary>Sets the length of a 1/100 s tick, in us (9000 to 11000).</summary>
    internal void SetTick(long us) => _tickUs = us;

    /// <summary>A single-shot adjustment by so many us (adjtime); gives back what was left of the last.</summary>
    internal long SetSingleShot(long us)
    {
        long left = _adjustUs;
        _adjustUs = us;
        return left;
    }

    /// <summary>ADJ_STATUS: the writable bits.</summary>
    internal void SetStatus(int status)
    {
        if ((Status & StaPll) != 0 && (status & StaPll) == 0)
        {
            State = TimeOk;
            Status = StaUnsync;
        }
        if ((Status & StaPll) == 0 && (status & StaPll) != 0)
            Reference();
        Status = (Status & StaReadOnly) | (status & ~StaReadOnly);
    }

    /// <summary>STA_NANO on or off.</summary>
    internal void SetNano(bool on) => Status = on ? Status | StaNano : Status & ~StaNano;

    private void Reference()
    {
        _referenceSecond = seconds();
        _hasReference = true;
    }

    /// <summary>ADJ_OFFSET (ntp_update_offset): a phase in the unit of the status, and what it says about the frequency.</summary>
    internal void UpdateOffset(long offset)
    {
        if ((Status & StaPll) == 0)
            return;
        if ((Status & StaNano) == 0)
            offset = Math.Clamp(offset, -1_000_000, 1_000_000) * 1000;
        offset = Math.Clamp(offset, -MaxPhaseNs, MaxPhaseNs);
        long since = !_hasReference || (Status & StaFreqHold) != 0 ? 0 : seconds() - _referenceSecond;
        Reference();
        Int128 adjust = 0;
        Status &= ~StaMode;
        if (since >= MinFllSeconds && ((Status & StaFll) != 0 || since > MaxPllSeconds))
        {
            Status |= StaMode;
            adjust = ((Int128)offset << (32 - ShiftFll)) / since;
        }
        // The PLL's share grows with the time between updates up to a bound by the time constant.
        since = Math.Min(since, 1L << (int)(ShiftPll + 1 + TimeConstant));
        adjust += ((Int128)offset * since << 32) >> (int)(2 * (ShiftPll + 2 + TimeConstant));
        Int128 limit = (Int128)MaxFrequencyNs << 32;
        _frequency32 = (long)Int128.Clamp(_frequency32 + adjust, -limit, limit);
        _offsetNs = offset;
    }

    /// <summary>ADJ_TIMECONST.</summary>
    internal void SetTimeConstant(long constant)
    {
        if ((Status & StaNano) == 0)
            constant += 4;
        TimeConstant = Math.Clamp(constant, 0, MaxTimeConstant);
    }

    /// <summary>The clock was set (ntp_clear): phase and leap state start again.</summary>
    internal void ClockWasSet()
    {
        _adjustUs = _adjustNowUs = 0;
        _offsetNs = _slewNs = 0;
        Status |= StaUnsync;
        MaxError = EstimatedError = PhaseLimitUs;
        State = TimeOk;
        Second = seconds();
    }

    /// <summary>A second of the clock begins (second_overflow). Returns the seconds that it has to be set by: -1 for an
    /// inserted leap second, which repeats the day's last second, 1 for a deleted one.</summary>
    internal int SecondOverflow(long second)
    {
        Second = second;
        int leap = Leap(second);
        MaxError += MaxFrequencyNs / 1000;
        if (MaxError > PhaseLimitUs)
        {
            MaxError = PhaseLimitUs;
            Status |= StaUnsync;
        }
        // The phase goes off exponentially: a part by the time constant each second.
        int shift = (Status & StaFll) != 0 && (Status & StaMode) != 0 ? ShiftFll : ShiftPll + (int)TimeConstant;
        _slewNs = _offsetNs >= 0 ? _offsetNs >> shift : -(-_offsetNs >> shift);
        _offsetNs -= _slewNs;
        _adjustNowUs = Math.Clamp(_adjustUs, -MaxTickAdjustUs, MaxTickAdjustUs);
        _adjustUs -= _adjustNowUs;
        return leap;
    }

    /// <summary>Many seconds pass up to one, in none of which a leap second or a phase has anything to do.</summary>
    internal void Skip(long second)
    {
        long passed = second - Second;
        Second = second;
        MaxError = (long)Int128.Min(PhaseLimitUs, MaxError + (Int128)passed * (MaxFrequencyNs / 1000));
        if (MaxError == PhaseLimitUs)
            Status |= StaUnsync;
        _adjustUs -= (long)Int128.Clamp(_adjustUs, -(Int128)passed * MaxTickAdjustUs, (Int128)passed * MaxTickAdjustUs);
        _adjustNowUs = 0;
    }

    private int Leap(long second)
    {
        switch (State)
        {
            case TimeOk when (Status & StaIns) != 0:
                State = TimeIns;
                _nextLeap = second - second % SecondsPerDay + SecondsPerDay;
                return 0;
            case TimeOk when (Status & StaDel) != 0:
                State = TimeDel;
                _nextLeap = second + SecondsPerDay - (second + 1) % SecondsPerDay;
                return 0;
            case TimeIns when (Status & StaIns) == 0:
            case TimeDel when (Status & StaDel) == 0:
                State = TimeOk;
                return 0;
            case TimeIns when second == _nextLeap:
                State = TimeOop;
                return -1;
            case TimeDel when second == _nextLeap:
                State = TimeWait;
                return 1;
            case TimeOop:
                State = TimeWait;
                return 0;
            case TimeWait when (Status & (StaIns | StaDel)) == 0:
                State = TimeOk;
                return 0;
            default:
                return 0;
        }
    }

    /// <summary>What adjtimex returns: the leap state, or TIME_ERROR for a clock that nobody keeps right.</summary>
    internal int Result => (Status & (StaUnsync | StaClockErr)) != 0 ? TimeError : State;
}
