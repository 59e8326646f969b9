using ArmVdso.Kernel.Namespaces;

namespace ArmVdso.Kernel.Files;

/// <summary>Flags of mount(2) and umount2(2) (include/uapi/linux/mount.h, include/linux/fs.h).</summary>
internal static class MountFlags
{
#pragma warning disable CS1591
    public const uint MS_RDONLY = 1, MS_NOSUID = 2, MS_NODEV = 4, MS_NOEXEC = 8, MS_REMOUNT = 32, MS_NOSYMFOLLOW = 256, MS_NOATIME = 1024,
        MS_NODIRATIME = 2048, MS_BIND = 4096, MS_MOVE = 8192, MS_REC = 16384, MS_UNBINDABLE = 1 << 17, MS_PRIVATE = 1 << 18,
        MS_SLAVE = 1 << 19, MS_SHARED = 1 << 20, MS_RELATIME = 1 << 21, MS_STRICTATIME = 1 << 24;

    public const uint MNT_FORCE = 1, MNT_DETACH = 2, MNT_EXPIRE = 4, UMOUNT_NOFOLLOW = 8;

    public const uint Propagation = MS_SHARED | MS_PRIVATE | MS_SLAVE | MS_UNBINDABLE;
#pragma warning restore CS1591

    /// <summary>What stays with a mount.</summary>
    public const uint Kept = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC | MS_NOSYMFOLLOW | MS_NOATIME | MS_NODIRATIME | MS_STRICTATIME;
}

/// <summary>Mounting while the guest runs (fs/namespace.c): file systems in memory, and files and directories shown at a second place.
/// </summary>
public sealed partial class Vfs
{
    // What the host keeps for a mount.
    private const int MountBytes = 1024;

    private readonly HashSet<Inode> _expiring = [];
    private int _mountsMade;

    /// <summary>Pages of RAM, which the limits of a tmpfs follow from.</summary>
    internal ulong RamPages => (ulong?)Host?.Pages.Total ?? 1 << 19;

    /// <summary>What was written to files of /proc/sys that nothing else keeps, by path.</summary>
    internal Dictionary<string, int> SystemNumbers { get; } = [];

    /// <summary>Whether who calls sees what is mounted for the first process.</summary>
    internal bool IsInInitialMounts => Current is null || ReferenceEquals(Current.MountNamespace, InitialMounts);

    /// <summary>What makes a file system of a type that is mounted at boot; null: none does.</summary>
    internal MountedAtBoot? BootMount(string type) => _boot.FirstOrDefault(b => b.Type == type);

    /// <summary>The mount that a file is the root of; null: none.</summary>
    internal MountEntry? MountAt(Inode root) => MountSpace.Entries.FindLast(m => m.Root == root);

    /// <summary>The mount that a file is in.</summary>
    internal MountEntry? MountOf(Inode inode) => MountOf(inode.Fs);

    /// <inheritdoc cref="MountOf(Inode)"/>
    internal MountEntry? MountOf(FileSystem fs) => MountSpace.Entries.FindLast(m => m.Fs == fs);

    /// <summary>mount(2) of a new file system: 0, -ENODEV for a type that is not there, -EINVAL for its options.</summary>
    internal long MountNew(in Caller caller, Inode point, string source, string type, uint flags, string data)
    {
        if (!FileSystemTypes.Knows(this, type))
            return -Errno.ENODEV;
        bool readOnly = (flags & MountFlags.MS_RDONLY) != 0;
        long error = FileSystemTypes.Make(
            caller, this, type, source, readOnly, FileSystemTypes.Split(data), out FileSystem? fs, out Inode? root);
        if (error < 0)
            return error;
        fs!.SetFlags(flags & MountFlags.Kept);
        // The same once more at the same place (do_add_mount).
        point = TopOf(point);
        error = point.Fs.Whole == fs.Whole && MountAt(point) is not null ? -Errno.EBUSY
            : Attach(point, new MountEntry(0, 0, fs, source, root!));
        if (error < 0)
            ReleaseDisk(fs.Whole);
        return error;
    }

    /// <summary>Puts a mount at a place of a namespace, and nowhere else.</summary>
    private long Place(MountNamespace space, Inode point, MountEntry mount)
    {
        if (point.IsDirectory != mount.Root.IsDirectory)
            return -Errno.ENOTDIR;
        // A removed directory is no place (IS_DEADDIR in lock_mount).
        if (point.Nlink == 0)
            return -Errno.ENOENT;
        if (!TryCharge(MountBytes))
            return -Errno.ENOMEM;
        int parent = ParentIdOf(space.Entries, point);
        Cover(point, mount.Root);
        mount.Fs.Whole.MountCount++;
        (KeptBy(mount) as MountNamespace)?.Enter();
        int id = mount.Id == 0 ? NextMountId() : mount.Id;
        space.Entries.Add(mount with { Id = id, ParentId = parent, Covered = point, IsCharged = true });
        space.Touch();
        return 0;
    }

    /// <summary>Puts a mount below the one that is on top of a place, which it is under from then on (MOVE_MOUNT_BENEATH).</summary>
    internal long AttachBeneath(Inode topRoot, MountEntry mount)
    {
        MountEntry top = MountAt(topRoot)!;
        long error = Place(MountSpace, top.Covered!, mount);
        if (error < 0)
            return error;
        mount.Root.MountedHere = topRoot;
        MountSpace.Entries[MountSpace.Entries.IndexOf(top)] = top with { Covered = mount.Root, ParentId = MountAt(mount.Root)!.Id };
        return 0;
    }

    /// <summary>A mount that shows a file or directory once more, not put anywhere yet.</summary>
    internal MountEntry MakeBind(Inode source)
    {
        MountView view = MountView.Of(source);
        (view.Fs.Peer, view.Fs.Master) = (source.Fs.Peer, source.Fs.Master);
        return new MountEntry(0, 0, view.Fs, MountOf(source)?.Source ?? "none", view);
    }

    /// <summary>mount(2) with MS_BIND.</summary>
    /// <param name="source">What is shown.</param>
    /// <param name="point">Where.</param>
    /// <param name="recursive">MS_REC: with what is mounted below it.</param>
    internal long Bind(Inode source, Inode point, bool recursive)
    {
        MountEntry made = MakeBind(source);
        if (IsUnbindable(source))
            return -Errno.EINVAL;
        MountEntry[] below = recursive ? [.. MountSpace.Entries.Where(m => m.Covered != null && IsWithin(m.Covered, source))] : [];
        long error = Attach(point, made);
        if (error < 0)
            return error;
        foreach (MountEntry mount in below)
        {
            string path = PathOf(mount.Covered!, source);
            if (!IsUnbindable(mount.Root) && Walk(RootCaller with { Fs = new FsContext(made.Root, made.Root) }, made.Root, path, true,
                out WalkResult at) == 0 && at.Inode != null)
                Attach(at.Inode, MakeBind(mount.Root));
        }
        return 0;
    }

    private static bool IsUnbindable(Inode source) => source.Fs.Unbindable;

    /// <summary>mount(2) with MS_MOVE, move_mount of a mount that is somewhere: -EINVAL when it is no mount's root, -ELOOP below itself.
    /// </summary>
    internal long MoveMount(Inode root, Inode point)
    {
        if (MountAt(root) is not { Covered: { } covered } mount)
            return -Errno.EINVAL;
        if (root.IsDirectory != point.IsDirectory)
            return -Errno.ENOTDIR;
        if (IsWithin(point, root))
            return -Errno.ELOOP;
        if (point.Nlink == 0)
            return -Errno.ENOENT;
        MountEntry[] below = [.. MountSpace.Entries.Where(m => m != mount && IsWithin(m.Root, root))];
        // What others hear of is not moved away from under them, and what cannot be copied not to where it would be.
        if (covered.Fs.Peer != 0 || (TopOf(point).Fs.Peer != 0 && below.Append(mount).Any(m => m.Fs.Unbindable)))
            return -Errno.EINVAL;
        covered.MountedHere = null;
        MountSpace.Entries.Remove(mount);
        long error = Attach(point, mount, below);
        if (error < 0)
        {
            covered.MountedHere = root;
            MountSpace.Entries.Add(mount);
            return error;
        }
        if (mount.IsCharged)
            Charge(-MountBytes);
        mount.Fs.Whole.MountCount--;
        (KeptBy(mount) as MountNamespace)?.Leave();
        return error;
    }

    /// <summary>MS_SHARED, MS_PRIVATE, MS_SLAVE, MS_UNBINDABLE: -EINVAL when the file is no mount's root.</summary>
    internal long SetPropagation(Inode root, uint flags)
    {
        if (MountAt(root) is not { } mount)
            return -Errno.EINVAL;
        uint kind = flags & MountFlags.Propagation;
        if (!uint.IsPow2(kind) || (flags & ~(MountFlags.Propagation | MountFlags.MS_REC | 0x8000u)) != 0)
            return -Errno.EINVAL;
        foreach (MountEntry each in MountSpace.Entries)
        {
            if (each == mount || ((flags & MountFlags.MS_REC) != 0 && IsWithin(each.Root, root)))
                Propagate(each.Fs, kind);
        }
        return 0;
    }

    /// <summary>mount(2) with MS_REMOUNT: other flags and options; -EBUSY when somebody writes to what shall be read-only.</summary>
    internal long Remount(Inode root, uint flags, string data)
    {
        if (MountAt(root) is not { } mount)
            return -Errno.EINVAL;
        bool ofMount = (flags & MountFlags.MS_BIND) != 0;
        if ((flags & MountFlags.MS_RDONLY) != 0 && (ofMount ? mount.Fs : mount.Fs.Whole).Writers > 0)
            return -Errno.EBUSY;
        if (!ofMount && FileSystemTypes.Reconfigure(
            mount.Fs, (flags & MountFlags.MS_RDONLY) != 0, FileSystemTypes.Split(data)) is < 0 and long error)
            return error;
        mount.Fs.SetFlags(flags & MountFlags.Kept);
        return 0;
    }

    /// <summary>umount2: 0, -EINVAL, -EBUSY, -EAGAIN at the first call with MNT_EXPIRE.</summary>
    /// <param name="root">What the path led to.</param>
    /// <param name="flags">MNT_*.</param>
    /// <param name="inUse">Whether a process has its root or working directory in a file system.</param>
    /// <param name="marked">Those that had expired before the path was walked; null: none.</param>
    internal long Unmount(Inode root, uint flags, Func<FileSystem, bool> inUse, IReadOnlyCollection<Inode>? marked = null)
    {
        if (MountAt(root) is not { Covered: { } covered } mount)
            return -Errno.EINVAL;
        bool expires = (flags & MountFlags.MNT_EXPIRE) != 0, detaches = (flags & MountFlags.MNT_DETACH) != 0;
        MountEntry[] below = [.. MountSpace.Entries.Where(m => m != mount && IsWithin(m.Root, root))];
        if (!detaches && (mount.Fs.Open > 0 || inUse(mount.Fs) || below.Length > 0 || IsBusyElsewhere(mount, inUse)))
            return -Errno.EBUSY;
        if (expires)
        {
            _expiring.Add(root);
            if (marked?.Contains(root) != true)
                return -Errno.EAGAIN;
        }
        TakeOff(WithWhatHears([mount, .. below]));
        _expiring.Remove(root);
        return 0;
    }

    /// <summary>The namespace that a mount keeps, if it is one of nsfs.</summary>
    private static INamespace? KeptBy(MountEntry mount) => (mount.Root.Real as NamespaceInode)?.Space;

    /// <summary>Nobody is in a namespace any more: all that is mounted there is unmounted (umount_tree of put_mnt_ns).</summary>
    internal void Dissolve(MountNamespace space)
    {
        MountEntry[] mounts = [.. space.Entries];
        space.Entries.Clear();
        _mountSpaces.Remove(space);
        foreach (MountEntry mount in mounts)
        {
            if (mount.Covered is { } covered)
                covered.MountedHere = null;
            Gone(mount);
        }
    }

    private void Gone(MountEntry mount)
    {
        if (mount.IsCharged)
            Charge(-MountBytes);
        Propagate(mount.Fs, MountFlags.MS_PRIVATE);
        FileSystem whole = mount.Fs.Whole;
        whole.MountCount--;
        (KeptBy(mount) as MountNamespace)?.Leave();
        if (mount.Fs != whole)
            Fanotify.Unmounted(mount.Fs);
        ReleaseDisk(whole);
    }

    /// <summary>Roots of mounts that go with the next call with MNT_EXPIRE, unless they are used before.</summary>
    internal IReadOnlyCollection<Inode> Expiring => _expiring.Count == 0 ? [] : [.. _expiring];

    /// <summary>A file that was used again: it does not expire.</summary>
    internal void KeepMount(FileSystem fs)
    {
        if (_expiring.Count > 0)
            _expiring.RemoveWhere(root => root.Fs == fs);
    }

    private static void Cover(Inode covered, Inode root)
    {
        root.Parent = covered.Parent;
        root.Name = covered.Name;
        covered.MountedHere = root;
    }

    private static int ParentIdOf(List<MountEntry> mounts, Inode covered)
    {
        for (Inode? at = covered; at != null; at = at.Parent)
        {
            if (mounts.FindLast(m => m.Root == at) is { } above)
                return above.Id;
        }
        return 1;
    }

    /// <summary>copy_mnt_ns: a namespace in which everything is mounted that is mounted in another.</summary>
    internal MountNamespace CopyMounts(MountNamespace from, uint number, UserNamespace owner)
    {
        var made = new MountNamespace(number, owner);
        MountEntry first = from.Entries.First(m => m.Root == from.Root);
        bool isOthers = !ReferenceEquals(owner, from.OwnerSpace);
        MountEntry top = CopyOf(first, isOthers) with { Id = NextMountId(), ParentId = first.ParentId, IsCharged = true };
        made.Root = top.Root;
        top.Fs.Whole.MountCount++;
        Charge(MountBytes);
        made.Entries.Add(top);
        _mountSpaces.Add(made);
        var caller = RootCaller with { Fs = new FsContext(top.Root, top.Root) };
        foreach (MountEntry mount in from.Entries.Where(m => m != first && m.Covered is not null))
        {
            if (Walk(caller, top.Root, PathOf(mount.Covered!, from.Root), true, out WalkResult at) == 0 && at.Inode is not null)
                Place(made, at.Inode, CopyOf(mount, isOthers));
        }
        return made;
    }

    /// <summary>A mount for a copy of a namespace. What is shared is a slave's in a namespace of others (CL_SHARED_TO_SLAVE).</summary>
    private static MountEntry CopyOf(MountEntry mount, bool isOthers)
    {
        bool isSlave = isOthers && mount.Fs.Peer != 0;
        MountEntry copy = CopyOf(mount, isSlave ? 0 : mount.Fs.Peer, isSlave ? mount.Fs.Peer : mount.Fs.Master);
        copy.Fs.Unbindable = mount.Fs.Unbindable;
        return copy;
    }

    private int NextMountId() => 20 + _mountsMade++;

    /// <summary>Root and working directory in a copy of the namespace that they are in.</summary>
    internal void EnterCopy(FsContext fs, MountNamespace from, MountNamespace to)
    {
        var caller = RootCaller with { Fs = new FsContext(to.Root, to.Root) };
        Inode In(Inode there) =>
            Walk(caller, to.Root, PathOf(there, from.Root), true, out WalkResult at) == 0 ? at.Inode ?? to.Root : to.Root;
        (fs.Root, fs.Cwd) = (In(fs.Root), In(fs.Cwd));
    }

    /// <summary>pivot_root: another mount takes the place of the caller's root, which goes to a place below it.</summary>
    /// <param name="old">The caller's root.</param>
    /// <param name="fresh">What shall be the root: that of a mount.</param>
    /// <param name="place">Where the old root goes.</param>
    /// <param name="contexts">Those whose root or working directory is the old root.</param>
    internal long PivotRoot(Inode old, Inode fresh, Inode place, IEnumerable<FsContext> contexts)
    {
        MountNamespace space = MountSpace;
        MountEntry? mount = MountAt(fresh);
        if (place.Fs.Peer > 0 || mount?.Covered?.Fs.Peer > 0)
            return -Errno.EINVAL;
        if (fresh.Nlink == 0)
            return -Errno.ENOENT;
        if (fresh.Fs == old.Fs || place.Fs == old.Fs)
            return -Errno.EBUSY;
        if (mount?.Covered is not { } covered || !IsWithin(place, fresh) || MountAt(old) is not { } oldMount)
            return -Errno.EINVAL;
        covered.MountedHere = null;
        (fresh.Parent, fresh.Name) = (old.Parent, old.Name);
        if (oldMount.Covered is { } below)
            below.MountedHere = fresh;
        if (space.Root == old)
            space.Root = fresh;
        int at = space.Entries.IndexOf(oldMount);
        space.Entries[space.Entries.IndexOf(mount)] = mount with { Covered = oldMount.Covered, ParentId = oldMount.ParentId };
        bool itself = place == fresh;
        if (itself)
            old.MountedHere = null;
        Cover(place, old);
        if (itself)
            (old.Parent, old.Name) = (fresh, "");
        space.Entries[at] = oldMount with { Covered = place, ParentId = mount.Id };
        space.Touch();
        foreach (FsContext fs in contexts)
            (fs.Root, fs.Cwd) = (fs.Root == old ? fresh : fs.Root, fs.Cwd == old ? fresh : fs.Cwd);
        return 0;
    }
}
