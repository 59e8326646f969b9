using ArmVdso.Emulator.Timing.Models;
using ArmVdso.Kernel.Configuration;

namespace ArmVdso.Lab;

/// <summary>The settings of a run: machine, core, vDSO design, kernel, the guest's files and limits. The same settings and program give
/// the same cycles, to the bit. Values are checked when a run begins.</summary>
public sealed record SessionSettings
{
    /// <summary>Emulated CPUs, 1 to 64.</summary>
    public int Cpus { get; init; } = 2;

    /// <summary>NUMA nodes that the CPUs are spread over, 1 to <see cref="Cpus"/>.</summary>
    public int Nodes { get; init; } = 1;

    /// <summary>Timing model: a name of <see cref="CoreModel.Names"/>, "none" (one cycle an instruction) or a core file.</summary>
    public string Core { get; init; } = "cortex-a53";

    /// <summary>CPU that the program finds (ID registers, HWCAP): a name of <see cref="CpuProfile.Names"/> or a file; null: the one that
    /// <see cref="Core"/> names.</summary>
    public string? Cpu { get; init; }

    /// <summary>What executes instructions, the fastest that the host has unless told otherwise: results and cycles are the same.</summary>
    public EngineKind Engine { get; init; } = Machine.FastestEngine;

    /// <summary>Whether schedules of blocks are remembered; cycles are the same.</summary>
    public bool MemoisedTiming { get; init; } = true;

    /// <summary>vDSO design, as <see cref="VdsoDesigns.Create"/> takes it: "per-cpu", "none", "stock:FILE" and others.</summary>
    public string Vdso { get; init; } = "per-cpu";

    /// <summary>Configuration of the kernel's entry and exit; null: what Linux decides on <see cref="Core"/>.</summary>
    public KernelConfiguration? Kernel { get; init; }

    /// <summary>Host folder that is the guest's root, only read; null: none.</summary>
    public string? Root { get; init; }

    /// <summary>Root in which a bare program name is looked for when there is no <see cref="Root"/> and no such file; null: none.</summary>
    public string? FallbackRoot { get; init; }

    /// <summary>Host files and folders shown in the guest.</summary>
    public IReadOnlyList<Bind> Binds { get; init; } = [];

    /// <summary>Environment of the program, NAME=VALUE each. The host's is not passed.</summary>
    public IReadOnlyList<string> Environment { get; init; } = DefaultEnvironment;

    /// <summary>The environment that a login on a Debian system gives.</summary>
    public static IReadOnlyList<string> DefaultEnvironment { get; } =
    [
        "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8", "TERM=xterm", "TZ=UTC",
        "USER=root",
    ];

    /// <summary>argv[0]; empty: the program's name.</summary>
    public string Argv0 { get; init; } = "";

    /// <summary>Working directory in the guest.</summary>
    public string Cwd { get; init; } = "/";

    /// <summary>Host folder that a program of the host finds itself in, as under qemu-user: it is shown at its own path, what is written
    /// there stays in memory; null: none.</summary>
    public string? CallerFolder { get; init; }

    /// <summary>User ID of the program.</summary>
    public uint Uid { get; init; }

    /// <summary>Group ID of the program.</summary>
    public uint Gid { get; init; }

    /// <summary>PID of the program; 1 makes it the reaper of orphans.</summary>
    public int FirstPid { get; init; } = 100;

    /// <summary>Whether EL0 may use the performance monitors; otherwise that is SIGILL.</summary>
    public bool UserMonitors { get; init; }

    /// <summary>What is wrong with the counter as EL0 reads it.</summary>
    public CounterFault CounterFault { get; init; }

    /// <summary>Suspends of the machine: when after boot, and for how long, in ns.</summary>
    public IReadOnlyList<(ulong At, ulong Length)> Suspends { get; init; } = [];

    /// <summary>Guest RAM in bytes.</summary>
    public ulong MemoryBytes { get; init; } = 2UL << 30;

    /// <summary>Bits of user address: 39 or 48.</summary>
    public int VaBits { get; init; } = 39;

    /// <summary>How the kernel chooses which task runs where; null: as Linux (EEVDF), or, where a time slice was chosen and for the guests
    /// of the laboratory, in the order of arrival: there tasks are to change CPUs often.</summary>
    public SchedulerKind? Scheduler { get; init; }

    /// <summary>Time slice of the scheduler in ns; null: 4 ms, and <see cref="ShortSliceNs"/> for the guests of the laboratory.</summary>
    public ulong? SliceNs { get; init; }

    /// <summary>The time slice of programs in ns.</summary>
    public const ulong UsualSliceNs = 4_000_000;

    /// <summary>The time slice of the guest of comparisons in ns: short, so that preemption and migration happen often.</summary>
    public const ulong ShortSliceNs = 20_000;

    /// <summary>Cycles that a CPU may run ahead of the others.</summary>
    public ulong Quantum { get; init; } = 1000;

    /// <summary>Seed of all that is random in the guest.</summary>
    public ulong Seed { get; init; }

    /// <summary>Order in which pages of RAM are used: 0 ascending, else the seed of a random one. Cycles differ: pages compete for cache
    /// lines.</summary>
    public ulong PagePlacement { get; init; }

    /// <summary>CLOCK_REALTIME at the start, in seconds since 1970.</summary>
    public long Epoch { get; init; } = 1598313600;

    /// <summary>CLOCK_MONOTONIC at the start, in ns.</summary>
    public ulong UptimeNs { get; init; }

    /// <summary>Clock in Hz; 0: the timing model's.</summary>
    public ulong ClockHz { get; init; }

    /// <summary>How much of the host a guest may take beyond its RAM.</summary>
    public GuestLimits Limits { get; init; } = new();

    /// <summary>Cycles after which a run ends with <see cref="LabFault.LimitReached"/>; 0: no limit.</summary>
    public ulong MaxCycles { get; init; }

    /// <summary>Seconds of the host after which a run ends with <see cref="LabFault.LimitReached"/>; 0: no limit.</summary>
    public ulong TimeoutSeconds { get; init; }

    /// <summary>The CPU profile of a run: <see cref="Cpu"/>, or the one that the core's file names.</summary>
    /// <exception cref="LabException">There is no such core.</exception>
    public string CpuProfileName => Cpu ?? Model().Profile;

    /// <summary>The kernel configuration of a run: <see cref="Kernel"/>, or what Linux decides on the core.</summary>
    /// <exception cref="LabException">There is no such core, or its file names an unknown configuration.</exception>
    public KernelConfiguration KernelConfiguration
    {
        get
        {
            if (Kernel is not null)
                return Kernel;
            try
            {
                return KernelConfiguration.ForCore(Model());
            }
            catch (CoreModelException e)
            {
                throw new LabException(e.Message, LabFault.Input);
            }
        }
    }

    /// <summary>The timing model.</summary>
    /// <exception cref="LabException">There is no such core.</exception>
    internal CoreModel Model()
    {
        try
        {
            return CoreModel.Load(Core);
        }
        catch (CoreModelException e)
        {
            throw new LabException(e.Message, LabFault.Input);
        }
    }

    /// <summary>The design.</summary>
    /// <exception cref="LabException">There is no such design.</exception>
    internal VdsoDesign Design()
    {
        try
        {
            return VdsoDesigns.Create(Vdso);
        }
        catch (ArgumentException e)
        {
            throw new LabException(e.Message, LabFault.Input);
        }
    }

    /// <summary>Checks the names that the settings have.</summary>
    /// <exception cref="LabException">There is no such core, kernel configuration of it, or design.</exception>
    internal void Validate()
    {
        _ = Model();
        _ = KernelConfiguration;
        _ = Design();
        if (Nodes < 1 || Nodes > Cpus)
            throw new LabException($"nodes: {Nodes} for {Cpus} CPUs; each has one at least", LabFault.Input);
    }

    /// <summary>The same on so many CPUs; of nodes each has one CPU at least.</summary>
    internal SessionSettings OnCpus(int cpus) => this with { Cpus = cpus, Nodes = Math.Min(Nodes, cpus) };

    /// <summary>The same core under another file: profile and kernel stay what they are.</summary>
    internal SessionSettings OnCore(string core) => this with { Core = core, Cpu = CpuProfileName, Kernel = KernelConfiguration };

    /// <summary>Settings for a guest of the laboratory: short time slices unless one was chosen.</summary>
    internal SessionSettings ForOurGuest() => this with { SliceNs = SliceNs ?? ShortSliceNs };
}
