namespace ArmVdso.Kernel.Files;

/// <summary>What a group wants to hear of a file, a mount or a file system, and what not (struct fanotify_mark).</summary>
internal sealed class FanotifyMark
{
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
