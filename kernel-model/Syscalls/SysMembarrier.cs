using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>membarrier (kernel/sched/membarrier.c).</summary>
internal static class SysMembarrier
{
    /// <summary>membarrier(cmd, flags, cpu): every access of a CPU is complete before another CPU runs, so barriers are free.</summary>
    public static long Membarrier(SyscallContext c)
    {
        const int query = 0, global = 1, globalExpedited = 2, registerGlobal = 4, privateExpedited = 8, registerPrivate = 16, syncCore = 32,
            registerSyncCore = 64, rseq = 128, registerRseq = 256, getRegistrations = 512;
        const int all = global | globalExpedited | registerGlobal | privateExpedited | registerPrivate | syncCore | registerSyncCore | rseq
            | registerRseq | getRegistrations;
        int command = c.Int(0);
        if (c.UInt(1) != 0 && !(command == rseq && c.UInt(1) == 1))
            return -Errno.EINVAL;
        MemoryMap mm = c.Memory;
        switch (command)
        {
            case query:
                return all;
            case global:
            case globalExpedited:
                return 0;
            case registerGlobal:
            case registerPrivate:
            case registerSyncCore:
            case registerRseq:
                mm.MembarrierRegistrations |= command;
                return 0;
            case privateExpedited:
            case syncCore:
            case rseq:
                if ((mm.MembarrierRegistrations & (command << 1)) == 0)
                    return -Errno.EPERM;
                if (command == rseq)
                    RestartSequences(c);
                return 0;
            case getRegistrations:
                return mm.MembarrierRegistrations;
            default:
                return -Errno.EINVAL;
        }
    }

    /// <summary>MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ: running threads of the process leave their critical sections.</summary>
    private static void RestartSequences(SyscallContext c)
    {
        foreach (KernelTask thread in c.Task.Group.Threads)
        {
            if (!thread.OnCpu || thread.Rseq == 0)
                continue;
            thread.RseqEvent = true;
            c.Records.RequestWork(thread);
            c.Scheduler.KickTask(thread);
        }
    }
}
