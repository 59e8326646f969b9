using System.Buffers.Binary;

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
    private const int TypeDynamic = 3;
    private const uint PtLoad = 1, PtDynamic = 2, PtNote = 4;
    private const int AlternativeRecordSize = 12;

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
        var elf = new ElfReader(file);
        if (elf.Type != TypeDynamic)
            throw new VdsoImageException("not a shared object");
        long size = 64, loadEnd = 0;
        (long Offset, long Length) dynamic = default, note = default;
        foreach (ElfProgramHeader header in elf.ProgramHeaders())
        {
            if ((ulong)header.Offset != header.Address)
                throw new VdsoImageException("it is not mapped as it lies in the file");
            long end = header.Offset + header.FileSize;
            size = Math.Max(size, end);
            if (header.Type == PtLoad)
                loadEnd = Math.Max(loadEnd, end);
            else if (header.Type == PtDynamic)
                dynamic = (header.Offset, header.FileSize);
            else if (header.Type == PtNote)
                note = (header.Offset, header.FileSize);
        }
        if (loadEnd == 0 || dynamic.Length == 0)
            throw new VdsoImageException("it has no PT_LOAD or no PT_DYNAMIC");
        size = Math.Max(size, elf.SectionsEnd);
        if (size > file.Length || size > 1 << 20)
            throw new VdsoImageException($"it says that it has {size} bytes; there are {file.Length}");
        elf = new ElfReader(file[..(int)size]);
        (int Start, int End) text = (0, (int)loadEnd);
        List<AlternativeRecord> alternatives =
            ReadSections(elf, ref text, out IReadOnlyList<(ulong Start, ulong Length, ulong Fallback)> fixups);
        return new VdsoObject
        {
            Size = (int)size,
            Symbols = ReadSymbols(elf, dynamic.Offset, dynamic.Length),
            LinuxVersionCode = ReadVersion(elf, note.Offset, note.Length),
            Text = text,
            Alternatives = alternatives,
            Fixups = fixups,
        };
    }

    private static List<AlternativeRecord> ReadSections(
        ElfReader elf, ref (int Start, int End) text, out IReadOnlyList<(ulong Start, ulong Length, ulong Fallback)> fixups)
    {
        fixups = [];
        var alternatives = new List<AlternativeRecord>();
        foreach (ElfSection section in elf.Sections())
        {
            (long offset, long length) = (section.Offset, section.Size);
            if (section.Name == ".text")
            {
                elf.Part(offset, length);
                text = ((int)offset, (int)(offset + length));
            }
            if (section.Name == ".vdso_fixup")
                fixups = ReadFixups(elf.Part(offset, length), (long)section.Address);
            if (section.Name != ".altinstructions")
                continue;
            for (long r = offset; r + AlternativeRecordSize <= offset + length; r += AlternativeRecordSize)
            {
                var record = new AlternativeRecord(
                    (int)(r + (int)elf.U32(r)), (int)(r + 4 + (int)elf.U32(r + 4)), elf.U16(r + 8), elf.U8(r + 10), elf.U8(r + 11));
                elf.Part(record.Offset, record.Length);
                if (record.ReplacementLength != 0)
                    elf.Part(record.ReplacementOffset, record.ReplacementLength);
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

    private static Dictionary<string, ulong> ReadSymbols(ElfReader elf, long dynamic, long length)
    {
        const long nullTag = 0, hash = 4, stringTable = 5, symbolTable = 6, gnuHash = 0x6ffffef5;
        long strings = -1, table = -1, hashTable = -1, gnuTable = -1;
        for (long at = dynamic; at + 16 <= dynamic + length; at += 16)
        {
            ulong tag = elf.U64(at);
            if (tag == nullTag)
                break;
            switch (tag)
            {
                case hash:
                    hashTable = elf.Offset(at + 8);
                    break;
                case stringTable:
                    strings = elf.Offset(at + 8);
                    break;
                case symbolTable:
                    table = elf.Offset(at + 8);
                    break;
                case gnuHash:
                    gnuTable = elf.Offset(at + 8);
                    break;
            }
        }
        if (strings < 0 || table < 0 || (hashTable < 0 && gnuTable < 0))
            throw new VdsoImageException("its dynamic section has no symbol table or no hash table");
        // nchain of DT_HASH is the number of symbols; DT_GNU_HASH has it only through its longest chain.
        uint count = hashTable >= 0 ? elf.U32(hashTable + 4) : CountOfGnuHash(elf, gnuTable);
        if (count > 1000)
            throw new VdsoImageException($"it has {count} symbols");
        var symbols = new Dictionary<string, ulong>();
        foreach (ElfSymbol symbol in elf.Symbols(table, strings, count))
        {
            if (!symbol.IsDefined || symbol.Name.Length == 0)
                continue;
            symbols[symbol.Name] = symbol.Value <= int.MaxValue
                ? symbol.Value
                : throw new VdsoImageException($"its {symbol.Name} is at 0x{symbol.Value:x}");
        }
        return symbols;
    }

    private static uint CountOfGnuHash(ElfReader elf, long table)
    {
        uint buckets = elf.U32(table), first = elf.U32(table + 4), bloom = elf.U32(table + 8);
        long bucket = table + 16 + (long)bloom * 8, chain = bucket + (long)buckets * 4;
        uint last = 0;
        for (uint i = 0; i < buckets; i++)
            last = Math.Max(last, elf.U32(bucket + i * 4L));
        if (last < first)
            return first;
        while ((elf.U32(chain + (last - first) * 4L) & 1) == 0)
            last++;
        return last + 1;
    }

    private static uint ReadVersion(ElfReader elf, long note, long length)
    {
        long at = note, end = note + length;
        while (at + 12 <= end)
        {
            uint nameSize = elf.U32(at), size = elf.U32(at + 4), type = elf.U32(at + 8);
            long description = at + 12 + ((nameSize + 3L) & ~3L);
            if (type == 0 && nameSize == 6 && size == 4 && elf.Part(at + 12, 6).SequenceEqual("Linux\0"u8))
                return elf.U32(description);
            at = description + ((size + 3L) & ~3L);
        }
        return 0;
    }
}
