using System.Buffers.Binary;
using System.Text;

namespace ArmVdso.Kernel.Files;

/// <summary>A message of netlink as it is put together (struct nlmsghdr, struct nlattr; include/uapi/linux/netlink.h).</summary>
internal sealed class NetlinkMessage
{
    internal const int HeaderSize = 16;
    internal const ushort Error = 2, Done = 3, Multi = 2;
    private readonly List<byte> _bytes = new(128);

    /// <summary>A message of a type, as an answer to the request with a sequence number.</summary>
    /// <param name="type">nlmsg_type.</param>
    /// <param name="flags">nlmsg_flags.</param>
    /// <param name="sequence">nlmsg_seq of the request.</param>
    /// <param name="port">Port of the socket that it goes to.</param>
    internal NetlinkMessage(ushort type, ushort flags, uint sequence, uint port) =>
        U32(0).U16(type).U16(flags).U32(sequence).U32(port);

    internal NetlinkMessage U8(byte value)
    {
        _bytes.Add(value);
        return this;
    }

    internal NetlinkMessage U16(ushort value)
    {
        Span<byte> two = stackalloc byte[2];
        BinaryPrimitives.WriteUInt16LittleEndian(two, value);
        return Bytes(two);
    }

    internal NetlinkMessage U32(uint value)
    {
        Span<byte> four = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(four, value);
        return Bytes(four);
    }

    internal NetlinkMessage Bytes(ReadOnlySpan<byte> bytes)
    {
        foreach (byte b in bytes)
            _bytes.Add(b);
        return this;
    }

    /// <summary>An attribute.</summary>
    internal NetlinkMessage Attribute(ushort type, ReadOnlySpan<byte> value)
    {
        U16((ushort)(value.Length + 4)).U16(type).Bytes(value);
        while (_bytes.Count % 4 != 0)
            _bytes.Add(0);
        return this;
    }

    internal NetlinkMessage Attribute(ushort type, uint value)
    {
        Span<byte> four = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(four, value);
        return Attribute(type, four);
    }

    internal NetlinkMessage Attribute(ushort type, string text) => Attribute(type, Encoding.ASCII.GetBytes(text + "\0"));

    /// <summary>The message with its length.</summary>
    internal byte[] ToArray()
    {
        byte[] bytes = [.. _bytes];
        BinaryPrimitives.WriteInt32LittleEndian(bytes, bytes.Length);
        return bytes;
    }

    /// <summary>The attributes of a message, the last of each type, from a place on. Those that do not fit end the list.</summary>
    internal static Dictionary<ushort, byte[]> Attributes(ReadOnlySpan<byte> message, int at)
    {
        var found = new Dictionary<ushort, byte[]>();
        while (at + 4 <= message.Length)
        {
            int length = BinaryPrimitives.ReadUInt16LittleEndian(message[at..]);
            if (length < 4 || at + length > message.Length)
                break;
            // NLA_F_NESTED and NLA_F_NET_BYTEORDER are no part of the type.
            int type = BinaryPrimitives.ReadUInt16LittleEndian(message[(at + 2)..]) & 0x3FFF;
            found[(ushort)type] = message.Slice(at + 4, length - 4).ToArray();
            at += (length + 3) & ~3;
        }
        return found;
    }
}
