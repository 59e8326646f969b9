namespace ArmVdso.Kernel.Tasks;

/// <summary>Runnable tasks that wait for a CPU, and who is next.</summary>
internal interface IRunQueues
{
    /// <summary>Those that wait, in the order in which they get a CPU when nothing else happens.</summary>
    IReadOnlyList<KernelTask> Waiting { get; }

    /// <summary>How many.</summary>
    int Count { get; }

    /// <summary>Whether a task waits.</summary>
    bool Contains(KernelTask task);

    /// <summary>A task begins to wait.</summary>
    /// <param name="task">The task.</param>
    /// <param name="idle">A CPU without a task that may run it; -1: there is none.</param>
    /// <returns>The CPU that has to look again now; -1: none.</returns>
    int Add(KernelTask task, int idle);

    /// <summary>A task waits no longer.</summary>
    /// <returns>Whether it did.</returns>
    bool Remove(KernelTask task);

    /// <summary>Whether somebody waits whom a CPU would run.</summary>
    bool WaitsFor(int cpu);

    /// <summary>Whom a CPU runs next.</summary>
    /// <param name="cpu">The CPU.</param>
    /// <param name="previous">Its task.</param>
    /// <param name="stays">Whether that may go on.</param>
    /// <returns>One that waited and does not any more, or <paramref name="previous"/>, which goes on; null: nobody.</returns>
    KernelTask? Next(int cpu, KernelTask previous, bool stays);

    /// <summary>A task begins to run, or goes on.</summary>
    /// <param name="task">The task, on its CPU.</param>
    /// <param name="now">Monotonic time in ns.</param>
    /// <returns>When it has to be looked at again, if somebody waits then.</returns>
    ulong BeginSlice(KernelTask task, ulong now);

    /// <summary>The time that <see cref="BeginSlice"/> said has come.</summary>
    /// <returns>Null: somebody else must be chosen; else when to look again.</returns>
    ulong? SliceEnded(KernelTask task, ulong now);

    /// <summary>Somebody has come to wait.</summary>
    /// <param name="task">A task that runs.</param>
    /// <param name="now">Monotonic time in ns.</param>
    /// <returns>When it has to be looked at again.</returns>
    ulong Refresh(KernelTask task, ulong now);

    /// <summary>A running task gives way (sched_yield).</summary>
    /// <returns>Whether another one must be chosen.</returns>
    bool Yield(KernelTask task);

    /// <summary>What sched_getattr says of the length of a fair task's requests, in ns.</summary>
    ulong RequestOf(KernelTask task);

    /// <summary>What sched_rr_get_interval says of a fair task, in ns.</summary>
    ulong IntervalOf(KernelTask task);

    /// <summary>Policy, priority or weight of a task are about to change: its time so far counts as it was.</summary>
    void Settle(KernelTask task);

    /// <summary>They have changed.</summary>
    /// <returns>The CPU that has to look again now; -1: none.</returns>
    int Changed(KernelTask task);

    /// <summary>A tick: who has too many gives to who has none.</summary>
    /// <returns>CPUs that have to look again.</returns>
    IEnumerable<int> Balance();
}
