using System.Buffers.Binary;
using System.Text;

namespace ArmVdso.Kernel.Disk;

/// <summary>Extended attributes as the disk has them: a block, which files may share, and the end of large inodes (fs/ext4/xattr.c;
/// Documentation/filesystems/ext4, "Extended Attributes").</summary>
internal static class AttributeBlocks
{
    public const uint Magic = 0xEA020000;
    private const int Header = 32, Entry = 16;

    /// <summary>Prefixes that a name's index stands for.</summary>
    private static readonly (byte Index, string Prefix)[] s_prefixes =
        [(1, "user."), (2, "system.posix_acl_access"), (3, "system.posix_acl_default"), (4, "trusted."), (6, "security."), (7, "system.")];

    /// <summary>Reads entries; values lie at offsets from the first one (in an inode) or from the block's start.</summary>
    public static long Parse(ReadOnlySpan<byte> area, int first, SortedDictionary<string, byte[]> into)
    {
        for (int at = first; at + 4 <= area.Length && BinaryPrimitives.ReadUInt32LittleEndian(area[at..]) != 0;)
        {
            if (at + Entry > area.Length || at + Entry + area[at] > area.Length)
                return -Errno.EUCLEAN;
            ReadOnlySpan<byte> entry = area[at..];
            int offset = BinaryPrimitives.ReadUInt16LittleEndian(entry[2..]);
            uint size = BinaryPrimitives.ReadUInt32LittleEndian(entry[8..]);
            if (BinaryPrimitives.ReadUInt32LittleEndian(entry[4..]) != 0 || size > area.Length || offset > area.Length - size)
                return -Errno.EUCLEAN;
            byte index = entry[1];
            string name = Encoding.Latin1.GetString(entry.Slice(Entry, entry[0]));
            if (Array.Find(s_prefixes, p => p.Index == index).Prefix is { } prefix)
                into[prefix + name] = area.Slice(offset, (int)size).ToArray();
            at += (Entry + entry[0] + 3) & ~3;
        }
        return 0;
    }

    private static uint Checksum(Volume volume, long block, ReadOnlySpan<byte> bytes)
    {
        Span<byte> number = stackalloc byte[8], zero = stackalloc byte[4];
        BinaryPrimitives.WriteInt64LittleEndian(number, block);
        zero.Clear();
        uint crc = Checksums.Crc32C(Checksums.Crc32C(volume.Seed, number), bytes[..16]);
        return Checksums.Crc32C(Checksums.Crc32C(crc, zero), bytes[20..]);
    }

    private static long Load(Volume volume, long block, out byte[] bytes)
    {
        bytes = new byte[volume.BlockSize];
        if (volume.Read(block, 0, bytes) is < 0 and long error)
            return error;
        return BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic
            || BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(8)) != 1
            || (volume.Super.HasMetadataChecksums
                && BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(16)) != Checksum(volume, block, bytes))
            ? -Errno.EUCLEAN : 0;
    }

    /// <summary>Reads the attributes of a block.</summary>
    public static long Read(Volume volume, long block, SortedDictionary<string, byte[]> into) =>
        Load(volume, block, out byte[] bytes) is < 0 and long error ? error : Parse(bytes, Header, into);

    /// <summary>Writes a block of attributes.</summary>
    public static long Write(Volume volume, long block, Span<byte> bytes)
    {
        if (volume.Super.HasMetadataChecksums)
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[16..], Checksum(volume, block, bytes));
        return volume.Write(block, 0, bytes);
    }

    /// <summary>A file lets a block go: the last one frees it.</summary>
    public static long Release(Volume volume, long block)
    {
        if (Load(volume, block, out byte[] bytes) is < 0 and long error)
            return error == -Errno.EUCLEAN ? volume.Corrupt("a block of extended attributes") : error;
        uint users = BinaryPrimitives.ReadUInt32LittleEndian(bytes.AsSpan(4));
        if (users <= 1)
            return volume.Groups.Free(block, 1);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), users - 1);
        return Write(volume, block, bytes);
    }

    /// <summary>Makes a block for one file: 0, or -ENOSPC where they do not fit.</summary>
    public static long Make(Volume volume, SortedDictionary<string, byte[]> attributes, out byte[]? bytes)
    {
        bytes = new byte[volume.BlockSize];
        var entries = attributes.Select(a => (Of(a.Key), a.Value)).Select(a => (a.Item1.Index, Name: a.Item1.Name, a.Value))
            .OrderBy(a => a.Index).ThenBy(a => a.Name.Length).ThenBy(a => a.Name, ByteOrder.Instance).ToArray();
        int at = Header, end = bytes.Length;
        uint all = 0;
        foreach ((byte index, byte[] name, byte[] value) in entries)
        {
            int length = (Entry + name.Length + 3) & ~3, room = (value.Length + 3) & ~3;
            // Four zero bytes end the entries.
            if (name.Length > 255 || room > end || at + length + 4 > end - room)
                return -Errno.ENOSPC;
            end -= room;
            value.CopyTo(bytes, end);
            Span<byte> entry = bytes.AsSpan(at);
            uint hash = Hash(name, bytes.AsSpan(end, room));
            entry[0] = (byte)name.Length;
            entry[1] = index;
            BinaryPrimitives.WriteUInt16LittleEndian(entry[2..], (ushort)(value.Length == 0 ? 0 : end));
            BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], (uint)value.Length);
            BinaryPrimitives.WriteUInt32LittleEndian(entry[12..], hash);
            name.CopyTo(entry[Entry..]);
            all = uint.RotateLeft(all, 16) ^ hash;
            at += length;
        }
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), 1);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), 1);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(12), all);
        return 0;
    }

    private static (byte Index, byte[] Name) Of(string name)
    {
        (byte index, string prefix) = Array.Find(s_prefixes, p => name.StartsWith(p.Prefix, StringComparison.Ordinal));
        return (index, Encoding.Latin1.GetBytes(name[(prefix?.Length ?? 0)..]));
    }

    /// <summary>Hash of a name (rotated by 5 a byte) and a value (by 16 a word).</summary>
    private static uint Hash(ReadOnlySpan<byte> name, ReadOnlySpan<byte> value)
    {
        uint hash = 0;
        foreach (byte b in name)
            hash = uint.RotateLeft(hash, 5) ^ b;
        for (; value.Length >= 4; value = value[4..])
            hash = uint.RotateLeft(hash, 16) ^ BinaryPrimitives.ReadUInt32LittleEndian(value);
        return hash;
    }

    private sealed class ByteOrder : IComparer<byte[]>
    {
        public static readonly ByteOrder Instance = new();

        public int Compare(byte[]? x, byte[]? y) => x.AsSpan().SequenceCompareTo(y);
    }
}
