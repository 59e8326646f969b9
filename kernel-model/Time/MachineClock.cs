namespace ArmVdso.Kernel.Time;

/// <summary>The machine's time where EL1 code has called the model: the CPU that called, and its system counter.</summary>
public sealed class MachineClock(Machine machine)
{
    /// <summary>CONFIG_HZ.</summary>
    public const int Hz = 250;

    /// <summary>Length of a tick in ns.</summary>
    public const ulong TickNs = 1_000_000_000 / Hz;

    /// <summary>CPU whose instruction called the model; null outside of calls.</summary>
    public Cpu? Active { get; internal set; }

    /// <summary>The system counter now: the calling CPU's, else that of the CPU which is farthest.</summary>
    public ulong Now => Active?.Counter() ?? machine.Cpus.Max(c => c.Counter());

    /// <summary>ns of a number of cycles.</summary>
    public ulong NsOfCycles(ulong cycles) => (ulong)((UInt128)cycles * 1_000_000_000 / machine.ClockFrequency);

    /// <summary>Cycles of a number of ns, rounded up.</summary>
    public ulong CyclesOfNs(ulong ns) => (ulong)(((UInt128)ns * machine.ClockFrequency + 999_999_999) / 1_000_000_000);

    /// <summary>Cycles as USER_HZ (100) ticks.</summary>
    public ulong ClockTicks(ulong cycles) => (ulong)((UInt128)cycles * 100 / machine.ClockFrequency);
}
