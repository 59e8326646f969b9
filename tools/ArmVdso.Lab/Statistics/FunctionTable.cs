namespace ArmVdso.Lab.Statistics;

/// <summary>The functions of an ELF64 file, by address in the file's own numbering.</summary>
internal sealed class FunctionTable
{
    /// <summary>A function: [Start, End).</summary>
    internal readonly record struct Function(ulong Start, ulong End, string Name);

    private readonly List<Function> _functions = [];
    private readonly IReadOnlyList<ElfSegment> _segments;

    /// <summary>A file that is no ELF64 or is stripped has no functions.</summary>
    internal FunctionTable(ReadOnlySpan<byte> bytes)
    {
        var file = new ElfFile(bytes);
        _segments = file.Segments;
        foreach (ElfSymbol symbol in file.Symbols)
        {
            if (symbol.IsFunction)
                _functions.Add(new Function(symbol.Value, symbol.Value + symbol.Size, symbol.Name));
        }
        _functions.Sort((a, b) => a.Start != b.Start ? a.Start.CompareTo(b.Start) : b.End.CompareTo(a.End));
        // A function without a size ends where the next one begins.
        for (int i = 0; i < _functions.Count; i++)
        {
            if (_functions[i].End == _functions[i].Start)
                _functions[i] = _functions[i] with { End = i + 1 < _functions.Count ? _functions[i + 1].Start : ulong.MaxValue };
        }
    }

    /// <summary>The address of a byte of the file that is loaded, or null.</summary>
    internal ulong? AddressOf(ulong offset)
    {
        foreach ((ulong start, ulong size, ulong address) in _segments)
        {
            if (offset >= start && offset - start < size)
                return address + (offset - start);
        }
        return null;
    }

    /// <summary>The function that holds an address, or null.</summary>
    internal Function? Find(ulong address)
    {
        int low = 0, high = _functions.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (_functions[middle].Start <= address)
                low = middle + 1;
            else
                high = middle;
        }
        // Aliases and nested symbols: the nearest one that reaches so far.
        for (int i = low - 1; i >= 0 && i >= low - 8; i--)
        {
            if (address < _functions[i].End)
                return _functions[i];
        }
        return null;
    }
}
