using ArmVdso.Lab;
using ArmVdso.Lab.Check;

namespace ArmVdso.Tests.Vdso;

/// <summary>The unlock of a robust futex in the vDSO, as it was published for arm64 and as it could be (docs/robust-futex.md): a death at
/// each instruction, with the memory still the mutex's and with it given up.</summary>
public sealed class RobustFutexTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("armvdso-robust-").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    private string Build(string design)
    {
        string at = Path.Join(_folder, design);
        ArmVdsoLab.InitDesign(at, design);
        ArmVdsoLab.BuildDesign(at);
        return at;
    }

    private string[] Failing(string folder, params string[] events)
    {
        CheckResult result = new ArmVdsoLab(new SessionSettings { Cpu = "max" }).Check(folder, null, events);
        Assert.DoesNotContain(result.Cells, c => c.Verdict == CheckVerdict.Vacuous);
        return [.. result.Cells.Where(c => c.Failed > 0).Select(c => $"{c.Schedule}"[(_folder.Length + 1)..])];
    }

    private static readonly string[] s_deaths = ["killed", "killed-reused", "thread-ends", "thread-ends-reused"];
    private static readonly string[] s_moves = ["irq", "preempt", "migrate", "aba", "handler-moves", "moved-migrate"];

    /// <summary>v1 and v2 take a mutex that is held for one that is free, and after a broken exclusive access for somebody else's; v3 does
    /// not see the instruction between the unlock and its window.</summary>
    [Theory]
    [InlineData("robust-v1", "irq@1 preempt@1 migrate@1 aba@0+aba@1 handler-moves@1 moved-migrate@1 killed@0 thread-ends@0")]
    [InlineData("robust-v3", "killed-reused@4 thread-ends-reused@4")]
    [InlineData("robust-v4", "")]
    [InlineData("robust-cas", "")]
    public void DeathsAndMovesAtEachInstruction(string design, string failing)
    {
        const string function = "futex_robust_list64_try_unlock";
        string[] expected = [.. failing.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(f => $"{design}/{function}/{f}")];
        Assert.Equal(expected, Failing(Build(design), [.. s_moves, .. s_deaths]));
    }

    /// <summary>An exclusive access never ends under a debugger that steps; a compare-and-swap does.</summary>
    [Fact]
    public void OnlyTheCompareAndSwapCanBeStepped()
    {
        Assert.Single(Failing(Build("robust-v4"), "step"));
        Assert.Empty(Failing(Build("robust-cas"), "step"));
    }

    /// <summary>Without the kernel's part each death behind the unlock is found: the events see what the window is for.</summary>
    [Fact]
    public void WithoutTheHookBothDeathsAreFound()
    {
        string design = Build("robust-cas"), window = Path.Join(design, "window.h");
        File.AppendAllText(window, "#undef ROBUST_UNLOCKED\n#define ROBUST_UNLOCKED(regs)\t0\n");
        ArmVdsoLab.BuildDesign(design);
        Assert.Equal(2, Failing(design, s_deaths).Length);
        File.AppendAllText(window, "#undef ROBUST_UNLOCKED\n#define ROBUST_UNLOCKED(regs)\t1\n");
        string hooks = Path.Join(design, "robust.c");
        File.WriteAllText(hooks, File.ReadAllText(hooks).Replace("at < VDSO_IMAGE___vdso_robust_window_start", "at < 64"));
        ArmVdsoLab.BuildDesign(design);
        Assert.Contains(Failing(design, "killed"), f => f.Contains("killed@", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("getpid(page+16, tid): value", "page and tid are for functions")]
    [InlineData("robust_unlock(page+4096, tid): invariant", "page or page+N (below 4096)")]
    [InlineData("robust_lock(page, tid): invariant", "the hooks have no 'robust_lock'")]
    public void ErrorsNameTheLine(string value, string said)
    {
        string at = Path.Join(_folder, "wrong"), ini = Path.Join(at, "design.ini");
        ArmVdsoLab.InitDesign(at, "robust-cas");
        File.WriteAllText(ini, File.ReadAllText(ini).Replace("robust_unlock(page+16, tid, buffer+16): invariant", value));
        LabException e = Assert.Throws<LabException>(() => ArmVdsoLab.BuildDesign(at));
        Assert.Contains("design.ini:14: __vdso_futex_robust_list64_try_unlock: ", e.Message, StringComparison.Ordinal);
        Assert.Contains(said, e.Message, StringComparison.Ordinal);
    }
}
