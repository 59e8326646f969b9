namespace ArmVdso.Kernel.Files;

/// <summary>Who hears of what happens to a file, or in a directory (struct fsnotify_mark).</summary>
/// <param name="inode">The file.</param>
/// <param name="mask">IN_* bits of interest.</param>
internal abstract class FileWatch(Inode inode, uint mask)
{
    /// <summary>A name changed within its directory: for <see cref="DirectoryWatch"/> alone, no bit of inotify (FS_RENAME).</summary>
    internal const uint Renamed = 0x10000000;

    public Inode Inode { get; } = inode;

    public uint Mask { get; set; } = mask;

    /// <summary>Something happened.</summary>
    /// <param name="mask">IN_* bits, or <see cref="Renamed"/>.</param>
    /// <param name="cookie">Joins the two halves of a move; else 0.</param>
    /// <param name="name">The name in the directory; empty: the file itself.</param>
    internal abstract void Happened(uint mask, uint cookie, string name);

    /// <summary>The file is gone for good.</summary>
    internal virtual void Ended()
    {
    }

    /// <summary>Nobody is told any more.</summary>
    internal void Detach()
    {
        Inode.Watches?.Remove(this);
        if (Inode.Watches is { Count: 0 })
            Inode.Watches = null;
    }
}

/// <summary>F_NOTIFY: the owner of a directory's descriptor gets a signal (fs/notify/dnotify/dnotify.c).</summary>
internal sealed class DirectoryWatch : FileWatch
{
    private const uint DN_ACCESS = 1, DN_MODIFY = 2, DN_CREATE = 4, DN_DELETE = 8, DN_RENAME = 0x10, DN_ATTRIB = 0x20,
        DN_MULTISHOT = 0x80000000;

    private readonly OpenFile _file;
    private readonly object _table;
    private int _descriptor;
    private bool _repeats;

    private DirectoryWatch(OpenFile file, object table) : base(file.Inode, 0)
    {
        _file = file;
        _table = table;
    }

    /// <summary>fcntl_dirnotify: adds to what a table's descriptor of a directory hears of; no bits: it hears of nothing any more.
    /// </summary>
    internal static void Set(OpenFile file, object table, int descriptor, uint events)
    {
        if ((events & ~DN_MULTISHOT) == 0)
        {
            Drop(file, table);
            return;
        }
        if (file.Inode.Watches?.Find(w => w is DirectoryWatch d && d._file == file && d._table == table) is not DirectoryWatch watch)
            (file.Inode.Watches ??= []).Add(watch = new DirectoryWatch(file, table));
        watch._descriptor = descriptor;
        watch._repeats |= (events & DN_MULTISHOT) != 0;
        foreach ((uint bit, uint mask) in (ReadOnlySpan<(uint, uint)>)[(DN_ACCESS, InotifyBits.IN_ACCESS),
            (DN_MODIFY, InotifyBits.IN_MODIFY), (DN_CREATE, InotifyBits.IN_CREATE | InotifyBits.IN_MOVED_TO),
            (DN_DELETE, InotifyBits.IN_DELETE | InotifyBits.IN_MOVED_FROM), (DN_RENAME, Renamed), (DN_ATTRIB, InotifyBits.IN_ATTRIB)])
            watch.Mask |= (events & bit) != 0 ? mask : 0;
    }

    /// <summary>A table closes a descriptor of a directory (dnotify_flush).</summary>
    internal static void Drop(OpenFile file, object table) =>
        file.Inode.Watches?.Find(w => w is DirectoryWatch d && d._file == file && d._table == table)?.Detach();

    internal override void Happened(uint mask, uint cookie, string name)
    {
        if ((mask & Mask) == 0)
            return;
        Inode.Fs.Vfs.Host?.Owners.Tell(_file, _descriptor, IoEvent.Message);
        if (!_repeats)
            Detach();
    }
}
