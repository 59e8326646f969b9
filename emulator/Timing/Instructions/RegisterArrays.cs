namespace ArmVdso.Emulator.Timing.Instructions;

/// <summary>One cycle number for each register (numbers of <see cref="InstructionTiming"/>).</summary>
[InlineArray(InstructionTiming.RegisterCount)]
public struct RegisterCycles
{
    private long _first;
}

/// <summary>One small number for each register.</summary>
[InlineArray(InstructionTiming.RegisterCount)]
public struct RegisterBytes
{
    private byte _first;
}
