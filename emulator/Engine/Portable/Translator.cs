using ArmVdso.Emulator.Semantics;
using ArmVdso.Emulator.Timing.Instructions;

namespace ArmVdso.Emulator.Engine.Portable;

/// <summary>Turns instructions into operations. Which rows have operations of their own, and from which fields, is in operations.txt; what
/// else may be in a block runs by its reference body; the rest ends the block and is left to the reference engine.</summary>
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
        if (Operation(row, i, pc, sp, ref op))
            return RowInfo.Flow(row) == Flow.Branch ? Kind.Branch : Kind.Plain;
        bool plain = RowInfo.Flow(row) == Flow.Plain || (row == Row.SYS && EncodingFields.ZeroesBlock(i));
        return RowInfo.HasSemantics(row) && plain ? Kind.Plain : Kind.Reference;
    }

    /// <summary>Fills in an operation of its own; it does not look at the fields that are not named.</summary>
    /// <returns>True.</returns>
    private static bool Is(
        ref Op op, OpCode code, byte rd = 0, byte rn = 0, byte rm = 0, byte ra = 0, byte wb = Discard, byte extra = 0, ulong imm = 0)
    {
        op.Code = code;
        (op.Rd, op.Rn, op.Rm, op.Ra, op.Wb, op.Extra, op.Imm) = (rd, rn, rm, ra, wb, extra, imm);
        return true;
    }

    private static byte Destination(int register) => (byte)(register == 31 ? Discard : register);

    private static byte Base(int register, int sp) => (byte)(register == 31 ? sp : register);

    private static int Size(uint i) => i >> 31 != 0 ? 64 : 32;

    /// <summary>The immediate of AND, ORR, EOR and ANDS.</summary>
    private static ulong LogicalImmediate(uint i)
    {
        ulong mask = A64.DecodeBitMasks((int)(i >> 22) & 1, (int)(i >> 10) & 63, (int)(i >> 16) & 63).Wmask;
        return Size(i) == 64 ? mask : (uint)mask;
    }

    /// <summary>UBFM: ones for the width of the field.</summary>
    private static ulong BitfieldMask(uint i)
    {
        int immr = (int)(i >> 16) & 63, imms = (int)(i >> 10) & 63;
        return ulong.MaxValue >> (63 - (imms >= immr ? imms - immr : imms));
    }

    /// <summary>BFM: the bits that come from the rotated source.</summary>
    private static ulong InsertMask(uint i)
    {
        (ulong wmask, ulong tmask) = A64.DecodeBitMasks((int)(i >> 31), (int)(i >> 10) & 63, (int)(i >> 16) & 63);
        return wmask & tmask;
    }

    /// <summary>The rotation to the right that, with <see cref="ShiftMask"/>, is the LSL, LSR or ROR of a shifted register.</summary>
    private static int ShiftRotation(uint i)
    {
        int amount = (int)(i >> 10) & 63;
        return ((i >> 22) & 3) == 0 ? Size(i) - amount : amount;
    }

    /// <summary>The bits that the shift of a shifted register leaves.</summary>
    private static ulong ShiftMask(uint i)
    {
        int amount = (int)(i >> 10) & 63;
        ulong ones = Size(i) == 64 ? ulong.MaxValue : uint.MaxValue;
        return ((i >> 22) & 3) switch { 0 => ones << amount, 1 => ones >> amount, _ => ones };
    }
}
