using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Perf;

/// <summary>Makes perf events, each with an ID of its own.</summary>
internal sealed class PerfEvents(Machine machine, MachineClock clock, Scheduler scheduler)
{
    private ulong _lastId;

    /// <summary>An event of a task, or of a CPU.</summary>
    /// <param name="attributes">What it counts.</param>
    /// <param name="task">Whom; null: the CPU, whatever it runs.</param>
    /// <param name="cpu">On which CPU alone; -1: on all.</param>
    /// <param name="leader">First of its group; null: itself.</param>
    internal PerfEvent Open(PerfEventAttributes attributes, KernelTask? task, int cpu, PerfEvent? leader)
    {
        var made = new PerfEvent(machine, clock, scheduler, attributes, ++_lastId, cpu, leader);
        made.Attach(task);
        return made;
    }
}
