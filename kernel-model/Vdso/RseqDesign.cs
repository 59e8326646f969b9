using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Vdso;

/// <summary>getcpu from the area that the thread registered with rseq(2), which the register leads to.</summary>
public sealed class RseqDesign : VdsoDesign
{
    /// <inheritdoc/>
    public override string Name => "rseq";

    /// <inheritdoc/>
    public override string Description => "getcpu and the concurrency ID from the thread's registered rseq area; else the system call";

    /// <inheritdoc/>
    public override string RegisterMeaning => "user address of the thread's rseq area";

    /// <inheritdoc/>
    public override El1Symbol? UpdateFunction => El1Symbol.vdso_update_rseq;

    /// <summary>No area is registered yet.</summary>
    public override VdsoLeaves Leaves => VdsoLeaves.NewProgram;

    internal override void TaskCreated(KernelTask task, KernelTask? parent)
    {
        base.TaskCreated(task, parent);
        RseqChanged(task);
    }

    internal override void ProgramStarted(KernelTask task) => RseqChanged(task);

    internal override void RseqChanged(KernelTask task)
    {
        Records.SetVdso(task, 0, task.Rseq);
        RefreshBeforeUser(task);
    }
}
