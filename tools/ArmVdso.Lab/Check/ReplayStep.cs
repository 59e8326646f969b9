namespace ArmVdso.Lab.Check;

/// <summary>What a step of a schedule that is replayed is.</summary>
public enum ReplayKind
{
    /// <summary>The schedule, and who takes part.</summary>
    Cast,

    /// <summary>Something happens from outside.</summary>
    Event,

    /// <summary>An instruction.</summary>
    Instruction,

    /// <summary>Instructions of a function of EL1, one after another, of which none is shown.</summary>
    Function,

    /// <summary>An exception is taken.</summary>
    Exception,

    /// <summary>Whether the answer was one that the system call could have given.</summary>
    Verdict,
}

/// <summary>A step of a schedule that is replayed.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Cpu">The CPU; -1: none.</param>
/// <param name="El">The exception level that the instruction was fetched at.</param>
/// <param name="Pc">Its address.</param>
/// <param name="Where">Function and offset.</param>
/// <param name="Text">What happened, or the instruction.</param>
/// <param name="Effects">Registers and memory that it changed or read.</param>
/// <param name="Count">Instructions that the step stands for.</param>
public sealed record ReplayStep(
    ReplayKind Kind, int Cpu, int El, ulong Pc, string Where, string Text, string Effects = "", int Count = 1)
{
    internal static ReplayStep Said(ReplayKind kind, string text) => new(kind, -1, 0, 0, "", text);

    /// <summary>The step as a line.</summary>
    public override string ToString() => Kind switch
    {
        ReplayKind.Event => $"* {Text}",
        ReplayKind.Exception => $"  cpu{Cpu} EL{El}  -- {Text} before {Where}",
        ReplayKind.Function => $"  cpu{Cpu} EL{El}  ... {Where}: {Count} instructions",
        ReplayKind.Instruction => $"  cpu{Cpu} EL{El}  {Pc:x12}  {Where,-36}  {Text,-36}  {Effects}".TrimEnd(),
        _ => Text,
    };
}
