namespace ArmVdso.Kernel.Abi;

/// <summary>Numbers of resource limits (include/uapi/asm-generic/resource.h).</summary>
public static class Rlimits
{
#pragma warning disable CS1591
    public const int Cpu = 0, Fsize = 1, Data = 2, Stack = 3, Core = 4, Rss = 5, Nproc = 6, Nofile = 7, Memlock = 8, As = 9,
        Locks = 10, Sigpending = 11, Msgqueue = 12, Nice = 13, Rtprio = 14, Rttime = 15, Count = 16;
#pragma warning restore CS1591

    /// <summary>RLIM_INFINITY.</summary>
    public const ulong Infinity = ulong.MaxValue;

    /// <summary>The limits of the first process, as a Debian system shows them.</summary>
    public static (ulong Soft, ulong Hard)[] Defaults()
    {
        var limits = new (ulong, ulong)[Count];
        Array.Fill(limits, (Infinity, Infinity));
        limits[Stack] = (8 << 20, Infinity);
        limits[Core] = (0, Infinity);
        limits[Nproc] = (7820, 7820);
        limits[Nofile] = (1024, 1048576);
        limits[Memlock] = (8 << 20, 8 << 20);
        limits[Sigpending] = (7820, 7820);
        limits[Msgqueue] = (819200, 819200);
        limits[Nice] = (0, 0);
        limits[Rtprio] = (0, 0);
        return limits;
    }
}
