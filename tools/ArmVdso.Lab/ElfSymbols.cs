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
}

/// <summary>Symbols of an ELF64 file's .symtab and .dynsym.</summary>
internal static class ElfSymbols
{
    /// <summary>Name to value; empty when the file is no ELF64 or has no symbols.</summary>
    internal static Dictionary<string, ulong> Read(ReadOnlySpan<byte> file)
    {
        var symbols = new Dictionary<string, ulong>();
        foreach (ElfSymbol symbol in All(file))
            symbols[symbol.Name] = symbol.Value;
        return symbols;
    }

    /// <summary>All symbols with a name; none when the file is no ELF64, is cut short or has none.</summary>
    internal static List<ElfSymbol> All(ReadOnlySpan<byte> file)
    {
        var symbols = new List<ElfSymbol>();
        if (file.Length < 64 || !file.StartsWith("\u007fELF"u8))
            return symbols;
        ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(file[40..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(file[60..]);
        if (offset > (ulong)file.Length || (ulong)file.Length - offset < (ulong)count * 64)
            return symbols;
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> section = file.Slice((int)offset + i * 64, 64);
            if (BinaryPrimitives.ReadUInt32LittleEndian(section[4..]) is not (2 or 11))
                continue;
            int link = BinaryPrimitives.ReadInt32LittleEndian(section[40..]);
            ulong at = BinaryPrimitives.ReadUInt64LittleEndian(section[24..]);
            ulong size = BinaryPrimitives.ReadUInt64LittleEndian(section[32..]);
            if ((uint)link >= (uint)count || at > (ulong)file.Length || size > (ulong)file.Length - at)
                continue;
            ulong strings = BinaryPrimitives.ReadUInt64LittleEndian(file[((int)offset + link * 64 + 24)..]);
            for (int s = (int)at; s + 24 <= (int)(at + size); s += 24)
            {
                ulong name = strings + BinaryPrimitives.ReadUInt32LittleEndian(file[s..]);
                if (name >= (ulong)file.Length)
                    continue;
                ReadOnlySpan<byte> text = file[(int)name..];
                int end = text.IndexOf((byte)0);
                if (end > 0)
                {
                    symbols.Add(new ElfSymbol(
                        Encoding.Latin1.GetString(text[..end]), BinaryPrimitives.ReadUInt64LittleEndian(file[(s + 8)..]),
                        BinaryPrimitives.ReadUInt64LittleEndian(file[(s + 16)..]), file[s + 4] & 15, BinaryPrimitives.ReadUInt16LittleEndian(file[(s + 6)..])));
                }
            }
        }
        return symbols;
    }
}
