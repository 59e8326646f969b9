using System.Buffers.Binary;
using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Disk;

/// <summary>What a journal of ext3 or ext4 has left to do (fs/jbd2/recovery.c; Documentation/filesystems/ext4, "Journal"): transactions
/// that are complete are put where they belong, but for blocks that a later one has revoked; what follows the last of them is nothing.
/// Numbers in a journal are big-endian.</summary>
internal sealed class Journal
{
    private const uint Magic = 0xC03B3998, Descriptor = 1, Commit = 2, OldSuper = 3, NewSuper = 4, Revoke = 5;
    private const uint RevokeFeature = 1, Bits64 = 2, AsyncCommit = 4, Checksums2 = 8, Checksums3 = 0x10,
        Known = RevokeFeature | Bits64 | AsyncCommit | Checksums2 | Checksums3;
    private const uint Escaped = 1, SameUuid = 2, LastTag = 8;
    private const int CommitChecksumAt = 16;

    private readonly Volume _volume;
    private readonly InodeRecord _inode;
    private readonly byte[] _super;
    private readonly Dictionary<long, uint> _revoked = [];
    private uint _length, _first;

    private Journal(Volume volume, InodeRecord inode)
    {
        (_volume, _inode) = (volume, inode);
        _super = new byte[volume.BlockSize];
    }

    private int BlockSize => _volume.BlockSize;

    private static uint Word(ReadOnlySpan<byte> block, int at) => BinaryPrimitives.ReadUInt32BigEndian(block[at..]);

    private static void Word(Span<byte> block, int at, uint value) => BinaryPrimitives.WriteUInt32BigEndian(block[at..], value);

    private uint Features => Word(_super, 4) == NewSuper ? Word(_super, 40) : 0;

    private bool HasChecksums => (Features & (Checksums2 | Checksums3)) != 0;

    private uint Seed => Checksums.Crc32C(uint.MaxValue, _super.AsSpan(48, 16));

    /// <summary>Does what is left: 0, -EUCLEAN or -EBADMSG for a journal that is damaged, -EINVAL for one that is not understood, -EIO.
    /// </summary>
    /// <param name="volume">The file system, as it is without its journal.</param>
    public static long Recover(Volume volume)
    {
        if (volume.Super.JournalInode == 0)
            return -Errno.EINVAL;
        long error = InodeRecord.Read(volume, volume.Super.JournalInode, out InodeRecord? inode);
        return error < 0 ? error : new Journal(volume, inode!).Recover();
    }

    private long Recover()
    {
        if (Read(0, _super) is < 0 and long error)
            return error;
        if (Word(_super, 0) != Magic || Word(_super, 4) is not (OldSuper or NewSuper) || Word(_super, 12) != BlockSize)
            return _volume.Corrupt("the journal's superblock");
        if ((Features & ~Known) != 0)
            return -Errno.EINVAL;
        (_length, _first) = (Word(_super, 16), Word(_super, 20));
        uint start = Word(_super, 28), sequence = Word(_super, 24);
        if (_first == 0 || _first >= _length || start >= _length || _length > _inode.Size / BlockSize)
            return _volume.Corrupt("the journal's superblock");
        if (start == 0)
            return 0;
        error = Walk(start, sequence, uint.MaxValue, false, out uint end);
        if (error == 0)
            error = Walk(start, sequence, end, true, out _);
        if (error < 0)
            return error;
        // Nothing is left.
        Word(_super, 24, end + 1);
        Word(_super, 28, 0);
        if (HasChecksums)
        {
            Word(_super, 0xFC, 0);
            Word(_super, 0xFC, Checksums.Crc32C(uint.MaxValue, _super.AsSpan(0, 1024)));
        }
        return Find(0, out long place) is < 0 and long lost ? lost : Put(place, _super);
    }

    private long Find(uint block, out long place)
    {
        long error = _inode.Map.Find(block, out BlockState state, out place, out _);
        return error < 0 ? error : state == BlockState.Written ? 0 : _volume.Corrupt("the journal");
    }

    private long Read(uint block, Span<byte> target) =>
        Find(block, out long place) is < 0 and long error ? error : _volume.Read(place, 0, target);

    private uint After(uint block) => block + 1 >= _length ? _first : block + 1;

    /// <summary>Walks over the transactions: first to find their end and what they revoke, then to put their blocks back.</summary>
    private long Walk(uint start, uint sequence, uint last, bool replay, out uint end)
    {
        end = sequence;
        byte[] block = new byte[BlockSize];
        uint steps = 0;
        for (uint at = start; end != last && steps++ < _length; at = After(at))
        {
            if (Read(at, block) is < 0 and long error)
                return error;
            if (Word(block, 0) != Magic || Word(block, 8) != end)
                return 0;
            switch (Word(block, 4))
            {
                case Descriptor:
                    if (!HasGoodChecksum(block, BlockSize - 4))
                        return replay ? -Errno.EBADMSG : 0;
                    error = Blocks(block, replay, end, ref at, ref steps);
                    if (error < 0)
                        return error;
                    break;
                case Commit:
                    if (!HasGoodChecksum(block, CommitChecksumAt))
                        return 0;
                    end++;
                    break;
                case Revoke:
                    if (!HasGoodChecksum(block, BlockSize - 4))
                        return replay ? -Errno.EBADMSG : 0;
                    if (!replay && Revokes(block, end) is < 0 and long wrong)
                        return wrong;
                    break;
                default:
                    return 0;
            }
        }
        return 0;
    }

    /// <summary>Whether a block has the checksum that lies at a place of it, which counts as zero there.</summary>
    private bool HasGoodChecksum(byte[] block, int at)
    {
        if (!HasChecksums)
            return true;
        uint kept = Word(block, at);
        Word(block, at, 0);
        bool good = Checksums.Crc32C(Seed, block) == kept;
        Word(block, at, kept);
        return good;
    }

    /// <summary>Writes a block of the device: the mount may be one to read alone.</summary>
    private long Put(long place, ReadOnlySpan<byte> block) =>
        _volume.Device.Write(block, place * BlockSize) == BlockSize ? 0 : -Errno.EIO;

    /// <summary>A block that names others: one before another transaction's copy of them counts no more.</summary>
    private long Revokes(ReadOnlySpan<byte> block, uint sequence)
    {
        int size = (Features & Bits64) != 0 ? 8 : 4, used = (int)Word(block, 12);
        if (used > BlockSize - (HasChecksums ? 4 : 0))
            return _volume.Corrupt("a revoke block of the journal");
        for (int at = 16; at + size <= used; at += size)
        {
            long number = size == 8 ? BinaryPrimitives.ReadInt64BigEndian(block[at..]) : Word(block, at);
            _revoked[number] = Math.Max(_revoked.GetValueOrDefault(number), sequence);
        }
        return 0;
    }

    /// <summary>The blocks behind a descriptor, one for each of its tags.</summary>
    private long Blocks(ReadOnlySpan<byte> descriptor, bool replay, uint sequence, ref uint at, ref uint steps)
    {
        bool third = (Features & Checksums3) != 0, wide = (Features & Bits64) != 0;
        int tag = third ? 16 : 8 + (wide ? 4 : 0) + ((Features & Checksums2) != 0 ? 2 : 0);
        int limit = BlockSize - (HasChecksums ? 4 : 0);
        byte[] data = new byte[BlockSize];
        for (int place = 12; place + tag <= limit;)
        {
            uint flags = third ? Word(descriptor, place + 4) : BinaryPrimitives.ReadUInt16BigEndian(descriptor[(place + 6)..]);
            long number = Word(descriptor, place) | (wide ? (long)Word(descriptor, place + 8) << 32 : 0);
            uint checksum = third ? Word(descriptor, place + 12) : BinaryPrimitives.ReadUInt16BigEndian(descriptor[(place + 4)..]);
            place += tag + ((flags & SameUuid) == 0 ? 16 : 0);
            at = After(at);
            steps++;
            if (replay && _revoked.GetValueOrDefault(number) < sequence)
            {
                if (Read(at, data) is < 0 and long error)
                    return error;
                uint sum = HasChecksums ? DataChecksum(sequence, data) : checksum;
                if ((third ? sum : (ushort)sum) != checksum)
                    return -Errno.EBADMSG;
                if ((flags & Escaped) != 0)
                    Word(data, 0, Magic);
                if (number < 0 || number >= _volume.Super.Blocks)
                    return _volume.Corrupt("a block number in the journal");
                if (Put(number, data) is < 0 and long unwritten)
                    return unwritten;
            }
            if ((flags & LastTag) != 0)
                break;
        }
        return 0;
    }

    private uint DataChecksum(uint sequence, ReadOnlySpan<byte> data)
    {
        Span<byte> number = stackalloc byte[4];
        Word(number, 0, sequence);
        return Checksums.Crc32C(Checksums.Crc32C(Seed, number), data);
    }
}
