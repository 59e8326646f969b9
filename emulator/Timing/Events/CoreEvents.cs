using System.Numerics;
using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.Instructions;
using ArmVdso.Emulator.Timing.Models;

namespace ArmVdso.Emulator.Timing.Events;

/// <summary>The dynamic side of a core: caches, TLBs, coherence and branch prediction of one PE. It turns executed instructions into
/// events. All of it depends on the order of accesses and branches alone, never on a cycle; time is the matter of the pipelines.</summary>
public sealed partial class CoreEvents
{
    private readonly CoreModel _model;
    private readonly SharedCaches _shared;
    private readonly IClock _clock;
    private readonly Cache _l1i;
    private readonly Cache _l1d;
    private readonly Cache? _l2;
    private readonly Tlb _microI;
    private readonly Tlb _microD;
    private readonly Tlb _main;
    private readonly BranchPredictor _predictor;
    private readonly int _lineShift;
    private readonly int _groupShift;
    private readonly int _lineBytes;
    private readonly int _maskShift;
    private readonly ulong _inLine;

    // Each access may touch two lines.
    private readonly LineEvent[] _lines = new LineEvent[80];
    private int _lineCount;
    private readonly LatestEvents[] _latest = GC.AllocateArray<LatestEvents>(1, pinned: true);
    private ulong _group;
    private readonly byte[] _divideSteps = GC.AllocateArray<byte>(65, pinned: true);
    private int _dramCycles;

    /// <summary>Cold caches and predictors in the coherence domain of <paramref name="shared"/>.</summary>
    public CoreEvents(CoreModel model, SharedCaches shared, IClock clock)
    {
        _model = model;
        _shared = shared;
        _clock = clock;
        _l1i = new Cache(model.L1ISize, model.L1IWays, model.LineSize, model.L1IReplacement);
        _l1d = new Cache(model.L1DSize, model.L1DWays, model.LineSize, model.L1DReplacement);
        shared.Join(_l1d);
        _setContents = new ulong[_l1i.SetMask + 1];
        _contents = shared.NewContents() << ContentsBits;
        _l2 = shared.AddPrivateL2();
        _microI = new Tlb(model.MicroTlb, model.MicroTlb);
        _microD = new Tlb(model.MicroTlb, model.MicroTlb);
        _main = new Tlb(model.MainTlb, model.MainTlbWays);
        _predictor = new BranchPredictor(model);
        _lineShift = BitOperations.Log2((uint)model.LineSize);
        _groupShift = BitOperations.Log2((uint)model.FetchBytes);
        _inLine = (ulong)model.LineSize - 1;
        _lineBytes = model.LineSize;
        _maskShift = Math.Max(0, _lineShift - 6);
        _streams = GC.AllocateArray<LoadStream>(model.PrefetchLines > 0 ? model.PrefetchStreams : 0, pinned: true);
        _regions = new Region[model.PrefetchRegions];
        _group = Latest.FetchLine = Latest.FetchPage = ulong.MaxValue;
        ForgetStreams();
        for (int digits = 0; digits < _divideSteps.Length; digits++)
            _divideSteps[digits] = DivideSteps(model, digits);
    }

    private ref LatestEvents Latest => ref MemoryMarshal.GetArrayDataReference(_latest);

    /// <summary>Empties caches (the shared ones too) and TLBs.</summary>
    public void EmptyCaches()
    {
        _l1i.Clear();
        _l1d.Clear();
        _l2?.Clear();
        _shared.Clear();
        _microI.Clear();
        _microD.Clear();
        _main.Clear();
        _contents++;
        _group = Latest.FetchLine = Latest.FetchPage = ulong.MaxValue;
        ForgetStreams();
    }

    /// <summary>The line accesses of the instruction that <see cref="Observe"/> saw last.</summary>
    public ReadOnlySpan<LineEvent> Lines => _lines.AsSpan(0, _lineCount);

    /// <summary>Works out what happened in the instruction that <paramref name="pe"/> has just executed.</summary>
    /// <param name="pe">The PE; its accesses and branch are those of the instruction.</param>
    /// <param name="t">The instruction's static timing.</param>
    /// <param name="fetchPa">Physical address it was fetched from.</param>
    /// <param name="redirected">Fetch was redirected before it.</param>
    /// <param name="counters">Takes hits and misses.</param>
    public InstructionEvents Observe(ProcessingElement pe, InstructionTiming t, ulong fetchPa, bool redirected, ref TimingCounters counters)
    {
        InstructionEvents e = default;
        Fetch(pe, pe.PC, fetchPa, redirected, ref e, ref counters);
        Data(pe, t, ref e, ref counters);
        if (t.Kind is >= TimingKind.Branch and < TimingKind.ExceptionReturn)
            e.Prediction = _predictor.Execute(t.Kind, pe.PC, pe.BranchTaken, pe.NextPC);
        CountBranch(t.Kind, pe.BranchTaken, e.Prediction, ref counters);
        return e;
    }

    /// <summary>The fetch of an instruction.</summary>
    internal void Fetch(
        ProcessingElement pe, ulong pc, ulong fetchPa, bool redirected, ref InstructionEvents e, ref TimingCounters counters)
    {
        ulong group = pc >> _groupShift;
        if (!redirected && group == _group)
            return;
        _group = group;
        e.NewGroup = true;
        ulong line = fetchPa >> _lineShift;
        if (line != Latest.FetchLine)
            FetchLine(pe, pc, line, ref e, ref counters);
    }

    /// <summary>The data accesses of an instruction that <paramref name="pe"/> has executed, and whatever else it did that is no
    /// branch.</summary>
    internal void Data(ProcessingElement pe, InstructionTiming t, ref InstructionEvents e, ref TimingCounters counters)
    {
        _lineCount = 0;
        if (pe.AccessCount > 0)
        {
            e.HasAccess = true;
            Memory(pe, t, ref e, ref counters);
        }
        else if (t.Kind == TimingKind.System)
        {
            SystemRegister(t, ref e);
        }
        else if (t.Kind == TimingKind.Divide)
        {
            e.Extra = DivideExtra(t.Encoding, pe.Quotient((int)t.Encoding & 31));
        }
        else if (pe.PrefetchOperation >= 0 && t.Class == "prefetch")
        {
            Hint(pe, ref e, ref counters);
        }
    }

    /// <summary>Counts an executed branch; nothing for other instructions.</summary>
    internal static void CountBranch(TimingKind kind, bool taken, Prediction prediction, ref TimingCounters counters)
    {
        if (kind is < TimingKind.Branch or > TimingKind.ExceptionReturn)
            return;
        counters.Branches++;
        if (taken)
            counters.TakenBranches++;
        if (kind == TimingKind.ExceptionReturn)
            counters.ExceptionReturns++;
        if (prediction == Prediction.Mispredicted)
            counters.Mispredicts++;
    }

    /// <summary>Steps of a division beyond the first, by the quotient that is in the destination.</summary>
    internal int DivideExtra(uint encoding, ulong quotient) => _divideSteps[QuotientBits(encoding, quotient)];

    private static byte DivideSteps(CoreModel model, int digits) =>
        (byte)(model.OutOfOrder ? digits / 2 : (Math.Max(digits - model.DivideFirst, 0) + model.DivideBits - 1) / model.DivideBits);

    /// <summary>Significant bits of a quotient: a divider takes a step for so many of them.</summary>
    private static int QuotientBits(uint encoding, ulong quotient)
    {
        if ((encoding & (1 << 10)) != 0)
        {
            long signed = encoding >> 31 != 0 ? (long)quotient : (int)quotient;
            quotient = signed < 0 ? (ulong)-signed : (ulong)signed;
        }
        return 64 - BitOperations.LeadingZeroCount(quotient);
    }

    private void FetchLine(ProcessingElement pe, ulong pc, ulong line, ref InstructionEvents e, ref TimingCounters counters)
    {
        bool next = line == Latest.FetchLine + 1;
        Latest.FetchLine = line;
        counters.L1IAccesses++;
        ulong page = pc >> 12;
        ulong context = pe.TranslationTag(pc);
        if (page != Latest.FetchPage || context != Latest.FetchContext)
        {
            Latest.FetchPage = page;
            Latest.FetchContext = context;
            Latest.FetchIsCurrent = true;
            e.FetchExtra = Translate(pe, _microI, page, context, ref counters.ItlbMisses, ref counters.Walks);
            if (e.FetchExtra > 0)
                e.FetchCause = CycleCause.InstructionTlb;
        }
        if (_l1i.Find(line) < 0)
        {
            counters.L1IMisses++;
            InsertFetched(line);
            LineSource source = _shared.Fetch(line, null, false, out _, _l2);
            // The next line was asked for while the one before it was executed.
            e.FetchExtra += Math.Max(0, Penalty(source, ref counters, out _) - (next ? _model.FetchPrefetch : 0));
            e.FetchCause = CycleCause.InstructionCache;
            FetchAhead(line, source, next);
        }
    }

    /// <summary>L2 asks for the lines behind one that it did not have, and for one more when a fetch comes to the next line; inside the
    /// page, whose size it is taken not to know (Arm Cortex-A72 TRM, 100095, 7.4).</summary>
    private void FetchAhead(ulong line, LineSource source, bool next)
    {
        int last = _model.FetchAhead;
        for (int i = source != LineSource.L2 ? 1 : next ? last : last + 1; i <= last && SamePage(line, line + (ulong)i); i++)
            _shared.Fetch(line + (ulong)i, null, false, out _, _l2);
    }

    private int Translate(ProcessingElement pe, Tlb micro, ulong page, ulong context, ref ulong misses, ref ulong walks)
    {
        if (micro.Touch(page, context))
            return 0;
        misses++;
        if (_main.Touch(page, context, out int size))
        {
            micro.Insert(page, context, size);
            return _model.MicroTlbMiss;
        }
        walks++;
        // Eight descriptors are in a line. Tables that are not in RAM lie far from all of it, and map pages.
        ulong table = (1UL << 52) ^ (context << 36) ^ (page >> 3);
        if (pe.TryFindDescriptor(page << 12, out ulong descriptor, out int bits))
            (table, size) = (descriptor >> _lineShift, bits - 12);
        _main.Insert(page, context, size);
        micro.Insert(page, context, size);
        TimingCounters ignored = default;
        return _model.MicroTlbMiss + _model.Walk + Penalty(_shared.Fetch(table, null, false, out _, _l2), ref ignored, out _);
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
                return _model.L2Latency + _model.L3Latency + DramCycles;
            case LineSource.L3:
                counters.L2Misses++;
                cause = CycleCause.L3;
                return _model.L2Latency + _model.L3Latency;
            default:
                cause = CycleCause.L2;
                return _model.L2Latency;
        }
    }

    private int DramCycles => _dramCycles != 0
        ? _dramCycles
        : _dramCycles = Math.Max(1, (int)((ulong)_model.DramNanoseconds * _clock.ClockFrequency / 1_000_000_000));

    private void Memory(ProcessingElement pe, InstructionTiming t, ref InstructionEvents e, ref TimingCounters counters)
    {
        ulong lastLine = ulong.MaxValue;
        // A swap or an atomic operation reads first and writes last.
        if (!pe.Accesses[0].Write)
            counters.Loads++;
        if (pe.Accesses[pe.AccessCount - 1].Write)
            counters.Stores++;
        ref MemoryAccess first = ref pe.Accesses[0];
        int bytes = 0;
        for (int i = 0; i < pe.AccessCount; i++)
            bytes += pe.Accesses[i].Size;
        bool whole = bytes == _lineBytes && (first.Pa & _inLine) == 0;
        for (int i = 0; i < pe.AccessCount; i++)
        {
            ref MemoryAccess access = ref pe.Accesses[i];
            ulong line = access.Pa >> _lineShift;
            ulong end = (access.Pa + access.Size - 1) >> _lineShift;
            if (access.Write)
            {
                // Over a boundary of the store path's width: one more beat.
                if (_model.OutOfOrder ? line != end : (access.Pa & 15) + access.Size > 16)
                    e.Beats++;
            }
            else if ((access.Pa & 7) + Math.Min(access.Size, 8UL) > 8 || (i > 0 && t.Class == "load"))
            {
                // Over an 8-byte boundary, or split between two pages: one more beat, and the data goes the slow way.
                if (e.Beats == 0)
                    e.Beats = 1;
                e.Extra = Math.Max(e.Extra, MisalignedExtra(t));
            }
            if (line == lastLine && line == end)
                continue;
            lastLine = end;
            Line(pe, access.Va, line, access.Write, access.Write && whole, ref counters);
            if (line != end)
                Line(pe, access.Va + access.Size - 1, end, access.Write, false, ref counters);
        }
        if (first.Write)
            Stored(first.Pa, bytes, t.Class == "store_simd" ? t.Beats + e.Beats : Granules(first.Pa, bytes));
        else
            e.StoreGap = LoadGap(first.Pa, bytes);
    }

    /// <summary>Cycles by which the result of a load comes later when it is misaligned.</summary>
    internal int MisalignedExtra(InstructionTiming t) => t.SmallMisalignment ? _model.UnalignedLoadWide : _model.UnalignedLoad;

    /// <summary>One access to one line; <paramref name="whole"/>: it writes all of it.</summary>
    private void Line(ProcessingElement pe, ulong va, ulong line, bool write, bool whole, ref TimingCounters counters)
    {
        ref LineEvent e = ref _lines[_lineCount++];
        e = default;
        e.Line = line;
        e.Write = write;
        counters.L1DAccesses++;
        e.Walk = Translate(pe, _microD, va >> 12, pe.TranslationTag(va), ref counters.DtlbMisses, ref counters.Walks);
        bool latest = _l1d.IsLatest(line);
        int found = _l1d.Find(line);
        if (found >= 0)
        {
            ref LineState state = ref _l1d.State(found);
            if (write && state != LineState.Modified)
            {
                if (state == LineState.Shared && _shared.Upgrade(line, _l1d, _l2))
                {
                    counters.Transfers++;
                    e.Upgrade = _model.Upgrade;
                }
                state = LineState.Modified;
            }
        }
        else
        {
            counters.L1DMisses++;
            e.Miss = true;
            _shared.Evicted = 0;
            e.Streamed = write && Streams(line, out e.Opens);
            if (!e.Streamed)
            {
                LineState state = LineState.Modified;
                LineSource source = LineSource.L2;
                if (whole)
                    _shared.Claim(line, _l1d, _l2);
                else
                    source = _shared.Fetch(line, _l1d, write, out state, _l2);
                e.Penalty = Penalty(source, ref counters, out e.Cause);
                PushOut(_l1d.Insert(line, state), ref e);
            }
            else if (e.Opens)
            {
                counters.L2Accesses++;
                LineSource target = _shared.Stream(line, _l1d, Latest.FullLines < _model.WriteStreamOuter, _l2);
                e.Cause = target switch { LineSource.Memory => CycleCause.Dram, LineSource.L3 => CycleCause.L3, _ => CycleCause.L2 };
            }
            e.MemoryWrites = _shared.Evicted;
        }
        if (_streams.Length > 0 && !write && !latest)
            Prefetch(pe, va, line, ref e, ref counters);
    }

    private void PushOut(ulong victim, ref LineEvent e)
    {
        if (_shared.WriteBack(victim, _l2))
            e.Victims++;
    }

    /// <summary>TLB maintenance, by this PE or by another one: entries of pages are dropped.</summary>
    /// <param name="first">First page of 4 KiB.</param>
    /// <param name="count">Pages.</param>
    /// <param name="asid">Those of one ASID; null: of all.</param>
    internal void ForgetTranslations(ulong first, ulong count, ulong? asid)
    {
        _microD.Remove(first, count, asid);
        _microI.Remove(first, count, asid);
        _main.Remove(first, count, asid);
        Latest.FetchPage = ulong.MaxValue;
    }

    private void SystemRegister(InstructionTiming t, ref InstructionEvents e)
    {
        // MRS of CNTPCT_EL0, CNTVCT_EL0 and their self-synchronized forms: op0 3, op1 3, CRn 14, CRm 0, op2 1, 2, 5, 6.
        if ((t.Encoding & 0xFFFFFF00) == 0xD53BE000 && ((t.Encoding >> 5) & 7) is 1 or 2 or 5 or 6)
        {
            e.Hold = _model.CounterRead;
        }
        else if ((t.Encoding & 0xFFF80000) == 0xD5080000)
        {
            uint crn = (t.Encoding >> 12) & 15;
            uint crm = (t.Encoding >> 8) & 15;
            if (crn == 7 && crm is 1 or 5)
            {
                _l1i.Clear();
                _contents++;
                Latest.FetchLine = ulong.MaxValue;
            }
        }
    }

    /// <summary>Work outside the machine executed and used lines of its own, which stay in the caches for the next time.</summary>
    /// <returns>Cycles that the lines cost that were not there.</returns>
    public long Touch(in OutsideWork work)
    {
        TimingCounters ignored = default;
        long cycles = 0;
        for (int i = 0; i < work.InstructionLines; i++)
        {
            ulong line = OutsideLine(work.Region, i, work.CommonInstructionLines);
            if (_l1i.Find(line) >= 0)
                continue;
            cycles += Penalty(_shared.Fetch(line, null, false, out _, _l2), ref ignored, out _);
            InsertFetched(line);
        }
        for (int i = 0; i < work.DataLines; i++)
        {
            ulong line = (1UL << 40) + OutsideLine(work.Region, i, work.CommonDataLines);
            if (_l1d.Find(line) >= 0)
                continue;
            cycles += Penalty(_shared.Fetch(line, _l1d, false, out LineState state, _l2), ref ignored, out _);
            _shared.WriteBack(_l1d.Insert(line, state), _l2);
        }
        return cycles;
    }

    /// <summary>A line of work outside the machine: far from all RAM; the odd factor spreads the regions over the sets.</summary>
    private static ulong OutsideLine(int region, int i, int common) =>
        (1UL << 50) + (i < common ? (ulong)i : (ulong)region * 9973 + (ulong)i);

    /// <summary>Work outside the machine wrote a page: its lines are this PE's, as after DC ZVA or stores.</summary>
    public void Fill(ulong pa)
    {
        const int lines = 4096 / 64;
        Fill(pa, lines);
    }

    /// <summary>The same of a part of one.</summary>
    public void Fill(ulong pa, int lines)
    {
        for (ulong line = pa >> 6; line < (pa >> 6) + (ulong)lines; line++)
        {
            if (_l1d.Find(line) >= 0)
                continue;
            _shared.Fetch(line, _l1d, true, out LineState state, _l2);
            _shared.WriteBack(_l1d.Insert(line, state), _l2);
        }
    }
}
