namespace ArmVdso.Kernel.Abi;

/// <summary>File type and permission bits of st_mode (include/uapi/linux/stat.h).</summary>
public static class Modes
{
#pragma warning disable CS1591 // Names are those of the UAPI headers.
    public const uint S_IFMT = 0xF000, S_IFSOCK = 0xC000, S_IFLNK = 0xA000, S_IFREG = 0x8000, S_IFBLK = 0x6000, S_IFDIR = 0x4000,
        S_IFCHR = 0x2000, S_IFIFO = 0x1000, S_ISUID = 0x800, S_ISGID = 0x400, S_ISVTX = 0x200, S_IXGRP = 8;

    /// <summary>Wanted access of a permission check.</summary>
    public const uint MAY_EXEC = 1, MAY_WRITE = 2, MAY_READ = 4;
#pragma warning restore CS1591

    /// <summary>A mode without what a write or a change of owner takes away: S_ISUID, and S_ISGID where a group may execute
    /// (setattr_should_drop_suidgid).</summary>
    public static uint Unprivileged(uint mode) => mode & ~(S_ISUID | ((mode & S_IXGRP) != 0 ? S_ISGID : 0));

    /// <summary>d_type of a mode (include/linux/fs_types.h).</summary>
    public static byte DirectoryType(uint mode) => (byte)((mode & S_IFMT) >> 12);
}

/// <summary>Flags of open and fcntl as arm64 numbers them (arch/arm64/include/uapi/asm/fcntl.h and asm-generic/fcntl.h).</summary>
public static class OpenFlags
{
#pragma warning disable CS1591
    public const int O_RDONLY = 0, O_WRONLY = 1, O_RDWR = 2, O_ACCMODE = 3, O_CREAT = 0x40, O_EXCL = 0x80, O_NOCTTY = 0x100,
        O_TRUNC = 0x200, O_APPEND = 0x400, O_NONBLOCK = 0x800, O_DSYNC = 0x1000, O_ASYNC = 0x2000, O_DIRECTORY = 0x4000,
        O_NOFOLLOW = 0x8000, O_DIRECT = 0x10000, O_LARGEFILE = 0x20000, O_NOATIME = 0x40000, O_CLOEXEC = 0x80000,
        O_SYNC = 0x101000, O_PATH = 0x200000, O_TMPFILE = 0x404000, O_TMPFILE_BIT = 0x400000;

    public const int AT_FDCWD = -100, AT_SYMLINK_NOFOLLOW = 0x100, AT_REMOVEDIR = 0x200, AT_EACCESS = 0x200, AT_SYMLINK_FOLLOW = 0x400,
        AT_NO_AUTOMOUNT = 0x800, AT_EMPTY_PATH = 0x1000;

    public const int F_OK = 0;
#pragma warning restore CS1591
}

/// <summary>Readiness bits of poll and epoll (include/uapi/linux/eventpoll.h, asm-generic/poll.h).</summary>
public static class PollBits
{
#pragma warning disable CS1591
    public const uint In = 1, Pri = 2, Out = 4, Err = 8, Hup = 0x10, Nval = 0x20, RdNorm = 0x40, RdBand = 0x80, WrNorm = 0x100,
        WrBand = 0x200, RdHup = 0x2000;

    /// <summary>What a file without a poll operation reports.</summary>
    public const uint Always = In | Out | RdNorm | WrNorm;
    public const uint Readable = In | RdNorm, Writable = Out | WrNorm;
#pragma warning restore CS1591
}

/// <summary>Event bits of inotify (include/uapi/linux/inotify.h).</summary>
internal static class InotifyBits
{
    public const uint IN_ACCESS = 1, IN_MODIFY = 2, IN_ATTRIB = 4, IN_CLOSE_WRITE = 8, IN_CLOSE_NOWRITE = 0x10, IN_OPEN = 0x20,
        IN_MOVED_FROM = 0x40, IN_MOVED_TO = 0x80, IN_CREATE = 0x100, IN_DELETE = 0x200, IN_DELETE_SELF = 0x400, IN_MOVE_SELF = 0x800,
        IN_ALL = 0xFFF, IN_UNMOUNT = 0x2000, IN_Q_OVERFLOW = 0x4000, IN_IGNORED = 0x8000,
        IN_ONLYDIR = 0x1000000, IN_DONT_FOLLOW = 0x2000000,
        IN_EXCL_UNLINK = 0x4000000,
        IN_MASK_CREATE = 0x10000000, IN_MASK_ADD = 0x20000000, IN_ISDIR = 0x40000000, IN_ONESHOT = 0x80000000;
}
