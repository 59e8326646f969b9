namespace ArmVdso.Lab.Designs;

/// <summary>How a function was called.</summary>
internal enum CallKind
{
    /// <summary>By SVC.</summary>
    Syscall,

    /// <summary>Through the vDSO.</summary>
    Vdso,

    /// <summary>Not at all: the loop around the calls.</summary>
    Empty,
}

/// <summary>What was seen of one function called in one way.</summary>
internal sealed class CallSamples
{
    /// <summary>Cycles and instructions of each undisturbed round of the loop.</summary>
    internal List<(ulong Cycles, ulong Instructions)> Rounds { get; } = [];

    /// <summary>Rounds in all.</summary>
    internal long Calls { get; set; }

    /// <summary>vDSO calls that made the system call.</summary>
    internal long Fallbacks { get; set; }

    /// <summary>Answers that the kernel's own records contradict.</summary>
    internal long Wrong { get; set; }

    /// <summary>Of them, those with an interrupt or a switch since the round before.</summary>
    internal long WrongInterrupted { get; set; }

    /// <summary>Of them, those that are true of another live task.</summary>
    internal long WrongOfAnother { get; set; }

    /// <summary>Rounds that an interrupt or a switch disturbed; they are not in <see cref="Rounds"/>.</summary>
    internal long Disturbed { get; set; }

    private ulong Median(Func<(ulong Cycles, ulong Instructions), ulong> of)
    {
        if (Rounds.Count == 0)
            return 0;
        ulong[] values = [.. Rounds.Select(of).Order()];
        return values[values.Length / 2];
    }

    /// <summary>Median cycles of a round.</summary>
    internal ulong Cycles => Median(r => r.Cycles);

    /// <summary>Median instructions of a round.</summary>
    internal ulong Instructions => Median(r => r.Instructions);
}

/// <summary>What was seen of the calls of the embedded guest.</summary>
internal sealed class CallTable
{
    private const string System = "_sys_ret", Vdso = "_vdso_ret", Empty = "empty_ret";

    /// <summary>Samples by function and way of calling.</summary>
    internal Dictionary<(string Name, CallKind Kind), CallSamples> Samples { get; } = [];

    /// <summary>Those of a function called in one way.</summary>
    internal CallSamples Of(string name, CallKind kind)
    {
        if (!Samples.TryGetValue((name, kind), out CallSamples? samples))
            Samples[(name, kind)] = samples = new CallSamples();
        return samples;
    }

    /// <summary>What the calls of a function in one way cost, without the loop around them; null when there were none.</summary>
    internal CallFigures? Figures(string name, CallKind kind)
    {
        if (!Samples.TryGetValue((name, kind), out CallSamples? samples))
            return null;
        if (!Samples.TryGetValue(("empty", CallKind.Empty), out CallSamples? empty))
            throw new LabException("the embedded guest did not run its empty loop", LabFault.Failed);
        static ulong Less(ulong value, ulong loop) => value > loop ? value - loop : 0;
        return new CallFigures(
            Less(samples.Cycles, empty.Cycles), Less(samples.Instructions, empty.Instructions), samples.Calls, samples.Fallbacks,
            samples.Wrong)
        {
            Seen = new WrongAnswers(samples.WrongInterrupted, samples.WrongOfAnother),
        };
    }

    /// <summary>The figures of all functions in one way.</summary>
    internal IReadOnlyDictionary<string, CallFigures> All(CallKind kind) =>
        Samples.Keys.Where(k => k.Kind == kind).ToDictionary(k => k.Name, k => Figures(k.Name, kind)!);

    /// <summary>The labels behind the calls in the guest's loops: of which function, called how.</summary>
    internal static Dictionary<ulong, (string Name, CallKind Kind)> Labels(IReadOnlyDictionary<string, ulong> symbols)
    {
        var labels = new Dictionary<ulong, (string, CallKind)>();
        foreach ((string symbol, ulong address) in symbols)
        {
            if (symbol == Empty)
                labels[address] = ("empty", CallKind.Empty);
            else if (symbol.EndsWith(System, StringComparison.Ordinal))
                labels[address] = (symbol[..^System.Length], CallKind.Syscall);
            else if (symbol.EndsWith(Vdso, StringComparison.Ordinal))
                labels[address] = (symbol[..^Vdso.Length], CallKind.Vdso);
        }
        return labels;
    }
}
