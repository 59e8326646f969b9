using ArmVdso.Emulator.MemoryModel;

namespace ArmVdso.Lab.Litmus;

/// <summary>All outcomes of a litmus test that the architecture allows, within what the threads can execute.</summary>
internal static class LitmusRunner
{
    /// <summary>Rounds in which stores may make new values.</summary>
    private const int MostRounds = 16;

    /// <summary>The outcomes: the values of the condition's registers and locations, in its order.</summary>
    internal static HashSet<string> Outcomes(LitmusTest test)
    {
        using var machine = new LitmusMachine();
        List<LitmusMachine.Ended>[] ended = Execute(test, machine);
        var outcomes = new HashSet<string>();
        Combine(test, ended, new LitmusMachine.Ended[ended.Length], 0, outcomes);
        return outcomes;
    }

    /// <summary>The outcome that the condition asks for.</summary>
    internal static string Asked(LitmusTest test) => string.Join(' ', test.Terms.Select(t => t.Value));

    /// <summary>Every thread alone, with loads of every value that another thread stores, or that it has stored before; what threads then
    /// store may be new, so it is done again until nothing is.</summary>
    private static List<LitmusMachine.Ended>[] Execute(LitmusTest test, LitmusMachine machine)
    {
        var stores = new List<(int Thread, ulong At, byte[] Value)>();
        for (int round = 0; round < MostRounds; round++)
        {
            List<LitmusMachine.Ended>[] ended = [.. test.Threads.Select((code, t) => machine.Run(code, (at, size, before) => Values(
                [
                    .. stores.Where(s => s.Thread != t).Select(s => (s.At, s.Value)),
                    .. before.Where(e => e.IsWrite).Select(e => (e.Address, e.Value)),
                ], at, size)).ToList())];
            int known = stores.Count;
            for (int t = 0; t < ended.Length; t++)
            {
                foreach (MemoryEvent e in ended[t].SelectMany(one => one.Events).Where(e => e.IsWrite))
                {
                    if (!stores.Exists(s => s.Thread == t && s.At == e.Address && s.Value.AsSpan().SequenceEqual(e.Value)))
                        stores.Add((t, e.Address, e.Value));
                }
            }
            if (stores.Count == known)
                return ended;
        }
        throw new LabException($"litmus {test.Name}: its threads make ever new values", LabFault.Input);
    }

    /// <summary>What bytes can be: each part that stores store together is one of them, or zero.</summary>
    private static List<byte[]> Values(List<(ulong At, byte[] Value)> stores, ulong at, int size)
    {
        List<byte[]> values = [new byte[size]];
        SortedSet<ulong> starts = [at];
        foreach ((ulong store, byte[] bytes) in stores)
        {
            foreach (ulong edge in (ulong[])[store, store + (ulong)bytes.Length])
            {
                if (edge > at && edge < at + (ulong)size)
                    starts.Add(edge);
            }
        }
        foreach (ulong start in starts)
        {
            ulong end = starts.FirstOrDefault(s => s > start, at + (ulong)size);
            var more = new List<byte[]>();
            foreach ((ulong store, byte[] bytes) in stores.Where(s => s.At <= start && end <= s.At + (ulong)s.Value.Length))
            {
                foreach (byte[] value in values)
                {
                    byte[] other = [.. value];
                    bytes.AsSpan((int)(start - store), (int)(end - start)).CopyTo(other.AsSpan((int)(start - at)));
                    more.Add(other);
                }
            }
            values.AddRange(more.Where(m => !values.Exists(v => v.AsSpan().SequenceEqual(m))));
        }
        return [.. values.DistinctBy(Convert.ToHexString)];
    }

    private static void Combine(
        LitmusTest test, List<LitmusMachine.Ended>[] ended, LitmusMachine.Ended[] chosen, int thread, HashSet<string> outcomes)
    {
        if (thread < ended.Length)
        {
            foreach (LitmusMachine.Ended one in ended[thread])
            {
                chosen[thread] = one;
                Combine(test, ended, chosen, thread + 1, outcomes);
            }
            return;
        }
        ExecutionSearch.All([.. chosen.Select(c => c.Events)], _ => 0, execution =>
        {
            outcomes.Add(string.Join(' ', test.Terms.Select(t => Value(t, chosen, execution))));
            return true;
        });
    }

    private static ulong Value(
        (int Thread, int Number, bool Doubleword, ulong Value) term, LitmusMachine.Ended[] chosen, Execution execution)
    {
        if (term.Thread >= 0)
            return term.Doubleword ? chosen[term.Thread].Registers[term.Number] : (uint)chosen[term.Thread].Registers[term.Number];
        ulong at = LitmusMachine.AddressOf(term.Number), value = 0;
        for (int b = 0; b < 4; b++)
        {
            int last = -1;
            for (int w = 0; w < execution.Events.Count; w++)
            {
                if (execution.Events[w].IsWrite && execution.Events[w].Covers(at + (ulong)b)
                    && (last < 0 || execution.RankOf(w) > execution.RankOf(last)))
                    last = w;
            }
            if (last >= 0)
                value |= (ulong)execution.Events[last].Value[at + (ulong)b - execution.Events[last].Address] << (8 * b);
        }
        return value;
    }
}
