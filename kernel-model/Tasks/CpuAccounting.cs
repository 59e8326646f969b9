using ArmVdso.Kernel.El1;

namespace ArmVdso.Kernel.Tasks;

/// <summary>CPU time of tasks (kernel/sched/cputime.c). It is as fine as the calls of the model: what precedes an entry from EL0 (a new
/// system call, a fault, an interrupt) counts as user time with the few hundred cycles of the entry code, everything else as system
/// time. System calls that EL1 answers itself are part of the user time.</summary>
public sealed class CpuAccounting
{
    private const ulong ModeMask = 0xf;
    private readonly Machine _machine;
    private readonly Scheduler _scheduler;
    private readonly ulong[] _cycle;

    internal CpuAccounting(Machine machine, Scheduler scheduler)
    {
        _machine = machine;
        _scheduler = scheduler;
        _cycle = new ulong[machine.Cpus.Count];
    }

    /// <summary>EL1 code calls the model: the cycles since the last call from this CPU are charged to the task that it runs.</summary>
    internal void Enter(Cpu cpu, HypercallNumber call)
    {
        KernelTask current = _scheduler.Current(cpu.Index);
        bool user = call switch
        {
            HypercallNumber.Syscall => current.Syscall is null,
            HypercallNumber.Fault => true,
            HypercallNumber.Irq =>
                _machine.Memory.Read<ulong>(El1Image.Physical(cpu.X(1)) + PtRegs.Pstate) is var pstate && (pstate & ModeMask) == 0,
            _ => false,
        };
        if (user)
            current.UserCycles += Passed(cpu);
        else
            current.SystemCycles += Passed(cpu);
    }

    /// <summary>The model has answered: what it charged is system time of the task that called.</summary>
    internal void Leave(Cpu cpu, KernelTask caller) => caller.SystemCycles += Passed(cpu);

    private ulong Passed(Cpu cpu)
    {
        ulong passed = cpu.Cycles - _cycle[cpu.Index];
        _cycle[cpu.Index] = cpu.Cycles;
        return passed;
    }

    /// <summary>CPU time of a task so far in cycles: user and system. A task on another CPU counts up to that CPU's present.</summary>
    public (ulong User, ulong System) TimeOf(KernelTask task)
    {
        ulong running = task.OnCpu && ReferenceEquals(_scheduler.Current(task.Cpu), task)
            ? _machine.Cpus[task.Cpu].Cycles - _cycle[task.Cpu]
            : 0;
        return (task.UserCycles + running, task.SystemCycles);
    }

    /// <summary>CPU time of a process so far in cycles: its threads, dead ones included.</summary>
    public (ulong User, ulong System) TimeOf(ThreadGroup group)
    {
        (ulong user, ulong system) = (group.ExitedUserCycles, group.ExitedSystemCycles);
        foreach (KernelTask task in group.Threads)
        {
            (ulong u, ulong s) = TimeOf(task);
            user += u;
            system += s;
        }
        return (user, system);
    }
}
