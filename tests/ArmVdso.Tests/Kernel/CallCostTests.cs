using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.Costs;
using ArmVdso.Kernel.Syscalls;

namespace ArmVdso.Tests.Kernel;

/// <summary>Costs of bodies in C# follow from the traces of a stock kernel.</summary>
public sealed class CallCostTests
{
    [Theory]
    [InlineData("cortex-a53")]
    [InlineData("neoverse-n1")]
    public void EverySystemCallHasACost(string core)
    {
        var costs = new CallCosts(KernelConfiguration.ForCore(CoreModel.Load(core)));
        foreach (SyscallRow row in SyscallTable.All)
        {
            CallCost cost = costs.Of(row.Name, row.Cost);
            Assert.True(cost.Instructions > 0, $"{row.Name}: {cost.Instructions}");
            Assert.True(cost.InstructionLines >= 0 && cost.DataLines >= 0, row.Name);
        }
        Assert.True(costs.Switch.Instructions > 1000);
        Assert.True(costs.Fault(false).Instructions > 3000 && costs.Fault(true).Instructions > 2000);
    }

    /// <summary>Bodies as the traces list them by function.</summary>
    [Theory]
    [InlineData("umask", "", 16)]
    [InlineData("times", "", 27 + 12)]
    [InlineData("lseek", "", 37 + 27 + 35 + 24 + 26)]
    [InlineData("read", "zero", 12 + 50 + 19 + 35 + 88 + 21 + 37 + 44 + 42 + 6 + 24 + 50 + 10 + 15 + 17)]
    public void ABodyIsTheSumOfItsFunctions(string name, string kind, int instructions)
    {
        var costs = new CallCosts(new KernelConfiguration { SsbdFirmware = true, RandomStack = true });
        SyscallRow row = SyscallTable.All.Single(r => r.Name == name);
        CallCost cost = costs.Of(row.Name, row.Cost, kind);
        Assert.Equal(instructions, cost.Instructions);
        Assert.False(cost.Estimated);
    }
}
