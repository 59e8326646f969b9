namespace ArmVdso.Lab.Boot;

/// <summary>Which functions an event can say something about.</summary>
[Flags]
internal enum BootedKinds
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>Clocks.</summary>
    Clock = 1,

    /// <summary>clock_getres.</summary>
    Resolution = 2,

    /// <summary>getrandom.</summary>
    Random = 4,

    /// <summary>IDs of the caller, and its CPU.</summary>
    Number = 8,

    /// <summary>All.</summary>
    All = 15,
}

/// <summary>What a booted kernel does in the middle of a call, on behalf of a process of Guests/interrupted.c: a byte that comes in on the
/// console makes the first one do so, whose interrupt falls between two instructions; of an <see cref="Elsewhere"/> one the victim's parent
/// reads it where the victim's CPU stands still. All that follows is the kernel's.</summary>
/// <param name="Name">In tables and IDs.</param>
/// <param name="Meaning">One line for the legend.</param>
/// <param name="Command">The byte.</param>
/// <param name="Seen">Whether the calls show that it happened.</param>
internal sealed record BootedEvent(string Name, string Meaning, char Command, Func<CallRecord, bool> Seen)
{
    /// <summary>CPUs that it needs.</summary>
    internal int Cpus { get; init; } = 1;

    /// <summary>The functions that it is explored for.</summary>
    internal BootedKinds For { get; init; } = BootedKinds.All;

    /// <summary>Functions that rightly ask the kernel afterwards: what they need is gone.</summary>
    internal BootedKinds Exhausts { get; init; }

    /// <summary>Whether the victim's parent does it on another CPU, while the victim's stands still between two instructions.</summary>
    internal bool Elsewhere { get; init; }

    /// <summary>How the thread lives before.</summary>
    internal VictimLife Life { get; init; }

    /// <summary>What the kernel must have.</summary>
    internal KernelParts Needs { get; init; }

    /// <summary>All, in the order of the table.</summary>
    internal static IReadOnlyList<BootedEvent> All { get; } =
    [
        new("preempt", "the console's interrupt: a thread of the kernel and then another process run on this CPU, then this thread again",
            'p', r => r.Begun > 0),
        new("tick", "the same; the other process stops this one (SIGSTOP) until the kernel has updated the clocks, two ticks later",
            't', r => r.Coarse.After > r.Coarse.Before),
        new("settime", "the same; the other process sets CLOCK_REALTIME by +1,000,000 s", 's', r => r.Begun > 0),
        new("signal", "the same; the other process sends a signal, whose handler calls the function too", 'k', Inside),
        new("migrate", "the same; the other process moves this thread to another CPU (sched_setaffinity), where it goes on",
            'm', r => r.Cpu != 0) { Cpus = 2 },
        new("reseed", "the same; the other process has the kernel seed its random number generator anew", 'r', r => r.Begun > 0)
        {
            For = BootedKinds.Random,
            Exhausts = BootedKinds.Random,
        },
        new("setresuid", "signal; the handler changes the thread's user IDs, then calls the function", 'u', Inside)
        {
            For = BootedKinds.Number,
        },
        new("setresgid", "the same with group IDs", 'g', Inside) { For = BootedKinds.Number },
        new("setsid", "signal; the handler makes the process the leader of a session, then calls the function", 'l', Inside)
        {
            For = BootedKinds.Number,
        },
        new("setpgid", "this CPU stands still; on another one the parent process puts this process into another group", 'q', Elsewhen)
        {
            Cpus = 2,
            For = BootedKinds.Number,
            Elsewhere = true,
        },
        new("reparent", "this CPU stands still; on another one the parent process exits", 'd', Elsewhen)
        {
            Cpus = 2,
            For = BootedKinds.Number,
            Elsewhere = true,
        },
        new("fork", "signal; the handler forks, and the child comes back from the interrupted call too, on another CPU where there is one",
            'f', r => r.Begun > 0 && r.HasChild),
        new("vfork", "signal; the handler vforks, and the child calls the function", 'v', Inside),
        new("threads", "signal; the handler starts a thread, on another CPU where there is one, which calls the function", 'h', Inside),
        new("exec", "signal; the handler starts another program; its first call is examined", 'e', Inside)
        {
            Exhausts = BootedKinds.Random,
        },
        new("pidns", "preempt; a process of another PID namespace runs too, and calls the function", 'o', Inside)
        {
            For = BootedKinds.Number,
            Needs = KernelParts.PidNamespaces,
        },
        new("userns", "signal; the handler forks; the child enters a user namespace (unshare), then calls the function", 'x', Inside)
        {
            For = BootedKinds.Number,
            Needs = KernelParts.UserNamespaces,
        },
        new("setns", "signal; the handler enters another process' user namespace (setns), then calls the function", 'y', Inside)
        {
            For = BootedKinds.Number,
            Needs = KernelParts.UserNamespaces,
        },
        new("idmap", "this CPU stands still; on another one uid_map and gid_map are written, of a namespace where no ID had a number",
            'i', Elsewhen)
        {
            Cpus = 2,
            For = BootedKinds.Number,
            Needs = KernelParts.UserNamespaces,
            Elsewhere = true,
            Life = VictimLife.Unmapped,
        },
        new("newns", "fork, into new user and PID namespaces", 'n', r => r.Begun > 0 && r.HasChild)
        {
            Needs = KernelParts.UserNamespaces | KernelParts.PidNamespaces,
        },
        new("timens", "signal; the handler forks; a child of the child, in a new time namespace with offsets, calls the function",
            'z', Inside) { Needs = KernelParts.TimeNamespaces },
        new("setns-time", "signal; the handler enters another process' time namespace (setns), then calls the function", 'j', Inside)
        {
            Needs = KernelParts.TimeNamespaces,
        },
    ];

    // A program that another takes the place of does not come back.
    private static bool Inside(CallRecord r) => r.Handled > 0 && (r.Begun > 0 || !r.Returned);

    private static bool Elsewhen(CallRecord r) => r.Begun > 0 && r.Done > 0;
}
