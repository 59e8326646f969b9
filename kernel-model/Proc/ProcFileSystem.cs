using System.Globalization;
using System.Text;
using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Proc;

/// <summary>/proc apart from the processes' directories (fs/proc).</summary>
internal static class ProcFileSystem
{
    /// <summary>The root directory.</summary>
    public static DynamicDirectory MakeRoot(ProcParts parts, Vfs vfs, FileSystem fs)
    {
        var processes = new ProcessTree(parts, vfs, fs);
        // Programs read the configuration with a shell and zcat; in a tree without a shell they are better off without it.
        var configuration = new TextInode(fs, 0x124, () => KernelConfig.Compressed(vfs.Options.KernelConfiguration));
        bool HasShell() => vfs.Find(vfs.RootCaller, vfs.Root, "/bin/sh", true, out _) == 0;
        var root = new DynamicDirectory(
            fs, 0x16D, name => name == "config.gz" ? HasShell() ? configuration : null : processes.Find(name), processes.Names);
        processes.Root = root;
        root.Add("self", new DynamicLink(fs, () => vfs.Current?.Pid.ToString(CultureInfo.InvariantCulture)));
        root.Add("thread-self", new DynamicLink(fs, () => vfs.Current is KernelTask t ? $"{t.Group.Pid}/task/{t.Tid}" : null));
        root.Add("mounts", new DynamicLink(fs, () => "self/mounts"));
        root.Add("net", new DynamicLink(fs, () => "self/net"));
        root.AddText("cpuinfo", () => CpuInfo.Text(parts.Machine));
        root.AddText("meminfo", () => MemoryInfo(parts));
        root.AddText("stat", () => Stat(parts, vfs));
        root.AddText("uptime", () => Uptime(parts, vfs));
        root.AddText("loadavg", () => LoadAverage(parts));
        root.AddText("version", () => $"Linux version {Uts.Release} (armvdso@{vfs.Options.HostName}) {Uts.Version}\n");
        root.AddText("keys", () => IpcText.Keys(parts.Namespaces.InitialIpc.Keys, vfs.Current?.Credentials, parts.Timekeeper.NowNs));
        root.AddText("key-users", () => IpcText.KeyUsers(parts.Namespaces.InitialIpc.Keys));
        root.AddText("filesystems", () =>
            "nodev\tsysfs\nnodev\ttmpfs\nnodev\tramfs\nnodev\tproc\nnodev\tdevtmpfs\nnodev\tpipefs\nnodev\tsockfs\nnodev\tdevpts\n"
            + "nodev\toverlay\n" + string.Concat(vfs.DiskFormats.Select(f => $"\t{f.Type}\n")));
        root.AddText("devices", () =>
            "Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n136 pts\n\nBlock devices:\n  7 loop\n");
        root.AddText("cmdline", () => "armvdso\n");
        root.AddText("interrupts", () =>
            "           " + string.Join("", Enumerable.Range(0, Cpus(parts)).Select(n => $"CPU{n}       ")) + "\n");
        root.AddText("partitions", () => "major minor  #blocks  name\n\n" + string.Concat(vfs.Devices.Loops.All.Where(d => d.Size > 0)
            .Select(d => $"{LoopDevices.Major,4}  {d.Number,7} {d.Size >> 10,10} {d.DeviceName}\n")));
        root.AddText("diskstats", () => "");
        root.AddText("modules", () => "");
        root.AddText("swaps", () => "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
        root.AddText("vmstat", () => VirtualMemoryStat(parts));
        root.AddText("softirqs", () => SoftInterrupts(parts));
        root.AddText("zoneinfo", () => ZoneInfo(parts));
        root.AddText("buddyinfo", () => $"Node 0, zone   Normal {parts.Pages.Total - parts.Pages.Used,6}"
            + string.Concat(Enumerable.Repeat($" {0,6}", 10)) + "\n");
        root.AddText("locks", () => LockText.All(parts.Tasks));
        root.AddText("kallsyms", KernelSymbols);
        root.AddText("consoles", () => "ttyS0                -W- (EC p a)    4:64\n");
        root.AddText("crypto", () => "");
        root.AddText("execdomains", () => "0-0\tLinux           \t[kernel]\n");
        root.Add("kpagecount", new PhysicalPagesInode(fs, parts, true));
        root.Add("kpageflags", new PhysicalPagesInode(fs, parts, false));
        IpcText.Fill(() => parts.IpcOf(vfs), root.AddDirectory("sysvipc"));
        DynamicDirectory pressure = root.AddDirectory("pressure");
        foreach (string name in (ReadOnlySpan<string>)["cpu", "io", "memory"])
        {
            pressure.AddText(name, () => "some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
                + "full avg10=0.00 avg60=0.00 avg300=0.00 total=0\n");
        }
        ProcSys.Fill(parts, root.AddDirectory("sys"));
        return root;
    }

    private static string SoftInterrupts(ProcParts parts)
    {
        int cpus = Cpus(parts);
        var text = new StringBuilder(new string(' ', 20));
        text.Append(string.Concat(Enumerable.Range(0, cpus).Select(n => $"CPU{n}       "))).Append('\n');
        foreach (string name in (ReadOnlySpan<string>)
            ["HI", "TIMER", "NET_TX", "NET_RX", "BLOCK", "IRQ_POLL", "TASKLET", "SCHED", "HRTIMER", "RCU"])
            text.Append($"{name,12}:").Append(string.Concat(Enumerable.Repeat($" {0,10}", cpus))).Append('\n');
        return text.ToString();
    }

    private static string ZoneInfo(ProcParts parts) =>
        $"Node 0, zone   Normal\n  pages free     {parts.Pages.Total - parts.Pages.Used}\n        boost    0\n        min      0\n"
        + $"        low      0\n        high     0\n        spanned  {parts.Pages.Total}\n        present  {parts.Pages.Total}\n"
        + $"        managed  {parts.Pages.Total}\n";

    /// <summary>The functions of EL1 code; their addresses are nobody's business (kptr_restrict).</summary>
    private static string KernelSymbols() =>
        string.Concat(Enum.GetNames<El1Symbol>().Select(name => $"0000000000000000 T {name}\n"));

    private static int Cpus(ProcParts parts) => parts.Machine.Cpus.Count;

    private static string MemoryInfo(ProcParts parts)
    {
        long total = parts.Pages.Total * 4;
        long free = total - parts.Pages.Used * 4;
        var text = new StringBuilder();
        foreach ((string name, long kib) in new (string, long)[]
        {
            ("MemTotal", total), ("MemFree", free), ("MemAvailable", free), ("Buffers", 0), ("Cached", 0), ("SwapCached", 0),
            ("Active", total - free), ("Inactive", 0), ("Active(anon)", total - free), ("Inactive(anon)", 0), ("Active(file)", 0),
            ("Inactive(file)", 0), ("Unevictable", 0), ("Mlocked", 0), ("SwapTotal", 0), ("SwapFree", 0), ("Dirty", 0), ("Writeback", 0),
            ("AnonPages", total - free), ("Mapped", 0), ("Shmem", 0), ("KReclaimable", 0), ("Slab", 0), ("SReclaimable", 0),
            ("SUnreclaim", 0), ("KernelStack", 0), ("PageTables", 0), ("CommitLimit", total / 2), ("Committed_AS", total - free),
            ("VmallocTotal", 133141626880), ("VmallocUsed", 0), ("VmallocChunk", 0), ("Percpu", 0), ("AnonHugePages", 0),
        })
            text.Append(CultureInfo.InvariantCulture, $"{name + ":",-15} {kib,8} kB\n");
        return text.Append("HugePages_Total:       0\nHugePages_Free:        0\nHugePages_Rsvd:        0\nHugePages_Surp:        0\n"
            + "Hugepagesize:       2048 kB\nHugetlb:               0 kB\n").ToString();
    }

    private static string Stat(ProcParts parts, Vfs vfs)
    {
        int cpus = Cpus(parts);
        ulong user = 0, system = 0;
        foreach (ThreadGroup group in parts.Tasks.Groups)
        {
            (ulong u, ulong s) = ProcessStatus.Times(parts.Machine, group);
            user += u;
            system += s;
        }
        ulong ticks = parts.Timekeeper.NowNs / 10_000_000;
        ulong idle = ticks * (ulong)cpus is var all && all > user + system ? all - user - system : 0;
        var text = new StringBuilder();
        text.Append($"cpu  {user} 0 {system} {idle} 0 0 0 0 0 0\n");
        for (int n = 0; n < cpus; n++)
            text.Append($"cpu{n} {user / (ulong)cpus} 0 {system / (ulong)cpus} {idle / (ulong)cpus} 0 0 0 0 0 0\n");
        long boot = (vfs.NowRealtime - BoottimeNs(parts, vfs)) / 1_000_000_000;
        int running = parts.Tasks.Groups.Sum(g => g.Threads.Count(t => t.State == TaskState.Runnable));
        text.Append($"intr 0\nctxt {parts.Scheduler.Switches}\nbtime {boot}\nprocesses {parts.Tasks.Groups.Count()}\n");
        return text.Append($"procs_running {running}\nprocs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n").ToString();
    }

    /// <summary>CLOCK_BOOTTIME in ns, as the time namespace of the reader has it.</summary>
    private static long BoottimeNs(ProcParts parts, Vfs vfs) =>
        (long)parts.Timekeeper.TimeOf(TimerBase.Boottime) + ((vfs.Current as KernelTask)?.TimeNamespace.BoottimeNs ?? 0);

    private static string Uptime(ProcParts parts, Vfs vfs)
    {
        ulong centiseconds = (ulong)Math.Max(0, BoottimeNs(parts, vfs)) / 10_000_000;
        ulong idle = centiseconds * (ulong)Cpus(parts);
        return $"{centiseconds / 100}.{centiseconds % 100:d2} {idle / 100}.{idle % 100:d2}\n";
    }

    private static string LoadAverage(ProcParts parts)
    {
        int threads = parts.Tasks.Groups.Sum(g => g.Threads.Count);
        int running = parts.Tasks.Groups.Sum(g => g.Threads.Count(t => t.State == TaskState.Runnable));
        int last = parts.Tasks.Groups.Select(g => g.Pid).DefaultIfEmpty().Max();
        return $"0.00 0.00 0.00 {running}/{threads} {last}\n";
    }

    private static string VirtualMemoryStat(ProcParts parts) =>
        $"nr_free_pages {parts.Pages.Total - parts.Pages.Used}\n"
        + "pgpgin 0\npgpgout 0\npswpin 0\npswpout 0\npgfault 0\npgmajfault 0\n";
}
