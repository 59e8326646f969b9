using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Disk;

/// <summary>The names that the format is mounted by, and its options (fs/ext4/super.c): one driver for ext2, ext3 and ext4, as in a
/// kernel with CONFIG_EXT4_USE_FOR_EXT2.</summary>
internal static class Ext4Formats
{
    /// <summary>EXT4_SUPER_MAGIC.</summary>
    public const long Magic = 0xEF53;

    /// <summary>ext3 first, as Linux tries them.</summary>
    public static IReadOnlyList<DiskFormat> All { get; } =
        [new("ext3", Check, Mount), new("ext2", Check, Mount), new("ext4", Check, Mount)];

    /// <summary>Whether mount has an option.</summary>
    public static long Check(string key, string? value)
    {
        bool good = key switch
        {
            "errors" => value is "continue" or "remount-ro" or "panic",
            "data" => value is "ordered" or "writeback" or "journal",
            "commit" or "resuid" or "resgid" or "stripe" or "max_batch_time" or "min_batch_time" or "inode_readahead_blks" =>
                uint.TryParse(value, out _),
            "sb" => value is "1",
            "barrier" => value is null or "0" or "1",
            "acl" or "noacl" or "user_xattr" or "nouser_xattr" or "nobarrier" or "noload" or "norecovery" or "discard" or "nodiscard"
                or "delalloc" or "nodelalloc" or "bsddf" or "nogrpid" or "sysvgroups" or "debug" or "journal_checksum" or "i_version"
                or "init_itable" or "noinit_itable" or "dioread_nolock" or "dioread_lock" or "noquota" or "auto_da_alloc"
                or "noauto_da_alloc" or "block_validity" or "noblock_validity" or "nocheck" or "lazytime" or "nolazytime" => value is null,
            _ => false,
        };
        return good ? 0 : -Errno.EINVAL;
    }

    /// <summary>Whether mount has all of some options.</summary>
    public static long Check(IEnumerable<(string Key, string? Value)> options) =>
        options.All(o => Check(o.Key, o.Value) == 0) ? 0 : -Errno.EINVAL;

    /// <summary>What the journal has left is done before anything else is looked at, be it to read alone (ext4_load_journal): 0, -EROFS for
    /// a device that is not written, or where it shall not be done and writes shall be.</summary>
    private static long Recover(Vfs vfs, LoopDevice device, string type, byte[] raw, bool readOnly, bool suppressed)
    {
        if (suppressed ? !readOnly : device.ReadOnly)
            return -Errno.EROFS;
        Superblock.SetRecovered(raw);
        long error = Superblock.Read(raw, device.Size, true, out Superblock before, out string? why);
        if (error == 0 && !suppressed)
            error = Journal.Recover(new Volume(vfs, device, type, before, true));
        if (error == 0 && !suppressed)
        {
            // The superblock itself may have been in the journal.
            error = device.Read(raw, Superblock.Position) == raw.Length ? 0 : -Errno.EIO;
            Superblock.SetRecovered(raw);
            if (error == 0 && device.Write(raw, Superblock.Position) != raw.Length)
                error = -Errno.EIO;
        }
        if (error < 0)
            vfs.Host?.Log($"{type}-fs ({device.DeviceName}): {why ?? "the journal cannot be recovered"}: {Errno.NameOf(-error)}");
        return error;
    }

    private static long Mount(Vfs vfs, LoopDevice device, string type, bool readOnly, IEnumerable<(string Key, string? Value)> options,
        out FileSystem? fs, out Inode? root)
    {
        (fs, root) = (null, null);
        if (Check(options) is < 0 and long unknown)
            return unknown;
        var raw = new byte[Superblock.Length];
        if (device.Read(raw, Superblock.Position) != raw.Length)
            return -Errno.EINVAL;
        if (Superblock.NeedsRecovery(raw))
        {
            bool suppressed = options.Any(o => o.Key is "noload" or "norecovery");
            if (Recover(vfs, device, type, raw, readOnly, suppressed) is < 0 and long left)
                return left;
        }
        long error = Superblock.Read(raw, device.Size, readOnly, out Superblock super, out string? why);
        if (error == 0 && ((type == "ext2" && !super.IsExt2) || (type == "ext3" && !super.IsExt3)))
            (error, why) = (-Errno.EINVAL, "features that are not its own");
        if (error < 0)
        {
            vfs.Host?.Log($"{type}-fs ({device.DeviceName}): {why}: {Errno.NameOf(-error)}");
            return error;
        }
        var volume = new Volume(vfs, device, type, super, true);
        error = volume.Find(Volume.RootInode, out root);
        if (error == 0 && root is not DiskDirectory)
            error = volume.Corrupt("the root directory");
        if (error == 0 && !readOnly)
            error = volume.BeginWriting();
        fs = volume.Fs;
        if (root is not null)
            volume.Hold(Volume.RootInode, root);
        return error;
    }
}
