using System.Buffers.Binary;
using System.Numerics;

namespace ArmVdso.Kernel.Disk;

/// <summary>What of the disk is free: group descriptors and the two bitmaps of each group (fs/ext4/balloc.c, ialloc.c;
/// Documentation/filesystems/ext4, "Block Group Descriptors"). Nothing is kept here: each call reads what it needs and writes it back,
/// so that the device always has what was done, and a large disk takes no memory of the host.</summary>
internal sealed class BlockGroups(Volume volume)
{
    private const int InodesUninitialised = 1, BlocksUninitialised = 2;
    private const int MostDescriptor = 1024;

    private Superblock Super => volume.Super;

    private bool Wide => Super.DescriptorSize >= 64;

    private uint Count(ReadOnlySpan<byte> d, int low, int high) =>
        DiskRecord.HalfAt(d, low) | (Wide ? DiskRecord.HalfAt(d, high) << 16 : 0);

    private void SetCount(Span<byte> d, int low, int high, long value)
    {
        value = Math.Clamp(value, 0, 8 * volume.BlockSize);
        BinaryPrimitives.WriteUInt16LittleEndian(d[low..], (ushort)value);
        if (Wide)
            BinaryPrimitives.WriteUInt16LittleEndian(d[high..], (ushort)(value >> 16));
    }

    private void AddTo(Span<byte> d, int low, int high, long more) => SetCount(d, low, high, Count(d, low, high) + more);

    private long Place(ReadOnlySpan<byte> d, int low, int high) =>
        BinaryPrimitives.ReadUInt32LittleEndian(d[low..]) | (Wide ? (long)BinaryPrimitives.ReadUInt32LittleEndian(d[high..]) << 32 : 0);

    private long BlockBitmap(ReadOnlySpan<byte> d) => Place(d, 0, 32);

    private long InodeBitmap(ReadOnlySpan<byte> d) => Place(d, 4, 36);

    private long InodeTable(ReadOnlySpan<byte> d) => Place(d, 8, 40);

    private static bool Test(ReadOnlySpan<byte> bits, int bit) => (bits[bit >> 3] >> (bit & 7) & 1) != 0;

    private static void Set(Span<byte> bits, int bit) => bits[bit >> 3] |= (byte)(1 << (bit & 7));

    private static void Clear(Span<byte> bits, int bit) => bits[bit >> 3] &= (byte)~(1 << (bit & 7));

    private (long Block, int Offset) DescriptorPlace(long group)
    {
        int each = volume.BlockSize / Super.DescriptorSize;
        return (Super.FirstDataBlock + 1 + group / each, (int)(group % each) * Super.DescriptorSize);
    }

    private ushort DescriptorChecksum(long group, Span<byte> d)
    {
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(number, (uint)group);
        if (Super.HasMetadataChecksums)
        {
            ushort kept = (ushort)DiskRecord.HalfAt(d, 30);
            d[30] = d[31] = 0;
            uint all = Checksums.Crc32C(Checksums.Crc32C(volume.Seed, number), d);
            BinaryPrimitives.WriteUInt16LittleEndian(d[30..], kept);
            return (ushort)all;
        }
        ushort crc = Checksums.Crc16(Checksums.Crc16(Checksums.Crc16(ushort.MaxValue, Super.Uuid), number), d[..30]);
        return d.Length > 32 ? Checksums.Crc16(crc, d[32..]) : crc;
    }

    private long ReadDescriptor(long group, Span<byte> d)
    {
        (long block, int offset) = DescriptorPlace(group);
        if (volume.Read(block, offset, d) is < 0 and long error)
            return error;
        return Super.HasGroupChecksums && DiskRecord.HalfAt(d, 30) != DescriptorChecksum(group, d)
            ? volume.Corrupt("a group descriptor's checksum")
            : 0;
    }

    private long WriteDescriptor(long group, Span<byte> d)
    {
        if (Super.HasGroupChecksums)
            BinaryPrimitives.WriteUInt16LittleEndian(d[30..], DescriptorChecksum(group, d));
        (long block, int offset) = DescriptorPlace(group);
        return volume.Write(block, offset, d);
    }

    private Span<byte> Descriptor(Span<byte> room) => room[..Super.DescriptorSize];

    private long FirstOf(long group) => Super.FirstDataBlock + group * Super.BlocksPerGroup;

    private int BlocksOf(long group) => (int)Math.Min(Super.BlocksPerGroup, Super.Blocks - FirstOf(group));

    private bool IsUninitialised(ReadOnlySpan<byte> d, int what) => Super.HasGroupChecksums && (DiskRecord.HalfAt(d, 18) & what) != 0;

    private static void Initialised(Span<byte> d, int what) => d[18] &= (byte)~what;

    private void StoreChecksum(Span<byte> d, ReadOnlySpan<byte> bitmap, bool ofBlocks)
    {
        if (!Super.HasMetadataChecksums)
            return;
        uint crc = BitmapChecksum(bitmap, ofBlocks);
        BinaryPrimitives.WriteUInt16LittleEndian(d[(ofBlocks ? 24 : 26)..], (ushort)crc);
        if (Wide)
            BinaryPrimitives.WriteUInt16LittleEndian(d[(ofBlocks ? 56 : 58)..], (ushort)(crc >> 16));
    }

    /// <summary>Writes a bitmap; its checksum is in the descriptor, which is yet to be written.</summary>
    private long WriteBitmap(Span<byte> d, ReadOnlySpan<byte> bitmap, bool ofBlocks)
    {
        StoreChecksum(d, bitmap, ofBlocks);
        return volume.Write(ofBlocks ? BlockBitmap(d) : InodeBitmap(d), 0, bitmap);
    }

    private uint BitmapChecksum(ReadOnlySpan<byte> bitmap, bool ofBlocks) =>
        Checksums.Crc32C(volume.Seed, bitmap[..(int)((ofBlocks ? Super.BlocksPerGroup : Super.InodesPerGroup) / 8)]);

    private bool ChecksumHolds(ReadOnlySpan<byte> d, ReadOnlySpan<byte> bitmap, bool ofBlocks)
    {
        if (!Super.HasMetadataChecksums)
            return true;
        uint crc = BitmapChecksum(bitmap, ofBlocks), kept = Count(d, ofBlocks ? 24 : 26, ofBlocks ? 56 : 58);
        return kept == (Wide ? crc : (ushort)crc);
    }

    /// <summary>The block bitmap of a group; what was never initialised is what it would be (ext4_init_block_bitmap).</summary>
    private long ReadBlockBitmap(long group, ReadOnlySpan<byte> d, Span<byte> bitmap)
    {
        if (!IsUninitialised(d, BlocksUninitialised))
        {
            if (volume.Read(BlockBitmap(d), 0, bitmap) is < 0 and long error)
                return error;
            return ChecksumHolds(d, bitmap, true) ? 0 : volume.Corrupt("a block bitmap's checksum");
        }
        bitmap.Clear();
        long first = FirstOf(group);
        int own = Super.HasCopy(group) ? 1 + TableBlocks + Super.ReservedTableBlocks : 0;
        for (int n = 0; n < own && n < BlocksOf(group); n++)
            Set(bitmap, n);
        void Mark(Span<byte> bits, long block, long count)
        {
            for (long at = Math.Max(block, first); at < block + count && at < first + BlocksOf(group); at++)
                Set(bits, (int)(at - first));
        }
        Mark(bitmap, BlockBitmap(d), 1);
        Mark(bitmap, InodeBitmap(d), 1);
        Mark(bitmap, InodeTable(d), InodeTableBlocks);
        for (int n = BlocksOf(group); n < 8 * bitmap.Length; n++)
            Set(bitmap, n);
        return 0;
    }

    /// <summary>Blocks of all descriptors together.</summary>
    private int TableBlocks => (int)((Super.Groups * Super.DescriptorSize + volume.BlockSize - 1) / volume.BlockSize);

    private int InodeTableBlocks => (int)((Super.InodesPerGroup * (long)Super.InodeSize + volume.BlockSize - 1) / volume.BlockSize);

    /// <summary>Blocks that never hold files: what statfs leaves out (bsddf).</summary>
    public long Overhead
    {
        get
        {
            long each = 2 + InodeTableBlocks, copies = 0;
            for (long group = 0; group < Super.Groups; group++)
                copies += Super.HasCopy(group) ? 1 : 0;
            return Super.FirstDataBlock + Super.Groups * each + copies * (1 + TableBlocks + Super.ReservedTableBlocks);
        }
    }

    /// <summary>Where an inode lies: 0, or -EUCLEAN.</summary>
    public long Locate(uint inode, out long block, out int offset)
    {
        (block, offset) = (0, 0);
        if (inode == 0 || inode > Super.Inodes)
            return volume.Corrupt("an inode number");
        Span<byte> d = Descriptor(stackalloc byte[MostDescriptor]);
        if (ReadDescriptor((inode - 1) / Super.InodesPerGroup, d) is < 0 and long error)
            return error;
        long at = (inode - 1) % Super.InodesPerGroup * (long)Super.InodeSize;
        (block, offset) = (InodeTable(d) + at / volume.BlockSize, (int)(at % volume.BlockSize));
        return 0;
    }

    /// <summary>First block of the group of an inode: where its files begin to look for room.</summary>
    public long GoalOf(uint inode) => FirstOf((inode - 1) / Super.InodesPerGroup);

    /// <summary>Takes up to <paramref name="wanted"/> blocks in a row, near a goal: 0, -ENOSPC, -EIO, -EUCLEAN.</summary>
    public long Allocate(long goal, int wanted, out long first, out int count)
    {
        (first, count) = (0, 0);
        long free = Super.FreeBlocks;
        if (!volume.MayUseReserve)
            free -= Super.ReservedBlocks;
        if (free <= 0)
            return -Errno.ENOSPC;
        wanted = (int)Math.Min(wanted, free);
        if (goal < Super.FirstDataBlock || goal >= Super.Blocks)
            goal = Super.FirstDataBlock;
        long start = (goal - Super.FirstDataBlock) / Super.BlocksPerGroup;
        Span<byte> d = Descriptor(stackalloc byte[MostDescriptor]);
        Span<byte> bitmap = new byte[volume.BlockSize];
        for (long n = 0; n <= Super.Groups; n++)
        {
            long group = (start + n) % Super.Groups;
            if (ReadDescriptor(group, d) is < 0 and long error)
                return error;
            if (Count(d, 12, 44) == 0)
                continue;
            if (ReadBlockBitmap(group, d, bitmap) is < 0 and long bad)
                return bad;
            int limit = BlocksOf(group);
            int bit = FirstZero(bitmap, n == 0 ? (int)(goal - FirstOf(group)) : 0, limit);
            if (bit < 0)
                continue;
            for (count = 0; count < wanted && bit + count < limit && !Test(bitmap, bit + count); count++)
                Set(bitmap, bit + count);
            first = FirstOf(group) + bit;
            Initialised(d, BlocksUninitialised);
            AddTo(d, 12, 44, -count);
            if (WriteBitmap(d, bitmap, true) is < 0 and long failed)
                return failed;
            Super.FreeBlocks -= count;
            return WriteDescriptor(group, d) is < 0 and long unwritten ? unwritten : volume.WriteSuper();
        }
        // The count was wrong: nobody need look again.
        Super.FreeBlocks = 0;
        return -Errno.ENOSPC;
    }

    private static int FirstZero(ReadOnlySpan<byte> bits, int from, int limit)
    {
        while (from < limit)
        {
            if ((from & 7) == 0 && bits[from >> 3] == 0xFF)
                from += 8;
            else if (Test(bits, from))
                from++;
            else
                return from;
        }
        return -1;
    }

    /// <summary>Gives blocks back: 0; -EUCLEAN for one that is free already or lies nowhere, with which a walk through a tree that
    /// goes in circles ends.</summary>
    public long Free(long first, long count)
    {
        if (first < Super.FirstDataBlock || count < 0 || first > Super.Blocks - count)
            return volume.Corrupt("a block number");
        Span<byte> d = Descriptor(stackalloc byte[MostDescriptor]);
        Span<byte> bitmap = new byte[volume.BlockSize];
        while (count > 0)
        {
            long group = (first - Super.FirstDataBlock) / Super.BlocksPerGroup;
            int bit = (int)(first - FirstOf(group)), n = (int)Math.Min(count, BlocksOf(group) - bit);
            if (ReadDescriptor(group, d) is < 0 and long error)
                return error;
            if (ReadBlockBitmap(group, d, bitmap) is < 0 and long bad)
                return bad;
            for (int each = bit; each < bit + n; each++)
            {
                if (!Test(bitmap, each))
                    return volume.Corrupt("a block that is free twice");
                Clear(bitmap, each);
            }
            Initialised(d, BlocksUninitialised);
            AddTo(d, 12, 44, n);
            if (WriteBitmap(d, bitmap, true) is < 0 and long failed)
                return failed;
            Super.FreeBlocks += n;
            if (WriteDescriptor(group, d) is < 0 and long unwritten)
                return unwritten;
            (first, count) = (first + n, count - n);
        }
        return volume.WriteSuper();
    }

    private long ReadInodeBitmap(ReadOnlySpan<byte> d, Span<byte> bitmap)
    {
        if (!IsUninitialised(d, InodesUninitialised))
        {
            if (volume.Read(InodeBitmap(d), 0, bitmap) is < 0 and long error)
                return error;
            return ChecksumHolds(d, bitmap, false) ? 0 : volume.Corrupt("an inode bitmap's checksum");
        }
        bitmap.Clear();
        for (int n = (int)Super.InodesPerGroup; n < 8 * bitmap.Length; n++)
            Set(bitmap, n);
        return 0;
    }

    /// <summary>The group that a new directory of the root begins: one with more than its share of room (find_group_orlov).</summary>
    private long SpreadOut(Span<byte> d)
    {
        const int looked = 256;
        long best = 0, most = -1;
        for (long group = 0; group < Math.Min(Super.Groups, looked); group++)
        {
            if (ReadDescriptor(group, d) < 0 || Count(d, 14, 46) == 0)
                continue;
            if (Count(d, 12, 44) > most)
                (best, most) = (group, Count(d, 12, 44));
        }
        return best;
    }

    /// <summary>Takes an inode near its directory: 0, -ENOSPC, -EIO, -EUCLEAN.</summary>
    public long AllocateInode(uint parent, bool directory, out uint inode)
    {
        inode = 0;
        if (Super.FreeInodes == 0)
            return -Errno.ENOSPC;
        Span<byte> d = Descriptor(stackalloc byte[MostDescriptor]);
        Span<byte> bitmap = new byte[volume.BlockSize];
        long start = directory && parent == Volume.RootInode ? SpreadOut(d) : (parent - 1) / Super.InodesPerGroup;
        for (long n = 0; n < Super.Groups; n++)
        {
            long group = (start + n) % Super.Groups;
            if (ReadDescriptor(group, d) is < 0 and long error)
                return error;
            if (Count(d, 14, 46) == 0)
                continue;
            if (ReadInodeBitmap(d, bitmap) is < 0 and long bad)
                return bad;
            int bit = FirstZero(bitmap, group == 0 ? (int)Super.FirstInode - 1 : 0, (int)Super.InodesPerGroup);
            if (bit < 0)
                continue;
            Set(bitmap, bit);
            if (IsUninitialised(d, BlocksUninitialised))
            {
                Span<byte> blocks = new byte[volume.BlockSize];
                if (ReadBlockBitmap(group, d, blocks) is < 0 and long unread)
                    return unread;
                if (WriteBitmap(d, blocks, true) is < 0 and long unkept)
                    return unkept;
            }
            Initialised(d, InodesUninitialised | BlocksUninitialised);
            AddTo(d, 14, 46, -1);
            if (directory)
                AddTo(d, 16, 48, 1);
            if (Super.HasGroupChecksums)
                SetCount(d, 28, 50, Math.Min(Count(d, 28, 50), Super.InodesPerGroup - bit - 1));
            if (WriteBitmap(d, bitmap, false) is < 0 and long failed)
                return failed;
            Super.FreeInodes--;
            inode = (uint)(group * Super.InodesPerGroup + bit + 1);
            return WriteDescriptor(group, d) is < 0 and long unwritten ? unwritten : volume.WriteSuper();
        }
        Super.FreeInodes = 0;
        return -Errno.ENOSPC;
    }

    /// <summary>Gives an inode back.</summary>
    public long FreeInode(uint inode, bool directory)
    {
        long group = (inode - 1) / Super.InodesPerGroup;
        int bit = (int)((inode - 1) % Super.InodesPerGroup);
        Span<byte> d = Descriptor(stackalloc byte[MostDescriptor]);
        Span<byte> bitmap = new byte[volume.BlockSize];
        if (ReadDescriptor(group, d) is < 0 and long error)
            return error;
        if (ReadInodeBitmap(d, bitmap) is < 0 and long bad)
            return bad;
        if (!Test(bitmap, bit))
            return volume.Corrupt("an inode that is free twice");
        Clear(bitmap, bit);
        AddTo(d, 14, 46, 1);
        if (directory)
            AddTo(d, 16, 48, -1);
        if (WriteBitmap(d, bitmap, false) is < 0 and long failed)
            return failed;
        Super.FreeInodes++;
        return WriteDescriptor(group, d) is < 0 and long unwritten ? unwritten : volume.WriteSuper();
    }
}
