using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Emulator.Timing.Instructions;

namespace ArmVdso.Emulator.Timing.Memo;

/// <summary>A pipeline whose state between two instructions can be taken out and put back, so that the timing of a block can be
/// remembered by it. The same state, instructions and events must give the same cycles, counters and state again.</summary>
public interface IPipeline
{
    /// <summary>Cycles until now.</summary>
    ulong Cycles { get; }

    /// <summary>Fetch was redirected: the next instruction begins another fetch group.</summary>
    bool Redirected { get; }

    /// <summary>Somebody looks at every instruction: then none may be skipped.</summary>
    bool IsWatched { get; }

    /// <summary>Bytes of a saved state; a multiple of 8.</summary>
    int StateSize { get; }

    /// <summary>The static timing of one encoding.</summary>
    InstructionTiming Time(Row row, uint instruction);

    /// <summary>Times one instruction.</summary>
    void Step(InstructionTiming t, in InstructionEvents e, ReadOnlySpan<LineEvent> lines, ulong pc, ref TimingCounters counters);

    /// <summary>Saves the state relative to <see cref="Cycles"/>: two states are equal byte for byte when they behave alike, as far as
    /// the pipeline can tell; what lies in the past counts as ready.</summary>
    /// <param name="state">Takes <see cref="StateSize"/> bytes.</param>
    /// <param name="horizon">Cycles from now until everything that is on its way is there.</param>
    /// <returns>False when something is on its way that a saved state does not hold (fills from outside): the caller goes on step by
    /// step.</returns>
    bool Save(Span<byte> state, out long horizon);

    /// <summary>Puts a saved state in place, at a number of cycles.</summary>
    void Load(ReadOnlySpan<byte> state, ulong cycles);

    /// <summary>Most cycles by which one instruction can move the horizon, when its accesses are plain hits; <see cref="MostExtra"/>
    /// included for those that access memory.</summary>
    int MostCycles(InstructionTiming t);

    /// <summary>Largest <see cref="InstructionEvents.Extra"/> of a memory access that <see cref="MostCycles"/> allows for.</summary>
    int MostExtra { get; }
}
