using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>fanotify_init, fanotify_mark (fs/notify/fanotify/fanotify_user.c), and the questions of permission events.</summary>
internal static class SysFanotify
{
    private const int MostGroups = 128;

    /// <summary>fanotify_init(flags, event_f_flags).</summary>
    public static long Init(SyscallContext c)
    {
        const uint known = 0x1FFF, admin = Fan.CLASS | Fan.UNLIMITED_QUEUE | Fan.UNLIMITED_MARKS | Fan.ENABLE_AUDIT | Fan.REPORT_TID
            | Fan.REPORT_PIDFD;
        const int eventBits = OpenFlags.O_ACCMODE | OpenFlags.O_APPEND | OpenFlags.O_NONBLOCK | OpenFlags.O_SYNC | OpenFlags.O_CLOEXEC
            | OpenFlags.O_LARGEFILE | OpenFlags.O_NOATIME;
        uint flags = c.UInt(0), fids = flags & Fan.FidModes;
        bool privileged = c.Task.Credentials.Has(Capability.SysAdmin);
        if (!privileged && ((flags & admin) != 0 || fids == 0))
            return -Errno.EPERM;
        if ((flags & ~known) != 0 || (flags & (Fan.REPORT_PIDFD | Fan.REPORT_TID)) == (Fan.REPORT_PIDFD | Fan.REPORT_TID)
            || (c.Int(1) & ~eventBits) != 0 || (c.Int(1) & OpenFlags.O_ACCMODE) == OpenFlags.O_ACCMODE)
            return -Errno.EINVAL;
        if ((fids != 0 && (flags & Fan.CLASS) != 0) || (fids & (Fan.REPORT_NAME | Fan.REPORT_DIR_FID)) == Fan.REPORT_NAME
            || ((fids & Fan.REPORT_TARGET_FID) != 0 && (fids & (Fan.REPORT_NAME | Fan.REPORT_FID)) != (Fan.REPORT_NAME | Fan.REPORT_FID))
            || (flags & Fan.CLASS) == Fan.CLASS)
            return -Errno.EINVAL;
        if (c.Vfs.Fanotify.Count >= MostGroups)
            return -Errno.EMFILE;
        var group = new FanotifyFile(c.Vfs, flags, c.Int(1), !privileged);
        c.Vfs.Fanotify.Add(group);
        return FileArguments.Install(c, group, (flags & Fan.CLOEXEC) != 0 ? OpenFlags.O_CLOEXEC : 0);
    }

    /// <summary>fanotify_mark(fd, flags, mask, dirfd, path).</summary>
    public static long Mark(SyscallContext c)
    {
        const uint known = 0x7FF, ignoring = Fan.MARK_IGNORE | Fan.MARK_IGNORED_MASK, kinds = Fan.MARK_MOUNT | Fan.MARK_FILESYSTEM;
        uint flags = c.UInt(1), mask = (uint)c.Arg(2), kind = flags & kinds, ignore = flags & ignoring;
        uint command = flags & (Fan.MARK_ADD | Fan.MARK_REMOVE | Fan.MARK_FLUSH);
        if (c.Arg(2) >> 32 != 0 || (flags & ~known) != 0 || kind == kinds)
            return -Errno.EINVAL;
        bool sound = command switch
        {
            Fan.MARK_ADD or Fan.MARK_REMOVE => mask != 0,
            Fan.MARK_FLUSH => (flags & ~(kinds | Fan.MARK_FLUSH)) == 0,
            _ => false,
        };
        if (!sound || (mask & ~Fan.Known) != 0 || ignore == ignoring)
            return -Errno.EINVAL;
        if (ignore == Fan.MARK_IGNORED_MASK)
            mask &= ~Fan.Qualifiers;
        if (c.Files[c.Int(0)] is not { } file)
            return -Errno.EBADF;
        if (file is not FanotifyFile group)
            return -Errno.EINVAL;
        if (group.IsUnprivileged && kind != 0)
            return -Errno.EPERM;
        uint fids = group.Options & Fan.FidModes;
        if (((mask & Fan.Permissions) != 0 && group.Class == 0) || ((mask & Fan.FS_ERROR) != 0 && kind != Fan.MARK_FILESYSTEM)
            || ((flags & Fan.MARK_EVICTABLE) != 0 && kind != 0)
            || ((mask & (Fan.OfInodes | Fan.FS_ERROR)) != 0 && (fids == 0 || kind == Fan.MARK_MOUNT))
            || ((mask & Fan.RENAME) != 0 && (fids & Fan.REPORT_NAME) == 0))
            return -Errno.EINVAL;
        if (command == Fan.MARK_FLUSH)
        {
            group.Flush(kind);
            return 0;
        }
        if (Find(c, flags, out Inode? at) is < 0 and long error)
            return error;
        if (command == Fan.MARK_ADD && Supported(group, at!, flags, mask) is < 0 and long refused)
            return refused;
        if (fids != 0 && !FileHandle.IsIn(at!.Fs))
            return at.Fs.Device == 0 ? -Errno.ENODEV : -Errno.EOPNOTSUPP;
        uint unheard = 0;
        if (kind != 0 || !at!.IsDirectory)
        {
            (mask, unheard) = (mask & ~Fan.EVENT_ON_CHILD, Fan.EVENT_ON_CHILD);
            if ((fids & Fan.REPORT_DIR_FID) != 0 && command == Fan.MARK_ADD && ignore == 0)
                mask |= Fan.EVENT_ON_CHILD;
        }
        return command == Fan.MARK_ADD ? Add(group, at!, flags, mask) : Remove(group, at!, flags, mask & ~unheard);
    }

    private static long Find(SyscallContext c, uint flags, out Inode? at)
    {
        at = null;
        if (c.Arg(4) == 0)
        {
            if (c.Files[c.Int(3)] is not { } file)
                return -Errno.EBADF;
            at = file.Place ?? file.Inode;
        }
        else if (FileArguments.Find(c, c.Int(3), 4, (flags & Fan.MARK_DONT_FOLLOW) == 0, false, out at) is < 0 and long error)
        {
            return error;
        }
        if ((flags & Fan.MARK_ONLYDIR) != 0 && !at!.IsDirectory)
            return -Errno.ENOTDIR;
        return Vfs.Permission(at!, c.Task.Credentials, Modes.MAY_READ);
    }

    /// <summary>fanotify_events_supported.</summary>
    private static long Supported(FanotifyFile group, Inode at, uint flags, uint mask)
    {
        Vfs vfs = at.Fs.Vfs;
        bool file = (flags & (Fan.MARK_MOUNT | Fan.MARK_FILESYSTEM)) == 0;
        if ((mask & Fan.Permissions) != 0 && at.Fs.Type is "proc")
            return -Errno.EINVAL;
        if (!file && (at.Fs == vfs.PipeFs || at.Fs == vfs.SocketFs || at.Fs == vfs.Anonymous || at.Fs == vfs.ShmFs))
            return -Errno.EINVAL;
        bool strict = (group.Options & Fan.REPORT_TARGET_FID) != 0 || (mask & Fan.RENAME) != 0 || (flags & Fan.MARK_IGNORE) != 0;
        if (strict && file && !at.IsDirectory && (mask & (Fan.OfNames | Fan.Qualifiers)) != 0)
            return -Errno.ENOTDIR;
        if ((flags & (Fan.MARK_IGNORE | Fan.MARK_IGNORED_SURV_MODIFY)) != Fan.MARK_IGNORE)
            return 0;
        return !file ? -Errno.EINVAL : at.IsDirectory ? -Errno.EISDIR : 0;
    }

    private static long Add(FanotifyFile group, Inode at, uint flags, uint mask)
    {
        uint kind = flags & (Fan.MARK_MOUNT | Fan.MARK_FILESYSTEM), ignore = flags & (Fan.MARK_IGNORE | Fan.MARK_IGNORED_MASK);
        bool survives = (flags & Fan.MARK_IGNORED_SURV_MODIFY) != 0;
        // What is ignored until a change has been changed already where somebody writes.
        if (kind == 0 && ignore != 0 && !survives && at.Real.Writers > 0)
            return 0;
        bool isNew = group.Mark(kind, at, false) is null;
        if (group.Mark(kind, at, true) is not { } mark)
            return -Errno.ENOSPC;
        if (!isNew)
        {
            if ((flags & Fan.MARK_EVICTABLE) != 0 && !mark.IsEvictable)
                return -Errno.EEXIST;
            if ((ignore == Fan.MARK_IGNORED_MASK && mark.HasIgnoreFlags) || (ignore == Fan.MARK_IGNORE && !survives && mark.Survives))
                return -Errno.EEXIST;
        }
        mark.IsEvictable = (flags & Fan.MARK_EVICTABLE) != 0;
        if (ignore == 0)
        {
            mark.Mask |= mask;
            return 0;
        }
        mark.HasIgnoreFlags |= ignore == Fan.MARK_IGNORE;
        mark.Survives |= survives;
        mark.Ignored |= mask;
        return 0;
    }

    private static long Remove(FanotifyFile group, Inode at, uint flags, uint mask)
    {
        uint kind = flags & (Fan.MARK_MOUNT | Fan.MARK_FILESYSTEM);
        if (group.Mark(kind, at, false) is not { } mark)
            return -Errno.ENOENT;
        if ((flags & (Fan.MARK_IGNORE | Fan.MARK_IGNORED_MASK)) != 0)
            mark.Ignored &= ~mask;
        else
            mark.Mask &= ~mask;
        if (((mark.Mask | mark.Ignored) & ~Fan.Qualifiers) == 0)
            group.Drop(kind, at);
        return 0;
    }

    /// <summary>Whether a file may be opened, read or executed: 0, -EPERM, or what a body returns that waits for the answer. What was asked
    /// is the call's state until then.</summary>
    internal static long Ask(SyscallContext c, uint mask, Inode path)
    {
        if (c.State is not FanotifyQuestion question)
        {
            if (!c.Vfs.Fanotify.Any || c.State is not null || !(path.IsRegular || path.IsDirectory))
                return 0;
            FileArguments.CallerOf(c);
            if (c.Vfs.Fanotify.Ask(mask, path) is not { } asked)
                return 0;
            c.State = question = asked;
        }
        return question.Answer ?? c.WaitKillable(question.Changed);
    }
}
