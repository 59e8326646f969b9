using ArmVdso.Emulator.State;
using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Emulator.Timing.Instructions;

namespace ArmVdso.Emulator.Timing.Memo;

/// <summary>Memoised timing of one PE: what a block does to the cycles and the state of the pipeline is worked out once for each
/// (block, state, dynamic outcomes), by the pipeline itself, and then looked up. Dynamic outcomes are the shape of each memory
/// access, the digits of a quotient, and what the predictor made of the branch at the end. An instruction that is no plain hit (a miss, a
/// walk, an upgrade, a line on its way) is stepped by the pipeline, and with it its block, and those behind it until the state is one that
/// comes again. Cycles, counters and the order of all events are those of the naive timing.</summary>
[NotState("schedules are worked out anew; what it has counted is settled first")]
internal sealed partial class BlockMemo
{
    private const int MostStates = 16384;
    private const int MostDeltas = 32768;

    // Where entries are by their keys: one of so many places.
    internal const int TableBits = 17;
    internal const int Ways = 2;
    internal const ulong SignatureFactor = 0x9E3779B97F4A7C15, KeyFactor = 0xD6E8FEB86659FD93;

    // A signature ends with whether fills are on their way where stores may ask, the digits of a quotient (6 bits), whether the branch was
    // taken, and what the predictor made of it (3).
    internal const int EndBits = 11;
    internal const int DigitsShift = 4;
    internal const int Filling = 1 << (EndBits - 1);

    private readonly IPipeline _pipeline;
    private readonly CoreEvents _events;
    private readonly BranchPredictor _predictor;
    private readonly StateTable _states;
    private readonly DeltaTable _deltas = new(MostDeltas);

    // The first one holds what is of use once.
    private readonly MemoEntry[] _entries = GC.AllocateArray<MemoEntry>(1 + (1 << TableBits) + Ways, pinned: true);
    private readonly byte[] _saved;
    private readonly byte[] _savedFills;
    private readonly StateTable _fillStates;
    private readonly ulong[] _due;
    private readonly int _mostExtra;
    private readonly int _mostFill;

    // What the short ways of memory accesses look at.
    private readonly ulong[] _tags;
    private readonly LineState[] _lineStates;
    private readonly ulong _setMask;
    private readonly int _ways;
    private readonly int _lineShift;
    private readonly ulong _inLine;
    private ulong _dataPage;

    private ulong _lastPc;

    // Number of the pipeline's state; negative while the pipeline itself is up to date.
    private int _state;
    private long _horizon;

    // The entry that says so; 0: another one.
    private int _entry;
    private ulong _stop;
    private ProcessingElement _pe = null!;
    private ulong _digits;

    // Of the block whose accesses are looked at.
    private int _shapeBits;

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
        _savedFills = new byte[(pipeline.FillStateSize + 4 + 4 * MostLate + 7) & ~7];
        _fillStates = new StateTable(_savedFills.Length, MostStates);
        _due = _deltas.Due;
        _mostExtra = pipeline.MostExtra;
        _mostFill = pipeline.MostFill;
        _tags = events.DataCache.Tags;
        _lineStates = events.DataCache.States;
        _setMask = events.DataCache.SetMask;
        _ways = events.DataCache.Ways;
        _lineShift = events.LineShift;
        _inLine = (1UL << _lineShift) - 1;
        _fillRecords.Add([]);
        _fetchShapes = [default, (events.MicroTlbMiss, CycleCause.InstructionTlb)];
    }

    /// <summary>Changes the cycles of a block as they are remembered, so that a test can plant a bug.</summary>
    internal Func<ulong, ulong>? Alteration { get; set; }

    /// <summary>Changes states as they are remembered, for the same.</summary>
    internal Action<byte[]>? StateAlteration { get; set; }

    /// <summary>Leaves out that lines are on their way (<see cref="MemoReason.LateLine"/>) or in the way of others
    /// (<see cref="MemoReason.Busy"/>), or how late the first line of a block comes (<see cref="MemoReason.FirstLine"/>), or that a written
    /// line leaves L1 for one that misses (<see cref="MemoReason.Memory"/>), for the same.</summary>
    internal MemoReason LeftOut { get; set; }

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

    /// <summary>Begins at a block boundary. Until <see cref="Leave"/> or a spill, the pipeline itself is not up to date.</summary>
    /// <param name="pe">The PE; it is about to execute the instruction at PC.</param>
    /// <param name="level">Exception level that the next instruction's cycles belong to.</param>
    /// <param name="stop">Cycle at which execution stops.</param>
    /// <param name="steps">Blocks to step first, because what came before them makes their states rare.</param>
    internal bool Enter(ProcessingElement pe, int level, ulong stop, int steps)
    {
        if (_pipeline.IsWatched || level != pe.EL || (!_pipeline.Redirected && !_events.FollowsFetch(pe.PC)))
            return Refuse(MemoReason.Entry);
        Cycles = _pipeline.Cycles;
        _stop = stop;
        _lastPc = pe.PC - 4;
        _pe = pe;
        _events.SetAddressSpace(pe);
        _steps = steps;
        GoOn();
        return true;
    }

    /// <summary>Whether an instruction has a shape in the signature of its block, which holds
    /// <see cref="BlockSchedule.MostAccesses"/>.</summary>
    internal bool Accesses(Row row, uint instruction) => _pipeline.Time(row, instruction).Kind == TimingKind.Memory;

    /// <summary>Begins a block.</summary>
    /// <returns>False when it must be timed step by step: it may reach the stop, or it is of no use.</returns>
    internal bool Begin(TimedBlock block)
    {
        BlockSchedule schedule = ScheduleOf(block);
        if (!schedule.Usable)
            return Refuse(MemoReason.Instructions);
        if (Cycles + (ulong)(schedule.Bound + _horizon) >= _stop)
            return Refuse(MemoReason.Stop);
        if (!FetchHits(schedule) && !FindFetch(schedule))
            return false;
        _digits = 0;
        _shapeBits = schedule.ShapeBits;
        BeginAccesses();
        return true;
    }

    /// <summary>A load of up to 8 bytes in one page is a plain hit; then its shape joins the signature.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool PlainLoad(ulong va, ulong pa, uint size, ref ulong signature)
    {
        ulong line = pa >> _lineShift;
        if ((va & 7) + size > 8 || (!IsLatest(va, line) && !Touch(va, line, false)))
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
        if (!IsLatest(va, line) && !Touch(va, line, false))
            return false;
        return Joined(_events.LoadGap(pa, (int)size), ref signature);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool Joined(int gap, ref ulong signature)
    {
        if (gap > BlockSchedule.MostGap)
            return false;
        signature = signature << _shapeBits | (uint)gap;
        return true;
    }

    /// <summary>A store is a plain hit; then its shape joins the signature.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool PlainStore(ulong va, ulong pa, uint size, ref ulong signature)
    {
        ulong line = pa >> _lineShift;
        if ((va & _inLine) + size > _inLine + 1)
            return false;
        if ((State(line) != LineState.Modified || !IsLatest(va, line)) && !Touch(va, line, true))
            return false;
        // What goes over a boundary of the store path takes longer.
        int granules = CoreEvents.Granules(pa, (int)size);
        if (granules != (size + 15) / 16)
            return false;
        _events.Stored(pa, (int)size, granules);
        signature <<= _shapeBits;
        return true;
    }

    /// <summary>The line is the most recently used one of its set, and its page is that of the TLB, or made it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool IsLatest(ulong va, ulong line)
    {
        if (Tag(line) != line)
            return false;
        ulong page = va >> 12;
        if (page == _dataPage)
            return true;
        // While lines are on their way, none is taken for there without a look.
        if (_dataPage == ulong.MaxValue || !_events.TouchPage(va))
            return false;
        _dataPage = page;
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
        // While lines are on their way, none is taken for there without a look.
        bool filling = _until >= Cycles || _missed > 0;
        if ((filling && IsLate(line)) || !_events.TouchPlain(_pe, va, line, write))
            return false;
        if (!filling)
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
    internal bool End(TimedBlock block, ulong signature, bool taken, ulong target) => End(block.Schedule!, signature, taken, target);

    private bool End(BlockSchedule s, ulong signature, bool taken, ulong target)
    {
        if (_fetchDue)
            FetchFirst(s);
        Prediction prediction = default;
        if (s.Branch != TimingKind.Plain)
            prediction = _predictor.Execute(s.Branch, s.LastPc, taken, target);
        signature = signature << EndBits | _digits << DigitsShift | (taken ? 8u : 0) | (uint)prediction;
        if (_state < 0)
            return EndStepped(s, signature);
        if (_until >= Cycles && s.Stores)
            signature |= Filling;
        ulong line = _events.FetchedLine;
        if (s.FirstLine != line || s.LastLine != line)
        {
            ulong first = s.FirstLine;
            if (!s.BeginsGroup && !_states.Redirected(_state))
                first++;
            if (first <= s.LastLine && !_events.FetchFound(s.Pc >> 12, first, s.LastLine, ref Rest(s)))
                _events.FetchPlain(_pe, s.Pc, first, s.LastLine, ref Rest(s));
        }
        Take(s, signature);
        return Cycles < _stop;
    }

    /// <summary>Looks up what a block does, and does it.</summary>
    private void Take(BlockSchedule s, ulong signature)
    {
        int at;
        if (_missed == 0 && _late == 0)
        {
            at = Find(s, signature, _state | _fetchShape << FetchShift);
            if (_fetchShape <= RefilledFetch >> FetchShift)
                _entries[_entry].Next[MemoEntry.Way(s.Id, signature)] = at;
        }
        else
        {
            ref int hint = ref FillHint(s, signature);
            // The entry is asked for before there is something else to do.
            bool same = _entries[hint].Signature == signature, filled = SaveFills();
            if (!same || !IsAt(hint, s, signature, filled))
                hint = Find(s, signature, (filled ? StateWithFills() : _state) | _fetchShape << FetchShift);
            at = hint;
        }
        ref MemoEntry entry = ref _entries[at];
        if (_missed > 0)
            Fill(entry.Fills);
        _lastPc = s.LastPc;
        Blocks++;
        Cycles += (uint)entry.Cycles;
        _state = entry.Exit;
        _entry = at;
        _horizon = _states.Horizon(_state);
        _due[entry.Delta]++;
        if (_fetched)
            EndFetch();
        _late = 0;
    }

    /// <summary>The entry of a key, which is worked out when there is none.</summary>
    private int Find(BlockSchedule s, ulong signature, int state)
    {
        ulong key = (signature * SignatureFactor) ^ ((ulong)s.Id << 32 | (uint)state);
        int at = 1 + (int)((key * KeyFactor) >> (64 - TableBits));
        return IsAt(at, s, signature, state) || IsAt(++at, s, signature, state) ? at : WorkOut(s, signature, state, at - 1);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool IsAt(int at, BlockSchedule s, ulong signature, int state)
    {
        ref MemoEntry entry = ref _entries[at];
        return entry.Signature == signature && entry.Block == s.Id && entry.State == state;
    }

    /// <summary>Ends at a block boundary: the pipeline is up to date again.</summary>
    internal void Leave() => Load();

    private ref TimingCounters Rest(BlockSchedule s) => ref s.AtEL0 ? ref _rest.EL0 : ref _rest.EL1;

    /// <summary>Has the pipeline work out what a block does.</summary>
    /// <returns>Which entry says so.</returns>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private int WorkOut(BlockSchedule s, ulong signature, int state, int at)
    {
        WorkedOut++;
        TimingCounters delta = default;
        LoadState();
        _pipeline.AskedForFills = false;
        if (_missed > 0)
            _pipeline.RecordFills(_record);
        Replay(s, 0, s.Timings.Length, signature, false, ref delta);
        if (_missed > 0)
            _pipeline.EndRecord();
        ulong cycles = _pipeline.Cycles - Cycles;
        if (Alteration is not null)
            cycles = Alteration(cycles);
        Save();
        if (_states.Full || _deltas.Full || _fillRecords.Count == MostFills)
        {
            // The entry below then begins in a state that is no longer known by its number: it is of use this once.
            Forget();
            state = -1;
        }
        if ((signature & Filling) != 0 && _pipeline.AskedForFills)
        {
            // What depends on when fills come is of use this once: nobody may find it by its key.
            (at, state) = (0, -1);
            _counts[(int)MemoReason.StoreBuffer]++;
        }
        else
        {
            // The older one moves on.
            _entries[at + 1] = _entries[at];
        }
        _entries[at] = new MemoEntry
        {
            Signature = signature,
            Block = s.Id,
            State = state,
            Cycles = checked((int)cycles),
            Exit = _states.Intern(_saved, _pipeline.Redirected, _pipeline.Horizon),
            Fills = _missed > 0 ? KeepFills() : (ushort)0,
            Redirected = _pipeline.Redirected,
            Delta = (ushort)_deltas.Intern(delta, s.AtEL0),
        };
        _until = _pipeline.FillsUntil;
        _missed = 0;
        _prefetched = false;
        return at;
    }

    /// <summary>Empties the tables: memory is bounded.</summary>
    private void Forget()
    {
        if (_states.Count > 0)
            Forgotten++;
        _deltas.Settle(ref _rest);
        _deltas.Clear();
        _states.Clear();
        _fillStates.Clear();
        _fillRecords.Clear();
        _fillNumbers.Clear();
        _fillRecords.Add([]);
        ForgetEntries();
    }

    private void ForgetEntries()
    {
        Array.Clear(_entries);
        _entry = 0;
    }
}
