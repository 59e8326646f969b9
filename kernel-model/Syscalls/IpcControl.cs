using ArmVdso.Kernel.Ipc;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>What shmctl, msgctl and semctl have alike (ipc/util.c).</summary>
internal static class IpcControl
{
    /// <summary>Commands (include/uapi/linux/ipc.h).</summary>
    internal const int IpcRmid = 0, IpcSet = 1, IpcStat = 2, IpcInfo = 3;

    /// <summary>Time of a change, in seconds since 1970.</summary>
    internal static long Now(SyscallContext c) => (long)(c.Timekeeper.RealtimeNs / 1_000_000_000);

    /// <summary>IPC_STAT and the commands of its kind.</summary>
    /// <param name="c">The call.</param>
    /// <param name="item">The object.</param>
    /// <param name="buffer">Where the caller wants the structure.</param>
    /// <param name="status">The structure (shmid64_ds, semid64_ds, msqid64_ds) but for its permissions.</param>
    /// <param name="command">IPC_STAT answers 0, the others the ID.</param>
    /// <param name="anyone">The command asks for no permission to read.</param>
    internal static long Stat(SyscallContext c, IpcObject item, ulong buffer, Span<byte> status, int command, bool anyone)
    {
        if (!anyone && !item.Allows(c.Task.Credentials, 4))
            return -Errno.EACCES;
        item.WritePermissions(status);
        return !c.Memory.Write(buffer, status) ? -Errno.EFAULT : command == IpcStat ? 0 : item.Id;
    }
}
