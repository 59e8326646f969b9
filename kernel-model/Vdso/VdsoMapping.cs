using ArmVdso.Emulator;
using ArmVdso.Kernel.Memory;

namespace ArmVdso.Kernel.Vdso;

/// <summary>The vDSO of a run: image pages, data pages ([vvar]) and, for the per-CPU design, the slots.</summary>
public sealed class VdsoMapping
{
    private readonly ulong[] _imagePages = [];
    private readonly ulong[] _dataPages = [];
    private readonly ulong _dataPa;

    internal VdsoMapping(LinuxKernel kernel, string design)
    {
        Design = design;
        if (design == "none")
            return;
        if (design != "per-cpu")
            throw new ArgumentException($"there is no vDSO design '{design}'; known: none, per-cpu", nameof(design));
        Image = VdsoImage.LoadPerCpu();
        PhysicalMemory memory = kernel.Machine.Memory;
        int dataPages = (int)Image.Layout("vvar_pages");
        _dataPa = kernel.PageAllocator.AllocateContiguous(dataPages);
        _dataPages = [.. Enumerable.Range(0, dataPages).Select(i => _dataPa + (ulong)i * PhysicalMemory.PageSize)];
        int imagePages = (Image.Bytes.Length + PhysicalMemory.PageSize - 1) / PhysicalMemory.PageSize;
        ulong imagePa = kernel.PageAllocator.AllocateContiguous(imagePages);
        Image.Bytes.CopyTo(memory.Span(imagePa, Image.Bytes.Length));
        _imagePages = [.. Enumerable.Range(0, imagePages).Select(i => imagePa + (ulong)i * PhysicalMemory.PageSize)];
        TimePages = [_dataPa];
    }

    /// <summary>Name of the design.</summary>
    public string Design { get; }

    /// <summary>The image, or null without a vDSO.</summary>
    public VdsoImage? Image { get; }

    /// <summary>Physical addresses of the pages that update_vsyscall writes.</summary>
    public IReadOnlyList<ulong> TimePages { get; } = [];

    /// <summary>Whether switches write a per-CPU slot and TPIDRRO_EL0.</summary>
    public bool HasPerCpuSlots => Image is not null;

    /// <summary>Byte offset of a CPU's slot from the start of the data: what TPIDRRO_EL0 holds; 0 without slots.</summary>
    public ulong OffsetOf(int cpu) => Image is null ? 0 : (ulong)(Image.Layout("vdso_vsys_data.cpu_data") + cpu * Image.Layout("vdso_per_cpu_data.size"));

    /// <summary>Physical address of a CPU's slot.</summary>
    public ulong SlotPa(int cpu) => _dataPa + OffsetOf(cpu);

    /// <summary>Maps [vvar] and, directly above it, [vdso]. Returns the address of the image, or 0 without one.</summary>
    internal ulong MapInto(MemoryMap memory)
    {
        if (Image is null)
            return 0;
        ulong data = (ulong)_dataPages.Length * PhysicalMemory.PageSize;
        ulong code = (ulong)_imagePages.Length * PhysicalMemory.PageSize;
        ulong start = memory.FindFree(data + code);
        if (start == 0)
            return 0;
        memory.Add(new Vma { Start = start, End = start + data, Prot = Mman.PROT_READ, SpecialPages = _dataPages, Name = "[vvar]" });
        memory.Add(new Vma { Start = start + data, End = start + data + code, Prot = Mman.PROT_READ | Mman.PROT_EXEC, SpecialPages = _imagePages, Name = "[vdso]" });
        memory.VdsoBase = start + data;
        memory.SigreturnTrampoline = memory.VdsoBase + Image.SigreturnOffset;
        return memory.VdsoBase;
    }
}
