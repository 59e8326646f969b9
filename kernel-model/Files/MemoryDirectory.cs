using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Files;

/// <summary>A directory in memory, possibly over a folder of the host that is only read. Names of the folder become inodes when
/// they are looked up; a name that was removed leaves a whiteout. A directory can move anywhere with what lies below it, because
/// its place in the host stays with it.</summary>
public sealed class MemoryDirectory : DirectoryInode
{
    /// <summary>Names in memory; null is a whiteout.</summary>
    private readonly SortedDictionary<string, Inode?> _entries = new(StringComparer.Ordinal);
    private readonly HostLocation? _lower;
    private SortedSet<string>? _lowerNames;

    /// <summary>An empty directory.</summary>
    public MemoryDirectory(FileSystem fs, uint permissions) : base(fs, Modes.S_IFDIR | permissions)
    {
        Nlink = 2;
    }

    internal MemoryDirectory(FileSystem fs, HostLocation lower, in HostStat stat) : base(fs, stat.Mode)
    {
        _lower = lower;
        Atime = Mtime = Ctime = stat.Mtime;
        Nlink = stat.Nlink;
        if (Nlink < 2 && lower.Tree.List(lower, out SortedSet<string> names, out uint directories) >= 0)
        {
            // Some file systems of hosts do not count; the guest sees the usual number on every host.
            _lowerNames = names;
            Nlink = 2 + directories;
        }
    }

    /// <inheritdoc/>
    public override long Size => 4096;

    /// <inheritdoc/>
    public override long Blocks => 8;

    /// <inheritdoc/>
    internal override bool HasFlags => true;

    private SortedSet<string> LowerNames
    {
        get
        {
            if (_lowerNames == null)
            {
                _lowerNames = new SortedSet<string>(StringComparer.Ordinal);
                if (_lower != null && _lower.Tree.List(_lower, out SortedSet<string> names) >= 0)
                    _lowerNames = names;
            }
            return _lowerNames;
        }
    }

    /// <inheritdoc/>
    public override long Lookup(string name, out Inode? child)
    {
        if (!_entries.TryGetValue(name, out child) && _lower != null && LowerNames.Contains(name))
        {
            child = Fs.Vfs.AdoptHostFile(Fs, _lower.Child(name));
            _entries[name] = child;
        }
        if (child == null)
            return -Errno.ENOENT;
        child.Parent = this;
        child.Name = name;
        return 0;
    }

    /// <inheritdoc/>
    public override IReadOnlyList<DirectoryEntry> List()
    {
        foreach (string name in LowerNames)
        {
            if (!_entries.ContainsKey(name))
                Lookup(name, out _);
        }
        var list = new List<DirectoryEntry>(_entries.Count);
        foreach ((string name, Inode? node) in _entries)
        {
            if (node != null)
                list.Add(new DirectoryEntry(name, (node.MountedHere ?? node).Ino, Modes.DirectoryType(node.Mode)));
        }
        return list;
    }

    /// <summary>What was looked up or made here.</summary>
    internal IEnumerable<Inode> Known => _entries.Values.OfType<Inode>();

    /// <summary>What a file costs beside its contents, in bytes.</summary>
    private const int FileCost = 512;

    /// <inheritdoc/>
    public override long Create(string name, uint mode, Credentials owner, uint rdev, string? target, out Inode? node)
    {
        node = (mode & Modes.S_IFMT) switch
        {
            Modes.S_IFREG => new RegularFile(Fs, mode & 0xFFF),
            Modes.S_IFDIR => new MemoryDirectory(Fs, mode & 0xFFF),
            Modes.S_IFLNK => new SymbolicLink(Fs, target!),
            Modes.S_IFIFO => new FifoInode(Fs, mode & 0xFFF),
            Modes.S_IFSOCK => new SocketInode(Fs, mode & 0xFFF),
            _ => new DeviceInode(Fs, mode, rdev),
        };
        if (!node.TryCharge(FileCost + 2 * (name.Length + (target?.Length ?? 0))))
        {
            node = null;
            return -Errno.ENOSPC;
        }
        node.Uid = owner.Fsuid;
        node.Gid = (Mode & Modes.S_ISGID) != 0 ? Gid : owner.Fsgid;
        if (node.IsDirectory)
        {
            node.Mode |= Mode & Modes.S_ISGID;
            Nlink++;
        }
        Put(name, node);
        return 0;
    }

    /// <inheritdoc/>
    internal override long CreateUnnamed(uint permissions, Credentials owner, out Inode? node)
    {
        node = new RegularFile(Fs, permissions) { Nlink = 0, Uid = owner.Fsuid, Gid = owner.Fsgid };
        return 0;
    }

    /// <summary>Puts a file that is made already at a name (no checks).</summary>
    public void Put(string name, Inode node)
    {
        _entries[name] = node;
        node.Parent = this;
        node.Name = name;
        TouchModified();
    }

    /// <inheritdoc/>
    public override long Link(string name, Inode node)
    {
        if (!node.TryCharge(2 * name.Length + FileCost / 4))
            return -Errno.ENOSPC;
        Put(name, node);
        node.Nlink++;
        node.Ctime = Fs.Vfs.NowRealtime;
        return 0;
    }

    /// <inheritdoc/>
    public override long Remove(string name, Inode node)
    {
        Forget(name);
        Unlinked(node);
        TouchModified();
        return 0;
    }

    private void Forget(string name)
    {
        if (_lower != null && LowerNames.Contains(name))
            _entries[name] = null;
        else
            _entries.Remove(name);
    }

    private void Unlinked(Inode node)
    {
        if (node.IsDirectory)
        {
            Nlink--;
            node.Nlink = 0;
        }
        else
        {
            node.Nlink--;
        }
        node.Ctime = Fs.Vfs.NowRealtime;
        node.Uncharge();
    }

    /// <inheritdoc/>
    public override long Rename(string name, Inode node, Inode newDirectory, string newName, Inode? replaced, bool exchange)
    {
        var target = (MemoryDirectory)newDirectory;
        if (exchange)
        {
            Put(name, replaced!);
        }
        else
        {
            if (replaced != null)
                target.Unlinked(replaced);
            Forget(name);
            TouchModified();
        }
        target.Put(newName, node);
        if (node.IsDirectory && target != this)
        {
            Nlink--;
            target.Nlink++;
        }
        if (exchange && replaced!.IsDirectory && target != this)
        {
            Nlink++;
            target.Nlink--;
        }
        node.Ctime = Fs.Vfs.NowRealtime;
        return 0;
    }

    /// <summary>True when the directory has no names.</summary>
    internal override bool IsEmpty => _entries.Values.All(n => n == null) && (_lower == null || LowerNames.All(_entries.ContainsKey));
}

/// <summary>A symbolic link.</summary>
public sealed class SymbolicLink : Inode
{
    private readonly string _target;

    /// <summary>A link with the given contents.</summary>
    public SymbolicLink(FileSystem fs, string target) : base(fs, Modes.S_IFLNK | 0x1FF) => _target = target;

    internal SymbolicLink(FileSystem fs, string target, long time) : this(fs, target) => Atime = Mtime = Ctime = time;

    /// <inheritdoc/>
    public override long Size => _target.Length;

    /// <inheritdoc/>
    public override long Blocks => 0;

    /// <inheritdoc/>
    public override long ReadLink(out string target)
    {
        target = _target;
        return 0;
    }

    /// <inheritdoc/>
    public override long Open(int flags, IFileUser? task, out OpenFile? file)
    {
        file = null;
        return -Errno.ELOOP;
    }
}

/// <summary>The name of a Unix socket in the file system.</summary>
public sealed class SocketInode(FileSystem fs, uint permissions) : Inode(fs, Modes.S_IFSOCK | permissions)
{
    /// <summary>The socket that is bound to the name; null when it is gone.</summary>
    internal SocketFile? Bound { get; set; }

    /// <inheritdoc/>
    public override long Open(int flags, IFileUser? task, out OpenFile? file)
    {
        file = null;
        return -Errno.ENXIO;
    }
}

/// <summary>An inode without a name: pipes, sockets, eventfd, epoll and their like.</summary>
public sealed class AnonymousInode : Inode
{
    /// <summary>An inode of anonfs or pipefs and the like, of a type.</summary>
    public AnonymousInode(FileSystem fs, uint mode) : base(fs, mode)
    {
    }

    /// <summary>What opening /proc/PID/fd/N does; null: -ENXIO.</summary>
    internal Func<int, OpenFile?>? Reopen { get; set; }

    /// <inheritdoc/>
    public override long Open(int flags, IFileUser? task, out OpenFile? file)
    {
        file = Reopen?.Invoke(flags);
        return file == null ? -Errno.ENXIO : 0;
    }
}
