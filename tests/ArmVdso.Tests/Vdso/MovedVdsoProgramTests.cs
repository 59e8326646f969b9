namespace ArmVdso.Tests.Vdso;

/// <summary>What a process may do to the mappings of the vDSO (tests/guests/src/vdso_moves.c): the oracle is the system call, and the
/// errors are those of Linux's special mappings.</summary>
public sealed class MovedVdsoProgramTests
{
    /// <summary>Moved, unmapped, mapped over, written; and what is refused.</summary>
    [Theory]
    [MemberData(nameof(KnownDesigns.Mended), MemberType = typeof(KnownDesigns))]
    [InlineData("per-cpu,fix=all")]
    [InlineData("per-thread,writable=ignored")]
    [InlineData("stock")]
    public void AnswersAreRightWhereverTheMappingsAre(string design)
    {
        string vdso = design == "stock" ? StockImages.Path("6.12") : design;
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
            "run", "--core", "none", "--slice", "20", "--vdso", vdso, GuestPrograms.Path("vdso_moves"));
        Assert.True(result.Status == 0 && result.Output.EndsWith("vdso_moves: 0 failed\n", StringComparison.Ordinal),
            $"status {result.Status}\n{result.Output}{result.Errors}");
    }

    /// <summary>Flags and sizes of the special mappings as Debian's 6.12.117 showed them on qemu-system-aarch64 (/proc/self/smaps of a
    /// static program); what is resident of the image depends on what else runs.</summary>
    [Fact]
    public void SmapsShowWhatLinuxShows()
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
            "run", "--core", "none", "--vdso", "stock:" + StockImages.Path("6.12"), "--root", DebianPrograms.StaticRoot, "/usr/bin/busybox",
            "cat", "/proc/self/smaps");
        string[] lines = result.Output.Split('\n');
        foreach ((string name, string access, string flags) in ((string, string, string)[])
            [("[vvar]", "r--p", "rd mr pf de "), ("[vdso]", "r-xp", "rd ex mr mw me de ")])
        {
            int at = Array.FindIndex(lines, l => l.EndsWith(name, StringComparison.Ordinal));
            Assert.Contains($" {access} 00000000 00:00 0 ", lines[at]);
            Assert.Equal("Size:                  8 kB", lines[at + 1]);
            Assert.Equal("VmFlags: " + flags, lines.Skip(at).First(l => l.StartsWith("VmFlags", StringComparison.Ordinal)));
        }
        string[] data = [.. lines.SkipWhile(l => !l.EndsWith("[vvar]", StringComparison.Ordinal)).Take(5)];
        Assert.Contains("Rss:                   0 kB", data);
    }

    /// <summary>Preempted and moved between CPUs in the moved image: the kernel knows where its ranges are.</summary>
    [Theory]
    [InlineData("per-cpu-fixup")]
    [InlineData("per-thread")]
    public void NoAnswerIsWrongAfterAMove(string design)
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
            "run", "--core", "none", "--slice", "1", "--quantum", "10", "--vdso", design, GuestPrograms.Path("vdso_moves"), "race", "3000");
        Assert.True(result.Status == 0, result.Output + result.Errors);
    }
}
