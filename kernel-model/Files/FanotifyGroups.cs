using ArmVdso.Kernel.Waiting;

namespace ArmVdso.Kernel.Files;

/// <summary>Something that happened, as fanotify sees it (the arguments of fsnotify in fs/notify/fsnotify.c).</summary>
/// <param name="Mask">Events, FAN_ONDIR.</param>
/// <param name="Target">The file that it happened to; of an event of a name, what is named.</param>
/// <param name="Directory">Where the name is; null: it is of no interest.</param>
/// <param name="Name">The name there.</param>
/// <param name="Path">The file at the place where it was opened; null: no path is known.</param>
/// <param name="Destination">Of FAN_RENAME: the new directory and name.</param>
internal readonly record struct FileEvent(
    uint Mask, Inode Target, Inode? Directory, string Name, Inode? Path, (Inode Directory, string Name)? Destination = null);

/// <summary>A question whether a file may be opened, executed or read: one group is asked after the other, and about one after the other.
/// </summary>
/// <param name="asker">Who wants to do it.</param>
/// <param name="asked">Who is asked, and about what.</param>
internal sealed class FanotifyQuestion(IFileUser? asker, Queue<(FanotifyFile Group, FileEvent What)> asked)
{
    /// <summary>Who wants to do it.</summary>
    internal IFileUser? Asker => asker;

    /// <summary>0 or -errno once all have answered.</summary>
    internal long? Answer { get; private set; }

    /// <summary>Where the asking task waits.</summary>
    internal WaitQueue Changed { get; } = new();

    /// <summary>Asks the next group that wants to know.</summary>
    internal void Next()
    {
        while (asked.TryDequeue(out var next))
        {
            if (next.Group.Ask(next.What, this))
                return;
        }
        Done(0);
    }

    /// <summary>Nobody else is asked: 0 or -errno is the answer.</summary>
    internal void Done(long answer)
    {
        Answer = answer;
        Changed.WakeAll();
    }
}

/// <summary>All fanotify groups of a kernel.</summary>
internal sealed class FanotifyGroups
{
    private readonly List<FanotifyFile> _groups = [];

    /// <summary>Whether there is any.</summary>
    internal bool Any => _groups.Count > 0;

    /// <summary>Events that a new group's queue holds, unless it is unlimited (fs.fanotify.max_queued_events).</summary>
    internal int MostQueued { get; set; } = 16384;

    internal void Add(FanotifyFile group) => _groups.Add(group);

    internal void Remove(FanotifyFile group) => _groups.Remove(group);

    /// <summary>Memory is wanted back: marks that may go do, with the files that nobody has open.</summary>
    internal void Evict()
    {
        foreach (FanotifyFile group in _groups)
            group.Evict();
    }

    /// <summary>A mount, or a file system, is gone.</summary>
    internal void Unmounted(FileSystem fs)
    {
        foreach (FanotifyFile group in _groups)
            group.Unmounted(fs);
    }

    /// <summary>Something happened to a file.</summary>
    /// <param name="mask">Events, with IN_ISDIR for a directory.</param>
    /// <param name="inode">The file.</param>
    /// <param name="path">The file at the place where it was opened; null: no path is known.</param>
    /// <param name="selfOnly">Its directory does not hear of it.</param>
    internal void Happened(uint mask, Inode inode, Inode? path, bool selfOnly) => Tell(Event(mask, inode, path, selfOnly));

    private static FileEvent Event(uint mask, Inode inode, Inode? path, bool selfOnly)
    {
        Inode real = inode.Real;
        // The root of a file system has no name in it.
        Inode? directory = !selfOnly && real.Parent is { } parent && parent.Fs == real.Fs ? parent : null;
        return new FileEvent(mask, real, directory, real.Name, path);
    }

    /// <summary>A name came or went.</summary>
    internal void Named(uint mask, Inode directory, string name, Inode node) =>
        Tell(new FileEvent(mask | (node.IsDirectory ? Fan.ONDIR : 0), node.Real, directory.Real, name, null));

    /// <summary>A name became another.</summary>
    internal void Renamed(Inode from, string oldName, Inode to, string newName, Inode node) => Tell(new FileEvent(
        Fan.RENAME | (node.IsDirectory ? Fan.ONDIR : 0), node.Real, from.Real, oldName, null, (to.Real, newName)));

    private void Tell(in FileEvent what)
    {
        foreach (FanotifyFile group in _groups.ToArray())
            group.Happened(what);
    }

    /// <summary>Asks whether a file may be opened, executed or read: null when nobody wants to know.</summary>
    /// <param name="path">The file at the place where it is opened.</param>
    /// <param name="masks">What is asked, one after the other.</param>
    internal FanotifyQuestion? Ask(Inode path, params ReadOnlySpan<uint> masks)
    {
        var asked = new Queue<(FanotifyFile, FileEvent)>();
        foreach (uint mask in masks)
        {
            FileEvent what = Event(mask | (path.IsDirectory ? Fan.ONDIR : 0), path.Real, path, false);
            // Those who may fill a file in come before those who look at it.
            foreach (FanotifyFile group in _groups.Where(g => g.Wants(what)).OrderByDescending(g => g.Class))
                asked.Enqueue((group, what));
        }
        if (asked.Count == 0)
            return null;
        var question = new FanotifyQuestion(path.Fs.Vfs.Current, asked);
        question.Next();
        return question;
    }
}
