namespace ArmVdso.Lab.Boot;

/// <summary>What a booted kernel does in the middle of a call, on behalf of the first process of Guests/interrupted.c: a byte that comes in
/// on the console makes it do so. The byte's interrupt falls between two instructions; all that follows is the kernel's.</summary>
/// <param name="Name">In tables and IDs.</param>
/// <param name="Meaning">One line for the legend.</param>
/// <param name="Command">The byte.</param>
/// <param name="Seen">Whether the calls show that it happened.</param>
internal sealed record BootedEvent(string Name, string Meaning, char Command, Func<CallRecord, bool> Seen)
{
    /// <summary>CPUs that it needs.</summary>
    internal int Cpus { get; init; } = 1;

    /// <summary>The only function whose answer it can change, after which it rightly asks the kernel; null: it may be any.</summary>
    internal string? Only { get; init; }

    /// <summary>All, in the order of the table.</summary>
    internal static IReadOnlyList<BootedEvent> All { get; } =
    [
        new("preempt", "the console's interrupt: a thread of the kernel and then another process run on this CPU, then this thread again",
            'p', r => r.Begun > 0),
        new("tick", "the same; the other process stops this one (SIGSTOP) until the kernel has updated the clocks, two ticks later",
            't', r => r.Coarse.After > r.Coarse.Before),
        new("settime", "the same; the other process sets CLOCK_REALTIME by +1,000,000 s", 's', r => r.Begun > 0),
        new("signal", "the same; the other process sends a signal, whose handler calls the function too", 'k', r => r.Handled > 0),
        new("migrate", "the same; the other process moves this thread to another CPU (sched_setaffinity), where it goes on",
            'm', r => r.Cpu != 0) { Cpus = 2 },
        new("reseed", "the same; the other process has the kernel seed its random number generator anew", 'r', r => r.Begun > 0)
        {
            Only = "getrandom",
        },
    ];
}
