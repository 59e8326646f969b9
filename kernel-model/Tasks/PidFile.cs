using ArmVdso.Kernel.Files;
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
    public override string FdInfo => $"Pid:\t{(Group.Leader.State == TaskState.Dead ? -1 : Group.Pid)}\nNSpid:\t{Group.Pid}\n";

    /// <inheritdoc/>
    public override uint Poll() => Group.IsZombie ? PollBits.Readable : 0;

    /// <inheritdoc/>
    public override void CollectQueues(List<WaitQueue> queues) => queues.Add(_tasks.ProcessEnded);

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
