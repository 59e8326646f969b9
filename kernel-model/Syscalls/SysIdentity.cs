using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Syscalls;

/// <summary>Tasks, process groups, sessions (kernel/sys.c), capabilities (kernel/capability.c).</summary>
internal static class SysIdentity
{
    private const uint CapabilityVersion1 = 0x19980330, CapabilityVersion2 = 0x20071026, CapabilityVersion3 = 0x20080522;

    public static long GetPid(SyscallContext c) => VdsoTruths.Pid(c.Task);

    public static long GetTid(SyscallContext c) => VdsoTruths.Tid(c.Task);

    public static long GetPpid(SyscallContext c) => VdsoTruths.Ppid(c.Task);

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
        c.Tasks.NoteGroups(group);
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
            || (inheritable & ~(old.CapInheritable | old.CapBounding)) != 0
            || (!old.HasInNamespace(Capability.Setpcap) && (inheritable & ~(old.CapInheritable | old.CapPermitted)) != 0))
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
