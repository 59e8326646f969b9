using ArmVdso.Emulator;
using ArmVdso.Emulator.Memory;
using ArmVdso.Emulator.Processor;
using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Time;
using ArmVdso.Kernel.Vdso;

namespace ArmVdso.Kernel;

/// <summary>Clocks as tasks see them: time namespaces, alarms that wake a suspended machine.</summary>
public sealed partial class LinuxKernel
{
    /// <summary>copy_namespaces: a child of clone is in the namespace for children, unless it shares the memory (vfork), whose
    /// vDSO pages are the parent's: it enters at its execve.</summary>
    private void InheritTimeNamespace(KernelTask parent, KernelTask child, ulong flags)
    {
        child.TimeNamespaceForChildren = (flags & CloneFlags.CLONE_NEWTIME) != 0
            ? Namespaces.NewTime(parent.TimeNamespaceForChildren)
            : parent.TimeNamespaceForChildren;
        child.TimeNamespace = (flags & CloneFlags.CLONE_VM) == 0 ? child.TimeNamespaceForChildren : parent.TimeNamespace;
    }

    /// <summary>A task enters a time namespace (timens_commit): the offsets are fixed, its vDSO reads the namespace's page, and
    /// EL1 code finds the offsets through the task's nsproxy.</summary>
    internal void JoinTimeNamespace(KernelTask task, TimeNamespace space)
    {
        task.TimeNamespace = space;
        space.Frozen = true;
        Records.SyncSyscallTrace(task);
        Records.SetNsproxy(task, NsproxyOf(space));
        if (task.Mm is { } mm)
            Vdso.JoinTimeNamespace(mm, space);
    }

    /// <summary>Kernel address of a namespace's nsproxy record: one for all tasks in it, with the offsets as EL1 code adds them.
    /// </summary>
    private ulong NsproxyOf(TimeNamespace space)
    {
        if (space.IsInitial)
            return (ulong)El1Symbol.init_nsproxy;
        if (space.NsproxyPa == 0)
        {
            const ulong offsets = 0x100;
            ulong pa = PageAllocator.Allocate();
            if (pa == 0)
                return (ulong)El1Symbol.init_nsproxy;
            PhysicalMemory memory = Machine.Memory;
            memory.Write(pa + NsproxyRecord.TimeNs, El1Image.Linear(pa + offsets));
            foreach ((ulong field, int clock) in (ReadOnlySpan<(ulong, int)>)
                [(TimeNamespaceRecord.Monotonic, Clocks.Monotonic), (TimeNamespaceRecord.Boottime, Clocks.Boottime)])
            {
                (long seconds, long part) = VvarPages.Split(space.OffsetOf(clock));
                memory.Write(pa + offsets + field, seconds);
                memory.Write(pa + offsets + field + 8, part);
            }
            space.NsproxyPa = pa;
        }
        return El1Image.Linear(space.NsproxyPa);
    }
}
