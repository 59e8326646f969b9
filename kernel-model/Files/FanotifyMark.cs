namespace ArmVdso.Kernel.Files;

/// <summary>What a group wants to hear of a file, a mount or a file system, and what not (struct fanotify_mark).</summary>
/// <param name="number">The how manieth of its group it is.</param>
internal sealed class FanotifyMark(long number)
{
    /// <summary>The how manieth of its group it is.</summary>
    internal long Number => number;

    /// <summary>Events and FAN_ONDIR, FAN_EVENT_ON_CHILD.</summary>
    internal uint Mask { get; set; }

    /// <summary>Events that are not reported.</summary>
    internal uint Ignored { get; set; }

    /// <summary>What is ignored stays so when the file is changed (FAN_MARK_IGNORED_SURV_MODIFY).</summary>
    internal bool Survives { get; set; }

    /// <summary>FAN_MARK_IGNORE: the qualifiers in <see cref="Ignored"/> count.</summary>
    internal bool HasIgnoreFlags { get; set; }

    /// <summary>FAN_MARK_EVICTABLE.</summary>
    internal bool IsEvictable { get; set; }

    /// <summary>What it was made with, as FAN_MARK_* (fanotify_mark_user_flags).</summary>
    internal uint Flags => (IsEvictable ? Fan.MARK_EVICTABLE : 0) | (HasIgnoreFlags ? Fan.MARK_IGNORE : 0)
        | (Survives ? Fan.MARK_IGNORED_SURV_MODIFY : 0);

    /// <summary>The contents were changed: unless it survives that, what is ignored is forgotten.</summary>
    internal void Changed() => Ignored = Survives ? Ignored : 0;

    /// <summary>Whether a directory's mark hears, or ignores, what happens to files in it (fsnotify_iter_select_report_types).</summary>
    internal bool WatchesChildren => ((Mask | (HasIgnoreFlags ? Ignored : 0)) & Fan.EVENT_ON_CHILD) != 0;

    /// <summary>The events of its mask where it applies (fsnotify_mask_applicable).</summary>
    internal uint Wanted(bool onDirectory, bool ofParent) => Applies(Mask, onDirectory, ofParent) ? Mask : 0;

    /// <summary>The events that it takes away (fsnotify_effective_ignore_mask).</summary>
    internal uint Unwanted(bool onDirectory, bool ofParent)
    {
        uint events = Ignored & ~Fan.Qualifiers;
        if (events == 0 || (!onDirectory && !ofParent))
            return events;
        // The old kind ignores events on directories always, and on children where their parent hears of them.
        uint mask = HasIgnoreFlags ? Ignored : (Ignored & ~Fan.EVENT_ON_CHILD) | Fan.ONDIR | (Mask & Fan.EVENT_ON_CHILD);
        return Applies(mask, onDirectory, ofParent) ? events : 0;
    }

    private static bool Applies(uint mask, bool onDirectory, bool ofParent) =>
        (!onDirectory || (mask & Fan.ONDIR) != 0) && (!ofParent || (mask & Fan.EVENT_ON_CHILD) != 0);
}
