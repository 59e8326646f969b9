using ArmVdso.Emulator.Timing.Counters;

namespace ArmVdso.Lab.Boot;

/// <summary>What one round of a loop cost: the median of its second half, without the loop around it.</summary>
/// <param name="Cycles">Cycles, not waiting.</param>
/// <param name="Instructions">Executed instructions.</param>
/// <param name="Charged">Of the cycles, those charged for bodies in C#.</param>
/// <param name="L1IMisses">Misses of the L1 instruction cache.</param>
/// <param name="L1DMisses">Misses of the L1 data cache.</param>
/// <param name="L2Misses">Misses of the L2 cache.</param>
/// <param name="Walks">Translation table walks.</param>
public sealed record TruthFigures(
    ulong Cycles, ulong Instructions, ulong Charged, ulong L1IMisses, ulong L1DMisses, ulong L2Misses, ulong Walks)
{
    private const int Counts = 7;
    private static readonly CycleCause[] s_causes = [.. Enum.GetValues<CycleCause>().Where(c => c != CycleCause.Waiting)];

    /// <summary>The cycles by cause; each is a median by itself.</summary>
    public required IReadOnlyDictionary<CycleCause, ulong> Causes { get; init; }

    /// <summary>How many values <see cref="Now"/> has.</summary>
    internal static int Length => Counts + s_causes.Length;

    internal static TruthFigures Of(IReadOnlyList<ulong[]> rounds, TruthFigures? empty)
    {
        ulong[] half = [.. Enumerable.Range(0, Counts + s_causes.Length).Select(i =>
        {
            ulong[] values = [.. rounds.Skip(rounds.Count / 2).Select(r => r[i]).Order()];
            return values[values.Length / 2];
        })];
        if (empty is not null)
        {
            half[0] -= Math.Min(half[0], empty.Cycles);
            half[1] -= Math.Min(half[1], empty.Instructions);
        }
        return new TruthFigures(half[0], half[1], half[2], half[3], half[4], half[5], half[6])
        {
            Causes = s_causes.Select((cause, i) => (cause, half[Counts + i])).ToDictionary(),
        };
    }

    /// <summary>The counts of a CPU until now, in the order of the figures.</summary>
    internal static ulong[] Now(Cpu cpu)
    {
        TimingCounters el0 = cpu.Timing.Counters(0), el1 = cpu.Timing.Counters(1);
        return
        [
            cpu.Cycles - cpu.Timing.WaitCycles, cpu.Instructions, cpu.Timing.ChargedCycles, el0.L1IMisses + el1.L1IMisses,
            el0.L1DMisses + el1.L1DMisses, el0.L2Misses + el1.L2Misses, el0.Walks + el1.Walks,
            .. s_causes.Select(c => el0.Causes[(int)c] + el1.Causes[(int)c]),
        ];
    }
}

/// <summary>Watches the entries of the functions mark_NAME of Guests/truth.c: a round goes from one to the next of the same
/// name.</summary>
/// <param name="symbols">Addresses of the guest's symbols.</param>
internal class TruthSampler(IReadOnlyDictionary<string, ulong> symbols) : IMachineObserver
{
    private const string Prefix = "mark_";

    private readonly Dictionary<ulong, string> _marks = symbols.Where(s => s.Key.StartsWith(Prefix, StringComparison.Ordinal))
        .ToDictionary(s => s.Value, s => s.Key[Prefix.Length..]);

    private readonly Dictionary<string, List<ulong[]>> _rounds = [];
    private string _last = "";
    private ulong[] _since = [];

    /// <inheritdoc/>
    public bool WantsInstructions => true;

    /// <inheritdoc/>
    public virtual void OnInstruction(Cpu cpu, uint instruction)
    {
        if (cpu.EL != 0 || !_marks.TryGetValue(cpu.PC, out string? name))
            return;
        ulong[] now = TruthFigures.Now(cpu);
        if (name == _last)
            _rounds[name].Add([.. now.Zip(_since, (a, b) => a - b)]);
        else
            _rounds.TryAdd(name, []);
        Mark(name, name == _last);
        (_last, _since) = (name, now);
    }

    /// <summary>A mark was reached.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="round">Whether a round of it ended; else one may begin.</param>
    protected virtual void Mark(string name, bool round)
    {
    }

    /// <summary>The figures by name, in the order of the guest.</summary>
    /// <exception cref="LabException">The guest has not reached one of its marks twice.</exception>
    internal Dictionary<string, TruthFigures> Figures()
    {
        foreach (string name in _marks.Values)
        {
            if (!_rounds.TryGetValue(name, out List<ulong[]>? rounds) || rounds.Count == 0)
                throw new LabException($"the guest of kernel-truth did not come to {name}", LabFault.Failed);
        }
        TruthFigures empty = TruthFigures.Of(_rounds["empty"], null);
        return _rounds.Where(r => r.Key != "empty").ToDictionary(r => r.Key, r => TruthFigures.Of(r.Value, empty));
    }

    /// <inheritdoc/>
    public virtual void OnExceptionEntry(Cpu cpu, int fromEL, ulong offset)
    {
    }

    /// <inheritdoc/>
    public virtual void OnExceptionReturn(Cpu cpu)
    {
    }

    /// <inheritdoc/>
    public void OnTpidrroWrite(Cpu cpu, ulong oldValue, ulong newValue)
    {
    }
}
