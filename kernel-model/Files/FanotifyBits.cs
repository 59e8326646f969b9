namespace ArmVdso.Kernel.Files;

/// <summary>Numbers of fanotify (include/uapi/linux/fanotify.h). Events that inotify has, too, have its bits.</summary>
internal static class Fan
{
#pragma warning disable CS1591 // Names are those of the UAPI header.
    // Events.
    internal const uint OPEN_EXEC = 0x1000, Q_OVERFLOW = 0x4000, FS_ERROR = 0x8000, OPEN_PERM = 0x10000, ACCESS_PERM = 0x20000,
        OPEN_EXEC_PERM = 0x40000, EVENT_ON_CHILD = 0x8000000, RENAME = 0x10000000, ONDIR = 0x40000000;

    // fanotify_init.
    internal const uint CLOEXEC = 1, NONBLOCK = 2, CLASS_CONTENT = 4, CLASS_PRE_CONTENT = 8, CLASS = 0xC, UNLIMITED_QUEUE = 0x10,
        UNLIMITED_MARKS = 0x20, ENABLE_AUDIT = 0x40, REPORT_PIDFD = 0x80, REPORT_TID = 0x100, REPORT_FID = 0x200, REPORT_DIR_FID = 0x400,
        REPORT_NAME = 0x800, REPORT_TARGET_FID = 0x1000;

    // fanotify_mark.
    internal const uint MARK_ADD = 1, MARK_REMOVE = 2, MARK_DONT_FOLLOW = 4, MARK_ONLYDIR = 8, MARK_MOUNT = 0x10, MARK_IGNORED_MASK = 0x20,
        MARK_IGNORED_SURV_MODIFY = 0x40, MARK_FLUSH = 0x80, MARK_FILESYSTEM = 0x100, MARK_EVICTABLE = 0x200, MARK_IGNORE = 0x400;

    // Answers to permission events.
    internal const uint ALLOW = 1, DENY = 2, AUDIT = 0x10;
#pragma warning restore CS1591

    /// <summary>Which of what a group reports identifies files by handles.</summary>
    internal const uint FidModes = REPORT_FID | REPORT_DIR_FID | REPORT_NAME | REPORT_TARGET_FID;

    /// <summary>Events that must be answered.</summary>
    internal const uint Permissions = OPEN_PERM | ACCESS_PERM | OPEN_EXEC_PERM;

    /// <summary>Events that a path is known of, so that a descriptor can be given.</summary>
    internal const uint OfPaths = InotifyBits.IN_ACCESS | InotifyBits.IN_MODIFY | InotifyBits.IN_CLOSE_WRITE | InotifyBits.IN_CLOSE_NOWRITE
        | InotifyBits.IN_OPEN | OPEN_EXEC;

    /// <summary>Events of a name in a directory (ALL_FSNOTIFY_DIRENT_EVENTS).</summary>
    internal const uint OfNames = InotifyBits.IN_CREATE | InotifyBits.IN_DELETE | InotifyBits.IN_MOVED_FROM
        | InotifyBits.IN_MOVED_TO | RENAME;

    /// <summary>Events of a file for itself.</summary>
    internal const uint OfInodes = OfNames | InotifyBits.IN_ATTRIB | InotifyBits.IN_DELETE_SELF | InotifyBits.IN_MOVE_SELF;

    /// <summary>What a mark is on, if not on a file.</summary>
    internal const uint MarkKinds = MARK_MOUNT | MARK_FILESYSTEM;

    /// <summary>What makes a mark ignore events.</summary>
    internal const uint IgnoreBits = MARK_IGNORE | MARK_IGNORED_MASK;

    /// <summary>What qualifies events.</summary>
    internal const uint Qualifiers = EVENT_ON_CHILD | ONDIR;

    /// <summary>What can be asked for.</summary>
    internal const uint Known = OfPaths | OfInodes | FS_ERROR | Permissions | Qualifiers;
}
