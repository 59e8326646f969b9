using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Vdso;

/// <summary>The functions have no second look; the kernel moves the PC of a task that it interrupts between finding the slot and
/// reading it (as restartable sequences are aborted, and as Linux' futex vDSO is mended).</summary>
public sealed class PerCpuFixupDesign : PerCpuSlots
{
    private FixupRanges? _ranges;

    /// <inheritdoc/>
    public override string Name => "per-cpu-fixup";

    /// <inheritdoc/>
    public override string Description =>
        "a slot per CPU; the kernel moves the PC back when it takes the CPU inside of a range of the image";

    /// <inheritdoc/>
    public override string RegisterMeaning => "byte offset of this CPU's slot from the start of the data";

    /// <inheritdoc/>
    public override El1Symbol? UpdateFunction => El1Symbol.vdso_update_per_cpu_fixup;

    private FixupRanges Ranges => _ranges ?? throw new InvalidOperationException("the design is not attached to a kernel");

    internal override void Attach(VdsoMapping mapping)
    {
        base.Attach(mapping);
        _ranges = new FixupRanges(mapping, true);
    }

    internal override void PatchEl1(El1Image el1, Machine machine)
    {
        base.PatchEl1(el1, machine);
        Ranges.PatchEl1(el1, machine);
    }

    internal override void TaskCreated(KernelTask task, KernelTask? parent)
    {
        base.TaskCreated(task, parent);
        ProgramStarted(task);
    }

    internal override void ProgramStarted(KernelTask task) => Ranges.Restarted(task);

    internal override void MappingMoved(MemoryMap memory, VdsoPart part, ulong address) => Ranges.Moved(memory, part, address);

    internal override void CredentialsChanged(KernelTask task) => RefreshBeforeUser(task);

    internal override void FieldChanged(KernelTask task, VdsoField field) => WriteField(task, field);

    internal override void NamespaceEntered(KernelTask task)
    {
        base.NamespaceEntered(task);
        RefreshBeforeUser(task);
    }

    internal override void BeforeSignalFrame(KernelTask task, UserRegisters registers) => Ranges.BeforeSignalFrame(task, registers);
}
