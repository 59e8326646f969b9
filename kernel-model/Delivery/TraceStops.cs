using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Delivery;

/// <summary>Stops of traced tasks (ptrace_stop in kernel/signal.c, kernel/ptrace.c).</summary>
internal sealed class TraceStops(Scheduler scheduler, TaskRecords records, SignalDelivery signals)
{
    private const int SysGood = 0x80;

    /// <summary>The task stops until its tracer lets it go on; the caller must have it schedule.</summary>
    internal void Stop(KernelTask task, Tracing tracing, int signal)
    {
        tracing.Stopped = true;
        scheduler.Dequeue(task);
        task.State = TaskState.Stopped;
        task.Group.StopReport = signal << 8 | 0x7f;
        signals.NotifyParentOfStop(task.Group, Signal.CLD_TRAPPED, signal);
    }

    /// <summary>The tracer lets a task go on.</summary>
    internal void End(KernelTask task, Tracing tracing)
    {
        tracing.Stopped = false;
        tracing.Place = 0;
        task.Group.StopReport = null;
        records.SyncSyscallTrace(task);
        records.RequestWork(task);
        if (task.State != TaskState.Stopped)
            return;
        task.State = TaskState.Runnable;
        scheduler.Enqueue(task);
    }

    /// <summary>A task is traced no more (PTRACE_DETACH, the tracer's end).</summary>
    internal void Detach(KernelTask task)
    {
        if (task.Tracing is not { } tracing)
            return;
        task.Tracing = null;
        if (tracing.Stopped)
            End(task, tracing);
        records.SyncSyscallTrace(task);
    }

    /// <summary>Stops at a system call's entry or exit where the tracer asked for it. True: schedule.</summary>
    /// <param name="task">The task.</param>
    /// <param name="place">PTRACE_SYSCALL_INFO_ENTRY or _EXIT.</param>
    /// <param name="result">The call's result at an exit.</param>
    internal bool StopAtCall(KernelTask task, byte place, long result)
    {
        if (task.Tracing is not { Syscalls: true } tracing)
            return false;
        tracing.Syscalls = false;
        tracing.Place = place;
        tracing.Result = result;
        Stop(task, tracing, Signal.SIGTRAP | ((tracing.Options & 1) != 0 ? SysGood : 0));
        return true;
    }
}
