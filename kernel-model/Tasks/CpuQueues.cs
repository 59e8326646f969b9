using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Tasks;

/// <summary>A queue for each CPU, as Linux 6.12 has them (kernel/sched/core.c, fair.c, rt.c): placement at wake-up, EEVDF, real-time
/// priorities, pulling by CPUs that have nothing, balancing at ticks. Without control groups, and all CPUs share their last cache.
/// SCHED_DEADLINE comes before real-time priorities, without a budget.</summary>
internal sealed class CpuQueues : IRunQueues
{
    /// <summary>A request of one CPU (sysctl_sched_base_slice); more CPUs have longer ones.</summary>
    private const long BaseSliceNs = 700_000;

    /// <summary>Ticks between looks at the loads of busy CPUs (busy_factor).</summary>
    private const int BusyTicks = 16;

    private readonly CpuQueue[] _queues;
    private readonly Machine _machine;
    private readonly MachineClock _clock;
    private readonly bool _exact;
    private int _ticks;

    /// <summary>Empty queues.</summary>
    /// <param name="machine">The CPUs.</param>
    /// <param name="clock">The CPU that wakes somebody.</param>
    /// <param name="sliceNs">Length of a request, after which the timer interrupts; null: Linux's, looked at when the tick comes.</param>
    internal CpuQueues(Machine machine, MachineClock clock, ulong? sliceNs)
    {
        (_machine, _clock, _exact) = (machine, clock, sliceNs.HasValue);
        long slice = (long)(sliceNs ?? BaseSliceNsOf(machine.Cpus.Count));
        _queues = [.. machine.Cpus.Select(cpu => new CpuQueue(cpu.Index, () => Nanoseconds(cpu), slice))];
    }

    /// <summary>Length of a request of a machine (update_sysctl: logarithmic, of 8 CPUs at most), in ns.</summary>
    internal static ulong BaseSliceNsOf(int cpus) => (ulong)BaseSliceNs * (1 + (ulong)int.Log2(Math.Min(cpus, 8)));

    private long Nanoseconds(Cpu cpu) => (long)((UInt128)cpu.Cycles * 1_000_000_000 / _machine.ClockFrequency);

    public IReadOnlyList<KernelTask> Waiting => [.. _queues.SelectMany(q => q.Line).Where(t => !t.Entity.IsDelayed)];

    public int Count { get; private set; }

    public bool Contains(KernelTask task) => task.Entity is { InLine: true, IsDelayed: false };

    public int Add(KernelTask task, int idle)
    {
        SchedulingEntity entity = task.Entity;
        bool interrupted = entity.On is { } left && left.Leaving == task;
        if (interrupted)
        {
            entity.On!.Leaving = null;
            if (!task.MayRunOn(entity.On.Index))
                Detach(task);
        }
        else if (entity is { IsDelayed: true, On: { } sleeps })
        {
            if (task.MayRunOn(sleeps.Index))
                return Return(task, sleeps);
            sleeps.Forget(task);
        }
        CpuQueue queue = entity.On ?? _queues[idle >= 0 ? idle : Place(task)];
        bool over = queue.Account();
        if (entity.On is null && SchedulingPolicy.RankOf(task) == 0)
            queue.Place(task);
        queue.Insert(task, interrupted && !entity.GoesLast);
        entity.GoesLast = false;
        Count++;
        if (idle >= 0)
            return idle;
        return !interrupted && (over || queue.IsPreemptedBy(task)) ? queue.Index : -1;
    }

    /// <summary>One that had not paid back wakes up (requeue_delayed_entity): what it was given too much by waiting is forgotten.</summary>
    private int Return(KernelTask task, CpuQueue queue)
    {
        bool over = queue.Account();
        task.Entity.IsDelayed = false;
        Count++;
        if (queue.IsOwed(task))
        {
            queue.Take(task);
            task.Entity.Lag = 0;
            queue.Place(task);
            queue.Insert(task, false);
        }
        return over || queue.IsPreemptedBy(task) ? queue.Index : -1;
    }

    /// <summary>The queue of a task that no CPU is idle for: a new one goes where the least is to do, one that wakes up stays, unless who
    /// wakes it has less to do (wake_affine); a real-time one goes where it disturbs least.</summary>
    private int Place(KernelTask task)
    {
        if (SchedulingPolicy.RankOf(task) > 0)
            return Allowed(task).MinBy(q => q.Current is { } current ? 1 + SchedulingPolicy.RankOf(current) : 0)!.Index;
        if (!task.Entity.HasRun || !task.MayRunOn(task.Cpu))
            return Allowed(task).MinBy(q => q.Load)!.Index;
        int waker = _clock.Active?.Index ?? task.Cpu;
        long weight = SchedulingEntity.WeightOf(task);
        return task.MayRunOn(waker) && _queues[waker].Load + weight < _queues[task.Cpu].Load ? waker : task.Cpu;
    }

    private IEnumerable<CpuQueue> Allowed(KernelTask task) => _queues.Where(q => task.MayRunOn(q.Index));

    /// <summary>A task leaves its queue for another one.</summary>
    private static void Detach(KernelTask task)
    {
        CpuQueue queue = task.Entity.On!;
        queue.Account();
        if (SchedulingPolicy.RankOf(task) == 0)
            queue.Release(task, sleeps: false);
        if (task.Entity.InLine)
            queue.Take(task);
        task.Entity.On = null;
    }

    public bool Remove(KernelTask task)
    {
        SchedulingEntity entity = task.Entity;
        if (entity.On is not { } queue)
            return false;
        if (entity.IsDelayed)
        {
            queue.Forget(task);
            return false;
        }
        bool waited = entity.InLine;
        Detach(task);
        if (queue.Leaving == task)
            queue.Leaving = null;
        if (waited)
            Count--;
        return waited;
    }

    public bool WaitsFor(int cpu) => _queues[cpu].AnyoneWaits;

    public KernelTask? Next(int cpu, KernelTask previous, bool stays)
    {
        CpuQueue queue = _queues[cpu];
        queue.Account();
        if (queue.Current == previous && previous.State != TaskState.Runnable)
            Sleep(queue, previous);
        KernelTask? best = queue.Best(stays ? previous : null);
        best = PullRealtime(queue, best) ?? best ?? Pull(queue);
        if (stays && best == previous)
        {
            previous.Entity.GoesLast = false;
            return previous;
        }
        queue.Leaving = queue.Current == previous && previous.State == TaskState.Runnable ? previous : null;
        queue.Current = best;
        if (best is null)
            return null;
        if (best.Entity.InLine)
        {
            best.Entity.On!.Take(best);
            Count--;
        }
        best.Entity.IsProtected = true;
        return best;
    }

    /// <summary>The running task sleeps, or is no more.</summary>
    private static void Sleep(CpuQueue queue, KernelTask task)
    {
        SchedulingEntity entity = task.Entity;
        bool fair = SchedulingPolicy.RankOf(task) == 0;
        queue.Current = null;
        if (fair && task.State == TaskState.Sleeping && !queue.IsOwed(task))
        {
            entity.IsDelayed = true;
            queue.Insert(task, false);
            return;
        }
        if (fair)
        {
            queue.Release(task, sleeps: true);
            // DELAY_ZERO: nobody is owed for having slept.
            entity.Lag = Math.Min(entity.Lag, 0);
        }
        entity.On = null;
    }

    /// <summary>A real-time task that waits elsewhere, of higher priority than what is here (pull_rt_task).</summary>
    private KernelTask? PullRealtime(CpuQueue queue, KernelTask? best)
    {
        int rank = best is null ? 0 : SchedulingPolicy.RankOf(best);
        KernelTask? found = null;
        foreach (KernelTask task in _queues.Where(q => q != queue).SelectMany(q => q.Line))
        {
            if (SchedulingPolicy.RankOf(task) is var other && other > rank && task.MayRunOn(queue.Index))
                (found, rank) = (task, other);
        }
        if (found is not null)
            Move(found, queue);
        return found;
    }

    /// <summary>A CPU that has nothing takes from the one with the most (sched_balance_newidle).</summary>
    private KernelTask? Pull(CpuQueue queue)
    {
        foreach (CpuQueue other in _queues.Where(q => q != queue && q.AnyoneWaits).OrderByDescending(q => q.Load))
        {
            if (other.Line.Find(t => !t.Entity.IsDelayed && t.MayRunOn(queue.Index)) is not { } task)
                continue;
            Move(task, queue);
            return task;
        }
        return null;
    }

    /// <summary>A task that waits changes queues.</summary>
    private static void Move(KernelTask task, CpuQueue to)
    {
        Detach(task);
        to.Account();
        if (SchedulingPolicy.RankOf(task) == 0)
            to.Place(task);
        to.Insert(task, false);
    }

    public ulong BeginSlice(KernelTask task, ulong now)
    {
        CpuQueue queue = _queues[task.Cpu];
        if (queue.Current != task)
            return ulong.MaxValue; // the idle task
        queue.Start(task);
        return End(queue, task, now);
    }

    /// <summary>When a running task has had what it asked for; Linux notices that at the next tick (no HRTICK).</summary>
    private ulong End(CpuQueue queue, KernelTask task, ulong now)
    {
        long left = queue.Remaining(task);
        if (left > long.MaxValue / 2)
            return ulong.MaxValue;
        ulong end = now + (ulong)left;
        return _exact ? end : (end + MachineClock.TickNs - 1) / MachineClock.TickNs * MachineClock.TickNs;
    }

    public ulong? SliceEnded(KernelTask task, ulong now)
    {
        CpuQueue queue = _queues[task.Cpu];
        if (queue.Account() && SchedulingPolicy.IsRealtime(task.Policy))
            (task.Entity.Round, task.Entity.GoesLast) = (SchedulingEntity.RoundNs, true);
        if (queue.AnyoneWaits && queue.Best(task) != task)
            return null;
        task.Entity.GoesLast = false;
        return End(queue, task, now);
    }

    public ulong Refresh(KernelTask task, ulong now)
    {
        CpuQueue queue = _queues[task.Cpu];
        queue.Account();
        return End(queue, task, now);
    }

    public ulong RequestOf(KernelTask task) => (ulong)_queues[0].SliceOf(task);

    /// <summary>NS_TO_JIFFIES: a request that is shorter than a tick is none.</summary>
    public ulong IntervalOf(KernelTask task) => RequestOf(task) / MachineClock.TickNs * MachineClock.TickNs;

    public bool Yield(KernelTask task)
    {
        CpuQueue queue = _queues[task.Cpu];
        queue.Account();
        if (!queue.AnyoneWaits)
            return false;
        if (SchedulingPolicy.RankOf(task) > 0)
        {
            task.Entity.GoesLast = true;
            return true;
        }
        task.Entity.IsProtected = false;
        task.Entity.Deadline += SchedulingEntity.Scale(queue.SliceOf(task), SchedulingEntity.WeightOf(task));
        return true;
    }

    public void Settle(KernelTask task)
    {
        if (task.Entity is not { On: { } queue } entity)
            return;
        queue.Account();
        entity.SettledWeight = SchedulingPolicy.RankOf(task) == 0 ? SchedulingEntity.WeightOf(task) : 0;
        if (entity.SettledWeight > 0)
            queue.Release(task, sleeps: false);
        if (entity.InLine)
            queue.Line.Remove(task);
    }

    public int Changed(KernelTask task)
    {
        if (task.Entity is not { On: { } queue } entity)
            return -1;
        if (SchedulingPolicy.RankOf(task) == 0)
        {
            // reweight_entity: what is owed stays the same in time.
            long weight = SchedulingEntity.WeightOf(task);
            if (entity.SettledWeight > 0)
                (entity.Lag, entity.Deadline) = (Scaled(entity.Lag), Scaled(entity.Deadline));
            bool runs = queue.Current == task, leaves = queue.Leaving == task;
            if (runs)
                queue.Current = null;
            if (leaves)
                queue.Leaving = null;
            queue.Place(task);
            if (runs)
                queue.Start(task);
            if (leaves)
                queue.Leaving = task;

            long Scaled(long value) => (long)((Int128)value * entity.SettledWeight / weight);
        }
        else
        {
            entity.IsRelative = false;
        }
        if (entity.InLine)
        {
            queue.Insert(task, false);
            return !entity.IsDelayed && queue.IsPreemptedBy(task) ? queue.Index : -1;
        }
        return queue.Current == task && queue.Best(task) != task ? queue.Index : -1;
    }

    public IEnumerable<int> Balance()
    {
        var again = new List<int>();
        bool busy = ++_ticks % BusyTicks == 0;
        foreach (CpuQueue queue in _queues)
        {
            if (queue.Current is null)
            {
                if (Array.Exists(_queues, q => q.Line.Exists(t => !t.Entity.IsDelayed && t.MayRunOn(queue.Index))))
                    again.Add(queue.Index);
            }
            else if (busy && Surplus(queue) is { } task)
            {
                Move(task, queue);
                if (queue.IsPreemptedBy(task))
                    again.Add(queue.Index);
            }
        }
        return again;
    }

    /// <summary>A task of the CPU with the most to do that makes the difference smaller when it moves.</summary>
    private KernelTask? Surplus(CpuQueue queue)
    {
        CpuQueue most = _queues.MaxBy(q => q.Load)!;
        long difference = most.Load - queue.Load;
        return most == queue
            ? null
            : most.Line.Find(t => !t.Entity.IsDelayed && t.MayRunOn(queue.Index) && SchedulingPolicy.RankOf(t) == 0
                && SchedulingEntity.WeightOf(t) < difference);
    }
}
