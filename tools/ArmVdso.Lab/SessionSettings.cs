using ArmVdso.Emulator;
using ArmVdso.Emulator.Timing;
using ArmVdso.Kernel.Configuration;

namespace ArmVdso.Lab;

/// <summary>The settings of one run.</summary>
internal sealed record SessionSettings
{
    internal EngineKind Engine { get; init; }

    internal bool MemoisedTiming { get; init; } = true;

    internal int Cpus { get; init; } = 2;

    internal string Cpu { get; init; } = "max";

    internal string Core { get; init; } = "cortex-a53";

    internal string Vdso { get; init; } = "per-cpu";

    internal KernelConfiguration Kernel { get; init; } = KernelConfiguration.ForCore(CoreModel.Load("cortex-a53"));

    internal string? Root { get; init; }

    internal IReadOnlyList<Bind> Binds { get; init; } = [];

    internal IReadOnlyList<string> Environment { get; init; } = [];

    internal string Argv0 { get; init; } = "";

    internal string Cwd { get; init; } = "/";

    internal uint Uid { get; init; }

    internal uint Gid { get; init; }

    internal int FirstPid { get; init; } = 100;

    internal CounterFault CounterFault { get; init; }

    internal IReadOnlyList<(ulong At, ulong Length)> Suspends { get; init; } = [];

    internal ulong MemoryBytes { get; init; } = 2UL << 30;

    internal int VaBits { get; init; } = 39;

    internal ulong SliceNs { get; init; } = 4_000_000;

    internal ulong Quantum { get; init; } = 1000;

    internal ulong Seed { get; init; }

    internal ulong PagePlacement { get; init; }

    internal long Epoch { get; init; } = 1598313600;

    /// <summary>Clock in Hz; 0: the timing model's.</summary>
    internal ulong ClockHz { get; init; }

    internal ulong MaxCycles { get; init; }

    internal ulong TimeoutSeconds { get; init; }

    /// <summary>EL0 may use the performance monitors.</summary>
    internal bool UserMonitors { get; init; }
}
