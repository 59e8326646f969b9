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

/// <summary>A question whether a file may be opened or read: one group is asked after the other.</summary>
internal sealed class FanotifyQuestion(FileEvent what, Queue<FanotifyFile> groups)
{
    /// <summary>0 or -errno once all have answered.</summary>
    internal long? Answer { get; private set; }

    /// <summary>Where the asking task waits.</summary>
    internal WaitQueue Changed { get; } = new();

    /// <summary>Asks the next group that wants to know.</summary>
    internal void Next()
    {
        while (groups.TryDequeue(out FanotifyFile? group))
        {
            if (group.Ask(what, this))
                return;
        }
        Done(0);
    }

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

    internal int Count => _groups.Count;

    internal void Add(FanotifyFile group) => _groups.Add(group);

    internal void Remove(FanotifyFile group) => _groups.Remove(group);

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

    /// <summary>Asks whether a file may be opened or read: null when nobody wants to know.</summary>
    internal FanotifyQuestion? Ask(uint mask, Inode path)
    {
        if (path.IsDirectory)
            mask |= Fan.ONDIR;
        FileEvent what = Event(mask, path.Real, path, false);
        // Those who may fill a file in come before those who look at it.
        var asked = new Queue<FanotifyFile>(_groups.Where(g => g.Wants(what)).OrderByDescending(g => g.Class));
        if (asked.Count == 0)
            return null;
        var question = new FanotifyQuestion(what, asked);
        question.Next();
        return question;
    }
}
