using ArmVdso.Emulator.State;
using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Emulator.Timing.Events;
using ArmVdso.Emulator.Timing.Memo;

namespace ArmVdso.Emulator.Timing;

/// <summary>Turns executed instructions into cycles, for one PE. The base class is the plainest model: one cycle an
/// instruction, no caches (<c>--core none</c>).</summary>
public class TimingModel
{
    /// <summary>Cycles since reset.</summary>
    public ulong Cycles { get; protected set; }

    /// <summary>Cycles charged for work that no guest instruction performed (bodies outside the machine).</summary>
    public ulong ChargedCycles { get; protected set; }

    /// <summary>Whether <see cref="Counters"/> has more than cycles and instructions.</summary>
    public virtual bool CountsEvents => false;

    private TimingStatistics _plain;
    private int _plainEl = 1;
    private ulong _plainSince, _plainCharged, _plainWaited;

    /// <summary>Counts at one exception level (0 or 1), up to now. The plain model has cycles and instructions only.</summary>
    public virtual TimingCounters Counters(int el)
    {
        SplitPlain(_plainEl);
        return el == 0 ? _plain.EL0 : _plain.EL1;
    }

    /// <summary>What passed since the last change of exception level belongs to the level that ends.</summary>
    private void SplitPlain(int el)
    {
        ref TimingCounters c = ref _plainEl == 0 ? ref _plain.EL0 : ref _plain.EL1;
        ulong charged = ChargedCycles - _plainCharged, waited = WaitCycles - _plainWaited, cycles = Cycles - _plainSince;
        c.Causes[(int)CycleCause.Charged] += charged;
        c.Causes[(int)CycleCause.Waiting] += waited;
        c.Causes[(int)CycleCause.Issuing] += cycles - charged - waited;
        c.Instructions += cycles - charged - waited;
        (_plainSince, _plainCharged, _plainWaited, _plainEl) = (Cycles, ChargedCycles, WaitCycles, el);
    }

    /// <summary>An instruction was executed. Its data accesses are in <see cref="ProcessingElement.Accesses"/>; whether it branched is in
    /// <see cref="ProcessingElement.BranchTaken"/>, <see cref="ProcessingElement.NextPC"/>.</summary>
    /// <param name="pe">The PE.</param>
    /// <param name="row">Its row in the instruction table.</param>
    /// <param name="instruction">The encoding.</param>
    /// <param name="fetchPa">Physical address it was fetched from.</param>
    public virtual void Retire(ProcessingElement pe, Row row, uint instruction, ulong fetchPa) => Cycles++;

    /// <summary>So many instructions were executed at one cycle each; only for this model itself.</summary>
    internal void RunPlain(ulong instructions) => Cycles += instructions;

    /// <summary>The memoised form of this model, which an engine of blocks may use in place of <see cref="Retire"/>; null when it has
    /// none.</summary>
    internal virtual BlockMemo? Memo => null;

    /// <summary>A model of the same core that has seen nothing, with outer caches of its own; null when <see cref="Memo"/> is.</summary>
    /// <param name="shared">Outer caches of the twins of all PEs; the first makes them.</param>
    internal virtual TimingModel? CreateTwin(ref SharedCaches? shared) => null;

    /// <summary>Is told everything that this model is told, while engines are compared.</summary>
    [field: NotState("only while engines are compared")]
    internal TimingModel? Twin { get; set; }

    /// <summary>Exception level that the next instruction's cycles belong to.</summary>
    internal virtual int Level => 1;

    /// <summary>Takes the cycles over from the pipeline that <see cref="Memo"/> has moved on.</summary>
    internal virtual void TakeOver()
    {
    }

    /// <summary>An exception to EL1 was taken.</summary>
    public virtual void ExceptionEntry() => SplitPlain(1);

    /// <summary>ERET was executed (Retire for it follows).</summary>
    /// <param name="el">Exception level that it returned to.</param>
    public virtual void ExceptionReturn(int el) => SplitPlain(el);

    /// <summary>Charges work done outside the machine, which touches lines of its own in the caches. Without a pipeline it takes a cycle
    /// an instruction.</summary>
    /// <param name="work">What it takes.</param>
    public virtual void ChargeWork(in OutsideWork work)
    {
        Cycles += (ulong)work.Instructions;
        ChargedCycles += (ulong)work.Instructions;
    }

    /// <summary>Work outside the machine wrote a page of RAM: its lines are in the caches as if a PE had. What that takes is part of what
    /// the work is charged.</summary>
    /// <param name="pa">Physical address of the page.</param>
    public virtual void FillPage(ulong pa)
    {
    }

    /// <summary>A line of RAM stands for one of a page that all programs read, so is in the caches.</summary>
    /// <param name="pa">A physical address in it.</param>
    public virtual void FillLine(ulong pa)
    {
    }

    /// <summary>TLB maintenance: entries of pages are dropped.</summary>
    /// <param name="first">First page of 4 KiB.</param>
    /// <param name="count">Pages.</param>
    /// <param name="asid">Those of one ASID; null: of all.</param>
    internal virtual void ForgetTranslations(ulong first, ulong count, ulong? asid)
    {
    }

    /// <summary>Empties caches and TLBs, as if everything in them had been displaced; predictors keep what they learned.</summary>
    public virtual void EmptyCaches()
    {
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
