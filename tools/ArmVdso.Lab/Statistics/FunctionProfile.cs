using ArmVdso.Kernel.Files;

namespace ArmVdso.Lab.Statistics;

/// <summary>The profile of a program on the kernel model.</summary>
/// <param name="kernel">The kernel of the run.</param>
public sealed class FunctionProfile(LinuxKernel kernel) : CycleProfile(kernel.Machine)
{
    private readonly Dictionary<string, FunctionTable> _files = [];

    /// <inheritdoc/>
    protected override object? SpaceOf(Cpu cpu) => kernel.Scheduler.Current(cpu.Index).Mm;

    /// <inheritdoc/>
    protected override Place Find(Cpu cpu, ulong pc) =>
        cpu.EL == 1 ? Kernel(pc) : User(kernel.Scheduler.Current(cpu.Index).Mm, pc);

    private Place Kernel(ulong pc)
    {
        string? name = kernel.El1.FunctionAt(pc);
        ulong start = pc, end = pc + 4;
        // The image has no sizes: the function reaches as far as its name does.
        while (name is not null && kernel.El1.FunctionAt(start - 4) == name)
            start -= 4;
        while (name is not null && kernel.El1.FunctionAt(end) == name)
            end += 4;
        return new Place(name ?? "vectors", "[EL1]", start, end);
    }

    private Place User(MemoryMap? memory, ulong pc)
    {
        if (memory?.Find(pc) is not { } vma)
            return new Place("[unmapped]", "", pc, pc + 4);
        FunctionTable? table = null;
        ulong address = pc;
        string where = vma.Name ?? vma.File?.Path ?? "[anonymous]";
        if (vma.Name == "[vdso]" && kernel.Vdso.Image is { } image)
        {
            table = TableOf("[vdso]", () => image.Bytes);
            address = pc - memory.VdsoBase;
        }
        else if (vma.File is OpenFile file)
        {
            table = TableOf(where, () => Contents(file));
            if (table.AddressOf(vma.Offset + (pc - vma.Start)) is { } found)
                address = found;
        }
        if (table?.Find(address) is not { } function)
            return new Place(where, where, vma.Start, vma.End);
        ulong bias = pc - address;
        return new Place(function.Name, where, Math.Max(vma.Start, function.Start + bias),
            Math.Min(vma.End, function.End == ulong.MaxValue ? vma.End : function.End + bias));
    }

    private FunctionTable TableOf(string path, Func<byte[]> contents)
    {
        if (!_files.TryGetValue(path, out FunctionTable? table))
            _files[path] = table = new FunctionTable(contents());
        return table;
    }

    private static byte[] Contents(OpenFile file)
    {
        using var bytes = new MemoryStream();
        var page = new byte[65536];
        for (long at = 0, n; (n = file.Read(page, at)) > 0; at += n)
            bytes.Write(page, 0, (int)n);
        return bytes.ToArray();
    }
}
