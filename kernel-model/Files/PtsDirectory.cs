using System.Globalization;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Files;

/// <summary>The root of a devpts: its pseudo-terminals, which have numbers of their own in each mount, and the file that makes them
/// (fs/devpts/inode.c).</summary>
internal sealed class PtsDirectory : DirectoryInode
{
    /// <summary>NR_UNIX98_PTY_MAX.</summary>
    private const int MostEver = 1 << 20;

    private readonly SortedDictionary<int, (PseudoTerminal Terminal, DeviceInode Node)> _terminals = [];
    private readonly SortedSet<int> _taken = [];
    private readonly DeviceInode _multiplexer;
    private PtsOptions _options;

    /// <param name="fs">The file system.</param>
    /// <param name="options">Owner, permissions and number of its files.</param>
    /// <param name="reserves">Whether it may have the terminals that are kept for the first mount namespace.</param>
    /// <param name="root">Who owns the file that makes terminals.</param>
    public PtsDirectory(FileSystem fs, PtsOptions options, bool reserves, (uint Uid, uint Gid) root)
        : base(fs, Modes.S_IFDIR | 0x1ED)
    {
        Nlink = 2;
        Reserves = reserves;
        _options = options;
        _multiplexer = new DeviceInode(fs, Modes.S_IFCHR | options.MultiplexerMode, 0x502)
        {
            Uid = root.Uid,
            Gid = root.Gid,
            Parent = this,
            Name = "ptmx",
        };
    }

    /// <summary>Whether it may have the terminals that are kept for the first mount namespace (kernel.pty.reserve).</summary>
    public bool Reserves { get; }

    /// <summary>Its options; those of files that come later.</summary>
    public PtsOptions Options
    {
        get => _options;
        set
        {
            _options = value;
            _multiplexer.Mode = Modes.S_IFCHR | value.MultiplexerMode;
        }
    }

    /// <summary>The lowest number that is free; null: it has as many as it may (devpts_new_index).</summary>
    public int? Take()
    {
        int number = 0;
        while (_taken.Contains(number))
            number++;
        return number < _options.Most && _taken.Add(number) ? number : null;
    }

    /// <summary>A terminal's file (devpts_pty_new): of who opens the other end, unless the mount says whose.</summary>
    public void Add(PseudoTerminal terminal, Credentials? maker)
    {
        var node = new DeviceInode(Fs, Modes.S_IFCHR | _options.Mode, PseudoTerminal.DeviceOf(terminal.Number))
        {
            Ino = (ulong)terminal.Number + 3,
            Uid = _options.Uid ?? maker?.Fsuid ?? 0,
            Gid = _options.Gid ?? maker?.Fsgid ?? 0,
            Parent = this,
            Name = terminal.Number.ToString(CultureInfo.InvariantCulture),
        };
        _terminals.Add(terminal.Number, (terminal, node));
    }

    /// <summary>The other end was closed: the file is gone (devpts_pty_kill).</summary>
    public void Remove(int number)
    {
        _terminals[number].Node.Nlink = 0;
        _terminals.Remove(number);
    }

    /// <summary>Both ends are closed: the number is free (devpts_kill_index).</summary>
    public void Free(int number) => _taken.Remove(number);

    /// <summary>The terminal of a file in here; null: its other end was closed.</summary>
    public PseudoTerminal? TerminalOf(DeviceInode node) =>
        PseudoTerminal.NumberOf(node.Rdev) is { } number && _terminals.TryGetValue(number, out var found) && found.Node == node
            ? found.Terminal : null;

    /// <summary>The file of a terminal that is here.</summary>
    public DeviceInode NodeOf(int number) => _terminals[number].Node;

    public override long Lookup(string name, out Inode? child)
    {
        child = name == "ptmx" ? _multiplexer
            : int.TryParse(name, NumberStyles.None, CultureInfo.InvariantCulture, out int number)
                && _terminals.TryGetValue(number, out var found) && found.Node.Name == name ? found.Node : null;
        return child is null ? -Errno.ENOENT : 0;
    }

    public override IReadOnlyList<DirectoryEntry> List() =>
    [
        new DirectoryEntry("ptmx", _multiplexer.Ino, Modes.DirectoryType(_multiplexer.Mode)),
        .. _terminals.Values.Select(t => new DirectoryEntry(t.Node.Name, t.Node.Ino, Modes.DirectoryType(t.Node.Mode))),
    ];

    /// <summary>Options of a mount (parse_mount_options).</summary>
    /// <param name="Uid">Owner of terminals; null: who makes them.</param>
    /// <param name="Gid">Group of terminals; null: that of who makes them.</param>
    /// <param name="Mode">Permissions of terminals.</param>
    /// <param name="MultiplexerMode">Permissions of ptmx.</param>
    /// <param name="Most">Terminals that there may be.</param>
    internal readonly record struct PtsOptions(uint? Uid, uint? Gid, uint Mode, uint MultiplexerMode, int Most)
    {
        /// <summary>What a mount has when nothing is said.</summary>
        public static PtsOptions Usual => new(null, null, 0x180, 0, MostEver);

        /// <summary>As /proc/mounts writes them, to a reader of a user namespace.</summary>
        public string Text(UserNamespace reader) => (Uid is { } uid ? $"uid={reader.ShowUser(uid)}," : "")
            + (Gid is { } gid ? $"gid={reader.ShowGroup(gid)}," : "")
            + $"mode={FileSystemTypes.Octal(Mode)},ptmxmode={FileSystemTypes.Octal(MultiplexerMode)}"
            + (Most < MostEver ? $",max={Most}" : "");

        /// <summary>The same with one option set: 0 or -EINVAL.</summary>
        /// <param name="who">Whose numbers uid= and gid= are.</param>
        /// <param name="key">Name.</param>
        /// <param name="value">Value; null: none was given.</param>
        /// <param name="options">Changed.</param>
        public static long Set(Credentials who, string key, string? value, ref PtsOptions options)
        {
            if (key == "newinstance")
                return value is null ? 0 : -Errno.EINVAL;
            long number = 0;
            if (key is not ("uid" or "gid" or "mode" or "ptmxmode" or "max")
                || !FileSystemTypes.Number(value, key is "mode" or "ptmxmode" ? 8 : 10, out number))
                return -Errno.EINVAL;
            switch (key)
            {
                case "uid" when who.UserNamespace.User((uint)number) is { } uid:
                    options = options with { Uid = uid };
                    return 0;
                case "gid" when who.UserNamespace.Group((uint)number) is { } gid:
                    options = options with { Gid = gid };
                    return 0;
                case "mode":
                    options = options with { Mode = (uint)number & 0xFFF };
                    return 0;
                case "ptmxmode":
                    options = options with { MultiplexerMode = (uint)number & 0xFFF };
                    return 0;
                case "max" when number <= MostEver:
                    options = options with { Most = (int)number };
                    return 0;
                default:
                    return -Errno.EINVAL;
            }
        }
    }
}
