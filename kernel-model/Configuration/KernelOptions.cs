namespace ArmVdso.Kernel.Configuration;

/// <summary>A host folder or file that the guest may see at a path of its own.</summary>
/// <param name="HostPath">Path on the host.</param>
/// <param name="GuestPath">Absolute path in the guest.</param>
/// <param name="ReadOnly">Whether guest writes are refused (EROFS); otherwise they reach the host.</param>
public sealed record Bind(string HostPath, string GuestPath, bool ReadOnly);

/// <summary>What a run is given. Everything that the guest can observe follows from it.</summary>
public sealed record KernelOptions
{
    /// <summary>Host folder that is the guest's root, read-only beneath an in-memory layer; null: an empty in-memory root.</summary>
    public string? RootDirectory { get; init; }

    /// <summary>Further host folders.</summary>
    public IReadOnlyList<Bind> Binds { get; init; } = [];

    /// <summary>Host file that is the program, shown read-only at <see cref="ProgramGuestPath"/>; null when it is inside the
    /// root.</summary>
    public string? ProgramHostPath { get; init; }

    /// <summary>Guest path of the program.</summary>
    public string ProgramGuestPath { get; init; } = "";

    /// <summary>What AT_EXECFN says of a program of the host; empty: its guest path. Where the program lies on the host shall change
    /// no cycle, so it is not told.</summary>
    public string ProgramName { get; init; } = "";

    /// <summary>Host folder that is shown at its own path, with writes in memory; null: none.</summary>
    public string? CallerFolder { get; init; }

    /// <summary>Guest path at which <see cref="CallerFolder"/> is shown a second time, with the program in it; empty: nowhere.</summary>
    public string ProgramFolder { get; init; } = "";

    /// <summary>argv.</summary>
    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>envp, as NAME=VALUE.</summary>
    public IReadOnlyList<string> Environment { get; init; } = [];

    /// <summary>Working directory in the guest.</summary>
    public string WorkingDirectory { get; init; } = "/";

    /// <summary>Real user and group of the first process.</summary>
    public uint Uid { get; init; }

    /// <inheritdoc cref="Uid"/>
    public uint Gid { get; init; }

    /// <summary>PID of the first process.</summary>
    public int FirstPid { get; init; } = 100;

    /// <summary>Bits of user virtual address: 39 or 48.</summary>
    public int VaBits { get; init; } = 39;

    /// <summary>The vDSO design: NAME or NAME,fix=A+B.</summary>
    public string VdsoDesign { get; init; } = "per-cpu";

    /// <summary>Configuration of the kernel's entry and exit code.</summary>
    public KernelConfiguration Kernel { get; init; } = KernelConfiguration.Default;

    /// <summary>What is wrong with the counter as EL0 reads it.</summary>
    public CounterFault CounterFault { get; init; }

    /// <summary>When the machine is suspended, and for how long: times of CLOCK_MONOTONIC in ns.</summary>
    public IReadOnlyList<(ulong At, ulong Length)> Suspends { get; init; } = [];

    /// <summary>CLOCK_REALTIME at the start, in seconds since 1970. Default: the day of the talk.</summary>
    public long EpochSeconds { get; init; } = 1598313600;

    /// <summary>CLOCK_MONOTONIC at the start, in ns: how long the machine has been up.</summary>
    public ulong UptimeNs { get; init; }

    /// <summary>NUMA nodes that the CPUs are spread over, in blocks of neighbours; all memory is the first one's.</summary>
    public int Nodes { get; init; } = 1;

    /// <summary>How tasks are chosen.</summary>
    public SchedulerKind Scheduler { get; init; }

    /// <summary>Time slice of the scheduler, in ns.</summary>
    public ulong SliceNs { get; init; } = 4_000_000;

    /// <summary>Whether <see cref="SliceNs"/> is the length of requests of <see cref="SchedulerKind.Eevdf"/>, too, which are Linux's
    /// otherwise.</summary>
    public bool HasSlice { get; init; }

    /// <summary>Seed of everything random that the guest sees.</summary>
    public ulong Seed { get; init; }

    /// <summary>Order in which RAM pages are handed out: 0 ascending, else the seed of a random order.</summary>
    public ulong PagePlacement { get; init; }

    /// <summary>nodename of uname.</summary>
    public string HostName { get; init; } = "guest";

    /// <summary>Whether EL0 may use the performance monitors itself (PMUSERENR_EL0), with the cycle counter running from boot.</summary>
    public bool UserMonitors { get; init; }

    /// <summary>Whether every system call goes to the model, for strace.</summary>
    public bool TraceSyscalls { get; init; }

    /// <summary>How much of the host a guest may take beyond its RAM.</summary>
    public GuestLimits Limits { get; init; } = new();

    /// <summary>Which standard streams of the host are terminals: bit n is descriptor n.</summary>
    public int TerminalStreams { get; init; }

    /// <summary>Rows and columns of the host's terminal.</summary>
    public (ushort Rows, ushort Columns) TerminalSize { get; init; } = (24, 80);
}
