using ArmVdso.Emulator.State;
using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Emulator.Timing.Instructions;

namespace ArmVdso.Emulator.Timing.Memo;

/// <summary>Memoised timing of one PE: what a block does to the cycles and the state of the pipeline is worked out once for each
/// (block, state, dynamic outcomes), by the pipeline itself, and then looked up. Dynamic outcomes are the shape of each memory
/// access, the digits of a quotient, and what the predictor made of the branch at the end. Whatever costs more than a plain hit
/// (a miss, a walk, an upgrade) ends it: the instructions so far are timed one by one, and so it goes on until nothing is in
/// flight. Cycles, counters and the order of all events are those of the naive timing.</summary>
[NotState("schedules are worked out anew; what it has counted is settled first")]
internal sealed class BlockMemo
{
    private const int MostStates = 4096;
    private const int MostDeltas = 8192;
    private const int TableBits = 14;
    private const int Ways = 2;

    // A signature ends with the digits of a quotient (6 bits), whether the branch was taken, and what the predictor made of it (3).
    private const int EndBits = 10;

    private struct Entry
    {
        public ulong Signature;
        public uint Block;
        public int State;
        public int Exit;
        public int Cycles;
        public int Delta;
    }

    private readonly IPipeline _pipeline;
    private readonly CoreEvents _events;
    private readonly BranchPredictor _predictor;
    private readonly StateTable _states;
    private readonly DeltaTable _deltas = new(MostDeltas);
    private readonly Entry[] _entries = new Entry[(1 << TableBits) + Ways];
    private readonly byte[] _saved;
    private readonly ulong[] _due;
    private readonly int _mostExtra;

    // What the short ways of memory accesses look at.
    private readonly ulong[] _tags;
    private readonly LineState[] _lineStates;
    private readonly ulong _setMask;
    private readonly int _ways;
    private readonly int _lineShift;
    private readonly ulong _inLine;
    private ulong _dataPage;

    private ulong _lastPc;
    private int _state;
    private ulong _stop;
    private ProcessingElement _pe = null!;
    private ulong _digits;

    /// <summary>Cycles until now, while the memoised timing runs.</summary>
    internal ulong Cycles { get; private set; }

    /// <summary>Counters that are not sums over whole blocks.</summary>
    private TimingStatistics _rest;

    /// <summary>Memoised timing by a pipeline and its dynamic side.</summary>
    internal BlockMemo(IPipeline pipeline, CoreEvents events)
    {
        _pipeline = pipeline;
        _events = events;
        _predictor = events.Predictor;
        _states = new StateTable(pipeline.StateSize, MostStates);
        _saved = new byte[pipeline.StateSize];
        _due = _deltas.Due;
        _mostExtra = pipeline.MostExtra;
        _tags = events.DataCache.Tags;
        _lineStates = events.DataCache.States;
        _setMask = events.DataCache.SetMask;
        _ways = events.DataCache.Ways;
        _lineShift = events.LineShift;
        _inLine = (1UL << _lineShift) - 1;
        Forget();
    }

    /// <summary>Changes the cycles of a block as they are remembered, so that a test can plant a bug.</summary>
    internal Func<ulong, ulong>? Alteration { get; set; }

    /// <summary>Blocks whose timing was looked up, or worked out to be looked up.</summary>
    internal ulong Blocks { get; private set; }

    /// <summary>Of them, those that were worked out.</summary>
    internal ulong WorkedOut { get; private set; }

    /// <summary>Times that the tables were full and forgotten.</summary>
    internal ulong Forgotten { get; private set; }

    /// <summary>Adds what is due to a PE's statistics.</summary>
    internal void Settle(ref TimingStatistics statistics)
    {
        _deltas.Settle(ref statistics);
        DeltaTable.Add(ref statistics.EL0, _rest.EL0, 1);
        DeltaTable.Add(ref statistics.EL1, _rest.EL1, 1);
        _rest = default;
    }

    /// <summary>Begins at a block boundary, when the pipeline's state can be remembered. Until <see cref="Leave"/> or a spill, the
    /// pipeline itself is not up to date.</summary>
    /// <param name="pe">The PE; it is about to execute the instruction at PC.</param>
    /// <param name="level">Exception level that the next instruction's cycles belong to.</param>
    /// <param name="stop">Cycle at which execution stops.</param>
    internal bool Enter(ProcessingElement pe, int level, ulong stop)
    {
        if (_pipeline.IsWatched || level != pe.EL || (!_pipeline.Redirected && !_events.FollowsFetch(pe.PC)))
            return false;
        if (!_pipeline.Save(_saved, out long horizon))
            return false;
        Cycles = _pipeline.Cycles;
        _stop = stop;
        _lastPc = pe.PC - 4;
        _pe = pe;
        _events.SetAddressSpace(pe);
        _dataPage = _events.LatestDataPage(pe);
        if (_states.Full)
            Forget();
        _state = _states.Intern(_saved, horizon, _pipeline.Redirected);
        return true;
    }

    /// <summary>Begins a block.</summary>
    /// <returns>False when it must be timed step by step: it may reach the stop, its lines are not there, or it is of no use.</returns>
    internal bool Begin(TimedBlock block)
    {
        BlockSchedule schedule = block.Schedule ??= new BlockSchedule(block, _pipeline, _events);
        if (!schedule.Usable || Cycles + (ulong)(schedule.Bound + _states.Horizon(_state)) >= _stop)
            return false;
        if (schedule.FoundIn != _events.FetchContents)
        {
            if (!_events.FetchIsPlain(_pe, schedule.Pc, schedule.FirstLine, schedule.LastLine))
                return false;
            schedule.FoundIn = _events.FetchContents;
        }
        _digits = 0;
        return true;
    }

    /// <summary>A load of up to 8 bytes in one page is a plain hit; then its shape joins the signature.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool PlainLoad(ulong va, ulong pa, uint size, ref ulong signature)
    {
        ulong line = pa >> _lineShift;
        if ((va & 7) + size > 8 || ((va >> 12 != _dataPage || Tag(line) != line) && !Touch(va, line, false)))
            return false;
        return Joined(_events.LoadGap(pa, (int)size), ref signature);
    }

    /// <summary>The same for 16 or 32 bytes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool PlainWideLoad(ulong va, ulong pa, uint size, ref ulong signature)
    {
        ulong line = pa >> _lineShift;
        if ((va & 7) != 0 || (va & _inLine) + size > _inLine + 1)
            return false;
        if ((va >> 12 != _dataPage || Tag(line) != line) && !Touch(va, line, false))
            return false;
        return Joined(_events.LoadGap(pa, (int)size), ref signature);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static bool Joined(int gap, ref ulong signature)
    {
        if (gap > BlockSchedule.MostGap)
            return false;
        signature = signature << BlockSchedule.ShapeBits | (uint)gap;
        return true;
    }

    /// <summary>A store is a plain hit; then its shape joins the signature.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool PlainStore(ulong va, ulong pa, uint size, ref ulong signature)
    {
        ulong line = pa >> _lineShift;
        if ((va & _inLine) + size > _inLine + 1)
            return false;
        if ((va >> 12 != _dataPage || Tag(line) != line || State(line) != LineState.Modified) && !Touch(va, line, true))
            return false;
        // What goes over a boundary of the store path takes longer.
        int granules = CoreEvents.Granules(pa, (int)size);
        if (granules != (size + 15) / 16)
            return false;
        _events.Stored(pa, (int)size, granules);
        signature <<= BlockSchedule.ShapeBits;
        return true;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private ulong Tag(ulong line) =>
        Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_tags), (nint)(line & _setMask) * _ways);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private LineState State(ulong line) =>
        Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_lineStates), (nint)(line & _setMask) * _ways);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool Touch(ulong va, ulong line, bool write)
    {
        if (!_events.TouchPlain(_pe, va, line, write))
            return false;
        _dataPage = va >> 12;
        return true;
    }

    /// <summary>An integer division was executed.</summary>
    /// <param name="instruction">The encoding.</param>
    /// <param name="quotient">Its destination register.</param>
    internal void Divided(uint instruction, ulong quotient) => _digits = (ulong)_events.DivideExtra(instruction, quotient);

    /// <summary>The block ended; its timing is added.</summary>
    /// <param name="block">The block.</param>
    /// <param name="signature">Shapes of its accesses.</param>
    /// <param name="taken">Whether the branch at its end was taken.</param>
    /// <param name="target">Where execution goes on.</param>
    /// <returns>False when the clock has reached the stop.</returns>
    internal bool End(TimedBlock block, ulong signature, bool taken, ulong target)
    {
        BlockSchedule s = block.Schedule!;
        Prediction prediction = default;
        if (s.Branch != TimingKind.Plain)
            prediction = _predictor.Execute(s.Branch, s.LastPc, taken, target);
        signature = signature << EndBits | _digits << 4 | (taken ? 8u : 0) | (uint)prediction;
        ulong line = _events.FetchedLine;
        if (s.FirstLine != line || s.LastLine != line)
        {
            if (s.FirstLine != s.LastLine || !_events.FetchLatest(s.Pc >> 12, s.FirstLine, ref Rest(s)))
                CommitFetch(s, s.LastLine);
        }
        int at = (int)((((signature * 0x9E3779B97F4A7C15) ^ ((ulong)s.Id << 32 | (uint)_state)) * 0xD6E8FEB86659FD93) >> (64 - TableBits));
        ref Entry entry = ref _entries[at];
        if (entry.Signature != signature || entry.Block != s.Id || entry.State != _state)
        {
            entry = ref _entries[at + 1];
            if (entry.Signature != signature || entry.Block != s.Id || entry.State != _state)
                entry = ref WorkOut(s, signature, at);
        }
        _lastPc = s.LastPc;
        Blocks++;
        Cycles += (uint)entry.Cycles;
        _state = entry.Exit;
        _due[entry.Delta]++;
        return Cycles < _stop;
    }

    /// <summary>Ends at a block boundary: the pipeline is up to date again.</summary>
    internal void Leave()
    {
        _pipeline.Load(_states[_state], Cycles);
        // Where execution comes from; of no matter after a redirection.
        _events.SetGroup(_lastPc);
    }

    /// <summary>An instruction of the block was executed, not by a short way; its accesses are in
    /// <see cref="ProcessingElement.Accesses"/>.</summary>
    /// <param name="pe">The PE.</param>
    /// <param name="block">The block.</param>
    /// <param name="index">Which instruction of the block.</param>
    /// <param name="signature">Shapes of the accesses before it; its own is added.</param>
    /// <returns>False when it was no plain hit: it and the instructions before it have been timed, and the pipeline is up to
    /// date.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    internal bool Executed(ProcessingElement pe, TimedBlock block, int index, ref ulong signature)
    {
        BlockSchedule s = block.Schedule!;
        InstructionTiming t = s.Timings[index];
        if (t.Kind != TimingKind.Memory && pe.AccessCount == 0)
            return true;
        InstructionEvents e = default;
        TimingCounters counters = default;
        _events.Data(pe, t, ref e, ref counters);
        pe.AccessCount = 0;
        _dataPage = _events.LatestDataPage(pe);
        if (t.Kind != TimingKind.Memory)
        {
            s.Usable = false;
        }
        else if (IsPlain(e))
        {
            int shape = s.Number(index, e, _events.Lines, counters);
            if (shape >= 0)
            {
                signature = signature << BlockSchedule.ShapeBits | (uint)shape;
                return true;
            }
        }
        Spill(block, index, signature);
        // The accesses of this instruction have been observed: its fetch comes first only in name, for it hits.
        ulong pc = s.Pc + 4 * (ulong)index;
        ref TimingCounters sum = ref Rest(s);
        _events.Fetch(pe, pc, s.Pa + 4 * (ulong)index, _pipeline.Redirected, ref e, ref sum);
        DeltaTable.Add(ref sum, counters, 1);
        _pipeline.Step(t, e, _events.Lines, pc, ref sum);
        Cycles = _pipeline.Cycles;
        return false;
    }

    private bool IsPlain(in InstructionEvents e)
    {
        if (e.Beats > 1 || e.Extra > _mostExtra || e.Hold != 0)
            return false;
        foreach (ref readonly LineEvent line in _events.Lines)
        {
            if (!line.Plain)
                return false;
        }
        return true;
    }

    private ref TimingCounters Rest(BlockSchedule s) => ref s.AtEL0 ? ref _rest.EL0 : ref _rest.EL1;

    /// <summary>Times the first <paramref name="count"/> instructions of the block one by one; then the pipeline is up to date.</summary>
    internal void Spill(TimedBlock block, int count, ulong signature)
    {
        BlockSchedule s = block.Schedule!;
        _pipeline.Load(_states[_state], Cycles);
        if (count > 0)
        {
            CommitFetch(s, (s.Pa + 4 * (ulong)(count - 1)) >> _lineShift);
            Replay(s, count, signature << EndBits | _digits << 4, ref Rest(s));
            _events.SetGroup(s.Pc + 4 * (ulong)(count - 1));
        }
        else
        {
            _events.SetGroup(_lastPc);
        }
        Cycles = _pipeline.Cycles;
    }

    private void CommitFetch(BlockSchedule s, ulong last)
    {
        ulong first = s.FirstLine;
        if (!s.BeginsGroup && !_states.Redirected(_state))
            first++;
        if (first <= last)
            _events.FetchPlain(_pe, s.Pc, first, last, ref Rest(s));
    }

    /// <summary>Steps through the first <paramref name="count"/> instructions of a block with what its signature says.</summary>
    private void Replay(BlockSchedule s, int count, ulong signature, ref TimingCounters counters)
    {
        int accesses = 0;
        for (int i = 0; i < count; i++)
        {
            if (s.Timings[i].Kind == TimingKind.Memory)
                accesses++;
        }
        for (int i = 0; i < count; i++)
        {
            InstructionTiming t = s.Timings[i];
            ulong pc = s.Pc + 4 * (ulong)i;
            InstructionEvents e = default;
            ReadOnlySpan<LineEvent> lines = default;
            if (t.Kind == TimingKind.Memory)
            {
                accesses--;
                int number = (int)(signature >> (EndBits + BlockSchedule.ShapeBits * accesses)) & ((1 << BlockSchedule.ShapeBits) - 1);
                AccessShape shape = s.Shape(i, number);
                e = shape.Events;
                lines = shape.Lines;
                DeltaTable.Add(ref counters, shape.Counters, 1);
            }
            else if (t.Kind == TimingKind.Divide)
            {
                e.Extra = (int)(signature >> 4) & 63;
            }
            else if (t.Kind is >= TimingKind.Branch and < TimingKind.ExceptionReturn)
            {
                e.Prediction = (Prediction)(signature & 7);
                CoreEvents.CountBranch(t.Kind, (signature & 8) != 0, e.Prediction, ref counters);
            }
            e.NewGroup = _pipeline.Redirected || _events.BeginsGroup(pc);
            if (i > 0 && _pipeline.Cycles >= _stop)
                throw new InvalidOperationException($"the block at 0x{s.Pc:x} took longer than its bound");
            _pipeline.Step(t, e, lines, pc, ref counters);
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private ref Entry WorkOut(BlockSchedule s, ulong signature, int at)
    {
        WorkedOut++;
        TimingCounters delta = default;
        _pipeline.Load(_states[_state], Cycles);
        Replay(s, s.Timings.Length, signature, ref delta);
        ulong cycles = _pipeline.Cycles - Cycles;
        if (Alteration is not null)
            cycles = Alteration(cycles);
        if (!_pipeline.Save(_saved, out long horizon))
            throw new InvalidOperationException($"the block at 0x{s.Pc:x} left something in flight");
        if (_states.Full || _deltas.Full)
        {
            // The entry below then begins in a state that is no longer known by its number: it is of use this once.
            Forget();
            _state = -1;
        }
        ref Entry entry = ref _entries[at];
        // The older one moves on.
        _entries[at + 1] = entry;
        entry.Signature = signature;
        entry.Block = s.Id;
        entry.State = _state;
        entry.Cycles = checked((int)cycles);
        entry.Exit = _states.Intern(_saved, horizon, _pipeline.Redirected);
        entry.Delta = _deltas.Intern(delta, s.AtEL0);
        return ref entry;
    }

    /// <summary>Empties the tables: memory is bounded.</summary>
    private void Forget()
    {
        if (_states.Count > 0)
            Forgotten++;
        _deltas.Settle(ref _rest);
        _deltas.Clear();
        _states.Clear();
        Array.Clear(_entries);
    }
}
