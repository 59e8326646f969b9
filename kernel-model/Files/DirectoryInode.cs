namespace ArmVdso.Kernel.Files;

/// <summary>A directory of any file system: what it has in it differs, opening it does not.</summary>
public abstract class DirectoryInode(FileSystem fs, uint mode) : Inode(fs, mode)
{
    /// <summary>True when the directory has no names.</summary>
    internal virtual bool IsEmpty => List().Count == 0;

    /// <inheritdoc/>
    public sealed override long Open(int flags, IFileUser? task, out OpenFile? file)
    {
        file = new DirectoryFile(this, flags);
        return 0;
    }
}
