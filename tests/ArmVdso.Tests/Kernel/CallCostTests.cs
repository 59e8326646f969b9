using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.Costs;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Syscalls;

namespace ArmVdso.Tests.Kernel;

/// <summary>Costs of bodies in C# are those of a stock kernel, measured on the core's model; counts of instructions agree with traces of
/// another emulator.</summary>
public sealed class CallCostTests
{
    [Theory]
    [InlineData("cortex-a53")]
    [InlineData("cortex-a55")]
    [InlineData("neoverse-n1")]
    public void EverySystemCallHasACost(string core)
    {
        var costs = new CallCosts(KernelConfiguration.ForCore(CoreModel.Load(core)));
        foreach (SyscallRow row in SyscallTable.All)
        {
            CallCost cost = costs.Of(row.Name, row.Cost);
            // The shortest bodies are lost in the way around them on a core that overlaps the two.
            Assert.True(cost.Instructions > 0 && (cost.Cycles > 0 || cost.Row is "umask" or "rt_sigprocmask"), $"{row.Name}: {cost}");
            Assert.True(cost.Work.InstructionLines > 0 && cost.Work.DataLines >= 0, row.Name);
        }
        Assert.True(costs.Switch.Cycles > 500 && costs.Wake.Cycles > 500 && costs.Deliver.Cycles > 1000);
        // The address space stays; and a pipe wakes whom it knows by a queue.
        Assert.InRange(costs.SwitchThread.Cycles, 500, costs.Switch.Cycles);
        Assert.InRange(costs.WakeFutex.Cycles, 500, costs.Wake.Cycles);
        Assert.Equal("epoll_close", costs.Of("close", CostClass.Close, "epoll").Row);
        foreach (FaultWork work in Enum.GetValues<FaultWork>())
            Assert.True(costs.Fault(work).Cycles > 300, $"{work}: {costs.Fault(work)}");
    }

    /// <summary>A core is charged its own table, a core of one's own that of its kind unless it names one.</summary>
    [Fact]
    public void TheCoreSaysWhoseCostsItHas()
    {
        Assert.Equal("cortex-a55", KernelConfiguration.ForCore(CoreModel.Load("cortex-a55")).Charges);
        KernelConfiguration n1 = KernelConfiguration.ForCore(CoreModel.Load("neoverse-n1"));
        Assert.Equal("neoverse-n1", KernelConfiguration.Parse("plain", n1, out _)!.Charges);
        Assert.Contains("cortex-a53", KernelConfiguration.MeasuredCores);
    }

    /// <summary>Bodies as the traces list them by function. What the model executes around a body is longer than the way around
    /// sys_ni_syscall by <c>Around</c> instructions, and those are not charged twice.</summary>
    [Theory]
    [InlineData("umask", "", 16)]
    [InlineData("lseek", "", 37 + 27 + 35 + 24 + 26)]
    [InlineData("read", "zero", 12 + 50 + 19 + 35 + 88 + 21 + 37 + 44 + 42 + 6 + 24 + 50 + 10 + 15 + 17)]
    public void ABodyIsTheSumOfItsFunctions(string name, string kind, int instructions)
    {
        var costs = new CallCosts(new KernelConfiguration { SsbdFirmware = true, RandomStack = true });
        SyscallRow row = SyscallTable.All.Single(r => r.Name == name);
        CallCost cost = costs.Of(row.Name, row.Cost, kind);
        const int around = 12;
        Assert.InRange(cost.Instructions + around, instructions - 2, instructions + 2);
        Assert.False(cost.Estimated);
    }
}
