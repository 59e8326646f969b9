namespace ArmVdso.Kernel.Tasks;

/// <summary>What the run queues know of a task (struct sched_entity, sched_rt_entity).</summary>
internal sealed class SchedulingEntity
{
    /// <summary>Weight of nice 0 (NICE_0_LOAD).</summary>
    internal const long NiceZero = 1024;

    /// <summary>Weight of a SCHED_IDLE task (WEIGHT_IDLEPRIO).</summary>
    private const long IdleWeight = 3;

    /// <summary>Weights of nice -20 to 19 (sched_prio_to_weight): a step is a tenth of a CPU.</summary>
    private static readonly int[] s_weights =
    [
        88761, 71755, 56483, 46273, 36291, 29154, 23254, 18705, 14949, 11916, 9548, 7620, 6100, 4904, 3906, 3121, 2501, 1991, 1586, 1277,
        1024, 820, 655, 526, 423, 335, 272, 215, 172, 137, 110, 87, 70, 56, 45, 36, 29, 23, 18, 15,
    ];

    /// <summary>Virtual time that the task has had, in ns of a task of nice 0.</summary>
    internal long Virtual { get; set; }

    /// <summary>Virtual time at which its request will be served; less than <see cref="Virtual"/> is a distance while
    /// <see cref="IsRelative"/>.</summary>
    internal long Deadline { get; set; }

    /// <summary>Virtual time that it was owed when it left its queue.</summary>
    internal long Lag { get; set; }

    /// <summary>Whether <see cref="Deadline"/> is counted from <see cref="Virtual"/>: it changes queues.</summary>
    internal bool IsRelative { get; set; }

    /// <summary>Length of a request in ns; 0: the scheduler's (sched_setattr's sched_runtime).</summary>
    internal long OwnSlice { get; set; }

    /// <summary>Nanoseconds of its CPU up to which its time is counted.</summary>
    internal long CountedTo { get; set; }

    /// <summary>It is in the line of <see cref="On"/>.</summary>
    internal bool InLine { get; set; }

    /// <summary>Its weight when <see cref="IRunQueues.Settle"/> took it out; 0: it was not fair then.</summary>
    internal long SettledWeight { get; set; }

    /// <summary>It has run to no deadline since it was chosen, and nobody with a shorter request came (RUN_TO_PARITY).</summary>
    internal bool IsProtected { get; set; }

    /// <summary>It has been on a queue before.</summary>
    internal bool HasRun { get; set; }

    /// <summary>It sleeps, and stays on its queue until it has paid back what it had too much (DELAY_DEQUEUE).</summary>
    internal bool IsDelayed { get; set; }

    /// <summary>The next time it is queued, it is behind all of its priority: it yielded, or its round is over.</summary>
    internal bool GoesLast { get; set; }

    /// <summary>Nanoseconds of its round that are left (SCHED_RR).</summary>
    internal long Round { get; set; } = RoundNs;

    /// <summary>A round of SCHED_RR (RR_TIMESLICE, 100 ms).</summary>
    internal const long RoundNs = 100_000_000;

    /// <summary>The queue that it is on, in line, running or leaving; null: none.</summary>
    internal CpuQueue? On { get; set; }

    /// <summary>Weight of a task.</summary>
    internal static long WeightOf(KernelTask task) =>
        task.Policy == SchedulingPolicy.Idle ? IdleWeight : s_weights[Math.Clamp(task.Nice, -20, 19) + 20];

    /// <summary>Virtual time of so many ns (calc_delta_fair).</summary>
    internal static long Scale(long ns, long weight) => weight == NiceZero ? ns : (long)((Int128)ns * NiceZero / weight);
}
