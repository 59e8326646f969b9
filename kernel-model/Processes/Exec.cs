using ArmVdso.Kernel.Delivery;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Loader;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Vdso;

namespace ArmVdso.Kernel.Processes;

/// <summary>execve after its file was opened (fs/exec.c).</summary>
/// <param name="vfs">Where an interpreter is.</param>
/// <param name="tasks">Which task has the process' number.</param>
/// <param name="records">Registers and identity for EL1 code.</param>
/// <param name="scheduler">Concurrency IDs of the new memory.</param>
/// <param name="counter">A new program may read the counter.</param>
/// <param name="design">What the vDSO keeps of a program.</param>
/// <param name="namespaces">A program enters the time namespace that was made for children.</param>
/// <param name="exit">The end of the other threads.</param>
/// <param name="loader">Makes the new memory.</param>
/// <param name="programs">Makes the task begin in it.</param>
/// <param name="started">Told of the new program.</param>
internal sealed class Exec(
    Vfs vfs, TaskTable tasks, TaskRecords records, Scheduler scheduler, CounterAccess counter, VdsoDesign design,
    TaskNamespaces namespaces, TaskExit exit, ProgramLoader loader, ProgramStart programs, Action<KernelTask>? started)
{
    /// <summary>execve: NoReturn, or -errno.</summary>
    internal long Start(SystemCall c, OpenFile file, string path, string comm, List<string> argv, List<string> envp)
    {
        KernelTask task = c.Task;
        var caller = new Caller(task.Credentials, task.Fs);
        Credentials credentials = CredentialsOf(task, file);
        var request = new ProgramRequest(vfs, caller, path, argv, envp, task.Group, credentials);
        long result = loader.Load(request, file, out LoadedProgram? program, out _);
        if (result < 0)
            return result;
        // Point of no return.
        BecomeOnlyThread(task);
        task.ExitSignal = Signal.SIGCHLD;
        exit.ReleaseUserState(task);
        if (task.Files.Users > 1)
        {
            FileTable shared = task.Files;
            task.Files = shared.Clone();
            shared.Leave();
        }
        task.Files.CloseOnExec();
        task.Handlers = task.Handlers.Clone();
        task.Handlers.FlushForExec();
        task.Signals.AltStack = TaskSignals.NoAltStack;
        task.Credentials = credentials.AfterExec();
        task.Comm = ProgramStart.Truncate(comm);
        task.Group.HasExecuted = true;
        task.Group.Dumpable = 1;
        task.ProcessControls.Remove(PrctlOptions.PR_SET_KEEPCAPS);
        task.TagsIgnored = false;
        records.SyncTags(task);
        (task.Keys.Thread, task.Group.ProcessKeyring) = (null, null);
        task.Group.EndAio();
        task.Group.ClearPosixTimers();
        EnterMemory(c.Cpu, task, program!);
        records.SyncAll(task);
        design.ProgramStarted(task);
        TaskExit.FinishVfork(task);
        foreach (ITaskCounter counting in task.Counters)
            counting.Executed();
        started?.Invoke(task);
        return SystemCall.NoReturn;
    }

    /// <summary>Credentials with what set-user-ID and set-group-ID of a file change (bprm_fill_uid).</summary>
    private static Credentials CredentialsOf(KernelTask task, OpenFile file)
    {
        Credentials credentials = task.Credentials;
        if ((file.Inode.Mode & (Modes.S_ISUID | Modes.S_ISGID)) == 0 || file.Inode.Fs.Has(MountFlags.MS_NOSUID)
            || task.ProcessControls.ContainsKey(PrctlOptions.PR_SET_NO_NEW_PRIVS)
            || (task.Tracing is { } tracing && !tracing.Tracer.Credentials.Has(Capability.SysPtrace)))
            return credentials;
        return credentials with
        {
            Euid = (file.Inode.Mode & Modes.S_ISUID) != 0 ? file.Inode.Uid : credentials.Euid,
            Fsuid = (file.Inode.Mode & Modes.S_ISUID) != 0 ? file.Inode.Uid : credentials.Euid,
            Egid = (file.Inode.Mode & Modes.S_ISGID) != 0 ? file.Inode.Gid : credentials.Egid,
            Fsgid = (file.Inode.Mode & Modes.S_ISGID) != 0 ? file.Inode.Gid : credentials.Egid,
        };
    }

    /// <summary>The other threads go, the leader's identity passes to the caller (de_thread).</summary>
    private void BecomeOnlyThread(KernelTask task)
    {
        foreach (KernelTask thread in task.Group.Threads.Where(t => !ReferenceEquals(t, task)).ToList())
            exit.KillThread(thread);
        KernelTask leader = task.Group.Leader;
        if (ReferenceEquals(leader, task))
            return;
        TraceStops.Unlink(leader);
        tasks.Unregister(task);
        tasks.Unregister(leader);
        vfs.Charge(-KernelTask.HostBytes);
        for (PidNamespace? space = task.PidNamespace; space is not null; space = space.Parent)
            space.Rename(task.Tid, task.Group.Pid);
        task.Tid = task.Group.Pid;
        task.Group.Leader = task;
        tasks.Register(task);
    }

    /// <summary>The running task has its new program's memory, and a CPU as a program finds it (exec_mmap, flush_thread).</summary>
    private void EnterMemory(Cpu cpu, KernelTask task, LoadedProgram program)
    {
        MemoryMap old = task.Mm!;
        scheduler.ConcurrencyIds.Leave(task);
        programs.Install(task, program);
        scheduler.ConcurrencyIds.Enter(task);
        namespaces.JoinTime(task, task.TimeNamespaceForChildren);
        task.CounterForbidden = false;
        counter.Update(cpu, task);
        cpu.SetTtbr0(program.Memory.Space);
        cpu.SetAsid(TaskRecords.AsidOf(program.Memory.Space.Handle));
        old.Release();
        cpu.TPIDR_EL0 = 0;
        records.SetTp(task, 0);
        for (int i = 0; i < 32; i++)
            cpu.SetV(i, default);
        cpu.FPCR = 0;
        cpu.FPSR = 0;
    }
}
