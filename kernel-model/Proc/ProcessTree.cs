using System.Globalization;
using System.Text;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Proc;

/// <summary>The directories of processes and threads in /proc (fs/proc/base.c, array.c).</summary>
internal sealed class ProcessTree(ProcParts parts, PidView view, Vfs vfs, FileSystem fs)
{
    private readonly Dictionary<int, (KernelTask Task, DynamicDirectory Node)> _processes = [];
    private readonly Dictionary<int, (KernelTask Task, DynamicDirectory Node)> _threads = [];
    private readonly ProcessStatus _status = new(parts, view, vfs);

    /// <summary>The root of /proc.</summary>
    public Inode Root { get; set; } = null!;

    private static string Text(int n) => n.ToString(CultureInfo.InvariantCulture);

    /// <summary>Names of the processes that can be seen.</summary>
    public IEnumerable<string> Names() => view.Processes().Select(Text);

    /// <summary>The directory of a process, also of a thread by its number.</summary>
    public Inode? Find(string name)
    {
        if (!int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int id) || Text(id) != name)
            return null;
        return view.Find(id) is { } task ? Directory(task, true) : null;
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
        var d = new DynamicDirectory(fs) { Subject = process ? task : null };
        d.AddText("status", () => _status.Status(task));
        d.AddText("stat", () => _status.StatLine(task, process));
        d.AddText("statm", () => MemoryUse.Statm(task.Mm));
        d.Add("maps", new TextInode(fs, 0x124, () => MemoryText.Maps(task.Mm))
        {
            Ioctl = (user, command, argument) => MapsQuery.Ioctl(task.Mm, user, command, argument),
        });
        d.AddText("smaps", () => MemoryText.SharedMaps(task.Mm, parts));
        d.AddText("smaps_rollup", () => MemoryText.Rollup(task.Mm, parts));
        d.AddText("numa_maps", () => MemoryText.NumaMaps(task.Mm, task.MemoryPolicy, parts));
        d.Add("mem", new ProcessMemoryInode(fs, 0x180, task, (inode, flags, mm) => new ProcessMemoryFile(inode, flags, mm)));
        bool ShowsNumbers() => vfs.Current?.Credentials.Has(Capability.SysAdmin) == true;
        d.Add("pagemap", new ProcessMemoryInode(
            fs, 0x100, task, (inode, flags, mm) => new PageMapFile(inode, flags, mm, ShowsNumbers())));
        d.Add("map_files", MapFiles.Make(fs, task));
        // Process 1 has a name for who looks, and no program.
        d.AddText("cmdline", () => ReferenceEquals(group, parts.Tasks.Reaper) ? "/sbin/init\0"
            : Encoding.Latin1.GetString(ProgramStrings.Arguments(task.Mm)));
        d.AddText("environ", () => Encoding.Latin1.GetString(ProgramStrings.Environment(task.Mm)), 0x100);
        d.AddText("auxv", () => Encoding.Latin1.GetString(group.Auxv), 0x100);
        d.Add("comm", new TextInode(fs, 0x1A4, () => task.Comm + "\n", text =>
        {
            text = text.TrimEnd('\n');
            task.Comm = text.Length > 15 ? text[..15] : text;
            return 0;
        }));
        OpenFile? Executable() => (task.Mm ?? group.Threads.FirstOrDefault()?.Mm)?.Executable as OpenFile;
        d.Add("exe", new DynamicLink(fs, () => Executable()?.Description, () => Executable()?.Inode));
        d.Add("cwd", new DynamicLink(
            fs, () => task.Fs is { } f ? vfs.PathOf(f.Cwd, null) + (f.Cwd.Nlink == 0 ? " (deleted)" : "") : null, () => task.Fs?.Cwd));
        d.Add("root", new DynamicLink(fs, () => task.Fs is { } f ? vfs.PathOf(f.Root, null) : null, () => task.Fs?.Root));
        d.Add("fd", new DynamicDirectory(fs, 0x140, name => Descriptor(task, name), () => task.Files?.Numbers.Select(Text) ?? []));
        d.Add("fdinfo", new DynamicDirectory(fs, 0x16D, name => DescriptorInfo(task, name), () => task.Files?.Numbers.Select(Text) ?? []));
        if (process)
        {
            d.Add("task", new DynamicDirectory(fs, 0x16D,
                name => group.Threads.Find(t => Text(view.Number(t.Tid)) == name && name != "0") is { } thread ? Directory(thread, false)
                    : null,
                () => group.Threads.Select(t => Text(view.Number(t.Tid)))));
        }
        else
        {
            d.AddText("children", () => string.Concat(
                ChildrenOf(task).Select(g => view.Number(g)).Where(n => n != 0).Select(n => $"{n} ")));
        }
        d.AddText("limits", () => ProcessStatus.Limits(group));
        foreach ((string name, Func<KernelTask, string> text) in ((string, Func<KernelTask, string>)[])[("mounts", Mounts),
            ("mountinfo", MountInfo), ("mountstats", MountStats)])
        {
            d.Add(name, new TextInode(fs, 0x124, () => text(task))
            {
                Changes = (task.MountNamespace.Changed, () => task.MountNamespace.Changes),
            });
        }
        d.AddText("cgroup", () => "0::/\n");
        AddSettings(d, task);
        d.AddText("sched", () => $"{task.Comm} ({view.Number(task.Tid)}, #threads: {group.Threads.Count})\n");
        d.AddText("schedstat", () => $"{parts.Clock.NsOfCycles(task.UserCycles + task.SystemCycles)} 0 "
            + $"{task.VoluntarySwitches + task.InvoluntarySwitches}\n");
        d.AddText("wchan", () => "0");
        d.AddText("stack", () => "", 0x100);
        d.AddText("arch_status", () => "");
        d.AddText("personality", () => $"{task.Personality:x8}\n", 0x100);
        d.AddText("syscall", () => CallOf(task), 0x100);
        d.AddText("io", () => Transfers(process ? group.Transfers : task.Transfers), 0x100);
        AddMaps(d, task);
        AddNamespaces(d.AddDirectory("ns"), task);
        NetworkText.Fill(d.AddDirectory("net"));
        return d;
    }

    /// <summary>Processes that a thread has made, or got from one of its process that has ended (find_alive_thread).</summary>
    private static IEnumerable<ThreadGroup> ChildrenOf(KernelTask task)
    {
        KernelTask? heir = task.Group.Threads.Find(t => t.State is not (TaskState.Zombie or TaskState.Dead));
        return task.Group.Children.Where(g =>
            ReferenceEquals(task, g.Maker is { } m && ReferenceEquals(m.Group, task.Group) && task.Group.Threads.Contains(m) ? m : heir));
    }

    /// <summary>Where a task that does not run is: its system call with arguments, SP and PC (proc_pid_syscall in fs/proc/base.c).
    /// </summary>
    private string CallOf(KernelTask task)
    {
        if (task.State == TaskState.Runnable || task.RecordPa == 0)
            return "running\n";
        UserRegisters registers = parts.Records.Registers(task);
        string call = task.Syscall is { } c
            ? $"{c.Number} {string.Join(' ', Enumerable.Range(0, 6).Select(n => $"0x{c.Arg(n):x}"))}" : "-1";
        return $"{call} 0x{registers.SP:x} 0x{registers.PC:x}\n";
    }

    private static string Transfers(in TransferCounts t) => $"rchar: {t.BytesRead}\nwchar: {t.BytesWritten}\nsyscr: {t.Reads}\n"
        + $"syscw: {t.Writes}\nread_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n";

    /// <summary>What a process keeps because somebody wrote it there.</summary>
    private void AddSettings(DynamicDirectory d, KernelTask task)
    {
        ThreadGroup group = task.Group;
        d.Add("oom_score_adj", new TextInode(fs, 0x1A4, () => $"{group.OomAdjust}\n", text => OomScore.Write(vfs, group, text, false)));
        d.Add("oom_adj", new TextInode(fs, 0x1A4, () => OomScore.Legacy(group), text => OomScore.Write(vfs, group, text, true)));
        d.AddText("oom_score", () => OomScore.Of(parts.Pages, group));
        d.Add("loginuid", new TextInode(fs, 0x1A4, () => $"{group.LoginUid}", text =>
        {
            if (!uint.TryParse(text.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out uint uid))
                return -Errno.EINVAL;
            if (!vfs.Current!.Credentials.Has(Capability.AuditControl))
                return -Errno.EPERM;
            group.LoginUid = uid;
            return 0;
        }));
        d.AddText("sessionid", () => "4294967295");
        d.Add("coredump_filter", new TextInode(fs, 0x1A4, () => $"{group.CoreFilter:x8}\n", text =>
        {
            if (ParseNumber(text) is not { } value)
                return -Errno.EINVAL;
            group.CoreFilter = (uint)value & 0x1FF;
            return 0;
        }));
        d.Add("timerslack_ns", new TextInode(fs, 0x1B6, () => $"{task.ProcessControls.GetValueOrDefault(30, 50_000)}\n", text =>
        {
            if (ParseNumber(text) is not { } value)
                return -Errno.EINVAL;
            task.ProcessControls[30] = value == 0 ? 50_000 : (long)value;
            return 0;
        }));
        d.Add("clear_refs", new TextInode(fs, 0x80, () => "", text => ParseNumber(text) is >= 1 and <= 5 ? 0 : -Errno.EINVAL));
        d.AddText("timers", () => string.Concat(group.PosixTimers.Select(t =>
            $"ID: {t.Key}\nsignal: {t.Value.Signal}/{t.Value.Value:x16}\nnotify: {t.Value.Notify(view.Space)}\n"
            + $"ClockID: {t.Value.Clock}\n")));
        DynamicDirectory attributes = d.AddDirectory("attr");
        foreach (string name in (ReadOnlySpan<string>)["current", "prev", "exec", "fscreate", "keycreate", "sockcreate"])
            attributes.Add(name, new RefusingInode(fs, 0x1B6));
    }

    /// <summary>A number as kstrtoul with base 0 reads it; null: none.</summary>
    private static ulong? ParseNumber(string text)
    {
        text = text.Trim();
        bool hexadecimal = text.StartsWith("0x", StringComparison.OrdinalIgnoreCase);
        return ulong.TryParse(
            hexadecimal ? text[2..] : text, hexadecimal ? NumberStyles.AllowHexSpecifier : NumberStyles.None, CultureInfo.InvariantCulture,
            out ulong value) ? value : null;
    }

    /// <summary>What numbers and times mean in the task's namespaces.</summary>
    private void AddMaps(DynamicDirectory d, KernelTask task)
    {
        d.Add("uid_map", new TextInode(
            fs, 0x1A4, () => SpaceOf(task).MapText(false, SpaceOfReader()), text => WriteMap(task, false, text)));
        d.Add("gid_map", new TextInode(fs, 0x1A4, () => SpaceOf(task).MapText(true, SpaceOfReader()), text => WriteMap(task, true, text)));
        d.Add("setgroups", new TextInode(
            fs, 0x1A4, () => SpaceOf(task).SetGroupsAllowed ? "allow\n" : "deny\n",
            text => SpaceOf(task).WriteSetGroups(text, vfs.Current!.Credentials)));
        d.Add("timens_offsets", new TextInode(
            fs, 0x1A4, () => TimensOffsets.Format(task), text => TimensOffsets.Set(parts.Timekeeper, task, text)));
    }

    private void AddNamespaces(DynamicDirectory ns, KernelTask task)
    {
        void Add(string name, Func<INamespace> space) => ns.Add(name, new DynamicLink(
            fs, () => $"{space().Kind}:[{space().Number}]", () => new NamespaceInode(vfs.Anonymous, space())));
        Add("time", () => task.TimeNamespace);
        Add("time_for_children", () => task.TimeNamespaceForChildren);
        Add("pid", () => task.PidNamespace);
        Add("pid_for_children", () => task.PidNamespaceForChildren);
        Add("uts", () => task.Uts);
        Add("ipc", () => task.Ipc);
        Add("mnt", () => task.MountNamespace);
        Add("net", () => task.Network);
        Add("user", () => task.Credentials.UserNamespace);
        Add("cgroup", () => task.Cgroups);
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
            $"pos:\t{file.Position}\nflags:\t0{flags}\nmnt_id:\t1\nino:\t{file.Inode.Ino}\n{file.FdInfoIn(view.Space)}");
    }

    private long WriteMap(KernelTask task, bool groups, string text)
    {
        UserNamespace space = SpaceOf(task);
        long result = space.WriteMap(groups, text, vfs.Current!.Credentials);
        if (result == 0)
            parts.TaskNamespaces.UserMapWritten(space);
        return result;
    }

    private UserNamespace SpaceOfReader() => vfs.Current?.Credentials.UserNamespace ?? UserNamespace.Initial;

    private static UserNamespace SpaceOf(KernelTask task) => task.Credentials.UserNamespace;

    private static string EscapePath(string path) => ProcText.Escape(path, " \t\n\\");

    /// <summary>What the task's root leads to, and where that is from there (show_vfsmnt, show_mountinfo).</summary>
    private static List<(MountEntry Mount, string Point)> MountsOf(KernelTask task) => task.Fs is not { } fs ? []
        : Vfs.MountsBelow(task.MountNamespace, fs.Root);

    private string Mounts(KernelTask task) => string.Concat(MountsOf(task).Select(m =>
        $"{EscapePath(m.Mount.Source)} {EscapePath(m.Point)} {m.Mount.Fs.Type} {m.Mount.Options}{m.Mount.MoreOptions(SpaceOfReader())} "
            + "0 0\n"));

    private static string MountStats(KernelTask task) => string.Concat(MountsOf(task).Select(m =>
        $"device {EscapePath(m.Mount.Source)} mounted on {EscapePath(m.Point)} with fstype {m.Mount.Fs.Type}\n"));

    private string MountInfo(KernelTask task) => string.Concat(MountsOf(task).Select(m =>
    {
        FileSystem fs = m.Mount.Fs;
        return $"{m.Mount.Id} {m.Mount.ParentId} {fs.Device >> 8}:{fs.Device & 0xFF} {EscapePath(Vfs.PartShown(m.Mount))} "
            + $"{EscapePath(m.Point)} {m.Mount.Options} "
            + (fs.Peer != 0 ? $"shared:{fs.Peer} " : "") + (fs.Master != 0 ? $"master:{fs.Master} " : "")
            + (fs.Unbindable ? "unbindable " : "") + $"- {fs.Type} {EscapePath(m.Mount.Source)} "
            + $"{(fs.Whole.ReadOnly ? "ro" : "rw")}{m.Mount.MoreOptions(SpaceOfReader())}\n";
    }));
}
