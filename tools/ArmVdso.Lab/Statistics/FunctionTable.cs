namespace ArmVdso.Lab.Statistics;

/// <summary>The functions of an ELF64 file, by address in the file's own numbering.</summary>
internal sealed class FunctionTable
{
    /// <summary>A function: [Start, End).</summary>
    internal readonly record struct Function(ulong Start, ulong End, string Name);

    private readonly List<Function> _functions = [], _labels = [];

    /// <summary>A file that is no ELF64 or is stripped has no functions.</summary>
    internal FunctionTable(ElfFile file)
    {
        foreach (ElfSymbol symbol in file.Symbols)
        {
            if (symbol.IsFunction)
                _functions.Add(new Function(symbol.Value, symbol.Value + symbol.Size, symbol.Name));
            else if (symbol.IsLabel)
                _labels.Add(new Function(symbol.Value, symbol.Value + symbol.Size, symbol.Name));
        }
        Sort(_functions);
        Sort(_labels);
    }

    private static void Sort(List<Function> list)
    {
        list.Sort((a, b) => a.Start != b.Start ? a.Start.CompareTo(b.Start) : b.End.CompareTo(a.End));
        // One without a size ends where the next one begins.
        for (int i = 0; i < list.Count; i++)
        {
            if (list[i].End == list[i].Start)
                list[i] = list[i] with { End = i + 1 < list.Count ? list[i + 1].Start : ulong.MaxValue };
        }
    }

    /// <summary>The function that holds an address, or null.</summary>
    internal Function? Find(ulong address) => Find(_functions, address);

    /// <summary>The function, else the label of assembly code, or null.</summary>
    internal Function? FindAny(ulong address) => Find(_functions, address) ?? Find(_labels, address);

    /// <summary>Whether a function, or a label of assembly code, of this name begins at an address.</summary>
    internal bool Begins(string name, ulong address) => Begins(_functions, name, address) || Begins(_labels, name, address);

    private static bool Begins(List<Function> list, string name, ulong address)
    {
        for (int i = list.CountUpTo(address, f => f.Start) - 1; i >= 0 && list[i].Start == address; i--)
        {
            if (list[i].Name == name)
                return true;
        }
        return false;
    }

    private static Function? Find(List<Function> list, ulong address)
    {
        int count = list.CountUpTo(address, f => f.Start);
        // Aliases and nested symbols: the nearest one that reaches so far.
        for (int i = count - 1; i >= 0 && i >= count - 8; i--)
        {
            if (address < list[i].End)
                return list[i];
        }
        return null;
    }
}
