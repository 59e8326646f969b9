using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Files;

/// <summary>Names of files: making, linking, removing, renaming (fs/namei.c).</summary>
public sealed partial class Vfs
{
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
        error = LandlockDomain.Check(caller.Credentials, at.Directory!, LandlockRights.ToMake(mode));
        if (error == 0)
            error = MayCreate(at.Directory!, caller.Credentials);
        if (error < 0)
            return error;
        if ((mode & Modes.S_IFMT) is Modes.S_IFCHR or Modes.S_IFBLK && !caller.Credentials.Has(Capability.Mknod))
            return -Errno.EPERM;
        if ((mode & Modes.S_IFMT) != Modes.S_IFLNK)
            mode = StripSetgid(at.Directory!, mode, caller.Credentials) & (Modes.S_IFMT | (0xFFF & ~caller.Fs.Umask));
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
        if (Protections.MayLink(caller.Credentials, node) is < 0 and long refused)
            return refused;
        if (LandlockDomain.OfFiles(caller.Credentials) is { } domain)
            error = domain.Refer(node.Parent ?? node, node, at.Directory, null, false, false);
        if (error == 0)
            error = MayCreate(at.Directory, caller.Credentials);
        if (error < 0)
            return error;
        if (node.IsDirectory || node.IsImmutable || node.IsAppendOnly)
            return -Errno.EPERM;
        error = at.Directory.Link(at.Name, node);
        if (error == 0)
        {
            NotifyWatches(node, InotifyBits.IN_ATTRIB, true);
            NotifyName(at.Directory, InotifyBits.IN_CREATE, at.Name, node);
        }
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
        error = LandlockDomain.Check(caller.Credentials, at.Directory, LandlockRights.RemoveFile);
        if (error == 0)
            error = MayDelete(at.Directory, at.Inode, caller.Credentials);
        if (error < 0)
            return error;
        if (IsMountRoot(at.Inode))
            return -Errno.EBUSY;
        Inode node = at.Inode;
        error = at.Directory.Remove(at.Name, node);
        if (error == 0)
        {
            NotifyWatches(node, InotifyBits.IN_ATTRIB, true);
            NotifyGone(node);
            NotifyName(at.Directory, InotifyBits.IN_DELETE, at.Name, node);
            ForgetAttributes(node);
        }
        return error;
    }

    private static void ForgetAttributes(Inode node)
    {
        if (node.Nlink == 0 && node.OpenCount == 0 && node.Store is null)
            node.SetXattrs(null);
    }

    private bool IsMountRoot(Inode inode) => inode.MountedHere != null || MountSpace.Entries.Exists(m => m.Root == inode);

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
        error = LandlockDomain.Check(caller.Credentials, at.Directory, LandlockRights.RemoveDir);
        if (error == 0)
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
            NotifyGone(at.Inode);
            NotifyName(at.Directory, InotifyBits.IN_DELETE, at.Name, at.Inode);
        }
        return error;
    }

    private static bool IsEmpty(Inode directory) => directory.Real is DirectoryInode real ? real.IsEmpty : directory.List().Count == 0;

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
        if (LandlockDomain.OfFiles(who) is { } domain)
            error = domain.Refer(from.Directory, node, to.Directory, to.Inode, true, exchange);
        if (error == 0)
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
        {
            NotifyMove(from.Directory, from.Name, to.Directory, to.Name, node, exchange ? null : to.Inode);
            if (exchange)
                NotifyMove(to.Directory, to.Name, from.Directory, from.Name, to.Inode!, null);
        }
        return error;
    }

    /// <summary>Whether a file is below another, or is it.</summary>
    internal static bool IsWithin(Inode directory, Inode ancestor)
    {
        for (Inode? at = directory; at != null; at = at.Parent)
        {
            if (at == ancestor)
                return true;
        }
        return false;
    }
}
