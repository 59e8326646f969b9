using ArmVdso.Kernel.Delivery;
using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Vdso;
using ArmVdso.Kernel.Waiting;

namespace ArmVdso.Kernel.Processes;

/// <summary>New tasks (copy_process in kernel/fork.c).</summary>
internal sealed class Fork(
    Vfs vfs, TaskTable tasks, TaskRecords records, Scheduler scheduler, NamespaceTable namespaces, TaskNamespaces taskNamespaces,
    VdsoDesign design, SignalDelivery signals, TraceStops traces, int mostTasks, KernelHooks hooks)
{
    private bool _toldOfLimit;

    private const ulong CloneNamespaces = CloneFlags.CLONE_NEWNS | CloneFlags.CLONE_NEWCGROUP | CloneFlags.CLONE_NEWUTS
        | CloneFlags.CLONE_NEWIPC | CloneFlags.CLONE_NEWUSER | CloneFlags.CLONE_NEWPID | CloneFlags.CLONE_NEWNET
        | CloneFlags.CLONE_NEWTIME;

    /// <summary>clone and clone3 after their arguments were read: the child's TID, or -errno.</summary>
    internal long Clone(SystemCall c, in CloneArguments arguments)
    {
        KernelTask parent = c.Task;
        ulong flags = arguments.Flags;
        long result = Check(parent, flags);
        if (result < 0 || (result = ChooseNamespaces(parent, flags, out Credentials credentials, out PidNamespace pidNamespace)) < 0)
            return result;
        if (tasks.Count >= tasks.MostTasks)
            return -Errno.EAGAIN;
        if (tasks.Count >= mostTasks)
        {
            if (!_toldOfLimit)
                hooks.Log($"the guest wants more than {mostTasks} tasks: EAGAIN (--max-tasks makes it more)");
            _toldOfLimit = true;
            return -Errno.EAGAIN;
        }
        if ((flags & CloneFlags.CLONE_FILES) == 0 && !parent.Files.MayClone())
            return -Errno.EAGAIN;
        bool thread = (flags & CloneFlags.CLONE_THREAD) != 0;
        int tid = arguments.SetTid != 0 ? arguments.SetTid : tasks.AllocatePid();
        ThreadGroup group = thread ? parent.Group : new ThreadGroup();
        var child = new KernelTask(records, scheduler, namespaces, tid, group)
        {
            PidNamespace = pidNamespace,
            PidNamespaceForChildren = pidNamespace,
        };
        if (((flags & CloneFlags.CLONE_VM) == 0 && !parent.Mm!.MayFork()) || !vfs.TryCharge(KernelTask.HostBytes))
            return -Errno.ENOMEM;
        if (!records.Allocate(child))
        {
            vfs.Charge(-KernelTask.HostBytes);
            return -Errno.ENOMEM;
        }
        taskNamespaces.AllocateNumbers(child);
        CopyResources(parent, child, flags);
        CopyState(parent, child, flags, credentials.UserNamespace);
        child.ExitSignal = thread ? 0 : (flags & CloneFlags.CLONE_PARENT) != 0 ? parent.Group.Leader.ExitSignal : arguments.ExitSignal;
        child.StartCycle = c.Cpu.Cycles;
        if (thread)
            group.Threads.Add(child);
        else
            NewGroup(group, child, parent, flags, c.Cpu.Cycles);
        child.Credentials = credentials;
        if ((flags & CloneNamespaces) != 0)
            taskNamespaces.Limits.Made(child, credentials, flags);
        CopyThread(c.Cpu, parent, child, arguments);
        tasks.Register(child);
        foreach (ITaskCounter counter in parent.Counters)
            counter.Forked(child);
        design.TaskCreated(child, parent);
        TellNumbers(parent, child, arguments);
        if (arguments.Traced || (flags & CloneFlags.CLONE_PTRACE) != 0)
            traces.Inherit(parent, child);
        if (signals.HasDeliverable(child))
            signals.Recalculate(child);
        if ((flags & CloneFlags.CLONE_VFORK) != 0)
            child.VforkDone = new WaitQueue();
        scheduler.Enqueue(child);
        hooks.Forked?.Invoke(parent, child, flags);
        return tid;
    }

    /// <summary>Which flags go together: 0 or -errno.</summary>
    private static long Check(KernelTask parent, ulong flags)
    {
        if ((flags & CloneFlags.CLONE_SIGHAND) != 0 && (flags & CloneFlags.CLONE_VM) == 0)
            return -Errno.EINVAL;
        if ((flags & CloneFlags.CLONE_THREAD) != 0 && (flags & CloneFlags.CLONE_SIGHAND) == 0)
            return -Errno.EINVAL;
        if ((flags & (CloneFlags.CLONE_NEWIPC | CloneFlags.CLONE_SYSVSEM)) == (CloneFlags.CLONE_NEWIPC | CloneFlags.CLONE_SYSVSEM))
            return -Errno.EINVAL;
        if ((flags & (CloneFlags.CLONE_NEWNS | CloneFlags.CLONE_FS)) == (CloneFlags.CLONE_NEWNS | CloneFlags.CLONE_FS))
            return -Errno.EINVAL;
        // CLONE_THREAD: threads of a process are of one namespace.
        if ((flags & CloneFlags.CLONE_THREAD) != 0
            && ((flags & (CloneFlags.CLONE_NEWUSER | CloneFlags.CLONE_NEWPID)) != 0
                || !ReferenceEquals(parent.PidNamespace, parent.PidNamespaceForChildren)))
            return -Errno.EINVAL;
        return (flags & (CloneFlags.CLONE_NEWUSER | CloneFlags.CLONE_FS)) == (CloneFlags.CLONE_NEWUSER | CloneFlags.CLONE_FS)
            ? -Errno.EINVAL
            : 0;
    }

    /// <summary>The user and PID namespace of the child, made anew where it asks for that: 0 or -errno.</summary>
    private long ChooseNamespaces(KernelTask parent, ulong flags, out Credentials credentials, out PidNamespace pidNamespace)
    {
        credentials = parent.Credentials;
        pidNamespace = parent.PidNamespaceForChildren;
        NamespaceLimits limits = taskNamespaces.Limits;
        if ((flags & CloneFlags.CLONE_NEWUSER) != 0)
        {
            if (limits.MayMake(vfs.UserCounts, credentials, credentials.UserNamespace, CloneFlags.CLONE_NEWUSER) is < 0 and long most)
                return most;
            long result = namespaces.NewUser(credentials, out Credentials? inside);
            if (result < 0)
                return result;
            credentials = inside!;
        }
        if ((flags & CloneNamespaces) != 0 && !credentials.HasInNamespace(Capability.SysAdmin))
            return -Errno.EPERM;
        ulong others = flags & CloneNamespaces & ~CloneFlags.CLONE_NEWUSER;
        if (limits.MayMake(vfs.UserCounts, credentials, credentials.UserNamespace, others) is < 0 and long full)
            return full;
        if ((flags & CloneFlags.CLONE_NEWPID) != 0)
        {
            long result = namespaces.NewPid(pidNamespace, credentials.UserNamespace, out PidNamespace? space);
            if (result < 0)
                return result;
            pidNamespace = space!;
        }
        return pidNamespace.Dead ? -Errno.ENOMEM : 0;
    }

    /// <summary>Memory, files, paths and handlers: shared or copied (copy_mm, copy_files, copy_fs, copy_sighand).</summary>
    private static void CopyResources(KernelTask parent, KernelTask child, ulong flags)
    {
        if ((flags & CloneFlags.CLONE_VM) != 0)
        {
            parent.Mm!.AddUser();
            child.Mm = parent.Mm;
        }
        else
        {
            child.Mm = parent.Mm!.Fork();
        }
        if ((flags & CloneFlags.CLONE_FILES) != 0)
            child.Files = parent.Files.Share();
        else
            child.Files = parent.Files.Clone();
        if ((flags & CloneFlags.CLONE_FS) != 0)
        {
            child.Fs = parent.Fs;
            parent.Fs.Users++;
        }
        else
        {
            child.Fs = parent.Fs.Clone();
        }
        child.Handlers = (flags & CloneFlags.CLONE_SIGHAND) != 0 ? parent.Handlers : parent.Handlers.Clone();
        if ((flags & CloneFlags.CLONE_CLEAR_SIGHAND) != 0)
            child.Handlers.FlushForExec();
    }

    /// <summary>What is the task's own and begins as the parent's.</summary>
    private void CopyState(KernelTask parent, KernelTask child, ulong flags, UserNamespace owner)
    {
        child.Signals.Blocked = parent.Signals.Blocked;
        if ((flags & CloneFlags.CLONE_VM) == 0 || (flags & CloneFlags.CLONE_VFORK) != 0)
            child.Signals.AltStack = parent.Signals.AltStack;
        child.Comm = parent.Comm;
        InheritScheduling(parent, child);
        child.Affinity = parent.Affinity;
        taskNamespaces.InheritTime(parent, child, flags);
        child.Uts = (flags & CloneFlags.CLONE_NEWUTS) != 0 ? namespaces.NewUts(parent.Uts, owner) : parent.Uts;
        child.Network = (flags & CloneFlags.CLONE_NEWNET) != 0
            ? new NetworkNamespace(vfs, namespaces.NewNumber(), owner) : parent.Network;
        child.Cgroups = (flags & CloneFlags.CLONE_NEWCGROUP) != 0 ? namespaces.NewCgroups(owner) : parent.Cgroups;
        child.MountNamespace = parent.MountNamespace;
        if ((flags & CloneFlags.CLONE_NEWNS) != 0)
            TaskNamespaces.NewMounts(vfs, namespaces, child, owner);
        child.Ipc = ((flags & CloneFlags.CLONE_NEWIPC) != 0 ? namespaces.NewIpc(owner) : parent.Ipc).Enter();
        child.CounterForbidden = parent.CounterForbidden;
        child.SeccompMode = parent.SeccompMode;
        child.SeccompFilter = parent.SeccompFilter?.Use();
        child.Cpu = parent.Cpu;
        if ((flags & CloneFlags.CLONE_VM) == 0)
        {
            child.Rseq = parent.Rseq;
            child.RseqLength = parent.RseqLength;
            child.RseqSignature = parent.RseqSignature;
            child.MayExtendSlice = parent.MayExtendSlice;
        }
        parent.PauthKeys.CopyTo(child.PauthKeys, 0);
    }

    /// <summary>The child's record and registers: it returns 0 where the parent called (copy_thread).</summary>
    private void CopyThread(Cpu cpu, KernelTask parent, KernelTask child, in CloneArguments arguments)
    {
        records.SyncAll(child);
        records.SyncSyscallTrace(child);
        records.SyncTags(child);
        records.SetTtbr0(child, child.Mm!.Space.Handle);
        scheduler.ConcurrencyIds.Enter(child);
        records.SetTp(child, (arguments.Flags & CloneFlags.CLONE_SETTLS) != 0 ? arguments.Tls : cpu.TPIDR_EL0);
        records.SaveFp(cpu, child);
        records.SetStart(child, El1Symbol.ret_from_fork);
        taskNamespaces.JoinTime(child, child.TimeNamespace);
        UserRegisters regs = records.Registers(child);
        regs.CopyFrom(records.Registers(parent));
        regs[0] = 0;
        regs.SyscallNumber = -1;
        regs.Pstate &= ~Tracing.StepBit;
        if (arguments.Stack != 0)
            regs.SP = arguments.Stack;
    }

    /// <summary>Writes TID and pidfd where the caller asked for them.</summary>
    private void TellNumbers(KernelTask parent, KernelTask child, in CloneArguments arguments)
    {
        ulong flags = arguments.Flags;
        if ((flags & CloneFlags.CLONE_PARENT_SETTID) != 0)
            parent.Mm!.Write(arguments.ParentTid, parent.PidNamespace.NumberOf(child.Tid));
        if ((flags & CloneFlags.CLONE_CHILD_SETTID) != 0)
            child.Mm!.Write(arguments.ChildTid, child.OwnTid);
        if ((flags & CloneFlags.CLONE_CHILD_CLEARTID) != 0)
            child.ClearChildTid = arguments.ChildTid;
        if ((flags & CloneFlags.CLONE_PIDFD) == 0)
            return;
        long fd = PidFile.Open(vfs, tasks, parent, child.Group, 0);
        if (fd >= 0)
            parent.Mm!.Write(arguments.PidFd, (int)fd);
    }

    private static void NewGroup(ThreadGroup group, KernelTask child, KernelTask parent, ulong flags, ulong cycle)
    {
        group.Leader = child;
        group.Pid = child.Tid;
        group.Pgid = parent.Group.Pgid;
        group.Sid = parent.Group.Sid;
        group.Parent = (flags & CloneFlags.CLONE_PARENT) != 0 ? parent.Group.Parent : parent.Group;
        group.Parent?.Children.Add(group);
        group.Maker = (flags & CloneFlags.CLONE_PARENT) != 0 ? parent.Group.Maker : parent;
        group.Threads.Add(child);
        group.Auxv = parent.Group.Auxv;
        group.Dumpable = parent.Group.Dumpable;
        group.OomAdjust = parent.Group.OomAdjust;
        group.OomAdjustLeast = parent.Group.OomAdjustLeast;
        group.CoreFilter = parent.Group.CoreFilter;
        group.LoginUid = parent.Group.LoginUid;
        group.Rlimits = [.. parent.Group.Rlimits];
        group.StartCycle = cycle;
        if (child.PidNamespace.Parent is not null)
            if (child.PidNamespace.Reaper == 0)
                child.PidNamespace.Reaper = group.Pid;
    }

    /// <summary>What a child has of its parent's scheduling and prctl state (sched_fork, copy_process).</summary>
    private static void InheritScheduling(KernelTask parent, KernelTask child)
    {
        child.Nice = parent.Nice;
        child.Policy = parent.Policy;
        child.Entity.OwnSlice = parent.Entity.OwnSlice;
        child.RealtimePriority = parent.RealtimePriority;
        if (parent.ResetOnFork)
        {
            child.Policy = 0;
            child.RealtimePriority = 0;
            child.Nice = Math.Max(0, parent.Nice);
        }
        child.IoPriority = parent.IoPriority;
        child.MemoryPolicy = parent.MemoryPolicy;
        child.Personality = parent.Personality;
        child.TagsIgnored = parent.TagsIgnored;
        child.DefaultSlackNs = parent.ProcessControls.GetValueOrDefault(PrctlOptions.PR_GET_TIMERSLACK, parent.DefaultSlackNs);
        (child.Keys.Session, child.Keys.RequestDefault) = (parent.Keys.Session, parent.Keys.RequestDefault);
        foreach ((int option, long value) in parent.ProcessControls)
            child.ProcessControls[option] = value;
    }
}
