namespace ArmVdso.Kernel.Files;

/// <summary>A format of file systems on block devices that mount(2) knows by name; the drivers lie in a layer above.</summary>
/// <param name="Type">Name, as in /proc/filesystems.</param>
/// <param name="Check">Whether it has an option: 0 or -EINVAL.</param>
/// <param name="Mount">Reads what is on a device.</param>
internal sealed record DiskFormat(string Type, Func<string, string?, long> Check, MountDisk Mount);

/// <summary>Reads a file system: 0, or -EINVAL where there is none of the format, -EROFS, -EIO, -EUCLEAN.</summary>
/// <param name="vfs">The tree that it shall be part of.</param>
/// <param name="device">What it lies on.</param>
/// <param name="type">The name that it was asked for by.</param>
/// <param name="readOnly">Nothing shall be written.</param>
/// <param name="options">Options of the format.</param>
/// <param name="fs">The file system.</param>
/// <param name="root">Its root directory.</param>
internal delegate long MountDisk(Vfs vfs, LoopDevice device, string type, bool readOnly,
    IEnumerable<(string Key, string? Value)> options, out FileSystem? fs, out Inode? root);

/// <summary>A mounted file system of a device, as the layer above a driver sees it (struct super_operations).</summary>
internal interface IDisk
{
    /// <summary>What it lies on.</summary>
    LoopDevice Device { get; }

    /// <summary>Whether nothing is written to the device.</summary>
    bool ReadOnly { get; }

    /// <summary>Sizes for statfs.</summary>
    DiskSpace Space { get; }

    /// <summary>Writes what shared mappings have changed: 0, or the first error that a write had since the last call.</summary>
    long Sync();

    /// <summary>From reading to writing or back: 0, -EROFS.</summary>
    long Remount(bool readOnly, IEnumerable<(string Key, string? Value)> options);

    /// <summary>Flags of files that can be set (FS_IOC_SETFLAGS).</summary>
    uint SettableFlags { get; }

    /// <summary>Number that an inode number's uses are told apart by.</summary>
    uint GenerationOf(Inode inode);

    /// <summary>The file of a number and generation; null: there is none any more.</summary>
    Inode? Find(uint number, uint generation);

    /// <summary>Nobody has it mounted any more: the device is let go.</summary>
    void Unmount();
}

/// <summary>Sizes of a file system.</summary>
/// <param name="BlockSize">Bytes of a block.</param>
/// <param name="Blocks">Blocks for files.</param>
/// <param name="Free">Blocks that are free.</param>
/// <param name="Available">Blocks that are free for everybody.</param>
/// <param name="Inodes">Inodes.</param>
/// <param name="FreeInodes">Inodes that are free.</param>
/// <param name="Id">f_fsid.</param>
internal readonly record struct DiskSpace(int BlockSize, long Blocks, long Free, long Available, long Inodes, long FreeInodes, ulong Id);

/// <summary>A row of blocks of a file (struct fiemap_extent), in bytes.</summary>
/// <param name="Logical">Where in the file.</param>
/// <param name="Physical">Where on the disk.</param>
/// <param name="Length">How long.</param>
/// <param name="Flags">FIEMAP_EXTENT_*.</param>
internal readonly record struct FileExtent(long Logical, long Physical, long Length, uint Flags);

/// <summary>Where the attributes of a file are kept, if not in memory alone.</summary>
internal interface IInodeStore
{
    /// <summary>An attribute has another value.</summary>
    void Changed(Inode inode);

    /// <summary>The file has no name and nobody has it open: what it takes is given back.</summary>
    void Freed(Inode inode);

    /// <summary>When the file was made, in ns since 1970; null: that is not kept.</summary>
    long? BirthTime { get; }

    /// <summary>Flags that are not the user's (FS_IOC_GETFLAGS).</summary>
    uint MoreFlags { get; }

    /// <summary>The first row of blocks from a place on: 0, -EUCLEAN, -EIO; null: there is none before an end.</summary>
    long NextExtent(long start, long end, out FileExtent? extent);

    /// <summary>Extended attributes; null: none, or they cannot be read.</summary>
    SortedDictionary<string, byte[]>? ReadAttributes();

    /// <summary>Keeps extended attributes: 0, -ENOSPC where they do not fit, -EIO.</summary>
    long WriteAttributes(Inode inode, SortedDictionary<string, byte[]> attributes);
}

/// <summary>File systems of devices: which formats there are, what is mounted.</summary>
public sealed partial class Vfs
{
    private readonly IReadOnlyList<DiskFormat> _formats;
    private readonly List<FileSystem> _disks = [];

    /// <summary>Formats that devices can be mounted with.</summary>
    internal IReadOnlyList<DiskFormat> DiskFormats => _formats;

    /// <summary>get_tree_bdev: the file system of a device, a second time the same. Errors: -ENOENT, -ENOTBLK, -EACCES, -ENXIO, -EBUSY,
    /// and what the format says.</summary>
    internal long MountDisk(in Caller caller, DiskFormat format, string source, bool readOnly,
        IEnumerable<(string Key, string? Value)> options, out FileSystem? fs, out Inode? root)
    {
        (fs, root) = (null, null);
        if (source.Length == 0)
            return -Errno.EINVAL;
        if (Find(caller, caller.Fs.Cwd, source, true, out Inode? node) is < 0 and long missing)
            return missing;
        if (node!.Type != Modes.S_IFBLK)
            return -Errno.ENOTBLK;
        if (node.Fs.Has(MountFlags.MS_NODEV))
            return -Errno.EACCES;
        if (node.Rdev >> 8 != LoopDevices.Major || Devices.Loops.Find((int)(node.Rdev & 0xFF)) is not { } device)
            return -Errno.ENXIO;
        if (_disks.Find(d => d.Disk!.Device == device) is { } mounted)
        {
            if (mounted.Type != format.Type || mounted.Disk!.ReadOnly != readOnly)
                return -Errno.EBUSY;
            MountView view = MountView.Of(mounted.DiskRoot!);
            (fs, root) = (view.Fs, view);
            return 0;
        }
        if (device.ReadOnly && !readOnly)
            return -Errno.EACCES;
        if (!device.Open())
            return -Errno.ENXIO;
        long error = format.Mount(this, device, format.Type, readOnly, options, out fs, out root);
        if (error < 0)
        {
            device.Close();
            return error;
        }
        fs!.DiskRoot = root;
        _disks.Add(fs);
        return 0;
    }

    /// <summary>A mount, or an open file, of a file system is gone: with the last one its watches end, and it lets its device go
    /// (generic_shutdown_super).</summary>
    internal void ReleaseDisk(FileSystem fs)
    {
        if (fs.MountCount > 0 || fs.Held > 0)
            return;
        Inotify.Unmounted(fs);
        Fanotify.Unmounted(fs);
        if (fs.Disk is not { } disk || !_disks.Remove(fs))
            return;
        disk.Unmount();
        disk.Device.Close();
    }

    /// <summary>How O_DIRECT wants memory and places in the file aligned, in bytes, where it is of a device (STATX_DIOALIGN); else 0.
    /// </summary>
    internal (uint Memory, uint Place) DirectAlignment(Inode inode)
    {
        const uint memory = 512;
        LoopDevice? device = inode.Type == Modes.S_IFBLK && inode.Rdev >> 8 == LoopDevices.Major
            ? Devices.Loops.Find((int)(inode.Rdev & 0xFF)) : inode.IsRegular ? inode.Fs.Whole.Disk?.Device : null;
        return device is null ? (0, 0) : (memory, device.BlockSize);
    }

    /// <summary>sync(2).</summary>
    internal void SyncDisks()
    {
        foreach (FileSystem fs in _disks)
            fs.Disk!.Sync();
    }
}
