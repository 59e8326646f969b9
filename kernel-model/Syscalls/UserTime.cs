using ArmVdso.Kernel.Memory;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Times as user memory holds them (struct timespec, timeval, itimerspec), in ns.</summary>
internal static class UserTime
{
    private const ulong NsPerSecond = 1_000_000_000;

    /// <summary>Longest time in ns (KTIME_MAX).</summary>
    internal const ulong Max = long.MaxValue;

    /// <summary>Reads a timespec: 0, -EFAULT, or -EINVAL for a negative or unnormalised one.</summary>
    internal static long ReadTimespec(MemoryMap mm, ulong address, out ulong ns)
    {
        ns = 0;
        if (!mm.Read(address, out long seconds) || !mm.Read(address + 8, out long part))
            return -Errno.EFAULT;
        if (seconds < 0 || part is < 0 or >= (long)NsPerSecond)
            return -Errno.EINVAL;
        ns = (ulong)seconds >= Max / NsPerSecond ? Max : (ulong)seconds * NsPerSecond + (ulong)part;
        return 0;
    }

    internal static bool WriteTimespec(MemoryMap mm, ulong address, ulong ns) =>
        mm.Write(address, ns / NsPerSecond) && mm.Write(address + 8, ns % NsPerSecond);

    /// <summary>Reads a timeval: 0, -EFAULT, -EINVAL.</summary>
    internal static long ReadTimeval(MemoryMap mm, ulong address, out ulong ns)
    {
        ns = 0;
        if (!mm.Read(address, out long seconds) || !mm.Read(address + 8, out long part))
            return -Errno.EFAULT;
        if (seconds < 0 || part is < 0 or >= 1_000_000)
            return -Errno.EINVAL;
        ns = (ulong)seconds >= Max / NsPerSecond ? Max : (ulong)seconds * NsPerSecond + (ulong)part * 1000;
        return 0;
    }

    internal static bool WriteTimeval(MemoryMap mm, ulong address, ulong ns) =>
        mm.Write(address, ns / NsPerSecond) && mm.Write(address + 8, ns % NsPerSecond / 1000);

    /// <summary>Sum of two times without wrapping.</summary>
    internal static ulong Add(ulong a, ulong b) => Math.Min(Max, Math.Min(a, Max) + Math.Min(b, Max));
}
