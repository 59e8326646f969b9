using System.Globalization;

namespace ArmVdso.Lab.Boot;

/// <summary>What a kernel does for one reason: from an exception that left EL0 to the return to it, without the time of other tasks
/// between, so over sleeps.</summary>
/// <param name="Count">How often in a round.</param>
/// <param name="Figures">One of them: the median over the warm rounds.</param>
/// <param name="InstructionLines">64-byte lines of instructions that it touched at EL1, likewise.</param>
/// <param name="DataLines">64-byte lines of data, likewise.</param>
public sealed record Activity(double Count, TruthFigures Figures, int InstructionLines, int DataLines)
{
    /// <summary>The lines of the last one: numbers of virtual lines of instructions, of physical lines of data.</summary>
    internal IReadOnlySet<ulong> Code { get; init; } = new HashSet<ulong>();

    /// <inheritdoc cref="Code"/>
    internal IReadOnlySet<ulong> Data { get; init; } = new HashSet<ulong>();
}

/// <summary>Divides what a machine of one CPU executes at EL1 by task and by the exception that began it, and gives each round of a loop
/// of Guests/truth.c its own. Tasks are told apart by SP_EL0, which is the current one at EL1 (Linux, arch/arm64/include/asm/current.h;
/// the model's EL1 code does the same).</summary>
/// <param name="symbols">Addresses of the guest's symbols.</param>
internal sealed class ActivitySampler(IReadOnlyDictionary<string, ulong> symbols) : TruthSampler(symbols)
{
    private const ulong HighHalf = 1UL << 55;
    private const int LineBits = 6;
    private const string Start = "start", Exit = "call 93", ExitGroup = "call 94";

    /// <summary>What threads of the kernel did meanwhile.</summary>
    internal const string KernelThreads = "kernel threads";

    private sealed class Running(string key)
    {
        internal string Key { get; set; } = key;

        internal ulong[] Spent { get; } = new ulong[TruthFigures.Length];

        internal HashSet<ulong> InstructionLines { get; } = [];

        internal HashSet<ulong> DataLines { get; } = [];

        internal ulong[] Values => [.. Spent, (ulong)InstructionLines.Count, (ulong)DataLines.Count];
    }

    private readonly Dictionary<ulong, Running> _tasks = [];
    private readonly List<Running> _ended = [];
    private readonly Dictionary<(string Round, string Key), List<(int Count, ulong[] Mean)>> _rounds = [];
    private readonly Dictionary<(string Round, string Key), Running> _last = [];
    private ulong _task;
    private ulong[] _since = [];

    /// <summary>The activities by the name of the loop and by what began them: call NUMBER (of futex: call 98 OPERATION), a fault (read,
    /// write, execute; protected: of a page that is there), interrupt, start (a new task's way to EL0), kernel threads (those that ran).
    /// </summary>
    internal IReadOnlyDictionary<(string Round, string Key), Activity> Activities() => _rounds.ToDictionary(r => r.Key, r =>
    {
        ulong[][] warm = [.. r.Value.Skip(r.Value.Count / 2).Select(v => v.Mean)];
        int Median(int at) => (int)warm.Select(v => v[at]).Order().ElementAt(warm.Length / 2);
        TruthFigures figures = TruthFigures.Of([.. r.Value.Select(v => v.Mean)], null);
        return new Activity(r.Value.Average(v => v.Count), figures, Median(TruthFigures.Length), Median(TruthFigures.Length + 1))
        {
            Code = _last[r.Key].InstructionLines,
            Data = _last[r.Key].DataLines,
        };
    });

    /// <inheritdoc/>
    public override void OnInstruction(Cpu cpu, uint instruction)
    {
        base.OnInstruction(cpu, instruction);
        if (cpu.EL == 0)
            return;
        if ((cpu.SP_EL0 & HighHalf) != 0 && cpu.SP_EL0 != _task)
        {
            Account(cpu);
            _task = cpu.SP_EL0;
            _tasks.TryAdd(_task, new Running(Start));
        }
        if (!_tasks.TryGetValue(_task, out Running? running))
            return;
        running.InstructionLines.Add(cpu.PC >> LineBits);
        for (int i = 0; i < cpu.AccessCount; i++)
            running.DataLines.Add(cpu.Accesses[i].Pa >> LineBits);
    }

    /// <inheritdoc/>
    public override void OnExceptionEntry(Cpu cpu, int fromEL, ulong offset)
    {
        Account(cpu);
        if (fromEL == 0)
            _tasks[_task] = new Running(KeyOf(cpu, offset));
    }

    /// <inheritdoc/>
    public override void OnExceptionReturn(Cpu cpu)
    {
        Account(cpu);
        if (cpu.EL == 0 && _tasks.Remove(_task, out Running? running))
            _ended.Add(running);
    }

    /// <inheritdoc/>
    protected override void Mark(string name, bool round)
    {
        // Who exits never returns; a kernel thread has not come from EL0, nor does it go there.
        foreach ((ulong task, Running running) in _tasks.Where(t => t.Key != _task && t.Value.Key is Exit or ExitGroup or Start).ToList())
        {
            if (running.Key == Start)
                running.Key = KernelThreads;
            _ended.Add(running);
            _tasks.Remove(task);
        }
        foreach (IGrouping<string, Running> same in round ? _ended.GroupBy(e => e.Key) : [])
        {
            ulong[][] values = [.. same.Select(e => e.Values)];
            ulong Mean(int at) => values.Aggregate(0UL, (sum, v) => sum + v[at]) / (ulong)values.Length;
            ulong[] mean = [.. Enumerable.Range(0, values[0].Length).Select(Mean)];
            if (!_rounds.TryGetValue((name, same.Key), out List<(int, ulong[])>? list))
                _rounds[(name, same.Key)] = list = [];
            list.Add((values.Length, mean));
            _last[(name, same.Key)] = same.Last();
        }
        _ended.Clear();
    }

    /// <summary>Adds what the CPU did since the last look to the current task's activity; what it did at EL0 is nobody's.</summary>
    private void Account(Cpu cpu)
    {
        ulong[] now = TruthFigures.Now(cpu);
        if (_since.Length > 0 && _tasks.TryGetValue(_task, out Running? running))
        {
            for (int i = 0; i < now.Length; i++)
                running.Spent[i] += now[i] - _since[i];
        }
        _since = now;
    }

    /// <summary>What an exception from EL0 is (DDI0487, D24.2.40: EC, DFSC, WnR).</summary>
    private static string KeyOf(Cpu cpu, ulong offset)
    {
        const uint futex = 98, commandMask = 0x7F, permission = 3;
        if (offset != 0)
            return "interrupt";
        ulong syndrome = cpu.ESR_EL1;
        var fault = new Func<string, string>(kind => (syndrome >> 2 & 15) == permission ? $"protected {kind}" : kind);
        switch ((ExceptionClass)(syndrome >> 26))
        {
            case ExceptionClass.Svc64:
                uint number = (uint)cpu.X(8);
                return number == futex
                    ? string.Create(CultureInfo.InvariantCulture, $"call {number} {cpu.X(1) & commandMask}")
                    : string.Create(CultureInfo.InvariantCulture, $"call {number}");
            case ExceptionClass.InstructionAbortLower:
                return fault("execute");
            case ExceptionClass.DataAbortLower:
                return fault((syndrome >> 6 & 1) != 0 ? "write" : "read");
            default:
                return string.Create(CultureInfo.InvariantCulture, $"class {syndrome >> 26}");
        }
    }
}
