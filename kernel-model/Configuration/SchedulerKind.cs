namespace ArmVdso.Kernel.Configuration;

/// <summary>How the kernel model chooses which task runs where.</summary>
public enum SchedulerKind
{
    /// <summary>One queue for all CPUs in the order of arrival, equal slices: tasks change CPUs often.</summary>
    Arrival,

    /// <summary>A queue for each CPU, weights and real-time priorities, as Linux 6.12 has them.</summary>
    Eevdf,
}
