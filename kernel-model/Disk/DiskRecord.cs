using System.Buffers.Binary;

namespace ArmVdso.Kernel.Disk;

/// <summary>A record as it lies on the disk; its numbers are little-endian.</summary>
/// <param name="length">Bytes that it has.</param>
internal abstract class DiskRecord(int length)
{
    /// <summary>The record.</summary>
    protected byte[] Raw { get; } = new byte[length];

    protected uint Word(int at) => BinaryPrimitives.ReadUInt32LittleEndian(Raw.AsSpan(at));

    protected uint Half(int at) => HalfAt(Raw, at);

    protected void Word(int at, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Raw.AsSpan(at), value);

    protected void Half(int at, uint value) => BinaryPrimitives.WriteUInt16LittleEndian(Raw.AsSpan(at), (ushort)value);

    /// <summary>16 bits at a place of a record that lies elsewhere.</summary>
    internal static uint HalfAt(ReadOnlySpan<byte> record, int at) => BinaryPrimitives.ReadUInt16LittleEndian(record[at..]);
}
