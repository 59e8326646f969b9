using System.Numerics;
using System.Runtime.Intrinsics;
using ArmVdso.Emulator.Processor;
using static ArmVdso.Emulator.Semantics.SimdElements;

namespace ArmVdso.Emulator.Semantics;

/// <summary>Advanced SIMD copy, modified immediate, permute, extract and table lookup (Arm ARM, C7.2).</summary>
public static partial class A64
{
    private static int Imm5Size(int imm5) => BitOperations.TrailingZeroCount(imm5);

    private static ulong Imm5Elem(Cpu cpu, int rn, int imm5)
    {
        int size = Imm5Size(imm5);
        return cpu.V(rn).Elem(imm5 >> (size + 1), 8 << size);
    }

    public static void DUP_elt(Cpu cpu, int q, int imm5, int rn, int rd) =>
        Write(cpu, q, rd, Replicate(Imm5Elem(cpu, rn, imm5), 8 << Imm5Size(imm5)));

    public static void DUP_gen(Cpu cpu, int q, int imm5, int rn, int rd) =>
        Write(cpu, q, rd, Replicate(cpu.X(rn), 8 << Imm5Size(imm5)));

    public static void DUP_s(Cpu cpu, int imm5, int rn, int rd) => cpu.SetVLow(rd, Imm5Elem(cpu, rn, imm5));

    public static void SMOV(Cpu cpu, int q, int imm5, int rn, int rd) =>
        cpu.SetR(q, rd, (ulong)SInt(Imm5Elem(cpu, rn, imm5), 8 << Imm5Size(imm5)));

    public static void UMOV(Cpu cpu, int imm5, int rn, int rd) => cpu.SetX(rd, Imm5Elem(cpu, rn, imm5));

    public static void INS_gen(Cpu cpu, int imm5, int rn, int rd) => InsertElem(cpu, imm5, rd, cpu.X(rn));

    public static void INS_elt(Cpu cpu, int imm5, int imm4, int rn, int rd)
    {
        int size = Imm5Size(imm5);
        InsertElem(cpu, imm5, rd, cpu.V(rn).Elem(imm4 >> size, 8 << size));
    }

    private static void InsertElem(Cpu cpu, int imm5, int rd, ulong value)
    {
        int size = Imm5Size(imm5);
        V128 d = cpu.V(rd);
        d.SetElem(imm5 >> (size + 1), 8 << size, value);
        cpu.SetV(rd, d);
    }

    // Modified immediate: AdvSIMDExpandImm of the pseudocode, one row for each kind of expansion.
    private static ulong Imm8(int abc, int defgh) => (uint)((abc << 5) | defgh);

    private static V128 ImmWords(int abc, int defgh, int sh) => Replicate(Imm8(abc, defgh) << (8 * sh), 32);

    private static V128 ImmHalves(int abc, int defgh, int sh) => Replicate(Imm8(abc, defgh) << (8 * sh), 16);

    private static V128 ImmOnes(int abc, int defgh, int sh) =>
        Replicate((Imm8(abc, defgh) << (8 << sh)) | Ones(8 << sh), 32);

    private static void WriteNot(Cpu cpu, int q, int rd, V128 v) => Write(cpu, q, rd, new V128(~v.Lo, ~v.Hi));

    private static void OrImmediate(Cpu cpu, int q, int rd, V128 imm)
    {
        V128 d = cpu.V(rd);
        Write(cpu, q, rd, new V128(d.Lo | imm.Lo, d.Hi | imm.Hi));
    }

    private static void ClearImmediate(Cpu cpu, int q, int rd, V128 imm)
    {
        V128 d = cpu.V(rd);
        Write(cpu, q, rd, new V128(d.Lo & ~imm.Lo, d.Hi & ~imm.Hi));
    }

    public static void MOVI_w(Cpu cpu, int q, int abc, int sh, int defgh, int rd) => Write(cpu, q, rd, ImmWords(abc, defgh, sh));

    public static void MVNI_w(Cpu cpu, int q, int abc, int sh, int defgh, int rd) => WriteNot(cpu, q, rd, ImmWords(abc, defgh, sh));

    public static void ORR_vimm_w(Cpu cpu, int q, int abc, int sh, int defgh, int rd) => OrImmediate(cpu, q, rd, ImmWords(abc, defgh, sh));

    public static void BIC_vimm_w(Cpu cpu, int q, int abc, int sh, int defgh, int rd) =>
        ClearImmediate(cpu, q, rd, ImmWords(abc, defgh, sh));

    public static void MOVI_h(Cpu cpu, int q, int abc, int sh, int defgh, int rd) => Write(cpu, q, rd, ImmHalves(abc, defgh, sh));

    public static void MVNI_h(Cpu cpu, int q, int abc, int sh, int defgh, int rd) => WriteNot(cpu, q, rd, ImmHalves(abc, defgh, sh));

    public static void ORR_vimm_h(Cpu cpu, int q, int abc, int sh, int defgh, int rd) => OrImmediate(cpu, q, rd, ImmHalves(abc, defgh, sh));

    public static void BIC_vimm_h(Cpu cpu, int q, int abc, int sh, int defgh, int rd) =>
        ClearImmediate(cpu, q, rd, ImmHalves(abc, defgh, sh));

    public static void MOVI_msl(Cpu cpu, int q, int abc, int sh, int defgh, int rd) => Write(cpu, q, rd, ImmOnes(abc, defgh, sh));

    public static void MVNI_msl(Cpu cpu, int q, int abc, int sh, int defgh, int rd) => WriteNot(cpu, q, rd, ImmOnes(abc, defgh, sh));

    public static void MOVI_b(Cpu cpu, int q, int abc, int defgh, int rd) => Write(cpu, q, rd, Replicate(Imm8(abc, defgh), 8));

    public static void MOVI_d(Cpu cpu, int q, int abc, int defgh, int rd)
    {
        ulong imm = ExpandByteMask((int)Imm8(abc, defgh));
        Write(cpu, q, rd, new V128(imm, imm));
    }

    /// <summary>VFPExpandImm: sign, inverted and replicated exponent bit, two exponent bits, four fraction bits.</summary>
    private static V128 ImmFp(int abc, int defgh, int bits, int exponentBits)
    {
        ulong imm8 = Imm8(abc, defgh);
        int fractionBits = bits - exponentBits - 1;
        ulong exponent = ((imm8 & 0x40) != 0 ? Ones(exponentBits - 3) << 2 : 1UL << (exponentBits - 1)) | ((imm8 >> 4) & 3);
        return Replicate((imm8 >> 7 << (bits - 1)) | (exponent << fractionBits) | ((imm8 & 15) << (fractionBits - 4)), bits);
    }

    public static void FMOV_vimm_s(Cpu cpu, int q, int abc, int defgh, int rd) => Write(cpu, q, rd, ImmFp(abc, defgh, 32, 8));

    public static void FMOV_vimm_d(Cpu cpu, int abc, int defgh, int rd) => cpu.SetV(rd, ImmFp(abc, defgh, 64, 11));

    public static void FMOV_vimm_h(Cpu cpu, int q, int abc, int defgh, int rd) => Write(cpu, q, rd, ImmFp(abc, defgh, 16, 5));

    // Permute
    public static void UZP1(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        Write(cpu, q, rd, SimdLanes.Unzip(q, size, 0, cpu.V(rn), cpu.V(rm)));

    public static void UZP2(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        Write(cpu, q, rd, SimdLanes.Unzip(q, size, 1, cpu.V(rn), cpu.V(rm)));

    public static void ZIP1(Cpu cpu, int q, int size, int rm, int rn, int rd) => Zip(cpu, q, size, 0, rm, rn, rd);

    public static void ZIP2(Cpu cpu, int q, int size, int rm, int rn, int rd) => Zip(cpu, q, size, 1, rm, rn, rd);

    private static void Zip(Cpu cpu, int q, int size, int part, int rm, int rn, int rd)
    {
        V128 n = cpu.V(rn), m = cpu.V(rm);
        ulong low = q != 0 && part != 0 ? n.Hi : n.Lo, high = q != 0 && part != 0 ? m.Hi : m.Lo;
        if (size == 3)
        {
            cpu.SetV(rd, new V128(low, high));
            return;
        }
        V128 even = SimdLanes.Widen(size, Unsigned, low);
        V128 odd = SimdLanes.Up(size, SimdLanes.Widen(size, Unsigned, high), 8 << size);
        V128 r = new(even.Lo | odd.Lo, even.Hi | odd.Hi);
        if (q != 0)
            cpu.SetV(rd, r);
        else
            cpu.SetVLow(rd, part == 0 ? r.Lo : r.Hi);
    }

    public static void TRN1(Cpu cpu, int q, int size, int rm, int rn, int rd) => Transpose(cpu, q, size, rm, rn, rd, 0);

    public static void TRN2(Cpu cpu, int q, int size, int rm, int rn, int rd) => Transpose(cpu, q, size, rm, rn, rd, 1);

    /// <summary>Even (part 0) or odd elements of both sources, in turn.</summary>
    private static void Transpose(Cpu cpu, int q, int size, int rm, int rn, int rd, int part)
    {
        V128 n = cpu.V(rn), m = cpu.V(rm);
        if (size == 3)
        {
            cpu.SetV(rd, part == 0 ? new V128(n.Lo, m.Lo) : new V128(n.Hi, m.Hi));
            return;
        }
        int width = 8 << size;
        ulong even = ulong.MaxValue / ((1UL << width) + 1);
        ulong Half(ulong a, ulong b) => part == 0 ? (a & even) | ((b & even) << width) : ((a >> width) & even) | (b & ~even);
        Write(cpu, q, rd, new V128(Half(n.Lo, m.Lo), Half(n.Hi, m.Hi)));
    }

    public static void EXT(Cpu cpu, int q, int rm, int imm4, int rn, int rd)
    {
        V128 n = cpu.V(rn), m = cpu.V(rm);
        int shift = (imm4 & 7) * 8;
        if (q == 0)
            cpu.SetVLow(rd, Join(n.Lo, m.Lo, shift));
        else if (imm4 < 8)
            cpu.SetV(rd, new V128(Join(n.Lo, n.Hi, shift), Join(n.Hi, m.Lo, shift)));
        else
            cpu.SetV(rd, new V128(Join(n.Hi, m.Lo, shift), Join(m.Lo, m.Hi, shift)));

        static ulong Join(ulong low, ulong high, int shift) => shift == 0 ? low : (low >> shift) | (high << (64 - shift));
    }

    public static void TBL(Cpu cpu, int q, int rm, int len, int rn, int rd)
    {
        if (len == 0)
            Write(cpu, q, rd, Vector128.Shuffle(cpu.V(rn).Host().AsByte(), cpu.V(rm).Host().AsByte()).Guest());
        else
            Write(cpu, q, rd, TableLookup(cpu, len, rn, cpu.V(rm), default));
    }

    public static void TBX(Cpu cpu, int q, int rm, int len, int rn, int rd) =>
        Write(cpu, q, rd, TableLookup(cpu, len, rn, cpu.V(rm), cpu.V(rd)));

    private static V128 TableLookup(Cpu cpu, int len, int rn, V128 indices, V128 result)
    {
        for (int i = 0; i < 16; i++)
        {
            int index = (int)indices.Elem(i, 8);
            if (index < 16 * (len + 1))
                result.SetElem(i, 8, cpu.V((rn + (index >> 4)) & 31).Elem(index & 15, 8));
        }
        return result;
    }

    // FEAT_LUT: the elements of Vn (and Vn+1) picked by a run of 2- or 4-bit indices in Vm.
    private static void LookupIndices(Cpu cpu, int esize, int isize, int index, int rm, int rn, int rd)
    {
        V128 indices = cpu.V(rm), result = default;
        int elements = 128 / esize;
        for (int e = 0; e < elements; e++)
        {
            int bit = ((index * elements) + e) * isize;
            int from = (int)((bit < 64 ? indices.Lo : indices.Hi) >> (bit & 63)) & ((1 << isize) - 1);
            result.SetElem(e, esize, cpu.V((rn + (from / elements)) & 31).Elem(from % elements, esize));
        }
        cpu.SetV(rd, result);
    }

    public static void LUTI2_b(Cpu cpu, int rm, int index, int rn, int rd) => LookupIndices(cpu, 8, 2, index, rm, rn, rd);

    public static void LUTI2_h(Cpu cpu, int rm, int index, int rn, int rd) => LookupIndices(cpu, 16, 2, index, rm, rn, rd);

    public static void LUTI4_b(Cpu cpu, int rm, int index, int rn, int rd) => LookupIndices(cpu, 8, 4, index, rm, rn, rd);

    public static void LUTI4_h(Cpu cpu, int rm, int index, int rn, int rd) => LookupIndices(cpu, 16, 4, index, rm, rn, rd);
}
