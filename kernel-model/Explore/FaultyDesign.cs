using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Memory;
using ArmVdso.Kernel.Tasks;
using ArmVdso.Kernel.Vdso;

namespace ArmVdso.Kernel.Explore;

/// <summary>What goes wrong with a hook of a design.</summary>
public enum HookFault
{
    /// <summary>It is not called.</summary>
    Dropped,

    /// <summary>It is called when some CPU has next returned to EL0.</summary>
    Delayed,

    /// <summary>It is called for another task: a thread of the process, or the parent. A new task gets the slot of the one that made it; a
    /// mapping is said to be a page further on.</summary>
    Misdirected,

    /// <summary>It is called twice.</summary>
    Doubled,
}

/// <summary>A design whose hooks can be made to fail, one at a time, to show that such faults are found. Without a fault it is the design
/// that it holds.</summary>
/// <param name="design">The design.</param>
public sealed class FaultyDesign(VdsoDesign design) : VdsoDesign
{
    private readonly List<(KernelTask? Task, Action Call)> _delayed = [];
    private readonly Dictionary<string, long> _calls = [];

    /// <summary>The hooks that can fail, by the names of their methods.</summary>
    public static IReadOnlyList<string> Hooks { get; } =
    [
        nameof(MappingMoved), nameof(SystemCallEntered), nameof(TaskCreated), nameof(ProgramStarted), nameof(TaskExited),
        nameof(CredentialsChanged), nameof(IdMapsChanged), nameof(FieldChanged), nameof(NamespaceEntered), nameof(RseqChanged),
        nameof(BeforeSignalFrame), nameof(BeforeSignals), nameof(CpuOffline),
    ];

    /// <summary>The hook that fails, and how; null: none.</summary>
    public (string Hook, HookFault Kind)? Fault { get; set; }

    /// <summary>How often a hook was called since <see cref="Forget"/>.</summary>
    public long CallsOf(string hook) => _calls.GetValueOrDefault(hook);

    /// <summary>Whether the design does anything in a hook of its own.</summary>
    public bool Has(string hook) => Does(hook);

    /// <summary>Counts calls from now on; what is delayed is forgotten.</summary>
    public void Forget()
    {
        _calls.Clear();
        _delayed.Clear();
    }

    /// <summary>A CPU has returned to EL0: what was delayed is called.</summary>
    public void CallDelayed()
    {
        if (_delayed.Count == 0)
            return;
        List<(KernelTask? Task, Action Call)> delayed = [.. _delayed];
        _delayed.Clear();
        foreach ((KernelTask? task, Action call) in delayed)
        {
            if (task is null || task.State is not (TaskState.Zombie or TaskState.Dead))
                call();
        }
    }

    private void Call(string hook, KernelTask? task, Action right, Action wrong)
    {
        _calls[hook] = CallsOf(hook) + 1;
        if (Fault is not { } fault || fault.Hook != hook)
        {
            right();
            return;
        }
        switch (fault.Kind)
        {
            case HookFault.Dropped:
                break;
            case HookFault.Delayed:
                _delayed.Add((task, right));
                break;
            case HookFault.Misdirected:
                wrong();
                break;
            case HookFault.Doubled:
                right();
                right();
                break;
        }
    }

    private void Call(string hook, KernelTask task, Action<KernelTask> call) =>
        Call(hook, task, () => call(task), () =>
        {
            if (Another(task) is { } other)
                call(other);
        });

    private static KernelTask? Another(KernelTask task) =>
        task.Group.Threads.FirstOrDefault(t => !ReferenceEquals(t, task) && t.State == TaskState.Runnable) ?? task.Group.Parent?.Leader;

    /// <inheritdoc/>
    public override string Name => design.Name;

    /// <inheritdoc/>
    public override string Description => design.Description;

    /// <inheritdoc/>
    public override string RegisterMeaning => design.RegisterMeaning;

    /// <inheritdoc/>
    public override VdsoImage? LoadImage() => design.LoadImage();

    /// <inheritdoc/>
    public override VdsoLeaves Leaves => design.Leaves;

    /// <inheritdoc/>
    public override bool RestoresRegister => design.RestoresRegister;

    /// <inheritdoc/>
    public override bool GuardsStart => design.GuardsStart;

    /// <inheritdoc/>
    public override bool LandingPads => design.LandingPads;

    /// <inheritdoc/>
    public override int MostCpus => design.MostCpus;

    /// <inheritdoc/>
    public override int ProcessPagesInUse => design.ProcessPagesInUse;

    /// <inheritdoc/>
    public override ulong RegisterOf(int cpu) => design.RegisterOf(cpu);

    /// <inheritdoc/>
    public override ulong SlotPa(int cpu) => design.SlotPa(cpu);

    /// <inheritdoc/>
    public override ulong SlotPa(KernelTask task) => design.SlotPa(task);

    /// <inheritdoc/>
    public override VdsoPages ComputedPages(int cpus, int threads) => design.ComputedPages(cpus, threads);

    internal override void Attach(VdsoMapping mapping)
    {
        base.Attach(mapping);
        design.Attach(mapping);
    }

    internal override void PatchEl1(El1Image el1, Machine machine) => design.PatchEl1(el1, machine);

    internal override void KeepRegister(El1Image el1, Machine machine) => design.KeepRegister(el1, machine);

    internal override VvarPlan? Plan => design.Plan;

    /// <inheritdoc/>
    public override IReadOnlyList<OwnFunction> OwnFunctions => design.OwnFunctions;

    internal override bool Does(string hook) => design.Does(hook);

    internal override ulong[] DataPagesFor(MemoryMap memory, ulong address) => design.DataPagesFor(memory, address);

    internal override ulong NodePa(int cpu) => design.NodePa(cpu);

    internal override void MapFurther(MemoryMap memory) => design.MapFurther(memory);

    internal override void MappingMoved(MemoryMap memory, VdsoPart part, ulong address) =>
        Call(
            nameof(MappingMoved), null, () => design.MappingMoved(memory, part, address),
            () => design.MappingMoved(memory, part, address == 0 ? 0 : address + PhysicalMemory.PageSize));

    internal override void SystemCallEntered(KernelTask task) =>
        Call(nameof(SystemCallEntered), task, design.SystemCallEntered);

    internal override void TaskCreated(KernelTask task, KernelTask? parent) =>
        Call(nameof(TaskCreated), task, () => design.TaskCreated(task, parent), () =>
        {
            design.TaskCreated(task, parent);
            if (parent is not null && ReferenceEquals(parent.Mm, task.Mm))
                Records.ShareVdso(parent, task);
        });

    internal override void ProgramStarted(KernelTask task) => Call(nameof(ProgramStarted), task, design.ProgramStarted);

    internal override void TaskExited(KernelTask task) => Call(nameof(TaskExited), task, design.TaskExited);

    internal override void CredentialsChanged(KernelTask task) => Call(nameof(CredentialsChanged), task, design.CredentialsChanged);

    internal override void IdMapsChanged(KernelTask task) => Call(nameof(IdMapsChanged), task, design.IdMapsChanged);

    internal override void FieldChanged(KernelTask task, VdsoField field) =>
        Call(nameof(FieldChanged), task, t => design.FieldChanged(t, field));

    internal override void NamespaceEntered(KernelTask task) => Call(nameof(NamespaceEntered), task, design.NamespaceEntered);

    internal override void RseqChanged(KernelTask task) => Call(nameof(RseqChanged), task, design.RseqChanged);

    internal override void BeforeSignalFrame(KernelTask task, UserRegisters registers) =>
        Call(nameof(BeforeSignalFrame), task, t => design.BeforeSignalFrame(t, registers));

    internal override void BeforeSignals(KernelTask task) => Call(nameof(BeforeSignals), task, design.BeforeSignals);

    internal override void CpuOffline(int cpu) =>
        Call(nameof(CpuOffline), null, () => design.CpuOffline(cpu), () => design.CpuOffline((cpu + 1) % Machine.Cpus.Count));
}
