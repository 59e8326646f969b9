using System.Buffers.Binary;

namespace ArmVdso.Tests.Memory;

/// <summary>Memory as the architecture has it: alignment, exclusives, precise faults, tagged addresses, self-modifying code
/// (DDI0487, B2.5, B2.12, D8.8, B2.7.4).</summary>
public sealed class MemorySemanticsTests
{
    private const ulong Data = TestCpu.Base + 4096;
    private const uint Svc = 0xD4000001, Nop = 0xD503201F, Ret = 0xD65F03C0;

    private static ulong FaultStatusOf(Cpu cpu) => cpu.ESR_EL1 & 0x3f;

    /// <summary>Executes one instruction at EL0 (or EL1); true when it completed.</summary>
    private static bool Run(TestCpu test, uint instruction, int cpu = 0, int el = 0)
    {
        Cpu pe = test.Machine.Cpus[cpu];
        BinaryPrimitives.WriteUInt32LittleEndian(test.Bytes, instruction);
        pe.EL = el;
        pe.PC = TestCpu.Base;
        ulong exceptions = pe.ExceptionEntries;
        pe.Step();
        return pe.ExceptionEntries == exceptions;
    }

    // [X1] is the address in all of them.
    private const uint LdxrW0 = 0x885F7C20, LdaxrX0 = 0xC85FFC20, StxrW2W3 = 0x88027C23, LdxpX4X5 = 0xC87F1424, StxpW2X4X5 = 0xC8221424,
        LdaddW2W0 = 0xB8220020,
        SwpX2X0 = 0xF8228020, CasX2X0 = 0xC8A27C20, CaspX2X4 = 0x48227C24, LdarX0 = 0xC8DFFC20, StlrX0 = 0xC89FFC20, LdrX0 = 0xF9400020,
            StrX0 = 0xF9000020,
        LdaprX0 = 0xF8BFC020, StrW3 = 0xB9000023, LdarbW0 = 0x08DFFC20, StrQ0 = 0x3D800020, LdrQ0 = 0x3DC00020;

    [Theory]
    [InlineData(LdxrW0, 4)]
    [InlineData(LdaxrX0, 8)]
    [InlineData(StxrW2W3, 4)]
    [InlineData(LdxpX4X5, 16)]
    [InlineData(StxpW2X4X5, 16)]
    public void ExclusivesMustBeAligned(uint instruction, int size)
    {
        foreach (bool lse2 in (bool[])[false, true])
        {
            using var test = new TestCpu();
            test.Cpu.HasLse2 = lse2;
            for (ulong offset = 0; offset < 32; offset++)
            {
                test.Cpu.SetX(1, Data + offset);
                bool aligned = offset % (ulong)size == 0;
                Assert.Equal(aligned, Run(test, instruction));
                if (aligned)
                    continue;
                Assert.Equal((0x21UL, Data + offset), (FaultStatusOf(test.Cpu), test.Cpu.FAR_EL1));
            }
        }
    }

    [Theory]
    [InlineData(LdaddW2W0, 4)]
    [InlineData(SwpX2X0, 8)]
    [InlineData(CasX2X0, 8)]
    [InlineData(CaspX2X4, 16)]
    [InlineData(LdarX0, 8)]
    [InlineData(StlrX0, 8)]
    [InlineData(LdaprX0, 8)]
    [InlineData(LdarbW0, 1)]
    public void OrderedAndAtomicAccessesStayInSixteenBytes(uint instruction, int size)
    {
        foreach (bool lse2 in (bool[])[false, true])
        {
            using var test = new TestCpu();
            test.Cpu.HasLse2 = lse2;
            for (ulong offset = 0; offset < 32; offset++)
            {
                test.Cpu.SetX(1, Data + offset);
                bool allowed = offset % (ulong)size == 0 || (lse2 && offset % 16 + (ulong)size <= 16);
                Assert.True(allowed == Run(test, instruction), $"LSE2 {lse2}, offset {offset}");
                if (!allowed)
                    Assert.Equal((0x21UL, Data + offset), (FaultStatusOf(test.Cpu), test.Cpu.FAR_EL1));
            }
        }
    }

    [Fact]
    public void OrdinaryAccessesMayBeUnaligned()
    {
        using var test = new TestCpu();
        foreach (uint instruction in (uint[])[LdrX0, StrX0, LdrQ0, StrQ0])
        {
            for (ulong offset = 0; offset < 64; offset++)
            {
                test.Cpu.CPACR_EL1 = 3 << 20;
                test.Cpu.SetX(1, Data + 4096 - 32 + offset);
                Assert.True(Run(test, instruction));
            }
        }
    }

    [Theory]
    [InlineData(0, 0UL)]
    [InlineData(60, 0UL)]
    [InlineData(64, 1UL)]
    [InlineData(-4, 1UL)]
    public void AnotherCpusStoreToTheGranuleClearsTheMonitor(int offset, ulong passed)
    {
        // Written so that "passed" is 1 when the store-exclusive succeeds.
        using var test = new TestCpu(2);
        Cpu first = test.Cpu, second = test.Machine.Cpus[1];
        first.SetX(1, Data + 128);
        second.SetX(1, (ulong)((long)Data + 128 + offset));
        Assert.True(Run(test, LdxrW0));
        Assert.True(Run(test, StrW3, cpu: 1));
        first.SetX(3, 0x55);
        Assert.True(Run(test, StxrW2W3));
        Assert.Equal(1 - passed, first.X(2));
        Assert.Equal(passed == 1 ? 0x55u : 0, BinaryPrimitives.ReadUInt32LittleEndian(test.Bytes[(4096 + 128)..]));
    }

    [Theory]
    [InlineData(Svc)]
    [InlineData(0x00000000u)]
    public void ExceptionsClearTheMonitor(uint instruction)
    {
        using var test = new TestCpu();
        test.Cpu.SetX(1, Data);
        Assert.True(Run(test, LdxrW0));
        Assert.False(Run(test, instruction));
        Assert.True(Run(test, StxrW2W3));
        Assert.Equal(1UL, test.Cpu.X(2));

        Assert.True(Run(test, LdxrW0));
        Assert.True(Run(test, StxrW2W3));
        Assert.Equal(0UL, test.Cpu.X(2));
    }

    [Fact]
    public void ExceptionReturnAndClrexClearTheMonitor()
    {
        using var test = new TestCpu();
        Cpu cpu = test.Cpu;
        cpu.SetX(1, Data);
        test.Protect(0, PagePermissions.UserRead | PagePermissions.UserExecute | PagePermissions.KernelExecute);
        foreach (uint clearing in (uint[])[0xD69F03E0, 0xD5033F5F])
        {
            Assert.True(Run(test, LdxrW0));
            cpu.SPSR_EL1 = 0;
            cpu.ELR_EL1 = TestCpu.Base;
            Assert.True(Run(test, clearing, el: clearing == 0xD69F03E0 ? 1 : 0));
            Assert.True(Run(test, StxrW2W3));
            Assert.Equal(1UL, cpu.X(2));
        }
    }

    [Fact]
    public void AStoreOfTheSameCpuLeavesItsMonitorAlone()
    {
        using var test = new TestCpu();
        test.Cpu.SetX(1, Data);
        Assert.True(Run(test, LdxrW0));
        Assert.True(Run(test, StrW3));
        Assert.True(Run(test, StxrW2W3));
        Assert.Equal(0UL, test.Cpu.X(2));
    }

    [Fact]
    public void StoreIntoAReadOnlySecondPageHasNoPartialEffect()
    {
        foreach (uint instruction in (uint[])[StrX0, StrQ0, 0xA9000020 /* STP X0, X0, [X1] */, 0x4C007020 /* ST1 {V0.16B}, [X1] */,
            0xF8008420 /* STR X0, [X1], #8 */])
        {
            using var test = new TestCpu();
            Cpu cpu = test.Cpu;
            cpu.CPACR_EL1 = 3 << 20;
            test.Protect(2, PagePermissions.UserRead);
            test.Bytes[4096..].Fill(0xAA);
            cpu.SetX(0, 0x1122334455667788);
            cpu.SetV(0, new V128(0x1122334455667788, 0x99AABBCCDDEEFF00));
            ulong address = Data + 4096 - 3;
            cpu.SetX(1, address);
            Assert.False(Run(test, instruction));
            Assert.Equal(0x0FUL, FaultStatusOf(cpu));
            Assert.Equal(Data + 4096, cpu.FAR_EL1);
            Assert.Equal(address, cpu.X(1));
            Assert.Equal(-1, test.Bytes[4096..].IndexOfAnyExcept((byte)0xAA));
            Assert.Equal(TestCpu.Base, cpu.ELR_EL1);
        }
    }

    [Fact]
    public void TagsOfDataAddressesAreIgnoredWhereTcrSays()
    {
        using var test = new TestCpu();
        Cpu cpu = test.Cpu;
        BinaryPrimitives.WriteUInt64LittleEndian(test.Bytes[4096..], 42);
        ulong tagged = Data | 0x5AUL << 56;
        cpu.SetX(1, tagged);
        Assert.False(Run(test, LdrX0));
        Assert.Equal(tagged, cpu.FAR_EL1);

        SetTcr(cpu, 1UL << 37);
        cpu.SetX(1, tagged);
        Assert.True(Run(test, LdrX0));
        Assert.Equal((42UL, tagged), (cpu.X(0), cpu.X(1)));
        cpu.SetX(0, 43);
        Assert.True(Run(test, StrX0));
        Assert.Equal(43UL, BinaryPrimitives.ReadUInt64LittleEndian(test.Bytes[4096..]));
        Assert.True(Run(test, LdxrW0));
    }

    [Fact]
    public void TagsOfBranchTargetsAreRemoved()
    {
        using var test = new TestCpu();
        Cpu cpu = test.Cpu;
        SetTcr(cpu, 1UL << 37);
        cpu.SetX(30, Data | 0x5AUL << 56);
        Assert.True(Run(test, Ret));
        Assert.Equal(Data, cpu.PC);

        SetTcr(cpu, 1UL << 37 | 1UL << 51);
        cpu.SetX(30, Data | 0x5AUL << 56);
        Assert.True(Run(test, Ret));
        Assert.Equal(Data | 0x5AUL << 56, cpu.PC);
        cpu.Step();
        Assert.Equal(0x20UL, cpu.ESR_EL1 >> 26);
    }

    private static void SetTcr(Cpu cpu, ulong bits)
    {
        int el = cpu.EL;
        cpu.EL = 1;
        cpu.SetX(0, 25 | (25 << 16) | bits);
        cpu.WriteSystemRegister(3, 0, 2, 0, 2, 0);
        cpu.EL = el;
    }

    [Fact]
    public void CodeThatWasWrittenRunsAfterIcIvau()
    {
        using var test = new TestCpu();
        Cpu cpu = test.Cpu;
        cpu.SCTLR_EL1 |= 1UL << 26;
        // mov x0, #1; ret, run once; then the first becomes mov x0, #2.
        BinaryPrimitives.WriteUInt32LittleEndian(test.Bytes[4096..], 0xD2800020);
        cpu.PC = Data;
        cpu.Step();
        Assert.Equal(1UL, cpu.X(0));
        uint[] code =
        [
            0xB9000023, // str w3, [x1]
            0xD50B7B21, // dc cvau, x1
            0xD5033B9F, // dsb ish
            0xD50B7521, // ic ivau, x1
            0xD5033B9F, // dsb ish
            0xD5033FDF, // isb
            0xD61F0020, // br x1
        ];
        for (int i = 0; i < code.Length; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(test.Bytes[(i * 4)..], code[i]);
        cpu.SetX(1, Data);
        cpu.SetX(3, 0xD2800040);
        cpu.PC = TestCpu.Base;
        for (int i = 0; i < code.Length + 1; i++)
            cpu.Step();
        Assert.Equal((0, 2UL), (cpu.EL, cpu.X(0)));
    }

    [Fact]
    public void MaintenanceOfAnUnmappedAddressIsADataAbortMarkedAsSuch()
    {
        using var test = new TestCpu();
        Cpu cpu = test.Cpu;
        cpu.SCTLR_EL1 |= 1UL << 26;
        cpu.SetX(1, 0x7000_0000);
        Assert.False(Run(test, 0xD50B7521));
        Assert.Equal((0x24UL, 0x7000_0000UL), (cpu.ESR_EL1 >> 26, cpu.FAR_EL1));
        Assert.Equal(1UL << 8 | 1UL << 6 | 7, cpu.ESR_EL1 & 0x1ff);
    }

    [Fact]
    public void ZeroingABlockIgnoresTheLowBitsAndMayBeTrapped()
    {
        using var test = new TestCpu();
        Cpu cpu = test.Cpu;
        test.Bytes[4096..8192].Fill(0xFF);
        cpu.SetX(1, Data + 64 + 17);
        Assert.False(Run(test, 0xD50B7421));
        Assert.Equal(0x18UL, cpu.ESR_EL1 >> 26);
        cpu.SCTLR_EL1 |= 1UL << 14;
        Assert.True(Run(test, 0xD50B7421));
        Assert.Equal((0xFF, 0, 0, 0xFF), (test.Bytes[4096 + 63], test.Bytes[4096 + 64], test.Bytes[4096 + 127], test.Bytes[4096 + 128]));
    }

    [Fact]
    public void DecodedHintsOfTheTestAreWhatTheyShouldBe()
    {
        (uint, Row)[] words = [(LdxpX4X5, Row.LDXP), (StxpW2X4X5, Row.STXP), (CaspX2X4, Row.CASP), (LdaprX0, Row.LDAPR), (CasX2X0, Row.CAS),
            (SwpX2X0, Row.SWP), (Nop, Row.NOP)];
        foreach ((uint word, Row row) in words)
            Assert.Equal(row, Decoder.Decode(word));
    }
}
