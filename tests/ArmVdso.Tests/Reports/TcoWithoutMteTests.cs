using System.Buffers.Binary;

namespace ArmVdso.Tests.Reports;

/// <summary>Was wrong until fe8577c: every exception set PSTATE.TCO, and MRS and MSR reached it, without FEAT_MTE2, where it does not
/// exist (488986f lists it against qemu-aarch64 -cpu max, which has MTE).</summary>
public sealed class TcoWithoutMteTests
{
    private static Cpu Step(TestCpu test, uint instruction)
    {
        CpuProfile.Load("max").Apply(test.Machine);
        BinaryPrimitives.WriteUInt32LittleEndian(test.Bytes, instruction);
        test.Cpu.PC = TestCpu.Base;
        test.Cpu.Step();
        return test.Cpu;
    }

    [Theory]
    [InlineData(0xD53B42E0)] // mrs x0, tco
    [InlineData(0xD51B42E0)] // msr tco, x0
    [InlineData(0xD503419F)] // msr tco, #1
    public void IsUndefined(uint instruction)
    {
        using var test = new TestCpu();
        Cpu cpu = Step(test, instruction);
        Assert.Equal((1, 0UL), (cpu.EL, cpu.ESR_EL1 >> 26));
    }

    [Fact]
    public void AnExceptionDoesNotSetIt()
    {
        using var test = new TestCpu();
        Cpu cpu = Step(test, 0xD4000001); // svc #0
        Assert.Equal((1, false), (cpu.EL, cpu.TCO));
    }
}
