using ArmVdso.Emulator.Timing;
using ArmVdso.Emulator.Timing.Instructions;

namespace ArmVdso.Lab.Explain;

/// <summary>Why an instruction waited.</summary>
/// <param name="Kind">For programs: front-end, rename, operand, port, memory, execute, retire.</param>
/// <param name="Cycles">How long.</param>
/// <param name="Text">Why, for people; <see cref="Register"/> is not part of it.</param>
/// <param name="Register">Register that it waited for (numbers of InstructionTiming), or -1.</param>
public readonly record struct Stall(string Kind, long Cycles, string Text, int Register = -1)
{
    /// <summary>Name of <see cref="Register"/>; "" without one.</summary>
    public string RegisterName => Register switch
    {
        < 0 => "",
        InstructionTiming.Sp => "sp",
        InstructionTiming.Flags => "nzcv",
        < InstructionTiming.V0 => $"x{Register}",
        _ => $"v{Register - InstructionTiming.V0}",
    };
}

/// <summary>One instruction's way through the pipeline of any core model. Cycles are those of its CPU.</summary>
public sealed class PipelineRecord
{
    /// <summary>CPU number.</summary>
    public required int Cpu { get; init; }

    /// <summary>Address.</summary>
    public required ulong Pc { get; init; }

    /// <summary>Encoding.</summary>
    public required uint Word { get; init; }

    /// <summary>Class in the core model.</summary>
    public required string Class { get; init; }

    /// <summary>Exception level; -1 when the model does not say.</summary>
    public int EL { get; init; } = -1;

    /// <summary>Fetch.</summary>
    public long Fetched { get; init; }

    /// <summary>The D of the timeline: rename, or on an in-order core the cycle before it could issue.</summary>
    public long Entered { get; init; }

    /// <summary>Issue of the first micro-op.</summary>
    public long Issued { get; init; }

    /// <summary>First cycle in which its result can be used.</summary>
    public long Done { get; init; }

    /// <summary>Retirement.</summary>
    public long Retired { get; init; }

    /// <summary>Issue ports that it took, or functional units.</summary>
    public string Pipe { get; init; } = "";

    /// <summary>Why it waited, in the order of the pipeline.</summary>
    public IList<Stall> Stalls { get; } = [];

    /// <summary>Function that it is in, or "".</summary>
    public string Symbol { get; set; } = "";

    /// <summary>Registers read.</summary>
    public required byte[] Sources { get; init; }

    /// <summary>Registers written.</summary>
    public required byte[] Destinations { get; init; }
}
