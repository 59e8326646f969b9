using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Perf;
using ArmVdso.Kernel.Syscalls;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel;

/// <summary>perf_event_open.</summary>
public sealed partial class LinuxKernel
{
    private const ulong PerfFdNoGroup = 1, PerfFdOutput = 2, PerfCgroup = 4, PerfCloexec = 8;
    private ulong _lastPerfId;

    /// <summary>perf_event_open(attr, pid, cpu, group_fd, flags).</summary>
    internal long OpenPerfEvent(SyscallContext c)
    {
        int pid = c.Int(1), cpu = c.Int(2), groupFd = c.Int(3);
        ulong flags = c.Arg(4);
        if ((flags & ~(PerfFdNoGroup | PerfFdOutput | PerfCgroup | PerfCloexec)) != 0 || (flags & (PerfCgroup | PerfFdOutput)) != 0)
            return -Errno.EINVAL;
        long error = PerfEventAttributes.Read(c.Memory, c.Cpu, c.Arg(0), out PerfEventAttributes? attributes);
        if (error < 0)
            return error;
        if ((pid == -1 && cpu == -1) || cpu < -1 || cpu >= Machine.Cpus.Count)
            return -Errno.EINVAL;
        // perf_event_paranoid is 2: without privilege no kernel, no CPU-wide events, no other user's tasks.
        if (!c.Task.Credentials.Privileged && (!attributes!.ExcludeKernel || pid == -1))
            return -Errno.EACCES;
        KernelTask? task = null;
        if (pid != -1)
        {
            task = pid == 0 ? c.Task : Tasks.Find(pid);
            if (task is null)
                return -Errno.ESRCH;
            if (!c.Task.Credentials.Privileged && task.Credentials.Euid != c.Task.Credentials.Euid)
                return -Errno.EACCES;
        }
        PerfEvent? leader = null;
        if (groupFd != -1)
        {
            if (c.Files[groupFd] is not PerfFile file)
                return -Errno.EBADF;
            leader = (flags & PerfFdNoGroup) != 0 ? null : file.Event.Leader;
        }
        var perfEvent = new PerfEvent(Machine, Clock, Scheduler, attributes!, ++_lastPerfId, cpu, leader);
        perfEvent.Attach(task);
        return FileArguments.Install(c, new PerfFile(Vfs, perfEvent), (flags & PerfCloexec) != 0 ? OpenFlags.O_CLOEXEC : 0);
    }
}
