namespace ArmVdso.Tests.Reports;

/// <summary>Was wrong until e9f7790: the portable engine set PSTATE.BTYPE after BR and BLR where the CPU profile has no FEAT_BTI, so that
/// runs of guests differed in lockstep and an exception right behind such a branch saved a wrong SPSR_EL1.</summary>
public sealed class BranchTypeWithoutBtiTests
{
    /// <summary>BR, BLR and RET on both engines.</summary>
    [Theory]
    [InlineData(0xD61F0120, true, 1)]
    [InlineData(0xD63F0120, true, 2)]
    [InlineData(0xD65F0120, true, 0)]
    [InlineData(0xD61F0120, false, 0)]
    [InlineData(0xD63F0120, false, 0)]
    [InlineData(0xD65F0120, false, 0)]
    public void IndirectBranchesSetItWhereItExists(uint branch, bool bti, int type)
    {
        using var machine = new EngineMachine(EngineKind.PortableChecked);
        machine.Cpu.HasBti = bti;
        // mov x0, #1; branch to x9; that is a b . behind it.
        machine.Load(0xD2800020, branch, 0x14000000);
        machine.Cpu.SetX(9, EngineMachine.Code + 8);
        machine.Start();
        machine.Machine.Run(2);
        Assert.Equal(EngineMachine.Code + 8, machine.Cpu.PC);
        Assert.Equal(type, machine.Cpu.BType);
        Assert.Equal(2UL, machine.Machine.Check!.Compared);
    }
}
