using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.Delivery;
using ArmVdso.Kernel.Entry;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Perf;
using ArmVdso.Kernel.Processes;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Time;
using ArmVdso.Kernel.Vdso;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>The parts of a kernel that system calls work on: what the bodies may reach, and nothing else. Made once; a body sees them as
/// members of its <see cref="SyscallContext"/>.</summary>
internal sealed class SyscallParts
{
    /// <summary>The machine.</summary>
    public required Machine Machine { get; init; }

    /// <summary>Pages of RAM.</summary>
    public required PageAllocator Pages { get; init; }

    /// <summary>Everything random.</summary>
    public required DeterministicRandom Random { get; init; }

    /// <summary>The calling CPU and its time.</summary>
    public required MachineClock Clock { get; init; }

    /// <summary>Pending timers.</summary>
    public required KernelTimers Timers { get; init; }

    /// <summary>Clocks.</summary>
    public required Timekeeper Timekeeper { get; init; }

    /// <summary>When the generator of random numbers is seeded.</summary>
    public required RandomSeeding Seeding { get; init; }

    /// <summary>The guest's files.</summary>
    public required Vfs Vfs { get; init; }

    /// <summary>Which tasks there are.</summary>
    public required TaskTable Tasks { get; init; }

    /// <summary>Records in guest memory.</summary>
    public required TaskRecords Records { get; init; }

    /// <summary>The first namespaces, and others.</summary>
    public required NamespaceTable Namespaces { get; init; }

    /// <summary>Whether EL0 may read the counter.</summary>
    public required CounterAccess Counter { get; init; }

    /// <summary>Who runs where.</summary>
    public required Scheduler Scheduler { get; init; }

    /// <summary>CPU time of tasks.</summary>
    public required CpuAccounting Accounting { get; init; }

    /// <summary>Waiters on words of user memory.</summary>
    public required Futexes Futexes { get; init; }

    /// <summary>The vDSO design, which hears of changes.</summary>
    public required VdsoDesign Design { get; init; }

    /// <summary>Sends signals.</summary>
    public required SignalDelivery Signals { get; init; }

    /// <summary>Stops of traced tasks.</summary>
    public required TraceStops Traces { get; init; }

    /// <summary>Makes perf events.</summary>
    public required PerfEvents Perf { get; init; }

    /// <summary>Tasks and the namespaces that they are in.</summary>
    public required TaskNamespaces TaskNamespaces { get; init; }

    /// <summary>New tasks.</summary>
    public required Fork Fork { get; init; }

    /// <summary>New programs.</summary>
    public required Exec Exec { get; init; }

    /// <summary>The end of tasks.</summary>
    public required TaskExit Exit { get; init; }

    /// <summary>The end of processes.</summary>
    public required ProcessEnd ProcessEnd { get; init; }

    /// <summary>Frames of signal handlers.</summary>
    public required SignalFrame Frames { get; init; }

    /// <summary>Bytes on their way between a file and the guest, for the call that moves them.</summary>
    public byte[] Chunk { get; } = new byte[IoVector.ChunkSize];

    /// <summary>Longer time slices; null: this kernel has none.</summary>
    public SliceExtension? Slices { get; init; }
}
