using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Tasks;

/// <summary>The timer of each CPU: the tick, the ends of time slices, pending timers (kernel/time/tick-sched.c, hrtimer.c). CPU 0 keeps
/// the tick and the timers for all.</summary>
internal sealed class ClockEvents
{
    private readonly Machine _machine;
    private readonly Scheduler _scheduler;
    private readonly TaskTable _tasks;
    private readonly TaskRecords _records;
    private readonly MachineClock _clock;
    private readonly Timekeeper _timekeeper;
    private readonly RandomSeeding _seeding;
    private readonly KernelTimers _timers;
    private readonly ulong[] _nextTick;

    /// <summary>No timer is set; <see cref="Program"/> sets them.</summary>
    /// <param name="machine">The timers themselves.</param>
    /// <param name="scheduler">Who runs, and who waits for a CPU.</param>
    /// <param name="tasks">Whether anybody is left for whom the tick goes on.</param>
    /// <param name="records">The flag that asks for a switch.</param>
    /// <param name="clock">The CPU that calls the model.</param>
    /// <param name="timekeeper">What a tick updates, and what slices are measured by.</param>
    /// <param name="seeding">What a tick looks at.</param>
    /// <param name="timers">What the timer interrupt runs.</param>
    internal ClockEvents(
        Machine machine, Scheduler scheduler, TaskTable tasks, TaskRecords records, MachineClock clock, Timekeeper timekeeper,
        RandomSeeding seeding, KernelTimers timers)
    {
        _machine = machine;
        _scheduler = scheduler;
        _tasks = tasks;
        _records = records;
        _clock = clock;
        _timekeeper = timekeeper;
        _seeding = seeding;
        _timers = timers;
        _nextTick = new ulong[machine.Cpus.Count];
        timers.EarliestChanged = () => Program(machine.Cpus[0]);
        scheduler.Attach(this);
    }

    /// <summary>Called at each tick for the task that a CPU runs (run_posix_cpu_timers).</summary>
    internal Action<KernelTask>? Ticked { get; set; }

    /// <summary>A CPU begins to run a task, or goes on with it: it has a whole slice.</summary>
    internal void BeginSlice(Cpu cpu, KernelTask task)
    {
        task.SliceEnd = _scheduler.BeginSlice(task, _timekeeper.Monotonic(cpu.Counter()));
        Program(cpu);
        // CPU 0 keeps the tick while anybody runs, also when it is idle itself.
        if (cpu.Index != 0 && _machine.Cpus[0].Waiting)
            Program(_machine.Cpus[0]);
    }

    /// <summary>A task whose slice is over goes on for a while.</summary>
    /// <param name="cpu">Its CPU.</param>
    /// <param name="task">The task.</param>
    /// <param name="ns">For how long, in ns.</param>
    internal void ExtendSlice(Cpu cpu, KernelTask task, ulong ns)
    {
        task.SliceEnd = _timekeeper.Monotonic(cpu.Counter()) + ns;
        Program(cpu);
    }

    /// <summary>An idle CPU is about to run a task: the clocks catch up (tick_nohz_idle_exit).</summary>
    internal void LeaveIdle(Cpu cpu)
    {
        bool nobodyRan = _scheduler.EveryoneIdle();
        _timekeeper.LeaveIdle(cpu.Counter(), nobodyRan);
        if (nobodyRan)
            _tasks.Load.Update(_timekeeper.Monotonic(cpu.Counter()), () => _tasks.Uninterruptible);
    }

    /// <summary>The timer interrupt of a CPU: jiffies and timers on CPU 0, the end of the slice everywhere.</summary>
    internal void Interrupt(Cpu cpu)
    {
        ulong now = _timekeeper.Monotonic(cpu.Counter());
        int i = cpu.Index;
        if (now >= _nextTick[i])
        {
            ulong tick = MachineClock.TickNs;
            _nextTick[i] = (now / tick + 1) * tick;
            if (i == 0)
                Tick(cpu);
        }
        if (i == 0)
            _timers.Run(now);
        KernelTask current = _scheduler.Current(i);
        if (!_scheduler.IsIdle(i) && now >= current.SliceEnd)
        {
            if (!current.SliceExtended && _scheduler.SliceEnded(current, now) is { } next)
                current.SliceEnd = next;
            else
                _records.SetFlag(current, TaskFlag.NeedResched, true);
        }
        Program(cpu);
    }

    private void Tick(Cpu cpu)
    {
        _timekeeper.Tick(cpu.Counter(), _scheduler.EveryoneIdle());
        _seeding.Use();
        _tasks.Load.Update(_timekeeper.Monotonic(cpu.Counter()), () => _tasks.Active);
        // CPU 0 keeps the tick for all: others need none while nobody waits for them.
        for (int i = 0; i < _nextTick.Length; i++)
        {
            KernelTask current = _scheduler.Current(i);
            _scheduler.ConcurrencyIds.Tick(current);
            Ticked?.Invoke(current);
        }
        _scheduler.Balance();
    }

    /// <summary>A task waits and no CPU is idle: the slices of those that run must end.</summary>
    internal void ProgramBusy()
    {
        foreach (Cpu cpu in _machine.Cpus)
        {
            if (_scheduler.IsIdle(cpu.Index))
                continue;
            KernelTask current = _scheduler.Current(cpu.Index);
            current.SliceEnd = _scheduler.Refresh(current, _timekeeper.Monotonic(cpu.Counter()));
            Program(cpu);
        }
    }

    /// <summary>Sets the CPU's timer to its next deadline: tick (CPU 0 always, others when they run a task), slice, timers.</summary>
    internal void Program(Cpu cpu)
    {
        int i = cpu.Index;
        if (cpu.Waiting && _clock.Active is { } active)
            cpu.Timing.AdvanceTo(active.Cycles);
        ulong deadline = ulong.MaxValue;
        bool idle = _scheduler.IsIdle(i);
        if (i == 0 && (!idle || _tasks.AnyoneAlive))
        {
            if (_nextTick[0] == 0)
                _nextTick[0] = MachineClock.TickNs;
            // An idle machine that waits for nothing but the tick would never end: no tick then (NOHZ), just timers.
            deadline = _scheduler.EveryoneIdle() && _scheduler.Waiting == 0 ? ulong.MaxValue : _nextTick[0];
            deadline = Math.Min(deadline, _timers.Earliest);
        }
        // A slice that is over has asked for a switch already; its deadline must not fire again before it happens.
        KernelTask current = _scheduler.Current(i);
        if (!idle && (current.SliceExtended || _scheduler.AnyoneWaitsFor(i)) && !_records.Flag(current, TaskFlag.NeedResched))
            deadline = Math.Min(deadline, current.SliceEnd);
        if (deadline == ulong.MaxValue || _scheduler.Director is not null)
            _machine.SetTimer(cpu, false, 0);
        else
            _machine.SetTimer(cpu, true, _timekeeper.CounterOf(deadline));
    }
}
