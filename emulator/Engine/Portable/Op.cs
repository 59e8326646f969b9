using ArmVdso.Emulator.Processor;
using ArmVdso.Emulator.Timing.Memo;

namespace ArmVdso.Emulator.Engine.Portable;

/// <summary>One decoded instruction, 24 bytes. Register numbers index the general registers with the extra places of
/// <see cref="GeneralRegisters"/>: a destination that is discarded and the two stack pointers, so that no operation asks
/// what number 31 means.</summary>
public struct Op
{
    /// <summary>What to do.</summary>
    public OpCode Code;

    /// <summary>Destination, or the register that is stored or tested.</summary>
    public byte Rd;

    /// <summary>First source; the base of loads and stores.</summary>
    public byte Rn;

    /// <summary>Second source; the index register of loads and stores.</summary>
    public byte Rm;

    /// <summary>Third source, second register of a pair, condition, or shift amount.</summary>
    public byte Ra;

    /// <summary>Register that the address is written back to; the discarded one when there is no write-back.</summary>
    public byte Wb;

    /// <summary>15 when the base is a stack pointer, whose alignment is checked; else 0. Kind of shift or extension,
    /// or BTYPE after an indirect branch, otherwise.</summary>
    public byte Extra;

    /// <summary>Immediate, mask, or branch target, computed.</summary>
    public ulong Imm;

    /// <summary>The encoding.</summary>
    public uint Instruction;

    /// <summary>Bytes from the start of the block.</summary>
    public ushort Offset;

    /// <summary>Row of the instruction table.</summary>
    public Row Row;
}

/// <summary>A run of operations inside one page, entered only at its start.</summary>
public sealed class Block : TimedBlock
{
    /// <summary>EL and stack pointer selection that the block was made for.</summary>
    public int Mode;

    /// <summary>The operations; the last one ends the block.</summary>
    public Op[] Ops = [];

    /// <summary>Instructions that must be left to run before the block may be entered; <see cref="Never"/> when the first
    /// instruction is one for the reference engine.</summary>
    public long Count;

    /// <summary>A <see cref="Count"/> that no budget reaches.</summary>
    public const long Never = long.MaxValue;

    /// <summary>Lies in a guarded page.</summary>
    public bool Guarded;

    /// <summary>Uses SIMD and floating-point registers, which CPACR_EL1 may trap.</summary>
    public bool HasFp;

    /// <summary>False once its instructions may have changed.</summary>
    public bool Valid = true;

    /// <summary>Block at the branch target, when it lies in the same page.</summary>
    public Block? Taken;

    /// <summary>Block behind this one, when it lies in the same page.</summary>
    public Block? Next;

    /// <summary>Native code of the block; 0 when there is none.</summary>
    internal ulong Code;

    /// <summary>How often the block was executed, as long as that matters.</summary>
    internal int Runs;

    internal override bool AtEL0 => Mode == 0;

    internal override int InstructionCount => Count == Never ? 0 : (int)Count;

    internal override (Row Row, uint Encoding) Instruction(int index) => (Ops[index].Row, Ops[index].Instruction);
}
