using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Vdso;

/// <summary>The functions have no second look; the kernel moves the PC of a task that it interrupts between finding the slot and
/// reading it (as restartable sequences are aborted, and as Linux' futex vDSO is mended).</summary>
public sealed class PerCpuFixupDesign : PerCpuSlots
{
    /// <inheritdoc/>
    public override string Name => "per-cpu-fixup";

    /// <inheritdoc/>
    public override string Description =>
        "a slot per CPU; the kernel moves the PC back when it takes the CPU inside of a range of the image";

    /// <inheritdoc/>
    public override string RegisterMeaning => "byte offset of this CPU's slot from the start of the data";

    /// <inheritdoc/>
    public override El1Symbol? UpdateFunction => El1Symbol.vdso_update_per_cpu_fixup;

    internal override void PatchEl1(El1Image el1, Machine machine)
    {
        base.PatchEl1(el1, machine);
        el1.PatchCall(machine, PatchSite.vdso_switch_site, El1Symbol.vdso_switch_fixup);
        IReadOnlyList<(ulong Start, ulong Length, ulong Fallback)> ranges = Mapping.Image!.FixupRanges;
        if (ranges.Count is 0 or > 16)
            throw new InvalidOperationException($"the image has {ranges.Count} ranges; the kernel's table takes 1 to 16");
        ulong at = el1.PhysicalOf(El1Symbol.vdso_fixup_table);
        ulong first = ranges.Min(r => r.Start);
        machine.Memory.Write(at, first);
        machine.Memory.Write(at + 8, ranges.Max(r => r.Start + r.Length) - first);
        machine.Memory.Write(at + 16, ranges.Count);
        at += FixupRecord.Entries;
        foreach ((ulong start, ulong length, ulong fallback) in ranges)
        {
            machine.Memory.Write(at + FixupRecord.Start, (uint)start);
            machine.Memory.Write(at + FixupRecord.Length, (uint)length);
            machine.Memory.Write(at + FixupRecord.Fallback, (uint)fallback);
            at += FixupRecord.Size;
        }
    }

    internal override void TaskCreated(KernelTask task, KernelTask? parent)
    {
        base.TaskCreated(task, parent);
        ProgramStarted(task);
    }

    internal override void ProgramStarted(KernelTask task) => Records.SetVdsoBase(task, Mapping.ImageAddress(task.Mm));

    /// <summary>The ranges move with the image. Where it is gone, what a process maps at its old place is the process' own affair: no
    /// PC in it is moved.</summary>
    internal override void MappingMoved(MemoryMap memory, VdsoPart part, ulong address)
    {
        if (part != VdsoPart.Image)
            return;
        foreach (KernelTask task in Mapping.TasksOf(memory))
            Records.SetVdsoBase(task, address);
    }

    internal override void CredentialsChanged(KernelTask task) => RefreshBeforeUser(task);

    internal override void FieldChanged(KernelTask task, VdsoField field) => WriteField(task, field);

    internal override void NamespaceEntered(KernelTask task)
    {
        base.NamespaceEntered(task);
        RefreshBeforeUser(task);
    }

    /// <summary>A handler may run for long and on another CPU, and its return takes the PC of the frame.</summary>
    internal override void BeforeSignalFrame(KernelTask task, UserRegisters registers)
    {
        ulong image = Mapping.ImageAddress(task.Mm);
        if (image == 0)
            return;
        foreach ((ulong start, ulong length, ulong fallback) in Mapping.Image!.FixupRanges)
        {
            ulong into = registers.PC - image - start;
            if (into == 0 || into >= length)
                continue;
            registers.PC = image + (Records.FlipFixed(task) ? fallback : start);
            return;
        }
    }
}
