using ArmVdso.Emulator.Isa;
using ArmVdso.Emulator.Timing;

namespace ArmVdso.Emulator;

/// <summary>The reference engine: fetch, decode, execute one instruction at a time. It is the definition of what a
/// program does; faster engines are checked against it.</summary>
public sealed partial class Cpu
{
    private ulong _fetchPage = NoPage;
    private ulong _fetchPa;
    private int _fetchEL = -1;
    private bool _fetchGuarded;
    private bool[] _rowEnabled = null!;

    /// <summary>Cycles of this PE.</summary>
    public TimingModel Timing { get; private set; }

    /// <summary>Performance monitors.</summary>
    public PerformanceMonitors Pmu { get; }

    internal Cpu(Machine machine, int index, TimingModel timing)
    {
        Machine = machine;
        Index = index;
        Timing = timing;
        Pmu = new PerformanceMonitors(this);
        _ram = machine.Memory;
        _rowEnabled = machine.RowEnabled;
        EL = 1;
        SPSel = true;
        Daif = 0xF;
        InvalidateTlbAll();
    }

    /// <summary>Forgets the translation of the page that instructions are fetched from.</summary>
    internal void InvalidateFetch()
    {
        _fetchPage = NoPage;
        _fetchEpoch++;
    }

    /// <summary>InGuardedPage of the pseudocode: the current instruction lies in a page that is mapped as guarded.</summary>
    internal bool InGuardedPage => _fetchGuarded;

    /// <summary>Runs until the clock reaches <paramref name="limit"/>, WFI, or a stop request.</summary>
    public void RunUntil(ulong limit)
    {
        while (Timing.Cycles < limit && !Waiting && !Machine.StopRequested)
            Step();
    }

    /// <summary>Executes one instruction, or takes one interrupt.</summary>
    public void Step()
    {
        if ((Daif & 2) == 0 && IrqLine)
        {
            TakeIrq();
            return;
        }
        AccessCount = 0;
        BranchTaken = false;
        if (!Fetch(out uint instruction, out ulong fetchPa))
        {
            TakePendingException();
            return;
        }
        if (Machine.Observer is { WantsInstructions: true } observer)
            observer.OnInstruction(this, instruction);
        NextPC = PC + 4;
        BTypeNext = 0;
        Row row = Decoder.Decode(instruction);
        if (!_rowEnabled[(int)row])
            Undefined();
        else if (FpTrapped && RowInfo.IsFp(row))
            RaiseException(ExceptionClass.TrappedFp, 0x1E00000);
        else if (_fetchGuarded && BType != 0 && !BranchTargetAllowed(row, instruction))
            RaiseException(ExceptionClass.BranchTarget, (uint)BType);
        else
            Dispatch.Execute(this, row, instruction);
        if (_pending)
        {
            UndefinedRow = _pendingClass == ExceptionClass.Unknown ? row : default;
            UndefinedInstruction = instruction;
            if (_pendingAfter)
                Retire(row, instruction, fetchPa);
            TakePendingException();
            return;
        }
        Retire(row, instruction, fetchPa);
        PC = NextPC;
        BType = BTypeNext;
    }

    /// <summary>Encoding of the instruction that last raised an exception.</summary>
    public uint UndefinedInstruction;

    /// <summary>Row of the instruction that was last found UNDEFINED.</summary>
    public Row UndefinedRow;

    private void Retire(Row row, uint instruction, ulong fetchPa)
    {
        Instructions++;
        Timing.Retire(this, row, instruction, fetchPa);
    }

    /// <summary>Whether CPACR_EL1.FPEN traps SIMD and floating-point here.</summary>
    private bool FpTrapped
    {
        get
        {
            ulong fpen = (CPACR_EL1 >> 20) & 3;
            return fpen != 3 && (fpen != 1 || EL == 0);
        }
    }

    private bool Fetch(out uint instruction, out ulong pa)
    {
        instruction = 0;
        if ((PC & ~0xfffUL) != _fetchPage || EL != _fetchEL)
        {
            pa = 0;
            if ((PC & 3) != 0)
            {
                RaiseFault(ExceptionClass.PCAlignment, 0, PC);
                return false;
            }
            if (IL)
            {
                RaiseException(ExceptionClass.IllegalState, 0);
                return false;
            }
            if (!TranslateFetch(PC, out ulong translated, out _fetchGuarded))
                return false;
            _fetchPage = PC & ~0xfffUL;
            _fetchPa = translated & ~0xfffUL;
            _fetchEL = EL;
        }
        else if ((PC & 3) != 0 || IL)
        {
            pa = 0;
            if (IL)
                RaiseException(ExceptionClass.IllegalState, 0);
            else
                RaiseFault(ExceptionClass.PCAlignment, 0, PC);
            return false;
        }
        pa = _fetchPa | (PC & 0xfff);
        instruction = _ram.Read<uint>(pa);
        return true;
    }

    /// <summary>BranchTargetException check (FEAT_BTI): what an indirect branch may land on in a guarded page.</summary>
    private bool BranchTargetAllowed(Row row, uint instruction)
    {
        // HINT space: BTI is 0xD503241F | op2 << 6; PACIASP and PACIBSP are implicit "BTI c" landing pads.
        if ((instruction & 0xFFFFFF3F) == 0xD503241F)
        {
            int kind = (int)(instruction >> 6) & 3;
            return kind switch
            {
                1 => BType is 1 or 2,
                2 => BType is 1 or 3,
                3 => true,
                _ => false,
            };
        }
        if (instruction is 0xD503233F or 0xD503237F)
            return BType is 1 or 2 || (BType == 3 && (SCTLR_EL1 & (EL == 0 ? 1UL << 35 : 1UL << 36)) == 0);
        return row is Row.BRK or Row.HLT;
    }
}
