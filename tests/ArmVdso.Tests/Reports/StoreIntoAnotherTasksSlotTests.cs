using ArmVdso.Lab;
using ArmVdso.Lab.Check;

namespace ArmVdso.Tests.Reports;

/// <summary>Was wrong until b41c938 (per-cpu) and bd37aac (per-cpu-seq), and was found by check: a task that is just being switched away
/// is still on its CPU, but the slot may be the next task's already. When the first one's parent exited in that moment, the new ppid, or
/// the odd sequence, was written into the slot of the other.</summary>
public sealed class StoreIntoAnotherTasksSlotTests
{
    /// <summary>The parent exits, step by step of the switch: no answer is wrong, and the next task's need no kernel.</summary>
    [Theory]
    [InlineData("per-cpu,fix=all")]
    [InlineData("per-cpu-seq")]
    [InlineData("per-cpu-fixup")]
    public void TheParentExitsWhileTheChildIsSwitchedAway(string design)
    {
        CheckResult result = new ArmVdsoLab().Check(design, ["getppid"], ["mid-own", "mid-prev"]);
        Assert.Equal(["none", "mid-own", "mid-prev"], result.Cells.Select(c => c.Event));
        Assert.True(result.Cells[2].FellBack < 10, $"the next task asked the kernel {result.Cells[2].FellBack} times");
        Assert.All(result.Cells, c => Assert.True(c.Failed == 0, $"{c.Event}: {c.Failed} of {c.Explored}, {c.What}"));
    }
}
