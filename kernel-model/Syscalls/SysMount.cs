using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>mount, umount2, pivot_root (fs/namespace.c): file systems in memory, binds, moves, remounts.</summary>
internal static class SysMount
{
    private const uint MS_NOUSER = 1u << 31, MS_MGC_VAL = 0xC0ED0000, MS_MGC_MSK = 0xffff0000;

    /// <summary>mount(source, target, type, flags, data).</summary>
    public static long Mount(SyscallContext c)
    {
        string source = "none", type = "";
        if (c.Arg(2) != 0 && c.Memory.ReadString(c.Arg(2), 4096, out type) is < 0 and long badType)
            return badType == -Errno.ENAMETOOLONG ? -Errno.EINVAL : badType;
        if (c.Arg(0) != 0 && c.Memory.ReadString(c.Arg(0), 4096, out source) is < 0 and long badSource)
            return badSource == -Errno.ENAMETOOLONG ? -Errno.EINVAL : badSource;
        if (Data(c, out string data) is < 0 and long badData)
            return badData;
        uint flags = c.UInt(3);
        if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
            flags &= ~MS_MGC_MSK;
        long error = FileArguments.Find(c, OpenFlags.AT_FDCWD, 1, true, false, out Inode? target);
        if (error < 0)
            return error;
        if (!MayChangeMounts(c))
            return -Errno.EPERM;
        if ((flags & MS_NOUSER) != 0)
            return -Errno.EINVAL;
        // Nothing is mounted over a link of /proc/PID (Linux 6.12).
        if (target!.Type == Modes.S_IFLNK)
            return -Errno.ENOENT;
        // What has neither is relatime; so is what a remount says nothing about.
        if ((flags & MountFlags.MS_REMOUNT) != 0)
            return c.Vfs.Remount(target!, flags, data);
        if ((flags & MountFlags.MS_BIND) != 0)
        {
            error = Source(c, source, out Inode? bound);
            return error < 0 ? error : c.Vfs.Bind(bound!, target!, (flags & MountFlags.MS_REC) != 0);
        }
        if ((flags & MountFlags.Propagation) != 0)
            return c.Vfs.SetPropagation(target!, flags);
        if ((flags & MountFlags.MS_MOVE) != 0)
        {
            error = Source(c, source, out Inode? moved);
            return error < 0 ? error : c.Vfs.MoveMount(moved!, target!);
        }
        // A format of a device has one.
        if (c.Arg(0) == 0 && c.Vfs.DiskFormats.Any(f => f.Type == type))
            return -Errno.EINVAL;
        return type.Length == 0 ? -Errno.EINVAL : c.Vfs.MountNew(FileArguments.CallerOf(c), target!, source, type, flags, data);
    }

    /// <summary>Whether the task may mount (may_mount): CAP_SYS_ADMIN over its mount namespace.</summary>
    internal static bool MayMount(SyscallContext c) => c.Task.MountNamespace.OwnerSpace.IsGovernedBy(c.Task.Credentials);

    /// <summary>Whether it may mount, change, move and take away: not while Landlock denies it anything of files (hook_sb_mount, its like).
    /// </summary>
    internal static bool MayChangeMounts(SyscallContext c) => MayMount(c) && LandlockDomain.OfFiles(c.Task.Credentials) is null;

    private static long Source(SyscallContext c, string source, out Inode? inode)
    {
        inode = null;
        return c.Arg(0) == 0 || source.Length == 0 ? -Errno.EINVAL
            : c.Vfs.Find(FileArguments.CallerOf(c), c.Task.Fs.Cwd, source, true, out inode);
    }

    /// <summary>The last argument: up to a page, of which what cannot be read is zero (copy_mount_options).</summary>
    private static long Data(SyscallContext c, out string data)
    {
        data = "";
        if (c.Arg(4) == 0)
            return 0;
        var text = new System.Text.StringBuilder();
        for (ulong at = c.Arg(4); text.Length < 4095; at++)
        {
            if (!c.Memory.Read(at, out byte letter))
            {
                if (text.Length == 0)
                    return -Errno.EFAULT;
                break;
            }
            if (letter == 0)
                break;
            text.Append((char)letter);
        }
        data = text.ToString();
        return 0;
    }

    /// <summary>umount2(target, flags).</summary>
    public static long Umount2(SyscallContext c)
    {
        uint flags = c.UInt(1);
        const uint known = MountFlags.MNT_FORCE | MountFlags.MNT_DETACH | MountFlags.MNT_EXPIRE | MountFlags.UMOUNT_NOFOLLOW;
        if ((flags & ~known) != 0)
            return -Errno.EINVAL;
        // The walk to it is no use of it.
        IReadOnlyCollection<Inode> expiring = c.Vfs.Expiring;
        long error = FileArguments.Find(c, OpenFlags.AT_FDCWD, 0, (flags & MountFlags.UMOUNT_NOFOLLOW) == 0, false, out Inode? target);
        if (error < 0)
            return error;
        if (!MayChangeMounts(c))
            return -Errno.EPERM;
        target = Vfs.TopOf(target!);
        if (c.Vfs.MountAt(target) == null)
            return -Errno.EINVAL;
        if ((flags & MountFlags.MNT_EXPIRE) != 0 && (flags & (MountFlags.MNT_FORCE | MountFlags.MNT_DETACH)) != 0)
            return -Errno.EINVAL;
        // The caller's own root stays, and is only read from then on (do_umount_root).
        if (target.Fs == c.Task.Fs.Root.Fs && (flags & (MountFlags.MNT_DETACH | MountFlags.MNT_EXPIRE)) == 0)
            return c.Vfs.Remount(target, MountFlags.MS_RDONLY | target.Fs.Flags, "");
        bool InUse(FileSystem fs) => c.Tasks.Groups.SelectMany(g => g.Threads).Any(t => t.Fs.Cwd.Fs == fs || t.Fs.Root.Fs == fs);
        return c.Vfs.Unmount(target, flags, InUse, expiring);
    }

    /// <summary>pivot_root(new, old).</summary>
    public static long PivotRoot(SyscallContext c)
    {
        if (!MayChangeMounts(c))
            return -Errno.EPERM;
        Inode? place = null;
        long error = FileArguments.Find(c, OpenFlags.AT_FDCWD, 0, true, false, out Inode? fresh);
        if (error == 0)
            error = FileArguments.Find(c, OpenFlags.AT_FDCWD, 1, true, false, out place);
        if (error < 0)
            return error;
        if (!fresh!.IsDirectory || !place!.IsDirectory)
            return -Errno.ENOTDIR;
        IEnumerable<FsContext> contexts = c.Tasks.All.Where(t => ReferenceEquals(t.MountNamespace, c.Task.MountNamespace)).Select(t => t.Fs)
            .OfType<FsContext>();
        return c.Vfs.PivotRoot(c.Task.Fs.Root, fresh, place, contexts.Distinct().ToList());
    }
}
