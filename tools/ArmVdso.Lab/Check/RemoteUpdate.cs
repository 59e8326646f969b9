using ArmVdso.Emulator.Isa;
using ArmVdso.Emulator.MemoryModel;
using ArmVdso.Emulator.Timing.Events;

namespace ArmVdso.Lab.Check;

/// <summary>One update of the data pages by another CPU, as events of the memory model: its stores and what orders them.</summary>
internal sealed class RemoteUpdate
{
    private readonly CheckRig _rig;
    private readonly ThreadRecorder _recorder;
    private readonly Dictionary<(ulong Pa, int Size), List<Version>> _versions = [];
    private UInt128[]? _order;

    internal RemoteUpdate(CheckRig rig)
    {
        _rig = rig;
        _recorder = new ThreadRecorder { IsShared = pa => rig.DataPages.ContainsKey(pa & ~0xfffUL) };
    }

    /// <summary>What a load may see: bytes, and for each of them where they may come from (number of an event).</summary>
    internal sealed record Version(byte[] Content, List<int[]> Sources);

    /// <summary>The events of the writer.</summary>
    internal IReadOnlyList<MemoryEvent> Events => _recorder.Events;

    /// <summary>What the writer orders by itself.</summary>
    internal UInt128[] Order => _order ??= LocalOrder.Of(Events);

    /// <summary>Stores of the update.</summary>
    internal int Stores => Events.Count(e => e.IsWrite && _rig.DataPages.ContainsKey(e.Address & ~0xfffUL));

    /// <summary>Adds the stores of an update that the kernel model makes, with its barriers (smp_wmb) between their segments.</summary>
    internal void Add(IReadOnlyList<HeldStore> stores)
    {
        for (int i = 0; i < stores.Count; i++)
        {
            if (i > 0 && stores[i].Segment > stores[i - 1].Segment)
                _recorder.Barrier(BarrierOrder.Stores);
            _recorder.Store(stores[i].Pa, BitConverter.GetBytes(stores[i].Value)[..stores[i].Size]);
        }
    }

    /// <summary>Adds what a CPU executes, instruction by instruction.</summary>
    internal void Execute(Cpu cpu, Row row, uint word, bool held) => _recorder.Execute(row, word, held, Observed.Accesses(_rig, cpu));

    /// <summary>A CPU has taken an exception.</summary>
    internal void TakeException() => _recorder.SynchronizeContext();

    /// <summary>The versions of [<paramref name="pa"/>, + the length of <paramref name="initial"/>), what was there before first. Stores
    /// are single-copy atomic: bytes that the same ones store come from the same one.</summary>
    internal List<Version> Of(ulong pa, ReadOnlySpan<byte> initial)
    {
        if (!_versions.TryGetValue((pa, initial.Length), out List<Version>? versions))
            _versions[(pa, initial.Length)] = versions = Find(pa, initial);
        return versions;
    }

    private List<Version> Find(ulong pa, ReadOnlySpan<byte> initial)
    {
        var versions = new List<Version> { new(initial.ToArray(), [new int[initial.Length]]) };
        Array.Fill(versions[0].Sources[0], Execution.Initial);
        ulong last = pa + (ulong)initial.Length;
        List<MemoryEvent> stores = [.. Events.Where(e => e.IsWrite && e.Address < last && pa < e.Address + (ulong)e.Value.Length)];
        for (int at = 0; at < initial.Length;)
        {
            List<MemoryEvent> covering = Covering(stores, pa + (ulong)at);
            int end = at + 1;
            while (end < initial.Length && Covering(stores, pa + (ulong)end).SequenceEqual(covering))
                end++;
            foreach (Version before in versions.ToArray())
            {
                foreach (MemoryEvent store in covering)
                    Add(versions, before, store, pa, at, end);
            }
            at = end;
        }
        return versions;
    }

    private static List<MemoryEvent> Covering(List<MemoryEvent> stores, ulong pa) => [.. stores.Where(s => s.Covers(pa))];

    private static void Add(List<Version> versions, Version before, MemoryEvent store, ulong pa, int from, int to)
    {
        byte[] content = [.. before.Content];
        for (int b = from; b < to; b++)
            content[b] = store.Value[pa + (ulong)b - store.Address];
        Version? same = versions.Find(v => v.Content.AsSpan().SequenceEqual(content));
        if (same is null)
            versions.Add(same = new Version(content, []));
        foreach (int[] sources in before.Sources.ToArray())
        {
            int[] more = [.. sources];
            Array.Fill(more, store.Index, from, to - from);
            same.Sources.Add(more);
        }
    }
}

/// <summary>What a CPU's last instruction accessed, for the memory model.</summary>
internal static class Observed
{
    internal static ObservedAccess[] Accesses(CheckRig rig, Cpu cpu)
    {
        var accesses = new ObservedAccess[cpu.AccessCount];
        for (int i = 0; i < accesses.Length; i++)
        {
            MemoryAccess a = cpu.Accesses[i];
            accesses[i] = new ObservedAccess(a.Pa, a.Write, rig.Machine.Memory.Span(a.Pa, a.Size).ToArray());
        }
        return accesses;
    }
}

/// <summary>The loads of one execution of a function beside an update: whether the architecture allows them to have seen what they have
/// seen (DDI0487, B2.3).</summary>
internal sealed class ReaderOrder
{
    private readonly CheckRig _rig;
    private readonly RemoteUpdate _update;
    private readonly ThreadRecorder _recorder;
    private readonly List<(int Event, RemoteUpdate.Version Version)> _seen = [];

    internal ReaderOrder(CheckRig rig, RemoteUpdate update)
    {
        (_rig, _update) = (rig, update);
        _recorder = new ThreadRecorder { IsShared = pa => rig.DataPages.ContainsKey(pa & ~0xfffUL) };
    }

    /// <summary>An instruction was executed, and its loads have seen what they found.</summary>
    internal void Execute(Row row, uint word, bool held, ObservedAccess[] accesses) => _recorder.Execute(row, word, held, accesses);

    /// <summary>The loads of data pages that the last instruction made: single-copy atomic accesses.</summary>
    internal IEnumerable<(ulong Pa, int Size)> LastLoads() =>
        _recorder.Events.Reverse().TakeWhile(e => e.Instruction == _recorder.Instruction)
            .Where(e => e.IsRead && _rig.DataPages.ContainsKey(e.Address & ~0xfffUL)).Reverse().Select(e => (e.Address, e.Value.Length));

    /// <summary>The load of the last instruction at an address has seen a version.</summary>
    internal void Sees(ulong pa, RemoteUpdate.Version version)
    {
        for (int i = _recorder.Events.Count - 1; i >= 0; i--)
        {
            if (_recorder.Events[i].IsRead && _recorder.Events[i].Address == pa)
            {
                _seen.Add((i, version));
                return;
            }
        }
        throw new InvalidOperationException($"no load of 0x{pa:x} was recorded");
    }

    /// <summary>Whether the loads so far can have seen what they have. Loads of bytes that the update leaves as they were do not
    /// count: what they see is the same, wherever it comes from.</summary>
    internal bool IsPossible() => Assign(Make(), 0, e => e.IsAllowed);

    /// <summary>The same with a source for every load.</summary>
    internal bool IsExact() =>
        Assign(Make(), 0, e => ExecutionSearch.CanComplete(e, pa => _rig.Machine.Memory.Read<byte>(pa)));

    private Execution Make() =>
        new([_update.Events, _recorder.Events], [_update.Order, LocalOrder.Of(_recorder.Events)]);

    private bool Assign(Execution execution, int seen, Func<Execution, bool> holds)
    {
        if (seen == _seen.Count)
            return holds(execution);
        int read = _update.Events.Count + _seen[seen].Event;
        foreach (int[] sources in _seen[seen].Version.Sources)
        {
            for (int b = 0; b < sources.Length; b++)
                execution.ReadFrom(read, b, sources[b]);
            if (Assign(execution, seen + 1, holds))
                return true;
        }
        return false;
    }
}
