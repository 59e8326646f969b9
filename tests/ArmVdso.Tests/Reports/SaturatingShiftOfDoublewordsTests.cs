using System.Buffers.Binary;

namespace ArmVdso.Tests.Reports;

/// <summary>Was wrong until 811019a: UQSHL of a doubleword by 64 and more shifted out of the 128 bits that it was computed in.</summary>
public sealed class SaturatingShiftOfDoublewordsTests
{
    [Theory]
    [InlineData(0UL, 64, 0UL)]
    [InlineData(1UL, 63, 1UL << 63)]
    [InlineData(1UL, 64, ulong.MaxValue)]
    [InlineData(1UL, 127, ulong.MaxValue)]
    [InlineData(ulong.MaxValue, 100, ulong.MaxValue)]
    public void Saturate(ulong value, int shift, ulong expected)
    {
        using var test = new TestCpu();
        Cpu cpu = test.Cpu;
        cpu.CPACR_EL1 = 3 << 20;
        cpu.SetVLow(1, value);
        cpu.SetVLow(2, (ulong)shift);
        BinaryPrimitives.WriteUInt32LittleEndian(test.Bytes, 0x7EE24C20); // UQSHL D0, D1, D2
        cpu.PC = TestCpu.Base;
        cpu.Step();
        Assert.Equal(expected, cpu.V(0).Lo);
    }
}
