using System.Numerics;
using System.Runtime.CompilerServices;
using ArmVdso.Emulator.Isa;

namespace ArmVdso.Emulator.Timing;

/// <summary>Dual-issue in-order timing: the definition ("naive scoreboard"). All pipeline state is in <see cref="Scoreboard"/>, in cycles
/// that only matter relative to the current one; caches, TLBs and predictors are dynamic events with explicit penalties.</summary>
public sealed class InOrderTiming : TimingModel
{
    private readonly CoreModel _model;
    private readonly SharedCaches _shared;
    private readonly Machine _machine;
    private readonly Cache _l1i;
    private readonly Cache _l1d;
    private readonly Tlb _microI;
    private readonly Tlb _microD;
    private readonly Tlb _main;
    private readonly BranchPredictor _predictor;
    private readonly InstructionTimings _timings;
    private readonly int _lineShift;
    private readonly int _groupShift;
    private readonly long[] _fillReady;
    private readonly ulong[] _fillLine;
    private readonly CycleCause[] _fillCause;
    private readonly long[] _drains;
    private long _fillsUntil;
    private int _drainAt;
    private Scoreboard _s;
    private TimingStatistics _statistics;
    private int _el = 1;
    private bool _redirected = true;
    private ulong _group = ulong.MaxValue;
    private ulong _fetchLine = ulong.MaxValue;
    private ulong _fetchPage = ulong.MaxValue;
    private ulong _fetchContext;
    private int _dramCycles;
    private ulong _disturbed;
    private ulong _storedLine = ulong.MaxValue;
    private long _storedAt = -1000;

    /// <summary>Cycles and events by exception level.</summary>
    public TimingStatistics Statistics => _statistics;

    /// <summary>The core.</summary>
    public CoreModel Model => _model;

    /// <summary>One PE of the given core, in the coherence domain of <paramref name="shared"/>.</summary>
    public InOrderTiming(CoreModel model, SharedCaches shared, Machine machine)
    {
        _model = model;
        _shared = shared;
        _machine = machine;
        _l1i = new Cache(model.L1ISize, model.L1IWays, model.LineSize);
        _l1d = new Cache(model.L1DSize, model.L1DWays, model.LineSize);
        shared.Join(_l1d);
        _microI = new Tlb(model.MicroTlb, model.MicroTlb);
        _microD = new Tlb(model.MicroTlb, model.MicroTlb);
        _main = new Tlb(model.MainTlb, model.MainTlbWays);
        _predictor = new BranchPredictor(model);
        _timings = new InstructionTimings(model);
        _lineShift = BitOperations.Log2((uint)model.LineSize);
        _groupShift = BitOperations.Log2((uint)model.FetchBytes);
        _fillReady = new long[model.FillBuffers];
        _fillLine = new ulong[model.FillBuffers];
        _fillCause = new CycleCause[model.FillBuffers];
        _drains = new long[model.StoreBuffer];
        _s.Cycle = -1;
        _s.Slots = 2;
        _s.Group = -1;
        _s.LastDrain = -1;
    }

    private ref TimingCounters Counters => ref _el == 0 ? ref _statistics.EL0 : ref _statistics.EL1;

    /// <inheritdoc/>
    public override void Retire(Cpu cpu, Row row, uint instruction, ulong fetchPa)
    {
        InstructionTiming t = _timings.Get(row, instruction);
        ref TimingCounters counters = ref Counters;
        counters.Instructions++;
        ulong pc = cpu.PC;
        if (_redirected || pc >> _groupShift != _group)
            Fetch(cpu, pc, fetchPa, ref counters);

        // Issue: with the previous instruction, or in the next cycle, or when the operands and the unit are there.
        long next = _s.Cycle + 1;
        bool pair = _s.Slots == 1 && _s.FetchReady <= _s.Cycle && CanPair(t);
        long at = pair ? _s.Cycle : next;
        long wanted = at;
        CycleCause cause = CycleCause.Dependency;
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
        if (!pair)
        {
            if (_s.FetchReady > at)
            {
                counters.Causes[_s.FetchCause] += (ulong)(_s.FetchReady - at);
                at = _s.FetchReady;
            }
            if (wanted > at)
            {
                counters.Causes[(int)cause] += (ulong)(wanted - at);
                at = wanted;
            }
            if (unit > at)
            {
                counters.Causes[(int)CycleCause.Unit] += (ulong)(unit - at);
                at = unit;
            }
        }

        // Data side and system instructions: extra latency of the results, or a wait before issue.
        int extra = 0;
        int beats = t.Beats;
        int hold = t.Hold;
        CycleCause resultCause = CycleCause.Dependency;
        CycleCause waitCause = CycleCause.System;
        long issue = at;
        if (cpu.AccessCount > 0)
        {
            resultCause = CycleCause.LoadUse;
            issue = Memory(cpu, t, at, ref extra, ref beats, ref resultCause, ref waitCause, ref counters);
        }
        else if (t.Kind >= TimingKind.Barrier)
        {
            issue = Special(cpu, t, at, ref extra, ref hold);
        }
        if (issue > at)
        {
            if (pair)
            {
                pair = false;
                at = next;
                issue = Math.Max(issue, next);
            }
            counters.Causes[(int)waitCause] += (ulong)(issue - at);
            at = issue;
        }
        if (late == 1 && wanted + 1 <= at)
            late = 0;

        if (pair)
        {
            _s.Slots = 2;
            counters.DualIssued++;
            if (beats > 1)
            {
                counters.Causes[(int)CycleCause.Unit] += (ulong)(beats - 1);
                _s.Cycle = at + beats - 1;
            }
        }
        else
        {
            counters.Causes[(int)CycleCause.Issuing]++;
            _s.Slots = beats > 1 || (t.Units & (Units.Alone | Units.Branch)) != 0 || _model.IssueWidth == 1 ? 2 : 1;
            if (beats > 1)
                counters.Causes[(int)CycleCause.Unit] += (ulong)(beats - 1);
            _s.Cycle = at + beats - 1;
            _s.PairUnits = t.Units;
            _s.PairSimd = t.SimdHalves;
        }
        if (t.Busy > 1 || t.Kind == TimingKind.Divide)
            Occupy(t.Units, at + (t.Kind == TimingKind.Divide ? extra + t.Busy : t.Busy));

        for (int i = 0; i < destinations.Length; i++)
        {
            int register = destinations[i];
            long ready = at + t.Latencies[i] + late + extra;
            _s.Ready[register] = ready;
            _s.AddressReady[register] = late != 0 ? Math.Max(ready, at + _model.LateToAddress) : at + t.AddressLatencies[i] + extra;
            _s.Cause[register] = (byte)resultCause;
        }

        if (t.Kind is >= TimingKind.Branch and <= TimingKind.ExceptionReturn)
            Branch(cpu, t, pc, at, ref counters);
        if (hold > 0)
        {
            counters.Causes[(int)CycleCause.System] += (ulong)hold;
            _s.Cycle += hold;
            _s.Slots = 2;
        }
        Cycles = (ulong)(_s.Cycle + 1);
        _el = cpu.EL;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool CanPair(InstructionTiming t) =>
        (t.Units & (_s.PairUnits | Units.Alone)) == 0 && t.SimdHalves != 2 && (t.SimdHalves == 0 || _s.PairSimd != 2);

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
    private void Fetch(Cpu cpu, ulong pc, ulong fetchPa, ref TimingCounters counters)
    {
        _group = pc >> _groupShift;
        long ahead = _s.Cycle - _model.FetchLead;
        long at = _s.Group + 1;
        if (ahead > at)
        {
            at = ahead;
            _s.FetchCause = (int)CycleCause.FrontEnd;
        }
        else if (!_redirected)
        {
            _s.FetchCause = (int)CycleCause.FrontEnd;
        }
        _redirected = false;
        ulong line = fetchPa >> _lineShift;
        if (line != _fetchLine)
        {
            _fetchLine = line;
            counters.L1IAccesses++;
            ulong page = pc >> 12;
            ulong context = ((pc >> 55) & 1) != 0 ? 0 : cpu.TTBR0_EL1;
            if (page != _fetchPage || context != _fetchContext)
            {
                _fetchPage = page;
                _fetchContext = context;
                int walk = Translate(_microI, page, context, ref counters.ItlbMisses, ref counters.Walks);
                if (walk > 0)
                {
                    at += walk;
                    _s.FetchCause = (int)CycleCause.InstructionTlb;
                }
            }
            if (_l1i.Find(line) < 0)
            {
                counters.L1IMisses++;
                _l1i.Insert(line, LineState.Shared);
                LineSource source = _shared.Fetch(line, null, false, out _);
                at += Penalty(source, ref counters, out _);
                _s.FetchCause = (int)CycleCause.InstructionCache;
            }
        }
        _s.Group = at;
        _s.FetchReady = at;
    }

    private int Translate(Tlb micro, ulong page, ulong context, ref ulong misses, ref ulong walks)
    {
        if (micro.Access(page, context))
            return 0;
        misses++;
        if (_main.Access(page, context))
            return _model.MicroTlbMiss;
        walks++;
        return _model.MicroTlbMiss + _model.Walk;
    }

    /// <summary>Extra cycles of an L1 miss.</summary>
    private int Penalty(LineSource source, ref TimingCounters counters, out CycleCause cause)
    {
        counters.L2Accesses++;
        switch (source)
        {
            case LineSource.OtherCache:
                counters.Transfers++;
                cause = CycleCause.Coherence;
                return _model.Transfer;
            case LineSource.Memory:
                counters.L2Misses++;
                cause = CycleCause.Dram;
                if (_dramCycles == 0)
                    _dramCycles = Math.Max(1, (int)((ulong)_model.DramNanoseconds * _machine.ClockFrequency / 1_000_000_000));
                return _model.L2Latency + _dramCycles;
            default:
                cause = CycleCause.L2;
                return _model.L2Latency;
        }
    }

    /// <summary>The data accesses of an instruction. Returns the cycle in which it can issue.</summary>
    private long Memory(Cpu cpu, InstructionTiming t, long at, ref int extra, ref int beats, ref CycleCause cause, ref CycleCause wait, ref TimingCounters counters)
    {
        ulong lastLine = ulong.MaxValue;
        // A structure store hands its data over in the last beat, a pair in the first.
        int afterBeats = t.DataBeats;
        for (int i = 0; i < cpu.AccessCount; i++)
        {
            ref MemoryAccess access = ref cpu.Accesses[i];
            ulong line = access.Pa >> _lineShift;
            ulong end = (access.Pa + access.Size - 1) >> _lineShift;
            if (access.Write)
            {
                if (line != end)
                    beats++;
            }
            else if ((access.Pa & 7) + Math.Min(access.Size, 8UL) > 8 || (i > 0 && t.Class == "load"))
            {
                // Over an 8-byte boundary, or split between two pages: one more beat, and the data goes the slow way.
                if (beats == t.Beats)
                    beats++;
                extra = Math.Max(extra, t.SimdHalves == 0 ? _model.UnalignedLoad : _model.UnalignedLoadWide);
            }
            if (line == lastLine && line == end)
                continue;
            lastLine = end;
            at = Line(cpu, access.Va, line, access.Write, at, afterBeats, ref extra, ref cause, ref wait, ref counters);
            if (line != end)
                at = Line(cpu, access.Va + access.Size - 1, end, access.Write, at, afterBeats, ref extra, ref cause, ref wait, ref counters);
        }
        return at;
    }

    private long Line(Cpu cpu, ulong va, ulong line, bool write, long at, int afterBeats, ref int extra, ref CycleCause cause, ref CycleCause wait, ref TimingCounters counters)
    {
        counters.L1DAccesses++;
        ulong context = ((va >> 55) & 1) != 0 ? 0 : cpu.TTBR0_EL1;
        int walk = Translate(_microD, va >> 12, context, ref counters.DtlbMisses, ref counters.Walks);
        if (walk > 0)
        {
            wait = CycleCause.DataTlb;
            at += walk;
        }
        int found = _l1d.Find(line);
        long filled = at;
        if (found >= 0)
        {
            if (_fillsUntil > at)
            {
                for (int i = 0; i < _fillLine.Length; i++)
                {
                    if (_fillLine[i] == line && _fillReady[i] > filled)
                    {
                        filled = _fillReady[i];
                        cause = _fillCause[i];
                    }
                }
            }
            ref LineState state = ref _l1d.State(found);
            if (write && state != LineState.Modified)
            {
                if (state == LineState.Shared && _shared.Upgrade(line, _l1d))
                {
                    counters.Transfers++;
                    filled += _model.Upgrade;
                }
                state = LineState.Modified;
            }
        }
        else
        {
            counters.L1DMisses++;
            LineSource source = _shared.Fetch(line, _l1d, write, out LineState state);
            _l1d.Insert(line, state);
            int penalty = Penalty(source, ref counters, out cause);
            int buffer = 0;
            for (int i = 1; i < _fillReady.Length; i++)
            {
                if (_fillReady[i] < _fillReady[buffer])
                    buffer = i;
            }
            filled = Math.Max(at, _fillReady[buffer]) + penalty;
            _fillReady[buffer] = filled;
            _fillLine[buffer] = line;
            _fillCause[buffer] = cause;
            if (filled > _fillsUntil)
                _fillsUntil = filled;
        }
        if (!write)
        {
            // A load behind a store to its line waits until the store is in the store buffer's reach.
            if (line == _storedLine && at < _storedAt + _model.StoreToLoad)
            {
                filled = Math.Max(filled, _storedAt + _model.StoreToLoad);
            }
            if (filled > at)
                extra = Math.Max(extra, (int)(filled - at));
            return at;
        }
        _storedLine = line;
        _storedAt = at + afterBeats;
        // Stores drain in order, one a cycle, each when its line is there; a full buffer stalls issue.
        long oldest = _drains[_drainAt];
        if (oldest > at)
        {
            wait = _fillsUntil >= oldest ? CycleCause.L2 : CycleCause.Unit;
            at = oldest;
        }
        long drain = Math.Max(Math.Max(_s.LastDrain, at) + 1, filled);
        _s.LastDrain = drain;
        _drains[_drainAt] = drain;
        _drainAt = _drainAt + 1 == _drains.Length ? 0 : _drainAt + 1;
        return at;
    }

    private long Special(Cpu cpu, InstructionTiming t, long at, ref int extra, ref int hold)
    {
        switch (t.Kind)
        {
            case TimingKind.Barrier:
                return _model.BarrierDrain != 0 ? Math.Max(at, _s.LastDrain) : at;
            case TimingKind.System:
                SystemRegister(t, ref hold);
                break;
            case TimingKind.Divide:
                // The quotient is in the destination now: one step for two bits of it.
                ulong quotient = cpu.X((int)t.Encoding & 31);
                if ((t.Encoding & (1 << 10)) != 0)
                {
                    long signed = t.Encoding >> 31 != 0 ? (long)quotient : (int)quotient;
                    quotient = signed < 0 ? (ulong)-signed : (ulong)signed;
                }
                extra = (64 - BitOperations.LeadingZeroCount(quotient)) / 2;
                break;
        }
        return at;
    }

    private void SystemRegister(InstructionTiming t, ref int hold)
    {
        // MRS of CNTPCT_EL0, CNTVCT_EL0 and their self-synchronized forms: op0 3, op1 3, CRn 14, CRm 0, op2 1, 2, 5, 6.
        if ((t.Encoding & 0xFFFFFF00) == 0xD53BE000 && ((t.Encoding >> 5) & 7) is 1 or 2 or 5 or 6)
        {
            hold += _model.CounterRead;
        }
        else if ((t.Encoding & 0xFFF80000) == 0xD5080000)
        {
            uint crn = (t.Encoding >> 12) & 15;
            uint crm = (t.Encoding >> 8) & 15;
            if (crn == 8)
            {
                _microD.Clear();
                _microI.Clear();
                _main.Clear();
                _fetchPage = ulong.MaxValue;
            }
            else if (crn == 7 && crm is 1 or 5)
            {
                _l1i.Clear();
                _fetchLine = ulong.MaxValue;
            }
        }
    }

    private void Branch(Cpu cpu, InstructionTiming t, ulong pc, long at, ref TimingCounters counters)
    {
        counters.Branches++;
        if (t.Kind == TimingKind.ExceptionReturn)
        {
            Flush(_model.ExceptionReturn, CycleCause.Exception);
            return;
        }
        bool taken = cpu.BranchTaken;
        switch (_predictor.Execute(t.Kind, pc, taken, cpu.NextPC))
        {
            case Prediction.FallThrough:
                return;
            case Prediction.Mispredicted:
                counters.Mispredicts++;
                _s.Group = at + _model.Mispredict;
                _s.FetchCause = (int)CycleCause.Mispredict;
                _redirected = true;
                return;
            case Prediction.Taken:
                _s.Group += _model.TakenBubble;
                break;
            case Prediction.TakenIndirect:
                _s.Group += _model.IndirectBubble;
                break;
            case Prediction.TakenReturn:
                _s.Group += _model.ReturnBubble;
                break;
        }
        _s.FetchCause = (int)CycleCause.FrontEnd;
        _redirected = true;
    }

    private void Flush(int cycles, CycleCause cause)
    {
        _s.Group = _s.Cycle + cycles;
        _s.FetchCause = (int)cause;
        _s.Slots = 2;
        _redirected = true;
    }

    /// <inheritdoc/>
    public override void ExceptionEntry(Cpu cpu)
    {
        Counters.Exceptions++;
        Flush(_model.ExceptionEntry, CycleCause.Exception);
        _el = 1;
    }

    /// <inheritdoc/>
    public override void Charge(ulong cycles, int lines)
    {
        Counters.Causes[(int)CycleCause.Charged] += cycles;
        ChargedCycles += cycles;
        _s.Cycle += (long)cycles;
        _s.Slots = 2;
        Cycles = (ulong)(_s.Cycle + 1);
        // The work touched memory that the guest does not see: lines of its own push out the guest's.
        for (int i = 0; i < lines; i++)
        {
            ulong line = (1UL << 50) + _disturbed++ % 4096;
            if (_l1d.Find(line) < 0)
            {
                _shared.Fetch(line, _l1d, false, out LineState state);
                _l1d.Insert(line, state);
            }
        }
    }

    /// <inheritdoc/>
    public override void AdvanceTo(ulong cycle)
    {
        if (cycle <= Cycles)
            return;
        ulong wait = cycle - Cycles;
        Counters.Causes[(int)CycleCause.Waiting] += wait;
        WaitCycles += wait;
        _s.Cycle += (long)wait;
        _s.Slots = 2;
        Cycles = cycle;
    }
}
