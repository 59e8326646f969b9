using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Emulator.Timing.Instructions;
using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Emulator.Timing.OutOfOrder;

/// <summary>Timing of an out-of-order core: <see cref="OutOfOrderPipeline"/> over the caches, TLBs and predictors that in-order cores have
/// too. Cycles are counted at retirement.</summary>
public sealed class OutOfOrderTiming : PipelineTiming
{
    private readonly EncodingTable<OutOfOrderInstruction> _timings;

    /// <summary>One PE of the given core, in the coherence domain of <paramref name="shared"/>.</summary>
    public OutOfOrderTiming(CoreModel model, SharedCaches shared, IClock clock)
        : base(model, shared, clock)
    {
        var timings = new OutOfOrderTimings(model);
        _timings = new EncodingTable<OutOfOrderInstruction>(roles => timings.Time(roles));
        Pipeline = new OutOfOrderPipeline(model, shared.Memory.Port(clock));
    }

    /// <summary>The pipeline.</summary>
    public OutOfOrderPipeline Pipeline { get; }

    /// <inheritdoc/>
    private protected override ulong Step(ProcessingElement pe, Row row, uint instruction, ulong fetchPa, ref TimingCounters counters)
    {
        OutOfOrderInstruction t = _timings.Get(row, instruction);
        InstructionEvents e = Events.Observe(pe, t.View, fetchPa, Pipeline.Redirected, ref counters);
        Pipeline.Step(pe, t, e, Events.Lines, ref counters);
        return (ulong)Pipeline.Cycles;
    }

    /// <inheritdoc/>
    private protected override void Flush(int cycles, CycleCause cause) => Pipeline.Flush(cycles, cause);

    /// <inheritdoc/>
    private protected override ulong Pass(ulong cycles)
    {
        Pipeline.AdvanceTo(Pipeline.Cycles + (long)cycles);
        return (ulong)Pipeline.Cycles;
    }
}
