using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>fanotify_init, fanotify_mark (fs/notify/fanotify/fanotify_user.c), and the questions of permission events.</summary>
internal static class SysFanotify
{
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
        Credentials maker = c.Task.Credentials;
        if (!c.Vfs.UserCounts.TryTake(maker, UserCount.FanotifyGroups))
            return -Errno.EMFILE;
        var group = new FanotifyFile(c.Vfs, flags, c.Int(1), maker, !privileged);
        c.Vfs.Fanotify.Add(group);
        return FileArguments.Install(c, group, (flags & Fan.CLOEXEC) != 0 ? OpenFlags.O_CLOEXEC : 0);
    }

    /// <summary>fanotify_mark(fd, flags, mask, dirfd, path).</summary>
    public static long Mark(SyscallContext c)
    {
        const uint known = 0x7FF;
        uint flags = c.UInt(1), mask = (uint)c.Arg(2), kind = flags & Fan.MarkKinds, ignore = flags & Fan.IgnoreBits;
        uint command = flags & (Fan.MARK_ADD | Fan.MARK_REMOVE | Fan.MARK_FLUSH);
        if (c.Arg(2) >> 32 != 0 || (flags & ~known) != 0 || kind == Fan.MarkKinds)
            return -Errno.EINVAL;
        bool sound = command switch
        {
            Fan.MARK_ADD or Fan.MARK_REMOVE => mask != 0,
            Fan.MARK_FLUSH => (flags & ~(Fan.MarkKinds | Fan.MARK_FLUSH)) == 0,
            _ => false,
        };
        if (!sound || (mask & ~Fan.Known) != 0 || ignore == Fan.IgnoreBits)
            return -Errno.EINVAL;
        if (ignore == Fan.MARK_IGNORED_MASK)
            mask &= ~Fan.Qualifiers;
        if (c.Files[c.Int(0)] is not { IsPath: false } file)
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
        if (fids != 0 && !at!.Fs.IsStored)
            return at.Fs.Device == 0 ? -Errno.ENODEV : -Errno.EOPNOTSUPP;
        // Only a directory has children, and a group that tells of directories hears of others' files by theirs.
        uint forced = kind == 0 && at!.IsDirectory ? 0 : Fan.EVENT_ON_CHILD;
        mask &= ~forced;
        if (command == Fan.MARK_REMOVE)
            return Remove(group, at!, flags, mask, forced);
        if ((fids & Fan.REPORT_DIR_FID) != 0 && ignore == 0)
            mask |= forced;
        return Add(group, at!, flags, mask);
    }

    private static long Find(SyscallContext c, uint flags, out Inode? at)
    {
        at = null;
        if (c.Arg(4) == 0)
        {
            if (c.Files[c.Int(3)] is not { IsPath: false } file)
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
        bool file = (flags & Fan.MarkKinds) == 0;
        if ((mask & Fan.Permissions) != 0 && at.Fs.Type is "proc")
            return -Errno.EINVAL;
        if (!file && at.Fs.HasNoPaths)
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
        uint kind = flags & Fan.MarkKinds, ignore = flags & Fan.IgnoreBits;
        bool survives = (flags & Fan.MARK_IGNORED_SURV_MODIFY) != 0;
        // What is ignored until a change has been changed already where somebody writes.
        if (kind == 0 && ignore != 0 && !survives && at.Real.Writers > 0)
            return 0;
        if (group.Find(kind, at) is not { } mark)
        {
            if (group.Make(kind, at, out FanotifyMark? made) is < 0 and long full)
                return full;
            mark = made!;
        }
        else
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

    /// <summary>Takes events from a mark, which goes when nothing of it is left (fanotify_mark_remove_from_mask).</summary>
    private static long Remove(FanotifyFile group, Inode at, uint flags, uint mask, uint forced)
    {
        uint kind = flags & Fan.MarkKinds;
        if (group.Find(kind, at) is not { } mark)
            return -Errno.ENOENT;
        if ((flags & Fan.IgnoreBits) != 0)
            mark.Ignored &= ~mask;
        else
            mark.Mask &= ~mask;
        if (((mark.Mask | mark.Ignored) & ~forced) == 0)
            group.Drop(kind, at);
        return 0;
    }

    /// <summary>Whether a file may be opened or read: 0, -errno, or what a body returns that waits for the answer. What was asked is the
    /// call's state until then, and holds when who has answered is gone.</summary>
    internal static long Ask(SyscallContext c, uint mask, Inode path)
    {
        if (c.State is not FanotifyQuestion question)
        {
            if (c.State is not null || Question(c, path, mask) is not { } asked)
                return 0;
            c.State = question = asked;
        }
        return question.Answer ?? c.WaitKillable(question.Changed);
    }

    /// <summary>The same of the files that execve opens, of each whether it may be executed and opened (fsnotify_open_perm).</summary>
    /// <param name="c">The call.</param>
    /// <param name="number">The how manieth file it is, from 0.</param>
    /// <param name="path">The file.</param>
    internal static long AskToExecute(SyscallContext c, int number, Inode path)
    {
        var asked = c.State as List<(Inode Path, FanotifyQuestion? Question)> ?? [];
        c.State = asked;
        // Another file may have got the name since.
        if (number < asked.Count && asked[number].Path != path)
            asked.RemoveRange(number, asked.Count - number);
        if (number == asked.Count)
            asked.Add((path, Question(c, path, Fan.OPEN_EXEC_PERM, Fan.OPEN_PERM)));
        return asked[number].Question is not { } question ? 0 : question.Answer ?? c.WaitKillable(question.Changed);
    }

    private static FanotifyQuestion? Question(SyscallContext c, Inode path, params ReadOnlySpan<uint> masks)
    {
        if (!c.Vfs.Fanotify.Any || !(path.IsRegular || path.IsDirectory))
            return null;
        FileArguments.CallerOf(c);
        return c.Vfs.Fanotify.Ask(path, masks);
    }
}
