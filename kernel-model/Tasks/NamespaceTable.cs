using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Tasks;

/// <summary>The namespaces of a kernel: the first of each kind, and making others (kernel/nsproxy.c).</summary>
public sealed class NamespaceTable
{
    private const int MaxUserNamespaceLevel = 32;
    private uint _last = 0xEFFFFFFF;

    /// <summary>The first PID namespace.</summary>
    public PidNamespace InitialPid { get; } = new(PidNamespace.InitialNumber, null);

    /// <summary>The first time namespace, without offsets.</summary>
    public TimeNamespace InitialTime { get; } = new() { Number = TimeNamespace.InitialNumber, Frozen = true };

    /// <summary>Next number of nsfs, for a namespace of any kind.</summary>
    private uint NewNumber() => ++_last;

    /// <summary>create_pid_namespace: 0 or -errno.</summary>
    internal long NewPid(PidNamespace parent, UserNamespace owner, out PidNamespace? space)
    {
        space = null;
        if (parent.Level >= PidNamespace.MaxLevel)
            return -Errno.ENOSPC;
        space = new PidNamespace(NewNumber(), parent, owner);
        return 0;
    }

    /// <summary>create_user_ns: credentials inside of a new namespace, with all capabilities there. 0 or -errno.</summary>
    internal long NewUser(Credentials maker, out Credentials? inside)
    {
        inside = null;
        if (maker.UserNamespace.Level >= MaxUserNamespaceLevel)
            return -Errno.ENOSPC;
        inside = maker.InUserNamespace(UserNamespace.Make(NewNumber(), maker.UserNamespace, maker));
        return 0;
    }

    /// <summary>A time namespace with the offsets of another (clone_time_ns).</summary>
    internal TimeNamespace NewTime(TimeNamespace from, UserNamespace owner) =>
        new() { Number = NewNumber(), OwnerSpace = owner, MonotonicNs = from.MonotonicNs, BoottimeNs = from.BoottimeNs };
}
