namespace ArmVdso.Tests.Board;

/// <summary>Programs inside a booted stock kernel: the kernel's own tests of the vDSO, time namespaces, rseq, futexes, timers and signals,
/// and those of tests/guests/src, give what was recorded from the same kernel on qemu-system-aarch64 (tests/guests/booted/record.sh); the
/// static programs of the pool give their golden output. The usual run takes a few of them on Linux 6.12, ARMVDSO_LONG=1 all of them on
/// both kernels.</summary>
public sealed class BootedProgramTests : IDisposable
{
    private readonly string _console = Path.GetTempFileName();

    public void Dispose() => File.Delete(_console);

    private static bool Long => Environment.GetEnvironmentVariable("ARMVDSO_LONG") == "1";

    private static string Guests => Path.Join(GuestPrograms.RepositoryRoot, "tests", "guests");

    private static string Tool => Path.Join(Guests, "booted", "booted.py");

    /// <summary>The initial file system with the programs.</summary>
    private static readonly Lazy<string> s_programs = new(() =>
    {
        string made = Path.Join(Guests, "build", "booted", "programs.cpio");
        Directory.CreateDirectory(Path.GetDirectoryName(made)!);
        string ours = Path.GetDirectoryName(GuestPrograms.Path("signals"))!;
        (int status, string output, string errors) =
            GuestPrograms.Run("python3", Tool, "make", made, DebianPrograms.Root, KernelSelftests.Arm64, ours);
        return status == 0 ? made : throw new InvalidOperationException(output + errors);
    });

    [Theory]
    [InlineData("6.1")]
    [InlineData("6.12")]
    public void GiveWhatTheyGiveOnQemu(string series)
    {
        if (!Long && series != "6.12")
            return;
        string set = Long ? "all" : "quick";
        string kernel = Path.Join(StockKernelProgramTests.Folder, series, "vmlinuz");
        // Programs give each other 10 ms to get somewhere: on a slow clock that ten threads have begun by then hangs on the placement of
        // the initial file system in memory.
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run(
            "boot", "--kernel", kernel, "--initrd", s_programs.Value, "--core", "none", "--cpu", "cortex-a53", "--cpus", "2",
            "--mem", "512M", "--clock-mhz", "500", "--append", $"quiet programs={set}");
        Assert.True(result.Status == 0, $"status {result.Status}\n{result.Errors}{result.Output[^Math.Min(result.Output.Length, 999)..]}");
        File.WriteAllText(_console, result.Output);
        (int status, string output, string errors) =
            GuestPrograms.Run("bash", "-c", "exec python3 \"$0\" results \"$1\" < \"$2\"", Tool, set, _console);
        Assert.True(status == 0, output + errors);
        Dictionary<string, string> given = Blocks(output);
        Dictionary<string, string> recorded = Blocks(File.ReadAllText(Path.Join(Guests, "booted", series + ".txt")));
        Assert.InRange(given.Count, Long ? recorded.Count : 20, recorded.Count);
        foreach ((string name, string block) in given)
            Assert.Equal(recorded[name], block);
        Assert.InRange(given.Values.Count(b => b.EndsWith(": golden\n", StringComparison.Ordinal)), 8, 16);
    }

    /// <summary>What a file of results says of each program.</summary>
    private static Dictionary<string, string> Blocks(string results)
    {
        var blocks = new Dictionary<string, string>();
        string name = "";
        foreach (string line in results.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => !l.StartsWith('#')))
        {
            if (line[0] != ' ')
                name = line[..line.IndexOf(':', StringComparison.Ordinal)];
            blocks[name] = blocks.GetValueOrDefault(name, "") + line + "\n";
        }
        return blocks;
    }
}
