using System.Numerics;
using ArmVdso.Emulator.Engine.Portable;

namespace ArmVdso.Emulator.Engine.Native;

/// <summary>Rows of Advanced SIMD that permute elements, or make wider, narrower or fewer ones of them.</summary>
internal sealed partial class Emitter
{
    private bool EmitLanes(in Op op)
    {
        uint i = op.Instruction;
        return op.Row switch
        {
            Row.REV64_v => ReverseElements(i, 8),
            Row.REV32_v => ReverseElements(i, 4),
            Row.REV16_v => ReverseElements(i, 2),
            Row.UZP1 => Unzip(i, 0),
            Row.UZP2 => Unzip(i, 1),
            Row.TRN1 => Transpose(i, false),
            Row.TRN2 => Transpose(i, true),
            Row.MLA_v => MultiplyLanes(i, 0xFC),
            Row.MLS_v => MultiplyLanes(i, 0xF8),
            Row.UADDL_v => Wider(i, 0x30, 0xFC, false),
            Row.SADDL_v => Wider(i, 0x20, 0xFC, false),
            Row.USUBL_v => Wider(i, 0x30, 0xF8, false),
            Row.SSUBL_v => Wider(i, 0x20, 0xF8, false),
            Row.UADDW_v => Wider(i, 0x30, 0xFC, true),
            Row.SADDW_v => Wider(i, 0x20, 0xFC, true),
            Row.USUBW_v => Wider(i, 0x30, 0xF8, true),
            Row.SSUBW_v => Wider(i, 0x20, 0xF8, true),
            Row.UMULL_v => WideProduct(i, 0x30, 0),
            Row.SMULL_v => WideProduct(i, 0x20, 0),
            Row.UMLAL_v => WideProduct(i, 0x30, 0xFC),
            Row.SMLAL_v => WideProduct(i, 0x20, 0xFC),
            Row.UMLSL_v => WideProduct(i, 0x30, 0xF8),
            Row.SMLSL_v => WideProduct(i, 0x20, 0xF8),
            Row.USRA_v => ShiftAndAdd(i, 2),
            Row.SSRA_v => ShiftAndAdd(i, 4),
            Row.CNT_v => CountBits(i),
            Row.ABS_v => Size(i) < 3 && OneSource(i, 0x21C + Size(i)),
            Row.NEG_v => Negate(i),
            Row.URHADD_v => Size(i) < 2 && Lanes(i, Size(i) == 0 ? 0xE0 : 0xE3),
            Row.UABD_v => AbsoluteDifference(i),
            Row.ORR_vimm_w => WithImmediate(i, Imm8(i) << (8 * ((int)(i >> 13) & 3)), 32, false),
            Row.ORR_vimm_h => WithImmediate(i, Imm8(i) << (8 * ((int)(i >> 13) & 1)), 16, false),
            Row.BIC_vimm_w => WithImmediate(i, Imm8(i) << (8 * ((int)(i >> 13) & 3)), 32, true),
            Row.BIC_vimm_h => WithImmediate(i, Imm8(i) << (8 * ((int)(i >> 13) & 1)), 16, true),
            Row.ADDV => Sum(i),
            Row.UADDLV => LongSum(i),
            _ => EmitCrypto(i, op.Row) || EmitFloat(op),
        };
    }

    /// <summary>A vector register of the host gets a number; RAX is lost.</summary>
    private void SetVector(int xmm, ulong low, ulong high)
    {
        _a.Set(Gpr.Rax, low);
        _a.Vex(1, 1, 0x6E, xmm, 0, Gpr.Rax, true); // VMOVQ
        if (high == low)
        {
            _a.Vex(2, 1, 0x59, xmm, 0, Operand.Xmm(xmm)); // VPBROADCASTQ
            return;
        }
        if (high == 0)
            return;
        _a.Set(Gpr.Rax, high);
        _a.Vex(3, 1, 0x22, xmm, xmm, Gpr.Rax, 1, true); // VPINSRQ
    }

    /// <summary>Sets the indices of VPSHUFB: byte n comes from byte of(n); negative: it is zero.</summary>
    private void SetIndices(int xmm, Func<int, int> of)
    {
        ulong low = 0, high = 0;
        for (int n = 0; n < 8; n++)
        {
            low |= (ulong)(byte)of(n) << (8 * n);
            high |= (ulong)(byte)of(8 + n) << (8 * n);
        }
        SetVector(xmm, low, high);
    }

    private void Shuffle(int xmm, int indices) => Packed(0x200, xmm, xmm, Operand.Xmm(indices));

    private bool ReverseElements(uint i, int group)
    {
        int bytes = 1 << Size(i);
        if (bytes >= group)
            return false;
        SetIndices(1, n => (n & -group) + (group - bytes - (n & (group - 1) & -bytes)) + (n & (bytes - 1)));
        GetVector(0, Rn(i));
        Shuffle(0, 1);
        return PutVector(i);
    }

    /// <summary>The even or odd elements of both sources.</summary>
    private bool Unzip(uint i, int odd)
    {
        int size = Size(i), bytes = 1 << size;
        if (size == 3)
            return IsLong(i) && Zip(i, odd == 0 ? 0x60 : 0x68, odd != 0);
        SetIndices(2, n => n < 8 ? (((n >> size << 1) + odd) << size) + (n & (bytes - 1)) : -1);
        GetPair(i);
        Shuffle(0, 2);
        if (IsLong(i))
        {
            Shuffle(1, 2);
            Packed(0x6C, 0, 0, Operand.Xmm(1)); // VPUNPCKLQDQ
        }
        return PutVector(i);
    }

    /// <summary>Even elements of both sources side by side, or odd ones.</summary>
    private bool Transpose(uint i, bool odd)
    {
        int bits = 8 << Size(i);
        if (bits == 64)
            return IsLong(i) && Zip(i, odd ? 0x68 : 0x60, odd);
        GetVector(0, Rn(i));
        GetVector(1, Rm(i));
        // In elements of twice the size the first source goes to the lower half, the second to the upper.
        if (!odd)
            ShiftLanes(0, 2 * bits, 6, bits);
        ShiftLanes(0, 2 * bits, 2, bits);
        if (odd)
            ShiftLanes(1, 2 * bits, 2, bits);
        ShiftLanes(1, 2 * bits, 6, bits);
        Packed(0xEB, 0, 0, Operand.Xmm(1));
        return PutVector(i);
    }

    /// <summary>Opcode of VPADD or VPSUB of bytes, for elements of a size.</summary>
    private static int OfSize(int bytes, int size) => size < 3 ? bytes + size : bytes == 0xFC ? 0xD4 : 0xFB;

    private bool MultiplyLanes(uint i, int operation)
    {
        if (Size(i) is 0 or 3)
            return false;
        GetVector(1, Rn(i));
        Packed(Size(i) == 1 ? 0xD5 : 0x240, 1, 1, Source(Rm(i)));
        GetVector(0, Rd(i));
        Packed(OfSize(operation, Size(i)), 0, 0, Operand.Xmm(1));
        return PutVector(i);
    }

    /// <summary>A half of a register, its elements extended to twice their size: VPMOVZX or VPMOVSX.</summary>
    private void GetWidened(int xmm, int register, uint i, int extension) =>
        _a.Vex(2, 1, extension + Size(i) switch { 0 => 0, 1 => 3, _ => 5 }, xmm, 0, Half(register, IsLong(i) ? 1 : 0));

    private bool Wider(uint i, int extension, int operation, bool firstIsWide)
    {
        if (Size(i) == 3)
            return false;
        if (firstIsWide)
            GetVector(0, Rn(i));
        else
            GetWidened(0, Rn(i), i, extension);
        GetWidened(1, Rm(i), i, extension);
        Packed(OfSize(operation, Size(i) + 1), 0, 0, Operand.Xmm(1));
        PutRegister(Rd(i), 0);
        return true;
    }

    private bool WideProduct(uint i, int extension, int operation)
    {
        if (Size(i) == 3)
            return false;
        GetWidened(0, Rn(i), i, extension);
        GetWidened(1, Rm(i), i, extension);
        // VPMULLW, VPMULLD, VPMULUDQ or VPMULDQ
        Packed(Size(i) switch { 0 => 0xD5, 1 => 0x240, _ => extension == 0x30 ? 0xF4 : 0x228 }, 0, 0, Operand.Xmm(1));
        if (operation != 0)
        {
            GetVector(1, Rd(i));
            Packed(OfSize(operation, Size(i) + 1), 0, 1, Operand.Xmm(0));
        }
        PutRegister(Rd(i), 0);
        return true;
    }

    private bool ShiftAndAdd(uint i, int extension)
    {
        int bits = ImmhSize(i), amount = 2 * bits - ((int)(i >> 16) & 127);
        if (bits == 8 || (bits == 64 && extension == 4))
            return false;
        GetVector(0, Rn(i));
        ShiftLanes(0, bits, extension, amount);
        Packed(OfSize(0xFC, BitOperations.Log2((uint)bits) - 3), 0, 0, Source(Rd(i)));
        return PutVector(i);
    }

    /// <summary>Bits of a byte: those of its halves are looked up.</summary>
    private bool CountBits(uint i)
    {
        SetVector(2, 0x0F0F0F0F0F0F0F0F, 0x0F0F0F0F0F0F0F0F);
        SetIndices(3, n => BitOperations.PopCount((uint)n));
        GetVector(0, Rn(i));
        Packed(0xDF, 1, 2, Operand.Xmm(0)); // VPANDN: the upper halves
        ShiftLanes(1, 16, 2, 4);
        Packed(0xDB, 0, 0, Operand.Xmm(2));
        Packed(0x200, 0, 3, Operand.Xmm(0));
        Packed(0x200, 1, 3, Operand.Xmm(1));
        Packed(0xFC, 0, 0, Operand.Xmm(1));
        return PutVector(i);
    }

    private bool OneSource(uint i, int opcode)
    {
        Packed(opcode, 0, 0, Source(Rn(i)));
        return PutVector(i);
    }

    private bool Negate(uint i)
    {
        if (Size(i) == 3 && !IsLong(i))
            return false;
        SetZero(0);
        Packed(OfSize(0xF8, Size(i)), 0, 0, Source(Rn(i)));
        return PutVector(i);
    }

    /// <summary>The larger less the smaller.</summary>
    private bool AbsoluteDifference(uint i)
    {
        if (Size(i) == 3)
            return false;
        GetVector(0, Rn(i));
        Packed(Size(i) switch { 0 => 0xDA, 1 => 0x23A, _ => 0x23B }, 1, 0, Source(Rm(i))); // VPMINU
        Packed(MaxUnsigned(Size(i)), 0, 0, Source(Rm(i)));
        Packed(OfSize(0xF8, Size(i)), 0, 0, Operand.Xmm(1));
        return PutVector(i);
    }

    /// <summary>ORR and BIC of the destination and a number in each element.</summary>
    private bool WithImmediate(uint i, ulong number, int bits, bool clears)
    {
        number *= bits == 32 ? 0x0000000100000001UL : 0x0001000100010001UL;
        SetVector(0, number, number);
        Packed(clears ? 0xDF : 0xEB, 0, 0, Source(Rd(i)));
        return PutVector(i);
    }

    /// <summary>ADDV: halves are added until one element is left.</summary>
    private bool Sum(uint i)
    {
        if (Size(i) == 3 || (Size(i) == 2 && !IsLong(i)))
            return false;
        GetVector(0, Rn(i));
        if (!IsLong(i))
            _a.Vex(1, 2, 0x7E, 0, 0, Operand.Xmm(0)); // VMOVQ clears the upper half.
        for (int bytes = 8; bytes >= 1 << Size(i); bytes /= 2)
        {
            _a.Vex(1, 1, 0x73, 3, 1, Operand.Xmm(0), bytes); // VPSRLDQ
            Packed(OfSize(0xFC, Size(i)), 0, 0, Operand.Xmm(1));
        }
        // What is above the element is no part of the sum.
        _a.Vex(1, 1, 0x73, 7, 0, Operand.Xmm(0), 16 - (1 << Size(i))); // VPSLLDQ
        _a.Vex(1, 1, 0x73, 3, 0, Operand.Xmm(0), 16 - (1 << Size(i)));
        PutRegister(Rd(i), 0);
        return true;
    }

    /// <summary>UADDLV of bytes: sums of eight at a time.</summary>
    private bool LongSum(uint i)
    {
        if (Size(i) != 0)
            return false;
        GetVector(0, Rn(i));
        if (!IsLong(i))
            _a.Vex(1, 2, 0x7E, 0, 0, Operand.Xmm(0));
        SetZero(1);
        Packed(0xF6, 0, 0, Operand.Xmm(1)); // VPSADBW
        _a.Vex(1, 1, 0x73, 3, 1, Operand.Xmm(0), 8);
        Packed(0xD4, 0, 0, Operand.Xmm(1));
        _a.Vex(1, 2, 0x7E, 0, 0, Operand.Xmm(0));
        PutRegister(Rd(i), 0);
        return true;
    }
}
