using ArmVdso.Emulator.Isa;

namespace ArmVdso.Emulator.Engine;

/// <summary>Makes operations of instructions: rows that programs execute most get an operation of their own, all others run
/// their reference body, and those that change what the engine relies on (system state, time, the instruction stream) end
/// the block and are left to the reference engine.</summary>
internal static partial class Translator
{
    /// <summary>Register index of a destination that is discarded.</summary>
    internal const int Discard = 32;

    /// <summary>Register index of SP_EL0.</summary>
    internal const int SpEL0 = 33;

    /// <summary>Register index of SP_EL1.</summary>
    internal const int SpEL1 = 34;

    /// <summary>What a translated instruction means for its block.</summary>
    internal enum Kind
    {
        /// <summary>The block goes on.</summary>
        Plain,

        /// <summary>A branch: the last operation of its block.</summary>
        Branch,

        /// <summary>Not for blocks.</summary>
        Reference,
    }

    /// <summary>Translates one instruction.</summary>
    /// <param name="row">Its row.</param>
    /// <param name="i">The encoding.</param>
    /// <param name="pc">Its virtual address.</param>
    /// <param name="sp">Register index of the stack pointer.</param>
    /// <param name="op">The operation.</param>
    internal static Kind Translate(Row row, uint i, ulong pc, int sp, out Op op)
    {
        op = new Op { Code = OpCode.Generic, Row = row, Instruction = i, Wb = Discard };
        int rd = (int)i & 31, rn = (int)(i >> 5) & 31, rm = (int)(i >> 16) & 31, ra = (int)(i >> 10) & 31;
        bool sf = i >> 31 != 0;
        op.Rd = Destination(rd);
        op.Rn = (byte)rn;
        op.Rm = (byte)rm;
        op.Ra = (byte)ra;
        switch (row)
        {
            case Row.ADR:
                return Constant(ref op, pc + Signed(((i >> 5) & 0x7ffff) << 2 | ((i >> 29) & 3), 21));
            case Row.ADRP:
                return Constant(ref op, (pc & ~0xfffUL) + (Signed(((i >> 5) & 0x7ffff) << 2 | ((i >> 29) & 3), 21) << 12));
            case Row.MOVZ:
                return Constant(ref op, Half(i));
            case Row.MOVN:
                return Constant(ref op, sf ? ~Half(i) : (uint)~Half(i));
            case Row.MOVK:
                op.Rn = (byte)rd;
                op.Ra = (byte)(16 * ((i >> 21) & 3));
                op.Imm = (i >> 5) & 0xffff;
                return Set(ref op, sf, OpCode.MovK64);
            case Row.ADD_imm:
            case Row.SUB_imm:
                op.Rd = Base(rd, sp);
                op.Rn = Base(rn, sp);
                op.Imm = Imm12(i);
                if (row == Row.SUB_imm)
                    op.Imm = 0 - op.Imm;
                return Set(ref op, sf, OpCode.AddI64);
            case Row.ADDS_imm:
            case Row.SUBS_imm:
                op.Rn = Base(rn, sp);
                op.Imm = Imm12(i);
                return Set(ref op, sf, row == Row.ADDS_imm ? OpCode.AddsI64 : OpCode.SubsI64);
            case Row.AND_imm:
            case Row.ORR_imm:
            case Row.EOR_imm:
            case Row.ANDS_imm:
                op.Imm = A64.DecodeBitMasks((int)(i >> 22) & 1, ra | (((int)(i >> 15) & 1) << 5), (int)(i >> 16) & 63).Wmask;
                if (!sf)
                    op.Imm = (uint)op.Imm;
                if (row == Row.ANDS_imm)
                    return Set(ref op, sf, OpCode.AndsI64);
                op.Rd = Base(rd, sp);
                if (row == Row.AND_imm)
                    return As(ref op, OpCode.AndI);
                return rn == 31 && row == Row.ORR_imm ? As(ref op, OpCode.Mov) : Set(ref op, sf, row == Row.ORR_imm ? OpCode.OrrI64 : OpCode.EorI64);
            case Row.SBFM:
            case Row.UBFM:
            case Row.BFM:
                return Bitfield(ref op, row, i, sf);
            case Row.EXTR:
                op.Ra = (byte)((i >> 10) & 63);
                return Set(ref op, sf, OpCode.Extr64);
            case Row.ADD_shift: return Shifted(ref op, i, sf, OpCode.Add64, OpCode.AddRot64, OpCode.AddSh64);
            case Row.SUB_shift: return Shifted(ref op, i, sf, OpCode.Sub64, OpCode.SubRot64, OpCode.SubSh64);
            case Row.ADDS_shift: return Shifted(ref op, i, sf, OpCode.Adds64, OpCode.Generic, OpCode.AddsSh64);
            case Row.SUBS_shift: return Shifted(ref op, i, sf, OpCode.Subs64, OpCode.Generic, OpCode.SubsSh64);
            case Row.AND_shift: return Shifted(ref op, i, sf, OpCode.And64, OpCode.AndRot64, OpCode.Generic);
            case Row.ORR_shift:
                return rn == 31 && ((i >> 10) & 63) == 0 ? Set(ref op, sf, OpCode.MovReg64) : Shifted(ref op, i, sf, OpCode.Orr64, OpCode.OrrRot64, OpCode.Generic);
            case Row.EOR_shift: return Shifted(ref op, i, sf, OpCode.Eor64, OpCode.EorRot64, OpCode.Generic);
            case Row.ANDS_shift: return Shifted(ref op, i, sf, OpCode.Ands64, OpCode.Generic, OpCode.AndsSh64);
            case Row.BIC_shift: return Shifted(ref op, i, sf, OpCode.Bic64, OpCode.BicRot64, OpCode.Generic);
            case Row.ORN_shift: return Shifted(ref op, i, sf, OpCode.Orn64, OpCode.OrnRot64, OpCode.Generic);
            case Row.ADD_ext:
            case Row.SUB_ext:
                op.Rd = Base(rd, sp);
                op.Rn = Base(rn, sp);
                op.Extra = (byte)((i >> 13) & 7);
                op.Ra = (byte)((i >> 10) & 7);
                return Set(ref op, sf, row == Row.ADD_ext ? OpCode.AddExt64 : OpCode.SubExt64);
            case Row.CSEL: return Conditional(ref op, i, sf, OpCode.Csel64);
            case Row.CSINC: return Conditional(ref op, i, sf, OpCode.Csinc64);
            case Row.CSINV: return Conditional(ref op, i, sf, OpCode.Csinv64);
            case Row.CSNEG: return Conditional(ref op, i, sf, OpCode.Csneg64);
            case Row.CCMP_reg:
                op.Rd = (byte)(i & 15);
                return Conditional(ref op, i, sf, OpCode.Ccmp64);
            case Row.CCMP_imm:
                op.Rd = (byte)(i & 15);
                op.Imm = (uint)rm;
                return Conditional(ref op, i, sf, OpCode.CcmpI64);
            case Row.MADD: return Set(ref op, sf, OpCode.Madd64);
            case Row.MSUB: return Set(ref op, sf, OpCode.Msub64);
            case Row.SMADDL: return As(ref op, OpCode.Smaddl);
            case Row.UMADDL: return As(ref op, OpCode.Umaddl);
            case Row.SMSUBL: return As(ref op, OpCode.Smsubl);
            case Row.UMSUBL: return As(ref op, OpCode.Umsubl);
            case Row.SMULH: return As(ref op, OpCode.Smulh);
            case Row.UMULH: return As(ref op, OpCode.Umulh);
            case Row.UDIV: return Set(ref op, sf, OpCode.Udiv64);
            case Row.SDIV: return Set(ref op, sf, OpCode.Sdiv64);
            case Row.LSLV: return Set(ref op, sf, OpCode.Lslv64);
            case Row.LSRV: return Set(ref op, sf, OpCode.Lsrv64);
            case Row.ASRV: return Set(ref op, sf, OpCode.Asrv64);
            case Row.RORV: return Set(ref op, sf, OpCode.Rorv64);
            case Row.CLZ: return Set(ref op, sf, OpCode.Clz64);
            case Row.REV_64: return As(ref op, OpCode.Rev64);
            case Row.REV_32: return As(ref op, OpCode.Rev32);
            case Row.MRS when (i & ~31u) == 0xD53BD040: return As(ref op, OpCode.ReadTpidr);
            case Row.MRS when (i & ~31u) == 0xD53BD060: return As(ref op, OpCode.ReadTpidrro);
            default:
                return Branches(ref op, row, i, pc, sf) ?? (LoadStore(ref op, row, i, pc, sp) ? Kind.Plain : Rest(row));
        }
    }

    private static Kind? Branches(ref Op op, Row row, uint i, ulong pc, bool sf)
    {
        ulong near = pc + (Signed((i >> 5) & 0x7ffff, 19) << 2);
        switch (row)
        {
            case Row.B:
            case Row.BL:
                op.Imm = pc + (Signed(i & 0x3ffffff, 26) << 2);
                op.Code = row == Row.B ? OpCode.B : OpCode.Bl;
                return Kind.Branch;
            case Row.B_cond:
                op.Imm = near;
                // AL and NV: always.
                op.Code = (i & 15) >= 14 ? OpCode.B : OpCode.BEq + (ushort)(i & 15);
                return Kind.Branch;
            case Row.CBZ:
            case Row.CBNZ:
                op.Rd = (byte)(i & 31);
                op.Imm = near;
                Set(ref op, sf, row == Row.CBZ ? OpCode.Cbz64 : OpCode.Cbnz64);
                return Kind.Branch;
            case Row.TBZ:
            case Row.TBNZ:
                op.Rd = (byte)(i & 31);
                op.Ra = (byte)(((i >> 26) & 32) | ((i >> 19) & 31));
                op.Imm = pc + (Signed((i >> 5) & 0x3fff, 14) << 2);
                op.Code = row == Row.TBZ ? OpCode.Tbz : OpCode.Tbnz;
                return Kind.Branch;
            case Row.BR:
                op.Code = OpCode.Br;
                return Kind.Branch;
            case Row.BLR:
                op.Code = OpCode.Blr;
                return Kind.Branch;
            case Row.RET:
                op.Code = OpCode.Ret;
                return Kind.Branch;
            default:
                return null;
        }
    }

    private static Kind Rest(Row row)
    {
        if (!RowInfo.HasSemantics(row))
            return Kind.Reference;
        switch (RowInfo.Class(row))
        {
            case TimingClass.Branch or TimingClass.BranchCond or TimingClass.BranchCmp or TimingClass.BranchReg or TimingClass.Call
                or TimingClass.CallReg or TimingClass.Ret or TimingClass.Exception or TimingClass.Eret or TimingClass.Isb or TimingClass.Mrs
                or TimingClass.Msr or TimingClass.Sys or TimingClass.Mops:
                return Kind.Reference;
            case TimingClass.Hint:
                return row is Row.NOP or Row.BTI or Row.YIELD or Row.CSDB or Row.HINT ? Kind.Plain : Kind.Reference;
            default:
                return Kind.Plain;
        }
    }

    private static Kind Bitfield(ref Op op, Row row, uint i, bool sf)
    {
        int size = sf ? 64 : 32;
        int immr = (int)(i >> 16) & 63, imms = (int)(i >> 10) & 63;
        ulong mask = ulong.MaxValue >> (63 - (imms >= immr ? imms - immr : imms));
        switch (row)
        {
            case Row.UBFM:
                op.Imm = mask;
                op.Ra = (byte)(imms >= immr ? immr : size - immr);
                return As(ref op, imms >= immr ? OpCode.Ubfx : OpCode.Ubfiz);
            case Row.SBFM:
                op.Ra = (byte)(size - 1 - imms);
                op.Rm = (byte)(imms >= immr ? size - 1 - imms + immr : immr - imms - 1);
                return Set(ref op, sf, OpCode.Sbf64);
            default:
                (ulong wmask, ulong tmask) = A64.DecodeBitMasks(sf ? 1 : 0, imms, immr);
                op.Imm = wmask & tmask;
                op.Ra = (byte)immr;
                op.Rm = (byte)(i & 31);
                return Set(ref op, sf, OpCode.Bfm64);
        }
    }

    /// <summary>An operation with a shifted register: without a shift, by rotation and mask, or (ASR, and all shifts when there is
    /// no <paramref name="rotated"/>) by kind; Generic where there is no such operation.</summary>
    private static Kind Shifted(ref Op op, uint i, bool sf, OpCode plain, OpCode rotated, OpCode shifted)
    {
        int amount = (int)(i >> 10) & 63, kind = (int)(i >> 22) & 3;
        if (amount == 0)
            return Set(ref op, sf, plain);
        if (kind == 2 || rotated == OpCode.Generic)
        {
            if (shifted == OpCode.Generic)
                return Kind.Plain;
            op.Ra = (byte)amount;
            op.Extra = (byte)kind;
            return Set(ref op, sf, shifted);
        }
        if (rotated == OpCode.AddRot64 && kind == 0 && sf)
        {
            op.Ra = (byte)amount;
            return As(ref op, OpCode.AddLsl64);
        }
        ulong ones = sf ? ulong.MaxValue : uint.MaxValue;
        op.Ra = (byte)(kind == 0 ? (sf ? 64 : 32) - amount : amount);
        op.Imm = kind switch { 0 => ones << amount, 1 => ones >> amount, _ => ones };
        return Set(ref op, sf, rotated);
    }

    private static Kind Conditional(ref Op op, uint i, bool sf, OpCode code)
    {
        op.Ra = (byte)((i >> 12) & 15);
        return Set(ref op, sf, code);
    }

    private static Kind Constant(ref Op op, ulong value)
    {
        op.Imm = value;
        return As(ref op, OpCode.Mov);
    }

    private static Kind As(ref Op op, OpCode code)
    {
        op.Code = code;
        return Kind.Plain;
    }

    /// <summary>The 32-bit form of an operation follows its 64-bit form.</summary>
    private static Kind Set(ref Op op, bool sf, OpCode code) => As(ref op, sf ? code : code + 1);

    private static byte Destination(int register) => (byte)(register == 31 ? Discard : register);

    private static byte Base(int register, int sp) => (byte)(register == 31 ? sp : register);

    private static ulong Imm12(uint i) => (ulong)((i >> 10) & 0xfff) << (int)(12 * ((i >> 22) & 1));

    private static ulong Half(uint i) => (ulong)((i >> 5) & 0xffff) << (int)(16 * ((i >> 21) & 3));

    private static ulong Signed(uint field, int bits) => (ulong)((long)((ulong)field << (64 - bits)) >> (64 - bits));
}
