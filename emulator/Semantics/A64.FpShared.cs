using ArmVdso.Emulator.FloatingPoint;
using ArmVdso.Emulator.Processor;

namespace ArmVdso.Emulator.Semantics;

/// <summary>What the floating-point instructions share: operations as values, and the loops over scalars and elements.</summary>
public static partial class A64
{
    private delegate ulong FpUnary(ulong op, int bits, uint fpcr, ref uint fpsr);

    private delegate ulong FpBinary(ulong op1, ulong op2, int bits, uint fpcr, ref uint fpsr);

    /// <summary>Element size of a one-bit sz field: single or double.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int FpSize(int sz) => 32 << sz;

    /// <summary>Writes a scalar result and clears the rest of the register; with FPCR.NEP the rest comes from register
    /// <paramref name="merge"/> (IsMerging).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void SetScalar(Cpu cpu, int rd, int merge, int esize, ulong value)
    {
        if ((cpu.FPCR & FpcrBits.NEP) == 0)
        {
            cpu.SetVLow(rd, value);
            return;
        }
        V128 result = cpu.V(merge);
        result.SetElem(0, esize, value);
        cpu.SetV(rd, result);
    }

    /// <summary>VFPExpandImm: the 8-bit constant of FMOV.</summary>
    internal static ulong VFPExpandImm(int imm8, int esize)
    {
        int e = esize == 16 ? 5 : esize == 32 ? 8 : 11;
        int f = esize - e - 1;
        ulong sign = (ulong)(imm8 >> 7) << (esize - 1);
        ulong exponent = ((ulong)(imm8 >> 4) & 3) | ((imm8 & 0x40) != 0 ? ((1UL << (e - 3)) - 1) << 2 : 1UL << (e - 1));
        return sign | (exponent << f) | (((ulong)imm8 & 15) << (f - 4));
    }

    private static ulong FpAbs(ulong op, int bits, uint fpcr, ref uint fpsr) => Fp.Abs(op, bits, fpcr);

    private static ulong FpNeg(ulong op, int bits, uint fpcr, ref uint fpsr) => Fp.Neg(op, bits, fpcr);

    private static ulong FpNegMul(ulong op1, ulong op2, int bits, uint fpcr, ref uint fpsr) =>
        Fp.Neg(Fp.Mul(op1, op2, bits, fpcr, ref fpsr), bits, fpcr);

    private static ulong FpAbsDiff(ulong op1, ulong op2, int bits, uint fpcr, ref uint fpsr) =>
        Fp.Abs(Fp.Sub(op1, op2, bits, fpcr, ref fpsr), bits, fpcr);

    private static ulong FpMask(bool holds, int bits) => holds ? ulong.MaxValue >> (64 - bits) : 0;

    private static ulong FpMaskEQ(ulong op1, ulong op2, int bits, uint fpcr, ref uint fpsr) =>
        FpMask(Fp.CompareEQ(op1, op2, bits, fpcr, ref fpsr), bits);

    private static ulong FpMaskGE(ulong op1, ulong op2, int bits, uint fpcr, ref uint fpsr) =>
        FpMask(Fp.CompareGE(op1, op2, bits, fpcr, ref fpsr), bits);

    private static ulong FpMaskGT(ulong op1, ulong op2, int bits, uint fpcr, ref uint fpsr) =>
        FpMask(Fp.CompareGT(op1, op2, bits, fpcr, ref fpsr), bits);

    private static ulong FpMaskLE(ulong op1, ulong op2, int bits, uint fpcr, ref uint fpsr) => FpMaskGE(op2, op1, bits, fpcr, ref fpsr);

    private static ulong FpMaskLT(ulong op1, ulong op2, int bits, uint fpcr, ref uint fpsr) => FpMaskGT(op2, op1, bits, fpcr, ref fpsr);

    private static ulong FpMaskAbsGE(ulong op1, ulong op2, int bits, uint fpcr, ref uint fpsr) =>
        FpMaskGE(Fp.Abs(op1, bits, fpcr), Fp.Abs(op2, bits, fpcr), bits, fpcr, ref fpsr);

    private static ulong FpMaskAbsGT(ulong op1, ulong op2, int bits, uint fpcr, ref uint fpsr) =>
        FpMaskGT(Fp.Abs(op1, bits, fpcr), Fp.Abs(op2, bits, fpcr), bits, fpcr, ref fpsr);

    private static void ScalarUnary(Cpu cpu, int esize, int rd, int rn, FpUnary operation) =>
        SetScalar(cpu, rd, rd, esize, operation(cpu.V(rn).Elem(0, esize), esize, cpu.FPCR, ref cpu.FPSR));

    private static void ScalarBinary(Cpu cpu, int esize, int rd, int rn, int rm, FpBinary operation) =>
        SetScalar(cpu, rd, rn, esize, operation(cpu.V(rn).Elem(0, esize), cpu.V(rm).Elem(0, esize), esize, cpu.FPCR, ref cpu.FPSR));

    private static void ScalarByBinary(Cpu cpu, int esize, int rd, int rn, int rm, int index, FpBinary operation) =>
        SetScalar(cpu, rd, rn, esize, operation(cpu.V(rn).Elem(0, esize), cpu.V(rm).Elem(index, esize), esize, cpu.FPCR, ref cpu.FPSR));

    /// <summary>FMADD and its negations: addend Ra, factors Rn and Rm.</summary>
    private static void ScalarMulAdd(Cpu cpu, int esize, int rd, int rn, int rm, int ra, bool negateAddend, bool negateFactor)
    {
        ulong addend = cpu.V(ra).Elem(0, esize), factor = cpu.V(rn).Elem(0, esize);
        if (negateAddend)
            addend = Fp.Neg(addend, esize, cpu.FPCR);
        if (negateFactor)
            factor = Fp.Neg(factor, esize, cpu.FPCR);
        SetScalar(cpu, rd, ra, esize, Fp.MulAdd(addend, factor, cpu.V(rm).Elem(0, esize), esize, cpu.FPCR, ref cpu.FPSR));
    }

    private static void ScalarByMulAdd(Cpu cpu, int esize, int rd, int rn, int rm, int index, bool negateFactor)
    {
        ulong factor = cpu.V(rn).Elem(0, esize);
        if (negateFactor)
            factor = Fp.Neg(factor, esize, cpu.FPCR);
        SetScalar(cpu, rd, rd, esize,
            Fp.MulAdd(cpu.V(rd).Elem(0, esize), factor, cpu.V(rm).Elem(index, esize), esize, cpu.FPCR, ref cpu.FPSR));
    }

    /// <summary>Comparisons merge, where FPCR.NEP asks for it, from their second operand.</summary>
    private static void ScalarCompare(Cpu cpu, int esize, int rd, int rn, int rm, FpBinary operation) =>
        SetScalar(cpu, rd, rm, esize, operation(cpu.V(rn).Elem(0, esize), cpu.V(rm).Elem(0, esize), esize, cpu.FPCR, ref cpu.FPSR));

    /// <summary>Comparisons with zero never merge.</summary>
    private static void ScalarCompareZero(Cpu cpu, int esize, int rd, int rn, FpBinary operation) =>
        cpu.SetVLow(rd, operation(cpu.V(rn).Elem(0, esize), 0, esize, cpu.FPCR, ref cpu.FPSR));

    private static int FpCompare(Cpu cpu, int esize, int rn, int rm, bool signalNaNs) =>
        Fp.Compare(cpu.V(rn).Elem(0, esize), cpu.V(rm).Elem(0, esize), signalNaNs, esize, cpu.FPCR, ref cpu.FPSR);

    private static int FpElements(int q, int esize) => (64 << q) / esize;

    private static void VectorUnary(Cpu cpu, int q, int esize, int rd, int rn, FpUnary operation)
    {
        V128 operand = cpu.V(rn), result = default;
        for (int e = 0; e < FpElements(q, esize); e++)
            result.SetElem(e, esize, operation(operand.Elem(e, esize), esize, cpu.FPCR, ref cpu.FPSR));
        cpu.SetV(rd, result);
    }

    private static void VectorBinary(Cpu cpu, int q, int esize, int rd, int rn, int rm, FpBinary operation)
    {
        V128 operand1 = cpu.V(rn), operand2 = cpu.V(rm), result = default;
        for (int e = 0; e < FpElements(q, esize); e++)
            result.SetElem(e, esize, operation(operand1.Elem(e, esize), operand2.Elem(e, esize), esize, cpu.FPCR, ref cpu.FPSR));
        cpu.SetV(rd, result);
    }

    private static void VectorByBinary(Cpu cpu, int q, int esize, int rd, int rn, int rm, int index, FpBinary operation)
    {
        V128 operand1 = cpu.V(rn), result = default;
        ulong operand2 = cpu.V(rm).Elem(index, esize);
        for (int e = 0; e < FpElements(q, esize); e++)
            result.SetElem(e, esize, operation(operand1.Elem(e, esize), operand2, esize, cpu.FPCR, ref cpu.FPSR));
        cpu.SetV(rd, result);
    }

    private static void VectorCompareZero(Cpu cpu, int q, int esize, int rd, int rn, FpBinary operation)
    {
        V128 operand = cpu.V(rn), result = default;
        for (int e = 0; e < FpElements(q, esize); e++)
            result.SetElem(e, esize, operation(operand.Elem(e, esize), 0, esize, cpu.FPCR, ref cpu.FPSR));
        cpu.SetV(rd, result);
    }

    private static void VectorMulAdd(Cpu cpu, int q, int esize, int rd, int rn, int rm, bool negateFactor)
    {
        V128 addend = cpu.V(rd), operand1 = cpu.V(rn), operand2 = cpu.V(rm), result = default;
        for (int e = 0; e < FpElements(q, esize); e++)
            result.SetElem(e, esize,
                MulAddElement(cpu, esize, addend.Elem(e, esize), operand1.Elem(e, esize), operand2.Elem(e, esize), negateFactor));
        cpu.SetV(rd, result);
    }

    private static void VectorByMulAdd(Cpu cpu, int q, int esize, int rd, int rn, int rm, int index, bool negateFactor)
    {
        V128 addend = cpu.V(rd), operand1 = cpu.V(rn), result = default;
        ulong operand2 = cpu.V(rm).Elem(index, esize);
        for (int e = 0; e < FpElements(q, esize); e++)
            result.SetElem(e, esize, MulAddElement(cpu, esize, addend.Elem(e, esize), operand1.Elem(e, esize), operand2, negateFactor));
        cpu.SetV(rd, result);
    }

    private static ulong MulAddElement(Cpu cpu, int esize, ulong addend, ulong op1, ulong op2, bool negateFactor) =>
        Fp.MulAdd(addend, negateFactor ? Fp.Neg(op1, esize, cpu.FPCR) : op1, op2, esize, cpu.FPCR, ref cpu.FPSR);

    /// <summary>Pairs of adjacent elements of Rn, then of Rm.</summary>
    private static void VectorPairwise(Cpu cpu, int q, int esize, int rd, int rn, int rm, FpBinary operation)
    {
        V128 low = cpu.V(rn), high = cpu.V(rm), result = default;
        int elements = FpElements(q, esize);
        for (int e = 0; e < elements; e++)
        {
            V128 source = e < elements / 2 ? low : high;
            int first = 2 * e % elements;
            result.SetElem(e, esize, operation(source.Elem(first, esize), source.Elem(first + 1, esize), esize, cpu.FPCR, ref cpu.FPSR));
        }
        cpu.SetV(rd, result);
    }

    private static void ReduceVector(Cpu cpu, int esize, int elements, int rd, int rn, FpBinary operation) =>
        cpu.SetVLow(rd, ReduceFp(cpu, cpu.V(rn), 0, elements, esize, operation));

    /// <summary>Reduce: combines the halves recursively, low half first.</summary>
    private static ulong ReduceFp(Cpu cpu, V128 input, int start, int elements, int esize, FpBinary operation)
    {
        if (elements == 1)
            return input.Elem(start, esize);
        int half = elements / 2;
        ulong low = ReduceFp(cpu, input, start, half, esize, operation);
        ulong high = ReduceFp(cpu, input, start + half, half, esize, operation);
        return operation(low, high, esize, cpu.FPCR, ref cpu.FPSR);
    }

    private static void VectorWords(Cpu cpu, int q, int rd, int rn, Func<uint, uint> operation)
    {
        V128 operand = cpu.V(rn), result = default;
        for (int e = 0; e < FpElements(q, 32); e++)
            result.SetElem(e, 32, operation((uint)operand.Elem(e, 32)));
        cpu.SetV(rd, result);
    }
}
