namespace ArmVdso.Kernel.Tasks;

/// <summary>Policies of sched_setscheduler (include/uapi/linux/sched.h).</summary>
internal static class SchedulingPolicy
{
    internal const int Normal = 0, Fifo = 1, RoundRobin = 2, Batch = 3, Idle = 5, Deadline = 6;

    /// <summary>Whether a policy has priorities of 1 to 99.</summary>
    internal static bool IsRealtime(int policy) => policy is Fifo or RoundRobin;

    /// <summary>Rank among classes: 0 for fair ones, the priority of real-time ones, above them SCHED_DEADLINE.</summary>
    internal static int RankOf(KernelTask task) => task.Policy switch
    {
        Deadline => 100,
        Fifo or RoundRobin => task.RealtimePriority,
        _ => 0,
    };
}
