using ArmVdso.Emulator;
using ArmVdso.Emulator.Processor;
using ArmVdso.Kernel.Costs;
using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Tasks;

/// <summary>Chooses which task runs where: one queue in the order of arrival, time slices, affinity. A task may so move to
/// another CPU each time it is preempted; the switch itself is done by EL1 code.</summary>
public sealed class Scheduler
{
    /// <summary>SGI that makes a CPU look at its flags.</summary>
    internal const int RescheduleInterrupt = 0;

    private readonly Machine _machine;
    private readonly TaskTable _tasks;
    private readonly TaskRecords _records;
    private readonly MachineClock _clock;
    private readonly Timekeeper _timekeeper;
    private readonly RandomSeeding _seeding;
    private readonly KernelTimers _timers;
    private readonly CallCosts _costs;
    private readonly CounterAccess _counter;
    private readonly List<KernelTask> _queue = [];
    private readonly KernelTask[] _current;
    private readonly KernelTask[] _idle;
    private readonly ulong[] _nextTick;

    /// <summary>CPUs without tasks; <see cref="SetIdle"/> gives each its idle task.</summary>
    /// <param name="machine">The CPUs.</param>
    /// <param name="tasks">Whether anybody is left for whom the tick goes on.</param>
    /// <param name="records">Flags that EL1 code looks at.</param>
    /// <param name="clock">The CPU that calls the model.</param>
    /// <param name="timekeeper">What a tick updates, and what slices are measured by.</param>
    /// <param name="seeding">What a tick looks at.</param>
    /// <param name="timers">What CPU 0's timer interrupt runs.</param>
    /// <param name="costs">What a switch is charged.</param>
    /// <param name="counter">Whether the next task may read the counter.</param>
    internal Scheduler(
        Machine machine, TaskTable tasks, TaskRecords records, MachineClock clock, Timekeeper timekeeper, RandomSeeding seeding,
        KernelTimers timers, CallCosts costs, CounterAccess counter)
    {
        _machine = machine;
        _tasks = tasks;
        _records = records;
        _clock = clock;
        _timekeeper = timekeeper;
        _seeding = seeding;
        _timers = timers;
        _costs = costs;
        _counter = counter;
        int n = machine.Cpus.Count;
        _current = new KernelTask[n];
        _idle = new KernelTask[n];
        _nextTick = new ulong[n];
    }

    /// <summary>Length of a time slice in ns.</summary>
    public ulong SliceNs { get; init; } = 4_000_000;

    /// <summary>Chooses instead of the queue, for exploration: the task that a CPU runs next, null for its idle task. Then no
    /// CPU is called and no timer set except from outside.</summary>
    internal Func<int, KernelTask?>? Director { get; set; }

    /// <summary>Called at each tick for the task that a CPU runs (run_posix_cpu_timers).</summary>
    internal Action<KernelTask>? Ticked { get; set; }

    /// <summary>Called at every switch that is about to happen: CPU, previous, next.</summary>
    internal Action<Cpu, KernelTask, KernelTask>? Switching { get; set; }

    /// <summary>Per CPU: the last pair that was switched.</summary>
    public Dictionary<int, (KernelTask Previous, KernelTask Next)> LastSwitch { get; } = [];

    /// <summary>Context switches so far, per CPU summed.</summary>
    public long Switches { get; private set; }

    /// <summary>Runnable tasks that wait for a CPU.</summary>
    public int Waiting => _queue.Count;

    /// <summary>The task that a CPU runs (its idle task when nothing else).</summary>
    public KernelTask Current(int cpu) => _current[cpu];

    /// <summary>Whether a CPU runs its idle task.</summary>
    public bool IsIdle(int cpu) => ReferenceEquals(_current[cpu], _idle[cpu]);

    internal void SetIdle(int cpu, KernelTask idle)
    {
        _idle[cpu] = idle;
        _current[cpu] = idle;
        idle.OnCpu = true;
        idle.Cpu = cpu;
    }

    /// <summary>Makes a runnable task eligible, and calls an idle CPU for it.</summary>
    internal void Enqueue(KernelTask task)
    {
        if (task.OnCpu || _queue.Contains(task))
            return;
        _queue.Add(task);
        if (Director is not null)
            return;
        int cpu = IdleCpuFor(task);
        if (cpu >= 0)
            Kick(cpu);
        else
            ArmSliceTimers();
    }

    private int IdleCpuFor(KernelTask task)
    {
        if (Allowed(task, task.Cpu) && IsIdle(task.Cpu) && !Kicked(task.Cpu))
            return task.Cpu;
        for (int i = 0; i < _current.Length; i++)
        {
            if (Allowed(task, i) && IsIdle(i) && !Kicked(i))
                return i;
        }
        return -1;
    }

    private bool Kicked(int cpu) => _records.Flag(_idle[cpu], TaskFlag.NeedResched);

    private static bool Allowed(KernelTask task, int cpu) => (task.Affinity >> cpu & 1) != 0;

    /// <summary>Asks a CPU to reschedule at its next chance.</summary>
    internal void Kick(int cpu)
    {
        _records.SetFlag(_current[cpu], TaskFlag.NeedResched, true);
        Cpu target = _machine.Cpus[cpu];
        if (target != _clock.Active)
            _machine.SendSgi(target, RescheduleInterrupt, _clock.Active?.Cycles ?? 0);
    }

    /// <summary>Makes a running task leave EL0 soon, so that it sees its pending work (signals).</summary>
    internal void KickTask(KernelTask task)
    {
        if (!task.OnCpu)
            return;
        Cpu target = _machine.Cpus[task.Cpu];
        if (target != _clock.Active)
            _machine.SendSgi(target, RescheduleInterrupt, _clock.Active?.Cycles ?? 0);
    }

    /// <summary>HVC_SCHEDULE: the task that this CPU runs next.</summary>
    internal KernelTask Schedule(Cpu cpu)
    {
        KernelTask previous = _current[cpu.Index];
        KernelTask next = PickNext(cpu);
        if (ReferenceEquals(previous, next))
            return next;
        LastSwitch[cpu.Index] = (previous, next);
        _tasks.NoteRecord(next);
        foreach (ITaskCounter counter in previous.Counters)
            counter.SwitchOut(cpu);
        foreach (ITaskCounter counter in next.Counters)
            counter.SwitchIn(cpu);
        Switching?.Invoke(cpu, previous, next);
        return next;
    }

    private KernelTask PickNext(Cpu cpu)
    {
        int i = cpu.Index;
        KernelTask previous = _current[i];
        _records.SetFlag(previous, TaskFlag.NeedResched, false);
        KernelTask? next = Director is null ? null : Directed(i, previous);
        for (int q = 0; next is null && q < _queue.Count; q++)
        {
            if (!Allowed(_queue[q], i))
                continue;
            next = _queue[q];
            _queue.RemoveAt(q);
        }
        bool idle = ReferenceEquals(previous, _idle[i]);
        bool stays = previous.State == TaskState.Runnable && !idle && Allowed(previous, i);
        next ??= stays ? previous : _idle[i];
        if (ReferenceEquals(next, previous))
        {
            NewSlice(cpu, previous);
            return previous;
        }
        if (!idle)
        {
            if (previous.State == TaskState.Runnable)
                previous.InvoluntarySwitches++;
            else
                previous.VoluntarySwitches++;
        }
        // Not where clock updates are decided from outside.
        if (idle && Director is null)
            _timekeeper.LeaveIdle(cpu.Counter(), EveryoneIdle());
        Switches++;
        previous.ConcurrencyId = -1;
        _current[i] = next;
        next.OnCpu = true;
        next.Cpu = i;
        next.PauthKeys.CopyTo(cpu.PauthKey.AsSpan());
        _counter.Update(cpu, next);
        // rseq_preempt, rseq_migrate: it did not run on this CPU just now.
        if (next.Rseq != 0)
        {
            next.RseqEvent = true;
            _records.RequestWork(next);
        }
        // Before the slice begins: a short one must not be spent on the switch.
        CallCosts.Charge(cpu, _costs.Switch);
        NewSlice(cpu, next);
        return next;
    }

    /// <summary>What the director wants, if that task can run; else the idle task.</summary>
    private KernelTask Directed(int cpu, KernelTask previous)
    {
        if (Director!(cpu) is { State: TaskState.Runnable } wanted && (ReferenceEquals(wanted, previous) || _queue.Remove(wanted)))
            return wanted;
        return _idle[cpu];
    }

    /// <summary>HVC_SWITCHED: the previous task's registers are saved; it may run elsewhere from now on.</summary>
    internal void FinishSwitch(KernelTask previous)
    {
        previous.OnCpu = false;
        if (ReferenceEquals(previous, _idle[previous.Cpu]))
            return;
        switch (previous.State)
        {
            case TaskState.Runnable:
                Enqueue(previous);
                break;
            case TaskState.Zombie or TaskState.Dead:
                _records.Free(previous);
                break;
        }
    }

    private void NewSlice(Cpu cpu, KernelTask task)
    {
        task.SliceEnd = _timekeeper.Monotonic(cpu.Counter()) + SliceNs;
        ProgramTimer(cpu);
        // CPU 0 keeps the tick while anybody runs, also when it is idle itself.
        if (cpu.Index != 0 && _machine.Cpus[0].Waiting)
            ProgramTimer(_machine.Cpus[0]);
    }

    /// <summary>The timer interrupt of a CPU: jiffies and timers on CPU 0, the end of the slice everywhere.</summary>
    internal void TimerInterrupt(Cpu cpu)
    {
        ulong now = _timekeeper.Monotonic(cpu.Counter());
        int i = cpu.Index;
        if (now >= _nextTick[i])
        {
            ulong tick = MachineClock.TickNs;
            _nextTick[i] = (now / tick + 1) * tick;
            if (i == 0)
            {
                _timekeeper.Tick(cpu.Counter(), EveryoneIdle());
                _seeding.Use();
                // CPU 0 keeps the tick for all: others need none while nobody waits for them.
                foreach (KernelTask running in _current)
                    Ticked?.Invoke(running);
            }
        }
        if (i == 0)
            _timers.Run(now);
        KernelTask current = _current[i];
        if (!IsIdle(i) && now >= current.SliceEnd)
        {
            if (AnyoneWaitsFor(i))
                _records.SetFlag(current, TaskFlag.NeedResched, true);
            else
                current.SliceEnd = now + SliceNs;
        }
        ProgramTimer(cpu);
    }

    private bool EveryoneIdle()
    {
        for (int c = 0; c < _current.Length; c++)
        {
            if (!IsIdle(c))
                return false;
        }
        return true;
    }

    private bool AnyoneWaitsFor(int cpu)
    {
        foreach (KernelTask task in _queue)
        {
            if (Allowed(task, cpu))
                return true;
        }
        return false;
    }

    private void ArmSliceTimers()
    {
        foreach (Cpu cpu in _machine.Cpus)
        {
            if (!IsIdle(cpu.Index))
                ProgramTimer(cpu);
        }
    }

    /// <summary>Sets the CPU's timer to its next deadline: tick (CPU 0 always, others when they run a task), slice, timers.</summary>
    internal void ProgramTimer(Cpu cpu)
    {
        int i = cpu.Index;
        if (cpu.Waiting && _clock.Active is { } active)
            cpu.Timing.AdvanceTo(active.Cycles);
        ulong deadline = ulong.MaxValue;
        bool idle = IsIdle(i);
        if (i == 0 && (!idle || _tasks.AnyoneAlive))
        {
            if (_nextTick[0] == 0)
                _nextTick[0] = MachineClock.TickNs;
            // An idle machine that waits for nothing but the tick would never end: no tick then (NOHZ), just timers.
            deadline = EveryoneIdle() && _queue.Count == 0 ? ulong.MaxValue : _nextTick[0];
            deadline = Math.Min(deadline, _timers.Earliest);
        }
        // A slice that is over has asked for a switch already; its deadline must not fire again before it happens.
        if (!idle && AnyoneWaitsFor(i) && !_records.Flag(_current[i], TaskFlag.NeedResched))
            deadline = Math.Min(deadline, _current[i].SliceEnd);
        if (deadline == ulong.MaxValue || Director is not null)
            _machine.SetTimer(cpu, false, 0);
        else
            _machine.SetTimer(cpu, true, _timekeeper.CounterOf(deadline));
    }

    /// <summary>Timers changed: CPU 0 must look at its deadline again.</summary>
    internal void TimersChanged() => ProgramTimer(_machine.Cpus[0]);

    /// <summary>Removes a task from the queue (it exits or stops).</summary>
    internal void Dequeue(KernelTask task) => _queue.Remove(task);

    /// <summary>sched_yield: the running task goes to the end of the queue if anybody waits for its CPU.</summary>
    internal void Yield(KernelTask task)
    {
        if (AnyoneWaitsFor(task.Cpu))
            _records.SetFlag(task, TaskFlag.NeedResched, true);
    }

    /// <summary>The affinity of a task changed: it must leave a CPU that is no longer allowed.</summary>
    internal void AffinityChanged(KernelTask task)
    {
        if (task.OnCpu && !Allowed(task, task.Cpu))
            Kick(task.Cpu);
        else if (_queue.Remove(task))
            Enqueue(task);
    }
}
