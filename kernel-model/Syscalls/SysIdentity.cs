using ArmVdso.Kernel.Abi;
using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Identities: users, groups, process groups, sessions, capabilities (kernel/sys.c, kernel/groups.c,
/// kernel/capability.c).</summary>
internal static class SysIdentity
{
    private const uint Keep = uint.MaxValue;
    private const int PrKeepCaps = 8;
    private const uint CapabilityVersion1 = 0x19980330, CapabilityVersion2 = 0x20071026, CapabilityVersion3 = 0x20080522;

    public static long GetPid(SyscallContext c) => VdsoTruths.Pid(c.Task);

    public static long GetTid(SyscallContext c) => VdsoTruths.Tid(c.Task);

    public static long GetPpid(SyscallContext c) => VdsoTruths.Ppid(c.Task);

    public static long GetUid(SyscallContext c) => (uint)VdsoTruths.Uid(c.Task);

    public static long GetEuid(SyscallContext c) => (uint)VdsoTruths.Euid(c.Task);

    public static long GetGid(SyscallContext c) => (uint)VdsoTruths.Gid(c.Task);

    public static long GetEgid(SyscallContext c) => (uint)VdsoTruths.Egid(c.Task);

    /// <summary>Makes IDs of the caller's user namespace the kernel's own. False: one has no mapping (EINVAL); -1 stays.</summary>
    private static bool Users(SyscallContext c, ref uint id) => id == Keep || Mapped(c.Task.Credentials.UserNamespace.User(id), ref id);

    private static bool Groups(SyscallContext c, ref uint id) => id == Keep || Mapped(c.Task.Credentials.UserNamespace.Group(id), ref id);

    private static bool Mapped(uint? kernel, ref uint id)
    {
        id = kernel ?? 0;
        return kernel is not null;
    }

    private static long SetUsers(SyscallContext c, Credentials next)
    {
        c.Task.Credentials = next.AfterSetUid(c.Task.Credentials, c.Task.ProcessControls.ContainsKey(PrKeepCaps));
        return 0;
    }

    /// <summary>setuid(uid).</summary>
    public static long SetUid(SyscallContext c)
    {
        uint uid = c.UInt(0);
        Credentials old = c.Task.Credentials;
        if (uid == Keep || !Users(c, ref uid))
            return -Errno.EINVAL;
        if (old.PrivilegedInNamespace)
            return SetUsers(c, old with { Uid = uid, Euid = uid, Suid = uid, Fsuid = uid });
        return uid == old.Uid || uid == old.Suid ? SetUsers(c, old with { Euid = uid, Fsuid = uid }) : -Errno.EPERM;
    }

    /// <summary>setgid(gid).</summary>
    public static long SetGid(SyscallContext c)
    {
        uint gid = c.UInt(0);
        Credentials old = c.Task.Credentials;
        if (gid == Keep || !Groups(c, ref gid))
            return -Errno.EINVAL;
        if (old.PrivilegedInNamespace)
            c.Task.Credentials = old with { Gid = gid, Egid = gid, Sgid = gid, Fsgid = gid };
        else if (gid == old.Gid || gid == old.Sgid)
            c.Task.Credentials = old with { Egid = gid, Fsgid = gid };
        else
            return -Errno.EPERM;
        return 0;
    }

    /// <summary>setreuid(ruid, euid).</summary>
    public static long SetReuid(SyscallContext c)
    {
        uint real = c.UInt(0), effective = c.UInt(1);
        Credentials old = c.Task.Credentials;
        if (!Users(c, ref real) || !Users(c, ref effective))
            return -Errno.EINVAL;
        if (!old.PrivilegedInNamespace && ((real != Keep && real != old.Uid && real != old.Euid)
            || (effective != Keep && effective != old.Uid && effective != old.Euid && effective != old.Suid)))
        {
            return -Errno.EPERM;
        }
        uint newReal = real == Keep ? old.Uid : real, newEffective = effective == Keep ? old.Euid : effective;
        bool saved = real != Keep || (effective != Keep && effective != old.Uid);
        return SetUsers(c, old with { Uid = newReal, Euid = newEffective, Suid = saved ? newEffective : old.Suid, Fsuid = newEffective });
    }

    /// <summary>setregid(rgid, egid).</summary>
    public static long SetRegid(SyscallContext c)
    {
        uint real = c.UInt(0), effective = c.UInt(1);
        Credentials old = c.Task.Credentials;
        if (!Groups(c, ref real) || !Groups(c, ref effective))
            return -Errno.EINVAL;
        if (!old.PrivilegedInNamespace && ((real != Keep && real != old.Gid && real != old.Egid)
            || (effective != Keep && effective != old.Gid && effective != old.Egid && effective != old.Sgid)))
        {
            return -Errno.EPERM;
        }
        uint newReal = real == Keep ? old.Gid : real, newEffective = effective == Keep ? old.Egid : effective;
        bool saved = real != Keep || (effective != Keep && effective != old.Gid);
        c.Task.Credentials = old with { Gid = newReal, Egid = newEffective, Sgid = saved ? newEffective : old.Sgid, Fsgid = newEffective };
        return 0;
    }

    private static bool OneOf(uint wanted, uint a, uint b, uint c) => wanted == Keep || wanted == a || wanted == b || wanted == c;

    /// <summary>setresuid(ruid, euid, suid).</summary>
    public static long SetResuid(SyscallContext c)
    {
        uint r = c.UInt(0), e = c.UInt(1), s = c.UInt(2);
        Credentials old = c.Task.Credentials;
        if (!Users(c, ref r) || !Users(c, ref e) || !Users(c, ref s))
            return -Errno.EINVAL;
        if (!old.PrivilegedInNamespace
            && !(OneOf(r, old.Uid, old.Euid, old.Suid) && OneOf(e, old.Uid, old.Euid, old.Suid) && OneOf(s, old.Uid, old.Euid, old.Suid)))
            return -Errno.EPERM;
        uint effective = e == Keep ? old.Euid : e;
        return SetUsers(
            c, old with { Uid = r == Keep ? old.Uid : r, Euid = effective, Suid = s == Keep ? old.Suid : s, Fsuid = effective });
    }

    /// <summary>setresgid(rgid, egid, sgid).</summary>
    public static long SetResgid(SyscallContext c)
    {
        uint r = c.UInt(0), e = c.UInt(1), s = c.UInt(2);
        Credentials old = c.Task.Credentials;
        if (!Groups(c, ref r) || !Groups(c, ref e) || !Groups(c, ref s))
            return -Errno.EINVAL;
        if (!old.PrivilegedInNamespace
            && !(OneOf(r, old.Gid, old.Egid, old.Sgid) && OneOf(e, old.Gid, old.Egid, old.Sgid) && OneOf(s, old.Gid, old.Egid, old.Sgid)))
            return -Errno.EPERM;
        uint effective = e == Keep ? old.Egid : e;
        c.Task.Credentials =
            old with { Gid = r == Keep ? old.Gid : r, Egid = effective, Sgid = s == Keep ? old.Sgid : s, Fsgid = effective };
        return 0;
    }

    private static UserNamespace Shown(SyscallContext c) => c.Task.Credentials.UserNamespace;

    private static long WriteThree(SyscallContext c, uint a, uint b, uint s) =>
        c.Memory.Write(c.Arg(0), a) && c.Memory.Write(c.Arg(1), b) && c.Memory.Write(c.Arg(2), s) ? 0 : -Errno.EFAULT;

    /// <summary>getresuid(ruid, euid, suid).</summary>
    public static long GetResuid(SyscallContext c) => WriteThree(
        c, Shown(c).ShowUser(c.Task.Credentials.Uid), Shown(c).ShowUser(c.Task.Credentials.Euid),
        Shown(c).ShowUser(c.Task.Credentials.Suid));

    /// <summary>getresgid(rgid, egid, sgid).</summary>
    public static long GetResgid(SyscallContext c) => WriteThree(
        c, Shown(c).ShowGroup(c.Task.Credentials.Gid), Shown(c).ShowGroup(c.Task.Credentials.Egid),
        Shown(c).ShowGroup(c.Task.Credentials.Sgid));

    /// <summary>setfsuid(uid): the old value.</summary>
    public static long SetFsuid(SyscallContext c)
    {
        Credentials old = c.Task.Credentials;
        uint uid = c.UInt(0);
        if (uid != Keep && Users(c, ref uid)
            && (old.PrivilegedInNamespace || uid == old.Uid || uid == old.Euid || uid == old.Suid || uid == old.Fsuid))
            c.Task.Credentials = old with { Fsuid = uid };
        return Shown(c).ShowUser(old.Fsuid);
    }

    /// <summary>setfsgid(gid): the old value.</summary>
    public static long SetFsgid(SyscallContext c)
    {
        Credentials old = c.Task.Credentials;
        uint gid = c.UInt(0);
        if (gid != Keep && Groups(c, ref gid)
            && (old.PrivilegedInNamespace || gid == old.Gid || gid == old.Egid || gid == old.Sgid || gid == old.Fsgid))
            c.Task.Credentials = old with { Fsgid = gid };
        return Shown(c).ShowGroup(old.Fsgid);
    }

    /// <summary>getgroups(size, list).</summary>
    public static long GetGroups(SyscallContext c)
    {
        uint[] groups = [.. c.Task.Credentials.Groups.Select(Shown(c).ShowGroup)];
        if (c.Int(0) < 0)
            return -Errno.EINVAL;
        if (c.Int(0) == 0)
            return groups.Length;
        if (groups.Length > c.Int(0))
            return -Errno.EINVAL;
        return c.Memory.Write(c.Arg(1), System.Runtime.InteropServices.MemoryMarshal.AsBytes<uint>(groups)) ? groups.Length : -Errno.EFAULT;
    }

    /// <summary>setgroups(size, list).</summary>
    public static long SetGroups(SyscallContext c)
    {
        if (!c.Task.Credentials.PrivilegedInNamespace || !Shown(c).SetGroupsAllowed)
            return -Errno.EPERM;
        if (c.UInt(0) > 65536)
            return -Errno.EINVAL;
        var groups = new uint[c.Int(0)];
        if (!c.Memory.Read(c.Arg(1), System.Runtime.InteropServices.MemoryMarshal.AsBytes(groups.AsSpan())))
            return -Errno.EFAULT;
        for (int i = 0; i < groups.Length; i++)
        {
            if (groups[i] == Keep || !Groups(c, ref groups[i]))
                return -Errno.EINVAL;
        }
        Array.Sort(groups);
        c.Task.Credentials = c.Task.Credentials with { Groups = groups };
        return 0;
    }

    /// <summary>setpgid(pid, pgid).</summary>
    public static long SetPgid(SyscallContext c)
    {
        ThreadGroup self = c.Task.Group;
        int pid = c.Int(0) == 0 ? self.Pid : c.FirstOf(c.Int(0));
        if (c.Int(1) < 0)
            return -Errno.EINVAL;
        int pgid = c.Int(1) == 0 ? pid : c.FirstOf(c.Int(1));
        if (c.Tasks.Find(pid) is not { } task || task.Group.Pid != pid)
            return c.Tasks.Find(pid) is null ? -Errno.ESRCH : -Errno.EINVAL;
        ThreadGroup group = task.Group;
        if (ReferenceEquals(group.Parent, self))
        {
            if (group.Sid != self.Sid)
                return -Errno.EPERM;
            if (group.HasExecuted)
                return -Errno.EACCES;
        }
        else if (!ReferenceEquals(group, self))
        {
            return -Errno.ESRCH;
        }
        if (group.Sid == group.Pid)
            return -Errno.EPERM;
        if (pgid != pid && !c.Tasks.Groups.Any(g => g.Pgid == pgid && g.Sid == self.Sid))
            return -Errno.EPERM;
        group.Pgid = pgid;
        GroupsChanged(c, group, VdsoField.Pgid);
        return 0;
    }

    /// <summary>All threads of a process have another group or session, which running ones may see at once.</summary>
    private static void GroupsChanged(SyscallContext c, ThreadGroup group, params ReadOnlySpan<VdsoField> fields)
    {
        foreach (KernelTask thread in group.Threads)
        {
            c.Records.SyncGroups(thread);
            foreach (VdsoField field in fields)
                c.Design.FieldChanged(thread, field);
        }
    }

    private static ThreadGroup? GroupOf(SyscallContext c, int pid) => pid == 0 ? c.Task.Group : c.FindTask(pid)?.Group;

    /// <summary>getpgid(pid).</summary>
    public static long GetPgid(SyscallContext c) => GroupOf(c, c.Int(0)) is { } group ? c.NumberOf(group.Pgid) : -Errno.ESRCH;

    /// <summary>getsid(pid).</summary>
    public static long GetSid(SyscallContext c) => GroupOf(c, c.Int(0)) is { } group ? c.NumberOf(group.Sid) : -Errno.ESRCH;

    /// <summary>setsid().</summary>
    public static long SetSid(SyscallContext c)
    {
        ThreadGroup group = c.Task.Group;
        if (group.Sid == group.Pid || c.Tasks.Groups.Any(g => g.Pgid == group.Pid))
            return -Errno.EPERM;
        group.Sid = group.Pgid = group.Pid;
        GroupsChanged(c, group, VdsoField.Pgid, VdsoField.Sid);
        return c.NumberOf(group.Pid);
    }

    private static long CapabilityHeader(SyscallContext c, out int words, out int pid)
    {
        words = 0;
        pid = 0;
        if (!c.Memory.Read(c.Arg(0), out uint version) || !c.Memory.Read(c.Arg(0) + 4, out pid))
            return -Errno.EFAULT;
        words = version switch
        {
            CapabilityVersion1 => 1,
            CapabilityVersion2 or CapabilityVersion3 => 2,
            _ => 0,
        };
        if (words != 0)
            return 0;
        return c.Memory.Write(c.Arg(0), CapabilityVersion3) ? -Errno.EINVAL : -Errno.EFAULT;
    }

    /// <summary>capget(header, data).</summary>
    public static long CapGet(SyscallContext c)
    {
        long result = CapabilityHeader(c, out int words, out int pid);
        if (result < 0)
            return result == -Errno.EINVAL && c.Arg(1) == 0 ? 0 : result;
        if (pid < 0)
            return -Errno.EINVAL;
        KernelTask? task = pid == 0 ? c.Task : c.FindTask(pid);
        if (task is null)
            return -Errno.ESRCH;
        Credentials who = task.Credentials;
        for (int i = 0; i < words && c.Arg(1) != 0; i++)
        {
            ulong at = c.Arg(1) + (ulong)i * 12;
            if (!c.Memory.Write(at, (uint)(who.CapEffective >> i * 32)) || !c.Memory.Write(at + 4, (uint)(who.CapPermitted >> i * 32))
                || !c.Memory.Write(at + 8, (uint)(who.CapInheritable >> i * 32)))
            {
                return -Errno.EFAULT;
            }
        }
        return 0;
    }

    /// <summary>capset(header, data).</summary>
    public static long CapSet(SyscallContext c)
    {
        long result = CapabilityHeader(c, out int words, out int pid);
        if (result < 0)
            return result;
        if (pid != 0 && pid != c.Task.OwnTid)
            return -Errno.EPERM;
        ulong effective = 0, permitted = 0, inheritable = 0;
        for (int i = 0; i < words; i++)
        {
            ulong at = c.Arg(1) + (ulong)i * 12;
            if (!c.Memory.Read(at, out uint e) || !c.Memory.Read(at + 4, out uint p) || !c.Memory.Read(at + 8, out uint n))
                return -Errno.EFAULT;
            effective |= (ulong)e << i * 32;
            permitted |= (ulong)p << i * 32;
            inheritable |= (ulong)n << i * 32;
        }
        Credentials old = c.Task.Credentials;
        effective &= Credentials.AllCapabilities;
        permitted &= Credentials.AllCapabilities;
        inheritable &= Credentials.AllCapabilities;
        if ((permitted & ~old.CapPermitted) != 0 || (effective & ~permitted) != 0
            || (inheritable & ~(old.CapInheritable | old.CapPermitted | old.CapBounding)) != 0)
            return -Errno.EPERM;
        c.Task.Credentials = old with
        {
            CapEffective = effective,
            CapPermitted = permitted,
            CapInheritable = inheritable,
            CapAmbient = old.CapAmbient & permitted & inheritable,
        };
        return 0;
    }
}
