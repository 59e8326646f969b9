using ArmVdso.Kernel.Ipc;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>keyctl (security/keys/keyctl.c): what can be done with a key.</summary>
internal static class SysKeyctl
{
    private const int GetKeyringId = 0, JoinSession = 1, UpdateKey = 2, Revoke = 3, ChangeOwner = 4, SetPermissions = 5, Describe = 6,
        Clear = 7, LinkKey = 8, Unlink = 9, Search = 10, ReadKey = 11, Instantiate = 12, Negate = 13, SetRequestKeyring = 14,
        SetTimeout = 15, AssumeAuthority = 16, GetSecurity = 17, SessionToParent = 18, Reject = 19, InstantiateVector = 20,
        Invalidate = 21, GetPersistent = 22, RestrictKeyring = 29, Move = 30, Capabilities = 31;

    /// <summary>keyctl(operation, ...).</summary>
    public static long Keyctl(SyscallContext c) => c.Int(0) switch
    {
        GetKeyringId => SysKeys.Lookup(c, c.Int(1), c.Int(2) != 0, Key.Search, out Key? ring, out _) is < 0 and long e ? e : ring!.Serial,
        JoinSession => Join(c),
        UpdateKey => Update(c),
        Revoke => Do(c, 1, 0, key =>
        {
            key.Revoked = true;
            key.Links?.Clear();
            key.Payload = [];
            return 0;
        }, Key.Write, Key.SetAttributes),
        ChangeOwner => Do(c, 1, Key.SetAttributes, key => Own(c, key)),
        SetPermissions => Permit(c),
        Describe => Do(c, 1, Key.View, key => Copy(c, SysKeys.Describe(key)), partial: true),
        Clear => Do(c, 1, Key.Write, key =>
        {
            if (!key.IsKeyring)
                return -Errno.ENOTDIR;
            key.Links!.Clear();
            c.Ipc.Keys.Collect();
            return 0;
        }),
        LinkKey => Link(c),
        Unlink => Remove(c),
        Search => Find(c),
        ReadKey => Read(c),
        // Keys are never under construction here, so nobody has the authority to make one.
        Instantiate or Negate or Reject or InstantiateVector => -Errno.EPERM,
        AssumeAuthority => c.Int(1) < 0 ? -Errno.EINVAL : c.Int(1) == 0 ? 0 : -Errno.ENOKEY,
        SetRequestKeyring => SetDefault(c),
        SetTimeout => Do(c, 1, Key.SetAttributes, key =>
        {
            key.Expiry = c.UInt(2) == 0 ? ulong.MaxValue : c.Timekeeper.NowNs + c.UInt(2) * 1_000_000_000UL;
            return 0;
        }, partial: true),
        GetSecurity => Do(c, 1, Key.View, _ => Copy(c, [0]), partial: true),
        SessionToParent => GiveSession(c),
        Invalidate => Do(c, 1, Key.Search, key =>
        {
            key.Invalidated = true;
            c.Ipc.Keys.Collect();
            return 0;
        }),
        Move => MoveKey(c),
        Capabilities => CopyAt(c, c.Arg(1), c.Arg(2), [0x10 | 0x20 | 0x01, 0]),
        GetPersistent or RestrictKeyring => -Errno.EOPNOTSUPP,
        _ => -Errno.EOPNOTSUPP,
    };

    private static long Do(SyscallContext c, int argument, uint need, Func<Key, long> action, params ReadOnlySpan<uint> anyOf) =>
        Do(c, argument, need, action, false, anyOf);

    private static long Do(
        SyscallContext c, int argument, uint need, Func<Key, long> action, bool partial, params ReadOnlySpan<uint> anyOf)
    {
        long error = SysKeys.Lookup(c, c.Int(argument), true, need, out Key? key, out bool possessed, partial);
        if (error < 0)
            return error;
        foreach (uint either in anyOf)
        {
            error = key!.Check(c.Task.Credentials, possessed, either);
            if (error == 0)
                break;
        }
        return error < 0 ? error : action(key!);
    }

    /// <summary>Copies bytes to (argument 2, length in argument 3) as far as they fit; their number.</summary>
    private static long Copy(SyscallContext c, byte[] bytes) => CopyAt(c, c.Arg(2), c.Arg(3), bytes);

    private static long CopyAt(SyscallContext c, ulong address, ulong length, byte[] bytes)
    {
        if (address == 0 || length == 0 || (ulong)bytes.Length > length)
            return bytes.Length;
        return c.Memory.Write(address, bytes) ? bytes.Length : -Errno.EFAULT;
    }

    private static long Join(SyscallContext c)
    {
        if (c.Arg(1) == 0)
            return SysKeys.NewSession(c).Serial;
        if (c.Memory.ReadString(c.Arg(1), 4096, out string name) is < 0 and long bad)
            return bad == -Errno.ENAMETOOLONG ? -Errno.EINVAL : bad;
        if (name.StartsWith('.'))
            return -Errno.EPERM;
        Key? known = c.Ipc.Keys.Keys.FirstOrDefault(k => k.IsKeyring && k.Description == name && !k.Revoked
            && k.Check(c.Task.Credentials, false, Key.Search) == 0);
        if (known == null)
            return SysKeys.NewSession(c, name).Serial;
        c.Task.Keys.Session = known;
        return known.Serial;
    }

    /// <summary>keyctl_session_to_parent: a parent of the same user with one thread has the caller's session keyring from now on.</summary>
    private static long GiveSession(SyscallContext c)
    {
        long error = SysKeys.Lookup(c, SysKeys.SessionRing, false, Key.Link, out Key? ring, out _);
        if (error < 0)
            return error;
        if (c.Task.Group.Parent is not { Pid: > 1, Threads: [{ Mm: not null } parent] })
            return -Errno.EPERM;
        if (parent.Keys.Session == ring)
            return 0;
        Credentials mine = c.Task.Credentials, theirs = parent.Credentials;
        bool same = theirs.Uid == mine.Euid && theirs.Euid == mine.Euid && theirs.Suid == mine.Euid
            && theirs.Gid == mine.Egid && theirs.Egid == mine.Egid && theirs.Sgid == mine.Egid;
        if (!same || ring!.Uid != mine.Euid || (parent.Keys.Session is { } old && old.Uid != mine.Euid))
            return -Errno.EPERM;
        parent.Keys.Session = ring;
        return 0;
    }

    private static long Update(SyscallContext c)
    {
        if (c.Arg(3) > 4096)
            return -Errno.EINVAL;
        var payload = new byte[(int)c.Arg(3)];
        if (payload.Length > 0 && !c.Memory.Read(c.Arg(2), payload))
            return -Errno.EFAULT;
        return Do(c, 1, Key.Write, key => SysKeys.Update(c, key, payload));
    }

    private static long Own(SyscallContext c, Key key)
    {
        Credentials who = c.Task.Credentials;
        uint uid = c.UInt(2), gid = c.UInt(3);
        if (!who.Has(Capability.SysAdmin)
            && ((uid != uint.MaxValue && uid != key.Uid) || (gid != uint.MaxValue && gid != key.Gid && !who.InGroup(gid))))
            return -Errno.EACCES;
        key.Uid = uid == uint.MaxValue ? key.Uid : uid;
        key.Gid = gid == uint.MaxValue ? key.Gid : gid;
        return 0;
    }

    private static long Permit(SyscallContext c)
    {
        const uint known = Key.All << 24 | Key.All << 16 | Key.All << 8 | Key.All;
        if ((c.UInt(2) & ~known) != 0)
            return -Errno.EINVAL;
        return Do(c, 1, Key.SetAttributes, key =>
        {
            if (key.Uid != c.Task.Credentials.Fsuid && !c.Task.Credentials.Has(Capability.SysAdmin))
                return -Errno.EACCES;
            key.Permissions = c.UInt(2);
            return 0;
        }, partial: true);
    }

    private static long Link(SyscallContext c)
    {
        long error = SysKeys.Lookup(c, c.Int(2), true, Key.Write, out Key? ring, out _);
        if (error == 0)
            error = SysKeys.Lookup(c, c.Int(1), true, Key.Link, out Key? key, out _) is < 0 and long bad ? bad : LinkInto(c, ring!, key!);
        return error;
    }

    private static long LinkInto(SyscallContext c, Key ring, Key key) => !ring.IsKeyring ? -Errno.ENOTDIR
        : key.IsKeyring && KeyTable.Contains(key, ring) ? -Errno.EDEADLK : c.Ipc.Keys.Link(ring, key);

    private static long Remove(SyscallContext c)
    {
        long error = SysKeys.Lookup(c, c.Int(2), false, Key.Write, out Key? ring, out _);
        if (error < 0)
            return error;
        error = SysKeys.Lookup(c, c.Int(1), false, 0, out Key? key, out _, true);
        if (error < 0)
            return error;
        if (!ring!.IsKeyring)
            return -Errno.ENOTDIR;
        if (!ring.Links!.Remove(key!))
            return -Errno.ENOENT;
        c.Ipc.Keys.Collect();
        return 0;
    }

    private static long MoveKey(SyscallContext c)
    {
        if ((c.UInt(4) & ~1u) != 0)
            return -Errno.EINVAL;
        long error = SysKeys.Lookup(c, c.Int(1), true, Key.Link, out Key? key, out _);
        if (error < 0)
            return error;
        error = SysKeys.Lookup(c, c.Int(2), false, Key.Write, out Key? from, out _);
        if (error < 0)
            return error;
        error = SysKeys.Lookup(c, c.Int(3), true, Key.Write, out Key? to, out _);
        if (error < 0 || from == to)
            return error;
        if (!from!.IsKeyring || !to!.IsKeyring)
            return -Errno.ENOTDIR;
        if (!from.Links!.Contains(key!))
            return -Errno.ENOENT;
        // KEYCTL_MOVE_EXCL.
        if ((c.UInt(4) & 1) != 0 && to.Links!.Exists(k => k.Type == key!.Type && k.Description == key.Description))
            return -Errno.EEXIST;
        error = LinkInto(c, to, key!);
        if (error == 0)
            from.Links.Remove(key!);
        return error;
    }

    private static long Find(SyscallContext c)
    {
        if (SysKeys.TypeName(c, 2, out string type) is < 0 and long badType)
            return badType;
        if (c.Memory.ReadString(c.Arg(3), 4096, out string description) is < 0 and long bad)
            return bad == -Errno.ENAMETOOLONG ? -Errno.EINVAL : bad;
        long error = SysKeys.Lookup(c, c.Int(1), false, Key.Search, out Key? ring, out bool possessed);
        if (error < 0)
            return error;
        Key? target = null;
        if (c.Int(4) != 0 && SysKeys.Lookup(c, c.Int(4), true, Key.Write, out target, out _) is < 0 and long badTarget)
            return badTarget;
        if (!SysKeys.IsKnown(type))
            return -Errno.ENOKEY;
        if (!ring!.IsKeyring)
            return -Errno.ENOTDIR;
        error = SysKeys.SearchRing(c, ring, possessed, type, description, out Key? key);
        if (error < 0)
            return error == -Errno.EAGAIN ? -Errno.ENOKEY : error;
        if (target != null && LinkInto(c, target, key!) is < 0 and long failed)
            return failed;
        return key!.Serial;
    }

    private static long Read(SyscallContext c)
    {
        long error = SysKeys.Lookup(c, c.Int(1), false, 0, out Key? key, out bool possessed);
        if (error < 0)
            return error;
        if (key!.Negative != 0)
            return -key.Negative;
        if (key.Check(c.Task.Credentials, possessed, Key.Read) < 0 && !(possessed && key.Check(c.Task.Credentials, true, Key.Search) == 0))
            return -Errno.EACCES;
        return key.Type == "logon" ? -Errno.EOPNOTSUPP : Copy(c, SysKeys.Contents(key));
    }

    private static long SetDefault(SyscallContext c)
    {
        int old = c.Task.Keys.RequestDefault;
        switch (c.Int(1))
        {
            case -1:
                return old;
            case 1 or 2:
                if (SysKeys.Lookup(c, -c.Int(1), true, 0, out _, out _) is < 0 and long error)
                    return error;
                break;
            case not (0 or 3 or 4 or 5 or 7):
                return -Errno.EINVAL;
        }
        c.Task.Keys.RequestDefault = c.Int(1);
        return old;
    }
}
