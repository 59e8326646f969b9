using System.Numerics;
using ArmVdso.Emulator.Engine.Portable;

namespace ArmVdso.Emulator.Engine.Native;

/// <summary>Rows of Advanced SIMD on integers, and moves. What the host does otherwise, or not in a few instructions, stays with the
/// reference body. Vectors are in memory between instructions.</summary>
internal sealed partial class Emitter
{
    private EFlags? EmitVector(in Op op)
    {
        uint i = op.Instruction;
        bool emitted = op.Row switch
        {
            Row.AND_v => Logical(i, 0xDB),
            Row.ORR_v => Logical(i, 0xEB),
            Row.EOR_v => Logical(i, 0xEF),
            Row.BIC_v => AndNot(i),
            Row.ORN_v => OrNot(i),
            Row.NOT_v => Not(i),
            Row.BSL_v => Choose(i, Rd(i), Rn(i), Rm(i)),
            Row.BIT_v => Choose(i, Rm(i), Rn(i), Rd(i)),
            Row.BIF_v => Choose(i, Rm(i), Rd(i), Rn(i)),
            Row.ADD_v => Lanes(i, Size(i) switch { 0 => 0xFC, 1 => 0xFD, 2 => 0xFE, _ => 0xD4 }),
            Row.SUB_v => Lanes(i, Size(i) switch { 0 => 0xF8, 1 => 0xF9, 2 => 0xFA, _ => 0xFB }),
            Row.MUL_v => Lanes(i, Size(i) switch { 1 => 0xD5, 2 => 0x240, _ => 0 }),
            Row.UMAX_v => Lanes(i, MaxUnsigned(Size(i))),
            Row.UMIN_v => Lanes(i, Size(i) switch { 0 => 0xDA, 1 => 0x23A, 2 => 0x23B, _ => 0 }),
            Row.SMAX_v => Lanes(i, Size(i) switch { 0 => 0x23C, 1 => 0xEE, 2 => 0x23D, _ => 0 }),
            Row.SMIN_v => Lanes(i, Size(i) switch { 0 => 0x238, 1 => 0xEA, 2 => 0x239, _ => 0 }),
            Row.CMEQ_v => Lanes(i, Equal(Size(i))),
            Row.CMGT_v => Lanes(i, Greater(Size(i))),
            Row.CMGE_v => CompareInverted(i, Greater(Size(i)), Rm(i), Rn(i)),
            Row.CMHS_v => CompareUnsigned(i, Rn(i), Rm(i), false),
            Row.CMHI_v => CompareUnsigned(i, Rm(i), Rn(i), true),
            Row.CMTST_v => TestBits(i),
            Row.CMEQ_z_v => CompareZero(i, Equal(Size(i)), false, false),
            Row.CMGT_z_v => CompareZero(i, Greater(Size(i)), false, false),
            Row.CMLE_z_v => CompareZero(i, Greater(Size(i)), false, true),
            Row.CMLT_z_v => CompareZero(i, Greater(Size(i)), true, false),
            Row.CMGE_z_v => CompareZero(i, Greater(Size(i)), true, true),
            Row.UMAXP_v => Size(i) == 0 && PairBytes(i, 0xDE),
            Row.UMINP_v => Size(i) == 0 && PairBytes(i, 0xDA),
            Row.ADDP_v => AddPairs(i),
            Row.ADDP_s => AddHalves(i),
            Row.ADD_s => AddScalars(i, Alu.Add),
            Row.SUB_s => AddScalars(i, Alu.Sub),
            Row.USHR_v => ShiftRight(i, 2),
            Row.SSHR_v => ShiftRight(i, 4),
            Row.SHL_v => ShiftLeft(i),
            Row.SHRN_v => NarrowHalves(i, 2 * ImmhSize(i) - ((int)(i >> 16) & 127), ImmhSize(i)),
            Row.XTN_v => NarrowHalves(i, 0, 8 << Size(i)),
            Row.USHLL_v => Widen(i, 0x30),
            Row.SSHLL_v => Widen(i, 0x20),
            Row.EXT => ExtractBytes(i),
            Row.ZIP1 => Zip(i, 0x60, false),
            Row.ZIP2 => Zip(i, 0x68, true),
            Row.TBL => Look(i),
            _ => EmitMove(op),
        };
        return emitted ? EFlags.Unknown : EmitCompare(op);
    }

    // Fields
    private static int Rd(uint i) => (int)i & 31;

    private static int Rn(uint i) => (int)(i >> 5) & 31;

    private static int Rm(uint i) => (int)(i >> 16) & 31;

    private static int Size(uint i) => (int)(i >> 22) & 3;

    private static bool IsLong(uint i) => (i >> 30 & 1) != 0;

    /// <summary>Bits of an element, which the highest bit of immh says.</summary>
    private static int ImmhSize(uint i) => 8 << BitOperations.Log2((i >> 19 & 15) | 1);

    // Opcodes of the host by the size of elements: those above 0x200 are of the map 0F38; 0: there is none.
    private static int Equal(int size) => size switch { 0 => 0x74, 1 => 0x75, 2 => 0x76, _ => 0x229 };

    private static int Greater(int size) => size switch { 0 => 0x64, 1 => 0x65, 2 => 0x66, _ => 0x237 };

    private static int MaxUnsigned(int size) => size switch { 0 => 0xDE, 1 => 0x23E, 2 => 0x23F, _ => 0 };

    /// <summary>XMM := XMM second, operand.</summary>
    private void Packed(int opcode, int xmm, int second, in Operand operand) =>
        _a.Vex(opcode >= 0x200 ? 2 : 1, 1, opcode & 0xFF, xmm, second, operand);

    private void GetVector(int xmm, int register) => MoveVector(16, xmm, Source(register), false);

    /// <summary>The destination gets XMM0, of which only the low half counts in a short form.</summary>
    private bool PutVector(uint i)
    {
        if (!IsLong(i))
            _a.Vex(1, 2, 0x7E, 0, 0, Operand.Xmm(0)); // VMOVQ clears the upper half.
        PutRegister(Rd(i), 0, IsLong(i) ? 16 : 8);
        return true;
    }

    private void SetOnes(int xmm) => Packed(0x76, xmm, xmm, Operand.Xmm(xmm));

    private void SetZero(int xmm) => Packed(0xEF, xmm, xmm, Operand.Xmm(xmm));

    /// <summary>Inverts XMM0; XMM1 is lost.</summary>
    private void Invert()
    {
        SetOnes(1);
        Packed(0xEF, 0, 0, Operand.Xmm(1));
    }

    private bool Logical(uint i, int opcode)
    {
        GetVector(0, Rn(i));
        if (Rn(i) != Rm(i) || opcode == 0xEF)
            Packed(opcode, 0, 0, Source(Rm(i)));
        return PutVector(i);
    }

    private bool AndNot(uint i)
    {
        GetVector(0, Rm(i));
        Packed(0xDF, 0, 0, Source(Rn(i)));
        return PutVector(i);
    }

    private bool OrNot(uint i)
    {
        GetVector(0, Rm(i));
        Invert();
        Packed(0xEB, 0, 0, Source(Rn(i)));
        return PutVector(i);
    }

    private bool Not(uint i)
    {
        GetVector(0, Rn(i));
        Invert();
        return PutVector(i);
    }

    /// <summary>Bits of one register where the mask is 1, of another where it is 0.</summary>
    private bool Choose(uint i, int mask, int ones, int zeros)
    {
        GetVector(1, mask);
        Packed(0xDB, 0, 1, Source(ones));
        Packed(0xDF, 1, 1, Source(zeros));
        Packed(0xEB, 0, 0, Operand.Xmm(1));
        return PutVector(i);
    }

    private bool Lanes(uint i, int opcode)
    {
        if (opcode == 0)
            return false;
        GetVector(0, Rn(i));
        Packed(opcode, 0, 0, Source(Rm(i)));
        return PutVector(i);
    }

    private bool CompareInverted(uint i, int opcode, int left, int right)
    {
        GetVector(0, left);
        Packed(opcode, 0, 0, Source(right));
        Invert();
        return PutVector(i);
    }

    /// <summary>left >= right is max(left, right) == left.</summary>
    private bool CompareUnsigned(uint i, int left, int right, bool inverted)
    {
        if (Size(i) == 3)
            return false;
        GetVector(0, left);
        Packed(MaxUnsigned(Size(i)), 0, 0, Source(right));
        Packed(Equal(Size(i)), 0, 0, Source(left));
        if (inverted)
            Invert();
        return PutVector(i);
    }

    private bool TestBits(uint i)
    {
        GetVector(0, Rn(i));
        Packed(0xDB, 0, 0, Source(Rm(i)));
        SetZero(1);
        Packed(Equal(Size(i)), 0, 0, Operand.Xmm(1));
        Invert();
        return PutVector(i);
    }

    private bool CompareZero(uint i, int opcode, bool zeroFirst, bool inverted)
    {
        SetZero(0);
        if (zeroFirst)
        {
            Packed(opcode, 0, 0, Source(Rn(i)));
        }
        else
        {
            GetVector(1, Rn(i));
            Packed(opcode, 0, 1, Operand.Xmm(0));
        }
        if (inverted)
            Invert();
        return PutVector(i);
    }

    /// <summary>XMM0 and XMM1 get the sources; in a short form XMM0 both.</summary>
    private void GetPair(uint i)
    {
        GetVector(0, Rn(i));
        if (IsLong(i))
            GetVector(1, Rm(i));
        else
            Packed(0x6C, 0, 0, Source(Rm(i)));
    }

    /// <summary>An operation on the two bytes of each half word; XMM2 is lost.</summary>
    private void FoldBytes(int xmm, int opcode)
    {
        _a.Vex(1, 1, 0x71, 2, 2, Operand.Xmm(xmm), 8); // VPSRLW, to XMM2
        Packed(opcode, xmm, xmm, Operand.Xmm(2));
        Packed(0xDB, xmm, xmm, Operand.Xmm(3));
    }

    private bool PairBytes(uint i, int opcode)
    {
        GetPair(i);
        SetOnes(3);
        _a.Vex(1, 1, 0x71, 2, 3, Operand.Xmm(3), 8); // XMM3: 0x00FF in each half word
        FoldBytes(0, opcode);
        if (IsLong(i))
            FoldBytes(1, opcode);
        Packed(0x67, 0, 0, Operand.Xmm(IsLong(i) ? 1 : 0)); // VPACKUSWB
        return PutVector(i);
    }

    private bool AddPairs(uint i)
    {
        if (Size(i) == 0)
            return PairBytes(i, 0xFC);
        if (Size(i) == 3)
        {
            GetVector(0, Rn(i));
            GetVector(1, Rm(i));
            Packed(0x6D, 2, 0, Operand.Xmm(1));
            Packed(0x6C, 0, 0, Operand.Xmm(1));
            Packed(0xD4, 0, 0, Operand.Xmm(2));
            return PutVector(i);
        }
        GetPair(i);
        Packed(Size(i) == 1 ? 0x201 : 0x202, 0, 0, Operand.Xmm(IsLong(i) ? 1 : 0)); // VPHADDW, VPHADDD
        return PutVector(i);
    }

    private Operand Half(int register, int half) => Operand.At(State, _vectors + 16 * register + 8 * half);

    /// <summary>A register gets RAX in its low half and zeros above.</summary>
    private bool PutLow(int register)
    {
        int result = ResultFor(register);
        _a.Vex(1, 1, 0x6E, result, 0, Gpr.Rax, true); // VMOVQ
        PutRegister(register, result, 8);
        return true;
    }

    private bool AddHalves(uint i)
    {
        _a.Mov(64, Gpr.Rax, Half(Rn(i), 0));
        _a.Alu(Alu.Add, 64, Gpr.Rax, Half(Rn(i), 1));
        return PutLow(Rd(i));
    }

    private bool AddScalars(uint i, Alu operation)
    {
        _a.Mov(64, Gpr.Rax, Half(Rn(i), 0));
        _a.Alu(operation, 64, Gpr.Rax, Half(Rm(i), 0));
        return PutLow(Rd(i));
    }

    /// <summary>A shift of elements by a number; the extension of the opcode says which.</summary>
    private void ShiftLanes(int xmm, int bits, int extension, int amount) => ShiftLanesTo(xmm, xmm, bits, extension, amount);

    private void ShiftLanesTo(int to, int from, int bits, int extension, int amount) =>
        _a.Vex(1, 1, bits switch { 16 => 0x71, 32 => 0x72, _ => 0x73 }, extension, to, Operand.Xmm(from), amount);

    private bool ShiftRight(uint i, int extension)
    {
        int bits = ImmhSize(i), amount = 2 * bits - ((int)(i >> 16) & 127);
        if (bits == 8 || (bits == 64 && extension == 4))
            return false;
        GetVector(0, Rn(i));
        ShiftLanes(0, bits, extension, amount);
        return PutVector(i);
    }

    private bool ShiftLeft(uint i)
    {
        int bits = ImmhSize(i), amount = ((int)(i >> 16) & 127) - bits;
        if (bits == 8)
            return false;
        GetVector(0, Rn(i));
        ShiftLanes(0, bits, 6, amount);
        return PutVector(i);
    }

    /// <summary>The lower halves of elements, shifted right, side by side.</summary>
    /// <param name="i">The encoding.</param>
    /// <param name="amount">Of the shift.</param>
    /// <param name="bits">Of an element of the result.</param>
    private bool NarrowHalves(uint i, int amount, int bits)
    {
        if (bits == 64)
            return false;
        GetVector(0, Rn(i));
        if (amount != 0)
            ShiftLanes(0, 2 * bits, 2, amount);
        int bytes = bits / 8;
        SetIndices(1, n => n < 8 ? (n / bytes * 2 * bytes) + (n & (bytes - 1)) : -1);
        Shuffle(0, 1);
        if (IsLong(i))
            MoveVector(8, 0, Half(Rd(i), 1), true);
        else
            PutVector(i);
        return true;
    }

    private bool Widen(uint i, int opcode)
    {
        int bits = ImmhSize(i), amount = ((int)(i >> 16) & 127) - bits;
        // VPMOVZXBW, WD, DQ and their signed likes.
        _a.Vex(2, 1, opcode + bits switch { 8 => 0, 16 => 3, _ => 5 }, 0, 0, Half(Rn(i), IsLong(i) ? 1 : 0));
        if (amount != 0)
            ShiftLanes(0, 2 * bits, 6, amount);
        PutRegister(Rd(i), 0);
        return true;
    }

    private bool ExtractBytes(uint i)
    {
        int from = (int)(i >> 11) & 15;
        if (IsLong(i))
        {
            GetVector(0, Rm(i));
            _a.Vex(3, 1, 0x0F, 0, 0, Source(Rn(i)), from); // VPALIGNR
        }
        else
        {
            GetPair(i);
            _a.Vex(1, 1, 0x73, 3, 0, Operand.Xmm(0), from); // VPSRLDQ
        }
        return PutVector(i);
    }

    private bool Zip(uint i, int opcode, bool upper)
    {
        if (Size(i) == 3)
            opcode = upper ? 0x6D : 0x6C;
        else
            opcode += Size(i);
        GetVector(0, Rn(i));
        if (IsLong(i))
        {
            Packed(opcode, 0, 0, Source(Rm(i)));
        }
        else
        {
            Packed(0x60 + Size(i), 0, 0, Source(Rm(i)));
            if (upper)
                _a.Vex(1, 1, 0x73, 3, 0, Operand.Xmm(0), 8); // VPSRLDQ
        }
        return PutVector(i);
    }

    /// <summary>TBL of one register: 0x70 is added to the index, so that one out of range has the bit that gives zero.</summary>
    private bool Look(uint i)
    {
        if ((i >> 13 & 3) != 0)
            return false;
        _a.Set(Gpr.Rax, 0x70707070);
        _a.Vex(1, 1, 0x6E, 1, 0, Gpr.Rax); // VMOVD
        _a.Vex(2, 1, 0x58, 1, 0, Operand.Xmm(1)); // VPBROADCASTD
        Packed(0xDC, 1, 1, Source(Rm(i))); // VPADDUSB
        GetVector(0, Rn(i));
        Packed(0x200, 0, 0, Operand.Xmm(1)); // VPSHUFB
        return PutVector(i);
    }
}
