using ArmVdso.Kernel.Delivery;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Vdso;
using ArmVdso.Kernel.Waiting;

namespace ArmVdso.Kernel.Processes;

/// <summary>The end of tasks (do_exit and do_group_exit in kernel/exit.c). What follows from a process' last one is in
/// <see cref="ProcessEnd"/>.</summary>
internal sealed class TaskExit(
    PageAllocator pages, TaskRecords records, Scheduler scheduler, Futexes futexes, VdsoDesign design, SignalDelivery signals,
    TraceStops traces, ProcessEnd end)
{
    /// <summary>exit_group or a fatal signal: every thread ends with this wait status. The caller itself is the last to be told.</summary>
    internal void BeginGroupExit(KernelTask task, int status)
    {
        ThreadGroup group = task.Group;
        if (!group.Exiting)
        {
            group.Exiting = true;
            group.ExitStatus = status;
        }
        foreach (KernelTask thread in group.Threads.Where(t => !ReferenceEquals(t, task)).ToList())
        {
            thread.Signals.Killed = true;
            signals.Notify(thread, Signal.SIGKILL);
        }
    }

    /// <summary>do_exit: the task never returns to EL0. Its record lives until the next task runs on its CPU.</summary>
    internal void ExitTask(KernelTask task, int status)
    {
        if (task.State is TaskState.Zombie or TaskState.Dead)
            return;
        foreach (ITaskCounter counter in task.Counters)
            counter.Exited();
        task.Counters.Clear();
        ReleaseUserState(task);
        LetTraceesGo(task);
        task.ExitStatus = status;
        task.Wake();
        task.State = TaskState.Zombie;
        task.Syscall = null;
        task.Interrupted = null;
        task.Ipc.Leave(pages);
        SeccompFilter.Leave(task.SeccompFilter);
        task.SeccompFilter = null;
        task.Files.Leave();
        task.Fs.Users--;
        task.MountNamespace.Leave();
        MemoryMap? mm = task.Mm;
        scheduler.ConcurrencyIds.Leave(task);
        if (mm is not null)
            design.TaskExited(task);
        task.Mm = null;
        FinishVfork(task);
        if (mm is not null)
        {
            records.SetTtbr0(task, 0);
            mm.Release();
        }
        ThreadGroup group = task.Group;
        group.AddExited(task, mm);
        group.Threads.Remove(task);
        if (!ReferenceEquals(group.Leader, task))
        {
            if (task.Tracing is { } tracing)
            {
                (tracing.Stop, tracing.Report) = (null, null);
                group.UntoldThreads++;
                end.TellTracer(task, tracing.Tracer.Group);
            }
            else
            {
                end.Forget(task);
            }
        }
        if (group.Threads.Count > 0)
            return;
        if (!group.Exiting)
            group.ExitStatus = ReferenceEquals(group.Leader, task) ? status : group.Leader.ExitStatus;
        end.End(group);
    }

    /// <summary>The tracer of a thread that has ended knows of it.</summary>
    internal void ReapThread(KernelTask thread)
    {
        TraceStops.Unlink(thread);
        end.Forget(thread);
        if (--thread.Group.UntoldThreads == 0 && thread.Group.IsZombie)
            end.Tell(thread.Group);
    }

    /// <summary>exit_ptrace: whom a thread traces is let go, or killed where the tracer asked for that.</summary>
    private void LetTraceesGo(KernelTask tracer)
    {
        foreach (KernelTask tracee in tracer.Tracees.ToList())
        {
            if ((tracee.Tracing!.Options & Tracing.OptionExitKill) != 0)
                signals.Send(tracee, new SignalInfo { Number = Signal.SIGKILL, Code = Signal.SI_KERNEL });
            Detach(tracee, 0);
        }
    }

    /// <summary>A task is traced no more; of one that has ended already its parent hears.</summary>
    internal void Detach(KernelTask task, int signal)
    {
        if (task.State != TaskState.Zombie)
        {
            traces.Detach(task, signal);
        }
        else if (!ReferenceEquals(task.Group.Leader, task))
        {
            ReapThread(task);
        }
        else
        {
            TraceStops.Unlink(task);
            if (task.Group.IsZombie)
                end.Tell(task.Group);
        }
    }

    /// <summary>Another thread of an exec'ing process: gone at once; it never runs again.</summary>
    internal void KillThread(KernelTask thread)
    {
        thread.Wake();
        scheduler.Dequeue(thread);
        bool onCpu = thread.OnCpu;
        ExitTask(thread, 0);
        if (onCpu)
            scheduler.Kick(thread.Cpu);
        else
            records.Free(thread);
    }

    /// <summary>What exec and exit have in common: robust futexes, clear_child_tid, rseq (mm_release).</summary>
    internal void ReleaseUserState(KernelTask task)
    {
        if (task.Mm is { } mm)
        {
            futexes.Forget(task);
            futexes.ReleaseRobustList(task);
            if (task.ClearChildTid != 0)
            {
                if (mm.IsShared)
                {
                    mm.Write(task.ClearChildTid, 0);
                    futexes.Wake(mm, task.ClearChildTid, 1);
                }
                task.ClearChildTid = 0;
            }
        }
        task.RobustList = 0;
        if (task.Rseq != 0)
            records.DropRseq(task);
        task.RestartBlock = null;
    }

    /// <summary>The parent of vfork goes on (complete_vfork_done).</summary>
    internal static void FinishVfork(KernelTask task)
    {
        WaitQueue? done = task.VforkDone;
        task.VforkDone = null;
        done?.WakeAll();
    }
}
