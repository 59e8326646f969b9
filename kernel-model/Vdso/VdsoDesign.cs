using System.Diagnostics.CodeAnalysis;
using System.Reflection;
using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Vdso;

/// <summary>Pages of memory that a design takes, in pages of 4 KiB.</summary>
/// <param name="Shared">Once for the machine: image and data pages that all processes map.</param>
/// <param name="PerProcess">For each process beside the shared ones.</param>
public readonly record struct VdsoPages(int Shared, int PerProcess);

/// <summary>A mapping of the vDSO in a process' memory.</summary>
internal enum VdsoPart
{
    /// <summary>[vdso]: the code.</summary>
    Image,

    /// <summary>[vvar]: the design's data.</summary>
    Data,

    /// <summary>A further mapping of the design (<see cref="VdsoDesign.MapFurther"/>).</summary>
    Further,
}

/// <summary>Situations in which a design leaves the answer to the kernel on purpose.</summary>
[Flags]
public enum VdsoLeaves
{
    /// <summary>None.</summary>
    None = 0,

    /// <summary>A task outside of the first PID and user namespace.</summary>
    Namespaces = 1,

    /// <summary>A new program that has not registered anything yet.</summary>
    NewProgram = 2,
}

/// <summary>Which pages lie below an image that is not laid out as ours are.</summary>
/// <param name="ClockInData">The first data page has the clocks as Linux 6.1 has them; the page that clocks are read from and that of the
/// random number generator lie below it, as with our own images.</param>
/// <param name="Clock">Otherwise the kernel's own pages for clocks; null: none.</param>
/// <param name="ClockAbove">These lie above the design's pages, next to the image.</param>
internal sealed record VvarPlan(bool ClockInData, VvarLayout? Clock, bool ClockAbove);

/// <summary>A vDSO design: its image, what TPIDRRO_EL0 means, and what the kernel does to keep its data true. The hooks are called by the
/// kernel model at the moment in question, before the change can be seen by any other CPU; what a design does there is A64 code at EL1
/// (<see cref="FolderDesign"/>), so that its cost is executed and measured.</summary>
/// <remarks>Which hooks a design has is asked by reflection (<see cref="Explore.FaultyDesign.Has"/>): a command compiled ahead keeps
/// their names.</remarks>
[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.NonPublicMethods)]
public abstract class VdsoDesign
{
    private VdsoMapping? _mapping;

    /// <summary>Name of the design, as --vdso takes it.</summary>
    public abstract string Name { get; }

    /// <summary>What it is, in one line.</summary>
    public abstract string Description { get; }

    /// <summary>What TPIDRRO_EL0 holds at EL0.</summary>
    public virtual string RegisterMeaning => "0";

    /// <summary>The image, that of the design's name; null without a vDSO. Made anew at each call.</summary>
    public virtual VdsoImage? LoadImage() => VdsoImage.Load(Name);

    /// <summary>Where the design leaves the answer to the kernel on purpose: there nothing is to be proved of its protocol.</summary>
    public virtual VdsoLeaves Leaves => VdsoLeaves.None;

    /// <summary>Whether an exit to EL0 writes the register again where the kernel's entry used it as scratch (KPTI, the BHB loop):
    /// what a mended design asks of such a kernel.</summary>
    public virtual bool RestoresRegister => false;

    /// <summary>Whether a preemptible kernel runs the update at execve with preemption off: what a mended design asks of it.</summary>
    public virtual bool GuardsStart => true;

    /// <summary>Whether the image's code lies in guarded pages where the CPU has FEAT_BTI.</summary>
    public virtual bool LandingPads => false;

    /// <summary>Which pages lie below the image; null: as below our own images.</summary>
    internal virtual VvarPlan? Plan => null;

    /// <summary>Functions of the image that vdso-image/calls.tsv does not know.</summary>
    public virtual IReadOnlyList<OwnFunction> OwnFunctions => [];

    /// <summary>Those of them that can be measured beside their system call.</summary>
    public IReadOnlyList<OwnFunction> MeasuredFunctions => [.. OwnFunctions.Where(f => f.IsMeasured)];

    /// <summary>Whether the design does anything in a hook of its own, by the name of the method.</summary>
    internal virtual bool Does(string hook) =>
        GetType().GetMethod(hook, BindingFlags.Instance | BindingFlags.NonPublic) is { } method
        && (method.DeclaringType != typeof(VdsoDesign)
            || hook is nameof(TaskCreated) or nameof(NamespaceEntered) or nameof(IdMapsChanged));

    /// <summary>Image, data pages and addresses of this run.</summary>
    protected VdsoMapping Mapping => _mapping ?? throw new InvalidOperationException("the design is not attached to a kernel");

    /// <summary>The machine of this run.</summary>
    protected Machine Machine => Mapping.Machine;

    /// <summary>Where pages come from.</summary>
    protected PageAllocator Pages => Mapping.Pages;

    /// <summary>Records of tasks that EL1 code reads.</summary>
    protected TaskRecords Records => Mapping.Records;

    /// <summary>Who runs where.</summary>
    protected Scheduler Scheduler => Mapping.Scheduler;

    internal virtual void Attach(VdsoMapping mapping) => _mapping = mapping;

    /// <summary>What the design changes in EL1 code at boot, as static keys, static calls and alternatives do.</summary>
    internal virtual void PatchEl1(El1Image el1, Machine machine)
    {
        el1.PatchBranch(machine, PatchSite.vdso_switch_key, PatchTarget.vdso_switch_skip);
        el1.PatchBranch(machine, PatchSite.vdso_exec_key, PatchTarget.el0_svc_out);
        el1.PatchBranch(machine, PatchSite.vdso_init_key, PatchTarget.ret_from_exec_out);
    }

    /// <summary>Has the update note in the CPU's record what TPIDRRO_EL0 holds, for an exit path that must write it again.</summary>
    internal virtual void KeepRegister(El1Image el1, Machine machine)
    {
    }

    /// <summary>Value of CPU_VDSO_OFFSET: what TPIDRRO_EL0 holds on a CPU in the designs where that is fixed; 0 elsewhere.</summary>
    public virtual ulong RegisterOf(int cpu) => 0;

    /// <summary>Physical address of the slot that a CPU's switches fill; 0 in designs without one.</summary>
    public virtual ulong SlotPa(int cpu) => 0;

    /// <summary>Physical address of the slot from which a running task is answered now; 0 when it has none.</summary>
    public virtual ulong SlotPa(KernelTask task) => SlotPa(task.Cpu);

    /// <summary>CPUs that the design can serve; int.MaxValue: memory is the limit.</summary>
    public virtual int MostCpus => int.MaxValue;

    /// <summary>Pages that the design takes by its layout (computed).</summary>
    /// <param name="cpus">CPUs of the machine, not more than <see cref="MostCpus"/>.</param>
    /// <param name="threads">Threads of each process.</param>
    public virtual VdsoPages ComputedPages(int cpus, int threads) => Mapping.Image is null
        ? default
        : new VdsoPages(Mapping.ImagePageCount + Mapping.DataPageCount, 0);

    /// <summary>Physical address of the word that says a CPU's node for ever, which is written at boot; 0: the design has none.</summary>
    internal virtual ulong NodePa(int cpu) => 0;

    /// <summary>Pages that the design has really taken for processes so far (measured), beside the shared ones.</summary>
    public virtual int ProcessPagesInUse => 0;

    /// <summary>The pages of [vvar] of a new program's memory, from its first one; 0 where nothing is mapped.</summary>
    /// <param name="memory">The memory.</param>
    /// <param name="address">Where [vvar] begins.</param>
    internal virtual ulong[] DataPagesFor(MemoryMap memory, ulong address) => Mapping.SharedDataPages;

    /// <summary>Maps what the design has behind [vvar] in a new program's memory.</summary>
    internal virtual void MapFurther(MemoryMap memory)
    {
    }

    /// <summary>A process moved a mapping of the vDSO as a whole (mremap; part of one cannot be moved), unmapped it, or mapped something
    /// over it. Other threads of the memory may run on other CPUs at this moment.</summary>
    /// <param name="memory">The memory; that of a process that ends has no tasks any more.</param>
    /// <param name="part">What was moved.</param>
    /// <param name="address">Where it is now; 0: nowhere.</param>
    internal virtual void MappingMoved(MemoryMap memory, VdsoPart part, ulong address)
    {
    }

    /// <summary>A task enters the kernel with a system call whose body is in the model; EL1 code has run.</summary>
    internal virtual void SystemCallEntered(KernelTask task)
    {
    }

    /// <summary>A task is there (fork, clone, the first process); its memory and credentials are set. It has not run.</summary>
    internal virtual void TaskCreated(KernelTask task, KernelTask? parent) => MarkForeign(task);

    /// <summary>A task has its new program's memory (execve); the old one is still there.</summary>
    internal virtual void ProgramStarted(KernelTask task)
    {
    }

    /// <summary>A task is about to lose its memory (exit, or execve of another thread of its process). It never returns to EL0.</summary>
    internal virtual void TaskExited(KernelTask task)
    {
    }

    /// <summary>The task's user or group IDs changed; its record has the new ones.</summary>
    internal virtual void CredentialsChanged(KernelTask task)
    {
    }

    /// <summary>The IDs of a user namespace that the task is in, or that its own is below, have other meanings (uid_map, gid_map was
    /// written, maybe by somebody outside); the task's record has what it sees now. It may run on another CPU at this moment.</summary>
    /// <remarks>Who wrote the map may tell the task: the slot must be true when the write returns, not when an interrupt has arrived. So
    /// each word is stored at once.</remarks>
    internal virtual void IdMapsChanged(KernelTask task)
    {
        foreach (VdsoField field in (ReadOnlySpan<VdsoField>)[VdsoField.Uid, VdsoField.Euid, VdsoField.Gid, VdsoField.Egid])
            FieldChanged(task, field);
    }

    /// <summary>A word of the task's slot changed by what somebody else did (its parent's death, setpgid, setsid of a sibling); its
    /// record has the new one. The task may run on another CPU at this moment.</summary>
    internal virtual void FieldChanged(KernelTask task, VdsoField field)
    {
    }

    /// <summary>The task is in another PID or user namespace than before.</summary>
    internal virtual void NamespaceEntered(KernelTask task) => MarkForeign(task);

    /// <summary>The task registered or unregistered its rseq area.</summary>
    internal virtual void RseqChanged(KernelTask task)
    {
    }

    /// <summary>A signal frame is about to be built from the registers with which the task was interrupted.</summary>
    internal virtual void BeforeSignalFrame(KernelTask task, UserRegisters registers)
    {
    }

    /// <summary>A task is about to take its signals on its way to EL0; one of them may end it.</summary>
    internal virtual void BeforeSignals(KernelTask task)
    {
    }

    /// <summary>A CPU runs no tasks any more.</summary>
    internal virtual void CpuOffline(int cpu)
    {
    }

    private void MarkForeign(KernelTask task) => Records.SetForeign(task, task.IsInForeignNamespace);

    /// <summary>Has EL1 code fill the running task's slot again before it returns to EL0, on whatever CPU it runs. A task that does
    /// not run is filled in when it does.</summary>
    protected void RefreshBeforeUser(KernelTask task)
    {
        if (!task.OnCpu)
            return;
        Records.SetFlag(task, TaskFlag.Vdso, true);
        Scheduler.KickTask(task);
    }
}

/// <summary>No vDSO: every call is a system call.</summary>
internal sealed class NoVdso : VdsoDesign
{
    public override string Name => "none";

    public override string Description => "no vDSO: every call is a system call";

    public override VdsoImage? LoadImage() => null;
}
