using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel;

/// <summary>Stops of traced tasks (ptrace_stop in kernel/signal.c).</summary>
public sealed partial class LinuxKernel
{
    private const int SysGood = 0x80;

    /// <summary>The task stops until its tracer lets it go on; the caller must have it schedule.</summary>
    internal void TraceStop(KernelTask task, Tracing tracing, int signal)
    {
        tracing.Stopped = true;
        Scheduler.Dequeue(task);
        task.State = TaskState.Stopped;
        task.Group.StopReport = signal << 8 | 0x7f;
        NotifyParentOfStop(task.Group, Signal.CLD_TRAPPED, signal);
    }

    /// <summary>The tracer lets a task go on.</summary>
    internal void EndTraceStop(KernelTask task, Tracing tracing)
    {
        tracing.Stopped = false;
        tracing.Place = 0;
        task.Group.StopReport = null;
        Records.SyncSyscallTrace(task);
        SignalDelivery.RequestWork(task);
        if (task.State != TaskState.Stopped)
            return;
        task.State = TaskState.Runnable;
        Scheduler.Enqueue(task);
    }

    /// <summary>A task is traced no more (PTRACE_DETACH, the tracer's end).</summary>
    internal void StopTracing(KernelTask task)
    {
        if (task.Tracing is not { } tracing)
            return;
        task.Tracing = null;
        if (tracing.Stopped)
            EndTraceStop(task, tracing);
        Records.SyncSyscallTrace(task);
    }

    /// <summary>Stops at a system call's entry or exit where the tracer asked for it. True: schedule.</summary>
    private bool TraceSyscallStop(KernelTask task, byte place, long result)
    {
        if (task.Tracing is not { Syscalls: true } tracing)
            return false;
        tracing.Syscalls = false;
        tracing.Place = place;
        tracing.Result = result;
        TraceStop(task, tracing, Signal.SIGTRAP | ((tracing.Options & 1) != 0 ? SysGood : 0));
        return true;
    }
}
