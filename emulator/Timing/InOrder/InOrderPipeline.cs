using ArmVdso.Emulator.State;
using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Emulator.Timing.Instructions;
using ArmVdso.Emulator.Timing.Memo;
using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Emulator.Timing.InOrder;

/// <summary>The pipeline of a dual-issue in-order core: the definition of when instructions issue ("naive scoreboard"). Its input is
/// an instruction's static timing and what happened dynamically; its state is <see cref="Scoreboard"/> and the fills in flight.
/// It asks no cache and no predictor: the same state and the same input give the same cycles.</summary>
public sealed partial class InOrderPipeline : IPipeline
{
    private readonly CoreModel _model;
    private readonly EncodingTable<InstructionTiming> _timings;
    private readonly MemoryPort _memory;
    private readonly FillBuffers _fills;
    private long _lastFill;
    private Scoreboard _s;

    /// <summary>An empty pipeline before its first cycle.</summary>
    /// <param name="model">The core.</param>
    /// <param name="memory">Its way to memory.</param>
    public InOrderPipeline(CoreModel model, MemoryPort memory)
    {
        _model = model;
        _memory = memory;
        var timings = new InOrderTimings(model);
        _timings = new EncodingTable<InstructionTiming>(roles => timings.Time(roles));
        _fills = new FillBuffers(model, memory);
        _s.Cycle = -1;
        _s.Slots = 2;
        _s.Group = -1;
        _s.LastDrain = -1;
        _s.StoredAt = -1000;
        _s.Redirected = true;
    }

    /// <inheritdoc/>
    public ulong Cycles => (ulong)(_s.Cycle + 1);

    /// <inheritdoc/>
    public bool Redirected => _s.Redirected;

    /// <summary>Sees every instruction; null when nobody looks.</summary>
    [field: NotState("who looks")]
    public ITimingSink? Sink { get; set; }

    /// <inheritdoc/>
    public bool IsWatched => Sink is not null;

    /// <inheritdoc/>
    public InstructionTiming Time(Row row, uint instruction) => _timings.Get(row, instruction);

    /// <summary>Times one instruction.</summary>
    /// <param name="t">Its static timing.</param>
    /// <param name="e">What happened.</param>
    /// <param name="lines">Its accesses by line, in order.</param>
    /// <param name="pc">Its address, for <see cref="Sink"/>.</param>
    /// <param name="counters">Takes the cycles by cause, the instruction, and whether it issued as the second of a pair.</param>
    public void Step(InstructionTiming t, in InstructionEvents e, ReadOnlySpan<LineEvent> lines, ulong pc, ref TimingCounters counters)
    {
        counters.Instructions++;
        if (e.NewGroup)
            Fetch(e);

        // Issue: with the previous instruction, or in the next cycle, or when the operands and the unit are there.
        long next = _s.Cycle + 1;
        bool pair = _s.Slots == 1 && _s.FetchReady <= _s.Cycle && CanPair(t);
        long at = pair ? _s.Cycle : next;
        long earliest = at;
        CycleCause cause = CycleCause.Dependency;
        long wanted = Operands(t, at, ref cause);
        // Results are written in order: a younger write of a register does not overtake an older one.
        byte[] destinations = t.Destinations;
        long written = at;
        for (int i = 0; i < destinations.Length; i++)
            written = Math.Max(written, _s.Ready[destinations[i]] - t.Latencies[i]);
        int late = 0;
        if (t.Skewed && wanted > at)
        {
            wanted--;
            late = 1;
        }
        long unit = Math.Max(UnitReady(t.Units), written);
        if (pair && (wanted > at || unit > at))
        {
            pair = false;
            at = next;
        }
        int fetchStall = 0, operandStall = 0, unitStall = 0, waitStall = 0;
        if (!pair)
        {
            if (_s.FetchReady > at)
            {
                fetchStall = (int)(_s.FetchReady - at);
                counters.Causes[_s.FetchCause] += (ulong)fetchStall;
                at = _s.FetchReady;
            }
            if (wanted > at)
            {
                operandStall = (int)(wanted - at);
                counters.Causes[(int)cause] += (ulong)operandStall;
                at = wanted;
            }
            if (unit > at)
            {
                unitStall = (int)(unit - at);
                counters.Causes[(int)CycleCause.Unit] += (ulong)unitStall;
                at = unit;
            }
        }

        // Data side and barriers: extra latency of the results, or a wait before issue.
        int extra = e.Extra;
        int beats = t.Beats + e.Beats;
        CycleCause resultCause = CycleCause.Dependency;
        CycleCause waitCause = CycleCause.System;
        long issue = at;
        if (e.HasAccess)
        {
            resultCause = CycleCause.LoadUse;
            if (e.StoreGap > 0 && at < _s.StoredAt + e.StoreGap)
            {
                // Behind a store to its bytes; a load of several beats repeats the first.
                issue = _s.StoredAt + e.StoreGap;
                waitCause = CycleCause.LoadUse;
                if (beats > 1)
                    beats++;
            }
            foreach (ref readonly LineEvent line in lines)
                issue = Line(line, issue, ref extra, ref resultCause, ref waitCause);
        }
        else if (t.Kind == TimingKind.Barrier && _model.BarrierDrain != 0)
        {
            issue = Math.Max(at, _s.LastDrain);
        }
        if (issue > at)
        {
            if (pair)
            {
                pair = false;
                at = next;
                issue = Math.Max(issue, next);
            }
            waitStall = (int)(issue - at);
            counters.Causes[(int)waitCause] += (ulong)waitStall;
            at = issue;
        }
        if (late == 1 && wanted + 1 <= at)
            late = 0;

        Issue(t, at, beats, pair, ref counters);
        if (lines.Length > 0 && lines[^1].Write)
            _s.StoredAt = _s.Cycle;
        if (t.Busy > 1 || t.Kind == TimingKind.Divide)
            Occupy(t.Units, at + (t.Kind == TimingKind.Divide ? extra + t.Busy : t.Busy));

        Results(t, at, late, extra, resultCause);
        if (Sink is not null)
        {
            var trace = new InstructionTrace(
                pc, t, _s.Group, earliest, wanted, unit, at, Done(t, at), _s.Cycle, pair,
                fetchStall, (CycleCause)_s.FetchCause, operandStall, cause, unitStall, waitStall, waitCause, e.Prediction);
            Sink.OnInstruction(trace);
        }
        if (t.Kind is >= TimingKind.Branch and <= TimingKind.ExceptionReturn)
            Branch(t, e.Prediction, at);
        int hold = t.Hold + e.Hold;
        if (hold > 0)
        {
            counters.Causes[(int)CycleCause.System] += (ulong)hold;
            _s.Cycle += hold;
            _s.Slots = 2;
        }
    }

    /// <summary>The cycle, from <paramref name="at"/> on, in which all operands are there, and what the last one comes from.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private long Operands(InstructionTiming t, long at, ref CycleCause cause)
    {
        long wanted = at;
        byte[] sources = t.Sources;
        byte[] needs = t.Needs;
        for (int i = 0; i < sources.Length; i++)
        {
            int register = sources[i];
            long ready = ((t.AddressSources >> i) & 1) != 0 ? _s.AddressReady[register] : _s.Ready[register] - needs[i];
            if (ready > wanted)
            {
                wanted = ready;
                cause = (CycleCause)_s.Cause[register];
            }
        }
        return wanted;
    }

    /// <summary>Takes issue slots: the second of the cycle, or the first of a new one.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Issue(InstructionTiming t, long at, int beats, bool pair, ref TimingCounters counters)
    {
        if (beats > 1)
            counters.Causes[(int)CycleCause.Unit] += (ulong)(beats - 1);
        if (pair)
        {
            _s.Slots = 2;
            counters.DualIssued++;
            if (beats > 1)
                _s.Cycle = at + beats - 1;
            return;
        }
        counters.Causes[(int)CycleCause.Issuing]++;
        bool closes = (t.Units & Units.Alone) != 0 || ((t.Units & Units.Branch) != 0 && _model.BranchPairs == 0);
        _s.Slots = beats > 1 || closes || _model.IssueWidth == 1 ? 2 : 1;
        _s.Cycle = at + beats - 1;
        _s.PairUnits = t.Units;
        _s.PairSimd = t.SimdHalves;
        _s.PairVector = t.VectorDestination;
        _s.PairFlags = t.WritesFlags;
    }

    /// <summary>When the results can be used.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Results(InstructionTiming t, long at, int late, int extra, CycleCause cause)
    {
        byte[] destinations = t.Destinations;
        for (int i = 0; i < destinations.Length; i++)
        {
            int register = destinations[i];
            long ready = at + t.Latencies[i] + late + extra;
            _s.Ready[register] = ready;
            _s.AddressReady[register] = late != 0 ? Math.Max(ready, at + _model.LateToAddress) : at + t.AddressLatencies[i] + extra;
            _s.Cause[register] = (byte)cause;
        }
    }

    private long Done(InstructionTiming t, long at)
    {
        long done = at + 1;
        foreach (byte register in t.Destinations)
            done = Math.Max(done, _s.Ready[register]);
        return done;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool CanPair(InstructionTiming t) =>
        (t.Units & (_s.PairUnits | Units.Alone)) == 0
        // Both halves of the SIMD datapath are the first instruction's; a store of 128 bits only reads through them.
        && (t.SimdHalves != 2 || ((t.Units & Units.LoadStore) != 0 && _s.PairSimd == 0)) && (t.SimdHalves == 0 || _s.PairSimd != 2)
        // There is one write of a SIMD&FP register in a cycle, of whichever half.
        && (t.VectorDestination == 0 || t.VectorDestination != _s.PairVector)
        && (!_s.PairFlags || t.Kind != TimingKind.Conditional || _model.FlagBranchPairs != 0 || !t.ReadsFlags);

    private long UnitReady(Units units)
    {
        if ((units & (Units.Multiply | Units.Divide | Units.FpDivide | Units.LoadStore | Units.SimdSingle)) == 0)
            return 0;
        return units switch
        {
            Units.Multiply => _s.MultiplyFree,
            Units.Divide => _s.DivideFree,
            Units.FpDivide => _s.FpDivideFree,
            Units.SimdSingle => _s.SimdFree,
            _ => _s.LoadStoreFree,
        };
    }

    private void Occupy(Units units, long until)
    {
        switch (units)
        {
            case Units.Multiply: _s.MultiplyFree = until; break;
            case Units.Divide: _s.DivideFree = until; break;
            case Units.FpDivide: _s.FpDivideFree = until; break;
            case Units.SimdSingle: _s.SimdFree = until; break;
            case Units.LoadStore: _s.LoadStoreFree = until; break;
        }
    }

    /// <summary>Another fetch group: one a cycle, so far ahead of issue as the instruction queue allows.</summary>
    private void Fetch(in InstructionEvents e)
    {
        long ahead = _s.Cycle - _model.FetchLead;
        long at = _s.Group + 1;
        if (ahead > at)
        {
            at = ahead;
            _s.FetchCause = (int)CycleCause.FrontEnd;
        }
        else if (!_s.Redirected)
        {
            _s.FetchCause = (int)CycleCause.FrontEnd;
        }
        _s.Redirected = false;
        _s.GroupBranch = false;
        if (e.FetchCause != default)
        {
            at += e.FetchExtra;
            _s.FetchCause = (int)e.FetchCause;
        }
        _s.Group = at;
        _s.FetchReady = at;
    }

    private void Branch(InstructionTiming t, Prediction prediction, long at)
    {
        if (t.Kind == TimingKind.ExceptionReturn)
        {
            Flush(_model.ExceptionReturn, CycleCause.Exception);
            return;
        }
        // Fetch predicts one branch of a group in a cycle.
        int second = _s.GroupBranch ? _model.SecondBranch : 0;
        _s.GroupBranch = true;
        switch (prediction)
        {
            case Prediction.FallThrough:
                return;
            case Prediction.Mispredicted:
                _s.Group = at + _model.Mispredict;
                _s.FetchCause = (int)CycleCause.Mispredict;
                _s.Redirected = true;
                return;
            case Prediction.Taken:
                _s.Group += _model.TakenBubble + second;
                break;
            case Prediction.TakenIndirect:
                _s.Group += _model.IndirectBubble;
                break;
            case Prediction.TakenReturn:
                _s.Group += _model.ReturnBubble;
                break;
        }
        _s.FetchCause = (int)CycleCause.FrontEnd;
        _s.Redirected = true;
    }

    /// <summary>Empties the pipeline: fetch begins anew after so many cycles.</summary>
    public void Flush(int cycles, CycleCause cause)
    {
        _s.Group = _s.Cycle + cycles;
        _s.FetchCause = (int)cause;
        _s.Slots = 2;
        _s.Redirected = true;
    }

    /// <summary>So many cycles pass in which nothing issues.</summary>
    public void Pass(ulong cycles)
    {
        _s.Cycle += (long)cycles;
        _s.Slots = 2;
    }

    /// <inheritdoc/>
    public int StateSize => Unsafe.SizeOf<Scoreboard>();

    /// <inheritdoc/>
    public void Save(Span<byte> state) => MemoryMarshal.Write(state, _s.Normalised(_model));

    /// <inheritdoc/>
    public long Horizon => _s.Horizon(_model);

    /// <inheritdoc/>
    public void Load(ReadOnlySpan<byte> state, ulong cycles)
    {
        _s = MemoryMarshal.Read<Scoreboard>(state);
        _s.MoveTo((long)cycles - 1);
    }

    /// <inheritdoc/>
    public int MostExtra => Math.Max(_model.StoreToLoad + 4, Math.Max(_model.UnalignedLoad, _model.UnalignedLoadWide));

    /// <inheritdoc/>
    public int MostCycles(InstructionTiming t)
    {
        const int MostDigits = 32;
        int extra = t.Kind == TimingKind.Divide ? MostDigits : t.Kind == TimingKind.Memory ? MostExtra : 0;
        int ready = Math.Max(t.Busy, _model.LateToAddress);
        foreach (short latency in t.Latencies)
            ready = Math.Max(ready, latency + 1);
        foreach (short latency in t.AddressLatencies)
            ready = Math.Max(ready, (int)latency);
        return t.Beats + 2 + t.Hold + ready + extra + 1;
    }
}
