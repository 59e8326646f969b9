using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>mount, umount2, pivot_root (fs/namespace.c): file systems in memory, remounts, no binds.</summary>
internal static class SysMount
{
    private const uint MS_NOUSER = 1u << 31, MS_MGC_VAL = 0xC0ED0000, MS_MGC_MSK = 0xffff0000;
    private const uint Propagation = MountFlags.MS_SHARED | MountFlags.MS_PRIVATE | MountFlags.MS_SLAVE | MountFlags.MS_UNBINDABLE;

    /// <summary>mount(source, target, type, flags, data).</summary>
    public static long Mount(SyscallContext c)
    {
        string source = "none", type = "";
        if (c.Arg(2) != 0 && c.Memory.ReadString(c.Arg(2), 4096, out type) is < 0 and long badType)
            return badType == -Errno.ENAMETOOLONG ? -Errno.EINVAL : badType;
        if (c.Arg(0) != 0 && c.Memory.ReadString(c.Arg(0), 4096, out source) is < 0 and long badSource)
            return badSource == -Errno.ENAMETOOLONG ? -Errno.EINVAL : badSource;
        if (c.Arg(4) != 0 && !c.Memory.Read(c.Arg(4), out byte _))
            return -Errno.EFAULT;
        uint flags = c.UInt(3);
        if ((flags & MS_MGC_MSK) == MS_MGC_VAL)
            flags &= ~MS_MGC_MSK;
        long error = FileArguments.Find(c, OpenFlags.AT_FDCWD, 1, true, false, out Inode? target);
        if (error < 0)
            return error;
        if (!c.Task.Credentials.HasInNamespace(Capability.SysAdmin) || !c.Task.Credentials.UserNamespace.IsInitial)
            return -Errno.EPERM;
        if ((flags & MS_NOUSER) != 0)
            return -Errno.EINVAL;
        if ((flags & MountFlags.MS_REMOUNT) != 0)
            return c.Vfs.Remount(target!, flags);
        if ((flags & MountFlags.MS_BIND) != 0)
            return source.Length == 0 ? -Errno.EINVAL : -Errno.EOPNOTSUPP;
        // One namespace and no peers: there is nobody that a mount could propagate to.
        if ((flags & Propagation) != 0)
        {
            return System.Numerics.BitOperations.PopCount(flags & Propagation) == 1 && c.Vfs.Mounts.Any(m => m.Root == target)
                ? 0 : -Errno.EINVAL;
        }
        if ((flags & MountFlags.MS_MOVE) != 0)
            return source.Length == 0 ? -Errno.EINVAL : -Errno.EOPNOTSUPP;
        if (type.Length == 0)
            return -Errno.EINVAL;
        return c.Vfs.MountNew(target!, source, type, flags);
    }

    /// <summary>umount2(target, flags).</summary>
    public static long Umount2(SyscallContext c)
    {
        uint flags = c.UInt(1);
        const uint known = MountFlags.MNT_FORCE | MountFlags.MNT_DETACH | MountFlags.MNT_EXPIRE | MountFlags.UMOUNT_NOFOLLOW;
        if ((flags & ~known) != 0)
            return -Errno.EINVAL;
        long error = FileArguments.Find(c, OpenFlags.AT_FDCWD, 0, (flags & MountFlags.UMOUNT_NOFOLLOW) == 0, false, out Inode? target);
        if (error < 0)
            return error;
        if (!c.Vfs.Mounts.Any(m => m.Root == target))
            return -Errno.EINVAL;
        if (!c.Task.Credentials.Has(Capability.SysAdmin))
            return -Errno.EPERM;
        if ((flags & MountFlags.MNT_EXPIRE) != 0 && (flags & (MountFlags.MNT_FORCE | MountFlags.MNT_DETACH)) != 0)
            return -Errno.EINVAL;
        bool InUse(FileSystem fs) => c.Tasks.Groups.SelectMany(g => g.Threads).Any(t => t.Fs.Cwd.Fs == fs || t.Fs.Root.Fs == fs);
        return c.Vfs.Unmount(target!, flags, InUse);
    }

    /// <summary>pivot_root(new, old): the first root stays.</summary>
    public static long PivotRoot(SyscallContext c) => c.Task.Credentials.Has(Capability.SysAdmin) ? -Errno.EINVAL : -Errno.EPERM;
}
