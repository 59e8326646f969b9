using ArmVdso.Emulator;
using ArmVdso.Emulator.Processor;
using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Delivery;
using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Ipc;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel;

/// <summary>CPU time and other usage of tasks (kernel/sched/cputime.c), and the names that uname shows.</summary>
public sealed partial class LinuxKernel
{
    private const int PrKeepCaps = 8, PrNoNewPrivs = 38, PrTimerSlack = 30;

    /// <summary>nodename, changed by sethostname.</summary>
    public string HostName { get; set; }

    /// <summary>domainname, changed by setdomainname.</summary>
    public string DomainName { get; set; } = "(none)";

    /// <summary>A thread ended: its faults and switches stay with the process.</summary>
    private static void AddExitedUsage(ThreadGroup group, KernelTask task, MemoryMap? mm)
    {
        (long faults, long voluntary, long involuntary) = group.ExitedUsage;
        group.ExitedUsage = (
            faults + (group.Threads.Count == 1 ? mm?.MinorFaults ?? 0 : 0), voluntary + task.VoluntarySwitches,
            involuntary + task.InvoluntarySwitches);
        if (mm is not null)
            group.PeakResidentKiB = Math.Max(group.PeakResidentKiB, mm.PeakResidentPages * 4);
    }

    private static void AddChildUsage(ThreadGroup parent, ThreadGroup child)
    {
        (long f, long v, long i) = parent.ChildUsage;
        (long ef, long ev, long ei) = child.ExitedUsage;
        (long cf, long cv, long ci) = child.ChildUsage;
        parent.ChildUsage = (f + ef + cf, v + ev + cv, i + ei + ci);
        parent.ChildPeakResidentKiB = Math.Max(parent.ChildPeakResidentKiB, Math.Max(child.PeakResidentKiB, child.ChildPeakResidentKiB));
    }

    /// <summary>What a child has of its parent's scheduling and prctl state (sched_fork, copy_process).</summary>
    private static void InheritScheduling(KernelTask parent, KernelTask child)
    {
        child.Nice = parent.Nice;
        child.Policy = parent.Policy;
        child.RealtimePriority = parent.RealtimePriority;
        if (parent.ResetOnFork)
        {
            child.Policy = 0;
            child.RealtimePriority = 0;
            child.Nice = Math.Max(0, parent.Nice);
        }
        child.IoPriority = parent.IoPriority;
        child.Personality = parent.Personality;
        foreach ((int option, long value) in parent.ProcessControls)
            child.ProcessControls[option] = value;
    }

    /// <summary>Tick work of the running task: ITIMER_VIRTUAL, ITIMER_PROF, RLIMIT_CPU.</summary>
    internal void RunCpuTimers(KernelTask task)
    {
        ThreadGroup group = task.Group;
        if (task.Mm is null
            || (group.CpuTimers[0].Expires == 0 && group.CpuTimers[1].Expires == 0 && group.Rlimits[Rlimits.Cpu].Soft == Rlimits.Infinity))
            return;
        (ulong user, ulong system) = Accounting.TimeOf(group);
        for (int i = 0; i < 2; i++)
        {
            ulong now = i == 0 ? user : user + system;
            (ulong expires, ulong interval) = group.CpuTimers[i];
            if (expires == 0 || now < expires)
                continue;
            group.CpuTimers[i] = interval == 0 ? (0, 0) : (expires + (((now - expires) / interval) + 1) * interval, interval);
            SendSignal(group, i == 0 ? Signal.SIGVTALRM : Signal.SIGPROF);
        }
        ulong seconds = (user + system) / Machine.ClockFrequency;
        (ulong soft, ulong hard) = group.Rlimits[Rlimits.Cpu];
        if (seconds >= hard)
        {
            SendSignal(group, Signal.SIGKILL);
        }
        else if (seconds >= soft)
        {
            // The soft limit moves on by a second, as check_process_timers does it.
            group.Rlimits[Rlimits.Cpu] = (seconds + 1, hard);
            SendSignal(group, Signal.SIGXCPU);
        }
    }

    /// <summary>System V objects.</summary>
    internal IpcTables Ipc { get; } = new();
}
