using System.Text;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Files;

/// <summary>A directory whose names come from code (proc, sysfs).</summary>
internal sealed class DynamicDirectory : DirectoryInode
{
    private readonly Dictionary<string, Inode> _fixed = new(StringComparer.Ordinal);
    private readonly Func<string, Inode?>? _lookup;
    private readonly Func<IEnumerable<string>>? _names;

    /// <param name="fs">File system.</param>
    /// <param name="permissions">Mode bits.</param>
    /// <param name="lookup">Finds names that are not fixed.</param>
    /// <param name="names">Names that <paramref name="lookup"/> finds now.</param>
    public DynamicDirectory(
        FileSystem fs, uint permissions = 0x16D, Func<string, Inode?>? lookup = null, Func<IEnumerable<string>>? names = null)
        : base(fs, Modes.S_IFDIR | permissions)
    {
        Nlink = 2;
        _lookup = lookup;
        _names = names;
    }

    /// <summary>What the directory is of, where that matters: a process.</summary>
    public object? Subject { get; init; }

    /// <summary>Adds a name for good.</summary>
    public T Add<T>(string name, T node) where T : Inode
    {
        _fixed[name] = node;
        node.Parent = this;
        node.Name = name;
        if (node.IsDirectory)
            Nlink++;
        return node;
    }

    /// <summary>Gives the directory and its fixed names an owner.</summary>
    public void SetOwner(uint uid, uint gid)
    {
        (Uid, Gid) = (uid, gid);
        foreach (Inode node in _fixed.Values)
            (node.Uid, node.Gid) = (uid, gid);
    }

    /// <summary>Adds a file with a text that does not depend on who reads it.</summary>
    public void AddText(string name, Func<string> text, uint permissions = 0x124) => Add(name, new TextInode(Fs, permissions, text));

    /// <summary>Adds a directory.</summary>
    public DynamicDirectory AddDirectory(string name) => Add(name, new DynamicDirectory(Fs));

    public override long Lookup(string name, out Inode? child)
    {
        if (!_fixed.TryGetValue(name, out child))
        {
            child = _lookup?.Invoke(name);
            if (child != null)
                (child.Parent, child.Name) = (this, name);
        }
        return child == null ? -Errno.ENOENT : 0;
    }

    public override IReadOnlyList<DirectoryEntry> List()
    {
        var list = new List<DirectoryEntry>();
        foreach (string name in _fixed.Keys.Concat(_names?.Invoke() ?? []).OrderBy(n => n, StringComparer.Ordinal))
        {
            if (Lookup(name, out Inode? node) == 0)
                list.Add(new DirectoryEntry(name, node!.Ino, Modes.DirectoryType(node.Mode)));
        }
        return list;
    }
}

/// <summary>A file whose contents code makes when it is opened. Bytes are Latin-1 chars of the text.</summary>
internal sealed class TextInode(FileSystem fs, uint permissions, Func<string> text, Func<string, long>? write = null)
    : Inode(fs, Modes.S_IFREG | permissions)
{
    public Func<string, long>? WriteText { get; } = write;

    /// <summary>Permission bits for who asks; null: those of the mode.</summary>
    public Func<Credentials, uint>? Access { get; init; }

    internal override uint AccessBits(Credentials who) => Access?.Invoke(who) ?? Mode;

    /// <summary>What an ioctl on the file does; null: ENOTTY.</summary>
    public Func<IFileUser, uint, ulong, long>? Ioctl { get; init; }

    /// <summary>Who tells of changes of the contents, and how many there have been; null: nobody does, and it cannot be polled.</summary>
    public (PollSource Source, Func<ulong> Count)? Changes { get; init; }

    public override long Truncate(long size) => WriteText == null ? -Errno.EPERM : 0;

    public override long Open(int flags, IFileUser? task, out OpenFile? file)
    {
        file = new TextFile(this, flags, Contents());
        return 0;
    }

    internal byte[] Contents() => Encoding.Latin1.GetBytes(text());
}

/// <summary>An open file of generated text; what it shows was fixed when it was opened, or at the last rewind.</summary>
internal sealed class TextFile(TextInode inode, int flags, byte[] contents) : OpenFile(inode, flags)
{
    private ulong _seen = inode.Changes?.Count() ?? 0;

    public override bool Seekable => true;

    public override PollSource? Source => inode.Changes?.Source;

    public override bool CanPoll => inode.Changes is not null;

    /// <summary>The files of a process are read and written by themselves, but for its mounts.</summary>
    internal override bool GivesToPipes => inode.Changes is not null || inode.Parent is not DynamicDirectory { Subject: not null };

    /// <summary>Readable always; a change since the last time is urgent (mounts_poll in fs/proc_namespace.c).</summary>
    public override uint Poll()
    {
        if (inode.Changes is not { } changes)
            return base.Poll();
        uint news = changes.Count() == _seen ? 0u : PollBits.Err | PollBits.Pri;
        _seen = changes.Count();
        return PollBits.Readable | news;
    }

    public override long Read(Span<byte> buffer, long position)
    {
        if (position == 0 && inode.Changes is not null)
            contents = inode.Contents();
        if (position >= contents.Length)
            return 0;
        int n = Math.Min(buffer.Length, contents.Length - (int)position);
        contents.AsSpan((int)position, n).CopyTo(buffer);
        return n;
    }

    public override long Ioctl(IFileUser user, uint command, ulong argument) =>
        inode.Ioctl?.Invoke(user, command, argument) ?? -Errno.ENOTTY;

    public override long Write(ReadOnlySpan<byte> data, long position)
    {
        if (inode.WriteText == null)
            return -Errno.EINVAL;
        long error = inode.WriteText(Encoding.Latin1.GetString(data));
        return error < 0 ? error : data.Length;
    }
}

/// <summary>A link of /proc: with a path that code makes, and possibly a file that it leads to whatever the path says.</summary>
internal sealed class DynamicLink(FileSystem fs, Func<string?> target, Func<Inode?>? magic = null) : Inode(fs, Modes.S_IFLNK | 0x1FF)
{
    public override bool IsMagicLink => magic != null;

    public override Inode? MagicTarget => magic?.Invoke();

    public override long ReadLink(out string text)
    {
        string? made = target();
        text = made ?? "";
        return made == null ? -Errno.ENOENT : 0;
    }

    public override long Open(int flags, IFileUser? task, out OpenFile? file)
    {
        file = null;
        return -Errno.ELOOP;
    }
}

/// <summary>A file of a security module that is not there: reads and writes are EINVAL (fs/proc/base.c, proc_pid_attr_read).</summary>
internal sealed class RefusingInode(FileSystem fs, uint permissions) : Inode(fs, Modes.S_IFREG | permissions)
{
    private sealed class RefusingFile(Inode inode, int flags) : OpenFile(inode, flags)
    {
        public override bool Seekable => true;

        internal override bool GivesToPipes => false;
    }

    public override long Truncate(long size) => 0;

    public override long Open(int flags, IFileUser? task, out OpenFile? file)
    {
        file = new RefusingFile(this, flags);
        return 0;
    }
}
