using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Files;

/// <summary>A mounted file system: its device number, type and what statfs tells.</summary>
public sealed class FileSystem
{
    private ulong _nextIno;

    /// <summary>Makes a file system; inode numbers start at <paramref name="firstIno"/> and follow the order of discovery.</summary>
    public FileSystem(Vfs vfs, string type, uint device, long magic, ulong firstIno = 1)
    {
        Vfs = vfs;
        Type = type;
        Device = device;
        Magic = magic;
        _nextIno = firstIno;
    }

    /// <summary>The owner of all file systems.</summary>
    public Vfs Vfs { get; }

    /// <summary>Name in /proc/mounts.</summary>
    public string Type { get; }

    /// <summary>st_dev as the kernel encodes it (major &lt;&lt; 8 | minor).</summary>
    public uint Device { get; }

    /// <summary>The same as the kernel keeps it, in 12 and 20 bits (MKDEV); fdinfo shows it.</summary>
    internal uint KernelDevice => Device >> 8 << 20 | Device & 0xFF;

    /// <summary>f_type of statfs (include/uapi/linux/magic.h).</summary>
    public long Magic { get; }

    /// <summary>Whether no path leads to its files, which nobody mounts (SB_NOUSER).</summary>
    internal bool HasNoPaths => this == Vfs.Anonymous || this == Vfs.PipeFs || this == Vfs.SocketFs || this == Vfs.ShmFs;

    /// <summary>Whether it keeps what is written to it: it has blocks and inodes, and its files have handles.</summary>
    internal bool IsStored => Whole.Disk is not null || Whole.Type is "overlay" or "hostfs" or "tmpfs" or "devtmpfs";

    /// <summary>Whether it is one of memory alone (tmpfs, ramfs).</summary>
    internal bool IsMemory => Magic is FileSystemTypes.TmpfsMagic or FileSystemTypes.RamfsMagic;

    /// <summary>MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_NOATIME, MS_NODIRATIME.</summary>
    internal uint Flags { get; private set; }

    /// <summary>Writes fail with EROFS.</summary>
    public bool ReadOnly
    {
        get => Has(MountFlags.MS_RDONLY);
        init => Flags = value ? MountFlags.MS_RDONLY : 0;
    }

    internal bool Has(uint flag) => (Flags & flag) != 0;

    internal void SetFlags(uint flags) => Flags = flags;

    /// <summary>The file system that a bind mount shows; null for a file system of its own.</summary>
    internal FileSystem? Shows { get; init; }

    /// <summary>The file system that lies behind it: what it shows, or itself.</summary>
    internal FileSystem Whole => Shows ?? this;

    /// <summary>f_fsid.</summary>
    internal ulong Id => Whole.Disk?.Space.Id ?? Device;

    /// <summary>Number of the group of peers that a shared mount is in, and of the one that a slave hears; 0: none.</summary>
    internal int Peer { get; set; }

    /// <inheritdoc cref="Peer"/>
    internal int Master { get; set; }

    /// <summary>MS_UNBINDABLE: cannot be the source of a bind mount.</summary>
    internal bool Unbindable { get; set; }

    /// <summary>Open file descriptions on its files, and those of them that may write.</summary>
    internal int Open { get; set; }

    /// <inheritdoc cref="Open"/>
    internal int Writers { get; set; }

    /// <summary>Options of a mount as /proc/mounts writes them.</summary>
    internal string Options() => (ReadOnly ? "ro" : "rw") + (Has(MountFlags.MS_NOSUID) ? ",nosuid" : "")
        + (Has(MountFlags.MS_NODEV) ? ",nodev" : "") + (Has(MountFlags.MS_NOEXEC) ? ",noexec" : "")
        + (Has(MountFlags.MS_NOSYMFOLLOW) ? ",nosymfollow" : "")
        + (Has(MountFlags.MS_STRICTATIME) ? "" : Has(MountFlags.MS_NOATIME) ? ",noatime" : ",relatime")
        + (Has(MountFlags.MS_NODIRATIME) ? ",nodiratime" : "");

    internal ulong NextIno() => _nextIno++;

    /// <summary>Blocks of 4 KiB and inodes that it may have (size= and nr_inodes= of tmpfs); 0: no limit of its own.</summary>
    internal (long Blocks, long Inodes) Limit { get; set; }

    /// <summary>The device that its files lie on; null: they lie in memory.</summary>
    internal IDisk? Disk { get; init; }

    /// <summary>The root of a devpts; null: it is none.</summary>
    internal PtsDirectory? Terminals { get; set; }

    /// <summary>Options of its own as /proc/mounts writes them to a reader of a user namespace; null: it has none.</summary>
    internal Func<UserNamespace, string>? OwnOptions { get; set; }

    /// <summary>Root directory of a file system on a device.</summary>
    internal Inode? DiskRoot { get; set; }

    /// <summary>Places where it is mounted or shown, and open file descriptions in all of them; kept for devices.</summary>
    internal int MountCount { get; set; }

    /// <inheritdoc cref="MountCount"/>
    internal int Held { get; set; }

    /// <summary>Blocks and inodes that its files have.</summary>
    internal (long Blocks, long Inodes) Used { get; private set; }

    /// <summary>Takes blocks for contents of files. False: ENOSPC.</summary>
    internal bool TakeBlocks(long count)
    {
        if ((Limit.Blocks != 0 && Used.Blocks + count > Limit.Blocks)
            || (IsMemory && Vfs.Host?.Pages.Commitment is { Policy: Commitment.Never } promises && !promises.May(null, count)))
            return false;
        Used = Used with { Blocks = Used.Blocks + count };
        return true;
    }

    internal void GiveBlocks(long count) => Used = Used with { Blocks = Used.Blocks - count };

    /// <summary>Takes an inode. False: ENOSPC.</summary>
    internal bool TakeInode()
    {
        if (Limit.Inodes != 0 && Used.Inodes >= Limit.Inodes)
            return false;
        Used = Used with { Inodes = Used.Inodes + 1 };
        return true;
    }

    internal void GiveInode() => Used = Used with { Inodes = Used.Inodes - 1 };
}

/// <summary>FS_*_FL of FS_IOC_GETFLAGS (include/uapi/linux/fs.h), as far as tmpfs has them.</summary>
internal static class InodeFlags
{
    internal const uint Immutable = 0x10, Append = 0x20, NoDump = 0x40, NoAtime = 0x80, All = Immutable | Append | NoDump | NoAtime;
}

/// <summary>One name in a directory listing.</summary>
/// <param name="Name">The name, one char a byte.</param>
/// <param name="Ino">Inode number.</param>
/// <param name="Type">d_type.</param>
public readonly record struct DirectoryEntry(string Name, ulong Ino, byte Type);

/// <summary>A file of any type: attributes, and the operations that its type has. Operations return 0 or a value, or -errno;
/// those that a type lacks return the error that Linux gives. Times are ns since 1970. A directory lies in one place only,
/// so <see cref="Parent"/> and <see cref="Name"/> replace a dentry tree; for a file with several links they are those of the
/// name looked up last.</summary>
public abstract class Inode
{
    /// <summary>A file of a type and permissions in a file system.</summary>
    protected Inode(FileSystem fs, uint mode)
    {
        Fs = fs;
        Mode = mode;
        Ino = fs.NextIno();
        Atime = Mtime = Ctime = fs.Vfs.NowRealtime;
        Nlink = 1;
    }

    /// <summary>The file system that the file is part of.</summary>
    public FileSystem Fs { get; }

    /// <summary>The file itself where this is a view of it in a bind mount.</summary>
    public virtual Inode Real => this;

    /// <summary>st_ino.</summary>
    public ulong Ino { get; protected internal init; }

    /// <summary>Where the attributes are kept; null: here alone.</summary>
    internal IInodeStore? Store { get; set; }

    /// <summary>Type and permission bits.</summary>
    public virtual uint Mode { get; set => Keep(ref field, value); }

    /// <summary>What owner, group and others may do; a file may decide it by who asks.</summary>
    internal virtual uint AccessBits(Credentials who) => Mode;

    /// <summary>Owner.</summary>
    public virtual uint Uid { get; set => Keep(ref field, value); }

    /// <summary>Group.</summary>
    public virtual uint Gid { get; set => Keep(ref field, value); }

    /// <summary>FS_IMMUTABLE_FL, FS_APPEND_FL, FS_NODUMP_FL, FS_NOATIME_FL (chattr).</summary>
    internal virtual uint Flags { get; set => Keep(ref field, value); }

    private void Keep<T>(ref T field, T value)
    {
        field = value;
        Store?.Changed(this);
    }

    /// <summary>Whether chattr's flags can be set.</summary>
    internal virtual bool HasFlags => false;

    /// <summary>Nothing may be changed, or only added.</summary>
    internal bool IsImmutable => (Flags & InodeFlags.Immutable) != 0;

    /// <inheritdoc cref="IsImmutable"/>
    internal bool IsAppendOnly => (Flags & InodeFlags.Append) != 0;

    /// <summary>What told it apart from others of its number on its disk, once it has been given back.</summary>
    internal uint FreedGeneration { get; set; }

    /// <summary>Number of names; 0 when deleted.</summary>
    public virtual uint Nlink { get; set => Keep(ref field, value); }

    /// <summary>Device number of a device file.</summary>
    public virtual uint Rdev { get; set; }

    /// <summary>Time of last access, change of contents, change of attributes.</summary>
    public virtual long Atime { get; set => Keep(ref field, value); }

    /// <inheritdoc cref="Atime"/>
    public virtual long Mtime { get; set => Keep(ref field, value); }

    /// <inheritdoc cref="Atime"/>
    public virtual long Ctime { get; set => Keep(ref field, value); }

    /// <summary>Directory that holds the file; for a mounted root that of the directory it covers. Null for the root of all.</summary>
    public Inode? Parent { get; set; }

    /// <summary>Name in <see cref="Parent"/>.</summary>
    public string Name { get; set; } = "";

    /// <summary>Root of the file system mounted over this directory.</summary>
    public Inode? MountedHere { get; set; }

    /// <summary>Extended attributes; null when there are none. What a store has is read anew each time.</summary>
    internal virtual SortedDictionary<string, byte[]>? Xattrs
    {
        get => Store is null ? field : Store.ReadAttributes();
        private set;
    }

    /// <summary>Gives the file these extended attributes: 0, -ENOSPC, -EIO.</summary>
    internal virtual long SetXattrs(SortedDictionary<string, byte[]>? attributes)
    {
        if (Store is not null)
            return Store.WriteAttributes(this, attributes ?? []);
        Xattrs = attributes;
        return 0;
    }

    /// <summary>Advisory locks; null when there never was one.</summary>
    internal FileLocks? Locks { get; set; }

    /// <summary>Leases; null when there never was one.</summary>
    internal FileLeases? Leases { get; set; }

    /// <summary>Watches on the file; null when there are none.</summary>
    internal virtual List<FileWatch>? Watches { get; set; }

    /// <summary>Whether somebody watches the file or its directory, or might.</summary>
    internal bool IsWatched => Watches != null || Parent?.Watches != null || Fs.Vfs.Fanotify.Any;

    /// <summary>Number of open file descriptions.</summary>
    public int OpenCount { get; private set; }

    /// <summary>Open file descriptions that may write, and programs that run from the file: one excludes the other with ETXTBSY
    /// (i_writecount).</summary>
    public int Writers { get; internal set; }

    /// <inheritdoc cref="Writers"/>
    public int DeniesWrites { get; internal set; }

    /// <summary>The type bits of the mode.</summary>
    public uint Type => Mode & Modes.S_IFMT;

    /// <summary>Whether the file is a directory.</summary>
    public bool IsDirectory => Type == Modes.S_IFDIR;

    /// <summary>Whether the file is a symbolic link.</summary>
    public bool IsSymlink => Type == Modes.S_IFLNK;

    /// <summary>Whether the file is a regular file.</summary>
    public bool IsRegular => Type == Modes.S_IFREG;

    /// <summary>st_size in bytes.</summary>
    public virtual long Size => 0;

    /// <summary>st_blocks: units of 512 bytes.</summary>
    public virtual long Blocks => (Size + 4095) / 4096 * 8;

    /// <summary>Finds a name in a directory: 0, -ENOENT, -ENOTDIR.</summary>
    public virtual long Lookup(string name, out Inode? child)
    {
        child = null;
        return -Errno.ENOTDIR;
    }

    /// <summary>All names of a directory without . and .., in ordinal order.</summary>
    public virtual IReadOnlyList<DirectoryEntry> List() => [];

    /// <summary>Contents of a symbolic link.</summary>
    public virtual long ReadLink(out string target)
    {
        target = "";
        return -Errno.EINVAL;
    }

    /// <summary>The file that a link of /proc names by itself rather than by a path; null for a link with a path.</summary>
    public virtual Inode? MagicTarget => null;

    /// <summary>True for a link that is followed through <see cref="MagicTarget"/>.</summary>
    public virtual bool IsMagicLink => false;

    /// <summary>Makes a file in this directory. The name is not there yet.</summary>
    /// <param name="name">New name.</param>
    /// <param name="mode">Type and permissions.</param>
    /// <param name="owner">Identity that owns it.</param>
    /// <param name="rdev">Device number.</param>
    /// <param name="target">Contents of a symbolic link.</param>
    /// <param name="node">The new file.</param>
    public virtual long Create(string name, uint mode, Credentials owner, uint rdev, string? target, out Inode? node)
    {
        node = null;
        return -Errno.EPERM;
    }

    /// <summary>Adds a hard link.</summary>
    public virtual long Link(string name, Inode node) => -Errno.EPERM;

    /// <summary>Removes a name (checks were made).</summary>
    public virtual long Remove(string name, Inode node) => -Errno.EPERM;

    /// <summary>Moves a name, replacing what the new name names; or swaps both.</summary>
    public virtual long Rename(string name, Inode node, Inode newDirectory, string newName, Inode? replaced, bool exchange) => -Errno.EPERM;

    /// <summary>Sets the size of a regular file in bytes.</summary>
    public virtual long Truncate(long size) => IsDirectory ? -Errno.EISDIR : -Errno.EINVAL;

    /// <summary>Called after mode, owner or times were set from a system call; a file of the host passes them on.</summary>
    /// <param name="what">What changed.</param>
    public virtual long AttributesChanged(AttributeChange what) => 0;

    /// <summary>Makes a regular file without a name for O_TMPFILE in this directory's file system: 0, -EOPNOTSUPP, -ENOSPC.</summary>
    internal virtual long CreateUnnamed(uint permissions, Credentials owner, out Inode? node)
    {
        node = null;
        return -Errno.EOPNOTSUPP;
    }

    /// <summary>Takes blocks for a range of bytes of a regular file (fallocate): 0, -EOPNOTSUPP, -ENOSPC.</summary>
    internal virtual long Allocate(long position, long length) => -Errno.EOPNOTSUPP;

    /// <summary>Zeroes a range of bytes of a regular file (FALLOC_FL_PUNCH_HOLE, ZERO_RANGE): 0, -EOPNOTSUPP, -EIO.</summary>
    internal virtual long Zero(long position, long length) => -Errno.EOPNOTSUPP;

    /// <summary>Next byte with data (or the next hole) at or after a position; the end counts as a hole. -ENXIO past the end.</summary>
    internal virtual long Seek(long position, bool data) => position < 0 || position >= Size ? -Errno.ENXIO : data ? position : Size;

    /// <summary>Writes pages that are mapped shared, and cover some of the bytes from one to another, back to where the file's contents are
    /// kept: 0, or the error of what keeps them.</summary>
    internal virtual long SyncMapped(long from = 0, long to = long.MaxValue) => 0;

    /// <summary>A page of a shared mapping is about to be written to for the first time since it was clean: 0, -ENOSPC, -EIO
    /// (page_mkwrite).</summary>
    internal virtual long PageWillBeWritten(long offset) => 0;

    /// <summary>Opens the file. Permissions were checked.</summary>
    public abstract long Open(int flags, IFileUser? task, out OpenFile? file);

    /// <summary>Reads one page of contents at a byte offset, zero past the end; false when the file cannot be read.</summary>
    public virtual bool ReadPage(ulong offset, Span<byte> page) => false;

    /// <summary>Physical address of the page that holds the contents at an offset for everybody who only reads them (the page cache); 0:
    /// past the end, or the file keeps no such pages.</summary>
    public virtual ulong CachedPagePa(ulong offset) => 0;

    /// <inheritdoc cref="Memory.IMappedFile.HasAsPage"/>
    public virtual bool HasAsPage(ulong offset, ulong pa) => false;

    /// <summary>Physical address of the page that all shared mappings of this offset use; 0 past the end (SIGBUS) or when the
    /// file cannot be mapped. Valid as long as the file is open: a mapping holds a reference to its <see cref="OpenFile"/>.</summary>
    public virtual ulong SharedPagePa(ulong offset) => 0;

    /// <summary>Whether the file can be mapped at all (mmap gives ENODEV otherwise).</summary>
    public virtual bool CanMap => false;

    /// <summary>Bytes that the file's attributes and names are counted with; given back when it has no name and nobody has it open.
    /// </summary>
    internal long Charged { get; set; }

    /// <summary>Counts the file itself, made by the guest, with its name or contents. False: ENOSPC.</summary>
    internal bool TryCharge(long bytes)
    {
        if (Charged == 0 && !Fs.TakeInode())
            return false;
        if (!Fs.Vfs.TryCharge(bytes))
        {
            if (Charged == 0)
                Fs.GiveInode();
            return false;
        }
        Charged += bytes;
        return true;
    }

    /// <summary>Gives the bytes back when the file is gone.</summary>
    internal void Uncharge()
    {
        if (Nlink != 0 || OpenCount != 0)
            return;
        Freed();
        Store?.Freed(this);
        if (Charged != 0)
            Fs.GiveInode();
        Fs.Vfs.Charge(-Charged);
        Charged = 0;
    }

    /// <summary>Called when the file has no name any more and nobody has it open.</summary>
    protected virtual void Freed()
    {
    }

    internal void Opened()
    {
        OpenCount++;
        Fs.Open++;
        Fs.Whole.Held++;
        Fs.Vfs.KeepMount(Fs);
    }

    internal void Closed()
    {
        Fs.Open--;
        FileSystem whole = Fs.Whole;
        whole.Held--;
        if (--OpenCount == 0)
        {
            LastClosed();
            Uncharge();
        }
        if (whole is { Held: 0, MountCount: 0, HasNoPaths: false })
            Fs.Vfs.ReleaseDisk(whole);
    }

    /// <summary>Called when the last open file description is gone.</summary>
    protected virtual void LastClosed()
    {
    }

    internal void TouchModified()
    {
        Mtime = Ctime = Fs.Vfs.NowRealtime;
    }

    internal void TouchAccessed()
    {
        if (Fs.Has(MountFlags.MS_NOATIME | MountFlags.MS_RDONLY) || (Flags & InodeFlags.NoAtime) != 0
            || (IsDirectory && Fs.Has(MountFlags.MS_NODIRATIME)))
            return;
        long now = Fs.Vfs.NowRealtime;
        if (Fs.Has(MountFlags.MS_STRICTATIME) || Atime <= Mtime || Atime <= Ctime || now - Atime > 86_400_000_000_000)
            Atime = now;
    }
}

/// <summary>What <see cref="Inode.AttributesChanged"/> tells.</summary>
public enum AttributeChange
{
    /// <summary>Permission bits.</summary>
    Mode,

    /// <summary>Owner or group.</summary>
    Owner,

    /// <summary>Access or modification time.</summary>
    Times,
}
