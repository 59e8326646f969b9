using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Emulator.Timing;

/// <summary>Timing of one PE by a pipeline over caches, TLBs and predictors: what does not depend on which pipeline it is.</summary>
public abstract class PipelineTiming : TimingModel
{
    private TimingStatistics _statistics;
    private int _el = 1;

    /// <summary>One PE of the given core, in the coherence domain of <paramref name="shared"/>.</summary>
    private protected PipelineTiming(CoreModel model, SharedCaches shared, IClock clock)
    {
        Model = model;
        Events = new CoreEvents(model, shared, clock);
        Clock = clock;
    }

    /// <summary>The core.</summary>
    public CoreModel Model { get; }

    /// <summary>The clock of the PEs.</summary>
    private protected IClock Clock { get; }

    /// <summary>Caches, TLBs and predictors.</summary>
    private protected CoreEvents Events { get; }

    /// <summary>Cycles and events by exception level.</summary>
    public TimingStatistics Statistics
    {
        get
        {
            Settle(ref _statistics);
            return _statistics;
        }
    }

    /// <inheritdoc/>
    public sealed override bool CountsEvents => true;

    /// <inheritdoc/>
    public sealed override TimingCounters Counters(int el)
    {
        Settle(ref _statistics);
        return el == 0 ? _statistics.EL0 : _statistics.EL1;
    }

    private ref TimingCounters Current => ref _el == 0 ? ref _statistics.EL0 : ref _statistics.EL1;

    /// <inheritdoc/>
    internal sealed override int Level => _el;

    /// <summary>Adds what is counted elsewhere and due.</summary>
    private protected virtual void Settle(ref TimingStatistics statistics)
    {
    }

    /// <summary>Times one instruction.</summary>
    /// <returns>Cycles of the pipeline after it.</returns>
    private protected abstract ulong Step(ProcessingElement pe, Row row, uint instruction, ulong fetchPa, ref TimingCounters counters);

    /// <summary>Empties the pipeline: what follows is fetched so many cycles later.</summary>
    private protected abstract void Flush(int cycles, CycleCause cause);

    /// <summary>So many cycles pass in which nothing happens in the pipeline.</summary>
    /// <returns>Cycles of the pipeline after them.</returns>
    private protected abstract ulong Pass(ulong cycles);

    /// <inheritdoc/>
    public sealed override void Retire(ProcessingElement pe, Row row, uint instruction, ulong fetchPa)
    {
        Cycles = Step(pe, row, instruction, fetchPa, ref Current);
        _el = pe.EL;
        Twin?.Retire(pe, row, instruction, fetchPa);
    }

    /// <inheritdoc/>
    public sealed override void ExceptionReturn(int el)
    {
    }

    /// <inheritdoc/>
    public sealed override void ExceptionEntry()
    {
        Current.Exceptions++;
        Flush(Model.ExceptionEntry, CycleCause.Exception);
        _el = 1;
        Twin?.ExceptionEntry();
    }

    /// <inheritdoc/>
    internal sealed override void ForgetTranslations(ulong first, ulong count, ulong? asid)
    {
        Events.ForgetTranslations(first, count, asid);
        Twin?.ForgetTranslations(first, count, asid);
    }

    /// <inheritdoc/>
    public sealed override void EmptyCaches() => Events.EmptyCaches();

    /// <inheritdoc/>
    public sealed override void ChargeWork(in OutsideWork work)
    {
        long missing = Math.Max(0, Events.Touch(work) - work.Misses);
        if (work.Misses > 0)
            missing = missing * Math.Min(work.Stall, work.Misses) / work.Misses;
        Charge((ulong)(work.Cycles + missing));
        Twin?.ChargeWork(work);
    }

    /// <inheritdoc/>
    public sealed override void FillPage(ulong pa)
    {
        Events.Fill(pa);
        Twin?.FillPage(pa);
    }

    /// <inheritdoc/>
    public sealed override void FillLine(ulong pa)
    {
        Events.Fill(pa, 1);
        Twin?.FillLine(pa);
    }

    private void Charge(ulong cycles)
    {
        Current.Causes[(int)CycleCause.Charged] += cycles;
        ChargedCycles += cycles;
        Cycles = Pass(cycles);
    }

    /// <inheritdoc/>
    public sealed override void AdvanceTo(ulong cycle)
    {
        if (cycle <= Cycles)
            return;
        ulong wait = cycle - Cycles;
        Current.Causes[(int)CycleCause.Waiting] += wait;
        WaitCycles += wait;
        Cycles = Pass(wait);
        Twin?.AdvanceTo(cycle);
    }
}
