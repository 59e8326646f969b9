using System.Buffers.Binary;
using System.Text;

namespace ArmVdso.Kernel.Vdso;

/// <summary>The hooks of a design as a linked program for EL1 (ELF, at <see cref="Base"/>). Nothing in the file is trusted.</summary>
public sealed class HookModule
{
    /// <summary>Kernel address at which hooks are linked: behind the EL1 image, within reach of its branches.</summary>
    public const ulong Base = 0xffff_8000_0810_0000;

    /// <summary>Bytes that hooks may take.</summary>
    public const int MostBytes = 256 << 10;

    private const int HeaderSize = 64, ProgramSize = 56, SectionSize = 64, SymbolSize = 24;

    /// <summary>A part that is loaded: where, what, and whether it is data that may be written.</summary>
    public sealed record Part(ulong Address, byte[] Bytes, bool Writable);

    /// <summary>What is loaded, in pages that are not shared between parts.</summary>
    public IReadOnlyList<Part> Parts { get; private init; } = [];

    /// <summary>Functions, data and labels by name.</summary>
    public IReadOnlyDictionary<string, ulong> Symbols { get; private init; } = new Dictionary<string, ulong>();

    /// <summary>Names of functions.</summary>
    public IReadOnlyList<string> Functions { get; private init; } = [];

    /// <summary>The module with defects mended: what is named PLACE__fix_NAME is the hook PLACE, or where there is a place of that name, the
    /// instruction there. An instruction is a B, or one whose meaning does not depend on where it is.</summary>
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
        if (file.Length < HeaderSize || !file[..7].SequenceEqual(VdsoObject.Identification)
            || BinaryPrimitives.ReadUInt16LittleEndian(file[18..]) != 183)
            throw new VdsoImageException("not an AArch64 program");
        var parts = new List<Part>();
        ulong headers = Long(file, 32);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(file[56..]);
        for (int i = 0; i < Math.Min(count, 16); i++)
        {
            ReadOnlySpan<byte> header = Slice(file, headers + (ulong)(i * ProgramSize), ProgramSize);
            if (BinaryPrimitives.ReadUInt32LittleEndian(header) != 1)
                continue;
            ulong offset = Long(header, 8), address = Long(header, 16), size = Long(header, 32), memory = Long(header, 40);
            if (memory == 0)
                continue;
            if (memory > MostBytes || size > memory || address < Base || address - Base > MostBytes - memory || (address & 0xfff) != 0)
                throw new VdsoImageException($"it has {memory} bytes at 0x{address:x}; they belong into {MostBytes} bytes at 0x{Base:x}");
            var bytes = new byte[memory];
            Slice(file, offset, size).CopyTo(bytes);
            uint flags = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
            if ((flags & 3) == 3)
                throw new VdsoImageException("a part of it is both code and data that may be written");
            if (parts.Exists(p => p.Address < address + memory + 0xfff && address < p.Address + (ulong)p.Bytes.Length + 0xfff))
                throw new VdsoImageException("parts of it share a page");
            parts.Add(new Part(address, bytes, (flags & 2) != 0));
        }
        Dictionary<string, ulong> symbols = ReadSymbols(file, out List<string> functions);
        return new HookModule { Parts = parts, Symbols = symbols, Functions = functions };
    }

    /// <summary>Whether an address is in the part of the kernel's addresses that is for hooks.</summary>
    internal static bool Contains(ulong address) => address - Base < MostBytes;

    private static Dictionary<string, ulong> ReadSymbols(ReadOnlySpan<byte> file, out List<string> functions)
    {
        functions = [];
        var symbols = new Dictionary<string, ulong>();
        ulong sections = Long(file, 40);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(file[60..]);
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> section = Slice(file, sections + (ulong)(i * SectionSize), SectionSize);
            if (BinaryPrimitives.ReadUInt32LittleEndian(section[4..]) != 2)
                continue;
            ulong at = Long(section, 24), size = Long(section, 32), link = BinaryPrimitives.ReadUInt32LittleEndian(section[40..]);
            ulong strings = Long(Slice(file, sections + link * SectionSize, SectionSize), 24);
            if (size > 1 << 20)
                throw new VdsoImageException("it has too many symbols");
            for (ulong s = 0; s + SymbolSize <= size; s += SymbolSize)
            {
                ReadOnlySpan<byte> symbol = Slice(file, at + s, SymbolSize);
                ReadOnlySpan<byte> name = From(file, strings + BinaryPrimitives.ReadUInt32LittleEndian(symbol));
                int end = name.IndexOf((byte)0);
                // STB_GLOBAL or STB_WEAK, defined in a section.
                if (end <= 0 || symbol[4] >> 4 is not (1 or 2) || BinaryPrimitives.ReadUInt16LittleEndian(symbol[6..]) is 0 or 0xfff1
                    || !Contains(Long(symbol, 8)))
                    continue;
                string text = Encoding.Latin1.GetString(name[..end]);
                symbols[text] = Long(symbol, 8);
                const int function = 2;
                if ((symbol[4] & 15) == function)
                    functions.Add(text);
            }
        }
        return symbols;
    }

    private static ulong Long(ReadOnlySpan<byte> bytes, int at) => BinaryPrimitives.ReadUInt64LittleEndian(bytes[at..]);

    private static ReadOnlySpan<byte> From(ReadOnlySpan<byte> file, ulong offset) =>
        offset <= (ulong)file.Length ? file[(int)offset..] : throw new VdsoImageException("it points outside of the file");

    private static ReadOnlySpan<byte> Slice(ReadOnlySpan<byte> file, ulong offset, ulong size) =>
        offset <= (ulong)file.Length && size <= (ulong)file.Length - offset
            ? file.Slice((int)offset, (int)size)
            : throw new VdsoImageException("it points outside of the file");
}
