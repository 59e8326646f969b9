using System.Buffers.Binary;
using System.Numerics;

namespace ArmVdso.Kernel.Disk;

/// <summary>The checksums of the format (Documentation/filesystems/ext4, "Checksums").</summary>
internal static class Checksums
{
    /// <summary>CRC-32C, bit reversed, not inverted at either end.</summary>
    public static uint Crc32C(uint seed, ReadOnlySpan<byte> data)
    {
        while (data.Length >= 8)
        {
            seed = BitOperations.Crc32C(seed, BinaryPrimitives.ReadUInt64LittleEndian(data));
            data = data[8..];
        }
        foreach (byte b in data)
            seed = BitOperations.Crc32C(seed, b);
        return seed;
    }

    /// <inheritdoc cref="Crc32C(uint, ReadOnlySpan{byte})"/>
    public static uint Crc32C(uint seed, uint word) => BitOperations.Crc32C(seed, word);

    /// <summary>CRC-32 with the polynomial 0x04C11DB7, the most significant bit first, not inverted at either end (crc32_be): version 1 of
    /// checksums of journals.</summary>
    public static uint Crc32(uint seed, ReadOnlySpan<byte> data)
    {
        foreach (byte b in data)
        {
            seed ^= (uint)b << 24;
            for (int bit = 0; bit < 8; bit++)
                seed = (seed << 1) ^ ((seed & 0x8000_0000) != 0 ? 0x04C1_1DB7u : 0);
        }
        return seed;
    }

    /// <summary>CRC-16 with the polynomial 0x8005, bit reversed: group descriptors of file systems with uninit_bg alone.</summary>
    public static ushort Crc16(ushort seed, ReadOnlySpan<byte> data)
    {
        foreach (byte b in data)
        {
            seed ^= b;
            for (int bit = 0; bit < 8; bit++)
                seed = (ushort)((seed >> 1) ^ ((seed & 1) != 0 ? 0xA001 : 0));
        }
        return seed;
    }
}
