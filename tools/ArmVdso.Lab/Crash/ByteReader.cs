using System.Buffers.Binary;

namespace ArmVdso.Lab.Crash;

/// <summary>Reads the numbers of DWARF. Past the end everything is 0 and <see cref="AtEnd"/> holds: files are the guest's, and may
/// lie.</summary>
internal ref struct ByteReader(ReadOnlySpan<byte> bytes, int position, int end)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes[..Math.Clamp(end, 0, bytes.Length)];

    /// <summary>Where the next byte is.</summary>
    internal int Position { get; set; } = position;

    /// <summary>Whether nothing is left.</summary>
    internal readonly bool AtEnd => (uint)Position >= (uint)_bytes.Length;

    /// <summary>Leaves bytes out.</summary>
    internal void Skip(ulong count) => Position = count > (ulong)(_bytes.Length - Position) ? _bytes.Length : Position + (int)count;

    internal byte Byte() => AtEnd ? (byte)0 : _bytes[Position++];

    internal ulong Fixed(int size)
    {
        Span<byte> word = stackalloc byte[8];
        word.Clear();
        for (int i = 0; i < size; i++)
            word[i] = Byte();
        return BinaryPrimitives.ReadUInt64LittleEndian(word);
    }

    internal ulong Unsigned()
    {
        ulong value = 0;
        for (int shift = 0; !AtEnd; shift += 7)
        {
            byte next = Byte();
            value |= shift < 64 ? (ulong)(next & 0x7f) << shift : 0;
            if ((next & 0x80) == 0)
                break;
        }
        return value;
    }

    internal long Signed()
    {
        long value = 0;
        for (int shift = 0; !AtEnd;)
        {
            byte next = Byte();
            value |= shift < 64 ? (long)(next & 0x7f) << shift : 0;
            shift += 7;
            if ((next & 0x80) != 0)
                continue;
            return (next & 0x40) != 0 && shift < 64 ? value | -1L << shift : value;
        }
        return value;
    }

    /// <summary>A pointer in one of the encodings of .eh_frame (Linux Standard Base, 10.5.1); null: another one.</summary>
    /// <param name="encoding">DW_EH_PE_*.</param>
    /// <param name="here">Address of the reader's first byte.</param>
    internal ulong? Pointer(int encoding, ulong here)
    {
        ulong place = here + (ulong)Position;
        ulong value;
        switch (encoding & 0x0f)
        {
            case 0x00 or 0x04 or 0x0c:
                value = Fixed(8);
                break;
            case 0x03:
                value = Fixed(4);
                break;
            case 0x0b:
                value = (ulong)(int)Fixed(4);
                break;
            case 0x02:
                value = Fixed(2);
                break;
            case 0x0a:
                value = (ulong)(short)Fixed(2);
                break;
            default:
                return null;
        }
        return (encoding & 0x70) switch { 0 => value, 0x10 => place + value, _ => null };
    }
}
