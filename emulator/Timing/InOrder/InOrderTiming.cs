using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Emulator.Timing.Instructions;
using ArmVdso.Emulator.Timing.Memo;
using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Emulator.Timing.InOrder;

/// <summary>Dual-issue in-order timing of one PE, instruction by instruction: <see cref="CoreEvents"/> says what happened,
/// <see cref="InOrderPipeline"/> how long it took.</summary>
public sealed class InOrderTiming : PipelineTiming
{
    private readonly InOrderPipeline _pipeline;
    private BlockMemo? _memo;

    /// <summary>One PE of the given core, in the coherence domain of <paramref name="shared"/>.</summary>
    public InOrderTiming(CoreModel model, SharedCaches shared, IClock clock)
        : base(model, shared, clock) => _pipeline = new InOrderPipeline(model, shared.Memory.Port(clock));

    /// <summary>Sees every instruction's way through the pipeline; null when nobody looks.</summary>
    public ITimingSink? Sink
    {
        get => _pipeline.Sink;
        set => _pipeline.Sink = value;
    }

    /// <inheritdoc/>
    internal override BlockMemo? Memo => _memo ??= new BlockMemo(_pipeline, Events);

    /// <inheritdoc/>
    internal override void TakeOver() => Cycles = _pipeline.Cycles;

    /// <inheritdoc/>
    internal override TimingModel? CreateTwin(ref SharedCaches? shared) =>
        new InOrderTiming(Model, shared ??= new SharedCaches(Model), Clock);

    /// <inheritdoc/>
    private protected override void Settle(ref TimingStatistics statistics) => _memo?.Settle(ref statistics);

    /// <inheritdoc/>
    private protected override ulong Step(ProcessingElement pe, Row row, uint instruction, ulong fetchPa, ref TimingCounters counters)
    {
        InstructionTiming t = _pipeline.Time(row, instruction);
        InstructionEvents e = Events.Observe(pe, t, fetchPa, _pipeline.Redirected, ref counters);
        _pipeline.Step(t, e, Events.Lines, pe.PC, ref counters);
        return _pipeline.Cycles;
    }

    /// <inheritdoc/>
    private protected override void Flush(int cycles, CycleCause cause) => _pipeline.Flush(cycles, cause);

    /// <inheritdoc/>
    private protected override ulong Pass(ulong cycles)
    {
        _pipeline.Pass(cycles);
        return _pipeline.Cycles;
    }
}
