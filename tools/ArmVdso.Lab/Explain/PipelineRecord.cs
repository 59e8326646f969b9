namespace ArmVdso.Lab.Explain;

/// <summary>Why an instruction waited.</summary>
/// <param name="Kind">For programs: front-end, rename, operand, port, memory, execute, retire.</param>
/// <param name="Cycles">How long.</param>
/// <param name="Text">Why, for people; <see cref="Register"/> is not part of it.</param>
/// <param name="Register">Register that it waited for (numbers of InstructionTiming), or -1.</param>
internal readonly record struct Stall(string Kind, long Cycles, string Text, int Register = -1);

/// <summary>One instruction's way through the pipeline of any core model. Cycles are those of its CPU.</summary>
internal sealed class PipelineRecord
{
    /// <summary>CPU number.</summary>
    internal required int Cpu { get; init; }

    /// <summary>Address.</summary>
    internal required ulong Pc { get; init; }

    /// <summary>Encoding.</summary>
    internal required uint Word { get; init; }

    /// <summary>Class in the core model.</summary>
    internal required string Class { get; init; }

    /// <summary>Exception level; -1 when the model does not say.</summary>
    internal int EL { get; init; } = -1;

    /// <summary>Fetch.</summary>
    internal long Fetched { get; init; }

    /// <summary>The D of the timeline: rename, or on an in-order core the cycle before it could issue.</summary>
    internal long Entered { get; init; }

    /// <summary>Issue of the first micro-op.</summary>
    internal long Issued { get; init; }

    /// <summary>First cycle in which its result can be used.</summary>
    internal long Done { get; init; }

    /// <summary>Retirement.</summary>
    internal long Retired { get; init; }

    /// <summary>Issue ports that it took, or functional units.</summary>
    internal string Pipe { get; init; } = "";

    /// <summary>Why it waited, in the order of the pipeline.</summary>
    internal List<Stall> Stalls { get; } = [];

    /// <summary>Function that it is in, or "".</summary>
    internal string Symbol { get; set; } = "";

    /// <summary>Registers read.</summary>
    internal required byte[] Sources { get; init; }

    /// <summary>Registers written.</summary>
    internal required byte[] Destinations { get; init; }
}
