using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Who hears of files by signal: owners, O_ASYNC, F_NOTIFY, leases (fs/fcntl.c, fs/locks.c).</summary>
internal static class SysFileOwners
{
    private const int Thread = 0, Process = 1, Group = 2;

    /// <summary>F_SETOWN, SIOCSPGRP: a PID, or a process group as a negative number.</summary>
    internal static long SetOwner(SyscallContext c, OpenFile file, int who) =>
        who == int.MinValue ? -Errno.EINVAL : Set(c, file, who < 0 ? Group : Process, Math.Abs(who));

    private static long Set(SyscallContext c, OpenFile file, int kind, int id)
    {
        int first = id == 0 ? 0 : c.FirstOf(id);
        if (id != 0 && c.Tasks.Find(first) is null && !c.Tasks.Groups.Any(g => g.Pgid == first || g.Sid == first))
            return -Errno.ESRCH;
        Set(c, file, kind == Group ? -first : first);
        file.OwnerIsThread = kind == Thread;
        return 0;
    }

    private static void Set(SyscallContext c, OpenFile file, int owner)
    {
        file.Owner = owner;
        file.OwnerIsThread = false;
        file.OwnerMaker = (c.Task.Credentials.Uid, c.Task.Credentials.Euid);
    }

    /// <summary>F_GETOWN: as the caller knows it; 0: nobody, or gone.</summary>
    internal static int OwnerOf(SyscallContext c, OpenFile file)
    {
        int id = Math.Abs(file.Owner);
        bool there = file.Owner < 0 ? c.Tasks.Groups.Any(g => g.Pgid == id) : c.Tasks.Find(id) is not null;
        return there ? Math.Sign(file.Owner) * c.Task.PidNamespace.NumberOf(id) : 0;
    }

    /// <summary>struct f_owner_ex: F_OWNER_TID 0, _PID 1, _PGRP 2.</summary>
    internal static long OwnerEx(SyscallContext c, OpenFile file, bool set)
    {
        ulong address = c.Arg(2);
        if (!set)
        {
            int kind = file.OwnerIsThread ? Thread : file.Owner < 0 ? Group : Process;
            return c.Memory.Write(address, kind) && c.Memory.Write(address + 4, Math.Abs(OwnerOf(c, file))) ? 0 : -Errno.EFAULT;
        }
        if (!c.Memory.Read(address, out int type) || !c.Memory.Read(address + 4, out int id))
            return -Errno.EFAULT;
        return type is < Thread or > Group ? -Errno.EINVAL : Set(c, file, type, id);
    }

    /// <summary>O_ASYNC. False: the file has no such signals.</summary>
    internal static bool SetAsync(SyscallContext c, OpenFile file, int descriptor, bool on)
    {
        if (on == ((file.Flags & OpenFlags.O_ASYNC) != 0))
            return true;
        if (!file.SetAsync(descriptor, on))
            return false;
        // A terminal's are for its foreground group until somebody says otherwise (__tty_fasync).
        if (on && file is { Owner: 0, Terminal: { } terminal })
            Set(c, file, terminal.ForegroundGroup != 0 ? -terminal.ForegroundGroup : c.Task.Group.Pid);
        return true;
    }

    /// <summary>F_NOTIFY (fcntl_dirnotify).</summary>
    internal static long NotifyDirectory(SyscallContext c, OpenFile file, int descriptor)
    {
        const uint repeats = 0x80000000;
        bool any = (c.UInt(2) & ~repeats) != 0;
        if (any && !file.Inode.IsDirectory)
            return -Errno.ENOTDIR;
        if (any && Vfs.Permission(file.Inode, c.Task.Credentials, Modes.MAY_READ) is < 0 and long denied)
            return denied;
        if (any && file.Owner == 0)
            Set(c, file, c.Task.Group.Pid);
        DirectoryWatch.Set(file, c.Files, descriptor, c.UInt(2));
        return 0;
    }

    /// <summary>F_SETLEASE.</summary>
    internal static long SetLease(SyscallContext c, OpenFile file)
    {
        int kind = c.Int(2);
        if (kind is not (FileLeases.Read or FileLeases.Write or FileLeases.None))
            return -Errno.EINVAL;
        if (file.Inode.Uid != c.Task.Credentials.Fsuid && !c.Task.Credentials.HasOver(Capability.Lease, file.Inode.Uid, file.Inode.Gid))
            return -Errno.EACCES;
        if (!file.Inode.IsRegular)
            return -Errno.EINVAL;
        c.Vfs.HasLeases = true;
        long result = (file.Inode.Leases ??= new FileLeases()).Set(file, c.Int(0), kind);
        if (result == 0 && kind != FileLeases.None && file.Owner == 0)
            Set(c, file, c.Task.Group.Pid);
        return result;
    }

    /// <summary>Tells who holds leases that an open of a file excludes, and waits for them to be given up (break_lease): 0, -EAGAIN, or
    /// the result of the sleep.</summary>
    internal static long BreakLeases(SyscallContext c, Inode inode, int flags)
    {
        if (inode.Leases is not { } leases || (flags & OpenFlags.O_PATH) != 0)
            return 0;
        bool writes = (flags & OpenFlags.O_ACCMODE) != OpenFlags.O_RDONLY || (flags & OpenFlags.O_TRUNC) != 0;
        if (c.TimedOut)
            leases.Force();
        if (!leases.Break(writes, (held, fd) => c.Vfs.Host?.Owners.Tell(held, fd, IoEvent.Message)))
            return 0;
        if ((flags & OpenFlags.O_NONBLOCK) != 0)
            return -Errno.EAGAIN;
        if (c.Deadline == ulong.MaxValue)
            c.Deadline = c.Timekeeper.NowNs + (ulong)c.Vfs.LeaseBreakSeconds * 1_000_000_000;
        return c.Wait(leases.Changed, c.Deadline);
    }
}
