using ArmVdso.Kernel.El1;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Vdso;

/// <summary>Designs with a slot for each CPU in data pages that every process maps.</summary>
public abstract class PerCpuSlots : VdsoDesign
{
    /// <inheritdoc/>
    public override ulong RegisterOf(int cpu) =>
        (ulong)(Mapping.Image!.Layout("vdso_vsys_data.cpu_data") + cpu * Mapping.Image.Layout("vdso_per_cpu_data.size"));

    /// <inheritdoc/>
    public override ulong SlotPa(int cpu) => Mapping.SharedDataPages[0] + RegisterOf(cpu);

    /// <inheritdoc/>
    public override VdsoPages ComputedPages(int cpus, int threads)
    {
        VdsoImage image = Mapping.Image!;
        long page = image.Layout("page_size");
        long here =
            (image.Layout("vdso_vsys_data.cpu_data") + image.Layout("nr_cpus") * image.Layout("vdso_per_cpu_data.size") + page - 1) / page;
        long there = (image.Layout("vdso_vsys_data.cpu_data") + cpus * image.Layout("vdso_per_cpu_data.size") + page - 1) / page;
        return new VdsoPages((int)(Mapping.ImagePageCount + Mapping.DataPageCount - here + there), 0);
    }

    /// <summary>Puts a word into the slot of the CPU that runs the task, whichever CPU this is. One word: a reader needs no
    /// protection from it. A CPU that fills its slot at this moment does it again before its next instruction in EL0.</summary>
    protected void WriteField(KernelTask task, VdsoField field)
    {
        // A task that is just being switched away is still on its CPU, but the slot may be the next one's already.
        if (!task.OnCpu || !ReferenceEquals(Scheduler.Current(task.Cpu), task))
            return;
        WriteWord(SlotPa(task.Cpu), task, field);
        RefreshBeforeUser(task);
    }
}

/// <summary>The talk's design, with its defects; each of those that its protocol can do without is mended on request.</summary>
public sealed class PerCpuDesign : PerCpuSlots
{
    /// <summary>What can be mended.</summary>
    public static readonly IReadOnlyDictionary<string, string> Fixes = new Dictionary<string, string>
    {
        ["egid"] = "egid from the task's egid, not from its gid",
        ["ns"] = "pid, tid and ppid in the task's own PID namespace, not in the previous task's",
        ["cred"] = "the slot is filled again after a change of credentials",
        ["reparent"] = "the slot is filled again, on whatever CPU, when the parent dies, or group or session change",
        ["trampoline"] = "an exit to EL0 writes TPIDRRO_EL0 again where the entry used it as scratch",
    };

    private readonly HashSet<string> _fixes;

    /// <summary>The design with some defects mended.</summary>
    /// <param name="fixes">Names of <see cref="Fixes"/>, or "all".</param>
    /// <exception cref="ArgumentException">There is no such defect.</exception>
    public PerCpuDesign(IReadOnlyList<string> fixes)
    {
        foreach (string fix in fixes)
        {
            if (fix != "all" && !Fixes.ContainsKey(fix))
                throw new ArgumentException($"there is no defect '{fix}' to mend; known: {string.Join(", ", Fixes.Keys)}, all");
        }
        _fixes = fixes.Contains("all") ? [.. Fixes.Keys] : [.. fixes];
    }

    /// <inheritdoc/>
    public override string Name => "per-cpu";

    /// <inheritdoc/>
    public override string Description => "as in the talk: a slot per CPU, no retry, no hooks beyond switch and execve";

    /// <inheritdoc/>
    public override string RegisterMeaning => "byte offset of this CPU's slot from the start of the data";

    /// <inheritdoc/>
    public override El1Symbol? UpdateFunction => El1Symbol.vdso_update_per_cpu;

    /// <inheritdoc/>
    public override bool RestoresRegister => _fixes.Contains("trampoline");

    internal override void PatchEl1(El1Image el1, Machine machine)
    {
        base.PatchEl1(el1, machine);
        if (_fixes.Contains("egid"))
        {
            // ldr w5, [x0, #TSK_EGID]
            el1.Patch(machine, PatchSite.vdso_egid_key, 0xB9400005u | TaskRecord.Egid / 4 << 10);
        }
        if (_fixes.Contains("ns"))
            el1.PatchBranch(machine, PatchSite.vdso_ns_key, PatchTarget.vdso_ns_mended);
    }

    internal override void CredentialsChanged(KernelTask task)
    {
        if (_fixes.Contains("cred"))
            RefreshBeforeUser(task);
    }

    internal override void FieldChanged(KernelTask task, VdsoField field)
    {
        if (_fixes.Contains(field is >= VdsoField.Uid and <= VdsoField.Egid ? "cred" : "reparent"))
            WriteField(task, field);
    }
}
