using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Tasks;

/// <summary>Who may do what to whom.</summary>
internal static class Permissions
{
    /// <summary>Whether a task may signal another, or that one's process (kill_ok_by_cred; SIGCONT within the session; hook_task_kill).
    /// Its own process it always may.</summary>
    internal static bool MaySignal(KernelTask from, KernelTask to, int signal)
    {
        if (ReferenceEquals(from.Group, to.Group))
            return true;
        Credentials a = from.Credentials, b = to.Credentials;
        return (a.Has(Capability.Kill) || a.Euid == b.Suid || a.Euid == b.Uid || a.Uid == b.Suid || a.Uid == b.Uid
            || (signal == Signal.SIGCONT && from.Group.Sid == to.Group.Sid))
            && !AccessDomain.IsScoped(a.Domain, b.Domain, AccessDomain.Signals);
    }

    /// <summary>Whether a task may look into another (__ptrace_may_access, cap_ptrace_access_check).</summary>
    /// <param name="from">Who looks.</param>
    /// <param name="to">At whom.</param>
    /// <param name="real">By its real IDs (PTRACE_MODE_REALCREDS) instead of those for files.</param>
    internal static bool MayTrace(KernelTask from, KernelTask to, bool real = false)
    {
        Credentials a = from.Credentials, b = to.Credentials;
        // Process 1 has no memory to be looked at, as a thread of the kernel.
        if (to.Mm is null && to.Group.Pid == 1)
            return false;
        if (ReferenceEquals(from.Group, to.Group))
            return true;
        if (!AccessDomain.Covers(a.Domain, b.Domain))
            return false;
        if (a.Has(Capability.SysPtrace))
            return true;
        (uint user, uint group) = real ? (a.Uid, a.Gid) : (a.Fsuid, a.Fsgid);
        ulong held = real ? a.CapPermitted : a.CapEffective;
        return user == b.Uid && user == b.Euid && user == b.Suid && group == b.Gid && group == b.Egid && group == b.Sgid
            && to.Group.Dumpable == 1 && (b.CapPermitted & ~held) == 0;
    }

    /// <summary>Whether a task may change another's scheduling (check_same_owner).</summary>
    internal static bool SameOwner(KernelTask from, KernelTask to) =>
        from.Credentials.Has(Capability.SysNice)
        || from.Credentials.Euid == to.Credentials.Euid || from.Credentials.Euid == to.Credentials.Uid;
}
