using ArmVdso.Emulator.Memory;

namespace ArmVdso.Emulator.Processor;

/// <summary>What a PE finds outside itself: the machine as its PEs see it.</summary>
public interface IMachine
{
    /// <summary>RAM.</summary>
    PhysicalMemory Memory { get; }

    /// <summary>The exclusive monitors of all PEs.</summary>
    ExclusiveMonitors Monitors { get; }

    /// <summary>The PEs.</summary>
    IReadOnlyList<Cpu> Cpus { get; }

    /// <summary>The CPU profile of the PEs; null: everything that is implemented exists, and no ID register says so.</summary>
    CpuProfile? Profile { get; set; }

    /// <summary>ID registers.</summary>
    Identification Identification { get; }

    /// <summary>Rows of the instruction table that exist in the CPU profile.</summary>
    bool[] RowEnabled { get; }

    /// <summary>The row as which each is executed and timed: itself, or HINT where it is a hint of a feature that the CPU profile lacks. A
    /// PE without the feature decodes a NOP (DDI0487, C4.1.94, Hints), which waits for no register.</summary>
    Row[] RowExecuted { get; }

    /// <summary>Whether the PEs have a feature, by the name of the instruction table's FEATURE column.</summary>
    bool HasFeature(string feature);

    /// <summary>Sees what happens, or null.</summary>
    IMachineObserver? Observer { get; set; }

    /// <summary>A debugger outside of the machine, or null.</summary>
    DebugUnit? Debug { get; }

    /// <summary>Engines come back at the next instruction boundary: a stop is requested, or the PE woke another one, which goes on before
    /// it.</summary>
    bool TurnEnds { get; }

    /// <summary>Seed of everything random.</summary>
    ulong Seed { get; }

    /// <summary>CNTFRQ_EL0, in Hz.</summary>
    ulong CounterFrequency { get; }

    /// <summary>CNTVCT at a PE's cycle: monotonic over all PEs in the order of execution.</summary>
    ulong ReadCounter(ulong cycles);

    /// <summary>First cycle at which the counter has reached <paramref name="counter"/>.</summary>
    ulong CycleOfCounter(ulong counter);

    /// <summary>What EL0 reads of the virtual counter, from its true value; null: that value.</summary>
    Func<ulong, ulong>? UserCounter { get; }

    /// <summary>HVC #<paramref name="imm16"/> was executed at EL1.</summary>
    void Hypercall(Cpu cpu, int imm16);

    /// <summary>What TTBRn_EL1 select.</summary>
    ITranslationScheme Translation { get; }

    /// <summary>What answers at physical addresses that are not RAM; null: nothing does, and software never goes there.</summary>
    IDeviceBus? Devices { get; }

    /// <summary>Instructions in [<paramref name="pa"/>, +<paramref name="size"/>) may have changed, for all PEs.</summary>
    void InvalidateCode(ulong pa, ulong size);
}

/// <summary>Sees what happens in the machine, for traces. Calls arrive in execution order.</summary>
public interface IMachineObserver
{
    /// <summary>An exception was taken from <paramref name="fromEL"/>; offset 0 is synchronous, 0x80 IRQ.</summary>
    void OnExceptionEntry(Cpu cpu, int fromEL, ulong offset);

    /// <summary>ERET completed.</summary>
    void OnExceptionReturn(Cpu cpu);

    /// <summary>TPIDRRO_EL0 was written.</summary>
    void OnTpidrroWrite(Cpu cpu, ulong oldValue, ulong newValue);

    /// <summary>An instruction is about to execute (only called when <see cref="WantsInstructions"/>); the accesses of the PE are still
    /// those of the one before.</summary>
    void OnInstruction(Cpu cpu, uint instruction);

    /// <summary>Whether <see cref="OnInstruction"/> should be called.</summary>
    bool WantsInstructions { get; }
}
