using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Proc;

/// <summary>/sys, as far as programs look at it.</summary>
internal static class SysFileSystem
{
    /// <summary>The root directory.</summary>
    public static DynamicDirectory MakeRoot(ProcParts parts, FileSystem fs)
    {
        var root = new DynamicDirectory(fs, 0x16D);
        DynamicDirectory devices = root.AddDirectory("devices").AddDirectory("system");
        int Count() => parts.Machine.Cpus.Count;
        string Range() => ListOf(0, Count() - 1);
        var nodes = new Dictionary<int, DynamicDirectory>();
        DynamicDirectory? MakeCpu(string name)
        {
            if (!name.StartsWith("cpu", StringComparison.Ordinal) || !int.TryParse(name.AsSpan(3), out int n) || n < 0 || n >= Count()
                || name != $"cpu{n}")
                return null;
            if (nodes.TryGetValue(n, out DynamicDirectory? known))
                return known;
            var cpu = new DynamicDirectory(fs);
            cpu.AddText("online", () => "1\n");
            DynamicDirectory topology = cpu.AddDirectory("topology");
            topology.AddText("core_id", () => $"{n}\n");
            topology.AddText("physical_package_id", () => "0\n");
            topology.AddText("cluster_id", () => "0\n");
            topology.AddText("thread_siblings_list", () => $"{n}\n");
            topology.AddText("thread_siblings", () => $"{1UL << n:x}\n");
            topology.AddText("core_siblings_list", Range);
            topology.AddText("core_siblings", () => $"{(Count() == 64 ? ulong.MaxValue : (1UL << Count()) - 1):x}\n");
            return nodes[n] = cpu;
        }
        DynamicDirectory cpus = devices.Add(
            "cpu", new DynamicDirectory(fs, 0x1ED, MakeCpu, () => Enumerable.Range(0, Count()).Select(n => $"cpu{n}")));
        cpus.AddText("possible", Range);
        cpus.AddText("online", Range);
        cpus.AddText("present", Range);
        cpus.AddText("offline", () => "\n");
        cpus.AddText("isolated", () => "\n");
        cpus.AddText("kernel_max", () => "255\n");
        DynamicDirectory node = devices.AddDirectory("node");
        int count = parts.Scheduler.Nodes;
        node.AddText("online", () => ListOf(0, count - 1));
        node.AddText("possible", () => ListOf(0, count - 1));
        for (int n = 0; n < count && count > 1; n++)
        {
            int[] own = [.. Enumerable.Range(0, Count()).Where(c => parts.Scheduler.NodeOf(c) == n)];
            node.AddDirectory($"node{n}").AddText("cpulist", () => ListOf(own[0], own[^1]));
        }
        root.AddDirectory("power").Add("state", new TextInode(fs, 0x1A4, () => "freeze mem\n", text =>
            text.Trim() is not ("mem" or "freeze") ? -Errno.EINVAL
            : parts.Timekeeper.SuspendToAlarm() ? 0 : -Errno.EBUSY));
        DynamicDirectory kernel = root.AddDirectory("kernel");
        if (parts.Timekeeper.Auxiliary.Count > 0)
            AddAuxiliaryClocks(kernel.AddDirectory("time").AddDirectory("aux_clocks"), parts.Timekeeper, fs);
        DynamicDirectory mm = kernel.AddDirectory("mm");
        DynamicDirectory huge = mm.AddDirectory("transparent_hugepage");
        huge.AddText("enabled", () => "always madvise [never]\n");
        huge.AddText("defrag", () => "always defer defer+madvise madvise [never]\n");
        huge.AddText("hpage_pmd_size", () => "2097152\n");
        huge.AddText("shmem_enabled", () => "always within_size advise [never] deny force\n");
        mm.AddDirectory("hugepages");
        // As if securityfs were mounted there.
        kernel.AddDirectory("security").AddText("lsm", () => "capability,landlock");
        root.AddDirectory("class").AddDirectory("net");
        root.Add("block", BlockDirectory(fs));
        root.AddDirectory("bus");
        DynamicDirectory fsDirectory = root.AddDirectory("fs");
        fsDirectory.AddDirectory("cgroup");
        return root;
    }

    /// <summary>/sys/kernel/time/aux_clocks: a directory for each auxiliary clock (kernel/time/timekeeping.c).</summary>
    private static void AddAuxiliaryClocks(DynamicDirectory clocks, Timekeeper time, FileSystem fs)
    {
        foreach (AuxiliaryClock clock in time.Auxiliary)
        {
            clocks.AddDirectory($"{clock.Index}").Add("aux_clock_enable", new TextInode(fs, 0x1A4, Shown, Enable));
            string Shown() => clock.Enabled ? "1\n" : "0\n";

            long Enable(string text)
            {
                if (fs.Vfs.Current is not { } task || !task.Credentials.Has(Capability.SysTime))
                    return -Errno.EPERM;
                if (Truth(text) is not { } enabled)
                    return -Errno.EINVAL;
                clock.SetEnabled(enabled);
                return 0;
            }
        }
    }

    /// <summary>What a text says of yes and no (kstrtobool of lib/kstrtox.c); null: neither.</summary>
    private static bool? Truth(string text) => text switch
    {
        ['e' or 'E' or 'y' or 'Y' or 't' or 'T' or '1', ..] or ['o' or 'O', 'n' or 'N', ..] => true,
        ['d' or 'D' or 'n' or 'N' or 'f' or 'F' or '0', ..] or ['o' or 'O', 'f' or 'F', ..] => false,
        _ => null,
    };

    /// <summary>CPUs or nodes that follow each other, as a list (%*pbl).</summary>
    private static string ListOf(int first, int last) => first == last ? $"{first}\n" : $"{first}-{last}\n";

    /// <summary>/sys/block: the loop devices.</summary>
    private static DynamicDirectory BlockDirectory(FileSystem fs)
    {
        LoopDevices loops = fs.Vfs.Devices.Loops;
        var known = new Dictionary<LoopDevice, DynamicDirectory>();
        return new DynamicDirectory(fs, 0x1ED, Find, () => loops.All.Select(d => d.DeviceName));

        DynamicDirectory? Find(string name)
        {
            if (loops.All.FirstOrDefault(d => d.DeviceName == name) is not { } device)
                return null;
            if (known.TryGetValue(device, out DynamicDirectory? made))
                return made;
            var loop = new DynamicDirectory(fs, 0x1ED);
            foreach (string attribute in (string[])["autoclear", "backing_file", "dio", "offset", "partscan", "sizelimit"])
                loop.AddText(attribute, () => device.Text(attribute) + "\n");
            var directory = new DynamicDirectory(fs, 0x1ED, n => n == "loop" && device.IsBound ? loop : null,
                () => device.IsBound ? ["loop"] : []);
            directory.AddText("dev", () => $"{LoopDevices.Major}:{device.Number}\n");
            directory.AddText("size", () => $"{device.Size >> 9}\n");
            directory.AddText("ro", () => device.ReadOnly ? "1\n" : "0\n");
            directory.AddText("removable", () => "0\n");
            directory.AddText("stat", () =>
            {
                (long reads, long readSectors, long writes, long written) = device.Counts;
                string rest = string.Concat(Enumerable.Repeat($" {0,8}", 6));
                return $"{reads,8} {0,8} {readSectors,8} {0,8} {writes,8} {0,8} {written,8} {0,8} {0,8} {device.BusyMs,8} {0,8}{rest}\n";
            });
            DynamicDirectory queue = directory.AddDirectory("queue");
            foreach (string attribute in (string[])["logical_block_size", "physical_block_size", "hw_sector_size", "minimum_io_size"])
                queue.AddText(attribute, () => $"{device.BlockSize}\n");
            queue.AddText("rotational", () => "0\n");
            queue.AddText("dma_alignment", () => "511\n");
            return known[device] = directory;
        }
    }
}
