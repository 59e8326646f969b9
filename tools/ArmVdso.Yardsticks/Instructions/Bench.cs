namespace ArmVdso.Yardsticks.Instructions;

/// <summary>What general registers or memory hold at the start.</summary>
public enum Seed
{
    /// <summary>One.</summary>
    One,

    /// <summary>Zero.</summary>
    Zero,

    /// <summary>All bits set.</summary>
    Ones,

    /// <summary>The address of the row's memory.</summary>
    Pointer,

    /// <summary>Pseudo-random bits (memory only).</summary>
    Random,
}

/// <summary>Which registers the copies of an operation use: copy i has source base + i * pitch and destination offset behind it,
/// modulo.</summary>
/// <param name="Copies">Copies in one round.</param>
/// <param name="Pitch">Step of the source register.</param>
/// <param name="Offset">Destination minus source.</param>
/// <param name="Group">Copies after which the registers of the group come again, and <paramref name="Repeat"/> such rounds before the next
/// group.</param>
/// <param name="Repeat">Rounds over a group.</param>
public sealed record Rotation(int Copies, int Pitch, int Offset, int Group = 0, int Repeat = 1)
{
    /// <summary>All copies in one register: a dependency chain.</summary>
    public static readonly Rotation Flat = new(1, 0, 0);

    /// <summary>A chain from register to register.</summary>
    public static Rotation Chain(int pitch = 1, int offset = 1) => new(24 / pitch, pitch, offset);

    /// <summary>Independent operations, each with <paramref name="pitch"/> registers of its own.</summary>
    public static Rotation[] Independent(int pitch) => pitch == 1
        ? [new(24, 1, 0), new(24, 1, 0, 6, 3), new(24, 1, 0, 3, 8)]
        : [new(24 / pitch, pitch, 0)];

    /// <summary>Source and destination register of each copy of one round.</summary>
    public IEnumerable<(int Source, int Destination)> Registers()
    {
        int group = Group == 0 ? Copies : Group;
        for (int first = 0; first < Copies; first += group)
        {
            for (int round = 0; round < Repeat; round++)
            {
                for (int i = first; i < Math.Min(first + group, Copies); i++)
                    yield return (i * Pitch % 24, ((i * Pitch) + Offset) % 24);
            }
        }
    }
}

/// <summary>What a row of the instruction tables stands for: an operation that is repeated as a chain and in independent copies.
/// In the text <c>{d}</c> and <c>{s}</c> are register numbers, <c>{d+1}</c> the one behind in the rotation, <c>{d~1}</c> the next of a
/// list; 28 and above are constants.</summary>
/// <param name="Op">The operation.</param>
public sealed record Bench(string Op)
{
    /// <summary>Appended for the latency: brings the result to where the next copy needs it.</summary>
    public string Collect { get; init; } = "";

    /// <summary>A chain whose cycles are subtracted from the latency.</summary>
    public string Less { get; init; } = "";

    /// <summary>What <see cref="Less"/> is multiplied with.</summary>
    public double LessFactor { get; init; } = 1;

    /// <summary>Cycles that the table's author subtracted.</summary>
    public double LessCycles { get; init; }

    /// <summary>How often <see cref="Op"/> holds what the row counts as one.</summary>
    public int Count { get; init; } = 1;

    /// <summary>X0..X27 at the start.</summary>
    public Seed Registers { get; init; } = Seed.One;

    /// <summary>X28 at the start.</summary>
    public Seed Constant { get; init; } = Seed.One;

    /// <summary>Every word of the memory.</summary>
    public Seed Memory { get; init; } = Seed.Zero;

    /// <summary>Bytes from a page's start to the address that <see cref="Seed.Pointer"/> means.</summary>
    public int Misalign { get; init; }

    /// <summary>Registers of the chain.</summary>
    public Rotation Latency { get; init; } = Rotation.Flat;

    /// <summary>Registers of the independent copies; the best counts.</summary>
    public Rotation[] Throughput { get; init; } = Rotation.Independent(1);

    /// <summary>Another operation for the throughput; empty for the same.</summary>
    public string ThroughputOp { get; init; } = "";

    /// <summary>The throughput is the best over one to eight operations behind this instruction.</summary>
    public string SweepBehind { get; init; } = "";

    /// <summary>Executed once a round before all copies.</summary>
    public string Start { get; init; } = "";

    /// <summary>A subroutine for <c>bl {callee}</c>, and X0 for <c>blr x0</c>.</summary>
    public string Callee { get; init; } = "";

    /// <summary>Copies are as many as in the original, for rows whose code has to be as long.</summary>
    public bool Long { get; init; }
}
