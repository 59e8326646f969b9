using ArmVdso.Emulator.Timing.Counters;

namespace ArmVdso.Emulator.Timing.Events;

/// <summary>The short ways of the memoised timing. Each answers for accesses that cost nothing and change nothing that a later event
/// depends on; whatever else <see cref="Observe"/> may find must make them say no.</summary>
public sealed partial class CoreEvents
{
    /// <summary>The private data cache: an access to the most recently used line of a set (modified already, for a store) in the
    /// most recently used page is a plain hit that changes nothing.</summary>
    internal Cache DataCache => _l1d;

    /// <summary>The private instruction cache.</summary>
    internal Cache FetchCache => _l1i;

    /// <summary>The branch predictor.</summary>
    internal BranchPredictor Predictor => _predictor;

    /// <summary>Line that was fetched last.</summary>
    internal ulong FetchedLine => Latest.FetchLine;

    /// <summary>The first TLB of data.</summary>
    internal Tlb DataTlb => _microD;

    /// <summary>That of fetches.</summary>
    internal Tlb FetchTlb => _microI;

    /// <summary>The second one, of both.</summary>
    internal Tlb MainTlb => _main;

    /// <summary>Streams of loads that can be followed at a time.</summary>
    internal int StreamCount => _streams.Length;

    /// <summary>Cycles that an access waits for a page that is in the second TLB only.</summary>
    internal int MicroTlbMiss => _model.MicroTlbMiss;

    /// <summary>Cycles that a load of one beat waits for a store of one beat.</summary>
    internal int StoreToLoad => _model.StoreToLoad;

    /// <summary>Log2 of the bytes of a line.</summary>
    internal int LineShift => _lineShift;

    /// <summary>Whether the instruction at an address begins a fetch group when execution runs into it.</summary>
    internal bool BeginsGroup(ulong pc) => (pc & ((1UL << _groupShift) - 1)) == 0;

    /// <summary>Whether the instruction before an address was fetched last.</summary>
    internal bool FollowsFetch(ulong pc) => (pc - 4) >> _groupShift == _group;

    /// <summary>The instruction at an address was fetched, and its line is <see cref="FetchedLine"/>.</summary>
    internal void SetGroup(ulong pc) => _group = pc >> _groupShift;

    /// <summary>Virtual page (address divided by 4 KiB) of which another data access needs no look at the TLB's order; MaxValue when there
    /// is none.</summary>
    internal ulong LatestDataPage(ProcessingElement pe)
    {
        (ulong page, ulong context) = _microD.Latest;
        return context == pe.TranslationTag(page << 12) ? page : ulong.MaxValue;
    }

    // How often lines entered each set of the instruction cache, and how often it was emptied besides the number of the PE.
    private const int ContentsBits = 48;
    private readonly ulong[] _setContents;
    private ulong _contents;

    private void InsertFetched(ulong line)
    {
        _l1i.Insert(line, LineState.Shared);
        _setContents[line & _l1i.SetMask]++;
    }

    /// <summary>A number that is another one when a line has left or entered one of the sets of these lines in the instruction cache, and
    /// for another PE. It is a sum of counts that only grow.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal ulong FetchContents(ulong line, ulong last)
    {
        ulong sum = _contents, mask = _l1i.SetMask;
        ref ulong sets = ref MemoryMarshal.GetArrayDataReference(_setContents);
        for (; line <= last; line++)
            sum += Unsafe.Add(ref sets, (nint)(line & mask));
        return sum;
    }

    /// <summary>Whether a page is easily found to be that of the last fetch, or in the TLB of fetches; changes nothing.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool FetchesFrom(ulong page) =>
        (page == Latest.FetchPage && Latest.FetchIsCurrent) || (page >> (55 - 12) == 0 && _microI.IsFound(page, _lowTag));

    private ulong _lowTag;

    /// <summary>Translation context of low addresses in that address space.</summary>
    internal ulong LowContext => _lowTag;

    /// <summary>Takes note of the address space that fetches come from now.</summary>
    internal void SetAddressSpace(ProcessingElement pe)
    {
        Latest.FetchIsCurrent = Latest.FetchContext == pe.TranslationTag(Latest.FetchPage << 12);
        _lowTag = pe.TranslationTag(0);
    }

    /// <summary>Fetches of the lines of a block of which <see cref="FetchIsPlain"/> said that they hit, when its page is easily found:
    /// lines move up, and are counted.</summary>
    /// <returns>False when nothing was done.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool FetchFound(ulong page, ulong line, ulong last, ref TimingCounters counters)
    {
        if (page != Latest.FetchPage || !Latest.FetchIsCurrent)
        {
            if (page >> (55 - 12) != 0 || !_microI.TouchFound(page, _lowTag))
                return false;
            (Latest.FetchPage, Latest.FetchContext, Latest.FetchIsCurrent) = (page, _lowTag, true);
        }
        ulong fetched = Latest.FetchLine;
        for (; line <= last; line++)
        {
            if (line == fetched)
                continue;
            _l1i.Find(line);
            counters.L1IAccesses++;
            fetched = line;
        }
        Latest.FetchLine = fetched;
        return true;
    }

    /// <summary>Another access to the most recently used line of a set, for which only the page moves up, when that is easily
    /// found.</summary>
    /// <returns>False when nothing was done.</returns>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal bool TouchPage(ulong va) => va >> 55 == 0 && _microD.TouchFound(va >> 12, _lowTag);

    /// <summary>A data access hits the TLB and the cache and costs nothing: then their orders of use change as such an access
    /// changes them, and a line that is written becomes modified. Nothing changes otherwise. The address space is that of
    /// <see cref="SetAddressSpace"/>.</summary>
    internal bool TouchPlain(ProcessingElement pe, ulong va, ulong line, bool write)
    {
        if (!write && Follows(line))
            return false;
        int found = _l1d.Search(line);
        if (found < 0 || (write && _l1d.State(found) == LineState.Shared))
            return false;
        if (!_microD.Touch(va >> 12, (va & (1UL << 55)) == 0 ? _lowTag : pe.TranslationTag(va)))
            return false;
        found = _l1d.Use(line, found);
        if (write)
            _l1d.State(found) = LineState.Modified;
        return true;
    }

    /// <summary>Whether fetching these lines of a page, in order, would hit everywhere. Changes nothing.</summary>
    internal bool FetchIsPlain(ProcessingElement pe, ulong pc, ulong firstLine, ulong lastLine)
    {
        ulong page = pc >> 12;
        ulong context = pe.TranslationTag(pc);
        if ((page != Latest.FetchPage || context != Latest.FetchContext) && !_microI.Contains(page, context))
            return false;
        for (ulong line = firstLine; line <= lastLine; line++)
        {
            if (!_l1i.Contains(line))
                return false;
        }
        return true;
    }

    /// <summary>Most cycles by which the fetch of a line comes late.</summary>
    internal int MostFetchExtra =>
        _model.MicroTlbMiss + _model.Walk + 2 * Math.Max(_model.Transfer, _model.L2Latency + _model.L3Latency + DramCycles);

    /// <summary>Most cycles by which the accesses of one instruction can move the time at which all that is on its way has come: two lines,
    /// each with a walk, a fill, and for each line that comes one that leaves L1 and two that go to memory. Lines that are asked for
    /// together come behind each other: there are buffers for all of them.</summary>
    internal int MostAccess(bool store)
    {
        int lines = store ? 1 : 1 + _model.PrefetchLines, fill = _model.L2Latency + _model.L3Latency + DramCycles + _model.Transfer;
        int channel = Cycles(_model.DramReadLine) + 2 * Cycles(_model.DramWriteLine) + 3 * Cycles(_model.DramTurn);
        int behind = _model.FillInterval + 2 * _model.WriteInterval + channel;
        int stored = _model.Upgrade + Cycles(_model.DramStream);
        return 2 * (_model.MicroTlbMiss + _model.Walk + 2 * fill + _model.FillHold + lines * behind + stored);
    }

    private int Cycles(int picoseconds) => 1 + (int)((ulong)picoseconds * _clock.ClockFrequency / 1_000_000_000_000);

    /// <summary>Whether fetching lines behind one that may miss would hit, as far as the cache goes, whatever the first one
    /// replaces. Changes nothing.</summary>
    internal bool FetchIsPlainBehind(ulong first, ulong last)
    {
        if (last - first > _l1i.SetMask)
            return false;
        for (ulong line = first + 1; line <= last; line++)
        {
            if (!_l1i.Contains(line))
                return false;
        }
        return true;
    }

    /// <summary>Fetches lines of which <see cref="FetchIsPlain"/> said that they hit.</summary>
    internal void FetchPlain(ProcessingElement pe, ulong pc, ulong firstLine, ulong lastLine, ref TimingCounters counters)
    {
        InstructionEvents e = default;
        for (; pc >> 12 == Latest.FetchPage && Latest.FetchIsCurrent && firstLine <= lastLine; firstLine++)
        {
            // Lines of the page of the last fetch only move up.
            if (firstLine == Latest.FetchLine)
                continue;
            if (_l1i.Find(firstLine) < 0)
                break;
            Latest.FetchLine = firstLine;
            counters.L1IAccesses++;
        }
        for (ulong line = firstLine; line <= lastLine; line++)
        {
            if (line != Latest.FetchLine)
                FetchLine(pe, pc, line, ref e, ref counters);
        }
        if (e.FetchCause != default)
            throw new InvalidOperationException($"fetch of the block at 0x{pc:x} was to hit and did not");
    }
}
