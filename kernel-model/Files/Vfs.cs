using System.Text;
using ArmVdso.Kernel.Configuration;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Files;

/// <summary>What the guest's file tree is made of.</summary>
public sealed record VfsOptions
{
    /// <summary>Host folder beneath /, only read; null for a small tree in memory.</summary>
    public string? RootDirectory { get; init; }

    /// <summary>Host files and folders to show, in order.</summary>
    public IReadOnlyList<Bind> Binds { get; init; } = [];

    /// <summary>Program to show read-only at <see cref="ProgramGuestPath"/>; null for none.</summary>
    public string? ProgramHostPath { get; init; }

    /// <summary>Host folder that is shown at its own path, with writes in memory; null: none.</summary>
    public string? CallerFolder { get; init; }

    /// <summary>Where <see cref="CallerFolder"/> is shown a second time, with the program in it; empty: nowhere.</summary>
    public string ProgramFolder { get; init; } = "";

    /// <summary>Where the program is shown; empty: at its own absolute path.</summary>
    public string ProgramGuestPath { get; init; } = "";

    /// <summary>Time of files that are there from the start, in seconds since 1970.</summary>
    public long EpochSeconds { get; init; }

    /// <summary>Host name in /etc/hostname and /proc.</summary>
    public string HostName { get; init; } = "guest";

    /// <summary>/boot/config-RELEASE and /proc/config.gz.</summary>
    public string KernelConfiguration { get; init; } = KernelConfig.Text(false);

    /// <summary>Whether the host's standard input, output and error are terminals.</summary>
    public bool StdinIsTerminal { get; init; }

    /// <inheritdoc cref="StdinIsTerminal"/>
    public bool StdoutIsTerminal { get; init; }

    /// <inheritdoc cref="StdinIsTerminal"/>
    public bool StderrIsTerminal { get; init; }

    /// <summary>How much of the host the guest may take.</summary>
    public GuestLimits Limits { get; init; } = new();

    /// <summary>Size of the terminal.</summary>
    public (ushort Rows, ushort Columns) TerminalSize { get; init; } = (24, 80);

    /// <summary>The person at the terminal; null: what reads it waits for the host's stream.</summary>
    public IKeyboard? Keyboard { get; init; }
}

/// <summary>One line of /proc/mounts.</summary>
/// <param name="Id">Its number.</param>
/// <param name="ParentId">Number of the mount that it lies on.</param>
/// <param name="Fs">What is mounted.</param>
/// <param name="Source">Device or name.</param>
/// <param name="Root">Its root directory.</param>
internal sealed record MountEntry(int Id, int ParentId, FileSystem Fs, string Source, Inode Root)
{
    /// <summary>What it covers; null: nothing, since it is the root of all or was not put anywhere yet.</summary>
    internal Inode? Covered { get; init; }

    /// <summary>Whether the guest's RAM is charged for it; what is mounted at boot is free.</summary>
    internal bool IsCharged { get; init; }

    /// <summary>Options of the mount as /proc/mounts writes them.</summary>
    internal string Options => Fs.Options();

    /// <summary>Those of its file system; "" if there are none.</summary>
    internal string OwnOptions(UserNamespace reader) => Fs.Whole.OwnOptions?.Invoke(reader) ?? "";

    /// <summary>The same as they follow others, with a comma before them.</summary>
    internal string MoreOptions(UserNamespace reader) => OwnOptions(reader) is { Length: > 0 } own ? "," + own : "";
}

/// <summary>The guest's files: mounts, devices, and everything that system calls do with paths (the other parts of this class).
/// The root is a tree in memory over a host folder that is only read; nothing of the host is reachable outside of that folder, the
/// binds and the program's file.</summary>
public sealed partial class Vfs : IDisposable
{
    private readonly List<HostTree> _trees = [];
    private readonly Dictionary<(ulong Device, ulong Ino), Inode> _hardLinks = [];
    private readonly VfsOptions _options;
    private readonly IReadOnlyList<MountedAtBoot> _boot;
    private uint _nextDevice = 0x18;

    /// <summary>Builds the tree.</summary>
    /// <param name="options">What it is made of.</param>
    /// <param name="boot">What is mounted in it from the start beyond devices: /proc and /sys.</param>
    /// <param name="formats">What devices can be mounted with.</param>
    /// <exception cref="IOException">A host path cannot be opened.</exception>
    internal Vfs(VfsOptions options, IReadOnlyList<MountedAtBoot> boot, IReadOnlyList<DiskFormat> formats)
    {
        _options = options;
        _boot = boot;
        _formats = formats;
        Anonymous = new FileSystem(this, "anon_inodefs", 0xE, 0x09041934, 1024);
        PipeFs = new FileSystem(this, "pipefs", 0xD, 0x50495045, 4096);
        SocketFs = new FileSystem(this, "sockfs", 0x8, 0x534F434B, 8192);
        ShmFs = new FileSystem(this, "tmpfs", 1, FileSystemTypes.TmpfsMagic, 2);
        Devices = new DeviceTable(this);
        PosixQueues = new PosixQueues(this);
        Descriptors = new DescriptorBudget(options.Limits.Files, () => Host?.Log(
            $"the guest wants more than {options.Limits.Files} descriptors: ENFILE (--max-fds makes it more)"));
        OutputLeft = options.Limits.Output;
        InitialMounts = new MountNamespace(MountNamespace.InitialNumber, UserNamespace.Initial);
        var rootFs = new FileSystem(this, "overlay", NextDevice(), 0x794c7630, 2);
        if (options.RootDirectory is { } folder)
        {
            HostTree tree = AddTree(folder, false);
            if (tree.Stat(tree.Root, out HostStat stat) < 0 || (stat.Mode & Modes.S_IFMT) != Modes.S_IFDIR)
                throw new IOException($"{folder}: not a folder");
            Root = new MemoryDirectory(rootFs, tree.Root, stat);
        }
        else
        {
            Root = new MemoryDirectory(rootFs, 0x1ED);
        }
        InitialMounts.Root = Root;
        MountSpace.Entries.Add(new MountEntry(1, 0, rootFs, "overlay", Root));
        _mountSpaces.Add(InitialMounts);
        rootFs.MountCount = 1;
        if (options.RootDirectory == null)
            MakeSkeleton();
        foreach (string directory in new[] { "/dev", "/proc", "/sys", "/run", "/tmp" })
            MakeDirectories(directory);
        if (options.RootDirectory == null)
            MakeDirectories("/tmp").Mode = MakeDirectories("/var/tmp").Mode = Modes.S_IFDIR | 0x3FF;
        else
            MakeDirectories("/tmp").Mode |= 0x3FF;
        MountDevices();
        foreach (MountedAtBoot mount in boot)
        {
            var fs = new FileSystem(this, mount.Type, NextDevice(), mount.Magic, 1);
            Mount(mount.Point, mount.Type, fs, mount.MakeRoot(this, fs), mount.Options);
        }
        if (options.CallerFolder is { } caller)
            _callers = MountCaller(caller);
        bool shown = _callers is not null && options.ProgramFolder.Length > 0;
        if (shown)
            Bind(_callers!, MakeDirectories(options.ProgramFolder), false);
        if (options.ProgramHostPath is { } program && !shown)
            MountHost(
                new Bind(program, options.ProgramGuestPath.Length > 0 ? options.ProgramGuestPath : Path.GetFullPath(program), true), true);
        foreach (Bind bind in options.Binds)
            MountHost(bind);
    }

    /// <summary>The running kernel; null while the tree is built and in tests of the tree alone.</summary>
    internal VfsHost? Host { get; private set; }

    /// <summary>The root of everything.</summary>
    public Inode Root { get; }

    /// <summary>The options that the tree was built with.</summary>
    public VfsOptions Options => _options;

    internal FileSystem Anonymous { get; }

    internal FileSystem PipeFs { get; }

    internal FileSystem SocketFs { get; }

    internal FileSystem ShmFs { get; }

    internal DeviceTable Devices { get; }

    internal PosixQueues PosixQueues { get; }

    /// <summary>Files that somebody has a handle of (name_to_handle_at), by device and inode number.</summary>
    internal KnownHandles Handles { get; } = new();

    /// <summary>Pages of pipes by user.</summary>
    internal PipePages PipePages { get; } = new();

    /// <summary>fs.nr_open.</summary>
    internal int MostDescriptors { get; set; } = 1 << 20;

    /// <summary>fs.lease-break-time in s.</summary>
    internal int LeaseBreakSeconds { get; set; } = 45;

    /// <summary>vm.unprivileged_userfaultfd.</summary>
    internal bool UnprivilegedUserfaults { get; set; }

    /// <summary>What users may have of what is counted.</summary>
    internal UserCounts UserCounts { get; } = new();

    /// <summary>All inotify instances.</summary>
    internal InotifyInstances Inotify { get; } = new();

    /// <summary>Descriptors of all processes.</summary>
    internal DescriptorBudget Descriptors { get; }

    /// <summary>Owners of record locks that wait, and the owners that they wait for.</summary>
    internal Dictionary<object, object> LockWaits { get; } = [];

    /// <summary>Whether anybody ever took a lease on a file.</summary>
    internal bool HasLeases { get; set; }

    /// <summary>Bytes that may still be written to the standard streams.</summary>
    internal long OutputLeft { get; set; }

    /// <summary>The first mount namespace.</summary>
    internal MountNamespace InitialMounts { get; }

    /// <summary>The mounts that the task of the system call sees.</summary>
    internal IReadOnlyList<MountEntry> Mounts => MountSpace.Entries;

    private MountNamespace MountSpace => Current?.MountNamespace ?? InitialMounts;

    /// <summary>The task whose system call is carried out; /proc/self depends on it.</summary>
    internal IFileUser? Current { get; set; }

    /// <summary>Connects the tree with the running kernel: times, guest RAM, tasks.</summary>
    internal void Attach(VfsHost host)
    {
        Host = host;
        host.Pages.Reclaim = ReclaimPages;
    }

    /// <summary>Now in ns since 1970.</summary>
    public long NowRealtime => Host == null ? _options.EpochSeconds * 1_000_000_000 : (long)Host.Timekeeper.RealtimeNs;

    internal uint NextDevice() => _nextDevice++;

    internal Span<byte> PageBytes(ulong pa) => Host!.Machine.Memory.Span(pa, 4096);

    internal void PageWritten(ulong pa, int length) => Host!.Machine.NotifyWrite(pa, length);

    /// <summary>Pages of a file were written back: the next write to one of them is told.</summary>
    internal void MakeClean(Inode file, IReadOnlySet<long> pages)
    {
        foreach (MemoryMap memory in pages.Count == 0 ? [] : Host!.Memories())
            memory.MakeClean(file, pages);
    }

    /// <summary>A file that has pages that are mapped ends: what lies beyond is mapped no more (SIGBUS).</summary>
    internal void DropBeyond(Inode file, long size)
    {
        foreach (MemoryMap memory in Host!.Memories())
            memory.DropBeyond(file, ((ulong)size + PhysicalMemory.PageSize - 1) / PhysicalMemory.PageSize * PhysicalMemory.PageSize);
    }

    /// <summary>Counts bytes that an object in memory (not of the host) takes. False: the guest's RAM is used up by what it keeps; so a
    /// guest cannot use up the host's.</summary>
    internal bool TryCharge(long bytes) => Host?.Pages.TryCharge(bytes) ?? true;

    /// <summary>Counts bytes in any case, or with a negative number gives them back.</summary>
    internal void Charge(long bytes) => Host?.Pages.Charge(bytes);

    /// <summary>What directories like /tmp protect.</summary>
    internal FileProtections Protections { get; } = new();

    /// <summary>Sizes of buffers of sockets.</summary>
    internal BufferSizes BufferSizes { get; } = new();

    private long _filePages;

    /// <summary>Pages of files that are in memory and nowhere mapped.</summary>
    internal long FilePages => _filePages;

    /// <summary>Counts a page of a file in memory. False: files have half of RAM already, as a tmpfs has.</summary>
    internal bool ReserveFilePage(bool force = false)
    {
        if (!force && Host is { } host && (_filePages >= host.Pages.Total / 2 || !TryCharge(PhysicalMemory.PageSize)))
            return false;
        if (force)
            Charge(PhysicalMemory.PageSize);
        _filePages++;
        return true;
    }

    internal void ReleaseFilePages(int count)
    {
        _filePages -= count;
        Charge(-count * (long)PhysicalMemory.PageSize);
    }

    /// <summary>Pages of files of the host that are kept for whoever maps them next, the oldest first (the page cache).</summary>
    private readonly Queue<(RegularFile File, long Index)> _cached = new();

    internal void Cached(RegularFile file, long index) => _cached.Enqueue((file, index));

    /// <summary>Whether anybody but the file itself has a page.</summary>
    internal bool IsMapped(ulong pa) => Host!.Pages.References(pa) > 1;

    /// <summary>Gives pages of the cache back for which RAM is needed. False: every one is in use.</summary>
    private bool ReclaimPages()
    {
        const int wanted = 64;
        int free = 0;
        for (int left = _cached.Count; left > 0 && free < wanted; left--)
        {
            (RegularFile file, long index) = _cached.Dequeue();
            if (file.Reclaim(index))
                free++;
            else
                _cached.Enqueue((file, index));
        }
        return free > 0;
    }

    internal ulong AllocatePage() => Host!.Pages.Allocate();

    internal void FreePage(ulong pa) => Host!.Pages.Free(pa);

    private HostTree AddTree(string path, bool writable)
    {
        HostTree tree = HostTree.Open(path, writable);
        _trees.Add(tree);
        return tree;
    }

    /// <summary>Makes the inode of a file of a host folder that is only read.</summary>
    internal Inode? AdoptHostFile(FileSystem fs, HostLocation location)
    {
        if (location.Tree.Stat(location, out HostStat stat) < 0)
            return null;
        uint type = stat.Mode & Modes.S_IFMT;
        if (type == Modes.S_IFREG && stat.Nlink > 1)
        {
            if (_hardLinks.TryGetValue((stat.Device, stat.Ino), out Inode? known) && known.Fs == fs)
                return known;
            return _hardLinks[(stat.Device, stat.Ino)] = new RegularFile(fs, location, stat) { Nlink = stat.Nlink };
        }
        switch (type)
        {
            case Modes.S_IFREG:
                return new RegularFile(fs, location, stat);
            case Modes.S_IFDIR:
                return new MemoryDirectory(fs, location, stat);
            case Modes.S_IFLNK:
                return location.Tree.ReadLink(location, out string target) < 0 ? null : new SymbolicLink(fs, target, stat.Mtime);
            case Modes.S_IFIFO:
                return new FifoInode(fs, stat.Mode & 0xFFF);
            case Modes.S_IFSOCK:
                return new SocketInode(fs, stat.Mode & 0xFFF);
            default:
                return new DeviceInode(fs, stat.Mode, stat.RdevMajor << 8 | stat.RdevMinor);
        }
    }

    private void MountHost(Bind bind, bool latin1 = false)
    {
        if (!bind.GuestPath.StartsWith('/'))
            throw new IOException($"{bind.GuestPath}: the guest path of a bind must be absolute");
        // Guest names are chars of one byte each; what came through the system call layer is so already.
        string guest = latin1 && bind.GuestPath.All(ch => ch < 256) ? bind.GuestPath
            : Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(bind.GuestPath));
        HostTree tree = AddTree(bind.HostPath, !bind.ReadOnly);
        if (tree.Stat(tree.Root, out HostStat stat) < 0)
            throw new IOException($"{bind.HostPath}: cannot read its attributes");
        bool directory = (stat.Mode & Modes.S_IFMT) == Modes.S_IFDIR;
        var fs = new FileSystem(this, "hostfs", NextDevice(), 0x794c7630, 2) { ReadOnly = bind.ReadOnly };
        Inode? root = bind.ReadOnly ? AdoptHostFile(fs, tree.Root)
            : directory ? new HostDirectory(fs, tree.Root, stat)
            : (stat.Mode & Modes.S_IFMT) == Modes.S_IFREG ? new HostFile(fs, tree.Root, stat) : null;
        if (root == null)
            throw new IOException($"{bind.HostPath}: only files and folders can be bound");
        if (!directory)
        {
            int slash = guest.LastIndexOf('/');
            var parent = (MemoryDirectory)MakeDirectories(guest[..slash]);
            if (parent.Lookup(guest[(slash + 1)..], out _) != 0)
                parent.Create(guest[(slash + 1)..], Modes.S_IFREG | 0x1A4, Credentials.For(0, 0), 0, null, out _);
        }
        Mount(guest, bind.HostPath, fs, root, bind.ReadOnly ? "ro,relatime" : "rw,relatime");
    }

    private readonly MemoryDirectory? _callers;

    /// <summary>Shows a host folder at its own path; what is written there stays in memory.</summary>
    private MemoryDirectory MountCaller(string folder)
    {
        HostTree tree = AddTree(folder, false);
        if (tree.Stat(tree.Root, out HostStat stat) < 0)
            throw new IOException($"{folder}: cannot read its attributes");
        var fs = new FileSystem(this, "hostfs", NextDevice(), 0x794c7630, 2);
        var root = new MemoryDirectory(fs, tree.Root, stat);
        Mount(Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(folder)), folder, fs, root, "rw,relatime");
        return root;
    }

    /// <summary>Files of <see cref="VfsOptions.CallerFolder"/> that the guest made or wrote: in memory, and gone with it.</summary>
    public int WrittenInMemory
    {
        get
        {
            int count = 0;
            var left = new Stack<MemoryDirectory>();
            if (_callers is not null)
                left.Push(_callers);
            while (left.TryPop(out MemoryDirectory? directory))
            {
                foreach (Inode node in directory.Known)
                {
                    if (node is MemoryDirectory below)
                        left.Push(below);
                    else if (node is RegularFile { IsWritten: true })
                        count++;
                }
            }
            return count;
        }
    }

    /// <summary>Covers the file at an absolute path with another file system's root.</summary>
    internal void Mount(string point, string source, FileSystem fs, Inode root, string options)
    {
        Inode covered = root.IsDirectory ? MakeDirectories(point) : LookupMountPoint(point);
        Cover(covered, root);
        string[] words = options.Split(',');
        uint flags = 0;
        foreach ((string word, uint flag) in (ReadOnlySpan<(string, uint)>)[("ro", MountFlags.MS_RDONLY), ("nosuid", MountFlags.MS_NOSUID),
            ("nodev", MountFlags.MS_NODEV), ("noexec", MountFlags.MS_NOEXEC)])
            flags |= words.Contains(word) ? flag : 0;
        fs.SetFlags(flags);
        List<MountEntry> mounts = MountSpace.Entries;
        mounts.Add(new MountEntry(NextMountId(), ParentIdOf(mounts, covered), fs, source, root) { Covered = covered });
    }

    private Inode LookupMountPoint(string point)
    {
        long error = Walk(RootCaller, Root, point, true, out WalkResult result);
        return error == 0 && result.Inode != null ? result.Inode : throw new IOException($"{point}: cannot be mounted on");
    }

    internal Caller RootCaller => new(Credentials.For(0, 0), new FsContext(Root, Root));

    /// <summary>Makes a directory of the guest with its parents, following links; mount points must exist.</summary>
    private Inode MakeDirectories(string path)
    {
        Inode at = Root;
        string done = "";
        foreach (string name in path.Split('/', StringSplitOptions.RemoveEmptyEntries))
        {
            done += "/" + name;
            long error = Walk(RootCaller, at, name, true, out WalkResult result);
            if (error == 0 && result.Inode == null)
                error = result.Directory!.Create(result.Name, Modes.S_IFDIR | 0x1ED, Credentials.For(0, 0), 0, null, out result.Inode);
            if (error < 0 || result.Inode is not { IsDirectory: true })
                throw new IOException($"{done}: cannot be made a directory of the guest");
            at = result.Inode;
        }
        return at;
    }

    private void MakeSkeleton()
    {
        foreach (string directory in new[]
        {
            "/bin", "/etc", "/root", "/home", "/usr/bin", "/usr/lib", "/lib", "/var/tmp", "/var/run", "/mnt", "/opt", "/run"
        })
            MakeDirectories(directory);
        PutText((MemoryDirectory)MakeDirectories("/boot"), $"config-{Uts.Release}", _options.KernelConfiguration);
        MakeDirectories("/root").Mode = Modes.S_IFDIR | 0x1C0;
        var etc = (MemoryDirectory)MakeDirectories("/etc");
        PutText(etc, "passwd", "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin\n");
        PutText(etc, "group", "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n");
        PutText(etc, "hostname", _options.HostName + "\n");
        PutText(etc, "hosts", $"127.0.0.1\tlocalhost\n127.0.1.1\t{_options.HostName}\n::1\tlocalhost\n");
        PutText(etc, "nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n");
        PutText(etc, "resolv.conf", "");
    }

    private static void PutText(MemoryDirectory directory, string name, string text)
    {
        var file = new RegularFile(directory.Fs, 0x1A4);
        file.Write(Encoding.UTF8.GetBytes(text), 0);
        directory.Put(name, file);
    }

    private void MountDevices()
    {
        var devFs = new FileSystem(this, "devtmpfs", NextDevice(), FileSystemTypes.TmpfsMagic, 1);
        var dev = new MemoryDirectory(devFs, 0x1ED);
        Mount("/dev", "udev", devFs, dev, "rw,nosuid,relatime");
        (string Name, uint Rdev, uint Mode)[] nodes =
        [
            ("null", 0x103, 0x1B6), ("zero", 0x105, 0x1B6), ("full", 0x107, 0x1B6), ("random", 0x108, 0x1B6), ("urandom", 0x109, 0x1B6),
            ("kmsg", 0x10B, 0x1A4), ("tty", 0x500, 0x1B6), ("console", 0x501, 0x180), ("ptmx", 0x502, 0x1B6),
        ];
        foreach ((string name, uint rdev, uint mode) in nodes)
            dev.Put(name, new DeviceInode(devFs, Modes.S_IFCHR | mode, rdev));
        Devices.Loops = new LoopDevices(dev);
        dev.Put("fd", new SymbolicLink(devFs, "/proc/self/fd"));
        dev.Put("stdin", new SymbolicLink(devFs, "/proc/self/fd/0"));
        dev.Put("stdout", new SymbolicLink(devFs, "/proc/self/fd/1"));
        dev.Put("stderr", new SymbolicLink(devFs, "/proc/self/fd/2"));
        dev.Put("userfaultfd", new DeviceInode(devFs, Modes.S_IFCHR | 0x180, UserfaultDevice.Rdev));
        PtsDirectory.PtsOptions ofTtyGroup = PtsDirectory.PtsOptions.Usual with { Gid = 5, Mode = 0x190 };
        PtsDirectory terminals = FileSystemTypes.NewTerminals(this, ofTtyGroup, true, (0, 0));
        Mount("/dev/pts", "devpts", terminals.Fs, terminals, "rw,nosuid,noexec,relatime");
        var shm = new FileSystem(this, "tmpfs", NextDevice(), FileSystemTypes.TmpfsMagic, 1);
        Mount("/dev/shm", "tmpfs", shm, new MemoryDirectory(shm, 0x3FF), "rw,nosuid,nodev");
    }

    /// <summary>Root and working directory / for the first process.</summary>
    public FsContext MakeContext() => new(Root, Root);

    /// <summary>A system call of <paramref name="task"/> begins; /proc/self means it from here on.</summary>
    internal void Enter(IFileUser task) => Current = task;

    /// <summary>Puts the host's standard streams at numbers 0, 1 and 2 of an empty table.</summary>
    public void OpenStandardFiles(FileTable table)
    {
        for (int n = 0; n < 3; n++)
            table.Add(Devices.OpenStandardStream(n), false, 3);
    }

    /// <summary>Closes the descriptors of host folders.</summary>
    public void Dispose()
    {
        foreach (HostTree tree in _trees)
            tree.Dispose();
    }
}
