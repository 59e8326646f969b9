using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Waiting;

namespace ArmVdso.Kernel.Tasks;

/// <summary>pidfd: a process as a file; readable once the process has ended (fs/pidfs.c).</summary>
internal sealed class PidFile : OpenFile
{
    private readonly TaskTable _tasks;

    private PidFile(Vfs vfs, TaskTable tasks, ThreadGroup group, int flags)
        : base(new AnonymousInode(vfs.Anonymous, 0x180), OpenFlags.O_RDWR | flags)
    {
        _tasks = tasks;
        Group = group;
    }

    /// <summary>The process.</summary>
    internal ThreadGroup Group { get; }

    /// <inheritdoc/>
    public override string Description => "anon_inode:[pidfd]";

    /// <inheritdoc/>
    internal override string FdInfoIn(PidNamespace space)
    {
        int pid = Group.Leader.State == TaskState.Dead ? -1 : space.NumberOf(Group.Pid);
        IEnumerable<int> numbers = pid > 0 ? space.NumbersDown(Group.Leader.PidNamespace, Group.Pid) : [pid];
        return $"Pid:\t{pid}\nNSpid:\t{string.Join('\t', numbers)}\n";
    }

    /// <inheritdoc/>
    public override uint Poll() => Group.IsZombie ? PollBits.Readable : 0;

    /// <inheritdoc/>
    public override void CollectQueues(List<WaitQueue> queues) => queues.Add(_tasks.ProcessEnded);

    /// <summary>PIDFD_GET_*_NAMESPACE: a namespace of the process as a file (Linux 6.11). Only who may look into the process.</summary>
    public override long Ioctl(IFileUser user, uint command, ulong argument)
    {
        const uint cgroup = 0xFF01, ipc = 0xFF02, mounts = 0xFF03, network = 0xFF04, pid = 0xFF05, pidForChildren = 0xFF06, time = 0xFF07,
            timeForChildren = 0xFF08, users = 0xFF09, uts = 0xFF0A;
        if (command is < cgroup or > uts)
            return -Errno.ENOTTY;
        if (Group.Leader is not { State: not TaskState.Dead, Mm: not null } task)
            return -Errno.ESRCH;
        if (argument != 0)
            return -Errno.EINVAL;
        if (user is KernelTask asking && !Permissions.MayTrace(asking, task))
            return -Errno.EACCES;
        INamespace space = command switch
        {
            cgroup => task.Cgroups,
            ipc => task.Ipc,
            mounts => task.MountNamespace,
            network => task.Network,
            pid => task.PidNamespace,
            pidForChildren => task.PidNamespaceForChildren,
            time => task.TimeNamespace,
            timeForChildren => task.TimeNamespaceForChildren,
            users => task.Credentials.UserNamespace,
            _ => task.Uts,
        };
        return NamespaceFile.Install(user, Inode.Fs, space);
    }

    /// <summary>Opens a process for a task: the descriptor (close-on-exec), or -errno.</summary>
    internal static long Open(Vfs vfs, TaskTable tasks, KernelTask task, ThreadGroup group, int flags)
    {
        var file = new PidFile(vfs, tasks, group, flags & OpenFlags.O_NONBLOCK);
        long fd = task.Files.Add(file, true, task.Group.Rlimits[Rlimits.Nofile].Soft);
        if (fd < 0)
            file.Release();
        return fd;
    }
}
