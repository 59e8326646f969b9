using System.Buffers.Binary;
using ArmVdso.Emulator.Processor;

namespace ArmVdso.Tests.Reports;

/// <summary>Was taken for a mistake of the emulator until 488986f: without FEAT_MTE2, PSTATE.TCO does not exist and what names it is
/// UNDEFINED, even with all that is implemented (qemu-aarch64 -cpu max, which has MTE, executes it).</summary>
public sealed class TcoWithoutMteTests
{
    [Theory]
    [InlineData(0xD53B42E0)] // mrs x0, tco
    [InlineData(0xD51B42E0)] // msr tco, x0
    [InlineData(0xD503419F)] // msr tco, #1
    public void IsUndefined(uint instruction)
    {
        using var test = new TestCpu();
        CpuProfile.Load("max").Apply(test.Machine);
        BinaryPrimitives.WriteUInt32LittleEndian(test.Bytes, instruction);
        test.Cpu.PC = TestCpu.Base;
        test.Cpu.Step();
        Assert.Equal((1, 0UL), (test.Cpu.EL, test.Cpu.ESR_EL1 >> 26));
    }
}
