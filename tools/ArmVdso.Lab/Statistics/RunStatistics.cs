using ArmVdso.Emulator;
using ArmVdso.Emulator.Timing;
using ArmVdso.Lab.Check;

namespace ArmVdso.Lab.Statistics;

/// <summary>The counts of a run, taken from every CPU's timing model at its end.</summary>
internal sealed class RunStatistics
{
    private readonly Session _session;

    internal RunStatistics(Session session, TimeSpan elapsed)
    {
        _session = session;
        HostSeconds = elapsed.TotalSeconds;
        foreach (Cpu cpu in session.Machine.Cpus)
        {
            Instructions += cpu.Instructions;
            Cycles += cpu.Cycles;
            Waiting += cpu.Timing.WaitCycles;
            Charged += cpu.Timing.ChargedCycles;
            Exceptions += cpu.ExceptionEntries;
        }
    }

    /// <summary>The CPUs.</summary>
    internal IReadOnlyList<Cpu> Cpus => _session.Machine.Cpus;

    /// <summary>Instructions of all CPUs.</summary>
    internal ulong Instructions { get; }

    /// <summary>Cycles of all CPUs, waiting included.</summary>
    internal ulong Cycles { get; }

    /// <summary>Cycles in WFI.</summary>
    internal ulong Waiting { get; }

    /// <summary>Cycles charged for bodies in C#.</summary>
    internal ulong Charged { get; }

    /// <summary>Exceptions taken.</summary>
    internal ulong Exceptions { get; }

    /// <summary>Cycles, not waiting: CPU_CYCLES.</summary>
    internal ulong Busy => Cycles - Waiting;

    /// <summary>Switches between tasks.</summary>
    internal ulong Switches => (ulong)_session.Kernel.Scheduler.Switches;

    /// <summary>Seconds that the host took.</summary>
    internal double HostSeconds { get; }

    /// <summary>Blocks that the portable engine decoded.</summary>
    internal ulong TranslatedBlocks => _session.Machine.TranslatedBlocks;

    /// <summary>What the lockstep checker compared, or null.</summary>
    internal Emulator.Engine.EngineCheck? Check => _session.Machine.Check;

    /// <summary>Whether the model counts more than cycles and instructions.</summary>
    internal bool CountsEvents => Cpus[0].Timing.CountsEvents;

    /// <summary>Events that the model counts.</summary>
    internal IEnumerable<PmuEvent> Events => PmuEvent.All.Where(e => CountsEvents || e.Number is PmuEvent.CpuCycles or PmuEvent.InstRetired);

    /// <summary>An event over all CPUs at one exception level.</summary>
    internal ulong Count(PmuEvent e, int el)
    {
        ulong sum = 0;
        foreach (Cpu cpu in Cpus)
            sum += e.Count(cpu.Timing.Counters(el));
        return sum;
    }

    /// <summary>Cycles of a cause over all CPUs at one exception level.</summary>
    internal ulong Count(CycleCause cause, int el)
    {
        ulong sum = 0;
        foreach (Cpu cpu in Cpus)
            sum += cpu.Timing.Counters(el).Causes[(int)cause];
        return sum;
    }
}
