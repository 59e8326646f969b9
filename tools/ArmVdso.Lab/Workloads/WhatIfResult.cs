using ArmVdso.Kernel.Syscalls;

namespace ArmVdso.Lab.Workloads;

/// <summary>A call that a design answers, as single calls cost.</summary>
/// <param name="Name">The system call.</param>
/// <param name="Calls">How often the workload made it.</param>
/// <param name="SyscallCycles">Cycles of a call by SVC.</param>
/// <param name="VdsoCycles">Cycles of a call by the design's vDSO.</param>
public sealed record WhatIfGain(string Name, long Calls, ulong SyscallCycles, ulong VdsoCycles)
{
    /// <summary>Cycles that all calls together would save.</summary>
    public long Total => Calls * ((long)SyscallCycles - (long)VdsoCycles);
}

/// <summary>A call that could not be redirected.</summary>
/// <param name="Name">The system call.</param>
/// <param name="Reason">Why.</param>
public sealed record NotRedirected(string Name, string Reason);

/// <summary>The three runs in one placement of pages.</summary>
/// <param name="Before">With the design that it is compared with.</param>
/// <param name="Plain">With the design, calls as they are.</param>
/// <param name="Redirected">With the design, calls redirected to its vDSO.</param>
public sealed record WhatIfRuns(WorkloadRun Before, WorkloadRun Plain, WorkloadRun Redirected)
{
    /// <summary>Cycles that the redirected run saved.</summary>
    public long Net => (long)Before.BusyCycles - (long)Redirected.BusyCycles;

    /// <summary>Whether the redirected run gave the same output and status.</summary>
    public bool SameOutput => Before.OutputHash == Redirected.OutputHash && Before.Status == Redirected.Status;
}

/// <summary>What a workload would save if a design's vDSO answered its calls, less what its context switches would pay.</summary>
public sealed record WhatIfResult
{
    /// <summary>The design.</summary>
    public required string Design { get; init; }

    /// <summary>What it is compared with.</summary>
    public required string Against { get; init; }

    /// <summary>The runs, by placement of pages in RAM; the first is counted in full.</summary>
    public required IReadOnlyList<WhatIfRuns> Runs { get; init; }

    /// <summary>The calls that the design answers.</summary>
    public required IReadOnlyList<WhatIfGain> Gains { get; init; }

    /// <summary>Calls that it answers and that were not redirected.</summary>
    public required IReadOnlyList<NotRedirected> NotRedirected { get; init; }

    /// <summary>Cycles that a switch pays, by the comparison.</summary>
    public required long PaidPerSwitch { get; init; }

    /// <summary>SVC instructions of files that became branches to stubs.</summary>
    public required int Sites { get; init; }

    /// <summary>Patches over all processes.</summary>
    public required long Patched { get; init; }

    /// <summary>SVC instructions that no stub could be placed near.</summary>
    public required long OutOfReach { get; init; }

    /// <summary>The first runs.</summary>
    public WhatIfRuns First => Runs[0];

    /// <summary>Estimate: cycles that calls save.</summary>
    public long Saved => Gains.Sum(g => g.Total);

    /// <summary>Estimate: cycles that switches pay.</summary>
    public long Paid => PaidPerSwitch * First.Before.Switches;

    /// <summary>Estimate: cycles saved, less paid.</summary>
    public long EstimatedNet => Saved - Paid;

    /// <summary>Cycles that the redirected run saved: median over the placements, and the least and the most.</summary>
    public (long Median, long Least, long Most) Measured => Spread(r => r.Net);

    /// <summary>Median, least and most of something over the placements.</summary>
    public (long Median, long Least, long Most) Spread(Func<WhatIfRuns, long> of)
    {
        long[] values = [.. Runs.Select(of).Order()];
        return (values[values.Length / 2], values[0], values[^1]);
    }

    /// <summary>Calls of the design's functions that were still made by SVC in the redirected run.</summary>
    public long StillCalled =>
        First.Redirected.Total().Where(c => Gains.Any(g => g.Name == SyscallTable.NameOf(c.Key))).Sum(c => c.Value.Calls);

    /// <summary>Whether all redirected runs gave the same output and status as those before.</summary>
    public bool SameOutput => Runs.All(r => r.SameOutput);
}
