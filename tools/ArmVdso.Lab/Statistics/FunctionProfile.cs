using ArmVdso.Emulator.Timing.Counters;
using ArmVdso.Kernel.Files;

namespace ArmVdso.Lab.Statistics;

/// <summary>What one function took.</summary>
/// <param name="Name">The function; a file or mapping where no symbol says.</param>
/// <param name="Where">The file or mapping that it is in; [EL1]: the kernel.</param>
/// <param name="Cycles">Cycles, not waiting.</param>
/// <param name="Instructions">Instructions.</param>
/// <param name="Entered">How often it was entered at its start.</param>
/// <param name="Causes">The cycles by cause.</param>
public sealed record FunctionCycles(
    string Name, string Where, ulong Cycles, ulong Instructions, ulong Entered, IReadOnlyDictionary<CycleCause, ulong> Causes);

/// <summary>Cycles and instructions by function, with their causes: every instruction's cycles belong to the function that it is in, so
/// the sum is what the CPUs counted. Each instruction is looked at, which makes the run slow.</summary>
public sealed class FunctionProfile : IMachineObserver
{
    /// <summary>What one function took.</summary>
    private sealed class Entry(string name, string where)
    {
        internal string Name => name;

        internal string Where => where;

        internal ulong Instructions;
        internal ulong Calls;
        internal CauseCounters Causes;
    }

    /// <summary>Where a CPU is.</summary>
    private sealed class Position
    {
        internal ulong Start = 1;
        internal ulong End;
        internal MemoryMap? Memory;
        internal int EL = -1;
        internal Entry? Entry;
        internal TimingCounters EL0;
        internal TimingCounters EL1;
    }

    private readonly LinuxKernel _kernel;
    private readonly Position[] _positions;
    private readonly Dictionary<(string, string), Entry> _entries = [];
    private readonly Dictionary<string, FunctionTable> _files = [];

    /// <summary>Watches a run.</summary>
    public FunctionProfile(LinuxKernel kernel)
    {
        _kernel = kernel;
        _positions = [.. kernel.Machine.Cpus.Select(_ => new Position())];
    }

    /// <inheritdoc/>
    public bool WantsInstructions => true;

    /// <inheritdoc/>
    public void OnInstruction(Cpu cpu, uint instruction)
    {
        Position p = _positions[cpu.Index];
        ulong pc = cpu.PC;
        if (pc >= p.Start && pc < p.End && cpu.EL == p.EL
            && (p.EL == 1 || ReferenceEquals(p.Memory, _kernel.Scheduler.Current(cpu.Index).Mm)))
            return;
        Leave(cpu, p);
        Enter(cpu, p, pc);
    }

    /// <summary>What was counted since the function was entered is its own.</summary>
    private static void Leave(Cpu cpu, Position p)
    {
        TimingCounters el0 = cpu.Timing.Counters(0), el1 = cpu.Timing.Counters(1);
        if (p.Entry is { } entry)
        {
            entry.Instructions += el0.Instructions - p.EL0.Instructions + el1.Instructions - p.EL1.Instructions;
            for (int i = 0; i < CauseCounters.Count; i++)
                entry.Causes[i] += el0.Causes[i] - p.EL0.Causes[i] + el1.Causes[i] - p.EL1.Causes[i];
        }
        (p.EL0, p.EL1) = (el0, el1);
    }

    private void Enter(Cpu cpu, Position p, ulong pc)
    {
        p.EL = cpu.EL;
        p.Memory = cpu.EL == 0 ? _kernel.Scheduler.Current(cpu.Index).Mm : null;
        (string name, string where, p.Start, p.End) = cpu.EL == 1 ? Kernel(pc) : User(p.Memory, pc);
        if (!_entries.TryGetValue((name, where), out Entry? entry))
            _entries[(name, where)] = entry = new Entry(name, where);
        if (pc == p.Start)
            entry.Calls++;
        p.Entry = entry;
    }

    private (string, string, ulong, ulong) Kernel(ulong pc)
    {
        string? name = _kernel.El1.FunctionAt(pc);
        ulong start = pc, end = pc + 4;
        // The image has no sizes: the function reaches as far as its name does.
        while (name is not null && _kernel.El1.FunctionAt(start - 4) == name)
            start -= 4;
        while (name is not null && _kernel.El1.FunctionAt(end) == name)
            end += 4;
        return (name ?? "vectors", "[EL1]", start, end);
    }

    private (string, string, ulong, ulong) User(MemoryMap? memory, ulong pc)
    {
        if (memory?.Find(pc) is not { } vma)
            return ("[unmapped]", "", pc, pc + 4);
        FunctionTable? table = null;
        ulong address = pc;
        string where = vma.Name ?? vma.File?.Path ?? "[anonymous]";
        if (vma.Name == "[vdso]" && _kernel.Vdso.Image is { } image)
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
            return (where, where, vma.Start, vma.End);
        ulong bias = pc - address;
        return (function.Name, where, Math.Max(vma.Start, function.Start + bias),
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

    /// <summary>The functions, those that took the most cycles first. Read it when the run has ended.</summary>
    public IReadOnlyList<FunctionCycles> Functions()
    {
        for (int i = 0; i < _positions.Length; i++)
            Leave(_kernel.Machine.Cpus[i], _positions[i]);
        return [.. _entries.Values.OrderByDescending(Busy).ThenBy(e => e.Name, StringComparer.Ordinal).Select(e => new FunctionCycles(
            e.Name, e.Where, Busy(e), e.Instructions, e.Calls,
            Enum.GetValues<CycleCause>().Where(c => c != CycleCause.Waiting).ToDictionary(c => c, c => e.Causes[(int)c])))];
    }

    private static ulong Busy(Entry e) => e.Causes.Total() - e.Causes[(int)CycleCause.Waiting];

    /// <inheritdoc/>
    public void OnExceptionEntry(Cpu cpu, int fromEL, ulong offset)
    {
    }

    /// <inheritdoc/>
    public void OnExceptionReturn(Cpu cpu)
    {
    }

    /// <inheritdoc/>
    public void OnTpidrroWrite(Cpu cpu, ulong oldValue, ulong newValue)
    {
    }
}
