using ArmVdso.Emulator.Isa;
using ArmVdso.Emulator.MemoryModel;
using ArmVdso.Emulator.Timing.Events;

namespace ArmVdso.Lab.Check;

/// <summary>The same race as "tick", "settime", "race" and "hook-...", under the Armv8 memory model (ArmVdso.Emulator.MemoryModel, which
/// litmus tests hold against published results). The machine itself executes loads in program order; here each load is given, in turn,
/// every version of its location, what the architecture does not allow is left, and the rest of the call is executed with it.</summary>
internal sealed partial class Trial
{
    /// <summary>A load that can see more than one version.</summary>
    private sealed record Choice(int Step, ulong Pa, int Size, List<RemoteUpdate.Version> Versions)
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
        Prepare(schedule);
        _rig.TruthMayHaveChanged = Sample;
        RememberBefore();
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
            RemoteUpdate update = StartUpdate(e.Event, out Action finish);
            if (_window is null)
                OpenWindow();
            Sample();
            // Without a store to data pages there is no hook to speak of.
            if (update.Stores > 0 || CheckEvent.Find(e.Event)!.InHooks is null)
                Walk(schedule, update, add);
            finish();
        }
        _rig.TruthMayHaveChanged = null;
        _rig.Observer = null;
        CheckRig.JumpTo(VictimCpu, _rig.Symbol("park"));
        _atEnd?.Invoke();
        _rig.Restore();
        return reached;
    }

    /// <summary>Collects the stores of an update without making them.</summary>
    /// <param name="name">Which.</param>
    /// <param name="finish">Makes them.</param>
    private RemoteUpdate StartUpdate(string name, out Action finish)
    {
        var update = new RemoteUpdate(_rig);
        if (CheckEvent.Find(name)!.InHooks is { } happen)
        {
            finish = RecordHooks(update, happen);
            return update;
        }
        if (name != "weak-race")
        {
            if (name.StartsWith("weak-aux", StringComparison.Ordinal))
                KeepAuxiliary();
            var stores = new ClockStores(_rig, _clocks, name switch
            {
                "weak-tick" => _rig.Control.Tick,
                "weak-settime" => SetRealtime,
                "weak-aux-set" => () => StepAuxiliary(_rig.Auxiliary!),
                "weak-aux-off" => () => StopAuxiliary(_rig.Auxiliary!),
                "weak-uncount" => () => _rig.Control.UseCounter(false),
                _ => () => _rig.Control.UseCounter(true),
            });
            update.Add(stores.Stores);
            finish = () => stores.Finish();
            return update;
        }
        int from = Victim.Cpu, to = Elsewhere;
        _rig.Switch(from, null);
        _rig.Switch(to, Victim);
        var before = _rig.SaveData();
        (Action<Cpu> stepping, Action<Cpu> stepped) = Record(update);
        var race = new SwitchStores(_rig, from, FreeStranger()) { Stepping = stepping, Stepped = stepped };
        race.Finish();
        var after = _rig.SaveData();
        _rig.LoadData(before);
        finish = () => _rig.LoadData(after);
        return update;
    }

    /// <summary>What is to be called before and after each instruction of a CPU so that an update has it.</summary>
    private (Action<Cpu> Before, Action<Cpu> After) Record(RemoteUpdate update)
    {
        (uint word, Row row, bool held) = (0, default, false);
        ulong executed = 0;
        return (Before, After);

        void Before(Cpu cpu)
        {
            word = cpu.EL == 0 ? 0 : _rig.Kernel.El1.InstructionAt(cpu.PC);
            row = Decoder.Decode(word);
            held = InstructionOrder.ConditionOf(row, word) is var condition && (condition < 0 || cpu.ConditionHolds(condition));
            executed = cpu.Instructions;
        }

        void After(Cpu cpu)
        {
            if (cpu.Instructions == executed)
                update.TakeException();
            else if (word != 0)
                update.Execute(cpu, row, word, held);
        }
    }

    /// <summary>Something happens on another CPU; what the design's hooks for it execute there is the update, which the call sees in the
    /// middle. Interrupts that they send arrive afterwards.</summary>
    /// <returns>Makes the stores.</returns>
    private Action RecordHooks(RemoteUpdate update, Action<Trial> happen)
    {
        // A call in a process of its own must not be interrupted by its first access to a page.
        _rig.FaultInData();
        OpenWindow();
        var before = _rig.SaveData();
        (_rig.BeforeHookStep, _rig.InHook) = Record(update);
        happen(this);
        (_rig.BeforeHookStep, _rig.InHook) = (null, null);
        var after = _rig.SaveData();
        _rig.LoadData(before);
        uint interrupts = VictimCpu.PendingSgi;
        VictimCpu.PendingSgi = 0;
        return () =>
        {
            _rig.LoadData(after);
            VictimCpu.PendingSgi |= interrupts;
        };
    }

    /// <summary>Depth first over the choices: every path from the present state to the return.</summary>
    private void Walk(Schedule schedule, RemoteUpdate update, Action<Schedule, Outcome> add)
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
            PathEnd end = WalkPath(cpu, update, choices, out ReaderOrder order, out int steps);
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
                    Judge("the call", _window!, Victim, cpu.X(0), Buffer(0), false);
                    // What is wrong must be an execution to the last byte.
                    if (_failures.Count > 0 && !order.IsExact())
                        end = PathEnd.Impossible;
                }
            }
            if (end != PathEnd.Impossible)
            {
                Schedule path = schedule with { Versions = [.. choices.Select(c => c.Chosen)] };
                add(path, new Outcome(steps, _failures.Count == 0 ? null : _failures[0], end == PathEnd.SystemCall, true, update.Stores)
                {
                    Inside = true,
                    Telling = _telling,
                });
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
    private PathEnd WalkPath(Cpu cpu, RemoteUpdate update, List<Choice> choices, out ReaderOrder order, out int steps)
    {
        order = new ReaderOrder(_rig, update);
        var loadedAt = new HashSet<ulong>();
        int used = 0;
        Span<byte> code = stackalloc byte[4];
        for (steps = 0; !_rig.Parked(cpu, Victim); steps++)
        {
            if (steps > Bound * 4)
                return PathEnd.Retry;
            Victim.Mm!.Read(cpu.PC, code);
            uint word = BitConverter.ToUInt32(code);
            Row row = Decoder.Decode(word);
            ulong pc = cpu.PC;
            if (row == Row.SVC)
                return PathEnd.SystemCall;
            bool held = InstructionOrder.ConditionOf(row, word) is var condition && (condition < 0 || cpu.ConditionHolds(condition));
            List<(ulong Pa, byte[] Content)> saved = [];
            int first = used;
            for (; used < choices.Count && choices[used].Step == steps; used++)
                Force(choices[used], saved);
            _rig.Step(cpu);
            ObservedAccess[] accesses = Observed.Accesses(_rig, cpu);
            foreach ((ulong pa, byte[] content) in saved)
                content.CopyTo(_rig.Machine.Memory.Span(pa, content.Length));
            if (cpu.EL != 0)
                throw new LabException($"an exception in a reordered call ({cpu})", LabFault.Failed);
            order.Execute(row, word, held, accesses);
            bool again = !loadedAt.Add(pc);
            if (accesses.Any(a => !a.IsWrite) && !Chosen(order, update, choices, first, used, steps, again, out PathEnd end))
                return end;
        }
        return PathEnd.Returned;
    }

    /// <summary>Whether the loads of the last instruction have their versions, and the architecture allows them.</summary>
    private bool Chosen(
        ReaderOrder order, RemoteUpdate update, List<Choice> choices, int first, int used, int step, bool again, out PathEnd end)
    {
        int n = first;
        foreach ((ulong pa, int size) in order.LastLoads())
        {
            if (n < used && choices[n].Pa == pa)
            {
                order.Sees(pa, choices[n].Versions[choices[n].Chosen]);
                n++;
                continue;
            }
            List<RemoteUpdate.Version> versions = update.Of(pa, _rig.Machine.Memory.Span(pa, size));
            if (versions.Count == 1)
                continue;
            // Nothing is looked at more than twice in one attempt, whether the next is made by the same code or by other.
            bool retry = again || choices.Count(c => c.Pa == pa) > 1;
            end = retry ? PathEnd.Retry : PathEnd.Extended;
            if (!retry)
                choices.Add(new Choice(step, pa, size, versions));
            return false;
        }
        end = PathEnd.Impossible;
        // Earlier choices were found possible when they were the last.
        return used == first || used < choices.Count || order.IsPossible();
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
