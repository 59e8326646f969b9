using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Lab.Check;

namespace ArmVdso.Lab.Statistics;

/// <summary>The counts of a run, taken from every CPU's timing model at its end.</summary>
public sealed class RunStatistics
{
    /// <summary>The machine that ran.</summary>
    public Machine Machine { get; }

    /// <summary>Reads the counts of a session.</summary>
    /// <param name="session">A session that has run.</param>
    /// <param name="elapsed">Time of the host that it took.</param>
    /// <param name="status">Exit status of the program; -1: it has not ended.</param>
    public RunStatistics(Session session, TimeSpan elapsed, int status)
        : this(session.Machine, elapsed, status) => Switches = (ulong)session.Kernel.Scheduler.Switches;

    /// <summary>Reads the counts of a machine without the kernel model.</summary>
    /// <param name="machine">A machine that has run.</param>
    /// <param name="elapsed">Time of the host that it took.</param>
    /// <param name="status">Exit status; -1: the guest has not ended.</param>
    public RunStatistics(Machine machine, TimeSpan elapsed, int status)
    {
        Machine = machine;
        Status = status;
        HostSeconds = elapsed.TotalSeconds;
        foreach (Cpu cpu in machine.Cpus)
        {
            Instructions += cpu.Instructions;
            Cycles += cpu.Cycles;
            Waiting += cpu.Timing.WaitCycles;
            Charged += cpu.Timing.ChargedCycles;
            Exceptions += cpu.ExceptionEntries;
        }
    }

    /// <summary>Exit status of the program; 128 + signal when a signal ended it; -1: it has not ended.</summary>
    public int Status { get; }

    /// <summary>The CPUs.</summary>
    public IReadOnlyList<Cpu> Cpus => Machine.Cpus;

    /// <summary>Instructions of all CPUs.</summary>
    public ulong Instructions { get; }

    /// <summary>Cycles of all CPUs, waiting included.</summary>
    public ulong Cycles { get; }

    /// <summary>Cycles in WFI, of all CPUs.</summary>
    public ulong Waiting { get; }

    /// <summary>Of the cycles, those charged for kernel bodies in C# from what a booted stock kernel needs; the rest was
    /// executed.</summary>
    public ulong Charged { get; }

    /// <summary>Exceptions taken.</summary>
    public ulong Exceptions { get; }

    /// <summary>Cycles, not waiting: CPU_CYCLES.</summary>
    public ulong Busy => Cycles - Waiting;

    /// <summary>Switches between tasks; null without the kernel model, whose scheduler counts them.</summary>
    public ulong? Switches { get; }

    /// <summary>Seconds that the host took.</summary>
    public double HostSeconds { get; }

    /// <summary>Blocks that the portable engine decoded.</summary>
    public ulong TranslatedBlocks => Machine.TranslatedBlocks;

    /// <summary>What the lockstep checker compared, or null.</summary>
    public Emulator.Engine.Lockstep.EngineCheck? Check => Machine.Check;

    /// <summary>Whether the model counts more than cycles and instructions.</summary>
    public bool CountsEvents => Cpus[0].Timing.CountsEvents;

    /// <summary>Events that the model counts.</summary>
    public IEnumerable<PmuEvent> Events => PmuEvent.All.Where(e => CountsEvents || e.Number is PmuEvent.CpuCycles or PmuEvent.InstRetired);

    /// <summary>An event over all CPUs at one exception level.</summary>
    public ulong Count(PmuEvent e, int el)
    {
        ulong sum = 0;
        foreach (Cpu cpu in Cpus)
            sum += e.Count(cpu.Timing.Counters(el));
        return sum;
    }

    /// <summary>Cycles of a cause over all CPUs at one exception level.</summary>
    public ulong Count(CycleCause cause, int el)
    {
        ulong sum = 0;
        foreach (Cpu cpu in Cpus)
            sum += cpu.Timing.Counters(el).Causes[(int)cause];
        return sum;
    }
}
