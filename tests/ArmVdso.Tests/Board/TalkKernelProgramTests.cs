using System.Text.Json.Nodes;

namespace ArmVdso.Tests.Board;

/// <summary>The script that puts the talk's change into a Linux source tree (vdso-image/linux/apply.sh): each insertion is at its place,
/// and a tree without one of the places is left as it is. With ARMVDSO_LONG=1, the kernels that tests/guests/build-talk-kernel.sh has
/// built in tests/guests/build/talk are checked, those that are there.</summary>
public sealed class TalkKernelProgramTests : IDisposable
{
    private static readonly string s_change = Path.Join(GuestPrograms.RepositoryRoot, "vdso-image", "linux");

    /// <summary>The places of the tree, with something before and behind each.</summary>
    private static readonly Dictionary<string, string[]> s_places = new()
    {
        ["kernel/Makefile"] = ["obj-y += sched/"],
        ["arch/arm64/kernel/vdso/Makefile"] = ["# Build rules"],
        ["arch/arm64/kernel/vdso/vdso.lds.S"] = ["\t\t__kernel_getrandom;"],
        ["arch/arm64/kernel/process.c"] =
            ["#include <linux/sched.h>", "\ttls_thread_switch(next);", "\ttls_thread_flush();", "\tmte_thread_init_user();"],
        ["arch/arm64/kernel/vdso.c"] = [],
        ["init/Kconfig"] = ["source \"kernel/irq/Kconfig\""],
        ["kernel/cred.c"] = ["#include <linux/cn_proc.h>", "\trcu_assign_pointer(task->cred, new);"],
        ["kernel/exit.c"] = ["#include <linux/capability.h>", "\t\t\tRCU_INIT_POINTER(t->real_parent, reaper);"],
        ["kernel/user_namespace.c"] = ["#include <linux/highuid.h>", "\tmap->nr_extents = new_map.nr_extents;"],
        ["kernel/nsproxy.c"] = ["#include <linux/proc_ns.h>", "\tp->nsproxy = new;"],
        ["include/linux/resume_user_mode.h"] = ["#include <linux/rseq.h>", "\tblkcg_maybe_throttle_current();"],
        ["arch/arm64/kernel/entry-common.c"] = ["#include <linux/resume_user_mode.h>", "\tlockdep_sys_exit();"],
    };

    private readonly string _tree = Directory.CreateTempSubdirectory("armvdso-linux-").FullName;

    public TalkKernelProgramTests()
    {
        foreach ((string file, string[] places) in s_places)
        {
            string path = Path.Join(_tree, file);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, string.Concat(places.Select(p => $"before\n{p}\nbehind\n")));
        }
    }

    public void Dispose() => Directory.Delete(_tree, true);

    private int Apply(out string errors)
    {
        (int status, _, errors) = GuestPrograms.Run(Path.Join(s_change, "apply.sh"), _tree);
        return status;
    }

    private string Text(string file) => File.ReadAllText(Path.Join(_tree, file));

    [Fact]
    public void InsertionsAreAtTheirPlaces()
    {
        Assert.Equal((0, ""), (Apply(out string errors), errors));
        Assert.Contains("\ttls_thread_switch(next);\n\tvdso_per_cpu_switch_thread(next);\nbehind", Text("arch/arm64/kernel/process.c"));
        Assert.Contains("__kernel_getrandom;\n\t\t__kernel_getpid;\n", Text("arch/arm64/kernel/vdso/vdso.lds.S"));
        Assert.Contains("obj-y += sched/\nobj-y += vdso_per_cpu.o\nbehind", Text("kernel/Makefile"));
        Assert.Contains("# Build rules\nobj-vdso += vpercpu.o\n", Text("arch/arm64/kernel/vdso/Makefile"));
        Assert.Contains("real_parent, reaper);\n\t\t\tvdso_per_cpu_changed(t);\nbehind", Text("kernel/exit.c"));
        Assert.Contains("new;\n\tif (p == current)\n\t\tvdso_per_cpu_refresh();\nbehind", Text("kernel/nsproxy.c"));
        Assert.True(File.Exists(Path.Join(_tree, "arch/arm64/kernel/vdso/vpercpu.c")));
        string[] before = [.. s_places.Keys.Select(Text)];
        Assert.Equal((0, ""), (Apply(out errors), errors));
        Assert.Equal(before, s_places.Keys.Select(Text));
    }

    [Fact]
    public void ATreeWithoutAPlaceIsLeftAsItIs()
    {
        File.WriteAllText(Path.Join(_tree, "arch/arm64/kernel/process.c"), "#include <linux/sched.h>\n");
        string before = Text("kernel/Makefile");
        Assert.Equal(1, Apply(out string errors));
        Assert.Equal("apply.sh: arch/arm64/kernel/process.c: 'tls_thread_switch(next);' is there 0 times\n", errors);
        Assert.Equal(before, Text("kernel/Makefile"));
        Assert.Empty(Directory.EnumerateFiles(_tree, "*.new", SearchOption.AllDirectories));
        Assert.False(File.Exists(Path.Join(_tree, "kernel/vdso_per_cpu.c")));
    }

    /// <summary>The talk's defects show on the kernel that has them, and not on the mended one.</summary>
    [Theory]
    [InlineData("Image", "failed")]
    [InlineData("Image-gen", "proved")]
    public void ABuiltKernelIsChecked(string image, string verdict)
    {
        string kernel = Path.Join(GuestPrograms.RepositoryRoot, "tests", "guests", "build", "talk", image);
        if (Environment.GetEnvironmentVariable("ARMVDSO_LONG") != "1" || !File.Exists(kernel))
            return;
        string[] cells = ["getpid/migrate", "getpid/pidns", "getuid/setresuid", "getuid/setns", "getuid/idmap", "getppid/reparent"];
        IEnumerable<string> Options(string name, int part) =>
            cells.Select(c => c.Split('/')[part]).Distinct().SelectMany(c => (string[])[name, c]);
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
            ["check", "--kernel-image", kernel, "--cpu", "cortex-a53", .. Options("--function", 0), .. Options("--event", 1), "--json"]);
        Assert.Equal((verdict == "failed" ? 1 : 0, ""), (result.Status, result.Errors));
        Dictionary<string, string> verdicts = JsonNode.Parse(result.Output)!["kernels"]![0]!["cells"]!.AsArray().ToDictionary(
            c => $"{c!["function"]}/{c["event"]}", c => c!["verdict"]!.GetValue<string>());
        Assert.All(cells, c => Assert.Equal(verdict, verdicts[c]));
        Assert.Equal("proved", verdicts["getpid/reparent"]);
    }

    /// <summary>What becomes part of a kernel is under its licence.</summary>
    [Fact]
    public void FilesForTheKernelAreMarked() =>
        Assert.All(Directory.EnumerateFiles(Path.Join(s_change, "files"), "*", SearchOption.AllDirectories),
            file => Assert.Contains("SPDX-License-Identifier: GPL-2.0", File.ReadLines(file).First()));
}
