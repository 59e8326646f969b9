using ArmVdso.Emulator;
using ArmVdso.Emulator.Processor;
using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel;

/// <summary>Restartable sequences (kernel/rseq.c): where a task runs, written before it returns to EL0, and the abort of a
/// critical section that was preempted, moved or interrupted by a signal.</summary>
public sealed partial class LinuxKernel
{
    private const int RseqCpuIdStart = 0, RseqCpuId = 4, RseqCs = 8, RseqNodeId = 20, RseqMmCid = 24;

    /// <summary>Before the return to EL0 (rseq_handle_notify_resume). False: the area is bad, SIGSEGV was forced.</summary>
    internal bool RseqBeforeUser(KernelTask task, UserRegisters regs)
    {
        if (task.Rseq == 0 || !task.RseqEvent)
            return true;
        task.RseqEvent = false;
        if (RseqAbort(task, regs) && RseqWriteIds(task))
            return true;
        RseqViolation(task);
        return false;
    }

    /// <summary>A handler is about to run (rseq_signal_deliver): the critical section that it interrupts is aborted first.
    /// False: the area is bad; the caller forces SIGSEGV.</summary>
    internal bool RseqSignalDelivery(KernelTask task, UserRegisters regs) => task.Rseq == 0 || RseqAbort(task, regs);

    private void RseqViolation(KernelTask task)
    {
        // The area cannot be used any more; without it the handler of SIGSEGV can run.
        task.Rseq = 0;
        Vdso.Design.RseqChanged(task);
        SignalDelivery.Force(task, new SignalInfo { Number = Signal.SIGSEGV, Code = Signal.SI_KERNEL, Synchronous = true });
    }

    /// <summary>rseq_ip_fixup. False: EFAULT or a violation.</summary>
    private static bool RseqAbort(KernelTask task, UserRegisters regs)
    {
        MemoryMap mm = task.Mm!;
        if (!mm.Read(task.Rseq + RseqCs, out ulong descriptor))
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
        if (!mm.Write(task.Rseq + RseqCs, 0UL))
            return false;
        if (regs.PC - start < length)
            regs.PC = abort;
        return true;
    }

    /// <summary>rseq_update_cpu_node_id.</summary>
    internal bool RseqWriteIds(KernelTask task)
    {
        MemoryMap mm = task.Mm!;
        if (task.ConcurrencyId < 0)
            task.ConcurrencyId = FreeConcurrencyId(task);
        return mm.Write(task.Rseq + RseqCpuIdStart, task.Cpu) && mm.Write(task.Rseq + RseqCpuId, task.Cpu)
            && mm.Write(task.Rseq + RseqNodeId, 0) && mm.Write(task.Rseq + RseqMmCid, task.ConcurrencyId);
    }

    /// <summary>rseq_reset_rseq_cpu_node_id: what user space sees after it unregistered.</summary>
    internal static bool RseqReset(KernelTask task)
    {
        MemoryMap mm = task.Mm!;
        return mm.Write(task.Rseq + RseqCpuIdStart, 0) && mm.Write(task.Rseq + RseqCpuId, -1)
            && mm.Write(task.Rseq + RseqNodeId, 0) && mm.Write(task.Rseq + RseqMmCid, 0);
    }

    /// <summary>The lowest number that no other running task of the same memory has.</summary>
    private int FreeConcurrencyId(KernelTask task)
    {
        ulong used = 0;
        for (int i = 0; i < Machine.Cpus.Count; i++)
        {
            KernelTask other = Scheduler.Current(i);
            if (!ReferenceEquals(other, task) && ReferenceEquals(other.Mm, task.Mm) && other.ConcurrencyId >= 0)
                used |= 1UL << other.ConcurrencyId;
        }
        return System.Numerics.BitOperations.TrailingZeroCount(~used);
    }
}
