using ArmVdso.Kernel.Entry;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Processes;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Making and ending tasks (kernel/fork.c, kernel/exit.c), and what names them (kernel/pid.c, kernel/kcmp.c, kernel/rseq.c).
/// </summary>
internal static class SysProcess
{
    /// <summary>A clone that goes on after its child was made: its tracer is told of it, and of the end of a vfork.</summary>
    private sealed class Started(KernelTask? child, int tid, int number)
    {
        internal bool Told { get; set; }

        internal bool DoneTold { get; set; }

        internal long GoOn(SyscallContext c)
        {
            if (!Told)
            {
                Told = true;
                if (number != 0 && c.Traces.StopAtEvent(c.Task, number, TidFor(c)))
                    return SystemCall.Blocked;
            }
            if (child is null)
                return c.NumberOf(tid);
            if (child.VforkDone is { } done)
                return c.WaitKillable(done);
            if (!DoneTold)
            {
                DoneTold = true;
                if (c.Traces.StopAtEvent(c.Task, Tracing.EventVforkDone, TidFor(c)))
                    return SystemCall.Blocked;
            }
            return c.NumberOf(tid);
        }

        private ulong TidFor(SyscallContext c) => (ulong)(c.Task.Tracing?.Tracer.PidNamespace.NumberOf(tid) ?? 0);
    }

    /// <summary>clone(flags, stack, parent_tid, tls, child_tid).</summary>
    public static long Clone(SyscallContext c)
    {
        if (c.State is Started started)
            return started.GoOn(c);
        // The low 32 bits are flags, the low 8 of them the exit signal.
        ulong flags = c.Arg(0) & 0xffff_ff00;
        int signal = (int)(c.Arg(0) & 0xff);
        if ((flags & CloneFlags.CLONE_PIDFD) != 0 && (flags & (CloneFlags.CLONE_PARENT_SETTID | CloneFlags.CLONE_DETACHED)) != 0)
            return -Errno.EINVAL;
        return Start(c, flags, signal, c.Arg(1), c.Arg(2), c.Arg(4), c.Arg(3), c.Arg(2), 0);
    }

    private static long Start(
        SyscallContext c, ulong flags, int signal, ulong stack, ulong parentTid, ulong childTid, ulong tls, ulong pidfd, int setTid)
    {
        if ((flags & (CloneFlags.CLONE_NEWNS | CloneFlags.CLONE_FS)) == (CloneFlags.CLONE_NEWNS | CloneFlags.CLONE_FS))
            return -Errno.EINVAL;
        if ((flags & (CloneFlags.CLONE_SIGHAND | CloneFlags.CLONE_CLEAR_SIGHAND))
            == (CloneFlags.CLONE_SIGHAND | CloneFlags.CLONE_CLEAR_SIGHAND))
            return -Errno.EINVAL;
        // Siblings of init would have nobody to reap them.
        if ((flags & CloneFlags.CLONE_PARENT) != 0 && ReferenceEquals(c.Task.Group, c.Tasks.Init))
            return -Errno.EINVAL;
        if ((flags & (CloneFlags.CLONE_PIDFD | CloneFlags.CLONE_THREAD)) == (CloneFlags.CLONE_PIDFD | CloneFlags.CLONE_THREAD))
            return -Errno.EINVAL;
        if (OverProcessLimit(c))
            return -Errno.EAGAIN;
        if ((flags & CloneFlags.CLONE_PIDFD) != 0 && (!c.Memory.Read(pidfd, out int before) || !c.Memory.Write(pidfd, before)))
            return -Errno.EFAULT;
        int told = EventOf(c.Task, flags, signal);
        long tid = c.Fork.Clone(c, new CloneArguments
        {
            Flags = flags,
            ExitSignal = signal,
            Stack = stack,
            ParentTid = parentTid,
            ChildTid = childTid,
            Tls = tls,
            PidFd = pidfd,
            SetTid = setTid,
            Traced = told != 0,
        });
        if (tid < 0)
            return tid;
        bool vfork = (flags & CloneFlags.CLONE_VFORK) != 0;
        if (!vfork && told == 0)
            return c.NumberOf((int)tid);
        var started = new Started(vfork ? c.Tasks.Find((int)tid) : null, (int)tid, told);
        c.State = started;
        return started.GoOn(c);
    }

    /// <summary>The event that the caller's tracer is to be told of (kernel_clone); 0: none.</summary>
    private static int EventOf(KernelTask task, ulong flags, int signal)
    {
        int number = (flags & CloneFlags.CLONE_VFORK) != 0 ? Tracing.EventVfork
            : signal != Signal.SIGCHLD ? Tracing.EventClone : Tracing.EventFork;
        return (flags & CloneFlags.CLONE_UNTRACED) == 0 && task.Tracing is { } tracing && tracing.Wants(number) ? number : 0;
    }

    private static bool OverProcessLimit(SyscallContext c)
    {
        if (c.Task.Credentials.Has(Capability.SysResource))
            return false;
        uint uid = c.Task.Credentials.Uid;
        ulong limit = c.Task.Group.Rlimits[Rlimits.Nproc].Soft;
        return limit != Rlimits.Infinity
            && (ulong)c.Tasks.Groups.Where(g => g.Leader.Credentials.Uid == uid).Sum(g => g.Threads.Count) >= limit;
    }

    /// <summary>clone3(args, size).</summary>
    public static long Clone3(SyscallContext c)
    {
        if (c.State is Started started)
            return started.GoOn(c);
        const int size0 = 64, full = 88;
        ulong size = c.Arg(1);
        if (size > 4096)
            return -Errno.E2BIG;
        if (size < size0)
            return -Errno.EINVAL;
        var raw = new byte[Math.Max(full, (int)size)];
        if (!c.Memory.Read(c.Arg(0), raw.AsSpan(0, (int)size)))
            return -Errno.EFAULT;
        if (raw.AsSpan(full).IndexOfAnyExcept((byte)0) >= 0)
            return -Errno.E2BIG;
        ulong At(int n) => BitConverter.ToUInt64(raw, n * 8);
        ulong flags = At(0), pidfd = At(1), childTid = At(2), parentTid = At(3), signal = At(4), stack = At(5), stackSize = At(6),
            tls = At(7), setTids = At(8), setCount = At(9);
        if ((signal & ~0xffUL) != 0 || signal > Signal.Count)
            return -Errno.EINVAL;
        if ((flags & ~(0xffff_ffffUL | CloneFlags.CLONE_CLEAR_SIGHAND | CloneFlags.CLONE_INTO_CGROUP)) != 0)
            return -Errno.EINVAL;
        // Of the bits that are clone's exit signal one is a flag here.
        if ((flags & (CloneFlags.CLONE_DETACHED | (0xff & ~CloneFlags.CLONE_NEWTIME))) != 0 || (flags & CloneFlags.CLONE_INTO_CGROUP) != 0)
            return -Errno.EINVAL;
        if ((flags & (CloneFlags.CLONE_THREAD | CloneFlags.CLONE_PARENT)) != 0 && signal != 0)
            return -Errno.EINVAL;
        if ((stack == 0) != (stackSize == 0))
            return -Errno.EINVAL;
        if ((setTids == 0) != (setCount == 0) || setCount > 32)
            return -Errno.EINVAL;
        int setTid = 0;
        if (setCount > 0)
        {
            if (setCount > 1)
                return -Errno.EINVAL;
            if (!c.Memory.Read(setTids, out setTid))
                return -Errno.EFAULT;
            if (setTid <= 0)
                return -Errno.EINVAL;
            if (!c.Task.Credentials.Has(Capability.CheckpointRestore))
                return -Errno.EPERM;
            if (c.FindTask(setTid) is not null)
                return -Errno.EEXIST;
            // The number is chosen in the first namespace only.
            if (c.Task.PidNamespaceForChildren.Parent is not null || (flags & CloneFlags.CLONE_NEWPID) != 0)
                return -Errno.EINVAL;
        }
        return Start(c, flags, (int)signal, stack + stackSize, parentTid, childTid, tls, pidfd, setTid);
    }

    /// <summary>exit(status): this thread.</summary>
    public static long Exit(SyscallContext c)
    {
        int status = (c.Int(0) & 0xff) << 8;
        if (c.Traces.StopBeforeEnd(c.Task, status))
            return SystemCall.Blocked;
        c.Exit.ExitTask(c.Task, status);
        return 0;
    }

    /// <summary>exit_group(status): all threads.</summary>
    public static long ExitGroup(SyscallContext c)
    {
        c.Exit.BeginGroupExit(c.Task, (c.Int(0) & 0xff) << 8);
        if (c.Traces.StopBeforeEnd(c.Task, c.Task.Group.ExitStatus))
            return SystemCall.Blocked;
        c.Exit.ExitTask(c.Task, c.Task.Group.ExitStatus);
        return 0;
    }

    /// <summary>set_tid_address(tidptr).</summary>
    public static long SetTidAddress(SyscallContext c)
    {
        c.Task.ClearChildTid = c.Arg(0);
        return c.Task.OwnTid;
    }

    /// <summary>pidfd_open(pid, flags).</summary>
    public static long PidfdOpen(SyscallContext c)
    {
        if ((c.UInt(1) & ~(uint)(OpenFlags.O_NONBLOCK | OpenFlags.O_EXCL)) != 0 || c.Int(0) <= 0)
            return -Errno.EINVAL;
        if (c.FindTask(c.Int(0)) is not { } task)
            return -Errno.ESRCH;
        // Without PIDFD_THREAD the ID must be a process.
        if (c.NumberOf(task.Group.Pid) != c.Int(0))
            return (c.UInt(1) & OpenFlags.O_EXCL) != 0
                ? PidFile.Open(c.Vfs, c.Tasks, c.Task, task.Group, c.Int(1))
                : -Errno.ENOENT;
        return PidFile.Open(c.Vfs, c.Tasks, c.Task, task.Group, c.Int(1));
    }

    /// <summary>process_mrelease(pidfd, flags): memory of a process that is being killed, which goes at once here.</summary>
    public static long Release(SyscallContext c)
    {
        if (c.UInt(1) != 0)
            return -Errno.EINVAL;
        if (c.Files[c.Int(0)] is not PidFile file)
            return -Errno.EBADF;
        ThreadGroup group = file.Group;
        if (group.IsZombie || group.Leader.State == TaskState.Dead)
            return -Errno.ESRCH;
        return group.Threads.Any(t => c.Signals.HasFatal(t)) ? 0 : -Errno.EINVAL;
    }

    /// <summary>pidfd_getfd(pidfd, targetfd, flags).</summary>
    public static long PidfdGetFd(SyscallContext c)
    {
        if (c.UInt(2) != 0)
            return -Errno.EINVAL;
        if (c.Files[c.Int(0)] is not PidFile file)
            return -Errno.EBADF;
        KernelTask target = file.Group.Leader;
        if (target.State is TaskState.Zombie or TaskState.Dead)
            return -Errno.ESRCH;
        if (!Permissions.MayTrace(c.Task, target))
            return -Errno.EPERM;
        if (target.Files[c.Int(1)] is not { } wanted)
            return -Errno.EBADF;
        wanted.AddReference();
        long fd = c.Files.Add(wanted, true, c.Task.Group.Rlimits[Rlimits.Nofile].Soft);
        if (fd < 0)
            wanted.Release();
        return fd;
    }

    /// <summary>kcmp(pid1, pid2, type, idx1, idx2): 0 when equal, else 1 or 2 by the order of creation (3: unordered).</summary>
    public static long Kcmp(SyscallContext c)
    {
        if (c.FindTask(c.Int(0)) is not { } a || c.FindTask(c.Int(1)) is not { } b)
            return -Errno.ESRCH;
        if (!Permissions.MayTrace(c.Task, a) || !Permissions.MayTrace(c.Task, b))
            return -Errno.EPERM;
        switch (c.Int(2))
        {
            case 0:
                return a.Files[(int)c.Arg(3)] is { } x && b.Files[(int)c.Arg(4)] is { } y ? Order(x, y) : -Errno.EBADF;
            case 1:
                return Order(a.Mm, b.Mm);
            case 2:
                return Order(a.Files, b.Files);
            case 3:
                return Order(a.Fs, b.Fs);
            case 4:
                return Order(a.Handlers, b.Handlers);
            case 5:
            case 6:
                return 0;
            default:
                return -Errno.EINVAL;
        }
    }

    private static long Order(object? x, object? y) => ReferenceEquals(x, y) ? 0 : 3;

    /// <summary>rseq(rseq, len, flags, sig).</summary>
    public static long Rseq(SyscallContext c)
    {
        const uint originalSize = 32, featureEnd = 28, unregister = 1, extendSlices = 2;
        KernelTask task = c.Task;
        ulong area = c.Arg(0);
        uint length = c.UInt(1), flags = c.UInt(2), signature = c.UInt(3);
        if ((flags & unregister) != 0)
        {
            if ((flags & ~unregister) != 0)
                return -Errno.EINVAL;
            if (task.Rseq != area || task.Rseq == 0 || task.RseqLength != length)
                return -Errno.EINVAL;
            if (task.RseqSignature != signature)
                return -Errno.EPERM;
            if (!RestartableSequences.Reset(task))
                return -Errno.EFAULT;
            // A switch since the call began may have asked for the area to be written.
            c.Records.DropRseq(task);
            c.Design.RseqChanged(task);
            return 0;
        }
        if ((flags & ~(c.Slices is null ? 0 : extendSlices)) != 0)
            return -Errno.EINVAL;
        if (task.Rseq != 0)
        {
            if (task.Rseq != area || task.RseqLength != length)
                return -Errno.EINVAL;
            return task.RseqSignature != signature ? -Errno.EPERM : -Errno.EBUSY;
        }
        if (length < originalSize || (area & 31) != 0 || length < featureEnd)
            return -Errno.EINVAL;
        if (area >= c.Memory.TaskSize || area + length > c.Memory.TaskSize)
            return -Errno.EFAULT;
        (task.Rseq, task.RseqLength, task.RseqSignature) = (area, length, signature);
        if (c.Slices?.Registered(task, flags != 0) == false)
        {
            (task.Rseq, task.RseqLength, task.RseqSignature) = (0, 0, 0);
            return -Errno.EFAULT;
        }
        c.Design.RseqChanged(task);
        // The fields are written on the way back to EL0; EFAULT shows there as SIGSEGV.
        task.RseqEvent = true;
        c.Records.RequestWork(task);
        return 0;
    }

    /// <summary>rseq_slice_yield (Linux 7.0). 1: the caller has given a longer time slice back.</summary>
    public static long RseqSliceYield(SyscallContext c)
    {
        if (c.Slices is null)
            return -Errno.ENOSYS;
        bool yielded = c.Task.SliceYielded;
        c.Task.SliceYielded = false;
        return yielded ? 1 : 0;
    }
}
