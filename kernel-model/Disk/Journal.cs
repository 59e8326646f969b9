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
    private const int CommitChecksumAt = 16, CommitTimeAt = 48;

    /// <summary>Compatible features: the commit block has a CRC-32 of the transaction (version 1 of checksums).</summary>
    private const uint Checksums1 = 1;

    private const byte Crc32 = 1, Crc32Size = 4;

    private readonly Volume _volume;
    private readonly InodeRecord _inode;
    private readonly byte[] _super;
    private readonly Dictionary<long, uint> _revoked = [];

    /// <summary>What the transaction that is walked over revokes, if it is complete.</summary>
    private readonly HashSet<long> _revokes = [];
    private uint _length, _first, _transactionSum = uint.MaxValue;
    private ulong _lastCommit;

    /// <summary>A transaction that is complete and not what it was when it was written; one of its block numbers' blocks was not.</summary>
    private bool _hasBadTransaction, _hasBadBlock;

    private Journal(Volume volume, InodeRecord inode)
    {
        (_volume, _inode) = (volume, inode);
        _super = new byte[volume.BlockSize];
    }

    private int BlockSize => _volume.BlockSize;

    private static uint Word(ReadOnlySpan<byte> block, int at) => BinaryPrimitives.ReadUInt32BigEndian(block[at..]);

    private static void Word(Span<byte> block, int at, uint value) => BinaryPrimitives.WriteUInt32BigEndian(block[at..], value);

    private uint Features => Word(_super, 4) == NewSuper ? Word(_super, 40) : 0;

    private bool HasTransactionSums => Word(_super, 4) == NewSuper && (Word(_super, 36) & Checksums1) != 0;

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
        // What can be done is done; what cannot keeps the disk from being mounted until somebody has checked it.
        if (_hasBadTransaction || _hasBadBlock)
            return _hasBadBlock ? -Errno.EBADMSG : _volume.Corrupt("a transaction of the journal");
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
        // A block without a good checksum may be one that lay there before.
        bool doubtful = false;
        for (uint at = start; end != last && steps++ < _length; at = After(at))
        {
            if (Read(at, block) is < 0 and long error)
                return error;
            if (Word(block, 0) != Magic || Word(block, 8) != end)
                return 0;
            switch (Word(block, 4))
            {
                case Descriptor:
                    bool sound = HasGoodChecksum(block, BlockSize - 4);
                    if (!sound && replay)
                        return -Errno.EBADMSG;
                    doubtful |= !sound;
                    error = Blocks(block, replay, end, ref at, ref steps);
                    if (error < 0)
                        return error;
                    break;
                case Commit:
                    if (!replay && Ends(block, doubtful, out error))
                        return error;
                    doubtful = false;
                    foreach (long number in _revokes)
                        _revoked[number] = end;
                    _revokes.Clear();
                    end++;
                    break;
                case Revoke:
                    doubtful |= !replay && !HasGoodChecksum(block, BlockSize - 4);
                    if (!replay && !doubtful && Revokes(block) is < 0 and long wrong)
                        return wrong;
                    break;
                default:
                    return 0;
            }
        }
        return 0;
    }

    /// <summary>Whether nothing can be done from a transaction on: its commit block is from before, or the transaction is not what was
    /// written. Where commits need not wait for the rest (async commit) that is a crash; else the journal is damaged.</summary>
    private bool Ends(byte[] commit, bool doubtful, out long error)
    {
        error = 0;
        ulong time = BinaryPrimitives.ReadUInt64BigEndian(commit.AsSpan(CommitTimeAt));
        bool isOld = time < _lastCommit;
        if (doubtful)
        {
            error = isOld ? 0 : -Errno.EBADMSG;
            return true;
        }
        bool sound = HasTransactionSums ? HasGoodSum(commit) : HasGoodChecksum(commit, CommitChecksumAt);
        _transactionSum = uint.MaxValue;
        if (sound)
        {
            _lastCommit = time;
            return false;
        }
        _hasBadTransaction = !isOld && (Features & AsyncCommit) == 0;
        return true;
    }

    /// <summary>The sum of version 1, of descriptors and what follows them; one that was not written is none.</summary>
    private bool HasGoodSum(ReadOnlySpan<byte> commit)
    {
        uint kept = Word(commit, CommitChecksumAt);
        return (kept == _transactionSum && commit[12] == Crc32 && commit[13] == Crc32Size)
            || (kept == 0 && commit[12] == 0 && commit[13] == 0);
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
    private long Revokes(ReadOnlySpan<byte> block)
    {
        int size = (Features & Bits64) != 0 ? 8 : 4, used = (int)Word(block, 12);
        if (used > BlockSize - (HasChecksums ? 4 : 0))
            return _volume.Corrupt("a revoke block of the journal");
        for (int at = 16; at + size <= used; at += size)
        {
            long number = size == 8 ? BinaryPrimitives.ReadInt64BigEndian(block[at..]) : Word(block, at);
            _revokes.Add(number);
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
        if (!replay && HasTransactionSums)
            _transactionSum = Checksums.Crc32(_transactionSum, descriptor);
        for (int place = 12; place + tag <= limit;)
        {
            uint flags = third ? Word(descriptor, place + 4) : BinaryPrimitives.ReadUInt16BigEndian(descriptor[(place + 6)..]);
            long number = Word(descriptor, place) | (wide ? (long)Word(descriptor, place + 8) << 32 : 0);
            uint checksum = third ? Word(descriptor, place + 12) : BinaryPrimitives.ReadUInt16BigEndian(descriptor[(place + 4)..]);
            place += tag + ((flags & SameUuid) == 0 ? 16 : 0);
            at = After(at);
            steps++;
            if (!replay && HasTransactionSums)
            {
                if (Read(at, data) is < 0 and long unread)
                    return unread;
                _transactionSum = Checksums.Crc32(_transactionSum, data);
            }
            if (replay && _revoked.GetValueOrDefault(number) < sequence)
            {
                if (Read(at, data) is < 0 and long error)
                    return error;
                uint sum = HasChecksums ? DataChecksum(sequence, data) : checksum;
                if ((third ? sum : (ushort)sum) != checksum)
                {
                    // The others are put back all the same.
                    _hasBadBlock = true;
                    if ((flags & LastTag) != 0)
                        break;
                    continue;
                }
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
