using System.Buffers.Binary;
using ArmVdso.Kernel.Abi;

namespace ArmVdso.Tests.Instructions;

/// <summary>CPU profiles: the data, and that nothing outside a profile executes.</summary>
public sealed class CpuProfileTests
{
    public static TheoryData<string> Names => [.. CpuProfile.Names];

    private static IEnumerable<Row> Rows => Enumerable.Range(1, RowInfo.Count - 1).Select(i => (Row)i);

    [Fact]
    public void EveryFeatureOfTheTableHasACondition()
    {
        foreach (Row row in Rows)
            Assert.True(CpuFeatures.Knows(RowInfo.Feature(row)),
                $"{RowInfo.Name(row)}: no ID register field for FEAT_{RowInfo.Feature(row)}");
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void ProfilesClaimOnlyWhatIsImplemented(string name)
    {
        CpuProfile profile = CpuProfile.Load(name);
        foreach (Row row in Rows)
        {
            if (profile.Has(RowInfo.Feature(row)) || CpuFeatures.IsHint(row))
                Assert.True(RowInfo.HasSemantics(row),
                    $"{name} has FEAT_{RowInfo.Feature(row)}, but {RowInfo.Name(row)} is not implemented");
        }
        Assert.Equal(0x07C00000u | (profile.Has("FP16") ? 1u << 19 : 0) | (profile.Has("AFP") ? 7u : 0), profile.Fpcr);
    }

    [Fact]
    public void MaxHasEveryFeatureWhoseRowsAreAllImplemented()
    {
        CpuProfile max = CpuProfile.Load("max");
        // Only hints: they do nothing with or without the feature, whose registers are not there.
        string[] hints = ["RAS", "SPE", "TRF", "GCS"];
        foreach (IGrouping<string, Row> feature in Rows.GroupBy(RowInfo.Feature))
            Assert.True(max.Has(feature.Key) == feature.All(RowInfo.HasSemantics) || hints.Contains(feature.Key), $"FEAT_{feature.Key}");
    }

    [Theory]
    [InlineData("cortex-a53", 0xF8210002u, true)] // LDADD X1, X2, [X0]
    [InlineData("neoverse-n1", 0xF8210002u, false)]
    [InlineData("cortex-a53", 0xD503233Fu, false)] // PACIASP: hint space
    [InlineData("cortex-a53", 0xDAC10020u, true)] // PACIA X0, X1
    [InlineData("max", 0xDAC10020u, false)]
    [InlineData("armv8.0", 0x4E284820u, true)] // AESE V0.16B, V1.16B
    [InlineData("cortex-a53", 0x4E284820u, false)]
    [InlineData("cortex-a53", 0xD53B42A0u, true)] // MRS X0, DIT
    [InlineData("max", 0xD53B42A0u, false)]
    [InlineData("neoverse-n1", 0xD53B42C0u, false)] // MRS X0, SSBS
    [InlineData("cortex-a55", 0xD53B42C0u, true)]
    [InlineData("neoverse-n1", 0xD53B2400u, true)] // MRS X0, RNDR
    [InlineData("max", 0xD53B2400u, false)]
    [InlineData("neoverse-n1", 0xD53BE0C0u, true)] // MRS X0, CNTVCTSS_EL0
    [InlineData("max", 0xD53BE0C0u, false)]
    [InlineData("cortex-a53", 0xD50B7C20u, true)] // DC CVAP, X0
    [InlineData("neoverse-n1", 0xD50B7C20u, false)]
    [InlineData("neoverse-n1", 0xD50B7D20u, true)] // DC CVADP, X0
    public void InstructionsOutsideTheProfileAreUndefined(string name, uint instruction, bool undefined)
    {
        using var test = new TestCpu();
        CpuProfile.Load(name).Apply(test.Machine);
        Cpu cpu = test.Cpu;
        cpu.CPACR_EL1 = 3 << 20;
        cpu.CNTKCTL_EL1 = 3;
        cpu.SCTLR_EL1 |= 1UL << 26;
        cpu.SetX(0, TestCpu.Base + 4096);
        BinaryPrimitives.WriteUInt32LittleEndian(test.Bytes, instruction);
        cpu.PC = TestCpu.Base;
        cpu.Step();
        Assert.Equal(undefined, cpu.EL == 1);
        if (undefined)
            Assert.Equal(0UL, cpu.ESR_EL1 >> 26);
    }

    [Fact]
    public void HintsOfAbsentPointerAuthenticationChangeNothing()
    {
        using var test = new TestCpu();
        CpuProfile.Load("cortex-a53").Apply(test.Machine);
        Cpu cpu = test.Cpu;
        cpu.SCTLR_EL1 = ulong.MaxValue;
        foreach (Row row in Rows.Where(CpuFeatures.IsHint).Where(r => RowInfo.Feature(r) == "PAUTH"))
        {
            cpu.PC = TestCpu.Base;
            cpu.SetX(30, 0x00FF_1234_5678_9ABC);
            cpu.SetX(17, 0x00FF_1234_5678_9ABC);
            BinaryPrimitives.WriteUInt32LittleEndian(test.Bytes, RowInfo.Value(row));
            cpu.Step();
            Assert.Equal((0, 0x00FF_1234_5678_9ABCUL, 0x00FF_1234_5678_9ABCUL), (cpu.EL, cpu.X(30), cpu.X(17)));
        }
    }

    [Theory]
    [InlineData("cortex-a53", 0x07C00000u)]
    [InlineData("neoverse-n1", 0x07C80000u)]
    [InlineData("max", 0x07C80007u)]
    public void FpcrHasTheBitsOfTheProfile(string name, uint expected)
    {
        using var test = new TestCpu();
        CpuProfile.Load(name).Apply(test.Machine);
        test.Cpu.SetX(0, ulong.MaxValue);
        test.Cpu.WriteSystemRegister(3, 3, 4, 4, 0, 0);
        Assert.Equal(expected, test.Cpu.FPCR);
    }

    /// <summary>The values that Linux documents for EL0 (cpu-feature-registers.rst): hidden fields are safe values.</summary>
    [Fact]
    public void UserSeesOnlyVisibleFields()
    {
        using var test = new TestCpu();
        CpuProfile.Load("neoverse-n1").Apply(test.Machine);
        Assert.Equal(0x413FD0C1UL, UserIdentification.Read(test.Machine, 0, 0));
        Assert.Equal(0x80000000UL, UserIdentification.Read(test.Machine, 0, 5));
        Assert.Equal(0UL, UserIdentification.Read(test.Machine, 0, 6));
        Assert.Null(UserIdentification.Read(test.Machine, 0, 1));
        Assert.Null(UserIdentification.Read(test.Machine, 1, 0));
        Assert.Equal(0x0000_0000_0011_0011UL, UserIdentification.Read(test.Machine, 4, 0));
        Assert.Equal(0x20UL, UserIdentification.Read(test.Machine, 4, 1));
        Assert.Equal(6UL, UserIdentification.Read(test.Machine, 5, 0));
        Assert.Equal(0x0000_1000_1021_1120UL, UserIdentification.Read(test.Machine, 6, 0));
        Assert.Equal(0x0000_0000_0010_0001UL, UserIdentification.Read(test.Machine, 6, 1));
        Assert.Equal(0x0000_0111_FF00_0000UL, UserIdentification.Read(test.Machine, 7, 0));
        Assert.Equal(0UL, UserIdentification.Read(test.Machine, 7, 1));
        Assert.Equal(0UL, UserIdentification.Read(test.Machine, 7, 2));
    }

    [Theory]
    [InlineData("0x7", "", "name is missing")]
    [InlineData("7", "{}", "MIDR_EL1: '7' is not a number with 0x")]
    [InlineData("0x7", """{"ID_AA64ISAR0_EL1":{"source":"x","AEZ":1}}""", "ID_AA64ISAR0_EL1 has no field AEZ")]
    [InlineData("0x7", """{"ID_AA64ISAR0_EL1":{"source":"x","AES":16}}""", "ID_AA64ISAR0_EL1.AES: 16 does not fit four bits")]
    public void MalformedFilesAreNamed(string midr, string registers, string message)
    {
        string text = registers.Length == 0 ? "{}" : $$"""
            {"name":"x","description":"x","source":"x","MIDR_EL1":"{{midr}}","CTR_EL0":"0x1","DCZID_EL0":"0x4","FPCR":"0x0",
             "registers":{{registers}}}
            """;
        string file = Path.GetTempFileName() + ".json";
        File.WriteAllText(file, text);
        try
        {
            Assert.Equal($"{file}: {message}", Assert.Throws<CpuProfileException>(() => CpuProfile.Load(file)).Message);
        }
        finally
        {
            File.Delete(file);
        }
    }
}
