using System.Globalization;
using System.Text;

namespace ArmVdso.Kernel.Namespaces;

/// <summary>A user namespace (kernel/user_namespace.c): which IDs its tasks see for the kernel's own ones, which are those of the
/// first namespace.</summary>
public sealed class UserNamespace : INamespace
{
    /// <summary>What an ID without a mapping is shown as (overflowuid, overflowgid).</summary>
    public const uint Overflow = 65534;

    /// <summary>Inode number of the first one (PROC_USER_INIT_INO).</summary>
    public const uint InitialNumber = 0xEFFFFFFD;

    private const int MaxExtents = 340;

    /// <summary>A range of IDs.</summary>
    /// <param name="First">First ID here.</param>
    /// <param name="Kernel">First ID of the kernel.</param>
    /// <param name="Count">How many.</param>
    internal readonly record struct Extent(uint First, uint Kernel, uint Count);

    private Extent[] _users = [];
    private Extent[] _groups = [];

    /// <summary>The map of user IDs; of group IDs.</summary>
    internal IReadOnlyList<Extent> UserExtents => _users;

    /// <inheritdoc cref="UserExtents"/>
    internal IReadOnlyList<Extent> GroupExtents => _groups;

    /// <summary>Ranges of the map of user IDs; 0: nobody has written it.</summary>
    public int UserMapLength => _users.Length;

    private UserNamespace(uint number, UserNamespace? parent, uint owner, uint group)
    {
        Number = number;
        Parent = parent;
        Owner = owner;
        OwnerGroup = group;
        Level = parent is null ? 0 : parent.Level + 1;
        SetGroupsAllowed = parent?.SetGroupsAllowed ?? true;
    }

    /// <summary>The first one, where every ID is itself.</summary>
    public static UserNamespace Initial { get; } = new(InitialNumber, null, 0, 0)
    {
        _users = [new Extent(0, 0, uint.MaxValue)],
        _groups = [new Extent(0, 0, uint.MaxValue)],
    };

    /// <inheritdoc/>
    public string Kind => "user";

    /// <inheritdoc/>
    public ulong CloneFlag => CloneFlags.CLONE_NEWUSER;

    /// <inheritdoc/>
    public uint Number { get; }

    /// <summary>The namespace that it was made in; null for the first one.</summary>
    public UserNamespace? Parent { get; }

    /// <summary>Depth; 0 for the first one.</summary>
    public int Level { get; }

    /// <summary>Whether it is the first one.</summary>
    public bool IsInitial => Parent is null;

    /// <summary>Effective user (kernel ID) of who made it: has all capabilities over it.</summary>
    public uint Owner { get; }

    /// <summary>Effective group (kernel ID) of who made it.</summary>
    public uint OwnerGroup { get; }

    /// <summary>/proc/PID/setgroups says "allow".</summary>
    public bool SetGroupsAllowed { get; private set; }

    internal static UserNamespace Make(uint number, UserNamespace parent, Credentials maker) => new(number, parent, maker.Euid, maker.Egid);

    private static uint? Up(Extent[] map, uint id)
    {
        foreach (Extent e in map)
        {
            if (id - e.Kernel < e.Count)
                return e.First + (id - e.Kernel);
        }
        return null;
    }

    private static uint? Down(Extent[] map, uint id)
    {
        foreach (Extent e in map)
        {
            if (id - e.First < e.Count)
                return e.Kernel + (id - e.First);
        }
        return null;
    }

    /// <summary>Whether a user of the kernel's own numbers has one here.</summary>
    internal bool KnowsUser(uint id) => Up(_users, id) is not null;

    /// <summary>Whether a group of the kernel's own numbers has one here.</summary>
    internal bool KnowsGroup(uint id) => Up(_groups, id) is not null;

    /// <summary>A kernel user ID as tasks here see it (from_kuid_munged).</summary>
    public uint ShowUser(uint id) => Up(_users, id) ?? Overflow;

    /// <summary>A kernel group ID as tasks here see it (from_kgid_munged).</summary>
    public uint ShowGroup(uint id) => Up(_groups, id) ?? Overflow;

    /// <summary>The kernel's ID for a user ID of this namespace (make_kuid); null: not mapped.</summary>
    public uint? User(uint id) => Down(_users, id);

    /// <inheritdoc/>
    public UserNamespace? OwnerSpace => Parent;

    /// <summary>Whether it is another namespace, or was made below it.</summary>
    public bool IsWithin(UserNamespace other)
    {
        for (UserNamespace? at = this; at is not null; at = at.Parent)
        {
            if (ReferenceEquals(at, other))
                return true;
        }
        return false;
    }

    /// <summary>The kernel's ID for a group ID of this namespace (make_kgid); null: not mapped.</summary>
    public uint? Group(uint id) => Down(_groups, id);

    /// <summary>Whether a task of these credentials has all capabilities over this namespace (cap_capable).</summary>
    public bool IsGovernedBy(Credentials who)
    {
        for (UserNamespace? at = this; at is not null; at = at.Parent)
        {
            if (ReferenceEquals(at, who.UserNamespace))
                return who.HasInNamespace(Capability.SysAdmin);
            if (at.Parent is not null && ReferenceEquals(at.Parent, who.UserNamespace) && at.Owner == who.Euid)
                return true;
        }
        return false;
    }

    /// <summary>Text of uid_map or gid_map for a reader of some namespace.</summary>
    internal string MapText(bool groups, UserNamespace reader)
    {
        // A reader inside sees IDs of the parent, as seq_file's uid_m_show has it.
        UserNamespace outer = ReferenceEquals(reader, this) && Parent is not null ? Parent : reader;
        var text = new StringBuilder();
        foreach (Extent e in groups ? _groups : _users)
        {
            uint shown = (groups ? Up(outer._groups, e.Kernel) : Up(outer._users, e.Kernel)) ?? uint.MaxValue;
            text.Append(CultureInfo.InvariantCulture, $"{e.First,10} {shown,10} {e.Count,10}\n");
        }
        return text.ToString();
    }

    /// <summary>Writes uid_map or gid_map (map_write): 0 or -errno.</summary>
    internal long WriteMap(bool groups, string text, Credentials writer)
    {
        if (Parent is null || (groups ? _groups : _users).Length > 0)
            return -Errno.EPERM;
        if (!ReferenceEquals(writer.UserNamespace, this) && !ReferenceEquals(writer.UserNamespace, Parent))
            return -Errno.EPERM;
        var map = new List<Extent>();
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] cells = line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries);
            if (cells.Length != 3 || !Number32(cells[0], out uint first) || !Number32(cells[1], out uint lower)
                || !Number32(cells[2], out uint count)
                || count == 0 || first + count < first || lower + count < lower || map.Count == MaxExtents)
            {
                return -Errno.EINVAL;
            }
            if (map.Exists(
                e => (first < e.First + e.Count && e.First < first + count) || (lower < e.Kernel + e.Count && e.Kernel < lower + count)))
                return -Errno.EINVAL;
            map.Add(new Extent(first, lower, count));
        }
        if (map.Count == 0)
            return -Errno.EINVAL;
        if (!MayMap(groups, map, writer))
            return -Errno.EPERM;
        Extent[] above = groups ? Parent._groups : Parent._users;
        for (int i = 0; i < map.Count; i++)
        {
            uint? kernel = Down(above, map[i].Kernel);
            if (kernel is null || Down(above, map[i].Kernel + map[i].Count - 1) != kernel + map[i].Count - 1)
                return -Errno.EPERM;
            map[i] = map[i] with { Kernel = kernel.Value };
        }
        if (groups)
            _groups = [.. map];
        else
            _users = [.. map];
        return 0;
    }

    private static bool Number32(string text, out uint value) =>
        uint.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out value);

    /// <summary>new_idmap_permitted: one's own ID for anybody, others for who governs the parent.</summary>
    private bool MayMap(bool groups, List<Extent> map, Credentials writer)
    {
        if (!IsGovernedBy(writer))
            return false;
        if (map.Count == 1 && map[0].Count == 1 && Owner == writer.Euid)
        {
            uint? kernel = Down(groups ? Parent!._groups : Parent!._users, map[0].Kernel);
            if (groups ? kernel == writer.Egid && !SetGroupsAllowed : kernel == writer.Euid)
                return true;
        }
        return Parent!.IsGovernedBy(writer);
    }

    /// <summary>Writes /proc/PID/setgroups: 0 or -errno.</summary>
    internal long WriteSetGroups(string text, Credentials writer)
    {
        bool? allow = text.TrimEnd() switch { "allow" => true, "deny" => false, _ => null };
        if (allow is not { } value)
            return -Errno.EINVAL;
        if (!IsGovernedBy(writer))
            return -Errno.EPERM;
        if (value)
            return SetGroupsAllowed ? 0 : -Errno.EPERM;
        if (_groups.Length > 0)
            return -Errno.EPERM;
        SetGroupsAllowed = false;
        return 0;
    }
}
