using System.Buffers.Binary;
using System.Text;

namespace ArmVdso.Kernel.Files;

/// <summary>A fanotify group: marks on files, mounts and file systems, and the events that wait to be read
/// (fs/notify/fanotify/fanotify.c, fanotify_user.c).</summary>
/// <param name="vfs">The tree of files.</param>
/// <param name="options">Flags of fanotify_init.</param>
/// <param name="eventFlags">O_* flags of the descriptors that come with events.</param>
/// <param name="unprivileged">Made without CAP_SYS_ADMIN.</param>
internal sealed class FanotifyFile(Vfs vfs, uint options, int eventFlags, bool unprivileged)
    : OpenFile(new AnonymousInode(vfs.Anonymous, 0x180), OpenFlags.O_RDWR | ((options & Fan.NONBLOCK) != 0 ? OpenFlags.O_NONBLOCK : 0))
{
    private const int MetadataSize = 24, MostQueued = 16384, MostMarks = 8192, EventBytes = 256;
    private readonly Dictionary<Inode, FanotifyMark> _files = [];
    private readonly Dictionary<FileSystem, FanotifyMark> _mounts = [], _fileSystems = [];
    private readonly List<Waiting> _queue = [];
    private readonly Dictionary<int, FanotifyQuestion> _asked = [];

    /// <summary>An event that was not read yet.</summary>
    private sealed class Waiting
    {
        public required FileEvent What { get; init; }

        public required uint Mask { get; set; }

        public required int Process { get; init; }

        /// <summary>Keeps what a descriptor will be of.</summary>
        public OpenFile? Held { get; init; }

        public FanotifyQuestion? Question { get; init; }

        /// <summary>Of FAN_RENAME: whether the old and the new place are reported.</summary>
        public (bool Old, bool New) Places { get; init; }
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

    public override string FdInfo
    {
        get
        {
            var text = new StringBuilder($"fanotify flags:{options:x} event-flags:{eventFlags:x}\n");
            foreach ((Inode inode, FanotifyMark mark) in _files)
                text.Append($"fanotify ino:{inode.Ino:x} sdev:{Shown(inode.Fs.Device):x} mflags:{Flags(mark):x} mask:{mark.Mask:x} "
                    + $"ignored_mask:{mark.Ignored:x} \n");
            foreach ((FileSystem fs, FanotifyMark mark) in _fileSystems)
                text.Append($"fanotify sdev:{Shown(fs.Device):x} mflags:{Flags(mark):x} mask:{mark.Mask:x} "
                    + $"ignored_mask:{mark.Ignored:x}\n");
            return text.ToString();

            static uint Shown(uint device) => device >> 8 << 20 | device & 0xFF;
            static uint Flags(FanotifyMark mark) => mark.Survives ? Fan.MARK_IGNORED_SURV_MODIFY : 0;
        }
    }

    /// <summary>The mark of a file, a mount or a file system; made if there is none. Null: there are too many (ENOSPC).</summary>
    internal FanotifyMark? Mark(uint kind, Inode at, bool make) => kind switch
    {
        Fan.MARK_MOUNT => Mark(_mounts, at.Fs, make),
        Fan.MARK_FILESYSTEM => Mark(_fileSystems, at.Fs.Shows ?? at.Fs, make),
        _ => Mark(_files, at.Real, make),
    };

    private FanotifyMark? Mark<T>(Dictionary<T, FanotifyMark> marks, T key, bool make) where T : notnull
    {
        if (marks.TryGetValue(key, out FanotifyMark? mark) || !make)
            return mark;
        if ((options & Fan.UNLIMITED_MARKS) == 0 && _files.Count + _mounts.Count + _fileSystems.Count >= MostMarks)
            return null;
        return marks[key] = new FanotifyMark();
    }

    /// <summary>Takes a mark away that says nothing any more.</summary>
    internal void Drop(uint kind, Inode at)
    {
        if (kind == Fan.MARK_MOUNT)
            _mounts.Remove(at.Fs);
        else if (kind == Fan.MARK_FILESYSTEM)
            _fileSystems.Remove(at.Fs.Shows ?? at.Fs);
        else
            _files.Remove(at.Real);
    }

    /// <summary>FAN_MARK_FLUSH: takes all marks of a kind away.</summary>
    internal void Flush(uint kind)
    {
        if (kind == Fan.MARK_MOUNT)
            _mounts.Clear();
        else if (kind == Fan.MARK_FILESYSTEM)
            _fileSystems.Clear();
        else
            _files.Clear();
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
        bool modified = (what.Mask & InotifyBits.IN_MODIFY) != 0;
        FileSystem mount = (what.Path ?? what.Target).Fs;
        Inode marked = ofName ? what.Directory! : what.Target;
        bool here = Take(_files.GetValueOrDefault(marked), false), there = false;
        if (!ofName && what.Directory is { } parent)
            Take(_files.GetValueOrDefault(parent), true);
        if (what.Destination is { } destination)
            there = destination.Directory == marked ? here : Take(_files.GetValueOrDefault(destination.Directory), false);
        if (what.Path is not null)
            Take(_mounts.GetValueOrDefault(mount), false);
        bool everywhere = Take(_fileSystems.GetValueOrDefault(mount.Shows ?? mount), false);
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
            if (modified && !mark.Survives)
                mark.Ignored = 0;
            unwanted |= mark.Unwanted(onDirectory, ofParent);
            uint applied = mark.Wanted(onDirectory, ofParent);
            wanted |= applied;
            return applied != 0;
        }
    }

    /// <summary>Puts an event at the end of the queue, or to an equal one that waits (fanotify_merge).</summary>
    internal void Happened(in FileEvent what)
    {
        if (Reported(what, out var places) is not (not 0 and var mask))
        {
            if ((what.Mask & InotifyBits.IN_DELETE_SELF) != 0)
                _files.Remove(what.Target);
            return;
        }
        int process = Caller();
        FileEvent told = what;
        if (_queue.FindLast(w => IsLike(w, told, mask, process)) is { } like)
            like.Mask |= mask;
        else
            Put(new Waiting { What = what, Mask = mask, Process = process, Held = Hold(what), Places = places });
        if ((what.Mask & InotifyBits.IN_DELETE_SELF) != 0)
            _files.Remove(what.Target);
    }

    /// <summary>Asks whether something may be done. False: nobody here wants to know.</summary>
    internal bool Ask(in FileEvent what, FanotifyQuestion question)
    {
        if (Reported(what, out _) is not (not 0 and var mask))
            return false;
        return Put(new Waiting { What = what, Mask = mask, Process = Caller(), Held = Hold(what), Question = question });
    }

    private int Caller() => vfs.Current is { } task ? (options & Fan.REPORT_TID) != 0 ? task.Tid : task.Pid : 0;

    private PathFile? Hold(in FileEvent what) =>
        FidMode == 0 && what.Path is { } path ? new PathFile(path.Real, OpenFlags.O_PATH) : null;

    private bool IsLike(Waiting waiting, in FileEvent what, uint mask, int process)
    {
        if (waiting.Question is not null || waiting.Process != process || ((waiting.Mask ^ mask) & (Fan.ONDIR | Fan.RENAME)) != 0
            || (waiting.Mask & Fan.Q_OVERFLOW) != 0)
            return false;
        if (FidMode == 0)
            return waiting.What.Path == what.Path;
        (Inode? Directory, string? Name, Inode? Child, Inode? Object) a = Identity(waiting.What), b = Identity(what);
        return a == b && waiting.What.Destination == what.Destination;
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

    private bool Put(Waiting waiting)
    {
        if (_queue.Count >= MostQueued && (options & Fan.UNLIMITED_QUEUE) == 0 || !vfs.TryCharge(EventBytes))
        {
            waiting.Held?.Release();
            // The rest is lost, and one event says so. What was asked is allowed.
            if (waiting.Question is null && (_queue.Count == 0 || _queue[^1].Mask != Fan.Q_OVERFLOW))
                _queue.Add(new Waiting { What = waiting.What, Mask = Fan.Q_OVERFLOW, Process = 0 });
            return false;
        }
        _queue.Add(waiting);
        Source.Notify(PollBits.Readable);
        return true;
    }

    public override long Read(Span<byte> buffer, long position)
    {
        if (_queue.Count == 0)
            return -Errno.EAGAIN;
        int done = 0;
        while (_queue.Count > 0)
        {
            Waiting next = _queue[0];
            byte[] more = (next.Mask & Fan.Q_OVERFLOW) != 0 ? [] : Records(next);
            int length = MetadataSize + more.Length + ((options & Fan.REPORT_PIDFD) != 0 ? 8 : 0);
            if (length > buffer.Length - done)
                break;
            _queue.RemoveAt(0);
            if (next.Mask != Fan.Q_OVERFLOW)
                vfs.Charge(-EventBytes);
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
        long descriptor = noDescriptor;
        if (next.Held is { } held)
        {
            descriptor = Give(next.What.Path!);
            held.Release();
        }
        if (next.Question is { } question)
        {
            if (descriptor >= 0)
                _asked[(int)descriptor] = question;
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
        BinaryPrimitives.WriteInt32LittleEndian(buffer[20..], next.Process);
        more.CopyTo(buffer[MetadataSize..]);
        if ((options & Fan.REPORT_PIDFD) == 0)
            return 0;
        Span<byte> record = buffer[(MetadataSize + more.Length)..];
        record[0] = pidfdRecord;
        BinaryPrimitives.WriteUInt16LittleEndian(record[2..], 8);
        BinaryPrimitives.WriteInt32LittleEndian(record[4..], vfs.Host?.OpenProcess(next.Process) ?? noDescriptor);
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
            BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(4), inode.Fs.Device);
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
        if (!_asked.Remove(descriptor, out FanotifyQuestion? question))
            return -Errno.ENOENT;
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
        foreach (Waiting waiting in _queue)
        {
            waiting.Held?.Release();
            waiting.Question?.Next();
            if (waiting.Mask != Fan.Q_OVERFLOW)
                vfs.Charge(-EventBytes);
        }
        // Whoever waits for an answer need not wait any longer.
        foreach (FanotifyQuestion question in _asked.Values)
            question.Next();
        _queue.Clear();
        _asked.Clear();
    }
}
