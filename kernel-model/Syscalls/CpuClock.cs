using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Clocks of the CPU time of processes and threads (kernel/time/posix-cpu-timers.c).</summary>
internal static class CpuClock
{
    /// <summary>The low three bits of a negative clock ID: what is counted, and of whom.</summary>
    private const int What = 3, Prof = 0, Virt = 1, PerThread = 4, Fd = 3;

    /// <summary>Reader of a CPU-time clock in ns, or null when the ID names none.</summary>
    internal static Func<ulong>? Find(SyscallContext c, int clock)
    {
        if (clock == Clocks.ProcessCputime)
            return Reader(c, c.Task.Group, Prof);
        if (clock == Clocks.ThreadCputime)
            return Reader(c, c.Task, Prof);
        if (clock >= 0 || (clock & What) == Fd)
            return null;
        // MAKE_PROCESS_CPUCLOCK: ~pid in the upper bits; PROF, VIRT or SCHED.
        int id = ~(clock >> 3);
        int what = clock & What;
        KernelTask? task = id == 0 ? c.Task : c.Tasks.Find(id);
        if (task is null)
            return null;
        if ((clock & PerThread) != 0)
            return ReferenceEquals(task.Group, c.Task.Group) ? Reader(c, task, what) : null;
        return id == 0 || task.Group.Pid == id ? Reader(c, task.Group, what) : null;
    }

    private static Func<ulong> Reader(SyscallContext c, ThreadGroup group, int what)
    {
        (CpuAccounting accounting, MachineClock time) = (c.Accounting, c.Clock);
        return () => Ns(time, accounting.TimeOf(group), what);
    }

    private static Func<ulong> Reader(SyscallContext c, KernelTask task, int what)
    {
        (CpuAccounting accounting, MachineClock time) = (c.Accounting, c.Clock);
        return () => Ns(time, accounting.TimeOf(task), what);
    }

    private static ulong Ns(MachineClock time, (ulong User, ulong System) cycles, int what) =>
        time.NsOfCycles(what == Virt ? cycles.User : cycles.User + cycles.System);
}
