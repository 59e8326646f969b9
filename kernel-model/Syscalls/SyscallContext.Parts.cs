using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.Delivery;
using ArmVdso.Kernel.Entry;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Ipc;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Perf;
using ArmVdso.Kernel.Processes;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Time;
using ArmVdso.Kernel.Vdso;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>What a body reaches of the kernel: <see cref="SyscallParts"/>, each by its name.</summary>
public sealed partial class SyscallContext
{
    /// <inheritdoc cref="SyscallParts.Machine"/>
    internal Machine Machine => _parts.Machine;

    /// <inheritdoc cref="SyscallParts.Pages"/>
    internal PageAllocator Pages => _parts.Pages;

    /// <inheritdoc cref="SyscallParts.Random"/>
    internal DeterministicRandom Random => _parts.Random;

    /// <summary>The caller's UTS namespace.</summary>
    internal UtsNamespace Uts => Task.Uts;

    /// <inheritdoc cref="SyscallParts.Clock"/>
    internal MachineClock Clock => _parts.Clock;

    /// <inheritdoc cref="SyscallParts.Timers"/>
    internal KernelTimers Timers => _parts.Timers;

    /// <inheritdoc cref="SyscallParts.Timekeeper"/>
    internal Timekeeper Timekeeper => _parts.Timekeeper;

    /// <inheritdoc cref="SyscallParts.Seeding"/>
    internal RandomSeeding Seeding => _parts.Seeding;

    /// <summary>The caller's IPC namespace.</summary>
    internal IpcTables Ipc => Task.Ipc;

    /// <inheritdoc cref="SyscallParts.Vfs"/>
    internal Vfs Vfs => _parts.Vfs;

    /// <inheritdoc cref="SyscallParts.Tasks"/>
    internal TaskTable Tasks => _parts.Tasks;

    /// <inheritdoc cref="SyscallParts.Records"/>
    internal TaskRecords Records => _parts.Records;

    /// <inheritdoc cref="SyscallParts.Namespaces"/>
    internal NamespaceTable Namespaces => _parts.Namespaces;

    /// <inheritdoc cref="SyscallParts.Counter"/>
    internal CounterAccess Counter => _parts.Counter;

    /// <inheritdoc cref="SyscallParts.Scheduler"/>
    internal Scheduler Scheduler => _parts.Scheduler;

    /// <inheritdoc cref="SyscallParts.Accounting"/>
    internal CpuAccounting Accounting => _parts.Accounting;

    /// <inheritdoc cref="SyscallParts.Futexes"/>
    internal Futexes Futexes => _parts.Futexes;

    /// <inheritdoc cref="SyscallParts.Design"/>
    internal VdsoDesign Design => _parts.Design;

    /// <inheritdoc cref="SyscallParts.Signals"/>
    internal SignalDelivery Signals => _parts.Signals;

    /// <inheritdoc cref="SyscallParts.Traces"/>
    internal TraceStops Traces => _parts.Traces;

    /// <inheritdoc cref="SyscallParts.Perf"/>
    internal PerfEvents Perf => _parts.Perf;

    /// <inheritdoc cref="SyscallParts.TaskNamespaces"/>
    internal TaskNamespaces TaskNamespaces => _parts.TaskNamespaces;

    /// <inheritdoc cref="SyscallParts.Fork"/>
    internal Fork Fork => _parts.Fork;

    /// <inheritdoc cref="SyscallParts.Exec"/>
    internal Exec Exec => _parts.Exec;

    /// <inheritdoc cref="SyscallParts.Exit"/>
    internal TaskExit Exit => _parts.Exit;

    /// <inheritdoc cref="SyscallParts.ProcessEnd"/>
    internal ProcessEnd ProcessEnd => _parts.ProcessEnd;

    /// <inheritdoc cref="SyscallParts.Frames"/>
    internal SignalFrame Frames => _parts.Frames;

    /// <inheritdoc cref="SyscallParts.Chunk"/>
    internal byte[] Chunk => _parts.Chunk;

    /// <inheritdoc cref="SyscallParts.Slices"/>
    internal SliceExtension? Slices => _parts.Slices;
}
