using ArmVdso.Kernel.Configuration;
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
/// <param name="Uts">The names that uname shows.</param>
/// <param name="Clock">The calling CPU and its time.</param>
/// <param name="Timekeeper">Clocks.</param>
/// <param name="Tasks">Which tasks there are.</param>
/// <param name="Scheduler">Who runs where.</param>
/// <param name="Ipc">System V objects.</param>
/// <param name="TaskNamespaces">Told of the maps that are written.</param>
/// <param name="Cores">How core files are named, and whether privileged processes have any.</param>
internal sealed record ProcParts(
    Machine Machine, PageAllocator Pages, DeterministicRandom Random, UtsNames Uts, MachineClock Clock, Timekeeper Timekeeper,
    TaskTable Tasks, Scheduler Scheduler, IpcTables Ipc, TaskNamespaces TaskNamespaces, CoreSettings Cores);
