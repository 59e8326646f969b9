using System.Buffers.Binary;

namespace ArmVdso.Tests.Reports;

/// <summary>Was wrong until ae2c0b7: with TCR_EL1.TBI0 a branch kept bits 63:56 of its target in the PC, where the architecture
/// (BranchAddr) takes them off, and the next fetch or link address was tagged.</summary>
public sealed class TaggedBranchTargetTests
{
    private const ulong Tag = 0x5AUL << 56, Target = TestCpu.Base + 0x100;

    [Theory]
    [InlineData(0xD61F0020, true)] // br x1
    [InlineData(0xD63F0020, true)] // blr x1
    [InlineData(0xD65F0020, true)] // ret x1
    [InlineData(0xD61F0020, false)]
    public void LosesItsTagWhereTagsAreIgnored(uint branch, bool ignored)
    {
        using var test = new TestCpu();
        Cpu cpu = test.Cpu;
        cpu.EL = 1;
        cpu.SetX(0, 25 | (25 << 16) | (ignored ? 1UL << 37 : 0));
        cpu.WriteSystemRegister(3, 0, 2, 0, 2, 0); // TCR_EL1.TBI0
        cpu.EL = 0;
        BinaryPrimitives.WriteUInt32LittleEndian(test.Bytes, branch);
        cpu.SetX(1, Target | Tag);
        cpu.PC = TestCpu.Base;
        cpu.Step();
        Assert.Equal(ignored ? Target : Target | Tag, cpu.PC);
    }
}
