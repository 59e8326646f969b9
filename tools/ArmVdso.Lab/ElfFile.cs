using System.Buffers.Binary;
using System.Text;

namespace ArmVdso.Lab;

/// <summary>A symbol of an ELF64 file.</summary>
/// <param name="Name">Name, one char a byte.</param>
/// <param name="Value">st_value.</param>
/// <param name="Size">st_size in bytes.</param>
/// <param name="Type">STT_*.</param>
/// <param name="Section">st_shndx; 0: undefined.</param>
internal readonly record struct ElfSymbol(string Name, ulong Value, ulong Size, int Type, int Section)
{
    /// <summary>A function that is defined here (STT_FUNC, STT_GNU_IFUNC).</summary>
    internal bool IsFunction => Type is 2 or 10 && Section != 0;

    /// <summary>A label of assembly code or data (STT_NOTYPE); not a mapping symbol ($x, $d).</summary>
    internal bool IsLabel => Type == 0 && Section is > 0 and < 0xff00 && Name[0] != '$';
}

/// <summary>A part of an ELF64 file that is loaded (PT_LOAD).</summary>
/// <param name="Offset">Offset in the file.</param>
/// <param name="Size">Bytes in the file.</param>
/// <param name="Address">Address in the file's own numbering.</param>
internal readonly record struct ElfSegment(ulong Offset, ulong Size, ulong Address);

/// <summary>What the laboratory reads of a program's file: entry, loaded parts, symbols. A file that is no ELF64 or is cut short has
/// none of what cannot be read; whether it can be run, the kernel model's loader decides.</summary>
internal sealed class ElfFile
{
    private const int HeaderSize = 64, SectionSize = 64, SegmentSize = 56, SymbolSize = 24;
    private const uint PT_LOAD = 1, PT_GNU_EH_FRAME = 0x6474e550;
    private const int SHT_SYMTAB = 2, SHT_DYNSYM = 11;

    /// <summary>Address of the first instruction; 0: none.</summary>
    internal ulong Entry { get; }

    /// <summary>What is loaded.</summary>
    internal IReadOnlyList<ElfSegment> Segments { get; } = [];

    /// <summary>.eh_frame_hdr in the file's own numbering (PT_GNU_EH_FRAME); null: none.</summary>
    internal ElfSegment? UnwindHeader { get; }

    /// <summary>.eh_frame, where section headers say it: static programs have no .eh_frame_hdr.</summary>
    internal ElfSegment? UnwindSection { get; }

    /// <summary>.symtab and .dynsym, without symbols that have no name.</summary>
    internal IReadOnlyList<ElfSymbol> Symbols { get; } = [];

    internal ElfFile(ReadOnlySpan<byte> file)
    {
        if (file.Length < HeaderSize || !file.StartsWith("\u007fELF"u8) || file[4] != 2)
            return;
        Entry = Long(file, 24);
        Segments = ReadSegments(file, PT_LOAD);
        UnwindHeader = ReadSegments(file, PT_GNU_EH_FRAME) is [var header, ..] ? header : null;
        Symbols = ReadSymbols(file);
        UnwindSection = FindSection(file, ".eh_frame\0"u8);
    }

    /// <summary>The address of a byte of the file that is loaded, or null.</summary>
    internal ulong? AddressOf(ulong offset)
    {
        foreach ((ulong start, ulong size, ulong address) in Segments)
        {
            if (offset >= start && offset - start < size)
                return address + (offset - start);
        }
        return null;
    }

    /// <summary>Where in the file an address's byte is, or null.</summary>
    internal ulong? OffsetOf(ulong address)
    {
        foreach ((ulong start, ulong size, ulong at) in Segments)
        {
            if (address >= at && address - at < size)
                return start + (address - at);
        }
        return null;
    }

    /// <summary>Name to value; of several symbols of a name the last one.</summary>
    internal Dictionary<string, ulong> Values()
    {
        var values = new Dictionary<string, ulong>();
        foreach (ElfSymbol symbol in Symbols)
            values[symbol.Name] = symbol.Value;
        return values;
    }

    private static ulong Long(ReadOnlySpan<byte> file, int at) => BinaryPrimitives.ReadUInt64LittleEndian(file[at..]);

    private static int Half(ReadOnlySpan<byte> file, int at) => BinaryPrimitives.ReadUInt16LittleEndian(file[at..]);

    private static List<ElfSegment> ReadSegments(ReadOnlySpan<byte> file, uint type)
    {
        var segments = new List<ElfSegment>();
        ulong offset = Long(file, 32);
        int count = Half(file, 56);
        for (int i = 0; i < count && offset <= (ulong)file.Length && offset + (ulong)(i + 1) * SegmentSize <= (ulong)file.Length; i++)
        {
            ReadOnlySpan<byte> header = file.Slice((int)offset + i * SegmentSize, SegmentSize);
            if (BinaryPrimitives.ReadUInt32LittleEndian(header) == type)
                segments.Add(new ElfSegment(Long(header, 8), Long(header, 32), Long(header, 16)));
        }
        return segments;
    }

    private static bool HasSections(ReadOnlySpan<byte> file, out int at, out int count)
    {
        ulong offset = Long(file, 40);
        count = Half(file, 60);
        at = (int)Math.Min(offset, int.MaxValue);
        return offset <= (ulong)file.Length && (ulong)file.Length - offset >= (ulong)count * SectionSize;
    }

    /// <summary>A section of a file by its name, which ends with a zero; null: none.</summary>
    internal static ElfSegment? Section(ReadOnlySpan<byte> file, ReadOnlySpan<byte> name) =>
        file.Length >= HeaderSize && file.StartsWith("\u007fELF"u8) && file[4] == 2 ? FindSection(file, name) : null;

    private static ElfSegment? FindSection(ReadOnlySpan<byte> file, ReadOnlySpan<byte> name)
    {
        int names = Half(file, 62);
        if (!HasSections(file, out int at, out int count) || names >= count)
            return null;
        ulong strings = Long(file, at + names * SectionSize + 24);
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> section = file.Slice(at + i * SectionSize, SectionSize);
            ulong named = strings + BinaryPrimitives.ReadUInt32LittleEndian(section);
            ulong start = Long(section, 24), size = Long(section, 32);
            if (named < (ulong)file.Length && file[(int)named..].StartsWith(name) && start < (ulong)file.Length
                && size <= (ulong)file.Length - start)
                return new ElfSegment(start, size, Long(section, 16));
        }
        return null;
    }

    private static List<ElfSymbol> ReadSymbols(ReadOnlySpan<byte> file)
    {
        var symbols = new List<ElfSymbol>();
        if (!HasSections(file, out int offset, out int count))
            return symbols;
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> section = file.Slice(offset + i * SectionSize, SectionSize);
            if (BinaryPrimitives.ReadUInt32LittleEndian(section[4..]) is not (SHT_SYMTAB or SHT_DYNSYM))
                continue;
            int link = BinaryPrimitives.ReadInt32LittleEndian(section[40..]);
            ulong at = Long(section, 24), size = Long(section, 32);
            if ((uint)link >= (uint)count || at > (ulong)file.Length || size > (ulong)file.Length - at)
                continue;
            ulong strings = Long(file, offset + link * SectionSize + 24);
            for (int s = (int)at; s + SymbolSize <= (int)(at + size); s += SymbolSize)
            {
                ulong name = strings + BinaryPrimitives.ReadUInt32LittleEndian(file[s..]);
                if (name >= (ulong)file.Length)
                    continue;
                ReadOnlySpan<byte> text = file[(int)name..];
                int end = text.IndexOf((byte)0);
                if (end > 0)
                {
                    string symbol = Encoding.Latin1.GetString(text[..end]);
                    symbols.Add(new ElfSymbol(symbol, Long(file, s + 8), Long(file, s + 16), file[s + 4] & 15, Half(file, s + 6)));
                }
            }
        }
        return symbols;
    }
}
