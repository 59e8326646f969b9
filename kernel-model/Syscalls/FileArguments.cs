using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Waiting;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>What most file system calls do with their arguments.</summary>
internal static class FileArguments
{
    private const int PathMax = 4096;

    /// <summary>Identity and root of the calling task; /proc/self means this task from here on.</summary>
    public static Caller CallerOf(SyscallContext c)
    {
        c.Vfs.Current = c.Task;
        return new Caller(c.Task.Credentials, c.Task.Fs);
    }

    /// <summary>The file of a descriptor for input and output; null (EBADF) also for O_PATH descriptors.</summary>
    public static OpenFile? File(SyscallContext c, int argument) =>
        c.Files[c.Int(argument)] is { IsPath: false } file ? file : null;

    /// <summary>Reads a path argument: 0, -EFAULT or -ENAMETOOLONG.</summary>
    public static long Path(SyscallContext c, int argument, out string path) => c.Memory.ReadString(c.Arg(argument), PathMax, out path);

    /// <summary>The directory that a relative path starts at: AT_FDCWD, or a directory's descriptor.</summary>
    public static long Start(SyscallContext c, int dirfd, string path, out Inode start)
    {
        start = c.Task.Fs.Cwd;
        if (dirfd == OpenFlags.AT_FDCWD || path.StartsWith('/'))
            return 0;
        if (c.Files[dirfd] is not { } file)
            return -Errno.EBADF;
        start = file.Inode;
        return start.IsDirectory || path.Length == 0 ? 0 : -Errno.ENOTDIR;
    }

    /// <summary>Finds the file that (dirfd, path) names; with <paramref name="empty"/> an empty path is the descriptor's file.</summary>
    public static long Find(SyscallContext c, int dirfd, int pathArgument, bool follow, bool empty, out Inode? inode)
    {
        inode = null;
        string path = "";
        // Linux 6.11 takes NULL for an empty path.
        if (!(empty && c.Arg(pathArgument) == 0) && Path(c, pathArgument, out path) is < 0 and long bad)
            return bad;
        long error = Start(c, dirfd, path, out Inode start);
        if (error < 0)
            return error;
        if (path.Length == 0 && empty)
        {
            inode = start;
            return 0;
        }
        return c.Vfs.Find(CallerOf(c), start, path, follow, out inode);
    }

    /// <summary>Path and starting directory of arguments <paramref name="dirArgument"/> and the next.</summary>
    public static long PathAt(SyscallContext c, int dirArgument, out Inode start, out string path)
    {
        long error = Path(c, dirArgument + 1, out path);
        if (error < 0)
        {
            start = c.Task.Fs.Cwd;
            return error;
        }
        return Start(c, c.Int(dirArgument), path, out start);
    }

    /// <summary>Gives a new file a number; on failure the file is released.</summary>
    public static long Install(SyscallContext c, OpenFile file, int flags)
    {
        long fd = c.Files.Add(file, (flags & OpenFlags.O_CLOEXEC) != 0, FileLimit(c));
        if (fd < 0)
            file.Release();
        return fd;
    }

    /// <summary>Whether there will be a number for a file that is still to be made or taken: 0, -EMFILE.</summary>
    public static long MayInstall(SyscallContext c) => c.Files.MayAdd(FileLimit(c));

    /// <summary>RLIMIT_NOFILE.</summary>
    public static ulong FileLimit(SyscallContext c) => c.Task.Group.Rlimits[Rlimits.Nofile].Soft;

    /// <summary>Sleeps until the file's readiness may have changed.</summary>
    public static long WaitFor(SyscallContext c, OpenFile file, ulong deadline = ulong.MaxValue, long restart = Errno.ERESTARTSYS)
    {
        var queues = new List<WaitQueue>();
        var exclusive = new List<(WaitQueue Queue, uint Events)>();
        if (file is EpollFile set)
            set.CollectQueues(queues, exclusive);
        else
            file.CollectQueues(queues);
        long result = c.Wait(queues.ToArray(), deadline, restart);
        if (result == SyscallContext.Blocked && exclusive.Count > 0)
            c.Task.SleepAlsoOn(exclusive);
        return result;
    }

    /// <summary>Reads a struct timespec into ns: 0, -EFAULT, -EINVAL.</summary>
    public static long Timespec(SyscallContext c, ulong address, out ulong ns)
    {
        ns = 0;
        if (!c.Memory.Read(address, out long seconds) || !c.Memory.Read(address + 8, out long fraction))
            return -Errno.EFAULT;
        if (seconds < 0 || fraction is < 0 or >= 1_000_000_000)
            return -Errno.EINVAL;
        ns = seconds > 9_000_000_000 ? long.MaxValue : (ulong)seconds * 1_000_000_000 + (ulong)fraction;
        return 0;
    }

    /// <summary>Writes a struct timespec.</summary>
    public static bool WriteTimespec(SyscallContext c, ulong address, ulong ns) =>
        c.Memory.Write(address, (long)(ns / 1_000_000_000)) && c.Memory.Write(address + 8, (long)(ns % 1_000_000_000));
}
