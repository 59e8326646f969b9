using System.Buffers.Binary;

namespace ArmVdso.Tests.Instructions;

/// <summary>Rows that no other emulator here can check: pointer authentication with known keys, and what is UNDEFINED or
/// trapped at EL0 (DDI0487, C6.2 of each).</summary>
public sealed class DirectedRowTests
{
    private const ulong Pointer = 0x12_3456_7890, Modifier = 0x7777_1234;
    private const ulong PacField = 0x007F_FF80_0000_0000; // bits 54 to 39: 39 bits of address, TBI on

    private static TestCpu Signing()
    {
        var test = new TestCpu();
        Cpu cpu = test.Cpu;
        for (int i = 0; i < cpu.PauthKey.Length; i++)
            cpu.PauthKey[i] = 0x9E3779B97F4A7C15 * (ulong)(i + 1);
        cpu.EL = 1;
        cpu.SetX(0, 25 | (25 << 16) | 1UL << 37 | 1UL << 38);
        cpu.WriteSystemRegister(3, 0, 2, 0, 2, 0);
        cpu.EL = 0;
        cpu.SCTLR_EL1 = (1UL << 31) | (1UL << 30) | (1UL << 27) | (1UL << 13);
        test.Protect(0, PagePermissions.UserRead | PagePermissions.UserWrite | PagePermissions.UserExecute | PagePermissions.KernelExecute);
        return test;
    }

    private static void Step(TestCpu test, uint instruction)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(test.Bytes, instruction);
        test.Cpu.PC = TestCpu.Base;
        test.Cpu.Step();
    }

    /// <summary>The architected signature (FEAT_PAuth): the cipher's bits in the field of the pointer.</summary>
    private static ulong Signed(Cpu cpu, int key, ulong pointer, ulong modifier) =>
        (pointer & ~PacField) | (Qarma.ComputePac(pointer, modifier, cpu.PauthKey[2 * key + 1], cpu.PauthKey[2 * key]) & PacField);

    [Theory]
    [InlineData(Row.PACIA, Row.AUTIA, 0, 2, 1)]
    [InlineData(Row.PACIB, Row.AUTIB, 1, 2, 1)]
    [InlineData(Row.PACDA, Row.AUTDA, 2, 2, 1)]
    [InlineData(Row.PACDB, Row.AUTDB, 3, 2, 1)]
    [InlineData(Row.PACIZA, Row.AUTIZA, 0, -1, 1)]
    [InlineData(Row.PACIZB, Row.AUTIZB, 1, -1, 1)]
    [InlineData(Row.PACDZA, Row.AUTDZA, 2, -1, 1)]
    [InlineData(Row.PACDZB, Row.AUTDZB, 3, -1, 1)]
    [InlineData(Row.PACIA1716, Row.AUTIA1716, 0, 16, 17)]
    [InlineData(Row.PACIB1716, Row.AUTIB1716, 1, 16, 17)]
    [InlineData(Row.PACIASP, Row.AUTIASP, 0, 31, 30)]
    [InlineData(Row.PACIBSP, Row.AUTIBSP, 1, 31, 30)]
    [InlineData(Row.PACIAZ, Row.AUTIAZ, 0, -1, 30)]
    [InlineData(Row.PACIBZ, Row.AUTIBZ, 1, -1, 30)]
    public void EachSignsWithItsKeyAndModifier(Row sign, Row authenticate, int key, int modifier, int register)
    {
        using TestCpu test = Signing();
        Cpu cpu = test.Cpu;
        uint operands = register == 1 ? 1u | (modifier == 2 ? 2u << 5 : 0) : 0;
        cpu.SetX(register, Pointer);
        cpu.SetX(2, Modifier);
        cpu.SetX(16, Modifier);
        cpu.SP = Modifier;
        Step(test, RowInfo.Value(sign) | operands);
        Assert.Equal(Signed(cpu, key, Pointer, modifier < 0 ? 0 : Modifier), cpu.X(register));
        Step(test, RowInfo.Value(authenticate) | operands);
        Assert.Equal((0, Pointer), (cpu.EL, cpu.X(register)));
    }

    [Theory]
    [InlineData(Row.BRAA, 0, 2, false)]
    [InlineData(Row.BRAB, 1, 2, false)]
    [InlineData(Row.BRAAZ, 0, -1, false)]
    [InlineData(Row.BRABZ, 1, -1, false)]
    [InlineData(Row.BLRAA, 0, 2, true)]
    [InlineData(Row.BLRAB, 1, 2, true)]
    [InlineData(Row.BLRAAZ, 0, -1, true)]
    [InlineData(Row.BLRABZ, 1, -1, true)]
    [InlineData(Row.RETAA, 0, 31, false)]
    [InlineData(Row.RETAB, 1, 31, false)]
    [InlineData(Row.ERETAA, 0, 31, false)]
    [InlineData(Row.ERETAB, 1, 31, false)]
    public void BranchesAuthenticate(Row branch, int key, int modifier, bool link)
    {
        foreach (bool right in (bool[])[true, false])
        {
            using TestCpu test = Signing();
            Cpu cpu = test.Cpu;
            ulong signed = Signed(cpu, key, Pointer, modifier < 0 ? 0 : Modifier) ^ (right ? 0 : 1UL << 45);
            cpu.SetX(2, Modifier);
            cpu.SetX(1, signed);
            cpu.SetX(30, signed);
            cpu.SP_EL0 = Modifier;
            cpu.SP_EL1 = Modifier;
            cpu.ELR_EL1 = signed;
            cpu.SPSR_EL1 = 0;
            if (branch is Row.ERETAA or Row.ERETAB)
                cpu.EL = 1;
            Step(test, RowInfo.Value(branch) | (modifier == 31 ? 0 : 1u << 5) | (modifier == 2 ? 2u : 0));
            // A wrong code leaves 01 (key A) or 10 (key B) in bits 54 and 53: fetching there faults.
            Assert.Equal(right ? Pointer : Pointer | (key == 0 ? 1UL : 2UL) << 53, cpu.PC);
            if (link)
                Assert.Equal(TestCpu.Base + 4, cpu.X(30));
        }
    }

    [Theory]
    [InlineData(Row.LDRAA, 2)]
    [InlineData(Row.LDRAB, 3)]
    public void LoadsAuthenticate(Row row, int key)
    {
        using TestCpu test = Signing();
        Cpu cpu = test.Cpu;
        BinaryPrimitives.WriteUInt64LittleEndian(test.Bytes[(4096 - 8)..], 42);
        cpu.SetX(1, Signed(cpu, key, TestCpu.Base + 4096, 0));
        // S:imm9 = -1, scaled by 8; pre-indexed.
        Step(test, RowInfo.Value(row) | 1u << 22 | 0x1FFu << 12 | 1u << 11 | 1u << 5);
        Assert.Equal((0, 42UL, TestCpu.Base + 4096 - 8), (cpu.EL, cpu.X(0), cpu.X(1)));
        cpu.SetX(1, Signed(cpu, key, TestCpu.Base + 4096, 0) ^ (1UL << 45));
        Step(test, RowInfo.Value(row) | 1u << 5);
        Assert.Equal(ExceptionClass.DataAbortLower, (ExceptionClass)(cpu.ESR_EL1 >> 26));
    }

    [Theory]
    [InlineData(Row.DRPS, 0u)]
    [InlineData(Row.SMC, 0u)]
    [InlineData(Row.HLT, 0u)]
    [InlineData(Row.DCPS1, 0u)]
    [InlineData(Row.DCPS2, 0u)]
    [InlineData(Row.DCPS3, 0u)]
    [InlineData(Row.SYSL, 0u)]
    [InlineData(Row.MSR_UAO, 0x1Fu)]
    [InlineData(Row.MSR_PAN, 0x1Fu)]
    [InlineData(Row.MSR_SPSel, 0x1Fu)]
    public void UndefinedAtEL0(Row row, uint more)
    {
        using var test = new TestCpu();
        Step(test, RowInfo.Value(row) | more);
        Assert.Equal((1, 0UL), (test.Cpu.EL, test.Cpu.ESR_EL1 >> 26));
    }

    [Theory]
    [InlineData(Row.WFE, 18)]
    [InlineData(Row.WFET, 18)]
    [InlineData(Row.WFIT, 16)]
    public void WaitsAreTrappedOrComplete(Row row, int enable)
    {
        using var test = new TestCpu();
        Step(test, RowInfo.Value(row));
        Assert.Equal(ExceptionClass.TrappedWfx, (ExceptionClass)(test.Cpu.ESR_EL1 >> 26));
        test.Cpu.EL = 0;
        test.Cpu.SCTLR_EL1 = 1UL << enable;
        Step(test, RowInfo.Value(row));
        Assert.Equal((0, TestCpu.Base + 4), (test.Cpu.EL, test.Cpu.PC));
    }

    [Theory]
    [InlineData(Row.DSB_nxs)]
    [InlineData(Row.PACM)]
    public void BarriersAndHintsChangeNothing(Row row)
    {
        using var test = new TestCpu();
        test.Cpu.SetX(30, 5);
        Step(test, RowInfo.Value(row));
        Assert.Equal((0, TestCpu.Base + 4, 5UL), (test.Cpu.EL, test.Cpu.PC, test.Cpu.X(30)));
    }

    [Fact]
    public void HintedConditionalBranchIsAConditionalBranch()
    {
        foreach (bool z in (bool[])[true, false])
        {
            using var test = new TestCpu();
            test.Cpu.Z = z;
            Step(test, RowInfo.Value(Row.BC_cond) | 16u << 5);
            Assert.Equal(TestCpu.Base + (z ? 64UL : 4), test.Cpu.PC);
        }
    }

    [Theory]
    [InlineData(Row.SMAX_reg, 0xFFFFFFFFFFFFFFFFUL, 1UL, 1UL)]
    [InlineData(Row.UMAX_reg, 0xFFFFFFFFFFFFFFFFUL, 1UL, 0xFFFFFFFFFFFFFFFFUL)]
    [InlineData(Row.SMIN_reg, 0xFFFFFFFFFFFFFFFFUL, 1UL, 0xFFFFFFFFFFFFFFFFUL)]
    [InlineData(Row.UMIN_reg, 0xFFFFFFFFFFFFFFFFUL, 1UL, 1UL)]
    public void MinimumAndMaximumOfRegisters(Row row, ulong first, ulong second, ulong expected)
    {
        using var test = new TestCpu();
        test.Cpu.SetX(1, first);
        test.Cpu.SetX(2, second);
        Step(test, RowInfo.Value(row) | 1u << 31 | 2u << 16 | 1u << 5);
        Assert.Equal(expected, test.Cpu.X(0));
    }

    [Fact]
    public void HalfPrecisionToFixedPointClearsTheRestOfTheRegister()
    {
        using var test = new TestCpu();
        Cpu cpu = test.Cpu;
        cpu.CPACR_EL1 = 3 << 20;
        cpu.SetV(1, new V128(0xC100, 0));
        // FCVTZS H0, H1, #4 of -2.5: -40 in 16 bits.
        const uint fcvtzs = 0x5F1CFC20;
        Assert.Equal(Row.FCVTZS_sfix_h, Decoder.Decode(fcvtzs));
        Step(test, fcvtzs);
        Assert.Equal((0xFFD8UL, 0UL), (cpu.V(0).Lo, cpu.V(0).Hi));
    }

    [Fact]
    public void RandomTagsAvoidTheExcludedOnes()
    {
        using var test = new TestCpu();
        Cpu cpu = test.Cpu;
        cpu.SCTLR_EL1 |= 1UL << 42;
        cpu.SetX(1, 0xF0F_FFFF_FFFF);
        cpu.SetX(2, 0xFFDF);
        Step(test, RowInfo.Value(Row.IRG) | 2u << 16 | 1u << 5);
        Assert.Equal(0x0500_0F0F_FFFF_FFFFUL, cpu.X(0));
        cpu.SetX(2, 0xFFFF);
        Step(test, RowInfo.Value(Row.IRG) | 2u << 16 | 1u << 5);
        Assert.Equal(0xF0F_FFFF_FFFFUL, cpu.X(0));
    }

    [Fact]
    public void ForwardCopyInThreeInstructionsOfOneProgram()
    {
        using var test = new TestCpu();
        Cpu cpu = test.Cpu;
        test.Bytes.Slice(4096, 300).Fill(7);
        cpu.SetX(1, TestCpu.Base + 8192);
        cpu.SetX(2, TestCpu.Base + 4096);
        cpu.SetX(3, 300);
        const uint operands = 2u << 16 | 3u << 5 | 1;
        Row[] rows = [Row.CPYFP, Row.CPYFM, Row.CPYFE];
        for (int i = 0; i < rows.Length; i++)
            BinaryPrimitives.WriteUInt32LittleEndian(test.Bytes[(i * 4)..], RowInfo.Value(rows[i]) | operands);
        cpu.PC = TestCpu.Base;
        for (int i = 0; i < 100 && cpu.EL == 0 && cpu.PC != TestCpu.Base + 12; i++)
            cpu.Step();
        Assert.Equal((0, TestCpu.Base + 12, 0UL), (cpu.EL, cpu.PC, cpu.X(3)));
        Assert.Equal(-1, test.Bytes.Slice(8192, 300).IndexOfAnyExcept((byte)7));
        Assert.Equal(0, test.Bytes[8192 + 300]);
    }
}
