using System.Buffers.Binary;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Attributes of files (fs/stat.c, fs/statfs.c, fs/open.c, fs/utimes.c).</summary>
internal static class SysStat
{
    /// <summary>STATX_MNT_ID_UNIQUE.</summary>
    private const uint MountIdUnique = 0x4000;

    private const long UtimeNow = 0x3FFFFFFF, UtimeOmit = 0x3FFFFFFE;

    public static long Newfstatat(SyscallContext c)
    {
        int flags = c.Int(3);
        if ((flags & ~(OpenFlags.AT_SYMLINK_NOFOLLOW | OpenFlags.AT_EMPTY_PATH | OpenFlags.AT_NO_AUTOMOUNT)) != 0)
            return -Errno.EINVAL;
        long error = FileArguments.Find(
            c, c.Int(0), 1, (flags & OpenFlags.AT_SYMLINK_NOFOLLOW) == 0, (flags & OpenFlags.AT_EMPTY_PATH) != 0, out Inode? inode);
        return error < 0 ? error : WriteStat(c, inode!, c.Arg(2));
    }

    public static long Fstat(SyscallContext c) => c.Files[c.Int(0)] is { } file ? WriteStat(c, file.Inode, c.Arg(1)) : -Errno.EBADF;

    /// <summary>struct stat of include/uapi/asm-generic/stat.h, 128 bytes.</summary>
    private static long WriteStat(SyscallContext c, Inode inode, ulong address)
    {
        Span<byte> b = stackalloc byte[128];
        b.Clear();
        BinaryPrimitives.WriteUInt64LittleEndian(b, inode.Fs.Device);
        BinaryPrimitives.WriteUInt64LittleEndian(b[8..], inode.Ino);
        BinaryPrimitives.WriteUInt32LittleEndian(b[16..], inode.Mode);
        BinaryPrimitives.WriteUInt32LittleEndian(b[20..], inode.Nlink);
        BinaryPrimitives.WriteUInt32LittleEndian(b[24..], c.Task.Credentials.UserNamespace.ShowUser(inode.Uid));
        BinaryPrimitives.WriteUInt32LittleEndian(b[28..], c.Task.Credentials.UserNamespace.ShowGroup(inode.Gid));
        BinaryPrimitives.WriteUInt64LittleEndian(b[32..], inode.Rdev);
        BinaryPrimitives.WriteInt64LittleEndian(b[48..], inode.Size);
        BinaryPrimitives.WriteInt32LittleEndian(b[56..], BlockSize(inode));
        BinaryPrimitives.WriteInt64LittleEndian(b[64..], inode.Blocks);
        WriteTime(b[72..], inode.Atime);
        WriteTime(b[88..], inode.Mtime);
        WriteTime(b[104..], inode.Ctime);
        return c.Memory.Write(address, b) ? 0 : -Errno.EFAULT;
    }

    private static int BlockSize(Inode inode) => inode.Fs.Type is "proc" or "sysfs" && inode.IsRegular ? 1024
        : inode.Fs.Whole.Disk?.Space.BlockSize ?? 4096;

    private static void WriteTime(Span<byte> b, long ns)
    {
        (long seconds, long fraction) = Split(ns);
        BinaryPrimitives.WriteInt64LittleEndian(b, seconds);
        BinaryPrimitives.WriteInt64LittleEndian(b[8..], fraction);
    }

    private static (long Seconds, long Fraction) Split(long ns)
    {
        long seconds = Math.DivRem(ns, 1_000_000_000, out long fraction);
        return fraction < 0 ? (seconds - 1, fraction + 1_000_000_000) : (seconds, fraction);
    }

    /// <summary>STATX_BTIME, STATX_DIOALIGN.</summary>
    private const uint BirthTime = 0x800, DirectIo = 0x2000;

    /// <summary>struct statx of include/uapi/linux/stat.h, 256 bytes.</summary>
    public static long Statx(SyscallContext c)
    {
        int flags = c.Int(2);
        if ((flags & ~0x7900) != 0 || (flags & 0x6000) == 0x6000 || (c.UInt(3) & 0x80000000) != 0)
            return -Errno.EINVAL;
        long error = FileArguments.Find(
            c, c.Int(0), 1, (flags & OpenFlags.AT_SYMLINK_NOFOLLOW) == 0, (flags & OpenFlags.AT_EMPTY_PATH) != 0, out Inode? inode);
        if (error < 0)
            return error;
        Span<byte> b = stackalloc byte[256];
        b.Clear();
        // Compressed where the format has it; immutable, append-only, not dumped.
        uint attributes = inode!.Fs.Whole.Disk is null ? 0x70u : 0x74u;
        bool root = inode.MountedHere == null && c.Vfs.MountAt(inode) != null;
        MountEntry? mount = c.Vfs.MountOf(inode);
        long? birth = inode.Real.Store?.BirthTime;
        (uint memory, uint place) = (c.UInt(3) & DirectIo) != 0 ? c.Vfs.DirectAlignment(inode) : (0, 0);
        BinaryPrimitives.WriteUInt32LittleEndian(b, (0x17FF & ~BirthTime) | (c.UInt(3) & MountIdUnique) | (birth is null ? 0 : BirthTime)
            | (place == 0 ? 0 : DirectIo));
        BinaryPrimitives.WriteInt32LittleEndian(b[4..], BlockSize(inode));
        BinaryPrimitives.WriteUInt64LittleEndian(b[8..], (root ? 0x2000u : 0u) | (inode.Flags & attributes));
        BinaryPrimitives.WriteUInt32LittleEndian(b[16..], inode.Nlink);
        BinaryPrimitives.WriteUInt32LittleEndian(b[20..], c.Task.Credentials.UserNamespace.ShowUser(inode.Uid));
        BinaryPrimitives.WriteUInt32LittleEndian(b[24..], c.Task.Credentials.UserNamespace.ShowGroup(inode.Gid));
        BinaryPrimitives.WriteUInt16LittleEndian(b[28..], (ushort)inode.Mode);
        BinaryPrimitives.WriteUInt64LittleEndian(b[32..], inode.Ino);
        BinaryPrimitives.WriteInt64LittleEndian(b[40..], inode.Size);
        BinaryPrimitives.WriteInt64LittleEndian(b[48..], inode.Blocks);
        BinaryPrimitives.WriteUInt64LittleEndian(b[56..], 0x2000 | (inode.HasFlags ? attributes : 0));
        if (birth is { } made)
            WriteTimeX(b[80..], made);
        BinaryPrimitives.WriteUInt32LittleEndian(b[152..], memory);
        BinaryPrimitives.WriteUInt32LittleEndian(b[156..], place);
        WriteTimeX(b[64..], inode.Atime);
        WriteTimeX(b[96..], inode.Ctime);
        WriteTimeX(b[112..], inode.Mtime);
        BinaryPrimitives.WriteUInt32LittleEndian(b[128..], inode.Rdev >> 8 & 0xFFF);
        BinaryPrimitives.WriteUInt32LittleEndian(b[132..], (inode.Rdev & 0xFF) | (inode.Rdev >> 12 & 0xFFF00));
        BinaryPrimitives.WriteUInt32LittleEndian(b[136..], inode.Fs.Device >> 8);
        BinaryPrimitives.WriteUInt32LittleEndian(b[140..], inode.Fs.Device & 0xFF);
        ulong mountId = mount == null ? 0 : (c.UInt(3) & MountIdUnique) != 0 ? SysMountInfo.UniqueId(mount) : (ulong)mount.Id;
        BinaryPrimitives.WriteUInt64LittleEndian(b[144..], mountId);
        return c.Memory.Write(c.Arg(4), b) ? 0 : -Errno.EFAULT;
    }

    private static void WriteTimeX(Span<byte> b, long ns)
    {
        (long seconds, long fraction) = Split(ns);
        BinaryPrimitives.WriteInt64LittleEndian(b, seconds);
        BinaryPrimitives.WriteUInt32LittleEndian(b[8..], (uint)fraction);
    }

    public static long Statfs(SyscallContext c)
    {
        long error = FileArguments.Find(c, OpenFlags.AT_FDCWD, 0, true, false, out Inode? inode);
        return error < 0 ? error : WriteStatfs(c, inode!, c.Arg(1));
    }

    public static long Fstatfs(SyscallContext c) => c.Files[c.Int(0)] is { } file ? WriteStatfs(c, file.Inode, c.Arg(1)) : -Errno.EBADF;

    /// <summary>struct statfs of include/uapi/asm-generic/statfs.h, 120 bytes.</summary>
    private static long WriteStatfs(SyscallContext c, Inode inode, ulong address)
    {
        Span<byte> b = stackalloc byte[120];
        b.Clear();
        bool stored = inode.Fs.IsStored;
        ulong blocks = stored ? 4UL << 20 : 0;
        ulong free = blocks / 2, inodes = stored ? 1UL << 20 : 0, freeInodes = inodes / 2;
        FileSystem stores = inode.Fs.Whole;
        if (stores.Limit is { Blocks: > 0 } limit)
        {
            (blocks, free) = ((ulong)limit.Blocks, (ulong)(limit.Blocks - stores.Used.Blocks));
            (inodes, freeInodes) = ((ulong)limit.Inodes, (ulong)(limit.Inodes - stores.Used.Inodes));
        }
        int size = 4096;
        ulong available = free;
        if (stores.Disk is { } disk)
        {
            DiskSpace space = disk.Space;
            (size, blocks, free) = (space.BlockSize, (ulong)space.Blocks, (ulong)space.Free);
            (inodes, freeInodes, available) = ((ulong)space.Inodes, (ulong)space.FreeInodes, (ulong)space.Available);
        }
        BinaryPrimitives.WriteInt64LittleEndian(b, inode.Fs.Magic);
        BinaryPrimitives.WriteInt64LittleEndian(b[8..], size);
        BinaryPrimitives.WriteUInt64LittleEndian(b[16..], blocks);
        BinaryPrimitives.WriteUInt64LittleEndian(b[24..], free);
        BinaryPrimitives.WriteUInt64LittleEndian(b[32..], available);
        BinaryPrimitives.WriteUInt64LittleEndian(b[40..], inodes);
        BinaryPrimitives.WriteUInt64LittleEndian(b[48..], freeInodes);
        BinaryPrimitives.WriteUInt64LittleEndian(b[56..], inode.Fs.Id);
        BinaryPrimitives.WriteUInt64LittleEndian(b[64..], 255);
        BinaryPrimitives.WriteInt64LittleEndian(b[72..], size);
        BinaryPrimitives.WriteUInt64LittleEndian(b[80..], 0x20 | Shown(inode.Fs));
        return c.Memory.Write(address, b) ? 0 : -Errno.EFAULT;
    }

    /// <summary>f_flags: ST_RDONLY to ST_NOEXEC as in mount, ST_NOATIME 1024, ST_NODIRATIME 2048, ST_RELATIME 4096,
    /// ST_NOSYMFOLLOW 8192.</summary>
    private static uint Shown(FileSystem fs) =>
        (fs.Flags & ~(MountFlags.MS_NOSYMFOLLOW | MountFlags.MS_STRICTATIME)) | (fs.Has(MountFlags.MS_NOSYMFOLLOW) ? 0x2000u : 0)
        | (fs.Has(MountFlags.MS_NOATIME | MountFlags.MS_STRICTATIME) ? 0 : 0x1000u);

    public static long Faccessat(SyscallContext c) => Access(c, 0);

    public static long Faccessat2(SyscallContext c) => Access(c, c.Int(3));

    private static long Access(SyscallContext c, int flags)
    {
        uint mode = c.UInt(2);
        if (mode > 7 || (flags & ~(OpenFlags.AT_EACCESS | OpenFlags.AT_SYMLINK_NOFOLLOW | OpenFlags.AT_EMPTY_PATH)) != 0)
            return -Errno.EINVAL;
        Credentials who = c.Task.Credentials;
        if ((flags & OpenFlags.AT_EACCESS) == 0)
            who = who with
            {
                Fsuid = who.Uid,
                Fsgid = who.Gid,
                Euid = who.Uid,
                CapEffective = who.Uid == who.UserNamespace.User(0) ? who.CapPermitted : 0,
            };
        long error = FileArguments.Path(c, 1, out string path);
        if (error < 0)
            return error;
        error = FileArguments.Start(c, c.Int(0), path, out Inode inode);
        if (error < 0)
            return error;
        if (path.Length > 0 || (flags & OpenFlags.AT_EMPTY_PATH) == 0)
        {
            Caller caller = FileArguments.CallerOf(c) with { Credentials = who };
            error = c.Vfs.Find(caller, inode, path, (flags & OpenFlags.AT_SYMLINK_NOFOLLOW) == 0, out Inode? found);
            if (error < 0)
                return error;
            inode = found!;
        }
        return mode == 0 ? 0 : Vfs.Permission(inode, who, mode);
    }

    public static long Fchmod(SyscallContext c) => FileArguments.File(c, 0) is { } file
        ? Vfs.ChangeMode(FileArguments.CallerOf(c), file.Inode, c.UInt(1)) : -Errno.EBADF;

    public static long Fchmodat(SyscallContext c) => ChangeMode(c, 0);

    public static long Fchmodat2(SyscallContext c) =>
        (c.Int(3) & ~(OpenFlags.AT_SYMLINK_NOFOLLOW | OpenFlags.AT_EMPTY_PATH)) != 0 ? -Errno.EINVAL : ChangeMode(c, c.Int(3));

    private static long ChangeMode(SyscallContext c, int flags)
    {
        long error = FileArguments.Find(
            c, c.Int(0), 1, (flags & OpenFlags.AT_SYMLINK_NOFOLLOW) == 0, (flags & OpenFlags.AT_EMPTY_PATH) != 0, out Inode? inode);
        return error < 0 ? error : Vfs.ChangeMode(FileArguments.CallerOf(c), inode!, c.UInt(2));
    }

    public static long Fchown(SyscallContext c) => FileArguments.File(c, 0) is { } file
        ? Vfs.ChangeOwner(FileArguments.CallerOf(c), file.Inode, c.UInt(1), c.UInt(2)) : -Errno.EBADF;

    public static long Fchownat(SyscallContext c)
    {
        int flags = c.Int(4);
        if ((flags & ~(OpenFlags.AT_SYMLINK_NOFOLLOW | OpenFlags.AT_EMPTY_PATH)) != 0)
            return -Errno.EINVAL;
        long error = FileArguments.Find(
            c, c.Int(0), 1, (flags & OpenFlags.AT_SYMLINK_NOFOLLOW) == 0, (flags & OpenFlags.AT_EMPTY_PATH) != 0, out Inode? inode);
        return error < 0 ? error : Vfs.ChangeOwner(FileArguments.CallerOf(c), inode!, c.UInt(2), c.UInt(3));
    }

    public static long Utimensat(SyscallContext c)
    {
        int flags = c.Int(3);
        if ((flags & ~(OpenFlags.AT_SYMLINK_NOFOLLOW | OpenFlags.AT_EMPTY_PATH)) != 0)
            return -Errno.EINVAL;
        long now = c.Vfs.NowRealtime;
        long? atime = now, mtime = now;
        bool both = true;
        if (c.Arg(2) != 0)
        {
            if (!c.Memory.Read(c.Arg(2), out long s0) || !c.Memory.Read(c.Arg(2) + 8, out long n0)
                || !c.Memory.Read(c.Arg(2) + 16, out long s1) || !c.Memory.Read(c.Arg(2) + 24, out long n1))
                return -Errno.EFAULT;
            if (!Time(s0, n0, now, out atime) || !Time(s1, n1, now, out mtime))
                return -Errno.EINVAL;
            both = n0 == UtimeNow && n1 == UtimeNow;
            if (n0 == UtimeOmit && n1 == UtimeOmit)
                return 0;
        }
        Inode? inode;
        if (c.Arg(1) == 0 && c.Int(0) != OpenFlags.AT_FDCWD)
        {
            if (flags != 0)
                return -Errno.EINVAL;
            if (FileArguments.File(c, 0) is not { } file)
                return -Errno.EBADF;
            inode = file.Inode;
        }
        else
        {
            long error = FileArguments.Find(
                c, c.Int(0), 1, (flags & OpenFlags.AT_SYMLINK_NOFOLLOW) == 0, (flags & OpenFlags.AT_EMPTY_PATH) != 0, out inode);
            if (error < 0)
                return error;
        }
        return Vfs.SetTimes(FileArguments.CallerOf(c), inode!, atime, mtime, both);
    }

    private static bool Time(long seconds, long ns, long now, out long? time)
    {
        time = ns == UtimeNow ? now : ns == UtimeOmit ? null : Math.Clamp(seconds, -9_000_000_000, 9_000_000_000) * 1_000_000_000 + ns;
        return ns is UtimeNow or UtimeOmit or (>= 0 and < 1_000_000_000);
    }
}
