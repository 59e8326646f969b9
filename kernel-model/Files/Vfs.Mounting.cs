namespace ArmVdso.Kernel.Files;

/// <summary>Flags of mount(2) and umount2(2) (include/uapi/linux/mount.h, include/linux/fs.h).</summary>
internal static class MountFlags
{
#pragma warning disable CS1591
    public const uint MS_RDONLY = 1, MS_NOSUID = 2, MS_NODEV = 4, MS_NOEXEC = 8, MS_REMOUNT = 32, MS_NOATIME = 1024, MS_NODIRATIME = 2048,
        MS_BIND = 4096, MS_MOVE = 8192, MS_UNBINDABLE = 1 << 17, MS_PRIVATE = 1 << 18, MS_SLAVE = 1 << 19, MS_SHARED = 1 << 20,
        MS_RELATIME = 1 << 21, MS_STRICTATIME = 1 << 24;

    public const uint MNT_FORCE = 1, MNT_DETACH = 2, MNT_EXPIRE = 4, UMOUNT_NOFOLLOW = 8;
#pragma warning restore CS1591

    /// <summary>What stays with a mount.</summary>
    public const uint Kept = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOATIME | MS_NODIRATIME;
}

/// <summary>Mounting while the guest runs (fs/namespace.c): file systems in memory. Binds of one folder at two places and devices are not
/// there.</summary>
public sealed partial class Vfs
{
    private readonly HashSet<MountEntry> _expiring = [];

    /// <summary>mount(2) of a new file system: 0, -ENODEV for a type that is not there, -EBUSY over itself.</summary>
    internal long MountNew(Inode point, string source, string type, uint flags)
    {
        if (!point.IsDirectory)
            return -Errno.ENOTDIR;
        FileSystem fs;
        Inode root;
        switch (type)
        {
            case "tmpfs" or "ramfs":
                fs = new FileSystem(this, type, NextDevice(), type == "tmpfs" ? 0x01021994 : 0x858458f6, 1);
                root = new MemoryDirectory(fs, type == "tmpfs" ? 0x3FFu : 0x1EDu);
                break;
            case "proc" or "sysfs" when _mounts.Find(m => m.Fs.Type == type) is { } boot:
                // The same tree as at boot, under another name.
                return boot.Root == point ? -Errno.EBUSY : -Errno.EINVAL;
            default:
                return -Errno.ENODEV;
        }
        fs.SetFlags(flags & MountFlags.Kept);
        Cover(point, root);
        _mounts.Add(new MountEntry(20 + _mountsMade++, ParentIdOf(point), fs, source, PathOf(root, null), root));
        return 0;
    }

    private int _mountsMade;

    /// <summary>mount(2) with MS_REMOUNT: other flags; -EBUSY when somebody writes to what shall be read-only.</summary>
    internal long Remount(Inode root, uint flags)
    {
        if (_mounts.FindLast(m => m.Root == root) is not { } mount)
            return -Errno.EINVAL;
        if ((flags & MountFlags.MS_RDONLY) != 0 && mount.Fs.Writers > 0)
            return -Errno.EBUSY;
        mount.Fs.SetFlags(flags & MountFlags.Kept);
        return 0;
    }

    /// <summary>umount2: 0, -EINVAL, -EBUSY, -EAGAIN at the first call with MNT_EXPIRE.</summary>
    /// <param name="root">What the path led to.</param>
    /// <param name="flags">MNT_*.</param>
    /// <param name="inUse">Whether a process has its root or working directory in a file system.</param>
    internal long Unmount(Inode root, uint flags, Func<FileSystem, bool> inUse)
    {
        if (_mounts.FindLast(m => m.Root == root) is not { } mount || root.Parent is null)
            return -Errno.EINVAL;
        if ((flags & MountFlags.MNT_EXPIRE) != 0 && _expiring.Add(mount))
            return -Errno.EAGAIN;
        bool busy = mount.Fs.Open > 0 || inUse(mount.Fs) || _mounts.Exists(m => m != mount && IsWithin(m.Root, root));
        if (busy && (flags & MountFlags.MNT_DETACH) == 0)
            return -Errno.EBUSY;
        root.Parent.Lookup(root.Name, out Inode? covered);
        while (covered is not null && covered.MountedHere != root)
            covered = covered.MountedHere;
        if (covered is null)
            return -Errno.EINVAL;
        covered.MountedHere = null;
        _mounts.RemoveAll(m => m == mount || IsWithin(m.Root, root));
        _expiring.Remove(mount);
        return 0;
    }

    /// <summary>A file that was used again: it does not expire.</summary>
    internal void KeepMount(FileSystem fs)
    {
        if (_expiring.Count > 0)
            _expiring.RemoveWhere(m => m.Fs == fs);
    }

    private static void Cover(Inode covered, Inode root)
    {
        root.Parent = covered.Parent;
        root.Name = covered.Name;
        covered.MountedHere = root;
    }

    private int ParentIdOf(Inode covered)
    {
        for (Inode? at = covered; at != null; at = at.Parent)
        {
            if (_mounts.FindLast(m => m.Root == at) is { } above)
                return above.Id;
        }
        return 1;
    }
}
