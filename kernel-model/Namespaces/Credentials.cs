namespace ArmVdso.Kernel.Namespaces;

/// <summary>User and group identities of a task (struct cred). Immutable: a change makes a new object. What it may do
/// beyond its own depends on the effective capabilities.</summary>
public sealed record Credentials
{
    /// <summary>All capabilities of Linux 6.1 (CAP_LAST_CAP is 40).</summary>
    public const ulong AllCapabilities = (1UL << 41) - 1;

    /// <summary>Real, effective, saved and file system user IDs.</summary>
    public uint Uid { get; init; }

    /// <inheritdoc cref="Uid"/>
    public uint Euid { get; init; }

    /// <inheritdoc cref="Uid"/>
    public uint Suid { get; init; }

    /// <inheritdoc cref="Uid"/>
    public uint Fsuid { get; init; }

    /// <summary>Real, effective, saved and file system group IDs.</summary>
    public uint Gid { get; init; }

    /// <inheritdoc cref="Gid"/>
    public uint Egid { get; init; }

    /// <inheritdoc cref="Gid"/>
    public uint Sgid { get; init; }

    /// <inheritdoc cref="Gid"/>
    public uint Fsgid { get; init; }

    /// <summary>User namespace. All IDs here are the kernel's own, those of the first namespace.</summary>
    public UserNamespace UserNamespace { get; init; } = UserNamespace.Initial;

    /// <summary>Supplementary groups.</summary>
    public uint[] Groups { get; init; } = [];

    /// <summary>Effective, permitted, inheritable, bounding and ambient capabilities.</summary>
    public ulong CapEffective { get; init; }

    /// <inheritdoc cref="CapEffective"/>
    public ulong CapPermitted { get; init; }

    /// <inheritdoc cref="CapEffective"/>
    public ulong CapInheritable { get; init; }

    /// <inheritdoc cref="CapEffective"/>
    public ulong CapBounding { get; init; } = AllCapabilities;

    /// <inheritdoc cref="CapEffective"/>
    public ulong CapAmbient { get; init; }

    /// <summary>What the task has forbidden itself (landlock_restrict_self); null: nothing.</summary>
    internal AccessDomain? Domain { get; init; }

    /// <summary>Securebits of prctl.</summary>
    public uint SecureBits { get; init; }

    /// <summary>Whether the identity has a capability over the machine (capable): in the first user namespace.</summary>
    public bool Has(int capability) => UserNamespace.IsInitial && HasInNamespace(capability);

    /// <summary>Whether the identity has a capability over its own user namespace (ns_capable).</summary>
    public bool HasInNamespace(int capability) => (CapEffective >> capability & 1) != 0;

    /// <summary>Whether the identity has a capability over a file with this owner and group (capable_wrt_inode_uidgid).</summary>
    public bool HasOver(int capability, uint uid, uint gid) => HasInNamespace(capability)
        && (UserNamespace.IsInitial || (UserNamespace.KnowsUser(uid) && UserNamespace.KnowsGroup(gid)));

    /// <summary>The same identity with another user for files: capabilities over files go and come with user 0
    /// (cap_task_fix_setuid).</summary>
    internal Credentials WithFsuid(uint uid)
    {
        uint? root = UserNamespace.User(0);
        Credentials next = this with { Fsuid = uid };
        if (Fsuid == root && uid != root)
            return next with { CapEffective = CapEffective & ~Capability.FileSystemSet };
        return Fsuid != root && uid == root ? next with { CapEffective = CapEffective | (Capability.FileSystemSet & CapPermitted) } : next;
    }

    /// <summary>The same identity as a member of another user namespace, with all capabilities over it (set_cred_user_ns).</summary>
    internal Credentials InUserNamespace(UserNamespace space) => this with
    {
        UserNamespace = space,
        SecureBits = 0,
        CapInheritable = 0,
        CapPermitted = AllCapabilities,
        CapEffective = AllCapabilities,
        CapBounding = AllCapabilities,
        CapAmbient = 0,
    };

    /// <summary>Whether a file's group applies to this identity.</summary>
    public bool InGroup(uint gid) => gid == Fsgid || Array.IndexOf(Groups, gid) >= 0;

    /// <summary>All identities set to one user and group.</summary>
    public static Credentials For(uint uid, uint gid) => new()
    {
        Uid = uid,
        Euid = uid,
        Suid = uid,
        Fsuid = uid,
        Gid = gid,
        Egid = gid,
        Sgid = gid,
        Fsgid = gid,
        CapEffective = uid == 0 ? AllCapabilities : 0,
        CapPermitted = uid == 0 ? AllCapabilities : 0,
    };

    /// <summary>Capabilities after a change of user IDs from <paramref name="old"/> (cap_emulate_setxuid).</summary>
    public Credentials AfterSetUid(Credentials old, bool keepCapabilities)
    {
        Credentials next = this;
        uint? root = UserNamespace.User(0);
        bool wasRoot = old.Uid == root || old.Euid == root || old.Suid == root;
        bool isRoot = Uid == root || Euid == root || Suid == root;
        if (wasRoot && !isRoot)
            next = keepCapabilities ? next with { CapAmbient = 0 } : next with { CapPermitted = 0, CapEffective = 0, CapAmbient = 0 };
        if (old.Euid == root && Euid != root)
            next = next with { CapEffective = 0 };
        else if (old.Euid != root && Euid == root)
            next = next with { CapEffective = next.CapPermitted };
        return next;
    }

    /// <summary>Capabilities and saved IDs of a new program (cap_bprm_creds_from_file, without file capabilities).</summary>
    public Credentials AfterExec()
    {
        uint? rootUser = UserNamespace.User(0);
        bool root = Uid == rootUser || Euid == rootUser;
        ulong permitted = root ? (CapBounding | CapInheritable) & AllCapabilities : CapAmbient;
        return this with
        {
            Suid = Euid,
            Sgid = Egid,
            Fsuid = Euid,
            Fsgid = Egid,
            CapPermitted = permitted,
            CapEffective = Euid == rootUser ? permitted : CapAmbient,
            CapAmbient = root ? 0 : CapAmbient,
            SecureBits = SecureBits & ~0x10u,
        };
    }
}
