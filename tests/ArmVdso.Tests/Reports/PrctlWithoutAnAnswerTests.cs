using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Syscalls;
using ArmVdso.Tests.Files;

namespace ArmVdso.Tests.Reports;

/// <summary>Was wrong in 0.1.0: prctl's options of what is not there (memory-deny-write-execute, core scheduling, the length of SVE
/// vectors) fell into PR_GET_TSC, which wrote its answer to the address that their argument happened to be, and succeeded.</summary>
public sealed class PrctlWithoutAnAnswerTests
{
    [Theory]
    [InlineData(50)] // PR_SVE_SET_VL
    [InlineData(51)] // PR_SVE_GET_VL
    [InlineData(62)] // PR_SCHED_CORE
    [InlineData(65)] // PR_SET_MDWE
    [InlineData(66)] // PR_GET_MDWE
    public void WhatIsNotThereIsRefused(ulong option)
    {
        using var g = new VfsGuest();
        ulong word = g.Put(0x55, 0x55, 0x55, 0x55);
        Assert.Equal(-Errno.EINVAL, g.Call(SysPrctl.Prctl, option, word, 0, 0, 0));
        Assert.Equal(0x55555555, g.Value<int>(word));
    }
}
