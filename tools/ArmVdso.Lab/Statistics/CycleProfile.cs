using ArmVdso.Emulator.Timing.Counters;

namespace ArmVdso.Lab.Statistics;

/// <summary>What one function took.</summary>
/// <param name="Name">The function; a file or mapping where no symbol says.</param>
/// <param name="Where">The file or mapping that it is in; [EL1]: the kernel.</param>
/// <param name="Cycles">Cycles, not waiting.</param>
/// <param name="Instructions">Instructions.</param>
/// <param name="Entered">How often it was entered at its start.</param>
/// <param name="Causes">The cycles by cause.</param>
public sealed record FunctionCycles(
    string Name, string Where, ulong Cycles, ulong Instructions, ulong Entered, IReadOnlyDictionary<CycleCause, ulong> Causes);

/// <summary>What one instruction took.</summary>
/// <param name="Function">The function that it is in.</param>
/// <param name="Where">The file or mapping; [EL1]: the kernel.</param>
/// <param name="Offset">Its distance from the function's start, in bytes.</param>
/// <param name="Word">Its encoding.</param>
/// <param name="Count">How often it was executed.</param>
/// <param name="Source">The source line that it was made of, as FILE:LINE; empty: not known.</param>
/// <param name="Causes">Its cycles by cause, without waiting.</param>
public sealed record InstructionCycles(
    string Function, string Where, ulong Offset, uint Word, ulong Count, string Source, IReadOnlyDictionary<CycleCause, ulong> Causes)
{
    /// <summary>Its cycles.</summary>
    public ulong Cycles { get; } = Causes.Values.Aggregate(0UL, (sum, cycles) => sum + cycles);
}

/// <summary>Cycles and instructions by function, with their causes: every instruction's cycles belong to the function that it is in, so
/// the sum is what the CPUs counted. Each instruction is looked at, which makes the run slow.</summary>
/// <param name="machine">The machine of the run.</param>
public abstract class CycleProfile(Machine machine) : IMachineObserver
{
    /// <summary>What one function took.</summary>
    private sealed class Entry(string name, string where)
    {
        internal string Name => name;

        internal string Where => where;

        internal ulong Instructions;
        internal ulong Calls;
        internal CauseCounters Causes;
        internal readonly Dictionary<ulong, Instruction> ByOffset = [];
    }

    /// <summary>What one instruction took.</summary>
    private sealed class Instruction(uint word, string source)
    {
        internal uint Word => word;

        internal string Source => source;

        internal ulong Count;
        internal CauseCounters Causes;
    }

    /// <summary>Where a CPU is.</summary>
    private sealed class Position
    {
        internal ulong Start = 1;
        internal ulong End;
        internal object? Space;
        internal int EL = -1;
        internal Entry? Entry;
        internal CallNode? Node;
        internal CallStack? Calls;
        internal Instruction? At;

        /// <summary>Whether the last instruction was a call or a return, and where the call returns to.</summary>
        internal bool Branched;
        internal ulong Call;
        internal TimingCounters EL0;
        internal TimingCounters EL1;
    }

    private readonly Position[] _positions = [.. machine.Cpus.Select(_ => new Position())];
    private readonly Dictionary<(string, string), Entry> _entries = [];

    /// <summary>The tree of calls; threads are its branches. What the CPUs took is in it, each cycle once.</summary>
    private protected CallNode Calls { get; } = new("all", "", null);

    /// <summary>Whether each instruction is counted by itself; twice as slow.</summary>
    public bool ByInstruction { get; init; }

    /// <summary>The source line of an address that a CPU executes, as FILE:LINE; empty: not known.</summary>
    private protected virtual string SourceOf(Cpu cpu, ulong pc) => "";

    /// <summary>The functions that the thread which a CPU executes is in.</summary>
    private protected abstract CallStack StackOf(Cpu cpu);

    /// <summary>The space of EL0 that a CPU is in, if one can follow another without an instruction at EL1.</summary>
    protected virtual object? SpaceOf(Cpu cpu) => null;

    /// <summary>The function that a CPU executes at an address.</summary>
    protected abstract CodeRange Find(Cpu cpu, ulong pc);

    /// <inheritdoc/>
    public bool WantsInstructions => true;

    /// <inheritdoc/>
    public void OnInstruction(Cpu cpu, uint instruction)
    {
        Position p = _positions[cpu.Index];
        ulong pc = cpu.PC;
        CallStack calls = StackOf(cpu);
        if (p.Branched || pc < p.Start || pc >= p.End || cpu.EL != p.EL || !ReferenceEquals(p.Calls, calls)
            || (p.EL == 0 && !ReferenceEquals(p.Space, SpaceOf(cpu))))
        {
            Leave(cpu, p);
            Enter(cpu, p, pc, calls);
        }
        if (ByInstruction)
            Begin(cpu, p, pc, instruction);
        bool call = IsCall(instruction);
        p.Call = call ? pc + 4 : 0;
        p.Branched = call || IsReturn(instruction);
    }

    private void Begin(Cpu cpu, Position p, ulong pc, uint word)
    {
        Leave(cpu, p);
        Dictionary<ulong, Instruction> known = p.Entry!.ByOffset;
        ulong offset = pc - p.Start;
        if (!known.TryGetValue(offset, out Instruction? at))
            known[offset] = at = new Instruction(word, SourceOf(cpu, pc));
        at.Count++;
        p.At = at;
    }

    /// <summary>BL, BLR and its forms with authentication (DDI0487, C4.1.86).</summary>
    private static bool IsCall(uint word) => word >> 26 == 0b100101 || (word & 0xfefff000) == 0xd63f0000;

    /// <summary>RET and its forms with authentication.</summary>
    private static bool IsReturn(uint word) => (word & 0xfffff000) == 0xd65f0000;

    /// <summary>What was counted since the function was entered is its own.</summary>
    private static void Leave(Cpu cpu, Position p)
    {
        TimingCounters el0 = cpu.Timing.Counters(0), el1 = cpu.Timing.Counters(1);
        if (p.Entry is { } entry)
        {
            ulong instructions = el0.Instructions - p.EL0.Instructions + el1.Instructions - p.EL1.Instructions;
            entry.Instructions += instructions;
            p.Node!.Instructions += instructions;
            for (int i = 0; i < CauseCounters.Count; i++)
            {
                ulong cycles = el0.Causes[i] - p.EL0.Causes[i] + el1.Causes[i] - p.EL1.Causes[i];
                entry.Causes[i] += cycles;
                if (p.At is not null)
                    p.At.Causes[i] += cycles;
                p.Node.Cycles += i == (int)CycleCause.Waiting ? 0 : cycles;
            }
        }
        (p.EL0, p.EL1) = (el0, el1);
    }

    private void Enter(Cpu cpu, Position p, ulong pc, CallStack calls)
    {
        p.EL = cpu.EL;
        p.Space = cpu.EL == 0 ? SpaceOf(cpu) : null;
        CodeRange place = Find(cpu, pc);
        (string name, string where, p.Start, p.End) = place;
        calls.Enter(pc, cpu.SP, p.Call, place);
        (p.Calls, p.Node) = (calls, calls.Node);
        if (!_entries.TryGetValue((name, where), out Entry? entry))
            _entries[(name, where)] = entry = new Entry(name, where);
        if (pc == p.Start)
            entry.Calls++;
        p.Entry = entry;
    }

    /// <summary>The tree of calls, summed up. Read it when the run has ended.</summary>
    public CallNode Finished()
    {
        for (int i = 0; i < _positions.Length; i++)
            Leave(machine.Cpus[i], _positions[i]);
        return Calls.Sum();
    }

    /// <summary>The functions, those that took the most cycles first. Read it when the run has ended.</summary>
    public IReadOnlyList<FunctionCycles> Functions()
    {
        Finished();
        return [.. _entries.Values.OrderByDescending(Busy).ThenBy(e => e.Name, StringComparer.Ordinal).Select(e => new FunctionCycles(
            e.Name, e.Where, Busy(e), e.Instructions, e.Calls, CausesOf(e.Causes)))];
    }

    /// <summary>The instructions in the order of their functions and addresses. Read it when the run has ended; it needs
    /// <see cref="ByInstruction"/>.</summary>
    public IReadOnlyList<InstructionCycles> Instructions()
    {
        Finished();
        return
        [
            .. _entries.Values.OrderByDescending(Busy).ThenBy(e => e.Name, StringComparer.Ordinal).SelectMany(
                e => e.ByOffset.OrderBy(i => i.Key).Select(i => new InstructionCycles(
                    e.Name, e.Where, i.Key, i.Value.Word, i.Value.Count, i.Value.Source, CausesOf(i.Value.Causes)))),
        ];
    }

    private static Dictionary<CycleCause, ulong> CausesOf(CauseCounters causes) =>
        Enum.GetValues<CycleCause>().Where(c => c != CycleCause.Waiting).ToDictionary(c => c, c => causes[(int)c]);

    private static ulong Busy(Entry e) => e.Causes.Total() - e.Causes[(int)CycleCause.Waiting];

    /// <inheritdoc/>
    public void OnExceptionEntry(Cpu cpu, int fromEL, ulong offset)
    {
        // A call whose function could not be fetched is made again.
        Position p = _positions[cpu.Index];
        CallStack calls = StackOf(cpu);
        calls.Exception(cpu.ELR_EL1, fromEL == 0 ? cpu.SP_EL0 : cpu.SP_EL1, p.Call);
        (p.Branched, p.Call) = (true, 0);
    }

    /// <inheritdoc/>
    public void OnExceptionReturn(Cpu cpu)
    {
        Position p = _positions[cpu.Index];
        p.Call = StackOf(cpu).Return(cpu.NextPC, cpu.EL);
        p.Branched = true;
    }

    /// <inheritdoc/>
    public void OnTpidrroWrite(Cpu cpu, ulong oldValue, ulong newValue)
    {
    }
}
