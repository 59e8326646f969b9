using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Files;

public sealed partial class Vfs
{
    /// <summary>openat: resolves, creates, checks, opens. The caller gets one reference.</summary>
    /// <param name="caller">Identity.</param>
    /// <param name="start">Where a relative path starts.</param>
    /// <param name="path">The path.</param>
    /// <param name="flags">O_* bits.</param>
    /// <param name="mode">Permissions of a new file before the umask.</param>
    /// <param name="task">The opening task, for terminals.</param>
    /// <param name="file">The result.</param>
    /// <param name="resolve">Restrictions of openat2.</param>
    public long Open(
        in Caller caller, Inode start, string path, int flags, uint mode, IFileUser? task, out OpenFile? file, ResolveFlags resolve = 0)
    {
        file = null;
        if ((flags & OpenFlags.O_PATH) != 0)
            flags &= OpenFlags.O_PATH | OpenFlags.O_DIRECTORY | OpenFlags.O_NOFOLLOW | OpenFlags.O_CLOEXEC;
        bool create = (flags & OpenFlags.O_CREAT) != 0;
        bool temporary = (flags & OpenFlags.O_TMPFILE) == OpenFlags.O_TMPFILE;
        bool exclusive = create && (flags & OpenFlags.O_EXCL) != 0;
        bool follow = (flags & OpenFlags.O_NOFOLLOW) == 0 && !exclusive;
        long error = Walk(caller, start, path, follow, out WalkResult at, resolve);
        if (error < 0)
            return error;
        Inode? inode = at.Inode;
        bool created = false;
        if (inode == null)
        {
            if (!create)
                return -Errno.ENOENT;
            if (at.TrailingSlash)
                return -Errno.EISDIR;
            if ((flags & OpenFlags.O_DIRECTORY) != 0)
                return -Errno.EINVAL;
            error = MayCreate(at.Directory!, caller.Credentials);
            if (error == 0)
                error = at.Directory!.Create(
                    at.Name, Modes.S_IFREG | (mode & 0xFFF & ~caller.Fs.Umask), caller.Credentials, 0, null, out inode);
            if (error < 0)
                return error;
            created = true;
            NotifyName(at.Directory!, InotifyBits.IN_CREATE, at.Name, inode!);
        }
        else if (exclusive)
        {
            return -Errno.EEXIST;
        }
        if (temporary)
        {
            if (!inode!.IsDirectory)
                return -Errno.ENOTDIR;
            if ((flags & OpenFlags.O_ACCMODE) == OpenFlags.O_RDONLY)
                return -Errno.EINVAL;
            if (inode is not MemoryDirectory)
                return -Errno.EOPNOTSUPP;
            if (MayCreate(inode, caller.Credentials) is < 0 and long denied)
                return denied;
            inode = new RegularFile(inode.Fs, mode & 0xFFF & ~caller.Fs.Umask)
            {
                Nlink = 0,
                Uid = caller.Credentials.Fsuid,
                Gid = caller.Credentials.Fsgid,
                Parent = inode,
                Name = "#tmpfile",
            };
            created = true;
            flags &= ~(OpenFlags.O_TMPFILE_BIT | OpenFlags.O_DIRECTORY);
        }
        if (inode!.IsSymlink && (flags & OpenFlags.O_PATH) == 0)
            return -Errno.ELOOP;
        if ((flags & OpenFlags.O_DIRECTORY) != 0 && !inode.IsDirectory)
            return -Errno.ENOTDIR;
        return OpenInode(caller, inode, flags, created, task, out file);
    }

    /// <summary>Opens a file that was found: access checks, truncation.</summary>
    public long OpenInode(in Caller caller, Inode inode, int flags, bool created, IFileUser? task, out OpenFile? file)
    {
        file = null;
        if ((flags & OpenFlags.O_PATH) != 0)
        {
            file = new PathFile(inode, flags);
            return 0;
        }
        bool write = (flags & OpenFlags.O_ACCMODE) != OpenFlags.O_RDONLY;
        if (inode.IsDirectory && (write || (flags & OpenFlags.O_CREAT) != 0))
            return -Errno.EISDIR;
        if (!created)
        {
            uint want = (flags & OpenFlags.O_ACCMODE) switch
            {
                OpenFlags.O_RDONLY => Modes.MAY_READ,
                OpenFlags.O_WRONLY => Modes.MAY_WRITE,
                _ => Modes.MAY_READ | Modes.MAY_WRITE,
            };
            if ((flags & OpenFlags.O_TRUNC) != 0)
                want |= Modes.MAY_WRITE;
            if (Permission(inode, caller.Credentials, want) is < 0 and long denied)
                return denied;
            if ((flags & OpenFlags.O_NOATIME) != 0 && !IsOwner(inode, caller.Credentials))
                return -Errno.EPERM;
        }
        long error = inode.Open(flags, task, out file);
        if (error < 0)
            return error;
        if ((flags & OpenFlags.O_TRUNC) != 0 && inode.IsRegular && !created)
        {
            error = inode.Truncate(0);
            if (error < 0)
            {
                file!.Release();
                file = null;
                return error;
            }
        }
        if (inode.Watches != null || inode.Parent?.Watches != null)
            NotifyWatches(inode, InotifyBits.IN_OPEN);
        return 0;
    }

    /// <summary>mkdirat, mknodat, symlinkat.</summary>
    public long Make(in Caller caller, Inode start, string path, uint mode, uint rdev, string? target)
    {
        long error = Walk(caller, start, path, false, out WalkResult at);
        if (error < 0)
            return error;
        if (at.Inode != null)
            return -Errno.EEXIST;
        bool directory = (mode & Modes.S_IFMT) == Modes.S_IFDIR;
        if (at.TrailingSlash && !directory)
            return -Errno.ENOENT;
        error = MayCreate(at.Directory!, caller.Credentials);
        if (error < 0)
            return error;
        if ((mode & Modes.S_IFMT) is Modes.S_IFCHR or Modes.S_IFBLK && !caller.Credentials.Privileged)
            return -Errno.EPERM;
        if ((mode & Modes.S_IFMT) != Modes.S_IFLNK)
            mode &= Modes.S_IFMT | (0xFFF & ~caller.Fs.Umask);
        error = at.Directory!.Create(at.Name, mode, caller.Credentials, rdev, target, out Inode? node);
        if (error == 0)
            NotifyName(at.Directory, InotifyBits.IN_CREATE, at.Name, node!);
        return error;
    }

    /// <summary>linkat: a new name for a file that was found.</summary>
    public long Link(in Caller caller, Inode node, Inode start, string path)
    {
        long error = Walk(caller, start, path, false, out WalkResult at);
        if (error < 0)
            return error;
        if (at.Inode != null)
            return -Errno.EEXIST;
        if (at.TrailingSlash)
            return -Errno.ENOENT;
        if (at.Directory!.Fs != node.Fs)
            return -Errno.EXDEV;
        error = MayCreate(at.Directory, caller.Credentials);
        if (error < 0)
            return error;
        if (node.IsDirectory)
            return -Errno.EPERM;
        error = at.Directory.Link(at.Name, node);
        if (error == 0)
            NotifyName(at.Directory, InotifyBits.IN_CREATE, at.Name, node);
        return error;
    }

    /// <summary>unlinkat without AT_REMOVEDIR.</summary>
    public long Unlink(in Caller caller, Inode start, string path)
    {
        long error = Walk(caller, start, path, false, out WalkResult at);
        if (error < 0)
            return error;
        if (at.Inode == null)
            return -Errno.ENOENT;
        if (at.Directory == null || at.Inode.IsDirectory)
            return -Errno.EISDIR;
        error = MayDelete(at.Directory, at.Inode, caller.Credentials);
        if (error < 0)
            return error;
        if (IsMountRoot(at.Inode))
            return -Errno.EBUSY;
        Inode node = at.Inode;
        error = at.Directory.Remove(at.Name, node);
        if (error == 0)
        {
            NotifyWatches(node, node.Nlink == 0 ? InotifyBits.IN_DELETE_SELF : InotifyBits.IN_ATTRIB, true);
            NotifyName(at.Directory, InotifyBits.IN_DELETE, at.Name, node);
            ForgetAttributes(node);
        }
        return error;
    }

    private static void ForgetAttributes(Inode node)
    {
        if (node.Nlink == 0 && node.OpenCount == 0)
            node.Xattrs = null;
    }

    private bool IsMountRoot(Inode inode) => inode.MountedHere != null || _mounts.Exists(m => m.Root == inode);

    /// <summary>unlinkat with AT_REMOVEDIR.</summary>
    public long RemoveDirectory(in Caller caller, Inode start, string path)
    {
        long error = Walk(caller, start, path, false, out WalkResult at);
        if (error < 0)
            return error;
        if (at.Inode == null)
            return -Errno.ENOENT;
        if (at.Last == LastComponent.Dot)
            return -Errno.EINVAL;
        if (at.Last == LastComponent.DotDot)
            return -Errno.ENOTEMPTY;
        if (at.Directory == null || IsMountRoot(at.Inode))
            return -Errno.EBUSY;
        error = MayDelete(at.Directory, at.Inode, caller.Credentials);
        if (error < 0)
            return error;
        if (!at.Inode.IsDirectory)
            return -Errno.ENOTDIR;
        if (!IsEmpty(at.Inode))
            return -Errno.ENOTEMPTY;
        error = at.Directory.Remove(at.Name, at.Inode);
        if (error == 0)
        {
            NotifyWatches(at.Inode, InotifyBits.IN_DELETE_SELF, true);
            NotifyName(at.Directory, InotifyBits.IN_DELETE, at.Name, at.Inode);
        }
        return error;
    }

    private static bool IsEmpty(Inode directory) => directory is MemoryDirectory memory ? memory.IsEmpty : directory.List().Count == 0;

    /// <summary>renameat2; <paramref name="flags"/>: 1 RENAME_NOREPLACE, 2 RENAME_EXCHANGE.</summary>
    public long Rename(in Caller caller, Inode start, string path, Inode newStart, string newPath, uint flags)
    {
        if ((flags & ~3u) != 0 || flags == 3)
            return -Errno.EINVAL;
        bool exchange = (flags & 2) != 0;
        long error = Walk(caller, start, path, false, out WalkResult from);
        if (error < 0)
            return error;
        error = Walk(caller, newStart, newPath, false, out WalkResult to);
        if (error < 0)
            return error == -Errno.ENOTDIR && from.Inode == null ? -Errno.ENOENT : error;
        if (from.Inode == null && from.Directory != null)
            return -Errno.ENOENT;
        if (from.Directory == null || to.Directory == null)
            return -Errno.EBUSY;
        if (from.Directory.Fs != to.Directory.Fs)
            return -Errno.EXDEV;
        Inode node = from.Inode!;
        if (to.Inode != null && (flags & 1) != 0)
            return -Errno.EEXIST;
        if (to.Inode == null && exchange)
            return -Errno.ENOENT;
        if (!node.IsDirectory && to.TrailingSlash)
            return -Errno.ENOTDIR;
        if (node.IsDirectory && IsWithin(to.Directory, node))
            return -Errno.EINVAL;
        if (to.Inode is { IsDirectory: true } && IsWithin(from.Directory, to.Inode))
            return exchange ? -Errno.EINVAL : -Errno.ENOTEMPTY;
        if (to.Inode == node)
            return 0;
        Credentials who = caller.Credentials;
        error = MayDelete(from.Directory, node, who);
        if (error == 0)
            error = to.Inode == null ? MayCreate(to.Directory, who) : MayDelete(to.Directory, to.Inode, who);
        if (error < 0)
            return error;
        if (to.Inode != null && !exchange)
        {
            if (node.IsDirectory && !to.Inode.IsDirectory)
                return -Errno.ENOTDIR;
            if (!node.IsDirectory && to.Inode.IsDirectory)
                return -Errno.EISDIR;
        }
        if (IsMountRoot(node) || (to.Inode != null && IsMountRoot(to.Inode)))
            return -Errno.EBUSY;
        if (to.Inode is { IsDirectory: true } && !exchange && !IsEmpty(to.Inode))
            return -Errno.ENOTEMPTY;
        error = from.Directory.Rename(from.Name, node, to.Directory, to.Name, to.Inode, exchange);
        if (error == 0)
            NotifyMove(from.Directory, from.Name, to.Directory, to.Name, node, to.Inode);
        return error;
    }

    private static bool IsWithin(Inode directory, Inode ancestor)
    {
        for (Inode? at = directory; at != null; at = at.Parent)
        {
            if (at == ancestor)
                return true;
        }
        return false;
    }

    /// <summary>fchmod and fchmodat.</summary>
    public static long ChangeMode(in Caller caller, Inode inode, uint mode)
    {
        if (inode.Fs.ReadOnly)
            return -Errno.EROFS;
        if (inode.IsSymlink)
            return -Errno.EOPNOTSUPP;
        if (!IsOwner(inode, caller.Credentials))
            return -Errno.EPERM;
        if (caller.Credentials.Fsuid != 0 && !caller.Credentials.InGroup(inode.Gid))
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
        if (who.Fsuid != 0)
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

    /// <summary>Opens a program for execve: it must be a regular file with execute permission.</summary>
    public long OpenExecutable(in Caller caller, Inode start, string path, bool follow, IFileUser? task, out OpenFile? file)
    {
        file = null;
        long error = Find(caller, start, path, follow, out Inode? inode);
        return error < 0 ? error : OpenExecutable(caller, inode!, task, out file);
    }

    /// <summary>Opens a program that was found already (execveat with AT_EMPTY_PATH).</summary>
    public long OpenExecutable(in Caller caller, Inode inode, IFileUser? task, out OpenFile? file)
    {
        file = null;
        if (inode.IsSymlink)
            return -Errno.ELOOP;
        if (!inode.IsRegular)
            return -Errno.EACCES;
        long error = Permission(inode, caller.Credentials, Modes.MAY_EXEC);
        return error < 0 ? error : inode.Open(OpenFlags.O_RDONLY, task, out file);
    }
}
