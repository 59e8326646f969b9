using System.Text.Json.Nodes;

namespace ArmVdso.Tests.Board;

/// <summary>kernel-truth runs one program on a stock kernel and on the model. Without a timing model both execute the same on every
/// host, so where the model executes or charges what the stock kernel executes, the counts must agree.</summary>
public sealed class KernelTruthCommandTests
{
    [Fact]
    public void NoKernelIsAnErrorOfTheCommandLine()
    {
        ArmVdsoCommand.Result result = ArmVdsoCommand.Run("kernel-truth", "--core", "none");
        Assert.Equal(2, result.Status);
        Assert.Contains("--kernel-image", result.Errors);
    }

    /// <summary>A slice of the table.</summary>
    [Fact]
    public void ModelAgreesWithTheStockKernel()
    {
        string image = Path.Join(StockKernelProgramTests.Folder, "6.1", "vmlinuz");
        ArmVdsoCommand.Result result =
            ArmVdsoCommand.Run("kernel-truth", "--core", "none", "--cpu", "cortex-a53", "--kernel-image", image, "--json");
        Assert.Equal("", result.Errors);
        Assert.Equal(0, result.Status);
        var rows = result.Output.TrimEnd().Split('\n').Select(l => JsonNode.Parse(l)!).Where(n => n["name"] is not null)
            .ToDictionary(n => n["name"]!.GetValue<string>(), n => (double)Cycles(n, "model") / Cycles(n, "booted"));
        Assert.Equal(64, rows.Count);
        foreach (string name in (string[])["enosys", "getpid", "gettid", "getppid", "getuid", "getegid", "getcpu", "clock_gettime"])
            Assert.InRange(rows[name], 0.98, 1.02);
        foreach (string name in (string[])["umask", "fstat", "newfstatat", "read_zero", "pread_file", "dup_close", "pipe_write_read"])
            Assert.InRange(rows[name], 0.9, 1.1);
        // Sleeps, switches of threads and of processes, and what munmap and close have to do, by kind.
        foreach (string name in (string[])["futex_two_switches", "pipe_two_switches", "epoll_create_close", "map_file_read"])
            Assert.InRange(rows[name], 0.98, 1.02);
        foreach (string name in (string[])["map_touch_many", "map_file_write", "thread_exit_wait", "fork_of_many", "fork_touch_exit"])
            Assert.InRange(rows[name], 0.92, 1.08);
    }

    private static ulong Cycles(JsonNode row, string on) => row[on]!["cycles"]!.GetValue<ulong>();
}
