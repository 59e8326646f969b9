using ArmVdso.Kernel.El1;

namespace ArmVdso.Lab;

/// <summary>One write of TPIDRRO_EL0.</summary>
/// <param name="Cycle">Cycle of the CPU at which it was written.</param>
/// <param name="Cpu">CPU.</param>
/// <param name="Cause">boot, start, switch, refresh (what the slot says has changed) or flush; tramp (x30 in transit, KPTI or BHB vectors),
/// entry (zero, after it), reload (--kernel reload).</param>
/// <param name="Previous">Task before.</param>
/// <param name="Next">Task after.</param>
/// <param name="Old">Old value: byte offset of the slot, 0 = off.</param>
/// <param name="New">New value.</param>
/// <param name="Slot">Contents of the slot, by field; null when the new offset is 0.</param>
public sealed record OffsetWrite(
    ulong Cycle, int Cpu, string Cause, string Previous, string Next, ulong Old, ulong New, IReadOnlyDictionary<string, int>? Slot);

/// <summary>Sees every TPIDRRO_EL0 write and says who, when, why and where. The cause is the EL1 function that wrote.</summary>
/// <param name="kernel">The kernel of the run.</param>
/// <param name="sink">Takes the writes, in the order of the run.</param>
public class OffsetTrace(LinuxKernel kernel, Action<OffsetWrite> sink) : IMachineObserver
{
    /// <summary>The fields of a slot, in the order of <see cref="OffsetWrite.Slot"/>.</summary>
    public static IReadOnlyList<string> Fields { get; } = ["cpu", "node", .. VdsoCalls.Fields.Select(f => f.Name)];

    /// <summary>Those of <see cref="Fields"/> that an image's slots have.</summary>
    public static IReadOnlyList<string> FieldsOf(VdsoImage? image) =>
        image is null ? Fields : [.. Fields.Where(f => image.LayoutOr(Member + f, -1) >= 0)];

    private const string Member = "vdso_per_cpu_data.";

    private readonly IReadOnlyList<string> _fields = FieldsOf(kernel.Vdso.Image);

    /// <inheritdoc/>
    public void OnTpidrroWrite(Cpu cpu, ulong oldValue, ulong newValue)
    {
        string cause = kernel.El1.FunctionAt(cpu.PC) switch
        {
            _ when cpu.PC == (ulong)PatchSite.vdso_reload_write => "reload",
            nameof(El1Symbol.vdso_start_thread) => "start",
            nameof(El1Symbol.vdso_switch_thread) => "switch",
            nameof(El1Symbol.vdso_refresh_thread) => "refresh",
            nameof(El1Symbol.vdso_flush_thread) => "flush",
            nameof(El1Symbol.cpu_start) => "boot",
            nameof(El1Symbol.vectors) => "entry",
            { } name when name.StartsWith("tramp_ventry", StringComparison.Ordinal) || name.StartsWith("bhb_loop", StringComparison.Ordinal)
                || name == nameof(El1Symbol.__bp_harden_el1_vectors) => "tramp",
            { } other => other,
            null => "unknown",
        };
        KernelTask current = kernel.Scheduler.Current(cpu.Index);
        KernelTask previous = cause == "switch" && kernel.Scheduler.LastSwitch.TryGetValue(cpu.Index, out var pair)
            ? pair.Previous
            : current;
        Dictionary<string, int>? slot = null;
        ulong pa = newValue == 0 || cause == "tramp" ? 0 : kernel.Vdso.Design.SlotPa(current);
        if (pa != 0)
        {
            slot = [];
            foreach (string field in _fields)
                slot[field] = kernel.Machine.Memory.Read<int>(pa + (ulong)kernel.Vdso.Image!.Layout(Member + field));
        }
        sink(new OffsetWrite(cpu.Cycles, cpu.Index, cause, previous.ToString(), current.ToString(), oldValue, newValue, slot));
    }

    /// <inheritdoc/>
    public virtual void OnExceptionEntry(Cpu cpu, int fromEL, ulong offset)
    {
    }

    /// <inheritdoc/>
    public virtual void OnExceptionReturn(Cpu cpu)
    {
    }

    /// <inheritdoc/>
    public virtual void OnInstruction(Cpu cpu, uint instruction)
    {
    }

    /// <inheritdoc/>
    public virtual bool WantsInstructions => false;
}
