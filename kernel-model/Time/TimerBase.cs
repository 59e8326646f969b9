namespace ArmVdso.Kernel.Time;

/// <summary>What a timer's deadline is a time of: the four hrtimer bases (kernel/time/hrtimer.c).</summary>
public enum TimerBase
{
    /// <summary>CLOCK_MONOTONIC.</summary>
    Monotonic,

    /// <summary>CLOCK_REALTIME: moves when the clock is set.</summary>
    Realtime,

    /// <summary>CLOCK_BOOTTIME: moves over a suspend.</summary>
    Boottime,

    /// <summary>CLOCK_TAI.</summary>
    Tai,
}

/// <summary>The hrtimer bases of clocks.</summary>
internal static class TimerBases
{
    /// <summary>The hrtimer base of a clock.</summary>
    internal static TimerBase Of(int clock) => clock switch
    {
        Clocks.Realtime or Clocks.RealtimeAlarm => TimerBase.Realtime,
        Clocks.Boottime or Clocks.BoottimeAlarm => TimerBase.Boottime,
        Clocks.Tai => TimerBase.Tai,
        _ => TimerBase.Monotonic,
    };
}
