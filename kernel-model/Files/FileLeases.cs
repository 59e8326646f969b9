using ArmVdso.Kernel.Waiting;

namespace ArmVdso.Kernel.Files;

/// <summary>Leases on one file (F_SETLEASE in fs/locks.c): who holds one is told before somebody else opens the file in a way that it
/// excludes, and has time to give it up.</summary>
internal sealed class FileLeases
{
    /// <summary>F_RDLCK, F_WRLCK and F_UNLCK.</summary>
    internal const int Read = 0, Write = 1, None = 2;

    /// <summary>A lease: its kind, and what it will be once its holder has been told.</summary>
    private sealed class Lease(OpenFile file, int descriptor, int kind)
    {
        internal OpenFile File => file;

        internal int Descriptor => descriptor;

        internal int Kind { get; set; } = kind;

        internal int? Wanted { get; set; }
    }

    private readonly List<Lease> _leases = [];

    /// <summary>Wakes those who wait for a lease to end.</summary>
    internal WaitQueue Changed { get; } = new();

    /// <summary>The kind that a file holds; what it is asked to become while it is being broken.</summary>
    internal int KindOf(OpenFile file) => _leases.Find(l => l.File == file) is { } lease ? lease.Wanted ?? lease.Kind : None;

    /// <summary>Sets, changes or gives up a lease: 0 or -EAGAIN.</summary>
    internal long Set(OpenFile file, int descriptor, int kind)
    {
        Lease? own = _leases.Find(l => l.File == file);
        if (kind == None)
        {
            if (own is null)
                return -Errno.EAGAIN;
            Drop(own);
            return 0;
        }
        Inode inode = file.Inode;
        if (kind == Read ? inode.Writers > 0 : inode.OpenCount > 1)
            return -Errno.EAGAIN;
        // Who waits to write counts as a writer already (do_dentry_open).
        if (kind == Read && own?.Wanted == None && !Changed.IsEmpty)
            return -Errno.EAGAIN;
        if (_leases.Exists(l => l != own && (kind == Write || l.Kind == Write)))
            return -Errno.EAGAIN;
        if (own is null)
        {
            _leases.Add(new Lease(file, descriptor, kind));
        }
        else
        {
            (own.Kind, own.Wanted) = (kind, null);
            Changed.WakeAll();
        }
        return 0;
    }

    private void Drop(Lease lease)
    {
        _leases.Remove(lease);
        Changed.WakeAll();
    }

    /// <summary>The file is closed: its lease ends.</summary>
    internal void Release(OpenFile file)
    {
        if (_leases.Find(l => l.File == file) is { } lease)
            Drop(lease);
    }

    /// <summary>Somebody opens the file: leases that exclude it are asked to end. True: there are some.</summary>
    /// <param name="writes">Whether for writing.</param>
    /// <param name="tell">Tells a holder for the first time.</param>
    internal bool Break(bool writes, Action<OpenFile, int> tell)
    {
        bool any = false;
        foreach (Lease lease in _leases.ToArray())
        {
            if (!writes && lease.Kind != Write)
                continue;
            any = true;
            if (lease.Wanted is not null)
                continue;
            lease.Wanted = writes ? None : Read;
            tell(lease.File, lease.Descriptor);
        }
        return any;
    }

    /// <summary>The holders had time enough: what they were asked for happens.</summary>
    internal void Force()
    {
        foreach (Lease lease in _leases.Where(l => l.Wanted is not null).ToArray())
        {
            if (lease.Wanted == None)
                _leases.Remove(lease);
            else
                (lease.Kind, lease.Wanted) = (Read, null);
        }
        Changed.WakeAll();
    }
}
