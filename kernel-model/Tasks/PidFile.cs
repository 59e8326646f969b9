using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Waiting;

namespace ArmVdso.Kernel.Tasks;

/// <summary>pidfd: a process as a file; readable once the process has ended (fs/pidfs.c).</summary>
internal sealed class PidFile : OpenFile
{
    private readonly LinuxKernel _kernel;

    private PidFile(LinuxKernel kernel, ThreadGroup group, int flags)
        : base(new AnonymousInode(kernel.Vfs.Anonymous, 0x180), OpenFlags.O_RDWR | flags)
    {
        _kernel = kernel;
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
    public override void CollectQueues(List<WaitQueue> queues) => queues.Add(_kernel.ExitWaiters);

    /// <summary>Opens a process for a task: the descriptor (close-on-exec), or -errno.</summary>
    internal static long Open(KernelTask task, ThreadGroup group, int flags)
    {
        var file = new PidFile(task.Kernel, group, flags & OpenFlags.O_NONBLOCK);
        long fd = task.Files.Add(file, true, task.Group.Rlimits[Rlimits.Nofile].Soft);
        if (fd < 0)
            file.Release();
        return fd;
    }
}
