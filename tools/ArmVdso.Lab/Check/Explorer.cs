namespace ArmVdso.Lab.Check;

/// <summary>Explores one design: every function, every event, every instruction boundary.</summary>
internal sealed class Explorer
{
    private readonly CheckRig _rig;
    private readonly ClockHistory _clocks = new();
    private readonly HashSet<ulong> _clockBytes = [];
    private readonly HashSet<ulong> _slotBytes = [];

    /// <summary>Bytes that each store of a tick, of a settime and of a switch changes.</summary>
    private readonly Dictionary<string, List<ulong[]>> _footprints = [];

    internal Explorer(CheckRig rig)
    {
        _rig = rig;
        _clocks.Begin(rig, rig.Victim, () => rig.Control.Tick());
        _clocks.End();
        LearnStores();
    }

    internal ClockHistory Clocks => _clocks;

    internal CheckRig Rig => _rig;

    private void Learn(string name, Action update)
    {
        var stores = new ClockStores(_rig, _clocks, update);
        _footprints[name] = [.. stores.Stores.Select(s => Bytes(s.Pa, s.Size))];
        stores.Finish();
    }

    /// <summary>Where the updates store: taken from the updates themselves.</summary>
    private void LearnStores()
    {
        Learn("tick", _rig.Control.Tick);
        _footprints["settime"] = _footprints["tick"];
        Learn("uncount", () => _rig.Control.UseCounter(false));
        Learn("recount", () => _rig.Control.UseCounter(true));
        if (_rig.Auxiliary is { } clock)
        {
            Learn("aux-set", () => Trial.StepAuxiliary(clock));
            Learn("aux-rate", () => Trial.HastenAuxiliary(clock));
            Learn("aux-off", () => Trial.StopAuxiliary(clock));
            Learn("aux-on", () => Trial.BeginAuxiliary(clock));
            _rig.StartAuxiliary();
        }
        _clockBytes.UnionWith(_footprints["tick"].SelectMany(b => b));
        var race = new List<ulong[]>();
        _rig.Switch(0, null);
        _rig.Switch(1, _rig.Victim);
        new SwitchStores(_rig, 0, _rig.Other)
        {
            Stored = cpu => race.Add(
            [
                .. Enumerable.Range(0, cpu.AccessCount).Where(i => cpu.Accesses[i].Write)
                    .SelectMany(i => Bytes(cpu.Accesses[i].Pa, cpu.Accesses[i].Size)),
            ]),
        }.Finish();
        _rig.Restore();
        _footprints["race"] = race;
        _slotBytes.UnionWith(race.SelectMany(b => b));
    }

    /// <summary>The stores of a tick, which is then made.</summary>
    internal IReadOnlyList<HeldStore> TickStores()
    {
        var tick = new ClockStores(_rig, _clocks, () => _rig.Control.Tick());
        tick.Finish();
        return tick.Stores;
    }

    private static ulong[] Bytes(ulong pa, int size) => [.. Enumerable.Range(0, size).Select(i => pa + (ulong)i)];

    /// <summary>The schedule that was begun last; null: none was.</summary>
    internal Schedule? Last { get; private set; }

    /// <summary>Runs one schedule.</summary>
    internal Outcome Run(CheckedFunction function, Schedule schedule, int usual, bool asksTelling = false)
    {
        Last = schedule;
        var trial = new Trial(_rig, function, _clocks) { Usual = usual, AsksTelling = asksTelling };
        if (!schedule.Events.Any(e => CheckEvent.Find(e.Event)!.Weak))
            return trial.Run(schedule);
        if (schedule.Events.Count > 1 || schedule.Versions is null)
            throw new LabException(
                "replay: an event of reordering stands alone and has the versions of its loads behind it (/reorder:0.1...)",
                LabFault.Input);
        Outcome? seen = null;
        trial.RunReordered(schedule, (_, outcome) => seen = outcome);
        return seen ?? new Outcome(0, null, false, false, 0);
    }

    private Schedule Make(CheckedFunction function, params ScheduledEvent[] events) => new(_rig.Design, function.Name, events);

    /// <summary>The undisturbed call: its length and what it loads.</summary>
    internal (Outcome Outcome, HashSet<ulong> Loads, HashSet<int> Touching) Undisturbed(CheckedFunction function)
    {
        // Once to warm it: page faults are no part of an interleaving.
        Run(function, Make(function), 20_000);
        var trial = new Trial(_rig, function, _clocks) { Loads = [], Touching = [], Usual = 20_000 };
        return (trial.Run(Make(function)), trial.Loads!, trial.Touching!);
    }

    /// <summary>All cells of a function.</summary>
    internal IEnumerable<CheckCell> Explore(CheckedFunction function, IReadOnlyList<CheckEvent> events, bool pairs)
    {
        (Outcome undisturbed, HashSet<ulong> loads, HashSet<int> touching) = Undisturbed(function);
        int usual = undisturbed.Instructions;
        _touching = touching;
        var plain = new CheckCell(function.Name, "none");
        plain.Add(Make(function), undisturbed);
        yield return plain;
        foreach (CheckEvent e in events)
            yield return ExploreEvent(function, e, usual, loads, pairs);
        if (!pairs || usual > LongFunction)
            yield break;
        if (events.Any(e => e.Name == "race") && events.Any(e => e.Name == "migrate") && loads.Overlaps(_slotBytes))
            yield return ExploreRaceAndReturn(function, usual, loads);
        foreach (CheckEvent first in events.Where(e => e.Composes))
        {
            foreach (CheckEvent second in events.Where(e => e.Composes))
            {
                if (NotApplicable(function, first, loads) is null && NotApplicable(function, second, loads) is null
                    && !(first.Once && first.Name == second.Name))
                    yield return ExplorePair(function, first, second, usual);
            }
        }
    }

    /// <summary>Three events at any boundaries, so many schedules that a seed chooses.</summary>
    internal CheckCell SampleThree(CheckedFunction function, IReadOnlyList<CheckEvent> events, ulong seed, int count)
    {
        (Outcome undisturbed, HashSet<ulong> loads, _) = Undisturbed(function);
        int usual = undisturbed.Instructions;
        CheckEvent[] usable = [.. events.Where(e => e.Composes && NotApplicable(function, e, loads) is null)];
        var cell = new CheckCell(function.Name, "three") { Seed = seed };
        if (usable.Length == 0)
            return new CheckCell(function.Name, "three") { NotApplicable = "no event that can be one of several applies" };
        var random = new Draw(seed, function.Name);
        for (int i = 0; i < count; i++)
        {
            int[] boundaries = [random.Below(usual), random.Below(usual), random.Below(usual)];
            Array.Sort(boundaries);
            var chosen = new ScheduledEvent[3];
            for (int k = 0; k < 3; k++)
            {
                CheckEvent e = usable[random.Below(usable.Length)];
                while (e.Once && chosen.Take(k).Any(c => c.Event == e.Name))
                    e = usable[random.Below(usable.Length)];
                chosen[k] = new ScheduledEvent(e.Name, -1, boundaries[k]);
            }
            Schedule schedule = Make(function, chosen);
            Outcome outcome = Run(function, schedule, usual, !cell.Telling);
            if (outcome.Applied)
                cell.Add(schedule, outcome);
        }
        return cell;
    }

    /// <summary>Numbers from a seed and a name (SplitMix64).</summary>
    private sealed class Draw(ulong seed, string name)
    {
        private ulong _state = name.Aggregate(seed, (s, c) => (s ^ c) * 0x100000001B3);

        internal int Below(int limit)
        {
            ulong z = _state += 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return (int)((z ^ (z >> 31)) % (ulong)limit);
        }
    }

    /// <summary>Instructions beyond which only boundaries before accesses are explored.</summary>
    internal const int LongFunction = 200;

    private HashSet<int> _touching = [];

    /// <summary>Of a long function, and of an event whose schedules are long, only the boundaries before an access or a system instruction:
    /// between two that change registers alone an event has the same effect as before the next access, and behind the last one as before
    /// the return.</summary>
    private bool Skip(CheckEvent e, int boundary, int usual) =>
        (usual > LongFunction || e.IsLong) && boundary < usual - 1 && !_touching.Contains(boundary);

    private string? NotApplicable(CheckedFunction function, CheckEvent e, HashSet<ulong> loads) => e.Needs switch
    {
        _ when function.Kind is AnswerKind.Constant or AnswerKind.Resolution => "its answer is the same for everybody and for ever",
        _ when function.ChangesMemory && e.CallsAgain => "the memory that it changes is ready for one call",
        _ when e.OfMemory && !function.ChangesMemory => "it changes no memory of its caller but what it answers",
        _ when e.Name == "aba" && function.Kind == AnswerKind.Cpu && _rig.Machine.Cpus.Count == 2 && _rig.Settings.Nodes == 1 =>
            "each of two CPUs would be right",
        _ when e.Name == "exec" && function.Kind == AnswerKind.Random => "its state goes with the old program",
        CheckNeed.Clocks when !loads.Overlaps(_clockBytes) => "reads no clock data",
        CheckNeed.Slots when !loads.Overlaps(_slotBytes) => "reads nothing that a switch writes",
        CheckNeed.Random when function.Kind != AnswerKind.Random => "has no key",
        CheckNeed.Auxiliary when !function.IsAuxiliary => "reads no auxiliary clock",
        CheckNeed.Words when !function.IsOfTask => "answers nothing that it changes",
        CheckNeed.Tasks when !function.IsOfTask && function.Kind != AnswerKind.Cpu => "answers nothing of a task",
        _ => null,
    };

    private static CheckCell WithoutHook(CheckedFunction function, CheckEvent e) =>
        new(function.Name, e.Name) { NotApplicable = "no hook of the design stores to a data page for it" };

    private CheckCell ExploreEvent(CheckedFunction function, CheckEvent e, int usual, HashSet<ulong> loads, bool pairs)
    {
        if (NotApplicable(function, e, loads) is { } reason)
            return new CheckCell(function.Name, e.Name) { NotApplicable = reason };
        VdsoLeaves left = _rig.Kernel.Vdso.Design.Leaves & e.Leaves;
        var cell = new CheckCell(function.Name, e.Name)
        {
            BeforeCall = e.InKernel,
            OnPurpose = function.Kind == AnswerKind.Random ? "a state in use, or without a key"
                : left != VdsoLeaves.None && (function.IsOfTask || function.Kind == AnswerKind.Cpu) ? left.ToString()
                : null,
        };
        if (e.Weak)
        {
            // A clock update may begin at any time: the loads before a later boundary are among those of the first.
            for (int k = 0; k < (e.Name == "weak-race" ? usual : 1); k++)
            {
                Schedule schedule = Last = Make(function, new ScheduledEvent(e.Name, -1, k));
                if (!new Trial(_rig, function, _clocks) { Usual = usual, AsksTelling = !cell.Telling }.RunReordered(schedule, cell.Add))
                    break;
            }
            return cell.Explored > 0 || e.InHooks is null ? cell : WithoutHook(function, e);
        }
        if (e.Name == "aba" && usual > LongFunction)
            return new CheckCell(function.Name, e.Name) { NotApplicable = $"{usual} instructions are too many for pairs of boundaries" };
        if (e.Name == "aba")
        {
            TwoBoundaries(cell, function, e, e, usual, strict: true);
            return cell;
        }
        if (e.InKernel)
        {
            // Before the call: what the slot holds afterwards is what counts, and it must be true then.
            for (int part = 0; Try(cell, function, usual, new ScheduledEvent(e.Name, part, 0)); part++)
            {
            }
            return cell;
        }
        if (e.InHook)
        {
            for (int part = 1; Try(cell, function, usual, new ScheduledEvent(e.Name, part, 0)); part++)
            {
                for (int k = 1; Try(cell, function, usual, new ScheduledEvent(e.Name, part, k)); k++)
                {
                }
            }
            return cell.Explored > 0 ? cell : WithoutHook(function, e);
        }
        for (int k = 0; Skip(e, k, usual) || Try(cell, function, usual, new ScheduledEvent(e.Name, -1, k)); k++)
        {
        }
        if (!e.StoreByStore)
            return cell;
        // A pause after a store that the function does not load is the same as one before it.
        List<ulong[]> stores = _footprints[e.Name];
        int[] parts = [.. Enumerable.Range(1, stores.Count - 1).Where(j => stores[j - 1].Any(loads.Contains))];
        foreach (int part in parts)
        {
            for (int k = 0; Try(cell, function, usual, new ScheduledEvent(e.Name, part, k)); k++)
            {
            }
        }
        if (!pairs)
            return cell;
        foreach (int part in parts)
        {
            foreach (int later in parts.Where(p => p > part))
            {
                for (int k = 0; Try(null, function, usual, new ScheduledEvent(e.Name, part, k)); k++)
                {
                    var first = new ScheduledEvent(e.Name, part, k);
                    for (int m = k + 1; Try(cell, function, usual, first, new ScheduledEvent(e.Name, later, m)); m++)
                    {
                    }
                }
            }
        }
        return cell;
    }

    /// <summary>The slot is read from another CPU while a switch writes it; then the thread comes back to the first CPU.</summary>
    private CheckCell ExploreRaceAndReturn(CheckedFunction function, int usual, HashSet<ulong> loads)
    {
        var cell = new CheckCell(function.Name, "race+migrate");
        List<ulong[]> stores = _footprints["race"];
        foreach (int part in Enumerable.Range(1, stores.Count).Where(j => stores[j - 1].Any(loads.Contains)))
        {
            for (int k = 0; Try(null, function, usual, new ScheduledEvent("race", part, k)); k++)
            {
                var race = new ScheduledEvent("race", part, k);
                for (int m = k + 1; Try(cell, function, usual, race, new ScheduledEvent("migrate", -1, m)); m++)
                {
                }
            }
        }
        return cell;
    }

    /// <summary>False when the call ended before the last event of the schedule.</summary>
    private bool Try(CheckCell? cell, CheckedFunction function, int usual, params ScheduledEvent[] events)
    {
        Schedule schedule = Make(function, events);
        Outcome outcome = Run(function, schedule, usual, cell is { Telling: false });
        if (outcome.Applied)
            cell?.Add(schedule, outcome);
        return outcome.Applied && events[^1].Boundary < usual * 4;
    }

    private void TwoBoundaries(CheckCell cell, CheckedFunction function, CheckEvent first, CheckEvent second, int usual, bool strict)
    {
        for (int k = 0; k < usual; k++)
        {
            if (Skip(first, k, usual))
                continue;
            int from = strict ? k + 1 : k;
            bool any = false;
            var begin = new ScheduledEvent(first.Name, -1, k);
            for (int m = from; Try(cell, function, usual, begin, new ScheduledEvent(second.Name, -1, m)); m++)
                any = true;
            if (!any && !strict)
                break;
        }
    }

    private CheckCell ExplorePair(CheckedFunction function, CheckEvent first, CheckEvent second, int usual)
    {
        var cell = new CheckCell(function.Name, $"{first.Name}+{second.Name}");
        TwoBoundaries(cell, function, first, second, usual, strict: false);
        return cell;
    }
}
