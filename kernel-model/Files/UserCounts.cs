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
}

/// <summary>How much users may have, and have, in each user namespace: what one of a namespace has counts there and, for who made the
/// namespace, in the one that it was made in (kernel/ucount.c).</summary>
internal sealed class UserCounts
{
    private static readonly int[] First = [128, 65536, 128, 8192];

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

    private static IEnumerable<(UserNamespace Space, uint User)> Chain(UserNamespace space, uint user)
    {
        for (UserNamespace? at = space; at is not null; (user, at) = (at.Owner, at.Parent))
            yield return (at, user);
    }

    /// <summary>A user gets one more. False: that is more than it may have, or whoever made its namespace (inc_ucount).</summary>
    internal bool TryTake(UserNamespace space, uint user, UserCount what)
    {
        foreach ((UserNamespace at, uint who) in Chain(space, user))
        {
            if (_counts.GetValueOrDefault((at, who, what)) >= this[at, what])
                return false;
        }
        foreach ((UserNamespace at, uint who) in Chain(space, user))
            _counts[(at, who, what)] = _counts.GetValueOrDefault((at, who, what)) + 1;
        return true;
    }

    /// <summary>A user gives some back (dec_ucount).</summary>
    internal void Give(UserNamespace space, uint user, UserCount what, int count = 1)
    {
        foreach ((UserNamespace at, uint who) in Chain(space, user))
        {
            int left = _counts.GetValueOrDefault((at, who, what)) - count;
            if (left > 0)
                _counts[(at, who, what)] = left;
            else
                _counts.Remove((at, who, what));
        }
    }
}
