using ArmVdso.Kernel.Delivery;
using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Time;
using ArmVdso.Kernel.Vdso;

namespace ArmVdso.Kernel.Processes;

/// <summary>What it means for a task to be in a PID, user or time namespace: entering, inheriting, the end of one's process 1
/// (kernel/pid_namespace.c, user_namespace.c, time/namespace.c).</summary>
internal sealed class TaskNamespaces(
    PhysicalMemory memory, PageAllocator pages, TaskTable tasks, TaskRecords records, NamespaceTable namespaces, VdsoMapping vdso,
    SignalDelivery signals)
{
    /// <summary>How many there may be.</summary>
    internal NamespaceLimits Limits { get; } = new(tasks);

    /// <summary>A task gets a mount namespace of its own, a copy of that it is in; nobody shares its root and working directory.</summary>
    internal static void NewMounts(Vfs vfs, NamespaceTable namespaces, KernelTask task, UserNamespace owner)
    {
        MountNamespace from = task.MountNamespace;
        task.MountNamespace = vfs.CopyMounts(from, namespaces.NewNumber(), owner);
        vfs.EnterCopy(task.Fs, from, task.MountNamespace);
    }

    /// <summary>commit_creds with another user namespace.</summary>
    internal void EnterUser(KernelTask task, Credentials inside)
    {
        task.Credentials = inside;
        vdso.Design.NamespaceEntered(task);
    }

    /// <summary>IDs of a namespace have other meanings now: the records that EL1 code answers from get them.</summary>
    internal void UserMapWritten(UserNamespace space)
    {
        foreach (KernelTask task in tasks.All)
        {
            for (UserNamespace? at = task.Credentials.UserNamespace; at is not null; at = at.Parent)
            {
                if (!ReferenceEquals(at, space))
                    continue;
                records.SyncCredentials(task);
                vdso.Design.IdMapsChanged(task);
                break;
            }
        }
    }

    /// <summary>alloc_pid: numbers in every namespace from the task's own to the first.</summary>
    internal void AllocateNumbers(KernelTask task)
    {
        for (PidNamespace space = task.PidNamespace; space.Parent is not null; space = space.Parent)
            space.Add(task.Tid, first => tasks.Find(first) is not null);
    }

    /// <summary>zap_pid_ns_processes: with process 1 everybody of the namespace ends.</summary>
    internal void EndPid(PidNamespace space)
    {
        space.Dead = true;
        foreach (ThreadGroup group in tasks.Groups.Where(g => !g.IsZombie && space.NumberOf(g.Pid) != 0).ToList())
            signals.Send(group, new SignalInfo { Number = Signal.SIGKILL, Code = Signal.SI_KERNEL });
    }

    /// <summary>copy_namespaces: a child of clone is in the namespace for children, unless it shares the memory (vfork), whose
    /// vDSO pages are the parent's: it enters at its execve.</summary>
    internal void InheritTime(KernelTask parent, KernelTask child, ulong flags)
    {
        child.TimeNamespaceForChildren = (flags & CloneFlags.CLONE_NEWTIME) != 0
            ? namespaces.NewTime(parent.TimeNamespaceForChildren, child.Credentials.UserNamespace)
            : parent.TimeNamespaceForChildren;
        child.TimeNamespace = (flags & CloneFlags.CLONE_VM) == 0 ? child.TimeNamespaceForChildren : parent.TimeNamespace;
    }

    /// <summary>A task enters a time namespace (timens_commit): the offsets are fixed, its vDSO reads the namespace's page, and
    /// EL1 code finds the offsets through the task's nsproxy.</summary>
    internal void JoinTime(KernelTask task, TimeNamespace space)
    {
        task.TimeNamespace = space;
        space.Frozen = true;
        records.SyncSyscallTrace(task);
        records.SetNsproxy(task, NsproxyOf(space));
        if (task.Mm is { } mm)
            vdso.JoinTimeNamespace(mm, space);
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
            ulong pa = pages.Allocate();
            if (pa == 0)
                return (ulong)El1Symbol.init_nsproxy;
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
