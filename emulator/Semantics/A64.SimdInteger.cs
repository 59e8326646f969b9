using System.Buffers.Binary;
using System.Numerics;
using ArmVdso.Emulator.Processor;
using static ArmVdso.Emulator.Semantics.SimdElements;
using static ArmVdso.Emulator.Semantics.SimdLanes;

namespace ArmVdso.Emulator.Semantics;

/// <summary>Advanced SIMD logical, add, subtract, compare, minimum, maximum, absolute value, bit counts and reversals,
/// pairwise and across-lanes operations on integers of one size (Arm ARM, C7.2).</summary>
public static partial class A64
{
    // Logical
    public static void AND_v(Cpu cpu, int q, int rm, int rn, int rd)
    {
        V128 n = cpu.V(rn), m = cpu.V(rm);
        Write(cpu, q, rd, new V128(n.Lo & m.Lo, n.Hi & m.Hi));
    }

    public static void BIC_v(Cpu cpu, int q, int rm, int rn, int rd)
    {
        V128 n = cpu.V(rn), m = cpu.V(rm);
        Write(cpu, q, rd, new V128(n.Lo & ~m.Lo, n.Hi & ~m.Hi));
    }

    public static void ORR_v(Cpu cpu, int q, int rm, int rn, int rd)
    {
        V128 n = cpu.V(rn), m = cpu.V(rm);
        Write(cpu, q, rd, new V128(n.Lo | m.Lo, n.Hi | m.Hi));
    }

    public static void ORN_v(Cpu cpu, int q, int rm, int rn, int rd)
    {
        V128 n = cpu.V(rn), m = cpu.V(rm);
        Write(cpu, q, rd, new V128(n.Lo | ~m.Lo, n.Hi | ~m.Hi));
    }

    public static void EOR_v(Cpu cpu, int q, int rm, int rn, int rd)
    {
        V128 n = cpu.V(rn), m = cpu.V(rm);
        Write(cpu, q, rd, new V128(n.Lo ^ m.Lo, n.Hi ^ m.Hi));
    }

    private static V128 Select(V128 mask, V128 ones, V128 zeros) =>
        new((ones.Lo & mask.Lo) | (zeros.Lo & ~mask.Lo), (ones.Hi & mask.Hi) | (zeros.Hi & ~mask.Hi));

    public static void BSL_v(Cpu cpu, int q, int rm, int rn, int rd) => Write(cpu, q, rd, Select(cpu.V(rd), cpu.V(rn), cpu.V(rm)));

    public static void BIT_v(Cpu cpu, int q, int rm, int rn, int rd) => Write(cpu, q, rd, Select(cpu.V(rm), cpu.V(rn), cpu.V(rd)));

    public static void BIF_v(Cpu cpu, int q, int rm, int rn, int rd) => Write(cpu, q, rd, Select(cpu.V(rm), cpu.V(rd), cpu.V(rn)));

    public static void NOT_v(Cpu cpu, int q, int rn, int rd) => WriteNot(cpu, q, rd, cpu.V(rn));

    // Add, subtract
    public static void ADD_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => Binary<Add>(cpu, q, size, Unsigned, rn, rm, rd);

    public static void SUB_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => Binary<Sub>(cpu, q, size, Unsigned, rn, rm, rd);

    public static void ADD_s(Cpu cpu, int rm, int rn, int rd) => cpu.SetVLow(rd, cpu.V(rn).Lo + cpu.V(rm).Lo);

    public static void SUB_s(Cpu cpu, int rm, int rn, int rd) => cpu.SetVLow(rd, cpu.V(rn).Lo - cpu.V(rm).Lo);

    public static void NEG_v(Cpu cpu, int q, int size, int rn, int rd) =>
        Write(cpu, q, rd, Apply<Sub>(size, Unsigned, default, cpu.V(rn)));

    public static void NEG_s(Cpu cpu, int rn, int rd) => cpu.SetVLow(rd, 0 - cpu.V(rn).Lo);

    public static void ABS_v(Cpu cpu, int q, int size, int rn, int rd) =>
        Write(cpu, q, rd, Apply<Abs>(size, Signed, default, cpu.V(rn)));

    public static void ABS_s(Cpu cpu, int rn, int rd)
    {
        ulong n = cpu.V(rn).Lo;
        cpu.SetVLow(rd, (long)n < 0 ? 0 - n : n);
    }

    public static void SHADD_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        Binary<HalvingAdd>(cpu, q, size, Signed, rn, rm, rd);

    public static void UHADD_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        Binary<HalvingAdd>(cpu, q, size, Unsigned, rn, rm, rd);

    public static void SRHADD_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        Binary<RoundingHalvingAdd>(cpu, q, size, Signed, rn, rm, rd);

    public static void URHADD_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        Binary<RoundingHalvingAdd>(cpu, q, size, Unsigned, rn, rm, rd);

    public static void SHSUB_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        Binary<HalvingSub>(cpu, q, size, Signed, rn, rm, rd);

    public static void UHSUB_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        Binary<HalvingSub>(cpu, q, size, Unsigned, rn, rm, rd);

    public static void SABD_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => Binary<Abd>(cpu, q, size, Signed, rn, rm, rd);

    public static void UABD_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => Binary<Abd>(cpu, q, size, Unsigned, rn, rm, rd);

    public static void SABA_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => AbsoluteDifferenceAdd(cpu, q, size, Signed, rm, rn, rd);

    public static void UABA_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        AbsoluteDifferenceAdd(cpu, q, size, Unsigned, rm, rn, rd);

    private static void AbsoluteDifferenceAdd(Cpu cpu, int q, int size, bool unsigned, int rm, int rn, int rd) =>
        Write(cpu, q, rd, Apply<Add>(size, Unsigned, cpu.V(rd), Apply<Abd>(size, unsigned, cpu.V(rn), cpu.V(rm))));

    // Saturating add, subtract, absolute value
    private static void SaturatingScalar(Cpu cpu, int size, bool unsigned, int rm, int rn, int rd, Func<Int128, Int128, Int128> op)
    {
        int esize = 8 << size;
        Int128 a = Wide(cpu.V(rn).Elem(0, esize), esize, unsigned), b = Wide(cpu.V(rm).Elem(0, esize), esize, unsigned);
        cpu.SetVLow(rd, SatQ(cpu, op(a, b), esize, unsigned) & Ones(esize));
    }

    public static void SQADD_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        Saturate<SaturatingAdd, Add>(cpu, q, size, Signed, cpu.V(rn), cpu.V(rm), rd);

    public static void UQADD_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        Saturate<SaturatingAdd, Add>(cpu, q, size, Unsigned, cpu.V(rn), cpu.V(rm), rd);

    public static void SQSUB_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        Saturate<SaturatingSub, Sub>(cpu, q, size, Signed, cpu.V(rn), cpu.V(rm), rd);

    public static void UQSUB_v(Cpu cpu, int q, int size, int rm, int rn, int rd) =>
        Saturate<SaturatingSub, Sub>(cpu, q, size, Unsigned, cpu.V(rn), cpu.V(rm), rd);

    public static void SQADD_s(Cpu cpu, int size, int rm, int rn, int rd) =>
        SaturatingScalar(cpu, size, Signed, rm, rn, rd, static (a, b) => a + b);

    public static void UQADD_s(Cpu cpu, int size, int rm, int rn, int rd) =>
        SaturatingScalar(cpu, size, Unsigned, rm, rn, rd, static (a, b) => a + b);

    public static void SQSUB_s(Cpu cpu, int size, int rm, int rn, int rd) =>
        SaturatingScalar(cpu, size, Signed, rm, rn, rd, static (a, b) => a - b);

    public static void UQSUB_s(Cpu cpu, int size, int rm, int rn, int rd) =>
        SaturatingScalar(cpu, size, Unsigned, rm, rn, rd, static (a, b) => a - b);

    // SQABS and SQNEG: zero minus the operand; the scalar operations do not use their second operand.
    public static void SQABS_v(Cpu cpu, int q, int size, int rn, int rd) =>
        Saturate<SaturatingAbs, Abs>(cpu, q, size, Signed, default, cpu.V(rn), rd);

    public static void SQNEG_v(Cpu cpu, int q, int size, int rn, int rd) =>
        Saturate<SaturatingSub, Sub>(cpu, q, size, Signed, default, cpu.V(rn), rd);

    public static void SQABS_s(Cpu cpu, int size, int rn, int rd) =>
        SaturatingScalar(cpu, size, Signed, rn, rn, rd, static (a, _) => Int128.Abs(a));

    public static void SQNEG_s(Cpu cpu, int size, int rn, int rd) =>
        SaturatingScalar(cpu, size, Signed, rn, rn, rd, static (a, _) => -a);

    /// <summary>SUQADD (unsigned false: Vd signed, Vn unsigned) and USQADD (the other way round).</summary>
    private static void MixedAdd(Cpu cpu, Shape s, bool unsigned, int rn, int rd)
    {
        V128 n = cpu.V(rn), d = cpu.V(rd), r = default;
        for (int e = 0; e < s.Elements; e++)
        {
            Int128 sum = Wide(n.Elem(e, s.Esize), s.Esize, !unsigned) + Wide(d.Elem(e, s.Esize), s.Esize, unsigned);
            r.SetElem(e, s.Esize, SatQ(cpu, sum, s.Esize, unsigned));
        }
        cpu.SetV(rd, r);
    }

    public static void SUQADD_v(Cpu cpu, int q, int size, int rn, int rd) => MixedAdd(cpu, Shape.Vec(q, size), Signed, rn, rd);

    public static void USQADD_v(Cpu cpu, int q, int size, int rn, int rd) => MixedAdd(cpu, Shape.Vec(q, size), Unsigned, rn, rd);

    public static void SUQADD_s(Cpu cpu, int size, int rn, int rd) => MixedAdd(cpu, Shape.Scalar(size), Signed, rn, rd);

    public static void USQADD_s(Cpu cpu, int size, int rn, int rd) => MixedAdd(cpu, Shape.Scalar(size), Unsigned, rn, rd);

    // Compare
    public static void CMEQ_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => Binary<CompareEQ>(cpu, q, size, Unsigned, rn, rm, rd);

    public static void CMTST_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => Binary<Test>(cpu, q, size, Unsigned, rn, rm, rd);

    public static void CMGT_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => Binary<CompareGT>(cpu, q, size, Signed, rn, rm, rd);

    public static void CMGE_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => Binary<CompareGE>(cpu, q, size, Signed, rn, rm, rd);

    public static void CMHI_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => Binary<CompareGT>(cpu, q, size, Unsigned, rn, rm, rd);

    public static void CMHS_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => Binary<CompareGE>(cpu, q, size, Unsigned, rn, rm, rd);

    public static void CMEQ_z_v(Cpu cpu, int q, int size, int rn, int rd) =>
        Write(cpu, q, rd, Apply<CompareEQ>(size, Unsigned, cpu.V(rn), default));

    public static void CMGT_z_v(Cpu cpu, int q, int size, int rn, int rd) =>
        Write(cpu, q, rd, Apply<CompareGT>(size, Signed, cpu.V(rn), default));

    public static void CMGE_z_v(Cpu cpu, int q, int size, int rn, int rd) =>
        Write(cpu, q, rd, Apply<CompareGE>(size, Signed, cpu.V(rn), default));

    public static void CMLE_z_v(Cpu cpu, int q, int size, int rn, int rd) =>
        Write(cpu, q, rd, Apply<CompareGE>(size, Signed, default, cpu.V(rn)));

    public static void CMLT_z_v(Cpu cpu, int q, int size, int rn, int rd) =>
        Write(cpu, q, rd, Apply<CompareGT>(size, Signed, default, cpu.V(rn)));

    private static void SetTruth(Cpu cpu, int rd, bool truth) => cpu.SetVLow(rd, truth ? ulong.MaxValue : 0);

    public static void CMEQ_s(Cpu cpu, int rm, int rn, int rd) => SetTruth(cpu, rd, cpu.V(rn).Lo == cpu.V(rm).Lo);

    public static void CMTST_s(Cpu cpu, int rm, int rn, int rd) => SetTruth(cpu, rd, (cpu.V(rn).Lo & cpu.V(rm).Lo) != 0);

    public static void CMGT_s(Cpu cpu, int rm, int rn, int rd) => SetTruth(cpu, rd, (long)cpu.V(rn).Lo > (long)cpu.V(rm).Lo);

    public static void CMGE_s(Cpu cpu, int rm, int rn, int rd) => SetTruth(cpu, rd, (long)cpu.V(rn).Lo >= (long)cpu.V(rm).Lo);

    public static void CMHI_s(Cpu cpu, int rm, int rn, int rd) => SetTruth(cpu, rd, cpu.V(rn).Lo > cpu.V(rm).Lo);

    public static void CMHS_s(Cpu cpu, int rm, int rn, int rd) => SetTruth(cpu, rd, cpu.V(rn).Lo >= cpu.V(rm).Lo);

    public static void CMEQ_z_s(Cpu cpu, int rn, int rd) => SetTruth(cpu, rd, cpu.V(rn).Lo == 0);

    public static void CMGT_z_s(Cpu cpu, int rn, int rd) => SetTruth(cpu, rd, (long)cpu.V(rn).Lo > 0);

    public static void CMGE_z_s(Cpu cpu, int rn, int rd) => SetTruth(cpu, rd, (long)cpu.V(rn).Lo >= 0);

    public static void CMLE_z_s(Cpu cpu, int rn, int rd) => SetTruth(cpu, rd, (long)cpu.V(rn).Lo <= 0);

    public static void CMLT_z_s(Cpu cpu, int rn, int rd) => SetTruth(cpu, rd, (long)cpu.V(rn).Lo < 0);

    // Minimum, maximum
    public static void SMAX_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => Binary<Max>(cpu, q, size, Signed, rn, rm, rd);

    public static void SMIN_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => Binary<Min>(cpu, q, size, Signed, rn, rm, rd);

    public static void UMAX_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => Binary<Max>(cpu, q, size, Unsigned, rn, rm, rd);

    public static void UMIN_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => Binary<Min>(cpu, q, size, Unsigned, rn, rm, rd);

    // Pairwise
    public static void ADDP_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => Pairwise<Add>(cpu, q, size, Unsigned, rn, rm, rd);

    public static void SMAXP_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => Pairwise<Max>(cpu, q, size, Signed, rn, rm, rd);

    public static void SMINP_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => Pairwise<Min>(cpu, q, size, Signed, rn, rm, rd);

    public static void UMAXP_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => Pairwise<Max>(cpu, q, size, Unsigned, rn, rm, rd);

    public static void UMINP_v(Cpu cpu, int q, int size, int rm, int rn, int rd) => Pairwise<Min>(cpu, q, size, Unsigned, rn, rm, rd);

    public static void ADDP_s(Cpu cpu, int rn, int rd) => cpu.SetVLow(rd, cpu.V(rn).Lo + cpu.V(rn).Hi);

    public static void SADDLP_v(Cpu cpu, int q, int size, int rn, int rd) =>
        cpu.SetV(rd, LongPairs(Shape.Vec(q, size), Signed, default, cpu.V(rn)));

    public static void UADDLP_v(Cpu cpu, int q, int size, int rn, int rd) =>
        cpu.SetV(rd, LongPairs(Shape.Vec(q, size), Unsigned, default, cpu.V(rn)));

    public static void SADALP_v(Cpu cpu, int q, int size, int rn, int rd) =>
        cpu.SetV(rd, LongPairs(Shape.Vec(q, size), Signed, cpu.V(rd), cpu.V(rn)));

    public static void UADALP_v(Cpu cpu, int q, int size, int rn, int rd) =>
        cpu.SetV(rd, LongPairs(Shape.Vec(q, size), Unsigned, cpu.V(rd), cpu.V(rn)));

    // Across lanes
    public static void ADDV(Cpu cpu, int q, int size, int rn, int rd) => cpu.SetVLow(rd, Reduce<Add>(q, size, Unsigned, cpu.V(rn)));

    public static void SMAXV(Cpu cpu, int q, int size, int rn, int rd) => cpu.SetVLow(rd, Reduce<Max>(q, size, Signed, cpu.V(rn)));

    public static void SMINV(Cpu cpu, int q, int size, int rn, int rd) => cpu.SetVLow(rd, Reduce<Min>(q, size, Signed, cpu.V(rn)));

    public static void UMAXV(Cpu cpu, int q, int size, int rn, int rd) => cpu.SetVLow(rd, Reduce<Max>(q, size, Unsigned, cpu.V(rn)));

    public static void UMINV(Cpu cpu, int q, int size, int rn, int rd) => cpu.SetVLow(rd, Reduce<Min>(q, size, Unsigned, cpu.V(rn)));

    public static void SADDLV(Cpu cpu, int q, int size, int rn, int rd) => LongSum(cpu, q, size, Signed, rn, rd);

    public static void UADDLV(Cpu cpu, int q, int size, int rn, int rd) => LongSum(cpu, q, size, Unsigned, rn, rd);

    private static void LongSum(Cpu cpu, int q, int size, bool unsigned, int rn, int rd)
    {
        var s = Shape.Vec(q, size);
        V128 n = cpu.V(rn);
        long sum = 0;
        for (int e = 0; e < s.Elements; e++)
            sum += Int(n, e, s.Esize, unsigned);
        cpu.SetVLow(rd, (ulong)sum & Ones(2 * s.Esize));
    }

    // Bit counts and reversals
    public static void CLZ_v(Cpu cpu, int q, int size, int rn, int rd) =>
        cpu.SetV(rd, Map1(Shape.Vec(q, size), Unsigned, cpu.V(rn),
            static (a, esize) => BitOperations.LeadingZeroCount((ulong)a) - (64 - esize)));

    public static void CLS_v(Cpu cpu, int q, int size, int rn, int rd) =>
        cpu.SetV(rd, Map1(Shape.Vec(q, size), Signed, cpu.V(rn),
            static (a, esize) => BitOperations.LeadingZeroCount((ulong)(a ^ (a >> 63))) - (64 - esize) - 1));

    public static void CNT_v(Cpu cpu, int q, int rn, int rd)
    {
        V128 n = cpu.V(rn);
        Write(cpu, q, rd, new V128(Count(n.Lo), Count(n.Hi)));

        static ulong Count(ulong x)
        {
            x -= (x >> 1) & 0x5555555555555555;
            x = (x & 0x3333333333333333) + ((x >> 2) & 0x3333333333333333);
            return (x + (x >> 4)) & 0x0F0F0F0F0F0F0F0F;
        }
    }

    /// <summary>Reverses the order of fields of <paramref name="field"/> bits within containers of <paramref name="container"/>
    /// bits.</summary>
    private static void ReverseFields(Cpu cpu, int q, int rn, int rd, int field, int container)
    {
        V128 n = cpu.V(rn);
        Write(cpu, q, rd, new V128(Reverse(n.Lo, field, container), Reverse(n.Hi, field, container)));

        static ulong Reverse(ulong x, int field, int container)
        {
            if (field == 8 && container == 64)
                return BinaryPrimitives.ReverseEndianness(x);
            for (int w = field; w < container; w *= 2)
            {
                ulong even = ulong.MaxValue / ((1UL << w) + 1);
                x = ((x >> w) & even) | ((x & even) << w);
            }
            return x;
        }
    }

    public static void REV64_v(Cpu cpu, int q, int size, int rn, int rd) => ReverseFields(cpu, q, rn, rd, 8 << size, 64);

    public static void REV32_v(Cpu cpu, int q, int size, int rn, int rd) => ReverseFields(cpu, q, rn, rd, 8 << size, 32);

    public static void REV16_v(Cpu cpu, int q, int rn, int rd) => ReverseFields(cpu, q, rn, rd, 8, 16);

    public static void RBIT_v(Cpu cpu, int q, int rn, int rd) => ReverseFields(cpu, q, rn, rd, 1, 8);
}
