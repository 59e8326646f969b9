using ArmVdso.Emulator.Engine.Lockstep;
using ArmVdso.Emulator.Engine.Native;
using ArmVdso.Emulator.Engine.Portable;

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
    [InlineData(Row.REV16, Row.REV32, Row.CRC32CX, Row.AND_shift, Row.ORN_shift, Row.LDADD, Row.LDCLR, Row.SWP, Row.CAS, Row.LD1_4_post)]
    [InlineData(Row.ST1_2, Row.LDP_fp_post, Row.REV64_v, Row.UZP2, Row.TRN1, Row.MLA_v, Row.UADDW_v, Row.SMLAL_v, Row.USRA_v, Row.CNT_v)]
    [InlineData(Row.UABD_v, Row.BIC_vimm_h, Row.ADDV, Row.UADDLV, Row.XTN_v, Row.AESE, Row.AESMC, Row.PMULL_1q, Row.SHA512H, Row.SHA512H2)]
    [InlineData(Row.SHA512SU0, Row.SHA512SU1, Row.FADD_v, Row.FMLA_v, Row.FMUL_elt, Row.FNEG_v, Row.SCVTF_v, Row.FRINTM_s)]
    [InlineData(Row.FCCMP_s, Row.FMAX_s, Row.FMINNM_s, Row.FRINTA_s, Row.FRINTX_s, Row.FCVTMS_gen_s, Row.FCVTAS_gen_s, Row.FMOV_s)]
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
        using var machine = new EngineMachine(EngineKind.Native, nativeSize: 2 * (Emitter.LongestCode + 8192));
        uint[] words = new uint[2001];
        Array.Fill(words, 0xF1000442); // subs x2, x2, #1
        words[2000] = 0x17FFF830; // b to the start
        machine.Load(words);
        machine.Run(20010);
        Assert.Equal(unchecked(0UL - 20000), machine.Cpu.X(2));
        Assert.InRange(machine.Machine.NativeCounts!.Evictions, 2UL, 100UL);
    }

    /// <summary>Found by tools/ArmVdso.Fuzz: the block for which all code was dropped was compared as if native code had run it.</summary>
    [Fact]
    public void CodeThatIsDroppedWhileItIsCheckedIsMadeAnew()
    {
        if (!Machine.HasNativeEngine)
            return;
        using var machine = new EngineMachine(EngineKind.NativeChecked, nativeSize: 2 * (Emitter.LongestCode + 8192));
        var random = new Random(19);
        for (int i = 0; i < 300; i++)
            RandomBlocks.RunRow(machine, Row.ADD_shift, random);
        Assert.True(machine.Machine.NativeCounts!.Evictions > 0, "no code was dropped");
    }

    [Fact]
    public void CodeIsLeftForWhatItHasNot()
    {
        if (!Machine.HasNativeEngine)
            return;
        using var machine = new EngineMachine(EngineKind.Native);
        machine.Load(
            0x91000442, // loop: add x2, x2, #1
            0xDAC01463, // cls x3, x3
            0x17FFFFFE); // b loop
        machine.Run(300);
        NativeCounts counts = machine.Machine.NativeCounts!;
        Assert.Equal((Row.CLS, 100UL), Assert.Single(counts.Interpreted));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public void CopiesAndSetsAreThoseOfTheReference(int kind)
    {
        var random = new Random(17 + kind);
        using var machine = new EngineMachine(EngineMachine.AllChecked);
        for (int i = 0; i < 200; i++)
        {
            machine.Load([.. RandomWords.Bulk(kind, 1, 2, 3), Loop]);
            random.NextBytes(machine.DataBytes);
            // Ends near the end of a page half of the time; sizes of more than a step; faults; ranges that overlap.
            ulong to = EngineMachine.Data + (ulong)(random.Next(2) == 0 ? random.Next(0x4000) : 0x1000 - random.Next(300));
            machine.Cpu.SetX(1, to);
            machine.Cpu.SetX(2, random.Next(2) == 0 ? to + (ulong)random.Next(80) - 40 : EngineMachine.Data + (ulong)random.Next(0x3F00));
            machine.Cpu.SetX(3, (ulong)random.Next(random.Next(2) == 0 ? 40 : 900));
            machine.Start();
            machine.Run(20);
        }
        Assert.True(machine.Machine.Check!.Compared > 600, $"{machine.Machine.Check.Compared} instructions compared");
    }

    [Fact]
    public void StepsOfACopyAreInstructions()
    {
        if (!Machine.HasNativeEngine)
            return;
        uint[] words = [.. RandomWords.Bulk(0, 11, 10, 12), 0x17FFFFFD]; // and back to the first
        for (ulong size = 200; size < 3000; size += 331)
        {
            void Begin(EngineMachine machine)
            {
                machine.Cpu.SetX(11, EngineMachine.Data + 0x800);
                machine.Cpu.SetX(12, size);
            }

            Assert.Equal(Run(EngineKind.Reference, Begin, words), Run(EngineKind.Native, Begin, words));
        }
    }

    [Fact]
    public void PagesAPowerOfTwoApartAreBothInTheTlb()
    {
        if (!Machine.HasNativeEngine)
            return;
        // As the stack of a program and the data of its loader.
        const ulong distance = 1UL << 27;
        using var machine = new EngineMachine(EngineKind.Native);
        machine.Low.Map(EngineMachine.Data + distance, 0x8000, PagePermissions.UserRead);
        machine.Cpu.SetX(1, EngineMachine.Data);
        machine.Cpu.SetX(2, EngineMachine.Data + distance);
        machine.Load(
            0xF9400023, // loop: ldr x3, [x1]
            0xF9400044, // ldr x4, [x2]
            0x17FFFFFE); // b loop
        machine.Run(3000);
        Assert.InRange(machine.Machine.NativeCounts!.SlowAccesses, 1UL, 10UL);
    }

    /// <summary>Where branches go is forgotten when code may have changed, not whenever a page of data is new or gone.</summary>
    [Fact]
    public void APageWithoutCodeLeavesBranchesAlone()
    {
        using var machine = new EngineMachine(EngineKind.Portable);
        machine.Load(0x91000442, Loop); // add x2, x2, #1
        machine.Run(10);
        var engine = (PortableEngine)machine.Cpu.Engine;
        ulong before = engine.FetchEpoch;
        Assert.True(machine.Low.Lookup(EngineMachine.Data, out ulong data, out _));
        machine.Machine.InvalidateCode(data, 4096);
        Assert.Equal(before, engine.FetchEpoch);
        Assert.True(machine.Low.Lookup(EngineMachine.Code, out ulong code, out _));
        machine.Machine.InvalidateCode(code, 4096);
        Assert.NotEqual(before, engine.FetchEpoch);
    }
}
