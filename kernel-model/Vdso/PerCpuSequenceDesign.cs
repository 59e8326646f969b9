using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Vdso;

/// <summary>A sequence in each slot, looked at before and after the load.</summary>
public sealed class PerCpuSequenceDesign : PerCpuSlots
{
    /// <inheritdoc/>
    public override string Name => "per-cpu-seq";

    /// <inheritdoc/>
    public override string Description =>
        "a slot per CPU with a sequence; register and sequence are read again after the load; else the system call";

    /// <inheritdoc/>
    public override string RegisterMeaning => "byte offset of this CPU's slot from the start of the data";

    /// <inheritdoc/>
    public override El1Symbol? UpdateFunction => El1Symbol.vdso_update_per_cpu_seq;

    /// <summary>The sequence stays odd.</summary>
    public override VdsoLeaves Leaves => VdsoLeaves.Namespaces;

    internal override void CredentialsChanged(KernelTask task) => Invalidate(task);

    internal override void FieldChanged(KernelTask task, VdsoField field) => Invalidate(task);

    internal override void NamespaceEntered(KernelTask task)
    {
        base.NamespaceEntered(task);
        Invalidate(task);
    }

    /// <summary>The slot's sequence becomes odd at once, so that the task asks the kernel until its CPU has filled the slot
    /// again.</summary>
    private void Invalidate(KernelTask task)
    {
        // A task that is just being switched away: the slot may be the next one's already.
        if (!task.OnCpu || !ReferenceEquals(Scheduler.Current(task.Cpu), task))
            return;
        ulong pa = SlotPa(task.Cpu) + (ulong)Mapping.Image!.Layout("vdso_per_cpu_data.seq");
        PhysicalMemory memory = Machine.Memory;
        memory.Write(pa, (memory.Read<uint>(pa) + 1) | 1);
        RefreshBeforeUser(task);
    }

    internal override void CpuOffline(int cpu)
    {
        ulong pa = SlotPa(cpu) + (ulong)Mapping.Image!.Layout("vdso_per_cpu_data.seq");
        PhysicalMemory memory = Machine.Memory;
        memory.Write(pa, (memory.Read<uint>(pa) + 1) | 1);
    }
}
