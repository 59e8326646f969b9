using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Loader;
using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Vdso;

namespace ArmVdso.Kernel.Processes;

/// <summary>The first process (kernel_init in init/main.c): made from the options of the run.</summary>
internal sealed class FirstProcess(
    KernelOptions options, Vfs vfs, TaskTable tasks, TaskRecords records, Scheduler scheduler, NamespaceTable namespaces,
    VdsoDesign design, ProgramLoader loader, ProgramStart programs)
{
    /// <summary>Starts it. 0, or -errno with one line in <paramref name="error"/>.</summary>
    internal long Start(out string error)
    {
        if (options.FirstPid != 1)
            StartReaper();
        var group = new ThreadGroup();
        var task = new KernelTask(records, scheduler, namespaces, tasks.AllocatePid(), group);
        group.Leader = task;
        group.Pid = group.Pgid = task.Tid;
        // As from a shell: a group of its own in the session of process 1, so that setpgid is allowed.
        group.Sid = 1;
        group.Threads.Add(task);
        task.Ipc.Enter();
        task.Credentials = Credentials.For(options.Uid, options.Gid);
        task.Fs = new FsContext(vfs.Root, vfs.Root);
        task.MountNamespace = vfs.InitialMounts;
        task.Network = vfs.InitialNetwork;
        task.Files = new FileTable(vfs.Descriptors);
        task.Handlers = new SignalHandlers();
        vfs.OpenStandardFiles(task.Files);
        var caller = new Caller(task.Credentials, task.Fs);
        long result = vfs.Find(caller, vfs.Root, options.WorkingDirectory, true, out Inode? cwd);
        if (result < 0 || cwd is null || !cwd.IsDirectory)
        {
            error = $"{options.WorkingDirectory}: no such folder in the guest";
            return -Errno.ENOENT;
        }
        task.Fs.Cwd = cwd;
        result = vfs.OpenExecutable(caller, cwd, options.ProgramGuestPath, true, task, out OpenFile? file);
        if (result < 0)
        {
            error = $"{options.ProgramGuestPath}: {Describe(-result)}";
            return result;
        }
        var request = new ProgramRequest(
            vfs, caller, options.ProgramGuestPath, [.. options.Arguments], [.. options.Environment], group, task.Credentials);
        if (options.ProgramName.Length > 0)
            request = request with { ExecPath = options.ProgramName };
        result = loader.Load(request, file!, out LoadedProgram? program, out error);
        file!.Release();
        if (result < 0)
            return result;
        if (!records.Allocate(task))
        {
            error = "no memory for the first task";
            return -Errno.ENOMEM;
        }
        records.SyncAll(task);
        records.SetStart(task, El1Symbol.ret_from_exec);
        programs.Install(task, program!);
        scheduler.ConcurrencyIds.Enter(task);
        design.TaskCreated(task, null);
        tasks.Init = group;
        group.StartCycle = 0;
        tasks.Register(task);
        vfs.Charge(KernelTask.HostBytes);
        records.SyncSyscallTrace(task);
        scheduler.Enqueue(task);
        return 0;
    }

    /// <summary>Process 1: it has no program here, sleeps for ever, and forgets its children when they end.</summary>
    private void StartReaper()
    {
        var group = new ThreadGroup { Pid = 1, Pgid = 1, Sid = 1 };
        var task = new KernelTask(records, scheduler, namespaces, 1, group)
        {
            Comm = "init",
            State = TaskState.Sleeping,
            Credentials = Credentials.For(0, 0),
            Fs = new FsContext(vfs.Root, vfs.Root),
            MountNamespace = vfs.InitialMounts,
            Network = vfs.InitialNetwork,
            Files = new FileTable(vfs.Descriptors),
            Handlers = new SignalHandlers(),
        };
        task.Ipc.Enter();
        group.Leader = task;
        group.Threads.Add(task);
        tasks.Reaper = group;
        tasks.Register(task);
        vfs.Charge(KernelTask.HostBytes);
    }

    /// <summary>What an errno means to a person, for our own messages.</summary>
    private static string Describe(long errno) => errno switch
    {
        Errno.ENOENT => "not found",
        Errno.EACCES => "permission denied",
        Errno.EISDIR => "is a directory",
        Errno.ENOEXEC => "not an executable",
        Errno.ELOOP => "too many symbolic links",
        Errno.ENOTDIR => "a part of the path is not a directory",
        _ => Errno.NameOf(errno),
    };
}
