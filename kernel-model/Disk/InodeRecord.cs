using System.Buffers.Binary;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Disk;

/// <summary>An inode as the disk has it (struct ext4_inode; Documentation/filesystems/ext4, "Index Nodes"), and where attributes of the
/// file are kept.</summary>
internal sealed class InodeRecord : DiskRecord, IInodeStore
{
    public const uint IndexFlag = 0x1000, ExtentsFlag = 0x80000;
    private const uint HugeFlag = 0x40000, Foreign = 0x10000800 | 0x200000; // Inline data, encryption, attributes in inodes.
    private const int Base = 128, ExtentsRoot = 40;

    private readonly Volume _volume;
    private BlockMap? _map;

    private InodeRecord(Volume volume, uint number) : base(volume.Super.InodeSize) => (_volume, Number) = (volume, number);

    public uint Number { get; }

    public Volume Volume => _volume;

    private uint Mode => Half(0);

    public uint Flags
    {
        get => Word(32);
        set => Word(32, value);
    }

    public uint Generation => Word(100);

    /// <summary>The 60 bytes that name the file's blocks, a device's number, or a short link's target.</summary>
    public Span<byte> Block => Raw.AsSpan(ExtentsRoot, 60);

    /// <summary>Bytes of contents.</summary>
    public long Size
    {
        get => Word(4) | ((Mode & Modes.S_IFMT) is Modes.S_IFREG or Modes.S_IFDIR ? (long)Word(108) << 32 : 0);
        set
        {
            Word(4, (uint)value);
            if ((Mode & Modes.S_IFMT) is Modes.S_IFREG or Modes.S_IFDIR)
                Word(108, (uint)(value >> 32));
        }
    }

    private bool CountsBlocks => _volume.Super.HasHugeFiles && (Flags & HugeFlag) != 0;

    /// <summary>Units of 512 bytes that the file takes, with what describes them.</summary>
    public long Sectors
    {
        get
        {
            long count = Word(28) | (_volume.Super.HasHugeFiles ? (long)Half(116) << 32 : 0);
            return CountsBlocks ? count * (_volume.BlockSize >> 9) : count;
        }
    }

    /// <summary>Counts blocks that the file takes or gives back.</summary>
    public void AddBlocks(long count)
    {
        long now = Math.Max(Sectors + count * (_volume.BlockSize >> 9), 0);
        if (CountsBlocks)
            now /= _volume.BlockSize >> 9;
        Word(28, (uint)now);
        if (_volume.Super.HasHugeFiles)
            Half(116, (uint)(now >> 32));
    }

    /// <summary>Block with extended attributes; 0: none.</summary>
    private long AttributeBlock
    {
        get => Word(104) | (_volume.Super.HasBits64 ? (long)Half(118) << 32 : 0);
        set
        {
            Word(104, (uint)value);
            if (_volume.Super.HasBits64)
                Half(118, (uint)(value >> 32));
        }
    }

    /// <summary>Bytes of the fields beyond 128 that are there.</summary>
    private int ExtraSize => Raw.Length > Base ? (int)Half(Base) : 0;

    private bool HasField(int at) => at + 4 <= Base + ExtraSize;

    /// <summary>What the checksums of this inode's blocks start with.</summary>
    public uint Seed => Checksums.Crc32C(Checksums.Crc32C(_volume.Seed, Number), Generation);

    private uint Checksum()
    {
        (uint low, uint high) = (Half(124), HasField(128) ? Half(130) : 0);
        Half(124, 0);
        if (HasField(128))
            Half(130, 0);
        uint crc = Checksums.Crc32C(Seed, Raw);
        Half(124, low);
        if (HasField(128))
            Half(130, high);
        return crc;
    }

    /// <summary>Reads an inode: 0, -EUCLEAN, -EBADMSG, -EIO.</summary>
    public static long Read(Volume volume, uint number, out InodeRecord? record)
    {
        record = null;
        var read = new InodeRecord(volume, number);
        if (volume.Groups.Locate(number, out long block, out int offset) is < 0 and long error
            || (error = volume.Read(block, offset, read.Raw)) < 0)
            return error;
        // A name of a file that was deleted, or of nothing.
        if (read.Mode == 0 || read.Half(26) == 0)
            return volume.Corrupt("a link to a deleted inode");
        if (read.Raw.Length > Base && (read.ExtraSize > read.Raw.Length - Base || (read.ExtraSize & 3) != 0))
            return volume.Corrupt("an inode's size");
        if (volume.Super.HasMetadataChecksums)
        {
            uint crc = read.Checksum();
            if (read.Half(124) != (ushort)crc || (read.HasField(128) && read.Half(130) != crc >> 16))
            {
                volume.Corrupt("an inode's checksum");
                return -Errno.EBADMSG;
            }
        }
        if ((read.Flags & Foreign) != 0 || (read.Flags & ExtentsFlag) != 0 && !volume.Super.HasExtents || read.Size < 0)
            return volume.Corrupt("an inode");
        record = read;
        return 0;
    }

    /// <summary>Whether an inode is in use, and still the one of a generation.</summary>
    public static bool Exists(Volume volume, uint number, uint generation)
    {
        var read = new InodeRecord(volume, number);
        return volume.Groups.Locate(number, out long block, out int offset) == 0 && volume.Read(block, offset, read.Raw) == 0
            && read.Mode != 0 && read.Half(26) != 0 && read.Generation == generation;
    }

    /// <inheritdoc/>
    public long? BirthTime => HasField(144) ? Time(144, 148) : null;

    /// <inheritdoc/>
    public uint MoreFlags => Flags & (IndexFlag | ExtentsFlag | HugeFlag);

    /// <inheritdoc/>
    public long NextExtent(long start, long end, out FileExtent? extent)
    {
        const uint unwritten = 0x800, merged = 0x1000;
        const int mostRuns = 1 << 20;
        extent = null;
        if (!HasBlocks)
            return 0;
        int size = _volume.BlockSize, steps = 0;
        long first = start / size, limit = Math.Min((end - 1) / size + 1, (Map.MaxSize + size - 1) / size);
        for (long at = first; at < limit;)
        {
            // A tree that goes in circles has no end.
            if (++steps > mostRuns)
                return _volume.Corrupt("a file's blocks");
            if (Map.Find(at, out BlockState state, out long physical, out long count) is < 0 and long error)
                return error;
            count = Math.Min(count, limit - at);
            if (state != BlockState.Hole)
            {
                uint flags = (state == BlockState.Unwritten ? unwritten : 0) | ((Flags & ExtentsFlag) == 0 ? merged : 0);
                extent = new FileExtent(at * size, physical * size, count * size, flags);
                return 0;
            }
            at += count;
        }
        return 0;
    }

    /// <summary>An inode of a new file; what was there before is gone.</summary>
    public static InodeRecord Make(Volume volume, uint number, uint mode, uint rdev)
    {
        var made = new InodeRecord(volume, number);
        made.Half(0, mode);
        if (volume.Super.InodeSize > Base)
            made.Half(Base, (uint)Math.Clamp(volume.Super.WantedExtraSize, 28, volume.Super.InodeSize - Base));
        made.Word(100, unchecked(number * 2654435761u));
        uint type = mode & Modes.S_IFMT;
        if (volume.Super.HasExtents && type is Modes.S_IFREG or Modes.S_IFDIR or Modes.S_IFLNK)
        {
            made.Flags = ExtentsFlag;
            ExtentMap.MakeRoot(made.Block);
        }
        else if (type is Modes.S_IFCHR or Modes.S_IFBLK)
        {
            bool old = (rdev & ~0xFFFFu) == 0;
            BinaryPrimitives.WriteUInt32LittleEndian(made.Block[(old ? 0 : 4)..], rdev);
        }
        (uint low, uint high) = made.Stamp(volume.Fs.Vfs.NowRealtime);
        if (made.HasField(144))
            made.Word(144, low);
        if (made.HasField(148))
            made.Word(148, high);
        return made;
    }

    /// <summary>The blocks of the file.</summary>
    public BlockMap Map => _map ??= (Flags & ExtentsFlag) != 0 ? new ExtentMap(this) : new IndirectMap(this);

    /// <summary>The file: 0, -EUCLEAN.</summary>
    public long MakeInode(out Inode? inode)
    {
        FileSystem fs = _volume.Fs;
        uint rdev = BinaryPrimitives.ReadUInt32LittleEndian(Block);
        if (rdev == 0)
            rdev = BinaryPrimitives.ReadUInt32LittleEndian(Block[4..]);
        inode = (Mode & Modes.S_IFMT) switch
        {
            Modes.S_IFREG => new DiskFile(this, Mode) { Ino = Number },
            Modes.S_IFDIR => new DiskDirectory(this, Mode) { Ino = Number },
            Modes.S_IFLNK => new DiskLink(this, Mode) { Ino = Number },
            Modes.S_IFIFO => new FifoInode(fs, Mode & 0xFFF) { Ino = Number },
            Modes.S_IFSOCK => new SocketInode(fs, Mode & 0xFFF) { Ino = Number },
            Modes.S_IFCHR or Modes.S_IFBLK => new DeviceInode(fs, Mode, rdev) { Ino = Number },
            _ => null,
        };
        if (inode is null)
            return _volume.Corrupt("a file's type");
        inode.Uid = Half(2) | Half(120) << 16;
        inode.Gid = Half(24) | Half(122) << 16;
        inode.Nlink = Half(26);
        inode.Flags = Flags & _volume.SettableFlags;
        inode.Atime = Time(8, 140);
        inode.Ctime = Time(12, 132);
        inode.Mtime = Time(16, 136);
        inode.Store = this;
        return 0;
    }

    /// <summary>Nanoseconds since 1970: seconds as a signed word, two bits above them and nanoseconds where there is room.</summary>
    private long Time(int at, int extra)
    {
        long seconds = (int)Word(at);
        if (!HasField(extra))
            return seconds * 1_000_000_000;
        uint more = Word(extra);
        return (seconds + ((long)(more & 3) << 32)) * 1_000_000_000 + Math.Min(more >> 2, 999_999_999);
    }

    private (uint Low, uint Extra) Stamp(long ns)
    {
        (long seconds, long rest) = Math.DivRem(ns, 1_000_000_000);
        if (rest < 0)
            (seconds, rest) = (seconds - 1, rest + 1_000_000_000);
        // Without the two bits a time is clamped, as s_time_min and s_time_max say.
        seconds = Math.Clamp(seconds, int.MinValue, Raw.Length > Base ? int.MaxValue + (3L << 32) : int.MaxValue);
        long epoch = (seconds - (int)(uint)seconds) >> 32;
        return ((uint)seconds, (uint)(epoch & 3) | (uint)rest << 2);
    }

    private void Time(long ns, int at, int extra)
    {
        (uint low, uint more) = Stamp(ns);
        Word(at, low);
        if (HasField(extra))
            Word(extra, more);
    }

    /// <inheritdoc/>
    public void Changed(Inode inode)
    {
        if (Save(inode) is < 0 and long error)
            _volume.Failed(error);
    }

    /// <summary>Writes the inode with the attributes of its file.</summary>
    public long Save(Inode inode)
    {
        Half(0, inode.Mode);
        Half(2, inode.Uid);
        Half(120, inode.Uid >> 16);
        Half(24, inode.Gid);
        Half(122, inode.Gid >> 16);
        Half(26, inode.Nlink);
        Flags = (Flags & ~_volume.SettableFlags) | (inode.Flags & _volume.SettableFlags);
        Time(inode.Atime, 8, 140);
        Time(inode.Ctime, 12, 132);
        Time(inode.Mtime, 16, 136);
        return Write();
    }

    private long Write()
    {
        if (_volume.Super.HasMetadataChecksums)
        {
            uint crc = Checksum();
            Half(124, crc);
            if (HasField(128))
                Half(130, crc >> 16);
        }
        return _volume.Groups.Locate(Number, out long block, out int offset) is < 0 and long error ? error
            : _volume.Write(block, offset, Raw);
    }

    /// <inheritdoc/>
    public void Freed(Inode inode)
    {
        bool directory = inode.IsDirectory;
        if (_volume.ReadOnly)
            return;
        inode.FreedGeneration = Generation;
        inode.Store = null;
        long error = HasBlocks ? Map.Truncate(0) : 0;
        if (error == 0)
            error = DropAttributeBlock();
        Size = 0;
        Half(26, 0);
        Word(20, (uint)(_volume.Fs.Vfs.NowRealtime / 1_000_000_000));
        if (error == 0)
            error = Write();
        if (error == 0)
            error = _volume.Groups.FreeInode(Number, directory);
        if (error < 0)
            _volume.Failed(error);
        _volume.Forget(Number);
    }

    /// <summary>Whether <see cref="Block"/> names blocks: not a device's number, nor a link that lies in it.</summary>
    private bool HasBlocks => (Mode & Modes.S_IFMT) switch
    {
        Modes.S_IFREG or Modes.S_IFDIR => true,
        Modes.S_IFLNK => !IsFastLink,
        _ => false,
    };

    /// <summary>A link whose target lies in the inode: it has no blocks but for attributes.</summary>
    public bool IsFastLink => Size < 60 && Sectors <= (AttributeBlock != 0 ? _volume.BlockSize >> 9 : 0);

    private long DropAttributeBlock()
    {
        if (AttributeBlock is not (not 0 and var block))
            return 0;
        long error = AttributeBlocks.Release(_volume, block);
        if (error < 0)
            return error;
        AttributeBlock = 0;
        AddBlocks(-1);
        return 0;
    }

    /// <inheritdoc/>
    public SortedDictionary<string, byte[]>? ReadAttributes()
    {
        var all = new SortedDictionary<string, byte[]>(StringComparer.Ordinal);
        int start = Base + ExtraSize;
        long error = Raw.Length >= start + 8 && ExtraSize > 0 && Word(start) == AttributeBlocks.Magic
            ? AttributeBlocks.Parse(Raw.AsSpan(start + 4), 0, all) : 0;
        if (error == 0 && AttributeBlock is not 0 and var block)
            error = AttributeBlocks.Read(_volume, block, all);
        if (error < 0)
            _volume.Corrupt("extended attributes");
        return all.Count == 0 ? null : all;
    }

    /// <inheritdoc/>
    public long WriteAttributes(Inode inode, SortedDictionary<string, byte[]> attributes)
    {
        // All of them go to the block: the end of the inode is cleared, and a block that others share is left to them.
        byte[]? bytes = null;
        if (attributes.Count > 0 && AttributeBlocks.Make(_volume, attributes, out bytes) is < 0 and long full)
            return full;
        long block = 0;
        if (bytes is not null)
        {
            long error = _volume.Groups.Allocate(_volume.Groups.GoalOf(Number), 1, out block, out _);
            if (error == 0)
                error = AttributeBlocks.Write(_volume, block, bytes);
            if (error < 0)
                return error;
        }
        if (DropAttributeBlock() is < 0 and long bad)
            return bad;
        if (ExtraSize > 0)
            Raw.AsSpan(Base + ExtraSize).Clear();
        if (block != 0)
        {
            AttributeBlock = block;
            AddBlocks(1);
        }
        return Save(inode);
    }

    /// <summary>Makes a new file of a type in a directory: what all types need, and what each begins with.</summary>
    public static long Create(Volume volume, Inode parent, uint mode, Credentials owner, uint rdev, string? target, out Inode? node)
    {
        node = null;
        bool directory = (mode & Modes.S_IFMT) == Modes.S_IFDIR;
        if ((parent.Mode & Modes.S_ISGID) != 0 && directory)
            mode |= Modes.S_ISGID;
        if ((mode & Modes.S_IFMT) == Modes.S_IFLNK)
            mode = Modes.S_IFLNK | 0x1FF;
        long error = volume.Groups.AllocateInode((uint)parent.Ino, directory, out uint number);
        if (error < 0)
            return error;
        InodeRecord record = Make(volume, number, mode, rdev);
        error = record.MakeInode(out node);
        if (error < 0)
            return error;
        node!.Store = null;
        node.Uid = owner.Fsuid;
        node.Gid = (parent.Mode & Modes.S_ISGID) != 0 ? parent.Gid : owner.Fsgid;
        node.Nlink = directory ? 2u : 1;
        node.Atime = node.Mtime = node.Ctime = volume.Fs.Vfs.NowRealtime;
        node.Store = record;
        volume.Know(number, node);
        error = node switch
        {
            DiskDirectory made => made.Begin(parent),
            DiskLink link => link.Fill(target!),
            _ => record.Save(node),
        };
        if (error == 0)
        {
            if (node is SocketInode)
                volume.Hold(number, node);
            return 0;
        }
        Discard(node);
        node = null;
        return error;
    }

    /// <summary>Takes a new file back that could not be given a name.</summary>
    public static void Discard(Inode node)
    {
        IInodeStore? store = node.Store;
        node.Store = null;
        node.Nlink = 0;
        store?.Freed(node);
    }
}
