using System.Text;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>The system as a whole, limits, randomness, and calls that a container refuses (kernel/sys.c and others).</summary>
internal static class SysSystem
{
    private const int NameLength = 65;

    /// <summary>uname(buf).</summary>
    public static long Uname(SyscallContext c)
    {
        var buffer = new byte[6 * NameLength];
        string[] fields = ["Linux", c.Uts.Host, Uts.Release, Uts.Version, "aarch64", c.Uts.Domain];
        for (int i = 0; i < fields.Length; i++)
        {
            byte[] text = Encoding.Latin1.GetBytes(fields[i]);
            text.AsSpan(0, Math.Min(text.Length, NameLength - 1)).CopyTo(buffer.AsSpan(i * NameLength));
        }
        return c.Memory.Write(c.Arg(0), buffer) ? 0 : -Errno.EFAULT;
    }

    private static long ReadName(SyscallContext c, out string name)
    {
        name = "";
        if (!c.Uts.OwnerSpace.IsGovernedBy(c.Task.Credentials))
            return -Errno.EPERM;
        if (c.Int(1) is < 0 or > NameLength - 1)
            return -Errno.EINVAL;
        var bytes = new byte[c.Int(1)];
        if (!c.Memory.Read(c.Arg(0), bytes))
            return -Errno.EFAULT;
        name = Encoding.Latin1.GetString(bytes).TrimEnd('\0');
        return 0;
    }

    /// <summary>sethostname(name, len).</summary>
    public static long SetHostName(SyscallContext c)
    {
        long result = ReadName(c, out string name);
        if (result == 0)
            c.Uts.Host = name;
        return result;
    }

    /// <summary>setdomainname(name, len).</summary>
    public static long SetDomainName(SyscallContext c)
    {
        long result = ReadName(c, out string name);
        if (result == 0)
            c.Uts.Domain = name;
        return result;
    }

    /// <summary>sysinfo(info).</summary>
    public static long SysInfo(SyscallContext c)
    {
        PageAllocator pages = c.Pages;
        Span<byte> info = stackalloc byte[112];
        info.Clear();
        BitConverter.TryWriteBytes(
            info, (long)(c.Task.TimeNamespace.FromHost(Clocks.Boottime, c.Timekeeper.TimeOf(TimerBase.Boottime)) / 1_000_000_000));
        const int sysinfoShift = 16; // SI_LOAD_SHIFT
        for (int i = 0; i < 3; i++)
            BitConverter.TryWriteBytes(info[(8 + 8 * i)..], c.Tasks.Load[i] << (sysinfoShift - LoadAverage.Shift));
        BitConverter.TryWriteBytes(info[32..], pages.Total * PhysicalMemory.PageSize);
        BitConverter.TryWriteBytes(info[40..], (pages.Total - pages.Used) * PhysicalMemory.PageSize);
        BitConverter.TryWriteBytes(info[80..], (ushort)c.Tasks.Groups.Sum(g => g.Threads.Count));
        BitConverter.TryWriteBytes(info[104..], 1u);
        return c.Memory.Write(c.Arg(0), info) ? 0 : -Errno.EFAULT;
    }

    /// <summary>prlimit64(pid, resource, new, old).</summary>
    public static long Prlimit(SyscallContext c)
    {
        KernelTask? task = c.Int(0) == 0 ? c.Task : c.FindTask(c.Int(0));
        if (c.UInt(1) >= Rlimits.Count)
            return -Errno.EINVAL;
        if (task is null)
            return -Errno.ESRCH;
        if (!ReferenceEquals(task.Group, c.Task.Group))
        {
            Credentials a = c.Task.Credentials, b = task.Credentials;
            if (!a.Has(Capability.SysResource)
                && !(a.Uid == b.Uid && a.Uid == b.Euid && a.Uid == b.Suid && a.Gid == b.Gid && a.Gid == b.Egid && a.Gid == b.Sgid))
                return -Errno.EPERM;
        }
        return Limit(c, task.Group, c.Int(1), c.Arg(2), c.Arg(3));
    }

    /// <summary>getrlimit(resource, rlim).</summary>
    public static long GetRlimit(SyscallContext c) =>
        c.UInt(0) >= Rlimits.Count ? -Errno.EINVAL : Limit(c, c.Task.Group, c.Int(0), 0, c.Arg(1));

    /// <summary>setrlimit(resource, rlim).</summary>
    public static long SetRlimit(SyscallContext c) => c.UInt(0) >= Rlimits.Count ? -Errno.EINVAL
        : c.Arg(1) == 0 ? -Errno.EFAULT : Limit(c, c.Task.Group, c.Int(0), c.Arg(1), 0);

    private static long Limit(SyscallContext c, ThreadGroup group, int resource, ulong newAddress, ulong oldAddress)
    {
        (ulong Soft, ulong Hard) old = group.Rlimits[resource];
        if (newAddress != 0)
        {
            if (!c.Memory.Read(newAddress, out ulong soft) || !c.Memory.Read(newAddress + 8, out ulong hard))
                return -Errno.EFAULT;
            if (soft > hard)
                return -Errno.EINVAL;
            // fs.nr_open bounds the number of descriptors.
            if ((resource == Rlimits.Nofile && hard > (ulong)c.Vfs.MostDescriptors)
                || (hard > old.Hard && !c.Task.Credentials.Has(Capability.SysResource)))
                return -Errno.EPERM;
            group.Rlimits[resource] = (soft, hard);
            if (resource == Rlimits.Stack && group.Threads.Count > 0 && group.Threads[0].Mm is { } mm)
                mm.StackLimit = soft;
        }
        return oldAddress == 0 || (c.Memory.Write(oldAddress, old.Soft) && c.Memory.Write(oldAddress + 8, old.Hard)) ? 0 : -Errno.EFAULT;
    }

    /// <summary>personality(persona): the old one. PER_LINUX with flags only.</summary>
    public static long Personality(SyscallContext c)
    {
        uint old = c.Task.Personality;
        if (c.UInt(0) == 0xffffffff)
            return old;
        // PER_LINUX32 needs AArch32 at EL0.
        if ((c.UInt(0) & 0xff) == 8)
            return -Errno.EINVAL;
        c.Task.Personality = c.UInt(0);
        return old;
    }

    /// <summary>getrandom(buf, len, flags).</summary>
    public static long GetRandom(SyscallContext c)
    {
        const uint random = 2, insecure = 4;
        uint flags = c.UInt(2);
        if ((flags & ~7u) != 0 || (flags & (random | insecure)) == (random | insecure))
            return -Errno.EINVAL;
        ulong length = Math.Min(c.Arg(1), int.MaxValue & ~4095UL), done = 0;
        c.Seeding.Use();
        Span<byte> part = stackalloc byte[256];
        while (done < length)
        {
            int n = (int)Math.Min(256, length - done);
            c.Random.Fill(part[..n]);
            if (!c.Memory.Write(c.Arg(0) + done, part[..n]))
                return done > 0 ? (long)done : -Errno.EFAULT;
            done += (ulong)n;
        }
        return (long)done;
    }

    /// <summary>syslog(type, buf, len): an empty kernel log.</summary>
    public static long Syslog(SyscallContext c)
    {
        const int readAll = 3, sizeUnread = 9, sizeBuffer = 10;
        int type = c.Int(0);
        if (type is not (readAll or sizeBuffer) && !c.Task.Credentials.Has(Capability.Syslog))
            return -Errno.EPERM;
        return type switch
        {
            sizeBuffer => 1 << 17,
            2 or readAll or 4 => c.Arg(1) == 0 || c.Int(2) < 0 ? -Errno.EINVAL : 0,
            0 or 1 or 5 or 6 or 7 or sizeUnread => 0,
            8 => c.Int(2) is < 1 or > 8 ? -Errno.EINVAL : 0,
            _ => -Errno.EINVAL,
        };
    }

    /// <summary>vhangup(): the caller's terminal is hung up (tty_vhangup_self).</summary>
    public static long Vhangup(SyscallContext c)
    {
        if (!c.Task.Credentials.Has(Capability.SysTtyConfig))
            return -Errno.EPERM;
        c.Vfs.Devices.ControllingOf(c.Task.Group.Sid)?.HangUp();
        return 0;
    }

    /// <summary>Calls that a container without the capability for them refuses.</summary>
    public static long NotPermitted(SyscallContext c) => -Errno.EPERM;

    /// <summary>Calls that this kernel was built without.</summary>
    public static long NotBuiltIn(SyscallContext c) => -Errno.ENOSYS;

    /// <summary>reboot(magic1, magic2, cmd, arg).</summary>
    public static long Reboot(SyscallContext c)
    {
        if (!c.Task.Credentials.Has(Capability.SysBoot))
            return -Errno.EPERM;
        if (c.UInt(0) != 0xfee1dead || c.UInt(1) is not (672274793 or 85072278 or 369367448 or 537993216))
            return -Errno.EINVAL;
        // Ctrl-Alt-Del on and off: there is no such key. Kexec and hibernation are not there.
        const uint restart = 0x1234567, halt = 0xCDEF0123, keyOn = 0x89ABCDEF, keyOff = 0, powerOff = 0x4321FEDC, restart2 = 0xA1B2C3D4;
        return c.UInt(2) switch
        {
            keyOn or keyOff => 0,
            restart or restart2 => EndNamespace(c, Signal.SIGHUP),
            halt or powerOff => EndNamespace(c, Signal.SIGINT),
            _ => -Errno.EINVAL,
        };
    }

    /// <summary>reboot_pid_ns (kernel/pid_namespace.c): the machine is the host's to end, as around a container, so it is the first process
    /// of the PID namespace that ends, killed by a signal that says how. A program that is not process 1 has none.</summary>
    private static long EndNamespace(SyscallContext c, int signal)
    {
        PidNamespace space = c.Task.PidNamespace;
        ThreadGroup? init = space.Parent is not null ? c.Tasks.FindGroup(space.Reaper) : c.Tasks.Reaper is null ? c.Tasks.Init : null;
        if (init is null)
            return -Errno.EPERM;
        if (!ReferenceEquals(init, c.Task.Group))
        {
            c.Exit.BeginGroupExit(init.Leader, signal);
            init.Leader.Signals.Killed = true;
            c.Signals.Notify(init.Leader, Signal.SIGKILL);
            signal = 0;
        }
        c.Exit.BeginGroupExit(c.Task, signal);
        c.Exit.ExitTask(c.Task, c.Task.Group.ExitStatus);
        return 0;
    }
}
