using System.Globalization;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Ipc;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Proc;

/// <summary>/proc/sys (kernel/sysctl.c and its like): what programs read of it.</summary>
internal static class ProcSys
{
    /// <summary>Fills the directory in.</summary>
    public static void Fill(ProcParts parts, DynamicDirectory sys)
    {
        DynamicDirectory directory = sys.AddDirectory("kernel");
        directory.AddText("osrelease", () => Uts.Release + "\n");
        UtsNamespace Names() => parts.UtsOf(directory.Fs.Vfs);
        directory.Add("hostname", Name(directory, () => Names().Host, n => Names().Host = n));
        directory.Add("domainname", Name(directory, () => Names().Domain, n => Names().Domain = n));
        directory.AddText("ostype", () => "Linux\n");
        directory.AddText("version", () => Uts.Version + "\n");
        directory.AddText("ngroups_max", () => "65536\n");
        directory.AddText("cap_last_cap", () => "40\n");
        directory.AddText("randomize_va_space", () => "0\n");
        directory.AddText("overflowuid", () => "65534\n");
        directory.AddText("overflowgid", () => "65534\n");
        directory.AddText("sem", () => "32000\t1024000000\t500\t32000\n");
        directory.AddText("msgmax", () => "8192\n");
        directory.AddText("msgmnb", () => "16384\n");
        directory.AddDirectory("yama").AddText("ptrace_scope", () => "0\n");
        const string actions = "kill_process kill_thread trap errno user_notif trace log allow\n";
        DynamicDirectory seccomp = directory.AddDirectory("seccomp");
        seccomp.AddText("actions_avail", () => actions);
        seccomp.AddText("actions_logged", () => actions.Replace(" allow", "", StringComparison.Ordinal));
        DynamicDirectory random = directory.AddDirectory("random");
        random.AddText("uuid", () => Uuid(parts) + "\n");
        string? bootId = null;
        random.AddText("boot_id", () => (bootId ??= Uuid(parts)) + "\n");
        random.AddText("entropy_avail", () => "256\n");
        random.AddText("poolsize", () => "256\n");
        DynamicDirectory vm = sys.AddDirectory("vm");
        sys.AddDirectory("crypto").AddText("fips_enabled", () => "0\n");
        Kept(directory, "pid_max", () => parts.Tasks.PidMax, n => parts.Tasks.PidMax = n, TaskTable.MostPids, TaskTable.LeastPidMax);
        Kept(directory, "threads-max", () => parts.Tasks.MostTasks, n => parts.Tasks.MostTasks = n, int.MaxValue, 20);
        directory.AddText("arch", () => "aarch64\n");
        Kept(directory, ("perf_event_paranoid", 2), ("tainted", 0),
            ("sched_rt_runtime_us", 950000), ("sched_rt_period_us", 1000000), ("sched_rr_timeslice_ms", 100), ("numa_balancing", 0),
            ("perf_event_mlock_kb", 516), ("perf_event_max_sample_rate", 100000), ("panic", 0), ("sysrq", 438), ("dmesg_restrict", 0),
            ("kptr_restrict", 1), ("unprivileged_bpf_disabled", 2), ("auto_msgmni", 0), ("hung_task_timeout_secs", 120),
            ("printk_ratelimit", 5));
        DynamicDirectory terminals = directory.AddDirectory("pty");
        DeviceTable Devices() => directory.Fs.Vfs.Devices;
        Kept(terminals, "max", () => Devices().MostPseudoTerminals, n => Devices().MostPseudoTerminals = n, 1 << 20);
        Kept(terminals, "reserve", () => Devices().ReservedPseudoTerminals, n => Devices().ReservedPseudoTerminals = n, 1 << 20);
        terminals.AddText("nr", () => $"{Devices().PseudoTerminals}\n");
        Kept(directory, "ns_last_pid", () => parts.Tasks.LastPid, n => parts.Tasks.LastPid = n, int.MaxValue);
        IpcTables Ipc() => parts.IpcOf(directory.Fs.Vfs);
        Kept(directory, "shmmni", () => Ipc().Segments.Most, n => Ipc().Segments.Most = n, 32768);
        Kept(directory, "shmmax", () => Ipc().LargestSegment, n => Ipc().LargestSegment = n);
        Kept(directory, "shmall", () => Ipc().MostSharedPages, n => Ipc().MostSharedPages = n);
        Kept(directory, "msg_next_id", () => Ipc().Queues.NextId, n => Ipc().Queues.NextId = n, int.MaxValue);
        Kept(directory, "sem_next_id", () => Ipc().Semaphores.NextId, n => Ipc().Semaphores.NextId = n, int.MaxValue);
        Kept(directory, "shm_next_id", () => Ipc().Segments.NextId, n => Ipc().Segments.NextId = n, int.MaxValue);
        Kept(directory, "msgmni", () => Ipc().Queues.Most, n => Ipc().Queues.Most = n, 32768);
        string printk = "7\t4\t1\t7";
        directory.Add("core_pattern", new TextInode(directory.Fs, 0x1A4, () => parts.Cores.Pattern + "\n", text =>
        {
            parts.Cores.Pattern = text.Split('\n')[0];
            return 0;
        }));
        Kept(directory, "core_uses_pid", () => parts.Cores.UsesPid, n => parts.Cores.UsesPid = n, int.MaxValue);
        directory.Add("printk", new TextInode(directory.Fs, 0x1A4, () => printk + "\n", text =>
        {
            printk = string.Join('\t', text.Split([' ', '\t', '\n'], StringSplitOptions.RemoveEmptyEntries));
            return 0;
        }));
        KeyTable keys = parts.Namespaces.InitialIpc.Keys;
        DynamicDirectory quotas = directory.AddDirectory("keys");
        Kept(quotas, "maxkeys", () => keys.MaxKeys, n => keys.MaxKeys = n, int.MaxValue);
        Kept(quotas, "maxbytes", () => keys.MaxBytes, n => keys.MaxBytes = n, int.MaxValue);
        Kept(quotas, "root_maxkeys", () => keys.RootMaxKeys, n => keys.RootMaxKeys = n, int.MaxValue);
        Kept(quotas, "root_maxbytes", () => keys.RootMaxBytes, n => keys.RootMaxBytes = n, int.MaxValue);
        Kept(quotas, ("gc_delay", 300), ("persistent_keyring_expiry", 259200));
        Commitment commitment = parts.Pages.Commitment;
        Kept(vm, "overcommit_memory", () => commitment.Policy, n => commitment.Policy = n, Commitment.Never, Commitment.Guess);
        Kept(vm, "overcommit_ratio", () => commitment.Ratio, n => commitment.Ratio = n, int.MaxValue, 0);
        Kept(vm, "overcommit_kbytes", () => commitment.Kib, n => commitment.Kib = n, int.MaxValue, 0);
        Kept(vm, "admin_reserve_kbytes", () => commitment.AdminReserveKib, n => commitment.AdminReserveKib = n, int.MaxValue, 0);
        Kept(vm, "user_reserve_kbytes", () => commitment.UserReserveKib, n => commitment.UserReserveKib = n, int.MaxValue, 0);
        Kept(vm, "oom_kill_allocating_task", () => parts.Pages.EndsWhoAsks, n => parts.Pages.EndsWhoAsks = n, int.MaxValue);
        Kept(vm, ("swappiness", 60),
            ("min_free_kbytes", 5632), ("vfs_cache_pressure", 100), ("panic_on_oom", 0), ("nr_overcommit_hugepages", 0),
            ("dirty_ratio", 20), ("dirty_background_ratio", 10), ("stat_interval", 1));
        Kept(vm, "max_map_count", () => parts.Pages.MostMappings, n => parts.Pages.MostMappings = n, int.MaxValue, 0);
        // Nothing is cached but what marks of fanotify may go with, nothing is scattered: done at once.
        vm.Add("drop_caches", new TextInode(vm.Fs, 0x180, () => "", text =>
        {
            if (text.Trim() is not ("1" or "2" or "3" or "4"))
                return -Errno.EINVAL;
            if (text.Trim() is "2" or "3")
                vm.Fs.Vfs.Fanotify.Evict();
            return 0;
        }));
        vm.Add("compact_memory", new TextInode(vm.Fs, 0x80, () => "", _ => 0));
        vm.Add("stat_refresh", new TextInode(vm.Fs, 0x180, () => "", _ => 0));
        DynamicDirectory user = sys.AddDirectory("user");
        Limit(user, "max_inotify_instances", UserCount.InotifyInstances);
        Limit(user, "max_inotify_watches", UserCount.InotifyWatches);
        Limit(user, "max_fanotify_groups", UserCount.FanotifyGroups);
        Limit(user, "max_fanotify_marks", UserCount.FanotifyMarks);
        Limit(user, "max_user_namespaces", UserCount.UserNamespaces);
        Limit(user, "max_pid_namespaces", UserCount.PidNamespaces);
        Limit(user, "max_uts_namespaces", UserCount.UtsNamespaces);
        Limit(user, "max_ipc_namespaces", UserCount.IpcNamespaces);
        Limit(user, "max_net_namespaces", UserCount.NetNamespaces);
        Limit(user, "max_mnt_namespaces", UserCount.MountNamespaces);
        Limit(user, "max_cgroup_namespaces", UserCount.CgroupNamespaces);
        Limit(user, "max_time_namespaces", UserCount.TimeNamespaces);
        Kept(vm, "unprivileged_userfaultfd", () => vm.Fs.Vfs.UnprivilegedUserfaults ? 1 : 0,
            n => vm.Fs.Vfs.UnprivilegedUserfaults = n != 0, 1, 0);
        vm.AddText("mmap_min_addr", () => "65536\n");
        // Whatever is asked for: no huge page is ever free, so that the pool stays empty.
        Kept(vm, "nr_hugepages", () => 0, _ => { }, int.MaxValue);
        DynamicDirectory files = sys.AddDirectory("fs");
        files.AddText("overflowuid", () => "65534\n");
        files.AddText("overflowgid", () => "65534\n");
        files.AddText("file-max", () => "9223372036854775807\n");
        files.AddText("file-nr", () => "128\t0\t9223372036854775807\n");
        Kept(files, "mount-max", () => files.Fs.Vfs.MostMounts, n => files.Fs.Vfs.MostMounts = n, int.MaxValue, 1);
        Kept(files, "nr_open", () => files.Fs.Vfs.MostDescriptors, n => files.Fs.Vfs.MostDescriptors = Math.Max(n, 64), 1 << 30);
        PipePages pipes = files.Fs.Vfs.PipePages;
        Kept(files, "pipe-max-size", () => pipes.MaxSize,
            n => pipes.MaxSize = (int)uint.RotateLeft(1, 32 - int.LeadingZeroCount(Math.Max(n, 4096) - 1)), 1 << 30);
        Kept(files, "pipe-user-pages-soft", () => pipes.Soft, n => pipes.Soft = n, int.MaxValue);
        Kept(files, "pipe-user-pages-hard", () => pipes.Hard, n => pipes.Hard = n, int.MaxValue);
        Kept(files, "suid_dumpable", () => parts.Cores.Privileged, n => parts.Cores.Privileged = n, 2);
        Kept(files, "lease-break-time", () => files.Fs.Vfs.LeaseBreakSeconds, n => files.Fs.Vfs.LeaseBreakSeconds = n, int.MaxValue);
        FileProtections protections = files.Fs.Vfs.Protections;
        Kept(files, "protected_symlinks", () => protections.Symlinks, n => protections.Symlinks = n, 1, 0);
        Kept(files, "protected_hardlinks", () => protections.HardLinks, n => protections.HardLinks = n, 1, 0);
        Kept(files, "protected_fifos", () => protections.Fifos, n => protections.Fifos = n, 2, 0);
        Kept(files, "protected_regular", () => protections.Regular, n => protections.Regular = n, 2, 0);
        Kept(files, ("leases-enable", 1), ("aio-max-nr", 65536), ("aio-nr", 0));
        PosixQueues queues = files.Fs.Vfs.PosixQueues;
        DynamicDirectory mqueue = files.AddDirectory("mqueue");
        Kept(mqueue, "queues_max", () => queues.Most, n => queues.Most = n, int.MaxValue);
        Kept(mqueue, "msg_max", () => queues.MostMessages, n => queues.MostMessages = n, 65536);
        Kept(mqueue, "msgsize_max", () => queues.MostSize, n => queues.MostSize = n, 16 << 20);
        Kept(mqueue, ("msg_default", 10), ("msgsize_default", 8192));
        DynamicDirectory inotify = files.AddDirectory("inotify");
        InotifyInstances watchers = files.Fs.Vfs.Inotify;
        UserCounts counts = files.Fs.Vfs.UserCounts;
        void OfFirst(DynamicDirectory directory, string name, UserCount what) => Kept(
            directory, name, () => counts[UserNamespace.Initial, what], n => counts[UserNamespace.Initial, what] = n, int.MaxValue, 0);
        OfFirst(inotify, "max_user_watches", UserCount.InotifyWatches);
        Kept(inotify, "max_queued_events", () => watchers.MostQueued, n => watchers.MostQueued = n, int.MaxValue, 0);
        OfFirst(inotify, "max_user_instances", UserCount.InotifyInstances);
        DynamicDirectory fanotify = files.AddDirectory("fanotify");
        FanotifyGroups groups = files.Fs.Vfs.Fanotify;
        Kept(fanotify, "max_queued_events", () => groups.MostQueued, n => groups.MostQueued = n, int.MaxValue, 0);
        OfFirst(fanotify, "max_user_groups", UserCount.FanotifyGroups);
        OfFirst(fanotify, "max_user_marks", UserCount.FanotifyMarks);
        ProcSysNet.Fill(sys.AddDirectory("net"));
    }

    /// <summary>A limit of the reader's user namespace, for its privileged ones to change (kernel/ucount.c, set_permissions).</summary>
    private static void Limit(DynamicDirectory directory, string name, UserCount what)
    {
        Vfs vfs = directory.Fs.Vfs;
        UserNamespace Space() => vfs.Current?.Credentials.UserNamespace ?? UserNamespace.Initial;
        TextInode made = Number(directory, () => vfs.UserCounts[Space(), what], n => vfs.UserCounts[Space(), what] = n, int.MaxValue, 0,
            who => who.HasInNamespace(Capability.SysResource) ? 0x1B6u : 0x124u);
        directory.Add(name, made);
    }

    /// <summary>Numbers that are kept and change nothing else.</summary>
    internal static void Kept(DynamicDirectory directory, params ReadOnlySpan<(string Name, int Value)> numbers)
    {
        foreach ((string name, int value) in numbers)
        {
            // The same in each mount of /proc.
            Dictionary<string, int> all = directory.Fs.Vfs.SystemNumbers;
            string key = $"{directory.Parent?.Name}/{directory.Name}/{name}";
            all.TryAdd(key, value);
            Kept(directory, name, () => all[key], n => all[key] = n, int.MaxValue);
        }
    }

    internal static void Kept(
        DynamicDirectory directory, string name, Func<int> get, Action<int> set, int most, int least = int.MinValue) =>
        directory.Add(name, Number(directory, get, set, most, least, null));

    private static TextInode Number(
        DynamicDirectory directory, Func<int> get, Action<int> set, int most, int least, Func<Credentials, uint>? access) =>
        new(directory.Fs, 0x1A4, () => string.Create(CultureInfo.InvariantCulture, $"{get()}\n"), text =>
        {
            if (!int.TryParse(text.Trim(), NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out int value)
                || value > most || value < least)
                return -Errno.EINVAL;
            set(value);
            return 0;
        })
        {
            Access = access,
        };

    /// <summary>One of 64 bits (proc_doulongvec_minmax).</summary>
    private static void Kept(DynamicDirectory directory, string name, Func<ulong> get, Action<ulong> set) => directory.Add(
        name, new TextInode(directory.Fs, 0x1A4, () => string.Create(CultureInfo.InvariantCulture, $"{get()}\n"), text =>
        {
            if (!ulong.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out ulong value))
                return -Errno.EINVAL;
            set(value);
            return 0;
        }));

    private static TextInode Name(DynamicDirectory directory, Func<string> get, Action<string> set) =>
        new(directory.Fs, 0x1A4, () => get() + "\n", text =>
        {
            set(text.Split('\n')[0]);
            return 0;
        });

    private static string Uuid(ProcParts parts)
    {
        Span<byte> b = stackalloc byte[16];
        parts.Random.Fill(b);
        b[6] = (byte)((b[6] & 0xF) | 0x40);
        b[8] = (byte)((b[8] & 0x3F) | 0x80);
        string hex = Convert.ToHexStringLower(b);
        return $"{hex[..8]}-{hex[8..12]}-{hex[12..16]}-{hex[16..20]}-{hex[20..]}";
    }
}
