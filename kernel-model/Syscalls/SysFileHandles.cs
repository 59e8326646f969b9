using System.Buffers.Binary;
using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>name_to_handle_at, open_by_handle_at (fs/fhandle.c): handles of FILEID_INO32_GEN, an inode's number and generation.</summary>
internal static class SysFileHandles
{
    private const int Most = 128, Bytes = FileHandle.Bytes, Kind = FileHandle.Kind;

    /// <summary>AT_HANDLE_FID, AT_HANDLE_MNT_ID_UNIQUE.</summary>
    private const int IdentityOnly = 0x200, UniqueMount = 1;

    /// <summary>name_to_handle_at(dirfd, path, handle, mount_id, flags).</summary>
    public static long NameToHandleAt(SyscallContext c)
    {
        int flags = c.Int(4);
        if ((flags & ~(OpenFlags.AT_SYMLINK_FOLLOW | OpenFlags.AT_EMPTY_PATH | IdentityOnly | UniqueMount)) != 0)
            return -Errno.EINVAL;
        bool follow = (flags & OpenFlags.AT_SYMLINK_FOLLOW) != 0, empty = (flags & OpenFlags.AT_EMPTY_PATH) != 0;
        if (FileArguments.Find(c, c.Int(0), 1, follow, empty, out Inode? inode) is < 0 and long error)
            return error;
        bool stored = inode!.Fs.IsStored;
        if (!stored && (flags & IdentityOnly) == 0)
            return -Errno.EOPNOTSUPP;
        if (!c.Memory.Read(c.Arg(2), out int room))
            return -Errno.EFAULT;
        if (room is < 0 or > Most)
            return -Errno.EINVAL;
        MountEntry? mount = c.Vfs.MountOf(inode);
        bool written = (flags & UniqueMount) != 0 ? c.Memory.Write(c.Arg(3), mount == null ? 0UL : SysMountInfo.UniqueId(mount))
            : c.Memory.Write(c.Arg(3), mount?.Id ?? 0);
        int wanted = stored ? Bytes : FileHandle.IdentityBytes;
        if (room < wanted)
            return c.Memory.Write(c.Arg(2), wanted) && written ? -Errno.EOVERFLOW : -Errno.EFAULT;
        Span<byte> handle = stackalloc byte[8 + FileHandle.IdentityBytes];
        return c.Memory.Write(c.Arg(2), handle[..FileHandle.WriteIdentity(inode, handle)]) && written ? 0 : -Errno.EFAULT;
    }

    /// <summary>open_by_handle_at(mount_fd, handle, flags): a file that has a handle, whatever its name is now.</summary>
    public static long OpenByHandleAt(SyscallContext c)
    {
        Inode mount;
        if (c.Int(0) == OpenFlags.AT_FDCWD)
            mount = c.Task.Fs.Cwd;
        else if (c.Files[c.Int(0)] is { } file)
            mount = file.Inode;
        else
            return -Errno.EBADF;
        if (!c.Task.Credentials.Has(Capability.DacReadSearch))
            return -Errno.EPERM;
        Span<byte> handle = stackalloc byte[8 + Bytes];
        if (!c.Memory.Read(c.Arg(1), handle[..8]))
            return -Errno.EFAULT;
        int length = BinaryPrimitives.ReadInt32LittleEndian(handle);
        if (length is <= 0 or > Most)
            return -Errno.EINVAL;
        if (length < Bytes || BinaryPrimitives.ReadInt32LittleEndian(handle[4..]) != Kind)
            return -Errno.ESTALE;
        if (!c.Memory.Read(c.Arg(1), handle))
            return -Errno.EFAULT;
        if (FileHandle.Find(mount.Fs, handle) is not { } inode)
            return -Errno.ESTALE;
        if (FileArguments.MayInstall(c) is < 0 and long full)
            return full;
        int flags = c.Int(2);
        if (inode.IsSymlink && (flags & OpenFlags.O_PATH) == 0)
            return -Errno.ELOOP;
        if ((flags & OpenFlags.O_DIRECTORY) != 0 && !inode.IsDirectory)
            return -Errno.ENOTDIR;
        long error = c.Vfs.OpenInode(FileArguments.CallerOf(c), inode, flags, false, c.Task, out OpenFile? opened);
        return error < 0 ? error : FileArguments.Install(c, opened!, flags);
    }
}
