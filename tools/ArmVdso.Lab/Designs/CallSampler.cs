using System.Globalization;
using ArmVdso.Kernel.El1;

namespace ArmVdso.Lab.Designs;

/// <summary>How a function was called.</summary>
internal enum CallKind
{
    /// <summary>By SVC.</summary>
    Syscall,

    /// <summary>Through the vDSO.</summary>
    Vdso,

    /// <summary>Not at all: the loop around the calls.</summary>
    Empty,
}

/// <summary>What was seen of one function called in one way.</summary>
internal sealed class CallSamples
{
    /// <summary>Cycles and instructions of each undisturbed round of the loop.</summary>
    internal List<(ulong Cycles, ulong Instructions)> Rounds { get; } = [];

    /// <summary>Rounds in all.</summary>
    internal long Calls { get; set; }

    /// <summary>vDSO calls that made the system call.</summary>
    internal long Fallbacks { get; set; }

    /// <summary>Answers that the kernel's own records contradict.</summary>
    internal long Wrong { get; set; }

    /// <summary>Of them, those with an interrupt or a switch since the round before.</summary>
    internal long WrongInterrupted { get; set; }

    /// <summary>Of them, those that are true of another live task.</summary>
    internal long WrongOfAnother { get; set; }

    /// <summary>Rounds that an interrupt or a switch disturbed; they are not in <see cref="Rounds"/>.</summary>
    internal long Disturbed { get; set; }

    private ulong Median(Func<(ulong Cycles, ulong Instructions), ulong> of)
    {
        if (Rounds.Count == 0)
            return 0;
        ulong[] values = [.. Rounds.Select(of).Order()];
        return values[values.Length / 2];
    }

    /// <summary>Median cycles of a round.</summary>
    internal ulong Cycles => Median(r => r.Cycles);

    /// <summary>Median instructions of a round.</summary>
    internal ulong Instructions => Median(r => r.Instructions);
}

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

    /// <summary>Samples by function and way of calling.</summary>
    internal Dictionary<(string Name, CallKind Kind), CallSamples> Samples { get; } = [];

    /// <summary>Cycles from the entry of __switch_to to the entry of cpu_switch_to, per switch between user tasks.</summary>
    internal List<ulong> Switches { get; } = [];

    /// <summary>CPUs that ran a labelled loop.</summary>
    internal HashSet<int> CpusSeen { get; } = [];

    /// <summary>Median cycles of <see cref="Switches"/>; 0 without any.</summary>
    internal ulong SwitchCycles => Switches.Count == 0 ? 0 : Switches.Order().ElementAt(Switches.Count / 2);

    /// <summary>What the calls of a function in one way cost, without the loop around them; null when there were none.</summary>
    internal CallFigures? Figures(string name, CallKind kind)
    {
        if (!Samples.TryGetValue((name, kind), out CallSamples? samples))
            return null;
        if (!Samples.TryGetValue(("empty", CallKind.Empty), out CallSamples? empty))
            throw new LabException("the embedded guest did not run its empty loop", LabFault.Failed);
        static ulong Less(ulong value, ulong loop) => value > loop ? value - loop : 0;
        return new CallFigures(
            Less(samples.Cycles, empty.Cycles), Less(samples.Instructions, empty.Instructions), samples.Calls, samples.Fallbacks,
            samples.Wrong)
        {
            Seen = new WrongAnswers(samples.WrongInterrupted, samples.WrongOfAnother),
        };
    }

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

    /// <summary>The figures of all functions in one way.</summary>
    internal IReadOnlyDictionary<string, CallFigures> All(CallKind kind) =>
        Samples.Keys.Where(k => k.Kind == kind).ToDictionary(k => k.Name, k => Figures(k.Name, kind)!);

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
        _memoryLabel = symbols.GetValueOrDefault("memory_ret", ulong.MaxValue);
        foreach ((string symbol, ulong address) in symbols)
        {
            CallKind? kind = symbol == "empty_ret" ? CallKind.Empty
                : symbol == "memory_ret" ? null
                : symbol.EndsWith("_sys_ret", StringComparison.Ordinal) ? CallKind.Syscall
                : symbol.EndsWith("_vdso_ret", StringComparison.Ordinal) ? CallKind.Vdso
                : null;
            string name = symbol.Replace("_sys_ret", "").Replace("_vdso_ret", "").Replace("_ret", "");
            if (name.StartsWith("own", StringComparison.Ordinal)
                && int.TryParse(name.AsSpan(3), CultureInfo.InvariantCulture, out int number))
                name = number < own.Count ? own[number].Name : name;
            if (kind is not null)
                _labels[address] = (name, kind.Value);
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
        if (!Samples.TryGetValue(label, out CallSamples? samples))
            Samples[label] = samples = new CallSamples();
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
