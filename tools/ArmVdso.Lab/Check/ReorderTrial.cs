using ArmVdso.Emulator.Isa;
using ArmVdso.Emulator.Timing.Events;

namespace ArmVdso.Lab.Check;

/// <summary>The same race as "tick", "settime" and "race", with the loads of the function satisfied in any order that the Arm
/// memory model allows. The machine itself executes loads in program order; here each load is given, in turn, every version
/// of its location that the update leaves possible, and the rest of the call is executed with it.</summary>
internal sealed partial class Trial
{
    /// <summary>A load that can see more than one version.</summary>
    private sealed record Choice(int Step, ulong Pa, int Size, List<UpdateVersions.Version> Versions)
    {
        internal int Chosen { get; set; }
    }

    private enum PathEnd
    {
        Returned,
        SystemCall,
        Retry,
        Extended,
        Impossible,
    }

    /// <summary>Explores every order of the loads from one boundary on.</summary>
    /// <param name="schedule">The event and its boundary; with versions, that one path alone.</param>
    /// <param name="add">Gets each path.</param>
    /// <returns>False when the call ended before the boundary.</returns>
    internal bool RunReordered(Schedule schedule, Action<Schedule, Outcome> add)
    {
        ScheduledEvent e = schedule.Events[0];
        _rig.TruthMayHaveChanged = Sample;
        PassTime();
        Enter();
        bool reached = true;
        for (int i = 0; i < e.Boundary && reached; i++)
        {
            if (_window is null)
                OpenWindow();
            reached = !StepVictim() && !_rig.Parked(VictimCpu, Victim);
        }
        if (reached)
        {
            _rig.Observer?.Event($"event {e}: {CheckEvent.Find(e.Event)!.Meaning}");
            UpdateVersions update = StartUpdate(e.Event, out Action finish);
            if (_window is null)
                OpenWindow();
            Sample();
            Walk(schedule, update, add);
            finish();
        }
        _rig.TruthMayHaveChanged = null;
        _rig.Observer = null;
        CheckRig.JumpTo(VictimCpu, _rig.Symbol("park"));
        _rig.Restore();
        return reached;
    }

    /// <summary>Collects the stores of an update without making them.</summary>
    /// <param name="name">Which.</param>
    /// <param name="finish">Makes them.</param>
    private UpdateVersions StartUpdate(string name, out Action finish)
    {
        var update = new UpdateVersions();
        if (name != "weak-race")
        {
            var stores = new ClockStores(_rig, _clocks, name == "weak-tick" ? _rig.Control.Tick : SetRealtime);
            foreach (HeldStore s in stores.Stores)
                update.Add(s.Pa, BitConverter.GetBytes(s.Value).AsSpan(0, s.Size), s.Segment);
            finish = () => stores.Finish();
            return update;
        }
        int from = Victim.Cpu, to = Elsewhere;
        _rig.Switch(from, null);
        _rig.Switch(to, Victim);
        int segment = 0;
        var before = _rig.SaveData();
        uint instruction = 0;
        var race = new SwitchStores(_rig, from, FreeStranger())
        {
            Stepping = cpu =>
            {
                instruction = cpu.EL == 0 ? 0 : _rig.Kernel.El1.InstructionAt(cpu.PC);
                bool release = (instruction & 0x3fe08000) == 0x08808000;
                if (LoadOrder.IsStoreBarrier(instruction) || release)
                    segment++;
            },
            Stored = cpu =>
            {
                for (int i = 0; i < cpu.AccessCount; i++)
                {
                    MemoryAccess a = cpu.Accesses[i];
                    int element = LoadOrder.PairElement(instruction) is var pair && pair > 0 ? Math.Min(pair, a.Size) : a.Size;
                    for (int at = 0; at < a.Size; at += element)
                        update.Add(a.Pa + (ulong)at, _rig.Machine.Memory.Span(a.Pa + (ulong)at, element), segment);
                }
            },
        };
        race.Finish();
        var after = _rig.SaveData();
        _rig.LoadData(before);
        finish = () => _rig.LoadData(after);
        return update;
    }

    /// <summary>Depth first over the choices: every path from the present state to the return.</summary>
    private void Walk(Schedule schedule, UpdateVersions update, Action<Schedule, Outcome> add)
    {
        Cpu cpu = VictimCpu;
        ulong[] registers = [.. Enumerable.Range(0, 31).Select(cpu.X)];
        (ulong pc, ulong sp, int flags) = (cpu.PC, cpu.SP_EL0, cpu.NZCV);
        List<Choice> choices = [];
        IReadOnlyList<int>? only = schedule.Versions;
        while (true)
        {
            for (int i = 0; i < 31; i++)
                cpu.SetX(i, registers[i]);
            cpu.SP_EL0 = sp;
            cpu.NZCV = flags;
            CheckRig.JumpTo(cpu, pc);
            PathEnd end = WalkPath(cpu, update, choices, out int steps);
            if (end == PathEnd.Extended)
            {
                if (only is not null && choices.Count <= only.Count)
                    choices[^1].Chosen = Math.Min(only[choices.Count - 1], choices[^1].Versions.Count - 1);
                continue;
            }
            if (end != PathEnd.Impossible)
            {
                _failures.Clear();
                if (end == PathEnd.Returned)
                {
                    Sample();
                    Judge("the call", _window!, Victim, cpu.X(0), Buffer(0));
                }
                Schedule path = schedule with { Versions = [.. choices.Select(c => c.Chosen)] };
                add(path, new Outcome(steps, _failures.Count == 0 ? null : _failures[0], end == PathEnd.SystemCall, true, update.Count));
            }
            if (only is not null)
                return;
            while (choices.Count > 0 && choices[^1].Chosen + 1 >= choices[^1].Versions.Count)
                choices.RemoveAt(choices.Count - 1);
            if (choices.Count == 0)
                return;
            choices[^1].Chosen++;
        }
    }

    /// <summary>Executes the call with the versions chosen so far. A load that needs a new choice ends it.</summary>
    private PathEnd WalkPath(Cpu cpu, UpdateVersions update, List<Choice> choices, out int steps)
    {
        var order = new LoadOrder();
        var loadedAt = new HashSet<ulong>();
        var newest = new Dictionary<ulong, int>();
        int used = 0;
        Span<byte> word = stackalloc byte[4];
        for (steps = 0; !_rig.Parked(cpu, Victim); steps++)
        {
            if (steps > Bound * 4)
                return PathEnd.Retry;
            Victim.Mm!.Read(cpu.PC, word);
            uint instruction = BitConverter.ToUInt32(word);
            Row row = Decoder.Decode(instruction);
            ulong pc = cpu.PC;
            if ((instruction & 0xffe0001f) == 0xd4000001)
                return PathEnd.SystemCall;
            int earliest = order.Earliest(row, instruction);
            List<(ulong Pa, byte[] Content)> saved = [];
            int first = used;
            for (; used < choices.Count && choices[used].Step == steps; used++)
                Force(choices[used], saved);
            _rig.Step(cpu);
            foreach ((ulong pa, byte[] content) in saved)
                content.CopyTo(_rig.Machine.Memory.Span(pa, content.Length));
            if (cpu.EL != 0)
                throw new LabException($"an exception in a reordered call ({cpu})", LabFault.Failed);
            bool loads = false;
            int time = earliest, n = first;
            for (int i = 0; i < cpu.AccessCount; i++)
            {
                MemoryAccess a = cpu.Accesses[i];
                if (a.Write)
                    continue;
                loads = true;
                int element = LoadOrder.PairElement(instruction) is var pair && pair > 0 ? Math.Min(pair, (int)a.Size) : a.Size;
                for (int at = 0; at < a.Size; at += element)
                {
                    ulong pa = a.Pa + (ulong)at;
                    if (n < used && choices[n].Pa == pa)
                    {
                        Choice choice = choices[n++];
                        UpdateVersions.Version version = choice.Versions[choice.Chosen];
                        int satisfied = Math.Max(earliest, version.First);
                        if (satisfied > version.Last || newest.GetValueOrDefault(pa) > choice.Chosen)
                            return PathEnd.Impossible;
                        newest[pa] = choice.Chosen;
                        time = Math.Max(time, satisfied);
                        continue;
                    }
                    List<UpdateVersions.Version> versions = update.Of(pa, _rig.Machine.Memory.Span(pa, element));
                    if (versions.Count == 1)
                        continue;
                    if (loadedAt.Contains(pc))
                        return PathEnd.Retry;
                    choices.Add(new Choice(steps, pa, element, versions));
                    return PathEnd.Extended;
                }
            }
            if (loads)
            {
                loadedAt.Add(pc);
                order.Loaded(row, instruction, time);
            }
            else
            {
                order.Executed(row, instruction);
            }
        }
        return PathEnd.Returned;
    }

    private void Force(Choice choice, List<(ulong, byte[])> saved)
    {
        Span<byte> there = _rig.Machine.Memory.Span(choice.Pa, choice.Size);
        saved.Add((choice.Pa, there.ToArray()));
        choice.Versions[choice.Chosen].Content.CopyTo(there);
        _rig.Observer?.Event(
            $"the next load of {_rig.DataName(choice.Pa)} sees version {choice.Chosen} of {choice.Versions.Count} (0: before the update)");
    }
}
