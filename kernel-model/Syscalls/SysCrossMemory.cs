using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Memory of other processes (mm/process_vm_access.c).</summary>
internal static class SysCrossMemory
{
    private const ulong Page = PhysicalMemory.PageSize;

    /// <summary>process_vm_readv(pid, local, nl, remote, nr, flags).</summary>
    public static long ProcessVmRead(SyscallContext c) => Transfer(c, false);

    /// <summary>process_vm_writev(pid, local, nl, remote, nr, flags).</summary>
    public static long ProcessVmWrite(SyscallContext c) => Transfer(c, true);

    private static long Transfer(SyscallContext c, bool write)
    {
        if (c.Arg(5) != 0)
            return -Errno.EINVAL;
        // The vectors may be longer than one read: what is moved is counted, not cut.
        if (IoVector.Read(c, c.Arg(1), c.Arg(2), out var local, long.MaxValue) is < 0 and long bad)
            return bad;
        if (IoVector.Read(c, c.Arg(3), c.Arg(4), out var remote, long.MaxValue, foreign: true) is < 0 and long wrong)
            return wrong;
        if (c.FindTask(c.Int(0)) is not { Mm: { } other } task)
            return -Errno.ESRCH;
        if (!Permissions.MayTrace(c.Task, task, true))
            return -Errno.EPERM;
        var buffer = new byte[Page];
        long done = 0;
        int l = 0;
        long inLocal = 0;
        foreach ((ulong address, long length) in remote)
        {
            for (long at = 0; at < length;)
            {
                while (l < local.Length && inLocal == local[l].Length)
                    (l, inLocal) = (l + 1, 0);
                if (l >= local.Length)
                    return done;
                ulong here = address + (ulong)at, mine = local[l].Address + (ulong)inLocal;
                ulong inPages = Math.Min(Page - (here & (Page - 1)), Page - (mine & (Page - 1)));
                long n = Math.Min(Math.Min(length - at, local[l].Length - inLocal), (long)inPages);
                Span<byte> part = buffer.AsSpan(0, (int)n);
                bool ok = other.Find(here)?.Special is not { ByPageFrame: true }
                    && (write ? c.Memory.Read(mine, part) && other.Write(here, part)
                        : other.Read(here, part) && c.Memory.Write(mine, part));
                if (!ok)
                    return done > 0 ? done : -Errno.EFAULT;
                done += n;
                at += n;
                inLocal += n;
            }
        }
        return done;
    }
}
