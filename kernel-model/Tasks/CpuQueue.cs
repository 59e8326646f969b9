using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Tasks;

/// <summary>The queue of one CPU (struct rq). Fair tasks are chosen by EEVDF (kernel/sched/fair.c, Linux 6.12): of those that are owed
/// service, the one with the earliest virtual deadline. Real-time tasks come before them, by priority.</summary>
/// <param name="index">The CPU.</param>
/// <param name="now">Nanoseconds of that CPU's clock.</param>
/// <param name="slice">Length of a request that has none of its own, in ns.</param>
internal sealed class CpuQueue(int index, Func<long> now, long slice)
{
    private const long TickNs = (long)MachineClock.TickNs;

    private readonly List<KernelTask> _line = [];
    private long _zero;

    /// <summary>The CPU.</summary>
    internal int Index => index;

    /// <summary>Those that wait here, also those that sleep and pay back.</summary>
    internal List<KernelTask> Line => _line;

    /// <summary>The one that runs; null: the idle task.</summary>
    internal KernelTask? Current { get; set; }

    /// <summary>The one that the CPU is leaving: its registers are not saved yet.</summary>
    internal KernelTask? Leaving { get; set; }

    /// <summary>Until then fair tasks run though real-time ones want to (the fair server).</summary>
    internal long ServedUntil { get; set; } = long.MinValue;

    /// <summary>When a fair task last ran here, or none waited.</summary>
    internal long FairRan { get; set; }

    /// <summary>Length of a task's requests in ns.</summary>
    internal long SliceOf(KernelTask task) => task.Entity.OwnSlice != 0 ? task.Entity.OwnSlice : slice;

    /// <summary>Weight of all that run or want to; a real-time task weighs as one of nice -20.</summary>
    internal long Load => Members(fair: false).Where(t => !t.Entity.IsDelayed).Sum(SchedulingEntity.WeightOf);

    /// <summary>Whether somebody waits here.</summary>
    internal bool AnyoneWaits => _line.Exists(t => !t.Entity.IsDelayed);

    /// <summary>Counts the time of the running task (update_curr).</summary>
    /// <returns>Whether it has had what it asked for.</returns>
    internal bool Account()
    {
        if (Current is not { } task)
            return false;
        SchedulingEntity entity = task.Entity;
        long time = now();
        long ran = time - entity.CountedTo;
        if (ran <= 0)
            return false;
        entity.CountedTo = time;
        if (SchedulingPolicy.RankOf(task) > 0)
        {
            entity.Round -= ran;
            return task.Policy == SchedulingPolicy.RoundRobin && entity.Round <= 0;
        }
        FairRan = time;
        long weight = SchedulingEntity.WeightOf(task);
        entity.Virtual += SchedulingEntity.Scale(ran, weight);
        if (entity.Virtual < entity.Deadline)
            return false;
        entity.Deadline = entity.Virtual + SchedulingEntity.Scale(SliceOf(task), weight);
        entity.IsProtected = false;
        return true;
    }

    /// <summary>The running task's time begins, or goes on.</summary>
    internal void Start(KernelTask task)
    {
        Current = task;
        task.Entity.On = this;
        task.Entity.CountedTo = now();
        if (SchedulingPolicy.RankOf(task) == 0)
            FairRan = task.Entity.CountedTo;
    }

    /// <summary>Those whose virtual times are weighed here.</summary>
    private IEnumerable<KernelTask> Members(bool fair = true)
    {
        foreach (KernelTask task in _line)
        {
            if (!fair || SchedulingPolicy.RankOf(task) == 0)
                yield return task;
        }
        if (Current is { State: TaskState.Runnable } current && (!fair || SchedulingPolicy.RankOf(current) == 0))
            yield return current;
        if (Leaving is { State: TaskState.Runnable } leaving && leaving != Current && (!fair || SchedulingPolicy.RankOf(leaving) == 0))
            yield return leaving;
    }

    /// <summary>The weighted mean of all virtual times (avg_vruntime): whoever has had less is owed.</summary>
    /// <param name="besides">Counts too, though it is about to leave.</param>
    private (long Mean, long Weight) Average(KernelTask? besides = null)
    {
        Int128 sum = 0;
        long weight = 0;
        bool seen = besides is null;
        foreach (KernelTask task in Members())
        {
            seen |= task == besides;
            Add(task);
        }
        if (!seen)
            Add(besides!);
        if (weight > 0)
            _zero += (long)Int128.Max(Floor(sum, weight), 0);
        return (weight > 0 ? _zero + (sum < 0 ? (long)Floor(sum, weight) : 0) : _zero, weight);

        void Add(KernelTask task)
        {
            long w = SchedulingEntity.WeightOf(task);
            sum += (Int128)(task.Entity.Virtual - _zero) * w;
            weight += w;
        }
    }

    private static Int128 Floor(Int128 value, long by) => value >= 0 ? value / by : -((-value + by - 1) / by);

    /// <summary>A fair task comes (place_entity): what it was owed when it left, it is owed again.</summary>
    internal void Place(KernelTask task)
    {
        SchedulingEntity entity = task.Entity;
        Account();
        long weight = SchedulingEntity.WeightOf(task);
        (long mean, long load) = Average();
        // The mean moves by the task itself: what it is owed afterwards must be what it was.
        long lag = load > 0 ? (long)((Int128)entity.Lag * (load + weight) / load) : 0;
        entity.Virtual = mean - lag;
        long request = SchedulingEntity.Scale(SliceOf(task), weight);
        // Others are halfway through theirs, on the average.
        if (!entity.HasRun)
            request /= 2;
        entity.Deadline = entity.IsRelative ? entity.Virtual + entity.Deadline : entity.Virtual + request;
        (entity.HasRun, entity.IsRelative) = (true, false);
    }

    /// <summary>A fair task leaves: what it is owed is kept, within two requests (update_entity_lag).</summary>
    internal void Release(KernelTask task, bool sleeps)
    {
        SchedulingEntity entity = task.Entity;
        long most = SchedulingEntity.Scale(Math.Max(2 * SliceOf(task), TickNs), SchedulingEntity.WeightOf(task));
        entity.Lag = Math.Clamp(Average(task).Mean - entity.Virtual, -most, most);
        if (sleeps)
            return;
        entity.Deadline -= entity.Virtual;
        entity.IsRelative = true;
    }

    /// <summary>Whether a task is owed service (entity_eligible).</summary>
    internal bool IsOwed(KernelTask task) => task.Entity.Virtual <= Average(task).Mean;

    /// <summary>The best of those of one rank, and of a candidate that runs.</summary>
    internal KernelTask? Best(KernelTask? running)
    {
        KernelTask? realtime = running is not null && SchedulingPolicy.RankOf(running) > 0 && !running.Entity.GoesLast ? running : null;
        bool fairWaits = running is not null && SchedulingPolicy.RankOf(running) == 0;
        foreach (KernelTask task in _line)
        {
            int rank = SchedulingPolicy.RankOf(task);
            fairWaits |= rank == 0 && !task.Entity.IsDelayed;
            if (rank > (realtime is null ? 0 : SchedulingPolicy.RankOf(realtime)))
                realtime = task;
        }
        if (running is { Entity.GoesLast: true } && SchedulingPolicy.RankOf(running) is > 0 and var own
            && (realtime is null || SchedulingPolicy.RankOf(realtime) < own))
            realtime = running;
        long time = now();
        if (!fairWaits)
            FairRan = time;
        if (realtime is not null && !(fairWaits && IsServed(time)))
            return realtime;
        return BestFair(running is not null && SchedulingPolicy.RankOf(running) == 0 ? running : null);
    }

    /// <summary>Starved fair tasks get 50 ms of each second (dl_server, fair_server's defaults).</summary>
    private bool IsServed(long time)
    {
        if (time < ServedUntil)
            return true;
        if (time - FairRan < StarvedNs)
            return false;
        ServedUntil = time + ServiceNs;
        return true;
    }

    /// <summary>How long fair tasks may starve, and how long they are served then.</summary>
    internal const long StarvedNs = 950_000_000, ServiceNs = 50_000_000;

    /// <summary>EEVDF's choice (pick_eevdf).</summary>
    internal KernelTask? BestFair(KernelTask? running)
    {
        while (true)
        {
            long mean = Average().Mean;
            if (running is { Entity.IsProtected: true } && running.Entity.Virtual <= mean)
                return running;
            KernelTask? best = running is not null && running.Entity.Virtual <= mean ? running : null;
            KernelTask? first = running;
            foreach (KernelTask task in _line)
            {
                if (SchedulingPolicy.RankOf(task) > 0)
                    continue;
                if (first is null || task.Entity.Virtual < first.Entity.Virtual)
                    first = task;
                if (task.Entity.Virtual <= mean && (best is null || task.Entity.Deadline < best.Entity.Deadline))
                    best = task;
            }
            best ??= first;
            if (best is not { Entity.IsDelayed: true })
                return best;
            // It has paid back; it sleeps on, and owes nothing.
            Forget(best);
        }
    }

    /// <summary>A task that sleeps leaves the line.</summary>
    internal void Forget(KernelTask task)
    {
        _line.Remove(task);
        Release(task, sleeps: true);
        task.Entity.Lag = Math.Min(task.Entity.Lag, 0);
        (task.Entity.IsDelayed, task.Entity.InLine, task.Entity.On) = (false, false, null);
    }

    /// <summary>A task stands in line: fair ones anywhere, others behind those of their priority, or before them when they were only
    /// interrupted.</summary>
    internal void Insert(KernelTask task, bool first)
    {
        int rank = SchedulingPolicy.RankOf(task);
        int limit = first ? rank : rank - 1;
        int at = rank == 0 ? _line.Count : _line.FindIndex(t => SchedulingPolicy.RankOf(t) <= limit);
        _line.Insert(at < 0 ? _line.Count : at, task);
        (task.Entity.On, task.Entity.InLine) = (this, true);
    }

    /// <summary>A task does not stand in line any more.</summary>
    internal void Take(KernelTask task)
    {
        _line.Remove(task);
        task.Entity.InLine = false;
    }

    /// <summary>Whether one that came is to run at once (wakeup_preempt).</summary>
    internal bool IsPreemptedBy(KernelTask task)
    {
        if (Current is not { } current)
            return true;
        int rank = SchedulingPolicy.RankOf(task), other = SchedulingPolicy.RankOf(current);
        if (rank != other || rank > 0)
            return rank > other;
        bool idle = current.Policy == SchedulingPolicy.Idle;
        if (idle && task.Policy != SchedulingPolicy.Idle)
        {
            current.Entity.IsProtected = false;
            return true;
        }
        if (idle || task.Policy != SchedulingPolicy.Normal)
            return false;
        bool shorter = SliceOf(task) < SliceOf(current) && IsOwed(task);
        if (shorter && (task.Entity.Deadline < current.Entity.Deadline || !IsOwed(current)))
            current.Entity.IsProtected = false;
        return BestFair(current) == task;
    }

    /// <summary>Nanoseconds until the running task must be looked at.</summary>
    internal long Remaining(KernelTask task)
    {
        SchedulingEntity entity = task.Entity;
        if (SchedulingPolicy.RankOf(task) == 0)
        {
            long left = (long)((Int128)Math.Max(entity.Deadline - entity.Virtual, 1) * SchedulingEntity.WeightOf(task)
                / SchedulingEntity.NiceZero);
            long served = ServedUntil - now();
            return served > 0 ? Math.Min(left, served) : left;
        }
        long starved = _line.Exists(t => SchedulingPolicy.RankOf(t) == 0) ? FairRan + StarvedNs - now() : long.MaxValue;
        return Math.Max(1, task.Policy == SchedulingPolicy.RoundRobin ? Math.Min(entity.Round, starved) : starved);
    }
}
