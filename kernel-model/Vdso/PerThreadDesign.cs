using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Vdso;

/// <summary>The talk's question whether data pages may be written by user space, and the kernel trust them.</summary>
public enum WritablePage
{
    /// <summary>They may not.</summary>
    No,

    /// <summary>They may; the kernel writes them and never reads them.</summary>
    Ignored,

    /// <summary>The kernel takes a request (a file system user) from the thread's slot: it loads the word, checks it, and loads it
    /// again to use it.</summary>
    CheckedThenUsed,

    /// <summary>The same with one load.</summary>
    TakenOnce,
}

/// <summary>The talk's other design: data pages that are private to a process, with a slot for each of its threads.</summary>
public sealed class PerThreadDesign : VdsoDesign
{
    private PrivateSlots? _private;

    private readonly WritablePage _writable;

    /// <summary>The design.</summary>
    /// <param name="writable">Whether a process may write its slots, and what the kernel makes of that.</param>
    public PerThreadDesign(WritablePage writable = WritablePage.No) => _writable = writable;

    /// <inheritdoc/>
    public override string Name => "per-thread";

    /// <inheritdoc/>
    public override string Description => "private data pages per process, a slot per thread, the register set at each switch";

    /// <inheritdoc/>
    public override string RegisterMeaning => "user address of this thread's slot";

    /// <inheritdoc/>
    public override El1Symbol? UpdateFunction => El1Symbol.vdso_update_per_thread;

    internal override void PatchEl1(El1Image el1, Machine machine)
    {
        base.PatchEl1(el1, machine);
        el1.PatchCall(machine, PatchSite.vdso_switch_call, El1Symbol.vdso_update_per_thread_cpu);
        if (_writable is WritablePage.CheckedThenUsed or WritablePage.TakenOnce)
        {
            El1Symbol check = _writable == WritablePage.TakenOnce ? El1Symbol.vdso_request_once : El1Symbol.vdso_request_twice;
            el1.PatchCall(machine, PatchSite.vdso_request_key, check);
        }
    }

    private PrivateSlots Slots => _private ?? throw new InvalidOperationException("the design is not attached to a kernel");

    internal override void Attach(VdsoMapping mapping)
    {
        base.Attach(mapping);
        _private = new PrivateSlots(mapping, _writable != WritablePage.No);
    }

    /// <inheritdoc/>
    public override VdsoPages ComputedPages(int cpus, int threads) =>
        base.ComputedPages(cpus, threads) with { PerProcess = Slots.PagesOf(threads) };

    /// <inheritdoc/>
    public override int ProcessPagesInUse => Slots.PagesInUse;

    /// <inheritdoc/>
    public override ulong SlotPa(KernelTask task) => Slots.SlotPa(task);

    internal override ulong[] DataPagesFor(MemoryMap memory, ulong address) => Slots.DataPagesFor(memory, address);

    internal override void MapFurther(MemoryMap memory) =>
        Slots.MapFurther(memory, (changed, to) => MappingMoved(changed, VdsoPart.Further, to));

    internal override void MappingMoved(MemoryMap memory, VdsoPart part, ulong address) => Slots.Moved(memory, part, address, Refresh);

    /// <summary>The kernel believes what EL1 code took out of the page.</summary>
    internal override void SystemCallEntered(KernelTask task)
    {
        if (_writable is not (WritablePage.CheckedThenUsed or WritablePage.TakenOnce) || !Slots.Has(task))
            return;
        uint granted = Records.VdsoRequest(task);
        if (granted != task.Credentials.Fsuid)
            task.Credentials = task.Credentials with { Fsuid = granted };
    }

    internal override void TaskCreated(KernelTask task, KernelTask? parent)
    {
        base.TaskCreated(task, parent);
        Slots.Created(task, parent);
    }

    internal override void ProgramStarted(KernelTask task) => Slots.Restarted(task);

    internal override void TaskExited(KernelTask task) => Slots.Give(task);

    // A slot is not filled at each switch: also a task that does not run must be filled in again when it does.
    private void Refresh(KernelTask task)
    {
        if (!Slots.Has(task))
            return;
        Records.SetFlag(task, TaskFlag.Vdso, true);
        RefreshBeforeUser(task);
    }

    internal override void CredentialsChanged(KernelTask task)
    {
        Records.SetVdsoRequest(task, task.Credentials.Fsuid);
        Refresh(task);
    }

    internal override void NamespaceEntered(KernelTask task)
    {
        base.NamespaceEntered(task);
        Refresh(task);
    }

    internal override void FieldChanged(KernelTask task, VdsoField field)
    {
        if (SlotPa(task) is not 0 and var slot)
            WriteWord(slot, task, field);
        Refresh(task);
    }
}
