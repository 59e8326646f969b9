using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Vdso;

/// <summary>The register counts its own writes: the same value after the load as before it means that nothing came between.</summary>
public sealed class PerCpuGenerationDesign : PerCpuSlots
{
    /// <inheritdoc/>
    public override string Name => "per-cpu-gen";

    /// <inheritdoc/>
    public override string Description =>
        "a slot per CPU; the register has a generation and is read again after the load; else the system call";

    /// <inheritdoc/>
    public override string RegisterMeaning => "offset of this CPU's slot (bits 15:0), count of this CPU's writes (63:16)";

    /// <inheritdoc/>
    public override El1Symbol? UpdateFunction => El1Symbol.vdso_update_per_cpu_gen;

    /// <summary>The offsets have 16 bits of the register: the last slot must begin within 64 KiB.</summary>
    public override int MostCpus =>
        (int)((ushort.MaxValue - Mapping.Image!.Layout("vdso_vsys_data.cpu_data")) / Mapping.Image.Layout("vdso_per_cpu_data.size")) + 1;

    internal override void CredentialsChanged(KernelTask task) => RefreshBeforeUser(task);

    internal override void FieldChanged(KernelTask task, VdsoField field) => WriteField(task, field);

    internal override void NamespaceEntered(KernelTask task)
    {
        base.NamespaceEntered(task);
        RefreshBeforeUser(task);
    }
}
