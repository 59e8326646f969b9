namespace ArmVdso.Tests.Board;

/// <summary>The script that puts the talk's change into a Linux source tree (vdso-image/linux/apply.sh): each insertion is at its place,
/// and a tree without one of the places is left as it is.</summary>
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
        Assert.True(File.Exists(Path.Join(_tree, "arch/arm64/kernel/vdso/vpercpu.c")));
        string before = Text("arch/arm64/kernel/process.c");
        Assert.Equal((0, ""), (Apply(out errors), errors));
        Assert.Equal(before, Text("arch/arm64/kernel/process.c"));
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

    /// <summary>What becomes part of a kernel is under its licence.</summary>
    [Fact]
    public void FilesForTheKernelAreMarked() =>
        Assert.All(Directory.EnumerateFiles(Path.Join(s_change, "files"), "*", SearchOption.AllDirectories),
            file => Assert.Contains("SPDX-License-Identifier: GPL-2.0", File.ReadLines(file).First()));
}
