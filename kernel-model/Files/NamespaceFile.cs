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
internal sealed class NamespaceFile(NamespaceInode inode, int flags) : OpenFile(inode, flags)
{
    /// <summary>The namespace.</summary>
    internal INamespace Space => inode.Space;

    /// <inheritdoc/>
    public override string Description => $"{inode.Space.Kind}:[{inode.Space.Number}]";
}
