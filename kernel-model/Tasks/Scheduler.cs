using ArmVdso.Kernel.Costs;
using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Tasks;

/// <summary>Which task runs where: its queues choose (<see cref="CpuQueues"/> as Linux does, <see cref="ArrivalQueue"/> in the order of
/// arrival); the switch itself is done by EL1 code.</summary>
public sealed class Scheduler
{
    /// <summary>SGI that makes a CPU look at its flags.</summary>
    internal const int RescheduleInterrupt = 0;

    private readonly Machine _machine;
    private readonly TaskTable _tasks;
    private readonly TaskRecords _records;
    private readonly MachineClock _clock;
    private readonly CallCosts _costs;
    private readonly CounterAccess _counter;
    private IRunQueues _queues;
    private readonly KernelTask[] _current;
    private readonly KernelTask[] _idle;
    private ClockEvents _events = null!;

    /// <summary>CPUs without tasks; <see cref="SetIdle"/> gives each its idle task.</summary>
    /// <param name="machine">The CPUs.</param>
    /// <param name="tasks">What EL1 code knows tasks by.</param>
    /// <param name="records">Flags that EL1 code looks at.</param>
    /// <param name="clock">The CPU that calls the model.</param>
    /// <param name="costs">What a switch is charged.</param>
    /// <param name="counter">Whether the next task may read the counter.</param>
    /// <param name="queues">Who is next.</param>
    /// <param name="idPages">Where concurrency IDs lie that EL1 code gives; null: it gives none.</param>
    internal Scheduler(
        Machine machine, TaskTable tasks, TaskRecords records, MachineClock clock, CallCosts costs, CounterAccess counter,
        IRunQueues queues, PageAllocator? idPages)
    {
        _queues = queues;
        _machine = machine;
        _tasks = tasks;
        _records = records;
        _clock = clock;
        _costs = costs;
        _counter = counter;
        int n = machine.Cpus.Count;
        _current = new KernelTask[n];
        _idle = new KernelTask[n];
        ConcurrencyIds = new ConcurrencyIds(machine, records, clock, idPages, Current);
    }

    /// <summary>rseq's mm_cid.</summary>
    internal ConcurrencyIds ConcurrencyIds { get; }

    /// <summary>NUMA nodes.</summary>
    internal int Nodes { get; init; } = 1;

    /// <summary>The node of a CPU (cpu_to_node): neighbours share one.</summary>
    public int NodeOf(int cpu) => cpu * Nodes / _current.Length;

    /// <summary>The timers of the CPUs, which are set by whom the scheduler chose.</summary>
    internal void Attach(ClockEvents events) => _events = events;

    /// <summary>Chooses instead of the queue, for exploration.</summary>
    internal Func<int, KernelTask?>? Director { get; private set; }

    /// <summary>Somebody else chooses from now on: the task that a CPU runs next, null for its idle task. No CPU is called and no timer
    /// set any more except from outside.</summary>
    internal void Direct(Func<int, KernelTask?> director)
    {
        Director = director;
        var waiting = new ArrivalQueue(ulong.MaxValue / 2);
        foreach (KernelTask task in _queues.Waiting)
            waiting.Add(task, -1);
        _queues = waiting;
        foreach (Cpu cpu in _machine.Cpus)
            _events.Program(cpu);
    }

    /// <summary>Called at every switch that is about to happen: CPU, previous, next.</summary>
    internal Action<Cpu, KernelTask, KernelTask>? Switching { get; set; }

    /// <summary>Per CPU: the last pair that was switched.</summary>
    public Dictionary<int, (KernelTask Previous, KernelTask Next)> LastSwitch { get; } = [];

    /// <summary>Context switches so far, per CPU summed.</summary>
    public long Switches { get; private set; }

    /// <summary>Runnable tasks that wait for a CPU.</summary>
    public int Waiting => _queues.Count;

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

    /// <summary>A sleeping task is runnable again: who wakes it pays.</summary>
    internal void Woken(KernelTask task)
    {
        if (_clock.Active is { } cpu)
        {
            const int futex = 98;
            CallCosts.Charge(cpu, task.Syscall is { Number: futex } ? _costs.WakeFutex : _costs.Wake);
        }
        Enqueue(task);
    }

    /// <summary>Makes a runnable task eligible, and calls an idle CPU for it.</summary>
    internal void Enqueue(KernelTask task)
    {
        if (task.OnCpu || _queues.Contains(task))
            return;
        task.ReadyAt = _clock.Active?.Cycles ?? 0;
        int cpu = _queues.Add(task, Director is null ? IdleCpuFor(task) : -1);
        if (Director is null)
            LookAgain(cpu);
    }

    private void LookAgain(int cpu)
    {
        if (cpu >= 0)
            Kick(cpu);
        else
            _events.ProgramBusy();
    }

    /// <summary>Changes what the order of tasks depends on: policy, priority, nice value, length of requests.</summary>
    internal void Change(KernelTask task, Action change)
    {
        _queues.Settle(task);
        change();
        if (_queues.Changed(task) is >= 0 and var cpu)
            Kick(cpu);
    }

    /// <inheritdoc cref="IRunQueues.RequestOf"/>
    internal ulong RequestOf(KernelTask task) => _queues.RequestOf(task);

    /// <inheritdoc cref="IRunQueues.IntervalOf"/>
    internal ulong IntervalOf(KernelTask task) => _queues.IntervalOf(task);

    /// <inheritdoc cref="IRunQueues.BeginSlice"/>
    internal ulong BeginSlice(KernelTask task, ulong now) => _queues.BeginSlice(task, now);

    /// <inheritdoc cref="IRunQueues.SliceEnded"/>
    internal ulong? SliceEnded(KernelTask task, ulong now) => _queues.SliceEnded(task, now);

    /// <inheritdoc cref="IRunQueues.Refresh"/>
    internal ulong Refresh(KernelTask task, ulong now) => _queues.Refresh(task, now);

    /// <summary>A tick.</summary>
    internal void Balance()
    {
        foreach (int cpu in _queues.Balance())
            Kick(cpu);
    }

    private int IdleCpuFor(KernelTask task)
    {
        if (task.MayRunOn(task.Cpu) && IsIdle(task.Cpu) && !Kicked(task.Cpu))
            return task.Cpu;
        for (int i = 0; i < _current.Length; i++)
        {
            if (task.MayRunOn(i) && IsIdle(i) && !Kicked(i))
                return i;
        }
        return -1;
    }

    private bool Kicked(int cpu) => _records.Flag(_idle[cpu], TaskFlag.NeedResched);

    /// <summary>Asks a CPU to reschedule at its next chance.</summary>
    internal void Kick(int cpu)
    {
        _records.SetFlag(_current[cpu], TaskFlag.NeedResched, true);
        Interrupt(cpu);
    }

    /// <summary>Interrupts a CPU before its next instruction at EL0; whoever waits for it runs next.</summary>
    public void Preempt(int cpu) => Kick(cpu);

    /// <summary>From now on a task runs on these CPUs only (bit n: CPU n), as after sched_setaffinity.</summary>
    public void Restrict(KernelTask task, ulong cpus)
    {
        task.Affinity = cpus;
        AffinityChanged(task);
    }

    /// <summary>Tasks that wait for a CPU, in the order in which they get one.</summary>
    public IReadOnlyList<KernelTask> Queue => _queues.Waiting;

    /// <summary>Makes a running task leave EL0 soon, so that it sees its pending work (signals).</summary>
    internal void KickTask(KernelTask task)
    {
        if (task.OnCpu)
            Interrupt(task.Cpu);
    }

    /// <summary>Brings a CPU into the kernel, unless it is there: the one that calls the model.</summary>
    private void Interrupt(int cpu)
    {
        Cpu target = _machine.Cpus[cpu];
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
        bool idle = ReferenceEquals(previous, _idle[i]);
        bool stays = previous.State == TaskState.Runnable && !idle && previous.MayRunOn(i);
        KernelTask next = Director is null ? _queues.Next(i, previous, stays) ?? _idle[i] : Directed(i, previous);
        if (ReferenceEquals(next, previous))
        {
            _events.BeginSlice(cpu, previous);
            return previous;
        }
        if (!idle)
        {
            if (previous.State == TaskState.Runnable)
                previous.InvoluntarySwitches++;
            else
                previous.VoluntarySwitches++;
        }
        // Clocks of CPUs differ by what one of them was charged at once: nobody runs here before it was ready there.
        if (Director is null)
            cpu.Timing.AdvanceTo(next.ReadyAt);
        // Not where clock updates are decided from outside.
        if (idle && Director is null)
            _events.LeaveIdle(cpu);
        Switches++;
        if (previous.State == TaskState.Runnable && !idle && !previous.MayRunOn(i))
            ConcurrencyIds.Pushed(previous);
        if (next.Cpu != i || next.CarriedConcurrencyId >= 0)
            ConcurrencyIds.Moved(next, next.Cpu, i);
        _current[i] = next;
        next.OnCpu = true;
        next.Cpu = i;
        ConcurrencyIds.Switch(cpu, previous, next);
        next.PauthKeys.CopyTo(cpu.PauthKey.AsSpan());
        _counter.Update(cpu, next);
        Tracing.StepOn(cpu, next);
        // rseq_preempt, rseq_migrate: it did not run on this CPU just now.
        if (next.Rseq != 0)
        {
            next.RseqEvent = true;
            _records.RequestWork(next);
        }
        // Before the slice begins: a short one must not be spent on the switch.
        CallCosts.Charge(cpu, ReferenceEquals(previous.Group, next.Group) ? _costs.SwitchThread : _costs.Switch);
        _events.BeginSlice(cpu, next);
        return next;
    }

    /// <summary>What the director wants, if that task can run; else the idle task.</summary>
    private KernelTask Directed(int cpu, KernelTask previous)
    {
        if (Director!(cpu) is { State: TaskState.Runnable } wanted && (ReferenceEquals(wanted, previous) || _queues.Remove(wanted)))
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

    /// <summary>Whether no CPU runs a task.</summary>
    internal bool EveryoneIdle()
    {
        for (int c = 0; c < _current.Length; c++)
        {
            if (!IsIdle(c))
                return false;
        }
        return true;
    }

    /// <summary>Whether a task waits that a CPU may run.</summary>
    internal bool AnyoneWaitsFor(int cpu) => _queues.WaitsFor(cpu);

    /// <summary>Removes a task from the queue (it exits or stops).</summary>
    internal void Dequeue(KernelTask task) => _queues.Remove(task);

    /// <summary>sched_yield: the running task gives way if anybody waits for its CPU.</summary>
    internal void Yield(KernelTask task)
    {
        if (_queues.Yield(task))
            _records.SetFlag(task, TaskFlag.NeedResched, true);
    }

    /// <summary>The affinity of a task changed: it must leave a CPU that is no longer allowed.</summary>
    internal void AffinityChanged(KernelTask task)
    {
        if (task.OnCpu && !task.MayRunOn(task.Cpu))
            Kick(task.Cpu);
        else if (_queues.Remove(task))
            Enqueue(task);
    }
}
