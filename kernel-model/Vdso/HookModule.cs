using System.Buffers.Binary;

namespace ArmVdso.Kernel.Vdso;

/// <summary>The hooks of a design as a linked program for EL1 (ELF, at <see cref="Base"/>). Nothing in the file is trusted.</summary>
public sealed class HookModule
{
    /// <summary>Kernel address at which hooks are linked: behind the EL1 image, within reach of its branches.</summary>
    public const ulong Base = 0xffff_8000_0810_0000;

    /// <summary>Bytes that hooks may take.</summary>
    public const int MostBytes = 256 << 10;

    /// <summary>A part that is loaded: where, what, and whether it is data that may be written.</summary>
    public sealed record Part(ulong Address, byte[] Bytes, bool Writable);

    /// <summary>What is loaded, in pages that are not shared between parts.</summary>
    public IReadOnlyList<Part> Parts { get; private init; } = [];

    /// <summary>Functions, data and labels by name.</summary>
    public IReadOnlyDictionary<string, ulong> Symbols { get; private init; } = new Dictionary<string, ulong>();

    /// <summary>Names of functions.</summary>
    public IReadOnlyList<string> Functions { get; private init; } = [];

    /// <summary>The module with defects mended: what is named PLACE__fix_NAME is the hook PLACE, or where there is a place of that name,
    /// the instruction there. An instruction is a B, or one whose meaning does not depend on where it is.</summary>
    /// <exception cref="VdsoImageException">There is no instruction at one of the two.</exception>
    internal HookModule With(IReadOnlyList<string> fixes)
    {
        const string mark = "__fix_";
        var symbols = new Dictionary<string, ulong>(Symbols);
        List<Part> parts = [.. Parts.Select(p => p with { Bytes = [.. p.Bytes] })];
        foreach ((string name, ulong address) in Symbols)
        {
            int at = name.IndexOf(mark, StringComparison.Ordinal);
            if (at <= 0 || !fixes.Contains(name[(at + mark.Length)..]))
                continue;
            if (!Symbols.TryGetValue(name[..at], out ulong place))
            {
                symbols[name[..at]] = address;
                continue;
            }
            uint word = BinaryPrimitives.ReadUInt32LittleEndian(WordAt(parts, address));
            const uint branch = 0x14000000, offset = 0x03ffffff;
            if ((word & ~offset) == branch)
                word = branch | ((word + (uint)((long)(address - place) >> 2)) & offset);
            BinaryPrimitives.WriteUInt32LittleEndian(WordAt(parts, place), word);
        }
        return new HookModule { Parts = parts, Symbols = symbols, Functions = Functions };
    }

    private static Span<byte> WordAt(List<Part> parts, ulong address) =>
        parts.Find(p => address - p.Address < (ulong)p.Bytes.Length) is { Writable: false } part
            && address - part.Address <= (ulong)part.Bytes.Length - 4
            ? part.Bytes.AsSpan((int)(address - part.Address), 4)
            : throw new VdsoImageException($"there is no instruction at 0x{address:x}, which fix= is to change");

    /// <summary>Reads a linked program.</summary>
    /// <exception cref="VdsoImageException">It is none, or not for this place.</exception>
    public static HookModule Parse(ReadOnlySpan<byte> file)
    {
        var elf = new ElfReader(file);
        var parts = new List<Part>();
        const uint load = 1, writable = 2;
        foreach (ElfProgramHeader header in elf.ProgramHeaders().Where(h => h.Type == load && h.MemorySize != 0))
        {
            (ulong address, ulong memory) = (header.Address, (ulong)header.MemorySize);
            if (memory > MostBytes || header.FileSize > header.MemorySize || address < Base || address - Base > MostBytes - memory
                || (address & 0xfff) != 0)
                throw new VdsoImageException($"it has {memory} bytes at 0x{address:x}; they belong into {MostBytes} bytes at 0x{Base:x}");
            var bytes = new byte[memory];
            elf.Part(header.Offset, header.FileSize).CopyTo(bytes);
            if ((header.Flags & 3) == 3)
                throw new VdsoImageException("a part of it is both code and data that may be written");
            if (parts.Exists(p => p.Address < address + memory + 0xfff && address < p.Address + (ulong)p.Bytes.Length + 0xfff))
                throw new VdsoImageException("parts of it share a page");
            parts.Add(new Part(address, bytes, (header.Flags & writable) != 0));
        }
        var symbols = new Dictionary<string, ulong>();
        var functions = new List<string>();
        ElfSection[] sections = elf.Sections();
        const uint symbolTable = 2;
        const int global = 1, weak = 2, function = 2;
        foreach (ElfSection table in sections.Where(s => s.Type == symbolTable))
        {
            foreach (ElfSymbol symbol in elf.Symbols(table, sections))
            {
                if (symbol.Binding is not (global or weak) || !symbol.IsDefined || symbol.Name.Length == 0 || !Contains(symbol.Value))
                    continue;
                symbols[symbol.Name] = symbol.Value;
                if (symbol.Type == function)
                    functions.Add(symbol.Name);
            }
        }
        return new HookModule { Parts = parts, Symbols = symbols, Functions = functions };
    }

    /// <summary>Whether an address is in the part of the kernel's addresses that is for hooks.</summary>
    internal static bool Contains(ulong address) => address - Base < MostBytes;
}
