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
        var view = new PidView(parts.Tasks, (vfs.Current as KernelTask)?.PidNamespace ?? parts.Namespaces.InitialPid);
        var processes = new ProcessTree(parts, view, vfs, fs);
        // Programs read the configuration with a shell and zcat; in a tree without a shell they are better off without it.
        var configuration = new TextInode(fs, 0x124, () => KernelConfig.Compressed(vfs.Options.KernelConfiguration));
        bool HasShell() => vfs.Find(vfs.RootCaller, vfs.Root, "/bin/sh", true, out _) == 0;
        var root = new DynamicDirectory(
            fs, 0x16D, name => name == "config.gz" ? HasShell() ? configuration : null : processes.Find(name), processes.Names);
        processes.Root = root;
        root.Add("self", new DynamicLink(fs, () => vfs.Current is { } t && view.Number(t.Pid) is not 0 and int pid
            ? pid.ToString(CultureInfo.InvariantCulture) : null));
        root.Add("thread-self", new DynamicLink(fs, () => vfs.Current is KernelTask t && view.Number(t.Tid) is not 0 and int tid
            ? $"{view.Number(t.Group)}/task/{tid}" : null));
        root.Add("mounts", new DynamicLink(fs, () => "self/mounts"));
        root.Add("net", new DynamicLink(fs, () => "self/net"));
        root.AddText("cpuinfo", () => CpuInfo.Text(parts.Machine));
        root.AddText("meminfo", () => SystemMemory.Info(parts, vfs));
        root.AddText("stat", () => Stat(parts, vfs));
        root.AddText("uptime", () => Uptime(parts, vfs));
        root.AddText("loadavg", () => LoadAverage(parts, vfs));
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
        root.AddText("vmstat", () => SystemMemory.Stat(parts));
        root.AddText("softirqs", () => SoftInterrupts(parts));
        root.AddText("zoneinfo", () => SystemMemory.Zones(parts));
        root.AddText("buddyinfo", () => SystemMemory.Buddies(parts));
        root.AddText("locks", () => LockText.All(parts.Tasks, view));
        root.AddText("kallsyms", KernelSymbols);
        root.AddText("consoles", () => "ttyS0                -W- (EC p a)    4:64\n");
        root.AddText("crypto", () => "");
        root.AddText("cgroups", () => "#subsys_name\thierarchy\tnum_cgroups\tenabled\n");
        root.AddText("misc", () => MiscellaneousDevices);
        DynamicDirectory terminals = root.AddDirectory("tty");
        terminals.AddText("drivers", () => TerminalDrivers);
        terminals.AddText("ldiscs", () => "n_tty       0\n");
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

    private const string MiscellaneousDevices = "237 loop-control\n126 userfaultfd\n";

    /// <summary>By which ps names terminals (fs/proc/proc_tty.c).</summary>
    private const string TerminalDrivers = "/dev/tty             /dev/tty        5       0 system:/dev/tty\n"
        + "/dev/console         /dev/console    5       1 system:console\n/dev/ptmx            /dev/ptmx       5       2 system\n"
        + "pty_slave            /dev/pts      136 0-1048575 pty:slave\npty_master           /dev/ptm      128 0-1048575 pty:master\n";

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

    /// <summary>The functions of EL1 code; their addresses are nobody's business (kptr_restrict).</summary>
    private static string KernelSymbols() =>
        string.Concat(Enum.GetNames<El1Symbol>().Select(name => $"0000000000000000 T {name}\n"));

    private static int Cpus(ProcParts parts) => parts.Machine.Cpus.Count;

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
        text.Append($"intr 0\nctxt {parts.Scheduler.Switches}\nbtime {boot}\nprocesses {parts.Tasks.Made}\n");
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

    /// <summary>The last number that was given in the reader's PID namespace.</summary>
    private static int LastPid(ProcParts parts, Vfs vfs) =>
        vfs.Current is KernelTask { PidNamespace: { Parent: not null } space } ? space.Last : parts.Tasks.LastPid;

    private static string LoadAverage(ProcParts parts, Vfs vfs)
    {
        int threads = parts.Tasks.Groups.Sum(g => g.Threads.Count);
        int running = parts.Tasks.Groups.Sum(g => g.Threads.Count(t => t.State == TaskState.Runnable));
        LoadAverage load = parts.Tasks.Load;
        return $"{load.Text(0)} {load.Text(1)} {load.Text(2)} {running}/{threads} {LastPid(parts, vfs)}\n";
    }
}
