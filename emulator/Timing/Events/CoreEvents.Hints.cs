using ArmVdso.Emulator.Timing.Counters;

namespace ArmVdso.Emulator.Timing.Events;

/// <summary>PRFM as cores treat it: a look-up, and a fill when the line is not there, for which nobody waits (Arm Cortex-A53 TRM, DDI0500D,
/// 6.6.1; Arm Cortex-A76 TRM, 100798, A6.5).</summary>
public sealed partial class CoreEvents
{
    private enum HintKind
    {
        Load,
        Fetch,
        Store,
    }

    /// <summary>A PRFM was executed. The levels beyond the second are taken for the second; whether the line is kept or streamed makes no
    /// difference.</summary>
    private void Hint(ProcessingElement pe, ref InstructionEvents e, ref TimingCounters counters)
    {
        var kind = (HintKind)(pe.PrefetchOperation >> 3);
        bool outer = ((pe.PrefetchOperation >> 1) & 3) != 0 || kind == HintKind.Fetch;
        pe.PrefetchOperation = -1;
        if (kind > HintKind.Store || (kind == HintKind.Fetch && _model.FetchHints == 0) || !pe.TryRead(pe.PrefetchAddress, out ulong pa))
            return;
        ulong va = pe.PrefetchAddress;
        e.HasAccess = true;
        ref LineEvent line = ref _lines[_lineCount++];
        line = new LineEvent { Line = pa >> _lineShift, Hint = true };
        counters.L1DAccesses++;
        line.Walk = Translate(pe, _microD, va >> 12, pe.TranslationTag(va), ref counters.DtlbMisses, ref counters.Walks);
        int found = _l1d.Find(line.Line);
        if (found >= 0)
        {
            ref LineState state = ref _l1d.State(found);
            if (kind == HintKind.Store && state == LineState.Shared)
            {
                _shared.Upgrade(line.Line, _l1d, _l2);
                state = LineState.Exclusive;
            }
            return;
        }
        _shared.Evicted = 0;
        if (outer)
            BringOut(ref line, ref counters);
        else
            BringIn(ref line, kind == HintKind.Store, ref counters);
        line.MemoryWrites = _shared.Evicted;
    }

    /// <summary>The line comes into L1, ready to be written for a store.</summary>
    private void BringIn(ref LineEvent line, bool store, ref TimingCounters counters)
    {
        counters.L1DMisses++;
        line.Miss = true;
        LineSource source = _shared.Fetch(line.Line, _l1d, store, out LineState state, _l2);
        line.Penalty = Penalty(source, ref counters, out line.Cause);
        PushOut(_l1d.Insert(line.Line, store ? LineState.Exclusive : state), ref line);
    }

    /// <summary>The line comes into L2, as if it were fetched.</summary>
    private void BringOut(ref LineEvent line, ref TimingCounters counters)
    {
        LineSource source = _shared.Fetch(line.Line, null, false, out _, _l2);
        int penalty = Penalty(source, ref counters, out CycleCause cause);
        if (source == LineSource.L2 || _streams.Length == 0)
            return;
        (line.PrefetchCount, line.PrefetchLine, line.PrefetchPenalty, line.PrefetchCause) = (1, line.Line, penalty, cause);
    }
}
