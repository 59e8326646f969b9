using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Files;

/// <summary>A namespace as a file (fs/nsfs.c): what /proc/PID/ns links lead to and setns takes.</summary>
internal sealed class NamespaceInode : Inode
{
    internal NamespaceInode(FileSystem fs, INamespace space)
        : base(fs, Modes.S_IFREG | 0x124)
    {
        Space = space;
        Ino = space.Number;
    }

    /// <summary>The namespace.</summary>
    internal INamespace Space { get; }

    public override long Open(int flags, IFileUser? task, out OpenFile? file)
    {
        file = null;
        if ((flags & OpenFlags.O_ACCMODE) != OpenFlags.O_RDONLY)
            return -Errno.EPERM;
        file = new NamespaceFile(this, flags);
        return 0;
    }
}

/// <summary>An open namespace.</summary>
internal sealed class NamespaceFile : OpenFile
{
    private readonly NamespaceInode _inode;

    internal NamespaceFile(NamespaceInode inode, int flags) : base(inode, flags)
    {
        _inode = inode;
        (inode.Space as MountNamespace)?.Enter();
    }

    /// <inheritdoc/>
    protected override void Released() => (_inode.Space as MountNamespace)?.Leave();

    /// <summary>The namespace.</summary>
    internal INamespace Space => _inode.Space;

    /// <summary>NS_GET_USERNS, NS_GET_PARENT, NS_GET_NSTYPE, NS_GET_OWNER_UID (ioctl_ns(2)).</summary>
    public override long Ioctl(IFileUser user, uint command, ulong argument)
    {
        const uint mounts = 0x8008B705, owner = 0xB701, parent = 0xB702, kind = 0xB703, ownerUser = 0xB704;
        switch (command)
        {
            case mounts:
                return Space is MountNamespace ? user.Memory.Write(argument, (ulong)Space.Number) ? 0 : -Errno.EFAULT : -Errno.EINVAL;
            case kind:
                return (long)Space.CloneFlag;
            case owner:
                // The namespace that owns it must be the caller's own or below it.
                return Space.OwnerSpace is { } above && above.IsWithin(user.Credentials.UserNamespace)
                    ? Install(user, Inode.Fs, above) : -Errno.EPERM;
            case parent:
                if (Space is not (PidNamespace or UserNamespace))
                    return -Errno.EINVAL;
                return Space switch
                {
                    PidNamespace { Parent: { } pids } when user.PidNamespace.IsAncestorOf(pids) => Install(user, Inode.Fs, pids),
                    UserNamespace { Parent: { } users } when users.IsWithin(user.Credentials.UserNamespace)
                        => Install(user, Inode.Fs, users),
                    _ => -Errno.EPERM,
                };
            case ownerUser:
                if (Space is not UserNamespace made)
                    return -Errno.EINVAL;
                return user.Memory.Write(argument, user.Credentials.UserNamespace.ShowUser(made.Owner)) ? 0 : -Errno.EFAULT;
            default:
                return -Errno.ENOTTY;
        }
    }

    /// <summary>Opens a namespace for a task: the descriptor (close-on-exec), or -errno.</summary>
    internal static long Install(IFileUser user, FileSystem fs, INamespace space)
    {
        var file = new NamespaceFile(new NamespaceInode(fs, space), OpenFlags.O_RDONLY);
        long fd = user.Files.Add(file, true, user.MaxFiles);
        if (fd < 0)
            file.Release();
        return fd;
    }

    /// <inheritdoc/>
    public override string Description => $"{_inode.Space.Kind}:[{_inode.Space.Number}]";
}
