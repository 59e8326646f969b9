using System.Text;
using ArmVdso.Kernel.Ipc;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Keys: add_key, request_key, and what they and keyctl share (security/keys/keyctl.c, process_keys.c). There is no upcall: a key
/// that is not there is asked of nobody.</summary>
internal static class SysKeys
{
    /// <summary>KEY_SPEC_*.</summary>
    internal const int ThreadRing = -1, ProcessRing = -2, SessionRing = -3, UserRing = -4, UserSessionRing = -5, GroupRing = -6,
        AuthorityKey = -7, RequestorRing = -8;

    private const int MaxPayload = 1024 * 1024 - 1;

    /// <summary>add_key(type, description, payload, length, keyring).</summary>
    public static long AddKey(SyscallContext c)
    {
        if (c.Arg(3) > MaxPayload)
            return -Errno.EINVAL;
        if (TypeName(c, 0, out string type) is < 0 and long badType)
            return badType;
        string? description = null;
        if (c.Arg(1) != 0)
        {
            if (c.Memory.ReadString(c.Arg(1), 4096, out string text) is < 0 and long bad)
                return bad == -Errno.ENAMETOOLONG ? -Errno.EINVAL : bad;
            description = text.Length == 0 ? null : text;
            if (text.StartsWith('.') && type == "keyring")
                return -Errno.EPERM;
        }
        var payload = new byte[(int)c.Arg(3)];
        if (payload.Length > 0 && !c.Memory.Read(c.Arg(2), payload))
            return -Errno.EFAULT;
        if (Lookup(c, c.Int(4), true, Key.Write, out Key? keyring, out _) is < 0 and long error)
            return error;
        if (!IsKnown(type))
            return -Errno.ENODEV;
        if (!keyring!.IsKeyring)
            return -Errno.ENOTDIR;
        if (CheckPayload(type, payload) is < 0 and long badPayload)
            return badPayload;
        if (description == null || (type == "logon" && description.IndexOf(':') is <= 0))
            return -Errno.EINVAL;
        if (keyring.Links!.Find(k => k.Type == type && k.Description == description && !k.Revoked) is { } there && type != "keyring")
        {
            error = there.Check(c.Task.Credentials, true, Key.Write);
            return error < 0 ? error : Update(c, there, payload) is < 0 and long failed ? failed : there.Serial;
        }
        if (c.Ipc.Keys.Make(type, description, c.Task.Credentials, DefaultPermissions(type), payload) is not { } made)
            return -Errno.EDQUOT;
        error = c.Ipc.Keys.Link(keyring, made);
        return error < 0 ? error : made.Serial;
    }

    /// <summary>request_key(type, description, callout, keyring).</summary>
    public static long RequestKey(SyscallContext c)
    {
        if (TypeName(c, 0, out string type) is < 0 and long badType)
            return badType;
        if (c.Memory.ReadString(c.Arg(1), 4096, out string description) is < 0 and long bad)
            return bad == -Errno.ENAMETOOLONG ? -Errno.EINVAL : bad;
        bool callout = c.Arg(2) != 0;
        if (callout && c.Memory.ReadString(c.Arg(2), 4096, out _) is < 0 and long badCallout)
            return badCallout == -Errno.ENAMETOOLONG ? -Errno.EINVAL : badCallout;
        Key? target = null;
        if (c.Int(3) != 0 && Lookup(c, c.Int(3), true, Key.Write, out target, out _) is < 0 and long error)
            return error;
        if (!IsKnown(type))
            return -Errno.ENOKEY;
        long found = Find(c, type, description, out Key? key);
        if (found == 0)
        {
            if (target != null && c.Ipc.Keys.Link(target, key!) is < 0 and long full)
                return full;
            return key!.Serial;
        }
        if (found is not (-Errno.ENOKEY or -Errno.EAGAIN) || key != null || !callout)
            return found == -Errno.EAGAIN ? -Errno.ENOKEY : found;
        // The new key goes to where the task says that keys go; then nobody makes it, and it is negative for a minute.
        if (target == null && DefaultTarget(c, out target) is < 0 and long refused)
            return refused;
        Key? negative = c.Ipc.Keys.Make(type, description, c.Task.Credentials, DefaultPermissions(type), []);
        if (negative == null)
            return -Errno.EDQUOT;
        (negative.Negative, negative.Expiry) = (Errno.ENOKEY, c.Timekeeper.NowNs + 60_000_000_000);
        long linked = c.Ipc.Keys.Link(target!, negative);
        return linked < 0 ? linked : -Errno.ENOENT;
    }

    /// <summary>All that the type can do for who has it, looking at it for its user.</summary>
    private static uint DefaultPermissions(string type) => (type == "logon" ? Key.All & ~Key.Read : Key.All) << 24 | Key.View << 16;

    private static long DefaultTarget(SyscallContext c, out Key? target)
    {
        TaskKeyrings rings = c.Task.Keys;
        int wanted = rings.RequestDefault switch
        {
            >= 1 and <= 5 and int which => -which,
            _ => rings.Thread != null ? ThreadRing : c.Task.Group.ProcessKeyring != null ? ProcessRing
                : rings.Session != null ? SessionRing : UserSessionRing,
        };
        return Lookup(c, wanted, true, Key.Write, out target, out _);
    }

    /// <summary>A type's name: 0, -EFAULT, -EINVAL, -EPERM for one of the kernel's own.</summary>
    internal static long TypeName(SyscallContext c, int argument, out string type)
    {
        if (c.Memory.ReadString(c.Arg(argument), 32, out type) is < 0 and long bad)
            return bad == -Errno.ENAMETOOLONG ? -Errno.EINVAL : bad;
        return type.Length == 0 ? -Errno.EINVAL : type[0] == '.' ? -Errno.EPERM : 0;
    }

    internal static bool IsKnown(string type) => type is "keyring" or "user" or "logon" or "big_key";

    internal static long CheckPayload(string type, byte[] payload) => type switch
    {
        "keyring" => payload.Length == 0 ? 0 : -Errno.EINVAL,
        "big_key" => payload.Length is > 0 and <= 1024 * 1024 ? 0 : -Errno.EINVAL,
        _ => payload.Length is > 0 and <= 32767 ? 0 : -Errno.EINVAL,
    };

    /// <summary>Other contents for a key.</summary>
    internal static long Update(SyscallContext c, Key key, byte[] payload)
    {
        if (key.IsKeyring)
            return -Errno.EOPNOTSUPP;
        if (CheckPayload(key.Type, payload) is < 0 and long error)
            return error;
        if (!c.Ipc.Keys.HasRoom(key.Uid, 0, payload.Length - key.Payload.Length))
            return -Errno.EDQUOT;
        (key.Payload, key.Negative, key.Expiry) = (payload, 0, ulong.MaxValue);
        return 0;
    }

    private static Key NewRing(SyscallContext c, string name, uint more = 0) =>
        c.Ipc.Keys.Make("keyring", name, c.Task.Credentials, Key.All << 24 | (Key.View | more) << 16, [], false)!;

    /// <summary>A new anonymous session keyring for the task.</summary>
    internal static Key NewSession(SyscallContext c, string name = "_ses") => c.Task.Keys.Session = NewRing(c, name, Key.Read);

    /// <summary>lookup_user_key: a key by serial or KEY_SPEC number, that the task may use so: 0, -ENOKEY, -EACCES, -EINVAL, ...</summary>
    /// <param name="c">The call.</param>
    /// <param name="id">Serial or KEY_SPEC.</param>
    /// <param name="create">Makes a keyring of the task that is not there.</param>
    /// <param name="need">Rights.</param>
    /// <param name="key">The key.</param>
    /// <param name="possessed">Whether the task possesses it.</param>
    /// <param name="partial">Whether one that is revoked or expired is found too.</param>
    internal static long Lookup(
        SyscallContext c, int id, bool create, uint need, out Key? key, out bool possessed, bool partial = false)
    {
        TaskKeyrings rings = c.Task.Keys;
        possessed = true;
        key = null;
        switch (id)
        {
            case ThreadRing:
                key = rings.Thread ?? (create ? rings.Thread = NewRing(c, "_tid") : null);
                break;
            case ProcessRing:
                key = c.Task.Group.ProcessKeyring ?? (create ? c.Task.Group.ProcessKeyring = NewRing(c, "_pid") : null);
                break;
            case SessionRing:
                rings.Session ??= create ? NewSession(c) : c.Ipc.Keys.OfUser(c.Task.Credentials.Uid).Session;
                key = rings.Session;
                break;
            case UserRing:
                key = c.Ipc.Keys.OfUser(c.Task.Credentials.Uid).User;
                break;
            case UserSessionRing:
                key = c.Ipc.Keys.OfUser(c.Task.Credentials.Uid).Session;
                break;
            case AuthorityKey or RequestorRing:
                return -Errno.ENOKEY;
            case GroupRing or <= 0:
                return -Errno.EINVAL;
            default:
                key = c.Ipc.Keys.Find(id);
                possessed = key != null && Possessed(c, key);
                break;
        }
        if (key == null || key.Invalidated)
            return -Errno.ENOKEY;
        if (!partial && key.Validate(c.Timekeeper.NowNs) is < 0 and long invalid)
            return invalid;
        return need == 0 ? 0 : key.Check(c.Task.Credentials, possessed, need);
    }

    private static IEnumerable<Key> RingsOf(SyscallContext c)
    {
        if (c.Task.Keys.Thread is { } thread)
            yield return thread;
        if (c.Task.Group.ProcessKeyring is { } process)
            yield return process;
        yield return c.Task.Keys.Session ?? c.Ipc.Keys.OfUser(c.Task.Credentials.Uid).Session;
    }

    private static bool Possessed(SyscallContext c, Key key) => RingsOf(c).Any(ring => Reaches(c.Task.Credentials, ring, key, 0));

    private static bool Reaches(Credentials who, Key ring, Key key, int depth) => ring == key
        || (ring.IsKeyring && depth < 6 && !ring.Revoked && ring.Check(who, true, Key.Search) == 0
            && ring.Links!.Exists(k => Reaches(who, k, key, depth + 1)));

    /// <summary>search_process_keyrings: 0; or the best of the errors: that of a key that was found and is no good, or -EAGAIN.</summary>
    private static long Find(SyscallContext c, string type, string description, out Key? key)
    {
        long best = -Errno.EAGAIN;
        Key? bad = null;
        foreach (Key ring in RingsOf(c))
        {
            if (SearchRing(c, ring, true, type, description, out key) is var error && error == 0)
                return 0;
            if (error != -Errno.EAGAIN && bad == null)
                (best, bad) = (error, key);
        }
        key = bad;
        return best;
    }

    /// <summary>keyring_search: a key of a type and description below a keyring: 0, -EAGAIN when there is none, or its own error.</summary>
    internal static long SearchRing(SyscallContext c, Key ring, bool possessed, string type, string description, out Key? key)
    {
        key = null;
        if (ring.Check(c.Task.Credentials, possessed, Key.Search) is < 0 and long denied)
            return denied;
        if (ring.Validate(c.Timekeeper.NowNs) is < 0 and long dead)
            return dead;
        long best = -Errno.EAGAIN;
        foreach (Key each in ring.Links!)
        {
            if (each.Type != type || each.Description != description)
                continue;
            long error = each.Validate(c.Timekeeper.NowNs);
            if (error == 0)
                error = each.Check(c.Task.Credentials, possessed, Key.Search);
            if (error == 0)
                error = -each.Negative;
            key = each;
            if (error == 0)
                return 0;
            best = error;
        }
        foreach (Key each in ring.Links!.Where(k => k.IsKeyring))
        {
            if (each.Check(c.Task.Credentials, possessed, Key.Search) == 0
                && SearchRing(c, each, possessed, type, description, out Key? below) == 0)
            {
                key = below;
                return 0;
            }
        }
        return best;
    }

    /// <summary>Bytes that a key's contents are for KEYCTL_READ.</summary>
    internal static byte[] Contents(Key key)
    {
        if (!key.IsKeyring)
            return key.Payload;
        var serials = new byte[4 * key.Links!.Count];
        for (int i = 0; i < key.Links.Count; i++)
            BitConverter.TryWriteBytes(serials.AsSpan(4 * i), key.Links[i].Serial);
        return serials;
    }

    /// <summary>KEYCTL_DESCRIBE's text.</summary>
    internal static byte[] Describe(Key key) =>
        Encoding.Latin1.GetBytes($"{key.Type};{(int)key.Uid};{(int)key.Gid};{key.Permissions:x8};{key.Description}\0");
}
