using System.Numerics;
using ArmVdso.Emulator.Processor;

namespace ArmVdso.Emulator.Semantics;

/// <summary>What each instruction does: one method a row of the instruction table, in the words of the Arm
/// pseudocode (DDI0487, C6 and C7). This file holds the shared functions; their names are those of the Shared Pseudocode.</summary>
public static partial class A64
{
    /// <summary>Sign-extends the low <paramref name="bits"/> bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong SignExtend(ulong value, int bits) => (ulong)((long)(value << (64 - bits)) >> (64 - bits));

    /// <summary>Sign-extends an immediate field.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static long SignExtend(int field, int bits) => (long)field << (64 - bits) >> (64 - bits);

    /// <summary>AddWithCarry, setting NZCV. Operands are zero-extended to 64 bits when <paramref name="sf"/> is 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong AddWithCarry(Cpu cpu, int sf, ulong x, ulong y, bool carry)
    {
        if (sf != 0)
        {
            ulong sum = x + y;
            ulong result = sum + (carry ? 1UL : 0);
            cpu.N = (long)result < 0;
            cpu.Z = result == 0;
            cpu.C = sum < x || result < sum;
            cpu.O = (long)(~(x ^ y) & (x ^ result)) < 0;
            return result;
        }
        ulong wide = (uint)x + (ulong)(uint)y + (carry ? 1UL : 0);
        uint narrow = (uint)wide;
        cpu.N = (int)narrow < 0;
        cpu.Z = narrow == 0;
        cpu.C = wide >> 32 != 0;
        cpu.O = (int)(~((uint)x ^ (uint)y) & ((uint)x ^ narrow)) < 0;
        return narrow;
    }

    /// <summary>The register or SP as sf bits, zero-extended.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong RegisterOrSP(Cpu cpu, int sf, int n) => sf != 0 ? cpu.XSP(n) : (uint)cpu.XSP(n);

    /// <summary>Writes the register or SP with sf bits.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void SetRegisterOrSP(Cpu cpu, int sf, int n, ulong value) => cpu.SetXSP(n, sf != 0 ? value : (uint)value);

    /// <summary>Sets N and Z from a result and clears C and V (logical instructions).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void SetLogicalFlags(Cpu cpu, int sf, ulong result)
    {
        cpu.N = sf != 0 ? (long)result < 0 : (int)result < 0;
        cpu.Z = sf != 0 ? result == 0 : (uint)result == 0;
        cpu.C = false;
        cpu.O = false;
    }

    /// <summary>ShiftReg: Rm shifted by a constant; shift is LSL, LSR, ASR, ROR.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong ShiftReg(Cpu cpu, int sf, int rm, int shift, int amount) => ShiftValue(sf, cpu.R(sf, rm), shift, amount);

    /// <summary>A value shifted by less than its width.</summary>
    internal static ulong ShiftValue(int sf, ulong value, int shift, int amount)
    {
        if (sf != 0)
        {
            return shift switch
            {
                0 => value << amount,
                1 => value >> amount,
                2 => (ulong)((long)value >> amount),
                _ => BitOperations.RotateRight(value, amount),
            };
        }
        uint word = (uint)value;
        return shift switch
        {
            0 => word << amount,
            1 => word >> amount,
            2 => (uint)((int)word >> amount),
            _ => BitOperations.RotateRight(word, amount),
        };
    }

    /// <summary>ExtendReg: Rm extended as <paramref name="option"/> says (UXTB to SXTX), then shifted left.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static ulong ExtendReg(Cpu cpu, int rm, int option, int shift) => Extend(cpu.X(rm), option) << shift;

    /// <summary>The part of a value that <paramref name="option"/> names, zero- or sign-extended.</summary>
    internal static ulong Extend(ulong value, int option) => option switch
    {
        0 => (byte)value,
        1 => (ushort)value,
        2 => (uint)value,
        4 => (ulong)(sbyte)value,
        5 => (ulong)(short)value,
        6 => (ulong)(int)value,
        _ => value,
    };

    /// <summary>DecodeBitMasks: the rotated run of ones (wmask) and the mask of the field's width (tmask).</summary>
    internal static (ulong Wmask, ulong Tmask) DecodeBitMasks(int n, int imms, int immr)
    {
        int len = BitOperations.Log2((uint)((n << 6) | (~imms & 63)));
        int size = 1 << len;
        int levels = size - 1;
        int s = imms & levels;
        int r = immr & levels;
        int d = (s - r) & levels;
        ulong all = size == 64 ? ulong.MaxValue : (1UL << size) - 1;
        ulong welem = ulong.MaxValue >> (63 - s);
        ulong telem = ulong.MaxValue >> (63 - d);
        ulong rotated = r == 0 ? welem : ((welem >> r) | (welem << (size - r))) & all;
        return (ReplicateElement(rotated, size), ReplicateElement(telem, size));
    }

    private static ulong ReplicateElement(ulong element, int size)
    {
        for (; size < 64; size <<= 1)
            element |= element << size;
        return element;
    }
}
