using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Emulator.Timing.Instructions;

namespace ArmVdso.Emulator.Timing.InOrder;

/// <summary>One instruction's way through a pipeline, with the reason for every cycle that it waited. Cycles are those of the PE; the
/// waits before <see cref="Issued"/> follow each other in the order of the fields.</summary>
/// <param name="Pc">Its address.</param>
/// <param name="Timing">Its static timing (encoding, class, registers).</param>
/// <param name="Fetched">Cycle of its fetch group.</param>
/// <param name="Earliest">First cycle in which it could have issued, had everything been there.</param>
/// <param name="OperandsReady">Cycle from which its operands are there.</param>
/// <param name="UnitsReady">Cycle from which its unit is free and its results keep their order.</param>
/// <param name="Issued">Cycle in which it issued.</param>
/// <param name="Done">Cycle from which its last result can be used; <paramref name="Issued"/> + 1 when it has none.</param>
/// <param name="Retired">Last cycle that it occupied for itself at issue; the next instruction issues in it at the earliest when it
/// pairs.</param>
/// <param name="Paired">Issued with the instruction before it.</param>
/// <param name="FetchStall">Cycles of waiting for fetch.</param>
/// <param name="FetchCause">Why.</param>
/// <param name="OperandStall">Cycles of waiting for an operand.</param>
/// <param name="OperandCause">What produces it.</param>
/// <param name="UnitStall">Cycles of waiting for its unit.</param>
/// <param name="WaitStall">Cycles of waiting for memory: translation, a full store buffer, a barrier.</param>
/// <param name="WaitCause">Which.</param>
/// <param name="Prediction">What fetch made of it when it is a branch.</param>
public readonly record struct InstructionTrace(
    ulong Pc,
    InstructionTiming Timing,
    long Fetched,
    long Earliest,
    long OperandsReady,
    long UnitsReady,
    long Issued,
    long Done,
    long Retired,
    bool Paired,
    int FetchStall,
    CycleCause FetchCause,
    int OperandStall,
    CycleCause OperandCause,
    int UnitStall,
    int WaitStall,
    CycleCause WaitCause,
    Prediction Prediction);

/// <summary>Sees each instruction's way through the pipeline, for explanations.</summary>
public interface ITimingSink
{
    /// <summary>An instruction was timed. Calls arrive in program order.</summary>
    void OnInstruction(in InstructionTrace trace);
}
