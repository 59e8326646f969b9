using System.Buffers.Binary;
using System.Text;

namespace ArmVdso.Cli;

/// <summary>Symbols of an ELF64 file's .symtab and .dynsym.</summary>
internal static class ElfSymbols
{
    /// <summary>Name to value; empty when the file is no ELF64 or has no symbols.</summary>
    internal static Dictionary<string, ulong> Read(ReadOnlySpan<byte> file)
    {
        var symbols = new Dictionary<string, ulong>();
        if (file.Length < 64 || !file.StartsWith("\u007fELF"u8))
            return symbols;
        ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(file[40..]);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(file[60..]);
        if (offset + (ulong)count * 64 > (ulong)file.Length)
            return symbols;
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> section = file.Slice((int)offset + i * 64, 64);
            if (BinaryPrimitives.ReadUInt32LittleEndian(section[4..]) is not (2 or 11))
                continue;
            int link = BinaryPrimitives.ReadInt32LittleEndian(section[40..]);
            ulong at = BinaryPrimitives.ReadUInt64LittleEndian(section[24..]);
            ulong size = BinaryPrimitives.ReadUInt64LittleEndian(section[32..]);
            if ((uint)link >= (uint)count || at + size > (ulong)file.Length)
                continue;
            ulong strings = BinaryPrimitives.ReadUInt64LittleEndian(file[((int)offset + link * 64 + 24)..]);
            for (ulong s = at; s + 24 <= at + size; s += 24)
            {
                ulong name = strings + BinaryPrimitives.ReadUInt32LittleEndian(file[(int)s..]);
                if (name >= (ulong)file.Length)
                    continue;
                ReadOnlySpan<byte> text = file[(int)name..];
                int end = text.IndexOf((byte)0);
                if (end > 0)
                    symbols[Encoding.ASCII.GetString(text[..end])] = BinaryPrimitives.ReadUInt64LittleEndian(file[((int)s + 8)..]);
            }
        }
        return symbols;
    }
}
