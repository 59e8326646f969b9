namespace ArmVdso.Emulator.MemoryModel;

/// <summary>What a thread orders by itself, whatever the others do: "locally ordered before" (DDI0487, B2.3; lob and pick-lob of
/// aarch64.cat). Row n of the result has bit m when event n is ordered before event m; barriers have none themselves.</summary>
public static class LocalOrder
{
    /// <summary>The order of a thread's events, transitively closed.</summary>
    public static UInt128[] Of(IReadOnlyList<MemoryEvent> events)
    {
        var order = new UInt128[events.Count];
        var barriers = new BarrierState();
        Dependencies addresses = default;
        for (int j = 0; j < events.Count; j++)
        {
            MemoryEvent e = events[j];
            if (!e.IsAccess)
            {
                barriers.Pass(e, addresses);
                continue;
            }
            UInt128 before = barriers.Before(e) | Coherence(events, j) | Dependency(events, j, addresses);
            Add(order, before, j);
            addresses |= e.AddressDependsOn;
            barriers.Access(e);
        }
        Close(order);
        Pick(events, order);
        Close(order);
        return order;
    }

    /// <summary>A store is behind earlier accesses of the same bytes (lmws).</summary>
    private static UInt128 Coherence(IReadOnlyList<MemoryEvent> events, int j)
    {
        UInt128 before = 0;
        for (int i = 0; i < j && events[j].IsWrite; i++)
        {
            if (events[i].Overlaps(events[j]))
                before |= UInt128.One << i;
        }
        return before;
    }

    /// <summary>Dependencies (dob, pob) and atomics (aob).</summary>
    private static UInt128 Dependency(IReadOnlyList<MemoryEvent> events, int j, Dependencies addresses)
    {
        MemoryEvent e = events[j];
        UInt128 before = e.AddressDependsOn.Basic | e.DataDependsOn.Basic;
        if (e.IsWrite)
        {
            before |= (e.AddressDependsOn | e.DataDependsOn | e.ControlDependsOn | addresses).Pick;
            if (e.ReadOf >= 0)
                before |= UInt128.One << e.ReadOf;
            return before;
        }
        // A load of what this thread has stored is behind what the store's address and data depend on.
        foreach (MemoryEvent store in LastStores(events, j))
        {
            before |= store.AddressDependsOn.Basic | store.DataDependsOn.Basic;
            if (store.ReadOf >= 0 && (e.Acquire || e.AcquirePC))
                before |= UInt128.One << store.ReadOf;
        }
        return before;
    }

    /// <summary>The stores before a load that stored some byte of it last.</summary>
    private static IEnumerable<MemoryEvent> LastStores(IReadOnlyList<MemoryEvent> events, int j)
    {
        MemoryEvent load = events[j];
        var found = new HashSet<int>();
        for (ulong at = load.Address; at < load.Address + (ulong)load.Value.Length; at++)
        {
            for (int i = j - 1; i >= 0; i--)
            {
                if (!events[i].IsWrite || !events[i].Covers(at))
                    continue;
                if (found.Add(i))
                    yield return events[i];
                break;
            }
        }
    }

    /// <summary>What a load picks, and what that is ordered before: the load is before the stores behind it.</summary>
    private static void Pick(IReadOnlyList<MemoryEvent> events, UInt128[] order)
    {
        for (int k = 0; k < events.Count; k++)
        {
            UInt128 picks = (events[k].AddressDependsOn | events[k].DataDependsOn).Pick;
            for (int j = k + 1; picks != 0 && j < events.Count; j++)
            {
                if (events[j].IsWrite && (order[k] >> j & 1) != 0)
                    Add(order, picks, j);
            }
        }
    }

    private static void Add(UInt128[] order, UInt128 before, int j)
    {
        for (int i = 0; before != 0; i++, before >>= 1)
        {
            if ((before & 1) != 0)
                order[i] |= UInt128.One << j;
        }
    }

    /// <summary>All edges go forwards in program order, so from the last event to the first one pass is enough.</summary>
    private static void Close(UInt128[] order)
    {
        for (int i = order.Length - 1; i >= 0; i--)
        {
            for (int j = i + 1; j < order.Length; j++)
            {
                if ((order[i] >> j & 1) != 0)
                    order[i] |= order[j];
            }
        }
    }

    /// <summary>What the barriers and ordered accesses passed so far say of the next access.</summary>
    private sealed class BarrierState
    {
        private UInt128 _accesses, _reads, _writes, _releases;
        private UInt128 _beforeAll, _beforeWrites;

        internal void Access(MemoryEvent e)
        {
            UInt128 bit = UInt128.One << e.Index;
            _accesses |= bit;
            if (e.IsRead && !e.NoReturn)
                _reads |= bit;
            if (e.IsWrite)
                _writes |= bit;
            if (e.Release)
                _releases |= bit;
            // Load-acquire, and an atomic that is both acquire and release: what follows is behind its load, and behind its store.
            if (e.Acquire || e.AcquirePC)
                _beforeAll |= bit;
            if (e.AcquireRelease)
                _beforeAll |= bit;
        }

        internal UInt128 Before(MemoryEvent e)
        {
            UInt128 before = _beforeAll;
            if (e.IsWrite)
                before |= _beforeWrites;
            if (e.IsWrite && e.Release)
                before |= _accesses;
            if (e.IsRead && e.Acquire)
                before |= _releases;
            return before;
        }

        internal void Pass(MemoryEvent barrier, Dependencies addresses)
        {
            switch (barrier.Barrier)
            {
                case BarrierOrder.Full:
                    _beforeAll |= _accesses;
                    break;
                case BarrierOrder.Loads:
                    _beforeAll |= _reads;
                    break;
                case BarrierOrder.Stores when barrier.IsSynchronization:
                    _beforeAll |= _writes;
                    break;
                case BarrierOrder.Stores:
                    _beforeWrites |= _writes;
                    break;
            }
            // Behind an ISB: what a branch, or the address of an access, before it depends on.
            if (barrier.IsContextSynchronization)
                _beforeAll |= (barrier.ControlDependsOn | addresses).Pick;
        }
    }
}
