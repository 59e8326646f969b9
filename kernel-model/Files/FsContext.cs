namespace ArmVdso.Kernel.Files;

/// <summary>Root, working directory and umask (struct fs_struct), shared by tasks with CLONE_FS.</summary>
public sealed class FsContext
{
    /// <summary>A context at the root of a tree.</summary>
    public FsContext(Inode root, Inode cwd)
    {
        Root = root;
        Cwd = cwd;
    }

    /// <summary>The directory that / means.</summary>
    public Inode Root { get; set; }

    /// <summary>The directory that relative paths start at.</summary>
    public Inode Cwd { get; set; }

    /// <summary>Permission bits that new files lack.</summary>
    public uint Umask { get; set; } = 0x12;

    /// <summary>Number of tasks that share the context.</summary>
    public int Users { get; set; } = 1;

    /// <summary>A copy for fork.</summary>
    public FsContext Clone() => new(Root, Cwd) { Umask = Umask };
}
