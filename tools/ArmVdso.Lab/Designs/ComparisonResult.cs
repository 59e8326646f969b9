namespace ArmVdso.Lab.Designs;

/// <summary>What the calls of one function in one way cost and answered.</summary>
/// <param name="Cycles">Modelled cycles of a call: the median of the undisturbed ones, without the loop around them.</param>
/// <param name="Instructions">Executed instructions of a call, likewise.</param>
/// <param name="Calls">Calls that were made.</param>
/// <param name="Fallbacks">Of them, calls of the vDSO that made the system call.</param>
/// <param name="Wrong">Of them, answers that the kernel's own records contradict.</param>
public sealed record CallFigures(ulong Cycles, ulong Instructions, long Calls, long Fallbacks, long Wrong)
{
    /// <summary>What was seen of the wrong ones.</summary>
    public WrongAnswers Seen { get; init; } = new(0, 0);
}

/// <summary>What was seen of wrong answers: no cause, only what happened.</summary>
/// <param name="Interrupted">An interrupt or a switch came between the call before and the answer.</param>
/// <param name="OfAnother">The answer is what the kernel says of another live task.</param>
public sealed record WrongAnswers(long Interrupted, long OfAnother);

/// <summary>Cycles with all calibrated system instructions at the low and at the high ends of their ranges.</summary>
/// <param name="Low">At the low ends.</param>
/// <param name="High">At the high ends.</param>
public sealed record CycleRange(ulong Low, ulong High);

/// <summary>One function, by system call and by vDSO.</summary>
/// <param name="Name">Name of the function; clock_gettime by clock.</param>
/// <param name="Syscall">By SVC.</param>
/// <param name="Vdso">Through the vDSO; null when the design does not serve it.</param>
/// <param name="SyscallRange">By SVC at the ends of the calibrated ranges; null for a core that is a file or none.</param>
/// <param name="VdsoRange">The same through the vDSO.</param>
public sealed record FunctionComparison(
    string Name, CallFigures Syscall, CallFigures? Vdso, CycleRange? SyscallRange, CycleRange? VdsoRange);

/// <summary>What one design makes of each function.</summary>
public sealed record ComparisonResult
{
    /// <summary>Settings of the run.</summary>
    public required SessionSettings Settings { get; init; }

    /// <summary>Threads of the guest.</summary>
    public required int Threads { get; init; }

    /// <summary>CPUs on which calls were made.</summary>
    public required int CpusSeen { get; init; }

    /// <summary>The functions.</summary>
    public required IReadOnlyList<FunctionComparison> Functions { get; init; }

    /// <summary>Median cycles of a context switch, in __switch_to.</summary>
    public required ulong SwitchCycles { get; init; }

    /// <summary>Median cycles of what the kernel does for a registered rseq area at a switch and on the way to EL0 afterwards; null where
    /// none is registered.</summary>
    public ulong? AreaCycles { get; init; }

    /// <summary>The same without a vDSO; null when the design is "none".</summary>
    public required ulong? SwitchCyclesWithout { get; init; }

    /// <summary>Context switches between tasks of the guest.</summary>
    public required int Switches { get; init; }
}

/// <summary>Shared pages of image and data on a machine with some CPUs, computed from the layout.</summary>
/// <param name="Cpus">CPUs.</param>
/// <param name="Pages">Pages of 4 KiB; null: the design cannot serve so many CPUs.</param>
public sealed record SharedPages(int Cpus, int? Pages);

/// <summary>Pages of a number of processes with a number of threads each, computed from the layout and counted in a run.</summary>
/// <param name="Processes">Processes.</param>
/// <param name="Threads">Threads of each.</param>
/// <param name="Computed">Pages of 4 KiB of all processes together, without the shared ones, by the design's layout.</param>
/// <param name="Counted">The same, counted when all of them were there.</param>
public sealed record ProcessPages(int Processes, int Threads, int Computed, int Counted);

/// <summary>What one design costs and gives.</summary>
public sealed record DesignFigures
{
    /// <summary>The design as it was asked for.</summary>
    public required string Design { get; init; }

    /// <summary>Its name without fixes.</summary>
    public required string Name { get; init; }

    /// <summary>What TPIDRRO_EL0 holds.</summary>
    public required string RegisterMeaning { get; init; }

    /// <summary>Calls through the vDSO with warm caches and preemption, by function; without those that the design does not
    /// serve.</summary>
    public required IReadOnlyDictionary<string, CallFigures> Warm { get; init; }

    /// <summary>The same, single calls with everything in memory.</summary>
    public required IReadOnlyDictionary<string, CallFigures> Cold { get; init; }

    /// <summary>System calls with warm caches while the design is in place, by function.</summary>
    public required IReadOnlyDictionary<string, CallFigures> SyscallsWarm { get; init; }

    /// <summary>The same, single calls with everything in memory.</summary>
    public required IReadOnlyDictionary<string, CallFigures> SyscallsCold { get; init; }

    /// <summary>Median cycles of a context switch, in __switch_to.</summary>
    public required ulong SwitchCycles { get; init; }

    /// <summary>Median cycles of what the kernel does for a registered rseq area at a switch and on the way to EL0 afterwards; null where
    /// none is registered.</summary>
    public ulong? AreaCycles { get; init; }

    /// <summary>Context switches of the run with warm caches.</summary>
    public required int Switches { get; init; }

    /// <summary>Shared pages of image and data, counted.</summary>
    public required int SharedPages { get; init; }

    /// <summary>Shared pages by number of CPUs, computed.</summary>
    public required IReadOnlyList<SharedPages> SharedPagesComputed { get; init; }

    /// <summary>Pages of processes.</summary>
    public required IReadOnlyList<ProcessPages> ProcessPages { get; init; }

    /// <summary>Cycles of a call through the vDSO, caches warm; null when the design does not serve it.</summary>
    public ulong? Cycles(string function) => Warm.GetValueOrDefault(function)?.Cycles;
}

/// <summary>Designs side by side.</summary>
public sealed record DesignsResult
{
    /// <summary>Settings of the runs, but for the design.</summary>
    public required SessionSettings Settings { get; init; }

    /// <summary>Threads of the guest.</summary>
    public required int Threads { get; init; }

    /// <summary>The functions that were asked for.</summary>
    public required IReadOnlyList<string> Functions { get; init; }

    /// <summary>Without a vDSO: what a switch takes anyway, and the system calls alone.</summary>
    public required DesignFigures None { get; init; }

    /// <summary>The designs.</summary>
    public required IReadOnlyList<DesignFigures> Designs { get; init; }

    /// <summary>Cycles that a context switch takes more than without vDSO.</summary>
    public long SwitchAdded(DesignFigures design) => (long)design.SwitchCycles - (long)None.SwitchCycles;

    /// <summary>Cycles that a system call (getpid) takes more than without vDSO.</summary>
    public long SyscallAdded(DesignFigures design) => Syscall(design, "getpid") - Syscall(None, "getpid");

    /// <summary>Cycles that a change of credentials (setresuid) takes more than without vDSO.</summary>
    public long CredentialsAdded(DesignFigures design) => Syscall(design, "setresuid") - Syscall(None, "setresuid");

    private static long Syscall(DesignFigures design, string function) =>
        (long)(design.SyscallsWarm.GetValueOrDefault(function)?.Cycles ?? 0);

    /// <summary>Whether a function's answer is of the task, so that switches pay for it.</summary>
    public static bool NeedsSlot(string function) =>
        !function.StartsWith("clock_", StringComparison.Ordinal) && function != "gettimeofday";

    /// <summary>Calls a switch from which on a design pays; null when it does not serve the function, switches do not pay for it, or it
    /// is no faster.</summary>
    public double? BreakEven(DesignFigures design, string function)
    {
        if (!NeedsSlot(function) || design.Cycles(function) is not { } cycles)
            return null;
        double saved = (double)Syscall(None, function) - cycles;
        return saved <= 0 ? null : Math.Max(0, SwitchAdded(design)) / saved;
    }
}
