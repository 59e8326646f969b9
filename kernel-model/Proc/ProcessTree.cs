using System.Globalization;
using System.Text;
using ArmVdso.Emulator;
using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Proc;

/// <summary>The directories of processes and threads in /proc (fs/proc/base.c, array.c).</summary>
internal sealed class ProcessTree(LinuxKernel? kernel, Vfs vfs, FileSystem fs)
{
    private readonly Dictionary<int, (KernelTask Task, DynamicDirectory Node)> _processes = [];
    private readonly Dictionary<int, (KernelTask Task, DynamicDirectory Node)> _threads = [];

    /// <summary>The root of /proc.</summary>
    public Inode Root { get; set; } = null!;

    private static string Text(int n) => n.ToString(CultureInfo.InvariantCulture);

    /// <summary>Names of all processes.</summary>
    public IEnumerable<string> Names() => kernel?.Tasks.Groups.Select(g => Text(g.Pid)) ?? [];

    /// <summary>The directory of a process, also of a thread by its number.</summary>
    public Inode? Find(string name)
    {
        if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int id) || Text(id) != name)
            return null;
        KernelTask? task = kernel?.Tasks.Find(id) ?? kernel?.Tasks.Groups.FirstOrDefault(g => g.Pid == id)?.Leader;
        return task == null ? null : Directory(task, true);
    }

    private DynamicDirectory Directory(KernelTask task, bool process)
    {
        Dictionary<int, (KernelTask Task, DynamicDirectory Node)> cache = process ? _processes : _threads;
        if (cache.TryGetValue(task.Tid, out var known) && known.Task == task)
        {
            known.Node.SetOwner(task.Credentials.Euid, task.Credentials.Egid);
            return known.Node;
        }
        if (cache.Count > 4096)
            cache.Clear();
        DynamicDirectory made = Make(task, process);
        made.SetOwner(task.Credentials.Euid, task.Credentials.Egid);
        cache[task.Tid] = (task, made);
        return made;
    }

    private DynamicDirectory Make(KernelTask task, bool process)
    {
        ThreadGroup group = task.Group;
        var d = new DynamicDirectory(fs);
        d.AddText("status", () => Status(task));
        d.AddText("stat", () => StatLine(task, process));
        d.AddText("statm", () =>
            $"{(task.Mm?.VirtualSize ?? 0) / 4096} {task.Mm?.ResidentPages ?? 0} 0 1 0 {task.Mm?.ResidentPages ?? 0} 0\n");
        d.AddText("maps", () => MemoryText.Maps(task.Mm));
        d.AddText("smaps", () => MemoryText.SharedMaps(task.Mm));
        d.AddText("smaps_rollup", () =>
            $"00000000-7fffffffff ---p 00000000 00:00 0 [rollup]\n{MemoryText.Counters(task.Mm?.ResidentPages * 4 ?? 0)}");
        d.AddText("cmdline", () => Encoding.Latin1.GetString(group.CommandLine));
        d.AddText("environ", () => Encoding.Latin1.GetString(group.Environment), 0x100);
        d.AddText("auxv", () => Encoding.Latin1.GetString(group.Auxv), 0x100);
        d.Add("comm", new TextInode(fs, 0x1A4, () => task.Comm + "\n", text =>
        {
            text = text.TrimEnd('\n');
            task.Comm = text.Length > 15 ? text[..15] : text;
            return 0;
        }));
        d.Add("exe", new DynamicLink(fs, () => group.ExePath.Length == 0 ? null : group.ExePath,
            () => group.ExePath.Length > 0 && vfs.Find(vfs.RootCaller, vfs.Root, group.ExePath, true, out Inode? exe) == 0 ? exe : null));
        d.Add("cwd", new DynamicLink(
            fs, () => task.Fs is { } f ? vfs.PathOf(f.Cwd, null) + (f.Cwd.Nlink == 0 ? " (deleted)" : "") : null, () => task.Fs?.Cwd));
        d.Add("root", new DynamicLink(fs, () => task.Fs is { } f ? vfs.PathOf(f.Root, null) : null, () => task.Fs?.Root));
        d.Add("fd", new DynamicDirectory(fs, 0x140, name => Descriptor(task, name), () => task.Files?.Numbers.Select(Text) ?? []));
        d.Add("fdinfo", new DynamicDirectory(fs, 0x16D, name => DescriptorInfo(task, name), () => task.Files?.Numbers.Select(Text) ?? []));
        if (process)
        {
            d.Add("task", new DynamicDirectory(fs, 0x16D,
                name => group.Threads.Find(t => Text(t.Tid) == name) is { } thread ? Directory(thread, false) : null,
                () => group.Threads.Select(t => Text(t.Tid))));
        }
        d.AddText("limits", () => Limits(group));
        d.AddText("mounts", () => Mounts());
        d.AddText("mountinfo", () => MountInfo());
        d.AddText("cgroup", () => "0::/\n");
        d.Add("oom_score_adj", new TextInode(fs, 0x1A4, () => "0\n", _ => 0));
        d.AddText("oom_score", () => "0\n");
        d.Add("uid_map", new TextInode(
            fs, 0x1A4, () => SpaceOf(task).MapText(false, SpaceOfReader()), text => WriteMap(task, false, text)));
        d.Add("gid_map", new TextInode(fs, 0x1A4, () => SpaceOf(task).MapText(true, SpaceOfReader()), text => WriteMap(task, true, text)));
        d.Add("setgroups", new TextInode(
            fs, 0x1A4, () => SpaceOf(task).SetGroupsAllowed ? "allow\n" : "deny\n",
            text => SpaceOf(task).WriteSetGroups(text, vfs.Current!.Credentials)));
        d.Add("loginuid", new TextInode(fs, 0x1A4, () => "4294967295", _ => 0));
        d.AddText("sessionid", () => "4294967295");
        d.AddText("sched", () => $"{task.Comm} ({task.Tid}, #threads: {group.Threads.Count})\n");
        d.AddText("schedstat", () => "0 0 0\n");
        d.AddText("wchan", () => "0");
        d.AddText("personality", () => "00000000\n");
        d.AddText("syscall", () => "running\n");
        d.Add("timens_offsets", new TextInode(
            fs, 0x1A4, () => TimensOffsets.Format(task), text => TimensOffsets.Set(kernel!.Timekeeper, task, text)));
        d.AddText("io", () => "rchar: 0\nwchar: 0\nsyscr: 0\nsyscw: 0\nread_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n");
        DynamicDirectory ns = d.AddDirectory("ns");
        ulong number = 4026531834;
        foreach (string name in new[]
        {
            "time", "cgroup", "pid", "user", "uts", "ipc", "mnt", "net", "pid_for_children", "time_for_children"
        })
        {
            Func<INamespace>? space = name switch
            {
                "time" => () => task.TimeNamespace,
                "time_for_children" => () => task.TimeNamespaceForChildren,
                "pid" => () => task.PidNamespace,
                "pid_for_children" => () => task.PidNamespaceForChildren,
                "user" => () => task.Credentials.UserNamespace,
                _ => null,
            };
            if (space is not null)
            {
                number++;
                ns.Add(name, new DynamicLink(
                    fs, () => $"{space().Kind}:[{space().Number}]", () => new NamespaceInode(vfs.Anonymous, space())));
                continue;
            }
            ulong shown = name switch { "pid_for_children" => 4026531836, _ => number++ };
            string kind = name.Replace("_for_children", "", StringComparison.Ordinal);
            ns.Add(name, new DynamicLink(fs, () => $"{kind}:[{shown}]", () => null));
        }
        DynamicDirectory net = d.AddDirectory("net");
        net.AddText("dev", () =>
            "Inter-|   Receive                                                |  Transmit\n"
            + " face |bytes    packets errs drop fifo frame compressed multicast"
            + "|bytes    packets errs drop fifo colls carrier compressed\n"
            + "    lo:       0       0    0    0    0     0          0         0"
            + "        0       0    0    0    0     0       0          0\n");
        net.AddText("unix", () => "Num       RefCount Protocol Flags    Type St Inode Path\n");
        net.AddText("tcp", () => "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n");
        net.AddText("if_inet6", () => "00000000000000000000000000000001 01 80 10 80       lo\n");
        net.AddText("route", () => "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n");
        return d;
    }

    private DynamicLink? Descriptor(KernelTask task, string name)
    {
        if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int fd) || task.Files?[fd] is not { } file
            || Text(fd) != name)
            return null;
        uint mode = (file.CanRead ? 0x140u : 0) | (file.CanWrite ? 0xC0u : 0);
        return new DynamicLink(fs, () => task.Files?[fd]?.Description, () => task.Files?[fd]?.Inode) { Mode = Modes.S_IFLNK | mode };
    }

    private TextInode? DescriptorInfo(KernelTask task, string name)
    {
        if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int fd) || task.Files?[fd] is not { } file)
            return null;
        int cloexec = task.Files.GetCloseOnExec(fd) ? OpenFlags.O_CLOEXEC : 0;
        string flags = Convert.ToString(file.Flags | cloexec, 8);
        return new TextInode(fs, 0x124, () =>
            $"pos:\t{file.Position}\nflags:\t0{flags}\nmnt_id:\t1\nino:\t{file.Inode.Ino}\n{file.FdInfo}");
    }

    /// <summary>CPU time of a process in clock ticks of 10 ms.</summary>
    public static (ulong User, ulong System) Times(Machine machine, ThreadGroup group)
    {
        ulong user = group.ExitedUserCycles, system = group.ExitedSystemCycles;
        foreach (KernelTask task in group.Threads)
        {
            user += task.UserCycles;
            system += task.SystemCycles;
        }
        ulong cyclesPerTick = Math.Max(1, machine.ClockFrequency / 100);
        return (user / cyclesPerTick, system / cyclesPerTick);
    }

    private static char StateLetter(KernelTask task) => task.Group.IsZombie ? 'Z' : task.State switch
    {
        TaskState.Runnable => 'R',
        TaskState.Sleeping => 'S',
        TaskState.Stopped => 'T',
        TaskState.Zombie => 'Z',
        _ => 'X',
    };

    private string StatLine(KernelTask task, bool process)
    {
        ThreadGroup group = task.Group;
        ulong cyclesPerTick = Math.Max(1, kernel!.Machine.ClockFrequency / 100);
        (ulong user, ulong system) = process
            ? Times(kernel.Machine, group)
            : (task.UserCycles / cyclesPerTick, task.SystemCycles / cyclesPerTick);
        Terminal? terminal = vfs.Devices.ControllingOf(group.Sid);
        int tty = terminal switch { PseudoTerminal p => 136 << 8 | p.Number, null => 0, _ => 0x501 };
        int foreground = terminal == null ? -1 : terminal.ForegroundGroup == 0 ? group.Pgid : terminal.ForegroundGroup;
        ulong pending = task.Signals.Pending.Set | group.SharedPending.Set;
        (ulong ignored, ulong caught) = SignalSets(task);
        return $"{task.Tid} ({task.Comm}) {StateLetter(task)} {group.Parent?.Pid ?? 0} {group.Pgid} {group.Sid} {tty} {foreground} 4194304 "
            + $"{task.Mm?.MinorFaults ?? 0} 0 0 0 {user} {system} "
            + $"{group.ChildUserCycles / cyclesPerTick} {group.ChildSystemCycles / cyclesPerTick} 20 0 {group.Threads.Count} 0 "
            + $"{StartTicks(group)} {task.Mm?.VirtualSize ?? 0} {task.Mm?.ResidentPages ?? 0} {group.Rlimits[Rlimits.Rss].Soft} "
            + $"1 1 {task.Mm?.StackStart ?? 0} 0 0 "
            + $"{pending & 0x7FFFFFFF} {task.Signals.Blocked & 0x7FFFFFFF} {ignored & 0x7FFFFFFF} {caught & 0x7FFFFFFF} "
            + $"0 0 0 {task.ExitSignal} {task.Cpu} 0 0 0 0 0 0 0 {task.Mm?.BrkStart ?? 0} 0 0 0 0 {group.ExitStatus}\n";
    }

    private long WriteMap(KernelTask task, bool groups, string text)
    {
        UserNamespace space = SpaceOf(task);
        long result = space.WriteMap(groups, text, vfs.Current!.Credentials);
        if (result == 0)
            kernel!.TaskNamespaces.UserMapWritten(space);
        return result;
    }

    private UserNamespace SpaceOfReader() => vfs.Current?.Credentials.UserNamespace ?? UserNamespace.Initial;

    private static UserNamespace SpaceOf(KernelTask task) => task.Credentials.UserNamespace;

    /// <summary>A number in every PID namespace from the first to the task's own.</summary>
    private static string Numbers(KernelTask task, int first)
    {
        string text = "";
        for (PidNamespace? space = task.PidNamespace; space is not null; space = space.Parent)
            text = $"\t{space.NumberOf(first)}{text}";
        return text;
    }

    /// <summary>Start of a process in clock ticks of 10 ms of CLOCK_BOOTTIME, as the process's time namespace has it.</summary>
    private long StartTicks(ThreadGroup group) =>
        ((long)kernel!.Clock.NsOfCycles(group.StartCycle) + group.Leader.TimeNamespace.BoottimeNs) / 10_000_000;

    private static (ulong Ignored, ulong Caught) SignalSets(KernelTask task)
    {
        ulong ignored = 0, caught = 0;
        for (int signal = 1; signal <= 64 && task.Handlers != null; signal++)
        {
            ulong handler = task.Handlers[signal].Handler;
            if (handler == 1)
                ignored |= 1UL << (signal - 1);
            else if (handler != 0)
                caught |= 1UL << (signal - 1);
        }
        return (ignored, caught);
    }

    private string Status(KernelTask task)
    {
        ThreadGroup group = task.Group;
        Credentials who = task.Credentials;
        (ulong ignored, ulong caught) = SignalSets(task);
        char letter = StateLetter(task);
        string state = letter switch { 'R' => "running", 'S' => "sleeping", 'T' => "stopped", 'Z' => "zombie", _ => "dead" };
        ulong capabilities = who.Privileged ? 0x1FFFFFFFFFFUL : 0;
        int cpus = kernel!.Machine.Cpus.Count;
        ulong allowed = task.Affinity & (cpus == 64 ? ulong.MaxValue : (1UL << cpus) - 1);
        var s = new StringBuilder();
        s.Append($"Name:\t{task.Comm}\nUmask:\t{Convert.ToString(task.Fs?.Umask ?? 0, 8).PadLeft(4, '0')}\nState:\t{letter} ({state})\n");
        s.Append($"Tgid:\t{group.Pid}\nNgid:\t0\nPid:\t{task.Tid}\nPPid:\t{group.Parent?.Pid ?? 0}\nTracerPid:\t0\n");
        s.Append($"Uid:\t{who.Uid}\t{who.Euid}\t{who.Suid}\t{who.Fsuid}\nGid:\t{who.Gid}\t{who.Egid}\t{who.Sgid}\t{who.Fsgid}\n");
        s.Append($"FDSize:\t{Math.Max(64, (task.Files?.Bound + 63) / 64 * 64 ?? 0)}\n"
            + $"Groups:\t{string.Concat(who.Groups.Select(g => $"{g} "))}\n");
        s.Append($"NStgid:{Numbers(task, group.Pid)}\nNSpid:{Numbers(task, task.Tid)}\n"
            + $"NSpgid:{Numbers(task, group.Pgid)}\nNSsid:{Numbers(task, group.Sid)}\n");
        if (task.Mm is { } mm)
        {
            s.Append($"VmPeak:\t{mm.VirtualSize / 1024,8} kB\nVmSize:\t{mm.VirtualSize / 1024,8} kB\n"
                + $"VmLck:\t       0 kB\nVmPin:\t       0 kB\n");
            s.Append($"VmHWM:\t{mm.PeakResidentPages * 4,8} kB\nVmRSS:\t{mm.ResidentPages * 4,8} kB\n"
                + $"RssAnon:\t{mm.ResidentPages * 4,8} kB\nRssFile:\t       0 kB\nRssShmem:\t       0 kB\n");
            s.Append($"VmData:\t{(mm.Brk - mm.BrkStart) / 1024,8} kB\nVmStk:\t     132 kB\nVmExe:\t       0 kB\n"
                + $"VmLib:\t       0 kB\nVmPTE:\t       0 kB\nVmSwap:\t       0 kB\n");
        }
        s.Append($"Threads:\t{group.Threads.Count}\nSigQ:\t0/{group.Rlimits[Rlimits.Sigpending].Soft}\n");
        s.Append($"SigPnd:\t{task.Signals.Pending.Set:x16}\nShdPnd:\t{group.SharedPending.Set:x16}\n"
            + $"SigBlk:\t{task.Signals.Blocked:x16}\nSigIgn:\t{ignored:x16}\nSigCgt:\t{caught:x16}\n");
        s.Append($"CapInh:\t{0:x16}\nCapPrm:\t{capabilities:x16}\nCapEff:\t{capabilities:x16}\n"
            + $"CapBnd:\t{0x1FFFFFFFFFFUL:x16}\nCapAmb:\t{0:x16}\n");
        s.Append("NoNewPrivs:\t0\nSeccomp:\t0\nSeccomp_filters:\t0\nSpeculation_Store_Bypass:\tvulnerable\n");
        s.Append($"Cpus_allowed:\t{allowed:x}\nCpus_allowed_list:\t{List(allowed)}\nMems_allowed:\t1\nMems_allowed_list:\t0\n");
        s.Append($"voluntary_ctxt_switches:\t{task.VoluntarySwitches}\nnonvoluntary_ctxt_switches:\t{task.InvoluntarySwitches}\n");
        return s.ToString();
    }

    private static string List(ulong set)
    {
        var parts = new List<string>();
        for (int n = 0; n < 64; n++)
        {
            if ((set >> n & 1) == 0)
                continue;
            int first = n;
            while (n < 63 && (set >> (n + 1) & 1) != 0)
                n++;
            parts.Add(first == n ? $"{first}" : $"{first}-{n}");
        }
        return string.Join(',', parts);
    }

    private static string Limits(ThreadGroup group)
    {
        (string Name, string Unit)[] rows =
        [
            ("Max cpu time", "seconds"), ("Max file size", "bytes"), ("Max data size", "bytes"), ("Max stack size", "bytes"),
            ("Max core file size", "bytes"), ("Max resident set", "bytes"), ("Max processes", "processes"), ("Max open files", "files"),
            ("Max locked memory", "bytes"), ("Max address space", "bytes"), ("Max file locks", "locks"), ("Max pending signals", "signals"),
            ("Max msgqueue size", "bytes"), ("Max nice priority", ""), ("Max realtime priority", ""), ("Max realtime timeout", "us"),
        ];
        var text = new StringBuilder("Limit                     Soft Limit           Hard Limit           Units     \n");
        for (int n = 0; n < rows.Length; n++)
        {
            static string Show(ulong value) => value == Rlimits.Infinity ? "unlimited" : value.ToString(CultureInfo.InvariantCulture);
            text.Append($"{rows[n].Name,-25} {Show(group.Rlimits[n].Soft),-20} {Show(group.Rlimits[n].Hard),-20} {rows[n].Unit,-10}\n");
        }
        return text.ToString();
    }

    private string Mounts() => string.Concat(vfs.Mounts.Select(m => $"{m.Source} {m.Point} {m.Fs.Type} {m.Options} 0 0\n"));

    private string MountInfo() => string.Concat(vfs.Mounts.Select(m =>
        $"{m.Id} {m.ParentId} {m.Fs.Device >> 8}:{m.Fs.Device & 0xFF} / {m.Point} {m.Options} - {m.Fs.Type} {m.Source} "
        + $"{(m.Fs.ReadOnly ? "ro" : "rw")}\n"));
}
