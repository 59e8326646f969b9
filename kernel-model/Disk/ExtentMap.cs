using System.Buffers.Binary;

namespace ArmVdso.Kernel.Disk;

/// <summary>The extent tree of ext4 (fs/ext4/extents.c; Documentation/filesystems/ext4, "Extent Tree"). All extents of a file that is used
/// are in memory; a change writes the tree anew, densely, over the blocks that it has. An extent is met once only, since each lies behind
/// the one before: so what a damaged tree can take of memory is bounded by what is on the device.</summary>
internal sealed class ExtentMap(InodeRecord record) : BlockMap(record)
{
    private const int Entry = 12, InRoot = 4, MostDepth = 5, MostLength = 32768;
    private const ushort Magic = 0xF30A;

    private readonly record struct Extent(long Logical, int Length, long Physical, bool Unwritten)
    {
        public long End => Logical + Length;
    }

    private List<Extent>? _extents;

    /// <summary>Blocks of the tree: the leaves in their order, then each level above.</summary>
    private readonly List<long> _nodes = [];

    /// <summary>Whether the leaves are full, but for the last, as <see cref="Store"/> leaves them.</summary>
    private bool _dense;

    private int InBlock => (Volume.BlockSize - Entry) / Entry;

    /// <inheritdoc/>
    public override long MaxSize => (long)uint.MaxValue * Volume.BlockSize;

    /// <inheritdoc/>
    public override bool CanReserve => true;

    /// <summary>An empty tree.</summary>
    public static void MakeRoot(Span<byte> root) => Header(root, 0, InRoot, 0);

    private static void Header(Span<byte> node, int entries, int most, int depth)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(node, Magic);
        BinaryPrimitives.WriteUInt16LittleEndian(node[2..], (ushort)entries);
        BinaryPrimitives.WriteUInt16LittleEndian(node[4..], (ushort)most);
        BinaryPrimitives.WriteUInt16LittleEndian(node[6..], (ushort)depth);
        BinaryPrimitives.WriteUInt32LittleEndian(node[8..], 0);
    }

    private long Load(out List<Extent> extents)
    {
        extents = _extents ?? [];
        if (_extents is not null)
            return 0;
        _nodes.Clear();
        _dense = false;
        ReadOnlySpan<byte> root = Record.Block;
        int depth = BinaryPrimitives.ReadUInt16LittleEndian(root[6..]);
        if (depth > MostDepth)
            return Volume.Corrupt("an extent tree");
        long error = LoadNode(root, depth, InRoot, 0, 1L << 32, extents);
        if (error == 0)
            _extents = extents;
        return error;
    }

    private long LoadNode(ReadOnlySpan<byte> node, int depth, int most, long from, long end, List<Extent> extents)
    {
        int entries = BinaryPrimitives.ReadUInt16LittleEndian(node[2..]);
        if (BinaryPrimitives.ReadUInt16LittleEndian(node) != Magic || entries > most
            || BinaryPrimitives.ReadUInt16LittleEndian(node[4..]) > most || BinaryPrimitives.ReadUInt16LittleEndian(node[6..]) != depth
            || (entries == 0 && (depth > 0 || most != InRoot)))
            return Volume.Corrupt("an extent tree");
        byte[]? below = depth > 0 ? new byte[Volume.BlockSize] : null;
        for (int n = 0; n < entries; n++)
        {
            ReadOnlySpan<byte> entry = node.Slice(Entry * (n + 1), Entry);
            long logical = BinaryPrimitives.ReadUInt32LittleEndian(entry);
            if (logical < from || logical >= end)
                return Volume.Corrupt("an extent tree");
            if (depth == 0)
            {
                int length = BinaryPrimitives.ReadUInt16LittleEndian(entry[4..]);
                bool unwritten = length > MostLength;
                length -= unwritten ? MostLength : 0;
                long physical = BinaryPrimitives.ReadUInt32LittleEndian(entry[8..])
                    | (long)BinaryPrimitives.ReadUInt16LittleEndian(entry[6..]) << 32;
                if (length == 0 || logical + length > end || physical <= Volume.Super.FirstDataBlock
                    || physical + length > Volume.Super.Blocks)
                    return Volume.Corrupt("an extent");
                extents.Add(new Extent(logical, length, physical, unwritten));
                from = logical + length;
                continue;
            }
            long child = BinaryPrimitives.ReadUInt32LittleEndian(entry[4..])
                | (long)BinaryPrimitives.ReadUInt16LittleEndian(entry[8..]) << 32;
            long next = n + 1 < entries ? BinaryPrimitives.ReadUInt32LittleEndian(node[(Entry * (n + 2))..]) : end;
            if (next <= logical || next > end)
                return Volume.Corrupt("an extent tree");
            _nodes.Add(child);
            if (Volume.Read(child, 0, below) is < 0 and long error)
                return error;
            if (Volume.Super.HasMetadataChecksums && Checksum(below) != BinaryPrimitives.ReadUInt32LittleEndian(below.AsSpan(TailAt)))
            {
                Volume.Corrupt("an extent block's checksum");
                return -Errno.EBADMSG;
            }
            if (LoadNode(below, depth - 1, InBlock, logical, next, extents) is < 0 and long bad)
                return bad;
            from = next;
        }
        return 0;
    }

    private int TailAt => Entry + InBlock * Entry;

    private uint Checksum(ReadOnlySpan<byte> node) => Checksums.Crc32C(Record.Seed, node[..TailAt]);

    /// <summary>Writes the tree: 0, or an error with the old one in place; extents before <paramref name="first"/> are as they were.
    /// </summary>
    private long Store(List<Extent> extents, int first)
    {
        long error = WriteTree(extents, _dense ? first / InBlock : 0);
        // What was not written is forgotten; the disk has what there was.
        _extents = error == 0 ? extents : null;
        _dense = error == 0;
        return error;
    }

    private long WriteTree(List<Extent> extents, int firstLeaf)
    {
        var levels = new List<int>();
        for (int count = extents.Count; count > InRoot; count = levels[^1])
            levels.Add((count + InBlock - 1) / InBlock);
        if (levels.Count > MostDepth)
            return -Errno.ENOSPC;
        int needed = levels.Sum(), had = _nodes.Count;
        while (_nodes.Count < needed)
        {
            long error = Volume.Groups.Allocate(GoalOf(extents[0].Physical), 1, out long block, out _);
            if (error < 0)
            {
                for (; _nodes.Count > had; _nodes.RemoveAt(_nodes.Count - 1))
                    Volume.Groups.Free(_nodes[^1], 1);
                return error;
            }
            _nodes.Add(block);
        }
        Record.AddBlocks(needed - had);
        for (int n = needed; n < had; n++)
        {
            if (Volume.Groups.Free(_nodes[n], 1) is < 0 and long error)
                return error;
        }
        _nodes.RemoveRange(needed, _nodes.Count - needed);
        // The entries of the level above: where each node below begins, and where it lies.
        var above = new List<(long Logical, long Block)>();
        int used = 0;
        var bytes = new byte[Volume.BlockSize];
        for (int depth = 0; depth < levels.Count; depth++)
        {
            List<(long Logical, long Block)> below = above;
            above = [];
            int total = depth == 0 ? extents.Count : below.Count;
            for (int first = 0; first < total; first += InBlock)
            {
                int count = Math.Min(InBlock, total - first);
                bytes.AsSpan().Clear();
                Header(bytes, count, InBlock, depth);
                Fill(bytes, depth, extents, below, first, count);
                if (Volume.Super.HasMetadataChecksums)
                    BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(TailAt), Checksum(bytes));
                long block = _nodes[used++];
                if ((depth > 0 || first / InBlock >= firstLeaf) && Volume.Write(block, 0, bytes) is < 0 and long error)
                    return error;
                above.Add((depth == 0 ? extents[first].Logical : below[first].Logical, block));
            }
        }
        Span<byte> root = Record.Block;
        root.Clear();
        int inRoot = levels.Count == 0 ? extents.Count : above.Count;
        Header(root, inRoot, InRoot, levels.Count);
        Fill(root, levels.Count, extents, above, 0, inRoot);
        return 0;
    }

    private static void Fill(
        Span<byte> node, int depth, List<Extent> extents, List<(long Logical, long Block)> below, int first, int count)
    {
        for (int n = 0; n < count; n++)
        {
            Span<byte> entry = node.Slice(Entry * (n + 1), Entry);
            if (depth == 0)
            {
                Extent e = extents[first + n];
                BinaryPrimitives.WriteUInt32LittleEndian(entry, (uint)e.Logical);
                BinaryPrimitives.WriteUInt16LittleEndian(entry[4..], (ushort)(e.Length + (e.Unwritten ? MostLength : 0)));
                BinaryPrimitives.WriteUInt16LittleEndian(entry[6..], (ushort)(e.Physical >> 32));
                BinaryPrimitives.WriteUInt32LittleEndian(entry[8..], (uint)e.Physical);
            }
            else
            {
                BinaryPrimitives.WriteUInt32LittleEndian(entry, (uint)below[first + n].Logical);
                BinaryPrimitives.WriteUInt32LittleEndian(entry[4..], (uint)below[first + n].Block);
                BinaryPrimitives.WriteUInt16LittleEndian(entry[8..], (ushort)(below[first + n].Block >> 32));
            }
        }
    }

    /// <summary>Index of the last extent that begins at or before a block; -1: none.</summary>
    private static int Last(List<Extent> extents, long logical)
    {
        int low = 0, high = extents.Count;
        while (low < high)
        {
            int middle = (low + high) / 2;
            if (extents[middle].Logical <= logical)
                low = middle + 1;
            else
                high = middle;
        }
        return low - 1;
    }

    /// <inheritdoc/>
    public override long Find(long logical, out BlockState state, out long physical, out long count)
    {
        (state, physical, count) = (BlockState.Hole, 0, 1);
        if (Load(out List<Extent> extents) is < 0 and long error)
            return error;
        int at = Last(extents, logical);
        if (at >= 0 && extents[at] is var e && logical < e.End)
        {
            (state, physical, count) =
                (e.Unwritten ? BlockState.Unwritten : BlockState.Written, e.Physical + logical - e.Logical, e.End - logical);
            return 0;
        }
        count = (at + 1 < extents.Count ? extents[at + 1].Logical : 1L << 32) - logical;
        return count > 0 ? 0 : -Errno.EFBIG;
    }

    /// <inheritdoc/>
    public override long Allocate(long logical, int wanted, bool reserve, out long physical, out int count)
    {
        (physical, count) = (0, 0);
        if (Load(out List<Extent> extents) is < 0 and long error)
            return error;
        int at = Last(extents, logical);
        long goal = at >= 0 ? extents[at].Physical + (logical - extents[at].Logical) : Volume.Groups.GoalOf(Record.Number);
        if (at + 1 < extents.Count)
            wanted = (int)Math.Min(wanted, extents[at + 1].Logical - logical);
        if (Volume.Groups.Allocate(goal, Math.Min(wanted, MostLength - 1), out physical, out count) is < 0 and long full)
            return full;
        Insert(extents, at + 1, new Extent(logical, count, physical, reserve));
        error = Store(extents, Math.Max(at, 0));
        if (error < 0)
            Volume.Groups.Free(physical, count);
        else
            Record.AddBlocks(count);
        return error;
    }

    private static bool Join(List<Extent> extents, int first)
    {
        if (first < 0 || first + 1 >= extents.Count)
            return false;
        (Extent a, Extent b) = (extents[first], extents[first + 1]);
        if (a.End != b.Logical || a.Physical + a.Length != b.Physical || a.Unwritten != b.Unwritten
            || a.Length + b.Length > MostLength - (a.Unwritten ? 1 : 0))
            return false;
        extents[first] = a with { Length = a.Length + b.Length };
        extents.RemoveAt(first + 1);
        return true;
    }

    private static void Insert(List<Extent> extents, int at, Extent e)
    {
        extents.Insert(at, e);
        Join(extents, at);
        Join(extents, at - 1);
    }

    /// <inheritdoc/>
    public override long MarkWritten(long logical, long count)
    {
        if (Load(out List<Extent> extents) is < 0 and long error)
            return error;
        List<Extent> changed = extents;
        int first = Math.Max(Last(extents, logical) - 1, 0);
        for (long end = logical + count; logical < end;)
        {
            int at = Last(changed, logical);
            if (at < 0 || logical >= changed[at].End)
            {
                _extents = null;
                return Volume.Corrupt("an extent");
            }
            Extent e = changed[at];
            int length = (int)(Math.Min(end, e.End) - logical), before = (int)(logical - e.Logical);
            if (e.Unwritten)
            {
                changed.RemoveAt(at);
                if (e.End > logical + length)
                    changed.Insert(at, e with
                    {
                        Logical = logical + length,
                        Length = (int)(e.End - logical) - length,
                        Physical = e.Physical + before + length,
                    });
                Insert(changed, at, new Extent(logical, length, e.Physical + before, false));
                if (before > 0)
                    Insert(changed, Last(changed, e.Logical - 1) + 1, e with { Length = before });
            }
            logical += length;
        }
        return Store(changed, first);
    }

    /// <inheritdoc/>
    public override long Punch(long first, long end)
    {
        if (Load(out List<Extent> extents) is < 0 and long error)
            return error;
        var kept = new List<Extent>(extents.Count + 1);
        var gone = new List<(long Block, long Count)>();
        foreach (Extent e in extents)
        {
            long from = Math.Max(first, e.Logical), to = Math.Min(end, e.End);
            if (from >= to)
            {
                kept.Add(e);
                continue;
            }
            if (from > e.Logical)
                kept.Add(e with { Length = (int)(from - e.Logical) });
            if (to < e.End)
                kept.Add(new Extent(to, (int)(e.End - to), e.Physical + (to - e.Logical), e.Unwritten));
            gone.Add((e.Physical + from - e.Logical, to - from));
        }
        if (gone.Count == 0)
            return 0;
        error = Store(kept, Math.Max(Last(extents, first) - 1, 0));
        foreach ((long block, long count) in gone)
        {
            if (error == 0)
                error = Volume.Groups.Free(block, count);
            Record.AddBlocks(-count);
        }
        return error;
    }
}
