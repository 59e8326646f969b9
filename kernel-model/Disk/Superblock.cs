using System.Buffers.Binary;

namespace ArmVdso.Kernel.Disk;

/// <summary>The superblock, 1024 bytes at byte 1024 (struct ext4_super_block; Documentation/filesystems/ext4, "Super Block"). What is in
/// it was checked once, so that nothing divides by zero or shifts too far; all that it says of the disk is checked against the disk's
/// size.</summary>
internal sealed class Superblock : DiskRecord
{
    public const int Position = 1024, Length = 1024;
    public const int ValidState = 1;

    private const uint HasJournal = 4;
    private const uint FileType = 2, Recover = 4, Extents = 0x40, Bits64 = 0x80, FlexGroups = 0x200, SeedKept = 0x2000;
    private const uint SparseSuper = 1, LargeFile = 2, HugeFile = 8, GroupChecksum = 0x10, DirectoryLinks = 0x20, ExtraSize = 0x40,
        MetadataChecksum = 0x400;

    /// <summary>INCOMPAT features that are understood, and RO_COMPAT features that are when something is written.</summary>
    private const uint KnownIncompatible = FileType | Extents | Bits64 | FlexGroups | SeedKept,
        KnownToWrite = SparseSuper | LargeFile | HugeFile | GroupChecksum | DirectoryLinks | ExtraSize | MetadataChecksum;

    /// <summary>Names of features that may be met and are not understood.</summary>
    private static readonly (uint Bit, string Name)[] IncompatibleNames =
    [
        (1, "compression"), (Recover, "needs_recovery"), (8, "journal_dev"), (0x10, "meta_bg"), (0x100, "mmp"), (0x400, "ea_inode"),
        (0x1000, "dirdata"), (0x4000, "large_dir"), (0x8000, "inline_data"), (0x10000, "encrypt"), (0x20000, "casefold"),
    ];

    private static readonly (uint Bit, string Name)[] ReadOnlyNames =
    [
        (0x100, "quota"), (0x200, "bigalloc"), (0x1000, "read-only"), (0x2000, "project"), (0x8000, "verity"), (0x10000, "orphan_present"),
    ];

    private Superblock() : base(Length)
    {
    }

    private uint Compatible => IsDynamic ? Word(92) : 0;

    private uint Incompatible => IsDynamic ? Word(96) : 0;

    private uint ReadOnlyCompatible => IsDynamic ? Word(100) : 0;

    /// <summary>Revision 1: features, an inode size.</summary>
    private bool IsDynamic => Word(76) >= 1;

    public int BlockSize => 1024 << (int)Word(24);

    public long Blocks => (HasBits64 ? (long)Word(336) << 32 : 0) | Word(0x4);

    public long ReservedBlocks => (HasBits64 ? (long)Word(340) << 32 : 0) | Word(8);

    public uint Inodes => Word(0);

    public uint FirstDataBlock => Word(20);

    public uint BlocksPerGroup => Word(32);

    public uint InodesPerGroup => Word(40);

    public int InodeSize => IsDynamic ? (int)Half(88) : 128;

    public uint FirstInode => IsDynamic ? Word(84) : 11;

    public int DescriptorSize => HasBits64 ? (int)Half(254) : 32;

    public long Groups => (Blocks - FirstDataBlock + BlocksPerGroup - 1) / BlocksPerGroup;

    public uint ReservedUser => Half(80);

    public uint ReservedGroup => Half(82);

    public int WantedExtraSize => (ReadOnlyCompatible & ExtraSize) != 0 ? (int)Half(350) : 0;

    public int ReservedTableBlocks => (Compatible & 0x10) != 0 ? (int)Half(206) : 0;

    public uint JournalInode => (Compatible & HasJournal) != 0 ? Word(224) : 0;

    public bool HasBits64 => (Incompatible & Bits64) != 0;

    public bool HasExtents => (Incompatible & Extents) != 0;

    public bool HasFileTypes => (Incompatible & FileType) != 0;

    public bool HasHugeFiles => (ReadOnlyCompatible & HugeFile) != 0;

    public bool HasManyDirectories => (ReadOnlyCompatible & DirectoryLinks) != 0;

    public bool HasMetadataChecksums => (ReadOnlyCompatible & MetadataChecksum) != 0;

    /// <summary>Descriptors have a checksum, and parts that were never initialised.</summary>
    public bool HasGroupChecksums => (ReadOnlyCompatible & (MetadataChecksum | GroupChecksum)) != 0;

    /// <summary>Whether a file beyond 2 GiB was ever made.</summary>
    public bool HasLargeFiles => (ReadOnlyCompatible & LargeFile) != 0;

    /// <summary>What is in it that Linux's ext2 does not mount: -EINVAL by that name.</summary>
    public bool IsExt2 => (Incompatible & ~FileType) == 0 && (ReadOnlyCompatible & ~(SparseSuper | LargeFile | 4)) == 0;

    /// <summary>What ext3 is.</summary>
    public bool IsExt3 => (Compatible & HasJournal) != 0 && (Incompatible & ~(FileType | Recover)) == 0
        && (ReadOnlyCompatible & ~(SparseSuper | LargeFile | 4)) == 0;

    /// <summary>Whether nothing is in it that can only be read.</summary>
    public bool IsWritable => (ReadOnlyCompatible & ~(KnownToWrite | 4)) == 0;

    public ReadOnlySpan<byte> Uuid => Raw.AsSpan(104, 16);

    /// <summary>What checksums of metadata start with.</summary>
    public uint Seed => (Incompatible & SeedKept) != 0 ? Word(624) : Checksums.Crc32C(uint.MaxValue, Uuid);

    public long FreeBlocks
    {
        get => (HasBits64 ? (long)Word(344) << 32 : 0) | Word(12);
        set
        {
            value = Math.Clamp(value, 0, Blocks);
            Word(12, (uint)value);
            if (HasBits64)
                Word(344, (uint)(value >> 32));
        }
    }

    public uint FreeInodes
    {
        get => Word(16);
        set => Word(16, Math.Min(value, Inodes));
    }

    public ushort State
    {
        get => (ushort)Half(58);
        set => Half(58, value);
    }

    /// <summary>A group whose first blocks are a copy of superblock and descriptors.</summary>
    public bool HasCopy(long group)
    {
        if (group <= 1 || (ReadOnlyCompatible & SparseSuper) == 0)
            return true;
        if ((group & 1) == 0)
            return false;
        foreach (int root in (ReadOnlySpan<int>)[3, 5, 7])
        {
            long power = root;
            while (power < group)
                power *= root;
            if (power == group)
                return true;
        }
        return false;
    }

    /// <summary>The file system was mounted for writing.</summary>
    public void CountMount(uint now)
    {
        Word(44, now);
        Half(52, Half(52) + 1);
        State = (ushort)(State & ~ValidState);
    }

    /// <summary>A file beyond 2 GiB is made (EXT4_FEATURE_RO_COMPAT_LARGE_FILE). False: a file system without features.</summary>
    public bool AllowLargeFiles()
    {
        if (!IsDynamic)
            return false;
        Word(100, ReadOnlyCompatible | LargeFile);
        return true;
    }

    /// <summary>The bytes to write, with time and checksum.</summary>
    public ReadOnlySpan<byte> Bytes(uint now)
    {
        Word(48, now);
        if (HasMetadataChecksums)
            Word(1020, Checksums.Crc32C(uint.MaxValue, Raw.AsSpan(0, 1020)));
        return Raw;
    }

    /// <summary>Whether the journal has something to be done (EXT4_FEATURE_INCOMPAT_RECOVER).</summary>
    public static bool NeedsRecovery(ReadOnlySpan<byte> raw) =>
        BinaryPrimitives.ReadUInt16LittleEndian(raw[56..]) == 0xEF53 && BinaryPrimitives.ReadUInt32LittleEndian(raw[76..]) >= 1
        && (BinaryPrimitives.ReadUInt32LittleEndian(raw[96..]) & Recover) != 0;

    /// <summary>A superblock as it is when its journal has nothing to be done; one with a wrong checksum stays so.</summary>
    public static void SetRecovered(Span<byte> raw)
    {
        bool sums = (BinaryPrimitives.ReadUInt32LittleEndian(raw[100..]) & MetadataChecksum) != 0;
        bool good = BinaryPrimitives.ReadUInt32LittleEndian(raw[1020..]) == Checksums.Crc32C(uint.MaxValue, raw[..1020]);
        BinaryPrimitives.WriteUInt32LittleEndian(raw[96..], BinaryPrimitives.ReadUInt32LittleEndian(raw[96..]) & ~Recover);
        if (sums && good)
            BinaryPrimitives.WriteUInt32LittleEndian(raw[1020..], Checksums.Crc32C(uint.MaxValue, raw[..1020]));
    }

    /// <summary>Reads and checks what is on a device: 0; -EINVAL with what is wrong; -EROFS for features that allow reading alone;
    /// -EBADMSG.</summary>
    public static long Read(ReadOnlySpan<byte> raw, long size, bool readOnly, out Superblock super, out string? why)
    {
        super = new Superblock();
        raw.CopyTo(super.Raw);
        why = super.Half(56) != 0xEF53 ? "no magic number" : super.Wrong(size);
        if (why is null && super.HasMetadataChecksums
            && super.Word(1020) != Checksums.Crc32C(uint.MaxValue, super.Raw.AsSpan(0, 1020)))
        {
            why = "the superblock's checksum is wrong";
            return -Errno.EBADMSG;
        }
        if (why is not null)
            return -Errno.EINVAL;
        if (readOnly || super.IsWritable)
            return 0;
        why = "cannot be written with optional features " + Names(ReadOnlyNames, super.ReadOnlyCompatible & ~(KnownToWrite | 4));
        return -Errno.EROFS;
    }

    private string? Wrong(long size)
    {
        if ((Incompatible & ~KnownIncompatible) is not 0 and uint unknown)
            return "unsupported features " + Names(IncompatibleNames, unknown);
        if ((Compatible & 0x200) != 0)
            return "unsupported feature sparse_super2";
        // A block is no larger than a page.
        if (Word(24) > 2 || Word(76) > 1)
            return "block size or revision";
        int bits = 8 * BlockSize;
        if (InodeSize < 128 || InodeSize > BlockSize || !int.IsPow2(InodeSize))
            return "inode size";
        if (DescriptorSize is not (32 or (>= 64 and <= 1024)) || !int.IsPow2(DescriptorSize) || (HasBits64 && DescriptorSize < 64))
            return "descriptor size";
        if (FirstDataBlock != (BlockSize == 1024 ? 1u : 0) || Blocks <= FirstDataBlock + 3 || Blocks > size / BlockSize)
            return "blocks beyond the device";
        if (BlocksPerGroup == 0 || BlocksPerGroup > bits || BlocksPerGroup % 8 != 0 || InodesPerGroup == 0 || InodesPerGroup > bits
            || InodesPerGroup % 8 != 0)
            return "sizes of groups";
        if (InodesPerGroup * (long)Groups != Inodes || FirstInode < 11 || FirstInode > Inodes)
            return "number of inodes";
        if (WantedExtraSize > InodeSize - 128 || (WantedExtraSize & 3) != 0)
            return "extra size of inodes";
        if (HasMetadataChecksums && Raw[373] != 1)
            return "checksum algorithm";
        return null;
    }

    private static string Names((uint Bit, string Name)[] names, uint bits)
    {
        IEnumerable<string> known = names.Where(n => (bits & n.Bit) != 0).Select(n => n.Name);
        uint rest = bits & ~names.Aggregate(0u, (all, n) => all | n.Bit);
        return string.Join(", ", rest == 0 ? known : known.Append($"0x{rest:x}"));
    }
}
