using ArmVdso.Kernel.Delivery;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Entry;

/// <summary>Restartable sequences (kernel/rseq.c): where a task runs, written before it returns to EL0, and the abort of a
/// critical section that was preempted, moved or interrupted by a signal.</summary>
/// <param name="scheduler">Who runs on them.</param>
/// <param name="signals">SIGSEGV for a bad area.</param>
/// <param name="flagsForbidden">Whether an area must have no flags (until Linux 6.18); later ones say what the kernel can do.</param>
/// <param name="records">What EL1 code works on.</param>
/// <param name="executed">Whether EL1 code does it, but for handlers; else this class does.</param>
internal sealed class RestartableSequences(
    Scheduler scheduler, SignalDelivery signals, bool flagsForbidden, TaskRecords records, bool executed)
{
    private const int CpuIdStart = 0, CpuId = 4, CriticalSection = 8, Flags = 16, NodeId = 20, MmCid = 24;

    /// <summary>Before the return to EL0 (rseq_handle_notify_resume). False: the area is bad, SIGSEGV was forced.</summary>
    internal bool BeforeUser(KernelTask task, UserRegisters regs)
    {
        if (task.Rseq == 0 || !task.RseqEvent)
            return true;
        task.RseqEvent = false;
        if (executed)
        {
            Show(task, true);
            return true;
        }
        if (Abort(task, regs) && WriteIds(task))
            return true;
        signals.ForceSegv(task);
        return false;
    }

    /// <summary>A CPU is about to run a task: EL1 code is told of its area. A task that has not run with the area since it was
    /// made (fork) has a stale one.</summary>
    internal void SwitchedIn(KernelTask task)
    {
        if (executed)
            Show(task, task.RseqEvent);
    }

    private void Show(KernelTask task, bool stale)
    {
        task.RseqEvent = false;
        if (records.ShowRseq(task, stale))
            records.RequestWork(task);
    }

    /// <summary>EL1 code cannot use the running task's area, or what it points to.</summary>
    internal void Fault(KernelTask task) => signals.ForceSegv(task);

    /// <summary>A handler is about to run (rseq_signal_deliver): the critical section that it interrupts is aborted first, and what the
    /// program may have stored over the CPU's number is written anew, at every delivery (before Linux 6.19). A bad area is no reason not to
    /// run the handler: SIGSEGV comes on top, and kills the task when the handler is that of SIGSEGV and returns.</summary>
    internal void BeforeHandler(KernelTask task, UserRegisters regs, int signal)
    {
        if (task.Rseq != 0 && !(Abort(task, regs) && WriteIds(task)))
            signals.ForceSegv(task, signal);
    }

    /// <summary>rseq_ip_fixup. False: EFAULT or a violation.</summary>
    private bool Abort(KernelTask task, UserRegisters regs)
    {
        MemoryMap mm = task.Mm!;
        if (!mm.Read(task.Rseq + CriticalSection, out ulong descriptor))
            return false;
        if (descriptor == 0)
            return true;
        if (descriptor >= mm.TaskSize)
            return false;
        Span<byte> cs = stackalloc byte[32];
        if (!mm.Read(descriptor, cs))
            return false;
        uint version = BitConverter.ToUInt32(cs);
        ulong start = BitConverter.ToUInt64(cs[8..]);
        ulong length = BitConverter.ToUInt64(cs[16..]);
        ulong abort = BitConverter.ToUInt64(cs[24..]);
        if (start >= mm.TaskSize || start + length >= mm.TaskSize || start + length < start || abort >= mm.TaskSize || version > 0)
            return false;
        // abort_ip must lie outside of the section, behind the registered signature.
        if (abort - start < length || !mm.Read(abort - 4, out uint signature) || signature != task.RseqSignature)
            return false;
        bool inside = regs.PC - start < length;
        // rseq_need_restart: flags that once said when not to restart are fatal, wherever they are.
        if (inside && BitConverter.ToUInt32(cs[4..]) != 0)
            return false;
        if (inside && (!mm.Read(task.Rseq + Flags, out uint flags) || (flagsForbidden && flags != 0)))
            return false;
        if (!mm.Write(task.Rseq + CriticalSection, 0UL))
            return false;
        if (inside)
            regs.PC = abort;
        return true;
    }

    /// <summary>rseq_update_cpu_node_id.</summary>
    private bool WriteIds(KernelTask task)
    {
        MemoryMap mm = task.Mm!;
        return mm.Write(task.Rseq + CpuIdStart, task.Cpu) && mm.Write(task.Rseq + CpuId, task.Cpu)
            && mm.Write(task.Rseq + NodeId, scheduler.NodeOf(task.Cpu)) && mm.Write(task.Rseq + MmCid, records.ConcurrencyId(task));
    }

    /// <summary>rseq_reset_rseq_cpu_node_id: what user space sees after it unregistered.</summary>
    internal static bool Reset(KernelTask task)
    {
        MemoryMap mm = task.Mm!;
        return mm.Write(task.Rseq + CpuIdStart, 0) && mm.Write(task.Rseq + CpuId, -1)
            && mm.Write(task.Rseq + NodeId, 0) && mm.Write(task.Rseq + MmCid, 0);
    }
}
