using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Tasks;

/// <summary>What a task may call (struct seccomp): nothing is forbidden, a few calls are allowed, or filters decide.</summary>
internal enum SeccompMode
{
    /// <summary>No rule.</summary>
    Disabled,

    /// <summary>read, write, exit and rt_sigreturn.</summary>
    Strict,

    /// <summary>Filters.</summary>
    Filter,
}

/// <summary>A seccomp filter and those before it, all of which are asked (struct seccomp_filter in kernel/seccomp.c).</summary>
internal sealed class SeccompFilter(ClassicBpf program, SeccompFilter? previous, uint flags)
{
    internal const uint KillThread = 0, KillProcess = 0x80000000, Trap = 0x30000, Error = 0x50000, Notify = 0x7fc00000, Trace = 0x7ff00000,
        Log = 0x7ffc0000, Allow = 0x7fff0000, ActionMask = 0xffff0000;

    /// <summary>SECCOMP_FILTER_FLAG_*.</summary>
    internal const uint FlagTsync = 1, FlagLog = 2, FlagSpecAllow = 4, FlagNewListener = 8, FlagTsyncEsrch = 16, FlagWaitKillable = 32;

    /// <summary>MAX_INSNS_PER_PATH: instructions of all filters, four for each filter besides.</summary>
    internal const int MostInstructions = 32768, PerFilter = 4;

    /// <summary>struct seccomp_data.</summary>
    internal const int DataSize = 64;

    private int _users;

    /// <summary>The program.</summary>
    internal ClassicBpf Program => program;

    /// <summary>The one that was there before; null: none.</summary>
    internal SeccompFilter? Previous => previous;

    /// <summary>Once a listener has taken a call, only a deadly signal interrupts it.</summary>
    internal bool WaitsKillable => (flags & FlagWaitKillable) != 0;

    /// <summary>SECCOMP_FILTER_FLAG_LOG.</summary>
    internal bool Logs => (flags & FlagLog) != 0;

    /// <summary>Who decides its SECCOMP_RET_USER_NOTIF; null: nobody.</summary>
    internal SeccompListener? Listener { get; set; }

    /// <summary>Whether a task is under it.</summary>
    internal bool IsUsed => _users > 0;

    /// <summary>It and all before it, newest first.</summary>
    internal static IEnumerable<SeccompFilter> Chain(SeccompFilter? newest)
    {
        for (SeccompFilter? filter = newest; filter is not null; filter = filter.Previous)
            yield return filter;
    }

    /// <summary>A task, or a filter after it, has it.</summary>
    internal SeccompFilter Use()
    {
        _users++;
        return this;
    }

    /// <summary>A task or filter has it no more (__seccomp_filter_orphan): a listener that has nobody left hears of it.</summary>
    internal static void Leave(SeccompFilter? filter)
    {
        for (; filter is not null && --filter._users == 0; filter = filter.Previous)
            filter.Listener?.Source.Notify(PollBits.Hup);
    }

    /// <summary>seccomp_run_filters: the most restrictive answer, and the newest filter that gives it.</summary>
    /// <param name="newest">The task's.</param>
    /// <param name="data">struct seccomp_data.</param>
    /// <param name="match">Who decides.</param>
    /// <param name="executed">Instructions of the programs.</param>
    internal static uint Decide(SeccompFilter newest, ReadOnlySpan<byte> data, out SeccompFilter match, out int executed)
    {
        uint answer = Allow;
        match = newest;
        executed = 0;
        foreach (SeccompFilter filter in Chain(newest))
        {
            uint one = filter.Program.Run(data, ref executed);
            if ((int)(one & ActionMask) < (int)(answer & ActionMask))
                (answer, match) = (one, filter);
        }
        return answer;
    }
}
