using ArmVdso.Emulator.Isa;

namespace ArmVdso.Emulator.Timing;

/// <summary>Dual-issue in-order timing of one PE, instruction by instruction: <see cref="InOrderEvents"/> says what happened,
/// <see cref="InOrderPipeline"/> how long it took.</summary>
public sealed class InOrderTiming : TimingModel
{
    private readonly CoreModel _model;
    private readonly InOrderEvents _events;
    private readonly InOrderPipeline _pipeline;
    private readonly InstructionTimings _timings;
    private TimingStatistics _statistics;
    private int _el = 1;
    private BlockMemo? _memo;

    /// <summary>Cycles and events by exception level.</summary>
    public TimingStatistics Statistics
    {
        get
        {
            _memo?.Settle(ref _statistics);
            return _statistics;
        }
    }

    /// <summary>The core.</summary>
    public CoreModel Model => _model;

    /// <summary>Sees every instruction's way through the pipeline; null when nobody looks.</summary>
    public ITimingSink? Sink
    {
        get => _pipeline.Sink;
        set => _pipeline.Sink = value;
    }

    /// <summary>One PE of the given core, in the coherence domain of <paramref name="shared"/>.</summary>
    public InOrderTiming(CoreModel model, SharedCaches shared, Machine machine)
    {
        _model = model;
        _events = new InOrderEvents(model, shared, machine);
        _pipeline = new InOrderPipeline(model);
        _timings = new InstructionTimings(model);
    }

    /// <inheritdoc/>
    public override bool CountsEvents => true;

    /// <inheritdoc/>
    public override TimingCounters Counters(int el) => el == 0 ? Statistics.EL0 : Statistics.EL1;

    private ref TimingCounters Current => ref _el == 0 ? ref _statistics.EL0 : ref _statistics.EL1;

    /// <inheritdoc/>
    internal override BlockMemo? Memo => _memo ??= new BlockMemo(_pipeline, _events, _timings);

    /// <inheritdoc/>
    internal override TimingModel? CreateTwin(Machine machine, ref SharedCaches? shared) =>
        new InOrderTiming(_model, shared ??= new SharedCaches(_model), machine);

    /// <inheritdoc/>
    internal override int Level => _el;

    /// <inheritdoc/>
    internal override void TakeOver() => Cycles = _pipeline.Cycles;

    /// <inheritdoc/>
    public override void Retire(Cpu cpu, Row row, uint instruction, ulong fetchPa)
    {
        InstructionTiming t = _timings.Get(row, instruction);
        ref TimingCounters counters = ref Current;
        InstructionEvents e = _events.Observe(cpu, t, fetchPa, _pipeline.State.Redirected, ref counters);
        _pipeline.Step(t, e, _events.Lines, cpu.PC, ref counters);
        Cycles = _pipeline.Cycles;
        _el = cpu.EL;
        Twin?.Retire(cpu, row, instruction, fetchPa);
    }

    /// <inheritdoc/>
    public override void ExceptionReturn(Cpu cpu)
    {
    }

    /// <inheritdoc/>
    public override void ExceptionEntry(Cpu cpu)
    {
        Current.Exceptions++;
        _pipeline.Flush(_model.ExceptionEntry, CycleCause.Exception);
        _el = 1;
        Twin?.ExceptionEntry(cpu);
    }

    /// <inheritdoc/>
    public override void EmptyCaches() => _events.EmptyCaches();

    /// <inheritdoc/>
    public override void Charge(ulong cycles, int lines)
    {
        Charge(cycles);
        _events.Disturb(lines);
        Twin?.Charge(cycles, lines);
    }

    /// <inheritdoc/>
    public override void ChargeInstructions(int instructions, int instructionLines, int dataLines, int region)
    {
        Charge((ulong)((long)instructions * _model.ChargedCpi / 100 + _events.Touch(instructionLines, dataLines, region)));
        Twin?.ChargeInstructions(instructions, instructionLines, dataLines, region);
    }

    private void Charge(ulong cycles)
    {
        Current.Causes[(int)CycleCause.Charged] += cycles;
        ChargedCycles += cycles;
        _pipeline.Pass(cycles);
        Cycles = _pipeline.Cycles;
    }

    /// <inheritdoc/>
    public override void AdvanceTo(ulong cycle)
    {
        if (cycle <= Cycles)
            return;
        ulong wait = cycle - Cycles;
        Current.Causes[(int)CycleCause.Waiting] += wait;
        WaitCycles += wait;
        _pipeline.Pass(wait);
        Cycles = _pipeline.Cycles;
        Twin?.AdvanceTo(cycle);
    }
}
