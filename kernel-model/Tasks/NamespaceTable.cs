using ArmVdso.Kernel.Ipc;
using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Time;

namespace ArmVdso.Kernel.Tasks;

/// <summary>The namespaces of a kernel: the first of each kind, and making others (kernel/nsproxy.c).</summary>
/// <param name="hostName">nodename of the first UTS namespace.</param>
public sealed class NamespaceTable(string hostName)
{
    private const int MaxUserNamespaceLevel = 32;
    private uint _last = 0xEFFFFFFF;

    /// <summary>The first PID namespace.</summary>
    public PidNamespace InitialPid { get; } = new(PidNamespace.InitialNumber, null);

    /// <summary>The first time namespace, without offsets.</summary>
    public TimeNamespace InitialTime { get; } = new() { Number = TimeNamespace.InitialNumber, Frozen = true };

    /// <summary>The first UTS namespace.</summary>
    public UtsNamespace InitialUts { get; } = new(hostName);

    /// <summary>The first IPC namespace.</summary>
    internal IpcTables InitialIpc { get; } = new(IpcTables.InitialNumber, UserNamespace.Initial, new KeyTable());

    /// <summary>The first cgroup namespace.</summary>
    internal CgroupNamespace InitialCgroups { get; } = new(CgroupNamespace.InitialNumber, UserNamespace.Initial);

    /// <summary>Another cgroup namespace (copy_cgroup_ns).</summary>
    internal CgroupNamespace NewCgroups(UserNamespace owner) => new(NewNumber(), owner);

    /// <summary>A UTS namespace with the names of another (clone_uts_ns).</summary>
    internal UtsNamespace NewUts(UtsNamespace from, UserNamespace owner) => new(NewNumber(), owner, from.Host, from.Domain);

    /// <summary>An empty IPC namespace (create_ipc_ns).</summary>
    internal IpcTables NewIpc(UserNamespace owner) => new(NewNumber(), owner, InitialIpc.Keys);

    /// <summary>Next number of nsfs, for a namespace of any kind.</summary>
    internal uint NewNumber() => ++_last;

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
