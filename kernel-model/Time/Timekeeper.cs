using ArmVdso.Kernel.Memory;

namespace ArmVdso.Kernel.Time;

/// <summary>Keeps the time (kernel/time/timekeeping.c): CLOCK_MONOTONIC counts the system counter at a rate that NTP adjusts,
/// the other clocks are a distance away from it. The kernel's own record, which EL1 code reads, and the vDSO's pages are
/// written at every tick (250 Hz) and at every change.
/// Times are in ns; <c>shifted</c> values in 2^-24 ns.</summary>
public sealed class Timekeeper
{
    /// <summary>Bits of fraction of a shifted value, and of mult.</summary>
    internal const int Shift = 24;

    internal const ulong NsPerSecond = 1_000_000_000;
    private readonly MachineClock _clock;
    private readonly KernelTimers _timers;
    private readonly List<IVvarPage> _pages = [];
    private readonly CountedTime _time;
    private long _coarse;
    private long _boot;
    private int _minutesWest;
    private int _dstTime;

    internal Timekeeper(
        Machine machine, MachineClock clock, KernelTimers timers, long epochSeconds, ulong uptimeNs, bool auxiliary = false)
    {
        _clock = clock;
        _timers = timers;
        timers.OffsetOf = OffsetOf;
        Stores = new OrderedStores(machine.Memory);
        ulong frequency = machine.CounterFrequency;
        _time = new CountedTime(frequency, uptimeNs, epochSeconds * (long)NsPerSecond - (long)uptimeNs)
        {
            Leaped = leap =>
            {
                TaiOffset -= leap;
                _timers.ClocksChanged();
            },
        };
        _coarse = (long)uptimeNs;
        Auxiliary = !auxiliary ? []
            : [.. Enumerable.Range(0, AuxiliaryClock.Count).Select(i => new AuxiliaryClock(i, clock, frequency, Publish))];
    }

    /// <summary>Where the stores to the vvar pages go through.</summary>
    internal OrderedStores Stores { get; }

    /// <summary>The clock discipline that adjtimex sets.</summary>
    internal NtpDiscipline Ntp => _time.Ntp;

    /// <summary>CLOCK_AUX and those after it; none where the kernel has none (kernel word aux-clocks).</summary>
    public IReadOnlyList<AuxiliaryClock> Auxiliary { get; }

    /// <summary>CLOCK_REALTIME minus CLOCK_MONOTONIC.</summary>
    public long RealtimeOffsetNs
    {
        get => _time.AheadNs;
        private set => _time.AheadNs = value;
    }

    /// <summary>CLOCK_BOOTTIME minus CLOCK_MONOTONIC: how long the machine was suspended.</summary>
    public long BoottimeOffsetNs => _boot;

    /// <summary>settimeofday's time zone.</summary>
    public (int MinutesWest, int DstTime) TimeZone => (_minutesWest, _dstTime);

    /// <summary>CLOCK_TAI minus CLOCK_REALTIME, in seconds; 0 until somebody sets it.</summary>
    public int TaiOffset { get; internal set; }

    /// <summary>Updates of the vDSO's data so far.</summary>
    public long Updates { get; private set; }

    /// <summary>ns a counter increment, in 2^-24 ns; NTP changes it.</summary>
    public uint Mult => _time.Mult;

    /// <summary>VDSO_CLOCKMODE_*: NONE tells the vDSO to make system calls (a timer erratum).</summary>
    public int ClockMode { get; private set; } = Clocks.ModeArchTimer;

    /// <summary>Distance of a clock from CLOCK_MONOTONIC.</summary>
    public long OffsetOf(TimerBase clock) => clock switch
    {
        TimerBase.Realtime => RealtimeOffsetNs,
        TimerBase.Boottime => _boot,
        TimerBase.Tai => RealtimeOffsetNs + TaiOffset * (long)NsPerSecond,
        _ => 0,
    };

    /// <summary>CLOCK_MONOTONIC at a counter value.</summary>
    internal ulong Monotonic(ulong counter) => _time.At(counter);

    /// <summary>CLOCK_MONOTONIC_RAW at a counter value.</summary>
    internal ulong RawNs(ulong counter) => _time.RawAt(counter);

    /// <summary>CLOCK_MONOTONIC_COARSE: the time of the last tick.</summary>
    public ulong CoarseNs => (ulong)_coarse;

    /// <summary>First counter value at which CLOCK_MONOTONIC has reached a time, at today's rate.</summary>
    internal ulong CounterOf(ulong ns) => _time.CounterOf(ns);

    /// <summary>Adds a page (the kernel's record, a vvar page) that every update writes.</summary>
    internal void AddPage(IVvarPage page)
    {
        _pages.Add(page);
        page.Write(Snapshot());
    }

    /// <summary>The timer tick: whole ticks are added to the base times, then NTP may change the rate.</summary>
    /// <param name="counter">The counter now.</param>
    /// <param name="afterIdle">Whether all CPUs were idle since the last tick, so that nobody has read a clock.</param>
    internal void Tick(ulong counter, bool afterIdle = false)
    {
        Advance(counter, afterIdle);
        Publish();
        foreach (AuxiliaryClock clock in Auxiliary)
            clock.Tick(counter, afterIdle);
    }

    /// <summary>A CPU leaves its idle task (tick_nohz_irq_enter): where there were no ticks, they are made up for before anybody
    /// reads a clock.</summary>
    internal void LeaveIdle(ulong counter, bool afterIdle)
    {
        if (_time.IsLate(counter))
            Tick(counter, afterIdle);
    }

    /// <inheritdoc cref="CountedTime.Advance"/>
    private void Advance(ulong counter, bool afterIdle = false)
    {
        _time.Advance(counter, afterIdle);
        MoveCoarse();
    }

    /// <summary>Brings the base, and with it the coarse clocks, up to <paramref name="counter"/> itself.</summary>
    private void Forward(ulong counter)
    {
        _time.Forward(counter);
        MoveCoarse();
    }

    private void MoveCoarse() => _coarse = Math.Max(_coarse, (long)(_time.Shifted >> Shift));

    /// <summary>The rate or the offsets changed: a new base at once.</summary>
    internal void Changed()
    {
        Advance(_clock.Now);
        Publish();
        _timers.ClocksChanged();
    }

    /// <summary>Sets CLOCK_REALTIME (clock_settime, settimeofday, ADJ_SETOFFSET).</summary>
    public void SetRealtime(long ns)
    {
        ulong counter = _clock.Now;
        Forward(counter);
        RealtimeOffsetNs = ns - (long)Monotonic(counter);
        Ntp.ClockWasSet();
        Publish();
        _timers.ClocksChanged();
        ClockSets++;
        ClockSet?.Invoke();
    }

    /// <summary>How often CLOCK_REALTIME was set: a timerfd with TFD_TIMER_CANCEL_ON_SET compares it.</summary>
    internal long ClockSets { get; private set; }

    /// <summary>CLOCK_REALTIME was set, or moved over a suspend.</summary>
    internal event Action? ClockSet;

    /// <summary>The machine sleeps for a time: the counter stops with the CPUs (arm,no-tick-in-suspend) and the real-time clock
    /// says how long it was (timekeeping_inject_sleeptime64). CLOCK_MONOTONIC stands still, CLOCK_BOOTTIME and
    /// CLOCK_REALTIME advance.</summary>
    public void Suspend(ulong ns)
    {
        Forward(_clock.Now);
        _boot += (long)ns;
        RealtimeOffsetNs += (long)ns;
        Ntp.Second = _time.Second;
        Publish();
        _timers.ClocksChanged();
        ClockSets++;
        ClockSet?.Invoke();
    }

    /// <summary>Suspends the machine until its earliest alarm (CLOCK_REALTIME_ALARM, CLOCK_BOOTTIME_ALARM). False: there is none,
    /// nothing would ever wake it.</summary>
    internal bool SuspendToAlarm()
    {
        if (_timers.EarliestAlarm is not { } deadline)
            return false;
        ulong now = NowNs;
        if (deadline > now)
            Suspend(deadline - now);
        return true;
    }

    /// <summary>CLOCK_MONOTONIC now, in ns.</summary>
    public ulong NowNs => Monotonic(_clock.Now);

    /// <summary>CLOCK_REALTIME now, in ns since 1970.</summary>
    public ulong RealtimeNs => (ulong)(RealtimeOffsetNs + (long)NowNs);

    /// <summary>Time of an hrtimer base now, in ns.</summary>
    public ulong TimeOf(TimerBase clock) => (ulong)Math.Max(0, (long)NowNs + OffsetOf(clock));

    /// <summary>settimeofday's time zone: update_vsyscall_tz.</summary>
    public void SetTimeZone(int minutesWest, int dstTime)
    {
        _minutesWest = minutesWest;
        _dstTime = dstTime;
        Publish();
    }

    /// <summary>Changes what the vDSO takes the counter for, as a change of the clocksource does (change_clocksource): the base comes up
    /// to now, then all is published.</summary>
    public void SetClockMode(int mode)
    {
        Advance(_clock.Now);
        ClockMode = mode;
        Publish();
        foreach (AuxiliaryClock clock in Auxiliary)
            clock.RateChanged();
    }

    private void Publish()
    {
        Updates++;
        TimeSnapshot snapshot = Snapshot();
        foreach (IVvarPage page in _pages)
            page.Write(snapshot);
    }

    private void Publish(AuxiliaryClock clock)
    {
        foreach (IVvarPage page in _pages)
            page.Write(clock.Index, clock.Reading, ClockMode);
    }

    private TimeSnapshot Snapshot() => new()
    {
        ClockMode = ClockMode,
        CycleLast = _time.Last,
        Mult = _time.Mult,
        RawMult = _time.RawMult,
        Monotonic = _time.Shifted,
        Raw = _time.Raw,
        Coarse = _coarse,
        RealtimeOffset = RealtimeOffsetNs,
        BoottimeOffset = _boot,
        TaiOffset = TaiOffset,
        MinutesWest = _minutesWest,
        DstTime = _dstTime,
    };
}

/// <summary>What update_vsyscall tells: the clocks' values at a counter value. Times in ns, Monotonic and Raw in 2^-24 ns.</summary>
internal readonly record struct TimeSnapshot
{
    internal int ClockMode { get; init; }

    internal ulong CycleLast { get; init; }

    internal uint Mult { get; init; }

    internal uint RawMult { get; init; }

    internal Int128 Monotonic { get; init; }

    internal Int128 Raw { get; init; }

    internal long Coarse { get; init; }

    internal long RealtimeOffset { get; init; }

    internal long BoottimeOffset { get; init; }

    internal int TaiOffset { get; init; }

    internal int MinutesWest { get; init; }

    internal int DstTime { get; init; }
}

/// <summary>A copy of the time that updates write.</summary>
internal interface IVvarPage
{
    /// <summary>Writes the data, as update_vsyscall does.</summary>
    void Write(in TimeSnapshot time);

    /// <summary>Writes the data of one auxiliary clock, as vdso_time_update_aux does.</summary>
    /// <param name="index">Which.</param>
    /// <param name="clock">How it counts.</param>
    /// <param name="mode">VDSO_CLOCKMODE_* of the counter.</param>
    void Write(int index, in AuxiliaryReading clock, int mode);
}
