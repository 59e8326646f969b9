using ArmVdso.Emulator.Isa;

namespace ArmVdso.Emulator.Timing;

/// <summary>Turns executed instructions into cycles, for one PE. The base class is the plainest model: one cycle an
/// instruction, no caches (<c>--core none</c>).</summary>
public class TimingModel
{
    /// <summary>Cycles since reset.</summary>
    public ulong Cycles { get; protected set; }

    /// <summary>Cycles charged for work that no guest instruction performed (bodies outside the machine).</summary>
    public ulong ChargedCycles { get; protected set; }

    /// <summary>An instruction was executed. Its data accesses are in <see cref="Cpu.Accesses"/>; whether it branched is in
    /// <see cref="Cpu.BranchTaken"/>, <see cref="Cpu.NextPC"/>.</summary>
    /// <param name="cpu">The PE.</param>
    /// <param name="row">Its row in the instruction table.</param>
    /// <param name="instruction">The encoding.</param>
    /// <param name="fetchPa">Physical address it was fetched from.</param>
    public virtual void Retire(Cpu cpu, Row row, uint instruction, ulong fetchPa) => Cycles++;

    /// <summary>So many instructions were executed at one cycle each; only for this model itself.</summary>
    internal void RunPlain(ulong instructions) => Cycles += instructions;

    /// <summary>An exception to EL1 was taken.</summary>
    public virtual void ExceptionEntry(Cpu cpu)
    {
    }

    /// <summary>ERET was executed (Retire for it follows).</summary>
    public virtual void ExceptionReturn(Cpu cpu)
    {
    }

    /// <summary>Charges modelled cycles for work done outside the machine, and disturbs the data cache by that many lines.</summary>
    public virtual void Charge(ulong cycles, int lines)
    {
        Cycles += cycles;
        ChargedCycles += cycles;
    }

    /// <summary>Moves the clock forward to <paramref name="cycle"/> (waiting in WFI); never back.</summary>
    public virtual void AdvanceTo(ulong cycle)
    {
        if (cycle > Cycles)
        {
            WaitCycles += cycle - Cycles;
            Cycles = cycle;
        }
    }

    /// <summary>Cycles spent waiting in WFI.</summary>
    public ulong WaitCycles { get; protected set; }
}
