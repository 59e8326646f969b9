namespace ArmVdso.Kernel.Abi;

/// <summary>CLOCK_* numbers (include/uapi/linux/time.h).</summary>
public static class Clocks
{
#pragma warning disable CS1591
    public const int Realtime = 0, Monotonic = 1, ProcessCputime = 2, ThreadCputime = 3, MonotonicRaw = 4, RealtimeCoarse = 5,
        MonotonicCoarse = 6, Boottime = 7, RealtimeAlarm = 8, BoottimeAlarm = 9, Tai = 11, Auxiliary = 16;
#pragma warning restore CS1591

    /// <summary>VDSO_CLOCKMODE_*: only the kernel can tell the time; the virtual counter; a time namespace's page.</summary>
    public const int ModeNone = 0, ModeArchTimer = 1, ModeTimens = int.MaxValue;
}
