using ArmVdso.Emulator.Semantics;
using Xunit;

namespace ArmVdso.Tests.Instructions;

/// <summary>Pointer authentication.</summary>
public sealed class PointerAuthenticationTests
{
    private const ulong EnableAll = (1UL << 31) | (1UL << 30) | (1UL << 27) | (1UL << 13);

    /// <summary>The test vector of the QARMA paper (table of QARMA-64, sigma 2, r = 5).</summary>
    [Fact]
    public void GenericCodeIsThePublishedCipher()
    {
        using var test = new TestCpu();
        Cpu cpu = test.Cpu;
        cpu.PauthKey[9] = 0x84BE85CE9804E94B;
        cpu.PauthKey[8] = 0xEC2802D4E0A488E9;
        cpu.SetX(1, 0xFB623599DA6E8127);
        cpu.SetX(2, 0x477D469DEC0B8762);
        A64.PACGA(cpu, rm: 2, rn: 1, rd: 3);
        Assert.Equal(0xC003B93900000000UL, cpu.X(3));
        Assert.Equal(0xC003B93999B33765UL, Qarma.ComputePac(cpu.X(1), cpu.X(2), cpu.PauthKey[9], cpu.PauthKey[8]));
    }

    [Theory]
    [InlineData(PacAlgorithm.Qarma5, PacFailure.ErrorCode)]
    [InlineData(PacAlgorithm.Qarma5, PacFailure.ExclusiveOr)]
    [InlineData(PacAlgorithm.Qarma5, PacFailure.Exception)]
    [InlineData(PacAlgorithm.ImplementationDefined, PacFailure.ErrorCode)]
    public void SignedPointerAuthenticatesAndAWrongOneDoesNot(PacAlgorithm algorithm, PacFailure failure)
    {
        using var test = new TestCpu();
        Cpu cpu = test.Cpu;
        cpu.PacVariant = algorithm;
        cpu.PacOnFailure = failure;
        for (int i = 0; i < cpu.PauthKey.Length; i++)
            cpu.PauthKey[i] = 0x0123456789ABCDEF * (ulong)(i + 1);
        cpu.SCTLR_EL1 = EnableAll;
        foreach (ulong pointer in (ulong[])[0x0000_0012_3456_7890, 0xFFFF_FFF2_3456_7890])
        {
            cpu.SetX(1, pointer);
            cpu.SetX(2, 0x55);
            A64.PACIA(cpu, rn: 2, rd: 1);
            ulong signed = cpu.X(1);
            Assert.NotEqual(pointer, signed);
            Assert.Equal(pointer & (1UL << 55), signed & (1UL << 55));
            Assert.Equal(pointer & 0x7FFFFFFFFF, signed & 0x7FFFFFFFFF);

            cpu.SetX(3, signed);
            A64.XPACI(cpu, rd: 3);
            Assert.Equal(pointer, cpu.X(3));

            A64.AUTIA(cpu, rn: 2, rd: 1);
            Assert.False(cpu.ExceptionPending);
            Assert.Equal(pointer, cpu.X(1));

            cpu.SetX(1, signed ^ (1UL << 45));
            A64.AUTIA(cpu, rn: 2, rd: 1);
            Assert.Equal(failure == PacFailure.Exception, cpu.ExceptionPending);
            if (failure == PacFailure.ErrorCode)
                Assert.Equal((pointer & ~(3UL << 61)) | (1UL << 61), cpu.X(1));
            else if (failure == PacFailure.ExclusiveOr)
                Assert.Equal(pointer ^ (1UL << 45), cpu.X(1));
            if (cpu.ExceptionPending)
            {
                Assert.Equal(ExceptionClass.PacFail, cpu.PendingClass);
                cpu.TakePendingException();
                cpu.EL = 0;
            }
        }
    }

    [Fact]
    public void DisabledKeyLeavesThePointer()
    {
        using var test = new TestCpu();
        Cpu cpu = test.Cpu;
        cpu.PauthKey[0] = 1;
        cpu.SetX(1, 0x1234);
        A64.PACIA(cpu, rn: 2, rd: 1);
        Assert.Equal(0x1234UL, cpu.X(1));
        cpu.SCTLR_EL1 = 1UL << 31;
        A64.PACIB(cpu, rn: 2, rd: 1);
        Assert.Equal(0x1234UL, cpu.X(1));
        A64.PACIA(cpu, rn: 2, rd: 1);
        Assert.NotEqual(0x1234UL, cpu.X(1));
    }

    [Fact]
    public void TopByteStaysWhenItIsIgnored()
    {
        using var test = new TestCpu();
        Cpu cpu = test.Cpu;
        cpu.PauthKey[4] = 7;
        cpu.SCTLR_EL1 = EnableAll;
        cpu.TCR_EL1 |= 1UL << 37;
        cpu.SetX(1, 0xA500_0012_3456_7890);
        A64.PACDZA(cpu, rd: 1);
        Assert.Equal(0xA5UL, cpu.X(1) >> 56);
        cpu.SetX(2, cpu.X(1));
        A64.AUTDZA(cpu, rd: 2);
        Assert.Equal(0xA500_0012_3456_7890, cpu.X(2));
        cpu.SetX(2, cpu.X(1) ^ (1UL << 40));
        A64.AUTDZA(cpu, rd: 2);
        Assert.Equal(0xA520_0012_3456_7890, cpu.X(2));
    }
}
