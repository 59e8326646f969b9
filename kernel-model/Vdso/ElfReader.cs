using System.Buffers.Binary;
using System.Text;

namespace ArmVdso.Kernel.Vdso;

/// <summary>A program header (Elf64_Phdr).</summary>
internal readonly record struct ElfProgramHeader(uint Type, uint Flags, long Offset, ulong Address, long FileSize, long MemorySize);

/// <summary>A section header (Elf64_Shdr).</summary>
internal readonly record struct ElfSection(string Name, uint Type, ulong Address, long Offset, long Size, int Link);

/// <summary>A symbol (Elf64_Sym).</summary>
/// <param name="Name">Its name; it may be empty.</param>
/// <param name="Binding">STB_*: 0 local, 1 global, 2 weak.</param>
/// <param name="Type">STT_*: 0 a label, 2 a function.</param>
/// <param name="Section">Its section; 0: undefined, 0xfff1: absolute.</param>
/// <param name="Value">Its address.</param>
internal readonly record struct ElfSymbol(string Name, int Binding, int Type, int Section, ulong Value)
{
    /// <summary>Whether it is in a section of this file.</summary>
    internal bool IsDefined => Section is not (0 or 0xfff1);
}

/// <summary>Reads an ELF64 file for AArch64: a vDSO's image, or hooks. Nothing in the file is trusted.</summary>
internal readonly ref struct ElfReader
{
    private const ushort MachineAArch64 = 183;
    private const int ProgramSize = 56, SectionSize = 64, SymbolSize = 24, MostHeaders = 32, MostSections = 1000, MostSymbols = 4096;

    private readonly ReadOnlySpan<byte> _file;

    /// <summary>A file, or bytes that begin with one.</summary>
    /// <exception cref="VdsoImageException">It is none.</exception>
    internal ElfReader(ReadOnlySpan<byte> file)
    {
        if (file.Length < 64 || !file[..7].SequenceEqual(Identification))
            throw new VdsoImageException("not a 64-bit little-endian ELF file");
        _file = file;
        if (U16(18) != MachineAArch64)
            throw new VdsoImageException("not for AArch64");
    }

    /// <summary>ELF magic, 64 bit, little endian, version 1.</summary>
    internal static ReadOnlySpan<byte> Identification => [0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1];

    /// <summary>ET_*: 2 a program, 3 a shared object.</summary>
    internal int Type => U16(16);

    /// <summary>Bytes from the start of the file to the end of its section headers; 0 without them.</summary>
    internal long SectionsEnd => Offset(40) is not 0 and var at ? at + (long)U16(58) * U16(60) : 0;

    /// <summary>Some bytes of the file.</summary>
    internal ReadOnlySpan<byte> Part(long offset, long length) =>
        offset < 0 || length < 0 || offset > _file.Length || length > _file.Length - offset
            ? throw new VdsoImageException($"it points to byte {offset}, outside of the file")
            : _file.Slice((int)offset, (int)length);

    internal byte U8(long at) => Part(at, 1)[0];

    internal ushort U16(long at) => BinaryPrimitives.ReadUInt16LittleEndian(Part(at, 2));

    internal uint U32(long at) => BinaryPrimitives.ReadUInt32LittleEndian(Part(at, 4));

    internal ulong U64(long at) => BinaryPrimitives.ReadUInt64LittleEndian(Part(at, 8));

    /// <summary>A 64-bit value that must be a small offset or length.</summary>
    internal long Offset(long at)
    {
        ulong value = U64(at);
        return value <= int.MaxValue ? (long)value : throw new VdsoImageException($"it has an offset of 0x{value:x}");
    }

    /// <summary>A name in a string table.</summary>
    internal string Name(long at)
    {
        ReadOnlySpan<byte> rest = Part(at, _file.Length - Math.Clamp(at, 0, _file.Length));
        int end = rest.IndexOf((byte)0);
        return end < 0 ? throw new VdsoImageException("a name does not end") : Encoding.Latin1.GetString(rest[..end]);
    }

    /// <summary>The program headers.</summary>
    internal ElfProgramHeader[] ProgramHeaders()
    {
        long headers = Offset(32);
        int size = U16(54), count = U16(56);
        if (size < ProgramSize || count is 0 or > MostHeaders)
            throw new VdsoImageException("its program headers are malformed");
        var all = new ElfProgramHeader[count];
        for (int i = 0; i < count; i++)
        {
            long at = headers + (long)i * size;
            all[i] = new ElfProgramHeader(U32(at), U32(at + 4), Offset(at + 8), U64(at + 16), Offset(at + 32), Offset(at + 40));
        }
        return all;
    }

    /// <summary>The sections, from the null section on; none without section headers.</summary>
    internal ElfSection[] Sections()
    {
        long headers = Offset(40);
        int size = U16(58), count = U16(60), names = U16(62);
        if (headers == 0 || size < SectionSize || names >= count)
            return [];
        if (count > MostSections)
            throw new VdsoImageException($"it has {count} sections");
        long strings = Offset(headers + (long)names * size + 24);
        var all = new ElfSection[count];
        for (int i = 1; i < count; i++)
        {
            long at = headers + (long)i * size;
            all[i] = new ElfSection(
                Name(strings + U32(at)), U32(at + 4), U64(at + 16), Offset(at + 24), Offset(at + 32), (int)U32(at + 40));
        }
        return all;
    }

    /// <summary>Symbols of a table, but for the first, which is none.</summary>
    /// <param name="table">Offset of the table.</param>
    /// <param name="strings">Offset of their names.</param>
    /// <param name="count">How many there are, with the first.</param>
    internal List<ElfSymbol> Symbols(long table, long strings, long count)
    {
        if (count > MostSymbols)
            throw new VdsoImageException($"it has {count} symbols");
        var all = new List<ElfSymbol>();
        for (long at = table + SymbolSize; at < table + count * SymbolSize; at += SymbolSize)
        {
            byte info = U8(at + 4);
            all.Add(new ElfSymbol(Name(strings + U32(at)), info >> 4, info & 15, U16(at + 6), U64(at + 8)));
        }
        return all;
    }

    /// <summary>Symbols of a section that is a symbol table.</summary>
    internal List<ElfSymbol> Symbols(ElfSection table, ElfSection[] sections) => table.Link > 0 && table.Link < sections.Length
        ? Symbols(table.Offset, sections[table.Link].Offset, table.Size / SymbolSize)
        : throw new VdsoImageException("a symbol table has no names");
}
