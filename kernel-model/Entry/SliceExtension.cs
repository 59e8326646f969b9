using ArmVdso.Kernel.Delivery;
using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Signals;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Entry;

/// <summary>Longer time slices for tasks that ask for them in their rseq area (Linux 7.0: kernel/rseq.c, CONFIG_RSEQ_SLICE_EXTENSION,
/// Documentation/userspace-api/rseq.rst): what El1/slice.S does not do itself.</summary>
/// <param name="records">What EL1 code sees.</param>
/// <param name="events">The timer that ends a grant.</param>
/// <param name="signals">SIGSEGV for an area that cannot be used.</param>
internal sealed class SliceExtension(TaskRecords records, ClockEvents events, SignalDelivery signals)
{
    /// <summary>How much longer, in ns: the default of Linux 7.0 (rseq_slice_ext_nsecs).</summary>
    internal const ulong LengthNs = 5_000;

    /// <summary>rseq_slice_yield(2) of Linux 7.0.</summary>
    internal const int YieldNumber = 471;

    /// <summary>Words of struct rseq, and bits of its flags.</summary>
    internal const int Flags = 16, Control = 28;

    /// <inheritdoc cref="Flags"/>
    internal const uint Available = 1 << 4, Enabled = 1 << 5;

    /// <summary>EL1 code has granted the running task a longer slice, or could not use its area.</summary>
    internal void Granted(Cpu cpu, KernelTask task, bool usable)
    {
        if (!usable)
        {
            Fault(task);
            return;
        }
        task.SliceExtended = true;
        Show(task);
        events.ExtendSlice(cpu, task, LengthNs);
    }

    /// <summary>The task makes a system call (rseq_syscall_enter_work): it needs no more time. True: it gives way first, then begins the
    /// call.</summary>
    internal bool BeforeCall(KernelTask task, long number)
    {
        if (!task.SliceExtended)
            return false;
        // EL1 code may have taken it back meanwhile, and has said so to the program.
        bool granted = records.SliceGranted(task);
        task.SliceYielded = granted && number == YieldNumber;
        End(task, granted);
        return granted;
    }

    /// <summary>The task gives way, or would if there were another (rseq_slice_clear_grant).</summary>
    internal void GaveWay(KernelTask task)
    {
        if (task.SliceExtended)
            End(task, records.SliceGranted(task));
    }

    private void End(KernelTask task, bool granted)
    {
        task.SliceExtended = false;
        Show(task);
        if (granted && task.Mm is { } mm && !mm.Write(task.Rseq + Control, 0))
            Fault(task);
    }

    /// <summary>The next system call ends a longer slice.</summary>
    private void Show(KernelTask task)
    {
        records.ShowSlice(task);
        records.SyncSyscallTrace(task);
    }

    private void Fault(KernelTask task) => signals.ForceSegv(task);

    /// <summary>A task has registered its area: it says that longer slices are to be had. False: it cannot be written.</summary>
    /// <param name="task">The task.</param>
    /// <param name="enable">Whether it may ask for them at once (RSEQ_FLAG_SLICE_EXT_DEFAULT_ON).</param>
    internal bool Registered(KernelTask task, bool enable)
    {
        MemoryMap mm = task.Mm!;
        return mm.Write(task.Rseq + Control, 0) && Allow(task, enable);
    }

    /// <summary>rseq_slice_extension_prctl, PR_RSEQ_SLICE_EXTENSION_SET. Returns 0 or an error.</summary>
    internal long Set(KernelTask task, bool enable)
    {
        if (enable == task.MayExtendSlice)
            return 0;
        uint expected = Available | (task.MayExtendSlice ? Enabled : 0);
        if (task.Mm!.Read(task.Rseq + Flags, out uint flags) && (flags & expected) == expected && Allow(task, enable))
            return 0;
        Fault(task);
        return -Errno.EFAULT;
    }

    private bool Allow(KernelTask task, bool enable)
    {
        if (!task.Mm!.Write(task.Rseq + Flags, Available | (enable ? Enabled : 0)))
            return false;
        task.MayExtendSlice = enable;
        records.ShowSlice(task);
        return true;
    }
}
