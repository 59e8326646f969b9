using System.Runtime.CompilerServices;
using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Files;

/// <summary>What is counted for a user (enum ucount_type).</summary>
internal enum UserCount
{
    /// <summary>UCOUNT_INOTIFY_INSTANCES.</summary>
    InotifyInstances,

    /// <summary>UCOUNT_INOTIFY_WATCHES.</summary>
    InotifyWatches,

    /// <summary>UCOUNT_FANOTIFY_GROUPS.</summary>
    FanotifyGroups,

    /// <summary>UCOUNT_FANOTIFY_MARKS.</summary>
    FanotifyMarks,

    /// <summary>UCOUNT_USER_NAMESPACES.</summary>
    UserNamespaces,

    /// <summary>UCOUNT_PID_NAMESPACES.</summary>
    PidNamespaces,

    /// <summary>UCOUNT_UTS_NAMESPACES.</summary>
    UtsNamespaces,

    /// <summary>UCOUNT_IPC_NAMESPACES.</summary>
    IpcNamespaces,

    /// <summary>UCOUNT_NET_NAMESPACES.</summary>
    NetNamespaces,

    /// <summary>UCOUNT_MNT_NAMESPACES.</summary>
    MountNamespaces,

    /// <summary>UCOUNT_CGROUP_NAMESPACES.</summary>
    CgroupNamespaces,

    /// <summary>UCOUNT_TIME_NAMESPACES.</summary>
    TimeNamespaces,
}

/// <summary>How much users may have, and have, in each user namespace: what one of a namespace has counts there and, for who made the
/// namespace, in the one that it was made in (kernel/ucount.c).</summary>
internal sealed class UserCounts
{
    private static readonly int[] First = [128, 65536, 128, 8192, 7820, 7820, 7820, 7820, 7820, 7820, 7820, 7820];

    private readonly ConditionalWeakTable<UserNamespace, int[]> _limits = [];
    private readonly Dictionary<(UserNamespace Space, uint User, UserCount What), int> _counts = [];

    /// <summary>How much each user of a namespace may have; in a new one as much as the one above allows.</summary>
    internal int this[UserNamespace space, UserCount what]
    {
        get => Limits(space)[(int)what];
        set => Limits(space)[(int)what] = value;
    }

    private int[] Limits(UserNamespace space) =>
        _limits.GetValue(space, s => s.IsInitial ? [.. First] : [.. First.Select(_ => int.MaxValue)]);

    private static IEnumerable<(UserNamespace Space, uint User)> Chain(Credentials who) => Chain(who.UserNamespace, who.Euid);

    /// <summary>Who counts what a user of a namespace has: the user, who made the namespace, and so on.</summary>
    internal static IEnumerable<(UserNamespace Space, uint User)> Chain(UserNamespace? space, uint user)
    {
        for (UserNamespace? at = space; at is not null; (user, at) = (at.Owner, at.Parent))
            yield return (at, user);
    }

    /// <summary>A user gets one more. False: that is more than it may have, or whoever made its namespace (inc_ucount).</summary>
    internal bool TryTake(Credentials who, UserCount what)
    {
        foreach ((UserNamespace at, uint user) in Chain(who))
        {
            if (_counts.GetValueOrDefault((at, user, what)) >= this[at, what])
                return false;
        }
        foreach ((UserNamespace at, uint user) in Chain(who))
            _counts[(at, user, what)] = _counts.GetValueOrDefault((at, user, what)) + 1;
        return true;
    }

    /// <summary>A user gives some back (dec_ucount).</summary>
    internal void Give(Credentials who, UserCount what, int count = 1)
    {
        foreach ((UserNamespace at, uint user) in Chain(who))
        {
            int left = _counts.GetValueOrDefault((at, user, what)) - count;
            if (left > 0)
                _counts[(at, user, what)] = left;
            else
                _counts.Remove((at, user, what));
        }
    }
}
