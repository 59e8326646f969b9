using ArmVdso.Emulator.Isa;
using BenchmarkDotNet.Attributes;

namespace ArmVdso.Benchmarks;

/// <summary>Time of one instruction by timing class, in loops of one instruction repeated, without and with a timing model.</summary>
public class InstructionClassBenchmarks : LoopBenchmark
{
    // One instruction of each class that a loop can hold. X20 points at data.
    private static readonly Dictionary<TimingClass, uint> s_words = new()
    {
        [TimingClass.Alu] = 0x91000441, // add x1, x2, #1
        [TimingClass.AluShift] = 0x8B030C41, // add x1, x2, x3, lsl #3
        [TimingClass.AluExt] = 0x8B234041, // add x1, x2, w3, uxtw
        [TimingClass.AluFlags] = 0xAB030041, // adds x1, x2, x3
        [TimingClass.Logic] = 0xCA030041, // eor x1, x2, x3
        [TimingClass.Mov] = 0xD28000E1, // mov x1, #7
        [TimingClass.Bitfield] = 0xD3432C41, // ubfx x1, x2, #3, #9
        [TimingClass.Extract] = 0x93C31441, // extr x1, x2, x3, #5
        [TimingClass.Adr] = 0x10000001, // adr x1, #0
        [TimingClass.Csel] = 0x9A830041, // csel x1, x2, x3, eq
        [TimingClass.Ccmp] = 0xFA420020, // ccmp x1, x2, #0, eq
        [TimingClass.Crc] = 0x9AC34C41, // crc32x w1, w2, x3
        [TimingClass.Clz] = 0xDAC01041, // clz x1, x2
        [TimingClass.Mul] = 0x9B037C41, // mul x1, x2, x3
        [TimingClass.Madd] = 0x9B031041, // madd x1, x2, x3, x4
        [TimingClass.Mulh] = 0x9BC37C41, // umulh x1, x2, x3
        [TimingClass.Div] = 0x9AC30841, // udiv x1, x2, x3
        [TimingClass.Branch] = 0x14000001, // b #4
        [TimingClass.BranchCond] = 0x54000020, // b.eq #4
        [TimingClass.BranchCmp] = 0xB4000022, // cbz x2, #4
        [TimingClass.Call] = 0x94000001, // bl #4
        [TimingClass.Hint] = 0xD503201F, // nop
        [TimingClass.Mrs] = 0xD53BD041, // mrs x1, TPIDR_EL0
        [TimingClass.Load] = 0xF9400281, // ldr x1, [x20]
        [TimingClass.LoadPair] = 0xA9400A81, // ldp x1, x2, [x20]
        [TimingClass.LoadAcquire] = 0xC8DFFE81, // ldar x1, [x20]
        [TimingClass.Store] = 0xF9000281, // str x1, [x20]
        [TimingClass.StorePair] = 0xA9000A81, // stp x1, x2, [x20]
        [TimingClass.Atomic] = 0xF8210282, // ldadd x1, x2, [x20]
        [TimingClass.LoadFp] = 0x3DC00281, // ldr q1, [x20]
        [TimingClass.StoreFp] = 0x3D800281, // str q1, [x20]
        [TimingClass.LoadSimd] = 0x4C402280, // ld1 { v0.16b, v1.16b, v2.16b, v3.16b }, [x20]
        [TimingClass.FpAlu] = 0x1E632841, // fadd d1, d2, d3
        [TimingClass.FpMul] = 0x1E630841, // fmul d1, d2, d3
        [TimingClass.FpFma] = 0x1F431041, // fmadd d1, d2, d3, d4
        [TimingClass.FpDiv] = 0x1E631841, // fdiv d1, d2, d3
        [TimingClass.FpSqrt] = 0x1E61C041, // fsqrt d1, d2
        [TimingClass.FpCmp] = 0x1E622020, // fcmp d1, d2
        [TimingClass.FpCvt] = 0x1E624041, // fcvt s1, d2
        [TimingClass.FpToInt] = 0x9E780041, // fcvtzs x1, d2
        [TimingClass.IntToFp] = 0x9E620041, // scvtf d1, x2
        [TimingClass.SimdAlu] = 0x4E238441, // add v1.16b, v2.16b, v3.16b
        [TimingClass.SimdLogic] = 0x4E231C41, // and v1.16b, v2.16b, v3.16b
        [TimingClass.SimdMul] = 0x4EA39C41, // mul v1.4s, v2.4s, v3.4s
        [TimingClass.SimdMla] = 0x4EA39441, // mla v1.4s, v2.4s, v3.4s
        [TimingClass.SimdShift] = 0x4F235441, // shl v1.4s, v2.4s, #3
        [TimingClass.SimdPerm] = 0x4E033841, // zip1 v1.16b, v2.16b, v3.16b
        [TimingClass.SimdFp] = 0x4E23D441, // fadd v1.4s, v2.4s, v3.4s
        [TimingClass.SimdFpMul] = 0x6E23DC41, // fmul v1.4s, v2.4s, v3.4s
        [TimingClass.SimdFpFma] = 0x4E23CC41, // fmla v1.4s, v2.4s, v3.4s
        [TimingClass.SimdFpDiv] = 0x6E23FC41, // fdiv v1.4s, v2.4s, v3.4s
        [TimingClass.SimdReduce] = 0x4EB1B841, // addv s1, v2.4s
        [TimingClass.SimdDot] = 0x4E839441, // sdot v1.4s, v2.16b, v3.16b
        [TimingClass.Tbl] = 0x4E030041, // tbl v1.16b, { v2.16b }, v3.16b
        [TimingClass.CryptoAes] = 0x4E284841, // aese v1.16b, v2.16b
        [TimingClass.CryptoSha] = 0x5E034041, // sha256h q1, q2, v3.4s
        [TimingClass.Pmull] = 0x0EE3E041, // pmull v1.1q, v2.1d, v3.1d
        [TimingClass.Pauth] = 0xDAC10041, // pacia x1, x2
    };

    /// <summary>Classes to run.</summary>
    public static IEnumerable<TimingClass> Classes => s_words.Keys;

    [ParamsSource(nameof(Classes))]
    public TimingClass Class { get; set; }

    /// <inheritdoc/>
    protected override void Load(BareMachine machine)
    {
        machine.Loop([s_words[Class]], 64);
        for (int i = 0; i < 20; i++)
            machine.Cpu.SetX(i, BareMachine.Data + (ulong)i * 77);
        machine.Cpu.SetX(20, BareMachine.Data);
    }
}
