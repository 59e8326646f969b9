namespace ArmVdso.Kernel.Files;

/// <summary>Mounts that hear of each other: what is mounted on, or taken off, one of a group of peers is so on all of them, and on their
/// slaves (fs/pnode.c; Documentation/filesystems/sharedsubtree.rst).</summary>
public sealed partial class Vfs
{
    /// <summary>All mount namespaces that somebody is in.</summary>
    private readonly List<MountNamespace> _mountSpaces = [];

    private int _peerGroups;

    /// <summary>fs.mount-max: mounts that a namespace has at most.</summary>
    internal int MostMounts { get; set; } = 100_000;

    /// <summary>Gives a mount a kind of propagation (change_mnt_propagation).</summary>
    internal void Propagate(FileSystem mount, uint kind)
    {
        mount.Unbindable = kind == MountFlags.MS_UNBINDABLE;
        if (kind == MountFlags.MS_SHARED)
        {
            mount.Peer = mount.Peer != 0 ? mount.Peer : ++_peerGroups;
            return;
        }
        int group = mount.Peer;
        mount.Peer = 0;
        bool alone = group != 0 && !AllMounts().Any(m => m.Mount.Fs.Peer == group);
        // Slaves of a group that is no more are those of its own master.
        foreach (var (_, slave) in alone ? AllMounts().Where(m => m.Mount.Fs.Master == group) : [])
            slave.Fs.Master = mount.Master;
        mount.Master = kind != MountFlags.MS_SLAVE ? 0 : group != 0 && !alone ? group : mount.Master;
    }

    /// <summary>The mount namespace of a number; null: nobody is in it.</summary>
    internal MountNamespace? FindMounts(ulong number) => _mountSpaces.Find(s => s.Number == number);

    private IEnumerable<(MountNamespace Space, MountEntry Mount)> AllMounts() =>
        _mountSpaces.SelectMany(s => s.Entries.Select(m => (s, m)));

    /// <summary>All mounts by what they are mounted on.</summary>
    private ILookup<FileSystem, MountEntry> MountsByBelow() =>
        AllMounts().Where(m => m.Mount.Covered is not null).ToLookup(m => m.Mount.Covered!.Fs, m => m.Mount);

    /// <summary>A copy of a mount that is to be put somewhere since another was.</summary>
    /// <param name="Space">Where.</param>
    /// <param name="On">The mount that it is put on.</param>
    /// <param name="Peers">The group of peers of each mount of the tree that is copied; 0: none.</param>
    /// <param name="Masters">The groups that they hear.</param>
    private readonly record struct PropagatedCopy(MountNamespace Space, MountEntry On, int[] Peers, int[] Masters);

    /// <summary>The mounts that hear of what happens on one (propagation_next).</summary>
    private IEnumerable<(MountNamespace Space, MountEntry Mount)> HearersOf(FileSystem on) =>
        Copies(on, [], new HashSet<FileSystem>()).Select(c => (c.Space, c.On));

    /// <summary>Where copies of a tree are to be put when it is put on a mount: on its peers, which have them as peers, and on slaves,
    /// which have them as slaves, and so on.</summary>
    private List<PropagatedCopy> Copies(FileSystem on, MountEntry[] tree, IReadOnlySet<FileSystem> fresh)
    {
        var copies = new List<PropagatedCopy>();
        if (on.Peer == 0)
            return copies;
        var byPeer = AllMounts().Where(m => m.Mount.Fs.Peer != 0).ToLookup(m => m.Mount.Fs.Peer);
        var byMaster = AllMounts().Where(m => m.Mount.Fs.Master != 0).ToLookup(m => m.Mount.Fs.Master);
        var seen = new HashSet<int>();
        Spread(on.Peer, [.. tree.Select(m => m.Fs.Peer)], [.. tree.Select(m => m.Fs.Master)]);
        return copies;

        void Spread(int group, int[] peers, int[] masters)
        {
            if (!seen.Add(group))
                return;
            foreach (var (space, mount) in byPeer[group].Where(m => m.Mount.Fs != on && !fresh.Contains(m.Mount.Fs)))
                copies.Add(new PropagatedCopy(space, mount, peers, masters));
            foreach (var (space, mount) in byMaster[group].Where(m => !fresh.Contains(m.Mount.Fs)))
            {
                if (mount.Fs.Peer == 0)
                    copies.Add(new PropagatedCopy(space, mount, new int[tree.Length], peers));
                else
                    Spread(mount.Fs.Peer, [.. tree.Select(_ => ++_peerGroups)], peers);
            }
        }
    }

    /// <summary>The names that lead from a directory of a file system to a file of it, without what is mounted; null: it is not below.
    /// </summary>
    private static Stack<string>? NamesBelow(Inode top, Inode file)
    {
        top = top.Real;
        var names = new Stack<string>();
        for (Inode at = file.Real; at != top; at = at.Parent)
        {
            if (at.Parent is null || at.Parent.Fs != top.Fs || at.Fs != top.Fs)
                return null;
            names.Push(at.Name);
        }
        return names;
    }

    /// <summary>The place in a mount where another mount of the same file system has a file; null: it shows another part.</summary>
    private static Inode? SamePlace(MountEntry mount, Inode there)
    {
        if (NamesBelow(mount.Root, there) is not { } names)
            return null;
        Inode? place = mount.Root;
        while (names.TryPop(out string? name))
        {
            if (place!.Lookup(name, out place) < 0)
                return null;
        }
        return place;
    }

    /// <summary>The mounts of a namespace that a directory leads to, in the order of mounting, and where they are from there
    /// (is_path_reachable).</summary>
    internal static List<(MountEntry Mount, string Point)> MountsBelow(MountNamespace space, Inode root)
    {
        ILookup<FileSystem, MountEntry> on = space.Entries.Where(m => m.Covered is not null).ToLookup(m => m.Covered!.Fs);
        var points = new Dictionary<FileSystem, string>();
        if (space.Entries.Exists(m => m.Root == root))
            points[root.Fs] = "/";
        var left = new Queue<(FileSystem Fs, Inode Top, string Point)>([(root.Fs, root, "/")]);
        while (left.TryDequeue(out var at))
        {
            foreach (MountEntry mount in on[at.Fs])
            {
                if (NamesBelow(at.Top, mount.Covered!) is not { } names)
                    continue;
                string point = names.Count == 0 ? at.Point : at.Point.TrimEnd('/') + "/" + string.Join('/', names);
                if (points.TryAdd(mount.Fs, point))
                    left.Enqueue((mount.Fs, mount.Root, point));
            }
        }
        return [.. space.Entries.Where(m => points.ContainsKey(m.Fs)).Select(m => (m, points[m.Fs]))];
    }

    /// <summary>The part of its file system that a mount shows.</summary>
    internal static string PartShown(MountEntry mount)
    {
        var names = new Stack<string>();
        for (Inode at = mount.Root.Real; at.Parent is { } parent && parent.Fs == at.Fs; at = parent)
            names.Push(at.Name);
        return "/" + string.Join('/', names);
    }

    /// <summary>Puts a mount that is nowhere at a place, and copies of it where mounts hear of that one (attach_recursive_mnt): 0, -ENOTDIR
    /// when one is a directory and the other is not, -ENOENT, -ENOSPC when there are too many.</summary>
    /// <param name="point">The place; what is mounted there already is covered (lock_mount).</param>
    /// <param name="mount">The mount.</param>
    /// <param name="below">What is mounted in it, wherever it goes.</param>
    internal long Attach(Inode point, MountEntry mount, params ReadOnlySpan<MountEntry> below)
    {
        point = TopOf(point);
        MountNamespace space = MountSpace;
        MountEntry[] tree = [mount, .. below];
        if (point.Fs.Peer != 0)
        {
            foreach (MountEntry each in tree)
                Propagate(each.Fs, MountFlags.MS_SHARED);
        }
        List<PropagatedCopy> copies = Copies(point.Fs, tree, tree.Select(m => m.Fs).ToHashSet());
        foreach (var target in copies.Select(c => c.Space).Append(space).CountBy(s => s))
        {
            if (target.Key.Entries.Count + (long)target.Value * tree.Length > MostMounts)
                return -Errno.ENOSPC;
        }
        if (Place(space, point, mount) is < 0 and long error)
            return error;
        // Which mount a file is the root of, for what has to give way.
        var roots = copies.Select(c => c.Space).Distinct().ToDictionary(
            s => s, s => s.Entries.Select((m, i) => (m.Root, i)).ToDictionary(m => m.Root, m => m.i));
        foreach (PropagatedCopy copy in copies)
            PutCopy(copy, point, tree, roots[copy.Space]);
        return 0;
    }

    private void PutCopy(in PropagatedCopy copy, Inode point, MountEntry[] tree, Dictionary<Inode, int> roots)
    {
        if (SamePlace(copy.On, point) is not { } place)
            return;
        var made = new List<MountEntry>();
        for (int n = 0; n < tree.Length; n++)
        {
            if (n > 0)
            {
                Inode covered = tree[n].Covered!;
                int parent = Array.FindIndex(tree, m => m.Root.Fs == covered.Fs);
                place = parent < 0 || parent >= made.Count ? null : SamePlace(made[parent], covered);
                if (place is null)
                    return;
            }
            Inode? there = place.MountedHere;
            // What there is no room for is not there, and nothing can be in it.
            if (Place(copy.Space, place, CopyOf(tree[n], copy.Peers[n], copy.Masters[n])) < 0)
                return;
            MountEntry put = copy.Space.Entries[^1];
            made.Add(put);
            roots[put.Root] = copy.Space.Entries.Count - 1;
            // What was there already is on top of it from then on.
            if (there is null || !roots.TryGetValue(there, out int at))
                continue;
            put.Root.MountedHere = there;
            copy.Space.Entries[at] = copy.Space.Entries[at] with { Covered = put.Root, ParentId = put.Id };
        }
    }

    /// <summary>A mount of the same, that is nowhere yet.</summary>
    private static MountEntry CopyOf(MountEntry mount, int peers, int master)
    {
        MountView view = MountView.Of(mount.Root);
        (view.Fs.Peer, view.Fs.Master) = (peers, master);
        return new MountEntry(0, 0, view.Fs, mount.Source, view);
    }

    /// <summary>What goes with mounts that are taken off, by their file systems: what lies at the same places of mounts that hear of it and
    /// has nothing on it but what covers it whole (propagate_umount).</summary>
    private HashSet<FileSystem> WithWhatHears(IEnumerable<MountEntry> mounts)
    {
        var gone = mounts.Select(m => m.Fs).ToHashSet();
        var candidates = new List<MountEntry>();
        ILookup<FileSystem, MountEntry>? on = null;
        foreach (MountEntry mount in mounts.Where(m => m.Covered is { Fs.Peer: not 0 }))
        {
            on ??= MountsByBelow();
            candidates.AddRange(SameOnHearers(mount, on));
        }
        for (bool more = true; more;)
        {
            more = false;
            foreach (MountEntry child in candidates)
            {
                if (!gone.Contains(child.Fs) && on![child.Fs].All(m => m.Covered == child.Root || gone.Contains(m.Fs)))
                    more |= gone.Add(child.Fs);
            }
        }
        return gone;
    }

    private IEnumerable<MountEntry> SameOnHearers(MountEntry mount, ILookup<FileSystem, MountEntry> on)
    {
        foreach (var (_, hearer) in HearersOf(mount.Covered!.Fs).ToArray())
        {
            if (SamePlace(hearer, mount.Covered!)?.MountedHere is { } root
                && on[hearer.Fs].FirstOrDefault(m => m.Root == root) is { } child)
                yield return child;
        }
    }

    /// <summary>Whether what would go with a mount is in use (propagate_mount_busy).</summary>
    private bool IsBusyElsewhere(MountEntry mount, Func<FileSystem, bool> inUse)
    {
        if (mount.Covered is not { Fs.Peer: not 0 })
            return false;
        ILookup<FileSystem, MountEntry> on = MountsByBelow();
        return SameOnHearers(mount, on).Any(child => child != mount && on[child.Fs].All(m => m.Covered == child.Root)
            && (child.Fs.Open > 0 || inUse(child.Fs)));
    }

    /// <summary>Takes mounts off; what covered one of them whole lies where that was.</summary>
    private void TakeOff(IReadOnlySet<FileSystem> gone)
    {
        foreach (MountNamespace space in _mountSpaces.ToArray())
        {
            MountEntry[] taken = [.. space.Entries.Where(m => gone.Contains(m.Fs))];
            if (taken.Length == 0)
                continue;
            space.Entries.RemoveAll(m => gone.Contains(m.Fs));
            var places = taken.ToDictionary(m => m.Root, m => m.Covered!);
            foreach (MountEntry mount in taken)
                mount.Covered!.MountedHere = null;
            for (int n = 0; n < space.Entries.Count; n++)
            {
                if (space.Entries[n] is not { Covered: { } covered } mount || !gone.Contains(covered.Fs))
                    continue;
                while (places.TryGetValue(covered, out Inode? lower))
                    covered = lower;
                Cover(covered, mount.Root);
                space.Entries[n] = mount with { Covered = covered, ParentId = ParentIdOf(space.Entries, covered) };
            }
            foreach (MountEntry mount in taken)
                Gone(mount);
            space.Touch();
        }
    }
}
