using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Delivery;

/// <summary>What expires with a process' CPU time: ITIMER_VIRTUAL, ITIMER_PROF, RLIMIT_CPU (kernel/time/posix-cpu-timers.c).</summary>
internal sealed class CpuTimers(Machine machine, CpuAccounting accounting, SignalDelivery signals)
{
    /// <summary>A tick of the running task (run_posix_cpu_timers).</summary>
    internal void Tick(KernelTask task)
    {
        ThreadGroup group = task.Group;
        if (task.Mm is null
            || (group.CpuTimers[0].Expires == 0 && group.CpuTimers[1].Expires == 0 && group.Rlimits[Rlimits.Cpu].Soft == Rlimits.Infinity))
            return;
        (ulong user, ulong system) = accounting.TimeOf(group);
        for (int i = 0; i < 2; i++)
        {
            ulong now = i == 0 ? user : user + system;
            (ulong expires, ulong interval) = group.CpuTimers[i];
            if (expires == 0 || now < expires)
                continue;
            group.CpuTimers[i] = interval == 0 ? (0, 0) : (expires + (((now - expires) / interval) + 1) * interval, interval);
            signals.Send(group, i == 0 ? Signal.SIGVTALRM : Signal.SIGPROF);
        }
        ulong seconds = (user + system) / machine.ClockFrequency;
        (ulong soft, ulong hard) = group.Rlimits[Rlimits.Cpu];
        if (seconds >= hard)
        {
            signals.Send(group, Signal.SIGKILL);
        }
        else if (seconds >= soft)
        {
            // The soft limit moves on by a second, as check_process_timers does it.
            group.Rlimits[Rlimits.Cpu] = (seconds + 1, hard);
            signals.Send(group, Signal.SIGXCPU);
        }
    }
}
