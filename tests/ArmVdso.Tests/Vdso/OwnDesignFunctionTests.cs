using ArmVdso.Lab;
using ArmVdso.Lab.Check;
using ArmVdso.Lab.Designs;

namespace ArmVdso.Tests.Vdso;

/// <summary>Designs in folders: functions with pointers, functions of which only an invariant says what is true, and a fix-up that is the
/// design's own.</summary>
public sealed class OwnDesignFunctionTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("armvdso-functions-").FullName;

    public void Dispose() => Directory.Delete(_folder, true);

    private string Own => Path.Join(_folder, "own");

    private void Change(string file, string from, string to)
    {
        string path = Path.Join(Own, file), text = File.ReadAllText(path);
        Assert.Contains(from, text, StringComparison.Ordinal);
        File.WriteAllText(path, text.Replace(from, to, StringComparison.Ordinal));
    }

    private CheckResult Check(string function, params string[] events)
    {
        ArmVdsoLab.BuildDesign(Own);
        return new ArmVdsoLab().Check(Own, [function], events);
    }

    private static void Holds(CheckResult result) => Assert.True(
        result.Held, string.Join('\n', result.Cells.Select(c => $"{c.Function} {c.Event} {c.Verdict} {c.Schedule} {c.What}")));

    /// <summary>Instead of a second look at the register, the kernel has an interrupted call begin again.</summary>
    [Fact]
    public void FixUpOfTheDesignItselfMovesAnInterruptedCall()
    {
        ArmVdsoLab.InitDesign(Own);
        Change("vdso.c", "if (own_register() != __register)", "if (0)");
        string[] events = ["irq", "preempt", "migrate", "aba", "moved-migrate"];
        Assert.False(Check("getpid", events).Held);
        File.AppendAllText(Path.Join(Own, "hooks.c"), """

            #include <armvdso/image.h>

            void vdso_leave(struct vdso_task *task, struct vdso_regs *regs)
            {
            	vdso_u64 at = regs->pc - task->image - VDSO_IMAGE___kernel_getpid;

            	if (task->image && at < VDSO_IMAGE___kernel_rt_sigreturn - VDSO_IMAGE___kernel_getpid)
            		regs->pc -= at;
            }
            """);
        Holds(Check("getpid", events));
        // With the image at another place it is there that PCs are moved, and without it nowhere.
        Change("hooks.c", "regs->pc -= at", "regs->pc -= at, (void)task");
        Change("hooks.c", "vdso_u64 at = regs->pc - task->image", "vdso_u64 at = regs->pc - 0x1000");
        Assert.False(Check("getpid", "migrate").Held);
    }

    private void AddWhereAmI()
    {
        ArmVdsoLab.InitDesign(Own);
        File.AppendAllText(Path.Join(Own, "vdso.c"), """

            /* CPU and process of one moment; which CPU, no system call says for a moment that is gone. */
            EXPORT long __vdso_where_am_i(unsigned int *out);
            EXPORT long __vdso_where_am_i(unsigned int *out)
            {
            	unsigned long seen = own_register();
            	const volatile struct own_slot *slot = (const void *)((const char *)&_vdso_data + (seen & OWN_OFFSET));

            	if (!seen)
            		goto fallback;
            	out[0] = slot->cpu;
            	out[1] = slot->pid;
            	if (own_register() == seen)
            		return 0;
            fallback:
            	out[1] = system_call(172);
            	return 1;
            }

            EXPORT long __vdso_cpu_and_node(unsigned int *cpu, unsigned int *node);
            EXPORT long __vdso_cpu_and_node(unsigned int *cpu, unsigned int *node)
            {
            	*cpu = ((const volatile struct own_slot *)((const char *)&_vdso_data + (own_register() & OWN_OFFSET)))->cpu;
            	*node = 0;
            	return 0;
            }
            """);
        File.AppendAllText(Path.Join(Own, "hooks.c"), """

            VDSO_INVARIANT(one_process)
            {
            	const unsigned int *seen = buffer;

            	(void)cpu;
            	return answer > 1 ? 1 : seen[1] != task->pid ? 2 : 0;
            }
            """);
        File.AppendAllText(Path.Join(Own, "design.ini"), """

            [functions]
            __vdso_where_am_i = one_process(buffer): invariant
            __vdso_cpu_and_node = getcpu(buffer, buffer+4): bytes 8
            """);
    }

    [Fact]
    public void InvariantIsAskedAfterEachSchedule()
    {
        AddWhereAmI();
        string[] events = ["preempt", "migrate", "signal"];
        CheckResult right = Check("where_am_i", events);
        Holds(right);
        Assert.All(right.Cells.Where(c => c.Event != "none"), c => Assert.True(c.Telling));
        Change("vdso.c", "if (own_register() == seen)", "if (1)");
        CheckResult wrong = Check("where_am_i", events);
        CheckCell cell = wrong.Cells.First(c => c.Event == "migrate");
        Assert.Contains("of which one_process says 2", cell.What, StringComparison.Ordinal);
        using var text = new StringWriter();
        Assert.False(new ArmVdsoLab().Replay($"{cell.Schedule}", text, null, true));
        Assert.Contains("one_process says 2: WRONG", text.ToString(), StringComparison.Ordinal);
        // One that accepts everything proves nothing.
        Change("hooks.c", "return answer > 1 ? 1 : seen[1] != task->pid ? 2 : 0;", "(void)task;\n\t(void)seen;\n\treturn answer & 0;");
        Assert.Equal(CheckVerdict.Vacuous, Check("where_am_i", "migrate").Cells.Single(c => c.Event == "migrate").Verdict);
    }

    /// <summary>The system call writes to a buffer, too, and compare has both.</summary>
    [Fact]
    public void BytesOfABufferAreCompared()
    {
        AddWhereAmI();
        Holds(Check("cpu_and_node", "migrate"));
        var lab = new ArmVdsoLab(new SessionSettings { Core = "none", Vdso = Own });
        FunctionComparison compared = lab.Compare(["cpu_and_node"]).Functions[0];
        Assert.Equal((0L, 0L, 0L), (compared.Vdso!.Wrong, compared.Vdso.Fallbacks, compared.Syscall.Wrong));
        Change("vdso.c", "*node = 0;", "*node = 3;");
        Assert.Contains("returned 0x3", Check("cpu_and_node", "migrate").Cells.First(c => c.Failed > 0).What, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("two(buffer): invariant", "the hooks have no 'two'")]
    [InlineData("getcpu(buffer, buffer+64): bytes 8", "its argument 'buffer+64' is no 32-bit number")]
    [InlineData("getcpu(buffer): value", "with a buffer its answer is bytes N or invariant")]
    [InlineData("getcpu(0): bytes 8", "no argument is one")]
    [InlineData("getcpu(buffer): bytes 9", "there is no answer 'bytes 9'; known: value, constant, bytes N (1 to 8), invariant")]
    [InlineData("getcpu(1, 2, 3, 4, 5, 6): value", "it has 6 arguments")]
    public void ErrorsNameTheLine(string value, string said)
    {
        AddWhereAmI();
        Change("design.ini", "one_process(buffer): invariant", value);
        LabException e = Assert.Throws<LabException>(() => ArmVdsoLab.BuildDesign(Own));
        Assert.Contains("design.ini:19: __vdso_where_am_i: ", e.Message, StringComparison.Ordinal);
        Assert.Contains(said, e.Message, StringComparison.Ordinal);
    }
}
