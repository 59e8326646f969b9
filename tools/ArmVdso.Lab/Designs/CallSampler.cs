using System.Globalization;
using ArmVdso.Kernel.El1;

namespace ArmVdso.Lab.Designs;

/// <summary>Watches the labels of the embedded guest and of the switch in EL1 code: what every round of a loop cost on its
/// CPU, whether it was disturbed, and whether the answer was right. The guest executes nothing for it.</summary>
internal sealed class CallSampler : OffsetTrace
{
    /// <summary>Where a thread is in its loop.</summary>
    private sealed class PerTask
    {
        internal ulong LastLabel;
        internal int Cpu;
        internal ulong Cycles;
        internal ulong Instructions;
        internal bool Disturbed;
        internal int Calls;
    }

    private readonly Dictionary<ulong, (string Name, CallKind Kind)> _labels = [];
    private readonly Dictionary<string, OwnFunction> _own;
    private readonly LinuxKernel _kernel;
    private readonly Dictionary<KernelTask, PerTask> _tasks = [];
    private readonly ulong[] _switchBegan;
    private readonly ulong _switchStart = (ulong)El1Symbol.__switch_to;
    private readonly ulong _switchEnd = (ulong)El1Symbol.cpu_switch_to;

    private readonly CallTable _table = new();

    /// <inheritdoc cref="CallTable.Samples"/>
    internal Dictionary<(string Name, CallKind Kind), CallSamples> Samples => _table.Samples;

    /// <summary>Cycles from the entry of __switch_to to the entry of cpu_switch_to, per switch between user tasks.</summary>
    internal List<ulong> Switches { get; } = [];

    /// <summary>CPUs that ran a labelled loop.</summary>
    internal HashSet<int> CpusSeen { get; } = [];

    /// <summary>Median cycles of <see cref="Switches"/>; 0 without any.</summary>
    internal ulong SwitchCycles => Median(Switches);

    /// <summary>Cycles that the kernel spends for a registered rseq area: at a switch, and on the way to EL0 afterwards.</summary>
    internal List<ulong> AreaAtSwitch { get; } = [];

    /// <inheritdoc cref="AreaAtSwitch"/>
    internal List<ulong> AreaAtExit { get; } = [];

    /// <summary>Medians of both together; null where none was executed.</summary>
    internal ulong? AreaCycles => AreaAtSwitch.Count == 0 || AreaAtExit.Count == 0 ? null : Median(AreaAtSwitch) + Median(AreaAtExit);

    private static ulong Median(List<ulong> cycles) => cycles.Count == 0 ? 0 : cycles.Order().ElementAt(cycles.Count / 2);

    /// <inheritdoc cref="CallTable.Figures"/>
    internal CallFigures? Figures(string name, CallKind kind) => _table.Figures(name, kind);

    /// <summary>Takes over what another run has seen of functions.</summary>
    internal void Add(CallSampler other, IEnumerable<OwnFunction> functions)
    {
        foreach (OwnFunction function in functions)
        {
            foreach (CallKind kind in (ReadOnlySpan<CallKind>)[CallKind.Syscall, CallKind.Vdso])
            {
                if (other.Samples.TryGetValue((function.Name, kind), out CallSamples? samples))
                    Samples[(function.Name, kind)] = samples;
                else
                    Samples.Remove((function.Name, kind));
            }
        }
    }

    /// <inheritdoc cref="CallTable.All"/>
    internal IReadOnlyDictionary<string, CallFigures> All(CallKind kind) => _table.All(kind);

    /// <summary>Watches a run.</summary>
    /// <param name="kernel">Its kernel.</param>
    /// <param name="symbols">Labels of the guest.</param>
    /// <param name="own">What the labels own0, own1 and on stand for.</param>
    internal CallSampler(LinuxKernel kernel, Dictionary<string, ulong> symbols, IReadOnlyList<OwnFunction> own)
        : base(kernel, _ => { })
    {
        _own = own.ToDictionary(f => f.Name);
        _kernel = kernel;
        _switchBegan = new ulong[kernel.Machine.Cpus.Count];
        _areas = kernel.Options.Kernel.Rseq ? new ulong[kernel.Machine.Cpus.Count] : null;
        _memoryLabel = symbols.GetValueOrDefault("memory_ret", ulong.MaxValue);
        foreach ((ulong address, (string name, CallKind kind)) in CallTable.Labels(symbols))
        {
            bool isOwn = name.StartsWith("own", StringComparison.Ordinal);
            _labels[address] = isOwn && int.TryParse(name.AsSpan(3), CultureInfo.InvariantCulture, out int number) && number < own.Count
                ? (own[number].Name, kind) : (name, kind);
        }
    }

    public override bool WantsInstructions => true;

    /// <summary>Whether caches and TLBs are emptied before every round.</summary>
    internal bool Cold { get; init; }

    /// <summary>Pages that the design had taken for processes at the guest's label memory_ret; null when it did not get there.</summary>
    internal int? ProcessPages { get; private set; }

    /// <summary>The design of the run, and the shared pages of its image and data.</summary>
    internal VdsoDesign Design => _kernel.Vdso.Design;

    /// <inheritdoc cref="Design"/>
    internal int SharedPages => _kernel.Vdso.Image is null ? 0 : _kernel.Vdso.ImagePageCount + _kernel.Vdso.DataPageCount;

    private readonly ulong _memoryLabel;

    public override void OnExceptionEntry(Cpu cpu, int fromEL, ulong offset)
    {
        if (fromEL != 0)
            return;
        PerTask p = StateOf(_kernel.Scheduler.Current(cpu.Index));
        if (offset == 0 && cpu.ESR_EL1 >> 26 == (ulong)ExceptionClass.Svc64)
            p.Calls++;
        else
            p.Disturbed = true;
    }

    public override void OnInstruction(Cpu cpu, uint instruction)
    {
        ulong pc = cpu.PC;
        if (cpu.EL != 0)
        {
            if (_areas is not null)
                WatchArea(cpu, pc, _areas);
            ref ulong began = ref _switchBegan[cpu.Index];
            if (pc == _switchStart)
            {
                began = cpu.Cycles;
                StateOf(_kernel.Scheduler.LastSwitch[cpu.Index].Previous).Disturbed = true;
            }
            else if (pc == _switchEnd && began != 0)
            {
                (KernelTask previous, KernelTask next) = _kernel.Scheduler.LastSwitch[cpu.Index];
                if (previous.Tid != 0 && next.Tid != 0)
                    Switches.Add(cpu.Cycles - began);
                began = 0;
            }
            return;
        }
        if (pc == _memoryLabel)
            ProcessPages = _kernel.Vdso.Design.ProcessPagesInUse;
        if (!_labels.TryGetValue(pc, out (string Name, CallKind Kind) label))
            return;
        CpusSeen.Add(cpu.Index);
        PerTask p = StateOf(_kernel.Scheduler.Current(cpu.Index));
        CallSamples samples = _table.Of(label.Name, label.Kind);
        samples.Calls++;
        if (label.Kind == CallKind.Vdso && p.Calls > 0)
            samples.Fallbacks++;
        if (label.Kind != CallKind.Empty && !IsRight(cpu, label.Name))
        {
            samples.Wrong++;
            samples.WrongInterrupted += p.Disturbed || p.Cpu != cpu.Index ? 1 : 0;
            samples.WrongOfAnother += IsAnothers(cpu, label.Name) ? 1 : 0;
        }
        if (p.LastLabel == pc && !p.Disturbed && p.Cpu == cpu.Index)
            samples.Rounds.Add((cpu.Cycles - p.Cycles, cpu.Instructions - p.Instructions));
        else
            samples.Disturbed++;
        p.LastLabel = pc;
        p.Cpu = cpu.Index;
        p.Cycles = cpu.Cycles;
        p.Instructions = cpu.Instructions;
        p.Disturbed = false;
        p.Calls = 0;
        if (Cold)
            cpu.Timing.EmptyCaches();
    }

    /// <summary>When each CPU began its work for an area; null: it is not executed.</summary>
    private readonly ulong[]? _areas;

    private void WatchArea(Cpu cpu, ulong pc, ulong[] began)
    {
        ref ulong since = ref began[cpu.Index];
        if (pc is (ulong)El1Symbol.rseq_context_switch or (ulong)El1Symbol.rseq_handle_notify_resume)
        {
            since = cpu.Cycles;
        }
        else if (since != 0 && pc is (ulong)El1Symbol.rseq_context_switch_end or (ulong)El1Symbol.rseq_handle_notify_resume_end)
        {
            // Idle tasks have none.
            List<ulong> seen = pc == (ulong)El1Symbol.rseq_context_switch_end ? AreaAtSwitch : AreaAtExit;
            if (_kernel.Scheduler.LastSwitch[cpu.Index].Previous.Tid != 0 || seen == AreaAtExit)
                seen.Add(cpu.Cycles - since);
            since = 0;
        }
    }

    private PerTask StateOf(KernelTask task)
    {
        if (!_tasks.TryGetValue(task, out PerTask? state))
            _tasks[task] = state = new PerTask();
        return state;
    }

    private static readonly Dictionary<string, (Func<KernelTask, int, int> Of, int First)> Truths = VdsoCalls.All
        .Where(c => c.Truth is not null)
        .SelectMany(c => c.Cases.Select(k => (k.Name, (c.Truth!, k.First)))).ToDictionary();

    /// <summary>Whether the answer in X0 is what the kernel's own objects say at this moment.</summary>
    private bool IsRight(Cpu cpu, string name) => cpu.W(0) == Truth(name, _kernel.Scheduler.Current(cpu.Index));

    private uint Truth(string name, KernelTask task) =>
        _own.TryGetValue(name, out OwnFunction? own)
            ? own.Answer == OwnAnswer.Bytes ? 0 : (uint)_kernel.Answer(task, own.Number, own.Arguments.Select(a => a.In(0)).ToArray())
            : Truths.TryGetValue(name, out (Func<KernelTask, int, int> Of, int First) truth) ? (uint)truth.Of(task, truth.First)
            : 0;

    private bool IsAnothers(Cpu cpu, string name)
    {
        KernelTask self = _kernel.Scheduler.Current(cpu.Index);
        return (Truths.ContainsKey(name) || _own.ContainsKey(name)) && _kernel.Tasks.Groups.SelectMany(g => g.Threads)
            .Any(t => !ReferenceEquals(t, self) && Truth(name, t) == cpu.W(0));
    }
}
