using ArmVdso.Kernel.Files;

namespace ArmVdso.Lab.Statistics;

/// <summary>Where an address of a process is.</summary>
/// <param name="Mapping">The mapping that holds it.</param>
/// <param name="Where">Its file or name.</param>
/// <param name="File">What the file says of its code; null: no file.</param>
/// <param name="Function">The function, in the file's own numbering; null where no symbol says.</param>
/// <param name="Bias">What is added to the file's own numbering.</param>
internal readonly record struct CodePlace(Vma Mapping, string Where, CodeFile? File, FunctionTable.Function? Function, ulong Bias);

/// <summary>A program, library or vDSO: its bytes and its functions.</summary>
internal sealed class CodeFile(byte[] bytes)
{
    /// <summary>The file as it is on disk.</summary>
    internal byte[] Bytes => bytes;

    /// <summary>What it consists of.</summary>
    internal ElfFile Elf { get; } = new(bytes);

    /// <summary>Its functions.</summary>
    internal FunctionTable Functions => field ??= new FunctionTable(Elf);

    /// <summary>Its source lines.</summary>
    internal LineTable Lines => field ??= new LineTable(bytes);
}

/// <summary>Names for the addresses of processes: of programs, libraries and the vDSO, by their symbols.</summary>
internal sealed class CodeMap(LinuxKernel kernel)
{
    private readonly Dictionary<string, CodeFile> _files = [];

    /// <summary>Where an address is; null: nothing is mapped there.</summary>
    internal CodePlace? Find(MemoryMap memory, ulong address)
    {
        if (memory.Find(address) is not { } vma)
            return null;
        CodeFile? code = null;
        ulong own = address;
        string where = vma.Name ?? vma.File?.Path ?? "[anonymous]";
        if (vma.Name == "[vdso]" && kernel.Vdso.Image is { } image)
        {
            code = FileOf("[vdso]", () => image.Bytes);
            own = address - memory.VdsoBase;
        }
        else if (vma.File is OpenFile file)
        {
            code = FileOf(where, () => Contents(file));
            if (code.Elf.AddressOf(vma.Offset + (address - vma.Start)) is { } found)
                own = found;
        }
        return new CodePlace(vma, where, code, code?.Functions.Find(own), address - own);
    }

    /// <summary>The function that an address is in, of EL1 code or of a process; where no symbol says, the file or mapping.</summary>
    internal CodeRange RangeOf(MemoryMap? memory, ulong pc) => pc >> 63 != 0 ? Kernel(pc) : User(memory, pc);

    private CodeRange Kernel(ulong pc)
    {
        string? name = kernel.El1.FunctionAt(pc);
        ulong start = pc, end = pc + 4;
        // The image has no sizes: the function reaches as far as its name does.
        while (name is not null && kernel.El1.FunctionAt(start - 4) == name)
            start -= 4;
        while (name is not null && kernel.El1.FunctionAt(end) == name)
            end += 4;
        return new CodeRange(name ?? "vectors", "[EL1]", start, end);
    }

    private CodeRange User(MemoryMap? memory, ulong pc)
    {
        if (memory is null || Find(memory, pc) is not { } place)
            return new CodeRange("[unmapped]", "", pc, pc + 4);
        Vma vma = place.Mapping;
        if (place.Function is not { } function)
            return new CodeRange(place.Where, place.Where, vma.Start, vma.End);
        return new CodeRange(function.Name, place.Where, Math.Max(vma.Start, function.Start + place.Bias),
            Math.Min(vma.End, function.End == ulong.MaxValue ? vma.End : function.End + place.Bias));
    }

    private CodeFile FileOf(string path, Func<byte[]> contents)
    {
        if (!_files.TryGetValue(path, out CodeFile? file))
            _files[path] = file = new CodeFile(contents());
        return file;
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
