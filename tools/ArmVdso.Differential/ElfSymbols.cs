using System.Buffers.Binary;
using System.Text;

namespace ArmVdso.Differential;

/// <summary>Looks up a symbol of a little-endian ELF64 file.</summary>
public static class ElfSymbols
{
    /// <summary>st_value of the symbol.</summary>
    /// <exception cref="InvalidDataException">There is no such symbol.</exception>
    public static ulong Find(ReadOnlySpan<byte> elf, string name)
    {
        int sections = (int)U64(elf, 40);
        int size = U16(elf, 58);
        int count = U16(elf, 60);
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> header = elf.Slice(sections + i * size, size);
            if (BinaryPrimitives.ReadUInt32LittleEndian(header[4..]) != 2) // SHT_SYMTAB
                continue;
            int strings = (int)U64(elf, sections + (int)BinaryPrimitives.ReadUInt32LittleEndian(header[40..]) * size + 24);
            int at = (int)U64(header, 24);
            int end = at + (int)U64(header, 32);
            for (; at < end; at += 24)
            {
                int text = strings + (int)BinaryPrimitives.ReadUInt32LittleEndian(elf[at..]);
                int length = elf[text..].IndexOf((byte)0);
                if (Encoding.ASCII.GetString(elf.Slice(text, length)) == name)
                    return U64(elf, at + 8);
            }
        }
        throw new InvalidDataException($"no symbol {name}");
    }

    private static ulong U64(ReadOnlySpan<byte> s, int at) => BinaryPrimitives.ReadUInt64LittleEndian(s[at..]);

    private static ushort U16(ReadOnlySpan<byte> s, int at) => BinaryPrimitives.ReadUInt16LittleEndian(s[at..]);
}
