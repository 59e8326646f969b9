using ArmVdso.Emulator.Memory;
using ArmVdso.Emulator.Processor;
using ArmVdso.Emulator.Semantics;

namespace ArmVdso.Emulator.Engine.Reference;

/// <summary>The reference engine: fetch, decode, execute one instruction at a time. It is the definition of what a
/// program does; faster engines are checked against it, and leave to it what is rare.</summary>
public sealed partial class ReferenceEngine : ExecutionEngine
{
    private const ulong NoPage = 1;
    private readonly Cpu _cpu;
    private readonly IMachine _machine;
    private readonly PhysicalMemory _ram;
    private readonly bool[] _rowEnabled;
    private readonly Row[] _rowExecuted;
    private readonly ulong[] _executed = new ulong[RowInfo.Count];

    // Rows of words that were decoded, found by a hash of the word: a run has few different ones.
    private const int DecodedBits = 12;
    private readonly (uint Word, Row Row)[] _decoded = new (uint, Row)[1 << DecodedBits];

    // The page that instructions come from.
    private ulong _page = NoPage;
    private ulong _pagePa;
    private int _pageEL = -1;

    /// <summary>Instructions that were executed here, by row.</summary>
    internal ReadOnlySpan<ulong> Executed => _executed;

    /// <summary>The engine of one PE.</summary>
    public ReferenceEngine(Cpu cpu)
    {
        _cpu = cpu;
        _machine = cpu.Machine;
        _ram = cpu.Machine.Memory;
        _rowEnabled = cpu.Machine.RowEnabled;
        _rowExecuted = cpu.Machine.RowExecuted;
        _decoded[0] = (0, Decoder.Decode(0));
    }

    /// <inheritdoc/>
    public override void TranslationChanged(ulong page) => _page = NoPage;

    /// <inheritdoc/>
    public override void TranslationsSelected(int context, bool forget) => _page = NoPage;

    /// <inheritdoc/>
    public override void TranslationsChanged() => _page = NoPage;

    /// <inheritdoc/>
    public override void CodeChanged() => _page = NoPage;

    /// <inheritdoc/>
    public override void Run(ulong limit)
    {
        while (_cpu.Timing.Cycles < limit && !_cpu.Waiting && !_machine.TurnEnds)
        {
            if (_machine.Debug is { } debug && debug.Before(_cpu) == DebugAction.Stop)
                return;
            Step();
        }
    }

    /// <inheritdoc/>
    public override void Step()
    {
        Cpu cpu = _cpu;
        if (cpu.InterruptTaken)
        {
            cpu.TakeIrq();
            return;
        }
        bool step = cpu.StepActive;
        if (step && !cpu.SS)
        {
            cpu.TakeStep();
            return;
        }
        cpu.BranchTaken = false;
        if (!Fetch(out uint instruction, out ulong fetchPa))
        {
            cpu.AccessCount = 0;
            cpu.TakePendingException();
            return;
        }
        if (_machine.Observer is { WantsInstructions: true } observer)
            observer.OnInstruction(cpu, instruction);
        cpu.AccessCount = 0;
        cpu.NextPC = cpu.PC + 4;
        cpu.BTypeNext = 0;
        Row row = Decode(instruction);
        _executed[(int)row]++;
        row = _rowExecuted[(int)row];
        if (!_rowEnabled[(int)row])
            cpu.Undefined();
        else if (cpu.FpTrapped && RowInfo.IsFp(row))
            cpu.RaiseException(ExceptionClass.TrappedFp, 0x1E00000);
        else if (cpu.InGuardedPage && cpu.BType != 0 && !BranchTargetAllowed(row, instruction))
            cpu.RaiseException(ExceptionClass.BranchTarget, (uint)cpu.BType);
        else
            Dispatch.Execute(cpu, row, instruction);
        if (cpu.ExceptionPending)
        {
            if (cpu.Held)
            {
                Hold(row, instruction);
                return;
            }
            cpu.UndefinedRow = cpu.PendingClass == ExceptionClass.Unknown ? row : default;
            cpu.UndefinedInstruction = instruction;
            if (cpu.PendingCompletes)
            {
                cpu.Retire(row, instruction, fetchPa);
                cpu.SS = false;
            }
            cpu.TakePendingException();
            return;
        }
        cpu.Retire(row, instruction, fetchPa);
        cpu.PC = cpu.NextPC;
        cpu.BType = cpu.BTypeNext;
        if (step && row is not (Row.ERET or Row.ERETAA or Row.ERETAB))
            cpu.SS = false;
    }

    private Row Decode(uint instruction)
    {
        ref (uint Word, Row Row) known = ref _decoded[instruction * 0x9E3779B1 >> (32 - DecodedBits)];
        if (known.Word != instruction)
            known = (instruction, Decoder.Decode(instruction));
        return known.Row;
    }

    private bool Fetch(out uint instruction, out ulong pa)
    {
        Cpu cpu = _cpu;
        ulong pc = cpu.PC;
        instruction = 0;
        if ((pc & ~0xfffUL) != _page || cpu.EL != _pageEL)
        {
            pa = 0;
            if ((pc & 3) != 0)
            {
                cpu.RaiseFault(ExceptionClass.PCAlignment, 0, pc);
                return false;
            }
            if (cpu.IL)
            {
                cpu.RaiseException(ExceptionClass.IllegalState, 0);
                return false;
            }
            if (!cpu.TranslateFetch(pc, out ulong translated, out cpu.InGuardedPage))
                return false;
            _page = pc & ~0xfffUL;
            _pagePa = translated & ~0xfffUL;
            _pageEL = cpu.EL;
        }
        else if ((pc & 3) != 0 || cpu.IL)
        {
            pa = 0;
            if (cpu.IL)
                cpu.RaiseException(ExceptionClass.IllegalState, 0);
            else
                cpu.RaiseFault(ExceptionClass.PCAlignment, 0, pc);
            return false;
        }
        pa = _pagePa | (pc & 0xfff);
        instruction = _ram.Read<uint>(pa);
        return true;
    }

    /// <summary>BranchTargetException check (FEAT_BTI): what an indirect branch may land on in a guarded page.</summary>
    private bool BranchTargetAllowed(Row row, uint instruction)
    {
        Cpu cpu = _cpu;
        // HINT space: BTI is 0xD503241F | op2 << 6; PACIASP and PACIBSP are implicit "BTI c" landing pads.
        if ((instruction & 0xFFFFFF3F) == 0xD503241F)
        {
            int kind = (int)(instruction >> 6) & 3;
            return kind switch
            {
                1 => cpu.BType is 1 or 2,
                2 => cpu.BType is 1 or 3,
                3 => true,
                _ => false,
            };
        }
        if (instruction is 0xD503233F or 0xD503237F)
            return cpu.BType is 1 or 2 || (cpu.BType == 3 && (cpu.SCTLR_EL1 & (cpu.EL == 0 ? 1UL << 35 : 1UL << 36)) == 0);
        return row is Row.BRK or Row.HLT;
    }
}
