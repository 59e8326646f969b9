namespace ArmVdso.Kernel.Tasks;

/// <summary>What the kernel says: the truth column of vdso-image/calls.tsv, from which the declarations are made. One without a row,
/// or a row without one, does not compile.</summary>
public static partial class VdsoTruths
{
    /// <summary>PID of the process, as the task sees it.</summary>
    public static partial int Pid(KernelTask task) => task.OwnPid;

    /// <summary>TID, as the task sees it.</summary>
    public static partial int Tid(KernelTask task) => task.OwnTid;

    /// <summary>PID of the parent, as the task sees it; 0: it has none there.</summary>
    public static partial int Ppid(KernelTask task) => task.ParentPid;

    /// <summary>Process group, as the task sees it; 0: it is not visible there.</summary>
    public static partial int Pgid(KernelTask task) => task.PidNamespace.NumberOf(task.Group.Pgid);

    /// <summary>Session, as the task sees it; 0: it is not visible there.</summary>
    public static partial int Sid(KernelTask task) => task.PidNamespace.NumberOf(task.Group.Sid);

    /// <summary>Largest priority of a scheduling policy (MAX_RT_PRIO - 1 for real-time ones), or -EINVAL.</summary>
    public static partial int SchedGetPriorityMax(int argument) => argument switch
    {
        Fifo or RoundRobin => 99,
        Normal or Batch or Idle or Deadline => 0,
        _ => (int)-Errno.EINVAL,
    };

    /// <summary>SCHED_* of include/uapi/linux/sched.h.</summary>
    private const int Normal = 0, Fifo = 1, RoundRobin = 2, Batch = 3, Idle = 5, Deadline = 6;

    /// <summary>Real user ID in the task's user namespace.</summary>
    public static partial int Uid(KernelTask task) => User(task, task.Credentials.Uid);

    /// <summary>Effective user ID in the task's user namespace.</summary>
    public static partial int Euid(KernelTask task) => User(task, task.Credentials.Euid);

    /// <summary>Real group ID in the task's user namespace.</summary>
    public static partial int Gid(KernelTask task) => Group(task, task.Credentials.Gid);

    /// <summary>Effective group ID in the task's user namespace.</summary>
    public static partial int Egid(KernelTask task) => Group(task, task.Credentials.Egid);

    private static int User(KernelTask task, uint id) => (int)task.Credentials.UserNamespace.ShowUser(id);

    private static int Group(KernelTask task, uint id) => (int)task.Credentials.UserNamespace.ShowGroup(id);
}
