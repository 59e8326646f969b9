using ArmVdso.Emulator.Engine.Lockstep;
using ArmVdso.Emulator.Engine.Native;

namespace ArmVdso.Tests.Engines;

/// <summary>Native code: what a bug in it looks like, and what it must not remember.</summary>
public sealed class NativeEngineTests
{
    private const uint Loop = 0x14000000; // b .

    /// <summary>One bug for each kind of code: other registers, another immediate, other fields.</summary>
    [Theory]
    [InlineData(Row.ADD_imm, Row.SUBS_imm, Row.ADDS_shift, Row.ANDS_shift, Row.ORR_imm, Row.UBFM, Row.SBFM, Row.BFM, Row.EXTR)]
    [InlineData(Row.MOVZ, Row.MOVK, Row.CSEL, Row.CSINC, Row.CCMP_reg, Row.CCMN_imm, Row.MADD, Row.SMULH, Row.SDIV, Row.RORV)]
    [InlineData(Row.CLZ, Row.ADC, Row.SUBS_ext, Row.BICS_shift, Row.LDR_imm, Row.STR_post, Row.LDP_off, Row.STP_pre, Row.LDRSB_imm)]
    [InlineData(Row.LDR_fp_imm, Row.STP_fp_off, Row.LDAR, Row.STLR, Row.ADD_v, Row.CMHI_v, Row.BSL_v, Row.UMAXP_v, Row.USHR_v)]
    [InlineData(Row.SHRN_v, Row.EXT, Row.ZIP1, Row.TBL, Row.DUP_gen, Row.UMOV, Row.INS_elt, Row.MOVI_b, Row.FADD_s, Row.FMADD_s)]
    [InlineData(Row.FCMP_s, Row.FCSEL_s, Row.SCVTF_gen_s, Row.SCVTF_ss, Row.FNEG_s, Row.ADD_s, Row.RBIT, Row.LD1_1, Row.ST1_1)]
    public void ABugInCodeIsNoticed(params Row[] rows)
    {
        if (!Machine.HasNativeEngine)
            return;
        foreach (Row row in rows)
            Assert.True(Notices(row), row.ToString());
    }

    private static bool Notices(Row row)
    {
        using var machine = new EngineMachine(EngineKind.NativeChecked);
        machine.Machine.PrepareEngine();
        machine.Cpu.FPSR = 16; // IXC
        machine.Machine.Native!.Emitter.Alteration = op =>
        {
            if (op.Row != row)
                return op;
            op.Imm ^= 8;
            op.Rd ^= 1;
            op.Rn ^= 1;
            op.Instruction ^= 0x21 & ~RowInfo.Mask(row);
            return op;
        };
        var random = new Random(13);
        try
        {
            for (int i = 0; i < 100; i++)
                RandomBlocks.RunRow(machine, row, random);
            return false;
        }
        catch (EngineMismatchException)
        {
            return true;
        }
    }

    private static string Run(EngineKind engine, Action<EngineMachine> change, params uint[] words)
    {
        using var machine = new EngineMachine(engine);
        machine.Load(words);
        machine.Cpu.SetX(10, EngineMachine.Data);
        machine.Run(500);
        change(machine);
        machine.Run(500);
        return machine.State();
    }

    [Fact]
    public void CodeOfAPageThatIsGoneIsNotEntered()
    {
        if (!Machine.HasNativeEngine)
            return;
        uint[] words = new uint[1030];
        Array.Fill(words, Loop);
        words[0] = 0x91000442; // loop: add x2, x2, #1
        words[1] = 0x940003FF; // bl to the second page
        words[2] = 0x17FFFFFE; // b loop
        words[1024] = 0x91000863; // add x3, x3, #2
        words[1025] = 0xD65F03C0; // ret
        static void Unmap(EngineMachine machine) => machine.Low.Unmap(EngineMachine.Code + 0x1000);
        string expected = Run(EngineKind.Reference, Unmap, words);
        Assert.Contains("el 1", expected, StringComparison.Ordinal);
        Assert.Equal(expected, Run(EngineKind.Native, Unmap, words));
    }

    [Fact]
    public void AFaultInALoopOfNativeCodeIsPrecise()
    {
        if (!Machine.HasNativeEngine)
            return;
        uint[] words =
        [
            0xEB02007F, // loop: cmp x3, x2
            0xF8408544, // ldr x4, [x10], #8: faults behind the data
            0x91000442, // add x2, x2, #1
            0x9A831465, // csinc x5, x3, x3, ne
            0x17FFFFFC, // b loop
        ];
        string expected = Run(EngineKind.Reference, m => m.Cpu.SetX(10, EngineMachine.Data + 0x3F00), words);
        Assert.Contains($"far {EngineMachine.Data + 0x4000:x}", expected, StringComparison.Ordinal);
        Assert.Equal(expected, Run(EngineKind.Native, m => m.Cpu.SetX(10, EngineMachine.Data + 0x3F00), words));
    }

    [Fact]
    public void FullMemoryIsEmptiedAndCodeMadeAnew()
    {
        if (!Machine.HasNativeEngine)
            return;
        using var machine = new EngineMachine(EngineKind.Native, nativeSize: Emitter.LongestCode + 8192);
        uint[] words = new uint[2001];
        Array.Fill(words, 0xF1000442); // subs x2, x2, #1
        words[2000] = 0x17FFF830; // b to the start
        machine.Load(words);
        machine.Run(20010);
        Assert.Equal(unchecked(0UL - 20000), machine.Cpu.X(2));
        Assert.InRange(machine.Machine.NativeCounts!.Evictions, 2UL, 100UL);
    }

    [Fact]
    public void CodeIsLeftForWhatItHasNot()
    {
        if (!Machine.HasNativeEngine)
            return;
        using var machine = new EngineMachine(EngineKind.Native);
        machine.Load(
            0x91000442, // loop: add x2, x2, #1
            0xDAC00463, // rev16 x3, x3
            0x17FFFFFE); // b loop
        machine.Run(300);
        NativeCounts counts = machine.Machine.NativeCounts!;
        Assert.Equal((Row.REV16, 100UL), Assert.Single(counts.Interpreted));
    }
}
