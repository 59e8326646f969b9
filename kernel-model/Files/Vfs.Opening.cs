using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Files;

/// <summary>Opening files (do_open in fs/namei.c, fs/open.c).</summary>
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
            error = LandlockDomain.Check(caller.Credentials, at.Directory!, LandlockRights.MakeReg);
            if (error == 0)
                error = MayCreate(at.Directory!, caller.Credentials);
            if (error == 0)
            {
                uint permissions = StripSetgid(at.Directory!, mode & 0xFFF, caller.Credentials) & ~caller.Fs.Umask;
                error = at.Directory!.Create(at.Name, Modes.S_IFREG | permissions, caller.Credentials, 0, null, out inode);
            }
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
            if (MayCreate(inode, caller.Credentials) is < 0 and long denied)
                return denied;
            Inode directory = inode;
            uint permissions = StripSetgid(inode, mode, caller.Credentials) & 0xFFF & ~caller.Fs.Umask;
            error = directory.CreateUnnamed(permissions, caller.Credentials, out inode);
            if (error < 0)
                return error;
            (inode!.Parent, inode.Name) = (directory, "#tmpfile");
            created = true;
            flags &= ~(OpenFlags.O_TMPFILE_BIT | OpenFlags.O_DIRECTORY);
        }
        if (inode!.IsSymlink && (flags & OpenFlags.O_PATH) == 0)
            return -Errno.ELOOP;
        if (create && !created && at.Directory is { } place && !inode.IsDirectory
            && Protections.MayOpen(caller.Credentials, place, inode) is < 0 and long refused)
            return refused;
        if ((flags & OpenFlags.O_DIRECTORY) != 0 && !inode.IsDirectory)
            return -Errno.ENOTDIR;
        error = OpenInode(caller, inode, flags, created, task, out file);
        if (error == 0)
            file!.Created = created && !temporary;
        return error;
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
        bool writes = inode.IsRegular && (write || (flags & OpenFlags.O_TRUNC) != 0);
        // The file of the program lies in a mount for itself, which is read-only: that is ours, and a running program is what Linux sees.
        if (writes && inode.DeniesWrites > 0 && inode.Fs.ReadOnly)
            return -Errno.ETXTBSY;
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
            if (inode.IsAppendOnly && ((write && (flags & OpenFlags.O_APPEND) == 0) || (flags & OpenFlags.O_TRUNC) != 0))
                return -Errno.EPERM;
            if ((flags & OpenFlags.O_NOATIME) != 0 && !IsOwner(inode, caller.Credentials))
                return -Errno.EPERM;
        }
        if (inode.Type is Modes.S_IFCHR or Modes.S_IFBLK && inode.Fs.Has(MountFlags.MS_NODEV))
            return -Errno.EACCES;
        ulong withheld = 0;
        if (LandlockDomain.OfFiles(caller.Credentials) is { } domain)
        {
            ulong wanted = LandlockDomain.ToOpen(inode, flags);
            withheld = domain.Denied(inode, wanted | LandlockRights.Truncate | LandlockRights.IoctlDev);
            if ((withheld & wanted) != 0)
                return -Errno.EACCES;
            if ((flags & OpenFlags.O_TRUNC) != 0 && inode.IsRegular && !created && (withheld & LandlockRights.Truncate) != 0)
                return -Errno.EACCES;
        }
        Inode place = inode;
        if (!inode.IsDirectory)
            inode = inode.Real;
        if (writes && inode.DeniesWrites > 0)
            return -Errno.ETXTBSY;
        long error = inode.Open(flags, task, out file);
        if (error < 0)
            return error;
        if (place != inode)
            file!.Place = place;
        file!.Withheld = withheld;
        if (writes)
            file!.CountAsWriter();
        if (inode.IsWatched)
            NotifyWatches(inode, InotifyBits.IN_OPEN, false, place);
        if ((flags & OpenFlags.O_TRUNC) != 0 && inode.IsRegular && !created)
        {
            error = inode.Truncate(0);
            if (error < 0)
            {
                file!.Release();
                file = null;
                return error;
            }
            if (inode.IsWatched)
                NotifyWatches(inode, InotifyBits.IN_MODIFY);
        }
        return 0;
    }

    /// <summary>Opens a program for execve: it must be a regular file with execute permission.</summary>
    public long OpenExecutable(in Caller caller, Inode start, string path, bool follow, IFileUser? task, out OpenFile? file)
    {
        file = null;
        long error = Find(caller, start, path, follow, out Inode? inode);
        return error < 0 ? error : OpenExecutable(caller, inode!, task, out file);
    }

    /// <summary>Whether a file may be executed: 0, -ELOOP, -EACCES.</summary>
    internal static long MayExecute(in Caller caller, Inode inode)
    {
        if (inode.IsSymlink)
            return -Errno.ELOOP;
        if (!inode.IsRegular || inode.Fs.Has(MountFlags.MS_NOEXEC))
            return -Errno.EACCES;
        long error = Permission(inode, caller.Credentials, Modes.MAY_EXEC);
        return error < 0 ? error
            : LandlockDomain.Check(caller.Credentials, inode, LandlockRights.Execute | LandlockRights.ReadFile);
    }

    /// <summary>Opens a program that was found already (execveat with AT_EMPTY_PATH).</summary>
    public long OpenExecutable(in Caller caller, Inode inode, IFileUser? task, out OpenFile? file)
    {
        file = null;
        long error = MayExecute(caller, inode);
        if (error < 0)
            return error;
        Inode place = inode;
        inode = inode.Real;
        if (inode.Writers > 0)
            return -Errno.ETXTBSY;
        error = inode.Open(OpenFlags.O_RDONLY, task, out file);
        if (error == 0 && place != inode)
            file!.Place = place;
        if (error == 0 && inode.IsWatched)
            NotifyWatches(inode, InotifyBits.IN_OPEN | Fan.OPEN_EXEC, false, place);
        return error;
    }
}
