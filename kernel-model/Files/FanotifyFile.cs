using System.Buffers.Binary;
using System.Text;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Files;

/// <summary>A fanotify group: marks on files, mounts and file systems, and the events that wait to be read
/// (fs/notify/fanotify/fanotify.c, fanotify_user.c).</summary>
/// <param name="vfs">The tree of files.</param>
/// <param name="options">Flags of fanotify_init.</param>
/// <param name="eventFlags">O_* flags of the descriptors that come with events.</param>
/// <param name="maker">Whose groups and marks it counts among.</param>
/// <param name="unprivileged">Made without CAP_SYS_ADMIN.</param>
internal sealed class FanotifyFile(Vfs vfs, uint options, int eventFlags, Credentials maker, bool unprivileged)
    : OpenFile(new AnonymousInode(vfs.Anonymous, 0x180), OpenFlags.O_RDWR | ((options & Fan.NONBLOCK) != 0 ? OpenFlags.O_NONBLOCK : 0))
{
    private const int MetadataSize = 24, EventBytes = 256;

    // What the host keeps for a mark, and for a file that only the mark keeps.
    private const int MarkBytes = 1024;

    private readonly int _mostQueued = (options & Fan.UNLIMITED_QUEUE) != 0 ? int.MaxValue : vfs.Fanotify.MostQueued;
    private readonly Dictionary<(uint Kind, object At), FanotifyMark> _marks = [];
    private readonly Queue<Waiting> _queue = new();

    /// <summary>The events in the queue that an equal one becomes a part of.</summary>
    private readonly Dictionary<Likeness, Waiting> _open = [];

    /// <summary>Whether an event in the queue says that others were lost.</summary>
    private bool _overflowed;

    /// <summary>Questions that were read and not answered yet, by the descriptors that came with them. One whose descriptor was closed has
    /// its number with the next (access_list).</summary>
    private readonly List<(int Descriptor, FanotifyQuestion Question)> _asked = [];

    private long _lastMark;

    /// <summary>What makes events one (fanotify_should_merge).</summary>
    private readonly record struct Likeness(
        int Process, uint Qualifiers, Inode? Path, (Inode? Directory, string? Name, Inode? Child, Inode? Object) Identity,
        (Inode Directory, string Name)? Destination);

    /// <summary>An event that was not read yet.</summary>
    private sealed class Waiting
    {
        public required FileEvent What { get; init; }

        public required uint Mask { get; set; }

        public required int Process { get; init; }

        /// <summary>Keeps what a descriptor will be of.</summary>
        public OpenFile? Held { get; set; }

        public FanotifyQuestion? Question { get; init; }

        /// <summary>Of FAN_RENAME: whether the old and the new place are reported.</summary>
        public (bool Old, bool New) Places { get; init; }

        public Likeness Likeness { get; init; }
    }

    /// <summary>FAN_CLASS_*.</summary>
    internal uint Class => options & Fan.CLASS;

    /// <summary>Flags of fanotify_init.</summary>
    internal uint Options => options;

    /// <summary>Whether it was made without CAP_SYS_ADMIN.</summary>
    internal bool IsUnprivileged => unprivileged;

    private uint FidMode => options & Fan.FidModes;

    public override PollSource Source { get; } = new();

    public override string Description => "anon_inode:[fanotify]";

    public override uint Poll() => _queue.Count > 0 ? PollBits.Readable : 0;

    /// <summary>The group, and a line a mark, the newest first (fanotify_fdinfo).</summary>
    public override string FdInfo
    {
        get
        {
            var text = new StringBuilder($"fanotify flags:{options:x} event-flags:{eventFlags:x}\n");
            foreach (((uint kind, object at), FanotifyMark mark) in _marks.OrderByDescending(m => m.Value.Number))
            {
                string masks = $"mflags:{mark.Flags:x} mask:{mark.Mask:x} ignored_mask:{mark.Ignored:x}";
                text.Append(kind switch
                {
                    Fan.MARK_MOUNT => $"fanotify mnt_id:{vfs.MountOf((FileSystem)at)?.Id ?? 0:x} {masks}\n",
                    Fan.MARK_FILESYSTEM => $"fanotify sdev:{((FileSystem)at).KernelDevice:x} {masks}\n",
                    _ => $"fanotify ino:{((Inode)at).Ino:x} sdev:{((Inode)at).Fs.KernelDevice:x} {masks} "
                        + $"{FileHandle.Text((Inode)at)}\n",
                });
            }
            return text.ToString();
        }
    }

    private static (uint Kind, object At) Key(uint kind, Inode at) => kind switch
    {
        Fan.MARK_MOUNT => (kind, at.Fs),
        Fan.MARK_FILESYSTEM => (kind, at.Fs.Whole),
        _ => (0, at.Real),
    };

    /// <summary>The mark of a file, of its mount or of its file system; null: there is none.</summary>
    /// <param name="kind">One of <see cref="Fan.MarkKinds"/>, or 0.</param>
    /// <param name="at">The file.</param>
    internal FanotifyMark? Find(uint kind, Inode at) => _marks.GetValueOrDefault(Key(kind, at));

    /// <summary>Makes a mark where there is none: 0, -ENOSPC if the user has too many, -ENOMEM.</summary>
    internal long Make(uint kind, Inode at, out FanotifyMark? mark)
    {
        mark = null;
        if (Counts && !vfs.UserCounts.TryTake(maker, UserCount.FanotifyMarks))
            return -Errno.ENOSPC;
        if (!vfs.TryCharge(MarkBytes))
        {
            Uncount();
            return -Errno.ENOMEM;
        }
        _marks[Key(kind, at)] = mark = new FanotifyMark(++_lastMark);
        return 0;
    }

    /// <summary>Takes a mark away, if there is one.</summary>
    internal void Drop(uint kind, Inode at) => Drop(Key(kind, at));

    private void Drop((uint, object) key)
    {
        if (!_marks.Remove(key))
            return;
        vfs.Charge(-MarkBytes);
        Uncount();
    }

    private bool Counts => (options & Fan.UNLIMITED_MARKS) == 0;

    private void Uncount()
    {
        if (Counts)
            vfs.UserCounts.Give(maker, UserCount.FanotifyMarks);
    }

    /// <inheritdoc cref="FanotifyGroups.Evict"/>
    internal void Evict()
    {
        foreach (var (key, mark) in _marks.ToArray())
        {
            if (mark.IsEvictable && key.At is Inode { OpenCount: 0 })
                Drop(key);
        }
    }

    /// <summary>Marks go with the mount, or the file system, that they are on.</summary>
    internal void Unmounted(FileSystem gone)
    {
        foreach ((uint Kind, object At) key in _marks.Keys.Where(k => k.At == gone || (k.At as Inode)?.Fs == gone).ToArray())
            Drop(key);
    }

    /// <summary>FAN_MARK_FLUSH: takes all marks of a kind away.</summary>
    internal void Flush(uint kind)
    {
        foreach ((uint, object) key in _marks.Keys.Where(k => k.Kind == kind).ToArray())
            Drop(key);
    }

    /// <summary>Whether it hears of an event that asks.</summary>
    internal bool Wants(in FileEvent what) => Reported(what, out _) != 0;

    /// <summary>The events that are reported of what happened (fanotify_group_event_mask); 0: none.</summary>
    private uint Reported(in FileEvent what, out (bool Old, bool New) places)
    {
        places = (true, true);
        bool onDirectory = (what.Mask & Fan.ONDIR) != 0, ofName = (what.Mask & Fan.OfNames) != 0;
        if (FidMode == 0)
        {
            if (what.Path is not { } path || !(path.IsRegular || path.IsDirectory))
                return 0;
        }
        else if ((FidMode & Fan.REPORT_FID) == 0 && what.Directory is null && !onDirectory)
        {
            return 0;
        }
        uint wanted = 0, unwanted = 0;
        Inode marked = ofName ? what.Directory! : what.Target;
        bool here = Take(Find(0, marked), false), there = false;
        if (!ofName && what.Directory is { } parent)
            Take(Find(0, parent), true);
        if (what.Destination is { } destination)
            there = destination.Directory == marked ? here : Take(Find(0, destination.Directory), false);
        if (what.Path is { } opened)
            Take(Find(Fan.MARK_MOUNT, opened), false);
        bool everywhere = Take(Find(Fan.MARK_FILESYSTEM, what.Path ?? what.Target), false);
        if (what.Destination is not null && !everywhere)
            places = (here, there);
        uint mask = what.Mask & wanted & ~unwanted;
        if ((mask & ~Fan.Qualifiers) == 0)
            return 0;
        // Where files are told by descriptors, directories are not told from other files.
        return mask & ~(Fan.EVENT_ON_CHILD | (FidMode == 0 ? Fan.ONDIR : 0));

        bool Take(FanotifyMark? mark, bool ofParent)
        {
            if (mark is null)
                return false;
            unwanted |= mark.Unwanted(onDirectory, ofParent);
            uint applied = mark.Wanted(onDirectory, ofParent);
            wanted |= applied;
            return applied != 0;
        }
    }

    /// <summary>Puts an event at the end of the queue, or to an equal one that waits (fanotify_merge). A change makes marks forget what
    /// they ignore, whether the group hears of it or not (send_to_group).</summary>
    internal void Happened(in FileEvent what)
    {
        if ((what.Mask & InotifyBits.IN_MODIFY) != 0)
        {
            Find(0, what.Target)?.Changed();
            if (what.Directory is { } parent && Find(0, parent) is { WatchesChildren: true } above)
                above.Changed();
            if (what.Path is { } path)
                Find(Fan.MARK_MOUNT, path)?.Changed();
            Find(Fan.MARK_FILESYSTEM, what.Path ?? what.Target)?.Changed();
        }
        if (Reported(what, out var places) is not 0 and var mask)
        {
            int process = Number(vfs.Current);
            Likeness likeness = LikenessOf(what, mask, process);
            if (_open.TryGetValue(likeness, out Waiting? like))
                like.Mask |= mask;
            else
                Put(new Waiting { What = what, Mask = mask, Process = process, Places = places, Likeness = likeness });
        }
        if ((what.Mask & InotifyBits.IN_DELETE_SELF) != 0)
            Drop(0, what.Target);
    }

    /// <summary>Asks whether something may be done. False: nobody here wants to know.</summary>
    internal bool Ask(in FileEvent what, FanotifyQuestion question) => Reported(what, out _) is not 0 and var mask
        && Put(new Waiting { What = what, Mask = mask, Process = Number(question.Asker), Question = question });

    private int Number(IFileUser? task) => task is null ? 0 : (options & Fan.REPORT_TID) != 0 ? task.Tid : task.Pid;

    /// <summary>Who made an event, as the reader knows it: in its own PID namespace, and without privilege none but itself.</summary>
    private int Shown(int process) => vfs.Current is not { } reader || (unprivileged && process != reader.Pid) ? 0
        : reader.PidNamespace.NumberOf(process);

    private PathFile? Hold(in FileEvent what) =>
        FidMode == 0 && what.Path is { } path ? new PathFile(path.Real, OpenFlags.O_PATH) : null;

    private Likeness LikenessOf(in FileEvent what, uint mask, int process)
    {
        uint qualifiers = mask & (Fan.ONDIR | Fan.RENAME);
        return FidMode == 0 ? new Likeness(process, qualifiers, what.Path, default, null)
            : new Likeness(process, qualifiers, null, Identity(what), what.Destination);
    }

    /// <summary>What an event is reported by (fanotify_alloc_event): directory, name and child, or the file alone.</summary>
    private (Inode? Directory, string? Name, Inode? Child, Inode? Object) Identity(in FileEvent what)
    {
        bool ofName = (what.Mask & Fan.OfNames) != 0, onDirectory = (what.Mask & Fan.ONDIR) != 0;
        Inode id = ofName && (FidMode & Fan.REPORT_TARGET_FID) == 0 ? what.Directory! : what.Target;
        Inode? directory = ofName ? what.Directory : what.Target.IsDirectory ? what.Target : what.Directory;
        if ((FidMode & Fan.REPORT_DIR_FID) == 0 || directory is null)
            return (null, null, null, id);
        bool reportsChild = ofName ? (FidMode & Fan.REPORT_TARGET_FID) != 0 : (FidMode & Fan.REPORT_FID) != 0 && !onDirectory;
        Inode? child = reportsChild && id != directory ? id : null;
        string? name = (FidMode & Fan.REPORT_NAME) != 0 && (ofName || !onDirectory) ? what.Name : null;
        return child is null && name is null ? (null, null, null, directory) : (directory, name, child, null);
    }

    /// <summary>Puts an event at the end of the queue. False: it is full, what was asked is allowed; where there is no memory it is not.
    /// </summary>
    private bool Put(Waiting waiting)
    {
        if (_queue.Count >= _mostQueued)
        {
            Overflow();
            return false;
        }
        if (!vfs.TryCharge(EventBytes))
        {
            if (waiting.Question is null)
                Overflow();
            waiting.Question?.Done(-Errno.ENOMEM);
            return waiting.Question is not null;
        }
        waiting.Held = Hold(waiting.What);
        if (waiting.Question is null)
            _open[waiting.Likeness] = waiting;
        _queue.Enqueue(waiting);
        Source.Notify(PollBits.Readable);
        return true;
    }

    /// <summary>The rest is lost, and one event says so.</summary>
    private void Overflow()
    {
        if (_overflowed)
            return;
        _overflowed = true;
        _queue.Enqueue(new Waiting { What = default, Mask = Fan.Q_OVERFLOW, Process = 0 });
        Source.Notify(PollBits.Readable);
    }

    private Waiting Take()
    {
        Waiting next = _queue.Dequeue();
        if (next.Mask == Fan.Q_OVERFLOW)
        {
            _overflowed = false;
            return next;
        }
        if (next.Question is null)
            _open.Remove(next.Likeness);
        vfs.Charge(-EventBytes);
        return next;
    }

    public override long Read(Span<byte> buffer, long position)
    {
        if (_queue.Count == 0)
            return -Errno.EAGAIN;
        int done = 0;
        while (_queue.Count > 0)
        {
            Waiting next = _queue.Peek();
            byte[] more = (next.Mask & Fan.Q_OVERFLOW) != 0 ? [] : Records(next);
            int length = MetadataSize + more.Length + ((options & Fan.REPORT_PIDFD) != 0 ? 8 : 0);
            if (length > buffer.Length - done)
                break;
            Take();
            // An event whose file cannot be opened is lost, and the error told.
            if (Write(next, more, buffer.Slice(done, length)) is < 0 and long error)
                return done > 0 ? done : error;
            done += length;
        }
        return done == 0 ? -Errno.EINVAL : done;
    }

    private long Write(Waiting next, ReadOnlySpan<byte> more, Span<byte> buffer)
    {
        const byte version = 3, pidfdRecord = 4;
        const int noDescriptor = -1;
        int process = Shown(next.Process);
        long descriptor = noDescriptor;
        if (next.Held is { } held)
        {
            descriptor = Give(next.What.Path!);
            held.Release();
        }
        if (next.Question is { } question)
        {
            if (descriptor >= 0)
                _asked.Add(((int)descriptor, question));
            else
                question.Done(-Errno.EPERM);
        }
        if (descriptor < noDescriptor)
            return descriptor;
        buffer.Clear();
        BinaryPrimitives.WriteInt32LittleEndian(buffer, buffer.Length);
        buffer[4] = version;
        BinaryPrimitives.WriteUInt16LittleEndian(buffer[6..], MetadataSize);
        BinaryPrimitives.WriteUInt64LittleEndian(buffer[8..], next.Mask);
        BinaryPrimitives.WriteInt32LittleEndian(buffer[16..], (int)descriptor);
        BinaryPrimitives.WriteInt32LittleEndian(buffer[20..], process);
        more.CopyTo(buffer[MetadataSize..]);
        if ((options & Fan.REPORT_PIDFD) == 0)
            return 0;
        Span<byte> record = buffer[(MetadataSize + more.Length)..];
        record[0] = pidfdRecord;
        BinaryPrimitives.WriteUInt16LittleEndian(record[2..], 8);
        BinaryPrimitives.WriteInt32LittleEndian(
            record[4..], process != 0 && vfs.Host is { } host ? host.OpenProcess(next.Process) : noDescriptor);
        return 0;
    }

    /// <summary>A descriptor of a file for who reads, whose doings are not reported; or -errno, which is not -1 (-EPERM).</summary>
    private long Give(Inode place)
    {
        if (vfs.Current is not { } reader)
            return -Errno.ESRCH;
        bool writes = (eventFlags & OpenFlags.O_ACCMODE) != OpenFlags.O_RDONLY;
        if (writes && (place.IsDirectory || place.Fs.ReadOnly || place.Real.DeniesWrites > 0))
            return place.IsDirectory ? -Errno.EISDIR : place.Fs.ReadOnly ? -Errno.EROFS : -Errno.ETXTBSY;
        long error = (place.IsDirectory ? place : place.Real).Open(eventFlags & ~OpenFlags.O_CLOEXEC, reader, out OpenFile? file);
        if (error < 0)
            return error;
        file!.IsSilent = true;
        if (writes)
            file.CountAsWriter();
        if (!place.IsDirectory && place != place.Real)
            file.Place = place;
        long number = reader.Files.Add(file, (eventFlags & OpenFlags.O_CLOEXEC) != 0, reader.MaxFiles);
        if (number < 0)
            file.Release();
        return number;
    }

    /// <summary>The records behind an event where files are told by handles (copy_info_records_to_user).</summary>
    private byte[] Records(Waiting waiting)
    {
        const byte fid = 1, directoryName = 2, directoryOnly = 3, oldDirectoryName = 10, newDirectoryName = 12;
        if (FidMode == 0)
            return [];
        FileEvent what = waiting.What;
        var bytes = new List<byte>();
        (Inode? directory, string? name, Inode? child, Inode? alone) = Identity(what);
        if (what.Destination is { } destination)
        {
            if (waiting.Places.Old)
                Record(oldDirectoryName, directory!, what.Name);
            if (waiting.Places.New)
                Record(newDirectoryName, destination.Directory, destination.Name);
        }
        else if (directory is not null)
        {
            Record(name is null ? directoryOnly : directoryName, directory, name);
        }
        if (child is not null)
            Record(fid, child, null);
        if (alone is not null)
        {
            bool onDirectory = (what.Mask & Fan.ONDIR) != 0, ofName = (what.Mask & Fan.OfNames) != 0;
            if ((FidMode & Fan.REPORT_DIR_FID) == 0 || !(onDirectory || ofName))
                Record(fid, alone, null);
            else if ((FidMode & Fan.REPORT_NAME) != 0 && onDirectory)
                Record(directoryName, alone, ".");
            else
                Record(directoryOnly, alone, null);
        }
        return [.. bytes];

        void Record(byte kind, Inode inode, string? text)
        {
            const int head = 4 + 8 + FileHandle.Size;
            byte[] tail = text is null ? [] : [.. Encoding.Latin1.GetBytes(text), 0];
            int length = (head + tail.Length + 3) & ~3;
            byte[] record = new byte[length];
            record[0] = kind;
            BinaryPrimitives.WriteUInt16LittleEndian(record.AsSpan(2), (ushort)length);
            BinaryPrimitives.WriteUInt64LittleEndian(record.AsSpan(4), inode.Fs.Id);
            FileHandle.Write(inode, record.AsSpan(12));
            tail.CopyTo(record, head);
            bytes.AddRange(record);
        }
    }

    /// <summary>Answers: struct fanotify_response, descriptor and FAN_ALLOW or FAN_DENY.</summary>
    public override long Write(ReadOnlySpan<byte> data, long position)
    {
        const int size = 8;
        if (data.Length < size)
            return -Errno.EINVAL;
        int descriptor = BinaryPrimitives.ReadInt32LittleEndian(data);
        uint response = BinaryPrimitives.ReadUInt32LittleEndian(data[4..]);
        if ((response & ~Fan.AUDIT) is not (Fan.ALLOW or Fan.DENY) || descriptor < 0
            || ((response & Fan.AUDIT) != 0 && (options & Fan.ENABLE_AUDIT) == 0))
            return -Errno.EINVAL;
        int at = _asked.FindIndex(a => a.Descriptor == descriptor);
        if (at < 0)
            return -Errno.ENOENT;
        FanotifyQuestion question = _asked[at].Question;
        _asked.RemoveAt(at);
        if ((response & Fan.DENY) != 0)
            question.Done(-Errno.EPERM);
        else
            question.Next();
        return size;
    }

    public override bool WritesRest => false;

    public override long Ioctl(IFileUser user, uint command, ulong argument) => command != IoctlNumbers.FIONREAD ? -Errno.ENOTTY
        : user.Memory.Write(argument, _queue.Count * MetadataSize) ? 0 : -Errno.EFAULT;

    protected override void Released()
    {
        vfs.Fanotify.Remove(this);
        vfs.UserCounts.Give(maker, UserCount.FanotifyGroups);
        // A question that comes to this group later passes it.
        foreach ((uint, object) key in _marks.Keys.ToArray())
            Drop(key);
        // Whoever waits for an answer need not wait any longer.
        foreach ((_, FanotifyQuestion question) in _asked)
            question.Next();
        _asked.Clear();
        while (_queue.Count > 0)
        {
            Waiting waiting = Take();
            waiting.Held?.Release();
            waiting.Question?.Next();
        }
    }
}
