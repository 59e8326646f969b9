using System.Buffers.Binary;
using System.Text;

namespace ArmVdso.Tests.Vdso;

/// <summary>A reader of 64-bit little-endian ELF images (System V gABI), written for the tests alone so that
/// it shares no mistake with the product's loader. Addresses equal file offsets in the images it is used on.</summary>
internal sealed class VdsoElf(byte[] bytes)
{
    internal readonly record struct Segment(uint Type, uint Flags, ulong Offset, ulong Address, ulong FileSize, ulong MemorySize,
        ulong Align);

    internal readonly record struct Section(string Name, uint Type, ulong Flags, ulong Address, ulong Offset, ulong Size);

    internal readonly record struct Symbol(string Name, string Version, int Type, int Binding, ulong Address, ulong Size);

    internal const uint PT_LOAD = 1, PT_DYNAMIC = 2, PT_NOTE = 4, PT_GNU_EH_FRAME = 0x6474e550;
    internal const ulong DT_HASH = 4, DT_STRTAB = 5, DT_SYMTAB = 6, DT_SONAME = 14, DT_GNU_HASH = 0x6ffffef5, DT_VERSYM = 0x6ffffff0,
        DT_VERDEF = 0x6ffffffc;

    internal byte[] Bytes => bytes;

    internal ushort U16(ulong offset) => BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(checked((int)offset)));

    internal uint U32(ulong offset) => BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(checked((int)offset)));

    internal ulong U64(ulong offset) => BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(checked((int)offset)));

    internal string Text(ulong offset)
    {
        ReadOnlySpan<byte> rest = bytes.AsSpan(checked((int)offset));
        return Encoding.ASCII.GetString(rest[..rest.IndexOf((byte)0)]);
    }

    internal List<Segment> Segments()
    {
        List<Segment> list = [];
        for (ulong i = 0, at = U64(32); i < U16(56); i++, at += U16(54))
            list.Add(new Segment(U32(at), U32(at + 4), U64(at + 8), U64(at + 16), U64(at + 32), U64(at + 40), U64(at + 48)));

        return list;
    }

    internal (ulong Start, ulong End) SectionHeaders => (U64(40), U64(40) + (ulong)U16(58) * U16(60));

    internal List<Section> Sections()
    {
        List<Section> list = [];
        ulong table = U64(40), names = U64(table + (ulong)U16(58) * U16(62) + 24);
        for (ulong i = 0, at = table; i < U16(60); i++, at += U16(58))
            list.Add(new Section(Text(names + U32(at)), U32(at + 4), U64(at + 8), U64(at + 16), U64(at + 24), U64(at + 32)));

        return list;
    }

    internal Dictionary<ulong, ulong> Dynamic()
    {
        Dictionary<ulong, ulong> entries = [];
        Segment dynamic = Segments().Single(s => s.Type == PT_DYNAMIC);
        for (ulong at = dynamic.Offset; U64(at) != 0; at += 16)
            entries[U64(at)] = U64(at + 8);

        return entries;
    }

    /// <summary>The dynamic symbols without the null one, as many as DT_HASH has chains.</summary>
    internal List<Symbol> Symbols()
    {
        Dictionary<ulong, ulong> dynamic = Dynamic();
        Dictionary<int, string> versions = Versions();
        List<Symbol> list = [];
        for (uint i = 1; i < U32(dynamic[DT_HASH] + 4); i++)
        {
            ulong at = dynamic[DT_SYMTAB] + 24UL * i;
            byte info = bytes[at + 4];
            string version = versions.GetValueOrDefault(U16(dynamic[DT_VERSYM] + 2UL * i) & 0x7fff, "");
            list.Add(new Symbol(Text(dynamic[DT_STRTAB] + U32(at)), version, info & 15, info >> 4, U64(at + 8), U64(at + 16)));
        }

        return list;
    }

    private Dictionary<int, string> Versions()
    {
        Dictionary<ulong, ulong> dynamic = Dynamic();
        Dictionary<int, string> versions = [];
        ulong at = dynamic[DT_VERDEF];
        while (true)
        {
            versions[U16(at + 4)] = Text(dynamic[DT_STRTAB] + U32(at + U32(at + 12)));
            if (U32(at + 16) == 0)
                return versions;
            at += U32(at + 16);
        }
    }

    /// <summary>Looks a name up as a System V dynamic linker does: the symbol's index, or 0.</summary>
    internal uint LookUpSysV(string name)
    {
        Dictionary<ulong, ulong> dynamic = Dynamic();
        ulong table = dynamic[DT_HASH];
        uint hash = 0;
        foreach (char c in name)
        {
            hash = (hash << 4) + c;
            uint high = hash & 0xf0000000;
            hash = (hash ^ (high >> 24)) & ~high;
        }

        uint buckets = U32(table);
        uint index = U32(table + 8 + 4UL * (hash % buckets));
        while (index != 0 && SymbolName(index) != name)
            index = U32(table + 8 + 4UL * (buckets + index));

        return index;
    }

    /// <summary>Looks a name up as glibc and musl do with DT_GNU_HASH, Bloom filter included: the symbol's index, or 0.</summary>
    internal uint LookUpGnu(string name)
    {
        ulong table = Dynamic()[DT_GNU_HASH];
        uint hash = 5381;
        foreach (char c in name)
            hash = hash * 33 + c;

        uint buckets = U32(table), first = U32(table + 4), words = U32(table + 8), shift = U32(table + 12);
        ulong word = U64(table + 16 + 8UL * (hash / 64 % words));
        if ((word >> (int)(hash % 64) & word >> (int)((hash >> (int)shift) % 64) & 1) == 0)
            return 0;

        ulong bucketTable = table + 16 + 8UL * words, chains = bucketTable + 4UL * buckets;
        uint index = U32(bucketTable + 4UL * (hash % buckets));
        if (index < first)
            return 0;

        for (; ; index++)
        {
            uint chain = U32(chains + 4UL * (index - first));
            if ((chain | 1) == (hash | 1) && SymbolName(index) == name)
                return index;
            if ((chain & 1) != 0)
                return 0;
        }
    }

    internal string SymbolName(uint index)
    {
        Dictionary<ulong, ulong> dynamic = Dynamic();
        return Text(dynamic[DT_STRTAB] + U32(dynamic[DT_SYMTAB] + 24UL * index));
    }
}
