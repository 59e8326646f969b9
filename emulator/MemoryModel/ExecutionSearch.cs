namespace ArmVdso.Emulator.MemoryModel;

/// <summary>Finds all executions of threads that the architecture allows, for loads whose values are known: which store each may have
/// read them from, and all orders of the stores of a location.</summary>
public static class ExecutionSearch
{
    /// <summary>Calls back for each allowed execution, until that says to stop.</summary>
    /// <param name="threads">The events of each thread; loads have the values that they are to read.</param>
    /// <param name="initial">A byte of memory before all of them.</param>
    /// <param name="found">Gets an execution, valid during the call; false ends the search.</param>
    public static void All(
        IReadOnlyList<IReadOnlyList<MemoryEvent>> threads, Func<ulong, byte> initial, Func<Execution, bool> found)
    {
        var execution = new Execution(threads);
        foreach (bool _ in Orders(execution, Components(execution), 0))
        {
            if (!Sources(execution, initial, found, 0, 0))
                return;
        }
    }

    /// <summary>Every source of every byte of every load, from one on. False: no more are wanted.</summary>
    private static bool Sources(Execution execution, Func<ulong, byte> initial, Func<Execution, bool> found, int read, int at)
    {
        while (read < execution.Events.Count && (!execution.Events[read].IsRead || at == execution.Events[read].Value.Length))
            (read, at) = (read + 1, 0);
        if (read == execution.Events.Count)
            return !execution.IsAllowed || found(execution);
        MemoryEvent e = execution.Events[read];
        UInt128 covering = execution.Covering(read, at);
        ulong address = e.Address + (ulong)at;
        if (at > 0 && covering == execution.Covering(read, at - 1))
        {
            // Of the stores that store both bytes, one has stored both or neither: stores are single-copy atomic.
            int source = execution.SourceOf(read, at - 1);
            byte here = source < 0 ? initial(address) : execution.Events[source].Value[address - execution.Events[source].Address];
            execution.ReadFrom(read, at, source);
            return here != e.Value[at] || Sources(execution, initial, found, read, at + 1);
        }
        if (initial(address) == e.Value[at])
        {
            execution.ReadFrom(read, at, Execution.Initial);
            if (!Sources(execution, initial, found, read, at + 1))
                return false;
        }
        for (UInt128 left = covering; left != 0; left &= left - 1)
        {
            int w = (int)UInt128.TrailingZeroCount(left);
            if (execution.Events[w].Value[address - execution.Events[w].Address] != e.Value[at])
                continue;
            execution.ReadFrom(read, at, w);
            if (!Sources(execution, initial, found, read, at + 1))
                return false;
        }
        return true;
    }

    /// <summary>Whether the loads whose source is not known can have one, each with the value that it has read, so that the architecture
    /// allows the whole. The order of the stores stays as it is.</summary>
    public static bool CanComplete(Execution execution, Func<ulong, byte> initial) =>
        execution.IsAllowed && Complete(execution, initial, 0, 0);

    private static bool Complete(Execution execution, Func<ulong, byte> initial, int read, int at)
    {
        while (read < execution.Events.Count && (!execution.Events[read].IsRead || at == execution.Events[read].Value.Length))
            (read, at) = (read + 1, 0);
        if (read == execution.Events.Count)
            return true;
        if (execution.SourceOf(read, at) != Execution.Unknown)
            return Complete(execution, initial, read, at + 1);
        MemoryEvent e = execution.Events[read];
        UInt128 covering = execution.Covering(read, at);
        ulong address = e.Address + (ulong)at;
        // Bytes that the same stores store come from the same one.
        int same = at + 1;
        while (same < e.Value.Length && execution.Covering(read, same) == covering)
            same++;
        for (int source = Execution.Initial; source < execution.Events.Count; source++)
        {
            if (source >= 0 && (covering >> source & 1) == 0)
                continue;
            bool fits = true;
            for (int b = at; b < same && fits; b++)
            {
                ulong here = address + (ulong)(b - at);
                fits = e.Value[b] == (source < 0 ? initial(here) : execution.Events[source].Value[here - execution.Events[source].Address]);
                execution.ReadFrom(read, b, source);
            }
            if (fits && execution.IsAllowed && Complete(execution, initial, read, same))
                return true;
        }
        for (int b = at; b < same; b++)
            execution.ReadFrom(read, b, Execution.Unknown);
        return false;
    }

    /// <summary>The stores in groups that overlap, directly or through others.</summary>
    private static List<List<int>> Components(Execution execution)
    {
        var groups = new List<List<int>>();
        for (int w = 0; w < execution.Events.Count; w++)
        {
            if (!execution.Events[w].IsWrite)
                continue;
            List<List<int>> touched = [.. groups.Where(g => g.Exists(o => execution.Events[o].Overlaps(execution.Events[w])))];
            groups.RemoveAll(touched.Contains);
            groups.Add([.. touched.SelectMany(g => g), w]);
        }
        return groups;
    }

    private static IEnumerable<bool> Orders(Execution execution, List<List<int>> groups, int group)
    {
        if (group == groups.Count)
        {
            yield return true;
            yield break;
        }
        foreach (bool _ in Permutations(execution, groups[group], 0))
        {
            foreach (bool all in Orders(execution, groups, group + 1))
                yield return all;
        }
    }

    /// <summary>The stores of a group in every order, as ranks from 0.</summary>
    private static IEnumerable<bool> Permutations(Execution execution, List<int> group, int rank)
    {
        if (rank == group.Count)
        {
            yield return true;
            yield break;
        }
        for (int i = rank; i < group.Count; i++)
        {
            (group[rank], group[i]) = (group[i], group[rank]);
            execution.SetRank(group[rank], rank);
            foreach (bool all in Permutations(execution, group, rank + 1))
                yield return all;
            (group[rank], group[i]) = (group[i], group[rank]);
        }
    }
}
