using ArmVdso.Emulator.Timing;
using ArmVdso.Emulator.Timing.Events;

namespace ArmVdso.Emulator.Processor;

/// <summary>Kinds of branches, as the pseudocode's <c>BranchType</c>.</summary>
public enum BranchType : byte
{
    /// <summary>Direct branch without link.</summary>
    Direct,

    /// <summary>Direct branch with link (BL).</summary>
    DirectCall,

    /// <summary>Indirect branch without link (BR).</summary>
    Indirect,

    /// <summary>Indirect branch with link (BLR).</summary>
    IndirectCall,

    /// <summary>Function return (RET).</summary>
    Return,

    /// <summary>Exception return (ERET).</summary>
    ExceptionReturn,
}

/// <summary>The 32 general registers; element 31 is storage that stays zero (XZR). Behind them: a place for results that are
/// discarded (32), SP_EL0 (33) and SP_EL1 (34), so that decoded operations name any operand by a number.</summary>
[InlineArray(35)]
public struct GeneralRegisters
{
    private ulong _first;
}

/// <summary>The 32 SIMD and floating-point registers.</summary>
[InlineArray(32)]
public struct VectorRegisters
{
    private V128 _first;
}

/// <summary>One processing element (PE): registers, PSTATE, exceptions and its view of memory. It is
/// split by meaning over <c>Cpu.*.cs</c>. Engines drive it; semantics in <c>A64</c> change it.</summary>
public sealed partial class Cpu : ProcessingElement
{
    private GeneralRegisters _x;
    private VectorRegisters _v;

    /// <summary>Index of this PE in the machine, from 0.</summary>
    public int Index { get; }

    /// <summary>The machine that this PE belongs to.</summary>
    public IMachine Machine { get; }

    /// <summary>What executes this PE's instructions.</summary>
    internal ExecutionEngine Engine { get; private set; } = null!;

    /// <summary>Cycles of this PE.</summary>
    public TimingModel Timing { get; private set; }

    /// <summary>Performance monitors.</summary>
    public PerformanceMonitors Pmu { get; }

    /// <summary>A PE at reset. It executes once it has an engine (<see cref="Attach"/>).</summary>
    internal Cpu(IMachine machine, int index, TimingModel timing)
    {
        Machine = machine;
        Index = index;
        Timing = timing;
        Pmu = new PerformanceMonitors(this);
        _ram = machine.Memory;
        Monitors = machine.Monitors;
        EL = 1;
        SPSel = true;
        Daif = 0xF;
        _context = _contexts[0];
        _tlb = _context.Entries;
    }

    /// <summary>From now on this engine executes the PE's instructions.</summary>
    internal void Attach(ExecutionEngine engine)
    {
        Engine = engine;
        InvalidateTlbAll();
        Engine.TranslationsChanged();
        SelectContext();
    }

    /// <summary>Executes one instruction, or takes one interrupt.</summary>
    public void Step() => Engine.Step();

    /// <inheritdoc/>
    internal override ulong Quotient(int register) => X(register);

    /// <summary>An instruction has completed: it is counted, and timed with its accesses and its branch.</summary>
    /// <param name="row">Its row in the instruction table.</param>
    /// <param name="instruction">The encoding.</param>
    /// <param name="fetchPa">Physical address it was fetched from.</param>
    internal void Retire(Row row, uint instruction, ulong fetchPa)
    {
        Instructions++;
        Timing.Retire(this, row, instruction, fetchPa);
    }

    /// <summary>Puts another timing model in place; returns the one that was there.</summary>
    internal TimingModel SwapTiming(TimingModel timing)
    {
        TimingModel old = Timing;
        Timing = timing;
        return old;
    }

    /// <summary>The general registers as engines index them: see <see cref="GeneralRegisters"/>.</summary>
    internal ref ulong FirstGeneral => ref Unsafe.As<GeneralRegisters, ulong>(ref _x);

    /// <summary>Vector register 0; the others follow it.</summary>
    internal ref V128 FirstVector => ref Unsafe.As<VectorRegisters, V128>(ref _v);

    /// <summary>PSTATE.N.</summary>
    public bool N;

    /// <summary>PSTATE.Z.</summary>
    public bool Z;

    /// <summary>PSTATE.C.</summary>
    public bool C;

    /// <summary>PSTATE.V (named so because V is the vector file).</summary>
    public bool O;

    /// <summary>PSTATE.D, A, I, F as bits 3..0, masked when set.</summary>
    public int Daif;

    /// <summary>PSTATE.SP: 0 selects SP_EL0 at EL1.</summary>
    public bool SPSel;

    /// <summary>PSTATE.PAN.</summary>
    public bool PAN;

    /// <summary>PSTATE.UAO.</summary>
    public bool UAO;

    /// <summary>PSTATE.DIT.</summary>
    public bool DIT;

    /// <summary>PSTATE.SSBS.</summary>
    public bool SSBS;

    /// <summary>PSTATE.TCO.</summary>
    public bool TCO;

    /// <summary>PSTATE.BTYPE (2 bits), of the instruction being executed.</summary>
    public int BType;

    /// <summary>PSTATE.BTYPE for the next instruction; zero unless an indirect branch set it.</summary>
    public int BTypeNext;

    /// <summary>PSTATE.IL.</summary>
    public bool IL;

    /// <summary>PSTATE.SS (software step).</summary>
    public bool SS;

    /// <summary>SP_EL0.</summary>
    public ulong SP_EL0
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _x[33];
        set => _x[33] = value;
    }

    /// <summary>SP_EL1.</summary>
    public ulong SP_EL1
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => _x[34];
        set => _x[34] = value;
    }

    /// <summary>FPCR; only the bits that the CPU profile has are writable.</summary>
    public uint FPCR;

    /// <summary>FPSR: QC (27) and the cumulative exception bits.</summary>
    public uint FPSR;

    /// <summary>Instructions executed by this PE (each that completed without an exception, and SVC/HVC).</summary>
    public ulong Instructions;

    /// <summary>General register n as 64 bits; 31 is XZR.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong X(int n) => _x[n & 31];

    /// <summary>Writes general register n; 31 is discarded.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetX(int n, ulong value)
    {
        if (n != 31)
            _x[n & 31] = value;
    }

    /// <summary>Low word of general register n; 31 is WZR.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public uint W(int n) => (uint)_x[n & 31];

    /// <summary>Writes a word to general register n and clears the upper half; 31 is discarded.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetW(int n, uint value) => SetX(n, value);

    /// <summary>X(n) when sf is 1, W(n) zero-extended when 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong R(int sf, int n) => sf != 0 ? _x[n & 31] : (uint)_x[n & 31];

    /// <summary>Writes X(n) when sf is 1, else W(n).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetR(int sf, int n, ulong value) => SetX(n, sf != 0 ? value : (uint)value);

    /// <summary>X(n), or the current stack pointer for 31.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ulong XSP(int n) => n == 31 ? SP : _x[n & 31];

    /// <summary>Writes X(n), or the current stack pointer for 31.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetXSP(int n, ulong value)
    {
        if (n == 31)
            SP = value;
        else
            _x[n & 31] = value;
    }

    /// <summary>The stack pointer that the current EL and SPSel select.</summary>
    public ulong SP
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => EL == 0 || !SPSel ? SP_EL0 : SP_EL1;
        set
        {
            if (EL == 0 || !SPSel)
                SP_EL0 = value;
            else
                SP_EL1 = value;
        }
    }

    /// <summary>Vector register n.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V128 V(int n) => _v[n & 31];

    /// <summary>Writes all 128 bits of vector register n.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetV(int n, V128 value) => _v[n & 31] = value;

    /// <summary>Writes the low half of vector register n and clears the rest (every scalar and 64-bit write does).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void SetVLow(int n, ulong low) => _v[n & 31] = new V128(low, 0);

    /// <summary>PSTATE.NZCV as a 4-bit number, N highest.</summary>
    public int NZCV
    {
        get => (N ? 8 : 0) | (Z ? 4 : 0) | (C ? 2 : 0) | (O ? 1 : 0);
        set
        {
            N = (value & 8) != 0;
            Z = (value & 4) != 0;
            C = (value & 2) != 0;
            O = (value & 1) != 0;
        }
    }

    /// <summary>ConditionHolds of the Arm pseudocode.</summary>
    public bool ConditionHolds(int cond)
    {
        bool result = (cond >> 1) switch
        {
            0 => Z,
            1 => C,
            2 => N,
            3 => O,
            4 => C && !Z,
            5 => N == O,
            6 => N == O && !Z,
            _ => true,
        };
        return (cond & 1) != 0 && cond != 15 ? !result : result;
    }

    /// <summary>BranchTo of the Arm pseudocode: the next instruction is fetched from <paramref name="target"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void BranchTo(ulong target, BranchType type)
    {
        // Only a register can hold a tagged or unsigned target.
        NextPC = type >= BranchType.Indirect ? BranchAddr(target) : target;
        BranchTaken = true;
        BranchKind = type;
    }

    /// <summary>Kind of the branch that was taken.</summary>
    public BranchType BranchKind;

    /// <inheritdoc/>
    public override string ToString() => $"cpu{Index} EL{EL} pc=0x{PC:x}";
}
