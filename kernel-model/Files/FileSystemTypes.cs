using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Files;

/// <summary>The types of file systems that a guest can mount, and their options (fs/filesystems.c, mm/shmem.c).</summary>
internal static class FileSystemTypes
{
    internal const long TmpfsMagic = 0x01021994, RamfsMagic = 0x858458f6, DevptsMagic = 0x1cd1;

    /// <summary>Whether mount knows a type (get_fs_type).</summary>
    public static bool Knows(Vfs vfs, string type) =>
        type is "tmpfs" or "ramfs" or "devpts" || vfs.BootMount(type) != null || Format(vfs, type) != null;

    private static DiskFormat? Format(Vfs vfs, string type) => vfs.DiskFormats.FirstOrDefault(f => f.Type == type);

    /// <summary>Whether a type has an option: 0 or -EINVAL; values are checked when the file system is made.</summary>
    public static long Check(Vfs vfs, string type, string key, string? value) => type switch
    {
        "tmpfs" => Tmpfs(key, value, new TmpfsOptions()),
        "ramfs" => key == "mode" && Number(value, 8, out _) ? 0 : -Errno.EINVAL,
        "devpts" => Terminals([(key, value)], Credentials.For(0, 0), out _),
        "proc" => key is "gid" or "hidepid" or "subset" && value != null ? 0 : -Errno.EINVAL,
        _ => Format(vfs, type)?.Check(key, value) ?? -Errno.EINVAL,
    };

    /// <summary>Makes a file system: 0, -EINVAL for options that it does not have, what reading a device gives.</summary>
    public static long Make(in Caller caller, Vfs vfs, string type, string source, bool readOnly,
        IEnumerable<(string Key, string? Value)> options, out FileSystem? fs, out Inode? root)
    {
        (fs, root) = (null, null);
        if (Format(vfs, type) is { } format)
            return vfs.MountDisk(caller, format, source, readOnly, options, out fs, out root);
        if (vfs.BootMount(type) is { } boot)
        {
            foreach ((string key, string? value) in options)
            {
                if (Check(vfs, type, key, value) is < 0 and long unknown)
                    return unknown;
            }
            fs = new FileSystem(vfs, type, vfs.NextDevice(), boot.Magic);
            root = boot.MakeRoot(vfs, fs);
            return 0;
        }
        if (type == "devpts")
        {
            if (Terminals(options, caller.Credentials, out PtsDirectory.PtsOptions terminals) is < 0 and long refused)
                return refused;
            UserNamespace owner = caller.Credentials.UserNamespace;
            root = NewTerminals(vfs, terminals, vfs.IsInInitialMounts,
                (owner.User(0) ?? UserNamespace.Overflow, owner.Group(0) ?? UserNamespace.Overflow));
            fs = root.Fs;
            return 0;
        }
        var given = new TmpfsOptions { Mode = type == "tmpfs" ? 0x3FFu : 0x1EDu };
        foreach ((string key, string? value) in options)
        {
            if ((type == "tmpfs" ? Tmpfs(key, value, given) : Ramfs(key, value, given)) is < 0 and long error)
                return error;
        }
        fs = new FileSystem(vfs, type, vfs.NextDevice(), type == "tmpfs" ? TmpfsMagic : RamfsMagic);
        if (type == "tmpfs")
        {
            FileSystem made = fs;
            fs.Limit = given.Limit(vfs.RamPages);
            fs.OwnOptions = reader => given.Text(reader, made);
        }
        else
        {
            fs.OwnOptions = _ => given.Mode == 0x1ED ? "" : $"mode={Convert.ToString(given.Mode, 8)}";
        }
        root = new MemoryDirectory(fs, given.Mode & 0xFFF) { Uid = given.Uid, Gid = given.Gid };
        return 0;
    }

    /// <summary>A devpts.</summary>
    internal static PtsDirectory NewTerminals(Vfs vfs, PtsDirectory.PtsOptions options, bool reserves, (uint Uid, uint Gid) root)
    {
        var fs = new FileSystem(vfs, "devpts", vfs.NextDevice(), DevptsMagic);
        fs.Terminals = new PtsDirectory(fs, options, reserves, root);
        fs.OwnOptions = reader => fs.Terminals.Options.Text(reader);
        return fs.Terminals;
    }

    /// <summary>The options of a devpts: what is not said is as usual, also when it is mounted again with others.</summary>
    private static long Terminals(
        IEnumerable<(string Key, string? Value)> given, Credentials who, out PtsDirectory.PtsOptions options)
    {
        options = PtsDirectory.PtsOptions.Usual;
        foreach ((string key, string? value) in given)
        {
            if (PtsDirectory.PtsOptions.Set(who, key, value, ref options) is < 0 and long error)
                return error;
        }
        return 0;
    }

    /// <summary>Other limits for a tmpfs that is there (MS_REMOUNT): -EINVAL when it has more already; others for new files of a devpts;
    /// a device to be written or not.</summary>
    public static long Reconfigure(FileSystem fs, bool readOnly, IEnumerable<(string Key, string? Value)> options)
    {
        if (fs.Whole.Terminals is { } directory)
        {
            long error = Terminals(options, fs.Vfs.Current?.Credentials ?? Credentials.For(0, 0), out PtsDirectory.PtsOptions changed);
            if (error == 0)
                directory.Options = changed;
            return error;
        }
        if (fs.Whole.Disk is { } disk)
            return disk.Remount(readOnly, options);
        if (fs.Type != "tmpfs")
            return 0;
        var given = new TmpfsOptions { Blocks = fs.Limit.Blocks, Inodes = fs.Limit.Inodes };
        foreach ((string key, string? value) in options)
        {
            if (Tmpfs(key, value, given) is < 0 and long error)
                return error;
        }
        (long blocks, long inodes) = given.Limit(fs.Vfs.RamPages);
        if ((blocks != 0 && fs.Used.Blocks > blocks) || (inodes != 0 && fs.Used.Inodes > inodes))
            return -Errno.EINVAL;
        fs.Limit = (blocks, inodes);
        return 0;
    }

    /// <summary>Options of mount(2)'s last argument: words with commas between them.</summary>
    public static IEnumerable<(string Key, string? Value)> Split(string data) =>
        data.Split(',', StringSplitOptions.RemoveEmptyEntries).Select(word => word.IndexOf('=') is >= 0 and int at
            ? (word[..at], word[(at + 1)..]) : (word, (string?)null));

    /// <summary>Permissions in three digits at least, as tmpfs and devpts show theirs (%03ho).</summary>
    internal static string Octal(uint mode) => Convert.ToString(mode, 8).PadLeft(3, '0');

    private sealed class TmpfsOptions
    {
        /// <summary>As /proc/mounts writes them: what is not as usual (shmem_show_options).</summary>
        public string Text(UserNamespace reader, FileSystem fs)
        {
            (long blocks, long inodes) = new TmpfsOptions().Limit(fs.Vfs.RamPages);
            return (fs.Limit.Blocks != blocks ? $"size={fs.Limit.Blocks * 4}k," : "")
                + (fs.Limit.Inodes != inodes ? $"nr_inodes={fs.Limit.Inodes}," : "")
                + (Mode != 0x3FF ? $"mode={Octal(Mode)}," : "")
                + (Uid != 0 ? $"uid={reader.ShowUser(Uid)}," : "") + (Gid != 0 ? $"gid={reader.ShowGroup(Gid)}," : "") + "inode64";
        }

        public uint Mode, Uid, Gid;
        public long? Blocks, Inodes;
        public long Percent;

        /// <summary>Half of RAM, and an inode a page, where nothing was said.</summary>
        public (long Blocks, long Inodes) Limit(ulong ramPages) =>
            (Percent > 0 ? (long)ramPages * Percent / 100 : Blocks ?? (long)ramPages / 2, Inodes ?? (long)ramPages / 2);
    }

    private static long Ramfs(string key, string? value, TmpfsOptions given)
    {
        if (key != "mode" || !Number(value, 8, out long mode))
            return -Errno.EINVAL;
        given.Mode = (uint)mode;
        return 0;
    }

    private static long Tmpfs(string key, string? value, TmpfsOptions given)
    {
        long number = 0;
        bool good = key switch
        {
            "size" or "nr_blocks" or "nr_inodes" => Size(value, key == "size", out number),
            "mode" => Number(value, 8, out number),
            "uid" or "gid" => Number(value, 10, out number),
            "inode64" or "inode32" or "noswap" => value == null,
            "huge" => value == "never",
            "mpol" => value != null,
            _ => false,
        };
        if (!good)
            return -Errno.EINVAL;
        switch (key)
        {
            case "size" when value!.EndsWith('%'):
                given.Percent = number;
                break;
            case "size":
                (given.Blocks, given.Percent) = ((number + 4095) / 4096, 0);
                break;
            case "nr_blocks":
                (given.Blocks, given.Percent) = (number, 0);
                break;
            case "nr_inodes":
                given.Inodes = number;
                break;
            case "mode":
                given.Mode = (uint)number;
                break;
            case "uid":
                given.Uid = (uint)number;
                break;
            case "gid":
                given.Gid = (uint)number;
                break;
        }
        return 0;
    }

    /// <summary>A number with a suffix, as memparse reads it, or a share of RAM.</summary>
    private static bool Size(string? text, bool percent, out long number)
    {
        number = 0;
        if (string.IsNullOrEmpty(text))
            return false;
        int shift = char.ToLowerInvariant(text[^1]) switch { 'k' => 10, 'm' => 20, 'g' => 30, 't' => 40, _ => 0 };
        bool share = percent && text[^1] == '%';
        if (!long.TryParse(shift != 0 || share ? text.AsSpan(0, text.Length - 1) : text, out number) || number < 0
            || number > long.MaxValue >> shift)
            return false;
        number <<= shift;
        return true;
    }

    internal static bool Number(string? text, int radix, out long number)
    {
        number = 0;
        foreach (char digit in text ?? "")
        {
            if (digit < '0' || digit >= '0' + radix || number > uint.MaxValue)
                return false;
            number = number * radix + (digit - '0');
        }
        return !string.IsNullOrEmpty(text) && number <= uint.MaxValue;
    }
}
