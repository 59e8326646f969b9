using System.Buffers.Binary;
using System.Text;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Files;

/// <summary>One watch of an inotify instance on one file.</summary>
internal sealed class InotifyWatch(InotifyFile owner, int number, Inode inode, uint mask) : FileWatch(inode, mask)
{
    public InotifyFile Owner { get; } = owner;

    public int Number { get; } = number;

    internal override void Happened(uint mask, uint cookie, string name)
    {
        if ((mask & Mask & InotifyBits.IN_ALL) == 0)
            return;
        Owner.Queue(Number, mask, cookie, name);
        if ((Mask & InotifyBits.IN_ONESHOT) != 0)
            Ended();
    }

    internal override void Ended() => Owner.RemoveWatch(Number);
}

/// <summary>The inotify instances of a kernel.</summary>
internal sealed class InotifyInstances
{
    private readonly List<InotifyFile> _all = [];

    /// <summary>Events that a new instance's queue holds (fs.inotify.max_queued_events).</summary>
    internal int MostQueued { get; set; } = 16384;

    internal void Add(InotifyFile file) => _all.Add(file);

    internal void Remove(InotifyFile file) => _all.Remove(file);

    /// <summary>A file system is gone, and all that watches its files hear of it (fsnotify_unmount_inodes).</summary>
    internal void Unmounted(FileSystem fs)
    {
        foreach (InotifyFile file in _all)
            file.Unmounted(fs);
    }
}

/// <summary>An inotify instance: a queue of events on the files that it watches.</summary>
internal sealed class InotifyFile(Vfs vfs, int flags) : OpenFile(new AnonymousInode(vfs.Anonymous, 0x180), OpenFlags.O_RDONLY | flags)
{
    /// <summary>fs.inotify.max_queued_events when it was made.</summary>
    private readonly int _maxQueued = vfs.Inotify.MostQueued;
    private readonly Queue<byte[]> _events = new();
    private readonly Dictionary<int, InotifyWatch> _watches = [];
    private byte[]? _last;
    private readonly AsyncFiles _async = new();
    private int _nextNumber = 1;

    /// <summary>Who has made it.</summary>
    private readonly Credentials _maker = vfs.Current!.Credentials;

    internal override AsyncFiles ReadAsync => _async;

    public override PollSource Source { get; } = new();

    public override string Description => "anon_inode:inotify";

    /// <summary>Watches on a file system end with it.</summary>
    internal void Unmounted(FileSystem fs)
    {
        foreach (InotifyWatch watch in _watches.Values.Where(w => w.Inode.Real.Fs == fs).ToArray())
        {
            Queue(watch.Number, InotifyBits.IN_UNMOUNT | (watch.Inode.IsDirectory ? InotifyBits.IN_ISDIR : 0), 0, "");
            RemoveWatch(watch.Number);
        }
    }

    public long AddWatch(Inode inode, uint mask)
    {
        if (inode.Watches?.Find(w => w is InotifyWatch i && i.Owner == this) is InotifyWatch watch)
        {
            if ((mask & InotifyBits.IN_MASK_CREATE) != 0)
                return -Errno.EEXIST;
            watch.Mask = (mask & InotifyBits.IN_MASK_ADD) != 0 ? watch.Mask | mask : mask;
            return watch.Number;
        }
        if (!vfs.UserCounts.TryTake(_maker, UserCount.InotifyWatches))
            return -Errno.ENOSPC;
        var made = new InotifyWatch(this, _nextNumber++, inode, mask);
        (inode.Watches ??= []).Add(made);
        _watches.Add(made.Number, made);
        return made.Number;
    }

    public long RemoveWatch(int number)
    {
        if (!_watches.Remove(number, out InotifyWatch? watch))
            return -Errno.EINVAL;
        watch.Detach();
        vfs.UserCounts.Give(_maker, UserCount.InotifyWatches);
        Queue(number, InotifyBits.IN_IGNORED, 0, "");
        return 0;
    }

    public void Queue(int number, uint mask, uint cookie, string name)
    {
        int length = name.Length == 0 ? 0 : (name.Length + 16) / 16 * 16;
        byte[] record = new byte[16 + length];
        BinaryPrimitives.WriteInt32LittleEndian(record, number);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(4), mask);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(8), cookie);
        BinaryPrimitives.WriteInt32LittleEndian(record.AsSpan(12), length);
        Encoding.Latin1.GetBytes(name, record.AsSpan(16));
        // Equal events in a row are one event.
        if (_events.Count > 0 && _last != null && _last.AsSpan().SequenceEqual(record))
            return;
        if (_events.Count >= _maxQueued)
        {
            // The rest is lost, and one event says so.
            record = new byte[16];
            BinaryPrimitives.WriteInt32LittleEndian(record, -1);
            BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(4), InotifyBits.IN_Q_OVERFLOW);
            if (_last.AsSpan().SequenceEqual(record))
                return;
        }
        _events.Enqueue(_last = record);
        Source.Notify(PollBits.Readable);
        _async.Tell(IoEvent.In);
    }

    /// <summary>A line a watch, the newest first (inotify_fdinfo).</summary>
    public override string FdInfo => string.Concat(_watches.Values.OrderByDescending(w => w.Number).Select(w =>
        $"inotify wd:{w.Number:x} ino:{w.Inode.Ino:x} sdev:{w.Inode.Fs.KernelDevice:x} "
        + $"mask:{w.Mask & ~(InotifyBits.IN_MASK_ADD | InotifyBits.IN_MASK_CREATE):x} ignored_mask:0 {FileHandle.Text(w.Inode)}\n"));

    public override long Read(Span<byte> buffer, long position)
    {
        if (_events.Count == 0)
            return -Errno.EAGAIN;
        int done = 0;
        while (_events.TryPeek(out byte[]? record) && done + record.Length <= buffer.Length)
        {
            record.CopyTo(buffer[done..]);
            done += record.Length;
            _events.Dequeue();
        }
        return done == 0 ? -Errno.EINVAL : done;
    }

    public override uint Poll() => _events.Count > 0 ? PollBits.Readable : 0;

    public override long Ioctl(IFileUser user, uint command, ulong argument) => command == IoctlNumbers.FIONREAD
        ? user.Memory.Write(argument, _events.Sum(e => e.Length)) ? 0 : -Errno.EFAULT
        : -Errno.ENOTTY;

    protected override void Released()
    {
        vfs.Inotify.Remove(this);
        vfs.UserCounts.Give(_maker, UserCount.InotifyWatches, _watches.Count);
        vfs.UserCounts.Give(_maker, UserCount.InotifyInstances);
        foreach (InotifyWatch watch in _watches.Values)
            watch.Detach();
        _watches.Clear();
    }
}

public sealed partial class Vfs
{
    private uint _moveCookie;

    /// <summary>Tells the watches on a file, and those on its directory, that something happened to it.</summary>
    /// <param name="inode">The file.</param>
    /// <param name="mask">IN_* bits.</param>
    /// <param name="selfOnly">Leaves the directory's watches out.</param>
    /// <param name="path">The file at the place where it was opened; null: no path is known. For fanotify.</param>
    internal void NotifyWatches(Inode inode, uint mask, bool selfOnly = false, Inode? path = null)
    {
        if (inode.IsDirectory)
            mask |= InotifyBits.IN_ISDIR;
        if (Fanotify.Any)
            Fanotify.Happened(mask, inode, path, selfOnly);
        mask &= ~Fan.OPEN_EXEC;
        // Of one event a queue gets that of the directory first; a file without a name is still known by its last.
        if (!selfOnly && inode.Parent?.Watches is { } parents)
        {
            foreach (FileWatch watch in parents.ToArray())
            {
                if (inode.Nlink > 0 || (watch.Mask & InotifyBits.IN_EXCL_UNLINK) == 0)
                    watch.Happened(mask, 0, inode.Name);
            }
        }
        foreach (FileWatch watch in inode.Watches?.ToArray() ?? [])
        {
            bool ofItself = (mask & (InotifyBits.IN_DELETE_SELF | InotifyBits.IN_MOVE_SELF)) != 0;
            watch.Happened(ofItself ? mask & ~InotifyBits.IN_ISDIR : mask, 0, "");
            if ((mask & InotifyBits.IN_DELETE_SELF) != 0)
                watch.Ended();
        }
    }

    /// <summary>The groups of fanotify.</summary>
    internal FanotifyGroups Fanotify { get; } = new();

    private static void NotifyName(Inode directory, uint mask, string name, Inode node, uint cookie = 0)
    {
        if (mask != FileWatch.Renamed && directory.Fs.Vfs.Fanotify is { Any: true } groups)
            groups.Named(mask, directory, name, node);
        if (directory.Watches == null)
            return;
        if (node.IsDirectory)
            mask |= InotifyBits.IN_ISDIR;
        foreach (FileWatch watch in directory.Watches.ToArray())
            watch.Happened(mask, cookie, name);
    }

    private void NotifyMove(Inode from, string oldName, Inode to, string newName, Inode node, Inode? replaced)
    {
        uint cookie = ++_moveCookie;
        if (Fanotify.Any)
            Fanotify.Renamed(from, oldName, to, newName, node);
        if (from == to)
            NotifyName(from, FileWatch.Renamed, oldName, node);
        NotifyName(from, InotifyBits.IN_MOVED_FROM, oldName, node, cookie);
        NotifyName(to, InotifyBits.IN_MOVED_TO, newName, node, cookie);
        if (replaced is { IsWatched: true })
            NotifyWatches(replaced, InotifyBits.IN_ATTRIB, true);
        if (node.IsWatched)
            NotifyWatches(node, InotifyBits.IN_MOVE_SELF, true);
        if (replaced is not null)
            NotifyGone(replaced);
    }

    /// <summary>A name or an open file description went: a file that has neither any more is gone (fsnotify_inoderemove).</summary>
    internal void NotifyGone(Inode node)
    {
        if (node is { Nlink: 0, OpenCount: 0, IsWatched: true })
            NotifyWatches(node, InotifyBits.IN_DELETE_SELF, true);
    }
}
