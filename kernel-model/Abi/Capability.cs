namespace ArmVdso.Kernel.Abi;

/// <summary>Numbers of capabilities (include/uapi/linux/capability.h).</summary>
public static class Capability
{
#pragma warning disable CS1591
    public const int Chown = 0, DacOverride = 1, DacReadSearch = 2, Fowner = 3, Fsetid = 4, Kill = 5, Setgid = 6, Setuid = 7, Setpcap = 8,
        LinuxImmutable = 9, NetBindService = 10, NetAdmin = 12, NetRaw = 13, IpcLock = 14, IpcOwner = 15, SysChroot = 18, SysPtrace = 19,
        SysAdmin = 21, SysBoot = 22, SysNice = 23, SysResource = 24, SysTime = 25, SysTtyConfig = 26, Mknod = 27, AuditControl = 30,
        Lease = 28, MacOverride = 32, Syslog = 34, WakeAlarm = 35, Perfmon = 38, CheckpointRestore = 40;
#pragma warning restore CS1591

    /// <summary>Those that setfsuid takes away and gives back (CAP_FS_SET).</summary>
    public const ulong FileSystemSet = 1UL << Chown | 1UL << DacOverride | 1UL << DacReadSearch | 1UL << Fowner | 1UL << Fsetid
        | 1UL << LinuxImmutable | 1UL << Mknod | 1UL << MacOverride;
}
