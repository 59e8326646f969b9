using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Files;

/// <summary>How many pages the pipes of each user may fill (alloc_pipe_info, pipe_set_size in fs/pipe.c).</summary>
internal sealed class PipePages
{
    private const int Default = 16, Least = 2;
    private readonly Dictionary<uint, int> _taken = [];

    /// <summary>fs.pipe-max-size in bytes: what F_SETPIPE_SZ gives, and a new pipe has at most, without CAP_SYS_RESOURCE.</summary>
    internal int MaxSize { get; set; } = 1 << 20;

    /// <summary>fs.pipe-user-pages-soft: a user who has more gets small pipes; 0: no limit.</summary>
    internal int Soft { get; set; } = 16384;

    /// <summary>fs.pipe-user-pages-hard: a user who has more gets none; 0: no limit.</summary>
    internal int Hard { get; set; }

    /// <summary>Counts a new pipe: its pages, or 0 when the user has too many.</summary>
    internal int Take(Credentials who)
    {
        int pages = who.Has(Capability.SysResource) ? Default : Math.Min(Default, MaxSize / (int)PhysicalMemory.PageSize);
        if (!IsPrivileged(who) && IsBeyond(Soft, who.Uid, pages))
            pages = Least;
        if (!IsPrivileged(who) && IsBeyond(Hard, who.Uid, pages))
            return 0;
        Add(who.Uid, pages);
        return pages;
    }

    /// <summary>Counts another size of a user's pipe: 0, or -EPERM.</summary>
    internal long Change(Credentials who, uint owner, int from, int to)
    {
        bool grows = to > from;
        if (grows && (long)to * (int)PhysicalMemory.PageSize > MaxSize && !who.Has(Capability.SysResource))
            return -Errno.EPERM;
        if (grows && !IsPrivileged(who) && (IsBeyond(Soft, owner, to - from) || IsBeyond(Hard, owner, to - from)))
            return -Errno.EPERM;
        Add(owner, to - from);
        return 0;
    }

    /// <summary>Pages more, or with a negative number fewer, of a user's.</summary>
    internal void Add(uint user, int pages) => _taken[user] = _taken.GetValueOrDefault(user) + pages;

    private static bool IsPrivileged(Credentials who) => who.Has(Capability.SysResource) || who.Has(Capability.SysAdmin);

    private bool IsBeyond(int limit, uint user, int more) => limit != 0 && _taken.GetValueOrDefault(user) + more > limit;
}
