using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Files;

/// <summary>Modes, owners and times of files (fs/attr.c).</summary>
public sealed partial class Vfs
{
    /// <summary>fchmod and fchmodat.</summary>
    public static long ChangeMode(in Caller caller, Inode inode, uint mode)
    {
        if (inode.Fs.ReadOnly)
            return -Errno.EROFS;
        if (inode.IsImmutable || inode.IsAppendOnly)
            return -Errno.EPERM;
        if (inode.IsSymlink)
            return -Errno.EOPNOTSUPP;
        if (!IsOwner(inode, caller.Credentials))
            return -Errno.EPERM;
        if (!caller.Credentials.InGroup(inode.Gid) && !Has(caller.Credentials, Capability.Fsetid, inode))
            mode &= ~Modes.S_ISGID;
        inode.Mode = inode.Type | (mode & 0xFFF);
        inode.Ctime = inode.Fs.Vfs.NowRealtime;
        inode.Fs.Vfs.NotifyWatches(inode, InotifyBits.IN_ATTRIB);
        return inode.AttributesChanged(AttributeChange.Mode);
    }

    /// <summary>fchown and fchownat; uint.MaxValue leaves an ID as it is.</summary>
    public static long ChangeOwner(in Caller caller, Inode inode, uint uid, uint gid)
    {
        Credentials who = caller.Credentials;
        if (inode.Fs.ReadOnly)
            return -Errno.EROFS;
        if (inode.IsImmutable || inode.IsAppendOnly)
            return -Errno.EPERM;
        if (!Has(who, Capability.Chown, inode))
        {
            if (who.Fsuid != inode.Uid || (uid != uint.MaxValue && uid != inode.Uid)
                || (gid != uint.MaxValue && gid != inode.Gid && !who.InGroup(gid)))
                return -Errno.EPERM;
        }
        if (uid != uint.MaxValue)
            inode.Uid = uid;
        if (gid != uint.MaxValue)
            inode.Gid = gid;
        if (!inode.IsDirectory && !inode.IsSymlink)
            inode.Mode = Modes.Unprivileged(inode.Mode);
        inode.Ctime = inode.Fs.Vfs.NowRealtime;
        inode.Fs.Vfs.NotifyWatches(inode, InotifyBits.IN_ATTRIB);
        return inode.AttributesChanged(AttributeChange.Owner);
    }

    /// <summary>utimensat with times in ns; null leaves one as it is. <paramref name="now"/>: both are the current time, for which
    /// write permission is enough.</summary>
    public static long SetTimes(in Caller caller, Inode inode, long? atime, long? mtime, bool now)
    {
        if (inode.Fs.ReadOnly)
            return -Errno.EROFS;
        if (inode.IsImmutable || (inode.IsAppendOnly && !now))
            return -Errno.EPERM;
        if (!IsOwner(inode, caller.Credentials))
        {
            if (!now)
                return -Errno.EPERM;
            if (Permission(inode, caller.Credentials, Modes.MAY_WRITE) < 0)
                return -Errno.EACCES;
        }
        inode.Atime = atime ?? inode.Atime;
        inode.Mtime = mtime ?? inode.Mtime;
        inode.Ctime = inode.Fs.Vfs.NowRealtime;
        inode.Fs.Vfs.NotifyWatches(inode, InotifyBits.IN_ATTRIB);
        return inode.AttributesChanged(AttributeChange.Times);
    }

    /// <summary>FS_IOC_SETFLAGS: -EPERM for who is not the owner, or changes what CAP_LINUX_IMMUTABLE is for.</summary>
    internal static long SetFlags(in Caller caller, Inode inode, uint flags)
    {
        if (inode.Fs.ReadOnly)
            return -Errno.EROFS;
        if (!IsOwner(inode, caller.Credentials))
            return -Errno.EPERM;
        // What GETFLAGS shows and nobody can change may be given back as it is.
        uint more = inode.Real.Store?.MoreFlags ?? 0;
        if ((flags & ~((inode.Fs.Whole.Disk?.SettableFlags ?? InodeFlags.All) | more)) != 0)
            return -Errno.EOPNOTSUPP;
        flags &= ~more;
        if (((flags ^ inode.Flags) & (InodeFlags.Immutable | InodeFlags.Append)) != 0
            && !caller.Credentials.Has(Capability.LinuxImmutable))
            return -Errno.EPERM;
        inode.Flags = flags;
        inode.Ctime = inode.Fs.Vfs.NowRealtime;
        return 0;
    }
}
