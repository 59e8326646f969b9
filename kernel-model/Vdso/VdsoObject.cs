using System.Buffers.Binary;
using System.Text;

namespace ArmVdso.Kernel.Vdso;

/// <summary>A file is not a vDSO that can be used; the message says what is wrong, in one line.</summary>
public sealed class VdsoImageException(string message) : Exception(message);

/// <summary>An instruction sequence that the kernel replaces at boot when the CPUs have a capability
/// (struct alt_instr of arch/arm64/include/asm/alternative.h).</summary>
/// <param name="Offset">First byte that is replaced, from the start of the image.</param>
/// <param name="ReplacementOffset">First byte of the replacement; ignored without length.</param>
/// <param name="Capability">Number of the capability (arch/arm64/tools/cpucaps), which differs between kernels. The top bit
/// says that the kernel calls a function instead.</param>
/// <param name="Length">Bytes replaced.</param>
/// <param name="ReplacementLength">Bytes of the replacement.</param>
public readonly record struct AlternativeRecord(int Offset, int ReplacementOffset, int Capability, int Length, int ReplacementLength);

/// <summary>The ELF shared object that a vDSO image is, read as a dynamic linker reads it (PT_DYNAMIC), with what its
/// section headers add. Nothing in the file is trusted.</summary>
public sealed class VdsoObject
{
    private const ushort MachineAArch64 = 183, TypeDynamic = 3;
    private const uint PtLoad = 1, PtDynamic = 2, PtNote = 4;
    private const int AlternativeRecordSize = 12;

    /// <summary>ELF magic, 64 bit, little endian, version 1.</summary>
    internal static ReadOnlySpan<byte> Identification => [0x7f, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1];

    /// <summary>Bytes of the file: section headers included.</summary>
    public int Size { get; private init; }

    /// <summary>Exported symbols by name: offset from the start of the image.</summary>
    public IReadOnlyDictionary<string, ulong> Symbols { get; private init; } = new Dictionary<string, ulong>();

    /// <summary>LINUX_VERSION_CODE of the "Linux" note, or 0 without one.</summary>
    public uint LinuxVersionCode { get; private init; }

    /// <summary>Start and end of the executable section, or of the segment without section headers.</summary>
    public (int Start, int End) Text { get; private init; }

    /// <summary>Records of .altinstructions.</summary>
    public IReadOnlyList<AlternativeRecord> Alternatives { get; private init; } = [];

    /// <summary>Ranges of .vdso_fixup: where they start, their length in bytes, and where the system call is made instead; offsets from the
    /// start of the image.</summary>
    public IReadOnlyList<(ulong Start, ulong Length, ulong Fallback)> Fixups { get; private init; } = [];

    /// <summary>Kernel version as people write it, such as 6.12.117; "?" without a note.</summary>
    public string LinuxVersion => LinuxVersionCode == 0
        ? "?"
        : $"{LinuxVersionCode >> 16}.{LinuxVersionCode >> 8 & 0xff}.{LinuxVersionCode & 0xff}";

    /// <summary>Reads an image.</summary>
    /// <param name="file">Bytes that begin with the ELF header; more may follow the file.</param>
    /// <exception cref="VdsoImageException">It is no AArch64 vDSO.</exception>
    public static VdsoObject Parse(ReadOnlySpan<byte> file)
    {
        if (file.Length < 64 || !file[..7].SequenceEqual(Identification))
            throw new VdsoImageException("not a 64-bit little-endian ELF file");
        if (U16(file, 16) != TypeDynamic || U16(file, 18) != MachineAArch64)
            throw new VdsoImageException("not an AArch64 shared object");
        long size = 64, loadEnd = 0;
        (long Offset, long Length) dynamic = default, note = default;
        long headers = Long(file, 32);
        int headerSize = U16(file, 54), headerCount = U16(file, 56);
        if (headerSize < 56 || headerCount is 0 or > 32)
            throw new VdsoImageException("its program headers are malformed");
        for (int i = 0; i < headerCount; i++)
        {
            long at = headers + (long)i * headerSize;
            uint type = U32(file, at);
            long offset = Long(file, at + 8), address = Long(file, at + 16), length = Long(file, at + 32);
            if (offset != address)
                throw new VdsoImageException("it is not mapped as it lies in the file");
            long end = checked(offset + length);
            size = Math.Max(size, end);
            if (type == PtLoad)
                loadEnd = Math.Max(loadEnd, end);
            else if (type == PtDynamic)
                dynamic = (offset, length);
            else if (type == PtNote)
                note = (offset, length);
        }
        if (loadEnd == 0 || dynamic.Length == 0)
            throw new VdsoImageException("it has no PT_LOAD or no PT_DYNAMIC");
        long sections = Long(file, 40);
        int sectionSize = U16(file, 58), sectionCount = U16(file, 60);
        if (sections != 0)
            size = Math.Max(size, sections + (long)sectionSize * sectionCount);
        if (size > file.Length || size > 1 << 20)
            throw new VdsoImageException($"it says that it has {size} bytes; there are {file.Length}");
        file = file[..(int)size];
        (int Start, int End) text = (0, (int)loadEnd);
        List<AlternativeRecord> alternatives = ReadSections(
            file, sections, sectionSize, sectionCount, ref text, out IReadOnlyList<(ulong Start, ulong Length, ulong Fallback)> fixups);
        return new VdsoObject
        {
            Size = (int)size,
            Symbols = ReadSymbols(file, dynamic.Offset, dynamic.Length),
            LinuxVersionCode = ReadVersion(file, note.Offset, note.Length),
            Text = text,
            Alternatives = alternatives,
            Fixups = fixups,
        };
    }

    private static ReadOnlySpan<byte> Part(ReadOnlySpan<byte> file, long offset, long length)
    {
        if (offset < 0 || length < 0 || offset > file.Length || length > file.Length - offset)
            throw new VdsoImageException($"it points to byte {offset}, outside of the file");
        return file.Slice((int)offset, (int)length);
    }

    private static ushort U16(ReadOnlySpan<byte> file, long offset) => BinaryPrimitives.ReadUInt16LittleEndian(Part(file, offset, 2));

    private static uint U32(ReadOnlySpan<byte> file, long offset) => BinaryPrimitives.ReadUInt32LittleEndian(Part(file, offset, 4));

    /// <summary>A 64-bit value that must be a small offset or length.</summary>
    private static long Long(ReadOnlySpan<byte> file, long offset)
    {
        ulong value = BinaryPrimitives.ReadUInt64LittleEndian(Part(file, offset, 8));
        return value <= int.MaxValue ? (long)value : throw new VdsoImageException($"it has an offset of 0x{value:x}");
    }

    private static string Name(ReadOnlySpan<byte> file, long offset)
    {
        ReadOnlySpan<byte> rest = Part(file, offset, file.Length - Math.Min(offset, file.Length));
        int end = rest.IndexOf((byte)0);
        return end < 0 ? throw new VdsoImageException("a name does not end") : Encoding.Latin1.GetString(rest[..end]);
    }

    private static List<AlternativeRecord> ReadSections(
        ReadOnlySpan<byte> file, long sections, int size, int count, ref (int Start, int End) text,
        out IReadOnlyList<(ulong Start, ulong Length, ulong Fallback)> fixups)
    {
        fixups = [];
        var alternatives = new List<AlternativeRecord>();
        int names = U16(file, 62);
        if (sections == 0 || size < 64 || names >= count)
            return alternatives;
        long strings = Long(file, sections + (long)names * size + 24);
        for (int i = 1; i < count; i++)
        {
            long at = sections + (long)i * size;
            string name = Name(file, strings + U32(file, at));
            long offset = Long(file, at + 24), length = Long(file, at + 32);
            if (name == ".text")
            {
                Part(file, offset, length);
                text = ((int)offset, (int)(offset + length));
            }
            if (name == ".vdso_fixup")
                fixups = ReadFixups(Part(file, offset, length), Long(file, at + 16));
            if (name != ".altinstructions")
                continue;
            for (long r = offset; r + AlternativeRecordSize <= offset + length; r += AlternativeRecordSize)
            {
                var record = new AlternativeRecord(
                    (int)(r + (int)U32(file, r)), (int)(r + 4 + (int)U32(file, r + 4)), U16(file, r + 8), Part(file, r + 10, 1)[0],
                    Part(file, r + 11, 1)[0]);
                Part(file, record.Offset, record.Length);
                if (record.ReplacementLength != 0)
                    Part(file, record.ReplacementOffset, record.ReplacementLength);
                alternatives.Add(record);
            }
        }
        return alternatives;
    }

    /// <summary>Entries of start (relative to its word), length, fallback (relative to its word).</summary>
    private static List<(ulong Start, ulong Length, ulong Fallback)> ReadFixups(ReadOnlySpan<byte> table, long address)
    {
        var ranges = new List<(ulong, ulong, ulong)>();
        for (int i = 0; i + 12 <= table.Length; i += 12)
        {
            long at = address + i;
            ranges.Add((
                (ulong)(at + BinaryPrimitives.ReadInt32LittleEndian(table[i..])), BinaryPrimitives.ReadUInt32LittleEndian(table[(i + 4)..]),
                (ulong)(at + 8 + BinaryPrimitives.ReadInt32LittleEndian(table[(i + 8)..]))));
        }
        return ranges;
    }

    private static Dictionary<string, ulong> ReadSymbols(ReadOnlySpan<byte> file, long dynamic, long length)
    {
        const long nullTag = 0, hash = 4, stringTable = 5, symbolTable = 6, gnuHash = 0x6ffffef5;
        long strings = -1, table = -1, hashTable = -1, gnuTable = -1;
        for (long at = dynamic; at + 16 <= dynamic + length; at += 16)
        {
            ulong tag = BinaryPrimitives.ReadUInt64LittleEndian(Part(file, at, 8));
            if (tag == nullTag)
                break;
            switch (tag)
            {
                case hash:
                    hashTable = Long(file, at + 8);
                    break;
                case stringTable:
                    strings = Long(file, at + 8);
                    break;
                case symbolTable:
                    table = Long(file, at + 8);
                    break;
                case gnuHash:
                    gnuTable = Long(file, at + 8);
                    break;
            }
        }
        if (strings < 0 || table < 0 || (hashTable < 0 && gnuTable < 0))
            throw new VdsoImageException("its dynamic section has no symbol table or no hash table");
        // nchain of DT_HASH is the number of symbols; DT_GNU_HASH has it only through its longest chain.
        uint count = hashTable >= 0 ? U32(file, hashTable + 4) : CountOfGnuHash(file, gnuTable);
        if (count > 1000)
            throw new VdsoImageException($"it has {count} symbols");
        var symbols = new Dictionary<string, ulong>();
        for (uint i = 1; i < count; i++)
        {
            long at = table + i * 24;
            ushort section = U16(file, at + 6);
            string name = Name(file, strings + U32(file, at));
            if (section is not (0 or 0xfff1) && name.Length > 0)
                symbols[name] = (ulong)Long(file, at + 8);
        }
        return symbols;
    }

    private static uint CountOfGnuHash(ReadOnlySpan<byte> file, long table)
    {
        uint buckets = U32(file, table), first = U32(file, table + 4), bloom = U32(file, table + 8);
        long bucket = table + 16 + (long)bloom * 8, chain = bucket + (long)buckets * 4;
        uint last = 0;
        for (uint i = 0; i < buckets; i++)
            last = Math.Max(last, U32(file, bucket + i * 4L));
        if (last < first)
            return first;
        while ((U32(file, chain + (last - first) * 4L) & 1) == 0)
            last++;
        return last + 1;
    }

    private static uint ReadVersion(ReadOnlySpan<byte> file, long note, long length)
    {
        long at = note, end = note + length;
        while (at + 12 <= end)
        {
            uint nameSize = U32(file, at), size = U32(file, at + 4), type = U32(file, at + 8);
            long description = at + 12 + ((nameSize + 3L) & ~3L);
            if (type == 0 && nameSize == 6 && size == 4 && Part(file, at + 12, 6).SequenceEqual("Linux\0"u8))
                return U32(file, description);
            at = description + ((size + 3L) & ~3L);
        }
        return 0;
    }
}
