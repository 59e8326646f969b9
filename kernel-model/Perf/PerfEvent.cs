using ArmVdso.Emulator.Timing;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Perf;

/// <summary>A counting event of perf_event_open (kernel/events/core.c): of a task and, with inherit, of its descendants; or of a CPU.
/// There are as many counters as events, so none is ever multiplexed: the time running is the time enabled.</summary>
public sealed class PerfEvent
{
    private readonly Machine _machine;
    private readonly MachineClock _clock;
    private readonly Scheduler _scheduler;
    private readonly int _cpu;
    private readonly List<PerfCounter> _counters = [];
    private ulong _count;
    private ulong _timeNs;

    internal PerfEvent(
        Machine machine, MachineClock clock, Scheduler scheduler, PerfEventAttributes attributes, ulong id, int cpu, PerfEvent? leader)
    {
        _machine = machine;
        _clock = clock;
        _scheduler = scheduler;
        _cpu = cpu;
        Attributes = attributes;
        Id = id;
        Enabled = !attributes.Disabled;
        Leader = leader ?? this;
        Leader.Group.Add(this);
    }

    /// <summary>What it counts.</summary>
    public PerfEventAttributes Attributes { get; }

    /// <summary>PERF_EVENT_IOC_ID.</summary>
    public ulong Id { get; }

    /// <summary>First event of its group.</summary>
    public PerfEvent Leader { get; }

    /// <summary>The group that it leads, itself first.</summary>
    public List<PerfEvent> Group { get; } = [];

    /// <summary>Counts while its tasks run. A group counts while its leader is enabled too.</summary>
    public bool Enabled { get; private set; }

    private bool Counting => Enabled && Leader.Enabled;

    /// <summary>Count and ns enabled, up to now.</summary>
    public (ulong Count, ulong TimeNs) Read()
    {
        foreach (PerfCounter counter in _counters)
            counter.Settle(_machine);
        return (_count, _timeNs);
    }

    /// <summary>PERF_EVENT_IOC_ENABLE, _DISABLE.</summary>
    public void Enable(bool on)
    {
        // The members of a group follow their leader: what they counted so far is settled under the old state.
        foreach (PerfEvent e in ReferenceEquals(Leader, this) ? Group : [this])
            e.Read();
        Enabled = on;
    }

    /// <summary>PERF_EVENT_IOC_RESET: the count, not the times.</summary>
    public void Reset()
    {
        Read();
        _count = 0;
    }

    /// <summary>Begins to count a task; null: the CPU, whatever it runs.</summary>
    internal void Attach(KernelTask? task)
    {
        var counter = new PerfCounter(this, task);
        _counters.Add(counter);
        if (task is null)
        {
            counter.SwitchIn(_machine.Cpus[_cpu]);
            return;
        }
        task.Counters.Add(counter);
        if (ReferenceEquals(_scheduler.Current(task.Cpu), task))
            counter.SwitchIn(_machine.Cpus[task.Cpu]);
    }

    /// <summary>The descriptor is closed: nothing is counted any more.</summary>
    internal void Close()
    {
        foreach (PerfCounter counter in _counters)
            counter.Task?.Counters.Remove(counter);
        _counters.Clear();
    }

    /// <summary>A task has ended: its counter is settled and forgotten.</summary>
    private void Detach(PerfCounter counter)
    {
        counter.Settle(_machine);
        _counters.Remove(counter);
    }

    /// <summary>One task's (or CPU's) part in an event.</summary>
    private sealed class PerfCounter(PerfEvent owner, KernelTask? task) : ITaskCounter
    {
        private int _on = -1;
        private int _last = -1;
        private ulong _since;
        private ulong _sinceCycles;

        internal KernelTask? Task => task;

        public void SwitchIn(Cpu cpu)
        {
            if (owner.Attributes.Source == PerfSource.Migrations && owner.Counting && _last >= 0 && _last != cpu.Index)
                owner._count++;
            _last = cpu.Index;
            if (owner._cpu >= 0 && owner._cpu != cpu.Index)
                return;
            _on = cpu.Index;
            _since = Raw(cpu);
            _sinceCycles = cpu.Cycles;
        }

        public void SwitchOut(Cpu cpu)
        {
            if (_on != cpu.Index)
                return;
            if (owner.Attributes.Source == PerfSource.ContextSwitches && owner.Counting)
                owner._count++;
            Settle(owner._machine);
            _on = -1;
        }

        public void Forked(KernelTask child)
        {
            if (owner.Attributes.Inherit)
                owner.Attach(child);
        }

        public void Executed()
        {
            if (owner.Attributes.EnableOnExec)
                owner.Enable(true);
        }

        public void Exited() => owner.Detach(this);

        public void Enable(bool on) => owner.Enable(on);

        internal void Settle(Machine machine)
        {
            if (_on < 0)
                return;
            Cpu cpu = machine.Cpus[_on];
            ulong now = Raw(cpu);
            if (owner.Counting)
            {
                owner._count += now - _since;
                owner._timeNs += owner._clock.NsOfCycles(cpu.Cycles - _sinceCycles);
            }
            _since = now;
            _sinceCycles = cpu.Cycles;
        }

        private ulong Raw(Cpu cpu)
        {
            PerfEventAttributes a = owner.Attributes;
            switch (a.Source)
            {
                case PerfSource.Hardware:
                    TimingModel timing = cpu.Timing;
                    return (a.ExcludeKernel ? 0 : a.Event!.Count(timing.Counters(1)))
                        + (a.ExcludeUser ? 0 : a.Event!.Count(timing.Counters(0)));
                case PerfSource.TaskClock:
                    return owner._clock.NsOfCycles(cpu.Cycles - cpu.Timing.WaitCycles);
                case PerfSource.PageFaults:
                    return (ulong)(task?.Mm?.MinorFaults ?? 0);
                default:
                    return 0;
            }
        }
    }
}
