using ArmVdso.Kernel.Namespaces;
using Microsoft.Win32.SafeHandles;

namespace ArmVdso.Kernel.Files;

/// <summary>A directory of a writable bind: everything happens in the host's folder at once. Inodes are remembered as long as the
/// host still has the same file under the name.</summary>
internal sealed class HostDirectory : DirectoryInode
{
    private readonly Dictionary<string, (Inode Node, ulong Ino)> _known = new(StringComparer.Ordinal);
    private readonly HostLocation _location;

    public HostDirectory(FileSystem fs, HostLocation location, in HostStat stat) : base(fs, stat.Mode)
    {
        _location = location;
        Nlink = stat.Nlink;
        Atime = Mtime = Ctime = stat.Mtime;
    }

    public HostLocation Location => _location;

    public override long Size => 4096;

    public override long Lookup(string name, out Inode? child)
    {
        child = null;
        HostLocation at = _location.Child(name);
        long error = at.Tree.Stat(at, out HostStat stat);
        if (error < 0)
        {
            _known.Remove(name);
            return error;
        }
        if (_known.TryGetValue(name, out var known) && known.Ino == stat.Ino && known.Node.Type == (stat.Mode & Modes.S_IFMT))
            child = known.Node;
        else
            child = Adopt(at, stat);
        if (child == null)
            return -Errno.ENOENT;
        child.Mode = stat.Mode;
        child.Nlink = stat.Nlink;
        child.Mtime = stat.Mtime;
        child.Parent = this;
        child.Name = name;
        _known[name] = (child, stat.Ino);
        return 0;
    }

    private Inode? Adopt(HostLocation at, in HostStat stat)
    {
        switch (stat.Mode & Modes.S_IFMT)
        {
            case Modes.S_IFDIR:
                return new HostDirectory(Fs, at, stat);
            case Modes.S_IFREG:
                return new HostFile(Fs, at, stat);
            case Modes.S_IFLNK:
                return at.Tree.ReadLink(at, out string target) < 0 ? null : new SymbolicLink(Fs, target, stat.Mtime);
            default:
                // Devices, FIFOs and sockets of the host stay outside of the guest's world.
                return null;
        }
    }

    public override IReadOnlyList<DirectoryEntry> List()
    {
        var list = new List<DirectoryEntry>();
        if (_location.Tree.List(_location, out SortedSet<string> names) < 0)
            return list;
        foreach (string name in names)
        {
            if (Lookup(name, out Inode? child) == 0)
                list.Add(new DirectoryEntry(name, child!.Ino, Modes.DirectoryType(child.Mode)));
        }
        return list;
    }

    public override long Create(string name, uint mode, Credentials owner, uint rdev, string? target, out Inode? node)
    {
        node = null;
        HostLocation at = _location.Child(name);
        long error = (mode & Modes.S_IFMT) switch
        {
            Modes.S_IFREG => at.Tree.CreateFile(at, mode),
            Modes.S_IFDIR => at.Tree.MakeDirectory(at, mode),
            Modes.S_IFLNK => at.Tree.MakeLink(at, target!),
            _ => -Errno.EPERM,
        };
        if (error == 0 && (mode & Modes.S_IFMT) != Modes.S_IFLNK)
            at.Tree.ChangeMode(at, mode); // The host's umask must not show.
        return error < 0 ? error : Lookup(name, out node);
    }

    public override long Link(string name, Inode node) =>
        node is HostFile file ? _location.Tree.HardLink(file.Location, _location.Child(name)) : -Errno.EPERM;

    public override long Remove(string name, Inode node)
    {
        HostLocation at = _location.Child(name);
        long error = at.Tree.Unlink(at, node.IsDirectory);
        if (error < 0)
            return error;
        _known.Remove(name);
        node.Nlink = node.IsDirectory ? 0 : node.Nlink - 1;
        return 0;
    }

    public override long Rename(string name, Inode node, Inode newDirectory, string newName, Inode? replaced, bool exchange)
    {
        var target = (HostDirectory)newDirectory;
        long error = _location.Tree.Rename(_location.Child(name), target._location.Child(newName), exchange);
        if (error < 0)
            return error;
        Move(node, target, newName);
        _known.Remove(name);
        if (exchange)
            Move(replaced!, this, name);
        else if (replaced != null)
            replaced.Nlink = replaced.IsDirectory ? 0 : replaced.Nlink - 1;
        return 0;
    }

    private static void Move(Inode node, HostDirectory directory, string name)
    {
        if (LocationOf(node) is { } location)
        {
            location.Parent = directory._location;
            location.Name = name;
            if (location.Tree.Stat(location, out HostStat stat) == 0)
                directory._known[name] = (node, stat.Ino);
        }
        node.Parent = directory;
        node.Name = name;
    }

    private static HostLocation? LocationOf(Inode node) => node switch
    {
        HostDirectory d => d._location,
        HostFile f => f.Location,
        _ => null,
    };

    public override long AttributesChanged(AttributeChange what) => Pass(this, _location, what);

    internal static long Pass(Inode node, HostLocation location, AttributeChange what) => what switch
    {
        AttributeChange.Mode => location.Tree.ChangeMode(location, node.Mode),
        AttributeChange.Times => location.Tree.SetTimes(location, node.Atime, node.Mtime),
        _ => 0, // Owners of the host's files stay what they are.
    };
}

/// <summary>A regular file of a writable bind: reads and writes go to the host's file.</summary>
internal sealed class HostFile : Inode
{
    private readonly Dictionary<ulong, ulong> _mapped = [];
    private SafeFileHandle? _handle;
    private bool _handleWrites;
    private long _sizeWhenClosed;

    public HostFile(FileSystem fs, HostLocation location, in HostStat stat) : base(fs, stat.Mode)
    {
        Location = location;
        _sizeWhenClosed = stat.Size;
        Atime = Mtime = Ctime = stat.Mtime;
    }

    public HostLocation Location { get; }

    public override bool CanMap => true;

    public override long Size
    {
        get
        {
            if (_handle != null)
                return RandomAccess.GetLength(_handle);
            return Location.Tree.Stat(Location, out HostStat stat) == 0 ? _sizeWhenClosed = stat.Size : _sizeWhenClosed;
        }
    }

    private long Handle(bool write, out SafeFileHandle? handle)
    {
        if (_handle == null || (write && !_handleWrites))
        {
            long error = Location.Tree.OpenFile(Location, write, out SafeFileHandle? opened);
            if (error < 0)
            {
                handle = null;
                return error;
            }
            _handle?.Dispose();
            _handle = opened;
            _handleWrites = write;
        }
        handle = _handle;
        return 0;
    }

    public override long Open(int flags, IFileUser? task, out OpenFile? file)
    {
        file = null;
        if (Handle((flags & OpenFlags.O_ACCMODE) != OpenFlags.O_RDONLY, out _) is < 0 and long error)
            return error;
        file = new HostOpenFile(this, flags);
        return 0;
    }

    /// <summary>What the host says no to: full disks, failing disks, sizes beyond its limits.</summary>
    private static long ErrnoOf(Exception e) => e switch
    {
        IOException io => HostStreamFile.ErrnoOf(io, Errno.EIO),
        UnauthorizedAccessException => Errno.EACCES,
        _ => Errno.EFBIG,
    };

    private static bool IsRefusal(Exception e) => e is IOException or UnauthorizedAccessException or ArgumentException;

    public long Read(Span<byte> buffer, long position)
    {
        if (Handle(false, out SafeFileHandle? handle) is < 0 and long error || (error = SyncMapped()) < 0)
            return error;
        try
        {
            return RandomAccess.Read(handle!, buffer, position);
        }
        catch (Exception e) when (IsRefusal(e))
        {
            return -ErrnoOf(e);
        }
    }

    public long Write(ReadOnlySpan<byte> data, long position)
    {
        if (Handle(true, out SafeFileHandle? handle) is < 0 and long error || (error = SyncMapped()) < 0)
            return error;
        long before = Size;
        try
        {
            RandomAccess.Write(handle!, data, position);
            foreach ((ulong index, ulong pa) in _mapped)
            {
                RandomAccess.Read(handle!, Fs.Vfs.PageBytes(pa), (long)index * 4096);
                Fs.Vfs.PageWritten(pa, 4096);
            }
        }
        catch (Exception e) when (IsRefusal(e))
        {
            // A part that the host took counts.
            long taken = Math.Clamp(Size - Math.Max(before, position), 0, data.Length);
            return taken > 0 && position >= before ? taken : -ErrnoOf(e);
        }
        TouchModified();
        return data.Length;
    }

    public override long Truncate(long size)
    {
        if (Handle(true, out SafeFileHandle? handle) is < 0 and long error || (error = SyncMapped()) < 0)
            return error;
        try
        {
            RandomAccess.SetLength(handle!, size);
        }
        catch (Exception e) when (IsRefusal(e))
        {
            return -ErrnoOf(e);
        }
        TouchModified();
        return 0;
    }

    internal override long Allocate(long position, long length) => Handle(true, out SafeFileHandle? handle) is < 0 and long error
        ? error : HostTree.Allocate(handle!, position, length);

    public override bool ReadPage(ulong offset, Span<byte> page)
    {
        page.Clear();
        return Read(page, (long)offset) >= 0;
    }

    public override bool HasAsPage(ulong offset, ulong pa) => _mapped.GetValueOrDefault(offset / 4096) == pa;

    public override ulong SharedPagePa(ulong offset)
    {
        ulong index = offset / 4096;
        if ((long)offset >= Size)
            return 0;
        if (_mapped.TryGetValue(index, out ulong pa))
            return pa;
        pa = Fs.Vfs.AllocatePage();
        if (pa == 0)
            return 0;
        if (!ReadPage(index * 4096, Fs.Vfs.PageBytes(pa)))
        {
            Fs.Vfs.FreePage(pa);
            return 0;
        }
        return _mapped[index] = pa;
    }

    /// <summary>Writes pages that are mapped shared back to the host's file, when it is open for writing: 0, or the host's error.</summary>
    internal override long SyncMapped(long from = 0, long to = long.MaxValue)
    {
        if (_mapped.Count == 0 || !_handleWrites)
            return 0;
        try
        {
            long size = RandomAccess.GetLength(_handle!);
            foreach ((ulong index, ulong pa) in _mapped)
            {
                long length = Math.Min(4096, size - (long)index * 4096);
                if (length > 0)
                    RandomAccess.Write(_handle!, Fs.Vfs.PageBytes(pa)[..(int)length], (long)index * 4096);
            }
        }
        catch (Exception e) when (IsRefusal(e))
        {
            return -ErrnoOf(e);
        }
        return 0;
    }

    public override long AttributesChanged(AttributeChange what) => HostDirectory.Pass(this, Location, what);

    protected override void LastClosed()
    {
        if (SyncMapped() is < 0 and long error)
            Fs.Vfs.Host?.Log(
                $"{Fs.Vfs.PathOf(this, null)}: the host lost what was written to it through a mapping ({Errno.NameOf(-error)})");
        foreach (ulong pa in _mapped.Values)
            Fs.Vfs.FreePage(pa);
        _mapped.Clear();
        _handle?.Dispose();
        _handle = null;
        _handleWrites = false;
    }
}

/// <summary>An open file of a writable bind.</summary>
internal sealed class HostOpenFile(HostFile inode, int flags) : OpenFile(inode, flags)
{
    public override bool Seekable => true;

    public override long Read(Span<byte> buffer, long position) => inode.Read(buffer, position);

    public override long Write(ReadOnlySpan<byte> data, long position) => inode.Write(data, position);
}
