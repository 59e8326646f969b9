using ArmVdso.Emulator.Isa;

namespace ArmVdso.Emulator.Engine;

/// <summary>Loads and stores.</summary>
internal static partial class Translator
{
    private static bool LoadStore(ref Op op, Row row, uint i, ulong pc, int sp)
    {
        op.Rd = Destination((int)i & 31);
        int size = (int)(i >> 30);
        switch (row)
        {
            case Row.LDR_lit: return Literal(ref op, i, pc, size != 0 ? OpCode.Ld64Off : OpCode.Ld32Off);
            case Row.LDRSW_lit: return Literal(ref op, i, pc, OpCode.LdS32Off);
            case Row.LDRB_imm or Row.LDRB_post or Row.LDRB_pre or Row.LDRB_reg or Row.LDURB: return Address(ref op, i, 0, sp, OpCode.Ld8Off);
            case Row.LDRH_imm or Row.LDRH_post or Row.LDRH_pre or Row.LDRH_reg or Row.LDURH: return Address(ref op, i, 1, sp, OpCode.Ld16Off);
            case Row.LDR_imm or Row.LDR_post or Row.LDR_pre or Row.LDR_reg or Row.LDUR:
                return Address(ref op, i, size, sp, size == 3 ? OpCode.Ld64Off : OpCode.Ld32Off);
            case Row.LDRSB_imm or Row.LDRSB_post or Row.LDRSB_pre or Row.LDRSB_reg or Row.LDURSB:
                return Address(ref op, i, 0, sp, (i & 1 << 22) != 0 ? OpCode.LdS8To32Off : OpCode.LdS8To64Off);
            case Row.LDRSH_imm or Row.LDRSH_post or Row.LDRSH_pre or Row.LDRSH_reg or Row.LDURSH:
                return Address(ref op, i, 1, sp, (i & 1 << 22) != 0 ? OpCode.LdS16To32Off : OpCode.LdS16To64Off);
            case Row.LDRSW_imm or Row.LDRSW_post or Row.LDRSW_pre or Row.LDRSW_reg or Row.LDURSW: return Address(ref op, i, 2, sp, OpCode.LdS32Off);
            case Row.STRB_imm or Row.STRB_post or Row.STRB_pre or Row.STRB_reg or Row.STURB: return Stored(ref op, i, 0, sp, OpCode.St8Off);
            case Row.STRH_imm or Row.STRH_post or Row.STRH_pre or Row.STRH_reg or Row.STURH: return Stored(ref op, i, 1, sp, OpCode.St16Off);
            case Row.STR_imm or Row.STR_post or Row.STR_pre or Row.STR_reg or Row.STUR:
                return Stored(ref op, i, size, sp, size == 3 ? OpCode.St64Off : OpCode.St32Off);
            case Row.LDP_off or Row.LDP_post or Row.LDP_pre or Row.LDNP:
                op.Ra = Destination((int)(i >> 10) & 31);
                return Pair(ref op, i, 2 + (size >> 1), sp, size != 0 ? OpCode.Ldp64Off : OpCode.Ldp32Off);
            case Row.STP_off or Row.STP_post or Row.STP_pre or Row.STNP:
                op.Rd = (byte)(i & 31);
                op.Ra = (byte)((i >> 10) & 31);
                return Pair(ref op, i, 2 + (size >> 1), sp, size != 0 ? OpCode.Stp64Off : OpCode.Stp32Off);
            case Row.LDR_fp_imm or Row.LDR_fp_post or Row.LDR_fp_pre or Row.LDR_fp_reg or Row.LDUR_fp:
                return Vector(ref op, i, sp, OpCode.LdV32Off);
            case Row.STR_fp_imm or Row.STR_fp_post or Row.STR_fp_pre or Row.STR_fp_reg or Row.STUR_fp:
                return Vector(ref op, i, sp, OpCode.StV32Off);
            case Row.LDP_fp_off or Row.LDP_fp_post or Row.LDP_fp_pre or Row.LDNP_fp when size == 2:
                return VectorPair(ref op, i, sp, OpCode.LdpV128Off);
            case Row.STP_fp_off or Row.STP_fp_post or Row.STP_fp_pre or Row.STNP_fp when size == 2:
                return VectorPair(ref op, i, sp, OpCode.StpV128Off);
            default:
                return false;
        }
    }

    private static bool Literal(ref Op op, uint i, ulong pc, OpCode code)
    {
        op.Rn = 31;
        op.Imm = pc + (Signed((i >> 5) & 0x7ffff, 19) << 2);
        op.Code = code;
        return true;
    }

    private static bool Stored(ref Op op, uint i, int scale, int sp, OpCode code)
    {
        op.Rd = (byte)(i & 31);
        return Address(ref op, i, scale, sp, code);
    }

    /// <summary>Addressing forms of one register; <paramref name="off"/> is the Off form, Post and Reg follow it.</summary>
    private static bool Address(ref Op op, uint i, int scale, int sp, OpCode off)
    {
        SetBase(ref op, i, sp);
        op.Code = off;
        if ((i & 1 << 24) != 0)
        {
            op.Imm = (ulong)((i >> 10) & 0xfff) << scale;
            return true;
        }
        if ((i & 1 << 21) != 0)
        {
            op.Code = off + 2;
            op.Imm = (i & 1 << 12) != 0 ? (ulong)scale : 0;
            op.Ra = (byte)((i >> 13) & 7);
            return true;
        }
        op.Imm = Signed((i >> 12) & 0x1ff, 9);
        switch ((i >> 10) & 3)
        {
            case 1:
                op.Code = off + 1;
                op.Wb = op.Rn;
                return true;
            case 3:
                op.Wb = op.Rn;
                return true;
            default:
                return true;
        }
    }

    private static bool Pair(ref Op op, uint i, int scale, int sp, OpCode off)
    {
        SetBase(ref op, i, sp);
        op.Imm = Signed((i >> 15) & 0x7f, 7) << scale;
        int form = (int)(i >> 23) & 3;
        op.Code = form == 1 ? off + 1 : off;
        if (form is 1 or 3)
            op.Wb = op.Rn;
        return true;
    }

    private static bool Vector(ref Op op, uint i, int sp, OpCode v32)
    {
        int scale = (int)((i >> 21) & 4) + (int)(i >> 30);
        if (scale is 0 or 1 or > 4)
            return false;
        op.Rd = (byte)(i & 31);
        return Address(ref op, i, scale, sp, v32 + (ushort)(3 * (scale - 2)));
    }

    private static bool VectorPair(ref Op op, uint i, int sp, OpCode off)
    {
        op.Rd = (byte)(i & 31);
        op.Ra = (byte)((i >> 10) & 31);
        return Pair(ref op, i, 4, sp, off);
    }

    private static void SetBase(ref Op op, uint i, int sp)
    {
        int rn = (int)(i >> 5) & 31;
        op.Rn = Base(rn, sp);
        op.Rm = (byte)((i >> 16) & 31);
        op.Extra = (byte)(rn == 31 ? 15 : 0);
    }
}
