namespace ArmVdso.Lab.Explain;

/// <summary>A block of code, round after round on a bare core.</summary>
public sealed record ExplainedBlock
{
    /// <summary>The file.</summary>
    public required string File { get; init; }

    /// <summary>Whether it returns: then a round is a call of it, with the BL and a B around it in its cycles.</summary>
    public bool IsFunction { get; init; }

    /// <summary>Functions that it calls and data that it refers to, which are not there: the functions return at once.</summary>
    public IReadOnlyList<string> Missing { get; init; } = [];

    /// <summary>Instructions of a round.</summary>
    public required int Instructions { get; init; }

    /// <summary>Rounds that <see cref="Records"/> shows.</summary>
    public required int Rounds { get; init; }

    /// <summary>Whether they are the first ones, not the steady state.</summary>
    public required bool Cold { get; init; }

    /// <summary>Cycles of a round in the steady state: the mean over many.</summary>
    public required double CyclesPerRound { get; init; }

    /// <summary>Instructions between two labels of rounds; 0: branches inside of the block make rounds of other lengths.</summary>
    public required int RoundLength { get; init; }

    /// <summary>The instructions, in program order.</summary>
    public required IReadOnlyList<PipelineRecord> Records { get; init; }
}

/// <summary>One call of a function in a run.</summary>
/// <param name="Which">Which call it is, for people: first, fastest, or its number.</param>
/// <param name="Cycles">Cycles from the first instruction into the window to the last retired.</param>
/// <param name="Records">Its instructions, in program order, each with the function that it is in.</param>
public sealed record ExplainedCall(string Which, long Cycles, IReadOnlyList<PipelineRecord> Records);
