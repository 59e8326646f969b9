using System.Collections.Immutable;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Files;

/// <summary>LANDLOCK_ACCESS_FS_* and LANDLOCK_ACCESS_NET_* (include/uapi/linux/landlock.h).</summary>
internal static class LandlockRights
{
    internal const ulong Execute = 1, WriteFile = 2, ReadFile = 4, ReadDir = 8, RemoveDir = 0x10, RemoveFile = 0x20, MakeChar = 0x40,
        MakeDir = 0x80, MakeReg = 0x100, MakeSock = 0x200, MakeFifo = 0x400, MakeBlock = 0x800, MakeSym = 0x1000, Refer = 0x2000,
        Truncate = 0x4000, IoctlDev = 0x8000, All = 0xFFFF, OfFiles = Execute | WriteFile | ReadFile | Truncate | IoctlDev,
        BindTcp = 1, ConnectTcp = 2, AllOfNet = 3;

    /// <summary>The right to make a file of a type (get_mode_access).</summary>
    internal static ulong ToMake(uint mode) => (mode & Modes.S_IFMT) switch
    {
        Modes.S_IFLNK => MakeSym,
        Modes.S_IFDIR => MakeDir,
        Modes.S_IFCHR => MakeChar,
        Modes.S_IFBLK => MakeBlock,
        Modes.S_IFIFO => MakeFifo,
        Modes.S_IFSOCK => MakeSock,
        _ => MakeReg,
    };

    /// <summary>The right to remove a name of a file (maybe_remove).</summary>
    internal static ulong ToRemove(Inode? node) => node is null ? 0 : node.IsDirectory ? RemoveDir : RemoveFile;
}

/// <summary>A ruleset: which rights it is about, and where they are given all the same (security/landlock/ruleset.c).</summary>
/// <param name="vfs">The tree of files.</param>
/// <param name="files">Rights over files that it is about.</param>
/// <param name="ports">Rights over TCP ports.</param>
/// <param name="scopes">LANDLOCK_SCOPE_*.</param>
internal sealed class LandlockRuleset(Vfs vfs, ulong files, ulong ports, ulong scopes)
    : OpenFile(new AnonymousInode(vfs.Anonymous, 0x180), OpenFlags.O_RDWR)
{
    /// <summary>Rights over files that it is about.</summary>
    internal ulong Files => files;

    /// <inheritdoc cref="Files"/>
    internal ulong Ports => ports;

    /// <summary>LANDLOCK_SCOPE_*.</summary>
    internal ulong Scopes => scopes;

    /// <summary>What is allowed beneath a file.</summary>
    internal ImmutableDictionary<Inode, ulong> Beneath { get; private set; } = ImmutableDictionary<Inode, ulong>.Empty;

    /// <summary>What is allowed on a port.</summary>
    internal ImmutableDictionary<int, ulong> OnPort { get; private set; } = ImmutableDictionary<int, ulong>.Empty;

    /// <summary>Allows something beneath a file: 0 or -ENOMEM.</summary>
    internal long Allow(Inode inode, ulong rights)
    {
        bool known = Beneath.TryGetValue(inode, out ulong before);
        if (!known && !vfs.TryCharge(RuleBytes))
            return -Errno.ENOMEM;
        Beneath = Beneath.SetItem(inode, before | rights);
        return 0;
    }

    /// <summary>Allows something on a port: 0 or -ENOMEM.</summary>
    internal long Allow(int port, ulong rights)
    {
        bool known = OnPort.TryGetValue(port, out ulong before);
        if (!known && !vfs.TryCharge(RuleBytes))
            return -Errno.ENOMEM;
        OnPort = OnPort.SetItem(port, before | rights);
        return 0;
    }

    /// <summary>What the host keeps for a rule. It is not given back: domains that nobody counts share the rules.</summary>
    private const long RuleBytes = 128;

    /// <inheritdoc/>
    public override string Description => "anon_inode:[landlock-ruleset]";

    /// <inheritdoc/>
    public override bool CanPoll => false;
}

/// <summary>The rules of a ruleset as they were when a task put them on itself (security/landlock/fs.c, net.c).</summary>
internal sealed class LandlockDomain : AccessDomain
{
    private readonly ulong _files, _ports;

    /// <summary>Rights that this layer or one below is about.</summary>
    private readonly ulong _allFiles, _allPorts;
    private readonly ImmutableDictionary<Inode, ulong> _beneath;
    private readonly ImmutableDictionary<int, ulong> _onPort;

    internal LandlockDomain(LandlockDomain? below, LandlockRuleset rules) : base(below, rules.Scopes)
    {
        (_files, _ports) = (rules.Files, rules.Ports);
        (_allFiles, _allPorts) = (_files | (below?._allFiles ?? 0), _ports | (below?._allPorts ?? 0));
        (_beneath, _onPort) = (rules.Beneath, rules.OnPort);
    }

    /// <summary>The domain of an identity if a layer of it is about files; else null.</summary>
    internal static LandlockDomain? OfFiles(Credentials who) => who.Domain is LandlockDomain { _allFiles: not 0 } domain ? domain : null;

    private LandlockDomain? Below => (LandlockDomain?)Parent;

    /// <summary>Asks for rights on a file: 0 or -EACCES.</summary>
    internal static long Check(Credentials who, Inode at, ulong rights) =>
        OfFiles(who) is { } domain && domain.Denied(at, rights) != 0 ? -Errno.EACCES : 0;

    /// <summary>Those of some rights that some layer does not give on a file.</summary>
    internal ulong Denied(Inode at, ulong rights)
    {
        // What no path leads to is outside of all rules (is_nouser_or_private).
        if (at.Fs.HasNoPaths)
            return 0;
        ulong denied = 0;
        for (LandlockDomain? layer = this; layer is not null; layer = layer.Below)
            denied |= rights & layer.Handled & ~layer.Given(at);
        return denied;
    }

    /// <summary>A new place for a file asks that it be allowed in both, and that nothing becomes possible there that was not before: what
    /// <see cref="Vfs.Rename"/> and <see cref="Vfs.Link"/> ask for (current_check_refer_path).</summary>
    /// <param name="from">Directory of the old name.</param>
    /// <param name="node">The file.</param>
    /// <param name="to">Directory of the new name.</param>
    /// <param name="replaced">What the new name names; null: nothing.</param>
    /// <param name="moves">The old name goes away (a rename).</param>
    /// <param name="exchange">Both names change places.</param>
    internal long Refer(Inode from, Inode node, Inode to, Inode? replaced, bool moves, bool exchange)
    {
        ulong atSource = (exchange ? LandlockRights.ToMake(replaced!.Mode) : 0) | (moves ? LandlockRights.ToRemove(node) : 0);
        ulong atTarget = LandlockRights.ToMake(node.Mode) | (moves ? LandlockRights.ToRemove(replaced) : 0);
        if (from == to)
            return Denied(to, atSource | atTarget) == 0 ? 0 : -Errno.EACCES;
        if (Denied(from, atSource) != 0 || Denied(to, atTarget) != 0)
            return -Errno.EACCES;
        if (Denied(from, LandlockRights.Refer) != 0 || Denied(to, LandlockRights.Refer) != 0)
            return -Errno.EXDEV;
        return Gains(from, node, to) || (exchange && Gains(to, replaced!, from)) ? -Errno.EXDEV : 0;
    }

    /// <summary>Whether something on a file that a layer denies would be given below another directory.</summary>
    private bool Gains(Inode from, Inode node, Inode to)
    {
        ulong which = node.IsDirectory ? LandlockRights.All : LandlockRights.OfFiles;
        for (LandlockDomain? layer = this; layer is not null; layer = layer.Below)
        {
            ulong before = layer.Given(from) | layer._beneath.GetValueOrDefault(node.Real);
            if ((which & layer.Handled & ~before & layer.Given(to)) != 0)
                return true;
        }
        return false;
    }

    /// <summary>A file's new place is denied in any case unless its ruleset was about that and gives it.</summary>
    private ulong Handled => _files | LandlockRights.Refer;

    /// <summary>What the layer's rules give on a file: on itself and on each directory above.</summary>
    private ulong Given(Inode at)
    {
        ulong given = 0;
        for (Inode? node = at; node is not null; node = node.Parent)
            given |= _beneath.GetValueOrDefault(node.Real);
        return given;
    }

    /// <summary>Asks for a right on a TCP port with an address that bind or connect has (current_check_access_socket): 0 or -errno.
    /// </summary>
    internal static long CheckPort(Credentials who, SocketFile socket, ReadOnlySpan<byte> address, ulong right)
    {
        if (who.Domain is not LandlockDomain { _allPorts: not 0 } domain || socket.Kind != SocketTable.SOCK_STREAM)
            return 0;
        if (address.Length < 2)
            return -Errno.EINVAL;
        int family = address[0] | address[1] << 8;
        if (family is not (0 or SocketTable.AF_INET or SocketTable.AF_INET6))
            return 0;
        if (address.Length < (family == SocketTable.AF_INET6 ? 24 : 16))
            return -Errno.EINVAL;
        if (family == 0)
        {
            // Disconnecting is free; a bind without a family is one of IPv4 for the wildcard address alone.
            if (right == LandlockRights.ConnectTcp)
                return 0;
            if (address.Slice(4, 4).ContainsAnyExcept((byte)0))
                return -Errno.EAFNOSUPPORT;
        }
        else if (family != socket.Domain)
        {
            return -Errno.EINVAL;
        }
        int port = address[2] << 8 | address[3];
        for (LandlockDomain? layer = domain; layer is not null; layer = layer.Below)
        {
            if ((layer._ports & right & ~layer._onPort.GetValueOrDefault(port)) != 0)
                return -Errno.EACCES;
        }
        return 0;
    }

    /// <summary>What opening a file asks for with its flags (get_required_file_open_access).</summary>
    internal static ulong ToOpen(Inode inode, int flags)
    {
        bool reads = (flags & OpenFlags.O_ACCMODE) is OpenFlags.O_RDONLY or OpenFlags.O_RDWR;
        if (reads && inode.IsDirectory)
            return LandlockRights.ReadDir;
        return (reads ? LandlockRights.ReadFile : 0)
            | ((flags & OpenFlags.O_ACCMODE) is OpenFlags.O_WRONLY or OpenFlags.O_RDWR ? LandlockRights.WriteFile : 0);
    }
}
