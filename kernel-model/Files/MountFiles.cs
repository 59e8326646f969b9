using System.Text;

namespace ArmVdso.Kernel.Files;

/// <summary>A file system in the making (fs/fsopen.c): what fsopen and fspick give, fsconfig sets and fsmount takes.</summary>
internal sealed class FileSystemContext(Vfs vfs, string type, MountEntry? picked)
    : OpenFile(new AnonymousInode(vfs.Anonymous, 0x180), OpenFlags.O_RDWR)
{
    private readonly List<(string Key, string? Value)> _options = [];
    private readonly Queue<string> _log = [];
    private MountEntry? _made;
    private bool _failed;

    /// <summary>What the context was made with: SB flags, source.</summary>
    private uint _flags = picked?.Fs.Flags ?? 0;

    private string? _source;

    public override string Description => "anon_inode:[fscontext]";

    public override bool CanPoll => false;

    /// <summary>Errors that were written down, one at a read.</summary>
    public override long Read(Span<byte> buffer, long position)
    {
        if (!_log.TryDequeue(out string? line))
            return -Errno.ENODATA;
        byte[] text = Encoding.Latin1.GetBytes(line);
        if (text.Length > buffer.Length)
            return -Errno.EMSGSIZE;
        text.CopyTo(buffer);
        return text.Length;
    }

    private long Refuse(string message)
    {
        _log.Enqueue($"e {type}: {message}\n");
        return -Errno.EINVAL;
    }

    /// <summary>FSCONFIG_SET_FLAG, _STRING, _PATH, _PATH_EMPTY, _FD: one parameter.</summary>
    public long Set(string key, string? value)
    {
        if (_failed || _made != null)
            return -Errno.EBUSY;
        (uint set, uint clear) = key switch
        {
            "ro" => (MountFlags.MS_RDONLY, 0u),
            "rw" => (0u, MountFlags.MS_RDONLY),
            "sync" or "async" or "dirsync" or "lazytime" or "nolazytime" or "mand" or "nomand" => (0u, 0u),
            _ => (uint.MaxValue, 0u),
        };
        if (set != uint.MaxValue)
        {
            _flags = (_flags | set) & ~clear;
            return 0;
        }
        if (key == "source")
        {
            if (value == null)
                return Refuse("Non-string source");
            if (_source != null)
                return Refuse("Multiple sources");
            _source = value;
            return 0;
        }
        if (FileSystemTypes.Check(vfs, type, key, value) < 0)
            return Refuse($"Unknown parameter '{key}'");
        _options.Add((key, value));
        return 0;
    }

    /// <summary>FSCONFIG_CMD_CREATE.</summary>
    public long Create(in Caller caller)
    {
        if (picked != null || _made != null || _failed)
            return -Errno.EBUSY;
        long error = FileSystemTypes.Make(
            caller, vfs, type, _source ?? "", (_flags & MountFlags.MS_RDONLY) != 0, _options, out FileSystem? fs, out Inode? root);
        if (error < 0)
        {
            _failed = true;
            return error;
        }
        fs!.SetFlags(_flags);
        _made = new MountEntry(0, 0, fs, _source ?? "none", root!);
        return 0;
    }

    /// <summary>FSCONFIG_CMD_RECONFIGURE.</summary>
    public long Reconfigure()
    {
        if (picked == null)
            return -Errno.EBUSY;
        if ((_flags & MountFlags.MS_RDONLY) != 0 && picked.Fs.Writers > 0)
            return -Errno.EBUSY;
        long error = FileSystemTypes.Reconfigure(picked.Fs, (_flags & MountFlags.MS_RDONLY) != 0, _options);
        if (error == 0)
            picked.Fs.SetFlags((picked.Fs.Flags & ~MountFlags.MS_RDONLY) | (_flags & MountFlags.MS_RDONLY));
        _options.Clear();
        return error;
    }

    /// <summary>What nobody mounted lets its device go.</summary>
    protected override void Released()
    {
        if (_made is { } made)
            vfs.ReleaseDisk(made.Fs.Whole);
    }

    /// <summary>fsmount: the file system, once; null: there is none (any more).</summary>
    public MountEntry? Take()
    {
        MountEntry? made = _made;
        (_made, _failed) = (null, _failed || made != null);
        return made;
    }
}

/// <summary>A mount that is nowhere yet: what fsmount gives, and open_tree with OPEN_TREE_CLONE. It is gone with its descriptor unless
/// move_mount puts it somewhere.</summary>
internal sealed class DetachedMount(MountEntry mount) : OpenFile(mount.Root, OpenFlags.O_PATH | OpenFlags.O_DIRECTORY)
{
    private bool _placed;

    /// <summary>The mount; null once it is somewhere.</summary>
    public MountEntry? Mount => _placed ? null : mount;

    /// <summary>move_mount put it somewhere.</summary>
    public void Placed() => _placed = true;

    public override long Read(Span<byte> buffer, long position) => -Errno.EBADF;

    public override long Write(ReadOnlySpan<byte> data, long position) => -Errno.EBADF;

    public override uint Poll() => PollBits.Nval;
}
