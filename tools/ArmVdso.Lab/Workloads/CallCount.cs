namespace ArmVdso.Lab.Workloads;

/// <summary>Calls of one system call: how often, and what they cost. Cycles are those of the CPU between the exception and the
/// return to EL0, without the time that the task slept or another task ran.</summary>
public sealed class CallCount
{
    /// <summary>System calls made (exceptions taken).</summary>
    public long Calls { get; internal set; }

    /// <summary>Of them, those that the vDSO made because it could not answer.</summary>
    public long Fallbacks { get; internal set; }

    /// <summary>Of them, those during which the task slept or was preempted.</summary>
    public long Switched { get; internal set; }

    /// <summary>Calls of the vDSO function of that name; those that fell back are among <see cref="Calls"/> too.</summary>
    public long VdsoCalls { get; internal set; }

    /// <summary>Cycles at EL1.</summary>
    public ulong Cycles { get; internal set; }

    /// <summary>Of them, charged for bodies in C#, not executed.</summary>
    public ulong Charged { get; internal set; }

    /// <summary>Calls of the vDSO that it answered itself.</summary>
    public long Served => VdsoCalls - Fallbacks;

    internal void Add(CallCount other)
    {
        Calls += other.Calls;
        Fallbacks += other.Fallbacks;
        Switched += other.Switched;
        VdsoCalls += other.VdsoCalls;
        Cycles += other.Cycles;
        Charged += other.Charged;
    }
}

/// <summary>One process of a workload.</summary>
public sealed class ProcessCalls
{
    internal ProcessCalls(int pid) => Pid = pid;

    /// <summary>Its PID.</summary>
    public int Pid { get; }

    /// <summary>Its last name (comm).</summary>
    public string Name { get; internal set; } = "";

    /// <summary>Calls by number.</summary>
    public IReadOnlyDictionary<int, CallCount> Calls => Counts;

    internal SortedDictionary<int, CallCount> Counts { get; } = [];
}
