using ArmVdso.Emulator.Semantics;
using Xunit;

namespace ArmVdso.Tests.Memory;

/// <summary>FEAT_MOPS: copies and fills against spans, their resumption and their faults.</summary>
public sealed class MemoryCopyTests
{
    private const int Rd = 1, Rs = 2, Rn = 3;

    private static void Fill(TestCpu test)
    {
        for (int i = 0; i < test.Bytes.Length; i++)
            test.Bytes[i] = (byte)(i * 7 + (i >> 8));
    }

    /// <summary>Runs one instruction until it does not name itself as the next one, or faults; returns how often it ran.</summary>
    private static int Repeat(Cpu cpu, Action<Cpu> instruction)
    {
        for (int times = 1; ; times++)
        {
            cpu.NextPC = cpu.PC + 4;
            instruction(cpu);
            Assert.True(times < 1000);
            if (cpu.ExceptionPending || cpu.NextPC != cpu.PC)
                return times;
        }
    }

    private static void Copy(Cpu cpu)
    {
        A64.CPYP(cpu, Rs, Rn, Rd);
        Repeat(cpu, c => A64.CPYM(c, Rs, 0, Rn, Rd));
        Repeat(cpu, c => A64.CPYE(c, Rs, 0, Rn, Rd));
    }

    [Theory]
    [InlineData(0, 100, 0)]
    [InlineData(0, 100, 1)]
    [InlineData(0, 4097, 3000)]
    [InlineData(100, 107, 1000)]
    [InlineData(107, 100, 1000)]
    [InlineData(4090, 4091, 31)]
    [InlineData(5, 5, 33)]
    public void CopiesLikeMemmove(int from, int to, int size)
    {
        using var test = new TestCpu();
        Cpu cpu = test.Cpu;
        Fill(test);
        byte[] expected = test.Bytes.ToArray();
        Array.Copy(expected, from, expected, to, size);
        cpu.SetX(Rs, TestCpu.Base + (ulong)from);
        cpu.SetX(Rd, TestCpu.Base + (ulong)to);
        cpu.SetX(Rn, (ulong)size);
        Copy(cpu);
        Assert.False(cpu.ExceptionPending);
        Assert.True(expected.AsSpan().SequenceEqual(test.Bytes));
        Assert.Equal(0UL, cpu.X(Rn));
    }

    [Fact]
    public void ForwardCopyEndsBehindTheBytesAndStopsBetweenSteps()
    {
        using var test = new TestCpu();
        Cpu cpu = test.Cpu;
        Fill(test);
        cpu.SetX(Rs, TestCpu.Base);
        cpu.SetX(Rd, TestCpu.Base + 8192);
        cpu.SetX(Rn, 1000);
        A64.CPYFP(cpu, Rs, Rn, Rd);
        Assert.Equal(4, Repeat(cpu, c => A64.CPYFM(c, Rs, 0, Rn, Rd)));
        Assert.Equal((TestCpu.Base + 1000, TestCpu.Base + 9192, 0UL), (cpu.X(Rs), cpu.X(Rd), cpu.X(Rn)));
        Assert.True(test.Bytes[..1000].SequenceEqual(test.Bytes.Slice(8192, 1000)));
    }

    [Fact]
    public void FaultLeavesTheRestToDo()
    {
        using var test = new TestCpu();
        Cpu cpu = test.Cpu;
        test.Protect(1, PagePermissions.UserRead);
        cpu.SetX(Rs, 0xAB);
        cpu.SetX(Rd, TestCpu.Base + 4096 - 100);
        cpu.SetX(Rn, 200);
        A64.SETP(cpu, Rn, Rd);
        Repeat(cpu, c => A64.SETM(c, Rs, 0, Rn, Rd));
        Assert.Equal(ExceptionClass.DataAbortLower, cpu.PendingClass);
        cpu.TakePendingException();
        Assert.Equal(TestCpu.Base + 4096, cpu.FAR_EL1);
        ulong left = 0 - cpu.X(Rn);
        Assert.InRange(left, 100UL, 115UL);

        cpu.EL = 0;
        test.Protect(1, PagePermissions.UserRead | PagePermissions.UserWrite);
        Repeat(cpu, c => A64.SETM(c, Rs, 0, Rn, Rd));
        Repeat(cpu, c => A64.SETE(c, Rs, 0, Rn, Rd));
        Assert.Equal(200, test.Bytes.Count((byte)0xAB));
        Assert.Equal(3996, test.Bytes.IndexOf((byte)0xAB));
    }

    [Fact]
    public void WrongOptionIsReported()
    {
        using var test = new TestCpu();
        Cpu cpu = test.Cpu;
        cpu.C = true;
        A64.CPYM(cpu, Rs, 3, Rn, Rd);
        Assert.Equal(ExceptionClass.MemCpyMemSet, cpu.PendingClass);
    }
}
