using System.Buffers.Binary;

namespace ArmVdso.Kernel.Disk;

/// <summary>The block map of ext2: twelve blocks, then trees of one, two and three levels (fs/ext4/indirect.c;
/// Documentation/filesystems/ext4, "Direct/Indirect Block Addressing").</summary>
internal sealed class IndirectMap(InodeRecord record) : BlockMap(record)
{
    private const int Direct = 12, AtOnce = 64;

    private int PerBlock => Volume.BlockSize / 4;

    private long Below(int level) => level == 0 ? 1 : level == 1 ? PerBlock : (long)PerBlock * Below(level - 1);

    /// <inheritdoc/>
    public override long MaxSize =>
        Math.Min(Direct + Below(1) + Below(2) + Below(3), uint.MaxValue) * Volume.BlockSize;

    /// <summary>The slot of the inode that leads to a block, how many levels are below it, and where in its tree the block is.</summary>
    private bool Locate(long logical, out int slot, out int levels, out long within)
    {
        (slot, levels, within) = ((int)Math.Min(logical, Direct), 0, 0);
        if (logical < Direct)
            return logical >= 0;
        within = logical - Direct;
        for (levels = 1; levels <= 3; levels++, slot++)
        {
            if (within < Below(levels))
                return true;
            within -= Below(levels);
        }
        return false;
    }

    private uint Slot(int slot) => BinaryPrimitives.ReadUInt32LittleEndian(Record.Block[(4 * slot)..]);

    private void Slot(int slot, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Record.Block[(4 * slot)..], value);

    private long Pointer(long block, long index, out uint value)
    {
        Span<byte> word = stackalloc byte[4];
        long error = Volume.Read(block, (int)(4 * index), word);
        value = BinaryPrimitives.ReadUInt32LittleEndian(word);
        return error;
    }

    private long SetPointer(long block, long index, uint value)
    {
        Span<byte> word = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(word, value);
        return Volume.Write(block, (int)(4 * index), word);
    }

    /// <inheritdoc/>
    public override long Find(long logical, out BlockState state, out long physical, out long count)
    {
        (state, physical, count) = (BlockState.Hole, 0, 1);
        if (!Locate(logical, out int slot, out int levels, out long within))
            return -Errno.EFBIG;
        uint at = Slot(slot);
        for (; at != 0 && levels > 1; levels--)
        {
            long each = Below(levels - 1);
            if (Pointer(at, within / each, out at) is < 0 and long error)
                return error;
            within %= each;
        }
        if (at == 0)
        {
            count = Below(levels) - within;
            return 0;
        }
        // A run of pointers in one go: what lies in a row, or a hole.
        Span<byte> run = stackalloc byte[4 * AtOnce];
        if (levels == 0)
        {
            Record.Block[(4 * slot)..(4 * Direct)].CopyTo(run);
            run = run[..(4 * (Direct - slot))];
        }
        else
        {
            run = run[..(4 * (int)Math.Min(AtOnce, PerBlock - within))];
            if (Volume.Read(at, (int)(4 * within), run) is < 0 and long unread)
                return unread;
        }
        uint first = BinaryPrimitives.ReadUInt32LittleEndian(run);
        if (first != 0 && (first >= Volume.Super.Blocks || first <= Volume.Super.FirstDataBlock))
            return Volume.Corrupt("a block number");
        for (run = run[4..]; run.Length > 0 && count < Volume.Super.Blocks - first; run = run[4..], count++)
        {
            if (BinaryPrimitives.ReadUInt32LittleEndian(run) != (first == 0 ? 0 : first + (uint)count))
                break;
        }
        (state, physical) = (first == 0 ? BlockState.Hole : BlockState.Written, first);
        return 0;
    }

    /// <inheritdoc/>
    public override long Allocate(long logical, int wanted, bool reserve, out long physical, out int count)
    {
        (physical, count) = (0, 0);
        if (!Locate(logical, out int slot, out int levels, out long within))
            return -Errno.EFBIG;
        long before = logical > 0 && Find(logical - 1, out _, out long last, out _) == 0 ? last : 0;
        // Blocks of one tree's last level, and of the inode itself, can be filled in one go.
        long room = levels == 0 ? Direct - slot : PerBlock - within % PerBlock;
        wanted = (int)Math.Min(wanted, room);
        long holder = 0, index = slot;
        uint at = Slot(slot);
        for (; levels > 0; levels--)
        {
            if (at == 0)
            {
                if (Volume.Groups.Allocate(GoalOf(before), 1, out long made, out _) is < 0 and long full)
                    return full;
                if (Volume.Clear(made, 1) is < 0 and long unclear)
                    return unclear;
                at = (uint)made;
                Record.AddBlocks(1);
                if (Set(holder, index, at) is < 0 and long unset)
                    return unset;
            }
            long each = Below(levels - 1);
            (holder, index) = (at, within / each);
            if (Pointer(holder, index, out at) is < 0 and long error)
                return error;
            within %= each;
        }
        // The hole may end before the room does.
        int free = 1;
        while (free < wanted)
        {
            uint next;
            if (holder == 0)
                next = Slot((int)index + free);
            else if (Pointer(holder, index + free, out next) is < 0 and long error)
                return error;
            if (next != 0)
                break;
            free++;
        }
        if (Volume.Groups.Allocate(GoalOf(before), free, out physical, out count) is < 0 and long none)
            return none;
        Record.AddBlocks(count);
        for (int n = 0; n < count; n++)
        {
            if (Set(holder, index + n, (uint)(physical + n)) is < 0 and long error)
                return error;
        }
        return 0;
    }

    private long Set(long holder, long index, uint value)
    {
        if (holder != 0)
            return SetPointer(holder, index, value);
        Slot((int)index, value);
        return 0;
    }

    /// <summary>Blocks of contents that are given back together.</summary>
    private long _run, _runLength;

    /// <inheritdoc/>
    public override long Punch(long first, long end)
    {
        long error = PunchAll(first, end), rest = FlushRun();
        return error < 0 ? error : rest;
    }

    private long FlushRun()
    {
        (long first, long count) = (_run, _runLength);
        _runLength = 0;
        return count == 0 ? 0 : Volume.Groups.Free(first, count);
    }

    private long FreeContents(long block)
    {
        Record.AddBlocks(-1);
        if (_runLength > 0 && block == _run + _runLength)
        {
            _runLength++;
            return 0;
        }
        long error = FlushRun();
        (_run, _runLength) = (block, 1);
        return error;
    }

    private long PunchAll(long first, long end)
    {
        for (int slot = 0; slot < Direct; slot++)
        {
            if (slot < first || slot >= end || Slot(slot) is not (not 0 and var block))
                continue;
            Slot(slot, 0);
            if (FreeContents(block) is < 0 and long error)
                return error;
        }
        long start = Direct;
        for (int levels = 1; levels <= 3; levels++)
        {
            int slot = Direct + levels - 1;
            if (Slot(slot) is not 0 and var tree && first < start + Below(levels) && end > start)
            {
                bool whole = first <= start && end >= start + Below(levels);
                if (whole)
                    Slot(slot, 0);
                long error = PunchTree(tree, levels, first - start, end - start, whole, out bool empty);
                if (error == 0 && empty && !whole)
                {
                    Slot(slot, 0);
                    error = FreeOne(tree);
                }
                if (error < 0)
                    return error;
            }
            start += Below(levels);
        }
        return 0;
    }

    private long FreeOne(long block)
    {
        if (FlushRun() is < 0 and long error)
            return error;
        Record.AddBlocks(-1);
        return Volume.Groups.Free(block, 1);
    }

    /// <summary>Frees what a tree has in a range. One that goes as a whole is freed before what is in it: a block that is its own
    /// descendant is found free the second time, and the walk ends.</summary>
    private long PunchTree(long tree, int levels, long first, long end, bool whole, out bool empty)
    {
        empty = true;
        var pointers = new byte[Volume.BlockSize];
        if (Volume.Read(tree, 0, pointers) is < 0 and long unread)
            return unread;
        if (whole && FreeOne(tree) is < 0 and long freed)
            return freed;
        long each = Below(levels - 1);
        for (int n = 0; n < PerBlock; n++)
        {
            uint at = BinaryPrimitives.ReadUInt32LittleEndian(pointers.AsSpan(4 * n));
            if (at == 0)
                continue;
            long from = n * each, to = from + each;
            if (to <= first || from >= end)
            {
                empty = false;
                continue;
            }
            bool all = first <= from && end >= to, nothing = true;
            long error = levels == 1 ? FreeContents(at) : PunchTree(at, levels - 1, first - from, end - from, all, out nothing);
            if (error == 0 && levels > 1 && !all && nothing)
                error = FreeOne(at);
            if (error < 0)
                return error;
            if (!all && !nothing)
                empty = false;
            else if (!whole && SetPointer(tree, n, 0) is < 0 and long unset)
                return unset;
        }
        return 0;
    }
}
