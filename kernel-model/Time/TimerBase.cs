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
