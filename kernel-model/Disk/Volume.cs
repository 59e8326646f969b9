using System.Buffers.Binary;
using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Disk;

/// <summary>A mounted file system of the ext2 family (fs/ext4/super.c): reads and writes of blocks, and the inodes that are known. What is
/// done is on the device when the call that does it returns; shared mappings alone are written back later. What a journal
/// has left is done first (<see cref="Journal"/>); nothing is written to it.</summary>
internal sealed class Volume : IDisk
{
    public const uint RootInode = 2;

    private readonly Dictionary<uint, WeakReference<Inode>> _known = [];

    /// <summary>Inodes that must not be forgotten, since what they are is not on the device alone: sockets with a name, pages that are
    /// mapped.</summary>
    private readonly Dictionary<uint, Inode> _held = [];

    private readonly long _overhead;
    private int _sweepAt = 1024;
    private long _writeError;
    private bool _told, _gone, _clean;

    public Volume(Vfs vfs, LoopDevice device, string type, Superblock super, bool readOnly)
    {
        (Device, Super, ReadOnly) = (device, super, readOnly);
        Seed = super.Seed;
        Fs = new FileSystem(vfs, type, LoopDevices.Major << 8 | (uint)device.Number, Ext4Formats.Magic) { Disk = this };
        Groups = new BlockGroups(this);
        _overhead = Groups.Overhead;
    }

    public LoopDevice Device { get; }

    public Superblock Super { get; }

    public FileSystem Fs { get; }

    public BlockGroups Groups { get; }

    public bool ReadOnly { get; private set; }

    /// <summary>What checksums of metadata start with.</summary>
    public uint Seed { get; }

    public int BlockSize => Super.BlockSize;

    /// <summary>Who may take the last blocks: root, and who the superblock names.</summary>
    public bool MayUseReserve => Fs.Vfs.Current?.Credentials is not { } who || who.Has(Capability.SysResource)
        || who.Fsuid == Super.ReservedUser || (Super.ReservedGroup != 0 && who.InGroup(Super.ReservedGroup));

    public DiskSpace Space => new(
        BlockSize, Math.Max(Super.Blocks - _overhead, 0), Super.FreeBlocks, Math.Max(Super.FreeBlocks - Super.ReservedBlocks, 0),
        Super.Inodes, Super.FreeInodes,
        BinaryPrimitives.ReadUInt64LittleEndian(Super.Uuid) ^ BinaryPrimitives.ReadUInt64LittleEndian(Super.Uuid[8..]));

    private uint Seconds => (uint)(Fs.Vfs.NowRealtime / 1_000_000_000);

    /// <summary>Says once that the file system is damaged: -EUCLEAN.</summary>
    public long Corrupt(string what)
    {
        if (!_told)
            Fs.Vfs.Host?.Log($"{Fs.Type}-fs ({Device.DeviceName}): {what} is wrong; EUCLEAN from here on for what depends on it");
        _told = true;
        return -Errno.EUCLEAN;
    }

    /// <summary>Reads a part of a block: 0, -EUCLEAN where there is no such block, -EIO.</summary>
    public long Read(long block, int offset, Span<byte> target)
    {
        if (_gone)
            return -Errno.EIO;
        if (block < Super.FirstDataBlock || block >= Super.Blocks)
            return Corrupt("a block number");
        return Device.Read(target, block * BlockSize + offset) == target.Length ? 0 : -Errno.EIO;
    }

    /// <summary>Writes a part of a block: 0, -EUCLEAN, -EROFS, -EIO.</summary>
    public long Write(long block, int offset, ReadOnlySpan<byte> data)
    {
        if (_gone)
            return -Errno.EIO;
        if (ReadOnly)
            return -Errno.EROFS;
        if (block < Super.FirstDataBlock || block >= Super.Blocks)
            return Corrupt("a block number");
        if (Device.Write(data, block * BlockSize + offset) == data.Length)
            return 0;
        return _writeError = -Errno.EIO;
    }

    /// <summary>Fills blocks with zeros.</summary>
    public long Clear(long block, long count)
    {
        Span<byte> zeros = new byte[BlockSize];
        for (long n = 0; n < count; n++)
        {
            if (Write(block + n, 0, zeros) is < 0 and long error)
                return error;
        }
        return 0;
    }

    /// <summary>Writes the superblock.</summary>
    public long WriteSuper()
    {
        if (ReadOnly || _gone)
            return -Errno.EROFS;
        return Device.Write(Super.Bytes(Seconds), Superblock.Position) == Superblock.Length ? 0 : _writeError = -Errno.EIO;
    }

    /// <summary>What could not be told when it happened is told by the next sync.</summary>
    public void Failed(long error)
    {
        if (error != -Errno.EROFS)
            _writeError = -Errno.EIO;
    }

    /// <summary>The file of an inode number: 0, -EUCLEAN, -EIO, -EBADMSG.</summary>
    public long Find(uint number, out Inode? inode)
    {
        inode = null;
        if (_held.TryGetValue(number, out inode) || (_known.TryGetValue(number, out WeakReference<Inode>? known)
            && known.TryGetTarget(out inode)))
            return 0;
        if (number != RootInode && number < Super.FirstInode)
            return Corrupt("an inode number");
        long error = InodeRecord.Read(this, number, out InodeRecord? record);
        if (error == 0)
            error = record!.MakeInode(out inode);
        if (error == 0)
            Know(number, inode!);
        return error;
    }

    /// <summary>EXT4_FL_USER_MODIFIABLE without what changes contents (extents, journalling of data, inline data, projects).</summary>
    public uint SettableFlags => 0x000380FF;

    public uint GenerationOf(Inode inode) => inode.Store is InodeRecord record ? record.Generation : inode.FreedGeneration;

    public Inode? Find(uint number, uint generation) =>
        _known.TryGetValue(number, out WeakReference<Inode>? known) && known.TryGetTarget(out Inode? open) && open.OpenCount > 0
            ? GenerationOf(open) == generation ? open : null
        : (number == RootInode || number >= Super.FirstInode) && number <= Super.Inodes && InodeRecord.Exists(this, number, generation)
        && Find(number, out Inode? inode) == 0 ? inode : null;

    /// <summary>A file that is new.</summary>
    public void Know(uint number, Inode inode)
    {
        _known[number] = new WeakReference<Inode>(inode);
        if (_known.Count < _sweepAt)
            return;
        foreach (uint gone in _known.Where(k => !k.Value.TryGetTarget(out _)).Select(k => k.Key).ToArray())
            _known.Remove(gone);
        _sweepAt = Math.Max(1024, 2 * _known.Count);
    }

    /// <summary>Keeps a file from being forgotten, or lets it be.</summary>
    public void Hold(uint number, Inode? inode)
    {
        if (inode is null)
            _held.Remove(number);
        else
            _held[number] = inode;
    }

    /// <summary>A file is gone from the disk.</summary>
    public void Forget(uint number)
    {
        _known.Remove(number);
        _held.Remove(number);
    }

    public long Sync()
    {
        long error = 0;
        foreach (Inode inode in _held.Values.ToArray())
            error = Math.Min(error, inode.SyncMapped());
        (error, _writeError) = (Math.Min(error, _writeError), 0);
        return error;
    }

    /// <summary>The file system is written from now on.</summary>
    public long BeginWriting()
    {
        ReadOnly = false;
        _clean = (Super.State & Superblock.ValidState) != 0;
        Super.CountMount(Seconds);
        return WriteSuper();
    }

    private void EndWriting()
    {
        if (ReadOnly)
            return;
        Sync();
        // One that was not clean, or is damaged, stays so for fsck.
        if (_clean && !_told)
            Super.State |= Superblock.ValidState;
        WriteSuper();
        ReadOnly = true;
    }

    public long Remount(bool readOnly, IEnumerable<(string Key, string? Value)> options)
    {
        if (Ext4Formats.Check(options) is < 0 and long error)
            return error;
        if (readOnly == ReadOnly)
            return 0;
        if (readOnly)
        {
            EndWriting();
            return 0;
        }
        return Device.ReadOnly || !Super.IsWritable ? -Errno.EROFS : BeginWriting();
    }

    public void Unmount()
    {
        EndWriting();
        _gone = true;
    }
}
