using ArmVdso.Emulator.Isa;

namespace ArmVdso.Emulator.Engine;

#pragma warning disable CS1591 // Names say it: mnemonic, width of the operation, addressing form.

/// <summary>What an operation does. 64 and 32 are operand widths; I takes <see cref="Op.Imm"/>, Sh a shifted register,
/// Rot a register rotated right by <see cref="Op.Ra"/> and masked by Imm, which LSL, LSR and ROR are.
/// Loads and stores: Off is base + Imm (also literals and pre-indexed forms), Post is base, Reg base + extended register.</summary>
public enum OpCode : ushort
{
    /// <summary>The reference body of the row.</summary>
    Generic,

    /// <summary>End of the block without a branch.</summary>
    End,

    Mov, MovK64, MovK32, MovReg64, MovReg32, ReadTpidr, ReadTpidrro,
    AddI64, AddI32, AddsI64, AddsI32, SubsI64, SubsI32,
    AndI, OrrI64, OrrI32, EorI64, EorI32, AndsI64, AndsI32,
    Ubfx, Ubfiz, Sbf64, Sbf32, Bfm64, Bfm32, Extr64, Extr32,
    Add64, Add32, Sub64, Sub32, Adds64, Adds32, Subs64, Subs32,
    And64, And32, Orr64, Orr32, Eor64, Eor32, Bic64, Bic32, Orn64, Orn32, Ands64, Ands32,
    AddLsl64, AddSh64, AddSh32, SubSh64, SubSh32, AddsSh64, AddsSh32, SubsSh64, SubsSh32,
    AndsSh64, AndsSh32,
    AddRot64, AddRot32, SubRot64, SubRot32, AndRot64, AndRot32, OrrRot64, OrrRot32, EorRot64, EorRot32, BicRot64, BicRot32, OrnRot64, OrnRot32,
    AddExt64, AddExt32, SubExt64, SubExt32,
    Csel64, Csel32, Csinc64, Csinc32, Csinv64, Csinv32, Csneg64, Csneg32,
    Ccmp64, Ccmp32, CcmpI64, CcmpI32,
    Madd64, Madd32, Msub64, Msub32, Smaddl, Umaddl, Smsubl, Umsubl, Smulh, Umulh, Udiv64, Udiv32, Sdiv64, Sdiv32,
    Lslv64, Lslv32, Lsrv64, Lsrv32, Asrv64, Asrv32, Rorv64, Rorv32, Clz64, Clz32, Rev64, Rev32,
    B, Bl, Br, Blr, Ret, Cbz64, Cbz32, Cbnz64, Cbnz32, Tbz, Tbnz,
    BEq, BNe, BCs, BCc, BMi, BPl, BVs, BVc, BHi, BLs, BGe, BLt, BGt, BLe,
    Ld8Off, Ld8Post, Ld8Reg, Ld16Off, Ld16Post, Ld16Reg, Ld32Off, Ld32Post, Ld32Reg, Ld64Off, Ld64Post, Ld64Reg,
    LdS8To64Off, LdS8To64Post, LdS8To64Reg, LdS8To32Off, LdS8To32Post, LdS8To32Reg,
    LdS16To64Off, LdS16To64Post, LdS16To64Reg, LdS16To32Off, LdS16To32Post, LdS16To32Reg,
    LdS32Off, LdS32Post, LdS32Reg,
    St8Off, St8Post, St8Reg, St16Off, St16Post, St16Reg, St32Off, St32Post, St32Reg, St64Off, St64Post, St64Reg,
    Ldp64Off, Ldp64Post, Ldp32Off, Ldp32Post, Stp64Off, Stp64Post, Stp32Off, Stp32Post,
    LdV32Off, LdV32Post, LdV32Reg, LdV64Off, LdV64Post, LdV64Reg, LdV128Off, LdV128Post, LdV128Reg,
    StV32Off, StV32Post, StV32Reg, StV64Off, StV64Post, StV64Reg, StV128Off, StV128Post, StV128Reg,
    LdpV128Off, LdpV128Post, StpV128Off, StpV128Post,
}

#pragma warning restore CS1591

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

    /// <summary>15 when the base is a stack pointer, whose alignment is checked; else 0. Kind of shift or extension otherwise.</summary>
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
public sealed class Block
{
    /// <summary>Number of the block, from 1; no other block of the machine has it.</summary>
    public uint Id;

    /// <summary>Virtual address of the first instruction.</summary>
    public ulong Pc;

    /// <summary>Its physical address.</summary>
    public ulong Pa;

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

    /// <summary>What its timing needs, once it is memoised.</summary>
    internal Timing.BlockSchedule? Schedule;
}
