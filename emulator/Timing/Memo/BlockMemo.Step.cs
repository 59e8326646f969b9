using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Emulator.Timing.Instructions;

namespace ArmVdso.Emulator.Timing.Memo;

/// <summary>Blocks whose timing is not looked up: the pipeline steps through them.</summary>
internal sealed partial class BlockMemo
{
    // States in which something is further from ready hardly come again: working them out costs more than stepping.
    private const int MostHorizon = 12;

    private readonly ulong[] _counts = new ulong[Enum.GetValues<MemoReason>().Length];
    private ulong _until;
    private int _steps;
    private long _extra;

    // While the pipeline is up to date: instructions of the block that it has stepped, and the fetch of the first one when that came
    // earlier.
    private int _from;
    private bool _fetched;
    private InstructionEvents _first;

    // While the pipeline is not up to date: the first line of the block is yet to be fetched, and does not hit; or it was, and what that
    // amounted to has this number. 0: it hit.
    private const int MostFetchShapes = 64;
    private const int FetchShift = 20;
    private readonly List<(int Extra, CycleCause Cause)> _fetchShapes;
    private bool _fetchDue;
    private int _fetchShape;

    /// <summary>Blocks that the pipeline stepped through.</summary>
    internal ulong Stepped { get; private set; }

    /// <summary>How often each <see cref="MemoReason"/> was one.</summary>
    internal ReadOnlySpan<ulong> Counts => _counts;

    private bool Refuse(MemoReason reason)
    {
        _counts[(int)reason]++;
        return false;
    }

    /// <summary>At a block boundary where the pipeline is up to date: takes its state, when that is one that may come again.</summary>
    private void GoOn()
    {
        _from = 0;
        EndFetch();
        _state = -1;
        Look();
        if (_steps > 0)
        {
            _steps--;
        }
        else if (_horizon > MostHorizon)
        {
            _counts[(int)MemoReason.Horizon]++;
        }
        else
        {
            if (_states.Full)
                Forget();
            Save();
            _state = _states.Intern(_saved, _pipeline.Redirected, _horizon);
            _entry = 0;
        }
    }

    /// <summary>Takes over what short ways need to know of the pipeline, after it has stepped.</summary>
    private void Look()
    {
        Cycles = _pipeline.Cycles;
        _horizon = _pipeline.Horizon;
        _until = _pipeline.FillsUntil;
        _dataPage = _until >= Cycles ? ulong.MaxValue : _events.LatestDataPage(_pe);
    }

    private void Save()
    {
        _pipeline.Save(_saved);
        StateAlteration?.Invoke(_saved);
    }

    private void LoadState()
    {
        _states.CopyTo(_state, _saved);
        _pipeline.Load(_saved, Cycles);
    }

    /// <summary>The pipeline is up to date from now on, at the beginning of a block.</summary>
    private void Load()
    {
        if (_state < 0)
            return;
        LoadState();
        // Where execution comes from; of no matter after a redirection.
        if (!_fetched)
            _events.SetGroup(_lastPc);
        _state = -1;
        _from = 0;
        // The pipeline steps with all fetches that are yet to come.
        _fetchDue = false;
        _fetchShape = 0;
    }

    /// <summary>All fetches of a block are easily found to hit.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool FetchHits(BlockSchedule s) =>
        _events.FetchesFrom(s.Pc >> 12) && s.FoundIn == _events.FetchContents(s.FirstLine, s.LastLine);

    /// <summary>A block whose lines are not known to be in the instruction cache.</summary>
    /// <returns>False when it must be timed by the engine.</returns>
    private bool FindFetch(BlockSchedule s)
    {
        if (_events.FetchIsPlain(_pe, s.Pc, s.FirstLine, s.LastLine))
        {
            s.FoundIn = _events.FetchContents(s.FirstLine, s.LastLine);
            return true;
        }
        if (!_events.FetchIsPlainBehind(s.FirstLine, s.LastLine))
            return Refuse(MemoReason.LaterLine);
        // The first line is fetched before anything else of the block happens, the others hit.
        if (Cycles + (ulong)(s.Bound + _horizon + _events.MostFetchExtra) >= _stop)
            return Refuse(MemoReason.Stop);
        if (_state >= 0 && (s.BeginsGroup || _states.Redirected(_state)))
        {
            _fetchDue = true;
            return true;
        }
        _counts[(int)MemoReason.FirstLine]++;
        Load();
        return true;
    }

    /// <summary>The first line of the block is fetched, which does not hit: how late it comes is part of the key. Plain hits of data may
    /// have been told before.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private void FetchFirst(BlockSchedule s)
    {
        _fetchDue = false;
        _fetched = true;
        _first = default;
        _events.SetGroup(_lastPc);
        _events.Fetch(_pe, s.Pc, s.Pa, _states.Redirected(_state), ref _first, ref Rest(s));
        int shape = _fetchShapes.IndexOf((_first.FetchExtra, _first.FetchCause));
        if (shape < 0 && _fetchShapes.Count < MostFetchShapes)
        {
            shape = _fetchShapes.Count;
            _fetchShapes.Add((_first.FetchExtra, _first.FetchCause));
        }
        if (shape < 0)
        {
            _counts[(int)MemoReason.FirstLine]++;
            Load();
            return;
        }
        _fetchShape = LeftOut == MemoReason.FirstLine && shape != 0 ? 1 : shape;
        _extra += _first.FetchExtra;
    }

    /// <summary>In a key, beside the state: the page of the first line of the block was in the second TLB only.</summary>
    internal const int RefilledFetch = 1 << FetchShift;

    /// <summary>The first line of a block was fetched so.</summary>
    private void TakeRefilledFetch(BlockSchedule s)
    {
        _fetched = true;
        _fetchShape = RefilledFetch >> FetchShift;
        (int extra, CycleCause cause) = _fetchShapes[_fetchShape];
        _first = new InstructionEvents { NewGroup = true, FetchExtra = extra, FetchCause = cause };
        _events.SetGroup(s.Pc);
    }

    /// <summary>From now on accesses that are no plain hits are noted anew.</summary>
    private void BeginAccesses()
    {
        (_missed, _late, _extra) = (0, 0, 0);
        _prefetched = false;
    }

    /// <summary>A block ends: the fetch of the next one is yet to come.</summary>
    private void EndFetch()
    {
        _fetched = _fetchDue = false;
        _fetchShape = 0;
    }

    /// <summary>An instruction of the block was executed, not by a short way; its accesses are in
    /// <see cref="ProcessingElement.Accesses"/>.</summary>
    /// <param name="pe">The PE.</param>
    /// <param name="block">The block.</param>
    /// <param name="index">Which instruction of the block.</param>
    /// <param name="signature">Shapes of the accesses before it; its own is added.</param>
    /// <returns>False when the block cannot go on: it and the instructions before it have been timed, and the pipeline is up to
    /// date.</returns>
    internal bool Executed(ProcessingElement pe, TimedBlock block, int index, ref ulong signature) =>
        Executed(pe, block.Schedule!, index, ref signature);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool Executed(ProcessingElement pe, BlockSchedule s, int index, ref ulong signature)
    {
        InstructionTiming t = s.Timings[index];
        if (t.Kind != TimingKind.Memory && pe.AccessCount == 0)
            return true;
        if (_fetchDue)
        {
            FetchFirst(s);
        }
        else if (_state < 0 && _from == 0 && !_fetched)
        {
            _first = default;
            _events.Fetch(pe, s.Pc, s.Pa, _pipeline.Redirected, ref _first, ref Rest(s));
            _fetched = true;
        }
        InstructionEvents e = default;
        // What it counts is no part of its shape.
        _events.Data(pe, t, ref e, ref Rest(s));
        pe.AccessCount = 0;
        MemoReason reason = What(t, e, s, out long extra);
        if (reason == MemoReason.Entry)
        {
            int shape = s.Number(index, e, Nameless(_events.Lines));
            if (shape >= 0)
            {
                signature = signature << s.ShapeBits | (uint)shape;
                _extra += extra;
                TakeMisses(_events.Lines);
                return true;
            }
            reason = MemoReason.Unplain;
        }
        _counts[(int)reason]++;
        if (t.Kind != TimingKind.Memory)
            s.Usable = false;
        Load();
        ref TimingCounters sum = ref Rest(s);
        Replay(s, _from, index, signature << EndBits | _digits << 4, true, ref sum);
        signature = 0;
        ulong pc = s.Pc + 4 * (ulong)index;
        Fetch(s, index, ref e, ref sum);
        _pipeline.Step(t, e, _events.Lines, pc, ref sum);
        _from = index + 1;
        BeginAccesses();
        Look();
        return s.Usable && Cycles + (ulong)(s.Bound + _horizon) < _stop;
    }

    /// <summary>Times the first <paramref name="count"/> instructions of the block; then the pipeline is up to date.</summary>
    internal void Spill(TimedBlock block, int count, ulong signature)
    {
        BlockSchedule s = block.Schedule!;
        Load();
        Replay(s, _from, count, signature << EndBits | _digits << 4, true, ref Rest(s));
        Cycles = _pipeline.Cycles;
        EndFetch();
    }

    /// <summary>The end of a block that the pipeline steps through.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private bool EndStepped(BlockSchedule s, ulong signature)
    {
        Replay(s, _from, s.Timings.Length, signature, true, ref Rest(s));
        _lastPc = s.LastPc;
        Stepped++;
        GoOn();
        return Cycles < _stop;
    }

    /// <summary>The fetch of one instruction of the block.</summary>
    private void Fetch(BlockSchedule s, int index, ref InstructionEvents e, ref TimingCounters counters)
    {
        ulong at = 4 * (ulong)index;
        if (index == 0 && _fetched)
            (e.NewGroup, e.FetchExtra, e.FetchCause) = (_first.NewGroup, _first.FetchExtra, _first.FetchCause);
        else
            _events.Fetch(_pe, s.Pc + at, s.Pa + at, _pipeline.Redirected, ref e, ref counters);
    }

    /// <summary>Steps through instructions of a block with what its signature says.</summary>
    /// <param name="s">The block.</param>
    /// <param name="from">The first instruction.</param>
    /// <param name="end">The one behind the last.</param>
    /// <param name="signature">Shapes of their accesses, and its end.</param>
    /// <param name="fetches">Whether fetches take place; else all hit, and are dealt with elsewhere.</param>
    /// <param name="counters">Takes cycles and events.</param>
    private void Replay(BlockSchedule s, int from, int end, ulong signature, bool fetches, ref TimingCounters counters)
    {
        InstructionTiming[] timings = s.Timings;
        int accesses = s.Before[end] - s.Before[from], miss = 0;
        for (int i = from; i < end; i++)
        {
            InstructionTiming t = timings[i];
            ulong pc = s.Pc + 4 * (ulong)i;
            InstructionEvents e = default;
            ReadOnlySpan<LineEvent> lines = default;
            if (t.Kind == TimingKind.Memory)
            {
                accesses--;
                int number = (int)(signature >> (EndBits + s.ShapeBits * accesses)) & ((1 << s.ShapeBits) - 1);
                AccessShape shape = s.Shape(i, number);
                e = shape.Events;
                lines = shape.NamesLines ? Named(shape.Lines, ref miss) : shape.Lines;
                if (shape.IsFixed)
                    shape.Count(ref counters);
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
            if (fetches)
                Fetch(s, i, ref e, ref counters);
            else if (i == 0 && _fetchShape != 0)
                (e.NewGroup, e.FetchExtra, e.FetchCause) = (true, _first.FetchExtra, _first.FetchCause);
            else
                e.NewGroup = _pipeline.Redirected || _events.BeginsGroup(pc);
            if (i > from && _pipeline.Cycles >= _stop)
                throw new InvalidOperationException($"the block at 0x{s.Pc:x} took longer than its bound");
            _pipeline.Step(t, e, lines, pc, ref counters);
        }
    }
}
