using System.Numerics;
using ArmVdso.Emulator.Engine.Portable;

namespace ArmVdso.Emulator.Engine.Native;

/// <summary>Rows that move vectors, elements and numbers.</summary>
internal sealed partial class Emitter
{
    private bool EmitMove(in Op op)
    {
        uint i = op.Instruction;
        return op.Row switch
        {
            Row.DUP_gen => DuplicateGeneral(i),
            Row.DUP_elt => DuplicateElement(i),
            Row.DUP_s => ElementToScalar(i),
            Row.UMOV => ElementToGeneral(op, false),
            Row.SMOV => ElementToGeneral(op, true),
            Row.INS_gen => InsertGeneral(i),
            Row.INS_elt => InsertElement(i),
            Row.FMOV_ws => VectorToGeneral(op, 32, 0),
            Row.FMOV_xd => VectorToGeneral(op, 64, 0),
            Row.FMOV_xtop => VectorToGeneral(op, 64, 1),
            Row.FMOV_sw => GeneralToVector(i, 32),
            Row.FMOV_dx => GeneralToVector(i, 64),
            Row.FMOV_topx => GeneralToTop(i),
            Row.FMOV_s => MoveScalar(i),
            Row.MOVI_b => Immediate(i, 0x0101010101010101 * Imm8(i)),
            Row.MOVI_h => Immediate(i, 0x0001000100010001 * (Imm8(i) << (8 * ((int)(i >> 13) & 1)))),
            Row.MOVI_w => Immediate(i, 0x0000000100000001 * (Imm8(i) << (8 * ((int)(i >> 13) & 3)))),
            Row.MVNI_h => Immediate(i, ~(0x0001000100010001 * (Imm8(i) << (8 * ((int)(i >> 13) & 1))))),
            Row.MVNI_w => Immediate(i, ~(0x0000000100000001 * (Imm8(i) << (8 * ((int)(i >> 13) & 3))))),
            Row.MOVI_d => Immediate(i, ByteMask(Imm8(i))),
            _ => EmitLanes(op),
        };
    }

    /// <summary>abc:defgh of a modified immediate.</summary>
    private static ulong Imm8(uint i) => (i >> 16 & 7) << 5 | (i >> 5 & 31);

    private static ulong ByteMask(ulong bits)
    {
        ulong mask = 0;
        for (int n = 0; n < 8; n++)
            mask |= (bits >> n & 1) * 0xFFUL << (8 * n);
        return mask;
    }

    private bool Immediate(uint i, ulong value)
    {
        int result = ResultFor(Rd(i));
        if (value == 0)
            SetZero(result);
        else
            SetVector(result, value, IsLong(i) ? value : 0);
        PutRegister(Rd(i), result, IsLong(i) ? 16 : 8);
        return true;
    }

    // imm5: the lowest bit that is set says the size, those above it the index.
    private static int ElementSize(uint i) => BitOperations.TrailingZeroCount((i >> 16 & 31) | 32);

    private Operand Element(int register, int size, int index) => Operand.At(State, _vectors + 16 * register + (index << size));

    private Operand Imm5Element(uint i, int register)
    {
        int size = ElementSize(i);
        return Element(register, size, (int)(i >> 16 & 31) >> (size + 1));
    }

    private static int Broadcast(int size) => size switch { 0 => 0x78, 1 => 0x79, 2 => 0x58, _ => 0x59 };

    private bool DuplicateGeneral(uint i)
    {
        int size = ElementSize(i);
        if (size > 3)
            return false;
        _a.Vex(1, 1, 0x6E, 0, 0, Fetch(Rn(i), Gpr.Rax), size == 3); // VMOVD, VMOVQ
        _a.Vex(2, 1, Broadcast(size), 0, 0, Operand.Xmm(0));
        return PutVector(i);
    }

    private bool DuplicateElement(uint i)
    {
        int size = ElementSize(i);
        if (size > 3)
            return false;
        _a.Vex(2, 1, Broadcast(size), 0, 0, Imm5Element(i, Rn(i)));
        return PutVector(i);
    }

    private void LoadElement(Gpr host, int size, in Operand element)
    {
        if (size < 2)
            _a.ZeroExtend(8 << size, host, element);
        else
            _a.Mov(8 << size, host, element);
    }

    private bool ElementToScalar(uint i)
    {
        if (ElementSize(i) > 3)
            return false;
        LoadElement(Gpr.Rax, ElementSize(i), Imm5Element(i, Rn(i)));
        return PutLow(Rd(i));
    }

    private bool ElementToGeneral(in Op op, bool signed)
    {
        uint i = op.Instruction;
        int size = ElementSize(i);
        if (size > 3)
            return false;
        if (signed)
            _a.SignExtend(8 << size, IsLong(i) ? 64 : 32, Gpr.Rax, Imm5Element(i, Rn(i)));
        else
            LoadElement(Gpr.Rax, size, Imm5Element(i, Rn(i)));
        PutGeneral(i);
        return true;
    }

    /// <summary>The general register Rd gets RAX.</summary>
    private void PutGeneral(uint i) => Put(Rd(i) == 31 ? Translator.Discard : Rd(i), Gpr.Rax);

    private bool InsertGeneral(uint i)
    {
        int size = ElementSize(i);
        if (size > 3)
            return false;
        _a.Store(8 << size, Imm5Element(i, Rd(i)), Fetch(Rn(i), Gpr.Rax));
        return true;
    }

    private bool InsertElement(uint i)
    {
        int size = ElementSize(i);
        if (size > 3)
            return false;
        LoadElement(Gpr.Rax, size, Element(Rn(i), size, (int)(i >> 11 & 15) >> size));
        _a.Store(8 << size, Imm5Element(i, Rd(i)), Gpr.Rax);
        return true;
    }

    private bool VectorToGeneral(in Op op, int bits, int half)
    {
        uint i = op.Instruction;
        if (half == 0)
            GetBits(bits, Gpr.Rax, Rn(i));
        else
            _a.Mov(bits, Gpr.Rax, Half(Rn(i), half));
        PutGeneral(i);
        return true;
    }

    private bool GeneralToVector(uint i, int bits)
    {
        Get(bits, Gpr.Rax, Rn(i));
        return PutLow(Rd(i));
    }

    private bool GeneralToTop(uint i)
    {
        _a.Store(64, Half(Rd(i), 1), Fetch(Rn(i), Gpr.Rax));
        return true;
    }

    private bool MoveScalar(uint i)
    {
        int result = ResultFor(Rd(i)), bytes = IsDouble(i) ? 8 : 4;
        if (IsHeldVector(Rn(i)))
            GetLow(result, _vectorHosts[Rn(i)], bytes);
        else
            MoveVector(bytes, result, Vector(Rn(i)), false);
        PutRegister(Rd(i), result, bytes);
        return true;
    }

    /// <summary>A general register of the host gets the lowest bits of a vector.</summary>
    private void GetBits(int bits, Gpr host, int register)
    {
        if (IsHeldVector(register))
            _a.Vex(1, 1, 0x7E, _vectorHosts[register], 0, host, bits == 64); // VMOVQ, VMOVD
        else
            _a.Mov(bits, host, Vector(register));
    }
}
