using System.Globalization;
using System.Text;
using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Proc;

/// <summary>/proc apart from the processes' directories (fs/proc).</summary>
internal static class ProcFileSystem
{
    /// <summary>The root directory.</summary>
    public static DynamicDirectory MakeRoot(LinuxKernel? kernel, Vfs vfs, FileSystem fs)
    {
        var processes = new ProcessTree(kernel, vfs, fs);
        var root = new DynamicDirectory(fs, 0x16D, processes.Find, processes.Names);
        processes.Root = root;
        root.Add("self", new DynamicLink(fs, () => vfs.Current?.Pid.ToString(CultureInfo.InvariantCulture)));
        root.Add("thread-self", new DynamicLink(fs, () => vfs.Current is KernelTask t ? $"{t.Group.Pid}/task/{t.Tid}" : null));
        root.Add("mounts", new DynamicLink(fs, () => "self/mounts"));
        root.Add("net", new DynamicLink(fs, () => "self/net"));
        root.AddText("cpuinfo", () => kernel is null ? "" : CpuInfo.Text(kernel.Machine));
        root.AddText("meminfo", () => MemoryInfo(kernel));
        root.AddText("stat", () => Stat(kernel, vfs));
        root.AddText("uptime", () => Uptime(kernel, vfs));
        root.AddText("loadavg", () => LoadAverage(kernel));
        root.AddText("version", () => $"Linux version {Uts.Release} (armvdso@{vfs.Options.HostName}) {Uts.Version}\n");
        root.AddText("filesystems", () =>
            "nodev\tsysfs\nnodev\ttmpfs\nnodev\tproc\nnodev\tdevtmpfs\nnodev\tpipefs\nnodev\tsockfs\nnodev\tdevpts\n"
            + "\text4\nnodev\toverlay\n");
        root.AddText("devices", () =>
            "Character devices:\n  1 mem\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n136 pts\n\nBlock devices:\n");
        root.AddText("cmdline", () => "armvdso\n");
        root.AddText("interrupts", () =>
            "           " + string.Join("", Enumerable.Range(0, Cpus(kernel)).Select(n => $"CPU{n}       ")) + "\n");
        root.AddText("partitions", () => "major minor  #blocks  name\n\n");
        root.AddText("diskstats", () => "");
        root.AddText("modules", () => "");
        root.AddText("swaps", () => "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n");
        root.AddText("vmstat", () => VirtualMemoryStat(kernel));
        MakeSys(kernel, vfs, root.AddDirectory("sys"));
        return root;
    }

    private static void MakeSys(LinuxKernel? kernel, Vfs vfs, DynamicDirectory sys)
    {
        DynamicDirectory directory = sys.AddDirectory("kernel");
        directory.AddText("osrelease", () => Uts.Release + "\n");
        directory.AddText("hostname", () => (kernel?.Uts.Host ?? vfs.Options.HostName) + "\n");
        directory.AddText("domainname", () => (kernel?.Uts.Domain ?? "(none)") + "\n");
        directory.AddText("ostype", () => "Linux\n");
        directory.AddText("version", () => Uts.Version + "\n");
        directory.AddText("pid_max", () => "32768\n");
        directory.AddText("threads-max", () => "15640\n");
        directory.AddText("ngroups_max", () => "65536\n");
        directory.AddText("cap_last_cap", () => "40\n");
        directory.AddText("core_pattern", () => "core\n");
        directory.AddText("core_uses_pid", () => "0\n");
        directory.AddText("randomize_va_space", () => "0\n");
        directory.AddText("overflowuid", () => "65534\n");
        directory.AddText("overflowgid", () => "65534\n");
        directory.AddText("perf_event_paranoid", () => "2\n");
        directory.AddText("sched_rt_runtime_us", () => "950000\n");
        directory.AddText("shmmax", () => "18446744073692774399\n");
        directory.AddText("shmall", () => "18446744073692774399\n");
        directory.AddText("shmmni", () => "4096\n");
        directory.AddText("sem", () => "32000\t1024000000\t500\t32000\n");
        directory.AddText("msgmax", () => "8192\n");
        directory.AddText("msgmnb", () => "16384\n");
        directory.AddText("msgmni", () => "32000\n");
        DynamicDirectory random = directory.AddDirectory("random");
        random.AddText("uuid", () => Uuid(kernel) + "\n");
        string? bootId = null;
        random.AddText("boot_id", () => (bootId ??= Uuid(kernel)) + "\n");
        random.AddText("entropy_avail", () => "256\n");
        random.AddText("poolsize", () => "256\n");
        DynamicDirectory vm = sys.AddDirectory("vm");
        vm.AddText("overcommit_memory", () => "0\n");
        vm.AddText("overcommit_ratio", () => "50\n");
        vm.AddText("max_map_count", () => "65530\n");
        vm.AddText("mmap_min_addr", () => "65536\n");
        vm.AddText("nr_hugepages", () => "0\n");
        vm.AddText("swappiness", () => "60\n");
        DynamicDirectory files = sys.AddDirectory("fs");
        files.AddText("file-max", () => "9223372036854775807\n");
        files.AddText("file-nr", () => "128\t0\t9223372036854775807\n");
        files.AddText("nr_open", () => "1048576\n");
        files.AddText("pipe-max-size", () => "1048576\n");
        DynamicDirectory inotify = files.AddDirectory("inotify");
        inotify.AddText("max_user_watches", () => "65536\n");
        inotify.AddText("max_user_instances", () => "128\n");
        inotify.AddText("max_queued_events", () => "16384\n");
        DynamicDirectory net = sys.AddDirectory("net");
        DynamicDirectory core = net.AddDirectory("core");
        core.AddText("somaxconn", () => "4096\n");
        core.AddText("rmem_max", () => "212992\n");
        core.AddText("wmem_max", () => "212992\n");
        DynamicDirectory ipv4 = net.AddDirectory("ipv4");
        ipv4.AddText("ip_local_port_range", () => "32768\t60999\n");
        ipv4.AddText("tcp_fin_timeout", () => "60\n");
    }

    private static int Cpus(LinuxKernel? kernel) => kernel?.Machine.Cpus.Count ?? 1;

    private static string Uuid(LinuxKernel? kernel)
    {
        Span<byte> b = stackalloc byte[16];
        kernel?.Random.Fill(b);
        b[6] = (byte)((b[6] & 0xF) | 0x40);
        b[8] = (byte)((b[8] & 0x3F) | 0x80);
        string hex = Convert.ToHexStringLower(b);
        return $"{hex[..8]}-{hex[8..12]}-{hex[12..16]}-{hex[16..20]}-{hex[20..]}";
    }

    private static string MemoryInfo(LinuxKernel? kernel)
    {
        long total = (kernel?.PageAllocator.Total ?? 0) * 4;
        long free = total - (kernel?.PageAllocator.Used ?? 0) * 4;
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

    private static string Stat(LinuxKernel? kernel, Vfs vfs)
    {
        int cpus = Cpus(kernel);
        ulong user = 0, system = 0;
        foreach (ThreadGroup group in kernel?.Tasks.Groups ?? [])
        {
            (ulong u, ulong s) = ProcessTree.Times(kernel!.Machine, group);
            user += u;
            system += s;
        }
        ulong ticks = (kernel?.Timekeeper.NowNs ?? 0) / 10_000_000;
        ulong idle = ticks * (ulong)cpus is var all && all > user + system ? all - user - system : 0;
        var text = new StringBuilder();
        text.Append($"cpu  {user} 0 {system} {idle} 0 0 0 0 0 0\n");
        for (int n = 0; n < cpus; n++)
            text.Append($"cpu{n} {user / (ulong)cpus} 0 {system / (ulong)cpus} {idle / (ulong)cpus} 0 0 0 0 0 0\n");
        long boot = (vfs.NowRealtime - BoottimeNs(kernel, vfs)) / 1_000_000_000;
        int running = kernel?.Tasks.Groups.Sum(g => g.Threads.Count(t => t.State == TaskState.Runnable)) ?? 0;
        text.Append($"intr 0\nctxt {kernel?.Scheduler.Switches ?? 0}\nbtime {boot}\nprocesses {kernel?.Tasks.Groups.Count() ?? 0}\n");
        return text.Append($"procs_running {running}\nprocs_blocked 0\nsoftirq 0 0 0 0 0 0 0 0 0 0 0\n").ToString();
    }

    /// <summary>CLOCK_BOOTTIME in ns, as the time namespace of the reader has it.</summary>
    private static long BoottimeNs(LinuxKernel? kernel, Vfs vfs) =>
        (long)(kernel?.Timekeeper.TimeOf(TimerBase.Boottime) ?? 0) + ((vfs.Current as KernelTask)?.TimeNamespace.BoottimeNs ?? 0);

    private static string Uptime(LinuxKernel? kernel, Vfs vfs)
    {
        ulong centiseconds = (ulong)Math.Max(0, BoottimeNs(kernel, vfs)) / 10_000_000;
        ulong idle = centiseconds * (ulong)Cpus(kernel);
        return $"{centiseconds / 100}.{centiseconds % 100:d2} {idle / 100}.{idle % 100:d2}\n";
    }

    private static string LoadAverage(LinuxKernel? kernel)
    {
        int threads = kernel?.Tasks.Groups.Sum(g => g.Threads.Count) ?? 0;
        int running = kernel?.Tasks.Groups.Sum(g => g.Threads.Count(t => t.State == TaskState.Runnable)) ?? 0;
        int last = kernel?.Tasks.Groups.Select(g => g.Pid).DefaultIfEmpty().Max() ?? 0;
        return $"0.00 0.00 0.00 {running}/{threads} {last}\n";
    }

    private static string VirtualMemoryStat(LinuxKernel? kernel) =>
        $"nr_free_pages {(kernel?.PageAllocator.Total ?? 0) - (kernel?.PageAllocator.Used ?? 0)}\n"
        + "pgpgin 0\npgpgout 0\npswpin 0\npswpout 0\npgfault 0\npgmajfault 0\n";
}
