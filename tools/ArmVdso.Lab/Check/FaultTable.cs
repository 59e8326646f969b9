using ArmVdso.Emulator.Isa;
using ArmVdso.Emulator.MemoryModel;
using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Kernel.Explore;

namespace ArmVdso.Lab.Check;

/// <summary>What became of a fault that was planted at one place.</summary>
public enum FaultOutcome
{
    /// <summary>An answer was wrong, or a call did not come back.</summary>
    Found,

    /// <summary>It changed what was executed or stored, and every answer stayed right.</summary>
    Harmless,

    /// <summary>The laboratory never comes there, or has nothing to see it by.</summary>
    Gap,
}

/// <summary>What became of a fault that was planted at one place of a design.</summary>
/// <param name="Design">The design.</param>
/// <param name="Place">Symbol and offset.</param>
/// <param name="Kind">What went wrong.</param>
/// <param name="Text">The instruction, or what is stored.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="By">Function and event that found it; null: none.</param>
/// <param name="Schedule">ID of the failing schedule; null: none.</param>
/// <param name="Reason">What was observed: the wrong answer, or why there is none.</param>
public sealed record FaultResult(
    string Design, string Place, string Kind, string Text, FaultOutcome Outcome, string? By, string? Schedule, string Reason)
{
    /// <summary>The name that --mutant takes.</summary>
    public string Name => $"{Place}:{Kind}";
}

/// <summary>Plants a fault at each place of a design in turn: each instruction of the image that a call executes is removed, each store and
/// each barrier of its update fails.</summary>
internal sealed class FaultTable : IDisposable
{
    private readonly SessionSettings _settings;
    private readonly string _design;
    private readonly IReadOnlyList<CheckEvent> _events;
    private readonly List<CheckedFunction> _functions;
    private readonly Dictionary<CheckedFunction, List<CheckCell>> _usual = [];
    private readonly Dictionary<CheckedFunction, Visited> _visited = [];
    private CheckRig _rig;
    private Explorer _explorer;

    private FaultTable(
        SessionSettings settings, string design, IReadOnlyList<CheckedFunction> functions, IReadOnlyList<CheckEvent> events)
    {
        (_settings, _design, _events) = (settings, design, events);
        _rig = new CheckRig(CheckRig.With(settings, design));
        _explorer = new Explorer(_rig);
        _functions = [.. functions.Where(f => f.IsIn(_rig))];
    }

    /// <summary>The results, place by place.</summary>
    internal static IEnumerable<FaultResult> Run(
        SessionSettings settings, string design, IReadOnlyList<CheckedFunction> functions, IReadOnlyList<CheckEvent> events)
    {
        using var table = new FaultTable(settings, design, functions, events);
        foreach (FaultResult result in table.All())
            yield return result;
    }

    private IEnumerable<FaultResult> All()
    {
        foreach (CheckedFunction function in _functions)
        {
            var visited = new Visited(_rig);
            _rig.Probe = visited;
            _usual[function] = [.. _explorer.Explore(function, _events, false)];
            _rig.Probe = null;
            _visited[function] = visited;
        }
        foreach (int word in _visited.Values.SelectMany(v => v.Words).Distinct().Order().ToList())
            yield return Try(PlacedFault.Removed(_rig, word), [.. _functions.Where(f => _visited[f].Words.Contains(word))]);
        Dictionary<ulong, HashSet<ulong>> stores = [];
        foreach ((ulong pc, HashSet<ulong> bytes) in _visited.Values.SelectMany(v => v.Stores))
        {
            if (!stores.TryGetValue(pc, out HashSet<ulong>? all))
                stores[pc] = all = [];
            all.UnionWith(bytes);
        }
        foreach ((ulong pc, HashSet<ulong> bytes) in stores.OrderBy(s => s.Key))
        {
            List<CheckedFunction> readers = Readers(bytes);
            if (readers.Count == 0)
            {
                PlacedFault dropped = PlacedFault.AtEl1(_rig, pc, "dropped");
                yield return Result(dropped, FaultOutcome.Gap, null, null, "no function that is checked loads what it stores");
                continue;
            }
            foreach (string kind in PlacedFault.StoreKinds)
                yield return Try(PlacedFault.AtEl1(_rig, pc, kind), readers);
        }
        HashSet<ulong> slot = [.. stores.Values.SelectMany(b => b)];
        foreach (ulong pc in _visited.Values.SelectMany(v => v.Barriers).Distinct().Order().ToList())
            yield return Try(PlacedFault.AtEl1(_rig, pc, "removed"), Readers(slot));
        foreach (FaultResult result in Hooks())
            yield return result;
        List<CheckedFunction> clocks = [.. _functions.Where(f => f.IsTime)];
        IReadOnlyList<HeldStore> tick = clocks.Count > 0 ? _explorer.TickStores() : [];
        for (int i = 0; i < tick.Count; i++)
        {
            foreach (string kind in PlacedFault.StoreKinds)
                yield return Try(new PlacedFault.ClockStoreFault(i, kind, _rig.DataName(tick[i].Pa)), clocks);
        }
    }

    /// <summary>Each hook that the design has. One that never was called while the functions were explored is one gap.</summary>
    private IEnumerable<FaultResult> Hooks()
    {
        if (_rig.Faulty is null)
            yield break;
        List<CheckedFunction> concerned = [.. _functions.Where(f => f.IsOfTask || f.Kind == AnswerKind.Cpu)];
        foreach (string hook in FaultyDesign.Hooks.Where(h => _rig.Faulty.Has(h)))
        {
            foreach (string kind in PlacedFault.StoreKinds)
                yield return Try(new HookPlacedFault(hook, kind, ""), concerned);
        }
    }

    private List<CheckedFunction> Readers(HashSet<ulong> bytes) => [.. _functions.Where(f => _visited[f].Loads.Overlaps(bytes))];

    private FaultResult Try(PlacedFault fault, List<CheckedFunction> functions)
    {
        FaultResult result = Explore(fault, functions);
        // What a fault has left behind, in records of tasks, in slots, in a task that is gone, is not to be taken for the next one's.
        if (result.Outcome == FaultOutcome.Found || fault is HookPlacedFault)
            Renew();
        return result;
    }

    private void Renew()
    {
        _rig.Dispose();
        _rig = new CheckRig(CheckRig.With(_settings, _design));
        _explorer = new Explorer(_rig);
    }

    private FaultResult Explore(PlacedFault fault, List<CheckedFunction> functions)
    {
        long explored = 0, more = 0;
        try
        {
            fault.Plant(_rig);
            foreach (CheckedFunction function in functions)
            {
                Dictionary<string, CheckCell> usual = _usual[function].ToDictionary(c => c.Event);
                foreach (CheckCell cell in _explorer.Explore(function, _events, false))
                {
                    CheckCell before = usual[cell.Event];
                    // What fails without any fault says nothing about one.
                    if (cell.Failed > 0 && before.Failed == 0)
                        return Result(fault, FaultOutcome.Found, cell.Function + " " + cell.Event, cell.Schedule, cell.What!);
                    explored += cell.Explored;
                    more += cell.FellBack - before.FellBack;
                }
            }
        }
        catch (Exception e) when (e is LabException or InvalidOperationException)
        {
            return Result(fault, FaultOutcome.Found, null, _explorer.Last?.ToString(), $"broke off: {e.Message}");
        }
        fault.Remove(_rig);
        return NotFound(fault, explored, more);
    }

    private FaultResult NotFound(PlacedFault fault, long explored, long more)
    {
        if (fault.Effect is { Executed: 0 })
            return Result(fault, FaultOutcome.Gap, null, null, "never executed");
        if (fault.Effect is { Changed: 0 } same)
            return Result(
                fault, FaultOutcome.Gap, null, null,
                $"executed {same.Executed} times, and each time what it stores was there already: nothing in the laboratory differs in it");
        string calls = more switch
        {
            > 0 => $"{more} more calls ask the kernel",
            < 0 => $"{-more} fewer calls ask the kernel",
            _ => "as many calls ask the kernel as without it",
        };
        string effect = fault.Effect is not { } e ? ""
            : fault is HookPlacedFault ? $"called {e.Executed} times; "
            : $"changed memory {e.Changed} times; ";
        return Result(fault, FaultOutcome.Harmless, null, null, $"{effect}all {explored} answers right, {calls}");
    }

    private FaultResult Result(PlacedFault fault, FaultOutcome outcome, string? by, string? schedule, string reason) =>
        new(_design, fault.Place, fault.Kind, fault.Text, outcome, by, schedule, reason);

    public void Dispose() => _rig.Dispose();

    /// <summary>Where the CPUs come while a function is explored.</summary>
    private sealed class Visited(CheckRig rig) : RigProbe
    {
        private ulong _pc;
        private int _el;
        private ulong _executed;

        /// <summary>Words of the image that were executed.</summary>
        internal HashSet<int> Words { get; } = [];

        /// <summary>EL1 instructions that stored to a data page, with the bytes.</summary>
        internal Dictionary<ulong, HashSet<ulong>> Stores { get; } = [];

        /// <summary>Barriers of the EL1 functions that store to data pages.</summary>
        internal HashSet<ulong> Barriers { get; } = [];

        /// <summary>Bytes that the image loaded from data pages.</summary>
        internal HashSet<ulong> Loads { get; } = [];

        internal override void Before(Cpu cpu) => (_pc, _el, _executed) = (cpu.PC, cpu.EL, cpu.Instructions);

        internal override void After(Cpu cpu)
        {
            if (cpu.Instructions == _executed)
                return;
            if (_el == 0)
            {
                ulong offset = _pc - (rig.Kernel.Scheduler.Current(cpu.Index).Mm?.VdsoBase ?? 0);
                if (offset >= (ulong)rig.CodeWords * 4)
                    return;
                Words.Add((int)(offset / 4));
                Add(cpu, false, Loads);
            }
            else if (rig.StoredData(cpu))
            {
                if (!Stores.TryGetValue(_pc, out HashSet<ulong>? bytes))
                    Stores[_pc] = bytes = [];
                Add(cpu, true, bytes);
            }
            else if (Stores.Count > 0 && IsBarrier(rig.Kernel.El1.InstructionAt(_pc)) && IsUpdate(_pc))
            {
                Barriers.Add(_pc);
            }
        }

        private void Add(Cpu cpu, bool writes, HashSet<ulong> bytes)
        {
            for (int i = 0; i < cpu.AccessCount; i++)
            {
                MemoryAccess a = cpu.Accesses[i];
                if (a.Write != writes || !rig.DataPages.ContainsKey(a.Pa & ~0xfffUL))
                    continue;
                for (ulong b = a.Pa; b < a.Pa + a.Size; b++)
                    bytes.Add(b);
            }
        }

        private bool IsUpdate(ulong pc) =>
            rig.Kernel.El1.FunctionAt(pc) is { } name && Stores.Keys.Any(s => rig.Kernel.El1.FunctionAt(s) == name);

        private static bool IsBarrier(uint word) => InstructionOrder.Of(Decoder.Decode(word), word).Barrier != BarrierOrder.None;
    }
}
