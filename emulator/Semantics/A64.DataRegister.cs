using System.Buffers.Binary;
using System.Numerics;
using ArmVdso.Emulator.Processor;

namespace ArmVdso.Emulator.Semantics;

#pragma warning disable CS1591 // Each method is the instruction of that name in DDI0487, C6.2.

/// <summary>Data processing (register).</summary>
public static partial class A64
{
    public static void AND_shift(Cpu cpu, int sf, int shift, int rm, int imm6, int rn, int rd) =>
        cpu.SetR(sf, rd, cpu.X(rn) & ShiftReg(cpu, sf, rm, shift, imm6));

    public static void BIC_shift(Cpu cpu, int sf, int shift, int rm, int imm6, int rn, int rd) =>
        cpu.SetR(sf, rd, cpu.X(rn) & ~ShiftReg(cpu, sf, rm, shift, imm6));

    public static void ORR_shift(Cpu cpu, int sf, int shift, int rm, int imm6, int rn, int rd) =>
        cpu.SetR(sf, rd, cpu.X(rn) | ShiftReg(cpu, sf, rm, shift, imm6));

    public static void ORN_shift(Cpu cpu, int sf, int shift, int rm, int imm6, int rn, int rd) =>
        cpu.SetR(sf, rd, cpu.X(rn) | ~ShiftReg(cpu, sf, rm, shift, imm6));

    public static void EOR_shift(Cpu cpu, int sf, int shift, int rm, int imm6, int rn, int rd) =>
        cpu.SetR(sf, rd, cpu.X(rn) ^ ShiftReg(cpu, sf, rm, shift, imm6));

    public static void EON_shift(Cpu cpu, int sf, int shift, int rm, int imm6, int rn, int rd) =>
        cpu.SetR(sf, rd, cpu.X(rn) ^ ~ShiftReg(cpu, sf, rm, shift, imm6));

    public static void ANDS_shift(Cpu cpu, int sf, int shift, int rm, int imm6, int rn, int rd)
    {
        ulong result = cpu.X(rn) & ShiftReg(cpu, sf, rm, shift, imm6);
        SetLogicalFlags(cpu, sf, result);
        cpu.SetR(sf, rd, result);
    }

    public static void BICS_shift(Cpu cpu, int sf, int shift, int rm, int imm6, int rn, int rd)
    {
        ulong result = cpu.X(rn) & ~ShiftReg(cpu, sf, rm, shift, imm6);
        SetLogicalFlags(cpu, sf, result);
        cpu.SetR(sf, rd, result);
    }

    public static void ADD_shift(Cpu cpu, int sf, int shift, int rm, int imm6, int rn, int rd) =>
        cpu.SetR(sf, rd, cpu.R(sf, rn) + ShiftReg(cpu, sf, rm, shift, imm6));

    public static void ADDS_shift(Cpu cpu, int sf, int shift, int rm, int imm6, int rn, int rd) =>
        cpu.SetR(sf, rd, AddWithCarry(cpu, sf, cpu.R(sf, rn), ShiftReg(cpu, sf, rm, shift, imm6), false));

    public static void SUB_shift(Cpu cpu, int sf, int shift, int rm, int imm6, int rn, int rd) =>
        cpu.SetR(sf, rd, cpu.R(sf, rn) - ShiftReg(cpu, sf, rm, shift, imm6));

    public static void SUBS_shift(Cpu cpu, int sf, int shift, int rm, int imm6, int rn, int rd) =>
        cpu.SetR(sf, rd, AddWithCarry(cpu, sf, cpu.R(sf, rn), ~ShiftReg(cpu, sf, rm, shift, imm6), true));

    public static void ADD_ext(Cpu cpu, int sf, int rm, int option, int imm3, int rn, int rd) =>
        SetRegisterOrSP(cpu, sf, rd, RegisterOrSP(cpu, sf, rn) + ExtendReg(cpu, rm, option, imm3));

    public static void ADDS_ext(Cpu cpu, int sf, int rm, int option, int imm3, int rn, int rd) =>
        cpu.SetR(sf, rd, AddWithCarry(cpu, sf, RegisterOrSP(cpu, sf, rn), ExtendReg(cpu, rm, option, imm3), false));

    public static void SUB_ext(Cpu cpu, int sf, int rm, int option, int imm3, int rn, int rd) =>
        SetRegisterOrSP(cpu, sf, rd, RegisterOrSP(cpu, sf, rn) - ExtendReg(cpu, rm, option, imm3));

    public static void SUBS_ext(Cpu cpu, int sf, int rm, int option, int imm3, int rn, int rd) =>
        cpu.SetR(sf, rd, AddWithCarry(cpu, sf, RegisterOrSP(cpu, sf, rn), ~ExtendReg(cpu, rm, option, imm3), true));

    public static void ADC(Cpu cpu, int sf, int rm, int rn, int rd) =>
        cpu.SetR(sf, rd, cpu.R(sf, rn) + cpu.R(sf, rm) + (cpu.C ? 1UL : 0));

    public static void ADCS(Cpu cpu, int sf, int rm, int rn, int rd) =>
        cpu.SetR(sf, rd, AddWithCarry(cpu, sf, cpu.R(sf, rn), cpu.R(sf, rm), cpu.C));

    public static void SBC(Cpu cpu, int sf, int rm, int rn, int rd) =>
        cpu.SetR(sf, rd, cpu.R(sf, rn) + ~cpu.R(sf, rm) + (cpu.C ? 1UL : 0));

    public static void SBCS(Cpu cpu, int sf, int rm, int rn, int rd) =>
        cpu.SetR(sf, rd, AddWithCarry(cpu, sf, cpu.R(sf, rn), ~cpu.R(sf, rm), cpu.C));

    public static void RMIF(Cpu cpu, int imm6, int rn, int mask)
    {
        int value = (int)BitOperations.RotateRight(cpu.X(rn), imm6) & 15;
        cpu.NZCV = (cpu.NZCV & ~mask) | (value & mask);
    }

    public static void SETF8(Cpu cpu, int rn) => SetFlags(cpu, cpu.W(rn), 8);

    public static void SETF16(Cpu cpu, int rn) => SetFlags(cpu, cpu.W(rn), 16);

    private static void SetFlags(Cpu cpu, uint value, int bits)
    {
        cpu.N = ((value >> (bits - 1)) & 1) != 0;
        cpu.Z = value << (32 - bits) == 0;
        cpu.O = (((value >> bits) ^ (value >> (bits - 1))) & 1) != 0;
    }

    public static void CFINV(Cpu cpu) => cpu.C = !cpu.C;

    public static void XAFLAG(Cpu cpu)
    {
        bool z = cpu.Z, c = cpu.C;
        cpu.N = !c && !z;
        cpu.Z = z && c;
        cpu.C = c || z;
        cpu.O = !c && z;
    }

    public static void AXFLAG(Cpu cpu)
    {
        cpu.Z |= cpu.O;
        cpu.C &= !cpu.O;
        cpu.N = false;
        cpu.O = false;
    }

    public static void CCMN_reg(Cpu cpu, int sf, int rm, int cond, int rn, int nzcv)
    {
        if (cpu.ConditionHolds(cond))
            AddWithCarry(cpu, sf, cpu.R(sf, rn), cpu.R(sf, rm), false);
        else
            cpu.NZCV = nzcv;
    }

    public static void CCMN_imm(Cpu cpu, int sf, int imm5, int cond, int rn, int nzcv)
    {
        if (cpu.ConditionHolds(cond))
            AddWithCarry(cpu, sf, cpu.R(sf, rn), (ulong)imm5, false);
        else
            cpu.NZCV = nzcv;
    }

    public static void CCMP_reg(Cpu cpu, int sf, int rm, int cond, int rn, int nzcv)
    {
        if (cpu.ConditionHolds(cond))
            AddWithCarry(cpu, sf, cpu.R(sf, rn), ~cpu.R(sf, rm), true);
        else
            cpu.NZCV = nzcv;
    }

    public static void CCMP_imm(Cpu cpu, int sf, int imm5, int cond, int rn, int nzcv)
    {
        if (cpu.ConditionHolds(cond))
            AddWithCarry(cpu, sf, cpu.R(sf, rn), ~(ulong)imm5, true);
        else
            cpu.NZCV = nzcv;
    }

    public static void CSEL(Cpu cpu, int sf, int rm, int cond, int rn, int rd) =>
        cpu.SetR(sf, rd, cpu.ConditionHolds(cond) ? cpu.X(rn) : cpu.X(rm));

    public static void CSINC(Cpu cpu, int sf, int rm, int cond, int rn, int rd) =>
        cpu.SetR(sf, rd, cpu.ConditionHolds(cond) ? cpu.X(rn) : cpu.X(rm) + 1);

    public static void CSINV(Cpu cpu, int sf, int rm, int cond, int rn, int rd) =>
        cpu.SetR(sf, rd, cpu.ConditionHolds(cond) ? cpu.X(rn) : ~cpu.X(rm));

    public static void CSNEG(Cpu cpu, int sf, int rm, int cond, int rn, int rd) =>
        cpu.SetR(sf, rd, cpu.ConditionHolds(cond) ? cpu.X(rn) : 0 - cpu.X(rm));

    public static void UDIV(Cpu cpu, int sf, int rm, int rn, int rd)
    {
        ulong divisor = cpu.R(sf, rm);
        cpu.SetX(rd, divisor == 0 ? 0 : cpu.R(sf, rn) / divisor);
    }

    public static void SDIV(Cpu cpu, int sf, int rm, int rn, int rd)
    {
        long divisor = SignedRegister(cpu, sf, rm);
        long dividend = SignedRegister(cpu, sf, rn);
        // INT_MIN / -1 overflows to INT_MIN; dividing by -1 is negation.
        long result = divisor == 0 ? 0 : divisor == -1 ? unchecked(-dividend) : dividend / divisor;
        cpu.SetR(sf, rd, (ulong)result);
    }

    public static void LSLV(Cpu cpu, int sf, int rm, int rn, int rd) =>
        cpu.SetR(sf, rd, ShiftValue(sf, cpu.R(sf, rn), 0, (int)cpu.X(rm) & (31 + 32 * sf)));

    public static void LSRV(Cpu cpu, int sf, int rm, int rn, int rd) =>
        cpu.SetR(sf, rd, ShiftValue(sf, cpu.R(sf, rn), 1, (int)cpu.X(rm) & (31 + 32 * sf)));

    public static void ASRV(Cpu cpu, int sf, int rm, int rn, int rd) =>
        cpu.SetR(sf, rd, ShiftValue(sf, cpu.R(sf, rn), 2, (int)cpu.X(rm) & (31 + 32 * sf)));

    public static void RORV(Cpu cpu, int sf, int rm, int rn, int rd) =>
        cpu.SetR(sf, rd, ShiftValue(sf, cpu.R(sf, rn), 3, (int)cpu.X(rm) & (31 + 32 * sf)));

    public static void CRC32B(Cpu cpu, int rm, int rn, int rd) =>
        cpu.SetW(rd, Poly32Mod2(_crc32, cpu.W(rn), cpu.X(rm), 1));

    public static void CRC32H(Cpu cpu, int rm, int rn, int rd) =>
        cpu.SetW(rd, Poly32Mod2(_crc32, cpu.W(rn), cpu.X(rm), 2));

    public static void CRC32W(Cpu cpu, int rm, int rn, int rd) =>
        cpu.SetW(rd, Poly32Mod2(_crc32, cpu.W(rn), cpu.X(rm), 4));

    public static void CRC32X(Cpu cpu, int rm, int rn, int rd) =>
        cpu.SetW(rd, Poly32Mod2(_crc32, cpu.W(rn), cpu.X(rm), 8));

    public static void CRC32CB(Cpu cpu, int rm, int rn, int rd) =>
        cpu.SetW(rd, Poly32Mod2(_crc32c, cpu.W(rn), cpu.X(rm), 1));

    public static void CRC32CH(Cpu cpu, int rm, int rn, int rd) =>
        cpu.SetW(rd, Poly32Mod2(_crc32c, cpu.W(rn), cpu.X(rm), 2));

    public static void CRC32CW(Cpu cpu, int rm, int rn, int rd) =>
        cpu.SetW(rd, Poly32Mod2(_crc32c, cpu.W(rn), cpu.X(rm), 4));

    public static void CRC32CX(Cpu cpu, int rm, int rn, int rd) =>
        cpu.SetW(rd, Poly32Mod2(_crc32c, cpu.W(rn), cpu.X(rm), 8));

    private static readonly uint[] _crc32 = CrcTable(0xEDB88320);
    private static readonly uint[] _crc32c = CrcTable(0x82F63B78);

    private static uint[] CrcTable(uint reflectedPolynomial)
    {
        var table = new uint[256];
        for (uint i = 0; i < 256; i++)
        {
            uint value = i;
            for (int bit = 0; bit < 8; bit++)
                value = (value & 1) != 0 ? (value >> 1) ^ reflectedPolynomial : value >> 1;
            table[i] = value;
        }
        return table;
    }

    /// <summary>The bit-reversed accumulator and value reduced by Poly32Mod2, which for reflected data is a table walk.</summary>
    private static uint Poly32Mod2(uint[] table, uint accumulator, ulong value, int bytes)
    {
        for (int i = 0; i < bytes; i++)
        {
            accumulator = table[(byte)(accumulator ^ value)] ^ (accumulator >> 8);
            value >>= 8;
        }
        return accumulator;
    }

    public static void SMAX_reg(Cpu cpu, int sf, int rm, int rn, int rd) =>
        cpu.SetR(sf, rd, (ulong)Math.Max(SignedRegister(cpu, sf, rn), SignedRegister(cpu, sf, rm)));

    public static void UMAX_reg(Cpu cpu, int sf, int rm, int rn, int rd) =>
        cpu.SetR(sf, rd, Math.Max(cpu.R(sf, rn), cpu.R(sf, rm)));

    public static void SMIN_reg(Cpu cpu, int sf, int rm, int rn, int rd) =>
        cpu.SetR(sf, rd, (ulong)Math.Min(SignedRegister(cpu, sf, rn), SignedRegister(cpu, sf, rm)));

    public static void UMIN_reg(Cpu cpu, int sf, int rm, int rn, int rd) =>
        cpu.SetR(sf, rd, Math.Min(cpu.R(sf, rn), cpu.R(sf, rm)));

    public static void RBIT(Cpu cpu, int sf, int rn, int rd)
    {
        ulong value = BinaryPrimitives.ReverseEndianness(cpu.X(rn));
        value = ((value >> 4) & 0x0F0F0F0F0F0F0F0F) | ((value & 0x0F0F0F0F0F0F0F0F) << 4);
        value = ((value >> 2) & 0x3333333333333333) | ((value & 0x3333333333333333) << 2);
        value = ((value >> 1) & 0x5555555555555555) | ((value & 0x5555555555555555) << 1);
        cpu.SetX(rd, sf != 0 ? value : value >> 32);
    }

    public static void REV16(Cpu cpu, int sf, int rn, int rd)
    {
        ulong value = cpu.X(rn);
        cpu.SetR(sf, rd, ((value >> 8) & 0x00FF00FF00FF00FF) | ((value & 0x00FF00FF00FF00FF) << 8));
    }

    public static void REV_32(Cpu cpu, int rn, int rd) => cpu.SetW(rd, BinaryPrimitives.ReverseEndianness(cpu.W(rn)));

    public static void REV32(Cpu cpu, int rn, int rd) =>
        cpu.SetX(rd, BitOperations.RotateRight(BinaryPrimitives.ReverseEndianness(cpu.X(rn)), 32));

    public static void REV_64(Cpu cpu, int rn, int rd) => cpu.SetX(rd, BinaryPrimitives.ReverseEndianness(cpu.X(rn)));

    public static void CLZ(Cpu cpu, int sf, int rn, int rd) => cpu.SetX(rd, CountLeadingZeroBits(sf, cpu.R(sf, rn)));

    public static void CLS(Cpu cpu, int sf, int rn, int rd)
    {
        ulong value = (ulong)SignedRegister(cpu, sf, rn);
        cpu.SetX(rd, CountLeadingZeroBits(1, value ^ (ulong)((long)value >> 63)) - (sf != 0 ? 1UL : 33));
    }

    private static ulong CountLeadingZeroBits(int sf, ulong value) =>
        (ulong)BitOperations.LeadingZeroCount(value) - (sf != 0 ? 0UL : 32);

    public static void CTZ(Cpu cpu, int sf, int rn, int rd) =>
        cpu.SetX(rd, Math.Min((ulong)BitOperations.TrailingZeroCount(cpu.R(sf, rn)), sf != 0 ? 64UL : 32));

    public static void CNT(Cpu cpu, int sf, int rn, int rd) => cpu.SetX(rd, (ulong)BitOperations.PopCount(cpu.R(sf, rn)));

    public static void ABS(Cpu cpu, int sf, int rn, int rd)
    {
        long value = SignedRegister(cpu, sf, rn);
        cpu.SetR(sf, rd, (ulong)(value < 0 ? unchecked(-value) : value));
    }

    public static void MADD(Cpu cpu, int sf, int rm, int ra, int rn, int rd) =>
        cpu.SetR(sf, rd, cpu.X(ra) + cpu.X(rn) * cpu.X(rm));

    public static void MSUB(Cpu cpu, int sf, int rm, int ra, int rn, int rd) =>
        cpu.SetR(sf, rd, cpu.X(ra) - cpu.X(rn) * cpu.X(rm));

    public static void SMADDL(Cpu cpu, int rm, int ra, int rn, int rd) =>
        cpu.SetX(rd, cpu.X(ra) + (ulong)((long)(int)cpu.W(rn) * (int)cpu.W(rm)));

    public static void SMSUBL(Cpu cpu, int rm, int ra, int rn, int rd) =>
        cpu.SetX(rd, cpu.X(ra) - (ulong)((long)(int)cpu.W(rn) * (int)cpu.W(rm)));

    public static void UMADDL(Cpu cpu, int rm, int ra, int rn, int rd) =>
        cpu.SetX(rd, cpu.X(ra) + (ulong)cpu.W(rn) * cpu.W(rm));

    public static void UMSUBL(Cpu cpu, int rm, int ra, int rn, int rd) =>
        cpu.SetX(rd, cpu.X(ra) - (ulong)cpu.W(rn) * cpu.W(rm));

    public static void SMULH(Cpu cpu, int rm, int rn, int rd) =>
        cpu.SetX(rd, (ulong)Math.BigMul((long)cpu.X(rn), (long)cpu.X(rm), out _));

    public static void UMULH(Cpu cpu, int rm, int rn, int rd) =>
        cpu.SetX(rd, Math.BigMul(cpu.X(rn), cpu.X(rm), out _));
}
