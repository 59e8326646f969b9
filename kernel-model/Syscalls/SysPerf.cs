using ArmVdso.Kernel.Perf;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>perf_event_open (kernel/events/core.c).</summary>
internal static class SysPerf
{
    private const ulong FdNoGroup = 1, FdOutput = 2, Cgroup = 4, Cloexec = 8;

    /// <summary>perf_event_open(attr, pid, cpu, group_fd, flags).</summary>
    public static long Open(SyscallContext c)
    {
        int pid = c.Int(1), cpu = c.Int(2), groupFd = c.Int(3);
        ulong flags = c.Arg(4);
        if ((flags & ~(FdNoGroup | FdOutput | Cgroup | Cloexec)) != 0 || (flags & (Cgroup | FdOutput)) != 0)
            return -Errno.EINVAL;
        long error = PerfEventAttributes.Read(c.Memory, c.Cpu, c.Arg(0), out PerfEventAttributes? attributes);
        if (error < 0)
            return error;
        if ((pid == -1 && cpu == -1) || cpu < -1 || cpu >= c.Machine.Cpus.Count)
            return -Errno.EINVAL;
        // perf_event_paranoid is 2: without privilege no kernel, no CPU-wide events, no other user's tasks.
        if (!c.Task.Credentials.Has(Capability.Perfmon) && (!attributes!.ExcludeKernel || pid == -1))
            return -Errno.EACCES;
        KernelTask? task = null;
        if (pid != -1)
        {
            task = pid == 0 ? c.Task : c.Tasks.Find(pid);
            if (task is null)
                return -Errno.ESRCH;
            if (!c.Task.Credentials.Has(Capability.Perfmon) && task.Credentials.Euid != c.Task.Credentials.Euid)
                return -Errno.EACCES;
        }
        PerfEvent? leader = null;
        if (groupFd != -1)
        {
            if (c.Files[groupFd] is not PerfFile file)
                return -Errno.EBADF;
            leader = (flags & FdNoGroup) != 0 ? null : file.Event.Leader;
        }
        PerfEvent made = c.Perf.Open(attributes!, task, cpu, leader);
        return FileArguments.Install(c, new PerfFile(c.Vfs, made), (flags & Cloexec) != 0 ? OpenFlags.O_CLOEXEC : 0);
    }
}
