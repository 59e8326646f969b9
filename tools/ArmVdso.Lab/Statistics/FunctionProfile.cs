namespace ArmVdso.Lab.Statistics;

/// <summary>The profile of a program on the kernel model.</summary>
/// <param name="kernel">The kernel of the run.</param>
public sealed class FunctionProfile(LinuxKernel kernel) : CycleProfile(kernel.Machine)
{
    private readonly CodeMap _code = new(kernel);

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
        if (memory is null || _code.Find(memory, pc) is not { } place)
            return new Place("[unmapped]", "", pc, pc + 4);
        Vma vma = place.Mapping;
        if (place.Function is not { } function)
            return new Place(place.Where, place.Where, vma.Start, vma.End);
        return new Place(function.Name, place.Where, Math.Max(vma.Start, function.Start + place.Bias),
            Math.Min(vma.End, function.End == ulong.MaxValue ? vma.End : function.End + place.Bias));
    }
}
