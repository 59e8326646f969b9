using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Ipc;

/// <summary>A key or keyring (security/keys/key.c).</summary>
internal sealed class Key
{
    /// <summary>Rights, for the possessor at bit 24, the user at 16, the group at 8, others at 0 (include/linux/key.h).</summary>
    public const uint View = 1, Read = 2, Write = 4, Search = 8, Link = 16, SetAttributes = 32, All = 63;

    public required int Serial { get; init; }

    /// <summary>keyring, user, logon, big_key.</summary>
    public required string Type { get; init; }

    public required string Description { get; init; }

    public uint Uid { get; set; }

    public uint Gid { get; set; }

    public uint Permissions { get; set; }

    /// <summary>Contents; of a keyring none.</summary>
    public byte[] Payload { get; set; } = [];

    /// <summary>What is in a keyring; null for other keys.</summary>
    public List<Key>? Links { get; init; }

    /// <summary>CLOCK_MONOTONIC in ns at which it expires.</summary>
    public ulong Expiry { get; set; } = ulong.MaxValue;

    public bool Revoked { get; set; }

    public bool Invalidated { get; set; }

    /// <summary>The error that looking for it gives, of a negative key; 0: a key with contents.</summary>
    public long Negative { get; set; }

    /// <summary>Bytes that its owner is charged for.</summary>
    public int Charge => Description.Length + 1 + Payload.Length + KeyTable.LinkCost * (Links?.Count ?? 0);

    public bool IsKeyring => Links != null;

    /// <summary>key_validate: 0, -ENOKEY, -EKEYREVOKED or -EKEYEXPIRED.</summary>
    public long Validate(ulong now) => Invalidated ? -Errno.ENOKEY : Revoked ? -Errno.EKEYREVOKED : now >= Expiry ? -Errno.EKEYEXPIRED : 0;

    /// <summary>key_task_permission: 0 or -EACCES.</summary>
    public long Check(Credentials who, bool possessed, uint need)
    {
        bool group = Uid != who.Fsuid && who.InGroup(Gid) && (Permissions & All << 8) != 0;
        uint bits = Permissions >> (Uid == who.Fsuid ? 16 : group ? 8 : 0);
        if (possessed)
            bits |= Permissions >> 24;
        return (bits & need) == need ? 0 : -Errno.EACCES;
    }
}

/// <summary>The keyrings that a task has beside those of its user and its process (struct cred).</summary>
internal sealed class TaskKeyrings
{
    public Key? Thread { get; set; }

    public Key? Session { get; set; }

    /// <summary>KEYCTL_SET_REQKEY_KEYRING.</summary>
    public int RequestDefault { get; set; }
}

/// <summary>All keys. One that no keyring and no task leads to is gone, and its owner's quota has room again.</summary>
internal sealed class KeyTable
{
    /// <summary>What a key's place in a keyring is charged with, in bytes (KEYQUOTA_LINK_BYTES).</summary>
    internal const int LinkCost = 4;

    private readonly SortedDictionary<int, Key> _keys = [];
    private readonly Dictionary<uint, (Key User, Key Session)> _ofUsers = [];
    private int _next = 0x1000_0000;

    /// <summary>kernel.keys.maxkeys, maxbytes, root_maxkeys, root_maxbytes.</summary>
    public int MaxKeys { get; set; } = 200;

    /// <inheritdoc cref="MaxKeys"/>
    public int MaxBytes { get; set; } = 20000;

    /// <inheritdoc cref="MaxKeys"/>
    public int RootMaxKeys { get; set; } = 1_000_000;

    /// <inheritdoc cref="MaxKeys"/>
    public int RootMaxBytes { get; set; } = 25_000_000;

    /// <summary>The keyrings of live tasks, where a search for what is in use begins.</summary>
    public Func<IEnumerable<Key>> Roots { get; set; } = () => [];

    public IReadOnlyCollection<Key> Keys => _keys.Values;

    public Key? Find(int serial) => _keys.GetValueOrDefault(serial);

    /// <summary>Forgets what nobody leads to any more.</summary>
    public void Collect()
    {
        var live = new HashSet<Key>();
        var pending = new Stack<Key>(Roots().Concat(_ofUsers.Values.SelectMany(u => (Key[])[u.User, u.Session])));
        while (pending.TryPop(out Key? key))
        {
            if (live.Add(key))
            {
                key.Links?.RemoveAll(k => k.Invalidated);
                foreach (Key below in key.Links ?? [])
                    pending.Push(below);
            }
        }
        foreach (Key key in _keys.Values.Where(k => !live.Contains(k)).ToArray())
            _keys.Remove(key.Serial);
    }

    /// <summary>What a user's keys are, in number and bytes.</summary>
    public (int Count, int Bytes) UsedBy(uint uid)
    {
        int count = 0, bytes = 0;
        foreach (Key key in _keys.Values)
        {
            if (key.Uid == uid)
                (count, bytes) = (count + 1, bytes + key.Charge);
        }
        return (count, bytes);
    }

    /// <summary>Quota of a user.</summary>
    public (int Keys, int Bytes) QuotaOf(uint uid) => uid == 0 ? (RootMaxKeys, RootMaxBytes) : (MaxKeys, MaxBytes);

    /// <summary>Whether a user may have a key and so many bytes more.</summary>
    public bool HasRoom(uint uid, int keys, int bytes)
    {
        bool Fits()
        {
            (int count, int used) = UsedBy(uid);
            (int most, int mostBytes) = QuotaOf(uid);
            return count + keys <= most && used + bytes <= mostBytes;
        }
        if (Fits())
            return true;
        Collect();
        return Fits();
    }

    /// <summary>Makes a key; null (EDQUOT): the owner has too many.</summary>
    public Key? Make(string type, string description, Credentials owner, uint permissions, byte[] payload, bool counted = true)
    {
        if (counted && !HasRoom(owner.Fsuid, 1, description.Length + 1 + payload.Length + LinkCost))
            return null;
        var key = new Key
        {
            Serial = _next++,
            Type = type,
            Description = description,
            Uid = owner.Fsuid,
            Gid = owner.Fsgid,
            Permissions = permissions,
            Payload = payload,
            Links = type == "keyring" ? [] : null,
        };
        _keys.Add(key.Serial, key);
        return key;
    }

    /// <summary>The keyrings _uid.N and _uid_ses.N (install_user_keyrings).</summary>
    public (Key User, Key Session) OfUser(uint uid)
    {
        if (_ofUsers.TryGetValue(uid, out (Key User, Key Session) known))
            return known;
        const uint permissions = (Key.All & ~Key.SetAttributes) << 24 | Key.All << 16;
        Credentials owner = Credentials.For(uid, uint.MaxValue);
        Key user = Make("keyring", $"_uid.{uid}", owner, permissions, [], false)!;
        Key session = Make("keyring", $"_uid_ses.{uid}", owner, permissions, [], false)!;
        session.Links!.Add(user);
        return _ofUsers[uid] = (user, session);
    }

    /// <summary>Puts a key into a keyring in the place of one of its type and description: 0, -EDQUOT.</summary>
    public long Link(Key keyring, Key key)
    {
        int at = keyring.Links!.FindIndex(k => k.Type == key.Type && k.Description == key.Description);
        if (at >= 0)
        {
            keyring.Links[at] = key;
            return 0;
        }
        if (!HasRoom(keyring.Uid, 0, LinkCost))
            return -Errno.EDQUOT;
        keyring.Links.Add(key);
        return 0;
    }

    /// <summary>Whether a key is in a keyring or in one that is in it.</summary>
    public static bool Contains(Key keyring, Key key) => keyring == key || (keyring.Links?.Exists(k => Contains(k, key)) ?? false);
}
