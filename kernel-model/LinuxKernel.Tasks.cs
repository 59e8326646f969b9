using ArmVdso.Emulator;
using ArmVdso.Emulator.Processor;
using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Loader;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Syscalls;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Waiting;

namespace ArmVdso.Kernel;

/// <summary>The life of tasks: the first process, clone, execve, exit, reaping (kernel/fork.c, fs/exec.c, kernel/exit.c).</summary>
public sealed partial class LinuxKernel
{
    private const ulong CloneNamespaces = CloneFlags.CLONE_NEWNS | CloneFlags.CLONE_NEWCGROUP | CloneFlags.CLONE_NEWUTS
        | CloneFlags.CLONE_NEWIPC | CloneFlags.CLONE_NEWUSER | CloneFlags.CLONE_NEWPID | CloneFlags.CLONE_NEWNET;

    /// <summary>Called when a signal is taken from the queue for a task; for strace.</summary>
    public Action<KernelTask, SignalInfo>? OnSignal { get; init; }

    /// <summary>Called when a process ends; for strace.</summary>
    public Action<KernelTask, int>? OnExit { get; init; }

    /// <summary>Called when a task starts a program (after execve).</summary>
    public Action<KernelTask>? OnExec { get; init; }

    private ProgramLoader Loader => new(Machine, Options, PageAllocator, Vdso, Random, CodePageLoaded);

    private long StartInit(out string error)
    {
        var group = new ThreadGroup();
        var task = new KernelTask(Records, Scheduler, Namespaces, Tasks.AllocatePid(), group);
        group.Leader = task;
        group.Pid = group.Pgid = task.Tid;
        // As from a shell: a group of its own in the session of process 1, so that setpgid is allowed.
        group.Sid = 1;
        group.Threads.Add(task);
        task.Credentials = Credentials.For(Options.Uid, Options.Gid);
        task.Fs = new FsContext(Vfs.Root, Vfs.Root);
        task.Files = new FileTable();
        task.Handlers = new SignalHandlers();
        Vfs.OpenStandardFiles(task.Files);
        var caller = new Caller(task.Credentials, task.Fs);
        long result = Vfs.Find(caller, Vfs.Root, Options.WorkingDirectory, true, out Inode? cwd);
        if (result < 0 || cwd is null || !cwd.IsDirectory)
        {
            error = $"{Options.WorkingDirectory}: no such folder in the guest";
            return -Errno.ENOENT;
        }
        task.Fs.Cwd = cwd;
        result = Vfs.OpenExecutable(caller, cwd, Options.ProgramGuestPath, true, task, out OpenFile? file);
        if (result < 0)
        {
            error = $"{Options.ProgramGuestPath}: {Describe(-result)}";
            return result;
        }
        result = Loader.Load(
            Vfs, caller, file!, Options.ProgramGuestPath, [.. Options.Arguments], [.. Options.Environment], group, task.Credentials,
            out LoadedProgram? program, out error);
        file!.Release();
        if (result < 0)
            return result;
        if (!Records.Allocate(task))
        {
            error = "no memory for the first task";
            return -Errno.ENOMEM;
        }
        Records.SyncAll(task);
        Records.SetStart(task, El1Symbol.ret_from_exec);
        Install(task, program!);
        Vdso.Design.TaskCreated(task, null);
        Tasks.Init = group;
        group.StartCycle = 0;
        Tasks.Register(task);
        Records.SyncSyscallTrace(task);
        Scheduler.Enqueue(task);
        return 0;
    }

    /// <summary>What an errno means to a person, for our own messages.</summary>
    public static string Describe(long errno) => errno switch
    {
        Errno.ENOENT => "not found",
        Errno.EACCES => "permission denied",
        Errno.EISDIR => "is a directory",
        Errno.ENOEXEC => "not an executable",
        Errno.ELOOP => "too many symbolic links",
        Errno.ENOTDIR => "a part of the path is not a directory",
        _ => Errno.NameOf(errno),
    };

    /// <summary>Gives a task its new program's memory and registers (start_thread).</summary>
    private void Install(KernelTask task, LoadedProgram program)
    {
        task.Mm = program.Memory;
        ThreadGroup group = task.Group;
        group.ExePath = program.ExePath;
        group.CommandLine = program.CommandLine;
        group.Environment = program.Environment;
        group.Auxv = program.Auxv;
        int slash = Options.ProgramGuestPath.LastIndexOf('/');
        task.Comm = Truncate(task.Comm.Length == 0 ? Options.ProgramGuestPath[(slash + 1)..] : task.Comm);
        UserRegisters regs = Records.Registers(task);
        regs.Clear();
        regs.PC = program.Entry;
        regs.SP = program.StackPointer;
        regs.SyscallNumber = -1;
        Records.SetTtbr0(task, program.Memory.Space.Handle);
        NewPauthKeys(task);
    }

    private static string Truncate(string name) => name.Length > 15 ? name[..15] : name;

    /// <summary>execve: NoReturn, or -errno.</summary>
    internal long Exec(SyscallContext c, OpenFile file, string path, string comm, List<string> argv, List<string> envp)
    {
        KernelTask task = c.Task;
        var caller = new Caller(task.Credentials, task.Fs);
        Credentials credentials = task.Credentials;
        if ((file.Inode.Mode & 0xC00) != 0 && !task.ProcessControls.ContainsKey(PrNoNewPrivs))
        {
            credentials = credentials with
            {
                Euid = (file.Inode.Mode & 0x800) != 0 ? file.Inode.Uid : credentials.Euid,
                Fsuid = (file.Inode.Mode & 0x800) != 0 ? file.Inode.Uid : credentials.Euid,
                Egid = (file.Inode.Mode & 0x400) != 0 ? file.Inode.Gid : credentials.Egid,
                Fsgid = (file.Inode.Mode & 0x400) != 0 ? file.Inode.Gid : credentials.Egid,
            };
        }
        long result = Loader.Load(Vfs, caller, file, path, argv, envp, task.Group, credentials, out LoadedProgram? program, out _);
        if (result < 0)
            return result;
        // Point of no return: the other threads go, the leader's identity passes to the caller (de_thread).
        foreach (KernelTask thread in task.Group.Threads.Where(t => !ReferenceEquals(t, task)).ToList())
            KillThread(thread);
        if (task.Group.Leader != task)
        {
            KernelTask leader = task.Group.Leader;
            Tasks.Unregister(task);
            Tasks.Unregister(leader);
            for (PidNamespace? space = task.PidNamespace; space is not null; space = space.Parent)
                space.Rename(task.Tid, task.Group.Pid);
            task.Tid = task.Group.Pid;
            task.Group.Leader = task;
            Tasks.Register(task);
        }
        task.ExitSignal = Signal.SIGCHLD;
        ReleaseUserState(task);
        if (task.Files.Users > 1)
        {
            FileTable old = task.Files;
            task.Files = old.Clone();
            old.Leave();
        }
        task.Files.CloseOnExec();
        task.Handlers = task.Handlers.Clone();
        task.Handlers.FlushForExec();
        task.Signals.AltStack = (0, 0, 2);
        task.Credentials = credentials.AfterExec();
        task.Comm = Truncate(comm);
        task.Group.HasExecuted = true;
        task.Group.Dumpable = 1;
        task.ProcessControls.Remove(PrKeepCaps);
        task.Group.ClearPosixTimers();
        MemoryMap old2 = task.Mm!;
        Install(task, program!);
        JoinTimeNamespace(task, task.TimeNamespaceForChildren);
        task.CounterForbidden = false;
        Counter.Update(c.Cpu, task);
        c.Cpu.SetTtbr0(program!.Memory.Space);
        c.Cpu.SetAsid(TaskRecords.AsidOf(program.Memory.Space.Handle));
        old2.Release();
        c.Cpu.TPIDR_EL0 = 0;
        Records.SetTp(task, 0);
        for (int i = 0; i < 32; i++)
            c.Cpu.SetV(i, default);
        c.Cpu.FPCR = 0;
        c.Cpu.FPSR = 0;
        Records.SyncAll(task);
        Vdso.Design.ProgramStarted(task);
        FinishVfork(task);
        foreach (ITaskCounter counter in task.Counters)
            counter.Executed();
        if (task.Tracing is not null)
            SendSignal(task, Signal.SIGTRAP);
        OnExec?.Invoke(task);
        return SyscallContext.NoReturn;
    }

    /// <summary>Fresh pointer authentication keys for a new program.</summary>
    private void NewPauthKeys(KernelTask task)
    {
        for (int i = 0; i < task.PauthKeys.Length; i++)
            task.PauthKeys[i] = Random.Next();
        if (Clock.Active is { } cpu && task.OnCpu)
            task.PauthKeys.CopyTo(cpu.PauthKey.AsSpan());
    }

    /// <summary>What exec and exit have in common: robust futexes, clear_child_tid, rseq.</summary>
    private void ReleaseUserState(KernelTask task)
    {
        if (task.Mm is { } mm)
        {
            Futexes.Forget(task);
            Futexes.ReleaseRobustList(task);
            if (task.ClearChildTid != 0)
            {
                if (mm.IsShared)
                {
                    mm.Write(task.ClearChildTid, 0);
                    Futexes.Wake(mm, task.ClearChildTid, 1);
                }
                task.ClearChildTid = 0;
            }
        }
        task.RobustList = 0;
        task.Rseq = 0;
        task.RestartBlock = null;
    }

    private static void FinishVfork(KernelTask task)
    {
        WaitQueue? done = task.VforkDone;
        task.VforkDone = null;
        done?.WakeAll();
    }

    /// <summary>clone and clone3 after their arguments were read: the child's TID, or -errno.</summary>
    internal long Clone(
        SyscallContext c, ulong flags, int exitSignal, ulong stack, ulong parentTid, ulong childTid, ulong tls, ulong pidfd, int setTid = 0)
    {
        KernelTask parent = c.Task;
        if ((flags & CloneFlags.CLONE_SIGHAND) != 0 && (flags & CloneFlags.CLONE_VM) == 0)
            return -Errno.EINVAL;
        if ((flags & CloneFlags.CLONE_THREAD) != 0 && (flags & CloneFlags.CLONE_SIGHAND) == 0)
            return -Errno.EINVAL;
        // CloneFlags.CLONE_THREAD: threads of a process are of one namespace.
        if ((flags & CloneFlags.CLONE_THREAD) != 0
            && ((flags & (CloneFlags.CLONE_NEWUSER | CloneFlags.CLONE_NEWPID)) != 0
                || !ReferenceEquals(parent.PidNamespace, parent.PidNamespaceForChildren)))
            return -Errno.EINVAL;
        if ((flags & (CloneFlags.CLONE_NEWUSER | CloneFlags.CLONE_FS)) == (CloneFlags.CLONE_NEWUSER | CloneFlags.CLONE_FS))
            return -Errno.EINVAL;
        Credentials credentials = parent.Credentials;
        PidNamespace pidNamespace = parent.PidNamespaceForChildren;
        if ((flags & CloneFlags.CLONE_NEWUSER) != 0)
        {
            long result = Namespaces.NewUser(credentials, out Credentials? inside);
            if (result < 0)
                return result;
            credentials = inside!;
        }
        if ((flags & (CloneNamespaces | CloneFlags.CLONE_NEWTIME)) != 0 && !credentials.PrivilegedInNamespace)
            return -Errno.EPERM;
        if ((flags & CloneNamespaces & ~(CloneFlags.CLONE_NEWUSER | CloneFlags.CLONE_NEWPID)) != 0)
            return -Errno.EINVAL;
        if ((flags & CloneFlags.CLONE_NEWPID) != 0)
        {
            long result = Namespaces.NewPid(pidNamespace, out PidNamespace? space);
            if (result < 0)
                return result;
            pidNamespace = space!;
        }
        if (pidNamespace.Dead)
            return -Errno.ENOMEM;
        if (Tasks.All.Count > 30000)
            return -Errno.EAGAIN;
        bool thread = (flags & CloneFlags.CLONE_THREAD) != 0;
        int tid = setTid != 0 ? setTid : Tasks.AllocatePid();
        ThreadGroup group = thread ? parent.Group : new ThreadGroup();
        var child = new KernelTask(Records, Scheduler, Namespaces, tid, group)
        {
            PidNamespace = pidNamespace,
            PidNamespaceForChildren = pidNamespace,
        };
        if (!Records.Allocate(child))
            return -Errno.ENOMEM;
        AllocateNumbers(child);
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
        child.Signals.Blocked = parent.Signals.Blocked;
        if ((flags & CloneFlags.CLONE_VM) == 0 || (flags & CloneFlags.CLONE_VFORK) != 0)
            child.Signals.AltStack = parent.Signals.AltStack;
        child.Comm = parent.Comm;
        InheritScheduling(parent, child);
        child.Affinity = parent.Affinity;
        InheritTimeNamespace(parent, child, flags);
        child.CounterForbidden = parent.CounterForbidden;
        child.Cpu = parent.Cpu;
        child.ExitSignal = thread ? 0 : (flags & CloneFlags.CLONE_PARENT) != 0 ? parent.Group.Leader.ExitSignal : exitSignal;
        if ((flags & CloneFlags.CLONE_VM) == 0)
        {
            child.Rseq = parent.Rseq;
            child.RseqLength = parent.RseqLength;
            child.RseqSignature = parent.RseqSignature;
        }
        parent.PauthKeys.CopyTo(child.PauthKeys, 0);
        child.StartCycle = c.Cpu.Cycles;
        if (thread)
            group.Threads.Add(child);
        else
            NewGroup(group, child, parent, flags, c.Cpu);
        child.Credentials = credentials;
        Records.SyncAll(child);
        Records.SetTtbr0(child, child.Mm.Space.Handle);
        Records.SetTp(child, (flags & CloneFlags.CLONE_SETTLS) != 0 ? tls : c.Cpu.TPIDR_EL0);
        Records.SaveFp(c.Cpu, child);
        Records.SetStart(child, El1Symbol.ret_from_fork);
        JoinTimeNamespace(child, child.TimeNamespace);
        UserRegisters regs = Records.Registers(child);
        regs.CopyFrom(Records.Registers(parent));
        regs[0] = 0;
        regs.SyscallNumber = -1;
        if (stack != 0)
            regs.SP = stack;
        Tasks.Register(child);
        foreach (ITaskCounter counter in parent.Counters)
            counter.Forked(child);
        Vdso.Design.TaskCreated(child, parent);
        if ((flags & CloneFlags.CLONE_PARENT_SETTID) != 0)
            parent.Mm.Write(parentTid, parent.PidNamespace.NumberOf(tid));
        if ((flags & CloneFlags.CLONE_CHILD_SETTID) != 0)
            child.Mm.Write(childTid, child.OwnTid);
        if ((flags & CloneFlags.CLONE_CHILD_CLEARTID) != 0)
            child.ClearChildTid = childTid;
        if ((flags & CloneFlags.CLONE_PIDFD) != 0)
        {
            long fd = PidFile.Open(Vfs, Tasks, parent, group, 0);
            if (fd >= 0)
                parent.Mm.Write(pidfd, (int)fd);
        }
        if (HasDeliverableAtBirth(child))
            SignalDelivery.Recalculate(child);
        if ((flags & CloneFlags.CLONE_VFORK) != 0)
            child.VforkDone = new WaitQueue();
        Scheduler.Enqueue(child);
        return tid;
    }

    private bool HasDeliverableAtBirth(KernelTask task) => SignalDelivery.HasDeliverable(task);

    private static void NewGroup(ThreadGroup group, KernelTask child, KernelTask parent, ulong flags, Cpu cpu)
    {
        group.Leader = child;
        group.Pid = child.Tid;
        group.Pgid = parent.Group.Pgid;
        group.Sid = parent.Group.Sid;
        group.Parent = (flags & CloneFlags.CLONE_PARENT) != 0 ? parent.Group.Parent : parent.Group;
        group.Parent?.Children.Add(group);
        group.Threads.Add(child);
        group.ExePath = parent.Group.ExePath;
        group.CommandLine = parent.Group.CommandLine;
        group.Environment = parent.Group.Environment;
        group.Auxv = parent.Group.Auxv;
        group.Dumpable = parent.Group.Dumpable;
        group.Rlimits = [.. parent.Group.Rlimits];
        group.ControllingTerminal = parent.Group.ControllingTerminal;
        group.StartCycle = cpu.Cycles;
        if (child.PidNamespace.Parent is not null)
            if (child.PidNamespace.Reaper == 0)
                child.PidNamespace.Reaper = group.Pid;
    }

    /// <summary>exit_group or a fatal signal: every thread ends with this wait status.</summary>
    internal void ExitGroup(KernelTask task, int status)
    {
        ThreadGroup group = task.Group;
        if (!group.Exiting)
        {
            group.Exiting = true;
            group.ExitStatus = status;
        }
        foreach (KernelTask thread in group.Threads.Where(t => !ReferenceEquals(t, task)).ToList())
        {
            thread.Signals.Killed = true;
            SignalDelivery.Notify(thread, Signal.SIGKILL);
        }
        ExitTask(task, group.ExitStatus);
    }

    /// <summary>Another thread of an exec'ing process: gone at once; it never runs again.</summary>
    private void KillThread(KernelTask thread)
    {
        thread.Wake();
        Scheduler.Dequeue(thread);
        bool onCpu = thread.OnCpu;
        ExitTask(thread, 0);
        if (onCpu)
            Scheduler.Kick(thread.Cpu);
        else
            Records.Free(thread);
    }

    /// <summary>do_exit: the task never returns to EL0. Its record lives until the next task runs on its CPU.</summary>
    internal void ExitTask(KernelTask task, int status)
    {
        if (task.State is TaskState.Zombie or TaskState.Dead)
            return;
        foreach (ITaskCounter counter in task.Counters)
            counter.Exited();
        task.Counters.Clear();
        ReleaseUserState(task);
        task.ExitStatus = status;
        task.Wake();
        task.State = TaskState.Zombie;
        task.Syscall = null;
        task.Files.Leave();
        task.Fs.Users--;
        MemoryMap? mm = task.Mm;
        if (mm is not null)
            Vdso.Design.TaskExited(task);
        task.Mm = null;
        FinishVfork(task);
        if (mm is not null)
        {
            Records.SetTtbr0(task, 0);
            mm.Release();
        }
        ThreadGroup group = task.Group;
        AddExitedUsage(group, task, mm);
        group.Threads.Remove(task);
        group.ExitedUserCycles += task.UserCycles;
        group.ExitedSystemCycles += task.SystemCycles;
        if (group.Threads.Count > 0)
        {
            if (!ReferenceEquals(group.Leader, task))
            {
                task.State = TaskState.Dead;
                Tasks.Unregister(task);
            }
            return;
        }
        if (!ReferenceEquals(group.Leader, task))
        {
            task.State = TaskState.Dead;
            Tasks.Unregister(task);
        }
        if (!group.Exiting)
            group.ExitStatus = ReferenceEquals(group.Leader, task) ? status : group.Leader.ExitStatus;
        EndGroup(group);
    }

    private void EndGroup(ThreadGroup group)
    {
        group.RealTimer?.Cancel();
        group.RealTimer = null;
        group.ClearPosixTimers();
        Ipc.ProcessExited(group.Pid);
        group.IsZombie = true;
        OnExit?.Invoke(group.Leader, group.ExitStatus);
        List<ThreadGroup> children = [.. group.Children];
        foreach (KernelTask traced in children.SelectMany(child => child.Threads)
            .Where(t => ReferenceEquals(t.Tracing?.Tracer, group)).ToList())
            StopTracing(traced);
        if (group.Leader.PidNamespace.Reaper == group.Pid)
            EndPidNamespace(group.Leader.PidNamespace);
        Reparent(group);
        if (ReferenceEquals(group, Tasks.Init))
        {
            ExitStatus = group.ExitStatus;
            Machine.StopRequested = true;
            Finished = true;
            return;
        }
        if (group.Parent is { } above && above.Pgid != group.Pgid && above.Sid == group.Sid)
            HangUpOrphans(group.Pgid);
        foreach (ThreadGroup child in children.Where(c => c.Pgid != group.Pgid && c.Sid == group.Sid))
            HangUpOrphans(child.Pgid);
        ThreadGroup? parent = group.Parent;
        if (parent is null || parent.IsZombie)
        {
            Reap(group);
            return;
        }
        HangUpIfSessionLeader(group);
        SignalAction action = parent.Leader.Handlers[Signal.SIGCHLD];
        bool autoReap = group.Leader.ExitSignal == Signal.SIGCHLD && (action.Handler == 1 || (action.Flags & Signal.SA_NOCLDWAIT) != 0);
        // clone takes any low byte; do_notify_parent drops what is no signal.
        if (group.Leader.ExitSignal is > 0 and <= Signal.Count)
            SignalDelivery.Send(parent, ChildInfo(group, group.Leader.ExitSignal));
        if (autoReap)
            Reap(group);
        parent.ChildChange.WakeAll();
        Tasks.ProcessEnded.WakeAll();
    }

    /// <summary>True once the first process has ended.</summary>
    public bool Finished { get; private set; }

    internal SignalInfo ChildInfo(ThreadGroup group, int signal)
    {
        int status = group.ExitStatus;
        bool killed = (status & 0x7f) != 0;
        return new SignalInfo
        {
            Number = signal,
            Code = killed ? ((status & 0x80) != 0 ? Signal.CLD_DUMPED : Signal.CLD_KILLED) : Signal.CLD_EXITED,
            Pid = group.Pid,
            Uid = group.Leader.Credentials.Uid,
            Status = killed ? status & 0x7f : status >> 8,
            UserTime = (long)Clock.ClockTicks(group.ExitedUserCycles),
            SystemTime = (long)Clock.ClockTicks(group.ExitedSystemCycles),
        };
    }

    private void Reparent(ThreadGroup dead)
    {
        if (dead.Children.Count == 0)
            return;
        ThreadGroup? heir = NewReaper(dead);
        foreach (ThreadGroup child in dead.Children.ToList())
        {
            child.Parent = ReferenceEquals(heir, dead) ? null : heir;
            child.Parent?.Children.Add(child);
            // reparent_leader: whatever clone asked for, the heir expects SIGCHLD.
            child.Leader.ExitSignal = Signal.SIGCHLD;
            foreach (KernelTask thread in child.Threads)
            {
                Records.SyncParent(thread);
                Vdso.Design.FieldChanged(thread, VdsoField.Ppid);
                if (thread.ParentDeathSignal != 0)
                    SignalDelivery.Send(thread, new SignalInfo { Number = thread.ParentDeathSignal, Pid = dead.Pid });
            }
            if (child.IsZombie && child.Parent is { IsZombie: false } p)
            {
                SignalDelivery.Send(p, ChildInfo(child, Signal.SIGCHLD));
                p.ChildChange.WakeAll();
            }
        }
        dead.Children.Clear();
    }

    /// <summary>Forgets a zombie; its times go to the parent.</summary>
    internal void Reap(ThreadGroup group)
    {
        if (group.Parent is { } parent)
        {
            parent.Children.Remove(group);
            parent.ChildUserCycles += group.ExitedUserCycles + group.ChildUserCycles;
            parent.ChildSystemCycles += group.ExitedSystemCycles + group.ChildSystemCycles;
            AddChildUsage(parent, group);
        }
        Tasks.Unregister(group.Leader);
        group.Leader.State = TaskState.Dead;
    }

    /// <summary>A process group that lost its last tie to its session: stopped members would stop for ever (kill_orphaned_pgrp).</summary>
    private void HangUpOrphans(int pgid)
    {
        List<ThreadGroup> members = [.. Tasks.Groups.Where(g => g.Pgid == pgid && !g.IsZombie)];
        if (!members.Exists(g => g.Threads.Exists(t => t.State == TaskState.Stopped)) || !IsOrphanedGroup(members[0]))
            return;
        SignalProcessGroup(pgid, Signal.SIGHUP);
        SignalProcessGroup(pgid, Signal.SIGCONT);
    }

    private void HangUpIfSessionLeader(ThreadGroup group)
    {
        if (group.Sid == group.Pid && group.ControllingTerminal is not null)
            SignalProcessGroup(group.Pgid, Signal.SIGHUP, group);
    }

    /// <summary>SIGCHLD of a stop or continue, and the wake-up of waiting parents.</summary>
    internal void NotifyParentOfStop(ThreadGroup group, int code, int signal)
    {
        if (group.Parent is not { } parent)
            return;
        if ((parent.Leader.Handlers[Signal.SIGCHLD].Flags & Signal.SA_NOCLDSTOP) == 0)
        {
            SignalDelivery.Send(parent, new SignalInfo
            {
                Number = Signal.SIGCHLD,
                Code = code,
                Pid = group.Pid,
                Uid = group.Leader.Credentials.Uid,
                Status = signal,
            });
        }
        parent.ChildChange.WakeAll();
    }

    /// <summary>Whether no member's parent is in another group of the same session (terminal stops are ignored then).</summary>
    internal bool IsOrphanedGroup(ThreadGroup group)
    {
        foreach (ThreadGroup other in Tasks.Groups)
        {
            if (other.Pgid == group.Pgid && !other.IsZombie && other.Parent is { } p && p.Pgid != group.Pgid && p.Sid == group.Sid)
                return false;
        }
        return true;
    }

    /// <summary>Sends a signal of the kernel to a process.</summary>
    public void SendSignal(ThreadGroup group, int signal) =>
        SignalDelivery.Send(group, new SignalInfo { Number = signal, Code = Signal.SI_KERNEL });

    /// <summary>Sends a signal of the kernel to a thread.</summary>
    public void SendSignal(KernelTask task, int signal) =>
        SignalDelivery.Send(task, new SignalInfo { Number = signal, Code = Signal.SI_KERNEL });

    /// <summary>Sends a signal to every process of a group, except one.</summary>
    public void SignalProcessGroup(int pgid, int signal, ThreadGroup? except = null)
    {
        foreach (ThreadGroup group in Tasks.Groups.Where(g => g.Pgid == pgid && !ReferenceEquals(g, except)).ToList())
            SendSignal(group, signal);
    }
}
