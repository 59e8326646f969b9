using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Sizes of files, and where their bytes are kept (fs/open.c, fs/sync.c, mm/fadvise.c).</summary>
internal static class SysFileSize
{
    /// <summary>-EFBIG, with its signal (RLIMIT_FSIZE).</summary>
    internal static long TooLarge(SyscallContext c)
    {
        c.Signals.SendOwn(c.Task, Signal.SIGXFSZ);
        return -Errno.EFBIG;
    }

    /// <summary>inode_newsize_ok: RLIMIT_FSIZE of a file that grows.</summary>
    private static long Resize(SyscallContext c, Inode inode, long size)
    {
        if (size > inode.Size && (ulong)size > c.Task.Group.Rlimits[Rlimits.Fsize].Soft)
            return TooLarge(c);
        long error = inode.Truncate(size);
        if (error == 0 && inode.IsWatched)
            c.Vfs.NotifyWatches(inode, InotifyBits.IN_MODIFY);
        return error;
    }

    public static long Ftruncate(SyscallContext c)
    {
        if (FileArguments.File(c, 0) is not { } file)
            return -Errno.EBADF;
        if (c.Long(1) < 0 || !file.CanWrite || !file.Inode.IsRegular)
            return -Errno.EINVAL;
        return (file.Withheld & LandlockRights.Truncate) != 0 ? -Errno.EACCES : Resize(c, file.Inode, c.Long(1));
    }

    public static long Truncate(SyscallContext c)
    {
        if (c.Long(1) < 0)
            return -Errno.EINVAL;
        long error = FileArguments.Find(c, OpenFlags.AT_FDCWD, 0, true, false, out Inode? inode);
        if (error < 0)
            return error;
        if (inode!.IsDirectory)
            return -Errno.EISDIR;
        if (inode.DeniesWrites > 0 && inode.Fs.ReadOnly)
            return -Errno.ETXTBSY;
        error = Vfs.Permission(inode, c.Task.Credentials, Modes.MAY_WRITE);
        if (error < 0)
            return error;
        if (!inode.IsRegular)
            return -Errno.EINVAL;
        if (inode.IsAppendOnly)
            return -Errno.EPERM;
        if (LandlockDomain.Check(c.Task.Credentials, inode, LandlockRights.Truncate) is < 0 and long denied)
            return denied;
        inode = inode.Real;
        if (inode.DeniesWrites > 0)
            return -Errno.ETXTBSY;
        long lease = SysFileOwners.BreakLeases(c, inode, OpenFlags.O_WRONLY);
        return lease != 0 ? lease : Resize(c, inode, c.Long(1));
    }

    public static long Fallocate(SyscallContext c)
    {
        const int KEEP_SIZE = 1, PUNCH_HOLE = 2, ZERO_RANGE = 0x10;
        if (FileArguments.File(c, 0) is not { CanWrite: true } file)
            return -Errno.EBADF;
        int mode = c.Int(1);
        long offset = c.Long(2), length = c.Long(3);
        if (offset < 0 || length <= 0)
            return -Errno.EINVAL;
        if (offset + length < 0)
            return -Errno.EFBIG;
        if (file is PipeFile)
            return -Errno.ESPIPE;
        if (!file.Inode.IsRegular)
            return file.Inode.IsDirectory ? -Errno.EISDIR : -Errno.ENODEV;
        bool inMemory = file.Inode.Fs.Type == "tmpfs";
        if ((mode & ~(KEEP_SIZE | PUNCH_HOLE | ZERO_RANGE)) != 0 || (mode & (PUNCH_HOLE | KEEP_SIZE)) == PUNCH_HOLE
            || (mode & (PUNCH_HOLE | ZERO_RANGE)) == (PUNCH_HOLE | ZERO_RANGE) || (inMemory && (mode & ZERO_RANGE) != 0))
            return -Errno.EOPNOTSUPP;
        if ((mode & (PUNCH_HOLE | ZERO_RANGE)) != 0)
        {
            if (file.Inode is RegularFile { Seals: var seals } && (seals & 0x18) != 0)
                return -Errno.EPERM;
            if (file.Inode.Zero(offset, length) is < 0 and long error)
                return error;
        }
        if ((mode & PUNCH_HOLE) == 0)
        {
            bool grows = (mode & KEEP_SIZE) == 0 && offset + length > file.Inode.Size;
            if (file.Inode is RegularFile { Seals: var seals } && (seals & 4) != 0 && grows)
                return -Errno.EPERM;
            if (grows && (ulong)(offset + length) > c.Task.Group.Rlimits[Rlimits.Fsize].Soft)
                return TooLarge(c);
            if (file.Inode.Allocate(offset, length) is < 0 and long full)
                return full;
        }
        return (mode & KEEP_SIZE) == 0 && offset + length > file.Inode.Size ? Resize(c, file.Inode, offset + length) : 0;
    }

    public static long Fsync(SyscallContext c)
    {
        if (FileArguments.File(c, 0) is not { } file)
            return -Errno.EBADF;
        if (file.Inode.SyncMapped() is < 0 and long error)
            return error;
        return file.Inode.IsRegular || file.Inode.IsDirectory || file.Inode.Type == Modes.S_IFBLK ? 0 : -Errno.EINVAL;
    }

    public static long SyncFileRange(SyscallContext c)
    {
        if (FileArguments.File(c, 0) is not { } file)
            return -Errno.EBADF;
        long offset = c.Long(1), length = c.Long(2);
        if ((c.UInt(3) & ~7u) != 0 || offset < 0 || length < 0 || offset + length < offset)
            return -Errno.EINVAL;
        return file.Inode.IsRegular || file.Inode.IsDirectory || file.Inode.IsSymlink || file.Inode.Type == Modes.S_IFBLK
            ? 0 : -Errno.ESPIPE;
    }

    public static long Sync(SyscallContext c)
    {
        c.Vfs.SyncDisks();
        return 0;
    }

    public static long Syncfs(SyscallContext c) => c.Files[c.Int(0)] is not { } file ? -Errno.EBADF
        : file.Inode.Fs.Whole.Disk?.Sync() ?? 0;

    public static long Fadvise64(SyscallContext c) => FileArguments.File(c, 0) is not { } file ? -Errno.EBADF
        : file is PipeFile ? -Errno.ESPIPE : c.Long(2) < 0 || c.UInt(3) > 5 ? -Errno.EINVAL : 0;

    /// <summary>cachestat(fd, range, result, flags): pages in memory; those of a file of the host that were only read are not kept.
    /// </summary>
    public static long CacheStat(SyscallContext c)
    {
        if (FileArguments.File(c, 0) is not { } file)
            return -Errno.EBADF;
        if (!c.Memory.Read(c.Arg(1), out long offset) || !c.Memory.Read(c.Arg(1) + 8, out long length))
            return -Errno.EFAULT;
        if (c.UInt(3) != 0)
            return -Errno.EINVAL;
        // struct cachestat: nr_cache, nr_dirty, nr_writeback, nr_evicted, nr_recently_evicted. Nothing is written back.
        Span<byte> result = stackalloc byte[40];
        result.Clear();
        if (file.Inode is RegularFile pages)
            BitConverter.TryWriteBytes(result, pages.PagesIn(offset, length));
        // What lies on a device is in its file, which is in memory.
        else if (file.Inode.Fs.Whole.Disk is not null && file.Inode.IsRegular && offset >= 0 && offset < file.Inode.Size)
            BitConverter.TryWriteBytes(
                result, (Math.Min(length == 0 ? long.MaxValue : Math.Max(length, 0), file.Inode.Size - offset) + 4095) / 4096);
        return c.Memory.Write(c.Arg(2), result) ? 0 : -Errno.EFAULT;
    }

    public static long Readahead(SyscallContext c) => FileArguments.File(c, 0) is not { CanRead: true } file ? -Errno.EBADF
        : file.Inode.IsRegular ? 0 : -Errno.EINVAL;
}
