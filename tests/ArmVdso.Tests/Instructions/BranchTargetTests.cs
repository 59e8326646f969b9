using System.Buffers.Binary;

namespace ArmVdso.Tests.Instructions;

/// <summary>What an indirect branch may land on in a guarded page (DDI0487, D8.4.5 and the table in C6.2, BTI).</summary>
public sealed class BranchTargetTests
{
    private const uint BrX1 = 0xD61F0020, BrX16 = 0xD61F0200, BrX17 = 0xD61F0220, BlrX1 = 0xD63F0020, RetX1 = 0xD65F0020, B = 0x14000040;
    private const uint Bti = 0xD503241F, BtiC = 0xD503245F, BtiJ = 0xD503249F, BtiJc = 0xD50324DF, Paciasp = 0xD503233F,
        Pacibsp = 0xD503237F;
    private const uint Nop = 0xD503201F, Brk = 0xD4200000, Autiasp = 0xD50323BF;
    private const PagePermissions Code = PagePermissions.UserRead | PagePermissions.UserWrite | PagePermissions.UserExecute;

    /// <summary>Branches from one guarded page into another; the class of the exception that follows, or null.</summary>
    private static ExceptionClass? Land(uint branch, uint landing, bool fromGuarded = true, bool strict = false, bool toGuarded = true,
        bool has = true)
    {
        using var test = new TestCpu();
        test.Cpu.HasBti = has;
        test.Protect(0, fromGuarded ? Code | PagePermissions.Guarded : Code);
        test.Protect(1, toGuarded ? Code | PagePermissions.Guarded : Code);
        const ulong target = TestCpu.Base + 4096;
        BinaryPrimitives.WriteUInt32LittleEndian(test.Bytes[0xF00..], branch);
        BinaryPrimitives.WriteUInt32LittleEndian(test.Bytes[4096..], landing);
        Cpu cpu = test.Cpu;
        cpu.PC = TestCpu.Base + 0xF00;
        cpu.SetX(1, target);
        cpu.SetX(16, target);
        cpu.SetX(17, target);
        if (strict)
            cpu.SCTLR_EL1 |= 1UL << 35;
        cpu.Step();
        Assert.Equal(target, cpu.PC);
        cpu.Step();
        return cpu.EL == 0 ? null : (ExceptionClass)(cpu.ESR_EL1 >> 26);
    }

    private static bool Allowed(uint branch, uint landing, bool fromGuarded = true, bool strict = false) =>
        Land(branch, landing, fromGuarded, strict) != ExceptionClass.BranchTarget;

    [Theory]
    [InlineData(BrX16, false, true, true, true, true)]
    [InlineData(BrX17, false, true, true, true, true)]
    [InlineData(BrX1, false, false, true, true, true)]
    [InlineData(BlrX1, false, true, false, true, true)]
    [InlineData(RetX1, true, true, true, true, true)]
    [InlineData(B, true, true, true, true, true)]
    public void LandingPads(uint branch, bool plainBti, bool c, bool j, bool jc, bool pac)
    {
        Assert.Equal(plainBti, Allowed(branch, Bti));
        Assert.Equal(c, Allowed(branch, BtiC));
        Assert.Equal(j, Allowed(branch, BtiJ));
        Assert.Equal(jc, Allowed(branch, BtiJc));
        Assert.Equal(pac, Allowed(branch, Paciasp));
        Assert.Equal(pac, Allowed(branch, Pacibsp));
    }

    [Fact]
    public void OtherInstructionsAreNoLandingPads()
    {
        foreach (uint branch in (uint[])[BrX1, BrX16, BlrX1])
        {
            Assert.False(Allowed(branch, Nop));
            Assert.False(Allowed(branch, Autiasp));
            Assert.Equal(ExceptionClass.Brk, Land(branch, Brk));
        }
        Assert.True(Allowed(RetX1, Nop));
        Assert.True(Allowed(B, Nop));
    }

    [Fact]
    public void StrictControlTakesPacFromPlainBranches()
    {
        Assert.False(Allowed(BrX1, Paciasp, strict: true));
        Assert.True(Allowed(BrX16, Paciasp, strict: true));
        Assert.True(Allowed(BlrX1, Paciasp, strict: true));
    }

    [Fact]
    public void BranchesFromUnguardedPagesCountAsThoseOfX16()
    {
        Assert.True(Allowed(BrX1, BtiC, fromGuarded: false));
        Assert.True(Allowed(BrX1, BtiJ, fromGuarded: false));
        Assert.False(Allowed(BrX1, Nop, fromGuarded: false));
    }

    [Fact]
    public void UnguardedPagesAndCpusWithoutTheFeatureTakeAnything()
    {
        Assert.Null(Land(BlrX1, Nop, toGuarded: false));
        Assert.Null(Land(BlrX1, Nop, has: false));
    }
}
