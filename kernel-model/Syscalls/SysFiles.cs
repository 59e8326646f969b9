using System.Buffers.Binary;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Descriptors: open, close, dup, fcntl, ioctl, locks (fs/open.c, fs/file.c, fs/fcntl.c, fs/ioctl.c, fs/locks.c).</summary>
internal static class SysFiles
{
    private const int OpenBits = OpenFlags.O_ACCMODE | OpenFlags.O_CREAT | OpenFlags.O_EXCL | OpenFlags.O_NOCTTY | OpenFlags.O_TRUNC
        | OpenFlags.O_APPEND | OpenFlags.O_NONBLOCK | OpenFlags.O_SYNC | OpenFlags.O_ASYNC | OpenFlags.O_DIRECTORY | OpenFlags.O_NOFOLLOW
        | OpenFlags.O_DIRECT | OpenFlags.O_LARGEFILE | OpenFlags.O_NOATIME | OpenFlags.O_CLOEXEC | OpenFlags.O_PATH | OpenFlags.O_TMPFILE;

    /// <summary>Record locks on one file.</summary>
    private const int MaxLocks = 16384;

    public static long Openat(SyscallContext c) => Open(c, c.Int(2) & OpenBits, c.UInt(3), 0);

    public static long Openat2(SyscallContext c)
    {
        ulong size = c.Arg(3);
        if (size < 24)
            return -Errno.EINVAL;
        Span<byte> how = stackalloc byte[24];
        if (!c.Memory.Read(c.Arg(2), how))
            return -Errno.EFAULT;
        for (ulong at = 24; at < size && at < 4096; at++)
        {
            if (!c.Memory.Read(c.Arg(2) + at, out byte extra))
                return -Errno.EFAULT;
            if (extra != 0)
                return -Errno.E2BIG;
        }
        ulong flags = BinaryPrimitives.ReadUInt64LittleEndian(how);
        ulong mode = BinaryPrimitives.ReadUInt64LittleEndian(how[8..]);
        ulong resolve = BinaryPrimitives.ReadUInt64LittleEndian(how[16..]);
        bool makes = (flags & OpenFlags.O_CREAT) != 0 || (flags & OpenFlags.O_TMPFILE) == OpenFlags.O_TMPFILE;
        if ((flags & ~(ulong)OpenBits) != 0 || mode > 0xFFF || (!makes && mode != 0) || (resolve & ~0x3FUL) != 0
            || (resolve & 0x18) == 0x18)
            return -Errno.EINVAL;
        if ((resolve & (ulong)ResolveFlags.Cached) != 0)
            return -Errno.EAGAIN;
        return Open(c, (int)flags, (uint)mode, (ResolveFlags)resolve);
    }

    private static long Open(SyscallContext c, int flags, uint mode, ResolveFlags resolve)
    {
        OpenFile? file;
        if (c.State is PipeFile pending)
        {
            file = pending;
        }
        else
        {
            long error = FileArguments.PathAt(c, 0, out Inode start, out string path);
            if (error < 0 || (error = FileArguments.MayInstall(c)) < 0)
                return error;
            Caller caller = FileArguments.CallerOf(c);
            if (c.Vfs.HasLeases && c.Vfs.Find(caller, start, path, (flags & OpenFlags.O_NOFOLLOW) == 0, out Inode? leased) == 0
                && SysFileOwners.BreakLeases(c, leased!, flags) is not 0 and long wait)
                return wait;
            if ((c.Vfs.Fanotify.Any || c.State is FanotifyQuestion) && (flags & OpenFlags.O_PATH) == 0
                && c.Vfs.Find(caller, start, path, (flags & OpenFlags.O_NOFOLLOW) == 0, out Inode? asked) == 0
                && SysFanotify.Ask(c, Fan.OPEN_PERM, asked!) is not 0 and long answer)
                return answer;
            error = c.Vfs.Open(caller, start, path, flags, mode, c.Task, out file, resolve);
            if (error < 0)
                return error;
        }
        if (file is PipeFile { OpenPending: true } fifo)
        {
            // A FIFO: sleep until the other side is opened; the end counts as open meanwhile.
            long result = FileArguments.WaitFor(c, fifo);
            c.State = fifo;
            if (result != SyscallContext.Blocked)
                fifo.Release();
            return result;
        }
        return FileArguments.Install(c, file!, flags);
    }

    public static long Close(SyscallContext c) => c.Files.Close(c.Int(0));

    public static long CloseRange(SyscallContext c)
    {
        uint first = c.UInt(0), last = c.UInt(1), flags = c.UInt(2);
        if ((flags & ~6u) != 0 || first > last)
            return -Errno.EINVAL;
        if ((flags & 2) != 0 && c.Files.Users > 1)
        {
            FileTable own = c.Files.Clone();
            c.Files.Leave();
            c.Task.Files = own;
        }
        FileTable files = c.Files;
        for (int fd = (int)Math.Min(first, int.MaxValue); fd < files.Bound && (uint)fd <= last; fd++)
        {
            if ((flags & 4) != 0)
                files.SetCloseOnExec(fd, true);
            else
                files.Close(fd);
        }
        return 0;
    }

    public static long Dup(SyscallContext c)
    {
        if (c.Files[c.Int(0)] is not { } file)
            return -Errno.EBADF;
        return FileArguments.Install(c, file.AddReference(), 0);
    }

    public static long Dup3(SyscallContext c)
    {
        int from = c.Int(0), to = c.Int(1), flags = c.Int(2);
        if ((flags & ~OpenFlags.O_CLOEXEC) != 0 || from == to)
            return -Errno.EINVAL;
        if (to < 0 || (ulong)to >= FileArguments.FileLimit(c) || c.Files[from] is not { } file)
            return -Errno.EBADF;
        c.Files.Replace(to, file.AddReference(), flags != 0);
        return to;
    }

    public static long Fcntl(SyscallContext c)
    {
        const int F_DUPFD = 0, F_GETFD = 1, F_SETFD = 2, F_GETFL = 3, F_SETFL = 4, F_GETLK = 5, F_SETLK = 6, F_SETLKW = 7, F_SETOWN = 8,
            F_GETOWN = 9, F_SETSIG = 10, F_GETSIG = 11, F_SETOWN_EX = 15, F_GETOWN_EX = 16, F_OFD_GETLK = 36,
            F_OFD_SETLK = 37, F_OFD_SETLKW = 38, F_SETLEASE = 1024, F_GETLEASE = 1025, F_NOTIFY = 1026,
            F_CREATED_QUERY = 1028, F_DUPFD_CLOEXEC = 1030, F_SETPIPE_SZ = 1031, F_GETPIPE_SZ = 1032, F_ADD_SEALS = 1033,
            F_GET_SEALS = 1034;
        int fd = c.Int(0), command = c.Int(1);
        if (c.Files[fd] is not { } file)
            return -Errno.EBADF;
        if (file.IsPath && command is not (F_DUPFD or F_DUPFD_CLOEXEC or F_GETFD or F_SETFD or F_GETFL))
            return -Errno.EBADF;
        switch (command)
        {
            case F_DUPFD or F_DUPFD_CLOEXEC:
                if (c.Int(2) < 0 || (ulong)c.Int(2) >= FileArguments.FileLimit(c))
                    return -Errno.EINVAL;
                long copy = c.Files.Add(file.AddReference(), command == F_DUPFD_CLOEXEC, FileArguments.FileLimit(c), c.Int(2));
                if (copy < 0)
                    file.Release();
                return copy;
            case F_GETFD:
                return c.Files.GetCloseOnExec(fd) ? 1 : 0;
            case F_SETFD:
                c.Files.SetCloseOnExec(fd, (c.Int(2) & 1) != 0);
                return 0;
            case F_GETFL:
                return file.Flags | (file.IsPath ? 0 : OpenFlags.O_LARGEFILE);
            case F_SETFL:
                const int changeable = OpenFlags.O_APPEND | OpenFlags.O_NONBLOCK | OpenFlags.O_DIRECT | OpenFlags.O_NOATIME;
                // The flag stays off where there are no such signals.
                SysFileOwners.SetAsync(c, file, fd, (c.Int(2) & OpenFlags.O_ASYNC) != 0);
                file.Flags = (file.Flags & ~changeable) | (c.Int(2) & changeable);
                return 0;
            case F_GETLK or F_OFD_GETLK:
                return RecordLock(c, file, true, false, command == F_OFD_GETLK);
            case F_SETLK or F_SETLKW:
                return RecordLock(c, file, false, command == F_SETLKW, false);
            case F_OFD_SETLK or F_OFD_SETLKW:
                return RecordLock(c, file, false, command == F_OFD_SETLKW, true);
            case F_SETOWN:
                return SysFileOwners.SetOwner(c, file, c.Int(2));
            case F_GETOWN:
                return SysFileOwners.OwnerOf(c, file);
            case F_SETSIG:
                if (c.Arg(2) > Signal.Count)
                    return -Errno.EINVAL;
                file.SignalNumber = c.Int(2);
                return 0;
            case F_GETSIG:
                return file.SignalNumber;
            case F_NOTIFY:
                return SysFileOwners.NotifyDirectory(c, file, fd);
            case F_CREATED_QUERY:
                return file.Created ? 1 : 0;
            case F_SETOWN_EX or F_GETOWN_EX:
                return SysFileOwners.OwnerEx(c, file, command == F_SETOWN_EX);
            case F_GETLEASE:
                return file.Inode.Leases?.KindOf(file) ?? FileLeases.None;
            case F_SETLEASE:
                return SysFileOwners.SetLease(c, file);
            case F_SETPIPE_SZ:
                return file is PipeFile pipe ? pipe.SetSize(c.UInt(2), c.Task.Credentials) : -Errno.EBADF;
            case F_GETPIPE_SZ:
                return file is PipeFile sized ? sized.Contents.Size : -Errno.EBADF;
            case F_ADD_SEALS:
                if (file.Inode is not RegularFile sealable)
                    return -Errno.EINVAL;
                if (!file.CanWrite || (sealable.Seals & 1) != 0)
                    return -Errno.EPERM;
                if ((c.UInt(2) & ~0x3Fu) != 0)
                    return -Errno.EINVAL;
                // F_SEAL_WRITE: not while somebody can write through a mapping.
                if ((c.UInt(2) & 8) != 0 && c.Tasks.All.Any(t => t.Mm?.Vmas.Any(v => v.Shared && (v.Prot & Mman.PROT_WRITE) != 0
                    && v.File is OpenFile { Inode: var mapped } && mapped == sealable) == true))
                    return -Errno.EBUSY;
                sealable.Seals |= c.UInt(2);
                return 0;
            case F_GET_SEALS:
                return file.Inode is RegularFile { Fs.Type: "tmpfs" } sealed_ ? sealed_.Seals : -Errno.EINVAL;
            default:
                return -Errno.EINVAL;
        }
    }

    /// <summary>struct flock: l_type s16 @0, l_whence s16 @2, l_start s64 @8, l_len s64 @16, l_pid s32 @24.</summary>
    private static long RecordLock(SyscallContext c, OpenFile file, bool query, bool wait, bool ofd)
    {
        Span<byte> flock = stackalloc byte[32];
        if (!c.Memory.Read(c.Arg(2), flock))
            return -Errno.EFAULT;
        short type = BinaryPrimitives.ReadInt16LittleEndian(flock);
        short whence = BinaryPrimitives.ReadInt16LittleEndian(flock[2..]);
        long start = BinaryPrimitives.ReadInt64LittleEndian(flock[8..]);
        long length = BinaryPrimitives.ReadInt64LittleEndian(flock[16..]);
        if (type is < 0 or > 2 || whence is < 0 or > 2 || (ofd && BinaryPrimitives.ReadInt32LittleEndian(flock[24..]) != 0))
            return -Errno.EINVAL;
        start += whence == 1 ? file.Position : whence == 2 ? file.Inode.Size : 0;
        long end = length == 0 ? long.MaxValue : start + length - 1;
        if (length < 0)
            (start, end) = (start + length, start - 1);
        if (start < 0 || end < start)
            return -Errno.EINVAL;
        if (!query && ((type == 0 && !file.CanRead) || (type == 1 && !file.CanWrite)))
            return -Errno.EBADF;
        object owner = ofd ? file : c.Files;
        FileLocks locks = file.Inode.Locks ??= new FileLocks();
        if (query)
        {
            if (type == 2)
                return -Errno.EINVAL;
            FileLocks.RecordLock? found = locks.Conflict(owner, start, end, type == 1);
            BinaryPrimitives.WriteInt16LittleEndian(flock, (short)(found == null ? 2 : found.Exclusive ? 1 : 0));
            if (found != null)
            {
                BinaryPrimitives.WriteInt16LittleEndian(flock[2..], 0);
                BinaryPrimitives.WriteInt64LittleEndian(flock[8..], found.Start);
                BinaryPrimitives.WriteInt64LittleEndian(flock[16..], found.End == long.MaxValue ? 0 : found.End - found.Start + 1);
                BinaryPrimitives.WriteInt32LittleEndian(flock[24..], found.Owner is OpenFile ? -1 : found.Pid);
            }
            return c.Memory.Write(c.Arg(2), flock) ? 0 : -Errno.EFAULT;
        }
        c.Vfs.LockWaits.Remove(owner);
        if (type != 2 && locks.Conflict(owner, start, end, type == 1) is { } conflict)
        {
            if (!wait)
                return -Errno.EAGAIN;
            if (!ofd && WaitsFor(c, conflict.Owner, owner))
                return -Errno.EDEADLK;
            long result = c.Wait(locks.Changed);
            if (result == SyscallContext.Blocked)
                c.Vfs.LockWaits[owner] = conflict.Owner;
            return result;
        }
        if (type != 2 && locks.Records.Count >= MaxLocks)
            return -Errno.ENOLCK;
        locks.Set(owner, start, end, type == 2 ? null : type == 1, c.Task.Group.Pid);
        return 0;
    }

    /// <summary>Whether an owner of record locks waits, over at most ten others, for another (posix_locks_deadlock).</summary>
    private static bool WaitsFor(SyscallContext c, object from, object to)
    {
        for (int i = 0; i < 10; i++)
        {
            if (from == to)
                return true;
            if (!c.Vfs.LockWaits.TryGetValue(from, out object? next))
                return false;
            from = next;
        }
        return false;
    }

    public static long Flock(SyscallContext c)
    {
        if (FileArguments.File(c, 0) is not { } file)
            return -Errno.EBADF;
        int operation = c.Int(1);
        bool wait = (operation & 4) == 0;
        if ((operation & ~4) is not (1 or 2 or 8))
            return -Errno.EINVAL;
        FileLocks locks = file.Inode.Locks ??= new FileLocks();
        if ((operation & 8) != 0)
        {
            locks.SetFlock(file, null);
            return 0;
        }
        bool exclusive = (operation & 2) != 0;
        if (locks.FlockConflict(file, exclusive))
            return wait ? c.Wait(locks.Changed) : -Errno.EAGAIN;
        locks.SetFlock(file, exclusive);
        return 0;
    }

    public static long Ioctl(SyscallContext c)
    {
        if (FileArguments.File(c, 0) is not { } file)
            return -Errno.EBADF;
        const uint FICLONE = 0x40049409, FICLONERANGE = 0x4020940D, FS_IOC_GETFLAGS = 0x80086601, FS_IOC_SETFLAGS = 0x40086602,
            FS_IOC_FIEMAP = 0xC020660B,
            FIGETBSZ = 2;
        uint command = c.UInt(1);
        int fd = c.Int(0);
        switch (command)
        {
            case IoctlNumbers.FIOCLEX:
                c.Files.SetCloseOnExec(fd, true);
                return 0;
            case IoctlNumbers.FIONCLEX:
                c.Files.SetCloseOnExec(fd, false);
                return 0;
            case IoctlNumbers.FIONBIO:
                if (!c.Memory.Read(c.Arg(2), out int on))
                    return -Errno.EFAULT;
                file.Flags = on != 0 ? file.Flags | OpenFlags.O_NONBLOCK : file.Flags & ~OpenFlags.O_NONBLOCK;
                return 0;
            case IoctlNumbers.FIOASYNC:
                if (!c.Memory.Read(c.Arg(2), out int signals))
                    return -Errno.EFAULT;
                bool differs = signals != 0 != ((file.Flags & OpenFlags.O_ASYNC) != 0);
                return !differs || SysFileOwners.SetAsync(c, file, fd, signals != 0) ? 0 : -Errno.ENOTTY;
            case IoctlNumbers.FIOSETOWN or IoctlNumbers.SIOCSPGRP when file is SocketFile:
                return c.Memory.Read(c.Arg(2), out int owner) ? SysFileOwners.SetOwner(c, file, owner) : -Errno.EFAULT;
            case IoctlNumbers.FIOGETOWN or IoctlNumbers.SIOCGPGRP when file is SocketFile:
                return c.Memory.Write(c.Arg(2), SysFileOwners.OwnerOf(c, file)) ? 0 : -Errno.EFAULT;
            case IoctlNumbers.FIONREAD when file.Inode.IsRegular:
                return c.Memory.Write(c.Arg(2), (int)Math.Clamp(file.Inode.Size - file.Position, 0, int.MaxValue)) ? 0 : -Errno.EFAULT;
            case FIGETBSZ when file.Inode.IsRegular || file.Inode.IsDirectory:
                return c.Memory.Write(c.Arg(2), file.Inode.Fs.Whole.Disk?.Space.BlockSize ?? 4096) ? 0 : -Errno.EFAULT;
            case FICLONE or FICLONERANGE when file.Inode.IsRegular:
                return -Errno.EOPNOTSUPP;
            case FS_IOC_FIEMAP when file.Inode.IsRegular || file.Inode.IsDirectory:
                return FileExtents.Ioctl(c, file.Inode);
            case FS_IOC_GETFLAGS or FS_IOC_SETFLAGS when file.Inode.HasFlags:
                if (command == FS_IOC_GETFLAGS)
                    return c.Memory.Write(c.Arg(2), file.Inode.Flags | (file.Inode.Real.Store?.MoreFlags ?? 0)) ? 0 : -Errno.EFAULT;
                return c.Memory.Read(c.Arg(2), out uint flags)
                    ? Vfs.SetFlags(FileArguments.CallerOf(c), file.Inode, flags) : -Errno.EFAULT;
            case SeccompListener.Receive when file is SeccompListener listener:
                long received = listener.Ioctl(c.Task, command, c.Arg(2));
                return received == -Errno.EAGAIN ? c.Wait(listener.Source.Queue) : received;
            default:
                if ((file.Withheld & LandlockRights.IoctlDev) != 0 && file.Inode.Type is Modes.S_IFCHR or Modes.S_IFBLK
                    && command is not (FIGETBSZ or FICLONE or FICLONERANGE or FS_IOC_FIEMAP or IoctlNumbers.FIOQSIZE))
                    return -Errno.EACCES;
                FileArguments.CallerOf(c);
                return file.Ioctl(c.Task, command, c.Arg(2));
        }
    }
}
