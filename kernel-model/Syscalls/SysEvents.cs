using ArmVdso.Kernel.Delivery;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Files without a name: pipe2, eventfd, timerfd, signalfd, memfd, inotify.</summary>
internal static class SysEvents
{
    public static long Pipe2(SyscallContext c)
    {
        int flags = c.Int(1);
        if ((flags & ~(OpenFlags.O_CLOEXEC | OpenFlags.O_NONBLOCK | OpenFlags.O_DIRECT)) != 0)
            return -Errno.EINVAL;
        FileArguments.CallerOf(c);
        long error = PipeFile.Create(c.Vfs, flags, out OpenFile? read, out OpenFile? write);
        return error < 0 ? error : InstallPair(c, read!, write!, flags, c.Arg(0));
    }

    /// <summary>Gives two files numbers and writes these as two ints.</summary>
    public static long InstallPair(SyscallContext c, OpenFile first, OpenFile second, int flags, ulong address)
    {
        long a = FileArguments.Install(c, first, flags);
        if (a < 0)
        {
            second.Release();
            return a;
        }
        long b = FileArguments.Install(c, second, flags);
        if (b < 0)
        {
            c.Files.Close((int)a);
            return b;
        }
        if (c.Memory.Write(address, (int)a) && c.Memory.Write(address + 4, (int)b))
            return 0;
        c.Files.Close((int)a);
        c.Files.Close((int)b);
        return -Errno.EFAULT;
    }

    public static long Eventfd2(SyscallContext c) => (c.Int(1) & ~(1 | OpenFlags.O_CLOEXEC | OpenFlags.O_NONBLOCK)) != 0 ? -Errno.EINVAL
        : FileArguments.Install(c, new EventFile(c.Vfs, c.UInt(0), (c.Int(1) & 1) != 0, c.Int(1) & OpenFlags.O_NONBLOCK), c.Int(1));

    public static long TimerfdCreate(SyscallContext c) =>
        c.Int(0) is 8 or 9 && !c.Task.Credentials.Has(Capability.WakeAlarm) ? -Errno.EPERM
        : c.Int(0) is not (0 or 1 or 7 or 8 or 9) || (c.Int(1) & ~(OpenFlags.O_CLOEXEC | OpenFlags.O_NONBLOCK)) != 0 ? -Errno.EINVAL
        : FileArguments.Install(
            c, new TimerFile(c.Vfs, c.Timekeeper, c.Timers, c.Int(0), c.Int(1) & OpenFlags.O_NONBLOCK), c.Int(1));

    public static long TimerfdSettime(SyscallContext c)
    {
        if (FileArguments.Timespec(c, c.Arg(2), out ulong interval) is < 0 and long e1)
            return e1;
        if (FileArguments.Timespec(c, c.Arg(2) + 16, out ulong value) is < 0 and long e2)
            return e2;
        if (c.Files[c.Int(0)] is not { } file)
            return -Errno.EBADF;
        if (file is not TimerFile timer || (c.Int(1) & ~3) != 0)
            return -Errno.EINVAL;
        bool absolute = (c.Int(1) & 1) != 0;
        (ulong left, ulong oldInterval) = timer.Setting;
        TimerBase of = TimerBases.Of(timer.Clock);
        // A relative timer on CLOCK_REALTIME does not follow when that clock is set.
        if (!absolute && timer.Clock == Clocks.Realtime)
            of = TimerBase.Monotonic;
        ulong? deadline = value == 0 ? null
            : absolute ? c.Task.TimeNamespace.ToHost(timer.Clock, value)
            : UserTime.Add(c.Timekeeper.TimeOf(of), value);
        timer.Set(of, deadline, interval, absolute && of == TimerBase.Realtime && (c.Int(1) & 2) != 0);
        return c.Arg(3) != 0 && !WriteSetting(c, c.Arg(3), left, oldInterval) ? -Errno.EFAULT : 0;
    }

    public static long TimerfdGettime(SyscallContext c)
    {
        if (c.Files[c.Int(0)] is not { } file)
            return -Errno.EBADF;
        if (file is not TimerFile timer)
            return -Errno.EINVAL;
        (ulong left, ulong interval) = timer.Setting;
        return WriteSetting(c, c.Arg(1), left, interval) ? 0 : -Errno.EFAULT;
    }

    private static bool WriteSetting(SyscallContext c, ulong address, ulong left, ulong interval) =>
        FileArguments.WriteTimespec(c, address, interval) && FileArguments.WriteTimespec(c, address + 16, left);

    public static long Signalfd4(SyscallContext c)
    {
        if (c.Arg(2) != 8 || (c.Int(3) & ~(OpenFlags.O_CLOEXEC | OpenFlags.O_NONBLOCK)) != 0)
            return -Errno.EINVAL;
        if (!c.Memory.Read(c.Arg(1), out ulong mask))
            return -Errno.EFAULT;
        mask &= ~(1UL << 8 | 1UL << 18);
        if (c.Int(0) == -1)
        {
            var made = new SignalFile(c.Vfs, c.Signals, mask, c.Int(3) & OpenFlags.O_NONBLOCK);
            return FileArguments.Install(c, made, c.Int(3));
        }
        if (c.Files[c.Int(0)] is not { } file)
            return -Errno.EBADF;
        if (file is not SignalFile signals)
            return -Errno.EINVAL;
        signals.Mask = mask;
        return c.Int(0);
    }

    public static long MemfdCreate(SyscallContext c)
    {
        const uint MFD_CLOEXEC = 1, MFD_ALLOW_SEALING = 2, MFD_HUGETLB = 4, MFD_NOEXEC_SEAL = 8, MFD_EXEC = 0x10, sizes = 0xFC00_0000;
        uint flags = c.UInt(1);
        bool huge = (flags & MFD_HUGETLB) != 0;
        if ((flags & ~(MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_HUGETLB | MFD_NOEXEC_SEAL | MFD_EXEC | (huge ? sizes : 0))) != 0)
            return -Errno.EINVAL;
        long error = c.Memory.ReadString(c.Arg(0), 250, out string name);
        if (error < 0)
            return error == -Errno.ENAMETOOLONG ? -Errno.EINVAL : error;
        // There are no huge pages of any size.
        if (huge)
            return -Errno.ENODEV;
        var inode = new RegularFile(c.Vfs.ShmFs, (flags & MFD_NOEXEC_SEAL) != 0 ? 0x1B6u : 0x1FFu)
        {
            Nlink = 0,
            Name = "memfd:" + name,
            Uid = c.Task.Credentials.Fsuid,
            Gid = c.Task.Credentials.Fsgid,
            Seals = (flags & (MFD_ALLOW_SEALING | MFD_NOEXEC_SEAL)) != 0 ? (flags & MFD_NOEXEC_SEAL) != 0 ? 0x20u : 0 : 1,
        };
        inode.Open(OpenFlags.O_RDWR, c.Task, out OpenFile? file);
        return FileArguments.Install(c, file!, (flags & MFD_CLOEXEC) != 0 ? OpenFlags.O_CLOEXEC : 0);
    }

    /// <summary>userfaultfd(flags): without CAP_SYS_PTRACE and vm.unprivileged_userfaultfd for faults of EL0 alone.</summary>
    public static long Userfaultfd(SyscallContext c)
    {
        int flags = c.Int(0);
        if ((flags & UserfaultFile.UserModeOnly) == 0 && !c.Vfs.UnprivilegedUserfaults && !c.Task.Credentials.Has(Capability.SysPtrace))
            return -Errno.EPERM;
        return (flags & ~(OpenFlags.O_CLOEXEC | OpenFlags.O_NONBLOCK | UserfaultFile.UserModeOnly)) != 0 ? -Errno.EINVAL
            : FileArguments.Install(c, new UserfaultFile(c.Vfs, c.Memory, flags), flags);
    }

    public static long InotifyInit1(SyscallContext c)
    {
        FileArguments.CallerOf(c);
        if ((c.Int(0) & ~(OpenFlags.O_CLOEXEC | OpenFlags.O_NONBLOCK)) != 0)
            return -Errno.EINVAL;
        if (!c.Vfs.UserCounts.TryTake(c.Task.Credentials, UserCount.InotifyInstances))
            return -Errno.EMFILE;
        var file = new InotifyFile(c.Vfs, c.Int(0) & OpenFlags.O_NONBLOCK);
        c.Vfs.Inotify.Add(file);
        return FileArguments.Install(c, file, c.Int(0));
    }

    public static long InotifyAddWatch(SyscallContext c)
    {
        uint mask = c.UInt(2);
        const uint both = InotifyBits.IN_MASK_ADD | InotifyBits.IN_MASK_CREATE;
        if ((mask & (InotifyBits.IN_ALL | InotifyBits.IN_Q_OVERFLOW | InotifyBits.IN_IGNORED | InotifyBits.IN_UNMOUNT)) == 0
            || (mask & both) == both)
            return -Errno.EINVAL;
        if (c.Files[c.Int(0)] is not { } file)
            return -Errno.EBADF;
        if (file is not InotifyFile inotify)
            return -Errno.EINVAL;
        long error = FileArguments.Find(c, OpenFlags.AT_FDCWD, 1, (mask & InotifyBits.IN_DONT_FOLLOW) == 0, false, out Inode? inode);
        if (error < 0)
            return error;
        if ((mask & InotifyBits.IN_ONLYDIR) != 0 && !inode!.IsDirectory)
            return -Errno.ENOTDIR;
        error = Vfs.Permission(inode!, c.Task.Credentials, Modes.MAY_READ);
        return error < 0 ? error : inotify.AddWatch(inode!, mask);
    }

    public static long InotifyRmWatch(SyscallContext c) => c.Files[c.Int(0)] is not { } file ? -Errno.EBADF
        : file is InotifyFile inotify ? inotify.RemoveWatch(c.Int(1)) : -Errno.EINVAL;
}
