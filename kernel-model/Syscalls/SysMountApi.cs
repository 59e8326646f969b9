using ArmVdso.Kernel.Files;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Mounts by descriptors: fsopen, fsconfig, fsmount, fspick, open_tree, move_mount, mount_setattr (fs/fsopen.c,
/// fs/namespace.c).</summary>
internal static class SysMountApi
{
    private const uint CloneTree = 1, Recursive = 0x8000;
    private const uint AttrRelatime = 0, AttrAtimeMask = 0x70, AttrNoatime = 0x10, AttrStrictatime = 0x20;

    /// <summary>MOUNT_ATTR_* and the flags of a mount that they are (include/uapi/linux/mount.h).</summary>
    private static readonly (uint Attribute, uint Flag)[] Attributes =
    [
        (1, MountFlags.MS_RDONLY), (2, MountFlags.MS_NOSUID), (4, MountFlags.MS_NODEV), (8, MountFlags.MS_NOEXEC),
        (0x80, MountFlags.MS_NODIRATIME), (0x200000, MountFlags.MS_NOSYMFOLLOW),
    ];

    private static readonly uint KnownAttributes = Attributes.Aggregate(AttrAtimeMask, (all, a) => all | a.Attribute);

    private static uint FlagsOf(uint attributes)
    {
        uint flags = (attributes & AttrAtimeMask) switch
        {
            AttrNoatime => MountFlags.MS_NOATIME,
            AttrStrictatime => MountFlags.MS_STRICTATIME,
            _ => 0,
        };
        foreach ((uint attribute, uint flag) in Attributes)
            flags |= (attributes & attribute) != 0 ? flag : 0;
        return flags;
    }

    /// <summary>MOUNT_ATTR_* of a mount.</summary>
    internal static ulong AttributesOf(FileSystem mount)
    {
        uint attributes = mount.Has(MountFlags.MS_NOATIME) ? AttrNoatime : mount.Has(MountFlags.MS_STRICTATIME) ? AttrStrictatime : 0;
        foreach ((uint attribute, uint flag) in Attributes)
            attributes |= mount.Has(flag) ? attribute : 0;
        return attributes;
    }

    private static long Text(SyscallContext c, int argument, int limit, out string text)
    {
        long error = c.Memory.ReadString(c.Arg(argument), limit, out text);
        return error == -Errno.ENAMETOOLONG ? -Errno.EINVAL : error;
    }

    /// <summary>fsopen(type, flags).</summary>
    public static long FsOpen(SyscallContext c)
    {
        if (!SysMount.MayMount(c))
            return -Errno.EPERM;
        if ((c.UInt(1) & ~1u) != 0)
            return -Errno.EINVAL;
        if (Text(c, 0, 4096, out string type) is < 0 and long error)
            return error;
        if (!FileSystemTypes.Knows(c.Vfs, type))
            return -Errno.ENODEV;
        return FileArguments.Install(c, new FileSystemContext(c.Vfs, type, null), CloseOnExec(c.UInt(1)));
    }

    private static int CloseOnExec(uint flags) => (flags & 1) != 0 ? OpenFlags.O_CLOEXEC : 0;

    /// <summary>fspick(dirfd, path, flags): FSPICK_CLOEXEC 1, _SYMLINK_NOFOLLOW 2, _NO_AUTOMOUNT 4, _EMPTY_PATH 8.</summary>
    public static long FsPick(SyscallContext c)
    {
        if (!SysMount.MayMount(c))
            return -Errno.EPERM;
        uint flags = c.UInt(2);
        if ((flags & ~0xFu) != 0)
            return -Errno.EINVAL;
        long error = FileArguments.Find(c, c.Int(0), 1, (flags & 2) == 0, (flags & 8) != 0, out Inode? inode);
        if (error < 0)
            return error;
        if (c.Vfs.MountAt(inode!) is not { } mount)
            return -Errno.EINVAL;
        return FileArguments.Install(c, new FileSystemContext(c.Vfs, mount.Fs.Type, mount), CloseOnExec(flags));
    }

    /// <summary>fsconfig(fd, command, key, value, aux).</summary>
    public static long FsConfig(SyscallContext c)
    {
        const uint flag = 0, text = 1, binary = 2, path = 3, emptyPath = 4, descriptor = 5, create = 6, reconfigure = 7, createNew = 8;
        if (c.Int(0) < 0)
            return -Errno.EINVAL;
        uint command = c.UInt(1);
        bool key = c.Arg(2) != 0, value = c.Arg(3) != 0;
        int aux = c.Int(4);
        bool shaped = command switch
        {
            flag => key && !value && aux == 0,
            text => key && value && aux == 0,
            binary => key && value && aux is > 0 and <= 1024 * 1024,
            path or emptyPath => key && value && (aux == OpenFlags.AT_FDCWD || aux >= 0),
            descriptor => key && !value && aux >= 0,
            create or createNew or reconfigure => !key && !value && aux == 0,
            _ => true,
        };
        if (!shaped)
            return -Errno.EINVAL;
        if (command > createNew)
            return -Errno.EOPNOTSUPP;
        if (c.Files[c.Int(0)] is not { } file)
            return -Errno.EBADF;
        if (file is not FileSystemContext context)
            return -Errno.EINVAL;
        string name = "", given = "";
        if (key && Text(c, 2, 256, out name) is < 0 and long badKey)
            return badKey;
        if (value && command != binary && Text(c, 3, command == text ? 256 : 4096, out given) is < 0 and long badValue)
            return badValue;
        if (command == descriptor && c.Files[aux] == null)
            return -Errno.EBADF;
        return command switch
        {
            create or createNew => SysMount.MayMount(c) ? context.Create(FileArguments.CallerOf(c)) : -Errno.EPERM,
            reconfigure => SysMount.MayChangeMounts(c) ? context.Reconfigure() : -Errno.EPERM,
            text => context.Set(name, given),
            _ => context.Set(name, null),
        };
    }

    /// <summary>fsmount(fd, flags, attributes).</summary>
    public static long FsMount(SyscallContext c)
    {
        if (!SysMount.MayMount(c))
            return -Errno.EPERM;
        uint attributes = c.UInt(2);
        if ((c.UInt(1) & ~1u) != 0 || (attributes & ~KnownAttributes) != 0
            || (attributes & AttrAtimeMask) is not (AttrRelatime or AttrNoatime or AttrStrictatime))
            return -Errno.EINVAL;
        if (c.Files[c.Int(0)] is not { } file)
            return -Errno.EBADF;
        if (file is not FileSystemContext context || context.Take() is not { } made)
            return -Errno.EINVAL;
        made.Fs.SetFlags(made.Fs.Flags | FlagsOf(attributes));
        return FileArguments.Install(c, new DetachedMount(made), CloseOnExec(c.UInt(1)));
    }

    /// <summary>open_tree(dirfd, path, flags).</summary>
    public static long OpenTree(SyscallContext c)
    {
        uint flags = c.UInt(2);
        const uint known = CloneTree | OpenFlags.O_CLOEXEC | Recursive | OpenFlags.AT_EMPTY_PATH | OpenFlags.AT_NO_AUTOMOUNT
            | OpenFlags.AT_SYMLINK_NOFOLLOW;
        if ((flags & ~known) != 0 || (flags & (Recursive | CloneTree)) == Recursive)
            return -Errno.EINVAL;
        if ((flags & CloneTree) != 0 && !SysMount.MayMount(c))
            return -Errno.EPERM;
        long error = FileArguments.Find(
            c, c.Int(0), 1, (flags & OpenFlags.AT_SYMLINK_NOFOLLOW) == 0, (flags & OpenFlags.AT_EMPTY_PATH) != 0, out Inode? inode);
        if (error < 0)
            return error;
        OpenFile file = (flags & CloneTree) != 0 ? new DetachedMount(c.Vfs.MakeBind(inode!)) : new PathFile(inode!, OpenFlags.O_PATH);
        return FileArguments.Install(c, file, (int)flags & OpenFlags.O_CLOEXEC);
    }

    /// <summary>move_mount(from, path, to, path, flags).</summary>
    public static long MoveMount(SyscallContext c)
    {
        const uint fromLinks = 1, fromEmpty = 4, toLinks = 0x10, toEmpty = 0x40, setGroup = 0x100, known = 0x377;
        if (!SysMount.MayChangeMounts(c))
            return -Errno.EPERM;
        uint flags = c.UInt(4);
        // MOVE_MOUNT_SET_GROUP and MOVE_MOUNT_BENEATH exclude each other.
        if ((flags & ~known) != 0 || (flags & 0x300) == 0x300)
            return -Errno.EINVAL;
        long error = FileArguments.Find(c, c.Int(0), 1, (flags & fromLinks) != 0, (flags & fromEmpty) != 0, out Inode? from);
        if (error < 0)
            return error;
        error = FileArguments.Find(c, c.Int(2), 3, (flags & toLinks) != 0, (flags & toEmpty) != 0, out Inode? to);
        if (error < 0)
            return error;
        if ((flags & setGroup) != 0)
            return -Errno.EINVAL;
        bool beneath = (flags & 0x200) != 0;
        if (beneath && c.Vfs.MountAt(to!)?.Covered == null)
            return -Errno.EINVAL;
        if (c.Files[c.Int(0)] is not DetachedMount { Mount: { } mount } detached || mount.Root != from)
            return beneath ? -Errno.EINVAL : c.Vfs.MoveMount(from!, to!);
        error = beneath ? c.Vfs.AttachBeneath(to!, mount) : c.Vfs.Attach(to!, mount);
        if (error == 0)
            detached.Placed();
        return error;
    }

    /// <summary>mount_setattr(dirfd, path, flags, attr, size).</summary>
    public static long MountSetAttr(SyscallContext c)
    {
        const int size = 32;
        uint flags = c.UInt(2);
        const uint known = Recursive | OpenFlags.AT_EMPTY_PATH | OpenFlags.AT_NO_AUTOMOUNT | OpenFlags.AT_SYMLINK_NOFOLLOW;
        if ((flags & ~known) != 0)
            return -Errno.EINVAL;
        if (c.Arg(4) > 4096)
            return -Errno.E2BIG;
        if (c.Arg(4) < size)
            return -Errno.EINVAL;
        if (!SysMount.MayMount(c))
            return -Errno.EPERM;
        var given = new byte[(int)c.Arg(4)];
        if (!c.Memory.Read(c.Arg(3), given))
            return -Errno.EFAULT;
        if (given.AsSpan(size).IndexOfAnyExcept((byte)0) >= 0)
            return -Errno.E2BIG;
        ulong set = BitConverter.ToUInt64(given), clear = BitConverter.ToUInt64(given, 8), propagation = BitConverter.ToUInt64(given, 16);
        if (set == 0 && clear == 0 && propagation == 0)
            return 0;
        if ((propagation & ~(ulong)MountFlags.Propagation) != 0 || ulong.PopCount(propagation) > 1
            || ((set | clear) & ~(ulong)KnownAttributes) != 0)
            return -Errno.EINVAL;
        // An atime mode is set only together with the clearing of the old one.
        bool atime = (clear & AttrAtimeMask) != 0;
        if ((atime && (clear & AttrAtimeMask) != AttrAtimeMask) || (!atime && (set & AttrAtimeMask) != 0)
            || (set & AttrAtimeMask) is not (AttrRelatime or AttrNoatime or AttrStrictatime))
            return -Errno.EINVAL;
        long error = FileArguments.Find(
            c, c.Int(0), 1, (flags & OpenFlags.AT_SYMLINK_NOFOLLOW) == 0, (flags & OpenFlags.AT_EMPTY_PATH) != 0, out Inode? inode);
        if (error < 0)
            return error;
        MountEntry? mount = c.Files[c.Int(0)] is DetachedMount { Mount: { } detached } && detached.Root == inode
            ? detached : c.Vfs.MountAt(inode!);
        if (mount == null)
            return -Errno.EINVAL;
        uint cleared = FlagsOf((uint)clear) | (atime ? MountFlags.MS_NOATIME | MountFlags.MS_STRICTATIME : 0);
        FileSystem[] mounts = (flags & Recursive) != 0
            ? [mount.Fs, .. c.Vfs.Mounts.Where(m => m != mount && Vfs.IsWithin(m.Root, mount.Root)).Select(m => m.Fs)] : [mount.Fs];
        if ((set & 1) != 0 && mounts.Any(m => m.Writers > 0))
            return -Errno.EBUSY;
        foreach (FileSystem each in mounts)
        {
            each.SetFlags((each.Flags & ~cleared) | FlagsOf((uint)set));
            if (propagation != 0)
                c.Vfs.Propagate(each, (uint)propagation);
        }
        return 0;
    }
}
