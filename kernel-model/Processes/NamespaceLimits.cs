using System.Runtime.CompilerServices;
using ArmVdso.Kernel.Files;
using ArmVdso.Kernel.Namespaces;
using ArmVdso.Kernel.Tasks;

namespace ArmVdso.Kernel.Processes;

/// <summary>How many namespaces a user may have made (user.max_*_namespaces; inc_ucount in kernel/ucount.c). Those count that a task is
/// in, or has for its children, or has a descriptor of.</summary>
internal sealed class NamespaceLimits(TaskTable tasks)
{
    private static readonly (ulong Flag, UserCount What)[] Kinds =
    [
        (CloneFlags.CLONE_NEWUSER, UserCount.UserNamespaces), (CloneFlags.CLONE_NEWPID, UserCount.PidNamespaces),
        (CloneFlags.CLONE_NEWUTS, UserCount.UtsNamespaces), (CloneFlags.CLONE_NEWIPC, UserCount.IpcNamespaces),
        (CloneFlags.CLONE_NEWNET, UserCount.NetNamespaces), (CloneFlags.CLONE_NEWNS, UserCount.MountNamespaces),
        (CloneFlags.CLONE_NEWCGROUP, UserCount.CgroupNamespaces), (CloneFlags.CLONE_NEWTIME, UserCount.TimeNamespaces),
    ];

    private readonly ConditionalWeakTable<INamespace, Credentials> _makers = [];

    /// <summary>Whether a task may make namespaces: 0, -ENOSPC.</summary>
    /// <param name="counts">The limits.</param>
    /// <param name="maker">Who makes them.</param>
    /// <param name="space">The user namespace that those of other kinds will belong to.</param>
    /// <param name="flags">CLONE_NEW* of the kinds.</param>
    internal long MayMake(UserCounts counts, Credentials maker, UserNamespace space, ulong flags)
    {
        foreach ((ulong flag, UserCount what) in Kinds)
        {
            if ((flags & flag) == 0)
                continue;
            INamespace[] alive = [.. tasks.All.SelectMany(Of).Where(n => n.CloneFlag == flag).Distinct()];
            UserNamespace belongs = flag == CloneFlags.CLONE_NEWUSER ? maker.UserNamespace : space;
            foreach ((UserNamespace at, uint user) in UserCounts.Chain(belongs, maker.Euid))
            {
                if (alive.Count(n => IsCountedBy(n, at, user)) >= counts[at, what])
                    return -Errno.ENOSPC;
            }
        }
        return 0;
    }

    /// <summary>A task is in, or has for its children, what it has just been given.</summary>
    internal void Made(KernelTask task, Credentials maker, ulong flags)
    {
        foreach (INamespace space in Of(task))
        {
            if ((flags & space.CloneFlag) != 0 && !_makers.TryGetValue(space, out _))
                _makers.Add(space, maker);
        }
    }

    private bool IsCountedBy(INamespace space, UserNamespace at, uint user)
    {
        (UserNamespace? owner, uint maker) = space is UserNamespace { Parent: { } parent } made ? (parent, made.Owner)
            : _makers.TryGetValue(space, out Credentials? who) ? (space.OwnerSpace, who.Euid) : (null, 0);
        return UserCounts.Chain(owner, maker).Contains((at, user));
    }

    private static IEnumerable<INamespace> Of(KernelTask task)
    {
        for (UserNamespace? at = task.Credentials.UserNamespace; at is not null; at = at.Parent)
            yield return at;
        for (PidNamespace? at = task.PidNamespaceForChildren; at is not null; at = at.Parent)
            yield return at;
        foreach (INamespace space in (INamespace[])[task.Uts, task.Ipc, task.Network, task.MountNamespace, task.Cgroups,
            task.TimeNamespace, task.TimeNamespaceForChildren])
            yield return space;
        foreach (int fd in task.Files?.Numbers ?? [])
        {
            if (task.Files![fd] is NamespaceFile file)
                yield return file.Space;
        }
    }
}
