namespace ArmVdso.Kernel.Disk;

/// <summary>What lies at a place of a file.</summary>
internal enum BlockState
{
    /// <summary>Nothing: it reads as zeros.</summary>
    Hole,

    /// <summary>A block with contents.</summary>
    Written,

    /// <summary>A block that was reserved: it reads as zeros.</summary>
    Unwritten,
}

/// <summary>Which blocks of the disk a file has. Errors are -EUCLEAN for what cannot be, -ENOSPC, -EIO, -EROFS.</summary>
internal abstract class BlockMap(InodeRecord record)
{
    protected InodeRecord Record => record;

    protected Volume Volume => record.Volume;

    /// <summary>Most bytes that a file can have.</summary>
    public abstract long MaxSize { get; }

    /// <summary>What lies at a block of the file.</summary>
    /// <param name="logical">Number of the block in the file.</param>
    /// <param name="state">What is there.</param>
    /// <param name="physical">Block of the disk; 0 for a hole.</param>
    /// <param name="count">How many blocks from there on go on in the same way; at least 1.</param>
    public abstract long Find(long logical, out BlockState state, out long physical, out long count);

    /// <summary>Takes blocks for a hole: as many in a row as there are, at least one and at most <paramref name="wanted"/>.</summary>
    /// <param name="logical">First block of the file, a hole.</param>
    /// <param name="wanted">Blocks of the hole that shall be filled.</param>
    /// <param name="reserve">They are unwritten at first (fallocate).</param>
    /// <param name="physical">First block of the disk.</param>
    /// <param name="count">Blocks that there are.</param>
    public abstract long Allocate(long logical, int wanted, bool reserve, out long physical, out int count);

    /// <summary>Reserved blocks have contents from now on.</summary>
    public virtual long MarkWritten(long logical, long count) => 0;

    /// <summary>Gives all blocks from one on back.</summary>
    public long Truncate(long first) => Punch(first, long.MaxValue);

    /// <summary>Gives a range of blocks back.</summary>
    public abstract long Punch(long first, long end);

    /// <summary>Whether blocks can be reserved.</summary>
    public virtual bool CanReserve => false;

    /// <summary>A block near which the next one should lie.</summary>
    protected long GoalOf(long before) => before > 0 ? before + 1 : Volume.Groups.GoalOf(record.Number);
}
