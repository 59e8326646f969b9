using System.Numerics;
using ArmVdso.Kernel.Delivery;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Vdso;

namespace ArmVdso.Kernel.Entry;

/// <summary>Restartable sequences (kernel/rseq.c): where a task runs, written before it returns to EL0, and the abort of a
/// critical section that was preempted, moved or interrupted by a signal.</summary>
/// <param name="cpus">CPUs of the machine.</param>
/// <param name="scheduler">Who runs on them.</param>
/// <param name="design">Told when an area is given up.</param>
/// <param name="signals">SIGSEGV for a bad area.</param>
/// <param name="records">What EL1 code works on that does it; null: this class does.</param>
internal sealed class RestartableSequences(
    int cpus, Scheduler scheduler, VdsoDesign design, SignalDelivery signals, TaskRecords? records)
{
    private const int CpuIdStart = 0, CpuId = 4, CriticalSection = 8, NodeId = 20, MmCid = 24;

    /// <summary>Before the return to EL0 (rseq_handle_notify_resume). False: the area is bad, SIGSEGV was forced.</summary>
    internal bool BeforeUser(KernelTask task, UserRegisters regs)
    {
        if (task.Rseq == 0 || !task.RseqEvent)
            return true;
        task.RseqEvent = false;
        if (records is not null)
        {
            Show(task, true);
            return true;
        }
        return (Abort(task, regs) && WriteIds(task)) || GiveUp(task);
    }

    /// <summary>EL1 code has a question: the task was in a critical section or just behind one, or its area cannot be used. True: it may go
    /// on with the numbers; false: SIGSEGV was forced.</summary>
    internal bool Decide(KernelTask task, UserRegisters regs, bool usable) => (usable && Abort(task, regs)) || GiveUp(task);

    /// <summary>A CPU is about to run a task: EL1 code is told of its area and number. A task that has not run with the area since it was
    /// made (fork) has a stale one.</summary>
    internal void SwitchedIn(KernelTask task)
    {
        if (records is not null)
            Show(task, task.RseqEvent);
    }

    private void Show(KernelTask task, bool stale)
    {
        if (task.Rseq != 0 && task.ConcurrencyId < 0)
            task.ConcurrencyId = FreeConcurrencyId(task);
        task.RseqEvent = false;
        if (records!.ShowRseq(task, stale))
            records.RequestWork(task);
    }

    /// <summary>The area is bad: none any more, and SIGSEGV.</summary>
    private bool GiveUp(KernelTask task)
    {
        // The area cannot be used any more; without it the handler of SIGSEGV can run.
        task.Rseq = 0;
        records?.DropRseq(task);
        design.RseqChanged(task);
        signals.Force(task, new SignalInfo { Number = Signal.SIGSEGV, Code = Signal.SI_KERNEL, Synchronous = true });
        return false;
    }

    /// <summary>A handler is about to run (rseq_signal_deliver): the critical section that it interrupts is aborted first, and what the
    /// program may have stored over the CPU's number is written anew, at every delivery (before Linux 6.19). False: the area is bad; the
    /// caller forces SIGSEGV.</summary>
    internal bool BeforeHandler(KernelTask task, UserRegisters regs) => task.Rseq == 0 || (Abort(task, regs) && WriteIds(task));

    /// <summary>rseq_ip_fixup. False: EFAULT or a violation.</summary>
    private static bool Abort(KernelTask task, UserRegisters regs)
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
        if (!mm.Write(task.Rseq + CriticalSection, 0UL))
            return false;
        if (regs.PC - start < length)
            regs.PC = abort;
        return true;
    }

    /// <summary>rseq_update_cpu_node_id.</summary>
    private bool WriteIds(KernelTask task)
    {
        MemoryMap mm = task.Mm!;
        if (task.ConcurrencyId < 0)
            task.ConcurrencyId = FreeConcurrencyId(task);
        return mm.Write(task.Rseq + CpuIdStart, task.Cpu) && mm.Write(task.Rseq + CpuId, task.Cpu)
            && mm.Write(task.Rseq + NodeId, scheduler.NodeOf(task.Cpu)) && mm.Write(task.Rseq + MmCid, task.ConcurrencyId);
    }

    /// <summary>rseq_reset_rseq_cpu_node_id: what user space sees after it unregistered.</summary>
    internal static bool Reset(KernelTask task)
    {
        MemoryMap mm = task.Mm!;
        return mm.Write(task.Rseq + CpuIdStart, 0) && mm.Write(task.Rseq + CpuId, -1)
            && mm.Write(task.Rseq + NodeId, 0) && mm.Write(task.Rseq + MmCid, 0);
    }

    /// <summary>The lowest number that no other running task of the same memory has.</summary>
    private int FreeConcurrencyId(KernelTask task)
    {
        ulong used = 0;
        for (int i = 0; i < cpus; i++)
        {
            KernelTask other = scheduler.Current(i);
            if (!ReferenceEquals(other, task) && ReferenceEquals(other.Mm, task.Mm) && other.ConcurrencyId >= 0)
                used |= 1UL << other.ConcurrencyId;
        }
        return BitOperations.TrailingZeroCount(~used);
    }
}
