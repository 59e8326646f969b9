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
    /// the pipeline can tell; what lies in the past counts as ready. Fills on their way are no part of it: they stay where they are, and
    /// plain hits of other lines neither read nor change them, but for <see cref="AskedForFills"/>.</summary>
    /// <param name="state">Takes <see cref="StateSize"/> bytes.</param>
    void Save(Span<byte> state);

    /// <summary>Cycles from now until everything that a saved state holds is ready; at least 1.</summary>
    long Horizon { get; }

    /// <summary>Cycle in which the last line that was asked for is there.</summary>
    ulong FillsUntil { get; }

    /// <summary>Whether a line is on its way that may come after the instructions of a cycle have issued.</summary>
    bool IsInFlight(ulong line, ulong cycle);

    /// <summary>Buffers that hold the lines on their way.</summary>
    int FillCount { get; }

    /// <summary>Where native code finds what <see cref="IsInFlight"/> looks at; it does not move.</summary>
    FillPlaces FillPlaces { get; }

    /// <summary>What <see cref="IsInFlight"/> rests on, when that is one fill: what an access to the line depends on.</summary>
    /// <param name="line">The line.</param>
    /// <param name="cycle">The cycle.</param>
    /// <param name="left">Cycles from then until it is there.</param>
    /// <param name="cause">Where it comes from.</param>
    bool FindInFlight(ulong line, ulong cycle, out long left, out CycleCause cause);

    /// <summary>Set when <see cref="FillsUntil"/> was of influence on a step.</summary>
    bool AskedForFills { get; set; }

    /// <summary>Bytes of <see cref="SaveFills"/>.</summary>
    int FillStateSize { get; }

    /// <summary>Saves what fills of before mean for fills from now on that do not come from memory: when buffers are free, and when another
    /// line can come. All zero when they are in nobody's way.</summary>
    /// <param name="state">Takes <see cref="FillStateSize"/> bytes; the rest is cleared.</param>
    /// <param name="cycles">Cycles until now.</param>
    /// <param name="prefetches">Whether lines are to be prefetched too.</param>
    /// <returns>Whether something is not zero.</returns>
    bool SaveFills(Span<byte> state, ulong cycles, bool prefetches);

    /// <summary>How many cycles after so many everything is ready that <see cref="SaveFills"/> saves; that must be less than 2^16.
    /// </summary>
    long FillHorizon(ulong cycles);

    /// <summary>How many cycles after so many all lines that were asked for are there, and memory is free.</summary>
    long Backlog(ulong cycles);

    /// <summary>From now on fills are recorded, relative to <see cref="Cycles"/>, until <see cref="EndRecord"/>.</summary>
    void RecordFills(List<FillRecord> record);

    /// <summary>Ends what <see cref="RecordFills"/> began; the record gets a last entry that says when another line can follow.</summary>
    void EndRecord();

    /// <summary>Starts fills that were recorded.</summary>
    /// <param name="record">What <see cref="RecordFills"/> recorded.</param>
    /// <param name="lines">The lines.</param>
    /// <param name="cycles">Cycles that the record is relative to.</param>
    void Fill(ReadOnlySpan<FillRecord> record, ReadOnlySpan<ulong> lines, ulong cycles);

    /// <summary>Puts a saved state in place, at a number of cycles.</summary>
    void Load(ReadOnlySpan<byte> state, ulong cycles);

    /// <summary>Most cycles by which one instruction can move the horizon, when its accesses are plain hits; <see cref="MostExtra"/>
    /// included for those that access memory.</summary>
    int MostCycles(InstructionTiming t);

    /// <summary>Most cycles by which the fill of one line from a cache can move the horizon, beyond <see cref="LineEvent.Penalty"/> and
    /// <see cref="LineEvent.Walk"/>.</summary>
    int MostFill { get; }

    /// <summary>Largest <see cref="InstructionEvents.Extra"/> of a memory access that <see cref="MostCycles"/> allows for.</summary>
    int MostExtra { get; }
}

/// <summary>A fill as it is remembered.</summary>
/// <param name="Ready">Cycle in which the line is there.</param>
/// <param name="Cause">Where it comes from.</param>
/// <param name="Prefetched">Whether nobody waits for it.</param>
public readonly record struct FillRecord(long Ready, CycleCause Cause, bool Prefetched);
