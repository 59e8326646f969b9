namespace ArmVdso.Emulator.Timing.Events;

/// <summary>Work done outside the machine, as real software would do it. Its lines are numbered: those that other work touches too first,
/// then its own.</summary>
/// <param name="Cycles">Cycles that it was seen to take.</param>
/// <param name="Stall">Of them, those that it waited for lines.</param>
/// <param name="Misses">What the lines that it missed then would have cost one by one, in cycles. Lines that are missing beyond that
/// cost more, overlapped as those were.</param>
/// <param name="Instructions">Instructions.</param>
/// <param name="InstructionLines">64-byte lines of instructions that it touches.</param>
/// <param name="CommonInstructionLines">Of them, those that other work touches too.</param>
/// <param name="DataLines">64-byte lines of data.</param>
/// <param name="CommonDataLines">Of them, those that other work touches too.</param>
/// <param name="Region">Which lines its own are: the same number, the same lines; not 0.</param>
public readonly record struct OutsideWork(
    long Cycles, long Stall, long Misses, long Instructions, int InstructionLines, int CommonInstructionLines, int DataLines,
    int CommonDataLines, int Region);
