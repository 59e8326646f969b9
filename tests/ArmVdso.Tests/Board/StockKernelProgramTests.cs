using System.Security.Cryptography;
using System.Text.Json.Nodes;

namespace ArmVdso.Tests.Board;

/// <summary>Debian's stock kernels with an initial file system of busybox: to the shell, some commands, and off. The usual run boots one of
/// them on one CPU; ARMVDSO_LONG=1 boots each on one and four CPUs, with and without a timing model, and twice, since the same run has the
/// same log to the microsecond.</summary>
public sealed class StockKernelProgramTests : IDisposable
{
    private const string Commands =
        "uname -r; nproc; ls -d /proc/self; dd if=/dev/hwrng bs=16 count=1 2>&- | wc -c; md5sum /dev/vda; poweroff -f\n";

    private readonly string _files = Directory.CreateTempSubdirectory("armvdso-stock-").FullName;

    public void Dispose() => Directory.Delete(_files, true);

    private static readonly Lazy<string> s_folder = new(() =>
    {
        string guests = Path.Join(GuestPrograms.RepositoryRoot, "tests", "guests");
        string folder = Path.Join(guests, "build", "boot"), stock = Path.Join(folder, "stock");
        if (!File.Exists(Path.Join(folder, "6.12", "initramfs.cpio")))
        {
            string packages = Path.GetDirectoryName(StockImages.Path("6.12"))!;
            Directory.CreateDirectory(folder);
            if (!Path.Exists(stock))
                Directory.CreateSymbolicLink(stock, packages);
            (int status, string output, string errors) = GuestPrograms.Run(Path.Join(guests, "fetch-boot.sh"), folder);
            if (status != 0)
                throw new InvalidOperationException(output + errors);
        }
        return folder;
    });

    /// <summary>The folder of the fetched kernels.</summary>
    internal static string Folder => s_folder.Value;

    private static bool Long => Environment.GetEnvironmentVariable("ARMVDSO_LONG") == "1";

    public static TheoryData<string, int, string, string> Machines
    {
        get
        {
            var data = new TheoryData<string, int, string, string> { { "6.1", 1, "none", "neoverse-n1" } };
            if (!Long)
                return data;
            foreach (string series in (string[])["6.1", "6.12"])
            {
                foreach (int cpus in (int[])[1, 4])
                {
                    data.Add(series, cpus, "none", "max");
                    data.Add(series, cpus, "none", "cortex-a53");
                    data.Add(series, cpus, "cortex-a53", "cortex-a53");
                    data.Add(series, cpus, "neoverse-n1", "neoverse-n1");
                }
            }
            return data;
        }
    }

    [Theory]
    [MemberData(nameof(Machines))]
    public void BootsToAShellAndOff(string series, int cpus, string core, string profile)
    {
        byte[] disk = [.. Enumerable.Range(0, 64 << 10).Select(i => (byte)(i * i >> 8))];
        File.WriteAllBytes(Disk, disk);
        (string log, string trace, ulong cycles) = Boot(series, cpus, core, profile);
        string said = log.Replace("\r", "", StringComparison.Ordinal);
        Assert.Contains($"\n{series}.", said);
        Assert.Contains($"\n{cpus}\n", said);
        Assert.Contains("\n/proc/self\n", said);
        Assert.Contains("\n16\n", said);
        Assert.Contains($"{Convert.ToHexStringLower(MD5.HashData(disk))}  /dev/vda\n", said);
        Assert.Contains("reboot: Power down", said);
        Assert.DoesNotContain("WARNING", said);
        Assert.DoesNotContain("BUG", said);
        Assert.DoesNotContain("Oops", said);
        // The kernel's own symbols and types name the writer and the task.
        Assert.Contains("\"function\":\"__switch_to\",\"task\":\"swapper/0[0]\"", trace);
        Assert.Contains("\"function\":\"__switch_to\",\"task\":\"sh[", trace);
        TasksAndSignalsAreSeen();
        if (!Long)
            return;
        string snapshot = Path.Join(_files, "snapshot");
        Assert.Equal((log, trace, cycles), Boot(series, cpus, core, profile, "--snapshot", snapshot, "--snapshot-at", "init: Linux"));
        (string rest, _, ulong restored) = Finish("--restore", snapshot);
        Assert.EndsWith(rest, log);
        Assert.InRange(rest.Length, 1, log.Length / 2);
        Assert.Equal(cycles, restored);
    }

    /// <summary>The recording has starts, ends and states of tasks, and the signals that the shell has handlers for.</summary>
    private void TasksAndSignalsAreSeen()
    {
        string[] lines =
        [
            .. ArmVdsoCommand.Run("dump", Path.Join(_files, "trace"), "--only", "switches,tasks,signals").Output
                .Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(l => !l.StartsWith('#')),
        ];
        Assert.Contains(lines, l => l.TrimStart().StartsWith("init ", StringComparison.Ordinal) && l.Contains("sched_process_exec: init"));
        Assert.Contains(
            lines, l => l.TrimStart().StartsWith("nproc ", StringComparison.Ordinal) && l.EndsWith("sched_process_exit: status=0"));
        Assert.Contains(lines, l => l.Contains("signal_deliver: SIGCHLD sig=17 "));
        string[] switches = [.. lines.Where(l => l.Contains("sched_switch: "))];
        foreach (char state in "RSDXI")
            Assert.Contains(switches, l => l.Contains($" prev_state={state} "));
        // Nothing is known of who runs before the kernel has its tables.
        Assert.InRange(switches.Count(l => l.Contains("prev_state=? ") || l.TrimStart().StartsWith('?')), 0, 4);
    }

    /// <summary>The kernel's own vDSO is found in its Image, and calls of it in the pages that processes have of it.</summary>
    [Theory]
    [InlineData("6.1")]
    [InlineData("6.12")]
    public void CallsOfItsVdsoAreSeen(string series)
    {
        // Each instruction of a boot is looked at.
        if (!Long)
            return;
        string folder = Path.Join(s_folder.Value, series), recording = Path.Join(_files, "vdso");
        ArmVdsoCommand.Result result = ArmVdsoCommand.RunWithInput(
            "date\npoweroff -f\n",
            ["boot", "--kernel", Path.Join(folder, "vmlinuz"), "--initrd", Path.Join(folder, "initramfs.cpio"), "--cpus", "2",
             "--core", "none", "--trace", recording, "--trace-events", "vdso"]);
        Assert.True(result.Status == 0, result.Errors);
        string[] lines = ArmVdsoCommand.Run("dump", recording).Output.Split('\n');
        Assert.Contains(lines, l => l.Contains("date ") && l.Contains("vdso_enter: clock_gettime x0=0x5 "));
        Assert.Contains(lines, l => l.Contains("date ") && l.Contains("vdso_exit: clock_gettime ret=0 cycles="));
    }

    private string Disk => Path.Join(_files, "disk");

    private (string Log, string Trace, ulong Cycles) Boot(
        string series, int cpus, string core, string profile, params string[] more)
    {
        string folder = Path.Join(s_folder.Value, series);
        return Finish(
        [
            "--kernel", Path.Join(folder, "vmlinuz"), "--initrd", Path.Join(folder, "initramfs.cpio"), "--cpus", $"{cpus}",
            "--core", core, "--cpu", profile, "--append", "loglevel=7", .. more,
        ]);
    }

    private (string Log, string Trace, ulong Cycles) Finish(params string[] options)
    {
        string trace = Path.Join(_files, "trace"), counts = Path.Join(_files, "counts");
        ArmVdsoCommand.Result result = ArmVdsoCommand.RunWithInput(
            Commands, ["boot", "--disk", Disk, "--trace", trace, $"--stats={counts}", "--json", .. options]);
        Assert.Equal("", result.Errors);
        Assert.Equal(0, result.Status);
        ulong cycles = JsonNode.Parse(File.ReadAllText(counts))!["cycles"]!.GetValue<ulong>();
        ArmVdsoCommand.Result writes = ArmVdsoCommand.Run("dump", trace, "--as", "json", "--only", "offsets");
        Assert.Equal((0, ""), (writes.Status, writes.Errors));
        return (result.Output, writes.Output, cycles);
    }
}
