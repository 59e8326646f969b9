using ArmVdso.Emulator;
using ArmVdso.Emulator.Memory;
using ArmVdso.Emulator.Processor;
using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Time;
using ArmVdso.Kernel.Vdso;

namespace ArmVdso.Kernel;

/// <summary>Clocks as tasks see them: time namespaces, alarms that wake a suspended machine.</summary>
public sealed partial class LinuxKernel
{
    /// <summary>The first time namespace, without offsets.</summary>
    public TimeNamespace InitialTimeNamespace { get; } = new() { Number = TimeNamespace.InitialNumber, Frozen = true };

    /// <summary>A time namespace with the offsets of another (clone_time_ns).</summary>
    internal TimeNamespace CloneTimeNamespace(TimeNamespace from) =>
        new() { Number = NewNamespaceNumber(), MonotonicNs = from.MonotonicNs, BoottimeNs = from.BoottimeNs };

    /// <summary>copy_namespaces: a child of clone is in the namespace for children, unless it shares the memory (vfork), whose
    /// vDSO pages are the parent's: it enters at its execve.</summary>
    private void InheritTimeNamespace(KernelTask parent, KernelTask child, ulong flags)
    {
        child.TimeNamespaceForChildren = (flags & CloneFlags.CLONE_NEWTIME) != 0
            ? CloneTimeNamespace(parent.TimeNamespaceForChildren)
            : parent.TimeNamespaceForChildren;
        child.TimeNamespace = (flags & CloneFlags.CLONE_VM) == 0 ? child.TimeNamespaceForChildren : parent.TimeNamespace;
    }

    /// <summary>A task enters a time namespace (timens_commit): the offsets are fixed, its vDSO reads the namespace's page, and
    /// EL1 code finds the offsets through the task's nsproxy.</summary>
    internal void JoinTimeNamespace(KernelTask task, TimeNamespace space)
    {
        task.TimeNamespace = space;
        space.Frozen = true;
        Records.SetFlag(task, TaskFlag.SyscallTrace, Options.TraceSyscalls || task.Tracing is { Syscalls: true });
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

    /// <summary>CNTKCTL_EL1.EL0VCTEN: whether EL0 reads of CNTVCT_EL0 are not trapped.</summary>
    private const ulong UserCounterEnable = 2;

    /// <summary>Lets EL0 read the counter, or not (update_cntkctl_el1): not where a timer erratum or the task forbids it.</summary>
    internal void UpdateCounterAccess(Cpu cpu, KernelTask task)
    {
        if (task.CounterForbidden || Options.CounterFault == CounterFault.Trapped)
            cpu.CNTKCTL_EL1 &= ~UserCounterEnable;
        else
            cpu.CNTKCTL_EL1 |= UserCounterEnable;
    }
}
