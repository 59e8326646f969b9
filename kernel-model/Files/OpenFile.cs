using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Waiting;

namespace ArmVdso.Kernel.Files;

/// <summary>Where tasks wait for a change of readiness, with counters for edge-triggered epoll.</summary>
public sealed class PollSource
{
    /// <summary>The sleepers.</summary>
    public WaitQueue Queue { get; } = new();

    /// <summary>How often the file became readable, and writable.</summary>
    public ulong InEvents { get; private set; } = 1;

    /// <inheritdoc cref="InEvents"/>
    public ulong OutEvents { get; private set; } = 1;

    /// <summary>Announces new data, space or an error, and wakes everybody.</summary>
    public void Notify(uint events)
    {
        if ((events & ~PollBits.Writable) != 0)
            InEvents++;
        if ((events & ~(PollBits.Readable | PollBits.RdHup)) != 0)
            OutEvents++;
        Queue.WakeAll(events);
    }
}

/// <summary>An open file description (struct file): position, status flags, reference count. Operations never sleep: they return
/// -EAGAIN when they would, and the system call body sleeps on <see cref="Source"/> and tries again.</summary>
public abstract class OpenFile : IMappedFile
{
    private readonly int _charged;
    private int _references = 1;
    private bool _writes;

    /// <summary>Sets of epoll that have it, and by which descriptor.</summary>
    private HashSet<(EpollFile Set, int Fd)>? _polledBy;

    /// <summary>What one that is open takes of the host, in bytes, with what belongs to it alone.</summary>
    protected virtual int HostBytes => Inode is AnonymousInode ? 640 : 256;

    /// <summary>Opens <paramref name="inode"/> with the flags of openat.</summary>
    protected OpenFile(Inode inode, int flags)
    {
        Inode = inode;
        _charged = inode.Fs.Vfs.Host is null ? 0 : HostBytes;
        inode.Fs.Vfs.Charge(_charged);
        Flags = flags & ~(OpenFlags.O_CREAT | OpenFlags.O_EXCL | OpenFlags.O_NOCTTY | OpenFlags.O_TRUNC | OpenFlags.O_CLOEXEC);
        inode.Opened();
    }

    /// <summary>The file.</summary>
    public Inode Inode { get; }

    /// <summary>Where it was opened, if that is a second place of the file (a bind mount); else null.</summary>
    internal Inode? Place { get; set; }

    /// <summary>Access mode and status flags (F_GETFL).</summary>
    public int Flags { get; set; }

    /// <summary>Position in bytes (for a directory, in entries).</summary>
    public long Position { get; set; }

    /// <summary>LANDLOCK_ACCESS_FS_TRUNCATE and LANDLOCK_ACCESS_FS_IOCTL_DEV that its opener did not have (hook_file_open).</summary>
    internal ulong Withheld { get; set; }

    /// <summary>Nobody hears of what is done by it: it came with an event of fanotify (FMODE_NONOTIFY).</summary>
    internal bool IsSilent { get; set; }

    /// <summary>The open made the file (F_CREATED_QUERY).</summary>
    public bool Created { get; internal set; }

    /// <summary>Who gets its signals (F_SETOWN): a PID of the first PID namespace, a process group as a negative number, or 0.</summary>
    public int Owner { get; set; }

    /// <summary>User and effective user who said so: what they may not send does not arrive (struct fown_struct).</summary>
    internal (uint Uid, uint Euid) OwnerMaker { get; set; }

    /// <summary>F_SETOWN_EX with F_OWNER_TID: the owner is one thread.</summary>
    public bool OwnerIsThread { get; set; }

    /// <summary>F_SETSIG; 0: SIGIO without information.</summary>
    public int SignalNumber { get; set; }

    /// <summary>Who hears by signal that there is something to read; null: the file has no such signals (no fasync operation).</summary>
    internal virtual AsyncFiles? ReadAsync => null;

    /// <summary>Who hears by signal that there is room.</summary>
    internal virtual AsyncFiles? WriteAsync => null;

    /// <summary>The terminal that it is an end of; null: none.</summary>
    internal virtual Terminal? Terminal => null;

    /// <summary>O_ASYNC through a descriptor. False: the file has no such signals.</summary>
    internal bool SetAsync(int descriptor, bool on)
    {
        if (ReadAsync is null && WriteAsync is null)
            return false;
        ReadAsync?.Set(this, descriptor, on);
        WriteAsync?.Set(this, descriptor, on);
        Flags = on ? Flags | OpenFlags.O_ASYNC : Flags & ~OpenFlags.O_ASYNC;
        return true;
    }

    /// <summary>Whether reads are allowed.</summary>
    public bool CanRead => (Flags & OpenFlags.O_PATH) == 0 && (Flags & OpenFlags.O_ACCMODE) is OpenFlags.O_RDONLY or OpenFlags.O_RDWR;

    /// <summary>Whether writes are allowed.</summary>
    public bool CanWrite => (Flags & OpenFlags.O_PATH) == 0 && (Flags & OpenFlags.O_ACCMODE) is OpenFlags.O_WRONLY or OpenFlags.O_RDWR;

    /// <inheritdoc/>
    public bool WriteSealed => Inode is RegularFile { Seals: var seals } && (seals & 0x18) != 0;

    /// <summary>Opened with O_PATH.</summary>
    public bool IsPath => (Flags & OpenFlags.O_PATH) != 0;

    /// <summary>O_NONBLOCK.</summary>
    public bool NonBlocking => (Flags & OpenFlags.O_NONBLOCK) != 0;

    /// <summary>Whether lseek, pread and pwrite work.</summary>
    public virtual bool Seekable => false;

    /// <summary>Where SEEK_END counts from, in bytes.</summary>
    public virtual long EndPosition => Inode.Size;

    /// <summary>Whether a read may be cut into several (regular files) without a change of meaning.</summary>
    public virtual bool IsStreamOfBytes => Seekable;

    /// <summary>Whether a write that took a part goes on with the rest; an event counter takes its 8 bytes and no more.</summary>
    public virtual bool WritesRest => true;

    /// <summary>Whether what is written to it is not looked at.</summary>
    public virtual bool LeavesBytes => false;

    /// <summary>What sleeps for this file wait on; null when it is always ready.</summary>
    public virtual PollSource? Source => null;

    /// <summary>The name that /proc/PID/fd shows.</summary>
    public virtual string Description => Inode.Fs.Vfs.PathOf(Place ?? Inode, null) + (Inode.Nlink == 0 ? " (deleted)" : "");

    /// <summary>The name that /proc/PID/maps shows.</summary>
    public string Path => Description;

    /// <summary>Device and inode number for /proc/PID/maps.</summary>
    public (uint Major, uint Minor, ulong Inode) DeviceAndInode => (Inode.Fs.Device >> 8, Inode.Fs.Device & 0xFF, Inode.Ino);

    /// <summary>Whether mmap works; ENODEV otherwise.</summary>
    public virtual bool CanMap => Inode.CanMap;

    /// <summary>One page of contents for a private mapping, zero past the end; false: the page cannot be read, or lies beyond the end.
    /// </summary>
    public virtual bool ReadPage(ulong offset, Span<byte> page) =>
        !(Inode.IsRegular && (long)offset >= Inode.Size) && Inode.ReadPage(offset, page);

    /// <inheritdoc cref="Inode.CachedPagePa"/>
    public virtual ulong CachedPagePa(ulong offset) => Inode.CachedPagePa(offset);

    /// <inheritdoc/>
    public bool HasAsPage(ulong offset, ulong pa) => Inode.HasAsPage(offset, pa);

    /// <summary>Physical page of a shared mapping; 0 past the end. The mapping must hold a reference to this file.</summary>
    public virtual ulong SharedPagePa(ulong offset) => Inode.SharedPagePa(offset);

    /// <summary>Reads at a position in bytes; the position matters only where <see cref="Seekable"/>.</summary>
    public virtual long Read(Span<byte> buffer, long position) => -Errno.EINVAL;

    /// <summary>Writes at a position in bytes.</summary>
    public virtual long Write(ReadOnlySpan<byte> data, long position) => -Errno.EINVAL;

    /// <summary>Whether its bytes can go into a pipe without a stop in the guest (f_op->splice_read).</summary>
    internal virtual bool GivesToPipes => Inode.Type is not (0 or Modes.S_IFDIR);

    /// <summary>Whether it takes a pipe's bytes in that way (f_op->splice_write).</summary>
    internal virtual bool TakesFromPipes => GivesToPipes;

    /// <summary>Readiness now (poll bits).</summary>
    public virtual uint Poll() => PollBits.Always;

    /// <summary>Whether the file has a poll operation at all; epoll takes no others (file_can_poll).</summary>
    public virtual bool CanPoll => !Inode.IsRegular && !Inode.IsDirectory && Inode.Type != Modes.S_IFBLK;

    /// <summary>Adds every queue whose wake-up can change <see cref="Poll"/>.</summary>
    public virtual void CollectQueues(List<WaitQueue> queues)
    {
        if (Source is { } source)
            queues.Add(source.Queue);
    }

    /// <summary>Performs an ioctl.</summary>
    public virtual long Ioctl(IFileUser user, uint command, ulong argument) => -Errno.ENOTTY;

    /// <summary>Lines for /proc/PID/fdinfo beyond pos, flags and mnt_id.</summary>
    public virtual string FdInfo => "";

    /// <summary>The same where numbers of processes in it are those of a PID namespace.</summary>
    internal virtual string FdInfoIn(PidNamespace space) => FdInfo;

    /// <summary>The last reference is gone.</summary>
    protected virtual void Released()
    {
    }

    /// <summary>Takes one more reference.</summary>
    public OpenFile AddReference()
    {
        _references++;
        return this;
    }

    /// <inheritdoc/>
    public void Hold() => _references++;

    /// <summary>A process closes one of its descriptors (f_op->flush).</summary>
    internal virtual void Flush(FileTable table)
    {
    }

    /// <inheritdoc/>
    public bool HearsOfWrites => Inode.IsRegular && !Inode.Fs.IsMemory;

    /// <inheritdoc/>
    public bool IsSharedMemory => Inode.Real is RegularFile && Inode.Fs.IsMemory;

    /// <inheritdoc/>
    public bool? HasPage(ulong offset) => (long)offset >= Inode.Size ? null : Inode.Real is RegularFile file && file.Has((long)offset);

    /// <inheritdoc/>
    public bool PageWritten(ulong offset)
    {
        Inode.TouchModified();
        return Inode.PageWillBeWritten((long)offset) == 0;
    }

    /// <inheritdoc/>
    public object MappedObject => Inode.Real;

    /// <inheritdoc/>
    public void DenyWrites() => Inode.DeniesWrites++;

    /// <inheritdoc/>
    public void AllowWrites() => Inode.DeniesWrites--;

    /// <summary>The file was opened for writing by its name: as long as it is, the file cannot be executed (get_write_access).</summary>
    internal void CountAsWriter()
    {
        _writes = true;
        Inode.Writers++;
        Inode.Fs.Writers++;
    }

    /// <summary>Drops a reference; the last one releases the file.</summary>
    public void Release()
    {
        if (--_references != 0)
            return;
        if (_writes)
        {
            Inode.Writers--;
            Inode.Fs.Writers--;
        }
        Inode.Locks?.ReleaseOwner(this);
        Inode.Leases?.Release(this);
        if ((Flags & OpenFlags.O_ASYNC) != 0)
            SetAsync(-1, false);
        Inode.Fs.Vfs.Charge(-_charged);
        if (_polledBy is not null)
        {
            foreach ((EpollFile set, int fd) in _polledBy)
                set.Forget(fd, this);
            _polledBy = null;
        }
        Released();
        if (!IsPath && !IsSilent && Inode.IsWatched)
        {
            uint closed = CanWrite ? InotifyBits.IN_CLOSE_WRITE : InotifyBits.IN_CLOSE_NOWRITE;
            Inode.Fs.Vfs.NotifyWatches(Inode, closed, false, Place ?? Inode);
        }
        Inode.Closed();
        Inode.Fs.Vfs.NotifyGone(Inode);
    }

    /// <summary>A set of epoll has it from now on, and hears of its end.</summary>
    internal void PolledBy(EpollFile set, int fd) => (_polledBy ??= []).Add((set, fd));

    /// <summary>A set has it no more.</summary>
    internal void PolledNoMore(EpollFile set, int fd) => _polledBy?.Remove((set, fd));

    /// <summary>References held by tables, mappings and messages.</summary>
    public int References => _references;
}

/// <summary>A descriptor opened with O_PATH: names a file, does nothing.</summary>
public sealed class PathFile(Inode inode, int flags)
    : OpenFile(inode, flags & (OpenFlags.O_PATH | OpenFlags.O_DIRECTORY | OpenFlags.O_NOFOLLOW))
{
    /// <inheritdoc/>
    public override long Read(Span<byte> buffer, long position) => -Errno.EBADF;

    /// <inheritdoc/>
    public override long Write(ReadOnlySpan<byte> data, long position) => -Errno.EBADF;

    /// <inheritdoc/>
    public override uint Poll() => PollBits.Nval;
}

/// <summary>An open directory.</summary>
public sealed class DirectoryFile(Inode inode, int flags) : OpenFile(inode, flags)
{
    /// <summary>Names that are not counted, and bytes that one more is counted with beside its letters.</summary>
    private const int Free = 1024, EntryCost = 64;

    private IReadOnlyList<DirectoryEntry>? _entries;
    private long _charged;

    /// <inheritdoc/>
    public override bool Seekable => true;

    /// <inheritdoc/>
    public override bool IsStreamOfBytes => false;

    /// <summary>The listing: taken at position 0 and kept until the next rewind, as POSIX allows. Null: there is no memory for it
    /// (ENOMEM).</summary>
    public IReadOnlyList<DirectoryEntry>? Entries
    {
        get
        {
            if (_entries == null || Position == 0)
            {
                var entries = new List<DirectoryEntry>
                {
                    new(".", Inode.Ino, 4),
                    new("..", (Inode.Parent ?? Inode).Ino, 4),
                };
                entries.AddRange(Inode.List());
                Forget();
                long cost = entries.Count <= Free ? 0 : entries.Sum(e => EntryCost + 2L * e.Name.Length);
                if (!Inode.Fs.Vfs.TryCharge(cost))
                    return null;
                (_entries, _charged) = (entries, cost);
            }
            return _entries;
        }
    }

    private void Forget()
    {
        Inode.Fs.Vfs.Charge(-_charged);
        (_entries, _charged) = (null, 0);
    }

    /// <inheritdoc/>
    protected override void Released() => Forget();

    /// <inheritdoc/>
    public override long Read(Span<byte> buffer, long position) => -Errno.EISDIR;
}
