using static ArmVdso.Kernel.Costs.CostClass;
using static ArmVdso.Kernel.Syscalls.SyscallSupport;

namespace ArmVdso.Kernel.Syscalls;

public static partial class SyscallTable
{
    /// <summary>System calls on clocks and timers, by number.</summary>
    private static IEnumerable<SyscallRow> TimeRows() =>
    [
        new(101, "nanosleep", SysTime.NanoSleep, Full, "timespec ptr", "", Wait),
        new(102, "getitimer", SysTime.GetITimer, Full, "int ptr", "", Trivial),
        new(103, "setitimer", SysTime.SetITimer, Full, "int ptr ptr", "VIRTUAL and PROF expire at ticks", Trivial),
        new(107, "timer_create", SysTimer.Create, Partial, "clock ptr ptr", "timers on CPU-time clocks expire at ticks", Trivial),
        new(108, "timer_gettime", SysTimer.GetTime, Full, "int ptr", "", Trivial),
        new(109, "timer_getoverrun", SysTimer.GetOverrun, Full, "int", "", Trivial),
        new(110, "timer_settime", SysTimer.SetTime, Full, "int flags ptr ptr", "", Trivial),
        new(111, "timer_delete", SysTimer.Delete, Full, "int", "", Trivial),
        new(112, "clock_settime", SysTime.ClockSetTime, Full, "clock timespec", "", Trivial),
        new(113, "clock_gettime", SysTime.ClockGetTime, Full, "clock ptr",
            "answered by EL1 code unless traced or on a CPU-time clock", Trivial),
        new(114, "clock_getres", SysTime.ClockGetRes, Full, "clock ptr",
            "answered by EL1 code unless traced or on a CPU-time clock", Trivial),
        new(115, "clock_nanosleep", SysTime.ClockNanoSleep, Full, "clock flags timespec ptr", "", Wait),
        new(169, "gettimeofday", SysTime.GetTimeOfDay, Full, "ptr ptr", "answered by EL1 code unless traced", Trivial),
        new(170, "settimeofday", SysTime.SetTimeOfDay, Full, "ptr ptr", "", Trivial),
        new(171, "adjtimex", SysAdjTime.AdjTimex, Full, "ptr", "", Trivial),
        new(266, "clock_adjtime", SysAdjTime.ClockAdjTime, Full, "clock ptr", "", Trivial),
    ];
}
