using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Ipc;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Processes;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Proc;

/// <summary>The parts of a kernel that /proc and /sys show.</summary>
/// <param name="Machine">The machine.</param>
/// <param name="Pages">Pages of RAM.</param>
/// <param name="Random">Everything random.</param>
/// <param name="Namespaces">The first namespaces.</param>
/// <param name="Clock">The calling CPU and its time.</param>
/// <param name="Timekeeper">Clocks.</param>
/// <param name="Tasks">Which tasks there are.</param>
/// <param name="Records">Registers of tasks.</param>
/// <param name="Scheduler">Who runs where.</param>
/// <param name="TaskNamespaces">Told of the maps that are written.</param>
/// <param name="Cores">How core files are named, and whether privileged processes have any.</param>
internal sealed record ProcParts(
    Machine Machine, PageAllocator Pages, DeterministicRandom Random, NamespaceTable Namespaces, MachineClock Clock, Timekeeper Timekeeper,
    TaskTable Tasks, TaskRecords Records, Scheduler Scheduler, TaskNamespaces TaskNamespaces, CoreSettings Cores)
{
    /// <summary>The UTS namespace of who reads.</summary>
    internal UtsNamespace UtsOf(Vfs vfs) => (vfs.Current as KernelTask)?.Uts ?? Namespaces.InitialUts;

    /// <summary>The IPC namespace of who reads.</summary>
    internal IpcTables IpcOf(Vfs vfs) => (vfs.Current as KernelTask)?.Ipc ?? Namespaces.InitialIpc;
}
