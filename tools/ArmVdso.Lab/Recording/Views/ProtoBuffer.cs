using System.Buffers.Binary;
using System.Text;

namespace ArmVdso.Lab.Recording.Views;

/// <summary>A message of protocol buffers that is being written (protobuf.dev, Encoding).</summary>
internal sealed class ProtoBuffer
{
    private const int VarInt = 0, Fixed8Bytes = 1, Delimited = 2;
    private byte[] _bytes = new byte[256];
    private int _used;

    /// <summary>What it has.</summary>
    internal ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _used);

    /// <summary>Begins anew.</summary>
    internal ProtoBuffer Clear()
    {
        _used = 0;
        return this;
    }

    /// <summary>A field of an integral type or an enumeration.</summary>
    internal ProtoBuffer Number(int field, ulong value)
    {
        Raw((ulong)(field << 3 | VarInt));
        Raw(value);
        return this;
    }

    /// <summary>A field of type fixed64.</summary>
    internal ProtoBuffer Fixed(int field, ulong value)
    {
        Raw((ulong)(field << 3 | Fixed8Bytes));
        BinaryPrimitives.WriteUInt64LittleEndian(Room(8), value);
        return this;
    }

    /// <summary>A field of type string.</summary>
    internal ProtoBuffer Text(int field, string text) => Data(field, Encoding.UTF8.GetBytes(text));

    /// <summary>A field of a message's type.</summary>
    internal ProtoBuffer Message(int field, ProtoBuffer message) => Data(field, message.Bytes);

    private ProtoBuffer Data(int field, ReadOnlySpan<byte> bytes)
    {
        Raw((ulong)(field << 3 | Delimited));
        Raw((ulong)bytes.Length);
        bytes.CopyTo(Room(bytes.Length));
        return this;
    }

    private void Raw(ulong value)
    {
        for (; value >= 0x80; value >>= 7)
            Room(1)[0] = (byte)(value | 0x80);
        Room(1)[0] = (byte)value;
    }

    private Span<byte> Room(int count)
    {
        if (_used + count > _bytes.Length)
            Array.Resize(ref _bytes, Math.Max(2 * _bytes.Length, _used + count));
        _used += count;
        return _bytes.AsSpan(_used - count, count);
    }
}
