using System.Numerics;
using ArmVdso.Emulator.State;
using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Emulator.Timing.Instructions;
using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Emulator.Timing.OutOfOrder;

/// <summary>An out-of-order pipeline as a scoreboard with a window: fetch groups, rename of so many instructions a cycle, a reorder buffer,
/// issue ports, in-order retirement. Instructions pass in program order, and each is placed in the cycles that older ones left free; so the
/// past is never changed, and state is bounded. Left out: the size of the issue queues and of the register file, wrong-path execution,
/// replays, and order violations of loads and stores (memory disambiguation is perfect).</summary>
public sealed partial class OutOfOrderPipeline
{
    private readonly CoreModel _model;
    private readonly MemoryPort _memory;
    private readonly PortSchedule _ports = new();
    private readonly PortSchedule _arrivals = new();
    private readonly PortSchedule _banks = new();
    private readonly (ulong Line, long Cycle)[] _lastRead = new (ulong, long)[CoreModel.MostLoadBanks];
    private readonly FillBuffers _fills;
    private readonly StoreQueue _stores;
    private readonly TargetBuffer _targets;
    private readonly long[] _reorder;
    private int _reorderAt;
    private long _group = -1;
    private long _predicted = -1;
    private ulong _block;
    private CycleCause _fetchCause = CycleCause.FrontEnd;
    private long _rename;
    private int _renameSlots;
    private long _renameHold;
    private long _retire;
    private int _retireSlots;
    private long _complete;
    private RegisterCycles _ready;
    private RegisterBytes _cause;
    private RegisterBytes _forward;
    private Forwarding _forwarding;

    /// <summary>Where each instruction's way is reported, or null.</summary>
    [field: NotState("who looks")]
    public IOutOfOrderSink? Sink { get; set; }

    /// <summary>An empty pipeline of the given core.</summary>
    /// <param name="model">The core.</param>
    /// <param name="memory">Its way to memory.</param>
    public OutOfOrderPipeline(CoreModel model, MemoryPort memory)
    {
        _model = model;
        _memory = memory;
        _stores = new StoreQueue(model.StoreQueueEntries);
        _targets = new TargetBuffer(model.NearTargets, model.MicroTargets, model.MainTargets, model.TargetsPerBlock);
        _reorder = new long[model.ReorderBuffer];
        _fills = new FillBuffers(model, memory);
    }

    /// <summary>Cycles until everything so far has retired.</summary>
    public long Cycles => _retire;

    /// <summary>Fetch goes on at another address than the next.</summary>
    public bool Redirected { get; private set; } = true;

    /// <summary>Times one instruction.</summary>
    /// <param name="pe">The PE that executed it, for its accesses and branch.</param>
    /// <param name="t">Its static timing.</param>
    /// <param name="e">What happened in it.</param>
    /// <param name="lines">Its line accesses.</param>
    /// <param name="counters">Takes the cycles by cause, and the instruction.</param>
    public void Step(
        ProcessingElement pe, OutOfOrderInstruction t, in InstructionEvents e, ReadOnlySpan<LineEvent> lines, ref TimingCounters counters)
    {
        counters.Instructions++;
        OutOfOrderTrace? trace = Sink is null ? null : new OutOfOrderTrace { Timing = t, Pc = pe.PC, EL = pe.EL };
        if (e.NewGroup)
            Fetch(e, pe.PC);
        long renamed = Rename(t, pe, trace);

        // Operands.
        long main = renamed + 1;
        long data = main;
        long writeback = main;
        int last = Operands(t, ref main, ref data, ref writeback);
        CycleCause waitCause = last >= 0 ? (CycleCause)_cause[last] : CycleCause.Dependency;
        if (t.Serialize != 0 || t.Kind == TimingKind.Barrier)
        {
            long drained = t.Kind == TimingKind.Barrier && _model.BarrierDrain != 0 ? Math.Max(_complete, _stores.LastDrain) : _complete;
            if (t.Serialize != 0 && drained > main)
            {
                main = drained;
                last = -1;
                waitCause = CycleCause.System;
            }
        }

        // Issue.
        long first = -1;
        long firstData = -1;
        long slip = 0;
        long issuedLast = main - 1;
        long base0 = main;
        long baseReady = writeback;
        MicroOp[] ops = t.Ops;
        int firstPort = 0;
        for (int i = 0; i < ops.Length; i++)
        {
            ref readonly MicroOp op = ref ops[i];
            long wanted = op.Group switch
            {
                MicroOpGroup.Data => data,
                MicroOpGroup.Writeback => writeback,
                _ => first < 0 ? main : first + op.Offset,
            };
            long at = _ports.Take(op.Ports, op.Busy, wanted, out int port);
            trace?.Ops.Add(new MicroOpTrace(op.Ports, port, wanted, at));
            if (at > issuedLast)
                issuedLast = at;
            switch (op.Group)
            {
                case MicroOpGroup.Data:
                    if (firstData < 0)
                        firstData = at;
                    break;
                case MicroOpGroup.Writeback:
                    baseReady = at + 1;
                    break;
                default:
                    if (first < 0)
                    {
                        first = at;
                        firstPort = port;
                        base0 = at;
                    }
                    else
                    {
                        slip = Math.Max(slip, at - first - op.Natural);
                    }
                    break;
            }
        }
        if (first < 0)
            first = ops.Length == 0 ? renamed : main;

        // Results.
        long extra = slip;
        CycleCause executeCause = CycleCause.Dependency;
        if (t.Kind == TimingKind.Divide && e.Extra > 0)
        {
            // The dynamic side counts steps of two bits of the quotient.
            int steps = e.Extra * 2 / _model.DivideBits;
            _ports.Extend(firstPort, first + ops[0].Busy, steps);
            extra += steps;
        }
        long stored = 0;
        if (e.HasAccess)
        {
            executeCause = CycleCause.LoadUse;
            extra += Access(pe, t, first, lines, ref stored, ref executeCause);
        }
        int hold = t.Hold + e.Hold;
        long done = first + (ops.Length == 0 ? 1 : t.Latency) + extra;
        if (hold > 0)
        {
            done += hold;
            executeCause = CycleCause.System;
            _renameHold = done;
        }
        Results(t, done, baseReady, executeCause);

        // Retirement.
        bool storeOnly = t.Destinations.Length == 0 && firstData >= 0;
        long complete = Math.Max(Math.Max(storeOnly ? Math.Max(first + 1, firstData + t.Latency) : done, issuedLast + 1), firstData + 1);
        _complete = Math.Max(_complete, complete);
        Retire(complete, first, main, renamed, executeCause, waitCause, ref counters);
        if (e.HasAccess)
            Store(pe, t, firstData, Math.Max(stored, _retire));
        if (t.Kind is >= TimingKind.Branch and <= TimingKind.ExceptionReturn)
            Branch(t, e.Prediction, pe, first);
        if (t.Serialize == 2)
            Restart(complete, CycleCause.System);
        if (trace is not null)
        {
            trace.OperandsReady = main;
            trace.LastRegister = last;
            trace.Issued = first;
            trace.Done = done;
            trace.Forwarding = e.HasAccess ? _forwarding : Forwarding.None;
            trace.ExecuteCause = executeCause;
            trace.Retired = _retire;
            trace.Prediction = e.Prediction;
            Sink!.OnInstruction(trace);
        }
    }

    /// <summary>When the operands of each group of micro-ops are there, from the given cycles on.</summary>
    /// <returns>The register that the main group waits for longest, or -1.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private int Operands(OutOfOrderInstruction t, ref long main, ref long data, ref long writeback)
    {
        int last = -1;
        byte[] sources = t.Sources;
        for (int i = 0; i < sources.Length; i++)
        {
            int register = sources[i];
            long ready = _ready[register] - t.Needs[i];
            if (((t.AccumulatorSources >> i) & 1) != 0 && _forward[register] == t.ForwardGroup)
                ready -= t.Forward;
            if (((t.WritebackSources >> i) & 1) != 0)
                writeback = Math.Max(writeback, ready);
            if (t.SourceGroups[i] == MicroOpGroup.Data)
            {
                data = Math.Max(data, ready);
            }
            else if (ready > main)
            {
                main = ready;
                last = register;
            }
        }
        return last;
    }

    /// <summary>When the results can be used; a base register that is written back has a time of its own.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private void Results(OutOfOrderInstruction t, long done, long baseReady, CycleCause cause)
    {
        byte[] destinations = t.Destinations;
        for (int i = 0; i < destinations.Length; i++)
        {
            int register = destinations[i];
            bool writeback = ((t.WritebackDestinations >> i) & 1) != 0;
            _ready[register] = writeback ? baseReady : done;
            _cause[register] = (byte)(writeback ? CycleCause.Dependency : cause);
            _forward[register] = writeback ? (byte)0 : t.ForwardGroup;
        }
        if (t.SecondDestination >= 0)
            _ready[destinations[t.SecondDestination]] = done + t.Second;
    }

    /// <summary>Another fetch group: one a cycle, so far ahead of rename as the queue between them allows, and not before its block was
    /// predicted. Prediction takes a block a cycle and runs ahead of fetch, which hides its bubbles.</summary>
    private void Fetch(in InstructionEvents e, ulong pc)
    {
        ulong block = pc >> _model.PredictShift;
        if (block != _block || Redirected)
        {
            _block = block;
            _predicted = Math.Max(_predicted + 1, _group + 1 - _model.PredictLead);
        }
        long at = Math.Max(Math.Max(_group + 1, _predicted), _rename - _model.FetchLead);
        if (!Redirected)
            _fetchCause = CycleCause.FrontEnd;
        Redirected = false;
        if (e.FetchExtra > 0)
        {
            at += e.FetchExtra;
            _fetchCause = e.FetchCause;
        }
        _group = at;
    }

    /// <summary>Fetch begins anew behind a cycle, and prediction with it.</summary>
    private void Restart(long cycle, CycleCause cause)
    {
        _group = cycle;
        _predicted = cycle;
        _fetchCause = cause;
        Redirected = true;
    }

    private long Rename(OutOfOrderInstruction t, ProcessingElement pe, OutOfOrderTrace? trace)
    {
        long at = _group;
        RenameStall stall = RenameStall.None;
        // What takes more slots than are left goes on into the next cycle.
        if (_renameSlots >= _model.RenameWidth)
        {
            _rename += _renameSlots / _model.RenameWidth;
            _renameSlots %= _model.RenameWidth;
            _ports.Advance(_rename);
        }
        if (_rename > at)
        {
            at = _rename;
            stall = RenameStall.Width;
        }
        if (_renameHold > at)
        {
            at = _renameHold;
            stall = RenameStall.Hold;
        }
        if (_reorder[_reorderAt] > at)
        {
            at = _reorder[_reorderAt];
            stall = RenameStall.ReorderBuffer;
        }
        if (pe.AccessCount > 0 && pe.Accesses[0].Write && _stores.Room > at)
        {
            at = _stores.Room;
            stall = RenameStall.StoreQueue;
        }
        if (at != _rename)
        {
            _rename = at;
            _renameSlots = 0;
            _ports.Advance(at);
            _arrivals.Advance(at);
            _banks.Advance(at);
        }
        _renameSlots += t.Slots;
        if (trace is not null)
        {
            trace.Fetched = _group;
            trace.FetchCause = _fetchCause;
            trace.Renamed = at;
            trace.RenameStall = stall;
        }
        return at;
    }

    private void Retire(
        long complete, long issued, long ready, long renamed, CycleCause execute, CycleCause wait, ref TimingCounters counters)
    {
        long before = _retire;
        long at = Math.Max(complete, before);
        if (at == before && _retireSlots >= _model.RetireWidth)
            at++;
        if (at != before)
        {
            _retireSlots = 0;
            // One cycle retires; the others are waits, the youngest first: execution, port, operands, front end.
            long left = at - before - 1;
            counters.Causes[(int)CycleCause.Issuing]++;
            left -= Charge(ref counters, execute, left, at - issued - 1);
            left -= Charge(ref counters, CycleCause.Unit, left, issued - ready);
            left -= Charge(ref counters, wait, left, ready - renamed - 1);
            counters.Causes[(int)_fetchCause] += (ulong)left;
        }
        _retire = at;
        _retireSlots++;
        _reorder[_reorderAt] = at;
        _reorderAt = _reorderAt + 1 == _reorder.Length ? 0 : _reorderAt + 1;
    }

    private static long Charge(ref TimingCounters counters, CycleCause cause, long left, long cycles)
    {
        cycles = Math.Clamp(cycles, 0, left);
        counters.Causes[(int)cause] += (ulong)cycles;
        return cycles;
    }

    private void Branch(OutOfOrderInstruction t, Prediction prediction, ProcessingElement pe, long issued)
    {
        if (t.Kind == TimingKind.ExceptionReturn)
        {
            Flush(_model.ExceptionReturn, CycleCause.Exception);
            return;
        }
        if (prediction == Prediction.Mispredicted)
        {
            Restart(issued + _model.Mispredict - 1, CycleCause.Mispredict);
            return;
        }
        if (!pe.BranchTaken)
            return;
        Redirected = true;
        switch (_targets.Access(pe.PC))
        {
            case TargetHit.Micro:
                _predicted += _model.MicroBubble;
                break;
            case TargetHit.Main:
                _predicted += _model.TakenBubble;
                break;
            case TargetHit.None:
                // Found behind fetch: nothing has run ahead.
                Restart(
                    _group + (t.Kind == TimingKind.Conditional ? _model.DecodeRedirectConditional : _model.DecodeRedirect),
                    CycleCause.FrontEnd);
                break;
        }
        if (prediction == Prediction.TakenIndirect)
            _predicted += _model.IndirectBubble;
        else if (prediction == Prediction.TakenReturn)
            _predicted += _model.ReturnBubble;
        _fetchCause = CycleCause.FrontEnd;
    }

    /// <summary>Empties the pipeline: what follows is fetched so many cycles after all before it has retired.</summary>
    public void Flush(int cycles, CycleCause cause) => Restart(_retire + cycles, cause);

    /// <summary>The clock goes on to a later cycle with nothing in the pipeline.</summary>
    public void AdvanceTo(long cycle)
    {
        if (cycle <= _retire)
            return;
        _retire = cycle;
        _retireSlots = _model.RetireWidth;
        _group = Math.Max(_group, cycle);
        Redirected = true;
    }
}
