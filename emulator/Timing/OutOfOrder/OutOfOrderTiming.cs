using ArmVdso.Emulator.Isa;

namespace ArmVdso.Emulator.Timing;

/// <summary>Timing of an out-of-order core: <see cref="OutOfOrderPipeline"/> over the same caches, TLBs and predictors as the in-order cores.
/// Cycles are counted at retirement.</summary>
public sealed class OutOfOrderTiming : TimingModel
{
    private readonly CoreModel _model;
    private readonly InOrderEvents _events;
    private readonly OutOfOrderTimings _timings;
    private TimingStatistics _statistics;
    private int _el = 1;

    /// <summary>The pipeline.</summary>
    public OutOfOrderPipeline Pipeline { get; }

    /// <summary>The core.</summary>
    public CoreModel Model => _model;

    /// <summary>Cycles and events by exception level.</summary>
    public TimingStatistics Statistics => _statistics;

    /// <summary>One PE of the given core, in the coherence domain of <paramref name="shared"/>.</summary>
    public OutOfOrderTiming(CoreModel model, SharedCaches shared, Machine machine)
    {
        _model = model;
        _events = new InOrderEvents(model, shared, machine);
        _timings = new OutOfOrderTimings(model);
        Pipeline = new OutOfOrderPipeline(model);
    }

    /// <inheritdoc/>
    public override bool CountsEvents => true;

    /// <inheritdoc/>
    public override TimingCounters Counters(int el) => el == 0 ? _statistics.EL0 : _statistics.EL1;

    private ref TimingCounters Current => ref _el == 0 ? ref _statistics.EL0 : ref _statistics.EL1;

    /// <inheritdoc/>
    public override void Retire(Cpu cpu, Row row, uint instruction, ulong fetchPa)
    {
        OutOfOrderInstruction t = _timings.Get(row, instruction);
        ref TimingCounters counters = ref Current;
        counters.Instructions++;
        InstructionEvents e = _events.Observe(cpu, t.View, fetchPa, Pipeline.Redirected, ref counters);
        Pipeline.Step(cpu, t, e, _events.Lines, ref counters);
        Cycles = (ulong)Pipeline.Cycles;
        _el = cpu.EL;
    }

    /// <inheritdoc/>
    public override void ExceptionReturn(Cpu cpu)
    {
    }

    /// <inheritdoc/>
    public override void ExceptionEntry(Cpu cpu)
    {
        Current.Exceptions++;
        Pipeline.Flush(_model.ExceptionEntry, CycleCause.Exception);
        _el = 1;
    }

    /// <inheritdoc/>
    public override void EmptyCaches() => _events.EmptyCaches();

    /// <inheritdoc/>
    public override void Charge(ulong cycles, int lines)
    {
        Current.Causes[(int)CycleCause.Charged] += cycles;
        ChargedCycles += cycles;
        Pipeline.AdvanceTo(Pipeline.Cycles + (long)cycles);
        Cycles = (ulong)Pipeline.Cycles;
        _events.Disturb(lines);
    }

    /// <inheritdoc/>
    public override void ChargeInstructions(int instructions, int instructionLines, int dataLines, int region) =>
        Charge((ulong)((long)instructions * _model.ChargedCpi / 100 + _events.Touch(instructionLines, dataLines, region)), 0);

    /// <inheritdoc/>
    public override void AdvanceTo(ulong cycle)
    {
        if (cycle <= Cycles)
            return;
        Current.Causes[(int)CycleCause.Waiting] += cycle - Cycles;
        WaitCycles += cycle - Cycles;
        Pipeline.AdvanceTo((long)cycle);
        Cycles = cycle;
    }
}

/// <summary>The timings of encodings seen so far on one core.</summary>
internal sealed class OutOfOrderTimings(CoreModel model)
{
    private const int Direct = 4096;
    private readonly Dictionary<uint, OutOfOrderInstruction> _known = [];
    private readonly uint[] _words = new uint[Direct];
    private readonly OutOfOrderInstruction?[] _recent = new OutOfOrderInstruction?[Direct];

    /// <summary>The timing of one encoding.</summary>
    public OutOfOrderInstruction Get(Row row, uint instruction)
    {
        int slot = (int)((instruction * 0x9E3779B1u) >> 20);
        if (_words[slot] == instruction && _recent[slot] is { } recent)
            return recent;
        if (!_known.TryGetValue(instruction, out OutOfOrderInstruction? timing))
            _known.Add(instruction, timing = model.TimeOutOfOrder(InstructionRoles.Describe(row, instruction)));
        _words[slot] = instruction;
        _recent[slot] = timing;
        return timing;
    }
}
