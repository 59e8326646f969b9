using System.Buffers.Binary;
using System.Text;
using ArmVdso.Emulator.Semantics;
using Xunit;

namespace ArmVdso.Tests.Instructions;

/// <summary>Base instructions that qemu-aarch64 7.2 does not have, and ones with published check values.</summary>
public sealed class BaseInstructionTests
{
    [Fact]
    public void Crc32ChecksDigits()
    {
        using var test = new TestCpu();
        Cpu cpu = test.Cpu;
        byte[] digits = Encoding.ASCII.GetBytes("123456789");
        cpu.SetX(1, 0xFFFFFFFF);
        cpu.SetX(2, BinaryPrimitives.ReadUInt64LittleEndian(digits));
        A64.CRC32X(cpu, rm: 2, rn: 1, rd: 1);
        cpu.SetX(2, digits[8]);
        A64.CRC32B(cpu, rm: 2, rn: 1, rd: 1);
        Assert.Equal(0xCBF43926, ~cpu.W(1));

        cpu.SetX(1, 0xFFFFFFFF);
        foreach (byte digit in digits)
        {
            cpu.SetX(2, digit);
            A64.CRC32CB(cpu, rm: 2, rn: 1, rd: 1);
        }
        Assert.Equal(0xE3069283, ~cpu.W(1));
    }

    [Theory]
    [InlineData(1, 0UL, 64UL, 0UL, 0UL)]
    [InlineData(0, 0UL, 32UL, 0UL, 0UL)]
    [InlineData(0, 0xFFFFFFFF_00000000UL, 32UL, 0UL, 0UL)]
    [InlineData(1, 0x8000000000000000UL, 63UL, 1UL, 0x8000000000000000UL)]
    [InlineData(0, 0x80000000UL, 31UL, 1UL, 0x80000000UL)]
    [InlineData(1, 0xFFFFFFFFFFFFFFF8UL, 3UL, 61UL, 8UL)]
    [InlineData(0, 0xFFFFFFFFFFFFFFF8UL, 3UL, 29UL, 8UL)]
    public void CommonShortSequenceCompression(int sf, ulong value, ulong ctz, ulong cnt, ulong abs)
    {
        using var test = new TestCpu();
        Cpu cpu = test.Cpu;
        cpu.SetX(1, value);
        A64.CTZ(cpu, sf, rn: 1, rd: 2);
        A64.CNT(cpu, sf, rn: 1, rd: 3);
        A64.ABS(cpu, sf, rn: 1, rd: 4);
        Assert.Equal((ctz, cnt, abs), (cpu.X(2), cpu.X(3), cpu.X(4)));
    }

    [Theory]
    [InlineData(1, 5UL, 0xFF, 5UL, 0xFFUL, 0xFFFFFFFFFFFFFFFFUL, 5UL)]
    [InlineData(0, 0xFFFFFFFFUL, 0x01, 1UL, 0xFFFFFFFFUL, 0xFFFFFFFFUL, 1UL)]
    [InlineData(1, 0xFFFFFFFFUL, 0x01, 0xFFFFFFFFUL, 0xFFFFFFFFUL, 1UL, 1UL)]
    [InlineData(0, 0x80000000UL, 0x80, 0xFFFFFF80UL, 0x80000000UL, 0x80000000UL, 0x80UL)]
    public void MinimumAndMaximumOfImmediates(int sf, ulong value, int imm8, ulong smax, ulong umax, ulong smin, ulong umin)
    {
        using var test = new TestCpu();
        Cpu cpu = test.Cpu;
        cpu.SetX(1, value);
        A64.SMAX_imm(cpu, sf, imm8, rn: 1, rd: 2);
        A64.UMAX_imm(cpu, sf, imm8, rn: 1, rd: 3);
        A64.SMIN_imm(cpu, sf, imm8, rn: 1, rd: 4);
        A64.UMIN_imm(cpu, sf, imm8, rn: 1, rd: 5);
        Assert.Equal((smax, umax, smin, umin), (cpu.X(2), cpu.X(3), cpu.X(4), cpu.X(5)));
    }

    [Fact]
    public void CompareAndSwapNeedsWritePermissionEvenWhenItFails()
    {
        using var test = new TestCpu();
        Cpu cpu = test.Cpu;
        test.Protect(0, PagePermissions.UserRead);
        cpu.SetX(1, TestCpu.Base);
        cpu.SetX(2, 42);
        A64.CAS(cpu, size: 3, rs: 2, rn: 1, rt: 3);
        Assert.True(cpu.ExceptionPending);
        Assert.Equal(ExceptionClass.DataAbortLower, cpu.PendingClass);
        Assert.Equal(42UL, cpu.X(2));
    }

    [Fact]
    public void ExclusiveMustBeAlignedEvenWithLse2()
    {
        using var test = new TestCpu();
        Cpu cpu = test.Cpu;
        cpu.HasLse2 = true;
        cpu.SetX(1, TestCpu.Base + 1);
        A64.LDXR(cpu, size: 2, rn: 1, rt: 3);
        Assert.True(cpu.ExceptionPending);
        cpu.TakePendingException();
        Assert.Equal(0x21UL, cpu.ESR_EL1 & 0x3f);

        cpu.EL = 0;
        A64.LDAR(cpu, size: 2, rn: 1, rt: 3);
        Assert.False(cpu.ExceptionPending);
    }

    [Fact]
    public void StorePairAcrossAFaultWritesNothing()
    {
        using var test = new TestCpu();
        Cpu cpu = test.Cpu;
        test.Protect(1, PagePermissions.UserRead);
        cpu.SetX(1, TestCpu.Base + 4096 - 16);
        cpu.SetV(2, new V128(ulong.MaxValue, ulong.MaxValue));
        A64.STP_fp_pre(cpu, opc: 2, imm7: 0, rt2: 2, rn: 1, rt: 2);
        Assert.True(cpu.ExceptionPending);
        Assert.Equal(-1, test.Bytes.IndexOf((byte)0xff));
        Assert.Equal(TestCpu.Base + 4096 - 16, cpu.X(1));
    }

    [Fact]
    public void ZeroBlockIsTrappedWithoutPermission()
    {
        using var test = new TestCpu();
        Cpu cpu = test.Cpu;
        test.Bytes[..256].Fill(1);
        cpu.SetX(1, TestCpu.Base + 100);
        A64.SYS(cpu, op1: 3, crn: 7, crm: 4, op2: 1, rt: 1);
        Assert.Equal(ExceptionClass.TrappedSystem, cpu.PendingClass);
        cpu.TakePendingException();
        // Op0=1, Op2=1, Op1=3, CRn=7, Rt=1, CRm=4, a write.
        Assert.Equal((1UL << 20) | (1 << 17) | (3 << 14) | (7 << 10) | (1 << 5) | (4 << 1), cpu.ESR_EL1 & 0x1FFFFFF);

        cpu.EL = 0;
        cpu.SCTLR_EL1 = 1 << 14;
        A64.SYS(cpu, op1: 3, crn: 7, crm: 4, op2: 1, rt: 1);
        Assert.False(cpu.ExceptionPending);
        Assert.Equal(64, test.Bytes.IndexOf((byte)0));
        Assert.Equal(127, test.Bytes[..256].LastIndexOf((byte)0));
    }
}
