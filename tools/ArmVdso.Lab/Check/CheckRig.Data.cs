using ArmVdso.Kernel.Explore;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Lab.Check;

/// <summary>The data pages and the image as they are in RAM.</summary>
internal sealed partial class CheckRig
{
    /// <summary>Physical addresses of the data pages ([vvar]) that the victim sees, in order, with their offsets.</summary>
    internal Dictionary<ulong, ulong> DataPages { get; } = [];

    /// <summary>The auxiliary clock whose functions are checked; null: the kernel has none.</summary>
    internal AuxiliaryClock? Auxiliary => Kernel.Timekeeper.Auxiliary.FirstOrDefault();

    /// <summary>Has the auxiliary clock run: far from every other clock, and at a rate of its own.</summary>
    internal void StartAuxiliary()
    {
        if (Auxiliary is not { } clock)
            return;
        clock.SetEnabled(true);
        clock.Set(7_000_000_000_000_777);
        clock.SetFrequency(-200L << 16);
    }

    private void StepBegins(Cpu cpu)
    {
        Observer?.Before(cpu);
        Probe?.Before(cpu);
    }

    private void StepEnds(Cpu cpu)
    {
        Probe?.After(cpu);
        Observer?.After(cpu);
    }

    /// <summary>Called before each instruction of a hook that the model runs.</summary>
    internal Action<Cpu>? BeforeHookStep { get; set; }

    private void HookStepBegins(Cpu cpu)
    {
        StepBegins(cpu);
        BeforeHookStep?.Invoke(cpu);
    }

    /// <summary>Called after each instruction of a hook that the model runs; may step other CPUs.</summary>
    internal Action<Cpu>? InHook { get; set; }

    private void HookStepEnds(Cpu cpu)
    {
        StepEnds(cpu);
        InHook?.Invoke(cpu);
    }

    private void FindDataPages()
    {
        DataPages.Clear();
        foreach (Vma vma in Victim.Mm!.Vmas.Where(v => v.End - v.Start <= 1 << 20))
        {
            // Stack and heap-like areas beyond what the guest uses stay as they are.
            bool code = vma.Name == "[vdso]" || (Symbol("park") >= vma.Start && Symbol("park") < vma.End);
            for (ulong va = vma.Start; code && va < vma.End; va += 4096)
                _ = Victim.Mm.FaultIn(va, false, out _, true);
        }
        FaultInData();
        foreach (Vma vma in Victim.Mm!.Vmas.Where(v => v.Name == "[vvar]"))
        {
            for (ulong va = vma.Start; va < vma.End; va += 4096)
            {
                if (KernelControl.Physical(Victim.Mm, va) is { } pa)
                    DataPages[pa & ~0xfffUL] = va - vma.Start;
            }
        }
    }

    /// <summary>Has the victim's data pages in its address space.</summary>
    internal void FaultInData()
    {
        foreach (Vma vma in Victim.Mm!.Vmas.Where(v => v.Name == "[vvar]"))
        {
            for (ulong va = vma.Start; va < vma.End; va += 4096)
                _ = Victim.Mm.FaultIn(va, false, out _);
        }
    }

    /// <summary>Whether the instruction that a CPU has just executed stored to a data page.</summary>
    internal bool StoredData(Cpu cpu)
    {
        for (int i = 0; i < cpu.AccessCount; i++)
        {
            if (cpu.Accesses[i].Write && DataPages.ContainsKey(cpu.Accesses[i].Pa & ~0xfffUL))
                return true;
        }
        return false;
    }

    /// <summary>Whether the instruction that a CPU has just executed touched what other CPUs see or change too.</summary>
    internal bool TouchedShared(Cpu cpu, KernelTask one, KernelTask other)
    {
        if (_hypercall)
            return true;
        for (int i = 0; i < cpu.AccessCount; i++)
        {
            ulong page = cpu.Accesses[i].Pa & ~0xfffUL;
            if (DataPages.ContainsKey(page) || page == one.RecordPa || page == other.RecordPa)
                return true;
        }
        return false;
    }

    /// <summary>The same place as a physical address of a CPU's or its task's slot, in another slot; null: it is in no slot.</summary>
    internal ulong? OtherSlot(Cpu cpu, ulong pa)
    {
        VdsoDesign design = Kernel.Vdso.Design;
        ulong slot = design.SlotPa(Kernel.Scheduler.Current(cpu.Index));
        ulong other = design.SlotPa(cpu.Index) != 0 ? design.SlotPa((cpu.Index + 1) % Machine.Cpus.Count) : design.SlotPa(Sibling);
        return slot != 0 && other != 0 && pa - slot < 256 ? other + (pa - slot) : null;
    }

    /// <summary>The contents of the data pages.</summary>
    internal Dictionary<ulong, byte[]> SaveData() => DataPages.Keys.ToDictionary(pa => pa, pa => Machine.Memory.Span(pa, 4096).ToArray());

    /// <summary>Puts contents back.</summary>
    internal void LoadData(Dictionary<ulong, byte[]> data)
    {
        foreach ((ulong pa, byte[] bytes) in data)
            bytes.CopyTo(Machine.Memory.Span(pa, 4096));
    }

    /// <inheritdoc/>
    public int CodeWords => (int)(Kernel.Vdso.Image!.TextEnd / 4);

    private ulong CodePa(int word) => KernelControl.Physical(Victim.Mm!, Victim.Mm!.VdsoBase + (ulong)word * 4)
        ?? throw new InvalidOperationException("a page of the image is not mapped");

    /// <inheritdoc/>
    public uint CodeWord(int word) => Machine.Memory.Read<uint>(CodePa(word));

    /// <inheritdoc/>
    public void SetCodeWord(int word, uint instruction) => Machine.Memory.Write(CodePa(word), instruction);

    private static readonly string[] SlotFields = ["seq", "cpu", "node", .. VdsoCalls.Fields.Select(f => f.Name)];

    private static readonly string[] ClockFields =
    [
        "seq", "clock_mode", "cycle_last", "mask", "mult", "shift", "tz_minuteswest", "tz_dsttime", "hrtimer_res",
    ];

    /// <summary>A physical address as an offset in [vvar] where it is there, with the name of the field where the layout of the
    /// image has one.</summary>
    internal string DataName(ulong pa)
    {
        if (!DataPages.TryGetValue(pa & ~0xfffUL, out ulong page))
            return $"pa 0x{pa:x}";
        ulong offset = page + (pa & 0xfff);
        string field = FieldAt((long)offset);
        return field.Length == 0 ? $"[vvar]+0x{offset:x}" : $"[vvar]+0x{offset:x} {field}";
    }

    private string FieldAt(long offset)
    {
        VdsoImage image = Kernel.Vdso.Image!;
        long slots = image.LayoutOr("vdso_vsys_data.cpu_data", -1), size = image.LayoutOr("vdso_per_cpu_data.size", 0);
        if (slots >= 0 && size > 0 && offset >= slots)
            return Named(image, "vdso_per_cpu_data", SlotFields, (offset - slots) % size) is { } slot
                ? $"cpu_data[{(offset - slots) / size}].{slot}"
                : "";
        long data = image.LayoutOr("vdso_data.size", 0), basetime = image.LayoutOr("vdso_data.basetime", -1);
        if (data <= 0 || offset >= 2 * data)
            return "";
        long at = offset % data;
        string? name = at >= basetime && at < basetime + 12 * 16
            ? $"basetime[{(at - basetime) / 16}].{((at - basetime) % 16 < 8 ? "sec" : "nsec")}"
            : Named(image, "vdso_data", ClockFields, at);
        return name is null ? "" : $"data[{offset / data}].{name}";
    }

    private static string? Named(VdsoImage image, string type, string[] fields, long offset) =>
        Array.Find(fields, f => image.LayoutOr($"{type}.{f}", -1) == offset);
}
