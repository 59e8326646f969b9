using ArmVdso.Emulator.FloatingPoint;
using ArmVdso.Emulator.Processor;

namespace ArmVdso.Emulator.Semantics;

/// <summary>Shared bodies of conversions, roundings, complex and widening products.</summary>
public static partial class A64
{
    /// <summary>FPRoundInt, or FPRoundIntN where <paramref name="intSize"/> says what the result must fit in.</summary>
    private static ulong RoundInt(Cpu cpu, ulong value, int esize, FpRounding rounding, bool exact, int intSize) => intSize == 0
        ? Fp.RoundInt(value, esize, cpu.FPCR, rounding, exact, ref cpu.FPSR)
        : Fp.RoundIntN(value, esize, cpu.FPCR, rounding, intSize, ref cpu.FPSR);

    private static void ScalarRoundInt(Cpu cpu, int esize, int rd, int rn, FpRounding rounding, bool exact, int intSize = 0) =>
        SetScalar(cpu, rd, rd, esize, RoundInt(cpu, cpu.V(rn).Elem(0, esize), esize, rounding, exact, intSize));

    private static void VectorRoundInt(Cpu cpu, int q, int esize, int rd, int rn, FpRounding rounding, bool exact, int intSize = 0)
    {
        V128 operand = cpu.V(rn), result = default;
        for (int e = 0; e < FpElements(q, esize); e++)
            result.SetElem(e, esize, RoundInt(cpu, operand.Elem(e, esize), esize, rounding, exact, intSize));
        cpu.SetV(rd, result);
    }

    private static void ScalarConvert(Cpu cpu, int from, int to, int rd, int rn) =>
        SetScalar(cpu, rd, rd, to, Fp.Convert(cpu.V(rn).Elem(0, from), from, to, cpu.FPCR, Fp.RoundingMode(cpu.FPCR), ref cpu.FPSR));

    private static void FpToGeneral(Cpu cpu, int esize, int sf, int rd, int rn, int fbits, bool unsigned, FpRounding rounding) =>
        cpu.SetX(rd, Fp.ToFixed(cpu.V(rn).Elem(0, esize), esize, fbits, unsigned, 32 << sf, cpu.FPCR, rounding, ref cpu.FPSR));

    private static void FpFromGeneral(Cpu cpu, int esize, int sf, int rd, int rn, int fbits, bool unsigned) =>
        SetScalar(cpu, rd, rd, esize,
            Fp.FromFixed(cpu.R(sf, rn), 32 << sf, fbits, unsigned, esize, cpu.FPCR, Fp.RoundingMode(cpu.FPCR), ref cpu.FPSR));

    /// <summary>FJCVTZS: NZCV is 0:Z:00, Z when the conversion was exact.</summary>
    private static void FpToGeneralJS(Cpu cpu, int rd, int rn)
    {
        cpu.SetX(rd, Fp.ToFixedJS(cpu.V(rn).Lo, cpu.FPCR, ref cpu.FPSR, out bool exact));
        cpu.NZCV = exact ? 0b0100 : 0;
    }

    private static void ScalarToFixed(Cpu cpu, int esize, int rd, int rn, int fbits, bool unsigned, FpRounding rounding) =>
        SetScalar(cpu, rd, rd, esize,
            Fp.ToFixed(cpu.V(rn).Elem(0, esize), esize, fbits, unsigned, esize, cpu.FPCR, rounding, ref cpu.FPSR));

    private static void VectorToFixed(Cpu cpu, int q, int esize, int rd, int rn, int fbits, bool unsigned, FpRounding rounding)
    {
        V128 operand = cpu.V(rn), result = default;
        for (int e = 0; e < FpElements(q, esize); e++)
            result.SetElem(e, esize, Fp.ToFixed(operand.Elem(e, esize), esize, fbits, unsigned, esize, cpu.FPCR, rounding, ref cpu.FPSR));
        cpu.SetV(rd, result);
    }

    private static void ScalarFromFixed(Cpu cpu, int esize, int rd, int rn, int fbits, bool unsigned) =>
        SetScalar(cpu, rd, rd, esize,
            Fp.FromFixed(cpu.V(rn).Elem(0, esize), esize, fbits, unsigned, esize, cpu.FPCR, Fp.RoundingMode(cpu.FPCR), ref cpu.FPSR));

    private static void VectorFromFixed(Cpu cpu, int q, int esize, int rd, int rn, int fbits, bool unsigned)
    {
        V128 operand = cpu.V(rn), result = default;
        for (int e = 0; e < FpElements(q, esize); e++)
            result.SetElem(e, esize,
                Fp.FromFixed(operand.Elem(e, esize), esize, fbits, unsigned, esize, cpu.FPCR, Fp.RoundingMode(cpu.FPCR), ref cpu.FPSR));
        cpu.SetV(rd, result);
    }

    /// <summary>FCVTN and FCVTXN: into the low half (the rest cleared), or with Q into the high half (the low half kept).</summary>
    private static void VectorNarrow(Cpu cpu, int q, int from, int rd, int rn, FpRounding rounding)
    {
        V128 operand = cpu.V(rn), half = default;
        for (int e = 0; e < 128 / from; e++)
            half.SetElem(e, from / 2, Fp.Convert(operand.Elem(e, from), from, from / 2, cpu.FPCR, rounding, ref cpu.FPSR));
        cpu.SetV(rd, q == 0 ? half : new V128(cpu.V(rd).Lo, half.Lo));
    }

    /// <summary>BFCVTN.</summary>
    private static void VectorNarrowBF(Cpu cpu, int q, int rd, int rn)
    {
        V128 operand = cpu.V(rn), half = default;
        for (int e = 0; e < 4; e++)
            half.SetElem(e, 16, Fp.ConvertBF(operand.Elem(e, 32), cpu.FPCR, ref cpu.FPSR));
        cpu.SetV(rd, q == 0 ? half : new V128(cpu.V(rd).Lo, half.Lo));
    }

    /// <summary>FCVTL: the low half, or with Q the high half, to elements of <paramref name="to"/> bits.</summary>
    private static void VectorLengthen(Cpu cpu, int q, int to, int rd, int rn)
    {
        V128 operand = cpu.V(rn), result = default;
        int elements = 128 / to;
        for (int e = 0; e < elements; e++)
            result.SetElem(e, to,
                Fp.Convert(operand.Elem(e + (q * elements), to / 2), to / 2, to, cpu.FPCR, Fp.RoundingMode(cpu.FPCR), ref cpu.FPSR));
        cpu.SetV(rd, result);
    }

    /// <summary>FCMLA: adds the product with a complex number rotated by rot * 90 degrees; <paramref name="index"/> selects one
    /// complex element of Rm, -1 the corresponding one.</summary>
    private static void ComplexMulAdd(Cpu cpu, int q, int esize, int rd, int rn, int rm, int index, int rot)
    {
        V128 addend = cpu.V(rd), operand1 = cpu.V(rn), operand2 = cpu.V(rm), result = default;
        for (int e = 0; e < FpElements(q, esize); e += 2)
        {
            int pair = index < 0 ? e : 2 * index;
            ulong factor = operand1.Elem(e + (rot & 1), esize);
            ulong real = operand2.Elem(pair + (rot & 1), esize), imaginary = operand2.Elem(pair + 1 - (rot & 1), esize);
            if (rot is 1 or 2)
                real = Fp.Neg(real, esize, cpu.FPCR);
            if (rot is 2 or 3)
                imaginary = Fp.Neg(imaginary, esize, cpu.FPCR);
            result.SetElem(e, esize, Fp.MulAdd(addend.Elem(e, esize), factor, real, esize, cpu.FPCR, ref cpu.FPSR));
            result.SetElem(e + 1, esize, Fp.MulAdd(addend.Elem(e + 1, esize), factor, imaginary, esize, cpu.FPCR, ref cpu.FPSR));
        }
        cpu.SetV(rd, result);
    }

    /// <summary>FCADD: adds complex numbers rotated by 90 (rot 0) or 270 degrees.</summary>
    private static void ComplexAdd(Cpu cpu, int q, int esize, int rd, int rn, int rm, int rot)
    {
        V128 operand1 = cpu.V(rn), operand2 = cpu.V(rm), result = default;
        for (int e = 0; e < FpElements(q, esize); e += 2)
        {
            ulong real = operand2.Elem(e + 1, esize), imaginary = operand2.Elem(e, esize);
            if (rot == 0)
                real = Fp.Neg(real, esize, cpu.FPCR);
            else
                imaginary = Fp.Neg(imaginary, esize, cpu.FPCR);
            result.SetElem(e, esize, Fp.Add(operand1.Elem(e, esize), real, esize, cpu.FPCR, ref cpu.FPSR));
            result.SetElem(e + 1, esize, Fp.Add(operand1.Elem(e + 1, esize), imaginary, esize, cpu.FPCR, ref cpu.FPSR));
        }
        cpu.SetV(rd, result);
    }

    /// <summary>FMLAL, FMLSL (low half of the sources) and FMLAL2, FMLSL2 (<paramref name="top"/>: high half of what is used).</summary>
    private static void WidenMulAdd(Cpu cpu, int q, int rd, int rn, int rm, int index, int top, bool negateFactor)
    {
        V128 addend = cpu.V(rd), operand1 = cpu.V(rn), operand2 = cpu.V(rm), result = default;
        int elements = FpElements(q, 32);
        for (int e = 0; e < elements; e++)
        {
            int source = e + (top * elements);
            ulong factor1 = operand1.Elem(source, 16), factor2 = operand2.Elem(index < 0 ? source : index, 16);
            if (negateFactor)
                factor1 = Fp.Neg(factor1, 16, cpu.FPCR);
            result.SetElem(e, 32, Fp.MulAddH(addend.Elem(e, 32), factor1, factor2, cpu.FPCR, ref cpu.FPSR));
        }
        cpu.SetV(rd, result);
    }

    /// <summary>BFDOT: products of pairs; <paramref name="index"/> selects one pair of Rm, -1 the corresponding one.</summary>
    private static void BFDot(Cpu cpu, int q, int rd, int rn, int rm, int index)
    {
        V128 addend = cpu.V(rd), operand1 = cpu.V(rn), operand2 = cpu.V(rm), result = default;
        for (int e = 0; e < FpElements(q, 32); e++)
        {
            uint pair1 = (uint)operand1.Elem(e, 32), pair2 = (uint)operand2.Elem(index < 0 ? e : index, 32);
            result.SetElem(e, 32, BFDotPair((uint)addend.Elem(e, 32), pair1, pair2, cpu.FPCR));
        }
        cpu.SetV(rd, result);
    }

    private static uint BFDotPair(uint addend, uint pair1, uint pair2, uint fpcr) =>
        Fp.BFDotAdd(addend, pair1 & 0xFFFF, pair1 >> 16, pair2 & 0xFFFF, pair2 >> 16, fpcr);

    /// <summary>BFMatMulAdd: 2x4 by 4x2 into 2x2.</summary>
    private static void BFMatMulAdd(Cpu cpu, int rd, int rn, int rm)
    {
        V128 addend = cpu.V(rd), operand1 = cpu.V(rn), operand2 = cpu.V(rm), result = default;
        for (int i = 0; i < 2; i++)
        {
            for (int j = 0; j < 2; j++)
            {
                uint sum = (uint)addend.Elem((2 * i) + j, 32);
                for (int k = 0; k < 2; k++)
                    sum = BFDotPair(sum, (uint)operand1.Elem((2 * i) + k, 32), (uint)operand2.Elem((2 * j) + k, 32), cpu.FPCR);
                result.SetElem((2 * i) + j, 32, sum);
            }
        }
        cpu.SetV(rd, result);
    }

    /// <summary>BFMLALB (q is 0: even elements) and BFMLALT (odd elements): single-precision multiply-add of BFloat16 factors.</summary>
    private static void BFWidenMulAdd(Cpu cpu, int q, int rd, int rn, int rm, int index)
    {
        V128 addend = cpu.V(rd), operand1 = cpu.V(rn), operand2 = cpu.V(rm), result = default;
        for (int e = 0; e < 4; e++)
        {
            int source = (2 * e) + q;
            ulong factor1 = operand1.Elem(source, 16), factor2 = operand2.Elem(index < 0 ? source : index, 16);
            result.SetElem(e, 32, Fp.BFMulAdd(addend.Elem(e, 32), factor1, factor2, cpu.FPCR, ref cpu.FPSR));
        }
        cpu.SetV(rd, result);
    }
}
