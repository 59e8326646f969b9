using System.Buffers.Binary;
using System.Text;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Disk;

/// <summary>A directory of a disk: blocks of names, looked through from the first to the last (fs/ext4/dir.c, namei.c;
/// Documentation/filesystems/ext4, "Directory Entries"). An index of hashes that a directory has is read as what it looks like to those
/// who do not know it, and is given up by the first change, as ext2 does.</summary>
internal sealed class DiskDirectory : DirectoryInode
{
    /// <summary>Bytes of names at most: what a listing takes of the host.</summary>
    private const long MostBytes = 16 << 20;

    private const int Header = 8, TailLength = 12;
    private const byte TailType = 0xDE;
    private readonly InodeRecord _record;

    public DiskDirectory(InodeRecord record, uint mode) : base(record.Volume.Fs, mode) => _record = record;

    private Volume Volume => _record.Volume;

    private int BlockSize => Volume.BlockSize;

    public override long Size => _record.Size;

    public override long Blocks => _record.Sectors;

    internal override bool HasFlags => true;

    /// <summary>Where the entries of a block end; what follows is its checksum.</summary>
    private int End => BlockSize - (Volume.Super.HasMetadataChecksums ? TailLength : 0);

    private static int Needed(int nameLength) => (Header + nameLength + 3) & ~3;

    private static uint InodeAt(ReadOnlySpan<byte> block, int at) => BinaryPrimitives.ReadUInt32LittleEndian(block[at..]);

    private static int LengthAt(ReadOnlySpan<byte> block, int at) => BinaryPrimitives.ReadUInt16LittleEndian(block[(at + 4)..]);

    private static void SetLength(Span<byte> block, int at, int length) =>
        BinaryPrimitives.WriteUInt16LittleEndian(block[(at + 4)..], (ushort)length);

    private static ReadOnlySpan<byte> NameAt(ReadOnlySpan<byte> block, int at) => block.Slice(at + Header, block[at + 6]);

    private void Put(Span<byte> block, int at, uint inode, ReadOnlySpan<byte> name, uint mode)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(block[at..], inode);
        block[at + 6] = (byte)name.Length;
        block[at + 7] = Volume.Super.HasFileTypes ? TypeOf(mode) : (byte)0;
        name.CopyTo(block[(at + Header)..]);
    }

    /// <summary>File types of entries: regular 1, directory 2, character 3, block 4, FIFO 5, socket 6, link 7.</summary>
    private static byte TypeOf(uint mode) => (mode & Modes.S_IFMT) switch
    {
        Modes.S_IFREG => 1,
        Modes.S_IFDIR => 2,
        Modes.S_IFCHR => 3,
        Modes.S_IFBLK => 4,
        Modes.S_IFIFO => 5,
        Modes.S_IFSOCK => 6,
        _ => 7,
    };

    private static readonly byte[] s_directoryTypes = [0, 8, 4, 2, 6, 1, 12, 10];

    private uint Checksum(ReadOnlySpan<byte> block) => Checksums.Crc32C(_record.Seed, block[..End]);

    /// <summary>Reads a block of names and checks each: 0, -EUCLEAN, -EBADMSG, -EIO.</summary>
    private long ReadBlock(long logical, Span<byte> block, out long physical)
    {
        long error = _record.Map.Find(logical, out BlockState state, out physical, out _);
        if (error < 0)
            return error;
        if (state != BlockState.Written)
            return Volume.Corrupt("a directory with a hole");
        if (Volume.Read(physical, 0, block) is < 0 and long unread)
            return unread;
        int at = 0;
        while (at < BlockSize)
        {
            int length = at > BlockSize - Header ? 0 : LengthAt(block, at);
            if (length < Header + 4 || (length & 3) != 0 || at + length > BlockSize || Needed(block[at + 6]) > length
                || InodeAt(block, at) > Volume.Super.Inodes)
                return Volume.Corrupt("a directory entry");
            at += length;
        }
        // Nodes of an index have their checksum elsewhere, and nothing to be found in them but . and .. of the first.
        if (!Volume.Super.HasMetadataChecksums || !HasTail(block))
            return 0;
        if (BinaryPrimitives.ReadUInt32LittleEndian(block[(BlockSize - 4)..]) == Checksum(block))
            return 0;
        Volume.Corrupt("a directory's checksum");
        return -Errno.EBADMSG;
    }

    private bool HasTail(ReadOnlySpan<byte> block)
    {
        int at = BlockSize - TailLength;
        return InodeAt(block, at) == 0 && LengthAt(block, at) == TailLength && block[at + 6] == 0 && block[at + 7] == TailType;
    }

    private long WriteBlock(long physical, Span<byte> block)
    {
        if (Volume.Super.HasMetadataChecksums)
        {
            int at = BlockSize - TailLength;
            block[at..].Clear();
            SetLength(block, at, TailLength);
            block[at + 7] = TailType;
            BinaryPrimitives.WriteUInt32LittleEndian(block[(BlockSize - 4)..], Checksum(block));
        }
        return Volume.Write(physical, 0, block);
    }

    private long BlockCount => Size / BlockSize;

    private bool IsDead => Nlink == 0;

    private long CheckSize() => Size > MostBytes || Size % BlockSize != 0 ? Volume.Corrupt("a directory's size") : 0;

    /// <summary>Where a name is.</summary>
    /// <param name="name">The name.</param>
    /// <param name="block">Bytes of the block that has it.</param>
    /// <param name="physical">Its place.</param>
    /// <param name="at">Offset of the entry.</param>
    /// <param name="before">Offset of the entry before it in the block; -1: none.</param>
    /// <returns>0, -ENOENT, -EUCLEAN and the like.</returns>
    private long Search(string name, out byte[] block, out long physical, out int at, out int before)
    {
        block = new byte[BlockSize];
        (physical, at, before) = (0, 0, -1);
        if (CheckSize() is < 0 and long bad)
            return bad;
        Span<byte> wanted = stackalloc byte[255];
        wanted = wanted[..Encoding.Latin1.GetBytes(name, wanted)];
        for (long n = 0; n < BlockCount; n++)
        {
            if (ReadBlock(n, block, out physical) is < 0 and long error)
                return error;
            before = -1;
            for (at = 0; at < BlockSize; at += LengthAt(block, at))
            {
                if (InodeAt(block, at) != 0 && NameAt(block, at).SequenceEqual(wanted))
                    return 0;
                before = at;
            }
        }
        return -Errno.ENOENT;
    }

    public override long Lookup(string name, out Inode? child)
    {
        child = null;
        if (IsDead)
            return -Errno.ENOENT;
        long error = Search(name, out byte[] block, out _, out int at, out _);
        if (error == 0)
            error = Volume.Find(InodeAt(block, at), out child);
        if (error < 0)
            return error;
        // A directory lies in one place, and never below itself.
        if (child!.IsDirectory && Vfs.IsWithin(this, child))
        {
            child = null;
            return Volume.Corrupt("a directory below itself");
        }
        child.Parent = this;
        child.Name = name;
        return 0;
    }

    public override IReadOnlyList<DirectoryEntry> List()
    {
        var list = new List<DirectoryEntry>();
        if (IsDead || CheckSize() < 0)
            return list;
        var block = new byte[BlockSize];
        var seen = new HashSet<long>();
        for (long n = 0; n < BlockCount && ReadBlock(n, block, out long physical) == 0; n++)
        {
            if (!seen.Add(physical))
            {
                Volume.Corrupt("a directory's blocks");
                break;
            }
            for (int at = 0; at < BlockSize; at += LengthAt(block, at))
            {
                ReadOnlySpan<byte> name = NameAt(block, at);
                if (InodeAt(block, at) == 0 || name.Length == 0 || name is [(byte)'.'] or [(byte)'.', (byte)'.'])
                    continue;
                byte kind = Volume.Super.HasFileTypes ? block[at + 7] : (byte)0;
                byte type = kind < s_directoryTypes.Length ? s_directoryTypes[kind] : (byte)0;
                list.Add(new DirectoryEntry(Encoding.Latin1.GetString(name), InodeAt(block, at), type));
            }
        }
        return list;
    }

    /// <summary>The first block of a new directory.</summary>
    public long Begin(Inode parent)
    {
        long error = _record.Map.Allocate(0, 1, false, out long physical, out _);
        if (error < 0)
            return error;
        Span<byte> block = new byte[BlockSize];
        Put(block, 0, _record.Number, "."u8, Modes.S_IFDIR);
        SetLength(block, 0, Needed(1));
        Put(block, Needed(1), (uint)parent.Ino, ".."u8, Modes.S_IFDIR);
        SetLength(block, Needed(1), End - Needed(1));
        error = WriteBlock(physical, block);
        _record.Size = BlockSize;
        long saved = _record.Save(this);
        return error < 0 ? error : saved;
    }

    /// <summary>Gives an index up: its nodes become blocks of names (ext2 and ext4 without dir_index clear the flag as well).</summary>
    private long DropIndex()
    {
        if ((_record.Flags & InodeRecord.IndexFlag) == 0)
            return 0;
        var block = new byte[BlockSize];
        for (long n = 0; n < BlockCount; n++)
        {
            if (ReadBlock(n, block, out long physical) is < 0 and long error)
                return error;
            int first = LengthAt(block, 0);
            bool root = n == 0 && first < BlockSize && first + LengthAt(block, first) == BlockSize;
            bool node = n > 0 && InodeAt(block, 0) == 0 && first == BlockSize;
            if (!root && !node)
                continue;
            SetLength(block, root ? first : 0, root ? End - first : End);
            if (node)
                block.AsSpan(Header).Clear();
            if (WriteBlock(physical, block) is < 0 and long failed)
                return failed;
        }
        _record.Flags &= ~InodeRecord.IndexFlag;
        return 0;
    }

    /// <summary>Adds a name: 0, -ENOSPC, -EUCLEAN, -EIO.</summary>
    private long Add(string name, uint inode, uint mode)
    {
        if (CheckSize() is < 0 and long bad)
            return bad;
        if (DropIndex() is < 0 and long indexed)
            return indexed;
        byte[] bytes = Encoding.Latin1.GetBytes(name);
        int needed = Needed(bytes.Length);
        var block = new byte[BlockSize];
        for (long n = 0; n < BlockCount; n++)
        {
            if (ReadBlock(n, block, out long physical) is < 0 and long error)
                return error;
            for (int at = 0; at < End; at += LengthAt(block, at))
            {
                int used = InodeAt(block, at) == 0 ? 0 : Needed(block[at + 6]), length = Math.Min(LengthAt(block, at), End - at);
                if (length - used < needed)
                    continue;
                if (used > 0)
                {
                    SetLength(block, at, used);
                    SetLength(block, at + used, length - used);
                }
                Put(block, at + used, inode, bytes, mode);
                return WriteBlock(physical, block);
            }
        }
        if (Size >= MostBytes)
            return -Errno.ENOSPC;
        if (_record.Map.Allocate(BlockCount, 1, false, out long made, out _) is < 0 and long full)
            return full;
        block.AsSpan().Clear();
        SetLength(block, 0, End);
        Put(block, 0, inode, bytes, mode);
        _record.Size += BlockSize;
        return WriteBlock(made, block);
    }

    /// <summary>Takes a name out: the entry before it takes its room.</summary>
    private long Erase(string name)
    {
        if (DropIndex() is < 0 and long indexed)
            return indexed;
        if (Search(name, out byte[] block, out long physical, out int at, out int before) is < 0 and long error)
            return error;
        if (before >= 0)
            SetLength(block, before, LengthAt(block, before) + LengthAt(block, at));
        else
            BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(at), 0);
        return WriteBlock(physical, block);
    }

    /// <summary>Lets a name lead to another file.</summary>
    private long Replace(string name, Inode node)
    {
        if (DropIndex() is < 0 and long indexed)
            return indexed;
        if (Search(name, out byte[] block, out long physical, out int at, out _) is < 0 and long error)
            return error;
        BinaryPrimitives.WriteUInt32LittleEndian(block.AsSpan(at), (uint)node.Ino);
        if (Volume.Super.HasFileTypes)
            block[at + 7] = TypeOf(node.Mode);
        return WriteBlock(physical, block);
    }

    private uint MostLinks => Volume.Super.HasExtents || Volume.Super.HasManyDirectories ? 65000u : 32000;

    /// <summary>A subdirectory more or less. One that has more of them than can be counted has one link (dir_nlink).</summary>
    private void CountDirectories(int more)
    {
        if (Nlink == 1)
            return;
        uint now = Nlink + (uint)more;
        Nlink = now >= MostLinks && Volume.Super.HasManyDirectories ? 1 : now;
    }

    private bool IsFull => Nlink >= MostLinks && !Volume.Super.HasManyDirectories;

    public override long Create(string name, uint mode, Credentials owner, uint rdev, string? target, out Inode? node)
    {
        node = null;
        bool directory = (mode & Modes.S_IFMT) == Modes.S_IFDIR;
        if (directory && IsFull)
            return -Errno.EMLINK;
        long error = InodeRecord.Create(Volume, this, mode, owner, rdev, target, out node);
        if (error < 0)
            return error;
        error = Add(name, (uint)node!.Ino, node.Mode);
        if (error < 0)
        {
            InodeRecord.Discard(node);
            node = null;
            _record.Save(this);
            return error;
        }
        (node.Parent, node.Name) = (this, name);
        if (directory)
            CountDirectories(1);
        TouchModified();
        return 0;
    }

    internal override long CreateUnnamed(uint permissions, Credentials owner, out Inode? node)
    {
        long error = InodeRecord.Create(Volume, this, Modes.S_IFREG | permissions, owner, 0, null, out node);
        if (error == 0)
            node!.Nlink = 0;
        return error;
    }

    public override long Link(string name, Inode node)
    {
        if (node.Nlink >= MostLinks)
            return -Errno.EMLINK;
        long error = Add(name, (uint)node.Ino, node.Mode);
        if (error < 0)
        {
            _record.Save(this);
            return error;
        }
        (node.Parent, node.Name) = (this, name);
        node.Nlink++;
        node.Ctime = Fs.Vfs.NowRealtime;
        TouchModified();
        return 0;
    }

    public override long Remove(string name, Inode node)
    {
        long error = Erase(name);
        if (error < 0)
            return error;
        Unlinked(node);
        TouchModified();
        return 0;
    }

    private void Unlinked(Inode node)
    {
        if (node.IsDirectory)
        {
            CountDirectories(-1);
            node.Nlink = 0;
        }
        else
        {
            node.Nlink = Math.Max(node.Nlink, 1) - 1;
        }
        node.Ctime = Fs.Vfs.NowRealtime;
        node.Uncharge();
    }

    public override long Rename(string name, Inode node, Inode newDirectory, string newName, Inode? replaced, bool exchange)
    {
        var target = (DiskDirectory)newDirectory;
        bool moves = target != this;
        if (moves && node.IsDirectory && target.IsFull && replaced is not { IsDirectory: true })
            return -Errno.EMLINK;
        long error = replaced is null ? target.Add(newName, (uint)node.Ino, node.Mode) : target.Replace(newName, node);
        if (error == 0)
            error = exchange ? Replace(name, replaced!) : Erase(name);
        if (error == 0 && moves && node.IsDirectory)
            error = ((DiskDirectory)node).Replace("..", target);
        if (error == 0 && moves && exchange && replaced!.IsDirectory)
            error = ((DiskDirectory)replaced).Replace("..", this);
        if (error < 0)
        {
            _record.Save(this);
            target._record.Save(target);
            return error;
        }
        (node.Parent, node.Name) = (target, newName);
        if (exchange)
            (replaced!.Parent, replaced.Name) = (this, name);
        else if (replaced is not null)
            target.Unlinked(replaced);
        if (moves && node.IsDirectory)
        {
            CountDirectories(-1);
            target.CountDirectories(1);
        }
        if (moves && exchange && replaced!.IsDirectory)
        {
            CountDirectories(1);
            target.CountDirectories(-1);
        }
        node.Ctime = Fs.Vfs.NowRealtime;
        TouchModified();
        if (moves)
            target.TouchModified();
        return 0;
    }
}

/// <summary>A symbolic link of a disk: a short target lies in the inode (fs/ext4/symlink.c).</summary>
internal sealed class DiskLink : Inode
{
    private readonly InodeRecord _record;

    public DiskLink(InodeRecord record, uint mode) : base(record.Volume.Fs, mode) => _record = record;

    public override long Size => _record.Size;

    public override long Blocks => _record.Sectors;

    public override long ReadLink(out string target)
    {
        target = "";
        Volume volume = _record.Volume;
        if (_record.Size >= volume.BlockSize || _record.Size == 0)
            return volume.Corrupt("a symbolic link");
        Span<byte> bytes = new byte[(int)_record.Size];
        if (_record.IsFastLink)
        {
            _record.Block[..bytes.Length].CopyTo(bytes);
        }
        else
        {
            long error = _record.Map.Find(0, out BlockState state, out long physical, out _);
            if (error == 0 && state != BlockState.Written)
                error = volume.Corrupt("a symbolic link");
            if (error == 0)
                error = volume.Read(physical, 0, bytes);
            if (error < 0)
                return error;
        }
        target = Encoding.Latin1.GetString(bytes);
        return 0;
    }

    /// <summary>Writes the target of a new link: 0, -ENAMETOOLONG, -ENOSPC, -EIO.</summary>
    public long Fill(string target)
    {
        byte[] bytes = Encoding.Latin1.GetBytes(target);
        Volume volume = _record.Volume;
        if (bytes.Length >= volume.BlockSize)
            return -Errno.ENAMETOOLONG;
        if (bytes.Length < 60)
        {
            _record.Flags &= ~InodeRecord.ExtentsFlag;
            _record.Block.Clear();
            bytes.CopyTo(_record.Block);
        }
        else
        {
            long error = _record.Map.Allocate(0, 1, false, out long physical, out _);
            if (error == 0)
                error = volume.Clear(physical, 1);
            if (error == 0)
                error = volume.Write(physical, 0, bytes);
            if (error < 0)
                return error;
        }
        _record.Size = bytes.Length;
        return _record.Save(this);
    }

    public override long Open(int flags, IFileUser? task, out OpenFile? file)
    {
        file = null;
        return -Errno.ELOOP;
    }
}
