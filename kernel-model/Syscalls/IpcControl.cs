namespace ArmVdso.Kernel.Syscalls;

/// <summary>What shmctl, msgctl and semctl have alike (ipc/util.c).</summary>
internal static class IpcControl
{
    /// <summary>Commands (include/uapi/linux/ipc.h).</summary>
    internal const int IpcRmid = 0, IpcSet = 1, IpcStat = 2, IpcInfo = 3;

    /// <summary>Time of a change, in seconds since 1970.</summary>
    internal static long Now(SyscallContext c) => (long)(c.Timekeeper.RealtimeNs / 1_000_000_000);
}
