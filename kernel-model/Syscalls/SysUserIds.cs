using System.Runtime.InteropServices;
using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Users and groups of a task (kernel/sys.c, kernel/groups.c). What the calls on a user's IDs and on a group's have alike is one
/// body; numbers in it are the kernel's own.</summary>
internal static class SysUserIds
{
    private const uint Keep = uint.MaxValue;

    /// <summary>The IDs of a user or of a group.</summary>
    private readonly record struct Ids(uint Real, uint Effective, uint Saved, uint Fs)
    {
        /// <summary>Whether a task without privilege may take this ID for its real, effective or saved one.</summary>
        internal bool Have(uint id) => id == Real || id == Effective || id == Saved;
    }

    private static Ids Of(Credentials who, bool groups) =>
        groups ? new Ids(who.Gid, who.Egid, who.Sgid, who.Fsgid) : new Ids(who.Uid, who.Euid, who.Suid, who.Fsuid);

    /// <summary>Makes an ID of the caller's user namespace the kernel's own; -1 stays. False: it has no mapping (EINVAL).</summary>
    private static bool Known(SyscallContext c, bool groups, ref uint id)
    {
        if (id == Keep)
            return true;
        uint? kernel = groups ? Space(c).Group(id) : Space(c).User(id);
        id = kernel ?? 0;
        return kernel is not null;
    }

    private static bool MayChange(SyscallContext c, bool groups) =>
        c.Task.Credentials.HasInNamespace(groups ? Capability.Setgid : Capability.Setuid);

    private static UserNamespace Space(SyscallContext c) => c.Task.Credentials.UserNamespace;

    private static uint Shown(SyscallContext c, bool groups, uint id) => groups ? Space(c).ShowGroup(id) : Space(c).ShowUser(id);

    private static long Commit(SyscallContext c, bool groups, Ids ids)
    {
        Credentials old = c.Task.Credentials;
        c.Task.Credentials = groups
            ? old with { Gid = ids.Real, Egid = ids.Effective, Sgid = ids.Saved, Fsgid = ids.Fs }
            : (old with { Uid = ids.Real, Euid = ids.Effective, Suid = ids.Saved, Fsuid = ids.Fs })
                .AfterSetUid(old, c.Task.ProcessControls.ContainsKey(PrctlOptions.PR_SET_KEEPCAPS));
        return 0;
    }

    public static long GetUid(SyscallContext c) => (uint)VdsoTruths.Uid(c.Task);

    public static long GetEuid(SyscallContext c) => (uint)VdsoTruths.Euid(c.Task);

    public static long GetGid(SyscallContext c) => (uint)VdsoTruths.Gid(c.Task);

    public static long GetEgid(SyscallContext c) => (uint)VdsoTruths.Egid(c.Task);

    /// <summary>setuid(uid).</summary>
    public static long SetUid(SyscallContext c) => Set(c, false);

    /// <summary>setgid(gid).</summary>
    public static long SetGid(SyscallContext c) => Set(c, true);

    private static long Set(SyscallContext c, bool groups)
    {
        uint id = c.UInt(0);
        Ids old = Of(c.Task.Credentials, groups);
        if (id == Keep || !Known(c, groups, ref id))
            return -Errno.EINVAL;
        if (MayChange(c, groups))
            return Commit(c, groups, new Ids(id, id, id, id));
        return id == old.Real || id == old.Saved ? Commit(c, groups, old with { Effective = id, Fs = id }) : -Errno.EPERM;
    }

    /// <summary>setreuid(ruid, euid).</summary>
    public static long SetReuid(SyscallContext c) => SetTwo(c, false);

    /// <summary>setregid(rgid, egid).</summary>
    public static long SetRegid(SyscallContext c) => SetTwo(c, true);

    private static long SetTwo(SyscallContext c, bool groups)
    {
        uint real = c.UInt(0), effective = c.UInt(1);
        Ids old = Of(c.Task.Credentials, groups);
        if (!Known(c, groups, ref real) || !Known(c, groups, ref effective))
            return -Errno.EINVAL;
        if (!MayChange(c, groups) && ((real != Keep && real != old.Real && real != old.Effective)
            || (effective != Keep && !old.Have(effective))))
        {
            return -Errno.EPERM;
        }
        uint newReal = real == Keep ? old.Real : real, newEffective = effective == Keep ? old.Effective : effective;
        bool saved = real != Keep || (effective != Keep && effective != old.Real);
        return Commit(c, groups, new Ids(newReal, newEffective, saved ? newEffective : old.Saved, newEffective));
    }

    /// <summary>setresuid(ruid, euid, suid).</summary>
    public static long SetResuid(SyscallContext c) => SetThree(c, false);

    /// <summary>setresgid(rgid, egid, sgid).</summary>
    public static long SetResgid(SyscallContext c) => SetThree(c, true);

    private static long SetThree(SyscallContext c, bool groups)
    {
        uint real = c.UInt(0), effective = c.UInt(1), saved = c.UInt(2);
        Ids old = Of(c.Task.Credentials, groups);
        if (!Known(c, groups, ref real) || !Known(c, groups, ref effective) || !Known(c, groups, ref saved))
            return -Errno.EINVAL;
        bool MayHave(uint id) => id == Keep || old.Have(id);
        if (!MayChange(c, groups) && !(MayHave(real) && MayHave(effective) && MayHave(saved)))
            return -Errno.EPERM;
        uint newEffective = effective == Keep ? old.Effective : effective;
        return Commit(
            c, groups, new Ids(real == Keep ? old.Real : real, newEffective, saved == Keep ? old.Saved : saved, newEffective));
    }

    /// <summary>getresuid(ruid, euid, suid).</summary>
    public static long GetResuid(SyscallContext c) => GetThree(c, false);

    /// <summary>getresgid(rgid, egid, sgid).</summary>
    public static long GetResgid(SyscallContext c) => GetThree(c, true);

    private static long GetThree(SyscallContext c, bool groups)
    {
        Ids ids = Of(c.Task.Credentials, groups);
        return c.Memory.Write(c.Arg(0), Shown(c, groups, ids.Real)) && c.Memory.Write(c.Arg(1), Shown(c, groups, ids.Effective))
            && c.Memory.Write(c.Arg(2), Shown(c, groups, ids.Saved)) ? 0 : -Errno.EFAULT;
    }

    /// <summary>setfsuid(uid): the old value.</summary>
    public static long SetFsuid(SyscallContext c)
    {
        uint old = c.Task.Credentials.Fsuid;
        if (NewFs(c, false) is { } uid)
            c.Task.Credentials = c.Task.Credentials.WithFsuid(uid);
        return Shown(c, false, old);
    }

    /// <summary>setfsgid(gid): the old value.</summary>
    public static long SetFsgid(SyscallContext c)
    {
        uint old = c.Task.Credentials.Fsgid;
        if (NewFs(c, true) is { } gid)
            c.Task.Credentials = c.Task.Credentials with { Fsgid = gid };
        return Shown(c, true, old);
    }

    /// <summary>The ID of the argument, when it is one that the caller may have for files.</summary>
    private static uint? NewFs(SyscallContext c, bool groups)
    {
        uint id = c.UInt(0);
        Ids old = Of(c.Task.Credentials, groups);
        return id != Keep && Known(c, groups, ref id) && (MayChange(c, groups) || old.Have(id) || id == old.Fs)
            ? id : null;
    }

    /// <summary>getgroups(size, list).</summary>
    public static long GetGroups(SyscallContext c)
    {
        uint[] groups = [.. c.Task.Credentials.Groups.Select(Space(c).ShowGroup)];
        if (c.Int(0) < 0)
            return -Errno.EINVAL;
        if (c.Int(0) == 0)
            return groups.Length;
        if (groups.Length > c.Int(0))
            return -Errno.EINVAL;
        return c.Memory.Write(c.Arg(1), MemoryMarshal.AsBytes<uint>(groups)) ? groups.Length : -Errno.EFAULT;
    }

    /// <summary>setgroups(size, list).</summary>
    public static long SetGroups(SyscallContext c)
    {
        if (!c.Task.Credentials.HasInNamespace(Capability.Setgid) || !Space(c).SetGroupsAllowed)
            return -Errno.EPERM;
        if (c.UInt(0) > 65536)
            return -Errno.EINVAL;
        var groups = new uint[c.Int(0)];
        if (!c.Memory.Read(c.Arg(1), MemoryMarshal.AsBytes(groups.AsSpan())))
            return -Errno.EFAULT;
        for (int i = 0; i < groups.Length; i++)
        {
            if (groups[i] == Keep || !Known(c, true, ref groups[i]))
                return -Errno.EINVAL;
        }
        Array.Sort(groups);
        c.Task.Credentials = c.Task.Credentials with { Groups = groups };
        return 0;
    }
}
